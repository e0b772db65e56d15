//! Evaluation and prediction, batch by batch.

use super::super::options::{Scores, Sums};
use super::super::programs::{Key, find};
use super::Trainer;
use crate::rows::Gather;
use crate::{Batches, Error, Model, Result, Rows};
use graph::Type;

/// Outputs of a model, one row per row of its input.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    /// Number of rows, then the shape of a row.
    pub shape: Vec<usize>,
    /// The numbers, row by row.
    pub data: Vec<f32>,
}

impl<M: Model> Trainer<M> {
    /// Loss and metrics of a data set, `batch` rows at a time.
    ///
    /// # Errors
    /// A trainer that is not built; data that do not fit.
    pub fn evaluate(&mut self, data: &Batches, batch: usize) -> Result<Scores> {
        self.task.objective.check()?;
        self.built()?;
        self.check_data("evaluation", data)?;
        self.score("evaluation", data, batch)
    }

    pub(super) fn score(&mut self, set: &str, data: &Batches, batch: usize) -> Result<Scores> {
        let mut sums = Sums::new(&self.task.metrics);
        let (mut place, mut gather) = (0, Gather::default());
        let arrays: Vec<&Rows> = data.arrays().collect();
        for (start, n) in batches(data.len(), batch)? {
            // Targets are checked with the first batch, and the place changes at most with the last.
            if start == 0 || n < batch {
                place = self.scorer(set, data, n)?;
            }
            let Some(state) = &self.state else { break };
            let out = self.scorers[place].1.function.run(&state.params, &gather.part(&arrays, start, n)?)?;
            sums.add(out.into_iter().map(|v| v[0]), n);
        }
        Ok(sums.scores(&self.task.metrics))
    }

    /// Outputs for every row, `batch` rows at a time.
    ///
    /// # Errors
    /// A trainer that is not built; inputs that do not fit.
    pub fn predict(&mut self, inputs: &[Rows], batch: usize) -> Result<Prediction> {
        let rows = inputs.first().map_or(0, Rows::len);
        let mut prediction = Prediction { shape: vec![rows], data: vec![] };
        self.predict_each(inputs, batch, |part| {
            if prediction.data.is_empty() {
                prediction.shape.extend(&part.shape[1..]);
                prediction.data.reserve_exact(prediction.shape.iter().product());
            }
            prediction.data.extend(part.data);
        })?;
        Ok(prediction)
    }

    /// Gives `see` the outputs for `batch` rows after another: what is not kept needs no memory.
    ///
    /// # Errors
    /// As [`Trainer::predict`].
    pub fn predict_each(&mut self, inputs: &[Rows], batch: usize, mut see: impl FnMut(Prediction)) -> Result<()> {
        self.built()?;
        self.check_inputs("prediction", inputs)?;
        let rows = inputs.first().map_or(0, Rows::len);
        let types: Vec<Type> = inputs.iter().map(Rows::ty).collect();
        let (arrays, mut gather) = (inputs.iter().collect::<Vec<_>>(), Gather::default());
        for (start, n) in batches(rows, batch)? {
            let threads = self.threads;
            let i = find(&mut self.predictors, Key { types: types.clone(), rows: n }, |key| self.task.predictor(key, threads))?;
            if start == 0 {
                self.same_params(&self.predictors[i].1.params)?;
            }
            let Some(state) = &self.state else { break };
            let predictor = &mut self.predictors[i].1;
            let out = predictor.function.run(&state.params, &gather.part(&arrays, start, n)?)?;
            see(Prediction { shape: predictor.shape.clone(), data: out.into_iter().flatten().collect() });
        }
        Ok(())
    }
}

/// Start and size of each batch.
fn batches(rows: usize, batch: usize) -> Result<impl Iterator<Item = (usize, usize)>> {
    if batch == 0 {
        return Err(Error::config("batch", "is 0", "use a number of rows from 1, for example 32"));
    }
    Ok((0..rows).step_by(batch).map(move |start| (start, batch.min(rows - start))))
}
