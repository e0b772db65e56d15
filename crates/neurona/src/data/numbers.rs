//! Rows of numbers, in memory or in files.

use super::store::Stored;
use super::{Array, Result};
use crate::Rows;

/// Rows of equal shape, in memory or read from files when they are needed.
#[derive(Clone, Debug, PartialEq)]
pub enum Numbers {
    /// In memory.
    Memory(Array),
    /// In files.
    Stored(Stored),
}

impl Numbers {
    /// Number of rows.
    ///
    /// ```
    /// use neurona::data::{Array, Numbers};
    /// let x = Numbers::from(Array::new(vec![2, 3], vec![0.0; 6])?);
    /// assert_eq!((x.rows(), x.row_shape()), (2, &[3][..]));
    /// # Ok::<(), neurona::data::DataError>(())
    /// ```
    pub fn rows(&self) -> usize {
        match self {
            Numbers::Memory(array) => array.rows(),
            Numbers::Stored(stored) => stored.rows(),
        }
    }

    /// Shape of a row.
    pub fn row_shape(&self) -> &[usize] {
        match self {
            Numbers::Memory(array) => array.row_shape(),
            Numbers::Stored(stored) => stored.row_shape(),
        }
    }

    /// The array, if it is in memory.
    pub fn memory(&self) -> Option<&Array> {
        match self {
            Numbers::Memory(array) => Some(array),
            Numbers::Stored(_) => None,
        }
    }

    /// The rows with these indices, in their order: of what is in memory a copy, of files a list.
    pub fn take(&self, indices: &[usize]) -> Result<Numbers> {
        Ok(match self {
            Numbers::Memory(array) => Numbers::Memory(array.take(indices)?),
            Numbers::Stored(stored) => Numbers::Stored(stored.take(indices)?),
        })
    }

    /// Reads rows `start .. start + n` into an array.
    pub fn read_rows(&self, start: usize, n: usize) -> Result<Array> {
        match self {
            Numbers::Memory(array) => array.take(&(start..start.saturating_add(n)).collect::<Vec<_>>()),
            Numbers::Stored(stored) => stored.read_rows(start, n),
        }
    }

    /// The rows as training takes them, without a copy.
    pub fn as_rows(&self) -> Rows<'_> {
        match self {
            Numbers::Memory(array) => Rows::f32(&array.data, array.row_shape()),
            Numbers::Stored(stored) => stored.as_rows(),
        }
    }

    pub(super) fn with_row_shape(self, shape: &[usize], place: &str) -> Result<Numbers> {
        Ok(match self {
            Numbers::Memory(array) => Numbers::Memory(array.with_row_shape(shape, place)?),
            Numbers::Stored(stored) => Numbers::Stored(stored.with_row_shape(shape, place)?),
        })
    }

    /// Checks what is in memory; what is stored is checked when it is opened and read.
    pub(super) fn check(&self, place: &str) -> Result<()> {
        let Numbers::Memory(array) = self else { return Ok(()) };
        array.check_shape(place)?;
        array.check_finite(place)
    }
}

impl From<Array> for Numbers {
    fn from(array: Array) -> Numbers {
        Numbers::Memory(array)
    }
}

impl From<Stored> for Numbers {
    fn from(stored: Stored) -> Numbers {
        Numbers::Stored(stored)
    }
}
