//! The problem and its exact solution.

use serde::{Deserialize, Serialize};
use std::f64::consts::TAU;

/// The transport equation φ_t + u·φ_x = 0 on 0 < t < 1, 0 < x < L, periodic in x, from one sine wave.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Transport {
    /// u, lengths per unit of time.
    pub speed: f64,
    /// L, the extent of space and the wave length.
    pub length: f64,
}

impl Transport {
    /// φ(0, x) = sin(2πx/L).
    pub fn initial(&self, x: f64) -> f64 {
        self.exact(0.0, x)
    }

    /// φ(t, x) = sin(2π(x − ut)/L), by the method of characteristics.
    ///
    /// ```
    /// let p = pinn::Transport { speed: 1.0, length: 1.0 };
    /// assert!((p.exact(0.25, 0.5) - 1.0).abs() < 1e-15);
    /// ```
    pub fn exact(&self, t: f64, x: f64) -> f64 {
        (TAU * (x - self.speed * t) / self.length).sin()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exact_solution_solves_the_equation_and_its_conditions() {
        let p = Transport { speed: -1.3, length: 2.5 };
        let h = 1e-5;
        for i in 0..50 {
            let (t, x) = (f64::from(i) / 50.0, (f64::from(i) * 0.618_033_988_749_895).fract() * p.length);
            let dt = (p.exact(t + h, x) - p.exact(t - h, x)) / (2.0 * h);
            let dx = (p.exact(t, x + h) - p.exact(t, x - h)) / (2.0 * h);
            assert!((dt + p.speed * dx).abs() < 1e-8, "at {t}, {x}");
            assert!((p.exact(t, 0.0) - p.exact(t, p.length)).abs() < 1e-13);
            assert!((p.initial(x) - (TAU * x / p.length).sin()).abs() < 1e-15);
        }
    }
}
