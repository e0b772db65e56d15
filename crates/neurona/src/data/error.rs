//! What can be wrong with a data file: each message says what, where, why, and the fix.

use std::io;
use std::path::PathBuf;

/// What is wrong with a data file, a table of settings, or a data set, and where.
///
/// Lines of text files count from 1, as editors do; rows and columns of arrays from 0, as NumPy does.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// A file that is missing, or that the system does not let us read.
    #[error("cannot read {}: {why}; {}", path.display(), unreadable_fix(*kind))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's kind of error.
        kind: io::ErrorKind,
        /// The system's message.
        why: String,
    },
    /// A file that could not be written.
    #[error("cannot write {}: {why}; choose a folder that exists, is writable and has space left", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// The system's message.
        why: String,
    },
    /// A gzip-compressed file.
    #[error("{}: the file is gzip-compressed, which is not read here; unpack it first, e.g. gunzip '{}', and name the unpacked file", path.display(), path.display())]
    Compressed {
        /// The file.
        path: PathBuf,
    },
    /// A file whose first bytes are not those of its format.
    #[error("{}: the file begins with {found} where {expected} is expected, so it is of another format or damaged; check the name, or write the file again", path.display())]
    BadMagic {
        /// The file.
        path: PathBuf,
        /// The first bytes, in hexadecimal.
        found: String,
        /// What the format begins with.
        expected: &'static str,
    },
    /// A header that cannot be understood.
    #[error("{}: bad header at byte {byte}: {why}; write the file again", path.display())]
    BadHeader {
        /// The file.
        path: PathBuf,
        /// Where the header (or the part of it that is bad) begins.
        byte: u64,
        /// What is wrong.
        why: String,
    },
    /// A type of numbers that is not read.
    #[error("{}: numbers of type {dtype} are not read; supported are {supported}; convert them first, e.g. with array.astype('float32') in NumPy", path.display())]
    Dtype {
        /// The file.
        path: PathBuf,
        /// The type, as the file names it.
        dtype: String,
        /// The types that are read.
        supported: &'static str,
    },
    /// A file that is shorter than its header says.
    #[error("{}: truncated: the header asks for {expected} bytes, the file has {actual}; copy or download it again", path.display())]
    Truncated {
        /// The file.
        path: PathBuf,
        /// The least length that the header asks for.
        expected: u64,
        /// The file's length.
        actual: u64,
    },
    /// More of something than the limit that guards memory.
    #[error("{place}: {size} {what}, the limit is {limit}; {fix}")]
    TooLarge {
        /// The file, and the column if it is about one.
        place: String,
        /// What there is too much of.
        what: &'static str,
        /// How many there are (or the first count over the limit).
        size: u64,
        /// How many are allowed.
        limit: u64,
        /// What to do.
        fix: &'static str,
    },
    /// A line of a CSV file with more or fewer fields than the lines before it.
    #[error("{}, line {line}: {found} fields where {expected} are expected; check the line for missing or extra delimiters and unclosed quotes", path.display())]
    Ragged {
        /// The file.
        path: PathBuf,
        /// The line.
        line: u64,
        /// Fields expected.
        expected: usize,
        /// Fields found.
        found: usize,
    },
    /// A field that begins with a quotation mark and swallows the rest of the file.
    #[error("{}, line {line}: a quotation mark in this record is never closed, so that the rest of the file belongs to it; close or remove it", path.display())]
    UnclosedQuote {
        /// The file.
        path: PathBuf,
        /// The line.
        line: u64,
    },
    /// A CSV file that is not text.
    #[error("{}, line {line}: {why}; save the file as UTF-8 text", path.display())]
    NotText {
        /// The file.
        path: PathBuf,
        /// The line.
        line: u64,
        /// What is wrong.
        why: String,
    },
    /// Text, nothing, or an infinite value in a column of numbers.
    #[error("{}, line {line}, column {column}: {} is not a finite number, but the column is numeric; {}", path.display(), quoted(text), numeric_fix(*line))]
    NonNumeric {
        /// The file.
        path: PathBuf,
        /// The line.
        line: u64,
        /// Name of the column.
        column: String,
        /// What stands there.
        text: String,
    },
    /// A category that did not occur in the data from which the encoding was made.
    #[error("{}, line {line}, column {column}: unknown category {}; {known}; correct it, train with rows that contain it, or (for a feature) set unknown_category = \"zeros\"", path.display(), quoted(text))]
    UnknownCategory {
        /// The file.
        path: PathBuf,
        /// The line.
        line: u64,
        /// Name of the column.
        column: String,
        /// What stands there.
        text: String,
        /// The known categories, or the nearest of them.
        known: String,
    },
    /// A row without its target.
    #[error("{}, line {line}, column {column}: the target is empty; fill it in or remove the line", path.display())]
    MissingTarget {
        /// The file.
        path: PathBuf,
        /// The line.
        line: u64,
        /// Name of the column.
        column: String,
    },
    /// A column that the file does not have.
    #[error("{}: there is no column {column}; {hint}", path.display())]
    UnknownColumn {
        /// The file.
        path: PathBuf,
        /// The column asked for.
        column: String,
        /// The nearest name, or what there is.
        hint: String,
    },
    /// NaN or an infinite value.
    #[error(
        "{place}: the value in row {row}, column {column} (counted from 0) is {value}; training would spread it to every weight: remove the row or put a finite number there"
    )]
    NonFinite {
        /// The file or part of the data.
        place: String,
        /// The row.
        row: usize,
        /// The position in the row.
        column: usize,
        /// The value.
        value: f32,
    },
    /// A class label that is no class.
    #[error("{place}: label {label} in row {row} (counted from 0) is not a whole number from 0 to {}; correct it, count classes from 0, or set task = \"regression\"", classes.saturating_sub(1))]
    Label {
        /// The file or part of the data.
        place: String,
        /// The row.
        row: usize,
        /// The label.
        label: f64,
        /// Number of classes allowed.
        classes: usize,
    },
    /// No rows.
    #[error("{place}: there are no rows; at least one is needed: check that the right file (and range of rows) is named")]
    ZeroRows {
        /// The file or part of the data.
        place: String,
    },
    /// Rows of another shape than asked for.
    #[error(
        "{place}: rows of shape {found:?} ({} values) do not fit the shape {expected:?} ({} values); correct `shape` or the file",
        product(found),
        product(expected)
    )]
    Shape {
        /// The file or part of the data.
        place: String,
        /// The shape asked for, per row.
        expected: Vec<usize>,
        /// The shape found, per row.
        found: Vec<usize>,
    },
    /// A shape and a number of values that contradict each other.
    #[error(
        "{place}: shape {shape:?} does not fit {values} values; every dimension but the first must be at least 1 and the product of all be the number of values"
    )]
    ArrayShape {
        /// The file or part of the data.
        place: String,
        /// The shape.
        shape: Vec<usize>,
        /// The number of values.
        values: usize,
    },
    /// Inputs and targets of different number.
    #[error(
        "{place}: {rows} rows but {targets} labels or target values; both must be of the same number: check that the two files belong together"
    )]
    Counts {
        /// The files or part of the data.
        place: String,
        /// Number of input rows.
        rows: usize,
        /// Number of targets.
        targets: usize,
    },
    /// Fewer rows than asked for.
    #[error("{place}: {needed} rows are needed, there are {available}; {fix}")]
    TooFewRows {
        /// The file or part of the data.
        place: String,
        /// Rows needed.
        needed: usize,
        /// Rows there are.
        available: usize,
        /// What to do.
        fix: &'static str,
    },
    /// An index beyond the last row.
    #[error("there is no row {index} among {rows} rows (counted from 0); use indices below {rows}")]
    RowIndex {
        /// The index.
        index: usize,
        /// Number of rows.
        rows: usize,
    },
    /// A row of an open file that cannot be read (any more).
    #[error("{}, row {row} (counted from 0): {why}; leave the files of a training alone while it runs, and check the disk", path.display())]
    Row {
        /// The file.
        path: PathBuf,
        /// The row of the file.
        row: usize,
        /// Why it cannot be read.
        why: String,
    },
    /// A file among images that is none, or is damaged.
    #[error("{}: {why}; replace or remove it: images are PNG or JPEG files", path.display())]
    Image {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// A setting that cannot be.
    #[error("data setting `{key}`: {why}")]
    Setting {
        /// The setting.
        key: &'static str,
        /// What is wrong, and the fix.
        why: String,
    },
}

fn unreadable_fix(kind: io::ErrorKind) -> &'static str {
    match kind {
        io::ErrorKind::NotFound => "check the name (relative paths start at the folder of the file that names them)",
        io::ErrorKind::PermissionDenied => "check the file's permissions",
        _ => "name a readable, regular file",
    }
}

fn numeric_fix(line: u64) -> &'static str {
    match line {
        1 => {
            "write numbers like 3.5; for names of columns set header = true; for categories list the column under `categorical` (a target: set task = \"classification\")"
        }
        _ => {
            "write numbers like 3.5, or remove the line; for categories list the column under `categorical` (a target: set task = \"classification\")"
        }
    }
}

fn quoted(text: &str) -> String {
    let short: String = text.chars().take(40).collect();
    if short.len() < text.len() { format!("{short:?}…") } else { format!("{short:?}") }
}

fn product(shape: &[usize]) -> usize {
    shape.iter().fold(1, |n, &d| n.saturating_mul(d))
}
