//! How good a trained network is on rows whose targets are known.

use super::Target;
use super::predict::Answers;
use super::saved::Meta;
use crate::number::short;
use crate::{Report, Texts, failure};
use neurona::data::{Dataset, Loaded, Targets};
use neurona::{Loss, Model, Rows, Scores, Trainer};
use serde::Serialize;

/// How many of the worst rows are kept.
const WORST: usize = 20;

/// Scores, confusion and the worst rows of a set.
#[derive(Clone, Debug, Serialize)]
pub struct Evaluation {
    /// Which rows: train, validation or test.
    pub set: &'static str,
    /// Number of rows.
    pub rows: usize,
    /// Loss and metrics.
    #[serde(skip)]
    pub scores: Scores,
    /// Names of the classes; none for numbers.
    pub classes: Vec<String>,
    /// Rows of each true class (first) that were taken for each class.
    pub confusion: Vec<Vec<usize>>,
    /// The worst rows first.
    pub worst: Vec<Example>,
}

/// A row, what it is, and what the network says.
#[derive(Clone, Debug, Serialize)]
pub struct Example {
    /// Row of the set, from 0.
    pub row: usize,
    /// The target.
    pub truth: String,
    /// The answer.
    pub predicted: String,
    /// Probability of the answer; for numbers, none.
    pub probability: Option<f32>,
    /// 1 − probability of the true class, or the mean distance from the true numbers.
    pub error: f64,
}

/// How a class is recognised.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Quality {
    /// Rows of the class.
    pub rows: usize,
    /// Share of right answers where the network says this class.
    pub precision: f64,
    /// Share of the class's rows that are recognised.
    pub recall: f64,
    /// Harmonic mean of the two.
    pub f1: f64,
}

/// The set of this name, or else the first there is of test, validation, train.
pub fn choose<'a>(data: &'a Loaded, name: Option<&str>) -> Option<(&'static str, &'a Dataset)> {
    let sets = [("test", data.test.as_ref()), ("validation", data.validation.as_ref()), ("train", Some(&data.train))];
    sets.into_iter().filter(|(n, _)| name.is_none_or(|name| name == *n)).find_map(|(n, set)| Some((n, set?)))
}

impl Evaluation {
    /// Evaluates a network, `batch` rows at a time, on a set.
    ///
    /// # Errors
    /// Data that do not fit the network.
    pub fn new(
        texts: &Texts,
        trainer: &mut Trainer<impl Model>,
        (batch, loss, meta): (usize, &Loss, &Meta),
        (name, set): (&'static str, &Dataset),
    ) -> Result<Evaluation, Report> {
        let failed = |e| failure::report(texts, &e);
        let scores = trainer.evaluate(&set.batches(), batch).map_err(failed)?;
        let raw = trainer.predict(&[Rows::f32(&set.x.data, set.x.row_shape())], batch).map_err(failed)?;
        let answers = Answers::new(meta, loss, &raw.data);
        let mut confusion = match meta.target {
            Target::Classes(n) => vec![vec![0; n]; n],
            Target::Values(_) => vec![],
        };
        let mut worst: Vec<Example> = vec![];
        for (row, answer) in answers.rows().enumerate() {
            worst.push(match &set.targets {
                Targets::Classes { labels, .. } => {
                    let (truth, (class, p)) = (labels[row] as usize, Answers::best(answer));
                    confusion[truth][class] += 1;
                    let (truth_name, predicted) = (answers.columns[truth].clone(), answers.columns[class].clone());
                    Example { row, truth: truth_name, predicted, probability: Some(p), error: 1.0 - f64::from(answer[truth]) }
                }
                Targets::Values(values) => {
                    let n = answer.len();
                    let truth = &values.data[row * n..(row + 1) * n];
                    let error = truth.iter().zip(answer).map(|(t, p)| f64::from((t - p).abs())).sum::<f64>() / n.max(1) as f64;
                    Example { row, truth: list(truth), predicted: list(answer), probability: None, error }
                }
            });
        }
        worst.sort_by(|a, b| b.error.total_cmp(&a.error));
        worst.truncate(WORST);
        let classes = if answers.classes { answers.columns } else { vec![] };
        Ok(Evaluation { set: name, rows: set.len(), scores, classes, confusion, worst })
    }

    /// How each class is recognised.
    pub fn qualities(&self) -> Vec<Quality> {
        let share = |a: usize, b: usize| if b == 0 { 0.0 } else { a as f64 / b as f64 };
        let of = |i: usize| {
            let (right, rows) = (self.confusion[i][i], self.confusion[i].iter().sum());
            let said: usize = self.confusion.iter().map(|line| line[i]).sum();
            // F1 = 2PR/(P + R) = 2·right/(said + rows), which has no 0/0 where nothing is right.
            Quality { rows, precision: share(right, said), recall: share(right, rows), f1: share(2 * right, said + rows) }
        };
        (0..self.confusion.len()).map(of).collect()
    }
}

/// A few numbers of a row.
fn list(values: &[f32]) -> String {
    let shown: Vec<String> = values.iter().take(4).map(|&v| short(f64::from(v))).collect();
    shown.join(" ") + if values.len() > 4 { " …" } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn precision_recall_and_f1_have_their_definitions() {
        let confusion = vec![vec![8, 2, 0], vec![1, 5, 0], vec![0, 3, 0]];
        let scores = Scores { loss: 0.0, metrics: vec![] };
        let e = Evaluation { set: "test", rows: 19, scores, classes: vec![], confusion, worst: vec![] };
        let q = e.qualities();
        assert_eq!((q[0].rows, q[0].precision, q[0].recall), (10, 8.0 / 9.0, 0.8));
        assert!((q[0].f1 - 2.0 * (8.0 / 9.0) * 0.8 / (8.0 / 9.0 + 0.8)).abs() < 1e-15);
        assert_eq!((q[1].precision, q[1].recall), (0.5, 5.0 / 6.0));
        assert_eq!(q[2], Quality { rows: 3, precision: 0.0, recall: 0.0, f1: 0.0 });
    }
}
