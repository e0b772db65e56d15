//! Kernels: what a compiled program executes. Each checks its buffers' addresses at run time only
//! through [`crate::exec::Context`]; sizes were fixed when the program was compiled.

pub mod conv;
pub mod gemm;
pub mod map;
pub mod math;
pub mod movement;
pub mod reduce;
pub mod region;
