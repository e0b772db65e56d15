//! Naming columns, and suggestions for names that do not exist.

use std::fmt;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::data::{DataError, Result};

/// A column of a CSV file, by name or number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Column {
    /// Its number, counted from 0; negative ones count from the end (−1 is the last).
    Index(i64),
    /// Its name in the first line.
    Name(String),
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Column::Index(i) => write!(f, "{i}"),
            Column::Name(name) => write!(f, "{name:?}"),
        }
    }
}

/// The position of a column among these names.
pub fn find(path: &Path, header: bool, names: &[String], column: &Column) -> Result<usize> {
    let unknown = |hint| DataError::UnknownColumn { path: path.into(), column: column.to_string(), hint };
    match column {
        Column::Index(i) => {
            let found = if *i < 0 { i.checked_add_unsigned(names.len() as u64) } else { Some(*i) };
            let found = found.and_then(|i| usize::try_from(i).ok()).filter(|&i| i < names.len());
            found.ok_or_else(|| unknown(format!("it has {} columns, counted from 0 (or from the end: -1 is the last)", names.len())))
        }
        Column::Name(name) => names.iter().position(|n| n == name).ok_or_else(|| {
            unknown(match header {
                true => hint("columns", name, names),
                false => format!(
                    "the file is read without a header, so give a number from 0 to {} (or from the end: -1 is the last)",
                    names.len().saturating_sub(1)
                ),
            })
        }),
    }
}

/// "did you mean …?" if a name is near, what there is if not.
pub fn hint(what: &str, wanted: &str, names: &[String]) -> String {
    const SHOWN: usize = 10;
    let lower = wanted.to_lowercase();
    let distance = |name: &String| strsim::damerau_levenshtein(&lower, &name.to_lowercase());
    let nearest = names.iter().map(|n| (distance(n), n)).min();
    match nearest {
        // A third of the letters may be wrong: "wieght" is near "weight", "x" is not near "y".
        Some((d, name)) if 3 * d <= lower.chars().count() => format!("did you mean {name:?}?"),
        Some(_) => {
            let list = names.iter().take(SHOWN).map(|n| format!("{n:?}")).collect::<Vec<_>>().join(", ");
            let rest = names.len().saturating_sub(SHOWN);
            if rest > 0 { format!("the {what} are {list} and {rest} more") } else { format!("the {what} are {list}") }
        }
        None => format!("there are no {what}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_found_by_name_number_and_from_the_end() {
        let names: Vec<String> = ["age", "weight", "y"].map(String::from).to_vec();
        let at = |column| find("f.csv".as_ref(), true, &names, &column);
        assert_eq!(at(Column::Name("weight".into())).unwrap(), 1);
        assert_eq!(at(Column::Index(2)).unwrap(), 2);
        assert_eq!(at(Column::Index(-3)).unwrap(), 0);
        for bad in [3, -4, i64::MIN, i64::MAX] {
            let error = at(Column::Index(bad)).unwrap_err().to_string();
            assert!(error.contains("it has 3 columns"), "{error}");
        }
        let error = at(Column::Name("Wieght".into())).unwrap_err().to_string();
        assert_eq!(error, "f.csv: there is no column \"Wieght\"; did you mean \"weight\"?");
        let error = at(Column::Name("x".into())).unwrap_err().to_string();
        assert!(error.ends_with("the columns are \"age\", \"weight\", \"y\""), "{error}");
        let error = find("f.csv".as_ref(), false, &["0", "1", "2"].map(String::from), &Column::Name("y".into())).unwrap_err().to_string();
        assert!(error.contains("without a header, so give a number from 0 to 2"), "{error}");
    }

    #[test]
    fn long_lists_are_cut() {
        let names: Vec<String> = (0..25).map(|i| format!("measurement {i}")).collect();
        assert!(hint("columns", "q", &names).ends_with("\"measurement 9\" and 15 more"));
    }
}
