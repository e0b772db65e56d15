//! Models of other programs: ONNX files, written and read.
//!
//! The computation graph is the only representation of a program, so that is what is written: node w12 of
//! the printed graph is the value `w12` of the file, weights keep their names, and the batch size is a
//! symbol, `N`. Any trace can be exported, a gradient too; [`export_model`] takes a layer model:
//!
//! ```
//! use neurona::prelude::*;
//! let model = Sequential::new(&[3]).layer(Dense::new(2).activation(Activation::Softmax));
//! let weights = [vec![0.1, 0.2, 0.3, 0.4, 0.5, 0.6], vec![0.0, 0.1]];
//! let info = onnx::Info { labels: vec!["cat".into(), "dog".into()], ..onnx::Info::default() };
//! let file = onnx::export_model(&model, &[], &weights, &info)?;
//!
//! let read = onnx::import(&file)?;
//! assert_eq!(read.notes()[0], ("labels".to_string(), r#"["cat","dog"]"#.to_string()));
//! let y = read.predict(&[1, 3], &[1.0, 0.0, 0.0])?;
//! assert!((y.data[0] + y.data[1] - 1.0).abs() < 1e-6);
//! # Ok::<(), onnx::Error>(())
//! ```
//!
//! [`import`] reads models of operator sets up to today's whose operators the graph can express: arithmetic,
//! elementary functions and activations, products, convolutions and pooling of one or two dimensions,
//! normalizations, reductions, softmax, moves, indices, resizing. Not among them: control flow, recurrent
//! layers, attention as one operator, sequences, texts, half precision, quantized numbers. Whatever a file
//! asks for that is missing is reported at once, with the names of the nodes. Floats of any width become the
//! type of the weights, integers 32 bits.

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
