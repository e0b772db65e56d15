//! How surely data determine the fitted numbers: to first order in the noise of the data.
//!
//! With J the Jacobian of all scaled residuals and D its rows of one set of data, noise e in these data moves the minimum of the
//! loss by H⁻¹Dᵀe, H = JᵀJ. Where the residuals of the data have the variance σ², that of a fitted number is
//! σ²·|D·H⁻¹·eₖ|². Equations and conditions are without noise: they only narrow what the data leave open. The variance comes
//! from the residuals themselves, divided by their number less the trace of D·H⁻¹·Dᵀ, the degrees of freedom that they used.

use super::linear::{dot, gram, product, ridged, solve};
use super::system::System;
use crate::Result;

/// A ridge of this share of the mean diagonal, then a hundred times as much, makes H definite: many sums of weights do nothing.
const RIDGE: f64 = 1e-13;

/// Standard deviations of the numbers at these places among the weights; none without data.
pub(super) fn deviations(system: &mut System, x: &[f64], places: &[usize]) -> Result<Option<Vec<f64>>> {
    let (n, threads, spans) = (x.len(), system.threads(), system.data_rows());
    if spans.is_empty() || places.is_empty() {
        return Ok(None);
    }
    let (r, j) = system.jacobian(x, 0)?;
    let normal = gram(j, n, threads);
    let mean = (0..n).map(|i| normal[i * n + i]).sum::<f64>() / n as f64;
    let mut ridge = RIDGE * mean;
    let factor = loop {
        if let Some(factor) = ridged(&normal, n, ridge, threads) {
            break factor;
        }
        ridge *= 100.0;
        if !(ridge > 0.0 && ridge < mean) {
            return Ok(None);
        }
    };
    let mut variance = vec![0.0; places.len()];
    for (from, to) in spans {
        let rows = &j[from * n..to * n];
        let used: f64 = rows.chunks_exact(n).map(|row| dot(row, &solved(&factor, row))).sum();
        let noise = dot(&r[from..to], &r[from..to]) / ((to - from) as f64 - used).max(1.0);
        for (v, &k) in variance.iter_mut().zip(places) {
            let mut unit = vec![0.0; n];
            unit[k] = 1.0;
            let moved = product(rows, n, &solved(&factor, &unit), threads);
            *v += noise * dot(&moved, &moved);
        }
    }
    Ok(Some(variance.iter().map(|v| v.sqrt()).collect()))
}

fn solved(factor: &[f64], right: &[f64]) -> Vec<f64> {
    let mut x = right.to_vec();
    solve(factor, right.len(), &mut x);
    x
}
