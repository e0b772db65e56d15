//! Characters of a formula → words.

use super::formula::Problem;

/// A word of a formula, with the characters it covers.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token {
    pub kind: Kind,
    pub start: usize,
    pub end: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    Number(f64),
    Name(String),
    /// One of `+ - * / ^ ( ) , =`; the typographic signs − · × ÷ are read as these.
    Sign(char),
}

/// The words of a formula, or where and why it has none.
pub(super) fn tokens(chars: &[char]) -> Result<Vec<Token>, (usize, Problem)> {
    let (mut list, mut at) = (vec![], 0);
    while at < chars.len() {
        let start = at;
        let kind = match chars[at] {
            c if c.is_whitespace() => {
                at += 1;
                continue;
            }
            c if c.is_ascii_digit() || c == '.' => number(chars, &mut at)?,
            c if c.is_alphabetic() || c == '_' => {
                at += run(&chars[at..], |c| c.is_alphanumeric() || c == '_');
                Kind::Name(chars[start..at].iter().collect())
            }
            c => {
                at += 1;
                Kind::Sign(sign(c).ok_or((start, Problem::Character { found: c.into() }))?)
            }
        };
        list.push(Token { kind, start, end: at });
    }
    Ok(list)
}

fn sign(c: char) -> Option<char> {
    match c {
        '+' | '-' | '*' | '/' | '^' | '(' | ')' | ',' | '=' => Some(c),
        '−' => Some('-'),
        '·' | '×' => Some('*'),
        '÷' => Some('/'),
        _ => None,
    }
}

/// Digits, point, digits, and an exponent if digits follow the `e` (else `e` is Euler's number).
fn number(chars: &[char], at: &mut usize) -> Result<Kind, (usize, Problem)> {
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
        _ => Err((start, Problem::Character { found: text })),
    }
}

/// How many characters from the start fulfil `is`.
fn run(chars: &[char], is: impl Fn(char) -> bool) -> usize {
    chars.iter().take_while(|&&c| is(c)).count()
}
