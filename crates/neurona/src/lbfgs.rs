//! L-BFGS: minimisation of smooth functions of all data at once, to the last digits.
//!
//! The two-loop recursion over the last steps (Nocedal & Wright 2006, algorithm 7.4) with a line search
//! for the strong Wolfe conditions (algorithms 3.5 and 3.6), in double precision. The function is any
//! closure; [`Gradient`] makes one of a traced loss.
//!
//! ```
//! use neurona::lbfgs::Lbfgs;
//! let mut x = vec![-1.2, 1.0];
//! let rosenbrock = |x: &[f64], g: &mut [f64]| {
//!     let (a, b) = (1.0 - x[0], x[1] - x[0] * x[0]);
//!     (g[0], g[1]) = (-2.0 * a - 400.0 * x[0] * b, 200.0 * b);
//!     Ok(a * a + 100.0 * b * b)
//! };
//! let found = Lbfgs::default().minimise(&mut x, rosenbrock)?;
//! assert!(found.value < 1e-18, "{found}");
//! # Ok::<(), neurona::Error>(())
//! ```

mod gradient;
mod search;
mod values;

pub use gradient::{Gradient, flatten, unflatten};
pub use search::{Point, Search};
pub use values::Values;

use crate::{Error, Result};
use search::dot;
use std::collections::VecDeque;
use std::fmt;
use std::ops::ControlFlow;

/// How to minimise.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lbfgs {
    /// Steps that are remembered.
    pub history: usize,
    /// Most steps.
    pub iterations: usize,
    /// Done when no component of the gradient is larger.
    pub gradient: f64,
    /// Done when the value changes by no more than this share of itself.
    pub change: f64,
}

impl Default for Lbfgs {
    /// 10 remembered steps, at most 1000, until the gradient is below 10⁻¹⁰ or the value stands still.
    fn default() -> Lbfgs {
        Lbfgs { history: 10, iterations: 1000, gradient: 1e-10, change: 0.0 }
    }
}

/// Why a minimisation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The gradient is small enough.
    Gradient,
    /// The value no longer changes.
    Change,
    /// As many steps as allowed were taken.
    Iterations,
    /// No step along the steepest descent makes the value smaller: the last digits are reached, or the
    /// gradient is wrong.
    Stuck,
    /// The caller stopped it.
    Stopped,
}

/// Where a minimisation is, or ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Minimum {
    /// The value.
    pub value: f64,
    /// Largest component of the gradient, without sign.
    pub gradient: f64,
    /// Steps taken.
    pub iterations: usize,
    /// Evaluations of the function.
    pub evaluations: usize,
    /// Why it ended (while it goes on: that it was stopped).
    pub end: End,
}

impl fmt::Display for Minimum {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let why = match self.end {
            End::Gradient => "the gradient is small enough",
            End::Change => "the value no longer changes",
            End::Iterations => "as many steps as allowed were taken",
            End::Stuck => "no step makes the value smaller",
            End::Stopped => "stopped",
        };
        let (n, e) = (self.iterations, self.evaluations);
        write!(f, "{:.3e} with gradient {:.1e} after {n} steps and {e} evaluations: {why}", self.value, self.gradient)
    }
}

/// The last steps s and changes y of the gradient, with 1/(y·s): what L-BFGS knows of the inverse Hessian.
#[derive(Clone, Debug)]
pub struct History {
    steps: VecDeque<(Vec<f64>, Vec<f64>, f64)>,
    most: usize,
}

impl History {
    /// Nothing yet; at most `most` steps, at least one.
    pub fn new(most: usize) -> History {
        History { steps: VecDeque::new(), most: most.max(1) }
    }

    /// Takes the step in, if the curvature along it is safely positive, and forgets the oldest one too many.
    pub fn push(&mut self, s: Vec<f64>, y: Vec<f64>) {
        let curvature = dot(&y, &s);
        if curvature > f64::EPSILON * dot(&y, &y).sqrt() * dot(&s, &s).sqrt() {
            if self.steps.len() >= self.most {
                self.steps.pop_front();
            }
            self.steps.push_back((s, y, 1.0 / curvature));
        }
    }

    /// Steps and changes of the gradient, oldest first.
    pub fn pairs(&self) -> impl Iterator<Item = (&[f64], &[f64])> {
        self.steps.iter().map(|(s, y, _)| (&s[..], &y[..]))
    }

    /// Whether nothing is known: the direction is then the steepest descent.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.steps.clear();
    }

    /// Minus the inverse Hessian, as far as it is known, times the gradient.
    pub fn direction(&self, gradient: &[f64]) -> Vec<f64> {
        let mut d: Vec<f64> = gradient.iter().map(|g| -g).collect();
        let mut shares = vec![];
        for (s, y, rho) in self.steps.iter().rev() {
            let share = rho * dot(s, &d);
            add(&mut d, -share, y);
            shares.push(share);
        }
        if let Some((_, y, rho)) = self.steps.back() {
            let scale = 1.0 / (rho * dot(y, y));
            d.iter_mut().for_each(|d| *d *= scale);
        }
        for ((s, y, rho), share) in self.steps.iter().zip(shares.into_iter().rev()) {
            let correction = share - rho * dot(y, &d);
            add(&mut d, correction, s);
        }
        d
    }
}

/// x ← x + a·y
fn add(x: &mut [f64], a: f64, y: &[f64]) {
    x.iter_mut().zip(y).for_each(|(x, y)| *x += a * y);
}

fn largest(v: &[f64]) -> f64 {
    v.iter().fold(0.0, |m, x| if x.abs() > m || x.is_nan() { x.abs() } else { m })
}

impl Lbfgs {
    /// Minimises `f`, which returns its value at the first slice and writes its gradient into the second,
    /// from `x`, which becomes the best place found.
    ///
    /// # Errors
    /// Errors of `f`; a start at which value or gradient is no finite number.
    pub fn minimise(&self, x: &mut [f64], f: impl FnMut(&[f64], &mut [f64]) -> Result<f64>) -> Result<Minimum> {
        self.minimise_watched(x, f, |_, _| ControlFlow::Continue(()))
    }

    /// As [`Lbfgs::minimise`], telling `watch` of each step, which may stop it.
    ///
    /// # Errors
    /// As [`Lbfgs::minimise`].
    pub fn minimise_watched(
        &self,
        x: &mut [f64],
        mut f: impl FnMut(&[f64], &mut [f64]) -> Result<f64>,
        mut watch: impl FnMut(&Minimum, &[f64]) -> ControlFlow<()>,
    ) -> Result<Minimum> {
        let mut g = vec![0.0; x.len()];
        let value = f(x, &mut g)?;
        let mut now = Minimum { value, gradient: largest(&g), iterations: 0, evaluations: 1, end: End::Stopped };
        if !value.is_finite() || !now.gradient.is_finite() {
            let why = format!("value {value}, gradient {} at the start", now.gradient);
            return Err(Error::config("lbfgs", why, "start elsewhere, or scale the data"));
        }
        let mut history = History::new(self.history);
        while now.gradient > self.gradient {
            if now.iterations == self.iterations {
                return Ok(Minimum { end: End::Iterations, ..now });
            }
            let mut search = Search::new(&mut f, x, &g, now.value);
            let first = if history.is_empty() { (1.0 / g.iter().map(|g| g.abs()).sum::<f64>()).min(1.0) } else { 1.0 };
            let found = search.along(history.direction(&g), first)?;
            now.evaluations += search.evaluations;
            let Some(point) = found else {
                // What is remembered may mislead; the steepest descent does not.
                if history.is_empty() {
                    return Ok(Minimum { end: End::Stuck, ..now });
                }
                history.clear();
                continue;
            };
            let before = now.value;
            let s: Vec<f64> = point.x.iter().zip(&*x).map(|(a, b)| a - b).collect();
            let y: Vec<f64> = point.gradient.iter().zip(&g).map(|(a, b)| a - b).collect();
            history.push(s, y);
            x.copy_from_slice(&point.x);
            g.copy_from_slice(&point.gradient);
            (now.value, now.gradient, now.iterations) = (point.value, largest(&g), now.iterations + 1);
            if watch(&now, x).is_break() {
                return Ok(now);
            }
            if (before - now.value).abs() <= self.change * before.abs() && now.gradient > self.gradient {
                return Ok(Minimum { end: End::Change, ..now });
            }
        }
        Ok(Minimum { end: End::Gradient, ..now })
    }
}
