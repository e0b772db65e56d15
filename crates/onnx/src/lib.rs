//! Models of other programs: ONNX files, written and read.
//!
//! The computation graph is the only representation of a program, so that is what is written: node w12 of
//! the printed graph is the value `w12` of the file. The batch size is a symbol, `N`.

mod error;
mod export;
mod file;
mod import;
mod model;
mod proto;

pub use error::{Error, Result};
pub use export::{Info, export, export_model};
pub use file::TensorFile;
pub use import::{Imported, Port, Predictor, import};
