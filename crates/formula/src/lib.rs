//! The words of formulas that people type, and where in them a mistake is: what the formulas of lessons and those of
//! equations have in common. Their grammars are their own.

use std::collections::VecDeque;

/// A word of a formula, with the characters it covers.
#[derive(Clone, Debug, PartialEq)]
pub struct Token {
    /// What it is.
    pub kind: Kind,
    /// Its first character, counted from 0.
    pub start: usize,
    /// The character behind it.
    pub end: usize,
}

/// The kinds of words.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// A number.
    Number(f64),
    /// Letters, digits and `_`.
    Name(String),
    /// A sign; the typographic − · × ÷ are read as `- * * /`.
    Sign(char),
}

/// What is no word.
#[derive(Clone, Debug, PartialEq)]
pub enum Bad {
    /// A character that is no sign here.
    Character(char),
    /// A point without digits.
    Point(String),
    /// A number beyond double precision.
    Huge(String),
}

/// The words of a formula, read from left to right.
#[derive(Clone, Debug)]
pub struct Tokens {
    chars: Vec<char>,
    rest: VecDeque<Token>,
}

impl Tokens {
    /// The words of a formula in which these `signs` mean something.
    ///
    /// # Errors
    /// The first character that belongs to no word, and why.
    ///
    /// ```
    /// use formula::{Bad, Kind, Tokens};
    /// let mut tokens = Tokens::new("2e3 · x_1".chars().collect(), "+-*/^()")?;
    /// assert_eq!(tokens.next().map(|t| t.kind), Some(Kind::Number(2000.0)));
    /// assert_eq!(tokens.sign("*/"), Some(('*', 4)));
    /// assert_eq!((tokens.place(), tokens.next().map(|t| t.kind)), (6, Some(Kind::Name("x_1".into()))));
    /// assert_eq!(Tokens::new("a = 1".chars().collect(), "+").unwrap_err(), (2, Bad::Character('=')));
    /// # Ok::<(), (usize, Bad)>(())
    /// ```
    pub fn new(chars: Vec<char>, signs: &str) -> Result<Tokens, (usize, Bad)> {
        let (mut rest, mut at) = (VecDeque::new(), 0);
        while at < chars.len() {
            let start = at;
            let kind = match chars[at] {
                c if c.is_whitespace() => {
                    at += 1;
                    continue;
                }
                c if c.is_ascii_digit() || c == '.' => number(&chars, &mut at)?,
                c if c.is_alphabetic() || c == '_' => {
                    at += run(&chars[at..], |c| c.is_alphanumeric() || c == '_');
                    Kind::Name(chars[start..at].iter().collect())
                }
                c => {
                    at += 1;
                    let plain = typed(c);
                    Kind::Sign(if signs.contains(plain) { plain } else { return Err((start, Bad::Character(c))) })
                }
            };
            rest.push_back(Token { kind, start, end: at });
        }
        Ok(Tokens { chars, rest })
    }

    /// The next token.
    pub fn peek(&self) -> Option<&Token> {
        self.rest.front()
    }

    /// The next token if it is one of `signs`, taken: which, and where.
    pub fn sign(&mut self, signs: &str) -> Option<(char, usize)> {
        let found = match self.peek()? {
            Token { kind: Kind::Sign(c), start, .. } if signs.contains(*c) => (*c, *start),
            _ => return None,
        };
        self.rest.pop_front();
        Some(found)
    }

    /// Where the next token begins, or the formula ends.
    pub fn place(&self) -> usize {
        self.peek().map_or(self.chars.len(), |t| t.start)
    }

    /// A token as it was typed.
    pub fn text(&self, token: &Token) -> String {
        self.chars[token.start..token.end].iter().collect()
    }

    /// All characters of the formula.
    pub fn chars(&self) -> &[char] {
        &self.chars
    }
}

/// The tokens that are left, taken one by one.
impl Iterator for Tokens {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        self.rest.pop_front()
    }
}

/// The sign that a typographic one stands for.
fn typed(c: char) -> char {
    match c {
        '−' => '-',
        '·' | '×' => '*',
        '÷' => '/',
        c => c,
    }
}

/// Digits, point, digits, and an exponent if digits follow the `e` (else `e` is Euler's number).
fn number(chars: &[char], at: &mut usize) -> Result<Kind, (usize, Bad)> {
    let start = *at;
    let digit = |c: char| c.is_ascii_digit();
    *at += run(&chars[*at..], digit);
    if chars.get(*at) == Some(&'.') {
        *at += 1;
        *at += run(&chars[*at..], digit);
    }
    if matches!(chars.get(*at), Some('e' | 'E')) {
        let sign = usize::from(matches!(chars.get(*at + 1), Some('+' | '-')));
        let digits = run(chars.get(*at + 1 + sign..).unwrap_or(&[]), digit);
        *at += if digits > 0 { 1 + sign + digits } else { 0 };
    }
    let text: String = chars[start..*at].iter().collect();
    match text.parse::<f64>() {
        Ok(x) if x.is_finite() => Ok(Kind::Number(x)),
        Ok(_) => Err((start, Bad::Huge(text))),
        Err(_) => Err((start, Bad::Point(text))),
    }
}

/// How many characters from the start fulfil `is`.
fn run(chars: &[char], is: impl Fn(char) -> bool) -> usize {
    chars.iter().take_while(|&&c| is(c)).count()
}

/// The part of a formula around a character and, below, a caret under it. Long formulas are cut on both sides.
///
/// ```
/// assert_eq!(formula::excerpt("2*(x + 1", 2), "2*(x + 1\n  ^");
/// ```
pub fn excerpt(source: &str, position: usize) -> String {
    const AROUND: usize = 36;
    let all: Vec<char> = source.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let (start, end) = (position.saturating_sub(AROUND), (position + AROUND).min(all.len()));
    let (before, after) = (if start > 0 { "…" } else { "" }, if end < all.len() { "…" } else { "" });
    let line: String = all[start.min(end)..end].iter().collect();
    format!("{before}{line}{after}\n{}^", " ".repeat(position - start + before.chars().count()))
}
