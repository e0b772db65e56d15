//! Connect Four: an exact solver.

pub mod board;
pub mod book;
pub mod games;
pub mod notation;
mod parity;
pub mod plain;
pub mod random;
pub mod sets;
pub mod solver;
pub mod table;
pub mod transposition;
pub mod work;

pub use board::Position;
pub use notation::BadPosition;
pub use solver::Solver;
