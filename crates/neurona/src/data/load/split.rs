//! Which rows train, which validate, which test.

use crate::data::{DataConfig, DataError, Result};
use crate::shuffle::{Purpose, permutation};

/// Row numbers, each part in the order of the file.
#[derive(Debug, PartialEq)]
pub struct Split {
    pub train: Vec<usize>,
    pub validation: Option<Vec<usize>>,
    /// Rows of the test set: of the same file, or of the source's own test set.
    pub test: Option<Vec<usize>>,
}

/// Splits `rows` rows; `own_test` is the number of rows of a test set that the source has itself.
pub fn split(config: &DataConfig, rows: usize, own_test: Option<usize>, place: &str) -> Result<Split> {
    if rows == 0 || own_test == Some(0) {
        return Err(DataError::ZeroRows { place: place.into() });
    }
    let all: Vec<usize> = (0..rows).collect();
    let (rest, test) = match own_test {
        Some(n) => (all, Some((0..n).collect())),
        None => hold_out(all, config.test, config.seed, Purpose::Test, place)?,
    };
    let (train, validation) = hold_out(limit(config, rest), config.validation, config.seed, Purpose::Validation, place)?;
    Ok(Split { train, validation, test: test.map(|rows| limit(config, rows)) })
}

/// No more rows than the limit.
pub fn limit(config: &DataConfig, rows: Vec<usize>) -> Vec<usize> {
    match config.limit {
        Some(limit) if limit < rows.len() => choose(rows, limit, config.seed, Purpose::Limit).1,
        _ => rows,
    }
}

/// The rows without a random part of them, and that part, if it is not 0; both have at least one row.
fn hold_out(rows: Vec<usize>, part: f64, seed: u32, purpose: Purpose, place: &str) -> Result<(Vec<usize>, Option<Vec<usize>>)> {
    if part == 0.0 {
        return Ok((rows, None));
    }
    if rows.len() < 2 {
        let fix = "set `test` and `validation` to 0, raise `limit`, or use more data";
        return Err(DataError::TooFewRows { place: place.into(), needed: 2, available: rows.len(), fix });
    }
    let n = ((part * rows.len() as f64).round() as usize).clamp(1, rows.len() - 1);
    let (rest, held) = choose(rows, n, seed, purpose);
    Ok((rest, Some(held)))
}

/// The others, and `n` of the rows chosen at random, both in their former order.
fn choose(rows: Vec<usize>, n: usize, seed: u32, purpose: Purpose) -> (Vec<usize>, Vec<usize>) {
    let mut chosen = vec![false; rows.len()];
    permutation(rows.len() as u32, [seed, 0], purpose).into_iter().take(n).for_each(|i| chosen[i as usize] = true);
    let part = |want: bool| rows.iter().zip(&chosen).filter(|(_, chosen)| **chosen == want).map(|(row, _)| *row).collect();
    (part(false), part(true))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Source;

    fn config(test: f64, validation: f64, limit: Option<usize>, seed: u32) -> DataConfig {
        let source = Source::Npy { x: "x".into(), y: "y".into(), validation: None, test: None, classes: None };
        DataConfig { test, validation, limit, seed, ..DataConfig::new(source) }
    }

    #[test]
    fn every_row_is_in_one_part() {
        let s = split(&config(0.2, 0.1, None, 0), 1000, None, "x").unwrap();
        let (validation, test) = (s.validation.unwrap(), s.test.unwrap());
        assert_eq!((s.train.len(), validation.len(), test.len()), (720, 80, 200));
        let mut all = [&s.train[..], &validation, &test].concat();
        assert!([&s.train, &validation, &test].iter().all(|part| part.is_sorted()));
        all.sort();
        assert!(all.into_iter().eq(0..1000));
        // Not the first or last rows: a part of 200 of 1000 has them only once in 10¹³⁵ cases.
        assert!(test.iter().sum::<usize>().abs_diff(200 * 1000 / 2) < 20_000);
        let other = split(&config(0.2, 0.1, None, 1), 1000, None, "x").unwrap();
        assert_ne!(other.test.unwrap(), test);
        // The test rows do not depend on how much is kept for validation.
        assert_eq!(split(&config(0.2, 0.5, Some(30), 0), 1000, None, "x").unwrap().train.iter().filter(|r| test.contains(r)).count(), 0);
    }

    #[test]
    fn limits_apply_to_training_with_validation_and_to_the_test() {
        let s = split(&config(0.0, 0.5, Some(10), 0), 100, Some(50), "x").unwrap();
        assert_eq!((s.train.len(), s.validation.unwrap().len(), s.test.unwrap().len()), (5, 5, 10));
        let s = split(&config(0.0, 0.0, Some(1000), 0), 100, None, "x").unwrap();
        assert!(s.train.into_iter().eq(0..100) && s.validation.is_none() && s.test.is_none());
    }

    #[test]
    fn parts_without_rows_are_refused() {
        for (part, rows, held) in [(0.01, 4, 1), (0.99, 4, 3), (0.5, 2, 1)] {
            assert_eq!(split(&config(part, 0.0, None, 0), rows, None, "x").unwrap().test.unwrap().len(), held);
        }
        for config in [config(0.5, 0.0, None, 0), config(0.0, 0.5, None, 0)] {
            let error = split(&config, 1, None, "x").unwrap_err();
            assert!(matches!(error, DataError::TooFewRows { needed: 2, available: 1, .. }), "{error}");
        }
        assert!(matches!(split(&config(0.0, 0.0, None, 0), 0, None, "x"), Err(DataError::ZeroRows { .. })));
        assert!(matches!(split(&config(0.0, 0.0, None, 0), 9, Some(0), "x"), Err(DataError::ZeroRows { .. })));
    }
}
