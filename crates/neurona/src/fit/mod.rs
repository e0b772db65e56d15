//! Training, evaluation and prediction of whole data sets.

mod options;
mod programs;
mod trainer;

pub use options::{BatchReport, EpochReport, FitOptions, History, Observer, Position, Scores, Snapshot};
pub use trainer::{Prediction, Trainer};
