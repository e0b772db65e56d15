//! The convolution layer.

use super::dense::{glorot, yes};
use super::{Size, image_problem};
use crate::{Activation, Context, Init};
use graph::Tensor;
use graph::ops::Conv;
use serde::{Deserialize, Serialize};

/// What surrounds the image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Padding {
    /// Nothing: the result is smaller than the image.
    #[default]
    Valid,
    /// Zeros, so that the result has ⌈extent/stride⌉ positions; an odd number of zeros puts one more
    /// after than before (as in TensorFlow).
    Same,
}

/// activation(x ∗ W + b): `[batch, height, width, channels] → [batch, …, …, filters]`.
///
/// Parameters: `weight [kernel height, kernel width, channels, filters]`, `bias [filters]` (starts at 0).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conv2d {
    /// Number of output channels.
    pub filters: usize,
    /// Height and width of the kernel.
    pub kernel: Size,
    /// Step between output positions.
    #[serde(default = "one")]
    pub stride: Size,
    /// What surrounds the image.
    #[serde(default)]
    pub padding: Padding,
    /// Distance of neighbouring kernel elements.
    #[serde(default = "one")]
    pub dilation: Size,
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

pub(super) fn one() -> Size {
    Size([1, 1])
}

impl Conv2d {
    /// A linear convolution with bias, stride 1 and no padding.
    pub fn new(filters: usize, kernel: impl Into<Size>) -> Conv2d {
        Conv2d {
            filters,
            kernel: kernel.into(),
            stride: one(),
            padding: Padding::Valid,
            dilation: one(),
            activation: Activation::Linear,
            bias: true,
            init: glorot(),
        }
    }

    /// With this activation.
    pub fn activation(self, activation: Activation) -> Conv2d {
        Conv2d { activation, ..self }
    }

    /// With this step between output positions.
    pub fn stride(self, stride: impl Into<Size>) -> Conv2d {
        Conv2d { stride: stride.into(), ..self }
    }

    /// With zeros around the image, so that stride 1 keeps its size.
    pub fn same(self) -> Conv2d {
        Conv2d { padding: Padding::Same, ..self }
    }

    /// With this distance of neighbouring kernel elements.
    pub fn dilation(self, dilation: impl Into<Size>) -> Conv2d {
        Conv2d { dilation: dilation.into(), ..self }
    }

    /// Without bias.
    pub fn without_bias(self) -> Conv2d {
        Conv2d { bias: false, ..self }
    }

    /// With weights that start like this.
    pub fn init(self, init: Init) -> Conv2d {
        Conv2d { init, ..self }
    }

    /// Extent of the dilated kernel along axis `d`.
    fn reach(&self, d: usize) -> usize {
        (self.kernel.0[d] - 1) * self.dilation.0[d] + 1
    }

    fn problem(&self, cx: &Context, x: &Tensor) -> Option<String> {
        let sizes = [(self.kernel, "kernel"), (self.stride, "stride"), (self.dilation, "dilation")];
        let sizes = sizes.iter().find_map(|(size, what)| size.problem(what));
        let filters = (self.filters == 0).then(|| "filters is 0: use at least 1".to_string());
        filters.or(sizes).or_else(|| image_problem(cx, x)).or_else(|| {
            let (h, w) = (x.shape()[1], x.shape()[2]);
            let fits = self.padding == Padding::Same || (self.reach(0) <= h && self.reach(1) <= w);
            (!fits).then(|| {
                let reach = [self.reach(0), self.reach(1)];
                format!("a kernel that spans {reach:?} does not fit images of [{h}, {w}]: use padding = \"same\" or a smaller kernel")
            })
        })
    }

    /// Zeros before and after axis `d` of an image with `n` elements along it.
    fn around(&self, d: usize, n: usize) -> (i64, i64) {
        if self.padding == Padding::Valid || n == 0 {
            return (0, 0);
        }
        let stride = self.stride.0[d];
        let total = ((n.div_ceil(stride) - 1) * stride + self.reach(d)).saturating_sub(n);
        ((total / 2) as i64, (total - total / 2) as i64)
    }

    /// Sends `x` through the layer.
    pub fn forward(&self, cx: &Context, x: &Tensor) -> Tensor {
        if let Some(why) = self.problem(cx, x) {
            return cx.tracer().error("conv2d", &[x], why);
        }
        let [kh, kw] = self.kernel.0;
        let padding = [0, 1].map(|d| self.around(d, x.shape()[d + 1]));
        let conv = Conv { stride: self.stride.0, padding, rhs_dilation: self.dilation.0, ..Conv::default() };
        let y = x.conv(&cx.param("weight", &[kh, kw, x.shape()[3], self.filters], self.init), conv);
        let y = if self.bias { y + cx.param("bias", &[self.filters], Init::Zeros) } else { y };
        self.activation.apply(&y)
    }
}
