//! The transposed convolution: images that grow.

use super::conv::{Padding, one};
use super::dense::{glorot, yes};
use super::{Size, image_problem};
use crate::{Activation, Context, Init};
use graph::Tensor;
use graph::ops::Conv;
use serde::{Deserialize, Serialize};

/// Each pixel stamps the kernel, times its value, on a larger image, `stride` apart; then
/// activation(sum + b): `[batch, height, width, channels] → [batch, …, …, filters]`.
///
/// It is the transpose of the [`Conv2d`](super::Conv2d) of the same kernel, stride and padding: with
/// `valid` padding an extent n becomes (n − 1)·stride + kernel, with `same` it becomes n·stride.
///
/// Parameters: `weight [kernel height, kernel width, channels, filters]`, `bias [filters]` (starts at 0).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conv2dTranspose {
    /// Number of output channels.
    pub filters: usize,
    /// Height and width of the kernel.
    pub kernel: Size,
    /// Distance between stamps.
    #[serde(default = "one")]
    pub stride: Size,
    /// `same` cuts the margin, so that the image is exactly `stride` times as large.
    #[serde(default)]
    pub padding: Padding,
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

impl Conv2dTranspose {
    /// A linear transposed convolution with bias, stride 1 and the whole margin.
    pub fn new(filters: usize, kernel: impl Into<Size>) -> Conv2dTranspose {
        Conv2dTranspose {
            filters,
            kernel: kernel.into(),
            stride: one(),
            padding: Padding::Valid,
            activation: Activation::Linear,
            bias: true,
            init: glorot(),
        }
    }

    /// With this activation.
    pub fn activation(self, activation: Activation) -> Conv2dTranspose {
        Conv2dTranspose { activation, ..self }
    }

    /// With this distance between stamps.
    pub fn stride(self, stride: impl Into<Size>) -> Conv2dTranspose {
        Conv2dTranspose { stride: stride.into(), ..self }
    }

    /// With the margin cut, so that the image is exactly `stride` times as large.
    pub fn same(self) -> Conv2dTranspose {
        Conv2dTranspose { padding: Padding::Same, ..self }
    }

    /// Without bias.
    pub fn without_bias(self) -> Conv2dTranspose {
        Conv2dTranspose { bias: false, ..self }
    }

    /// With weights that start like this.
    pub fn init(self, init: Init) -> Conv2dTranspose {
        Conv2dTranspose { init, ..self }
    }

    fn problem(&self, cx: &Context, x: &Tensor) -> Option<String> {
        let sizes = [(self.kernel, "kernel"), (self.stride, "stride")];
        let sizes = sizes.iter().find_map(|(size, what)| size.problem(what));
        let filters = (self.filters == 0).then(|| "filters is 0: use at least 1".to_string());
        filters.or(sizes).or_else(|| image_problem(cx, x)).or_else(|| {
            let large = [0, 1].iter().any(|&d| x.shape()[d + 1] == 0 || x.shape()[d + 1].saturating_mul(self.stride.0[d]) > super::LARGEST);
            let why = "the result would have extents beyond";
            large.then(|| format!("{why} 1 to {}: use a smaller stride or fewer layers before", super::LARGEST))
        })
    }

    /// Zeros around the stretched image along axis `d` that make the convolution the transpose of one
    /// whose padding before the image is `lo` (half of kernel − stride, rounded down, for `same`).
    fn around(&self, d: usize) -> (i64, i64) {
        let (k, s) = (self.kernel.0[d] as i64, self.stride.0[d] as i64);
        match self.padding {
            Padding::Valid => (k - 1, k - 1),
            Padding::Same => {
                let before = k - 1 - (k - s).max(0) / 2;
                (before, s + k - 2 - before)
            }
        }
    }

    /// Sends `x` through the layer.
    pub fn forward(&self, cx: &Context, x: &Tensor) -> Tensor {
        if let Some(why) = self.problem(cx, x) {
            return cx.tracer().error("conv2d_transpose", &[x], why);
        }
        let [kh, kw] = self.kernel.0;
        let conv = Conv { padding: [self.around(0), self.around(1)], lhs_dilation: self.stride.0, ..Conv::default() };
        let weight = cx.param("weight", &[kh, kw, x.shape()[3], self.filters], self.init);
        let y = x.conv(&weight.reverse(&[0, 1]), conv);
        let y = if self.bias { y + cx.param("bias", &[self.filters], Init::Zeros) } else { y };
        self.activation.apply(&y)
    }
}
