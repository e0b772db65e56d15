//! All partial derivatives of a formula up to an order: gradient, Hessian, and beyond.

use crate::Error;
use crate::backprop::numbers;
use crate::expression::Expression;
use crate::rows::{Rows, value};
use graph::{DType, Tensor, Tracer, diff};
use serde::Serialize;

/// Largest order that [`up_to`] computes.
pub const MAX_ORDER: usize = 4;

/// Rows times partial derivatives that are still computed in about a second.
const BUDGET: usize = 4000;

/// A partial derivative at a point.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Partial {
    /// `d2f/dxdy`, `d3f/dx2dy`; `d2f/dw1^2` where the variable is called w1.
    pub name: String,
    /// Number of differentiations.
    pub order: usize,
    /// The variables differentiated by, repeated as often as they are.
    pub variables: Vec<String>,
    /// Its value.
    pub value: f64,
}

/// The distinct partial derivatives of order 1 to `order` (at most [`MAX_ORDER`]) of `f` at the point
/// `at`, lower orders first. Mixed derivatives do not depend on the order of the variables, so each is
/// listed once.
///
/// # Errors
/// Another number of values than variables; more derivatives than can be computed in reasonable time.
///
/// ```
/// use lessons::{Expression, partials};
/// let f = Expression::parse("x^2*y")?;
/// let list = partials::up_to(&f, &[3.0, 5.0], 2)?;
/// let shown: Vec<String> = list.iter().map(|p| format!("{} = {}", p.name, p.value)).collect();
/// assert_eq!(shown, ["df/dx = 30", "df/dy = 9", "d2f/dx2 = 10", "d2f/dxdy = 6", "d2f/dy2 = 0"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn up_to(f: &Expression, at: &[f64], order: usize) -> Result<Vec<Partial>, Error> {
    let names = f.variables();
    if names.len() != at.len() {
        return Err(Error::Values { variables: names.to_vec(), given: at.len() });
    }
    let order = order.min(MAX_ORDER);
    let (count, rows) = (count(names.len(), order), Rows::new(f).list.len());
    if order > 1 && count.saturating_mul(rows) > BUDGET {
        return Err(Error::TooMany { order, count, rows });
    }
    let cx = Tracer::new();
    let inputs: Vec<Tensor> = names.iter().map(|v| cx.input(v, DType::F64, &[])).collect();
    let mut last = vec![(vec![], value(f, &cx, &inputs, &[]))];
    let mut all: Vec<(Vec<usize>, Tensor)> = vec![];
    for _ in 0..order {
        let next: Vec<(Vec<usize>, Tensor)> = last.iter().flat_map(|(by, y)| derivatives(by, y, &inputs)).collect();
        all.extend(next.iter().cloned());
        last = next;
    }
    let ids: Vec<_> = all.iter().map(|(_, t)| t.id()).collect();
    let values = numbers(&cx.finish()?, at, &ids)?;
    Ok(all.iter().zip(values).map(|((by, _), value)| partial(names, by, value)).collect())
}

/// The derivatives of `y`, itself a derivative by the variables `by`, by those variables that keep the
/// list of variables ascending: that way each combination is reached once.
fn derivatives(by: &[usize], y: &Tensor, inputs: &[Tensor]) -> Vec<(Vec<usize>, Tensor)> {
    let first = by.last().copied().unwrap_or(0);
    let along: Vec<&Tensor> = inputs[first.min(inputs.len())..].iter().collect();
    let extended = |(i, t): (usize, Tensor)| (by.iter().copied().chain([first + i]).collect(), t);
    diff::grad(y, &along).into_iter().enumerate().map(extended).collect()
}

fn partial(names: &[String], by: &[usize], value: f64) -> Partial {
    let runs = by.chunk_by(|a, b| a == b).map(|run| match run.len() {
        1 => format!("d{}", names[run[0]]),
        n if names[run[0]].ends_with(char::is_numeric) => format!("d{}^{n}", names[run[0]]),
        n => format!("d{}{n}", names[run[0]]),
    });
    let power = if by.len() > 1 { by.len().to_string() } else { String::new() };
    let name = format!("d{power}f/{}", runs.collect::<String>());
    Partial { name, order: by.len(), variables: by.iter().map(|&i| names[i].clone()).collect(), value }
}

/// Combinations with repetition of `n` variables, of 1 to `order` of them.
fn count(n: usize, order: usize) -> usize {
    let mut ways = 1usize; // C(n+k−1, k) for k = 0, 1, …
    (1..=order).fold(0usize, |sum, k| {
        ways = ways.saturating_mul((n + k).saturating_sub(1)) / k;
        sum.saturating_add(ways)
    })
}
