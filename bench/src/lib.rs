//! The reference workloads: eight networks, one training step each (loss, gradients and Adam as one
//! compiled program), timed as `peers/` times PyTorch and JAX, and checked against `reference/`. Beside the steps: how
//! long a trained network takes to answer ([`latency`]), what a step keeps in memory ([`memory`]), how its time grows
//! ([`growth`]) and what the machine could do at best ([`peak`]).
//!
//! ```
//! let timing = bench::run("tiny", 1, 0.0)?;
//! assert!(timing.steps >= 5 && timing.median_ms > 0.0);
//! println!("{}", timing.json());
//! # Ok::<(), bench::Error>(())
//! ```

pub mod growth;
pub mod latency;
pub mod memory;
pub mod peak;
pub mod workloads;

use neurona::{Arg, CpuError, DType, Optimizer, State, Step, ops::source};
use std::time::{Duration, Instant};
use workloads::{Array, Batch, Cost, Spec, Trace, WORKLOADS};

/// Names of the workloads, from the smallest network to the largest.
pub const NAMES: [&str; WORKLOADS.len()] = {
    let mut names = [""; WORKLOADS.len()];
    let mut k = 0;
    while k < names.len() {
        names[k] = WORKLOADS[k].name;
        k += 1;
    }
    names
};

/// Adam's rate, in all workloads.
pub const LEARNING_RATE: f64 = 1e-3;

/// Steps before the clock starts, and the fewest that are measured.
const STEPS: usize = 5;

/// Seed of first values, data and dropout.
const SEED: u32 = 1;

/// Why a workload cannot be measured.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No workload of this name.
    #[error("workload {name:?}: there is none of this name; take one of {}", NAMES.join(", "))]
    Unknown {
        /// The name asked for.
        name: String,
    },
    /// A time that cannot be measured for.
    #[error("seconds: {0} is no time to measure for; give a number from 0 to {MAX_SECONDS}")]
    Seconds(f64),
    /// A workload without a network that answers.
    #[error("workload {name}: it is no classifier, so its answers are not timed; take one of {}", latency::names().join(", "))]
    NoNetwork {
        /// The workload.
        name: &'static str,
    },
    /// A batch without rows.
    #[error("batch: a step needs at least one row")]
    Batch,
    /// Layers without units.
    #[error("width: a layer needs at least one unit")]
    Width,
    /// The network could not be written.
    #[error(transparent)]
    Onnx(#[from] onnx::Error),
    /// Training went wrong, so that its time would mean nothing.
    #[error("workload {name}: the loss is {loss} after {steps} steps, so its time would mean nothing; this is an error of the engine")]
    Diverged {
        /// The workload.
        name: &'static str,
        /// Its last loss.
        loss: f32,
        /// Steps taken.
        steps: u64,
    },
    /// The engine refused the step.
    #[error(transparent)]
    Engine(#[from] CpuError),
}

/// The longest time to measure for: a day.
pub const MAX_SECONDS: f64 = 86_400.0;

/// A workload ready to train: compiled step, parameters and data in memory.
pub struct Workload {
    /// Its name.
    pub name: &'static str,
    /// Rows of its batch.
    pub rows: usize,
    /// The compiled step; reports the loss.
    pub step: Step,
    /// Parameters and Adam's moments.
    pub state: State,
    /// The data of every step.
    pub data: Vec<Array>,
    /// Multiply-adds.
    pub multiply_adds: Cost,
    /// Worker threads.
    pub threads: usize,
    /// Time that tracing and compiling took.
    pub compile_ms: f64,
}

impl Workload {
    /// The workload as the speed comparison runs it. `threads` 0: as many as there are processors.
    ///
    /// # Errors
    /// An unknown name; errors of the engine.
    pub fn new(name: &str, threads: usize) -> Result<Workload, Error> {
        let spec = Spec::find(name)?;
        Workload::compile(&spec, spec.batch, true, threads)
    }

    /// The workload as the speed comparison runs it, but with this many rows; of a differential equation, with the
    /// same share of points on its boundaries.
    ///
    /// # Errors
    /// An unknown name, no rows; errors of the engine.
    pub fn with_rows(name: &str, rows: usize, threads: usize) -> Result<Workload, Error> {
        let spec = Spec::find(name)?;
        if rows == 0 {
            return Err(Error::Batch);
        }
        let boundary = (spec.batch.boundary * rows).div_ceil(spec.batch.rows);
        Workload::compile(&spec, Batch { rows, boundary }, true, threads)
    }

    /// The workload with another batch, and with or without the dropout of `doodle`.
    ///
    /// # Errors
    /// Errors of the engine.
    pub fn compile(spec: &Spec, batch: Batch, dropout: bool, threads: usize) -> Result<Workload, Error> {
        let threads = workers(threads);
        let start = Instant::now();
        let trace = spec.trace(batch, dropout);
        let multiply_adds = trace.multiply_adds()?;
        let Trace { cx, output: loss, .. } = &trace;
        let optimizer = Optimizer::adam();
        let step = Step::compile(cx, loss, &[loss], &optimizer, threads)?;
        let compile_ms = ms(start.elapsed());
        let state = State::new(step.params(), &optimizer, SEED);
        // Another "step" half of the key than any training step and than the first values have.
        let data = trace.data(|array, i| source::uniform([SEED, u32::MAX - 1], array as u32, i as u64));
        Ok(Workload { name: spec.name, rows: batch.rows, step, state, data, multiply_adds, threads, compile_ms })
    }

    /// Bytes of the data, of the parameters with Adam's moments, and of what the compiled step keeps for itself.
    pub fn bytes(&self) -> [usize; 3] {
        let data: usize = self.data.iter().map(Array::len).sum();
        let slots = self.state.slots.iter().flatten();
        let state: usize = self.state.params.iter().chain(slots).map(Vec::len).sum();
        let word = DType::F32.size(); // of integers too
        [data * word, state * word, self.step.program().memory()]
    }

    /// One training step; returns the loss before it.
    ///
    /// # Errors
    /// `data` or `state` that were exchanged for others that do not fit.
    pub fn run(&mut self) -> Result<f32, Error> {
        let data: Vec<Arg> = self.data.iter().map(Array::arg).collect();
        let reports = self.step.run(&mut self.state, LEARNING_RATE, &data)?;
        Ok(reports.first().copied().unwrap_or(f32::NAN))
    }

    /// The compiled step in words, with the share of time, the rate and the bandwidth of every kernel, measured for
    /// `seconds` on one worker. Further runs are measured too.
    ///
    /// # Errors
    /// As for [`Workload::run`].
    pub fn profile(&mut self, seconds: f64) -> Result<String, Error> {
        self.step.watch();
        let end = Instant::now() + Duration::from_secs_f64(seconds.clamp(0.0, MAX_SECONDS));
        loop {
            self.run()?;
            if Instant::now() >= end {
                return Ok(self.step.program().explain());
            }
        }
    }
}

/// What the training steps of a workload took.
#[derive(Clone, PartialEq, Debug)]
pub struct Timing {
    /// The workload.
    pub workload: &'static str,
    /// Worker threads.
    pub threads: usize,
    /// Median time of a step, in ms.
    pub median_ms: f64,
    /// Shortest.
    pub min_ms: f64,
    /// Longest.
    pub max_ms: f64,
    /// Measured steps.
    pub steps: usize,
    /// The loss at the last of them.
    pub loss: f32,
    /// Time that tracing and compiling took before, in ms.
    pub compile_ms: f64,
    /// Time from nothing to the first step done, in ms: tracing, compiling and that step.
    pub first_ms: f64,
    /// Multiply-adds.
    pub multiply_adds: Cost,
    /// Rows of the batch.
    pub batch: usize,
    /// Bytes of the data, of the training state and of the program: see [`Workload::bytes`].
    pub bytes: [usize; 3],
    /// The most memory this process has had so far, in bytes; `None` where the system does not say.
    pub peak_bytes: Option<u64>,
}

impl Timing {
    /// One line of JSON, with the keys that the peers print and a few more.
    pub fn json(&self) -> serde_json::Value {
        let [data, state, program] = self.bytes;
        serde_json::json!({
            "peer": "neurona", "workload": self.workload, "threads": self.threads, "step_ms": self.median_ms, "steps": self.steps,
            "loss": self.loss, "min_ms": self.min_ms, "max_ms": self.max_ms, "compile_ms": self.compile_ms, "first_ms": self.first_ms,
            "multiply_adds": self.multiply_adds.forward, "step_multiply_adds": self.multiply_adds.step, "gflops": self.gflops(), "batch": self.batch, "data_bytes": data,
            "state_bytes": state, "program_bytes": program, "peak_bytes": self.peak_bytes,
        })
    }

    /// Floating-point operations of the step's products in a second, in 10⁹: two for each multiply-add.
    pub fn gflops(&self) -> f64 {
        2.0 * self.multiply_adds.step as f64 / (self.median_ms * 1e6)
    }
}

/// Times training steps for `seconds`, and at least five, after five that do not count.
///
/// # Errors
/// A negative, infinite or endless time; errors of the engine; a loss that is not finite.
pub fn measure(workload: &mut Workload, seconds: f64) -> Result<Timing, Error> {
    check(seconds)?;
    let start = Instant::now();
    workload.run()?;
    let first_ms = workload.compile_ms + ms(start.elapsed());
    let (times, loss) = repeat(seconds, STEPS - 1, || workload.run())?;
    if !loss.is_finite() {
        return Err(Error::Diverged { name: workload.name, loss, steps: workload.state.step });
    }
    let &Workload { name, threads, rows, compile_ms, multiply_adds, .. } = &*workload;
    let (median_ms, min_ms, max_ms, steps) = (median(&times), times[0], times[times.len() - 1], times.len());
    let (bytes, peak_bytes) = (workload.bytes(), memory::peak());
    let (batch, workload) = (rows, name);
    Ok(Timing { workload, threads, median_ms, min_ms, max_ms, steps, loss, compile_ms, first_ms, multiply_adds, batch, bytes, peak_bytes })
}

/// Times in ms, sorted, of what is run for `seconds`, and at least five times, after `warm_up` runs that do not count;
/// and the last result.
fn repeat<T>(seconds: f64, warm_up: usize, mut run: impl FnMut() -> Result<T, Error>) -> Result<(Vec<f64>, T), Error> {
    for _ in 0..warm_up {
        run()?;
    }
    let (mut times, end) = (vec![], Instant::now() + Duration::from_secs_f64(seconds));
    loop {
        let start = Instant::now();
        let result = run()?;
        times.push(ms(start.elapsed()));
        if times.len() >= STEPS && Instant::now() >= end {
            times.sort_by(f64::total_cmp);
            return Ok((times, result));
        }
    }
}

/// Whether this is a time that can be measured for.
fn check(seconds: f64) -> Result<(), Error> {
    if (0.0..=MAX_SECONDS).contains(&seconds) { Ok(()) } else { Err(Error::Seconds(seconds)) }
}

/// The number of worker threads: 0 stands for one per processor.
fn workers(threads: usize) -> usize {
    if threads == 0 { std::thread::available_parallelism().map_or(1, usize::from) } else { threads }
}

/// Compiles and times a workload: what `neurona bench --workload` does.
///
/// # Errors
/// An unknown name; those of [`measure`].
pub fn run(name: &str, threads: usize, seconds: f64) -> Result<Timing, Error> {
    measure(&mut Workload::new(name, threads)?, seconds)
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// The middle of sorted numbers, or the mean of the middle two.
fn median(sorted: &[f64]) -> f64 {
    let half = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[half] } else { (sorted[half - 1] + sorted[half]) / 2.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_workload_has_the_size_that_is_stated() {
        // Multiply-adds of a forward pass, counted by hand from the layers.
        let stated = [0.96e3, 3.25e6, 61.5e6, 273e6, 58e6, 1.1e9, 1.5e9, 0.85e9];
        for (spec, stated) in WORKLOADS.iter().zip(stated) {
            let count = spec.trace(spec.batch, true).multiply_adds().unwrap().forward as f64;
            assert!((count / stated - 1.0).abs() < 0.05, "{}: {count:e} multiply-adds, stated {stated:e}", spec.name);
        }
    }

    #[test]
    fn only_doodle_drops_and_only_if_told() {
        for spec in WORKLOADS {
            assert_eq!(spec.trace(spec.reference, true).cx.key().is_some(), spec.name == "doodle");
            assert!(spec.trace(spec.reference, false).cx.key().is_none());
        }
    }

    #[test]
    fn a_measurement_prints_what_the_peers_print() {
        let timing = run("tiny", 1, 0.0).unwrap();
        assert!(timing.min_ms <= timing.median_ms && timing.median_ms <= timing.max_ms && timing.steps == STEPS);
        let line = timing.json();
        assert_eq!((line["peer"].as_str(), line["workload"].as_str()), (Some("neurona"), Some("tiny")));
        assert_eq!((line["threads"].as_u64(), line["steps"].as_u64()), (Some(1), Some(5)));
        assert!(line["step_ms"].as_f64().unwrap() > 0.0 && line["loss"].as_f64().unwrap() > 0.0);
        // (3·4 + 4) + (4·3 + 3) + (3·2 + 2) parameters with two moments each, 32 rows of 3 and 2 numbers.
        assert_eq!((line["state_bytes"].as_u64(), line["data_bytes"].as_u64()), (Some(39 * 3 * 4), Some(32 * 5 * 4)));
        assert!(timing.first_ms > timing.compile_ms && timing.compile_ms > 0.0);
        // 12 + 12 + 6 products in a row forward and for the weights, 12 + 6 for the values between: none for the data.
        assert_eq!(timing.multiply_adds, Cost { forward: 32 * 30, step: 32 * (30 + 30 + 18) });
        assert!((timing.gflops() - 2.0 * 2496.0 / timing.median_ms / 1e6).abs() < 1e-9);
    }

    #[test]
    fn what_cannot_be_measured_is_refused_with_the_reason() {
        let why = |name, seconds| run(name, 1, seconds).unwrap_err().to_string();
        assert!(why("tinny", 0.0).contains("take one of tiny, mlp, pinn,"), "{}", why("tinny", 0.0));
        assert!([-1.0, f64::NAN, f64::INFINITY].iter().all(|&s| why("tiny", s).starts_with("seconds: ")));
    }

    #[test]
    fn a_workload_can_have_other_rows() {
        let workload = Workload::with_rows("pinn", 100, 1).unwrap();
        assert_eq!(workload.data.iter().map(Array::len).collect::<Vec<_>>(), [200, 5, 5]);
        assert!(matches!(Workload::with_rows("pinn", 0, 1), Err(Error::Batch)));
    }

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!((median(&[1.0, 2.0, 9.0]), median(&[1.0, 2.0, 4.0, 9.0])), (2.0, 3.0));
    }
}
