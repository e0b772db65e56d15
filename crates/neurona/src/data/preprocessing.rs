//! From the numbers of a file to the input of a network, the same way in training and afterwards.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::array::product;
use super::csv::{Encoding, Records};
use super::store::{Stored, decode};
use super::{Array, DataError, Numbers, Result, STREAM_BYTES, idx, npy, raw};

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
    /// Reads the rows of a file (CSV with or without its targets, npy, IDX, or an image, as in training) as input of the
    /// network, `[rows, shape…]`. An array that holds as many values as one row is one row.
    pub fn read(&self, path: &Path) -> Result<Array> {
        let place = path.display().to_string();
        let raw = match &self.encoding {
            Some(encoding) => {
                let rows = encoding.read(path, false)?;
                encoding.features(&rows, &(0..rows.table.rows()).collect::<Vec<_>>())?
            }
            None => self.single(self.numbers(path)?),
        };
        if raw.rows() == 0 {
            return Err(DataError::ZeroRows { place });
        }
        self.apply(raw, &place)
    }

    /// [`Preprocessing::read`], but the rows of a file of more than [`STREAM_BYTES`](super::STREAM_BYTES) stay in it.
    pub fn open(&self, path: &Path) -> Result<Numbers> {
        if raw::open(path)?.len <= STREAM_BYTES { Ok(self.read(path)?.into()) } else { self.stream(path) }
    }

    /// The rows of a file, which stay there if they can.
    pub(super) fn stream(&self, path: &Path) -> Result<Numbers> {
        let place = path.display().to_string();
        if let Some(encoding) = &self.encoding {
            let (rows, seen) = encoding.index(path, false)?;
            encoding.check(&rows, &[&(0..rows.table.rows()).collect::<Vec<_>>()])?;
            let stored = Stored::new(Records::new(encoding, &rows, seen), &[encoding.features_width()])?;
            return self.apply_to(stored.into(), &place);
        }
        let start = raw::open(path)?.start()?;
        let opened = match start {
            _ if is_image(start) => None,
            _ if idx::is_idx(start) => Some(idx::piece(path)?),
            _ => npy::piece(path, None)?,
        };
        match opened {
            Some((piece, shape)) => self.apply_to(Stored::packed(path, &shape, vec![piece])?.into(), &place),
            None => Ok(self.read(path)?.into()),
        }
    }

    /// Scales, standardizes and shapes rows of numbers; for a table, rows with its categories as one-hot values.
    pub fn apply(&self, raw: Array, place: &str) -> Result<Array> {
        self.check()?;
        raw.check_shape(place)?;
        raw.check_finite(place)?;
        let mut array = raw.with_row_shape(&self.shape, place)?;
        let n = array.row_len();
        self.transform().apply(&mut array.data, n);
        array.check_finite(&format!("{place}, scaled"))?;
        Ok(array)
    }

    /// [`Preprocessing::apply`] for rows in memory or in files; the latter are changed when they are read.
    pub(super) fn apply_to(&self, raw: Numbers, place: &str) -> Result<Numbers> {
        match raw {
            Numbers::Memory(array) => Ok(self.apply(array, place)?.into()),
            Numbers::Stored(stored) => {
                self.check()?;
                Ok(stored.with_row_shape(&self.shape, place)?.with(self.transform()).into())
            }
        }
    }

    /// What happens to each value of a row.
    fn transform(&self) -> Transform {
        let scale = if self.scale == 1.0 { vec![] } else { self.scales() };
        Transform { scale, mean: self.mean.clone(), std: self.std.clone() }
    }

    /// Sets mean and standard deviation to those of the raw training rows, after scaling. Parts of one-hot
    /// categories stay as they are, and so does the spread of values that are always the same.
    pub(super) fn standardize(&mut self, raw: &Numbers) -> Result<()> {
        let mut statistics = Statistics::new(self.scales());
        match raw {
            Numbers::Memory(array) => statistics.add(&array.data),
            Numbers::Stored(stored) => stored.statistics(&mut statistics)?,
        }
        let n = statistics.mean.len();
        (self.mean, self.std) = (vec![0.0; n], vec![1.0; n]);
        let numeric = self.numeric();
        for i in (0..n).filter(|&i| numeric.as_ref().is_none_or(|numeric| numeric[i])) {
            if statistics.varies[i] {
                self.mean[i] = statistics.mean[i] as f32;
                self.std[i] = (statistics.variance(i).sqrt() as f32).max(f32::MIN_POSITIVE);
            } else {
                // The rounded mean of equal numbers may differ from them, and dividing by that is noise.
                self.mean[i] = statistics.first[i];
            }
        }
        Ok(())
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

    /// The array of an npy or IDX file, or the pixels of an image.
    fn numbers(&self, path: &Path) -> Result<Array> {
        let start: [u8; 4] = raw::open(path)?.start()?;
        match self.shape[..] {
            [h, w, c @ (1 | 3)] if is_image(start) => {
                let mut data = vec![0.0; product(&self.shape)];
                decode(path, [h, w, c], &mut data)?;
                Array::new(vec![1, h, w, c], data)
            }
            _ if idx::is_idx(start) => idx::read(path),
            _ => npy::read(path),
        }
    }

    /// One row, where an array holds as many values as one.
    fn single(&self, array: Array) -> Array {
        let one = array.data.len() == product(&self.shape) && array.row_len() != array.data.len();
        if one { Array { shape: [&[1], &self.shape[..]].concat(), data: array.data } } else { array }
    }
}

/// Whether a file that begins with these bytes can be a PNG or JPEG image.
fn is_image(start: [u8; 4]) -> bool {
    matches!(start, [0x89, b'P', b'N', b'G'] | [0xff, 0xd8, 0xff, _])
}

/// What happens to each value of a row when it becomes input.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Transform {
    /// Factor of each value; empty if there is none, and so are the others.
    scale: Vec<f32>,
    mean: Vec<f32>,
    std: Vec<f32>,
}

impl Transform {
    /// Changes rows of `n` values.
    pub fn apply(&self, rows: &mut [f32], n: usize) {
        for row in rows.chunks_exact_mut(n) {
            row.iter_mut().zip(&self.scale).for_each(|(x, scale)| *x *= scale);
            row.iter_mut().zip(self.mean.iter().zip(&self.std)).for_each(|(x, (mean, std))| *x = (*x - mean) / std);
        }
    }

    /// All its numbers.
    pub fn values(&self) -> impl Iterator<Item = f32> {
        self.scale.iter().chain(&self.mean).chain(&self.std).copied()
    }
}

/// Mean and variance of each value of a row, of scaled rows, in one pass (Welford 1962).
pub(super) struct Statistics {
    scale: Vec<f32>,
    rows: f64,
    first: Vec<f32>,
    varies: Vec<bool>,
    mean: Vec<f64>,
    /// Sums of squared distances from the mean.
    squares: Vec<f64>,
}

impl Statistics {
    fn new(scale: Vec<f32>) -> Statistics {
        let n = scale.len();
        Statistics { scale, rows: 0.0, first: vec![0.0; n], varies: vec![false; n], mean: vec![0.0; n], squares: vec![0.0; n] }
    }

    /// Adds raw rows.
    pub fn add(&mut self, raw: &[f32]) {
        for row in raw.chunks_exact(self.scale.len().max(1)) {
            if self.rows == 0.0 {
                self.first.iter_mut().zip(row.iter().zip(&self.scale)).for_each(|(first, (v, scale))| *first = v * scale);
            }
            self.rows += 1.0;
            let share = 1.0 / self.rows;
            for (i, (v, scale)) in row.iter().zip(&self.scale).enumerate() {
                let v = v * scale;
                self.varies[i] |= v != self.first[i];
                let distance = f64::from(v) - self.mean[i];
                self.mean[i] += distance * share;
                self.squares[i] += distance * (f64::from(v) - self.mean[i]);
            }
        }
    }

    fn variance(&self, i: usize) -> f64 {
        self.squares[i] / self.rows
    }
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
        p.standardize(&raw.clone().into()).unwrap();
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
        p.standardize(&raw.clone().into()).unwrap();
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
