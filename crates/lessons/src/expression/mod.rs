//! Formulas as people type them: `(x/y + 5)^2 + x`.
//!
//! ```text
//! sum     = product { ("+" | "-") product }
//! product = factor { ("*" | "/") factor }
//! factor  = { "-" | "+" } power                       so −x^2 is −(x^2)
//! power   = atom [ "^" factor ]                       so 2^3^2 is 2^(3^2), and 2^-x is allowed
//! atom    = number | name | function "(" sum ")" | "(" sum ")"
//! ```
//!
//! Functions: exp, log (natural), sqrt, sin, cos (radians), tanh, sigmoid, relu, abs, erf. Constants:
//! pi, e. Every other name is a variable. Length and nesting are limited, so no input can exhaust the
//! stack.

mod mistake;
mod parser;

pub use mistake::{Mistake, Problem};

use graph::Scalar;
use graph::ops::{Binary, Unary};
use std::collections::HashMap;

/// Longest formula that is read, in characters.
pub const MAX_LENGTH: usize = 2000;
/// Deepest nesting of parentheses, signs and powers that is read.
pub const MAX_DEPTH: usize = 100;

/// A function of one number.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[allow(missing_docs)] // the names say it
pub enum Function {
    Exp,
    Log,
    Sqrt,
    Sin,
    Cos,
    Tanh,
    Sigmoid,
    Relu,
    Abs,
    Erf,
}

impl Function {
    /// Every function.
    pub const ALL: [Function; 10] = {
        use Function::*;
        [Exp, Log, Sqrt, Sin, Cos, Tanh, Sigmoid, Relu, Abs, Erf]
    };

    /// As it is written in formulas.
    pub fn name(self) -> &'static str {
        ["exp", "log", "sqrt", "sin", "cos", "tanh", "sigmoid", "relu", "abs", "erf"][self as usize]
    }

    /// The same function in the graph; `relu` is written there as a maximum.
    pub(crate) fn unary(self) -> Option<Unary> {
        use Unary::*;
        [Some(Exp), Some(Log), Some(Sqrt), Some(Sin), Some(Cos), Some(Tanh), Some(Sigmoid), None, Some(Abs), Some(Erf)][self as usize]
    }
}

/// What a term of a formula is; operands are positions of earlier terms.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Kind {
    Constant(Scalar),
    Variable(usize),
    Negate(usize),
    Call(Function, usize),
    Infix(Binary, usize, usize),
}

impl Kind {
    /// The terms it is computed from.
    pub(crate) fn operands(self) -> Vec<usize> {
        match self {
            Kind::Constant(_) | Kind::Variable(_) => vec![],
            Kind::Negate(a) | Kind::Call(_, a) => vec![a],
            Kind::Infix(_, a, b) => vec![a, b],
        }
    }

    /// The value for operands of these values, by the definitions of the graph.
    fn apply(self, value: impl Fn(usize) -> f64) -> f64 {
        match self {
            Kind::Constant(c) => c.get(),
            Kind::Variable(_) => f64::NAN,
            Kind::Negate(a) => -value(a),
            Kind::Call(f, a) => f.unary().map_or_else(|| Binary::Max.apply(value(a), 0.0), |u| u.apply(value(a))),
            Kind::Infix(op, a, b) => op.apply(value(a), value(b)),
        }
    }
}

/// How tightly a piece of text holds together, loosest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Level {
    Sum,
    Negative,
    Product,
    Power,
    Atom,
}

/// A piece of formula as text.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Text {
    pub text: String,
    pub level: Level,
}

impl Text {
    pub(crate) fn new(text: impl Into<String>, level: Level) -> Text {
        Text { text: text.into(), level }
    }

    /// The text, in parentheses if it is looser than `least`.
    pub(crate) fn at_least(&self, least: Level) -> String {
        if self.level >= least { self.text.clone() } else { format!("({})", self.text) }
    }
}

/// A formula, read: its terms in the order in which they are computed. Equal terms are stored once and
/// operations on constants are carried out.
#[derive(Clone, Debug, PartialEq)]
pub struct Expression {
    source: String,
    variables: Vec<String>,
    terms: Vec<Kind>,
    /// For each term, how the person wrote it (constants only; empty for others).
    written: Vec<Text>,
    root: usize,
}

impl Expression {
    /// Reads a formula.
    ///
    /// # Errors
    /// What is wrong, at which character, and how to put it right.
    ///
    /// ```
    /// use lessons::Expression;
    /// assert_eq!(Expression::parse("-x^2 + rate*pi")?.variables(), ["x", "rate"]);
    /// let mistake = Expression::parse("2*(x + 1").unwrap_err();
    /// assert_eq!(mistake.to_string(), "this parenthesis is never closed (character 3)\n  2*(x + 1\n    ^\nfix: add the missing `)`");
    /// # Ok::<(), lessons::Mistake>(())
    /// ```
    pub fn parse(source: &str) -> Result<Expression, Mistake> {
        parser::parse(source).map_err(|(position, problem)| Mistake { source: source.to_string(), position, problem })
    }

    /// The formula as it was given.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The variables, in order of appearance.
    pub fn variables(&self) -> &[String] {
        &self.variables
    }

    /// The value of a formula without variables.
    pub fn constant(&self) -> Option<f64> {
        self.constant_at(self.root)
    }

    /// All terms, operands before what is computed from them.
    pub(crate) fn terms(&self) -> &[Kind] {
        &self.terms
    }

    /// Position of the term that is the formula's value.
    pub(crate) fn root(&self) -> usize {
        self.root
    }

    /// The number that a term is, if it is one.
    pub(crate) fn constant_at(&self, term: usize) -> Option<f64> {
        match self.terms[term] {
            Kind::Constant(c) => Some(c.get()),
            _ => None,
        }
    }

    /// How a constant was written.
    pub(crate) fn written(&self, term: usize) -> &Text {
        &self.written[term]
    }
}

/// Terms under construction.
#[derive(Default)]
struct Pool {
    variables: Vec<String>,
    terms: Vec<Kind>,
    written: Vec<Text>,
    known: HashMap<Kind, usize>,
}

impl Pool {
    fn push(&mut self, kind: Kind, written: Text) -> usize {
        let next = self.terms.len();
        let id = *self.known.entry(kind).or_insert(next);
        if id == next {
            self.terms.push(kind);
            self.written.push(written);
        }
        id
    }

    fn variable(&mut self, name: &str) -> usize {
        let index = self.variables.iter().position(|v| v == name).unwrap_or(self.variables.len());
        if index == self.variables.len() {
            self.variables.push(name.to_string());
        }
        self.push(Kind::Variable(index), Text::new("", Level::Atom))
    }

    /// An operation, or its value if all operands are constants; `written` is only asked for then.
    fn operation(&mut self, kind: Kind, written: impl FnOnce() -> Text) -> usize {
        let constant = |t: usize| matches!(self.terms[t], Kind::Constant(_));
        if kind.operands().into_iter().all(constant) {
            let value = kind.apply(|t| if let Kind::Constant(c) = self.terms[t] { c.get() } else { f64::NAN });
            return self.push(Kind::Constant(Scalar::new(value)), written());
        }
        self.push(kind, Text::new("", Level::Atom))
    }
}
