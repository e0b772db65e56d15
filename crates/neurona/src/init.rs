//! How parameters start.

use graph::ops::source::uniform;
use serde::{Deserialize, Serialize};

/// Distribution of a parameter's first values.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Init {
    /// 0.
    Zeros,
    /// 1.
    Ones,
    /// One number everywhere.
    Constant(f64),
    /// Uniform between two numbers.
    Uniform {
        /// Lower end.
        min: f64,
        /// Upper end.
        max: f64,
    },
    /// Normal with mean 0.
    Normal {
        /// Standard deviation.
        std: f64,
    },
    /// Uniform within ±√(6/(fan_in + fan_out)) (Glorot & Bengio 2010).
    GlorotUniform,
    /// Normal with variance 2/(fan_in + fan_out).
    GlorotNormal,
    /// Uniform within ±√(6/fan_in) (He et al. 2015), for ReLU.
    HeUniform,
    /// Normal with variance 2/fan_in.
    HeNormal,
    /// Uniform within ±1/√fan_in.
    LecunUniform,
}

impl Init {
    /// First values of a parameter of this shape: a pure function of `seed` and `stream` (the
    /// parameter's number in its model).
    ///
    /// ```
    /// use neurona::Init;
    /// let w = Init::GlorotUniform.values(&[20, 30], 1, 0);
    /// assert_eq!(w.len(), 600);
    /// assert!(w.iter().all(|x| x.abs() <= (6.0f32 / 50.0).sqrt()));
    /// ```
    pub fn values(self, shape: &[usize], seed: u32, stream: u32) -> Vec<f32> {
        let n: usize = shape.iter().product();
        let (fan_in, fan_out) = fans(shape);
        let u = |i: usize| f64::from(uniform([seed, INIT_STEP], stream, i as u64));
        let within = |bound: f64| (0..n).map(|i| ((2.0 * u(i) - 1.0) * bound) as f32).collect();
        // Box–Muller; 1 − u lies in (0, 1].
        let normal = |std: f64| {
            let z = |i: usize| (-2.0 * (1.0 - u(2 * i)).ln()).sqrt() * (std::f64::consts::TAU * u(2 * i + 1)).cos();
            (0..n).map(|i| (std * z(i)) as f32).collect()
        };
        match self {
            Init::Zeros => vec![0.0; n],
            Init::Ones => vec![1.0; n],
            Init::Constant(x) => vec![x as f32; n],
            Init::Uniform { min, max } => (0..n).map(|i| (min + (max - min) * u(i)) as f32).collect(),
            Init::Normal { std } => normal(std),
            Init::GlorotUniform => within((6.0 / (fan_in + fan_out)).sqrt()),
            Init::GlorotNormal => normal((2.0 / (fan_in + fan_out)).sqrt()),
            Init::HeUniform => within((6.0 / fan_in).sqrt()),
            Init::HeNormal => normal((2.0 / fan_in).sqrt()),
            Init::LecunUniform => within((1.0 / fan_in).sqrt()),
        }
    }
}

/// The "step" half of the random key of initial values; training steps count from 0.
const INIT_STEP: u32 = u32::MAX;

/// Numbers of inputs and outputs of a unit: the last two axes times the window before them.
fn fans(shape: &[usize]) -> (f64, f64) {
    let n = shape.len();
    if n < 2 {
        let n = shape.first().copied().unwrap_or(1).max(1) as f64;
        return (n, n);
    }
    let window: usize = shape[..n - 2].iter().product();
    ((window * shape[n - 2]).max(1) as f64, (window * shape[n - 1]).max(1) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_and_bounds_are_as_stated() {
        let shape = [3, 3, 20, 40]; // fan_in 180, fan_out 360
        let moments = |i: Init| {
            let v = i.values(&shape, 7, 3);
            let mean = v.iter().map(|&x| f64::from(x)).sum::<f64>() / v.len() as f64;
            (mean, v.iter().map(|&x| (f64::from(x) - mean).powi(2)).sum::<f64>() / v.len() as f64)
        };
        for (init, variance) in [
            (Init::GlorotUniform, 2.0 / 540.0),
            (Init::GlorotNormal, 2.0 / 540.0),
            (Init::HeUniform, 2.0 / 180.0),
            (Init::HeNormal, 2.0 / 180.0),
            (Init::LecunUniform, 1.0 / 540.0),
            (Init::Normal { std: 0.5 }, 0.25),
            (Init::Uniform { min: -1.0, max: 1.0 }, 1.0 / 3.0),
        ] {
            let (mean, var): (f64, f64) = moments(init);
            let variance: f64 = variance;
            assert!(mean.abs() < 0.03 * variance.sqrt() && (var / variance - 1.0).abs() < 0.05, "{init:?}: {mean} {var}");
        }
        assert_ne!(Init::HeNormal.values(&shape, 7, 3), Init::HeNormal.values(&shape, 8, 3));
        assert_ne!(Init::HeNormal.values(&shape, 7, 3), Init::HeNormal.values(&shape, 7, 4));
    }
}
