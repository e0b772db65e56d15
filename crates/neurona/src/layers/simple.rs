//! Layers without parameters.

use super::volume;
use crate::{Activation, Context};
use graph::Tensor;
use graph::ops::Compare;
use serde::{Deserialize, Serialize};

/// All axes of a row as one: `[batch, a, b, …] → [batch, a·b·…]`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flatten {}

impl Flatten {
    /// The layer.
    pub fn new() -> Flatten {
        Flatten {}
    }

    /// Sends `x` through the layer.
    pub fn forward(&self, cx: &Context, x: &Tensor) -> Tensor {
        match x.shape() {
            [] => cx.tracer().error("flatten", &[x], "needs a batch axis".into()),
            [batch, row @ ..] => x.reshape(&[*batch, row.iter().product()]),
        }
    }
}

/// Another shape for each row: `[batch, …] → [batch, shape…]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reshape {
    /// New extents of a row.
    pub shape: Vec<usize>,
}

impl Reshape {
    /// Rows of this shape.
    pub fn new(shape: &[usize]) -> Reshape {
        Reshape { shape: shape.to_vec() }
    }

    /// Sends `x` through the layer.
    pub fn forward(&self, cx: &Context, x: &Tensor) -> Tensor {
        let row = x.shape().get(1..).unwrap_or(&[]);
        if x.rank() == 0 || volume(&self.shape) != volume(row) {
            let n = volume(row).unwrap_or(0);
            return cx.tracer().error("reshape", &[x], format!("rows of {row:?} hold {n} numbers, which do not fill {:?}", self.shape));
        }
        x.reshape(&[&x.shape()[..1], &self.shape].concat())
    }
}

/// scale·x + offset; turns integers into the parameters' type.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rescale {
    /// Factor.
    pub scale: f64,
    /// Added after the factor.
    #[serde(default)]
    pub offset: f64,
}

impl Rescale {
    /// scale·x + offset.
    pub fn new(scale: f64, offset: f64) -> Rescale {
        Rescale { scale, offset }
    }

    /// Sends `x` through the layer.
    pub fn forward(&self, cx: &Context, x: &Tensor) -> Tensor {
        if !(self.scale.is_finite() && self.offset.is_finite()) {
            let why = format!("scale {} and offset {} must be finite numbers", self.scale, self.offset);
            return cx.tracer().error("rescale", &[x], why);
        }
        x.cast(cx.dtype()) * self.scale + self.offset
    }
}

/// While training, each value becomes 0 with probability `rate` and the others grow by 1/(1 − rate)
/// (Srivastava et al. 2014); otherwise nothing happens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dropout {
    /// Share of values set to 0, at least 0 and below 1.
    pub rate: f64,
}

impl Dropout {
    /// Drops this share of the values.
    pub fn new(rate: f64) -> Dropout {
        Dropout { rate }
    }

    /// Sends `x` through the layer.
    pub fn forward(&self, cx: &Context, x: &Tensor) -> Tensor {
        if !(0.0..1.0).contains(&self.rate) {
            let why = format!("rate is {}: use a share from 0 up to, but not including, 1", self.rate);
            return cx.tracer().error("dropout", &[x], why);
        }
        if !cx.training() || self.rate == 0.0 {
            return x.clone();
        }
        let u = cx.uniform(x.shape());
        let kept = u.compare(Compare::Ge, &u.full_like(self.rate));
        kept.select(&(x * (1.0 / (1.0 - self.rate))), &x.full_like(0.0))
    }
}

/// An activation as a layer of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Apply {
    /// The function.
    pub function: Activation,
}
