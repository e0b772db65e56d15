//! Observers that steer a training: they stop it, keep the best weights, lower the learning rate.
//!
//! Each serializes all that a resumed training needs (weights go to files of their own), and several
//! work together as [`Callbacks`].
//!
//! ```
//! use neurona::callbacks::{Callbacks, EarlyStopping, Monitor, ReduceOnPlateau};
//! use neurona::prelude::*;
//! # let x: Vec<f32> = (0..20).map(|i| i as f32 / 10.0 - 1.0).collect();
//! # let y: Vec<f32> = x.iter().map(|x| 2.0 * x + 1.0).collect();
//! # let data = Batches::new(Rows::f32(&x, &[1]), Rows::f32(&y, &[1]));
//! let mut stop = EarlyStopping::new(Monitor::ValidationLoss, 5).min_delta(1e-4).restore_best();
//! let mut slow = ReduceOnPlateau::new(Monitor::ValidationLoss, 2);
//! let mut trainer = Trainer::compile(Sequential::new(&[1]).layer(Dense::new(1)), Loss::Mse, Optimizer::adam(), &[]);
//! let options = FitOptions { epochs: 500, batch: 5, learning_rate: 0.1, validation: Some(&data), threads: 1, ..FitOptions::default() };
//! let history = trainer.fit(&data, &options, &mut Callbacks::new().with(&mut stop).with(&mut slow))?;
//! assert!(history.stopped && history.epochs.len() < 500);
//! println!("{}", stop.stopped().unwrap()); // validation_loss has not improved …
//! # Ok::<(), neurona::Error>(())
//! ```

mod best;
mod early_stopping;
mod plateau;

pub use best::Best;
pub use early_stopping::{EarlyStopping, Stop};
pub use plateau::ReduceOnPlateau;

use crate::{BatchReport, EpochReport, Error, FitOptions, Metric, Observer, Param, Result, Snapshot, State};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::ControlFlow;

/// Which number of an epoch's report is watched.
///
/// In configuration files: `"validation_loss"`, `"loss"`, `{ validation_metric = "accuracy" }`,
/// `{ metric = "accuracy" }`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Monitor {
    /// The loss of the validation data.
    #[default]
    ValidationLoss,
    /// The loss of the training data.
    Loss,
    /// A metric of the validation data.
    ValidationMetric(Metric),
    /// A metric of the training data.
    Metric(Metric),
}

impl fmt::Display for Monitor {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Monitor::ValidationLoss => f.write_str("validation_loss"),
            Monitor::Loss => f.write_str("loss"),
            Monitor::ValidationMetric(m) => write!(f, "validation_{}", m.name()),
            Monitor::Metric(m) => f.write_str(m.name()),
        }
    }
}

impl Monitor {
    /// The number in this report, if it is there.
    pub fn value(self, report: &EpochReport) -> Option<f64> {
        match self {
            Monitor::ValidationLoss => report.validation.as_ref().map(|s| s.loss),
            Monitor::Loss => Some(report.train.loss),
            Monitor::ValidationMetric(m) => report.validation.as_ref()?.get(m),
            Monitor::Metric(m) => report.train.get(m),
        }
    }

    /// Whether `new` is better than `old` by more than `margin`. A NaN is better than nothing.
    pub fn is_better(self, new: f64, old: Option<f64>, margin: f64) -> bool {
        let larger = matches!(self, Monitor::ValidationMetric(m) | Monitor::Metric(m) if m.is_better_larger());
        !new.is_nan() && old.is_none_or(|old| if larger { new > old + margin } else { new < old - margin })
    }

    /// Checks that trainings with these options and metrics report the number.
    ///
    /// # Errors
    /// No validation data; a metric that is not measured.
    pub fn check(self, options: &FitOptions, metrics: &[Metric]) -> Result<()> {
        if matches!(self, Monitor::ValidationLoss | Monitor::ValidationMetric(_)) && options.validation.is_none() {
            let fix = "give validation data, or monitor the training data's loss";
            return Err(Error::config(format!("monitor {self}"), "there are no validation data", fix));
        }
        match self {
            Monitor::ValidationMetric(m) | Monitor::Metric(m) if !metrics.contains(&m) => {
                let why = format!("{} is not measured", m.name());
                Err(Error::config(format!("monitor {self}"), why, "add it to the metrics"))
            }
            _ => Ok(()),
        }
    }
}

/// Several observers as one: all are told everything, each may stop the training, their factors of the
/// learning rate are multiplied, and the first that has weights to end with gives them.
#[derive(Default)]
pub struct Callbacks<'a>(Vec<&'a mut dyn Observer>);

impl<'a> Callbacks<'a> {
    /// None yet.
    pub fn new() -> Callbacks<'a> {
        Callbacks::default()
    }

    /// With one more, told after those before it.
    pub fn with(mut self, observer: &'a mut dyn Observer) -> Callbacks<'a> {
        self.0.push(observer);
        self
    }

    fn all(&mut self, mut tell: impl FnMut(&mut dyn Observer) -> ControlFlow<()>) -> ControlFlow<()> {
        let mut stop = false;
        self.0.iter_mut().for_each(|o| stop |= tell(*o).is_break());
        if stop { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

impl Observer for Callbacks<'_> {
    fn on_batch(&mut self, report: &BatchReport) -> ControlFlow<()> {
        self.all(|o| o.on_batch(report))
    }

    fn on_step(&mut self, snapshot: &Snapshot) -> ControlFlow<()> {
        self.all(|o| o.on_step(snapshot))
    }

    fn on_epoch(&mut self, report: &EpochReport, params: &[Param], state: &State) -> ControlFlow<()> {
        self.all(|o| o.on_epoch(report, params, state))
    }

    fn check(&self, options: &FitOptions, metrics: &[Metric]) -> Result<()> {
        self.0.iter().try_for_each(|o| o.check(options, metrics))
    }

    fn rate_factor(&self) -> f64 {
        self.0.iter().map(|o| o.rate_factor()).product()
    }

    fn final_weights(&mut self) -> Option<Vec<Vec<f32>>> {
        // All are asked, since each may do something at the end.
        let all: Vec<_> = self.0.iter_mut().map(|o| o.final_weights()).collect();
        all.into_iter().flatten().next()
    }
}
