//! How the time of a training step grows: one multilayer perceptron of several widths and batches.

use crate::workloads::{Cost, multilayer};
use crate::{Error, SEED, check, median, ms, repeat, workers};
use neurona::{Arg, Optimizer, State, Step, ops::source};
use std::time::Instant;

/// Widths that are measured.
pub const WIDTHS: [usize; 6] = [32, 64, 128, 256, 512, 1024];

/// Batches that are measured.
pub const BATCHES: [usize; 4] = [16, 64, 256, 1024];

/// One training step of one size.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Point {
    /// Inputs, outputs and units of every layer.
    pub width: usize,
    /// Rows.
    pub batch: usize,
    /// Worker threads.
    pub threads: usize,
    /// Median time of a step, in ms.
    pub median_ms: f64,
    /// Time that tracing and compiling took before, in ms.
    pub compile_ms: f64,
    /// Multiply-adds.
    pub multiply_adds: Cost,
}

impl Point {
    /// As JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::json!({
            "peer": "neurona", "width": self.width, "batch": self.batch, "threads": self.threads, "step_ms": self.median_ms,
            "compile_ms": self.compile_ms, "multiply_adds": self.multiply_adds.forward, "step_multiply_adds": self.multiply_adds.step,
        })
    }
}

/// Times the training step (loss, gradients, Adam) of three dense layers of `width` units with ReLU between them and
/// the mean square error, for `seconds`.
///
/// ```
/// let point = bench::growth::measure(8, 4, 1, 0.0)?;
/// assert_eq!(point.multiply_adds.forward, 3 * 8 * 8 * 4);
/// # Ok::<(), bench::Error>(())
/// ```
///
/// # Errors
/// A time that cannot be measured for; no rows or no width; errors of the engine.
pub fn measure(width: usize, batch: usize, threads: usize, seconds: f64) -> Result<Point, Error> {
    check(seconds)?;
    if width == 0 || batch == 0 {
        return Err(if width == 0 { Error::Width } else { Error::Batch });
    }
    let (threads, start) = (workers(threads), Instant::now());
    let trace = multilayer(width, batch);
    let multiply_adds = trace.multiply_adds()?;
    let optimizer = Optimizer::adam();
    let mut step = Step::compile(&trace.cx, &trace.output, &[&trace.output], &optimizer, threads)?;
    let compile_ms = ms(start.elapsed());
    let mut state = State::new(step.params(), &optimizer, SEED);
    let data = trace.data(|array, i| source::uniform([SEED, u32::MAX - 1], array as u32, i as u64));
    let data: Vec<Arg> = data.iter().map(|a| a.arg()).collect();
    let (times, _) = repeat(seconds, 3, || Ok(step.run(&mut state, crate::LEARNING_RATE, &data)?))?;
    Ok(Point { width, batch, threads, median_ms: median(&times), compile_ms, multiply_adds })
}

/// The exponent p of time ∝ size^p between two measurements of sizes `from` and `to`.
///
/// ```
/// assert_eq!(bench::growth::exponent((32.0, 1.0), (64.0, 4.0)), 2.0);
/// ```
pub fn exponent(from: (f64, f64), to: (f64, f64)) -> f64 {
    (to.1 / from.1).ln() / (to.0 / from.0).ln()
}
