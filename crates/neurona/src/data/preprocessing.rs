//! From the numbers of a file to the input of a network, the same way in training and afterwards.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::array::product;
use super::csv::Encoding;
use super::{Array, DataError, Result, idx, npy, raw};

/// Everything that turns new rows of the kind that a network was trained on into its input; saved beside
/// its weights, as JSON.
///
/// ```
/// use neurona::data::{Array, Preprocessing};
/// let json = r#"{"shape": [2, 1], "scale": 0.5, "mean": [1, 0], "std": [2, 1], "classes": ["a", "b"]}"#;
/// let preprocessing: Preprocessing = serde_json::from_str(json)?;
/// let raw = Array::new(vec![1, 2], vec![6.0, 4.0])?;
/// assert_eq!(preprocessing.apply(raw, "example")?, Array::new(vec![1, 2, 1], vec![1.0, 2.0])?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preprocessing {
    /// How the columns of a CSV file become numbers, if the rows come from one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<Encoding>,
    /// Shape of an input row.
    pub shape: Vec<usize>,
    /// Factor for every number, applied first.
    pub scale: f32,
    /// What is then subtracted from each value of a row; empty if nothing is.
    #[serde(default)]
    pub mean: Vec<f32>,
    /// What it is then divided by.
    #[serde(default)]
    pub std: Vec<f32>,
    /// Names of the classes that the network tells apart; none if it predicts numbers.
    #[serde(default)]
    pub classes: Vec<String>,
}

impl Preprocessing {
    /// Reads the rows of a file (CSV with or without its targets, npy, or IDX, as in training) as input of the
    /// network, `[rows, shape…]`. An array that holds as many values as one row is one row.
    pub fn read(&self, path: &Path) -> Result<Array> {
        let place = path.display().to_string();
        let raw = match &self.encoding {
            Some(encoding) => {
                let rows = encoding.read(path, false)?;
                encoding.features(&rows, &(0..rows.table.rows()).collect::<Vec<_>>())?
            }
            None => self.single(numbers(path)?),
        };
        if raw.rows() == 0 {
            return Err(DataError::ZeroRows { place });
        }
        self.apply(raw, &place)
    }

    /// Scales, standardizes and shapes rows of numbers; for a table, rows with its categories as one-hot values.
    pub fn apply(&self, raw: Array, place: &str) -> Result<Array> {
        self.check()?;
        raw.check_shape(place)?;
        raw.check_finite(place)?;
        let mut array = raw.with_row_shape(&self.shape, place)?;
        let n = array.row_len();
        let scale = self.scales();
        if self.scale != 1.0 {
            array.data.chunks_exact_mut(n).for_each(|row| row.iter_mut().zip(&scale).for_each(|(x, scale)| *x *= scale));
        }
        if !self.mean.is_empty() {
            for row in array.data.chunks_exact_mut(n) {
                row.iter_mut().zip(self.mean.iter().zip(&self.std)).for_each(|(x, (mean, std))| *x = (*x - mean) / std);
            }
        }
        array.check_finite(&format!("{place}, scaled"))?;
        Ok(array)
    }

    /// Sets mean and standard deviation to those of the raw training rows, after scaling. Parts of one-hot
    /// categories stay as they are, and so does the spread of values that are always the same.
    pub(super) fn standardize(&mut self, raw: &Array) {
        let (n, rows) = (raw.row_len(), raw.rows() as f64);
        let scale = self.scales();
        let scaled = || raw.data.chunks_exact(n.max(1)).map(|row| row.iter().zip(&scale).map(|(v, scale)| v * scale));
        let first: Vec<f32> = scaled().next().into_iter().flatten().collect();
        let (mut mean, mut variance, mut varies) = (vec![0.0; n], vec![0.0; n], vec![false; n]);
        for row in scaled() {
            for (i, v) in row.enumerate() {
                mean[i] += f64::from(v) / rows;
                varies[i] |= v != first[i];
            }
        }
        for row in scaled() {
            row.enumerate().for_each(|(i, v)| variance[i] += (f64::from(v) - mean[i]).powi(2) / rows);
        }
        (self.mean, self.std) = (vec![0.0; n], vec![1.0; n]);
        let numeric = self.numeric();
        for i in (0..n).filter(|&i| numeric.as_ref().is_none_or(|numeric| numeric[i])) {
            if varies[i] {
                self.mean[i] = mean[i] as f32;
                self.std[i] = (variance[i].sqrt() as f32).max(f32::MIN_POSITIVE);
            } else {
                // The rounded mean of equal numbers may differ from them, and dividing by that is noise.
                self.mean[i] = first[i];
            }
        }
    }

    /// The factor of each value of a row.
    fn scales(&self) -> Vec<f32> {
        match self.numeric() {
            Some(numeric) => numeric.into_iter().map(|numeric| if numeric { self.scale } else { 1.0 }).collect(),
            None => vec![self.scale; product(&self.shape)],
        }
    }

    fn numeric(&self) -> Option<Vec<bool>> {
        self.encoding.as_ref().map(Encoding::numeric)
    }

    /// Guards against a file that was edited by hand.
    fn check(&self) -> Result<()> {
        let n = product(&self.shape);
        let fail = |key, why| Err(DataError::Setting { key, why: format!("{why}; restore the file that was saved with the model") });
        if self.mean.len() != self.std.len() || !(self.mean.is_empty() || self.mean.len() == n) {
            return fail("mean", format!("{} means and {} deviations for rows of {n} values", self.mean.len(), self.std.len()));
        }
        match self.encoding.as_ref().map(Encoding::features_width) {
            Some(width) if width != n => fail("shape", format!("{:?} ({n} values) for columns that become {width} values", self.shape)),
            _ => Ok(()),
        }
    }

    /// One row, where an array holds as many values as one.
    fn single(&self, array: Array) -> Array {
        let one = array.data.len() == product(&self.shape) && array.row_len() != array.data.len();
        if one { Array { shape: [&[1], &self.shape[..]].concat(), data: array.data } } else { array }
    }
}

/// The array of an npy or IDX file.
fn numbers(path: &Path) -> Result<Array> {
    let start = raw::open(path)?.start()?;
    if idx::is_idx(start) { idx::read(path) } else { npy::read(path) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::testing::TempDir;

    fn plain(shape: &[usize]) -> Preprocessing {
        Preprocessing { encoding: None, shape: shape.to_vec(), scale: 1.0, mean: vec![], std: vec![], classes: vec![] }
    }

    #[test]
    fn standardized_rows_have_mean_0_and_deviation_1() {
        let data: Vec<f32> = (0..50).flat_map(|i| [i as f32, 1e4 + (i * i % 7) as f32, 0.1]).collect();
        let raw = Array::new(vec![50, 3], data).unwrap();
        let mut p = Preprocessing { scale: 0.5, ..plain(&[3]) };
        p.standardize(&raw);
        let x = p.apply(raw, "x").unwrap();
        for i in 0..2 {
            let column: Vec<f64> = x.data.iter().skip(i).step_by(3).map(|&v| v.into()).collect();
            let mean = column.iter().sum::<f64>() / 50.0;
            let variance = column.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / 50.0;
            // 1e4 has 1e-3 of absolute precision in f32, against a spread of 1.
            assert!(mean.abs() < 1e-3 && (variance - 1.0).abs() < 1e-3, "{i}: {mean} {variance}");
        }
        assert!(x.data.iter().skip(2).step_by(3).all(|&v| v == 0.0), "a constant column becomes 0");
    }

    #[test]
    fn json_keeps_every_bit() {
        let raw = Array::new(vec![3, 2], vec![0.1, 1e-30, 0.7, 3e-30, 1.0 / 3.0, 1e30]).unwrap();
        let mut p = Preprocessing { scale: 1.0 / 255.0, classes: vec!["ñ".into(), "b\"".into()], ..plain(&[2, 1]) };
        p.standardize(&raw);
        let back: Preprocessing = serde_json::from_str(&serde_json::to_string(&p).unwrap()).unwrap();
        assert_eq!(back, p);
    }

    #[test]
    fn arrays_of_one_row_and_of_many() {
        let dir = TempDir::new();
        let p = plain(&[2, 2, 1]);
        let path = dir.path.join("a.npy");
        for (shape, rows) in [(&[4][..], 1), (&[2, 2], 1), (&[1, 4], 1), (&[3, 4], 3), (&[2, 1, 2, 2], 2)] {
            let n = shape.iter().product();
            npy::write(&path, &Array::new(shape.to_vec(), vec![1.0; n]).unwrap()).unwrap();
            assert_eq!(p.read(&path).unwrap().shape, [rows, 2, 2, 1], "{shape:?}");
        }
        let idx = dir.file("images", [0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 2, 1, 2, 3, 4]);
        assert_eq!(p.read(&idx).unwrap(), Array::new(vec![1, 2, 2, 1], vec![1.0, 2.0, 3.0, 4.0]).unwrap());
        npy::write(&path, &Array::new(vec![2, 3], vec![1.0; 6]).unwrap()).unwrap();
        assert!(matches!(p.read(&path), Err(DataError::Shape { .. })));
        npy::write(&path, &Array::new(vec![0, 4], vec![]).unwrap()).unwrap();
        assert!(matches!(p.read(&path), Err(DataError::ZeroRows { .. })));
        npy::write(&path, &Array::new(vec![1, 4], vec![1.0, 2.0, f32::NAN, 4.0]).unwrap()).unwrap();
        assert!(matches!(p.read(&path), Err(DataError::NonFinite { row: 0, column: 2, .. })));
    }

    #[test]
    fn overflow_by_scaling_and_edited_files_are_refused() {
        let raw = Array::new(vec![1, 2], vec![1e30, 1.0]).unwrap();
        let error = Preprocessing { scale: 1e30, ..plain(&[2]) }.apply(raw.clone(), "x").unwrap_err();
        assert!(error.to_string().starts_with("x, scaled: the value in row 0, column 0"), "{error}");
        let error = Preprocessing { mean: vec![0.0], std: vec![1.0], ..plain(&[2]) }.apply(raw, "x").unwrap_err();
        assert!(matches!(error, DataError::Setting { key: "mean", .. }));
        assert!(serde_json::from_str::<Preprocessing>(r#"{"shape": [1], "scale": 1, "sclae": 2}"#).is_err());
    }
}
