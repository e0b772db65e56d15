//! Networks, trained: layers, losses, optimizers and data on top of the computation graph.

mod context;
pub mod data;
mod init;
mod optimizer;
mod step;

pub use context::{Context, Param};
pub use cpu::{Arg, Error as CpuError};
pub use graph::{DType, Tensor, diff, ops};
pub use init::Init;
pub use optimizer::Optimizer;
pub use step::{Function, State, Step};
