//! The network φ(t, x).

use crate::Transport;
use neurona::{Context, Init, Tensor};
use serde::{Deserialize, Serialize};

/// Dense layers from (t, x) to one number.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Network {
    /// Units of each hidden layer.
    pub widths: Vec<usize>,
    /// What hidden units apply.
    pub activation: Activation,
    /// How weights start; biases start at 0.
    pub init: Init,
}

/// What hidden units apply to their sum.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// Hyperbolic tangent.
    Tanh,
    /// Sine.
    Sin,
}

impl Network {
    /// Traces φ at `points` (t, x) `[n, 2]` → `[n, 1]`. Parameters are `dense_1/weight`, `dense_1/bias`,
    /// …: a second call in the same trace shares them.
    ///
    /// Both inputs are first scaled to [−1, 1].
    pub fn apply(&self, cx: &Context, problem: &Transport, points: &Tensor) -> Tensor {
        let tracer = cx.tracer();
        let (time, space) = (tracer.full(cx.dtype(), &[1], 2.0), tracer.full(cx.dtype(), &[1], 2.0 / problem.length));
        let mut h = points * Tensor::concat(&[&time, &space], 0) - 1.0;
        let layers = self.widths.len() + 1;
        for (i, &width) in self.widths.iter().chain([&1]).enumerate() {
            h = cx.layer(&format!("dense_{}", i + 1), || {
                let fan_in = h.shape().last().copied().unwrap_or(1);
                let w = cx.param("weight", &[fan_in, width], self.init);
                let b = cx.param("bias", &[width], Init::Zeros);
                let z = h.matmul(&w) + b;
                match self.activation {
                    _ if i + 1 == layers => z,
                    Activation::Tanh => z.tanh(),
                    Activation::Sin => z.sin(),
                }
            });
        }
        h
    }
}
