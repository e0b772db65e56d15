//! Normalization: values of mean 0 and variance 1, over the batch or within each row.

use super::type_problem;
use crate::{Context, Init};
use graph::Tensor;
use serde::{Deserialize, Serialize};

/// scale·(x − mean)/√(variance + ε) + offset for each channel (the last axis), with mean and variance
/// over all other axes, the batch among them (Ioffe & Szegedy 2015).
///
/// While training, mean and variance are those of the batch, and running ones are kept:
/// running ← momentum·running + (1 − momentum)·batch, where the batch's variance counts n − 1 of n
/// values. Otherwise the running ones are used, as they are for a batch with a single value per
/// channel, which has no variance.
///
/// Parameters, each `[channels]`: `scale` (starts at 1), `offset` (0); running values: `mean` (0),
/// `variance` (1).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchNorm {
    /// Share of the running values that stays in each step.
    #[serde(default = "momentum")]
    pub momentum: f64,
    /// Keeps the division finite.
    #[serde(default = "epsilon")]
    pub epsilon: f64,
}

/// scale·(x − mean)/√(variance + ε) + offset, with mean and variance over the last axis (Ba et al. 2016).
/// Training and use are the same.
///
/// Parameters, each `[features]`: `scale` (starts at 1), `offset` (0).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LayerNorm {
    /// Keeps the division finite.
    #[serde(default = "epsilon")]
    pub epsilon: f64,
}

fn momentum() -> f64 {
    0.9
}

fn epsilon() -> f64 {
    1e-5
}

impl Default for BatchNorm {
    fn default() -> BatchNorm {
        BatchNorm { momentum: momentum(), epsilon: epsilon() }
    }
}

impl BatchNorm {
    /// Momentum 0.9, ε = 10⁻⁵.
    pub fn new() -> BatchNorm {
        BatchNorm::default()
    }

    /// With this share of the running values staying in each step.
    pub fn momentum(self, momentum: f64) -> BatchNorm {
        BatchNorm { momentum, ..self }
    }

    /// With this ε.
    pub fn epsilon(self, epsilon: f64) -> BatchNorm {
        BatchNorm { epsilon, ..self }
    }

    /// Sends `x` through the layer.
    pub fn forward(&self, cx: &Context, x: &Tensor) -> Tensor {
        let momentum = (!(0.0..1.0).contains(&self.momentum))
            .then(|| format!("momentum is {}: use a share from 0 up to, but not including, 1", self.momentum));
        if let Some(why) = momentum.or_else(|| problem(cx, x, self.epsilon)) {
            return cx.tracer().error("batch_norm", &[x], why);
        }
        let last = x.rank() - 1;
        let (axes, channels) = ((0..last).collect::<Vec<_>>(), &x.shape()[last..]);
        let n: usize = x.shape()[..last].iter().product();
        let mean = cx.running("mean", channels, Init::Zeros);
        let variance = cx.running("variance", channels, Init::Ones);
        let (m, v) = if cx.training() && n > 1 {
            let m = x.mean(&axes);
            let v = (x - &m).square().mean(&axes);
            let towards = |running: &Tensor, batch: Tensor| running + (batch - running) * (1.0 - self.momentum);
            cx.update("mean", &towards(&mean, m.clone()));
            cx.update("variance", &towards(&variance, &v * (n as f64 / (n - 1) as f64)));
            (m, v)
        } else {
            (mean, variance)
        };
        (x - m) * ((v + self.epsilon).rsqrt() * cx.param("scale", channels, Init::Ones)) + cx.param("offset", channels, Init::Zeros)
    }
}

impl Default for LayerNorm {
    fn default() -> LayerNorm {
        LayerNorm { epsilon: epsilon() }
    }
}

impl LayerNorm {
    /// ε = 10⁻⁵.
    pub fn new() -> LayerNorm {
        LayerNorm::default()
    }

    /// With this ε.
    pub fn epsilon(self, epsilon: f64) -> LayerNorm {
        LayerNorm { epsilon }
    }

    /// Sends `x` through the layer.
    pub fn forward(&self, cx: &Context, x: &Tensor) -> Tensor {
        if let Some(why) = problem(cx, x, self.epsilon) {
            return cx.tracer().error("layer_norm", &[x], why);
        }
        let last = x.rank() - 1;
        let features = &x.shape()[last..];
        let wide = |t: Tensor| t.broadcast(x.shape(), &(0..last).collect::<Vec<_>>());
        let centred = x - wide(x.mean(&[last]));
        let root = (centred.square().mean(&[last]) + self.epsilon).rsqrt();
        centred * wide(root) * cx.param("scale", features, Init::Ones) + cx.param("offset", features, Init::Zeros)
    }
}

fn problem(cx: &Context, x: &Tensor, epsilon: f64) -> Option<String> {
    if !(epsilon > 0.0 && epsilon.is_finite()) {
        return Some(format!("epsilon is {epsilon}: use a small positive number, such as 1e-5"));
    }
    if x.rank() < 2 || x.shape().contains(&0) {
        let fix = "add a reshape layer with shape = [1] before it";
        return Some(format!("needs [batch, …, features], but the input has shape {:?}: {fix}", x.shape()));
    }
    type_problem(cx, x)
}
