//! Rows that stay in their files until a batch needs them.

mod file;
mod images;
mod packed;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::array::{check_size, product};
use super::preprocessing::{Statistics, Transform};
use super::{Array, DataError, Result};
use crate::rows::block;
use crate::{Rows, Store};
pub(super) use file::Watched;
pub(super) use images::{Images, decode};
pub(super) use packed::{Packed, Piece};

/// Inputs of more bytes than this (of images: once decoded) stay in their files, unless the setting `stream` says otherwise.
pub const STREAM_BYTES: u64 = 256 << 20;

/// Rows of files, by position, before any preprocessing.
pub(super) trait Raw: std::fmt::Debug + Send + Sync {
    /// The file or folder.
    fn path(&self) -> &PathBuf;
    fn rows(&self) -> usize;
    /// Values of a row.
    fn width(&self) -> usize;
    /// Reads these rows, one after another, into `to`.
    fn read(&self, rows: &[u32], to: &mut [f32]) -> Result<()>;
    /// A number that tells contents apart.
    fn digest(&self) -> u64;
}

/// Rows of files that are read, and preprocessed, when they are needed.
#[derive(Clone, Debug)]
pub struct Stored {
    raw: Arc<dyn Raw>,
    /// Which of the rows, if not all.
    chosen: Option<Arc<[u32]>>,
    shape: Vec<usize>,
    transform: Transform,
}

impl PartialEq for Stored {
    fn eq(&self, other: &Stored) -> bool {
        let same = self.raw.path() == other.raw.path() && self.raw.digest() == other.raw.digest();
        same && self.chosen == other.chosen && self.shape == other.shape && self.transform == other.transform
    }
}

impl Stored {
    /// All rows, as they are.
    pub(super) fn new(raw: impl Raw + 'static, shape: &[usize]) -> Result<Stored> {
        let place = raw.path().display().to_string();
        if raw.rows() == 0 {
            return Err(DataError::ZeroRows { place });
        }
        let limit = u64::from(u32::MAX);
        if raw.rows() as u64 > limit {
            return Err(DataError::TooLarge { place, what: "rows", size: raw.rows() as u64, limit, fix: "use fewer" });
        }
        Ok(Stored { raw: Arc::new(raw), chosen: None, shape: shape.to_vec(), transform: Transform::default() })
    }

    /// Rows of numbers in files; `path` is what messages name.
    pub(super) fn packed(path: &Path, row: &[usize], pieces: Vec<Piece>) -> Result<Stored> {
        if row.contains(&0) {
            return Err(DataError::ArrayShape { place: path.display().to_string(), shape: [&[0], row].concat(), values: 0 });
        }
        Stored::new(Packed::new(path.into(), product(row), pieces)?, if row.is_empty() { &[1] } else { row })
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.chosen.as_ref().map_or(self.raw.rows(), |c| c.len())
    }

    /// Shape of a row.
    pub fn row_shape(&self) -> &[usize] {
        &self.shape
    }

    /// The rows with these indices, in their order; none of them is read.
    pub fn take(&self, indices: &[usize]) -> Result<Stored> {
        let rows = self.rows();
        let row = |&index: &usize| match &self.chosen {
            _ if index >= rows => Err(DataError::RowIndex { index, rows }),
            Some(chosen) => Ok(chosen[index]),
            None => Ok(index as u32),
        };
        Ok(Stored { chosen: Some(indices.iter().map(row).collect::<Result<_>>()?), ..self.clone() })
    }

    /// The rows in this shape.
    pub(super) fn with_row_shape(self, shape: &[usize], place: &str) -> Result<Stored> {
        if product(shape) != self.raw.width() || shape.contains(&0) {
            return Err(DataError::Shape { place: place.into(), expected: shape.to_vec(), found: self.shape });
        }
        Ok(Stored { shape: shape.to_vec(), ..self })
    }

    /// The rows, changed in this way when they are read.
    pub(super) fn with(self, transform: Transform) -> Stored {
        Stored { transform, ..self }
    }

    /// Mean and deviation of raw rows, in one pass.
    pub(super) fn statistics(&self, statistics: &mut Statistics) -> Result<()> {
        let raw = Stored { transform: Transform::default(), ..self.clone() };
        raw.blocks(|values| statistics.add(values))
    }

    /// Reads rows `start .. start + n` into an array.
    pub fn read_rows(&self, start: usize, n: usize) -> Result<Array> {
        let mut data = vec![];
        check_size(&self.raw.path().display().to_string(), n, self.raw.width())?;
        self.range(start, n, &mut data)?;
        Array::new([&[n], &self.shape[..]].concat(), data)
    }

    /// The rows as training takes them.
    pub(super) fn as_rows(&self) -> Rows<'_> {
        Rows::stored(self, &self.shape)
    }

    /// A number that tells rows apart: by the files' contents (of images: names and sizes), the choice of rows and the preprocessing.
    pub fn digest(&self) -> u64 {
        let mut hash = Fnv(self.raw.digest());
        self.chosen.iter().flat_map(|c| c.iter()).for_each(|&row| hash.add(row.into()));
        self.transform.values().for_each(|x| hash.add(x.to_bits().into()));
        hash.0
    }

    /// All rows, in blocks.
    fn blocks(&self, mut see: impl FnMut(&[f32])) -> Result<()> {
        let (rows, block) = (self.rows(), block(self.raw.width()));
        let mut values = vec![];
        for start in (0..rows).step_by(block) {
            self.range(start, block.min(rows - start), &mut values)?;
            see(&values);
        }
        Ok(())
    }

    fn range(&self, start: usize, n: usize, to: &mut Vec<f32>) -> Result<()> {
        let (rows, end) = (self.rows(), start.saturating_add(n));
        if end > rows {
            return Err(DataError::RowIndex { index: end - 1, rows });
        }
        to.resize(n * self.raw.width(), 0.0);
        self.fetch(&(start as u32..end as u32).collect::<Vec<_>>(), to)
    }

    fn fetch(&self, rows: &[u32], to: &mut [f32]) -> Result<()> {
        let all = self.rows();
        if let Some(&index) = rows.iter().find(|&&r| r as usize >= all) {
            return Err(DataError::RowIndex { index: index as usize, rows: all });
        }
        let of_file: Vec<u32>;
        let rows = match &self.chosen {
            Some(chosen) => {
                of_file = rows.iter().map(|&r| chosen[r as usize]).collect();
                &of_file
            }
            None => rows,
        };
        self.raw.read(rows, to)?;
        self.transform.apply(to, self.raw.width());
        let Some(i) = to.iter().position(|x| !x.is_finite()) else { return Ok(()) };
        let (row, column) = (rows[i / self.raw.width()] as usize, i % self.raw.width());
        let scaled = if self.transform == Transform::default() { "" } else { ", scaled" };
        let place = format!("{}{scaled}", self.raw.path().display());
        Err(DataError::NonFinite { place, row, column, value: to[i] })
    }
}

impl Store for Stored {
    fn rows(&self) -> usize {
        Stored::rows(self)
    }

    fn read(&self, rows: &[u32], to: &mut [f32]) -> crate::Result<()> {
        Ok(self.fetch(rows, to)?)
    }
}

/// FNV-1a (Fowler, Noll and Vo) over words of 64 bits instead of bytes: eight times as fast, and no one attacks it here.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fnv(pub u64);

impl Default for Fnv {
    fn default() -> Fnv {
        Fnv(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv {
    pub fn add(&mut self, word: u64) {
        self.0 = (self.0 ^ word).wrapping_mul(0x0000_0100_0000_01b3);
    }

    pub fn bytes(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        words.iter().for_each(|w| self.add(u64::from_le_bytes(*w)));
        rest.iter().for_each(|&b| self.add(b.into()));
    }
}

#[cfg(test)]
mod tests;
