//! Tables whose rows stay in the file: what has to be known of them before one is read.

use std::collections::HashMap;
use std::path::Path;

use super::{Builder, Cells, Format, Table, Want, push, scan};
use crate::data::store::{Fnv, Watched};
use crate::data::{DataError, Result};

/// The file, where its rows are, and a number that tells contents apart.
#[derive(Debug)]
pub struct Seen {
    pub(super) file: Watched,
    pub(super) offsets: Offsets,
    pub(super) digest: u64,
}

/// For each row the byte at which it begins, in a little over four bytes a row.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Offsets {
    /// Of each `STRIDE`th row.
    bases: Vec<u64>,
    /// From the base to the row.
    deltas: Vec<u32>,
}

const STRIDE: usize = 64;

impl Offsets {
    /// Adds a row; false if a base is too far away.
    fn push(&mut self, byte: u64) -> bool {
        if self.deltas.len().is_multiple_of(STRIDE) {
            self.bases.push(byte);
        }
        let delta = self.bases.last().and_then(|base| u32::try_from(byte - base).ok());
        self.deltas.extend(delta);
        delta.is_some()
    }

    pub fn len(&self) -> usize {
        self.deltas.len()
    }

    pub fn get(&self, row: usize) -> Option<u64> {
        Some(self.bases.get(row / STRIDE)? + u64::from(*self.deltas.get(row)?))
    }
}

/// Reads a file once: all of it is checked as [`super::read`] does, but values are kept of a few columns only. `want`
/// says what to make of each column, and which to keep.
pub fn index(path: &Path, format: Format, want: impl FnOnce(&[String]) -> Result<(Vec<Want>, Vec<usize>)>) -> Result<(Table, Seen)> {
    let file = Watched::open(path)?;
    struct State {
        columns: Vec<Builder>,
        keep: Vec<bool>,
        first: Option<u64>,
        offsets: Offsets,
        hash: Fnv,
    }
    let start = |names: &[String]| {
        let (want, kept) = want(names)?;
        let keep = (0..want.len()).map(|c| kept.contains(&c)).collect();
        let columns = want.into_iter().map(Builder::new).collect();
        Ok(State { columns, keep, first: None, offsets: Offsets::default(), hash: Fnv::default() })
    };
    let (names, state) = scan(path, format, start, |state, names, record| {
        push(path, &mut state.columns, names, &record, state.first.as_ref())?;
        state.columns.iter_mut().zip(&state.keep).filter(|(_, keep)| !**keep).for_each(|(column, _)| column.forget());
        state.first.get_or_insert(record.line);
        for field in record.fields {
            state.hash.bytes(field.as_bytes());
            state.hash.add(field.len() as u64);
        }
        if state.offsets.push(record.byte) {
            return Ok(());
        }
        let (place, limit) = (format!("{}, line {}", path.display(), record.line), u64::from(u32::MAX));
        Err(DataError::TooLarge { place, what: "bytes in 64 lines", size: limit + 1, limit, fix: "shorten or remove the long lines" })
    })?;
    let State { columns, offsets, hash, .. } = state;
    let cells = columns.into_iter().map(Builder::finish).collect();
    let table = Table { path: path.into(), names, cells, lines: vec![], rows: offsets.len(), format };
    Ok((table, Seen { file, offsets, digest: hash.0 }))
}

/// Reads a file once more: for each of these columns of categories, each set of (sorted) rows, and each category, the
/// first of the set's rows that has it.
pub fn survey(table: &Table, columns: &[usize], sets: &[&[usize]]) -> Result<Vec<Vec<Vec<Option<usize>>>>> {
    let mut codes = vec![];
    for &column in columns {
        let names = match &table.cells[column] {
            Cells::Categories { names, .. } => &names[..],
            _ => &[],
        };
        codes.push(names.iter().map(String::as_str).zip(0..).collect::<HashMap<&str, usize>>());
    }
    let mut found: Vec<Vec<Vec<Option<usize>>>> = codes.iter().map(|c| vec![vec![None; c.len()]; sets.len()]).collect();
    let (mut row, mut next) = (0, vec![0; sets.len()]);
    scan(
        &table.path,
        table.format,
        |_| Ok(()),
        |(), _, record| {
            for (set, rows) in sets.iter().enumerate() {
                if rows.get(next[set]) != Some(&row) {
                    continue;
                }
                next[set] += 1;
                for ((codes, &column), found) in codes.iter().zip(columns).zip(&mut found) {
                    let code = record.fields.get(column).and_then(|text| codes.get(text));
                    let why = || "the file was written to since it was opened".to_string();
                    let &code = code.ok_or_else(|| DataError::Row { path: table.path.clone(), row, why: why() })?;
                    found[set][code].get_or_insert(row);
                }
            }
            row += 1;
            Ok(())
        },
    )?;
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_of_long_and_short_rows() {
        let mut offsets = Offsets::default();
        let bytes: Vec<u64> = (0..200).map(|i| i * 50_000_001).collect();
        assert!(bytes.iter().all(|&b| offsets.push(b)));
        assert!(bytes.iter().enumerate().all(|(i, &b)| offsets.get(i) == Some(b)));
        assert_eq!((offsets.len(), offsets.get(200)), (200, None));
        // 200 rows are 8 after the fourth base.
        assert!(!offsets.push(192 * 50_000_001 + (1 << 32)));
    }
}
