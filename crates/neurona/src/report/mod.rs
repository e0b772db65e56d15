//! What to say of a model once its predictions are there: plain numbers, computed in f64.

mod confusion;
mod regression;

pub use confusion::{ClassScores, Confusion};
pub use regression::{Fit, fit};

/// Half the width of the 95 % interval of a share of `n` independent rows, and its centre (Wilson 1927):
/// right for shares near 0 and 1 too, where p ± 1.96·√(p(1 − p)/n) is not.
///
/// ```
/// // 0 wrong of 10 still leaves room for 28 % wrong.
/// let (centre, half) = neurona::report::interval(1.0, 10);
/// assert!((centre - half - 0.7225).abs() < 1e-4 && (centre + half - 1.0).abs() < 1e-12);
/// ```
pub fn interval(share: f64, n: u64) -> (f64, f64) {
    if n == 0 {
        return (0.5, 0.5); // nothing is known
    }
    let (n, z2) = (n as f64, 1.959_963_984_540_054_f64.powi(2));
    let centre = (share + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let half = (z2 * (share * (1.0 - share) / n + z2 / (4.0 * n * n))).sqrt() / (1.0 + z2 / n);
    (centre, half)
}
