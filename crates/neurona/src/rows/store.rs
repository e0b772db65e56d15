//! Rows that stay where they are until a batch needs them.

use crate::Result;

/// Rows of `f32` numbers that are read by position when they are needed: data sets larger than memory.
///
/// Training reads each row once an epoch, evaluation and prediction block by block.
///
/// ```
/// use neurona::prelude::*;
/// use neurona::{Result, Store};
/// /// Row i holds i and i².
/// #[derive(Debug)]
/// struct Squares;
/// impl Store for Squares {
///     fn rows(&self) -> usize {
///         1_000_000_000
///     }
///     fn read(&self, rows: &[u32], to: &mut [f32]) -> Result<()> {
///         rows.iter().zip(to.chunks_exact_mut(2)).for_each(|(&i, row)| row.copy_from_slice(&[i as f32, (i as f32).powi(2)]));
///         Ok(())
///     }
/// }
/// assert_eq!(Rows::stored(&Squares, &[2]).len(), 1_000_000_000);
/// ```
pub trait Store: std::fmt::Debug + Sync {
    /// Number of rows.
    fn rows(&self) -> usize;

    /// Reads these rows, in this order, one after another into `to`, which has room for exactly them.
    ///
    /// # Errors
    /// Rows that cannot be read, or hold a number that is not finite.
    fn read(&self, rows: &[u32], to: &mut [f32]) -> Result<()>;
}

/// Calls `see` with the number of the first row and the values of one block after another, until it gives something.
pub(super) fn scan<T>(store: &dyn Store, width: usize, mut see: impl FnMut(usize, &[f32]) -> Option<T>) -> Result<Option<T>> {
    let (rows, block) = (store.rows(), block(width));
    let mut values = vec![];
    for start in (0..rows).step_by(block) {
        let n = block.min(rows - start);
        values.resize(n * width, 0.0);
        store.read(&(start as u32..(start + n) as u32).collect::<Vec<_>>(), &mut values)?;
        if let Some(found) = see(start, &values) {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// Rows of this width that are worth one read, and no burden on memory.
pub(crate) fn block(width: usize) -> usize {
    const VALUES: usize = 1 << 18;
    (VALUES / width.max(1)).max(1)
}
