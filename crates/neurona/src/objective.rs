//! What training makes small: a loss, with the classes weighed and the targets softened if asked for.

use crate::activation::softplus;
use crate::loss::{aligned, binary_logs, labels, one_hot, row_mean};
use crate::{Error, Loss, Result};
use graph::Tensor;
use serde::{Deserialize, Serialize};

/// A loss, and for cross-entropies weights of the classes and softer targets. A [`Loss`] alone is an
/// objective without these.
///
/// With weights w and smoothing ε, targets t (shares of K classes) become t′ = (1 − ε)·t + ε/K, and the
/// loss of a row is −Σ w·t′·log p. It is the plain mean over rows that is made small, as in Keras:
/// weights are not divided by their sum. For a binary cross-entropy the classes are 0 and 1.
///
/// ```
/// use neurona::{Loss, Objective};
/// let loss = Loss::SparseCategoricalCrossEntropy { from_logits: true };
/// // Class 1 is rare: its rows count more.
/// let weights = Objective::balanced_weights(&[0, 0, 0, 1], 2)?;
/// assert_eq!(weights, [4.0 / 6.0, 2.0]);
/// let objective = Objective::from(loss).class_weights(&weights).label_smoothing(0.1);
/// objective.check()?;
/// # Ok::<(), neurona::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Objective {
    /// How far predictions are from their targets.
    pub loss: Loss,
    /// Share ε of each target that is spread over all classes (Szegedy et al. 2016).
    #[serde(default)]
    pub label_smoothing: f64,
    /// How much each class counts; empty for all the same.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub class_weights: Vec<f64>,
}

impl From<Loss> for Objective {
    fn from(loss: Loss) -> Objective {
        Objective { loss, label_smoothing: 0.0, class_weights: vec![] }
    }
}

impl Objective {
    /// With this share of each target spread over all classes.
    pub fn label_smoothing(self, label_smoothing: f64) -> Objective {
        Objective { label_smoothing, ..self }
    }

    /// With classes that count this much.
    pub fn class_weights(self, weights: &[f64]) -> Objective {
        Objective { class_weights: weights.to_vec(), ..self }
    }

    /// Weights that let every class count the same in total: rows/(classes·rows of the class).
    ///
    /// # Errors
    /// Labels outside 0 … classes − 1; a class without rows.
    pub fn balanced_weights(labels: &[i32], classes: usize) -> Result<Vec<f64>> {
        let mut counts = vec![0usize; classes];
        for (row, &label) in labels.iter().enumerate() {
            match usize::try_from(label).ok().and_then(|l| counts.get_mut(l)) {
                Some(n) => *n += 1,
                None => {
                    let why = format!("label {label}, but there are {classes} classes");
                    return Err(Error::data(format!("labels, row {row}"), why, "correct the label or the number of classes"));
                }
            }
        }
        match counts.iter().position(|&n| n == 0) {
            Some(c) => Err(Error::data("labels", format!("class {c} has no rows, so its weight would be infinite"), "leave the class out")),
            None => Ok(counts.iter().map(|&n| labels.len() as f64 / (classes * n) as f64).collect()),
        }
    }

    /// Whether this is the loss alone.
    fn is_plain(&self) -> bool {
        self.label_smoothing == 0.0 && self.class_weights.is_empty()
    }

    fn is_binary(&self) -> bool {
        matches!(self.loss, Loss::BinaryCrossEntropy { .. })
    }

    /// Checks the parameters.
    ///
    /// # Errors
    /// Smoothing that is no share, weights that are negative or not numbers, either of them for a loss
    /// without classes.
    pub fn check(&self) -> Result<()> {
        self.loss.check()?;
        if matches!(self.loss, Loss::Mse | Loss::Mae | Loss::Huber { .. }) && !self.is_plain() {
            let why = format!("{} has no classes", self.loss.name());
            return Err(Error::config("label_smoothing or class_weights", why, "leave them out or use a cross-entropy"));
        }
        if !(0.0..1.0).contains(&self.label_smoothing) {
            let why = format!("{} is not a share from 0 up to, but not including, 1", self.label_smoothing);
            return Err(Error::config("label_smoothing", why, "use for example 0.1"));
        }
        let weights = &self.class_weights;
        if let Some(w) = weights.iter().find(|w| !(w.is_finite() && **w >= 0.0)) {
            return Err(Error::config("class_weights", format!("{w} is not a number from 0"), "use for example 1.0"));
        }
        if self.is_binary() && !matches!(weights.len(), 0 | 2) {
            let why = format!("{} weights, but a binary cross-entropy has the classes 0 and 1", weights.len());
            return Err(Error::config("class_weights", why, "give two"));
        }
        Ok(())
    }

    /// The loss of each row, `[batch]`.
    pub fn rows(&self, prediction: &Tensor, target: &Tensor) -> Tensor {
        if self.is_plain() || matches!(self.loss, Loss::Mse | Loss::Mae | Loss::Huber { .. }) {
            return self.loss.rows(prediction, target);
        }
        let rows = if self.is_binary() { self.binary(prediction, target) } else { self.categorical(prediction, target) };
        rows.unwrap_or_else(|poisoned| poisoned)
    }

    fn binary(&self, p: &Tensor, target: &Tensor) -> Result<Tensor, Tensor> {
        let t = aligned(self.loss.name(), p, target)? * (1.0 - self.label_smoothing) + self.label_smoothing / 2.0;
        let (yes, no) = if self.loss.from_logits() { (-softplus(&-p), -softplus(p)) } else { binary_logs(p) };
        let weight = |class: usize| self.class_weights.get(class).copied().unwrap_or(1.0);
        Ok(row_mean(&-(&t * yes * weight(1) + (1.0 - &t) * no * weight(0))))
    }

    fn categorical(&self, p: &Tensor, target: &Tensor) -> Result<Tensor, Tensor> {
        let name = self.loss.name();
        let shares = if self.loss.is_sparse() { one_hot(&labels(name, p, target)?, p) } else { aligned(name, p, target)? };
        let classes = p.shape().last().copied().unwrap_or(0);
        if p.rank() < 2 || (classes < 2 && !self.loss.is_sparse()) {
            let why = "needs one prediction per class, but there is a single one: use binary_cross_entropy".into();
            return Err(p.tracer().error(name, &[p, target], why));
        }
        let soft = shares * (1.0 - self.label_smoothing) + self.label_smoothing / classes as f64;
        let each = soft * self.loss.log_probability(p);
        let each = if self.class_weights.is_empty() { each } else { each * self.weights(p)? };
        Ok(row_mean(&-each.sum(&[p.rank() - 1])))
    }

    /// The weights of the classes as a tensor, `[classes]`.
    fn weights(&self, p: &Tensor) -> Result<Tensor, Tensor> {
        let classes = p.shape()[p.rank() - 1];
        if classes != self.class_weights.len() {
            let why = format!("there are {} class weights, but the model predicts {classes} classes", self.class_weights.len());
            return Err(p.tracer().error(self.loss.name(), &[p], why));
        }
        let each: Vec<Tensor> = self.class_weights.iter().map(|&w| p.tracer().full(p.dtype(), &[1], w)).collect();
        Ok(Tensor::concat(&each.iter().collect::<Vec<_>>(), 0))
    }
}
