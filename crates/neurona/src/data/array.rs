//! Rows of numbers of equal shape.

use super::{DataError, Result};

/// Numbers in row-major order; the first dimension counts the rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    /// Extent of each dimension, the number of rows first.
    pub shape: Vec<usize>,
    /// The values, rows after one another.
    pub data: Vec<f32>,
}

impl Array {
    /// An array of this shape, if it fits the number of values and no row is empty.
    ///
    /// ```
    /// use neurona::data::Array;
    /// let a = Array::new(vec![2, 3], vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0])?;
    /// assert_eq!((a.rows(), a.row_len()), (2, 3));
    /// assert!(Array::new(vec![2, 3], vec![1.0]).is_err());
    /// # Ok::<(), neurona::data::DataError>(())
    /// ```
    pub fn new(shape: Vec<usize>, data: Vec<f32>) -> Result<Array> {
        let array = Array { shape, data };
        array.check_shape("array")?;
        Ok(array)
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.shape.first().copied().unwrap_or(0)
    }

    /// Number of values of a row.
    pub fn row_len(&self) -> usize {
        product(self.row_shape())
    }

    /// Shape of a row.
    pub fn row_shape(&self) -> &[usize] {
        self.shape.get(1..).unwrap_or(&[])
    }

    /// The rows with these indices, in their order.
    pub fn take(&self, indices: &[usize]) -> Result<Array> {
        let n = self.row_len();
        let mut data = Vec::with_capacity(indices.len().saturating_mul(n).min(self.data.len()));
        for &index in indices {
            // Shape and data are public, so they may contradict each other: `get` instead of a slice.
            let row = index.checked_mul(n).and_then(|start| self.data.get(start..start.checked_add(n)?));
            data.extend_from_slice(row.ok_or(DataError::RowIndex { index, rows: self.rows() })?);
        }
        let shape = std::iter::once(indices.len()).chain(self.row_shape().iter().copied()).collect();
        Ok(Array { shape, data })
    }

    /// The array with rows of this shape, which must hold as many values as the present rows.
    pub fn with_row_shape(self, shape: &[usize], place: &str) -> Result<Array> {
        if product(shape) != self.row_len() || shape.contains(&0) {
            return Err(DataError::Shape { place: place.into(), expected: shape.to_vec(), found: self.row_shape().to_vec() });
        }
        let shape = std::iter::once(self.rows()).chain(shape.iter().copied()).collect();
        Ok(Array { shape, data: self.data })
    }

    /// Checks that the shape fits the number of values.
    pub(super) fn check_shape(&self, place: &str) -> Result<()> {
        let fits = !self.shape.is_empty() && !self.row_shape().contains(&0) && product(&self.shape) == self.data.len();
        if fits { Ok(()) } else { Err(DataError::ArrayShape { place: place.into(), shape: self.shape.clone(), values: self.data.len() }) }
    }

    /// Checks that every value is finite.
    pub(super) fn check_finite(&self, place: &str) -> Result<()> {
        let Some(i) = self.data.iter().position(|v| !v.is_finite()) else { return Ok(()) };
        let n = self.row_len().max(1);
        Err(DataError::NonFinite { place: place.into(), row: i / n, column: i % n, value: self.data[i] })
    }
}

/// Most values of an array: 16 GiB of `f32`. A typing error should not fill the memory and stop the machine.
pub(super) const MAX_VALUES: u64 = 1 << 32;

/// Checks the size of an array before its memory is asked for.
pub(super) fn check_size(place: &str, rows: usize, row_len: usize) -> Result<()> {
    let size = (rows as u64).saturating_mul(row_len as u64);
    let fix = "use fewer rows or columns (`limit` applies only after reading)";
    if size <= MAX_VALUES { Ok(()) } else { Err(DataError::TooLarge { place: place.into(), what: "values", size, limit: MAX_VALUES, fix }) }
}

/// Number of values of a shape; an overflowing product saturates, and so never fits any data.
pub(super) fn product(shape: &[usize]) -> usize {
    // A zero anywhere empties the array, however large the product of the others.
    if shape.contains(&0) { 0 } else { shape.iter().fold(1, |n, &d| n.saturating_mul(d)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shape_must_fit() {
        let bad = [vec![], vec![3], vec![2, 0], vec![usize::MAX, usize::MAX]];
        for shape in bad {
            let error = Array::new(shape, vec![1.0, 2.0]).unwrap_err();
            assert!(matches!(error, DataError::ArrayShape { values: 2, .. }), "{error}");
        }
        assert_eq!(Array::new(vec![0, 4], vec![]).unwrap().rows(), 0);
    }

    #[test]
    fn take_checks_indices() {
        let a = Array::new(vec![3, 2], vec![0.0, 1.0, 2.0, 3.0, 4.0, 5.0]).unwrap();
        assert_eq!(a.take(&[2, 0, 2]).unwrap(), Array::new(vec![3, 2], vec![4.0, 5.0, 0.0, 1.0, 4.0, 5.0]).unwrap());
        assert_eq!(a.take(&[3]).unwrap_err(), DataError::RowIndex { index: 3, rows: 3 });
        assert!(a.take(&[usize::MAX]).is_err());
        let lying = Array { shape: vec![9, 2], data: vec![0.0] };
        assert!(lying.take(&[0]).is_err());
    }

    #[test]
    fn row_shape_must_hold_as_many() {
        let a = Array::new(vec![1, 4], vec![0.0; 4]).unwrap();
        assert_eq!(a.clone().with_row_shape(&[2, 2], "x").unwrap().shape, [1, 2, 2]);
        assert!(a.with_row_shape(&[3], "x").unwrap_err().to_string().contains("x: rows of shape [4] (4 values) do not fit the shape [3]"));
    }

    #[test]
    fn size_is_limited() {
        check_size("x", 1 << 16, 1 << 16).unwrap();
        for (rows, width) in [((1 << 16) + 1, 1 << 16), (usize::MAX, usize::MAX)] {
            let error = check_size("x", rows, width).unwrap_err().to_string();
            assert!(error.contains("the limit is 4294967296"), "{error}");
        }
    }

    #[test]
    fn non_finite_is_located() {
        let a = Array::new(vec![2, 2], vec![0.0, 1.0, 2.0, f32::INFINITY]).unwrap();
        assert!(matches!(a.check_finite("x"), Err(DataError::NonFinite { row: 1, column: 1, .. })));
    }
}
