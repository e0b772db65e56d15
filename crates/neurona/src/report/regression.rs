//! How near predicted numbers are to the true ones.

use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// How near predictions of one quantity are to its true values.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fit {
    /// Mean of |p − t|.
    pub mae: f64,
    /// √(mean of (p − t)²).
    pub rmse: f64,
    /// Largest |p − t|.
    pub worst: f64,
    /// 1 − Σ(p − t)²/Σ(t − mean t)²: 1 is perfect, 0 is what the mean would do. `None` where all true
    /// values are the same, so that nothing is to be explained.
    pub r2: Option<f64>,
}

/// The fit of each of `width` quantities, given row by row.
///
/// ```
/// let fits = neurona::report::fit(&[1.0, 2.0, 4.0], &[1.0, 2.0, 3.0], 1)?;
/// assert_eq!(fits[0].r2, Some(0.5)); // 1 − 1/2
/// # Ok::<(), neurona::Error>(())
/// ```
///
/// # Errors
/// Lists of different lengths, empty or not made of whole rows.
pub fn fit(predicted: &[f32], actual: &[f32], width: usize) -> Result<Vec<Fit>> {
    if predicted.len() != actual.len() || actual.is_empty() || width == 0 || !actual.len().is_multiple_of(width) {
        let why = format!("{} predictions and {} targets are not the same number of rows of {width}", predicted.len(), actual.len());
        return Err(Error::data("regression report", why, "give one prediction for each target"));
    }
    let column = |v: &[f32], c: usize| v.iter().skip(c).step_by(width).map(|&x| f64::from(x)).collect::<Vec<f64>>();
    Ok((0..width).map(|c| one(&column(predicted, c), &column(actual, c))).collect())
}

fn one(p: &[f64], t: &[f64]) -> Fit {
    let n = t.len() as f64;
    let errors = || p.iter().zip(t).map(|(p, t)| (p - t).abs());
    let squares: f64 = errors().map(|e| e * e).sum();
    let mean = t.iter().sum::<f64>() / n;
    let spread: f64 = t.iter().map(|t| (t - mean).powi(2)).sum();
    Fit {
        mae: errors().sum::<f64>() / n,
        rmse: (squares / n).sqrt(),
        // A NaN must not be lost here.
        worst: errors().fold(0.0, |worst, e| if e > worst || e.is_nan() { e } else { worst }),
        r2: (spread > 0.0).then_some(1.0 - squares / spread),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        // Two quantities, interleaved: t = 0, 2, 4 with p = 1, 2, 2, and a constant.
        let fits = fit(&[1.0, 5.0, 2.0, 5.0, 2.0, 8.0], &[0.0, 5.0, 2.0, 5.0, 4.0, 5.0], 2).unwrap();
        // Errors 1, 0, −2: Σ² = 5; Σ(t − 2)² = 8.
        assert_eq!(fits[0], Fit { mae: 1.0, rmse: (5.0f64 / 3.0).sqrt(), worst: 2.0, r2: Some(1.0 - 5.0 / 8.0) });
        assert_eq!(fits[1], Fit { mae: 1.0, rmse: 3f64.sqrt(), worst: 3.0, r2: None });
        assert!(fit(&[f32::NAN, 0.0], &[1.0, 2.0], 1).unwrap()[0].worst.is_nan());
        assert!(fit(&[1.0], &[1.0, 2.0], 1).is_err() && fit(&[], &[], 1).is_err() && fit(&[1.0], &[1.0], 2).is_err());
    }
}
