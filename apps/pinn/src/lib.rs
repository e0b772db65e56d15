//! A network that solves a differential equation: φ_t + u·φ_x = 0 for 0 < t < 1, 0 < x < L, with
//! φ(t, 0) = φ(t, L) and φ(0, x) = sin(2πx/L), learned from the equation alone (a physics-informed
//! neural network; Raissi, Perdikaris & Karniadakis 2019) and graded against the exact solution
//! sin(2π(x − ut)/L).
//!
//! The residual φ_t + u·φ_x is one directional derivative along (1, u): it is carried forwards beside
//! the values in the same rows, so a compiled step needs no nested reverse pass.
//!
//! ```
//! use pinn::{Settings, train};
//! use std::ops::ControlFlow;
//! // A small network for a few steps; `preset = "deck"` (the default) holds the full figures.
//! let settings = Settings::from_toml("
//!     steps = 3
//!     network.widths = [6, 6]
//!     points = { interior = 20, boundary = 8, initial = 8 }
//!     report = { every = 1, side = 5 }
//! ")?;
//! let outcome = train(&settings, &mut |record| {
//!     println!("{}: pde {} boundary {} initial {}", record.step, record.losses.pde, record.losses.boundary, record.losses.initial);
//!     ControlFlow::Continue(())
//! })?;
//! assert_eq!(outcome.history.len(), 3);
//! assert!(outcome.relative_l2.is_finite());
//! let middle = outcome.predict(&[[0.5, 0.25]])?; // φ(0.5, 0.25), one number per point (t, x)
//! assert_eq!(middle.len(), 1);
//! # Ok::<(), pinn::Error>(())
//! ```

mod error;
mod figure;
mod grid;
mod loss;
mod network;
mod points;
mod predictor;
mod problem;
mod settings;
pub mod solve;
mod training;
mod upwind;

pub use error::{Allowed, Error};
pub use figure::{Labels, curves, panels};
pub use grid::{Grid, difference, max_error, relative_l2};
pub use loss::{Losses, residual, trace};
pub use network::{Activation, Network};
pub use points::{Cloud, Points, Sampling};
pub use predictor::Predictor;
pub use problem::Transport;
pub use settings::{Decay, LearningRate, Preset, Report, Settings, Weights};
pub use training::{Outcome, Record, Training, train};
pub use upwind::upwind;

/// What a fallible function of this crate returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;
