//! Pooling: a reduction over the windows of an image.

use super::{Size, image_problem};
use crate::Context;
use graph::Tensor;
use serde::{Deserialize, Serialize};

/// Largest value of each window, channel by channel; what does not fill a window is left out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MaxPool2d {
    /// Height and width of a window.
    pub size: Size,
    /// Step between windows; the window's size if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stride: Option<Size>,
}

/// Mean of each window, channel by channel; what does not fill a window is left out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AveragePool2d {
    /// Height and width of a window.
    pub size: Size,
    /// Step between windows; the window's size if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stride: Option<Size>,
}

impl MaxPool2d {
    /// Windows side by side.
    pub fn new(size: impl Into<Size>) -> MaxPool2d {
        MaxPool2d { size: size.into(), stride: None }
    }

    /// With this step between windows.
    pub fn stride(self, stride: impl Into<Size>) -> MaxPool2d {
        MaxPool2d { stride: Some(stride.into()), ..self }
    }

    /// Sends `x` through the layer.
    pub fn forward(&self, cx: &Context, x: &Tensor) -> Tensor {
        pool("max_pool2d", cx, x, self.size, self.stride, |w| w.max(&[3, 4]))
    }
}

impl AveragePool2d {
    /// Windows side by side.
    pub fn new(size: impl Into<Size>) -> AveragePool2d {
        AveragePool2d { size: size.into(), stride: None }
    }

    /// With this step between windows.
    pub fn stride(self, stride: impl Into<Size>) -> AveragePool2d {
        AveragePool2d { stride: Some(stride.into()), ..self }
    }

    /// Sends `x` through the layer.
    pub fn forward(&self, cx: &Context, x: &Tensor) -> Tensor {
        pool("average_pool2d", cx, x, self.size, self.stride, |w| w.mean(&[3, 4]))
    }
}

/// Largest value of each channel of the whole image: `[batch, height, width, channels] → [batch, channels]`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GlobalMaxPool2d {}

/// Mean of each channel over the whole image: `[batch, height, width, channels] → [batch, channels]`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GlobalAveragePool2d {}

impl GlobalMaxPool2d {
    /// The layer.
    pub fn new() -> GlobalMaxPool2d {
        GlobalMaxPool2d {}
    }

    /// Sends `x` through the layer.
    pub fn forward(&self, cx: &Context, x: &Tensor) -> Tensor {
        global("global_max_pool2d", cx, x, |x| x.max(&[1, 2]))
    }
}

impl GlobalAveragePool2d {
    /// The layer.
    pub fn new() -> GlobalAveragePool2d {
        GlobalAveragePool2d {}
    }

    /// Sends `x` through the layer.
    pub fn forward(&self, cx: &Context, x: &Tensor) -> Tensor {
        global("global_average_pool2d", cx, x, |x| x.mean(&[1, 2]))
    }
}

fn global(name: &'static str, cx: &Context, x: &Tensor, reduce: impl Fn(&Tensor) -> Tensor) -> Tensor {
    let pixels = |x: &Tensor| x.shape()[1] * x.shape()[2];
    match image_problem(cx, x).or_else(|| (pixels(x) == 0).then(|| "the images have no pixels: use fewer layers before".into())) {
        Some(why) => cx.tracer().error(name, &[x], why),
        None => reduce(x),
    }
}

/// Reduces the axes 3 and 4 of the windows `[N, OH, OW, KH, KW, C]`.
fn pool(name: &'static str, cx: &Context, x: &Tensor, size: Size, stride: Option<Size>, reduce: impl Fn(&Tensor) -> Tensor) -> Tensor {
    let stride = stride.unwrap_or(size);
    let problem = size.problem("size").or_else(|| stride.problem("stride")).or_else(|| image_problem(cx, x)).or_else(|| {
        let image = [x.shape()[1], x.shape()[2]];
        let fits = size.0[0] <= image[0] && size.0[1] <= image[1];
        (!fits).then(|| format!("windows of {:?} do not fit images of {image:?}: use smaller windows or fewer layers before", size.0))
    });
    match problem {
        Some(why) => cx.tracer().error(name, &[x], why),
        None => reduce(&x.unfold(size.0, stride.0)),
    }
}
