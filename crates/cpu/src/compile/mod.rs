//! From a graph to a program: [`prepare`] rewrites it, [`orient`] puts few features before many rows, [`refine`] splits
//! the rows of its batch, [`analysis`] finds what is separable in the batch, [`stage`] cuts it, [`fuse`] schedules each
//! stage and [`lower`] makes its kernels.

mod again;
pub mod analysis;
pub mod contraction;
mod frame;
pub mod fuse;
mod kernel;
pub mod lower;
pub mod memory;
pub mod orient;
pub mod prepare;
pub mod refine;
mod region;
pub mod stage;
pub mod view;
mod winograd;
