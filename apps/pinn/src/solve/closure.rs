//! Equations and conditions that are written in Rust: closures over the graph, where a formula is not enough.

use super::trace::Scene;
use neurona::Tensor;
use std::fmt;
use std::sync::Arc;

/// What is to be zero, as a function of the unknowns and their derivatives.
///
/// ```
/// use pinn::solve::{Closure, File, Problem, Solver};
/// let file: File = toml::from_str(r#"
///     domain = { t = [0, 1] }
///     network.widths = [8]
///     sampling.points = 30
///     stages = [{ method = "levenberg_marquardt", steps = 30 }]
///     solution.u = "exp(-2*t)"
/// "#)?;
/// let decay = Closure::equation("decay", |at| at.d(&at.unknown("u"), "t") + at.unknown("u") * 2.0);
/// let start = Closure::condition("start", "t = 0", 1, |at| at.unknown("u") - 1.0);
/// let problem = Problem::with(&file, std::path::Path::new("."), vec![decay, start.weight(10.0)])?;
/// let mut solver = Solver::new(&problem, None)?;
/// while !solver.is_done() {
///     solver.advance()?;
/// }
/// assert!(solver.solved()?.relative_l2().unwrap() < 1e-3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Closure {
    pub(super) name: String,
    /// Where a condition holds; none for an equation.
    pub(super) on: Option<(String, usize)>,
    pub(super) weight: f64,
    residual: Arc<dyn Fn(&Scene) -> Tensor + Send + Sync>,
}

impl Closure {
    /// What is zero at all points inside: a column `[n, 1]` made of what the scene has. `name` is that of its loss.
    pub fn equation(name: &str, residual: impl Fn(&Scene) -> Tensor + Send + Sync + 'static) -> Closure {
        Closure { name: name.into(), on: None, weight: 1.0, residual: Arc::new(residual) }
    }

    /// What is zero at so many points of a place, which is written as in files: `"t = 0"`, `"x"`, a shape.
    pub fn condition(name: &str, on: &str, points: usize, residual: impl Fn(&Scene) -> Tensor + Send + Sync + 'static) -> Closure {
        Closure { on: Some((on.into(), points)), ..Closure::equation(name, residual) }
    }

    /// The same with a factor of its loss (1).
    pub fn weight(self, weight: f64) -> Closure {
        Closure { weight, ..self }
    }

    /// The residual at the points of a scene; of another shape than a column, an error of the trace.
    pub(super) fn residual(&self, scene: &Scene) -> Tensor {
        let r = (self.residual)(scene);
        let column = scene.columns[0].shape();
        if r.is_poisoned() || r.shape() == column {
            return r;
        }
        r.tracer().error("residual", &[&r], format!("`{}` gives {:?}, not a column {column:?}", self.name, r.shape()))
    }
}

impl fmt::Debug for Closure {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.debug_struct("Closure").field("name", &self.name).field("on", &self.on).field("weight", &self.weight).finish_non_exhaustive()
    }
}

/// The same closure, not one that computes the same.
impl PartialEq for Closure {
    fn eq(&self, other: &Closure) -> bool {
        let same = (&self.name, &self.on, self.weight) == (&other.name, &other.on, other.weight);
        same && Arc::ptr_eq(&self.residual, &other.residual)
    }
}
