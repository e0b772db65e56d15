//! Optimizers: each is a few lines of graph, compiled into the same step as loss and gradients.

use graph::Tensor;
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
                let v = &state[0] * momentum + g;
                (w - &v * lr, vec![v])
            }
            Optimizer::Nesterov { momentum } => {
                let v = &state[0] * momentum + g;
                (w - (g + &v * momentum) * lr, vec![v])
            }
            Optimizer::RmsProp { rho, epsilon } => {
                let s = &state[0] * rho + g.square() * (1.0 - rho);
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

fn adam(w: &Tensor, g: &Tensor, state: &[Tensor], lr: &Tensor, t: &Tensor, [beta1, beta2, epsilon]: [f64; 3]) -> (Tensor, Vec<Tensor>) {
    let m = &state[0] * beta1 + g * (1.0 - beta1);
    let v = &state[1] * beta2 + g.square() * (1.0 - beta2);
    // 1 − βᵗ, as −expm1(t·ln β): exact enough in f32 for every t.
    let bias = |beta: f64| -(t * beta.ln()).expm1();
    let rate = lr / bias(beta1);
    let root = bias(beta2).rsqrt();
    (w - &m * rate / (v.sqrt() * root + epsilon), vec![m, v])
}
