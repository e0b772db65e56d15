//! Which epoch is the best, and when there is no point in going on.

use super::extras::{monitors, unknown_monitor};
use super::metrics::fields;
use super::{Network, Target};
use crate::config::Source;
use crate::{Report, Texts};
use neurona::EpochReport;
use serde::{Deserialize, Serialize};

/// `[early_stopping]`: ends a training that no longer improves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EarlyStopping {
    /// Epochs without an improvement after which training ends.
    #[serde(default = "five")]
    pub patience: usize,
    /// An improvement has to be larger than this.
    #[serde(default)]
    pub min_delta: f64,
    /// The number that is watched: val_loss, or loss if there is no validation; also val_accuracy and the like.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub monitor: Option<String>,
}

fn five() -> usize {
    5
}

/// Watches a number over the epochs.
#[derive(Clone, Debug, PartialEq)]
pub struct Watch {
    /// The number's name; none without validation and early stopping: then the last epoch is the best.
    name: Option<String>,
    larger: bool,
    patience: Option<usize>,
    min_delta: f64,
    /// The best epoch, and its number (smaller is better).
    best: Option<(usize, f64)>,
    /// The last value that was an improvement of more than `min_delta`, and the epochs since.
    reference: f64,
    waited: usize,
}

impl Watch {
    /// What a network's settings ask for.
    ///
    /// # Errors
    /// Early stopping on a number that the training does not have.
    pub fn new(texts: &Texts, source: &Source, net: &Network, target: &Target, validation: bool) -> Result<Watch, Report> {
        let names = monitors(&net.metrics(target), validation);
        let stopping = net.early_stopping.as_ref();
        let usual = if validation { Some("val_loss") } else { stopping.map(|_| "loss") };
        let name = stopping.and_then(|s| s.monitor.as_deref()).or(usual);
        let found = name.map(|n| names.iter().find(|(known, _)| known == n));
        if let (Some(name), Some(None)) = (name, found) {
            return Err(unknown_monitor(texts, source, "early_stopping.monitor", name, &names));
        }
        Ok(Watch {
            name: name.map(String::from),
            larger: found.flatten().is_some_and(|(_, larger)| *larger),
            patience: stopping.map(|s| s.patience),
            min_delta: stopping.map_or(0.0, |s| s.min_delta),
            best: None,
            reference: f64::INFINITY,
            waited: 0,
        })
    }

    /// Takes note of an epoch, and says whether it is the best so far.
    pub fn see(&mut self, report: &EpochReport) -> bool {
        let Some(name) = &self.name else {
            self.best = Some((report.epoch, 0.0));
            return true;
        };
        let value = fields(report).iter().find(|f| f.name == *name).map_or(f64::NAN, |f| f.value);
        let value = if self.larger { -value } else { value };
        let better = !value.is_nan() && self.best.is_none_or(|(_, best)| best.is_nan() || value < best);
        if better || self.best.is_none() {
            self.best = Some((report.epoch, value));
        }
        if value < self.reference - self.min_delta {
            (self.reference, self.waited) = (value, 0);
        } else {
            self.waited += 1;
        }
        better
    }

    /// The best epoch so far, from 1; 0 before the first.
    pub fn best(&self) -> usize {
        self.best.map_or(0, |(epoch, _)| epoch)
    }

    /// Whether it is time to end.
    pub fn is_over(&self) -> bool {
        self.patience.is_some_and(|patience| self.waited > 0 && self.waited >= patience)
    }

    /// Begins to count anew, for a training that is to go on although it was over.
    pub fn forgive(&mut self) {
        self.waited = 0;
    }

    /// Whether there is a number that says which epoch is the best.
    pub fn judges(&self) -> bool {
        self.name.is_some()
    }

    /// Why training ended: the number and the epochs waited.
    pub fn reason(&self, texts: &Texts) -> String {
        let name = self.name.as_deref().unwrap_or("loss");
        texts.fill("train.stopped_early", &[("monitor", &name), ("epochs", &self.waited), ("best", &self.best())])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use neurona::{Metric, Scores};

    fn watch(name: Option<&str>, larger: bool, patience: Option<usize>, min_delta: f64) -> Watch {
        Watch { name: name.map(String::from), larger, patience, min_delta, best: None, reference: f64::INFINITY, waited: 0 }
    }

    /// Best epochs and ends over the epochs.
    fn see(mut watch: Watch, values: &[f64]) -> Vec<(usize, bool)> {
        let scores = |v: f64| Scores { loss: v, metrics: vec![(Metric::Accuracy, v)] };
        let report = |(i, &v): (usize, &f64)| EpochReport {
            epoch: i + 1,
            epochs: 9,
            train: scores(0.5),
            validation: Some(scores(v)),
            learning_rate: 0.1,
            seconds: 0.0,
        };
        values.iter().enumerate().map(|e| (watch.see(&report(e)), watch.best(), watch.is_over())).map(|(_, b, o)| (b, o)).collect()
    }

    #[test]
    fn the_best_epoch_and_the_end_follow_the_number() {
        let loss = watch(Some("val_loss"), false, Some(2), 0.0);
        assert_eq!(see(loss, &[3.0, 2.0, 2.0, 2.5]), [(1, false), (2, false), (2, false), (2, true)]);
        let accuracy = watch(Some("val_accuracy"), true, Some(1), 0.0);
        assert_eq!(see(accuracy, &[0.5, 0.6, 0.4]), [(1, false), (2, false), (2, true)]);
        // Small improvements make a best epoch but do not put off the end.
        let slow = watch(Some("val_loss"), false, Some(2), 0.5);
        assert_eq!(see(slow, &[3.0, 2.8, 2.6, 1.0]), [(1, false), (2, false), (3, true), (4, false)]);
        assert_eq!(see(watch(None, false, None, 0.0), &[1.0, 2.0]), [(1, false), (2, false)]);
        let spoiled = watch(Some("val_loss"), false, None, 0.0);
        assert_eq!(see(spoiled, &[f64::NAN, 2.0, f64::NAN]), [(1, false), (2, false), (2, false)]);
    }
}
