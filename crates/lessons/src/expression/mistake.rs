//! What can be wrong with a formula: where, why, and the fix.

use std::fmt;

/// A formula that cannot be read.
#[derive(Clone, Debug, PartialEq)]
pub struct Mistake {
    /// The formula as it was given.
    pub source: String,
    /// Where it goes wrong, in characters from 0.
    pub position: usize,
    /// What is wrong there.
    pub problem: Problem,
}

/// The kinds of mistakes.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)] // `template` below says what each means
pub enum Problem {
    Empty,
    TooLong { limit: usize },
    TooDeep { limit: usize },
    UnknownCharacter { found: char },
    DecimalComma,
    DoubleStar,
    HugeNumber { number: String },
    MissingOperand { found: String },
    UnexpectedEnd,
    Unclosed,
    Unopened,
    MissingOperator { found: String },
    Uncalled { function: String },
    Misspelled { name: String, suggestion: String },
    UnknownFunction { name: String, known: String },
}

impl Problem {
    /// A fixed name of the kind, for tables of translations.
    pub fn code(&self) -> &'static str {
        self.template().0
    }

    /// The values that the texts of [`Problem::what`] and [`Problem::fix`] mention, by name.
    pub fn details(&self) -> Vec<(&'static str, String)> {
        match self {
            Problem::TooLong { limit } | Problem::TooDeep { limit } => vec![("limit", limit.to_string())],
            Problem::UnknownCharacter { found } => vec![("found", found.to_string())],
            Problem::HugeNumber { number } => vec![("number", number.clone())],
            Problem::MissingOperand { found } | Problem::MissingOperator { found } => vec![("found", found.clone())],
            Problem::Uncalled { function } => vec![("function", function.clone())],
            Problem::Misspelled { name, suggestion } => vec![("name", name.clone()), ("suggestion", suggestion.clone())],
            Problem::UnknownFunction { name, known } => vec![("name", name.clone()), ("known", known.clone())],
            _ => vec![],
        }
    }

    /// What is wrong, in English.
    pub fn what(&self) -> String {
        self.fill(self.template().1)
    }

    /// How to put it right, in English.
    pub fn fix(&self) -> String {
        self.fill(self.template().2)
    }

    fn fill(&self, template: &str) -> String {
        self.details().iter().fold(template.to_string(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
    }

    /// Code, what, fix.
    fn template(&self) -> (&'static str, &'static str, &'static str) {
        match self {
            Problem::Empty => ("empty", "the formula is empty", "write one, for example (x/y+5)^2+x"),
            Problem::TooLong { .. } => ("too_long", "the formula has more than {limit} characters", "shorten it, or split it into parts"),
            Problem::TooDeep { .. } => {
                ("too_deep", "more than {limit} parentheses, signs or powers are nested here", "remove those that change nothing")
            }
            Problem::UnknownCharacter { .. } => {
                ("unknown_character", "`{found}` has no meaning in a formula", "use numbers, names, + - * / ^ and parentheses")
            }
            Problem::DecimalComma => ("decimal_comma", "a comma cannot stand in a formula", "write decimals with a point: 0.5"),
            Problem::DoubleStar => ("double_star", "`**` is not an operator", "write powers with ^"),
            Problem::HugeNumber { .. } => {
                ("huge_number", "{number} is larger than any double-precision number", "use a number below 1.8e308")
            }
            Problem::MissingOperand { .. } => (
                "missing_operand",
                "a number, a variable or `(` should stand before `{found}`",
                "write the missing operand, or remove `{found}`",
            ),
            Problem::UnexpectedEnd => {
                ("unexpected_end", "the formula ends too early", "write the missing operand, or remove the last operator")
            }
            Problem::Unclosed => ("unclosed", "this parenthesis is never closed", "add the missing `)`"),
            Problem::Unopened => ("unopened", "this parenthesis was never opened", "remove it, or add the missing `(`"),
            Problem::MissingOperator { .. } => {
                ("missing_operator", "an operator is missing before `{found}`", "products are written with *: 2*x, x*(y+1)")
            }
            Problem::Uncalled { .. } => ("uncalled", "the function {function} needs an argument", "write {function}(…)"),
            Problem::Misspelled { .. } => ("misspelled", "there is no function `{name}`", "did you mean {suggestion}?"),
            Problem::UnknownFunction { .. } => {
                ("unknown_function", "there is no function `{name}`", "use {known}; if `{name}` is a variable, write {name}*(…)")
            }
        }
    }
}

impl Mistake {
    /// The part of the formula around the mistake and, below, a caret under it. Long formulas are cut
    /// on both sides.
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

impl std::error::Error for Mistake {}
