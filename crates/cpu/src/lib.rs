//! Graph → program on the processor.
pub mod compile;
pub mod exec;
pub mod isa;
pub mod kernels;
