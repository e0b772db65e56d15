//! Tokens → terms, by recursive descent. The recursion is as deep as the formula is nested, which
//! [`MAX_DEPTH`] limits; chains such as `x+x+x` are loops.

use super::mistake::Problem;
use super::{Expression, Function, Kind, Level, MAX_DEPTH, MAX_LENGTH, Pool, Text};
use crate::spelling::closest;
use formula::{Bad, Kind as Word, Token, Tokens};
use graph::Scalar;
use graph::ops::Binary;

type Parsed<T> = Result<T, (usize, Problem)>;

/// A term and the characters it was read from (its parentheses included).
#[derive(Clone, Copy)]
struct Part {
    term: usize,
    start: usize,
    end: usize,
}

struct Parser {
    tokens: Tokens,
    depth: usize,
    pool: Pool,
}

/// The tokens of a formula, or where and why it has none; what other languages write for a point or a power has its own reason.
fn tokens(chars: Vec<char>) -> Parsed<Tokens> {
    let stars = chars.windows(2).position(|pair| pair == ['*', '*']);
    match (Tokens::new(chars, "+-*/^()"), stars) {
        (Err((at, bad)), stars) if stars.is_none_or(|s| at < s) => Err((at, bad.into())),
        (_, Some(at)) => Err((at, Problem::DoubleStar)),
        (tokens, None) => tokens.map_err(|(at, bad)| (at, bad.into())),
    }
}

impl From<Bad> for Problem {
    fn from(bad: Bad) -> Problem {
        match bad {
            Bad::Character(',') => Problem::DecimalComma,
            Bad::Character(found) => Problem::UnknownCharacter { found },
            Bad::Point(_) => Problem::UnknownCharacter { found: '.' },
            Bad::Huge(number) => Problem::HugeNumber { number },
        }
    }
}

/// Reads a formula.
pub(super) fn parse(source: &str) -> Parsed<Expression> {
    let chars: Vec<char> = source.chars().collect();
    if chars.len() > MAX_LENGTH {
        return Err((MAX_LENGTH, Problem::TooLong { limit: MAX_LENGTH }));
    }
    let tokens = tokens(chars)?;
    if tokens.peek().is_none() {
        return Err((0, Problem::Empty));
    }
    let mut parser = Parser { tokens, depth: 0, pool: Pool::default() };
    let root = parser.sum()?.term;
    if let Some(token) = parser.tokens.peek() {
        let problem = match token.kind {
            Word::Sign(')') => Problem::Unopened,
            _ => Problem::MissingOperator { found: parser.tokens.text(token) },
        };
        return Err((token.start, problem));
    }
    let Pool { variables, terms, written, .. } = parser.pool;
    Ok(Expression { source: source.to_string(), variables, terms, written, root })
}

impl Parser {
    /// How the characters from `start` to `end` were written, without spaces.
    fn written(&self, start: usize, end: usize, level: Level) -> Text {
        Text::new(self.tokens.chars()[start..end].iter().filter(|c| !c.is_whitespace()).collect::<String>(), level)
    }

    fn operation(&mut self, kind: Kind, start: usize, end: usize, level: Level) -> Part {
        let written = self.written(start, end, level);
        Part { term: self.pool.operation(kind, || written), start, end }
    }

    fn infix(&mut self, op: Binary, a: Part, b: Part, level: Level) -> Part {
        self.operation(Kind::Infix(op, a.term, b.term), a.start, b.end, level)
    }

    fn sum(&mut self) -> Parsed<Part> {
        let mut left = self.product()?;
        while let Some((sign, _)) = self.tokens.sign("+-") {
            let right = self.product()?;
            left = self.infix(if sign == '+' { Binary::Add } else { Binary::Sub }, left, right, Level::Sum);
        }
        Ok(left)
    }

    fn product(&mut self) -> Parsed<Part> {
        let mut left = self.factor()?;
        while let Some((sign, _)) = self.tokens.sign("*/") {
            let right = self.factor()?;
            left = self.infix(if sign == '*' { Binary::Mul } else { Binary::Div }, left, right, Level::Product);
        }
        Ok(left)
    }

    /// Every way to nest passes through here, so this is where depth is counted.
    fn factor(&mut self) -> Parsed<Part> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err((self.tokens.place(), Problem::TooDeep { limit: MAX_DEPTH }));
        }
        let part = match self.tokens.sign("+-") {
            None => self.power()?,
            Some((sign, start)) => {
                let inner = self.factor()?;
                match sign {
                    '-' => self.operation(Kind::Negate(inner.term), start, inner.end, Level::Negative),
                    _ => Part { start, ..inner },
                }
            }
        };
        self.depth -= 1;
        Ok(part)
    }

    fn power(&mut self) -> Parsed<Part> {
        let base = self.atom()?;
        if self.tokens.sign("^").is_none() {
            return Ok(base);
        }
        let exponent = self.factor()?;
        Ok(self.infix(Binary::Pow, base, exponent, Level::Power))
    }

    fn atom(&mut self) -> Parsed<Part> {
        let Some(token) = self.tokens.next() else {
            return Err((self.tokens.place(), Problem::UnexpectedEnd));
        };
        let (start, end) = (token.start, token.end);
        match &token.kind {
            Word::Number(x) => Ok(self.constant(*x, start, end)),
            Word::Name(name) => self.name(name, start, end),
            Word::Sign('(') => self.parentheses(start),
            Word::Sign(_) => Err((start, Problem::MissingOperand { found: self.tokens.text(&token) })),
        }
    }

    fn constant(&mut self, x: f64, start: usize, end: usize) -> Part {
        let written = self.written(start, end, Level::Atom);
        Part { term: self.pool.push(Kind::Constant(Scalar::new(x)), written), start, end }
    }

    /// The rest of `( sum )`.
    fn parentheses(&mut self, start: usize) -> Parsed<Part> {
        let inner = self.sum()?;
        match self.tokens.next() {
            Some(Token { kind: Word::Sign(')'), end, .. }) => Ok(Part { start, end, ..inner }),
            None => Err((start, Problem::Unclosed)),
            Some(token) => Err((token.start, Problem::MissingOperator { found: self.tokens.text(&token) })),
        }
    }

    fn name(&mut self, name: &str, start: usize, end: usize) -> Parsed<Part> {
        match name {
            "pi" | "π" => return Ok(self.constant(std::f64::consts::PI, start, end)),
            "e" => return Ok(self.constant(std::f64::consts::E, start, end)),
            _ => {}
        }
        let opening = self.tokens.sign("(");
        let function = Function::ALL.into_iter().find(|f| f.name() == name);
        match (function, opening) {
            (Some(f), Some((_, open))) => {
                let inner = self.parentheses(open)?;
                Ok(self.operation(Kind::Call(f, inner.term), start, inner.end, Level::Atom))
            }
            (Some(f), None) => Err((start, Problem::Uncalled { function: f.name().into() })),
            (None, Some(_)) => Err((start, unknown(name))),
            (None, None) => Ok(Part { term: self.pool.variable(name), start, end }),
        }
    }
}

/// A name that is called but is no function. Usual other names of functions count as misspelled.
fn unknown(name: &str) -> Problem {
    let name_of = |f: &Function| f.name();
    let alias = match name {
        "ln" => Some("log"),
        "sen" => Some("sin"),
        "logistic" | "sigma" | "σ" => Some("sigmoid"),
        _ => None,
    };
    let known: Vec<&str> = Function::ALL.iter().map(name_of).collect();
    match alias.or_else(|| if name.chars().count() > 1 { closest(name, known.iter().copied()) } else { None }) {
        Some(suggestion) => Problem::Misspelled { name: name.into(), suggestion: suggestion.into() },
        None => Problem::UnknownFunction { name: name.into(), known: known.join(", ") },
    }
}
