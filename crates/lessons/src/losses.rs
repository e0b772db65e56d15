//! Losses: a line through points with its residuals under the mean square, the mean of sizes and Huber's loss; and the
//! cross-entropies. Values and gradients are those of [`neurona::Loss`].

use crate::Error;
use graph::{DType, Tracer, Value, diff, eval};
use neurona::Loss;
use serde::Serialize;

/// Most points that a line is laid through.
pub const MAX_POINTS: usize = 300;

/// A line y = slope·x + intercept.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[allow(missing_docs)] // the names say it
pub struct Line {
    pub slope: f64,
    pub intercept: f64,
}

impl Line {
    /// Its height at `x`.
    pub fn at(&self, x: f64) -> f64 {
        self.slope * x + self.intercept
    }
}

/// How a line fits points, under one loss.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Judged {
    /// `mse`, `mae` or `huber`.
    pub loss: &'static str,
    /// The loss: a mean over the points.
    pub value: f64,
    /// ∂loss/∂slope and ∂loss/∂intercept.
    pub gradient: [f64; 2],
    /// How hard each point pulls: ∂loss/∂(its prediction).
    pub pulls: Vec<f64>,
}

/// A line through points: its residuals and what each loss says of them.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Regression {
    /// The line.
    pub line: Line,
    /// Prediction − target of each point.
    pub residuals: Vec<f64>,
    /// Under `mse`, `mae`, `huber`.
    pub losses: Vec<Judged>,
}

/// The three losses, Huber's with this δ.
pub fn regression_losses(delta: f64) -> [Loss; 3] {
    [Loss::Mse, Loss::Mae, Loss::Huber { delta }]
}

fn checked(points: &[[f64; 2]], delta: f64) -> Result<(), Error> {
    let wrong = |what, value: String| Err(Error::Setting { what, value });
    match points {
        p if p.len() < 2 || p.len() > MAX_POINTS => wrong("points", p.len().to_string()),
        p if p.iter().flatten().any(|v| !v.is_finite() || v.abs() > 1e9) => wrong("points", "NaN".into()),
        p if p.iter().all(|q| q[0] == p[0][0]) => Err(Error::Vertical),
        _ if !(delta > 0.0 && delta.is_finite()) => wrong("delta", delta.to_string()),
        _ => Ok(()),
    }
}

/// What a line leaves of the points.
///
/// # Errors
/// Fewer than 2 points or more than [`MAX_POINTS`], points above one another, a δ that is no positive number.
///
/// ```
/// use lessons::losses::{Line, regression};
/// let r = regression(&[[0.0, 1.0], [1.0, 3.0], [2.0, 4.0]], Line { slope: 2.0, intercept: 1.0 }, 0.5)?;
/// assert_eq!(r.residuals, [0.0, 0.0, 1.0]);
/// let values: Vec<f64> = r.losses.iter().map(|l| l.value).collect();
/// assert_eq!(values, [1.0 / 3.0, 1.0 / 3.0, 0.375 / 3.0]); // e²; |e|; δ·(|e| − δ/2)
/// # Ok::<(), lessons::Error>(())
/// ```
pub fn regression(points: &[[f64; 2]], line: Line, delta: f64) -> Result<Regression, Error> {
    checked(points, delta)?;
    let residuals = points.iter().map(|p| line.at(p[0]) - p[1]).collect();
    let losses = regression_losses(delta).iter().map(|l| judged(points, line, l)).collect::<Result<_, _>>()?;
    Ok(Regression { line, residuals, losses })
}

fn judged(points: &[[f64; 2]], line: Line, loss: &Loss) -> Result<Judged, Error> {
    let (cx, n) = (Tracer::new(), points.len());
    let column = |k: usize| Value::new(DType::F64, &[n, 1], points.iter().map(|p| p[k]).collect());
    let (x, y) = (cx.input("x", DType::F64, &[n, 1]), cx.input("y", DType::F64, &[n, 1]));
    let (slope, intercept) = (cx.input("slope", DType::F64, &[]), cx.input("intercept", DType::F64, &[]));
    let predicted = &x * &slope + &intercept;
    let value = loss.mean(&predicted, &y);
    // Apart: with the predictions as variables of their own, the loss would not depend on the line.
    let mut by = diff::grad(&value, &[&slope, &intercept]);
    by.extend(diff::grad(&value, &[&predicted]));
    let inputs = [column(0), column(1), Value::scalar(DType::F64, line.slope), Value::scalar(DType::F64, line.intercept)];
    let out = eval::evaluate(&cx.finish()?, &inputs, &[value.id(), by[0].id(), by[1].id(), by[2].id()])?;
    Ok(Judged { loss: loss.name(), value: out[0].data[0], gradient: [out[1].data[0], out[2].data[0]], pulls: out[3].data.clone() })
}

/// The line that each of the three losses prefers.
///
/// Least squares in closed form; the mean of sizes by trying every pair of points, since one of its best lines goes
/// through two of them; Huber's by least squares that are weighted again and again with min(1, δ/|e|) (Huber 1981, §7.8).
///
/// # Errors
/// As [`regression`].
pub fn best(points: &[[f64; 2]], delta: f64) -> Result<[Regression; 3], Error> {
    checked(points, delta)?;
    let lines = [weighted(points, &vec![1.0; points.len()]), median(points), huber(points, delta)];
    let [a, b, c] = lines.map(|line| regression(points, line, delta));
    Ok([a?, b?, c?])
}

/// Weighted least squares, about the weighted means.
fn weighted(points: &[[f64; 2]], weights: &[f64]) -> Line {
    let total: f64 = weights.iter().sum();
    let mean = |k: usize| points.iter().zip(weights).map(|(p, w)| w * p[k]).sum::<f64>() / total;
    let (mx, my) = (mean(0), mean(1));
    let (xx, xy) = points.iter().zip(weights).fold((0.0, 0.0), |(xx, xy), (p, w)| {
        let dx = p[0] - mx;
        (xx + w * dx * dx, xy + w * dx * (p[1] - my))
    });
    let slope = xy / xx;
    Line { slope, intercept: my - slope * mx }
}

fn median(points: &[[f64; 2]]) -> Line {
    let mut best = (f64::INFINITY, weighted(points, &vec![1.0; points.len()]));
    for (i, p) in points.iter().enumerate() {
        for q in points[..i].iter().filter(|q| q[0] != p[0]) {
            let slope = (p[1] - q[1]) / (p[0] - q[0]);
            let line = Line { slope, intercept: p[1] - slope * p[0] };
            let sum: f64 = points.iter().map(|r| (line.at(r[0]) - r[1]).abs()).sum();
            if sum < best.0 {
                best = (sum, line);
            }
        }
    }
    best.1
}

fn huber(points: &[[f64; 2]], delta: f64) -> Line {
    let mut line = weighted(points, &vec![1.0; points.len()]);
    for _ in 0..500 {
        let weights: Vec<f64> = points.iter().map(|p| (delta / (line.at(p[0]) - p[1]).abs()).min(1.0)).collect();
        let next = weighted(points, &weights);
        let moved = (next.slope - line.slope).abs() + (next.intercept - line.intercept).abs();
        line = next;
        if moved <= 1e-13 * (line.slope.abs() + line.intercept.abs()) {
            break;
        }
    }
    line
}

/// A loss and its slope as a function of the residual or of the prediction.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Curve {
    /// The loss.
    pub loss: &'static str,
    /// (prediction − target or prediction, loss, slope).
    pub points: Vec<[f64; 3]>,
}

/// The three losses of a residual from −`reach` to `reach`.
///
/// # Errors
/// None that a user causes.
pub fn residual_curves(delta: f64, reach: f64, count: usize) -> Result<Vec<Curve>, Error> {
    let e: Vec<f64> = (0..count).map(|i| reach * (2.0 * i as f64 / (count.max(2) - 1) as f64 - 1.0)).collect();
    let target = vec![0.0; count];
    regression_losses(delta).iter().map(|loss| curve(loss, &e, &target)).collect()
}

/// Binary cross-entropy of a logit from −`reach` to `reach` for the targets 0 and 1, and, for comparison, the squared error of
/// its sigmoid for target 1: whose slope vanishes where the answer is most wrong.
///
/// # Errors
/// None that a user causes.
pub fn logit_curves(reach: f64, count: usize) -> Result<Vec<Curve>, Error> {
    let z: Vec<f64> = (0..count).map(|i| reach * (2.0 * i as f64 / (count.max(2) - 1) as f64 - 1.0)).collect();
    let loss = Loss::BinaryCrossEntropy { from_logits: true };
    let named = |name, target: f64| Ok::<_, Error>(Curve { loss: name, ..curve(&loss, &z, &vec![target; count])? });
    let sigmoid = crate::activations::at(neurona::Activation::Sigmoid, &z)?;
    let square = sigmoid.iter().map(|p| [p.x, (p.value - 1.0).powi(2), 2.0 * (p.value - 1.0) * p.slope]).collect();
    Ok(vec![named("cross_entropy_1", 1.0)?, named("cross_entropy_0", 0.0)?, Curve { loss: "squared_sigmoid_1", points: square }])
}

fn curve(loss: &Loss, predictions: &[f64], targets: &[f64]) -> Result<Curve, Error> {
    let (cx, n) = (Tracer::new(), predictions.len());
    let (p, t) = (cx.input("prediction", DType::F64, &[n, 1]), cx.input("target", DType::F64, &[n, 1]));
    let rows = loss.rows(&p, &t);
    let slope = diff::grad(&rows.sum_all(), &[&p]).remove(0);
    let inputs = [predictions, targets].map(|v| Value::new(DType::F64, &[n, 1], v.to_vec()));
    let out = eval::evaluate(&cx.finish()?, &inputs, &[rows.id(), slope.id()])?;
    let points = (0..n).map(|i| [predictions[i], out[0].data[i], out[1].data[i]]).collect();
    Ok(Curve { loss: loss.name(), points })
}

/// The cross-entropy of some logits against the right class.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CrossEntropy {
    /// The numbers before softmax.
    pub logits: Vec<f64>,
    /// The right class, from 0.
    pub class: usize,
    /// Softmax of the logits.
    pub probabilities: Vec<f64>,
    /// −log p of the right class.
    pub loss: f64,
    /// ∂loss/∂zᵢ: pᵢ, less 1 for the right class.
    pub gradient: Vec<f64>,
}

/// The cross-entropy of these logits if `class` is right.
///
/// # Errors
/// Fewer than two logits, or more than 1000; a class that is none; logits that are not finite.
pub fn cross_entropy(logits: &[f64], class: usize) -> Result<CrossEntropy, Error> {
    let wrong = |what, value: String| Err(Error::Setting { what, value });
    match logits {
        z if z.len() < 2 || z.len() > 1000 => return wrong("logits", z.len().to_string()),
        z if z.iter().any(|x| !x.is_finite()) => return wrong("logits", "NaN".into()),
        z if class >= z.len() => return wrong("class", class.to_string()),
        _ => {}
    }
    let (cx, n) = (Tracer::new(), logits.len());
    let (z, t) = (cx.input("logits", DType::F64, &[1, n]), cx.input("class", DType::I32, &[1]));
    let loss = Loss::SparseCategoricalCrossEntropy { from_logits: true }.mean(&z, &t);
    let p = neurona::Activation::Softmax.apply(&z);
    let gradient = diff::grad(&loss, &[&z]).remove(0);
    let inputs = [Value::new(DType::F64, &[1, n], logits.to_vec()), Value::new(DType::I32, &[1], vec![class as f64])];
    let out = eval::evaluate(&cx.finish()?, &inputs, &[loss.id(), p.id(), gradient.id()])?;
    let [loss, p, gradient] = [&out[0].data, &out[1].data, &out[2].data];
    Ok(CrossEntropy { logits: logits.to_vec(), class, probabilities: p.clone(), loss: loss[0], gradient: gradient.clone() })
}
