//! How the columns of a table become numbers: numbers stay, categories become one-hot.

use std::collections::HashMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{Cells, Column, Format, Seen, Table, Want, find, hint, index, read, survey};
use crate::data::array::{Array, check_size};
use crate::data::{DataError, Result};

/// More categories than this in a column of features are rather an identifier than categories.
pub const MAX_CATEGORIES: usize = 1000;

/// What a category that did not occur in the training rows becomes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unknown {
    /// An error.
    #[default]
    Error,
    /// A row of zeros: none of the known categories.
    Zeros,
}

/// A column and its meaning.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// Its name in the first line, or its number where there is no header.
    pub name: String,
    /// Its number in the training file, from 0.
    pub index: usize,
    /// The categories in the order of their one-hot values or labels; a column of numbers has none.
    pub categories: Option<Vec<String>>,
}

impl Field {
    /// Number of values that the column becomes.
    pub fn width(&self) -> usize {
        self.categories.as_ref().map_or(1, Vec::len)
    }

    fn want(&self) -> Want {
        if self.categories.is_some() { Want::Categories } else { Want::Numbers }
    }
}

/// The encoding of a table, learnt from its training rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Encoding {
    /// How the training file was written, and files to predict from must be.
    pub format: Format,
    /// Number of columns of the training file.
    pub width: usize,
    /// The columns that the network sees.
    pub features: Vec<Field>,
    /// The columns that it predicts.
    pub targets: Vec<Field>,
    /// What becomes of categories that did not occur in training.
    pub unknown: Unknown,
}

impl Encoding {
    /// The field of a table's column: categories, sorted, of those rows only.
    pub(in crate::data) fn field(table: &Table, column: usize, rows: &[usize], limit: usize) -> Result<Field> {
        let Cells::Categories { codes, names } = &table.cells[column] else { return Encoding::field_of(table, column, &[], limit) };
        let mut occurs = vec![false; names.len()];
        rows.iter().for_each(|&row| occurs[codes[row] as usize] = true);
        Encoding::field_of(table, column, &occurs, limit)
    }

    /// The field of a table's column: those of its categories, sorted, that occur.
    pub(in crate::data) fn field_of(table: &Table, column: usize, occurs: &[bool], limit: usize) -> Result<Field> {
        let name = table.names[column].clone();
        let Cells::Categories { names, .. } = &table.cells[column] else {
            return Ok(Field { name, index: column, categories: None });
        };
        let mut categories: Vec<String> = names.iter().zip(occurs).filter(|(_, occurs)| **occurs).map(|(n, _)| n.clone()).collect();
        sort(&mut categories);
        if categories.len() > limit {
            return Err(DataError::TooLarge {
                place: format!("{}, column {name}", table.path.display()),
                what: "different categories",
                size: categories.len() as u64,
                limit: limit as u64,
                fix: "list the column under `ignore` if it is an identifier, or group rare categories",
            });
        }
        Ok(Field { name, index: column, categories: Some(categories) })
    }

    /// Number of values that a row becomes.
    pub fn features_width(&self) -> usize {
        self.features.iter().map(Field::width).sum()
    }

    /// For each value of a row whether it is a number (and not a part of a one-hot category).
    pub fn numeric(&self) -> Vec<bool> {
        self.features.iter().flat_map(|f| std::iter::repeat_n(f.categories.is_none(), f.width())).collect()
    }

    /// Reads another file of the same columns. With a header, columns are found by name and others are let
    /// be; without, the file has all columns of the training file, or all but the targets, or the features only.
    pub(in crate::data) fn read(&self, path: &Path, targets: bool) -> Result<Rows> {
        let mut columns = vec![];
        let table = read(path, self.format, |names| self.wants(path, names, targets, &mut columns))?;
        Ok(Rows { table, columns })
    }

    /// [`Encoding::read`], but only the targets are kept in memory; also where the rows are.
    pub(in crate::data) fn index(&self, path: &Path, targets: bool) -> Result<(Rows, Seen)> {
        let mut columns = vec![];
        let (table, seen) = index(path, self.format, |names| {
            let want = self.wants(path, names, targets, &mut columns)?;
            Ok((want, columns[self.features.len()..].to_vec()))
        })?;
        Ok((Rows { table, columns }, seen))
    }

    /// What to make of each column of a file, and the columns of the fields.
    fn wants(&self, path: &Path, names: &[String], targets: bool, columns: &mut Vec<usize>) -> Result<Vec<Want>> {
        let fields: Vec<&Field> = self.features.iter().chain(self.targets.iter().filter(|_| targets)).collect();
        *columns = self.locate(path, names, &fields)?;
        let mut want = vec![Want::Nothing; names.len()];
        fields.iter().zip(columns).for_each(|(field, at)| want[*at] = field.want());
        Ok(want)
    }

    /// Checks that rows that stay in their file have no category that is unknown; for each set of rows.
    pub(in crate::data) fn check(&self, rows: &Rows, sets: &[&[usize]]) -> Result<()> {
        let fields = || self.features.iter().zip(&rows.columns).filter(|(f, _)| f.categories.is_some());
        if self.unknown == Unknown::Zeros || fields().next().is_none() {
            return Ok(());
        }
        let columns: Vec<usize> = fields().map(|(_, &column)| column).collect();
        let found = survey(&rows.table, &columns, sets)?;
        (0..sets.len()).try_for_each(|set| self.check_found(rows, set, &found))
    }

    /// The same, by the first occurrences of each category that [`survey`] found for the columns of categories.
    pub(in crate::data) fn check_found(&self, rows: &Rows, set: usize, found: &[Vec<Vec<Option<usize>>>]) -> Result<()> {
        let fields = self.features.iter().zip(&rows.columns).filter_map(|(f, &column)| Some((f, f.categories.as_ref()?, column)));
        for ((field, known, column), found) in fields.zip(found) {
            let Cells::Categories { names, .. } = &rows.table.cells[column] else { return Err(changed(field, &rows.table)) };
            let positions = positions(names, known);
            let unknowns = found[set].iter().zip(&positions).zip(names).filter(|((_, position), _)| position.is_none());
            let first = unknowns.filter_map(|((row, _), name)| Some(((*row)?, name))).min();
            if let (Some((row, name)), Unknown::Error) = (first, self.unknown) {
                return Err(unknown(field, known, &rows.table, row, name));
            }
        }
        Ok(())
    }

    /// The columns of these fields in a file whose columns have these names.
    fn locate(&self, path: &Path, names: &[String], fields: &[&Field]) -> Result<Vec<usize>> {
        if self.format.header {
            return fields.iter().map(|f| find(path, true, names, &Column::Name(f.name.clone()))).collect();
        }
        let with_targets = fields.len() > self.features.len();
        let in_range = |at: Vec<usize>| match at.iter().find(|&&at| at >= names.len()) {
            None => Ok(at),
            Some(at) => Err(DataError::UnknownColumn {
                path: path.into(),
                column: at.to_string(),
                hint: "the saved encoding contradicts itself; restore the file that was saved with the model".into(),
            }),
        };
        let shifted = |f: &Field| f.index.saturating_sub(self.targets.iter().filter(|t| t.index < f.index).count());
        match names.len() {
            n if n == self.width => in_range(fields.iter().map(|f| f.index).collect()),
            n if !with_targets && n + self.targets.len() == self.width => in_range(fields.iter().map(|f| shifted(f)).collect()),
            n if !with_targets && n == self.features.len() => Ok((0..n).collect()),
            found => {
                let expected = if with_targets { self.width } else { self.width.saturating_sub(self.targets.len()) };
                Err(DataError::Ragged { path: path.into(), line: 1, expected, found })
            }
        }
    }

    /// The features of these rows: one number a numeric column, one-hot values a column of categories.
    pub(in crate::data) fn features(&self, rows: &Rows, chosen: &[usize]) -> Result<Array> {
        let width = self.features_width();
        check_size(&rows.table.path.display().to_string(), chosen.len(), width)?;
        let mut data = vec![0.0; chosen.len() * width];
        let mut offset = 0;
        for (field, &column) in self.features.iter().zip(&rows.columns) {
            let places = || data_rows(chosen, offset, width);
            match (&field.categories, &rows.table.cells[column]) {
                (None, Cells::Numbers(values)) => places().for_each(|(row, at)| data[at] = values[row]),
                (Some(known), Cells::Categories { codes, names }) => {
                    let positions = positions(names, known);
                    for (row, at) in places() {
                        match positions[codes[row] as usize] {
                            Some(i) => data[at + i] = 1.0,
                            None if self.unknown == Unknown::Zeros => {}
                            None => return Err(unknown(field, known, &rows.table, row, &names[codes[row] as usize])),
                        }
                    }
                }
                _ => return Err(changed(field, &rows.table)),
            }
            offset += field.width();
        }
        Array::new(vec![chosen.len(), width], data)
    }

    /// The class of these rows.
    pub(in crate::data) fn labels(&self, rows: &Rows, chosen: &[usize]) -> Result<Vec<i32>> {
        let (field, column) = self.target(rows, 0)?;
        let (Some(known), Cells::Categories { codes, names }) = (&field.categories, &rows.table.cells[column]) else {
            return Err(changed(field, &rows.table));
        };
        let positions = positions(names, known);
        let label = |&row: &usize| {
            let code = codes[row] as usize;
            let table = &rows.table;
            match positions[code] {
                _ if names[code].is_empty() => {
                    Err(DataError::MissingTarget { path: table.path.clone(), line: table.line(row), column: field.name.clone() })
                }
                Some(i) => Ok(i as i32),
                None => Err(unknown(field, known, table, row, &names[code])),
            }
        };
        chosen.iter().map(label).collect()
    }

    /// The numbers to predict of these rows.
    pub(in crate::data) fn values(&self, rows: &Rows, chosen: &[usize]) -> Result<Array> {
        let width = self.targets.len();
        let mut data = vec![0.0; chosen.len() * width];
        for i in 0..width {
            let (field, column) = self.target(rows, i)?;
            let Cells::Numbers(values) = &rows.table.cells[column] else { return Err(changed(field, &rows.table)) };
            data_rows(chosen, i, width).for_each(|(row, at)| data[at] = values[row]);
        }
        Array::new(vec![chosen.len(), width], data)
    }

    fn target(&self, rows: &Rows, i: usize) -> Result<(&Field, usize)> {
        let why = || "the rows were read without their targets; read them with targets".to_string();
        let found = self.targets.get(i).zip(rows.columns.get(self.features.len() + i).copied());
        found.ok_or_else(|| DataError::Setting { key: "target", why: why() })
    }
}

/// A table and where in it the fields of an encoding are: features, then targets.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::data) struct Rows {
    /// The file's columns.
    pub table: Table,
    /// For each field the number of its column.
    pub columns: Vec<usize>,
}

/// The chosen rows, each with the position of its value in rows of `width` values.
fn data_rows(chosen: &[usize], offset: usize, width: usize) -> impl Iterator<Item = (usize, usize)> + '_ {
    chosen.iter().enumerate().map(move |(i, &row)| (row, i * width + offset))
}

/// For each name its position among the known ones.
fn positions(names: &[String], known: &[String]) -> Vec<Option<usize>> {
    let index: HashMap<&String, usize> = known.iter().zip(0..).collect();
    names.iter().map(|name| index.get(name).copied()).collect()
}

fn unknown(field: &Field, known: &[String], table: &Table, row: usize, text: &str) -> DataError {
    DataError::UnknownCategory {
        path: table.path.clone(),
        line: table.line(row),
        column: field.name.clone(),
        text: text.into(),
        known: hint("known categories", text, known),
    }
}

/// Only a table that was not read by this encoding has other kinds of columns.
fn changed(field: &Field, table: &Table) -> DataError {
    let why = format!("column {} is not of the kind it had in training; train again", field.name);
    DataError::Setting { key: "file", why: format!("{}: {why}", table.path.display()) }
}

/// By value where all are numbers (2 before 10), by text otherwise.
fn sort(names: &mut [String]) {
    let number = |text: &String| text.parse::<f64>().ok();
    if names.iter().all(|n| number(n).is_some()) {
        names.sort_by(|a, b| number(a).partial_cmp(&number(b)).unwrap_or(std::cmp::Ordering::Equal).then_with(|| a.cmp(b)));
    } else {
        names.sort();
    }
}
