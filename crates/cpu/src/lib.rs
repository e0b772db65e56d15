//! Graph → program on the processor: fusion into regions, tiling by the batch, memory plan, kernels,
//! workers.
//!
//! ```
//! use cpu::{Arg, Options, Out, Program};
//! use graph::{DType, Tracer};
//! let cx = Tracer::new();
//! let x = cx.input("x", DType::F32, &[3]);
//! let y = x.tanh().sum_all();
//! let mut p = Program::compile(&cx.finish()?, &[y.id()], &Options::default())?;
//! let mut out = [0.0];
//! p.run(&[Arg::F32(&[0.0, 1.0, -1.0])], &mut [Out::F32(&mut out)])?;
//! assert_eq!(out[0], 0.0);
//! # Ok::<(), cpu::Error>(())
//! ```

pub mod compile;
pub mod exec;
pub mod isa;
mod jit;
pub mod kernels;
mod plan;
mod pool;
mod profile;
mod program;
mod section;

pub use program::{Arg, Error, Options, Out, Program};
