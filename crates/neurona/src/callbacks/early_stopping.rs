//! Stopping when nothing improves any more.

use super::{Best, Monitor};
use crate::{EpochReport, Error, FitOptions, Metric, Observer, Param, Result, State};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::ControlFlow;

/// Stops a training after `patience` epochs without improvement, and may end with the weights of the
/// best epoch: when it stops the training, and after the last epoch, but not when something else stops
/// it (which may be resumed). What the optimizer keeps stays that of the last epoch.
///
/// In configuration files `progress` is left out; it is what a resumed training needs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EarlyStopping {
    /// What must improve.
    #[serde(default)]
    pub monitor: Monitor,
    /// Epochs without improvement after which to stop.
    pub patience: usize,
    /// An improvement is more than this.
    #[serde(default)]
    pub min_delta: f64,
    /// Whether to end with the weights of the best epoch.
    #[serde(default)]
    pub restore_best: bool,
    /// What was seen so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    progress: Option<Progress>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Progress {
    best: Best,
    waited: usize,
    ended: bool,
    stopped: Option<Stop>,
}

/// Why a training was stopped early. Its text says it in a sentence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stop {
    /// What did not improve.
    pub monitor: Monitor,
    /// The epoch after which the training was stopped.
    pub epoch: usize,
    /// The best epoch (0: no epoch gave a number).
    pub best_epoch: usize,
    /// Its value.
    pub best: Option<f64>,
    /// Epochs without improvement.
    pub waited: usize,
    /// The improvement that would have counted.
    pub min_delta: f64,
    /// Whether the weights of the best epoch were restored.
    pub restored: bool,
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "stopped after epoch {}: {} has not improved", self.epoch, self.monitor)?;
        if self.min_delta > 0.0 {
            write!(f, " by more than {}", self.min_delta)?;
        }
        match self.best {
            Some(best) => write!(f, " since epoch {} ({best:.6}), for {} epochs", self.best_epoch, self.waited)?,
            None => write!(f, " in {} epochs: it was never a number", self.waited)?,
        }
        if self.restored { write!(f, "; the weights of epoch {} were restored", self.best_epoch) } else { Ok(()) }
    }
}

impl EarlyStopping {
    /// Stops after `patience` epochs in which `monitor` does not improve.
    pub fn new(monitor: Monitor, patience: usize) -> EarlyStopping {
        EarlyStopping { monitor, patience, min_delta: 0.0, restore_best: false, progress: None }
    }

    /// With improvements of at most this counting as none.
    pub fn min_delta(self, min_delta: f64) -> EarlyStopping {
        EarlyStopping { min_delta, ..self }
    }

    /// With the weights of the best epoch at the end.
    pub fn restore_best(self) -> EarlyStopping {
        EarlyStopping { restore_best: true, ..self }
    }

    /// Why it stopped the training, if it did.
    pub fn stopped(&self) -> Option<&Stop> {
        self.progress.as_ref()?.stopped.as_ref()
    }

    /// The best epoch so far.
    pub fn best(&self) -> Option<&Best> {
        self.progress.as_ref().map(|p| &p.best)
    }

    /// Gives the weights of the best epoch back, after reading the rest from a file.
    pub fn set_weights(&mut self, weights: Vec<Vec<f32>>) {
        self.progress().best.set_weights(weights);
    }

    fn progress(&mut self) -> &mut Progress {
        let new = || Progress { best: Best::new(self.monitor).min_delta(self.min_delta), ..Progress::default() };
        self.progress.get_or_insert_with(new)
    }
}

impl Observer for EarlyStopping {
    fn check(&self, options: &FitOptions, metrics: &[Metric]) -> Result<()> {
        if self.patience == 0 {
            return Err(Error::config("early_stopping.patience", "is 0", "use a number of epochs from 1"));
        }
        if !(self.min_delta >= 0.0 && self.min_delta.is_finite()) {
            let why = format!("{} is not a number from 0", self.min_delta);
            return Err(Error::config("early_stopping.min_delta", why, "use for example 0"));
        }
        self.monitor.check(options, metrics)
    }

    fn on_epoch(&mut self, report: &EpochReport, _: &[Param], state: &State) -> ControlFlow<()> {
        let (patience, min_delta, restore_best) = (self.patience, self.min_delta, self.restore_best);
        let p = self.progress();
        p.best.see(report, state);
        p.waited = if p.best.is_new() { 0 } else { p.waited + 1 };
        p.ended = report.epoch == report.epochs;
        if p.waited < patience {
            p.stopped = None;
            return ControlFlow::Continue(());
        }
        p.stopped = Some(Stop {
            monitor: p.best.monitor,
            epoch: report.epoch,
            best_epoch: p.best.epoch,
            best: p.best.value,
            waited: p.waited,
            min_delta,
            restored: restore_best && p.best.weights().is_some(),
        });
        ControlFlow::Break(())
    }

    fn final_weights(&mut self) -> Option<Vec<Vec<f32>>> {
        let restore_best = self.restore_best;
        let p = self.progress();
        let due = restore_best && (p.ended || p.stopped.is_some()) && !p.best.is_new();
        p.best.weights().filter(|_| due).map(<[_]>::to_vec)
    }
}
