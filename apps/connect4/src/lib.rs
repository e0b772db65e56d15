//! Connect Four: an exact solver.

pub mod board;
pub mod notation;
pub mod solver;
pub mod transposition;

pub use board::Position;
pub use notation::BadPosition;
pub use solver::Solver;
