//! The same network trained with several learning rates and batch sizes.

use super::{Epoch, Playground, Points, Settings, config};
use neurona::Error;
use serde::Serialize;

/// Most trainings of one exploration.
pub const MAX_RUNS: usize = 25;

/// One training of an exploration.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Run {
    /// Size of a step.
    pub learning_rate: f64,
    /// Points a step.
    pub batch: usize,
    /// Steps of an epoch: points over batch size, rounded up.
    pub iterations: usize,
    /// The epochs, as many as it stayed finite.
    pub epochs: Vec<Epoch>,
    /// Whether the loss or a weight became infinite.
    pub diverged: bool,
}

/// Trains once for each rate and batch size, all else (points, split, first weights) being the same.
///
/// # Errors
/// Settings that cannot be used, more than [`MAX_RUNS`] trainings.
pub fn explore(points: &Points, settings: &Settings, rates: &[f64], batches: &[usize], epochs: usize) -> Result<Vec<Run>, Error> {
    if rates.len() * batches.len() > MAX_RUNS {
        let why = format!("{} learning rates and {} batch sizes", rates.len(), batches.len());
        return Err(config("learning_rate", why, format!("use at most {MAX_RUNS} pairs of them")));
    }
    let mut runs = vec![];
    for &batch in batches {
        for &learning_rate in rates {
            let mut net = Playground::new(points, &Settings { learning_rate, batch, ..settings.clone() })?;
            let mut run = Run { learning_rate, batch, iterations: net.iterations(), epochs: vec![], diverged: false };
            match net.train(epochs) {
                Ok(epochs) => run.epochs = epochs,
                Err(Error::Diverged { epoch, .. }) => {
                    run.diverged = true;
                    // Again up to there: what came before the end is worth seeing.
                    let mut again = Playground::new(points, &Settings { learning_rate, batch, ..settings.clone() })?;
                    run.epochs = if epoch > 1 { again.train(epoch - 1)? } else { vec![] };
                }
                Err(other) => return Err(other),
            }
            runs.push(run);
        }
    }
    Ok(runs)
}
