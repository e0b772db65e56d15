//! A store for tests.

use super::Store;
use crate::{Error, Result};

/// Rows `[10 i, 10 i + 1]`, so many.
#[derive(Debug)]
pub struct Tens(pub usize);

impl Store for Tens {
    fn rows(&self) -> usize {
        self.0
    }

    fn read(&self, rows: &[u32], to: &mut [f32]) -> Result<()> {
        if let Some(row) = rows.iter().find(|&&r| r as usize >= self.0) {
            return Err(Error::data(format!("tens, row {row}"), "there is no such row", "ask for less"));
        }
        rows.iter().zip(to.chunks_exact_mut(2)).for_each(|(&r, to)| to.copy_from_slice(&[10.0 * r as f32, 10.0 * r as f32 + 1.0]));
        Ok(())
    }
}
