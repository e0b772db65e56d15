//! From a graph to a program.
pub mod view;
