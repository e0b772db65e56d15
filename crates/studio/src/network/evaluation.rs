//! How good a trained network is on rows whose targets are known.

use super::predict::Answers;
use super::saved::Meta;
use super::{Network, Target};
use crate::number::short;
use crate::{Report, Texts, failure};
use neurona::data::{DataError, Dataset, Loaded, Targets};
use neurona::{Scores, Sequential, Trainer};
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
    /// Evaluates a network on a set.
    ///
    /// # Errors
    /// Data that do not fit the network.
    pub fn new(
        texts: &Texts,
        trainer: &mut Trainer<Sequential>,
        (net, meta): (&Network, &Meta),
        (name, set): (&'static str, &Dataset),
    ) -> Result<Evaluation, Report> {
        let failed = |e| failure::report(texts, &e);
        let scores = trainer.evaluate(&set.batches(), net.batch).map_err(failed)?;
        let mut found = Found::new(net, meta, &set.targets);
        trainer.predict_each(&[set.x.as_rows()], net.batch, |part| found.add(&part.data)).map_err(failed)?;
        let Found { confusion, worst, columns, error, .. } = found;
        if let Some(e) = error {
            return Err(failure::data(texts, &e));
        }
        let classes = if matches!(meta.target, Target::Classes(_)) { columns } else { vec![] };
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

/// What is found out row by row: a set may be too large to keep all answers.
struct Found<'a> {
    net: &'a Network,
    meta: &'a Meta,
    targets: &'a Targets,
    /// Rows so far.
    rows: usize,
    columns: Vec<String>,
    confusion: Vec<Vec<usize>>,
    worst: Vec<Example>,
    /// Targets that could not be read.
    error: Option<DataError>,
}

impl<'a> Found<'a> {
    fn new(net: &'a Network, meta: &'a Meta, targets: &'a Targets) -> Found<'a> {
        let confusion = match meta.target {
            Target::Classes(n) => vec![vec![0; n]; n],
            Target::Values(_) => vec![],
        };
        Found { net, meta, targets, rows: 0, columns: vec![], confusion, worst: vec![], error: None }
    }

    /// Adds the outputs for the next rows.
    fn add(&mut self, raw: &[f32]) {
        let answers = Answers::new(self.meta, &self.net.loss(&self.meta.target), raw);
        let n = answers.rows().count();
        match self.targets {
            Targets::Classes { labels, .. } => self.classes(&answers, &labels[self.rows..]),
            Targets::Values(values) if self.error.is_none() => match values.read_rows(self.rows, n) {
                Ok(truth) => self.values(&answers, &truth.data),
                Err(e) => self.error = Some(e),
            },
            Targets::Values(_) => {}
        }
        self.rows += n;
        self.columns = answers.columns;
        keep(&mut self.worst);
    }

    fn classes(&mut self, answers: &Answers, labels: &[i32]) {
        for (row, (answer, &label)) in answers.rows().zip(labels).enumerate() {
            let (truth, (class, p)) = (label as usize, Answers::best(answer));
            self.confusion[truth][class] += 1;
            let error = 1.0 - f64::from(answer[truth]);
            push(&mut self.worst, self.rows + row, error, Some(p), || [truth, class].map(|c| answers.columns[c].clone()));
        }
    }

    fn values(&mut self, answers: &Answers, truth: &[f32]) {
        for (row, answer) in answers.rows().enumerate() {
            let n = answer.len();
            let truth = &truth[row * n..(row + 1) * n];
            let error = truth.iter().zip(answer).map(|(t, p)| f64::from((t - p).abs())).sum::<f64>() / n.max(1) as f64;
            push(&mut self.worst, self.rows + row, error, None, || [list(truth), list(answer)]);
        }
    }
}

/// Adds a row if it can be among the worst, of which the first [`WORST`] are those of the blocks before, in order.
fn push(worst: &mut Vec<Example>, row: usize, error: f64, probability: Option<f32>, texts: impl FnOnce() -> [String; 2]) {
    if worst.get(WORST - 1).is_none_or(|last| error.total_cmp(&last.error).is_gt()) {
        let [truth, predicted] = texts();
        worst.push(Example { row, truth, predicted, probability, error });
    }
}

/// Keeps the worst, the first of equals, at the end of a block.
fn keep(worst: &mut Vec<Example>) {
    worst.sort_by(|a, b| b.error.total_cmp(&a.error));
    worst.truncate(WORST);
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
    fn the_worst_rows_are_the_same_whatever_the_blocks() {
        let errors: Vec<f64> = (0..500).map(|i: u32| f64::from(i.wrapping_mul(2_654_435_761) >> 26)).collect();
        let mut expected: Vec<usize> = (0..500).collect();
        expected.sort_by(|&a, &b| errors[b].total_cmp(&errors[a]));
        for block in [1, 7, 32, 500] {
            let mut worst: Vec<Example> = vec![];
            for (i, part) in errors.chunks(block).enumerate() {
                for (row, &error) in part.iter().enumerate() {
                    push(&mut worst, i * block + row, error, None, || ["a".into(), "b".into()]);
                }
                keep(&mut worst);
            }
            assert!(worst.iter().map(|e| e.row).eq(expected[..WORST].iter().copied()), "{block}");
        }
    }

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
