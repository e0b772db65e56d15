//! How a descent ends, and why.
//!
//! On a parabola of curvature λ the error of each optimizer follows a linear recurrence; it grows as soon as
//! learning rate · λ is above a limit: 2 for plain descent, 2(1 + β) with momentum β, 2(1 + β)/(1 + 2β) with Nesterov's.
//! (The roots of z² − (1 + β − a)z + β and z² − (1 + β)(1 − a)z + β(1 − a), where a = rate·λ, leave the unit circle at
//! z = −1.) RMSprop and Adam divide by the gradient's size, so no curvature makes them explode.

use super::{Settings, Step, eigenvalues};
use crate::Expression;
use neurona::Optimizer;
use serde::Serialize;

/// How a descent ended.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum End {
    /// The gradient vanished and the point rests.
    Converged {
        /// What is there.
        at: Stationary,
    },
    /// The steps ran out.
    Steps,
    /// The path left every bound, or the formula's domain.
    Diverged {
        /// Why.
        why: Divergence,
    },
}

/// What a point of vanishing gradient is, by the signs of the curvature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)] // the names say it
pub enum Stationary {
    Minimum,
    Saddle,
    Maximum,
    /// The curvature vanishes in some direction: second derivatives do not tell.
    Flat,
}

/// Why a descent came to no end.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "reason")]
pub enum Divergence {
    /// The steps were too large for the curvature: each went beyond the minimum, farther than it had been.
    TooLarge {
        /// The largest curvature where the values began to rise.
        curvature: f64,
        /// Learning rate times curvature.
        product: f64,
        /// The largest product at which the optimizer stays.
        limit: f64,
        /// A learning rate at half the limit.
        try_rate: f64,
    },
    /// The values fall without end: there is no minimum in this direction.
    NoMinimum,
    /// The formula or its gradient has no finite value at the last point.
    Outside,
    /// The path ran away, and no curvature explains it.
    RanAway,
}

/// The curvature at a point, and which learning rates it allows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Curvature {
    /// Eigenvalues of the matrix of second derivatives, the smallest first.
    pub eigenvalues: Vec<f64>,
    /// Learning rates below this do not explode on a parabola of the largest curvature; none for RMSprop and Adam, or
    /// where nothing is curved upwards.
    pub largest_rate: Option<f64>,
    /// Largest over smallest curvature, where all are positive: how narrow the valley is.
    pub condition: Option<f64>,
}

impl Curvature {
    /// The curvature of `f` at a point; none where it is not finite.
    pub(super) fn at(f: &Expression, point: &[f64], settings: &Settings) -> Option<Curvature> {
        let eigenvalues = eigenvalues(f, point)?;
        let (low, high) = (eigenvalues[0], eigenvalues[eigenvalues.len() - 1]);
        let largest_rate = limit(&settings.optimizer).filter(|_| high > 0.0).map(|l| l / high);
        Some(Curvature { largest_rate, condition: (low > 0.0).then(|| high / low), eigenvalues })
    }
}

/// The largest product of learning rate and curvature at which an optimizer stays near a minimum.
fn limit(optimizer: &Optimizer) -> Option<f64> {
    match *optimizer {
        Optimizer::Sgd => Some(2.0),
        Optimizer::Momentum { momentum: b } => Some(2.0 * (1.0 + b)),
        Optimizer::Nesterov { momentum: b } => Some(2.0 * (1.0 + b) / (1.0 + 2.0 * b)),
        Optimizer::RmsProp { .. } | Optimizer::Adam { .. } | Optimizer::AdamW { .. } => None,
    }
}

/// Distance, relative to the start, beyond which a path is lost.
const FAR: f64 = 1e6;
/// A gradient this small relative to the first one, and a step this small relative to the point, are an end.
const SMALL: f64 = 1e-7;

/// Whether the descent `before` ends at `here`, and how.
pub(super) fn check(f: &Expression, settings: &Settings, before: &[Step], here: &Step) -> Option<End> {
    let first = before.first().unwrap_or(here);
    let finite = here.value.is_finite() && here.gradient.iter().all(|g| g.is_finite());
    let far = here.at.iter().zip(&first.at).any(|(x, x0)| !x.is_finite() || (x - x0).abs() > FAR * (1.0 + x0.abs()));
    if far || !finite {
        return Some(End::Diverged { why: why(f, settings, before, here, far) });
    }
    let still = before.last().is_none_or(|s| norm(&s.change) <= SMALL * (1.0 + norm(&here.at)));
    let flat = norm(&here.gradient) <= SMALL * norm(&first.gradient).min(1.0);
    (still && flat).then(|| End::Converged { at: kind(f, &here.at) })
}

fn norm(x: &[f64]) -> f64 {
    x.iter().fold(0.0, |sum: f64, x| sum.hypot(*x))
}

fn kind(f: &Expression, at: &[f64]) -> Stationary {
    let Some(values) = eigenvalues(f, at) else { return Stationary::Flat };
    let (low, high) = (values[0], values[values.len() - 1]);
    let zero = 1e-6 * low.abs().max(high.abs()).max(1.0);
    match (low > zero, high < -zero) {
        (true, _) => Stationary::Minimum,
        (_, true) => Stationary::Maximum,
        _ if low < -zero && high > zero => Stationary::Saddle,
        _ => Stationary::Flat,
    }
}

fn why(f: &Expression, settings: &Settings, before: &[Step], here: &Step, far: bool) -> Divergence {
    let Some(first) = before.first() else { return Divergence::Outside };
    // The curvature where the values first rose: of a formula that is no parabola, the start may lie elsewhere.
    let all = || before.iter().chain([here]);
    let rise = all().zip(all().skip(1)).find(|(a, b)| b.value > a.value || b.value.is_nan());
    let curvature = rise.and_then(|(a, _)| eigenvalues(f, &a.at)).map(|e| e[e.len() - 1]);
    if let (Some(curvature), Some(limit)) = (curvature, limit(&settings.optimizer)) {
        let product = settings.learning_rate * curvature;
        if product > limit {
            return Divergence::TooLarge { curvature, product, limit, try_rate: limit / curvature / 2.0 };
        }
    }
    let last = before.iter().rev().find(|s| s.value.is_finite()).unwrap_or(first);
    match far {
        true if last.value < first.value => Divergence::NoMinimum,
        true => Divergence::RanAway,
        false => Divergence::Outside,
    }
}
