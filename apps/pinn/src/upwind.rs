//! The rival of a network on the transport equation: the finite-difference scheme that one would otherwise use.

use crate::Transport;

/// Share of a cell that the solution moves in a step of the upwind scheme.
const COURANT: f64 = 0.9;
/// Steps of the upwind scheme: faster equations are not shown with it.
const STEPS: f64 = 1e5;

/// φ on the grid by the upwind scheme (Courant, Isaacson and Rees 1952) with as many cells as the grid has, row by row of one time each;
/// none for a speed that needs too many steps, or a grid without a cell.
///
/// ```
/// let problem = pinn::Transport { speed: 1.0, length: 1.0 };
/// let error = pinn::relative_l2(&pinn::upwind(&problem, 65).unwrap(), &pinn::Grid::new(&problem, 65).exact);
/// assert!(error < 0.1);
/// ```
pub fn upwind(problem: &Transport, side: usize) -> Option<Vec<f64>> {
    let cells = side.checked_sub(1).filter(|&n| n > 0)?;
    let h = problem.length / cells as f64;
    let between = (problem.speed.abs() / cells as f64 / (COURANT * h)).ceil().max(1.0); // steps from one row to the next
    if between * cells as f64 > STEPS {
        return None;
    }
    let courant = problem.speed / cells as f64 / between / h;
    let mut now: Vec<f64> = (0..cells).map(|i| problem.initial(i as f64 * h)).collect();
    let mut all = vec![];
    for row in 0..side {
        if row > 0 {
            for _ in 0..between as usize {
                let step = |i: usize| {
                    let (left, right) = (now[(i + cells - 1) % cells], now[(i + 1) % cells]);
                    now[i] - if courant > 0.0 { courant * (now[i] - left) } else { courant * (right - now[i]) }
                };
                now = (0..cells).map(step).collect();
            }
        }
        all.extend(now.iter().chain(&now[..1])); // periodic: the last point is the first
    }
    Some(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Grid, relative_l2};

    #[test]
    fn the_upwind_scheme_converges_to_the_exact_solution_from_both_sides() {
        for speed in [1.0, -0.7] {
            let problem = Transport { speed, length: 1.5 };
            let error = |side: usize| relative_l2(&upwind(&problem, side).unwrap(), &Grid::new(&problem, side).exact);
            let ratio = error(65) / error(129);
            assert!((1.5..2.5).contains(&ratio), "first order: {ratio}");
        }
        assert!(upwind(&Transport { speed: 1e9, length: 1.0 }, 65).is_none());
        assert!(upwind(&Transport { speed: 1.0, length: 1.0 }, 1).is_none());
    }
}
