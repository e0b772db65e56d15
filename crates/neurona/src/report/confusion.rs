//! Confusion matrices, and the scores of classes that follow from them.

use crate::{Error, Loss, Prediction, Result};
use serde::{Deserialize, Serialize};

/// How often each class was taken for each other.
///
/// ```
/// use neurona::report::Confusion;
/// let c = Confusion::new(&[0, 0, 1, 1, 1], &[0, 1, 1, 1, 0], 2)?;
/// assert_eq!(c.counts, [1, 1, 1, 2]); // row by row: actual 0, actual 1
/// assert_eq!(c.accuracy(), 0.6);
/// assert_eq!(c.class(1).recall, 2.0 / 3.0);
/// # Ok::<(), neurona::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confusion {
    /// Number of classes.
    pub classes: usize,
    /// Rows of actual class a predicted as p, at a·classes + p.
    pub counts: Vec<u64>,
}

/// How well one class is told apart. A share of nothing (no row is, or no row was predicted to be, of
/// the class) is 0, as in scikit-learn.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClassScores {
    /// Of the rows predicted to be of the class, the share that is.
    pub precision: f64,
    /// Of the rows of the class, the share predicted to be.
    pub recall: f64,
    /// Harmonic mean of the two.
    pub f1: f64,
    /// Rows of the class.
    pub support: u64,
}

impl Confusion {
    /// Counts pairs of labels.
    ///
    /// # Errors
    /// Lists of different lengths; labels outside 0 … classes − 1.
    pub fn new(actual: &[i32], predicted: &[i32], classes: usize) -> Result<Confusion> {
        if actual.len() != predicted.len() {
            let why = format!("{} labels but {} predictions", actual.len(), predicted.len());
            return Err(Error::data("confusion matrix", why, "give one prediction for each label"));
        }
        let mut counts = vec![0; classes * classes];
        for (row, pair) in actual.iter().zip(predicted).enumerate() {
            let place = |label: &i32| usize::try_from(*label).ok().filter(|&l| l < classes);
            match (place(pair.0), place(pair.1)) {
                (Some(a), Some(p)) => counts[a * classes + p] += 1,
                _ => {
                    let why = format!("label {} predicted as {}, but the classes are 0 to {}", pair.0, pair.1, classes.saturating_sub(1));
                    return Err(Error::data(format!("confusion matrix, row {row}"), why, "correct the labels or the number of classes"));
                }
            }
        }
        Ok(Confusion { classes, counts })
    }

    /// Counts the classes of the largest predictions (the first, if there are several); with a single
    /// prediction a row, class 1 is where it is above 0.5, or above 0 for logits.
    ///
    /// # Errors
    /// As [`Confusion::new`]; predictions that hold a NaN.
    pub fn of(prediction: &Prediction, actual: &[i32], loss: &Loss) -> Result<Confusion> {
        let width = prediction.shape.get(1..).unwrap_or(&[]).iter().product::<usize>().max(1);
        if let Some(i) = prediction.data.iter().position(|x| x.is_nan()) {
            return Err(Error::data(format!("predictions, row {}", i / width), "NaN", "check the weights and the inputs"));
        }
        let threshold = if loss.from_logits() { 0.0 } else { 0.5 };
        let class = |row: &[f32]| match row {
            [one] => i32::from(*one > threshold),
            many => (1..many.len()).fold(0, |best, i| if many[i] > many[best] { i } else { best }) as i32,
        };
        Confusion::new(actual, &prediction.data.chunks(width).map(class).collect::<Vec<_>>(), width.max(2))
    }

    /// Rows of actual class `a` predicted as `p`.
    pub fn get(&self, a: usize, p: usize) -> u64 {
        if a < self.classes && p < self.classes { self.counts[a * self.classes + p] } else { 0 }
    }

    /// Number of rows.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Share of rows predicted rightly.
    pub fn accuracy(&self) -> f64 {
        share((0..self.classes).map(|c| self.get(c, c)).sum(), self.total())
    }

    /// Scores of one class.
    pub fn class(&self, c: usize) -> ClassScores {
        let right = self.get(c, c);
        let support = (0..self.classes).map(|p| self.get(c, p)).sum();
        let predicted = (0..self.classes).map(|a| self.get(a, c)).sum();
        // 2PR/(P + R), without its 0/0.
        ClassScores {
            precision: share(right, predicted),
            recall: share(right, support),
            f1: share(2 * right, support + predicted),
            support,
        }
    }

    /// Plain means of the classes' scores, over the classes that occur or were predicted; `support`
    /// counts all rows.
    pub fn macro_average(&self) -> ClassScores {
        let occurs = |&c: &usize| (0..self.classes).any(|o| self.get(c, o) + self.get(o, c) > 0);
        let each: Vec<ClassScores> = (0..self.classes).filter(occurs).map(|c| self.class(c)).collect();
        let mean = |f: fn(&ClassScores) -> f64| each.iter().map(f).sum::<f64>() / each.len().max(1) as f64;
        ClassScores { precision: mean(|s| s.precision), recall: mean(|s| s.recall), f1: mean(|s| s.f1), support: self.total() }
    }

    /// The most frequent mistakes: (actual, predicted, rows), most first.
    pub fn mistakes(&self, most: usize) -> Vec<(usize, usize, u64)> {
        let place = |i: usize| (i / self.classes, i % self.classes, self.counts[i]);
        let mut wrong: Vec<_> = (0..self.counts.len()).map(place).filter(|(a, p, n)| a != p && *n > 0).collect();
        wrong.sort_by_key(|&(a, p, n)| (std::cmp::Reverse(n), a, p));
        wrong.truncate(most);
        wrong
    }
}

fn share(part: u64, of: u64) -> f64 {
    if of == 0 { 0.0 } else { part as f64 / of as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Actual 0: 5 right, 1 as 1. Actual 1: 2 right, 1 as 0, 1 as 2. Class 2: none, predicted once. Class 3: nothing.
    fn example() -> Confusion {
        Confusion { classes: 4, counts: vec![5, 1, 0, 0, 1, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0] }
    }

    #[test]
    fn scores_by_hand() {
        let c = example();
        assert_eq!((c.total(), c.accuracy()), (10, 0.7));
        assert_eq!(c.class(0), ClassScores { precision: 5.0 / 6.0, recall: 5.0 / 6.0, f1: 10.0 / 12.0, support: 6 });
        assert_eq!(c.class(1), ClassScores { precision: 2.0 / 3.0, recall: 0.5, f1: 4.0 / 7.0, support: 4 });
        assert_eq!(c.class(2), ClassScores { precision: 0.0, recall: 0.0, f1: 0.0, support: 0 });
        let m = c.macro_average();
        assert!((m.precision - 0.5).abs() < 1e-15 && (m.recall - 4.0 / 9.0).abs() < 1e-15);
        assert!((m.f1 - (5.0 / 6.0 + 4.0 / 7.0) / 3.0).abs() < 1e-15 && m.support == 10);
        assert_eq!(c.mistakes(2), [(0, 1, 1), (1, 0, 1)]);
    }

    #[test]
    fn predictions_are_counted() {
        let p = |shape: &[usize], data: &[f32]| Prediction { shape: shape.to_vec(), data: data.to_vec() };
        let loss = Loss::SparseCategoricalCrossEntropy { from_logits: true };
        let c = Confusion::of(&p(&[2, 3], &[0.1, 0.5, 0.5, 0.9, 0.0, 0.0]), &[2, 0], &loss).unwrap();
        assert_eq!((c.get(2, 1), c.get(0, 0), c.total()), (1, 1, 2));
        let data = p(&[3, 1], &[0.4, 0.6, -0.1]);
        let with = |from_logits| Confusion::of(&data, &[1, 1, 0], &Loss::BinaryCrossEntropy { from_logits }).unwrap().counts;
        assert_eq!((with(true), with(false)), (vec![1, 0, 0, 2], vec![1, 0, 1, 1]));
        assert!(Confusion::of(&p(&[1, 2], &[f32::NAN, 0.0]), &[0], &loss).unwrap_err().to_string().contains("row 0"));
        assert!(Confusion::new(&[0, 3], &[0, 0], 3).unwrap_err().to_string().contains("row 1: label 3"));
        assert!(Confusion::new(&[0], &[], 3).is_err());
    }
}
