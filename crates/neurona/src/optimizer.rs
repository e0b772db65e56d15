//! Optimizers: each is a few lines of graph, compiled into the same step as loss and gradients.

use crate::{Error, Param, Result};
use graph::ops::Compare;
use graph::{DType, Tensor};
use serde::{Deserialize, Serialize};

/// How parameters move along their gradients. The learning rate is given step by step.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "kind", deny_unknown_fields)]
pub enum Optimizer {
    /// w ← w − lr·g
    Sgd,
    /// v ← momentum·v + g; w ← w − lr·v
    Momentum {
        /// Share of the velocity that stays.
        #[serde(default = "nine_tenths")]
        momentum: f64,
    },
    /// v ← momentum·v + g; w ← w − lr·(g + momentum·v)
    Nesterov {
        /// Share of the velocity that stays.
        #[serde(default = "nine_tenths")]
        momentum: f64,
    },
    /// s ← ρ·s + (1−ρ)·g²; w ← w − lr·g/(√s + ε) (Hinton 2012, as in PyTorch)
    RmsProp {
        /// Share of the mean square that stays.
        #[serde(default = "rho")]
        rho: f64,
        /// Keeps the division finite.
        #[serde(default = "epsilon")]
        epsilon: f64,
    },
    /// Adam (Kingma & Ba 2015, algorithm 1).
    Adam {
        /// Decay of the mean.
        #[serde(default = "nine_tenths")]
        beta1: f64,
        /// Decay of the mean square.
        #[serde(default = "beta2")]
        beta2: f64,
        /// Keeps the division finite.
        #[serde(default = "epsilon")]
        epsilon: f64,
    },
    /// Adam with decoupled weight decay (Loshchilov & Hutter 2019).
    AdamW {
        /// Decay of the mean.
        #[serde(default = "nine_tenths")]
        beta1: f64,
        /// Decay of the mean square.
        #[serde(default = "beta2")]
        beta2: f64,
        /// Keeps the division finite.
        #[serde(default = "epsilon")]
        epsilon: f64,
        /// Share of a weight lost per unit of learning rate.
        #[serde(default = "decay")]
        weight_decay: f64,
    },
}

fn nine_tenths() -> f64 {
    0.9
}
fn rho() -> f64 {
    0.99
}
fn beta2() -> f64 {
    0.999
}
fn epsilon() -> f64 {
    1e-8
}
fn decay() -> f64 {
    0.01
}

impl Optimizer {
    /// Adam with the usual constants.
    pub fn adam() -> Optimizer {
        Optimizer::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 }
    }

    /// Number of state tensors it keeps per parameter, each of the parameter's shape, starting at 0.
    pub fn slots(&self) -> usize {
        match self {
            Optimizer::Sgd => 0,
            Optimizer::Momentum { .. } | Optimizer::Nesterov { .. } | Optimizer::RmsProp { .. } => 1,
            Optimizer::Adam { .. } | Optimizer::AdamW { .. } => 2,
        }
    }

    /// Traces one update: the new parameter and the new state. `lr` and `t` (the step, from 1) are
    /// scalars of the parameter's type.
    pub fn update(&self, w: &Tensor, g: &Tensor, state: &[Tensor], lr: &Tensor, t: &Tensor) -> (Tensor, Vec<Tensor>) {
        match *self {
            Optimizer::Sgd => (w - g * lr, vec![]),
            Optimizer::Momentum { momentum } => {
                let v = settled(&state[0] * momentum + g);
                (w - &v * lr, vec![v])
            }
            Optimizer::Nesterov { momentum } => {
                let v = settled(&state[0] * momentum + g);
                (w - (g + &v * momentum) * lr, vec![v])
            }
            Optimizer::RmsProp { rho, epsilon } => {
                let s = settled(&state[0] * rho + g.square() * (1.0 - rho));
                (w - g * lr / (s.sqrt() + epsilon), vec![s])
            }
            Optimizer::Adam { beta1, beta2, epsilon } => adam(w, g, state, lr, t, [beta1, beta2, epsilon]),
            Optimizer::AdamW { beta1, beta2, epsilon, weight_decay } => {
                let kept = w - w * (lr * weight_decay);
                adam(&kept, g, state, lr, t, [beta1, beta2, epsilon])
            }
        }
    }
}

/// How gradients are kept from being too large.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Clip {
    /// Each component is cut to ±limit.
    Value(f64),
    /// All gradients shrink by one factor if together they are longer than this (Pascanu et al. 2013):
    /// the direction stays.
    Norm(f64),
}

/// What a step does to the weights: an optimizer, and around it gradient clipping, weight decay and an
/// average of the weights. An [`Optimizer`] alone is an update without any of these.
///
/// ```
/// use neurona::{Clip, Optimizer, Update};
/// let rule = Update::from(Optimizer::adam()).clip(Clip::Norm(1.0)).weight_decay(0.01).average(0.999);
/// let text = r#"{"optimizer": {"kind": "adam"}, "clip": {"norm": 1.0}, "weight_decay": 0.01, "average": 0.999}"#;
/// assert_eq!(serde_json::from_str::<Update>(text)?, rule);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Update {
    /// How parameters move along their gradients.
    pub optimizer: Optimizer,
    /// How gradients are kept from being too large, before the optimizer sees them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clip: Option<Clip>,
    /// Share of every weight lost per unit of learning rate, apart from the gradient ("decoupled",
    /// Loshchilov & Hutter 2019); for [`Optimizer::AdamW`], in addition to its own.
    #[serde(default)]
    pub weight_decay: f64,
    /// Share that an exponential average of the weights keeps in each step ([`State::averaged`](crate::State::averaged)).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub average: Option<f64>,
}

impl From<Optimizer> for Update {
    fn from(optimizer: Optimizer) -> Update {
        Update { optimizer, clip: None, weight_decay: 0.0, average: None }
    }
}

impl Update {
    /// With gradients kept within this limit.
    pub fn clip(self, clip: Clip) -> Update {
        Update { clip: Some(clip), ..self }
    }

    /// With this share of every weight lost per unit of learning rate.
    pub fn weight_decay(self, weight_decay: f64) -> Update {
        Update { weight_decay, ..self }
    }

    /// With an average of the weights that keeps this share of itself in each step.
    pub fn average(self, keep: f64) -> Update {
        Update { average: Some(keep), ..self }
    }

    /// Number of state tensors kept for this parameter: the optimizer's, then the average.
    pub fn slots(&self, param: &Param) -> usize {
        if param.trained { self.optimizer.slots() + usize::from(self.average.is_some()) } else { 0 }
    }

    /// Checks the parameters.
    ///
    /// # Errors
    /// A limit that is no positive number, a decay below 0, an average that keeps nothing or everything.
    pub fn check(&self) -> Result<()> {
        let wrong = |name: &str, why: String, fix: &str| Err(Error::config(format!("optimizer.{name}"), why, fix));
        match *self {
            Update { clip: Some(Clip::Value(c) | Clip::Norm(c)), .. } if !(c > 0.0 && c.is_finite()) => {
                wrong("clip", format!("{c} is not a positive number"), "use for example norm = 1.0")
            }
            Update { weight_decay: d, .. } if !(d >= 0.0 && d.is_finite()) => {
                wrong("weight_decay", format!("{d} is not a number from 0"), "use for example 0.01")
            }
            Update { average: Some(keep), .. } if !(keep > 0.0 && keep < 1.0) => {
                wrong("average", format!("{keep} is not a share between 0 and 1"), "use for example 0.999")
            }
            _ => Ok(()),
        }
    }

    /// Traces the clipping of all gradients.
    pub(crate) fn clipped(&self, gradients: Vec<Tensor>) -> Vec<Tensor> {
        match self.clip {
            None => gradients,
            Some(Clip::Value(c)) => gradients.iter().map(|g| g.minimum(&g.full_like(c)).maximum(&g.full_like(-c))).collect(),
            Some(Clip::Norm(c)) => {
                let Some(squares) = gradients.iter().map(|g| g.square().sum_all()).reduce(|a, b| a + b) else { return gradients };
                let limit = squares.full_like(c);
                let factor = &limit / squares.sqrt().maximum(&limit);
                gradients.iter().map(|g| g * &factor).collect()
            }
        }
    }

    /// Traces one update of one parameter: its new value and its new state.
    pub(crate) fn trace(&self, w: &Tensor, g: &Tensor, state: &[Tensor], lr: &Tensor, t: &Tensor) -> (Tensor, Vec<Tensor>) {
        let kept = if self.weight_decay == 0.0 { w.clone() } else { w - w * (lr * self.weight_decay) };
        let (own, average) = state.split_at(self.optimizer.slots());
        let (new, mut next) = self.optimizer.update(&kept, g, own, lr, t);
        next.extend(self.average.iter().zip(average).map(|(&keep, a)| a + (&new - a) * (1.0 - keep)));
        (new, next)
    }
}

fn adam(w: &Tensor, g: &Tensor, state: &[Tensor], lr: &Tensor, t: &Tensor, [beta1, beta2, epsilon]: [f64; 3]) -> (Tensor, Vec<Tensor>) {
    let m = settled(&state[0] * beta1 + g * (1.0 - beta1));
    let v = settled(&state[1] * beta2 + g.square() * (1.0 - beta2));
    // 1 − βᵗ, as −expm1(t·ln β): exact enough in f32 for every t.
    let bias = |beta: f64| -(t * beta.ln()).expm1();
    let rate = lr / bias(beta1);
    let root = bias(beta2).rsqrt();
    (w - &m * rate / (v.sqrt() * root + epsilon), vec![m, v])
}

/// 0 where an average has decayed to a subnormal number. Rounding would keep it there for ever (0.9 times four units is four
/// units again), as with units that are dead, and processors compute with subnormal numbers some hundred times slower.
fn settled(average: Tensor) -> Tensor {
    let least = if average.dtype() == DType::F64 { f64::MIN_POSITIVE } else { f64::from(f32::MIN_POSITIVE) };
    average.abs().compare(Compare::Lt, &average.full_like(least)).select(&average.full_like(0.0), &average)
}
