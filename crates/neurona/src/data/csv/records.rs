//! Rows of a table by position, encoded when they are read.

use std::collections::HashMap;
use std::io::Read;
use std::path::PathBuf;

use ::csv::StringRecord;

use super::{Encoding, Format, Rows, Seen, Unknown, number};
use crate::data::store::Raw;
use crate::data::{DataError, Result};

/// The features of a table's rows.
#[derive(Debug)]
pub struct Records {
    seen: Seen,
    format: Format,
    fields: Vec<Place>,
    width: usize,
    unknown: Unknown,
}

/// A feature: its column, and its categories with their positions.
#[derive(Debug)]
struct Place {
    column: usize,
    name: String,
    known: Option<HashMap<String, usize>>,
}

/// Bytes that are worth one read, unless a row has more.
const READ: u64 = 1 << 18;

impl Records {
    /// All rows of a table that was indexed.
    pub fn new(encoding: &Encoding, rows: &Rows, seen: Seen) -> Records {
        let place = |(field, &column): (&super::Field, &usize)| {
            let known = field.categories.as_ref().map(|c| c.iter().cloned().zip(0..).collect());
            Place { column, name: field.name.clone(), known }
        };
        let fields = encoding.features.iter().zip(&rows.columns).map(place).collect();
        Records { seen, format: encoding.format, fields, width: encoding.features_width(), unknown: encoding.unknown }
    }

    /// The byte where a row begins; after the last, where the file ends.
    fn begin(&self, row: usize) -> u64 {
        self.seen.offsets.get(row).unwrap_or(self.seen.file.len)
    }

    /// The values of a record, the place of which was zeroed.
    fn encode(&self, row: usize, record: &StringRecord, to: &mut [f32]) -> Result<()> {
        let fail = |place: &Place, text: &str, why| self.seen.file.fail(row, format!("column {}: {text:?} is {why}", place.name));
        let mut at = 0;
        for place in &self.fields {
            let text = record.get(place.column).unwrap_or_default();
            match &place.known {
                None => to[at] = number(text).ok_or_else(|| fail(place, text, "not a finite number"))?,
                Some(known) => match known.get(text) {
                    Some(&i) => to[at + i] = 1.0,
                    None if self.unknown == Unknown::Zeros => {}
                    None => return Err(fail(place, text, "an unknown category")),
                },
            }
            at += place.known.as_ref().map_or(1, HashMap::len);
        }
        Ok(())
    }
}

impl Raw for Records {
    fn path(&self) -> &PathBuf {
        &self.seen.file.path
    }

    fn rows(&self) -> usize {
        self.seen.offsets.len()
    }

    fn width(&self) -> usize {
        self.width
    }

    fn read(&self, rows: &[u32], to: &mut [f32]) -> Result<()> {
        let (mut i, mut bytes, mut record) = (0, vec![], StringRecord::new());
        to.fill(0.0);
        while let Some(&row) = rows.get(i) {
            let (row, begin) = (row as usize, self.begin(row as usize));
            if row >= self.rows() {
                return Err(DataError::RowIndex { index: row, rows: self.rows() });
            }
            if i == 0 {
                self.seen.file.check(row)?;
            }
            // Neighbours in the file are read together.
            let near = |&(&r, next): &(&u32, u32)| r == next && self.begin(r as usize + 1) - begin <= READ;
            let n = rows[i..].iter().zip(rows[i]..).take_while(near).count().max(1);
            bytes.resize((self.begin(row + n) - begin) as usize, 0);
            self.seen.file.read(row, begin, &mut bytes)?;
            // Only at the beginning of the file is a byte-order mark no part of the first field: here an empty line comes before.
            let start: &[u8] = if begin == 0 { b"" } else { b"\n" };
            let mut reader = self.format.reader(start.chain(&bytes[..]));
            for row in row..row + n {
                match reader.read_record(&mut record) {
                    Ok(true) => self.encode(row, &record, &mut to[i * self.width..(i + 1) * self.width])?,
                    Ok(false) => return Err(self.seen.file.fail(row, "the line is not there any more".into())),
                    Err(e) => return Err(self.seen.file.fail(row, e.to_string())),
                }
                i += 1;
            }
        }
        Ok(())
    }

    fn digest(&self) -> u64 {
        self.seen.digest
    }
}
