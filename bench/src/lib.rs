//! The reference workloads: eight networks, one training step each (loss, gradients and Adam as one
//! compiled program), timed as `peers/` times PyTorch and JAX, and checked against `reference/`.
//!
//! ```
//! let timing = bench::run("tiny", 1, 0.0)?;
//! assert!(timing.steps >= 5 && timing.median_ms > 0.0);
//! println!("{}", timing.json());
//! # Ok::<(), bench::Error>(())
//! ```

pub mod workloads;

use neurona::{Arg, CpuError, Optimizer, State, Step, ops::source};
use std::time::{Duration, Instant};
use workloads::{Array, Batch, Spec, Trace, WORKLOADS};

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
    /// The compiled step; reports the loss.
    pub step: Step,
    /// Parameters and Adam's moments.
    pub state: State,
    /// The data of every step.
    pub data: Vec<Array>,
    /// Multiply-adds of one forward pass (of a differential equation, with the tangents in it).
    pub multiply_adds: u64,
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

    /// The workload with another batch, and with or without the dropout of `doodle`.
    ///
    /// # Errors
    /// Errors of the engine.
    pub fn compile(spec: &Spec, batch: Batch, dropout: bool, threads: usize) -> Result<Workload, Error> {
        let threads = if threads == 0 { std::thread::available_parallelism().map_or(1, |n| n.get()) } else { threads };
        let start = Instant::now();
        let trace = spec.trace(batch, dropout);
        let multiply_adds = trace.multiply_adds()?;
        let Trace { cx, loss, .. } = &trace;
        let optimizer = Optimizer::adam();
        let step = Step::compile(cx, loss, &[loss], &optimizer, threads)?;
        let compile_ms = ms(start.elapsed());
        let state = State::new(step.params(), &optimizer, SEED);
        // Another "step" half of the key than any training step and than the first values have.
        let data = trace.data(|array, i| source::uniform([SEED, u32::MAX - 1], array as u32, i as u64));
        Ok(Workload { name: spec.name, step, state, data, multiply_adds, threads, compile_ms })
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
    /// Multiply-adds of one forward pass.
    pub multiply_adds: u64,
}

impl Timing {
    /// One line of JSON, with the keys that the peers print and a few more.
    pub fn json(&self) -> String {
        serde_json::json!({
            "peer": "neurona", "workload": self.workload, "threads": self.threads, "step_ms": self.median_ms, "steps": self.steps,
            "loss": self.loss, "min_ms": self.min_ms, "max_ms": self.max_ms, "compile_ms": self.compile_ms,
            "multiply_adds": self.multiply_adds,
        })
        .to_string()
    }
}

/// Times training steps for `seconds`, and at least five, after five that do not count.
///
/// # Errors
/// A negative, infinite or endless time; errors of the engine; a loss that is not finite.
pub fn measure(workload: &mut Workload, seconds: f64) -> Result<Timing, Error> {
    if !(0.0..=MAX_SECONDS).contains(&seconds) {
        return Err(Error::Seconds(seconds));
    }
    for _ in 0..STEPS {
        workload.run()?;
    }
    let (mut times, mut loss) = (vec![], f32::NAN);
    let end = Instant::now() + Duration::from_secs_f64(seconds);
    while times.len() < STEPS || Instant::now() < end {
        let start = Instant::now();
        loss = workload.run()?;
        times.push(ms(start.elapsed()));
    }
    if !loss.is_finite() {
        return Err(Error::Diverged { name: workload.name, loss, steps: workload.state.step });
    }
    times.sort_by(f64::total_cmp);
    let &Workload { name, threads, compile_ms, multiply_adds, .. } = &*workload;
    let (min_ms, max_ms) = (times[0], times[times.len() - 1]);
    Ok(Timing { workload: name, threads, median_ms: median(&times), min_ms, max_ms, steps: times.len(), loss, compile_ms, multiply_adds })
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
            let count = spec.trace(spec.batch, true).multiply_adds().unwrap() as f64;
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
        let line: serde_json::Value = serde_json::from_str(&timing.json()).unwrap();
        assert_eq!((line["peer"].as_str(), line["workload"].as_str()), (Some("neurona"), Some("tiny")));
        assert_eq!((line["threads"].as_u64(), line["steps"].as_u64()), (Some(1), Some(5)));
        assert!(line["step_ms"].as_f64().unwrap() > 0.0 && line["loss"].as_f64().unwrap() > 0.0);
    }

    #[test]
    fn what_cannot_be_measured_is_refused_with_the_reason() {
        let why = |name, seconds| run(name, 1, seconds).unwrap_err().to_string();
        assert!(why("tinny", 0.0).contains("take one of tiny, mlp, pinn,"), "{}", why("tinny", 0.0));
        assert!([-1.0, f64::NAN, f64::INFINITY].iter().all(|&s| why("tiny", s).starts_with("seconds: ")));
    }

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!((median(&[1.0, 2.0, 9.0]), median(&[1.0, 2.0, 4.0, 9.0])), (2.0, 3.0));
    }
}
