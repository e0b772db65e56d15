//! The list of the blackboard: which terms of a formula become rows w0, w1, …, and how rows are written.
//!
//! Variables come first, in order of appearance, then operations in the order in which they are
//! computed. Constants have no rows: they stand in the row that uses them. **A constant that is added to
//! or subtracted from an operation used nowhere else joins that operation's row**, as in
//! `w2 = w0/w1 + 5`: a shift changes the value and no derivative, so a row of its own would teach
//! nothing. A constant factor, divisor, base or exponent changes the derivative and stays an operation
//! of its own: `w3 = w2^2`. Equal operations share a row.

use crate::expression::{Expression, Kind, Level, Text};
use graph::ops::Binary;
use graph::{DType, Tensor, Tracer};

/// One row: an operation and the constants that shift it.
pub(crate) struct Row {
    /// The operation, without the shifts.
    pub kind: Kind,
    /// The term that is the row's value, shifts included.
    pub top: usize,
    /// The right-hand side, `w0/w1 + 5`; a variable's name; or a constant.
    pub text: String,
}

/// The rows of a formula, and for each term the row whose value it is.
pub(crate) struct Rows {
    pub list: Vec<Row>,
    pub of_term: Vec<Option<usize>>,
}

impl Rows {
    pub(crate) fn new(f: &Expression) -> Rows {
        let mut rows = Rows { list: vec![], of_term: vec![None; f.terms().len()] };
        let mut uses = vec![0; f.terms().len()];
        for (i, &kind) in f.terms().iter().enumerate() {
            kind.operands().into_iter().for_each(|a| uses[a] += 1);
            if let Kind::Variable(v) = kind {
                rows.append(i, kind, f.variables()[v].clone());
            }
        }
        let mut level = Level::Atom; // of the last row's text
        for (i, &kind) in f.terms().iter().enumerate() {
            match kind {
                Kind::Variable(_) | Kind::Constant(_) => {}
                _ => match shifted(f, kind).filter(|&a| uses[a] == 1 && !matches!(f.terms()[a], Kind::Variable(_))) {
                    Some(operand) => rows.join(f, i, operand, &mut level),
                    None => {
                        let text = rows.text(f, kind);
                        level = text.level;
                        rows.append(i, kind, text.text);
                    }
                },
            }
        }
        if let Some(x) = f.constant() {
            let text = f.written(f.root()).text.clone();
            rows.append(f.root(), Kind::Constant(graph::Scalar::new(x)), text);
        }
        rows
    }

    fn append(&mut self, term: usize, kind: Kind, text: String) {
        self.of_term[term] = Some(self.list.len());
        self.list.push(Row { kind, top: term, text });
    }

    /// Lets the shift `term` of `operand` join the operand's row, which is the last one: nothing but
    /// the constant is computed in between.
    fn join(&mut self, f: &Expression, term: usize, operand: usize, level: &mut Level) {
        let (Some(row), Kind::Infix(op, a, b)) = (self.of_term[operand].take(), f.terms()[term]) else { return };
        let text = Text::new(self.list[row].text.clone(), *level);
        let joined = if a == operand { infix(op, &text, f.written(b)) } else { infix(op, f.written(a), &text) };
        *level = joined.level;
        self.list[row].text = joined.text;
        self.list[row].top = term;
        self.of_term[term] = Some(row);
    }

    /// How a term is written inside a row: a row's name, or a constant.
    pub(crate) fn name(&self, f: &Expression, term: usize) -> Text {
        match self.of_term[term] {
            Some(row) if f.constant_at(term).is_none() => Text::new(format!("w{row}"), Level::Atom),
            _ => f.written(term).clone(),
        }
    }

    fn text(&self, f: &Expression, kind: Kind) -> Text {
        match kind {
            Kind::Constant(c) => Text::new(c.get().to_string(), Level::Atom),
            Kind::Variable(v) => Text::new(f.variables()[v].clone(), Level::Atom),
            Kind::Negate(a) => Text::new(format!("-{}", self.name(f, a).at_least(Level::Power)), Level::Negative),
            Kind::Call(function, a) => Text::new(format!("{}({})", function.name(), self.name(f, a).text), Level::Atom),
            Kind::Infix(op, a, b) => infix(op, &self.name(f, a), &self.name(f, b)),
        }
    }
}

/// The operand that `kind` only shifts: a in a + c, c + a and a − c (in c − a the sign changes too).
fn shifted(f: &Expression, kind: Kind) -> Option<usize> {
    let constant = |t: usize| f.constant_at(t).is_some();
    match kind {
        Kind::Infix(Binary::Add | Binary::Sub, a, c) if constant(c) => Some(a),
        Kind::Infix(Binary::Add, c, a) if constant(c) => Some(a),
        _ => None,
    }
}

/// `a op b` with the parentheses it needs.
pub(crate) fn infix(op: Binary, a: &Text, b: &Text) -> Text {
    let (sign, level, left, right) = match op {
        Binary::Add => (" + ", Level::Sum, Level::Sum, Level::Product),
        Binary::Sub => (" - ", Level::Sum, Level::Sum, Level::Product),
        Binary::Mul => ("*", Level::Product, Level::Negative, Level::Power),
        Binary::Div => ("/", Level::Product, Level::Negative, Level::Power),
        _ => ("^", Level::Power, Level::Atom, Level::Power),
    };
    Text::new(format!("{}{sign}{}", a.at_least(left), b.at_least(right)), level)
}

/// The operation `kind` in the graph.
pub(crate) fn apply(
    kind: Kind,
    operand: impl Fn(usize) -> Tensor,
    variable: impl Fn(usize) -> Tensor,
    constant: impl Fn(f64) -> Tensor,
) -> Tensor {
    match kind {
        Kind::Constant(c) => constant(c.get()),
        Kind::Variable(v) => variable(v),
        Kind::Negate(a) => -operand(a),
        Kind::Call(function, a) => {
            let x = operand(a);
            function.unary().map_or_else(|| x.relu(), |u| x.tracer().push(graph::Op::Unary(u), &[&x]))
        }
        Kind::Infix(op, a, b) => operand(a).binary(op, &operand(b)),
    }
}

/// The formula's value in the graph, for variables of this shape each.
pub(crate) fn value(f: &Expression, cx: &Tracer, variables: &[Tensor], shape: &[usize]) -> Tensor {
    let mut terms: Vec<Tensor> = vec![];
    for &kind in f.terms() {
        let term = apply(kind, |t| terms[t].clone(), |v| variables[v].clone(), |c| cx.full(DType::F64, shape, c));
        terms.push(term);
    }
    terms[f.root()].clone()
}
