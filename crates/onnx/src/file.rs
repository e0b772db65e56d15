//! Files of one tensor.

use crate::import::Kind;
use crate::model::Tensor;
use crate::{Error, Result};
use graph::DType;

/// A tensor in a file of its own (`.pb`), as test data of ONNX come.
#[derive(Clone, Debug, PartialEq)]
pub struct TensorFile {
    /// Its name.
    pub name: String,
    /// `F32` for floats of any width, `I32` for integers and truth values.
    pub dtype: DType,
    /// Extents.
    pub shape: Vec<usize>,
    /// Elements, last axis fastest.
    pub values: Vec<f64>,
}

impl TensorFile {
    /// Reads a tensor.
    ///
    /// # Errors
    /// Bytes that are no tensor, or one of a type that the graph does not have.
    pub fn read(bytes: &[u8]) -> Result<TensorFile> {
        let t = Tensor::decode(bytes).map_err(|why| Error::Malformed { place: "the tensor".into(), why })?;
        let dtype = if Kind::of(t.element) == Kind::Float { DType::F32 } else { DType::I32 };
        Ok(TensorFile { values: t.data.wide(), name: t.name, dtype, shape: t.shape })
    }
}
