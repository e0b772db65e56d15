//! Inputs with their targets, and the order in which training sees them.

use super::{DataError, Numbers, Result};
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
    Values(Numbers),
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
    pub x: Numbers,
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
    /// let data = Dataset::new(x.into(), Targets::Classes { labels: vec![0, 1], names }, "example")?;
    /// assert_eq!(data.take(&[1])?.x.memory().unwrap().data, [1.5]);
    /// # Ok::<(), neurona::data::DataError>(())
    /// ```
    pub fn new(x: Numbers, targets: Targets, place: &str) -> Result<Dataset> {
        if x.rows() != targets.len() {
            return Err(DataError::Counts { place: place.into(), rows: x.rows(), targets: targets.len() });
        }
        if targets.is_empty() {
            return Err(DataError::ZeroRows { place: place.into() });
        }
        x.check(place)?;
        match &targets {
            Targets::Classes { labels, names } => {
                let bad = labels.iter().position(|&l| usize::try_from(l).map_or(true, |l| l >= names.len()));
                if let Some(row) = bad {
                    return Err(DataError::Label { place: place.into(), row, label: f64::from(labels[row]), classes: names.len() });
                }
            }
            Targets::Values(values) => values.check(place)?,
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
            Targets::Values(values) => values.as_rows(),
        };
        Batches::new(self.x.as_rows(), y)
    }

    /// The rows with these indices, in their order.
    pub fn take(&self, indices: &[usize]) -> Result<Dataset> {
        Ok(Dataset { x: self.x.take(indices)?, targets: self.targets.take(indices)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Array;

    fn array(shape: &[usize], data: &[f32]) -> Numbers {
        Array::new(shape.to_vec(), data.to_vec()).unwrap().into()
    }

    #[test]
    fn rows_and_targets_stay_together() {
        let x = array(&[3, 1], &[0.0, 1.0, 2.0]);
        let names = vec!["a".to_string(), "b".to_string()];
        let classes = Dataset::new(x.clone(), Targets::Classes { labels: vec![0, 1, 0], names: names.clone() }, "x").unwrap();
        let taken = classes.take(&[1, 2]).unwrap();
        assert_eq!((taken.x, taken.targets), (array(&[2, 1], &[1.0, 2.0]), Targets::Classes { labels: vec![1, 0], names }));
        let values = Dataset::new(x, Targets::Values(array(&[3, 2], &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0])), "x").unwrap();
        assert_eq!(values.take(&[2, 0]).unwrap().targets, Targets::Values(array(&[2, 2], &[4.0, 5.0, 0.0, 1.0])));
        assert_eq!(values.take(&[3]).unwrap_err(), DataError::RowIndex { index: 3, rows: 3 });
        assert_eq!(classes.targets.take(&[3]).unwrap_err(), DataError::RowIndex { index: 3, rows: 3 });
    }

    #[test]
    fn inconsistent_sets_are_refused() {
        let x = array(&[2, 1], &[0.0, 1.0]);
        let labels = |labels: &[i32]| Targets::Classes { labels: labels.to_vec(), names: vec!["a".into(), "b".into()] };
        let error = |x: &Numbers, targets| Dataset::new(x.clone(), targets, "part").unwrap_err();
        assert_eq!(error(&x, labels(&[0])), DataError::Counts { place: "part".into(), rows: 2, targets: 1 });
        assert_eq!(error(&array(&[0, 1], &[]), labels(&[])), DataError::ZeroRows { place: "part".into() });
        for bad in [-1, 2] {
            assert_eq!(error(&x, labels(&[0, bad])), DataError::Label { place: "part".into(), row: 1, label: bad.into(), classes: 2 });
        }
        assert!(matches!(error(&array(&[2, 1], &[0.0, f32::NAN]), labels(&[0, 1])), DataError::NonFinite { row: 1, .. }));
        let infinite = Targets::Values(array(&[2, 1], &[f32::INFINITY, 0.0]));
        assert!(matches!(error(&x, infinite), DataError::NonFinite { row: 0, .. }));
    }
}
