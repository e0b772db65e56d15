//! Numbers of equal size one after another: npy and IDX files.

use std::path::PathBuf;

use super::{Fnv, Raw, Watched};
use crate::data::raw::Element;
use crate::data::{DataError, Result};

/// Rows of a file.
#[derive(Debug)]
pub struct Piece {
    pub file: Watched,
    /// Where its first row begins.
    pub begin: u64,
    pub element: Element,
    pub rows: usize,
}

/// Rows of one file or of several, the first file's first.
#[derive(Debug)]
pub struct Packed {
    path: PathBuf,
    width: usize,
    pieces: Vec<Piece>,
    /// For each piece the number of rows up to its end.
    ends: Vec<usize>,
    digest: u64,
}

/// Bytes that are worth one read, unless a row has more.
const READ: usize = 1 << 18;

impl Packed {
    /// Rows of `width` values; `path` is what messages about all of them name. Reads everything once, to find what is
    /// not finite before the training does.
    pub fn new(path: PathBuf, width: usize, pieces: Vec<Piece>) -> Result<Packed> {
        let ends = pieces.iter().scan(0usize, |end, piece| {
            *end = end.saturating_add(piece.rows);
            Some(*end)
        });
        let mut packed = Packed { path, width, ends: ends.collect(), pieces, digest: 0 };
        let mut hash = Fnv::default();
        for piece in &packed.pieces {
            packed.survey(piece, &mut hash)?;
        }
        packed.digest = hash.0;
        Ok(packed)
    }

    fn row_bytes(&self, piece: &Piece) -> usize {
        self.width * piece.element.size
    }

    /// Hashes and checks all rows of a piece.
    fn survey(&self, piece: &Piece, hash: &mut Fnv) -> Result<()> {
        let most = (READ / self.row_bytes(piece).max(1)).max(1);
        let (mut bytes, mut values) = (vec![], vec![]);
        for start in (0..piece.rows).step_by(most) {
            let n = most.min(piece.rows - start);
            bytes.resize(n * self.row_bytes(piece), 0);
            piece.file.read(start, piece.begin + (start * self.row_bytes(piece)) as u64, &mut bytes)?;
            hash.bytes(&bytes);
            values.resize(n * self.width, 0.0);
            piece.element.decode_all(&bytes, &mut values);
            if let Some(i) = values.iter().position(|x| !x.is_finite()) {
                let (row, column) = (start + i / self.width, i % self.width);
                return Err(DataError::NonFinite { place: piece.file.path.display().to_string(), row, column, value: values[i] });
            }
        }
        Ok(())
    }
}

impl Raw for Packed {
    fn path(&self) -> &PathBuf {
        &self.path
    }

    fn rows(&self) -> usize {
        self.ends.last().copied().unwrap_or(0)
    }

    fn width(&self) -> usize {
        self.width
    }

    fn read(&self, rows: &[u32], to: &mut [f32]) -> Result<()> {
        let mut checked = vec![false; self.pieces.len()];
        let (mut i, mut bytes) = (0, vec![]);
        while let Some(&row) = rows.get(i) {
            let row = row as usize;
            let at = self.ends.partition_point(|&end| end <= row);
            let Some(piece) = self.pieces.get(at) else { return Err(DataError::RowIndex { index: row, rows: self.rows() }) };
            let row = row - (self.ends[at] - piece.rows);
            if !std::mem::replace(&mut checked[at], true) {
                piece.file.check(row)?;
            }
            // Neighbours in the file are read together.
            let most = (READ / self.row_bytes(piece).max(1)).clamp(1, piece.rows - row);
            let n = rows[i..].iter().zip(rows[i]..).take(most).take_while(|(row, next)| *row == next).count();
            bytes.resize(n * self.row_bytes(piece), 0);
            piece.file.read(row, piece.begin + row as u64 * self.row_bytes(piece) as u64, &mut bytes)?;
            piece.element.decode_all(&bytes, &mut to[i * self.width..(i + n) * self.width]);
            i += n;
        }
        Ok(())
    }

    fn digest(&self) -> u64 {
        self.digest
    }
}
