//! Layers made of layers: a sum with the input, branches side by side.

use super::{Layer, names};
use crate::{Context, Init};
use graph::Tensor;
use graph::ops::Conv;
use serde::{Deserialize, Serialize};

/// x + layers(x) (He et al. 2016). If the layers change the shape, x goes through a linear projection
/// without bias: of the last axis, and for images with the layers' stride (a 1×1 convolution).
///
/// Parameters: those of the layers, under their names; `projection [channels in, channels out]` if the
/// shapes differ.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Residual {
    /// The layers whose result is added.
    pub layers: Vec<Layer>,
}

/// The same input through several branches, whose results are put one after another along the last
/// axis. A branch without layers passes the input on.
///
/// Parameters: those of the layers, as `branch_1/dense_1/weight`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Concat {
    /// The layers of each branch.
    pub branches: Vec<Vec<Layer>>,
}

/// Layers one after another, each under its name; the outputs of all.
pub(crate) fn stack(cx: &Context, layers: &[Layer], x: &Tensor) -> Vec<Tensor> {
    let mut x = x.clone();
    let step = |(layer, name): (&Layer, String)| {
        x = cx.layer(&name, || layer.forward(cx, &x));
        x.clone()
    };
    layers.iter().zip(names(layers)).map(step).collect()
}

fn through(cx: &Context, layers: &[Layer], x: &Tensor) -> Tensor {
    stack(cx, layers, x).pop().unwrap_or_else(|| x.clone())
}

impl Residual {
    /// Adds nothing yet.
    pub fn new() -> Residual {
        Residual::default()
    }

    /// With one more layer at the end of those whose result is added.
    pub fn layer(mut self, layer: impl Into<Layer>) -> Residual {
        self.layers.push(layer.into());
        self
    }

    /// Sends `x` through the layer.
    pub fn forward(&self, cx: &Context, x: &Tensor) -> Tensor {
        if self.layers.is_empty() {
            return cx.tracer().error("residual", &[x], "has no layers: give at least one".into());
        }
        let y = through(cx, &self.layers, x);
        if y.is_poisoned() || y.shape() == x.shape() {
            return y + x;
        }
        match project(cx, x, y.shape()) {
            Ok(x) => y + x,
            Err(why) => cx.tracer().error("residual", &[x, &y], why),
        }
    }
}

/// `x` in the shape `to`: the last axis by a matrix, height and width by leaving out.
fn project(cx: &Context, x: &Tensor, to: &[usize]) -> Result<Tensor, String> {
    let last = x.rank().saturating_sub(1);
    let cannot = || format!("its layers turn {:?} into {to:?}, which no projection of the input can be added to", x.shape());
    if x.rank() < 2 || to.len() != x.rank() || x.dtype() != cx.dtype() || x.shape().contains(&0) || to.contains(&0) {
        return Err(cannot());
    }
    let weight = |shape: &[usize]| cx.param("projection", shape, Init::GlorotUniform);
    let ends = [x.shape()[last], to[last]];
    if x.shape()[..last] == to[..last] {
        return Ok(x.matmul(&weight(&ends)));
    }
    let strides = [1, 2].map(|d| if last == 3 { x.shape()[d].div_ceil(to[d]) } else { 0 });
    let fits = last == 3 && x.shape()[0] == to[0] && [0, 1].iter().all(|&d| x.shape()[d + 1].div_ceil(strides[d]) == to[d + 1]);
    if !fits {
        return Err(format!("{}; use padding = \"same\" in its convolutions", cannot()));
    }
    // The parameter is a matrix in both cases.
    let kernel = weight(&ends).reshape(&[1, 1, ends[0], ends[1]]);
    Ok(x.conv(&kernel, Conv { stride: strides, ..Conv::default() }))
}

impl Concat {
    /// No branches yet.
    pub fn new() -> Concat {
        Concat::default()
    }

    /// With one more branch.
    pub fn branch(mut self, layers: impl IntoIterator<Item = Layer>) -> Concat {
        self.branches.push(layers.into_iter().collect());
        self
    }

    /// Sends `x` through the layer.
    pub fn forward(&self, cx: &Context, x: &Tensor) -> Tensor {
        let parts: Vec<Tensor> = (self.branches.iter().enumerate())
            .map(|(i, layers)| cx.layer(&format!("branch_{}", i + 1), || through(cx, layers, x)))
            .collect();
        let refs: Vec<&Tensor> = parts.iter().collect();
        let Some(first) = parts.first() else {
            return cx.tracer().error("concat", &[x], "has no branches: give at least one".into());
        };
        let outer = |t: &Tensor| t.shape().split_last().map(|(_, outer)| outer.to_vec()).filter(|outer| !outer.is_empty());
        if outer(first).is_none() || parts.iter().any(|p| outer(p) != outer(first)) {
            let why = "its branches give different shapes, or single numbers: only the last axis may differ";
            return cx.tracer().error("concat", &refs, why.into());
        }
        Tensor::concat(&refs, first.rank() - 1)
    }
}
