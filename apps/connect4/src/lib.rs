//! Connect Four: an exact solver, networks that learn from it, players, and how good they are.

pub mod board;
pub mod book;
pub mod games;
pub mod horizon;
pub mod judge;
pub mod lesson;
pub mod network;
pub mod notation;
mod parity;
pub mod plain;
pub mod planes;
pub mod player;
pub mod sets;
pub mod solver;
pub mod table;
pub mod transposition;
pub mod work;

pub use board::Position;
pub use notation::BadPosition;
pub use solver::Solver;
