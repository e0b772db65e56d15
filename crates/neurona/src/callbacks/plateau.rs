//! A lower learning rate when nothing improves any more.

use super::Monitor;
use crate::{EpochReport, Error, FitOptions, Metric, Observer, Param, Result, State};
use serde::{Deserialize, Serialize};
use std::ops::ControlFlow;

/// Multiplies the scheduled learning rate by `factor` after `patience` epochs without improvement, again
/// and again.
///
/// In configuration files `progress` is left out; it is what a resumed training needs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReduceOnPlateau {
    /// What must improve.
    #[serde(default)]
    pub monitor: Monitor,
    /// Epochs without improvement after which the rate falls.
    #[serde(default = "patience")]
    pub patience: usize,
    /// What the rate is multiplied by.
    #[serde(default = "factor")]
    pub factor: f64,
    /// An improvement is more than this.
    #[serde(default = "min_delta")]
    pub min_delta: f64,
    /// Epochs after a change in which nothing is counted.
    #[serde(default)]
    pub cooldown: usize,
    /// Share of the scheduled rate below which it does not fall.
    #[serde(default)]
    pub floor: f64,
    #[serde(default)]
    progress: Progress,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Progress {
    best: Option<f64>,
    waited: usize,
    cooling: usize,
    share: f64,
}

impl Default for Progress {
    fn default() -> Progress {
        Progress { best: None, waited: 0, cooling: 0, share: 1.0 }
    }
}

fn patience() -> usize {
    10
}

fn factor() -> f64 {
    0.1
}

fn min_delta() -> f64 {
    1e-4
}

impl ReduceOnPlateau {
    /// A tenth of the rate after `patience` epochs in which `monitor` does not improve by more than 10⁻⁴.
    pub fn new(monitor: Monitor, patience: usize) -> ReduceOnPlateau {
        let (factor, min_delta) = (factor(), min_delta());
        ReduceOnPlateau { monitor, patience, factor, min_delta, cooldown: 0, floor: 0.0, progress: Progress::default() }
    }

    /// With the rate multiplied by this.
    pub fn factor(self, factor: f64) -> ReduceOnPlateau {
        ReduceOnPlateau { factor, ..self }
    }

    /// With improvements of at most this counting as none.
    pub fn min_delta(self, min_delta: f64) -> ReduceOnPlateau {
        ReduceOnPlateau { min_delta, ..self }
    }

    /// With this many epochs after a change in which nothing is counted.
    pub fn cooldown(self, cooldown: usize) -> ReduceOnPlateau {
        ReduceOnPlateau { cooldown, ..self }
    }

    /// With the rate staying above this share of the scheduled one.
    pub fn floor(self, floor: f64) -> ReduceOnPlateau {
        ReduceOnPlateau { floor, ..self }
    }

    /// Share of the scheduled rate that is left.
    pub fn share(&self) -> f64 {
        self.progress.share
    }
}

impl Observer for ReduceOnPlateau {
    fn check(&self, options: &FitOptions, metrics: &[Metric]) -> Result<()> {
        let wrong = |name: &str, why: String, fix: &str| Err(Error::config(format!("reduce_on_plateau.{name}"), why, fix));
        if self.patience == 0 {
            return wrong("patience", "is 0".into(), "use a number of epochs from 1");
        }
        if !(self.factor > 0.0 && self.factor < 1.0) {
            return wrong("factor", format!("{} is not a share between 0 and 1", self.factor), "use for example 0.1");
        }
        if !(self.min_delta >= 0.0 && self.min_delta.is_finite()) {
            return wrong("min_delta", format!("{} is not a number from 0", self.min_delta), "use for example 1e-4");
        }
        if !(0.0..=1.0).contains(&self.floor) {
            return wrong("floor", format!("{} is not a share of the rate", self.floor), "use a number from 0 to 1");
        }
        self.monitor.check(options, metrics)
    }

    fn rate_factor(&self) -> f64 {
        self.progress.share
    }

    fn on_epoch(&mut self, report: &EpochReport, _: &[Param], _: &State) -> ControlFlow<()> {
        let (new, p) = (self.monitor.value(report), &mut self.progress);
        let better = new.is_some_and(|new| self.monitor.is_better(new, p.best, self.min_delta));
        if better {
            p.best = new;
        }
        // As in PyTorch: while it cools down nothing is counted.
        p.waited = if better || p.cooling > 0 { 0 } else { p.waited + 1 };
        p.cooling = p.cooling.saturating_sub(1);
        if p.waited >= self.patience {
            p.share = (p.share * self.factor).max(self.floor);
            (p.waited, p.cooling) = (0, self.cooldown);
        }
        ControlFlow::Continue(())
    }
}
