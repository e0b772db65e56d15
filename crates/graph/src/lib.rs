//! The computation graph of the blackboard — `w0 = x`, `w1 = y`, `w2 = w0 / w1`, … — as the only
//! representation of a program.
//!
//! A [`Graph`] is a list of nodes in the order in which they are computed. It is built by [`Tensor`]
//! handles (or node by node), printed, verified, evaluated by a slow and obvious reference
//! ([`eval`]), and differentiated into itself ([`diff`]): a derivative is more nodes of the same
//! list, so it can be differentiated again, to any order.
//!
//! ```
//! use graph::{DType, Tracer, Value, diff, eval};
//! let cx = Tracer::new();
//! let (x, y) = (cx.input("x", DType::F64, &[]), cx.input("y", DType::F64, &[]));
//! let f = (&x / &y + 5.0).powf(2.0) + &x;
//! let df = diff::grad(&f, &[&x, &y]);
//! let g = cx.finish()?;
//! let at = [Value::scalar(DType::F64, 6.0), Value::scalar(DType::F64, 2.0)];
//! let out = eval::evaluate(&g, &at, &[f.id(), df[0].id(), df[1].id()])?;
//! assert_eq!([out[0].data[0], out[1].data[0], out[2].data[0]], [70.0, 9.0, -24.0]);
//! # Ok::<(), graph::Error>(())
//! ```

pub mod diff;
mod error;
pub mod eval;
mod list;
pub mod ops;
mod print;
mod simplify;
mod tensor;
mod types;
pub mod verify;

pub use error::Error;
pub use list::{Graph, Id, Node};
pub use ops::Op;
pub use tensor::{Tensor, Tracer};
pub use types::{DType, Scalar, Type, Value};

/// What a fallible function of this crate returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;
