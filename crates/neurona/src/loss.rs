//! Losses: what training makes small.

use crate::activation::{log_softmax, shifted, softplus};
use crate::names::name_or_table;
use crate::{Error, Result};
use graph::ops::Compare;
use graph::{DType, Tensor};
use serde::{Deserialize, Serialize};

/// How far predictions are from their targets.
///
/// Predictions and targets are `[batch, …]`, of equal shape (an axis of extent 1 at the end of one of
/// them may be missing); the targets of the sparse cross-entropy are labels `[batch, …]` for
/// predictions `[batch, …, classes]`. `from_logits` says whether predictions are the numbers before
/// sigmoid or softmax, which is more exact, or probabilities. Targets of type i32 are converted.
///
/// In configuration files a name is enough; it means probabilities, and δ = 1 for Huber's loss:
///
/// ```
/// use neurona::Loss;
/// let loss: Loss = serde_json::from_str("\"sparse_categorical_cross_entropy\"")?;
/// assert_eq!(loss, Loss::SparseCategoricalCrossEntropy { from_logits: false });
/// let loss: Loss = serde_json::from_str(r#"{"huber": {"delta": 0.5}}"#)?;
/// assert_eq!(loss, Loss::Huber { delta: 0.5 });
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self", rename_all = "snake_case", deny_unknown_fields)]
pub enum Loss {
    /// Mean of (p − t)².
    Mse,
    /// Mean of |p − t|.
    Mae,
    /// Mean of e²/2 where e = |p − t| ≤ δ, else δ·(e − δ/2) (Huber 1964).
    Huber {
        /// Where the parabola becomes a line.
        delta: f64,
    },
    /// Mean of −t·log p − (1 − t)·log(1 − p).
    BinaryCrossEntropy {
        /// Whether p = sigmoid(prediction).
        #[serde(default)]
        from_logits: bool,
    },
    /// −Σ t·log p over the last axis; targets are shares of the classes.
    CategoricalCrossEntropy {
        /// Whether p = softmax(prediction).
        #[serde(default)]
        from_logits: bool,
    },
    /// −log p of the labelled class; targets are class numbers from 0.
    SparseCategoricalCrossEntropy {
        /// Whether p = softmax(prediction).
        #[serde(default)]
        from_logits: bool,
    },
}

name_or_table!(Loss, "the name of a loss, such as \"mse\", or a table such as { huber = { delta = 1.0 } }", {
    "huber" => Loss::Huber { delta: 1.0 },
    "binary_cross_entropy" => Loss::BinaryCrossEntropy { from_logits: false },
    "categorical_cross_entropy" => Loss::CategoricalCrossEntropy { from_logits: false },
    "sparse_categorical_cross_entropy" => Loss::SparseCategoricalCrossEntropy { from_logits: false },
});

/// Smallest probability whose logarithm is taken, as in Keras: losses stay below 16.2.
const SMALLEST: f64 = 1e-7;

impl Loss {
    /// The name in configurations.
    pub fn name(&self) -> &'static str {
        match self {
            Loss::Mse => "mse",
            Loss::Mae => "mae",
            Loss::Huber { .. } => "huber",
            Loss::BinaryCrossEntropy { .. } => "binary_cross_entropy",
            Loss::CategoricalCrossEntropy { .. } => "categorical_cross_entropy",
            Loss::SparseCategoricalCrossEntropy { .. } => "sparse_categorical_cross_entropy",
        }
    }

    /// Whether predictions are the numbers before sigmoid or softmax.
    pub fn from_logits(&self) -> bool {
        match *self {
            Loss::BinaryCrossEntropy { from_logits }
            | Loss::CategoricalCrossEntropy { from_logits }
            | Loss::SparseCategoricalCrossEntropy { from_logits } => from_logits,
            Loss::Mse | Loss::Mae | Loss::Huber { .. } => false,
        }
    }

    /// Whether targets are class numbers.
    pub fn is_sparse(&self) -> bool {
        matches!(self, Loss::SparseCategoricalCrossEntropy { .. })
    }

    /// Checks the parameters.
    ///
    /// # Errors
    /// A δ that is no positive number.
    pub fn check(&self) -> Result<()> {
        match *self {
            Loss::Huber { delta } if !(delta > 0.0 && delta.is_finite()) => {
                Err(Error::config("loss.huber.delta", format!("{delta} is not a positive number"), "use for example 1.0"))
            }
            _ => Ok(()),
        }
    }

    /// The loss of each row, `[batch]`: the mean over the row's other axes.
    pub fn rows(&self, prediction: &Tensor, target: &Tensor) -> Tensor {
        let p = prediction;
        if self.is_sparse() {
            return match labels(self.name(), p, target) {
                Ok(labels) => row_mean(&self.sparse(p, &labels)),
                Err(poisoned) => poisoned,
            };
        }
        let t = match aligned(self.name(), p, target) {
            Ok(t) => t,
            Err(poisoned) => return poisoned,
        };
        if let Loss::CategoricalCrossEntropy { .. } = self
            && (p.rank() < 2 || p.shape()[p.rank() - 1] == 1)
        {
            let why = "needs one prediction per class, but there is a single one: use binary_cross_entropy".into();
            return p.tracer().error(self.name(), &[p, target], why);
        }
        match *self {
            Loss::Mse => row_mean(&(p - t).square()),
            Loss::Mae => row_mean(&(p - t).abs()),
            Loss::Huber { delta } => row_mean(&huber(&(p - t), delta)),
            Loss::BinaryCrossEntropy { from_logits: true } => row_mean(&(softplus(p) - p * t)),
            Loss::BinaryCrossEntropy { from_logits: false } => row_mean(&binary(p, &t)),
            _ => row_mean(&-(t * self.log_probability(p)).sum(&[p.rank() - 1])),
        }
    }

    /// The mean over all rows: a scalar.
    pub fn mean(&self, prediction: &Tensor, target: &Tensor) -> Tensor {
        self.rows(prediction, target).mean_all()
    }

    pub(crate) fn log_probability(&self, p: &Tensor) -> Tensor {
        if self.from_logits() { log_softmax(p) } else { p.maximum(&p.full_like(SMALLEST)).log() }
    }

    /// −log p of the labelled class: `[batch, …, classes] → [batch, …]`.
    fn sparse(&self, p: &Tensor, labels: &Tensor) -> Tensor {
        let pick = |x: &Tensor| one_hot(labels, x).select(x, &x.full_like(0.0)).sum(&[x.rank() - 1]);
        if !self.from_logits() {
            return -pick(p).maximum(&labels.full_like(SMALLEST)).log();
        }
        // log Σ e^z − z of the label: nothing but the exponential is computed for all classes.
        match shifted(p) {
            Ok((z, sum)) => sum.log() - pick(&z),
            Err(poisoned) => poisoned,
        }
    }
}

/// Mean over all axes but the batch.
pub(crate) fn row_mean(x: &Tensor) -> Tensor {
    x.mean(&(1..x.rank()).collect::<Vec<_>>())
}

/// By selection, so that the second derivative at e = 0 is 1 (|e| alone would give 0).
fn huber(e: &Tensor, delta: f64) -> Tensor {
    let size = e.abs();
    let near = size.compare(Compare::Le, &size.full_like(delta));
    near.select(&(e.square() * 0.5), &((size - 0.5 * delta) * delta))
}

fn binary(p: &Tensor, t: &Tensor) -> Tensor {
    let (yes, no) = binary_logs(p);
    -(t * yes + (1.0 - t) * no)
}

/// log p and log(1 − p).
pub(crate) fn binary_logs(p: &Tensor) -> (Tensor, Tensor) {
    let no = (-p.minimum(&p.full_like(1.0 - SMALLEST))).log1p();
    (p.maximum(&p.full_like(SMALLEST)).log(), no)
}

/// 1 at the labelled class, else 0, like `x`; computed in floats, which vectorize with the rest.
pub(crate) fn one_hot(labels: &Tensor, x: &Tensor) -> Tensor {
    let last = x.rank() - 1;
    let wide = labels.broadcast(x.shape(), &(0..last).collect::<Vec<_>>());
    x.tracer().iota(x.dtype(), x.shape(), last).compare(Compare::Eq, &wide)
}

/// The target in the prediction's type and shape. Broadcasting is not allowed here: `[n]` against
/// `[n, 1]` would silently compare everything with everything.
pub(crate) fn aligned(name: &'static str, p: &Tensor, t: &Tensor) -> Result<Tensor, Tensor> {
    let same = p.shape() == t.shape();
    if p.is_poisoned() || t.is_poisoned() || p.rank() == 0 || !(same || longer(p, t) || longer(t, p)) {
        let why = format!(
            "the model predicts {:?} but the targets are {:?}: make the last layer fit the targets{}",
            p.shape(),
            t.shape(),
            hint(t)
        );
        return Err(p.tracer().error(name, &[p, t], why));
    }
    Ok(t.cast(p.dtype()).reshape(p.shape()))
}

fn hint(t: &Tensor) -> &'static str {
    if t.dtype() == DType::I32 { ", or use sparse_categorical_cross_entropy for class numbers" } else { "" }
}

/// Whether `a` is `b` with an axis of extent 1 at the end.
fn longer(a: &Tensor, b: &Tensor) -> bool {
    matches!(a.shape().split_last(), Some((1, rest)) if rest == b.shape())
}

/// Labels in the prediction's type, without the classes' axis.
pub(crate) fn labels(name: &'static str, p: &Tensor, t: &Tensor) -> Result<Tensor, Tensor> {
    let rows = &p.shape()[..p.rank().saturating_sub(1)];
    let column = matches!(t.shape().split_last(), Some((1, rest)) if rest == rows);
    if p.is_poisoned() || t.is_poisoned() || rows.is_empty() || !(t.shape() == rows || column) {
        let fix = "the targets must be one class number for each list of classes; for shares of the classes use categorical_cross_entropy";
        let why = format!("the model predicts {:?} but the labels are {:?}: {fix}", p.shape(), t.shape());
        return Err(p.tracer().error(name, &[p, t], why));
    }
    Ok(t.cast(p.dtype()).reshape(rows))
}
