//! What a network's outputs mean: classes with probabilities, or numbers.

use super::{Target, saved::Meta};
use neurona::Loss;

/// Outputs of a network for a number of rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Answers {
    /// What each number of a row is: names of classes, or of what is predicted.
    pub columns: Vec<String>,
    /// Whether the numbers of a row are probabilities of classes.
    pub classes: bool,
    /// Shape of a row.
    pub shape: Vec<usize>,
    /// The numbers, row by row.
    pub values: Vec<f32>,
}

impl Answers {
    /// The answers that the outputs `raw`, trained with `loss`, stand for.
    pub fn new(meta: &Meta, loss: &Loss, raw: &[f32]) -> Answers {
        match &meta.target {
            Target::Classes(n) => {
                let names = &meta.preprocessing.classes;
                let columns: Vec<String> = (0..*n).map(|i| names.get(i).cloned().unwrap_or_else(|| i.to_string())).collect();
                let values = match loss {
                    // One number a row: the probability of the second class.
                    Loss::BinaryCrossEntropy { .. } => decoded(loss, raw, 1).into_iter().flat_map(|p| [1.0 - p, p]).collect(),
                    _ => decoded(loss, raw, *n),
                };
                Answers { columns, classes: true, shape: vec![*n], values }
            }
            Target::Values(shape) => {
                let n = shape.iter().product::<usize>().max(1);
                let named = meta.preprocessing.encoding.as_ref().map_or(vec![], |e| e.targets.iter().map(|t| t.name.clone()).collect());
                let columns = if named.len() == n { named } else { (0..n).map(|i| format!("y{i}")).collect() };
                let width = shape.last().copied().unwrap_or(1);
                Answers { columns, classes: false, shape: shape.clone(), values: decoded(loss, raw, width) }
            }
        }
    }

    /// The rows.
    pub fn rows(&self) -> impl Iterator<Item = &[f32]> {
        self.values.chunks_exact(self.columns.len().max(1))
    }

    /// The first most probable class of a row: its number and probability.
    pub fn best(row: &[f32]) -> (usize, f32) {
        row.iter().enumerate().fold((0, f32::NEG_INFINITY), |best, (i, &p)| if p > best.1 { (i, p) } else { best })
    }
}

/// Sigmoid or softmax where the network was trained on the numbers before them.
fn decoded(loss: &Loss, raw: &[f32], width: usize) -> Vec<f32> {
    match loss {
        Loss::BinaryCrossEntropy { from_logits: true } => raw.iter().map(|&x| (1.0 / (1.0 + f64::from(-x).exp())) as f32).collect(),
        Loss::CategoricalCrossEntropy { from_logits: true } | Loss::SparseCategoricalCrossEntropy { from_logits: true } => {
            raw.chunks(width.max(1)).flat_map(softmax).collect()
        }
        _ => raw.to_vec(),
    }
}

fn softmax(row: &[f32]) -> Vec<f32> {
    let largest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let powers: Vec<f64> = row.iter().map(|&x| f64::from(x - largest).exp()).collect();
    let sum: f64 = powers.iter().sum();
    powers.iter().map(|p| (p / sum) as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logits_become_probabilities() {
        let loss = Loss::SparseCategoricalCrossEntropy { from_logits: true };
        let p = decoded(&loss, &[1000.0, 1000.0 + 2f32.ln(), -1000.0, 0.0, 0.0, 0.0], 3);
        let want = [1.0 / 3.0, 2.0 / 3.0, 0.0, 1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0];
        // 1000 + ln 2 is rounded to a multiple of 2⁻¹⁴.
        assert!(p.iter().zip(want).all(|(a, b)| (a - b).abs() < 2e-5), "{p:?}");
        assert_eq!(decoded(&Loss::BinaryCrossEntropy { from_logits: true }, &[0.0, -1000.0], 1), [0.5, 0.0]);
        assert_eq!(decoded(&Loss::SparseCategoricalCrossEntropy { from_logits: false }, &[0.25, 0.75], 2), [0.25, 0.75]);
        assert_eq!(Answers::best(&[0.2, 0.4, 0.4]), (1, 0.4));
    }
}
