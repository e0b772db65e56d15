//! Any differential equation: a problem is described by formulas, its solution is a network trained in double precision.
//!
//! ```
//! use pinn::solve::{File, Problem, Solver};
//! let file: File = toml::from_str(r#"
//!     domain = { x = [0, 1], t = [0, 1] }
//!     form.u = "sin(2*pi*x) + t*N"        # the start holds whatever the network says
//!     solution.u = "sin(2*pi*(x - t))"
//!     network = { widths = [12, 12], periodic = ["x"] }
//!     sampling.points = 300
//!     stages = [{ method = "levenberg_marquardt", steps = 40 }]
//!     [[equations]]
//!     name = "transport"
//!     formula = "d(u,t) + d(u,x) = 0"
//! "#)?;
//! let problem = Problem::new(&file, std::path::Path::new("."))?;
//! let mut solver = Solver::new(&problem, None)?;
//! while !solver.is_done() {
//!     solver.advance()?;
//! }
//! assert!(solver.solved()?.relative_l2().unwrap() < 0.2);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod balance;
mod bands;
mod checks;
mod closure;
mod file;
mod formula;
mod grid;
mod jacobian;
mod linear;
mod methods;
mod names;
mod pictures;
mod problem;
mod reference;
mod region;
mod rival;
mod saved;
mod solver;
mod spread;
mod system;
mod trace;
mod windows;
mod wrong;

pub use closure::Closure;
pub use file::{Balance, Balancing, Condition, Data, Equation, File, Keep, Method, Network, Quantity, Sampling, Spread, Stage};
pub use formula::{Formula, Function, Infix, Mistake, Problem as MistakeKind, Term};
pub use grid::{Distance, places};
pub use methods::{Memory, Reason};
pub use pictures::{Words, curves, slices, solution};
pub use problem::{Axis, Place, Problem, Set};
pub use reference::{Reference, npy_bytes};
pub use region::{Shape, Solid};
pub use rival::{Rival, Unsuited};
pub use solver::{Finished, Fitted, Progress, Record, Solved, Solver};
pub use trace::Scene;
pub use wrong::{KINDS, Why, Wrongly};
