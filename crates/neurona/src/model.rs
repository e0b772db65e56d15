//! Models: stacks of layers, and functions of one's own.

use crate::layers::{self, Layer, volume};
use crate::{Context, Error, Result};
use graph::{DType, Tensor, Type};
use serde::{Deserialize, Serialize};

/// A function from inputs to predictions that takes its parameters from a [`Context`].
///
/// Closures are models, so branches, shared layers and several inputs need no further notation:
///
/// ```
/// use neurona::prelude::*;
/// // A residual block: the layer's output is added to its input.
/// let model = |cx: &Context, x: &[Tensor]| -> Tensor {
///     let hidden = cx.layer("hidden", || Dense::new(4).activation(Activation::Tanh).forward(cx, &x[0]));
///     cx.layer("out", || Dense::new(1).forward(cx, &(&hidden + &x[0])))
/// };
/// let mut trainer = Trainer::compile(model, Loss::Mse, Optimizer::Sgd, &[]);
/// trainer.build(&[Type::new(DType::F32, [4])], 1)?;
/// assert_eq!(trainer.params()[0].name, "hidden/weight");
/// # Ok::<(), neurona::Error>(())
/// ```
pub trait Model {
    /// Predictions `[batch, …]` for inputs `[batch, …]`.
    fn forward(&self, cx: &Context, inputs: &[Tensor]) -> Tensor;

    /// Types of one row of each input, if the model knows them.
    fn inputs(&self) -> Option<Vec<Type>> {
        None
    }

    /// If the first input is a number of a vocabulary: its size, for the check of the data.
    fn vocabulary(&self) -> Option<usize> {
        None
    }
}

impl<F: Fn(&Context, &[Tensor]) -> Tensor> Model for F {
    fn forward(&self, cx: &Context, inputs: &[Tensor]) -> Tensor {
        self(cx, inputs)
    }
}

/// Layers one after another.
///
/// ```
/// use neurona::prelude::*;
/// let model = Sequential::new(&[28, 28, 1])
///     .layer(Conv2d::new(8, 3).activation(Activation::Relu))
///     .layer(MaxPool2d::new(2))
///     .layer(Flatten::new())
///     .layer(Dense::new(10));
/// assert_eq!(model.names(), ["conv2d_1", "max_pool2d_1", "flatten_1", "dense_1"]);
/// # let text = toml::to_string(&model).unwrap();
/// # assert_eq!(toml::from_str::<Sequential>(&text).unwrap(), model);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sequential {
    /// Shape of one row of the input.
    pub input: Vec<usize>,
    /// The layers, first to last.
    pub layers: Vec<Layer>,
}

impl Sequential {
    /// A model without layers, for rows of this shape.
    pub fn new(input: &[usize]) -> Sequential {
        Sequential { input: input.to_vec(), layers: vec![] }
    }

    /// With one more layer at the end.
    pub fn layer(mut self, layer: impl Into<Layer>) -> Sequential {
        self.layers.push(layer.into());
        self
    }

    /// Names of the layers in parameter paths, numbered by type: `dense_1`, `dense_2`.
    pub fn names(&self) -> Vec<String> {
        layers::names(&self.layers)
    }

    /// Predictions for `x`, of shape `[batch, input…]`.
    pub fn forward(&self, cx: &Context, x: &Tensor) -> Tensor {
        self.outputs(cx, x).pop().unwrap_or_else(|| x.clone())
    }

    /// The output of each layer.
    pub(crate) fn outputs(&self, cx: &Context, x: &Tensor) -> Vec<Tensor> {
        let mut x = x.clone();
        if x.shape().get(1..) != Some(&self.input[..]) && !x.is_poisoned() {
            x = cx.tracer().error("input", &[&x], format!("the model takes rows of shape {:?} after the batch axis", self.input));
        }
        layers::stack(cx, &self.layers, &x)
    }

    /// Checks what does not depend on the layers.
    pub(crate) fn check(&self) -> Result<()> {
        match volume(&self.input) {
            Some(n) if n > 0 => Ok(()),
            _ => Err(Error::config(
                "input",
                format!("rows of shape {:?} hold no numbers, or too many", self.input),
                "give the extents of one row",
            )),
        }
    }
}

impl Model for Sequential {
    fn forward(&self, cx: &Context, inputs: &[Tensor]) -> Tensor {
        match inputs {
            [x] => Sequential::forward(self, cx, x),
            many => cx.tracer().error("input", &many.iter().collect::<Vec<_>>(), "a sequential model takes exactly one input".into()),
        }
    }

    fn inputs(&self) -> Option<Vec<Type>> {
        Some(vec![Type::new(DType::F32, self.input.clone())])
    }

    fn vocabulary(&self) -> Option<usize> {
        layers::vocabulary(&self.layers)
    }
}
