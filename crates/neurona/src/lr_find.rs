//! The learning-rate range test (Smith 2017): train a little while the rate grows, and see where the loss
//! falls fastest.

use crate::{BatchReport, Batches, Error, ErrorKind, FitOptions, Model, Observer, Result, Rows, Trainer};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::ControlFlow;

/// Which learning rates are tried.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RateRange {
    /// The first.
    pub low: f64,
    /// The last, if the loss does not explode before.
    pub high: f64,
    /// Steps of training, each at a rate the same factor above the one before.
    pub steps: usize,
}

impl Default for RateRange {
    /// 100 steps from 10⁻⁷ to 10.
    fn default() -> RateRange {
        RateRange { low: 1e-7, high: 10.0, steps: 100 }
    }
}

impl RateRange {
    fn check(&self) -> Result<()> {
        if !(self.low > 0.0 && self.high > self.low && self.high.is_finite()) {
            let why = format!("{} to {} is no range of rates", self.low, self.high);
            return Err(Error::config("lr_find", why, "use for example low = 1e-7, high = 10"));
        }
        if self.steps < 10 {
            return Err(Error::config("lr_find.steps", format!("{} are too few", self.steps), "use at least 10, for example 100"));
        }
        Ok(())
    }

    fn rate(&self, step: usize) -> f64 {
        self.low * (self.high / self.low).powf(step as f64 / (self.steps - 1) as f64)
    }
}

/// One step of the test.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RatePoint {
    /// Learning rate of the step.
    pub rate: f64,
    /// Mean loss of its batch, before the step.
    pub loss: f64,
    /// The loss without the noise of batches: a line fitted to the points around.
    pub smoothed: f64,
}

/// What a range test found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RateCurve {
    /// The steps, until the loss exploded.
    pub points: Vec<RatePoint>,
    /// A good rate, if there is one: where the loss falls fastest.
    pub suggestion: Option<f64>,
    /// Why, in a sentence.
    pub reason: String,
    /// The same in numbers.
    pub finding: RateFinding,
}

/// What the curve of a range test shows. Its text says it in a sentence.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RateFinding {
    /// The loss was no finite number after so few steps that there is no curve.
    TooShort {
        /// Steps.
        steps: usize,
    },
    /// The loss does not fall at any rate.
    Flat {
        /// The first rate.
        low: f64,
        /// The last.
        high: f64,
    },
    /// The loss falls.
    Falls {
        /// The rate where it falls fastest.
        rate: f64,
        /// The loss before rates had an effect.
        start: f64,
        /// The loss at that rate.
        loss: f64,
        /// The rate where it is lowest.
        lowest_rate: f64,
        /// The loss there.
        lowest: f64,
        /// The last rate.
        last_rate: f64,
        /// The loss there: as low as the lowest if it still falls.
        last: f64,
    },
}

impl RateFinding {
    /// The rate to use, if there is one.
    pub fn suggestion(&self) -> Option<f64> {
        if let RateFinding::Falls { rate, .. } = self { Some(*rate) } else { None }
    }
}

impl fmt::Display for RateFinding {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match *self {
            RateFinding::TooShort { steps } => {
                write!(f, "the loss is no finite number after {steps} steps: start at a lower rate, or scale the data to about −1 to 1")
            }
            RateFinding::Flat { low, high } => {
                write!(f, "the loss does not fall at any rate from {low:.1e} to {high:.1e}: check the data, the loss and the model")
            }
            RateFinding::Falls { rate, start, loss, lowest_rate, lowest, last_rate, last } => {
                write!(f, "the loss falls fastest at {rate:.1e} (from {start:.4} at the start to {loss:.4}); ")?;
                write!(f, "it is lowest at {lowest_rate:.1e} ({lowest:.4})")?;
                match last_rate == lowest_rate {
                    true => f.write_str("; it still falls at the highest rate tried"),
                    false => write!(f, " and has risen to {last:.4} at {last_rate:.1e}"),
                }
            }
        }
    }
}

/// Tries the rates of `range` on `trainer`, with the batches, seed and threads of `options`. The trainer's
/// weights are afterwards what they were (the first weights of the seed, if it had none).
///
/// ```
/// use neurona::prelude::*;
/// use neurona::{RateRange, lr_find};
/// let x: Vec<f32> = (0..64).map(|i| i as f32 / 32.0 - 1.0).collect();
/// let y: Vec<f32> = x.iter().map(|x| 2.0 * x + 1.0).collect();
/// let data = Batches::new(Rows::f32(&x, &[1]), Rows::f32(&y, &[1]));
/// let mut trainer = Trainer::compile(Sequential::new(&[1]).layer(Dense::new(1)), Loss::Mse, Optimizer::Sgd, &[]);
/// let curve = lr_find(&mut trainer, &data, &FitOptions { batch: 16, ..FitOptions::default() }, &RateRange::default())?;
/// println!("{}", curve.reason); // the loss falls fastest at …
/// assert!(curve.suggestion.is_some_and(|rate| rate > 1e-3 && rate < 2.0));
/// # Ok::<(), neurona::Error>(())
/// ```
///
/// # Errors
/// A range, options, a model or data that cannot be used.
pub fn lr_find<M: Model>(trainer: &mut Trainer<M>, data: &Batches, options: &FitOptions, range: &RateRange) -> Result<RateCurve> {
    range.check()?;
    if trainer.state().is_none() {
        trainer.build(&data.inputs().iter().map(Rows::ty).collect::<Vec<_>>(), options.seed)?;
    }
    let before = trainer.state().cloned();
    let batches = data.len().div_ceil(options.batch.max(1)).max(1);
    let options = FitOptions {
        epochs: range.steps.div_ceil(batches),
        batch: options.batch,
        learning_rate: range.low,
        shuffle: options.shuffle,
        augment: options.augment,
        seed: options.seed,
        threads: options.threads,
        ..FitOptions::default() // a constant rate, no validation, from the first epoch
    };
    let mut ramp = Ramp { range: *range, losses: vec![], smoothed: 0.0, least: f64::INFINITY };
    let result = trainer.fit(data, &options, &mut ramp);
    before.map_or(Ok(()), |state| trainer.set_state(state))?;
    match result {
        Err(e) if e.kind() != ErrorKind::Diverged => Err(e),
        _ => Ok(curve(range, &ramp.losses)),
    }
}

/// Raises the rate at each step and notes the losses.
struct Ramp {
    range: RateRange,
    losses: Vec<f64>,
    smoothed: f64,
    least: f64,
}

impl Observer for Ramp {
    fn rate_factor(&self) -> f64 {
        self.range.rate(self.losses.len()) / self.range.low
    }

    fn on_batch(&mut self, report: &BatchReport) -> ControlFlow<()> {
        self.losses.push(report.loss);
        let n = self.losses.len();
        // An exponential average, without its start at 0; the test ends at four times its least (as in fastai).
        self.smoothed += 0.2 * (report.loss - self.smoothed);
        let now = self.smoothed / (1.0 - 0.8f64.powi(n as i32));
        let exploded = n > 10 && now > 4.0 * self.least;
        self.least = self.least.min(now);
        if n == self.range.steps || exploded { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

/// Value and slope at `at` of the least-squares line through the points around it, `reach` to each side.
fn line(losses: &[f64], at: usize, reach: usize) -> (f64, f64) {
    let (from, to) = (at.saturating_sub(reach), (at + reach + 1).min(losses.len()));
    let n = (to - from) as f64;
    let middle = (from + to - 1) as f64 / 2.0;
    let mean = losses[from..to].iter().sum::<f64>() / n;
    let (mut above, mut below) = (0.0, 0.0);
    for (i, loss) in losses[from..to].iter().enumerate() {
        let x = (from + i) as f64 - middle;
        above += x * (loss - mean);
        below += x * x;
    }
    let slope = if below > 0.0 { above / below } else { 0.0 };
    (mean + slope * (at as f64 - middle), slope)
}

fn curve(range: &RateRange, losses: &[f64]) -> RateCurve {
    let reach = (range.steps / 20).max(2);
    let lines: Vec<(f64, f64)> = (0..losses.len()).map(|i| line(losses, i, reach)).collect();
    let point = |(i, &loss): (usize, &f64)| RatePoint { rate: range.rate(i), loss, smoothed: lines[i].0 };
    let points: Vec<RatePoint> = losses.iter().enumerate().map(point).collect();
    let finding = find(&points, &lines, reach);
    RateCurve { points, suggestion: finding.suggestion(), reason: finding.to_string(), finding }
}

fn find(points: &[RatePoint], lines: &[(f64, f64)], reach: usize) -> RateFinding {
    if points.len() < 2 * reach + 1 {
        return RateFinding::TooShort { steps: points.len() };
    }
    let by = |f: &dyn Fn(usize) -> f64, range: std::ops::Range<usize>| range.min_by(|&a, &b| f(a).total_cmp(&f(b))).unwrap_or(0);
    let lowest = by(&|i| lines[i].0, 0..points.len());
    let steepest = by(&|i| lines[i].1, 0..lowest + 1);
    // Where the rate is still without effect: the loss at the start, and what batches differ by.
    let calm = &points[..(points.len() / 5).max(2 * reach)];
    let start = calm.iter().map(|p| p.loss).sum::<f64>() / calm.len() as f64;
    let noise = (calm.iter().map(|p| (p.loss - p.smoothed).powi(2)).sum::<f64>() / calm.len() as f64).sqrt();
    // Three standard errors of the difference of two means.
    let chance = 3.0 * noise * (1.0 / calm.len() as f64 + 1.0 / (2 * reach + 1) as f64).sqrt();
    let (last, p, low) = (&points[points.len() - 1], &points[steepest], &points[lowest]);
    if start - low.smoothed <= chance || lines[steepest].1 >= 0.0 {
        return RateFinding::Flat { low: points[0].rate, high: last.rate };
    }
    let (rate, loss, lowest_rate, lowest) = (p.rate, p.smoothed, low.rate, low.smoothed);
    RateFinding::Falls { rate, start, loss, lowest_rate, lowest, last_rate: last.rate, last: last.smoothed }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_steepest_place_of_a_known_curve_is_found() {
        let range = RateRange { low: 1e-6, high: 1.0, steps: 121 };
        // Falls around 10⁻³ as tanh does, explodes from 10⁻¹ on.
        let loss = |i: usize| {
            let x = range.rate(i).log10();
            1.0 - 0.4 * ((x + 3.0) / 0.4).tanh() + (8.0 * (x + 1.0)).max(0.0) + 0.002 * ((i * 7919) as f64).sin()
        };
        let c = curve(&range, &(0..121).map(loss).collect::<Vec<_>>());
        let rate = c.suggestion.unwrap();
        assert!((rate.log10() + 3.0).abs() < 0.15, "{rate}: {}", c.reason);
        assert!(c.reason.contains("lowest at") && c.reason.contains("has risen to"), "{}", c.reason);
        assert!(c.points.iter().filter(|p| p.rate < 0.05).all(|p| (p.loss - p.smoothed).abs() < 0.05));
    }

    #[test]
    fn a_loss_that_does_not_fall_gets_no_suggestion() {
        let range = RateRange::default();
        let flat: Vec<f64> = (0..100).map(|i| 1.0 + 0.01 * ((i * 7919) as f64).sin()).collect();
        let c = curve(&range, &flat);
        assert!(c.suggestion.is_none() && c.reason.contains("does not fall"), "{}", c.reason);
        let c = curve(&range, &[1.0, 2.0]);
        assert!(c.suggestion.is_none() && c.reason.contains("no finite number after 2 steps"), "{}", c.reason);
        assert!(RateRange { low: 0.0, ..range }.check().is_err() && RateRange { steps: 3, ..range }.check().is_err());
    }

    #[test]
    fn lines_are_fitted() {
        let straight: Vec<f64> = (0..9).map(|i| 3.0 - 0.5 * i as f64).collect();
        for i in 0..9 {
            let (value, slope) = line(&straight, i, 2);
            assert!((value - straight[i]).abs() < 1e-12 && (slope + 0.5).abs() < 1e-12);
        }
    }
}
