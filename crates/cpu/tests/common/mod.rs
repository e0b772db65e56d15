//! What the tests of compiled programs share: reference values with error bounds, running and
//! comparing, and random graphs.
#![allow(dead_code)] // each test file uses its part

pub mod bounds;
pub mod case;
pub mod generate;
pub mod genes;
pub mod isa;
pub mod moves;
pub mod pool;
pub mod rng;
pub mod train;
