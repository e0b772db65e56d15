//! Metrics: what people want to know of a model besides its loss.

use crate::Loss;
use crate::activation::along_last;
use crate::loss::{aligned, labels, one_hot, row_mean};
use graph::Tensor;
use graph::ops::Compare;
use serde::{Deserialize, Serialize};

/// A number for each row, whose mean over all rows says how good a model is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// Share of rows whose largest prediction (the first, if there are several) is at the labelled
    /// class, or at the largest target; with a binary cross-entropy, [`Metric::BinaryAccuracy`].
    Accuracy,
    /// Share of rows whose labelled class is among the k largest predictions (of equal ones, the first
    /// count as larger).
    TopAccuracy(usize),
    /// Share of predictions on the same side as their targets (0 or 1): of 0.5, or of 0 for logits.
    BinaryAccuracy,
    /// Mean of |p − t|.
    Mae,
    /// Mean of (p − t)².
    Mse,
    /// √(mean of (p − t)²): of all rows, not a mean of roots.
    Rmse,
}

impl Metric {
    /// The name in configurations and reports.
    pub fn name(self) -> &'static str {
        match self {
            Metric::Accuracy => "accuracy",
            Metric::TopAccuracy(2) => "top_2_accuracy",
            Metric::TopAccuracy(3) => "top_3_accuracy",
            Metric::TopAccuracy(5) => "top_5_accuracy",
            Metric::TopAccuracy(10) => "top_10_accuracy",
            Metric::TopAccuracy(_) => "top_k_accuracy",
            Metric::BinaryAccuracy => "binary_accuracy",
            Metric::Mae => "mae",
            Metric::Mse => "mse",
            Metric::Rmse => "rmse",
        }
    }

    /// Whether larger values are better.
    pub fn is_better_larger(self) -> bool {
        matches!(self, Metric::Accuracy | Metric::TopAccuracy(_) | Metric::BinaryAccuracy)
    }

    /// The metric's number for each row, `[batch]`. `loss` tells what predictions and targets mean:
    /// logits or probabilities, labels or shares of the classes.
    pub fn rows(self, prediction: &Tensor, target: &Tensor, loss: &Loss) -> Tensor {
        match self {
            Metric::Accuracy if loss.is_sparse() => sparse_accuracy(prediction, target),
            Metric::Accuracy if matches!(loss, Loss::BinaryCrossEntropy { .. }) => binary_accuracy(prediction, target, loss),
            Metric::Accuracy => categorical_accuracy(prediction, target),
            Metric::TopAccuracy(k) => top_accuracy(prediction, target, loss, k).unwrap_or_else(|poisoned| poisoned),
            Metric::BinaryAccuracy => binary_accuracy(prediction, target, loss),
            Metric::Mae => Loss::Mae.rows(prediction, target),
            Metric::Mse | Metric::Rmse => Loss::Mse.rows(prediction, target),
        }
    }

    /// The metric from the mean of its rows' numbers.
    pub fn finish(self, mean: f64) -> f64 {
        if self == Metric::Rmse { mean.sqrt() } else { mean }
    }
}

/// Position of the first largest element of the last axis; the extent of that axis if there is a NaN.
fn first_largest(x: &Tensor) -> Tensor {
    let last = x.rank() - 1;
    let dims: Vec<usize> = (0..last).collect();
    let top = x.max(&[last]).broadcast(x.shape(), &dims);
    let place = x.tracer().iota(x.dtype(), x.shape(), last);
    // The least position is minus the largest of minus the positions.
    let nowhere = x.full_like(-(x.shape()[last] as f64));
    -x.compare(Compare::Eq, &top).select(&-place, &nowhere).max(&[last])
}

fn sparse_accuracy(p: &Tensor, target: &Tensor) -> Tensor {
    match labels("accuracy", p, target) {
        Ok(label) => row_mean(&first_largest(p).compare(Compare::Eq, &label)),
        Err(poisoned) => poisoned,
    }
}

fn top_accuracy(p: &Tensor, target: &Tensor, loss: &Loss, k: usize) -> Result<Tensor, Tensor> {
    let name = "top_accuracy";
    if k == 0 || p.rank() < 2 {
        return Err(p.tracer().error(name, &[p, target], format!("k is {k}: it must be at least 1, and there must be classes")));
    }
    let label = if loss.is_sparse() { labels(name, p, target)? } else { first_largest(&aligned(name, p, target)?) };
    let wide = |t: &Tensor| along_last(t, p);
    let hit = one_hot(&label, p);
    let last = p.rank() - 1;
    let own = hit.select(p, &p.full_like(0.0)).sum(&[last]);
    let place = p.tracer().iota(p.dtype(), p.shape(), last);
    let before = p.compare(Compare::Gt, &wide(&own)) + p.compare(Compare::Eq, &wide(&own)) * place.compare(Compare::Lt, &wide(&label));
    let within = before.sum(&[last]).compare(Compare::Lt, &own.full_like(k as f64));
    // With a NaN among the predictions the largest is NaN, and nothing is within it.
    Ok(row_mean(&(within * own.compare(Compare::Le, &p.max(&[last])))))
}

fn categorical_accuracy(p: &Tensor, target: &Tensor) -> Tensor {
    match aligned("accuracy", p, target) {
        Ok(_) if p.rank() < 2 || p.shape()[p.rank() - 1] == 1 => {
            let why = "needs one prediction per class, but there is a single one: use binary_accuracy, or mae for numbers".into();
            p.tracer().error("accuracy", &[p, target], why)
        }
        Ok(t) => row_mean(&first_largest(p).compare(Compare::Eq, &first_largest(&t))),
        Err(poisoned) => poisoned,
    }
}

fn binary_accuracy(p: &Tensor, target: &Tensor, loss: &Loss) -> Tensor {
    let t = match aligned("binary_accuracy", p, target) {
        Ok(t) => t,
        Err(poisoned) => return poisoned,
    };
    let threshold = if loss.from_logits() { 0.0 } else { 0.5 };
    let side = |x: &Tensor, at: f64| x.compare(Compare::Gt, &x.full_like(at));
    row_mean(&side(p, threshold).compare(Compare::Eq, &side(&t, 0.5)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use graph::{DType, Tracer, Value, eval};

    fn rows(metric: Metric, loss: Loss, p: &[f64], width: usize, target: (DType, &[usize], &[f64])) -> Vec<f64> {
        let cx = Tracer::new();
        let prediction = cx.input("p", DType::F32, &[p.len() / width, width]);
        let t = cx.input("t", target.0, target.1);
        let out = metric.rows(&prediction, &t, &loss);
        let values = [Value::new(DType::F32, prediction.shape(), p.to_vec()), Value::new(target.0, target.1, target.2.to_vec())];
        eval::evaluate(&cx.finish().unwrap(), &values, &[out.id()]).unwrap().remove(0).data
    }

    const SPARSE: Loss = Loss::SparseCategoricalCrossEntropy { from_logits: true };

    #[test]
    fn accuracy_counts_the_first_largest() {
        // Right, wrong, a tie (the first counts), all equal (a dead network is no oracle), NaN.
        let p = [0.1, 0.9, 0.0, 0.5, 0.2, 0.3, 0.4, 0.4, 0.2, 0.0, 0.0, 0.0, f64::NAN, 1.0, 0.0];
        let labels = (DType::I32, &[5][..], &[1.0, 1.0, 0.0, 2.0, 1.0][..]);
        assert_eq!(rows(Metric::Accuracy, SPARSE, &p, 3, labels), [1.0, 0.0, 1.0, 0.0, 0.0]);
        let shares = (DType::F32, &[5, 3][..], &[0.0, 1.0, 0.0, 0.2, 0.7, 0.1, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 1.0, 0.0][..]);
        let loss = Loss::CategoricalCrossEntropy { from_logits: true };
        assert_eq!(rows(Metric::Accuracy, loss, &p, 3, shares), [1.0, 0.0, 1.0, 0.0, 0.0]);
    }

    #[test]
    fn top_accuracy_counts_places() {
        // Second place; third; first of a tie for second; last of it; NaN.
        let p = [0.5, 0.3, 0.2, 0.5, 0.3, 0.2, 0.2, 0.2, 0.6, 0.2, 0.2, 0.6, 0.9, f64::NAN, 0.0];
        let labels = (DType::I32, &[5][..], &[1.0, 2.0, 0.0, 1.0, 0.0][..]);
        assert_eq!(rows(Metric::TopAccuracy(2), SPARSE, &p, 3, labels), [1.0, 0.0, 1.0, 0.0, 0.0]);
        assert_eq!(rows(Metric::TopAccuracy(3), SPARSE, &p, 3, labels), [1.0, 1.0, 1.0, 1.0, 0.0]);
        assert_eq!(rows(Metric::TopAccuracy(1), SPARSE, &p, 3, labels), rows(Metric::Accuracy, SPARSE, &p, 3, labels));
        let shares = (DType::F32, &[1, 3][..], &[0.1, 0.7, 0.2][..]);
        let loss = Loss::CategoricalCrossEntropy { from_logits: true };
        assert_eq!(rows(Metric::TopAccuracy(2), loss, &p[..3], 3, shares), [1.0]);
    }

    #[test]
    fn binary_accuracy_knows_logits() {
        let (p, t) = ([0.4, -0.4, 0.6, 0.2], (DType::F32, &[4, 1][..], &[1.0, 0.0, 1.0, 0.0][..]));
        for metric in [Metric::Accuracy, Metric::BinaryAccuracy] {
            assert_eq!(rows(metric, Loss::BinaryCrossEntropy { from_logits: true }, &p, 1, t), [1.0, 1.0, 1.0, 0.0]);
            assert_eq!(rows(metric, Loss::BinaryCrossEntropy { from_logits: false }, &p, 1, t), [0.0, 1.0, 1.0, 1.0]);
        }
    }

    #[test]
    fn distances() {
        let t = (DType::F32, &[2, 2][..], &[0.0, 0.0, 1.0, 1.0][..]);
        assert_eq!(rows(Metric::Mae, Loss::Mse, &[1.0, -3.0, 1.0, 2.0], 2, t), [2.0, 0.5]);
        assert_eq!(rows(Metric::Rmse, Loss::Mse, &[1.0, -3.0, 1.0, 2.0], 2, t), [5.0, 0.5]);
        assert_eq!(Metric::Rmse.finish((5.0 + 0.5) / 2.0), 2.75f64.sqrt());
    }
}
