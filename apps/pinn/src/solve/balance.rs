//! Factors that weigh the losses against each other while a network learns: none may drown the others.

use super::system::System;
use super::{Balancing, linear};
use crate::Result;

/// The share of the old factors that is kept when new ones are found, as in the papers.
const KEPT: f64 = 0.9;
/// Factors stay within 1/MOST and MOST: a loss whose gradient vanishes would get any other.
const MOST: f64 = 1e6;

impl System {
    /// Moves the factors of the losses, besides the weights of the file, towards what makes the measure of all equal, its mean
    /// over the losses divided by its own. The first ones (`factors` is empty) are taken as they are.
    pub fn balance(&mut self, x: &[f64], method: Balancing, factors: &mut Vec<f64>) -> Result<()> {
        let plain = self.problem.weights();
        let sizes = match method {
            Balancing::Fixed => return Ok(()),
            Balancing::GradientNorm => self.gradient_norms(x, &plain)?,
            Balancing::Ntk => {
                self.set_weights(plain.clone());
                self.kernel_means(x)?
            }
        };
        let mean = sizes.iter().sum::<f64>() / sizes.len() as f64;
        let target = sizes.iter().map(|size| (mean / size).clamp(1.0 / MOST, MOST));
        if factors.is_empty() {
            *factors = target.collect();
        } else {
            factors.iter_mut().zip(target).for_each(|(f, t)| *f = KEPT * *f + (1.0 - KEPT) * t);
        }
        self.weigh(factors);
        Ok(())
    }

    /// Weighs the losses by these factors, if there are any, besides the weights of the file.
    pub fn weigh(&mut self, factors: &[f64]) {
        if !factors.is_empty() {
            self.set_weights(self.problem.weights().iter().zip(factors).map(|(w, f)| w * f).collect());
        }
    }

    /// The norm of the gradient of each weighted loss.
    fn gradient_norms(&mut self, x: &[f64], plain: &[f64]) -> Result<Vec<f64>> {
        let mut g = vec![0.0; x.len()];
        let mut norm = |k: usize| {
            self.set_weights((0..plain.len()).map(|i| if i == k { plain[k] } else { 0.0 }).collect());
            self.gradient(x, &mut g)?;
            Ok(linear::dot(&g, &g).sqrt())
        };
        (0..plain.len()).map(&mut norm).collect()
    }

    /// The mean square, over its points, of the gradients of each weighted loss's residuals.
    fn kernel_means(&mut self, x: &[f64]) -> Result<Vec<f64>> {
        let mut means = vec![0.0; self.weights.len()];
        let (n, mut row) = (x.len(), 0);
        self.jacobian(x, 0)?;
        let matrix = self.last_jacobian();
        for &(s, term) in &self.arrays {
            let rows = self.problem.sets[s].points * n;
            means[term] += linear::dot(&matrix[row..row + rows], &matrix[row..row + rows]);
            row += rows;
        }
        Ok(means)
    }
}
