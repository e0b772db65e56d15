//! The derivative table as it is written on the blackboard. It is shown, never computed with: the
//! numbers beside it come from the graph, and tests evaluate these texts to see that they agree.

use crate::expression::{Expression, Function, Kind, Level, Text};
use crate::rows::{Rows, infix};
use graph::ops::Binary;

/// The derivative of the row `kind` with respect to its operand number `i`, in terms of rows:
/// `1/w1`, `2*w2`. `[w3 > 0]` is 1 where the condition holds, else 0.
pub(crate) fn rule(f: &Expression, rows: &Rows, kind: Kind, i: usize) -> Text {
    match kind {
        Kind::Constant(_) | Kind::Variable(_) => atom("1"),
        Kind::Negate(_) => negative("1"),
        Kind::Call(function, a) => call(function, &rows.name(f, a).text),
        Kind::Infix(op, a, b) => binary(op, &rows.name(f, a), &rows.name(f, b), f.constant_at(b), i),
    }
}

fn atom(text: impl Into<String>) -> Text {
    Text::new(text, Level::Atom)
}

fn product(text: String) -> Text {
    Text::new(text, Level::Product)
}

fn negative(text: &str) -> Text {
    Text::new(format!("-{text}"), Level::Negative)
}

fn call(function: Function, x: &str) -> Text {
    match function {
        Function::Exp => atom(format!("exp({x})")),
        Function::Log => product(format!("1/{x}")),
        Function::Sqrt => product(format!("1/(2*sqrt({x}))")),
        Function::Sin => atom(format!("cos({x})")),
        Function::Cos => negative(&format!("sin({x})")),
        Function::Tanh => Text::new(format!("1 - tanh({x})^2"), Level::Sum),
        Function::Sigmoid => product(format!("sigmoid({x})*(1 - sigmoid({x}))")),
        Function::Relu => atom(format!("[{x} > 0]")),
        Function::Abs => atom(format!("sign({x})")),
        Function::Erf => product(format!("2/sqrt(pi)*exp(-{x}^2)")),
    }
}

fn binary(op: Binary, a: &Text, b: &Text, constant: Option<f64>, i: usize) -> Text {
    match (op, i) {
        (Binary::Add, _) | (Binary::Sub, 0) => atom("1"),
        (Binary::Sub, _) => negative("1"),
        (Binary::Mul, 0) => b.clone(),
        (Binary::Mul, _) => a.clone(),
        (Binary::Div, 0) => infix(Binary::Div, &atom("1"), b),
        (Binary::Div, _) => negative(&format!("{}/{}^2", a.at_least(Level::Power), b.at_least(Level::Atom))),
        (_, 0) => power(a, b, constant),
        _ => infix(Binary::Mul, &infix(Binary::Pow, a, b), &atom(format!("log({})", a.text))),
    }
}

/// b·a^(b−1), with the exponent worked out where it is a number.
fn power(a: &Text, b: &Text, exponent: Option<f64>) -> Text {
    let lower = match exponent {
        Some(2.0) => a.clone(),
        Some(n) if n < 1.0 => infix(Binary::Pow, a, &negative(&(1.0 - n).to_string())),
        Some(n) => infix(Binary::Pow, a, &atom((n - 1.0).to_string())),
        None => infix(Binary::Pow, a, &infix(Binary::Sub, b, &atom("1"))),
    };
    infix(Binary::Mul, b, &lower)
}
