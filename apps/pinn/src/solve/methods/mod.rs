//! The optimizers, one step at a time, so that a run can be saved between any two steps.

mod gauss_newton;
mod quasi_newton;

use super::system::System;
use super::{Method, Stage};
use crate::Result;

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
    /// Numbers: λ; loss and number of updates.
    pub scalars: Vec<f64>,
    /// Vectors and matrices: moments; gradient, then inverse Hessian or past steps.
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
        Method::LevenbergMarquardt => gauss_newton::levenberg_marquardt(system, x, memory),
        Method::LeastSquares => gauss_newton::least_squares(system, x),
        Method::Bfgs | Method::Ssbroyden | Method::Lbfgs => quasi_newton::step(stage.method, system, x, memory, moved),
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
