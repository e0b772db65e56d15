//! The error against the exact solution, on a regular grid.

use crate::{Predictor, Result, Transport};

/// Network and exact solution on a grid over 0 ≤ t ≤ 1, 0 ≤ x ≤ L.
#[derive(Clone, PartialEq, Debug)]
pub struct Grid {
    /// Points along each axis, ends included.
    pub side: usize,
    /// (t, x) of each point: t row by row, x fastest.
    pub points: Vec<[f64; 2]>,
    /// Exact solution at each point.
    pub exact: Vec<f64>,
    /// Network at each point (empty before [`Grid::fill`]).
    pub solution: Vec<f64>,
}

impl Grid {
    /// The grid of `side` × `side` points with the exact solution.
    pub fn new(problem: &Transport, side: usize) -> Grid {
        let at = |i: usize| i as f64 / (side.max(2) - 1) as f64;
        let points: Vec<[f64; 2]> = (0..side).flat_map(|i| (0..side).map(move |j| [at(i), at(j) * problem.length])).collect();
        let exact = points.iter().map(|&[t, x]| problem.exact(t, x)).collect();
        Grid { side, points, exact, solution: vec![] }
    }

    /// Evaluates the network with these weights on the grid.
    ///
    /// # Errors
    /// Weights of another network.
    pub fn fill(&mut self, predictor: &mut Predictor, params: &[Vec<f32>]) -> Result<()> {
        self.solution = predictor.run(params, &self.points)?;
        Ok(())
    }

    /// ‖φ − φ_exact‖ / ‖φ_exact‖ over the grid.
    pub fn relative_l2(&self) -> f64 {
        relative_l2(&self.solution, &self.exact)
    }

    /// Largest |φ − φ_exact| over the grid.
    pub fn max_error(&self) -> f64 {
        max_error(&self.solution, &self.exact)
    }
}

/// ‖a − exact‖ / ‖exact‖ in the Euclidean norm; infinite where `exact` is 0 everywhere but `a` is not,
/// NaN where the lengths differ.
///
/// ```
/// assert_eq!(pinn::relative_l2(&[3.0, 0.0, 3.0], &[3.0, 4.0, 0.0]), 1.0);
/// ```
pub fn relative_l2(a: &[f64], exact: &[f64]) -> f64 {
    if a.len() != exact.len() {
        return f64::NAN;
    }
    let norm = |v: &mut dyn Iterator<Item = f64>| v.map(|x| x * x).sum::<f64>().sqrt();
    norm(&mut a.iter().zip(exact).map(|(a, b)| a - b)) / norm(&mut exact.iter().copied())
}

/// max |a − exact|; NaN where a value is NaN or the lengths differ.
pub fn max_error(a: &[f64], exact: &[f64]) -> f64 {
    if a.len() != exact.len() {
        return f64::NAN;
    }
    a.iter().zip(exact).map(|(a, b)| (a - b).abs()).fold(0.0, |m, e| if e.is_nan() || e > m { e } else { m })
}

/// Value by value, a − exact, as far as both go.
///
/// ```
/// assert_eq!(pinn::difference(&[3.0, 0.5], &[1.0, 1.0]), [2.0, -0.5]);
/// ```
pub fn difference(a: &[f64], exact: &[f64]) -> Vec<f64> {
    a.iter().zip(exact).map(|(a, b)| a - b).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grid_reaches_both_ends_and_x_runs_fastest() {
        let g = Grid::new(&Transport { speed: 1.0, length: 2.0 }, 5);
        assert_eq!((g.points[0], g.points[1], g.points[5], g.points[24]), ([0.0, 0.0], [0.0, 0.5], [0.25, 0.0], [1.0, 2.0]));
        assert!((g.exact[1] - 1.0).abs() < 1e-15, "a quarter of the wave length");
    }

    #[test]
    fn errors_of_known_arrays() {
        let exact = [1.0, -2.0, 2.0];
        let scaled = exact.map(|v| v * 1.01);
        assert!((relative_l2(&scaled, &exact) - 0.01).abs() < 1e-15);
        assert!((max_error(&scaled, &exact) - 0.02).abs() < 1e-15);
        assert_eq!((relative_l2(&exact, &exact), max_error(&exact, &exact)), (0.0, 0.0));
        assert!(max_error(&[f64::NAN, 0.0, 9.0], &exact).is_nan() && relative_l2(&[1.0], &exact).is_nan());
    }
}
