//! Methods that learn the inverse Hessian from the gradients they meet: BFGS, self-scaled Broyden, L-BFGS. All search along
//! a line for the strong Wolfe conditions.

use super::{Memory, Method, Reason, Stepped};
use crate::Result;
use crate::solve::linear;
use crate::solve::system::System;
use neurona::lbfgs::{History, Search};

/// Steps that L-BFGS remembers.
const STEPS: usize = 50;

/// What is known of the inverse Hessian.
enum Inverse {
    Matrix(Vec<f64>),
    Steps(History),
}

impl Inverse {
    fn identity(n: usize) -> Vec<f64> {
        let mut identity = vec![0.0; n * n];
        (0..n).for_each(|i| identity[i * n + i] = 1.0);
        identity
    }

    /// Takes it out of what the stage remembers after the gradient.
    fn take(method: Method, memory: &mut Memory, n: usize) -> Inverse {
        let mut rest = memory.arrays.drain(1..);
        if method != Method::Lbfgs {
            return Inverse::Matrix(rest.next().unwrap_or_else(|| Inverse::identity(n)));
        }
        let mut history = History::new(STEPS);
        while let (Some(s), Some(y)) = (rest.next(), rest.next()) {
            history.push(s, y);
        }
        Inverse::Steps(history)
    }

    fn put(self, memory: &mut Memory) {
        match self {
            Inverse::Matrix(h) => memory.arrays.push(h),
            Inverse::Steps(history) => memory.arrays.extend(history.pairs().flat_map(|(s, y)| [s.to_vec(), y.to_vec()])),
        }
    }

    fn forget(&mut self, n: usize) {
        match self {
            Inverse::Matrix(h) => *h = Inverse::identity(n),
            Inverse::Steps(history) => history.clear(),
        }
    }

    /// Minus itself times the gradient.
    fn direction(&self, g: &[f64], threads: usize) -> Vec<f64> {
        match self {
            Inverse::Matrix(h) => linear::product(h, g.len(), g, threads).iter().map(|d| -d).collect(),
            Inverse::Steps(history) => history.direction(g),
        }
    }
}

/// One step; the loss, its gradient, the number of updates and the inverse Hessian are remembered.
pub fn step(method: Method, system: &mut System, x: &mut [f64], memory: &mut Memory, moved: bool) -> Result<Stepped> {
    let fresh = memory.arrays.is_empty();
    if fresh {
        memory.arrays = vec![vec![0.0; x.len()]];
        memory.scalars = vec![0.0, 0.0];
    }
    if fresh || moved {
        let (loss, terms) = system.gradient(x, &mut memory.arrays[0])?;
        memory.scalars[0] = loss;
        if !loss.is_finite() {
            return Ok(Stepped { loss, terms, end: None });
        }
    }
    let mut inverse = Inverse::take(method, memory, x.len());
    let stepped = searched(method, system, x, memory, &mut inverse);
    inverse.put(memory);
    stepped
}

/// Searches along the direction of `inverse` and brings it up to date.
fn searched(method: Method, system: &mut System, x: &mut [f64], memory: &mut Memory, inverse: &mut Inverse) -> Result<Stepped> {
    let (n, threads) = (x.len(), system.threads());
    let (value, g) = (memory.scalars[0], memory.arrays[0].clone());
    let mut terms = vec![];
    let mut failed = 0;
    let found = loop {
        let direction = inverse.direction(&g, threads);
        let untried = memory.scalars[1] == 0.0;
        let first = if untried { (1.0 / g.iter().map(|g| g.abs()).sum::<f64>()).min(1.0) } else { 1.0 };
        let mut f = |x: &[f64], g: &mut [f64]| match system.gradient(x, g) {
            Ok((value, parts)) => {
                terms = parts;
                Ok(value)
            }
            Err(crate::Error::Neurona(e)) => Err(e),
            Err(_) => Ok(f64::NAN),
        };
        if let Some(point) = Search::new(&mut f, x, &g, value).along(direction.clone(), first)? {
            break Some((point, direction));
        }
        // What is remembered may mislead; the steepest descent does not.
        failed += 1;
        if failed > 1 || untried {
            break None;
        }
        inverse.forget(n);
        memory.scalars[1] = 0.0;
    };
    let Some((point, direction)) = found else {
        terms = system.value(x)?.1;
        let end = if g.iter().all(|g| g.abs() < 1e-14) { Reason::Gradient } else { Reason::Stuck };
        return Ok(Stepped { loss: value, terms, end: Some(end) });
    };
    let s: Vec<f64> = direction.iter().map(|d| d * point.step).collect();
    let y: Vec<f64> = point.gradient.iter().zip(&g).map(|(a, b)| a - b).collect();
    let first = memory.scalars[1] == 0.0;
    match inverse {
        Inverse::Matrix(h) => {
            if first {
                scale(h, &s, &y);
            }
            let alpha = (!first).then_some(point.step);
            update(method, h, &s, &y, linear::dot(&s, &g), alpha, threads);
        }
        Inverse::Steps(history) => history.push(s, y),
    }
    x.copy_from_slice(&point.x);
    memory.arrays[0].copy_from_slice(&point.gradient);
    (memory.scalars[0], memory.scalars[1]) = (point.value, memory.scalars[1] + 1.0);
    Ok(Stepped { loss: point.value, terms, end: None })
}

/// Gives the first guess of the inverse Hessian the size of the last curvature (Nocedal & Wright 2006, equation 6.20).
fn scale(h: &mut [f64], s: &[f64], y: &[f64]) {
    let n = s.len();
    let scale = linear::dot(y, s) / linear::dot(y, y);
    if scale > 0.0 && scale.is_finite() {
        (0..n).for_each(|i| h[i * n + i] = scale);
    }
}

/// Brings the inverse Hessian `h` up to the step `s` = αp and the change `y` of the gradient; `slope` is sᵀg before the step.
///
/// Self-scaled Broyden after Urbán, Stefanou & Pons (J. Comput. Phys. 523, 2025), from Al-Baali's bounds; without `alpha`
/// (p was not −Hg), or for BFGS, the plain BFGS formula, that of θ = 0 and τ = 1.
fn update(method: Method, h: &mut [f64], s: &[f64], y: &[f64], slope: f64, alpha: Option<f64>, threads: usize) {
    let n = s.len();
    let curvature = linear::dot(y, s);
    if curvature.is_nan() || curvature <= f64::EPSILON * linear::dot(y, y).sqrt() * linear::dot(s, s).sqrt() {
        return;
    }
    let hy = linear::product(h, n, y, threads);
    let (rho, yhy) = (1.0 / curvature, linear::dot(y, &hy));
    let (tau, phi) = match alpha {
        Some(alpha) if method == Method::Ssbroyden => factors(rho * yhy, -alpha * rho * slope, n),
        _ => (1.0, 1.0),
    };
    if !(yhy > 0.0 && tau > 0.0 && tau.is_finite() && phi.is_finite()) {
        return;
    }
    let v: Vec<f64> = s.iter().zip(&hy).map(|(s, hy)| rho * s - hy / yhy).collect();
    let share = n.div_ceil(threads.max(1)) * n;
    let (hy, v) = (&hy, &v);
    std::thread::scope(|scope| {
        for (part, rows) in h.chunks_mut(share).enumerate() {
            scope.spawn(move || {
                for (k, row) in rows.chunks_exact_mut(n).enumerate() {
                    let i = part * share / n + k;
                    let (a, b, c) = (-hy[i] / (yhy * tau), phi * yhy * v[i] / tau, rho * s[i]);
                    for j in 0..n {
                        row[j] = row[j] / tau + a * hy[j] + b * v[j] + c * s[j];
                    }
                }
            });
        }
    });
}

/// The factors τ and φ of the self-scaled Broyden update, from h = yᵀHy/yᵀs and b = sᵀBs/yᵀs.
fn factors(h: f64, b: f64, n: usize) -> (f64, f64) {
    let a = b * h - 1.0;
    if !(a.abs() > 1e-14 && b > 0.0 && h > 0.0) {
        return (1.0, 1.0);
    }
    let c = (a.abs() / (1.0 + a)).sqrt();
    let lower = (h * (1.0 - c)).min(1.0);
    let theta_low = (lower - 1.0) / a;
    let theta_high = 1.0 / lower;
    let theta = theta_low.max(theta_high.min((1.0 - b) / b));
    let sigma = 1.0 + theta * a;
    let root = sigma.abs().powf(1.0 / (1.0 - n as f64));
    let tau = if theta <= 0.0 { (1f64.min(1.0 / b) * root).min(sigma) } else { 1f64.min(1.0 / b) * root.min(1.0 / theta) };
    let phi = (1.0 - theta) / (1.0 + a * theta);
    (tau, phi)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_update_fulfils_the_secant_equation_and_keeps_the_matrix_symmetric_and_positive() {
        let n = 5;
        let number = |i: usize| ((i * 7919 + 13) % 101) as f64 / 101.0 - 0.5;
        // A quadratic function: y = A s with A positive definite.
        let b: Vec<f64> = (0..n * n).map(number).collect();
        let a = |x: &[f64]| -> Vec<f64> {
            let bx = linear::product(&b, n, x, 1);
            linear::transposed_product(&b, n, &bx).iter().zip(x).map(|(p, x)| p + 0.3 * x).collect()
        };
        for method in [Method::Bfgs, Method::Ssbroyden] {
            let mut h = vec![0.0; n * n];
            (0..n).for_each(|i| h[i * n + i] = 1.0 + i as f64);
            for k in 0..4 {
                let g: Vec<f64> = (0..n).map(|i| number(i + 31 * k)).collect();
                let alpha = 0.3 + 0.4 * k as f64;
                let s: Vec<f64> = linear::product(&h, n, &g, 1).iter().map(|d| -alpha * d).collect();
                let y = a(&s);
                update(method, &mut h, &s, &y, linear::dot(&s, &g), Some(alpha), 2);
                let hy = linear::product(&h, n, &y, 1);
                assert!(hy.iter().zip(&s).all(|(a, b)| (a - b).abs() < 1e-9), "{method:?} {hy:?} {s:?}");
                for i in 0..n {
                    (0..n).for_each(|j| assert!((h[i * n + j] - h[j * n + i]).abs() < 1e-9));
                }
                assert!(linear::cholesky(&mut h.clone(), n, 1), "{method:?} step {k}");
            }
        }
    }
}
