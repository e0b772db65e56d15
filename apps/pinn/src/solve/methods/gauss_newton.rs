//! Methods that know the residuals one by one: Levenberg–Marquardt, and least squares of the last layer.

use super::{Memory, Reason, Stepped};
use crate::Result;
use crate::solve::linear;
use crate::solve::system::System;

/// Damping below which only rounding is damped, and above which steps are too short to matter.
const DAMPING: [f64; 2] = [1e-18, 1e8];

/// Length of the difference that gives the second derivative along a step, and the largest 2|a|/|d| that is trusted, both as
/// Transtrum and Sethna advise.
const BEND_STEP: f64 = 0.1;
const BEND_MOST: f64 = 0.75;

/// Levenberg–Marquardt: (JᵀJ + λ·I) d = −Jᵀr, λ relative to the mean of the diagonal. A factorization costs little beside
/// the Jacobian and JᵀJ, so λ is searched: upwards until the loss falls by a share of what the linear model promises
/// (Nocedal & Wright 2006, section 10.3), else downwards as long as it falls further. Steps are bent along the valley.
pub fn levenberg_marquardt(system: &mut System, x: &mut [f64], memory: &mut Memory) -> Result<Stepped> {
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
    let normal = Normal { matrix: linear::gram(j, n, threads), r, g, before, threads };
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
    r: Vec<f64>,
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
        let bend = self.bend(system, x, &factor, &d)?;
        let next: Vec<f64> = x.iter().zip(d.iter().zip(&bend)).map(|(x, (d, b))| x + d + b).collect();
        let (loss, terms) = system.value(&next)?;
        // The decrease of the model |r + Jd|²: −2gᵀd − dᵀJᵀJd = λ|d|² − gᵀd.
        let expected = lambda * linear::dot(&d, &d) - linear::dot(&self.g, &d);
        let enough = loss < self.before && self.before - loss > 1e-4 * expected;
        Ok(enough.then_some(Trial { x: next, loss, terms }))
    }
    /// Half the geodesic acceleration along `d` (Transtrum & Sethna 2012, arXiv:1201.5885): what must be added so that the
    /// residuals, to second order, change as the linear model says: (JᵀJ + λI) a = −Jᵀr″, r″ being the second derivative
    /// along `d`. Costs one evaluation and no factorization; in narrow curved valleys it makes steps many times as long.
    /// Zero where it is not small beside `d`: there the expansion says nothing.
    fn bend(&self, system: &mut System, x: &[f64], factor: &[f64], d: &[f64]) -> Result<Vec<f64>> {
        let n = d.len();
        let near: Vec<f64> = x.iter().zip(d).map(|(x, d)| x + BEND_STEP * d).collect();
        let moved = system.residuals(&near)?;
        let j = system.last_jacobian();
        let slope = linear::product(j, n, d, self.threads);
        let second = |((m, r), s): ((&f64, &f64), &f64)| 2.0 / BEND_STEP * ((m - r) / BEND_STEP - s);
        let second: Vec<f64> = moved.iter().zip(&self.r).zip(&slope).map(second).collect();
        let mut a = linear::transposed_product(j, n, &second);
        linear::solve(factor, n, &mut a);
        let size = |v: &[f64]| linear::dot(v, v).sqrt();
        let small = 2.0 * size(&a) < BEND_MOST * size(d);
        Ok(a.iter().map(|a| if small { -0.5 * a } else { 0.0 }).collect())
    }
}

/// Damping of least squares, first and last, relative to the longest column.
const FLOOR: [f64; 2] = [1e-13, 1.0];

/// A Gauss–Newton step of the last layer and the fitted numbers, from the QR factorization of [J; μ·I]: unlike JᵀJ, this keeps
/// all digits of the nearly dependent columns that random features have. μ grows until the loss falls.
pub fn least_squares(system: &mut System, x: &mut [f64]) -> Result<Stepped> {
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
