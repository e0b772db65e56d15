//! The optimizers, one step at a time, so that a run can be saved between any two steps.

use super::linear;
use super::system::System;
use super::{Method, Stage};
use crate::Result;
use neurona::lbfgs::Search;

/// Why a stage ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reason {
    /// As many steps as asked for.
    Steps,
    /// The loss is as low as asked for.
    Until,
    /// The gradient is zero up to rounding.
    Gradient,
    /// No step makes the loss lower: the last digits are reached, or a valley too narrow for this method.
    Stuck,
}

impl Reason {
    /// A fixed name, for tables of translations.
    pub fn code(self) -> &'static str {
        ["steps", "until", "gradient", "stuck"][self as usize]
    }
}

/// What a method remembers between steps.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Memory {
    /// Numbers: λ and its factor; loss.
    pub scalars: Vec<f64>,
    /// Vectors and matrices: moments; gradient and inverse Hessian.
    pub arrays: Vec<Vec<f64>>,
}

/// Where a step led.
pub(super) struct Stepped {
    pub loss: f64,
    pub terms: Vec<f64>,
    pub end: Option<Reason>,
}

/// One step of a stage from `x`, the `step`-th (from 0). New points make remembered values void: `moved`.
pub(super) fn step(stage: &Stage, system: &mut System, x: &mut [f64], memory: &mut Memory, step: u64, moved: bool) -> Result<Stepped> {
    match stage.method {
        Method::Adam => adam(stage, system, x, memory, step),
        Method::LevenbergMarquardt => levenberg_marquardt(system, x, memory),
        Method::LeastSquares => least_squares(system, x),
        Method::Bfgs | Method::Ssbroyden => quasi_newton(stage.method, system, x, memory, moved),
    }
}

/// Adam (Kingma & Ba 2015) with the rate falling to a hundredth along half a cosine.
fn adam(stage: &Stage, system: &mut System, x: &mut [f64], memory: &mut Memory, step: u64) -> Result<Stepped> {
    const BETA: [f64; 2] = [0.9, 0.999];
    let n = x.len();
    if memory.arrays.len() != 2 {
        memory.arrays = vec![vec![0.0; n]; 2];
    }
    let mut g = vec![0.0; n];
    let (loss, terms) = system.gradient(x, &mut g)?;
    let progress = step as f64 / stage.steps as f64;
    let rate = stage.learning_rate * (0.01 + 0.99 * 0.5 * (1.0 + (std::f64::consts::PI * progress).cos()));
    let [c0, c1] = BETA.map(|b| 1.0 - b.powf((step + 1) as f64));
    let [m, v] = &mut memory.arrays[..] else { return Ok(Stepped { loss, terms, end: None }) };
    for i in 0..n {
        m[i] = BETA[0] * m[i] + (1.0 - BETA[0]) * g[i];
        v[i] = BETA[1] * v[i] + (1.0 - BETA[1]) * g[i] * g[i];
        x[i] -= rate * (m[i] / c0) / ((v[i] / c1).sqrt() + 1e-8);
    }
    Ok(Stepped { loss, terms, end: None })
}

/// Damping below which only rounding is damped, and above which steps are too short to matter.
const DAMPING: [f64; 2] = [1e-18, 1e8];

/// Levenberg–Marquardt: (JᵀJ + λ·I) d = −Jᵀr, λ relative to the mean of the diagonal. A factorization costs little beside
/// the Jacobian and JᵀJ, so λ is searched: upwards until the loss falls by a share of what the linear model promises
/// (Nocedal & Wright 2006, section 10.3), else downwards as long as it falls further.
fn levenberg_marquardt(system: &mut System, x: &mut [f64], memory: &mut Memory) -> Result<Stepped> {
    let (n, threads) = (x.len(), system.threads());
    if memory.scalars.len() != 1 {
        memory.scalars = vec![1e-3];
    }
    let (r, j) = system.jacobian(x, 0)?;
    let before = linear::dot(&r, &r);
    if !before.is_finite() {
        return Ok(Stepped { loss: before, terms: vec![], end: None });
    }
    let g = linear::transposed_product(j, n, &r);
    let normal = Normal { matrix: linear::gram(j, n, threads), g, before, threads };
    let mut damping = memory.scalars[0];
    let mut best = normal.trial(system, x, damping)?;
    if best.is_some() {
        while damping > DAMPING[0] {
            match normal.trial(system, x, damping / 8.0)? {
                Some(lower) if best.as_ref().is_some_and(|b| lower.loss < b.loss) => (best, damping) = (Some(lower), damping / 8.0),
                _ => break,
            }
        }
    }
    while best.is_none() && damping < DAMPING[1] {
        damping *= 4.0;
        best = normal.trial(system, x, damping)?;
    }
    memory.scalars[0] = damping.clamp(DAMPING[0], DAMPING[1]);
    match best {
        Some(Trial { x: next, loss, terms }) => {
            x.copy_from_slice(&next);
            Ok(Stepped { loss, terms, end: None })
        }
        None => {
            let end = if normal.g.iter().all(|g| g.abs() < 1e-14) { Reason::Gradient } else { Reason::Stuck };
            Ok(Stepped { loss: before, terms: system.value(x)?.1, end: Some(end) })
        }
    }
}

/// The normal equations at one place.
struct Normal {
    matrix: Vec<f64>,
    g: Vec<f64>,
    before: f64,
    threads: usize,
}

/// A place with a lower loss.
struct Trial {
    x: Vec<f64>,
    loss: f64,
    terms: Vec<f64>,
}

impl Normal {
    /// Where the step of this damping leads, if the loss is enough lower there.
    fn trial(&self, system: &mut System, x: &[f64], damping: f64) -> Result<Option<Trial>> {
        let n = self.g.len();
        let lambda = damping * (0..n).map(|i| self.matrix[i * n + i]).sum::<f64>() / n as f64;
        let Some(factor) = linear::ridged(&self.matrix, n, lambda, self.threads) else { return Ok(None) };
        let mut d: Vec<f64> = self.g.iter().map(|g| -g).collect();
        linear::solve(&factor, n, &mut d);
        let next: Vec<f64> = x.iter().zip(&d).map(|(x, d)| x + d).collect();
        let (loss, terms) = system.value(&next)?;
        // The decrease of the model |r + Jd|²: −2gᵀd − dᵀJᵀJd = λ|d|² − gᵀd.
        let expected = lambda * linear::dot(&d, &d) - linear::dot(&self.g, &d);
        let enough = loss < self.before && self.before - loss > 1e-4 * expected;
        Ok(enough.then_some(Trial { x: next, loss, terms }))
    }
}

/// Damping of least squares, first and last, relative to the longest column.
const FLOOR: [f64; 2] = [1e-13, 1.0];

/// A Gauss–Newton step of the last layer and the fitted numbers, from the QR factorization of [J; μ·I]: unlike JᵀJ, this keeps
/// all digits of the nearly dependent columns that random features have. μ grows until the loss falls.
fn least_squares(system: &mut System, x: &mut [f64]) -> Result<Stepped> {
    let (last, fitted) = (system.last_layer(), system.fitted());
    let from = if fitted == 0 { last } else { 0 };
    let places: Vec<usize> = (0..fitted).chain(last..x.len()).collect();
    let (n, width) = (places.len(), x.len() - from);
    let (r, j) = system.jacobian(x, from)?;
    let (rows, before) = (r.len(), linear::dot(&r, &r));
    let columns: Vec<Vec<f64>> = places.iter().map(|p| (0..rows).map(|i| j[i * width + p - from]).collect()).collect();
    let longest = columns.iter().map(|c| linear::dot(c, c)).fold(0.0, f64::max).sqrt();
    let mut damping = FLOOR[0];
    while damping <= FLOOR[1] && before.is_finite() {
        let mut augmented = columns.clone();
        for (c, column) in augmented.iter_mut().enumerate() {
            column.resize(rows + n, 0.0);
            column[rows + c] = damping * longest;
        }
        let mut right: Vec<f64> = r.iter().map(|r| -r).collect();
        right.resize(rows + n, 0.0);
        let d = linear::least_squares(&mut augmented, right);
        let mut next = x.to_vec();
        places.iter().zip(&d).for_each(|(&p, d)| next[p] += d);
        let (loss, terms) = system.value(&next)?;
        if loss < before {
            x.copy_from_slice(&next);
            return Ok(Stepped { loss, terms, end: None });
        }
        damping *= 100.0;
    }
    Ok(Stepped { loss: before, terms: system.value(x)?.1, end: Some(Reason::Stuck) })
}

/// BFGS or self-scaled Broyden with a line search for the strong Wolfe conditions.
fn quasi_newton(method: Method, system: &mut System, x: &mut [f64], memory: &mut Memory, moved: bool) -> Result<Stepped> {
    let (n, threads) = (x.len(), system.threads());
    let fresh = memory.arrays.len() != 2;
    if fresh {
        let mut identity = vec![0.0; n * n];
        (0..n).for_each(|i| identity[i * n + i] = 1.0);
        memory.arrays = vec![vec![0.0; n], identity];
        memory.scalars = vec![0.0, 0.0];
    }
    let mut terms = vec![];
    if fresh || moved {
        (memory.scalars[0], terms) = system.gradient(x, &mut memory.arrays[0])?;
    }
    let (value, g) = (memory.scalars[0], memory.arrays[0].clone());
    if !value.is_finite() {
        return Ok(Stepped { loss: value, terms, end: None });
    }
    let mut failed = 0;
    let found = loop {
        let direction: Vec<f64> = linear::product(&memory.arrays[1], n, &g, threads).iter().map(|d| -d).collect();
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
        let h = &mut memory.arrays[1];
        h.fill(0.0);
        (0..n).for_each(|i| h[i * n + i] = 1.0);
        memory.scalars[1] = 0.0;
    };
    let Some((point, direction)) = found else {
        terms = system.value(x)?.1;
        let end = if g.iter().all(|g| g.abs() < 1e-14) { Reason::Gradient } else { Reason::Stuck };
        return Ok(Stepped { loss: value, terms, end: Some(end) });
    };
    let s: Vec<f64> = direction.iter().map(|d| d * point.step).collect();
    let y: Vec<f64> = point.gradient.iter().zip(&g).map(|(a, b)| a - b).collect();
    let h = &mut memory.arrays[1];
    if memory.scalars[1] == 0.0 {
        // The first guess of the Hessian has the size of the last curvature (Nocedal & Wright, equation 6.20).
        let scale = linear::dot(&y, &s) / linear::dot(&y, &y);
        if scale > 0.0 && scale.is_finite() {
            (0..n).for_each(|i| h[i * n + i] = scale);
        }
    }
    let slope = linear::dot(&s, &g);
    let scale = if memory.scalars[1] == 0.0 { None } else { Some(point.step) };
    update(method, h, &s, &y, slope, scale, threads);
    x.copy_from_slice(&point.x);
    memory.arrays[0].copy_from_slice(&point.gradient);
    (memory.scalars[0], memory.scalars[1]) = (point.value, memory.scalars[1] + 1.0);
    Ok(Stepped { loss: point.value, terms, end: None })
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
