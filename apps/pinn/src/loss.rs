//! Equation and conditions as mean squares.

use crate::{Points, Transport, Weights};
use neurona::{Context, Tensor, diff};
use serde::Serialize;
use std::fmt;

/// The losses of one step, each the mean square over its points, before weighting.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize)]
pub struct Losses {
    /// What is minimised: the weighted sum of the three.
    pub total: f64,
    /// Mean of (φ_t + u·φ_x)².
    pub pde: f64,
    /// Mean of (φ(t, 0) − φ(t, L))².
    pub boundary: f64,
    /// Mean of (φ(0, x) − sin(2πx/L))².
    pub initial: f64,
}

impl fmt::Display for Losses {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "total {:.3e}, pde {:.3e}, boundary {:.3e}, initial {:.3e}", self.total, self.pde, self.boundary, self.initial)
    }
}

/// φ_t + u·φ_x of `phi` `[n, 1]` at `points` (t, x) `[n, 2]`: the derivative of φ along (1, u), in
/// forward mode. Row i of `phi` must depend on row i of `points` alone.
pub fn residual(problem: &Transport, phi: &Tensor, points: &Tensor) -> Tensor {
    let tracer = points.tracer();
    let component = |v: f64| tracer.full(points.dtype(), &[1], v);
    let direction = Tensor::concat(&[&component(1.0), &component(problem.speed)], 0).broadcast(points.shape(), &[1]);
    diff::jvp(phi, &[(points, &direction)])
}

/// Declares the points as data (`interior`, `left`, `right`, `initial`, `values`: the fields of
/// [`Cloud`](crate::Cloud), in this order) and traces total, pde, boundary and initial loss of `phi`, a function from
/// points (t, x) `[n, 2]` to `[n, 1]`.
pub fn trace(cx: &Context, problem: &Transport, points: &Points, weights: &Weights, phi: &dyn Fn(&Tensor) -> Tensor) -> [Tensor; 4] {
    let rows = |name: &str, n: usize| cx.input(name, cx.dtype(), &[n, 2]);
    let interior = rows("interior", points.interior);
    let (left, right) = (rows("left", points.boundary), rows("right", points.boundary));
    let initial = rows("initial", points.initial);
    let values = cx.input("values", cx.dtype(), &[points.initial, 1]);
    let pde = residual(problem, &phi(&interior), &interior).square().mean_all();
    let boundary = (phi(&left) - phi(&right)).square().mean_all();
    let start = (phi(&initial) - values).square().mean_all();
    let total = &pde * weights.pde + &boundary * weights.boundary + &start * weights.initial;
    [total, pde, boundary, start]
}
