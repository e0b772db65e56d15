//! The fully connected layer.

use super::type_problem;
use crate::{Activation, Context, Init};
use graph::Tensor;
use serde::{Deserialize, Serialize};

/// activation(x·W + b) over the last axis: `[batch, …, features] → [batch, …, units]`.
///
/// Parameters: `weight [features, units]`, `bias [units]` (starts at 0).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dense {
    /// Number of outputs.
    pub units: usize,
    /// Applied to the weighted sums.
    #[serde(default)]
    pub activation: Activation,
    /// Whether a bias is added.
    #[serde(default = "yes")]
    pub bias: bool,
    /// How the weights start.
    #[serde(default = "glorot")]
    pub init: Init,
}

pub(super) fn yes() -> bool {
    true
}

/// As in Keras: a start that suits every activation, if none perfectly.
pub(super) fn glorot() -> Init {
    Init::GlorotUniform
}

impl Dense {
    /// A linear layer with bias.
    pub fn new(units: usize) -> Dense {
        Dense { units, activation: Activation::Linear, bias: true, init: glorot() }
    }

    /// With this activation.
    pub fn activation(self, activation: Activation) -> Dense {
        Dense { activation, ..self }
    }

    /// Without bias.
    pub fn without_bias(self) -> Dense {
        Dense { bias: false, ..self }
    }

    /// With weights that start like this.
    pub fn init(self, init: Init) -> Dense {
        Dense { init, ..self }
    }

    fn problem(&self, cx: &Context, x: &Tensor) -> Option<String> {
        match x.rank() {
            _ if self.units == 0 => Some("units is 0: use at least 1".into()),
            0 | 1 => {
                Some("needs [batch, features], but the rows are single numbers: add a reshape layer with shape = [1] before it".into())
            }
            2 | 3 => type_problem(cx, x),
            n => Some(format!("needs [batch, features], but the input has {n} axes: add a flatten layer before it")),
        }
    }

    /// Sends `x` through the layer.
    pub fn forward(&self, cx: &Context, x: &Tensor) -> Tensor {
        if let Some(why) = self.problem(cx, x) {
            return cx.tracer().error("dense", &[x], why);
        }
        let features = x.shape()[x.rank() - 1];
        let y = x.matmul(&cx.param("weight", &[features, self.units], self.init));
        let y = if self.bias { y + cx.param("bias", &[self.units], Init::Zeros) } else { y };
        self.activation.apply(&y)
    }
}
