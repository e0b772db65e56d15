//! A table of learned vectors.

use crate::{Context, Init};
use graph::{DType, Tensor};
use serde::{Deserialize, Serialize};

/// A learned vector for each of the numbers 0 … vocabulary − 1: `[batch, …] → [batch, …, dimension]`.
/// The input is i32, or f32 that holds whole numbers. A number outside the vocabulary gives NaN
/// ([`Trainer`](crate::Trainer) reports it before training).
///
/// Parameters: `weight [vocabulary, dimension]`, starting within ±0.05.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Embedding {
    /// Number of vectors.
    pub vocabulary: usize,
    /// Length of a vector.
    pub dimension: usize,
}

impl Embedding {
    /// A table of `vocabulary` vectors of length `dimension`.
    pub fn new(vocabulary: usize, dimension: usize) -> Embedding {
        Embedding { vocabulary, dimension }
    }

    /// Sends `x` through the layer.
    pub fn forward(&self, cx: &Context, x: &Tensor) -> Tensor {
        if self.vocabulary == 0 || self.dimension == 0 || self.vocabulary > i32::MAX as usize {
            let why =
                format!("a table of [{}, {}]: vocabulary and dimension must be from 1 to {}", self.vocabulary, self.dimension, i32::MAX);
            return cx.tracer().error("embedding", &[x], why);
        }
        let table = cx.param("weight", &[self.vocabulary, self.dimension], Init::Uniform { min: -0.05, max: 0.05 });
        table.gather(&if x.dtype() == DType::I32 { x.clone() } else { x.cast(DType::I32) })
    }
}
