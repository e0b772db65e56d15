//! Three spirals of points and the network that tells them apart: something to train that needs no file.

use super::sample;
use crate::report::Report;
use crate::{Texts, number};
use std::f64::consts::TAU;

/// Rows of each spiral.
const ROWS: usize = 4_000;

/// Writes the data and the training file of the spirals, and returns the file.
pub fn spirals(texts: &Texts) -> Result<String, Report> {
    let mut table = String::from("x,y,arm\n");
    let mut random = 1u64;
    // Deviates of a triangle from a linear congruential generator (Knuth's MMIX constants): the same table everywhere.
    let mut next = || {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 11) as f64 / (1u64 << 53) as f64
    };
    for i in 0..3 * ROWS {
        let (arm, t) = (i % 3, next());
        let angle = TAU * (arm as f64 / 3.0 + 1.1 * t) + 1.4 * (next() + next() - 1.0);
        let radius = 0.08 + 0.92 * t;
        let short = |x: f64| number::short((x * 1e5).round() / 1e5);
        table.push_str(&format!("{},{},{}\n", short(radius * angle.cos()), short(radius * angle.sin()), ["a", "b", "c"][arm]));
    }
    sample(texts, "spirals.csv", &table)?;
    sample(texts, "spirals.toml", SPIRALS)
}

const SPIRALS: &str = r#"# Three spirals of points, told apart by their arm.
epochs = 300
batch = 32
learning_rate = 0.01
schedule = "cosine"

[data]
kind = "csv"
file = "spirals.csv"
target = "arm"
validation = 0.2
test = 0.2

[[layers]]
type = "dense"
units = 32
activation = "tanh"

[[layers]]
type = "dense"
units = 32
activation = "tanh"

[[layers]]
type = "dense"
units = 3
"#;
