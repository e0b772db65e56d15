//! Formulas of equations, as people type them: `d(u,t) + u*d(u,x) = nu*d(u,x,x)`.
//!
//! ```text
//! equation = sum [ "=" sum ]                           read as left side − right side
//! sum      = product { ("+" | "-") product }
//! product  = factor { ("*" | "/") factor }
//! factor   = { "-" | "+" } power                       so −x^2 is −(x^2)
//! power    = atom [ "^" factor ]                       so 2^3^2 is 2^(3^2)
//! atom     = number | name | function "(" sum { "," sum } ")" | "(" sum ")"
//! ```
//!
//! `d(f, x, y, …)` is the partial derivative of any formula along the named variables, in this order. Length and
//! nesting are limited, so no input can exhaust the stack.

use formula::{Bad, Kind as Word, Tokens};
use std::fmt;

/// Longest formula that is read, in characters.
pub const MAX_LENGTH: usize = 2000;
/// Deepest nesting of parentheses, signs and powers that is read.
pub const MAX_DEPTH: usize = 60;
/// Highest order of one derivative.
pub const MAX_ORDER: usize = 6;

/// A function of one or two numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs)] // the names say it
pub enum Function {
    Exp,
    Log,
    Sqrt,
    Sin,
    Cos,
    Tan,
    Sinh,
    Cosh,
    Tanh,
    Sech,
    Erf,
    Abs,
    Min,
    Max,
}

impl Function {
    /// Every function.
    pub const ALL: [Function; 14] = {
        use Function::*;
        [Exp, Log, Sqrt, Sin, Cos, Tan, Sinh, Cosh, Tanh, Sech, Erf, Abs, Min, Max]
    };

    /// As it is written.
    pub fn name(self) -> &'static str {
        ["exp", "log", "sqrt", "sin", "cos", "tan", "sinh", "cosh", "tanh", "sech", "erf", "abs", "min", "max"][self as usize]
    }

    fn arguments(self) -> usize {
        if matches!(self, Function::Min | Function::Max) { 2 } else { 1 }
    }
}

/// An operation of two numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs)] // the names say it
pub enum Infix {
    Add,
    Sub,
    Mul,
    Div,
    Pow,
}

/// A part of a formula.
#[derive(Clone, PartialEq, Debug)]
pub enum Term {
    /// A number.
    Number(f64),
    /// A name and the character at which it stands.
    Name(String, usize),
    /// −a
    Negate(Box<Term>),
    /// A function of its arguments.
    Call(Function, Vec<Term>),
    /// a + b and the like.
    Infix(Infix, Box<Term>, Box<Term>),
    /// The derivative of a term along variables, each with its place.
    Derivative(Box<Term>, Vec<(String, usize)>),
}

/// A formula, read.
#[derive(Clone, PartialEq, Debug)]
pub struct Formula {
    /// As it was given.
    pub source: String,
    /// Its value; of an equation, left side − right side.
    pub term: Term,
    /// Whether it holds a `=`.
    pub is_equation: bool,
}

/// What is wrong with a formula, where (in characters from 0), and the fix.
#[derive(Clone, PartialEq, Debug)]
pub struct Mistake {
    /// The formula as it was given.
    pub source: String,
    /// Where it goes wrong.
    pub position: usize,
    /// What is wrong there.
    pub problem: Problem,
}

/// The kinds of mistakes, with what their messages mention.
#[derive(Clone, PartialEq, Debug)]
#[allow(missing_docs)] // the messages say what each means
pub enum Problem {
    Empty,
    TooLong,
    TooDeep,
    Character { found: String },
    Operand { found: String },
    End,
    Unclosed,
    Operator { found: String },
    Arguments { function: String, wanted: String },
    Function { name: String, known: String },
    Uncalled { function: String },
    Along { found: String },
    Order,
    Equals,
    NoEquals,
    Unknown { name: String, known: String },
    NotVariable { name: String, known: String },
    Depends { name: String },
}

impl Problem {
    /// Name of the kind, its message and the fix, with `{name}` for what they mention.
    fn template(&self) -> (&'static str, &'static str, &'static str) {
        match self {
            Problem::Empty => ("empty", "the formula is empty", "write one, for example d(u,t) + d(u,x) = 0"),
            Problem::TooLong => ("too_long", "the formula has more than 2000 characters", "shorten it"),
            Problem::TooDeep => {
                ("too_deep", "more than 60 parentheses, signs or powers are nested here", "remove those that change nothing")
            }
            Problem::Character { .. } => {
                ("character", "`{found}` has no meaning in a formula", "use numbers, names, + - * / ^ = , and parentheses")
            }
            Problem::Operand { .. } => ("operand", "a number, a name or `(` should stand before `{found}`", "write what is missing"),
            Problem::End => ("end", "the formula ends too early", "write what is missing, or remove the last operator"),
            Problem::Unclosed => ("unclosed", "this parenthesis is never closed", "add the missing `)`"),
            Problem::Operator { .. } => ("operator", "`{found}` is not expected here", "products are written with *: 2*u, x*(u+1)"),
            Problem::Arguments { .. } => {
                ("arguments", "{function} takes {wanted}", "write for example max(x, 0), exp(x), d(u, x), d(u, x, x)")
            }
            Problem::Function { .. } => ("function", "there is no function `{name}`", "use d and {known}"),
            Problem::Uncalled { .. } => ("uncalled", "the function {function} needs its arguments", "write {function}(…)"),
            Problem::Along { .. } => {
                ("along", "`{found}` is no variable to differentiate along", "write d(f, x) with the name of a variable")
            }
            Problem::Order => {
                ("order", "derivatives of more than order 6 are not computed", "lower the order, or introduce an unknown for an inner one")
            }
            Problem::Equals => ("equals", "a second `=`", "write one equation a formula"),
            Problem::NoEquals => ("no_equals", "an equation needs a `=`", "write for example … = 0"),
            Problem::Unknown { .. } => ("unknown", "`{name}` is not known here", "use {known}, or define it under [constants]"),
            Problem::NotVariable { .. } => ("not_variable", "`{name}` is no variable of the domain", "differentiate along {known}"),
            Problem::Depends { .. } => ("depends", "`{name}` cannot stand in this formula", "use variables and constants only"),
        }
    }

    /// A fixed name of the kind, for tables of translations.
    pub fn code(&self) -> &'static str {
        self.template().0
    }

    /// What the messages mention, by name.
    pub fn details(&self) -> Vec<(&'static str, &str)> {
        match self {
            Problem::Character { found } | Problem::Operand { found } | Problem::Operator { found } | Problem::Along { found } => {
                vec![("found", found)]
            }
            Problem::Arguments { function, wanted } => vec![("function", function), ("wanted", wanted)],
            Problem::Function { name, known } | Problem::Unknown { name, known } | Problem::NotVariable { name, known } => {
                vec![("name", name), ("known", known)]
            }
            Problem::Uncalled { function } => vec![("function", function)],
            Problem::Depends { name } => vec![("name", name)],
            _ => vec![],
        }
    }

    fn fill(&self, template: &str) -> String {
        self.details().iter().fold(template.to_string(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
    }

    /// What is wrong, in English.
    pub fn what(&self) -> String {
        self.fill(self.template().1)
    }

    /// How to put it right, in English.
    pub fn fix(&self) -> String {
        self.fill(self.template().2)
    }
}

impl Mistake {
    /// The formula and, below, a caret under the mistake. Long formulas are cut on both sides.
    pub fn excerpt(&self) -> String {
        formula::excerpt(&self.source, self.position)
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let excerpt = self.excerpt().replace('\n', "\n  ");
        write!(f, "{} (character {})\n  {excerpt}\nfix: {}", self.problem.what(), self.position + 1, self.problem.fix())
    }
}

impl From<Bad> for Problem {
    fn from(bad: Bad) -> Problem {
        let found = match bad {
            Bad::Character(c) => c.into(),
            Bad::Point(text) | Bad::Huge(text) => text,
        };
        Problem::Character { found }
    }
}

type Parsed<T> = Result<T, (usize, Problem)>;

impl Formula {
    /// Reads a formula.
    ///
    /// # Errors
    /// What is wrong, at which character, and how to put it right.
    ///
    /// ```
    /// use pinn::solve::Formula;
    /// assert!(Formula::parse("d(u,t) + d(u,x) = 0")?.is_equation);
    /// let mistake = Formula::parse("d(u,t) + 2u = 0").unwrap_err();
    /// assert_eq!((mistake.position, mistake.problem.code()), (10, "operator"));
    /// # Ok::<(), pinn::solve::Mistake>(())
    /// ```
    pub fn parse(source: &str) -> Result<Formula, Mistake> {
        let chars: Vec<char> = source.chars().collect();
        let read = move || -> Parsed<(Term, bool)> {
            if chars.len() > MAX_LENGTH {
                return Err((MAX_LENGTH, Problem::TooLong));
            }
            let tokens = Tokens::new(chars, "+-*/^(),=").map_err(|(at, bad)| (at, Problem::from(bad)))?;
            if tokens.peek().is_none() {
                return Err((0, Problem::Empty));
            }
            Parser { tokens, depth: 0 }.equation()
        };
        match read() {
            Ok((term, is_equation)) => Ok(Formula { source: source.into(), term, is_equation }),
            Err((position, problem)) => Err(Mistake { source: source.into(), position, problem }),
        }
    }

    /// A mistake at a place of this formula.
    pub fn mistake(&self, position: usize, problem: Problem) -> Mistake {
        Mistake { source: self.source.clone(), position, problem }
    }

    /// Its value with the names' values.
    ///
    /// # Errors
    /// A name without value; a derivative.
    pub fn value(&self, name: &dyn Fn(&str) -> Option<f64>) -> Result<f64, Mistake> {
        self.term.value(name).map_err(|(position, problem)| self.mistake(position, problem))
    }
}

impl Term {
    /// Its value with the names' values.
    pub(super) fn value(&self, name: &dyn Fn(&str) -> Option<f64>) -> Parsed<f64> {
        Ok(match self {
            Term::Number(x) => *x,
            Term::Name(n, at) => name(n).ok_or_else(|| (*at, Problem::Depends { name: n.clone() }))?,
            Term::Negate(a) => -a.value(name)?,
            Term::Call(f, list) => {
                let first = list[0].value(name)?;
                let second = list.get(1).map_or(Ok(0.0), |t| t.value(name))?;
                f.apply(first, second)
            }
            Term::Infix(op, a, b) => op.apply(a.value(name)?, b.value(name)?),
            Term::Derivative(_, along) => {
                return Err((along.first().map_or(0, |a| a.1), Problem::Depends { name: "d".into() }));
            }
        })
    }

    /// The names in it, each with the number of derivatives along `variable` that are taken of it.
    pub(super) fn names(&self, variable: &str) -> Vec<(&str, usize)> {
        match self {
            Term::Number(_) => vec![],
            Term::Name(name, _) => vec![(name, 0)],
            Term::Negate(a) => a.names(variable),
            Term::Call(_, list) => list.iter().flat_map(|t| t.names(variable)).collect(),
            Term::Infix(_, a, b) => [a.names(variable), b.names(variable)].concat(),
            Term::Derivative(inner, along) => {
                let order = along.iter().filter(|(n, _)| n == variable).count();
                inner.names(variable).into_iter().map(|(n, o)| (n, o + order)).collect()
            }
        }
    }
}

impl Infix {
    pub(super) fn apply(self, x: f64, y: f64) -> f64 {
        match self {
            Infix::Add => x + y,
            Infix::Sub => x - y,
            Infix::Mul => x * y,
            Infix::Div => x / y,
            Infix::Pow => x.powf(y),
        }
    }
}

impl Function {
    pub(super) fn apply(self, x: f64, y: f64) -> f64 {
        match self {
            Function::Exp => x.exp(),
            Function::Log => x.ln(),
            Function::Sqrt => x.sqrt(),
            Function::Sin => x.sin(),
            Function::Cos => x.cos(),
            Function::Tan => x.tan(),
            Function::Sinh => x.sinh(),
            Function::Cosh => x.cosh(),
            Function::Tanh => x.tanh(),
            Function::Sech => 1.0 / x.cosh(),
            Function::Erf => neurona::ops::Unary::Erf.apply(x),
            Function::Abs => x.abs(),
            Function::Min => x.min(y),
            Function::Max => x.max(y),
        }
    }
}

struct Parser {
    tokens: Tokens,
    depth: usize,
}

impl Parser {
    fn equation(&mut self) -> Parsed<(Term, bool)> {
        let left = self.sum()?;
        let equals = self.tokens.sign("=").is_some();
        let term = if equals { Term::Infix(Infix::Sub, Box::new(left), Box::new(self.sum()?)) } else { left };
        match self.tokens.peek() {
            None => Ok((term, equals)),
            Some(t) if t.kind == Word::Sign('=') => Err((t.start, Problem::Equals)),
            Some(t) => Err((t.start, Problem::Operator { found: self.tokens.text(t) })),
        }
    }

    fn sum(&mut self) -> Parsed<Term> {
        let mut left = self.product()?;
        while let Some((sign, _)) = self.tokens.sign("+-") {
            let op = if sign == '+' { Infix::Add } else { Infix::Sub };
            left = Term::Infix(op, Box::new(left), Box::new(self.product()?));
        }
        Ok(left)
    }

    fn product(&mut self) -> Parsed<Term> {
        let mut left = self.factor()?;
        while let Some((sign, _)) = self.tokens.sign("*/") {
            let op = if sign == '*' { Infix::Mul } else { Infix::Div };
            left = Term::Infix(op, Box::new(left), Box::new(self.factor()?));
        }
        Ok(left)
    }

    /// Every way to nest passes through here, so this is where depth is counted.
    fn factor(&mut self) -> Parsed<Term> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err((self.tokens.place(), Problem::TooDeep));
        }
        let term = match self.tokens.sign("+-") {
            None => self.power()?,
            Some(('-', _)) => Term::Negate(Box::new(self.factor()?)),
            Some(_) => self.factor()?,
        };
        self.depth -= 1;
        Ok(term)
    }

    fn power(&mut self) -> Parsed<Term> {
        let base = self.atom()?;
        if self.tokens.sign("^").is_none() {
            return Ok(base);
        }
        Ok(Term::Infix(Infix::Pow, Box::new(base), Box::new(self.factor()?)))
    }

    fn atom(&mut self) -> Parsed<Term> {
        let Some(token) = self.tokens.next() else { return Err((self.tokens.place(), Problem::End)) };
        match &token.kind {
            Word::Number(x) => Ok(Term::Number(*x)),
            Word::Name(name) => self.name(name, token.start),
            Word::Sign('(') => {
                let inner = self.sum()?;
                self.close(token.start)?;
                Ok(inner)
            }
            Word::Sign(_) => Err((token.start, Problem::Operand { found: self.tokens.text(&token) })),
        }
    }

    fn close(&mut self, opened: usize) -> Parsed<()> {
        match self.tokens.peek() {
            Some(t) if t.kind == Word::Sign(')') => {
                self.tokens.next();
                Ok(())
            }
            None => Err((opened, Problem::Unclosed)),
            Some(t) => Err((t.start, Problem::Operator { found: self.tokens.text(t) })),
        }
    }

    fn name(&mut self, name: &str, start: usize) -> Parsed<Term> {
        match name {
            "pi" | "π" => return Ok(Term::Number(std::f64::consts::PI)),
            "e" => return Ok(Term::Number(std::f64::consts::E)),
            _ => {}
        }
        let function = Function::ALL.into_iter().find(|f| f.name() == name);
        let Some((_, opened)) = self.tokens.sign("(") else {
            return match function {
                Some(f) => Err((start, Problem::Uncalled { function: f.name().into() })),
                None => Ok(Term::Name(name.into(), start)),
            };
        };
        let mut places = vec![self.tokens.place()];
        let mut list = vec![self.sum()?];
        while self.tokens.sign(",").is_some() {
            places.push(self.tokens.place());
            list.push(self.sum()?);
        }
        self.close(opened)?;
        if name == "d" {
            return derivative(list, &places, start);
        }
        let Some(f) = function else {
            let known: Vec<&str> = Function::ALL.iter().map(|f| f.name()).collect();
            return Err((start, Problem::Function { name: name.into(), known: known.join(", ") }));
        };
        if list.len() == f.arguments() {
            return Ok(Term::Call(f, list));
        }
        let wanted = if f.arguments() == 2 { "two arguments" } else { "one argument" };
        Err((start, Problem::Arguments { function: name.into(), wanted: wanted.into() }))
    }
}

/// d(f, x, …) from its arguments and their places.
fn derivative(mut list: Vec<Term>, places: &[usize], start: usize) -> Parsed<Term> {
    let along = list.split_off(1);
    if along.is_empty() {
        let wanted = "a formula and one variable or more".into();
        return Err((start, Problem::Arguments { function: "d".into(), wanted }));
    }
    if along.len() > MAX_ORDER {
        return Err((start, Problem::Order));
    }
    let name = |(term, at): (Term, &usize)| match term {
        Term::Name(name, at) => Ok((name, at)),
        Term::Number(x) => Err((*at, Problem::Along { found: x.to_string() })),
        _ => Err((*at, Problem::Along { found: "this".into() })),
    };
    let along = along.into_iter().zip(&places[1..]).map(name).collect::<Parsed<Vec<_>>>()?;
    Ok(Term::Derivative(Box::new(list.remove(0)), along))
}
