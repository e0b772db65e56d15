//! Backpropagation, row by row: the list w0, w1, … of a formula, the value of each row, the derivative of
//! the result with respect to each row (its adjoint), and what each later row contributes to it.
//!
//! The numbers are those of the [`graph`] crate. Each row carries a disturbance of zero, and a row's
//! adjoint is the derivative of the result with respect to that disturbance: one reverse pass
//! ([`diff::grad`]) gives all of them. A row's local derivatives come from a graph of that row alone, and
//! the check from moving the disturbance up and down by a small step.

use crate::expression::{Expression, Kind, Level};
use crate::rows::{Row as Line, Rows, apply};
use crate::{Error, rules};
use graph::{DType, Graph, Id, Tensor, Tracer, Value, diff, eval};
use serde::{Serialize, Serializer};
use std::cell::RefCell;

/// A formula, evaluated and differentiated at a point.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Trace {
    /// The formula as it was given.
    pub expression: String,
    /// The point: variables in order of appearance, with their values.
    #[serde(serialize_with = "as_map")]
    pub at: Vec<(String, f64)>,
    /// The formula's value.
    pub value: f64,
    /// The rows w0, w1, …; the last one is the result.
    pub rows: Vec<Row>,
    /// Derivatives with respect to the variables.
    #[serde(serialize_with = "as_map")]
    pub gradient: Vec<(String, f64)>,
}

/// One row of the list.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// `w2`.
    pub name: String,
    /// A variable's name, or the operation: `w0/w1 + 5`.
    pub operation: String,
    /// The row's value.
    pub value: f64,
    /// The row's adjoint, ∂result/∂row.
    pub derivative: f64,
    /// Whether the row is the result, where the reverse pass starts with derivative 1.
    pub seed: bool,
    /// The summands of the derivative, in the order in which the reverse pass adds them.
    pub contributions: Vec<Contribution>,
    /// The derivative measured by central differences.
    pub check: Check,
}

/// What a later row adds to a row's derivative: that row's own derivative times the local one.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Contribution {
    /// The later row, `w3`.
    pub from: String,
    /// Its derivative.
    pub upstream: f64,
    /// The local derivative as a formula of rows, `2*w2`.
    pub rule: String,
    /// The same as a factor: in parentheses where a product needs them.
    #[serde(skip)]
    pub factor: String,
    /// The local derivative as a number.
    pub local: f64,
    /// upstream · local.
    pub amount: f64,
}

/// A derivative measured by moving a row: (f(w+h) − f(w−h)) / 2h.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Check {
    /// The central difference.
    pub difference: f64,
    /// Whether it equals the derivative as closely as its own error allows (estimated from a second
    /// step and from rounding). At a kink, such as relu at 0, it rightly does not.
    pub agrees: bool,
}

fn as_map<S: Serializer>(pairs: &[(String, f64)], to: S) -> Result<S::Ok, S::Error> {
    to.collect_map(pairs.iter().map(|(k, v)| (k, v)))
}

/// Traces `f` at the point `at`: one value per variable, in order of appearance.
///
/// # Errors
/// Another number of values than variables.
pub fn trace(f: &Expression, at: &[f64]) -> Result<Trace, Error> {
    let rows = Rows::new(f);
    let network = Network::new(f, &rows, at)?;
    let (values, derivatives) = network.run()?;
    let checks = network.check(&values, &derivatives)?;
    let mut out: Vec<Row> = vec![];
    for (i, line) in rows.list.iter().enumerate() {
        let (value, derivative, check) = (values[i], derivatives[i], checks[i]);
        let (name, seed) = (format!("w{i}"), i + 1 == rows.list.len());
        out.push(Row { name, operation: line.text.clone(), value, derivative, seed, contributions: vec![], check });
    }
    for (i, line) in rows.list.iter().enumerate().rev() {
        for (to, contribution) in contributions(f, &rows, i, line, &values, derivatives[i])? {
            out[to].contributions.push(contribution);
        }
    }
    let pairs = |x: &[f64]| f.variables().iter().cloned().zip(x.iter().copied()).collect();
    let value = values.last().copied().unwrap_or(f64::NAN);
    Ok(Trace { expression: f.source().to_string(), at: pairs(at), value, rows: out, gradient: pairs(&derivatives) })
}

/// The whole formula as a graph. Its inputs are one per row: the variables, then the disturbances.
struct Network {
    graph: Graph,
    inputs: Vec<f64>,
    values: Vec<Id>,
    derivatives: Vec<Id>,
}

/// A disturbance that changes nothing: −0, since x + 0 would turn −0 into 0.
const STILL: f64 = -0.0;

impl Network {
    fn new(f: &Expression, rows: &Rows, at: &[f64]) -> Result<Network, Error> {
        let variables = f.variables();
        if variables.len() != at.len() {
            return Err(Error::Values { variables: variables.to_vec(), given: at.len() });
        }
        let cx = Tracer::new();
        let input = |i: usize| cx.input(variables.get(i).map_or("disturbance", |v| v), DType::F64, &[]);
        let inputs: Vec<Tensor> = (0..rows.list.len()).map(input).collect();
        let terms: RefCell<Vec<Tensor>> = RefCell::default();
        for (i, &kind) in f.terms().iter().enumerate() {
            let plain = apply(kind, |t| terms.borrow()[t].clone(), |v| inputs[v].clone(), |c| cx.full(DType::F64, &[], c));
            let disturbed = match (rows.of_term[i], kind) {
                (None, _) | (_, Kind::Variable(_)) => plain,
                (Some(row), _) => plain + &inputs[row],
            };
            terms.borrow_mut().push(disturbed);
        }
        let terms = terms.into_inner();
        let result = &terms[f.root()];
        let derivatives = diff::grad(result, &inputs.iter().collect::<Vec<_>>());
        let value = |i: usize| at.get(i).copied().unwrap_or(STILL);
        Ok(Network {
            graph: cx.finish()?,
            inputs: (0..inputs.len()).map(value).collect(),
            values: rows.list.iter().map(|r| terms[r.top].id()).collect(),
            derivatives: derivatives.iter().map(Tensor::id).collect(),
        })
    }

    /// Values and derivatives of all rows.
    fn run(&self) -> Result<(Vec<f64>, Vec<f64>), Error> {
        let wanted: Vec<Id> = self.values.iter().chain(&self.derivatives).copied().collect();
        let mut values = numbers(&self.graph, &self.inputs, &wanted)?;
        let derivatives = values.split_off(self.values.len());
        Ok((values, derivatives))
    }

    /// Central differences for all rows.
    fn check(&self, values: &[f64], derivatives: &[f64]) -> Result<Vec<Check>, Error> {
        let (graph, result) = self.graph.pruned(&self.values[self.values.len() - 1..]);
        let f = values.last().copied().unwrap_or(f64::NAN);
        let slope = |row: usize, h: f64| -> Result<f64, Error> {
            let (mut up, mut down) = (self.inputs.clone(), self.inputs.clone());
            up[row] += h;
            down[row] -= h;
            Ok((numbers(&graph, &up, &result)?[0] - numbers(&graph, &down, &result)?[0]) / (2.0 * h))
        };
        // Each row is rounded, by ε·v, which moves the result by ε·v·∂f/∂v: large where large rows cancel.
        let moves = values.iter().zip(derivatives).map(|(v, d)| (v * d).abs()).filter(|x| x.is_finite());
        let magnitude = moves.sum::<f64>().max(f.abs());
        let one = |(row, &derivative): (usize, &f64)| {
            // A step of ∛ε balances truncation, h²·f‴/6, with rounding, ε·f/h; a power of two adds no rounding of its own.
            let scale = values[row].abs().clamp(1e-3, 1e300).log2().round().exp2();
            let h = scale * 2f64.powi(-17);
            let (fine, coarse) = (slope(row, h)?, slope(row, 2.0 * h)?);
            let slack = (fine - coarse).abs() + 32.0 * f64::EPSILON * magnitude / h + 1e-9 * derivative.abs();
            let agrees = (fine - derivative).abs() <= slack && derivative.is_finite();
            Ok(Check { difference: fine, agrees })
        };
        derivatives.iter().enumerate().map(one).collect()
    }
}

/// What row `i` adds to the derivatives of the rows it is computed from.
fn contributions(
    f: &Expression,
    rows: &Rows,
    i: usize,
    line: &Line,
    values: &[f64],
    upstream: f64,
) -> Result<Vec<(usize, Contribution)>, Error> {
    let row_of = |t: usize| rows.of_term[t].filter(|_| f.constant_at(t).is_none());
    let operands = line.kind.operands();
    // A graph of this row alone, in which each place of an operand is an input of its own.
    let cx = Tracer::new();
    let tensor = |&t: &usize| match f.constant_at(t) {
        Some(c) => cx.full(DType::F64, &[], c),
        None => cx.input("operand", DType::F64, &[]),
    };
    let places: Vec<Tensor> = operands.iter().map(tensor).collect();
    let kind = match line.kind {
        Kind::Negate(_) => Kind::Negate(0),
        Kind::Call(function, _) => Kind::Call(function, 0),
        Kind::Infix(op, ..) => Kind::Infix(op, 0, 1),
        Kind::Constant(_) | Kind::Variable(_) => return Ok(vec![]),
    };
    let no_leaf = |_: usize| cx.full(DType::F64, &[], f64::NAN);
    let y = apply(kind, |p| places[p].clone(), no_leaf, |c| cx.full(DType::F64, &[], c));
    let moving: Vec<(usize, usize)> = operands.iter().enumerate().filter_map(|(p, &t)| row_of(t).map(|row| (p, row))).collect();
    let slopes = diff::grad(&y, &moving.iter().map(|&(p, _)| &places[p]).collect::<Vec<_>>());
    let inputs: Vec<f64> = moving.iter().map(|&(_, row)| values[row]).collect();
    let locals = numbers(&cx.finish()?, &inputs, &slopes.iter().map(Tensor::id).collect::<Vec<_>>())?;
    let one = |(&(p, row), local): (&(usize, usize), f64)| {
        let rule = rules::rule(f, rows, line.kind, p);
        let factor = rule.at_least(Level::Power);
        (row, Contribution { from: format!("w{i}"), upstream, rule: rule.text, factor, local, amount: upstream * local })
    };
    Ok(moving.iter().zip(locals).map(one).collect())
}

/// Evaluates scalars of a graph whose inputs are scalars.
pub(crate) fn numbers(g: &Graph, inputs: &[f64], outputs: &[Id]) -> Result<Vec<f64>, Error> {
    let inputs: Vec<Value> = inputs.iter().map(|&x| Value::scalar(DType::F64, x)).collect();
    Ok(eval::evaluate(g, &inputs, outputs)?.iter().map(|v| v.data[0]).collect())
}
