//! How to train, and what training tells.

use crate::{Augment, Batches, Error, Metric, Param, Result, Schedule, State};
use serde::{Deserialize, Serialize};
use std::ops::ControlFlow;

/// How to train.
#[derive(Clone, Debug)]
pub struct FitOptions<'a> {
    /// Times that every row is used, counted from the first epoch of the whole training.
    pub epochs: usize,
    /// Rows per step; the last batch of an epoch may be smaller.
    pub batch: usize,
    /// Size of a step, before the schedule.
    pub learning_rate: f64,
    /// How the learning rate changes.
    pub schedule: Schedule,
    /// Epochs in which the rate rises evenly from almost 0 to what the schedule says (0: none).
    pub warmup: f64,
    /// Random changes of the images of input 0, other ones in each epoch.
    pub augment: Option<Augment>,
    /// Data to measure after each epoch.
    pub validation: Option<&'a Batches<'a>>,
    /// Whether validation measures the averaged weights ([`State::averaged`]) of an update rule that has an
    /// average, and not those of the last step. [`Observer`]s are told the state of the last step all the same.
    pub averaged: bool,
    /// Whether each epoch uses the rows in a new random order.
    pub shuffle: bool,
    /// Seed of the first weights, of shuffling and of dropout, if the trainer is not built yet; a
    /// trainer that is goes on with its own.
    pub seed: u32,
    /// Where to begin: what [`Snapshot::position`] said when a training that goes on was saved.
    pub start: Position,
    /// Worker threads (0: one per processor). The results do not depend on it.
    pub threads: usize,
}

impl Default for FitOptions<'_> {
    /// One epoch of batches of 32 at a learning rate of 0.001.
    fn default() -> Self {
        FitOptions {
            epochs: 1,
            batch: 32,
            learning_rate: 1e-3,
            schedule: Schedule::Constant,
            warmup: 0.0,
            augment: None,
            validation: None,
            averaged: false,
            shuffle: true,
            seed: 0,
            start: Position::default(),
            threads: 0,
        }
    }
}

impl FitOptions<'_> {
    /// Checks every setting.
    ///
    /// # Errors
    /// The first that cannot be used.
    pub fn check(&self) -> Result<()> {
        if self.epochs == 0 {
            return Err(Error::config("epochs", "is 0", "use a number from 1"));
        }
        if self.batch == 0 {
            return Err(Error::config("batch", "is 0", "use a number of rows from 1, for example 32"));
        }
        if !(self.learning_rate > 0.0 && self.learning_rate.is_finite()) {
            let why = format!("{} is not a positive number", self.learning_rate);
            return Err(Error::config("learning_rate", why, "use for example 0.001 with Adam, 0.1 with plain gradient descent"));
        }
        if !(self.warmup >= 0.0 && self.warmup.is_finite()) {
            return Err(Error::config(
                "warmup",
                format!("{} is not a number of epochs", self.warmup),
                "use for example 1.0, or 0 for none",
            ));
        }
        self.augment.map_or(Ok(()), |a| a.check())?;
        self.schedule.check()
    }
}

/// Loss and metrics over a set of rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    /// Mean loss of a row.
    pub loss: f64,
    /// The metrics, in the order in which they were asked for.
    pub metrics: Vec<(Metric, f64)>,
}

impl Scores {
    /// The value of one metric, if it was asked for.
    pub fn get(&self, metric: Metric) -> Option<f64> {
        self.metrics.iter().find(|(m, _)| *m == metric).map(|&(_, value)| value)
    }
}

/// A place between two steps of a training, from which it can go on with the same bits: together with
/// the [`State`], all there is to save.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Position {
    /// Finished epochs.
    pub epoch: usize,
    /// Finished batches of the epoch after them.
    pub batch: usize,
    /// Sums over the rows of that epoch so far: loss, then metrics.
    pub totals: Vec<f64>,
    /// Rows of that epoch so far.
    pub rows: usize,
}

/// What can be saved after a step.
pub struct Snapshot<'a> {
    /// The parameters.
    pub params: &'a [Param],
    /// Their values, the optimizer's memory, step and seed.
    pub state: &'a State,
    pub(super) epoch: usize,
    pub(super) batch: usize,
    pub(super) sums: &'a Sums,
}

impl Snapshot<'_> {
    /// Where the training stands.
    pub fn position(&self) -> Position {
        Position { epoch: self.epoch, batch: self.batch, totals: self.sums.totals.clone(), rows: self.sums.rows }
    }
}

/// Sums over rows, in double precision, and the number of rows.
pub(super) struct Sums {
    totals: Vec<f64>,
    rows: usize,
}

impl Sums {
    pub(super) fn new(metrics: &[Metric]) -> Sums {
        Sums { totals: vec![0.0; 1 + metrics.len()], rows: 0 }
    }

    /// The sums at `start`, of a training with these metrics.
    pub(super) fn resumed(metrics: &[Metric], start: &Position) -> Result<Sums> {
        if start.batch == 0 {
            return Ok(Sums::new(metrics));
        }
        if start.totals.len() != 1 + metrics.len() {
            let why = format!("it has {} sums, but loss and metrics are {}", start.totals.len(), 1 + metrics.len());
            return Err(Error::config("start", why, "resume with the loss and metrics of the saved training"));
        }
        Ok(Sums { totals: start.totals.clone(), rows: start.rows })
    }

    pub(super) fn add(&mut self, sums: impl Iterator<Item = f32>, rows: usize) {
        self.totals.iter_mut().zip(sums).for_each(|(total, s)| *total += f64::from(s));
        self.rows += rows;
    }

    pub(super) fn scores(&self, metrics: &[Metric]) -> Scores {
        let mean = |i: usize| self.totals[i] / self.rows.max(1) as f64;
        Scores { loss: mean(0), metrics: metrics.iter().enumerate().map(|(i, &m)| (m, m.finish(mean(i + 1)))).collect() }
    }
}

/// One step of training.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BatchReport {
    /// Epoch, from 1.
    pub epoch: usize,
    /// Epochs in all.
    pub epochs: usize,
    /// Batch of the epoch, from 1.
    pub batch: usize,
    /// Batches in an epoch.
    pub batches: usize,
    /// Rows in this batch.
    pub rows: usize,
    /// Mean loss of its rows, before the step.
    pub loss: f64,
    /// Learning rate of the step.
    pub learning_rate: f64,
}

/// One epoch of training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochReport {
    /// Epoch, from 1.
    pub epoch: usize,
    /// Epochs in all.
    pub epochs: usize,
    /// Means over the rows of the epoch, each measured before the step it took part in.
    pub train: Scores,
    /// Scores of the validation data after the epoch.
    pub validation: Option<Scores>,
    /// Learning rate of the last step.
    pub learning_rate: f64,
    /// Wall time, with validation.
    pub seconds: f64,
}

/// What [`Trainer::fit`](crate::Trainer::fit) returns.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct History {
    /// Finished epochs, in order.
    pub epochs: Vec<EpochReport>,
    /// Whether an observer stopped the training.
    pub stopped: bool,
}

/// Follows a training, and may stop it by returning [`ControlFlow::Break`].
///
/// `()` follows nothing; a closure over [`EpochReport`] follows epochs:
///
/// ```
/// use neurona::prelude::*;
/// use std::ops::ControlFlow;
/// let mut losses = vec![];
/// let mut watch = |e: &EpochReport| {
///     losses.push(e.train.loss);
///     if e.train.loss < 0.01 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
/// };
/// # let data = Batches::new(Rows::f32(&[1.0], &[1]), Rows::f32(&[2.0], &[1]));
/// # let mut trainer = Trainer::compile(Sequential::new(&[1]).layer(Dense::new(1)), Loss::Mse, Optimizer::Sgd, &[]);
/// # trainer.fit(&data, &FitOptions { epochs: 2, threads: 1, ..FitOptions::default() }, &mut watch)?;
/// # assert_eq!(losses.len(), 2);
/// # Ok::<(), neurona::Error>(())
/// ```
pub trait Observer {
    /// Called after each step. A stop here leaves the epoch unfinished and out of the history.
    fn on_batch(&mut self, _report: &BatchReport) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    /// Called after each step that does not end an epoch, with all that can be saved there; a stop here
    /// leaves the epoch to be finished from that [`Position`].
    fn on_step(&mut self, _snapshot: &Snapshot) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    /// Called once before the first step, to refuse what cannot work.
    ///
    /// # Errors
    /// Whatever stops the training before it starts.
    fn check(&self, _options: &FitOptions, _metrics: &[Metric]) -> Result<()> {
        Ok(())
    }

    /// Factor of the scheduled learning rate, asked for before each step.
    fn rate_factor(&self) -> f64 {
        1.0
    }

    /// Weights to end with instead of the last ones, asked for once after the last epoch.
    fn final_weights(&mut self) -> Option<Vec<Vec<f32>>> {
        None
    }

    /// Called after each epoch, with all that has changed, so that it can be saved.
    fn on_epoch(&mut self, _report: &EpochReport, _params: &[Param], _state: &State) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

impl Observer for () {}

impl<F: FnMut(&EpochReport) -> ControlFlow<()>> Observer for F {
    fn on_epoch(&mut self, report: &EpochReport, _: &[Param], _: &State) -> ControlFlow<()> {
        self(report)
    }
}
