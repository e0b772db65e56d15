//! Networks, trained: layers, losses, optimizers and data on top of the computation graph.
//!
//! The way of Keras, four steps from data to predictions:
//!
//! ```
//! use neurona::prelude::*;
//!
//! // Exclusive or: what a single perceptron cannot learn.
//! let x = [0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0];
//! let y = [0.0, 1.0, 1.0, 0.0];
//! let data = Batches::new(Rows::f32(&x, &[2]), Rows::f32(&y, &[1]));
//!
//! let model = Sequential::new(&[2])
//!     .layer(Dense::new(8).activation(Activation::Tanh))
//!     .layer(Dense::new(1).activation(Activation::Sigmoid));
//! println!("{}", Summary::new(&model)?);
//!
//! let loss = Loss::BinaryCrossEntropy { from_logits: false };
//! let mut trainer = Trainer::compile(model, loss, Optimizer::adam(), &[Metric::BinaryAccuracy]);
//! let options = FitOptions { epochs: 200, batch: 4, learning_rate: 0.1, seed: 1, ..FitOptions::default() };
//! let history = trainer.fit(&data, &options, &mut ())?;
//! assert!(history.epochs[199].train.loss < 0.05);
//! assert_eq!(trainer.evaluate(&data, 4)?.get(Metric::BinaryAccuracy), Some(1.0));
//! # Ok::<(), neurona::Error>(())
//! ```
//!
//! Everything is open: a model is a function from tensors to tensors ([`Model`]), a layer is a few
//! operations, and a loop of one's own needs only [`Context`], [`Step`] and [`State`] (see the example
//! `custom_loop`).

mod activation;
mod augment;
pub mod callbacks;
mod context;
pub mod data;
mod error;
mod files;
mod fit;
mod init;
pub mod layers;
pub mod lbfgs;
mod loss;
mod lr_find;
mod metric;
mod model;
mod names;
mod objective;
mod optimizer;
pub mod random;
pub mod report;
mod rows;
mod schedule;
mod shuffle;
mod step;
mod summary;
pub mod tensorboard;
pub mod weights;

pub use activation::{Activation, log_softmax};
pub use augment::Augment;
pub use context::{Context, Param};
pub use cpu::{Arg, Error as CpuError};
pub use error::{Error, ErrorKind, Result};
pub use files::write_whole;
pub use fit::{BatchReport, EpochReport, FitOptions, History, Observer, Position, Prediction, Scores, Snapshot, Trainer};
pub use graph::{DType, Id, Tensor, Type, diff, ops};
pub use init::Init;
pub use loss::Loss;
pub use lr_find::{RateCurve, RateFinding, RatePoint, RateRange, lr_find};
pub use metric::Metric;
pub use model::{Model, Sequential};
pub use objective::Objective;
pub use optimizer::{Clip, Optimizer, Update};
pub use random::Random;
pub use rows::{Batches, Rows, Store};
pub use schedule::Schedule;
pub use shuffle::shuffled;
pub use step::{Function, State, Step};
pub use summary::{Summary, SummaryRow};

/// Everything that is needed to define, train and use a model.
pub mod prelude {
    pub use crate::layers::{AveragePool2d, BatchNorm, Concat, Conv2d, Conv2dTranspose, Dense, Dropout, Embedding, Flatten};
    pub use crate::layers::{GlobalAveragePool2d, GlobalMaxPool2d, Layer, LayerNorm, MaxPool2d, Padding, Rescale, Reshape, Residual, Size};
    pub use crate::{
        Activation, BatchReport, Batches, Context, DType, EpochReport, FitOptions, History, Init, Loss, Metric, Model, Observer, Optimizer,
        Position, Prediction, Rows, Schedule, Scores, Sequential, Snapshot, State, Summary, Tensor, Trainer, Type,
    };
}
