//! Inputs with their targets, and the order in which training sees them.

use graph::ops::source::philox;

use super::{Array, DataError, Result};
use crate::{Batches, Rows};

/// More classes than this are rather numbers to predict, or identifiers.
pub const MAX_CLASSES: usize = 10_000;

/// What a network is to predict.
#[derive(Clone, Debug, PartialEq)]
pub enum Targets {
    /// One class a row.
    Classes {
        /// For each row the index of its class.
        labels: Vec<i32>,
        /// The classes' names.
        names: Vec<String>,
    },
    /// Numbers, `[rows, …]`.
    Values(Array),
}

impl Targets {
    /// Number of rows.
    pub fn len(&self) -> usize {
        match self {
            Targets::Classes { labels, .. } => labels.len(),
            Targets::Values(values) => values.rows(),
        }
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The targets of the rows with these indices.
    pub fn take(&self, indices: &[usize]) -> Result<Targets> {
        match self {
            Targets::Classes { labels, names } => {
                let label = |&index: &usize| labels.get(index).copied().ok_or(DataError::RowIndex { index, rows: labels.len() });
                Ok(Targets::Classes { labels: indices.iter().map(label).collect::<Result<_>>()?, names: names.clone() })
            }
            Targets::Values(values) => values.take(indices).map(Targets::Values),
        }
    }
}

/// Inputs and targets, row by row.
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    /// Inputs, `[rows, …]`.
    pub x: Array,
    /// What to predict from them.
    pub targets: Targets,
}

impl Dataset {
    /// A data set with at least one row, as many targets as inputs, finite numbers, and labels within the names.
    ///
    /// ```
    /// use neurona::data::{Array, Dataset, Targets};
    /// let x = Array::new(vec![2, 1], vec![0.5, 1.5])?;
    /// let names = vec!["low".to_string(), "high".to_string()];
    /// let data = Dataset::new(x, Targets::Classes { labels: vec![0, 1], names }, "example")?;
    /// assert_eq!(data.take(&[1])?.x.data, [1.5]);
    /// # Ok::<(), neurona::data::DataError>(())
    /// ```
    pub fn new(x: Array, targets: Targets, place: &str) -> Result<Dataset> {
        x.check_shape(place)?;
        if x.rows() != targets.len() {
            return Err(DataError::Counts { place: place.into(), rows: x.rows(), targets: targets.len() });
        }
        if targets.is_empty() {
            return Err(DataError::ZeroRows { place: place.into() });
        }
        x.check_finite(place)?;
        match &targets {
            Targets::Classes { labels, names } => {
                let bad = labels.iter().position(|&l| usize::try_from(l).map_or(true, |l| l >= names.len()));
                if let Some(row) = bad {
                    return Err(DataError::Label { place: place.into(), row, label: f64::from(labels[row]), classes: names.len() });
                }
            }
            Targets::Values(values) => {
                values.check_shape(place)?;
                values.check_finite(place)?;
            }
        }
        Ok(Dataset { x, targets })
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.x.rows()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The rows as training takes them, without a copy.
    pub fn batches(&self) -> Batches<'_> {
        let y = match &self.targets {
            Targets::Classes { labels, .. } => Rows::labels(labels),
            Targets::Values(values) => Rows::f32(&values.data, values.row_shape()),
        };
        Batches::new(Rows::f32(&self.x.data, self.x.row_shape()), y)
    }

    /// The rows with these indices, in their order.
    pub fn take(&self, indices: &[usize]) -> Result<Dataset> {
        Ok(Dataset { x: self.x.take(indices)?, targets: self.targets.take(indices)? })
    }
}

/// What a permutation is for: each purpose has its own random numbers.
#[derive(Clone, Copy, Debug)]
pub(super) enum Purpose {
    Epoch = 1,
    Test,
    Limit,
    Validation,
}

/// The order in which an epoch visits `n` rows: a pure function of `seed` and `epoch`, so that a training
/// that was interrupted goes on in the same order, on any number of threads.
///
/// ```
/// use neurona::data::shuffled_indices;
/// let mut order = shuffled_indices(100, 1, 0);
/// assert_ne!(order, shuffled_indices(100, 1, 1));
/// order.sort();
/// assert!(order.into_iter().eq(0..100));
/// ```
pub fn shuffled_indices(n: usize, seed: u32, epoch: u32) -> Vec<usize> {
    permutation(n, [seed, epoch], Purpose::Epoch)
}

/// Fisher–Yates shuffle by a counter-based generator.
pub(super) fn permutation(n: usize, key: [u32; 2], purpose: Purpose) -> Vec<usize> {
    let mut order: Vec<usize> = (0..n).collect();
    for i in (1..n).rev() {
        // The graph's random numbers have 0 in the last word of the counter: these are never the same.
        let words = philox([i as u32, (i as u64 >> 32) as u32, 0, purpose as u32], key);
        let random = u64::from(words[0]) << 32 | u64::from(words[1]);
        // Multiply and shift (Lemire 2019); without rejection the bias is below n / 2⁶⁴.
        let j = (u128::from(random) * (i as u128 + 1)) >> 64;
        order.swap(i, j as usize);
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    fn array(shape: &[usize], data: &[f32]) -> Array {
        Array::new(shape.to_vec(), data.to_vec()).unwrap()
    }

    #[test]
    fn rows_and_targets_stay_together() {
        let x = array(&[3, 1], &[0.0, 1.0, 2.0]);
        let names = vec!["a".to_string(), "b".to_string()];
        let classes = Dataset::new(x.clone(), Targets::Classes { labels: vec![0, 1, 0], names: names.clone() }, "x").unwrap();
        let taken = classes.take(&[1, 2]).unwrap();
        assert_eq!((taken.x.data, taken.targets), (vec![1.0, 2.0], Targets::Classes { labels: vec![1, 0], names }));
        let values = Dataset::new(x, Targets::Values(array(&[3, 2], &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0])), "x").unwrap();
        assert_eq!(values.take(&[2, 0]).unwrap().targets, Targets::Values(array(&[2, 2], &[4.0, 5.0, 0.0, 1.0])));
        assert_eq!(values.take(&[3]).unwrap_err(), DataError::RowIndex { index: 3, rows: 3 });
        assert_eq!(classes.targets.take(&[3]).unwrap_err(), DataError::RowIndex { index: 3, rows: 3 });
    }

    #[test]
    fn inconsistent_sets_are_refused() {
        let x = array(&[2, 1], &[0.0, 1.0]);
        let labels = |labels: &[i32]| Targets::Classes { labels: labels.to_vec(), names: vec!["a".into(), "b".into()] };
        let error = |x: &Array, targets| Dataset::new(x.clone(), targets, "part").unwrap_err();
        assert_eq!(error(&x, labels(&[0])), DataError::Counts { place: "part".into(), rows: 2, targets: 1 });
        assert_eq!(error(&array(&[0, 1], &[]), labels(&[])), DataError::ZeroRows { place: "part".into() });
        for bad in [-1, 2] {
            assert_eq!(error(&x, labels(&[0, bad])), DataError::Label { place: "part".into(), row: 1, label: bad.into(), classes: 2 });
        }
        assert!(matches!(error(&array(&[2, 1], &[0.0, f32::NAN]), labels(&[0, 1])), DataError::NonFinite { row: 1, .. }));
        let infinite = Targets::Values(array(&[2, 1], &[f32::INFINITY, 0.0]));
        assert!(matches!(error(&x, infinite), DataError::NonFinite { row: 0, .. }));
    }

    #[test]
    fn orders_depend_on_seed_epoch_and_purpose_only() {
        assert_eq!(shuffled_indices(1000, 7, 3), shuffled_indices(1000, 7, 3));
        let others = [shuffled_indices(1000, 8, 3), shuffled_indices(1000, 7, 4), permutation(1000, [7, 3], Purpose::Test)];
        assert!(others.iter().all(|o| *o != shuffled_indices(1000, 7, 3)));
        assert_eq!((shuffled_indices(0, 1, 1), shuffled_indices(1, 1, 1)), (vec![], vec![0]));
    }

    /// All 24 orders of 4 rows, by χ² with 23 degrees of freedom: above 60 in 4 of 100,000 fair shuffles.
    #[test]
    fn every_order_is_equally_likely() {
        let mut counts = std::collections::HashMap::new();
        for epoch in 0..24_000 {
            *counts.entry(shuffled_indices(4, 5, epoch)).or_insert(0) += 1;
        }
        assert_eq!(counts.len(), 24);
        let chi2: f64 = counts.values().map(|&c| (f64::from(c) - 1000.0).powi(2) / 1000.0).sum();
        assert!(chi2 < 60.0, "{chi2}");
    }

    /// This order is part of every recorded result: it must not change between versions.
    #[test]
    fn the_order_is_pinned() {
        assert_eq!(shuffled_indices(10, 42, 0), [5, 9, 0, 8, 2, 1, 3, 6, 7, 4]);
    }
}
