//! The best epoch so far and its weights.

use super::Monitor;
use crate::{EpochReport, FitOptions, Metric, Observer, Param, Result, State};
use serde::{Deserialize, Serialize};
use std::ops::ControlFlow;

/// Remembers the best epoch and keeps a copy of its weights (not serialized: save them to a file when
/// [`Best::is_new`], and give them back with [`Best::set_weights`]).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Best {
    /// What is compared.
    pub monitor: Monitor,
    /// By how much an epoch must be better to count.
    #[serde(default)]
    pub min_delta: f64,
    /// The best value so far.
    #[serde(default)]
    pub value: Option<f64>,
    /// The epoch of the best value, from 1 (0: none).
    #[serde(default)]
    pub epoch: usize,
    /// The last epoch that was compared.
    #[serde(default)]
    pub last: usize,
    #[serde(skip)]
    weights: Option<Vec<Vec<f32>>>,
}

impl Best {
    /// Nothing seen yet.
    pub fn new(monitor: Monitor) -> Best {
        Best { monitor, ..Best::default() }
    }

    /// With improvements of at most this counting as none.
    pub fn min_delta(self, min_delta: f64) -> Best {
        Best { min_delta, ..self }
    }

    /// Whether the last epoch was the best so far.
    pub fn is_new(&self) -> bool {
        self.epoch > 0 && self.epoch == self.last
    }

    /// Weights of the best epoch.
    pub fn weights(&self) -> Option<&[Vec<f32>]> {
        self.weights.as_deref()
    }

    /// Gives the weights of the best epoch back, after reading the rest from a file.
    pub fn set_weights(&mut self, weights: Vec<Vec<f32>>) {
        self.weights = Some(weights);
    }

    /// Compares one epoch.
    pub(super) fn see(&mut self, report: &EpochReport, state: &State) {
        self.last = report.epoch;
        if let Some(new) = self.monitor.value(report).filter(|&new| self.monitor.is_better(new, self.value, self.min_delta)) {
            (self.value, self.epoch) = (Some(new), report.epoch);
            self.weights.get_or_insert_default().clone_from(&state.params);
        }
    }
}

impl Observer for Best {
    fn check(&self, options: &FitOptions, metrics: &[Metric]) -> Result<()> {
        self.monitor.check(options, metrics)
    }

    fn on_epoch(&mut self, report: &EpochReport, _: &[Param], state: &State) -> ControlFlow<()> {
        self.see(report, state);
        ControlFlow::Continue(())
    }
}
