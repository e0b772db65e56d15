//! Tables of text with a delimiter (RFC 4180): columns of numbers or of categories.

mod column;
mod encoding;
mod index;
mod lines;
mod records;

use std::collections::HashMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use ::csv::{ErrorKind, Position, Reader, ReaderBuilder, StringRecord, Trim};
use serde::{Deserialize, Serialize};

use super::raw;
use super::{DataError, MAX_CLASSES, Result};
pub use column::Column;
pub(super) use column::{find, hint};
pub(super) use encoding::Rows;
pub use encoding::{Encoding, Field, MAX_CATEGORIES, Unknown};
pub(super) use index::{Seen, index, survey};
use lines::Lines;
pub(super) use records::Records;

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Format {
    /// Whether the first line holds the columns' names; without, their numbers (from 0) are their names.
    pub header: bool,
    /// What stands between fields: one ASCII character.
    pub delimiter: char,
}

impl Default for Format {
    fn default() -> Format {
        Format { header: true, delimiter: ',' }
    }
}

impl Format {
    /// Checks the delimiter.
    pub fn check(&self) -> Result<()> {
        let good = self.delimiter.is_ascii() && !matches!(self.delimiter, '"' | '\n' | '\r' | '\0');
        let why = || format!("{:?} cannot delimit fields; use one ASCII character, e.g. \",\", \";\" or \"\\t\"", self.delimiter);
        if good { Ok(()) } else { Err(DataError::Setting { key: "delimiter", why: why() }) }
    }

    /// Reads records from the beginning of a file or of a record.
    fn reader<R: Read>(&self, from: R) -> Reader<R> {
        ReaderBuilder::new().has_headers(false).delimiter(self.delimiter as u8).trim(Trim::All).from_reader(from)
    }
}

/// What to make of a column.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Want {
    /// Leave it out.
    Nothing,
    /// Numbers if its first value looks like one, categories otherwise; a mixture is an error.
    Either,
    /// Numbers.
    Numbers,
    /// Categories, even if they look like numbers.
    Categories,
}

/// The values of a column.
#[derive(Clone, Debug, PartialEq)]
pub enum Cells {
    /// A column that was left out.
    Nothing,
    /// Finite numbers, one a row.
    Numbers(Vec<f32>),
    /// Texts.
    Categories {
        /// For each row the index of its text.
        codes: Vec<u32>,
        /// The different texts, in the order of their first occurrence.
        names: Vec<String>,
    },
}

/// A file's columns.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// The file.
    pub path: PathBuf,
    /// Names of the columns.
    pub names: Vec<String>,
    /// Values of the columns, in the same order.
    pub cells: Vec<Cells>,
    /// The line at which each row begins; nothing of a table whose rows stay in the file.
    pub lines: Vec<u64>,
    rows: usize,
    format: Format,
}

impl Table {
    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The line at which a row begins, for messages: where it is not known, the file is read again.
    pub(super) fn line(&self, row: usize) -> u64 {
        if let Some(line) = self.lines.get(row) {
            return *line;
        }
        let (mut at, mut line) = (0, 1);
        let found = scan(
            &self.path,
            self.format,
            |_| Ok(()),
            |(), _, record| {
                if at == row {
                    line = record.line;
                }
                at += 1;
                Ok(())
            },
        );
        // A file that cannot be read again is no reason to hide the error that the line is for.
        found.map_or(1, |_| line)
    }
}

/// Reads a file; `want` says for each column name what to make of that column.
///
/// White space around fields is dropped, and a byte-order mark at the start is skipped.
///
/// ```no_run
/// use neurona::data::csv::{Cells, Format, Want, read};
/// let table = read("iris.csv".as_ref(), Format::default(), |names| Ok(vec![Want::Either; names.len()]))?;
/// assert!(matches!(table.cells[0], Cells::Numbers(_)));
/// # Ok::<(), neurona::data::DataError>(())
/// ```
pub fn read(path: &Path, format: Format, want: impl FnOnce(&[String]) -> Result<Vec<Want>>) -> Result<Table> {
    let start = |names: &[String]| Ok((want(names)?.into_iter().map(Builder::new).collect::<Vec<_>>(), vec![]));
    let (names, (columns, lines)) = scan(path, format, start, |(columns, lines), names, record| {
        push(path, columns, names, &record, lines.first())?;
        lines.push(record.line);
        Ok(())
    })?;
    let cells = columns.into_iter().map(Builder::finish).collect();
    Ok(Table { path: path.into(), names, cells, rows: lines.len(), lines, format })
}

/// A record of a file and where it begins.
struct Record<'a> {
    fields: &'a StringRecord,
    line: u64,
    byte: u64,
}

/// Calls `each` with what `start` made for the columns' names, the names, and one record after another.
fn scan<S>(
    path: &Path,
    format: Format,
    start: impl FnOnce(&[String]) -> Result<S>,
    mut each: impl FnMut(&mut S, &[String], Record) -> Result<()>,
) -> Result<(Vec<String>, S)> {
    format.check()?;
    let file = Lines::new(raw::open(path)?.into_stream());
    let mut reader = format.reader(file);
    let no_rows = || DataError::ZeroRows { place: path.display().to_string() };
    let mut record = StringRecord::new();
    if !next(path, &mut reader, &mut record)? {
        return Err(no_rows());
    }
    let names: Vec<String> = if format.header { header(path, &record)? } else { (0..record.len()).map(|i| i.to_string()).collect() };
    let mut state = start(&names)?;
    let mut last = None;
    let mut multiline = names.iter().any(|name| name.contains(['\n', '\r']));
    let mut more = !format.header || next(path, &mut reader, &mut record)?;
    while more {
        let byte = record.position().map_or(0, Position::byte);
        let line = reader.get_mut().at(byte);
        each(&mut state, &names, Record { fields: &record, line, byte })?;
        last = Some(line);
        multiline = record.iter().any(|field| field.contains(['\n', '\r']));
        more = next(path, &mut reader, &mut record)?;
    }
    if multiline && reader.get_ref().odd_quotes() {
        return Err(DataError::UnclosedQuote { path: path.into(), line: last.unwrap_or(1) });
    }
    if last.is_none() {
        return Err(no_rows());
    }
    Ok((names, state))
}

/// Adds the fields of a record to the columns; `first` is the line of the first record.
fn push(path: &Path, columns: &mut [Builder], names: &[String], record: &Record, first: Option<&u64>) -> Result<()> {
    for ((column, text), name) in columns.iter_mut().zip(record.fields).zip(names) {
        column.push(text).map_err(|e| e.at(path, record.line, name, first))?;
    }
    Ok(())
}

/// The names in the first line, each of which must be there and be the only one of its kind.
fn header(path: &Path, record: &StringRecord) -> Result<Vec<String>> {
    let mut seen = HashMap::new();
    for (i, name) in record.iter().enumerate() {
        // Spreadsheets and pandas leave the name of an index column empty.
        if let Some(first) = seen.insert(name, i)
            && !name.is_empty()
        {
            let why = format!(
                "columns {first} and {i} (counted from 0) are both named {name:?}; rename one, or set header = false if the first line holds data"
            );
            return Err(DataError::Setting { key: "header", why: format!("{}: {why}", path.display()) });
        }
    }
    Ok(record.iter().map(String::from).collect())
}

/// Reads the next record, if there is one.
fn next<R: Read>(path: &Path, reader: &mut Reader<Lines<R>>, record: &mut StringRecord) -> Result<bool> {
    let error = match reader.read_record(record) {
        Ok(more) => return Ok(more),
        Err(error) => error,
    };
    let mut line = |pos: &Option<Position>| reader.get_mut().at(pos.as_ref().map_or(0, Position::byte));
    Err(match error.kind() {
        ErrorKind::UnequalLengths { pos, expected_len, len } => {
            DataError::Ragged { path: path.into(), line: line(pos), expected: *expected_len as usize, found: *len as usize }
        }
        ErrorKind::Utf8 { pos, err } => DataError::NotText { path: path.into(), line: line(pos), why: err.to_string() },
        ErrorKind::Io(e) => raw::unreadable(path, e),
        _ => raw::unreadable(path, &std::io::Error::other(error)),
    })
}

/// A column while it is read.
enum Builder {
    Nothing,
    Unknown,
    Numbers(Vec<f32>),
    Categories { codes: Vec<u32>, index: HashMap<String, u32>, names: Vec<String>, inferred: bool },
}

/// Why a field does not fit its column.
enum Misfit {
    NotNumber(String),
    /// The first row's text, where a number follows.
    First(String),
    TooMany,
}

impl Misfit {
    fn at(self, path: &Path, line: u64, column: &str, first: Option<&u64>) -> DataError {
        let (path, column) = (path.to_path_buf(), column.to_string());
        match self {
            Misfit::NotNumber(text) => DataError::NonNumeric { path, line, column, text },
            Misfit::First(text) => DataError::NonNumeric { path, line: first.copied().unwrap_or(line), column, text },
            Misfit::TooMany => DataError::TooLarge {
                place: format!("{}, column {column}", path.display()),
                what: "different texts",
                size: MAX_CLASSES as u64 + 1,
                limit: MAX_CLASSES as u64,
                fix: "list the column under `ignore` (texts that all differ tell a network nothing)",
            },
        }
    }
}

impl Builder {
    fn new(want: Want) -> Builder {
        match want {
            Want::Nothing => Builder::Nothing,
            Want::Either => Builder::Unknown,
            Want::Numbers => Builder::Numbers(vec![]),
            Want::Categories => Builder::categories(false),
        }
    }

    fn categories(inferred: bool) -> Builder {
        Builder::Categories { codes: vec![], index: HashMap::new(), names: vec![], inferred }
    }

    fn push(&mut self, text: &str) -> Result<(), Misfit> {
        if matches!(self, Builder::Unknown) {
            *self = if looks_numeric(text) { Builder::Numbers(vec![]) } else { Builder::categories(true) };
        }
        match self {
            Builder::Nothing | Builder::Unknown => {}
            Builder::Numbers(values) => values.push(number(text).ok_or_else(|| Misfit::NotNumber(text.into()))?),
            Builder::Categories { codes, index, names, inferred } => {
                let code = match index.get(text) {
                    Some(&code) => code,
                    // A number among texts is rather a column of numbers with holes than a category.
                    None if *inferred && looks_numeric(text) => return Err(Misfit::First(names.first().cloned().unwrap_or_default())),
                    None if names.len() == MAX_CLASSES => return Err(Misfit::TooMany),
                    None => {
                        let code = names.len() as u32;
                        names.push(text.into());
                        index.insert(text.into(), code);
                        code
                    }
                };
                codes.push(code);
            }
        }
        Ok(())
    }

    /// Drops the values of the rows so far; names stay.
    fn forget(&mut self) {
        match self {
            Builder::Nothing | Builder::Unknown => {}
            Builder::Numbers(values) => values.clear(),
            Builder::Categories { codes, .. } => codes.clear(),
        }
    }

    fn finish(self) -> Cells {
        match self {
            Builder::Nothing | Builder::Unknown => Cells::Nothing,
            Builder::Numbers(values) => Cells::Numbers(values),
            Builder::Categories { codes, names, .. } => Cells::Categories { codes, names },
        }
    }
}

/// The finite number that a text is.
fn number(text: &str) -> Option<f32> {
    text.parse().ok().filter(|v: &f32| v.is_finite())
}

/// Whether a text is a number, finite or not, or would be one with a decimal point for its comma: taken
/// for a category, 3,14 would silently become a column of its own.
fn looks_numeric(text: &str) -> bool {
    text.parse::<f64>().is_ok() || text.contains(',') && text.replace(',', ".").parse::<f64>().is_ok()
}

#[cfg(test)]
mod tests;
