//! Layers: small structs that add a few operations to the graph when a tensor is sent through them.
//!
//! Images are `[batch, height, width, channels]`. A layer takes its parameters from the context's
//! current path: [`Sequential`](crate::Sequential) names layers itself; in a model of your own wrap
//! each use in [`Context::layer`].

mod branch;
mod conv;
mod conv_transpose;
mod dense;
mod embedding;
mod norm;
mod pool;
mod simple;

pub(crate) use branch::stack;
pub use branch::{Concat, Residual};
pub use conv::{Conv2d, Padding};
pub use conv_transpose::Conv2dTranspose;
pub use dense::Dense;
pub use embedding::Embedding;
pub use norm::{BatchNorm, LayerNorm};
pub use pool::{AveragePool2d, GlobalAveragePool2d, GlobalMaxPool2d, MaxPool2d};
pub use simple::{Apply, Dropout, Flatten, Rescale, Reshape};

use crate::{Activation, Context};
use graph::{DType, Tensor};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// One layer of a [`Sequential`](crate::Sequential) model.
///
/// ```
/// use neurona::layers::{Dense, Layer};
/// use neurona::Activation;
/// let layer: Layer = toml::from_str("type = \"dense\"\nunits = 8\nactivation = \"relu\"")?;
/// assert_eq!(layer, Dense::new(8).activation(Activation::Relu).into());
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Layer {
    /// Every output from every input.
    Dense(Dense),
    /// Convolution of images.
    Conv2d(Conv2d),
    /// Transposed convolution: images that grow.
    Conv2dTranspose(Conv2dTranspose),
    /// Largest value of each window.
    MaxPool2d(MaxPool2d),
    /// Mean of each window.
    AveragePool2d(AveragePool2d),
    /// Largest value of each channel.
    GlobalMaxPool2d(GlobalMaxPool2d),
    /// Mean of each channel.
    GlobalAveragePool2d(GlobalAveragePool2d),
    /// Mean 0 and variance 1 over the batch.
    BatchNorm(BatchNorm),
    /// Mean 0 and variance 1 within each row.
    LayerNorm(LayerNorm),
    /// Layers whose result is added to the input.
    Residual(Residual),
    /// Branches whose results are joined.
    Concat(Concat),
    /// All axes of a row as one.
    Flatten(Flatten),
    /// Random zeros while training.
    Dropout(Dropout),
    /// A learned vector for each number of a vocabulary.
    Embedding(Embedding),
    /// An activation as a layer of its own.
    Activation(Apply),
    /// Another shape for each row.
    Reshape(Reshape),
    /// scale·x + offset.
    Rescale(Rescale),
}

impl Layer {
    /// The layer's name in configurations and parameter paths.
    pub fn kind(&self) -> &'static str {
        match self {
            Layer::Dense(_) => "dense",
            Layer::Conv2d(_) => "conv2d",
            Layer::Conv2dTranspose(_) => "conv2d_transpose",
            Layer::MaxPool2d(_) => "max_pool2d",
            Layer::AveragePool2d(_) => "average_pool2d",
            Layer::GlobalMaxPool2d(_) => "global_max_pool2d",
            Layer::GlobalAveragePool2d(_) => "global_average_pool2d",
            Layer::BatchNorm(_) => "batch_norm",
            Layer::LayerNorm(_) => "layer_norm",
            Layer::Residual(_) => "residual",
            Layer::Concat(_) => "concat",
            Layer::Flatten(_) => "flatten",
            Layer::Dropout(_) => "dropout",
            Layer::Embedding(_) => "embedding",
            Layer::Activation(_) => "activation",
            Layer::Reshape(_) => "reshape",
            Layer::Rescale(_) => "rescale",
        }
    }

    /// Sends `x` (axis 0 is the batch) through the layer.
    pub fn forward(&self, cx: &Context, x: &Tensor) -> Tensor {
        if x.is_poisoned() {
            return x.clone();
        }
        match self {
            Layer::Dense(l) => l.forward(cx, x),
            Layer::Conv2d(l) => l.forward(cx, x),
            Layer::Conv2dTranspose(l) => l.forward(cx, x),
            Layer::MaxPool2d(l) => l.forward(cx, x),
            Layer::AveragePool2d(l) => l.forward(cx, x),
            Layer::GlobalMaxPool2d(l) => l.forward(cx, x),
            Layer::GlobalAveragePool2d(l) => l.forward(cx, x),
            Layer::BatchNorm(l) => l.forward(cx, x),
            Layer::LayerNorm(l) => l.forward(cx, x),
            Layer::Residual(l) => l.forward(cx, x),
            Layer::Concat(l) => l.forward(cx, x),
            Layer::Flatten(l) => l.forward(cx, x),
            Layer::Dropout(l) => l.forward(cx, x),
            Layer::Embedding(l) => l.forward(cx, x),
            Layer::Activation(l) => l.function.apply(x),
            Layer::Reshape(l) => l.forward(cx, x),
            Layer::Rescale(l) => l.forward(cx, x),
        }
    }
}

/// Names of layers in parameter paths, numbered by type: `dense_1`, `dense_2`.
pub(crate) fn names(layers: &[Layer]) -> Vec<String> {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    let mut name = |layer: &Layer| {
        let n = counts.entry(layer.kind()).or_default();
        *n += 1;
        format!("{}_{n}", layer.kind())
    };
    layers.iter().map(&mut name).collect()
}

/// If these layers look their input up in tables: how many numbers the smallest of these knows.
pub(crate) fn vocabulary(layers: &[Layer]) -> Option<usize> {
    match layers.first()? {
        Layer::Embedding(e) => Some(e.vocabulary),
        Layer::Residual(r) => vocabulary(&r.layers),
        Layer::Concat(c) => c.branches.iter().filter_map(|b| vocabulary(b)).min(),
        _ => None,
    }
}

macro_rules! into_layer {
    ($($layer:ident),*) => { $(
        impl From<$layer> for Layer {
            fn from(layer: $layer) -> Layer {
                Layer::$layer(layer)
            }
        }
    )* };
}
into_layer!(Dense, Conv2d, Conv2dTranspose, MaxPool2d, AveragePool2d, GlobalMaxPool2d, GlobalAveragePool2d, BatchNorm, LayerNorm);
into_layer!(Residual, Concat, Flatten, Dropout, Embedding, Reshape, Rescale);

impl From<Activation> for Layer {
    fn from(function: Activation) -> Layer {
        Layer::Activation(Apply { function })
    }
}

/// Height and width of a window, a step or a distance; written as one number where both are equal.
///
/// ```
/// use neurona::layers::Size;
/// assert_eq!(serde_json::from_str::<Size>("3")?, Size([3, 3]));
/// assert_eq!(serde_json::from_str::<Size>("[3, 5]")?, Size::from([3, 5]));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "OneOrTwo", into = "OneOrTwo")]
pub struct Size(pub [usize; 2]);

#[derive(Serialize, Deserialize)]
#[serde(untagged, expecting = "expected a number or [height, width]")]
enum OneOrTwo {
    One(usize),
    Two([usize; 2]),
}

impl From<OneOrTwo> for Size {
    fn from(x: OneOrTwo) -> Size {
        match x {
            OneOrTwo::One(n) => Size([n, n]),
            OneOrTwo::Two(hw) => Size(hw),
        }
    }
}

impl From<Size> for OneOrTwo {
    fn from(Size([h, w]): Size) -> OneOrTwo {
        if h == w { OneOrTwo::One(h) } else { OneOrTwo::Two([h, w]) }
    }
}

impl From<usize> for Size {
    fn from(n: usize) -> Size {
        Size([n, n])
    }
}

impl From<[usize; 2]> for Size {
    fn from(hw: [usize; 2]) -> Size {
        Size(hw)
    }
}

/// Extents beyond this are mistakes, and their products would overflow.
const LARGEST: usize = 1 << 16;

impl Size {
    /// Why this cannot be the `what` of a layer, if it cannot.
    fn problem(self, what: &str) -> Option<String> {
        let fits = self.0.iter().all(|n| (1..=LARGEST).contains(n));
        (!fits).then(|| format!("{what} is {:?}: use numbers from 1 to {LARGEST}", self.0))
    }
}

/// Why `x` is no batch of images of the parameters' type, if it is not.
fn image_problem(cx: &Context, x: &Tensor) -> Option<String> {
    if x.rank() != 4 {
        let fix = "add a reshape layer before it, such as shape = [28, 28, 1]";
        return Some(format!("needs images [batch, height, width, channels], 4 axes, but the input has {}: {fix}", x.rank()));
    }
    type_problem(cx, x)
}

/// Why `x` cannot be multiplied with parameters, if it cannot.
fn type_problem(cx: &Context, x: &Tensor) -> Option<String> {
    let fix = if x.dtype() == DType::I32 { "give the data as f32, or add an embedding or rescale layer before it" } else { "cast it" };
    (x.dtype() != cx.dtype()).then(|| format!("needs numbers of type {}: {fix}", cx.dtype()))
}

/// Number of elements of one row, unless it overflows.
pub(crate) fn volume(shape: &[usize]) -> Option<usize> {
    shape.iter().try_fold(1usize, |n, &d| n.checked_mul(d))
}
