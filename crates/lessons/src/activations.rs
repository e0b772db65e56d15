//! Activation functions: their curves, their slopes — which backpropagation multiplies by — and where these vanish.
//!
//! Values are those of [`neurona::Activation`], slopes those of its graph.

use crate::Error;
use crate::backprop::numbers;
use graph::{DType, Tracer, Value, diff, eval};
use neurona::Activation;
use serde::Serialize;

/// An activation with what is known of it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct About {
    /// As in files of trainings.
    pub name: &'static str,
    /// The function.
    #[serde(skip)]
    pub activation: Activation,
    /// f(x) as a formula.
    pub formula: &'static str,
    /// f′(x) as a formula, of f where that is shorter.
    pub slope: &'static str,
    /// Whether |f′| stays below [`SATURATED`] far below 0, and far above.
    pub saturates: [bool; 2],
}

/// Every activation of a single number. Softmax needs several: see [`softmax`].
pub const ALL: [About; 10] = {
    use Activation::*;
    const fn of(name: &'static str, activation: Activation, formula: &'static str, slope: &'static str, saturates: [bool; 2]) -> About {
        About { name, activation, formula, slope, saturates }
    }
    [
        of("linear", Linear, "x", "1", [false, false]),
        of("step", Step, "1 if x ≥ 0, else 0", "0", [true, true]),
        of("sigmoid", Sigmoid, "1/(1 + exp(-x))", "f·(1 - f)", [true, true]),
        of("tanh", Tanh, "(exp(x) - exp(-x))/(exp(x) + exp(-x))", "1 - f²", [true, true]),
        of("relu", Relu, "max(x, 0)", "1 if x > 0, else 0", [true, false]),
        of("leaky_relu", LeakyRelu { slope: 0.01 }, "x if x > 0, else 0.01·x", "1 if x > 0, else 0.01", [true, false]),
        of("elu", Elu { alpha: 1.0 }, "x if x ≥ 0, else exp(x) - 1", "1 if x ≥ 0, else exp(x)", [true, false]),
        of("gelu", Gelu, "x·Φ(x)", "Φ(x) + x·φ(x)", [true, false]),
        of("softplus", Softplus, "log(1 + exp(x))", "1/(1 + exp(-x))", [true, false]),
        of("silu", Silu, "x/(1 + exp(-x))", "f + sigmoid(x)·(1 - f)", [true, false]),
    ]
};

/// The activation of this name.
pub fn about(name: &str) -> Option<About> {
    ALL.into_iter().find(|a| a.name == name)
}

/// Below this slope (in size), a gradient that passes loses nearly all of itself.
pub const SATURATED: f64 = 0.05;

/// Function and slope at a number.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Point {
    /// The number.
    pub x: f64,
    /// f(x).
    pub value: f64,
    /// f′(x).
    pub slope: f64,
}

impl Point {
    /// Whether hardly any gradient passes here.
    pub fn saturated(&self) -> bool {
        self.slope.abs() < SATURATED
    }
}

/// An activation over a range.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Curve {
    /// Which.
    pub about: About,
    /// Points at equal distances.
    pub points: Vec<Point>,
    /// The parts of the range where |f′| is below [`SATURATED`].
    pub saturated: Vec<(f64, f64)>,
}

/// The curve of an activation from `from` to `to`, at `count` (at least 2) points.
///
/// ```
/// let tanh = lessons::activations::about("tanh").unwrap();
/// let curve = lessons::activations::curve(tanh, -4.0, 4.0, 9)?;
/// assert_eq!((curve.points[4].value, curve.points[4].slope), (0.0, 1.0));
/// assert_eq!(curve.saturated, [(-4.0, -3.0), (3.0, 4.0)]); // tanh′(3) = 0.0099
/// # Ok::<(), lessons::Error>(())
/// ```
///
/// # Errors
/// None that a user causes.
pub fn curve(about: About, from: f64, to: f64, count: usize) -> Result<Curve, Error> {
    let count = count.max(2);
    let x: Vec<f64> = (0..count).map(|i| from + (to - from) * i as f64 / (count - 1) as f64).collect();
    let points = at(about.activation, &x)?;
    let runs = points.chunk_by(|a, b| a.saturated() == b.saturated()).filter(|run| run[0].saturated());
    let saturated = runs.map(|run| (run[0].x, run[run.len() - 1].x)).collect();
    Ok(Curve { about, points, saturated })
}

/// Function and slope at each of these numbers.
///
/// # Errors
/// None that a user causes.
pub fn at(activation: Activation, x: &[f64]) -> Result<Vec<Point>, Error> {
    let (cx, shape) = (Tracer::new(), [x.len()]);
    let t = cx.input("x", DType::F64, &shape);
    let y = activation.apply(&t);
    // Each value depends on its own number alone, so the gradient of the sum is the list of slopes.
    let slope = diff::grad(&y.sum_all(), &[&t]).remove(0);
    let input = [Value::new(DType::F64, &shape, x.to_vec())];
    let out = eval::evaluate(&cx.finish()?, &input, &[y.id(), slope.id()])?;
    let each = x.iter().zip(&out[0].data).zip(&out[1].data);
    Ok(each.map(|((&x, &value), &slope)| Point { x, value, slope }).collect())
}

/// Softmax of some numbers: probabilities, and how each moves with each number.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Softmax {
    /// The numbers.
    pub logits: Vec<f64>,
    /// exp(zᵢ)/Σ exp(zⱼ).
    pub probabilities: Vec<f64>,
    /// ∂pᵢ/∂zⱼ, row by row: pᵢ(1 − pᵢ) on the diagonal, −pᵢpⱼ elsewhere.
    pub jacobian: Vec<Vec<f64>>,
}

/// Softmax of these numbers.
///
/// # Errors
/// None that a user causes.
pub fn softmax(logits: &[f64]) -> Result<Softmax, Error> {
    let (cx, n) = (Tracer::new(), logits.len());
    let z = cx.input("z", DType::F64, &[n]);
    let p = Activation::Softmax.apply(&z);
    let row = |i: usize| diff::grad(&p.slice(0, i, i + 1).sum_all(), &[&z]).remove(0).id();
    let outputs: Vec<_> = std::iter::once(p.id()).chain((0..n).map(row)).collect();
    let input = [Value::new(DType::F64, &[n], logits.to_vec())];
    let mut out = eval::evaluate(&cx.finish()?, &input, &outputs)?.into_iter().map(|v| v.data);
    let probabilities = out.next().unwrap_or_default();
    Ok(Softmax { logits: logits.to_vec(), probabilities, jacobian: out.collect() })
}

/// A neuron at work: what it gets, what it answers, and how the answer moves with everything.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Neuron {
    /// wᵢ·xᵢ for each input.
    pub products: Vec<f64>,
    /// z = Σ wᵢxᵢ + b.
    pub sum: f64,
    /// a = f(z).
    pub output: f64,
    /// f′(z).
    pub slope: f64,
    /// ∂a/∂wᵢ = f′(z)·xᵢ.
    pub by_weights: Vec<f64>,
    /// ∂a/∂b = f′(z).
    pub by_bias: f64,
    /// ∂a/∂xᵢ = f′(z)·wᵢ.
    pub by_inputs: Vec<f64>,
    /// Whether hardly any gradient passes.
    pub saturated: bool,
}

/// A neuron of these inputs, weights (as many) and bias.
///
/// # Errors
/// Another number of weights than inputs, or none.
pub fn neuron(activation: Activation, inputs: &[f64], weights: &[f64], bias: f64) -> Result<Neuron, Error> {
    if inputs.len() != weights.len() || inputs.is_empty() {
        return Err(Error::Weights { inputs: inputs.len(), weights: weights.len() });
    }
    let (cx, n) = (Tracer::new(), inputs.len());
    // Inputs, weights, bias: in the order of the values below.
    let name = |i: usize| ["x", "w", "b"][i / n];
    let all: Vec<_> = (0..=2 * n).map(|i| cx.input(name(i), DType::F64, &[])).collect();
    let products: Vec<_> = (0..n).map(|i| &all[i] * &all[n + i]).collect();
    let sum = products.iter().fold(all[2 * n].clone(), |sum, p| sum + p);
    let output = activation.apply(&sum);
    // Apart: with the sum as a variable of its own, the output would not depend on what the sum is made of.
    let mut by = diff::grad(&output, &all.iter().collect::<Vec<_>>());
    by.extend(diff::grad(&output, &[&sum]));
    let outputs: Vec<_> = products.iter().chain([&sum, &output]).chain(&by).map(graph::Tensor::id).collect();
    let values: Vec<f64> = inputs.iter().chain(weights).copied().chain([bias]).collect();
    let v = numbers(&cx.finish()?, &values, &outputs)?;
    let by = &v[n + 2..];
    Ok(Neuron {
        products: v[..n].to_vec(),
        sum: v[n],
        output: v[n + 1],
        slope: by[2 * n + 1],
        by_weights: by[n..2 * n].to_vec(),
        by_bias: by[2 * n],
        by_inputs: by[..n].to_vec(),
        saturated: by[2 * n + 1].abs() < SATURATED,
    })
}
