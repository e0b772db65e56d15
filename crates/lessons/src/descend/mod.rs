//! Gradient descent on a formula of one or two variables, step by step: where each optimizer goes, what it remembers, and
//! how it ends — at a minimum, at a saddle, or nowhere, with the reason.
//!
//! The optimizers are those that train networks ([`neurona::Optimizer`]): their update is traced once per descent, in double
//! precision, together with the formula and its gradient.
//!
//! ```
//! use lessons::Expression;
//! use lessons::descend::{End, Settings, descend};
//! use neurona::Optimizer;
//! let f = Expression::parse("x^2")?;
//! let path = descend(&f, &Settings { optimizer: Optimizer::Sgd, learning_rate: 0.25, steps: 3, start: vec![4.0] })?;
//! let xs: Vec<f64> = path.steps.iter().map(|s| s.at[0]).collect();
//! assert_eq!(xs, [4.0, 2.0, 1.0, 0.5]); // x ← x − 0.25·2x
//! assert_eq!(path.end, End::Steps);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod ending;
mod motion;
mod surface;

pub use ending::{Curvature, Divergence, End, Stationary};
pub use surface::{Level, Surface, View, view};

use crate::{Error, Expression, partials};
use motion::Motion;
use neurona::Optimizer;
use serde::Serialize;

/// Most steps of a descent.
pub const MAX_STEPS: usize = 10_000;

/// The optimizers' names, as in files of trainings.
pub const OPTIMIZERS: [&str; 6] = ["sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw"];

/// The optimizer of this name, with its usual constants and this momentum.
pub fn optimizer(name: &str, momentum: f64) -> Option<Optimizer> {
    Some(match name {
        "sgd" => Optimizer::Sgd,
        "momentum" => Optimizer::Momentum { momentum },
        "nesterov" => Optimizer::Nesterov { momentum },
        "rmsprop" => Optimizer::RmsProp { rho: 0.99, epsilon: 1e-8 },
        "adam" => Optimizer::adam(),
        "adamw" => Optimizer::AdamW { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 0.01 },
        _ => return None,
    })
}

/// How to descend.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// The rule of a step.
    pub optimizer: Optimizer,
    /// Size of a step.
    pub learning_rate: f64,
    /// Most steps, at most [`MAX_STEPS`].
    pub steps: usize,
    /// Where to start: one value per variable, in order of appearance.
    pub start: Vec<f64>,
}

/// A descent: every point that was reached, and how it ended.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Descent {
    /// The rule of a step.
    pub optimizer: Optimizer,
    /// Size of a step.
    pub learning_rate: f64,
    /// The points, the start first.
    pub steps: Vec<Step>,
    /// How it ended.
    pub end: End,
    /// The curvature at the start, and what it allows.
    pub curvature: Option<Curvature>,
}

/// A point of a descent, and the step that leaves it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Step {
    /// Steps taken before.
    pub step: usize,
    /// The point: one value per variable.
    pub at: Vec<f64>,
    /// The formula's value there.
    pub value: f64,
    /// Its gradient there.
    pub gradient: Vec<f64>,
    /// What the optimizer remembers after it has seen this gradient, by the names of the literature: `v`, `s`, `m`, and for
    /// Adam the corrected `m̂`, `v̂`. Empty at the last point.
    pub memory: Vec<Memory>,
    /// The step taken from here; empty at the last point.
    pub change: Vec<f64>,
}

/// Something that an optimizer remembers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Memory {
    /// `v`, `s`, `m`, `m̂` or `v̂`.
    pub name: &'static str,
    /// One value per variable.
    pub values: Vec<f64>,
}

/// Descends from the start until the gradient vanishes, the steps run out, or the path leaves every bound.
///
/// # Errors
/// A formula of no or of more than two variables, another number of values than variables, a start, learning rate or number
/// of steps that cannot be used.
pub fn descend(f: &Expression, settings: &Settings) -> Result<Descent, Error> {
    let names = f.variables();
    if !(1..=2).contains(&names.len()) {
        return Err(Error::Dimensions { variables: names.to_vec() });
    }
    if names.len() != settings.start.len() {
        return Err(Error::Values { variables: names.to_vec(), given: settings.start.len() });
    }
    let wrong = |what: &'static str, value: f64| Err(Error::Setting { what, value: value.to_string() });
    if !(settings.learning_rate > 0.0 && settings.learning_rate.is_finite()) {
        return wrong("learning rate", settings.learning_rate);
    }
    if settings.steps == 0 || settings.steps > MAX_STEPS {
        return wrong("steps", settings.steps as f64);
    }
    if let Some(&x) = settings.start.iter().find(|x| !x.is_finite()) {
        return wrong("start", x);
    }
    let mut motion = Motion::new(f, settings)?;
    let mut steps: Vec<Step> = vec![];
    let end = loop {
        let (mut here, next) = motion.look(steps.len())?;
        let end = ending::check(f, settings, &steps, &here).or((here.step == settings.steps).then_some(End::Steps));
        if let Some(end) = end {
            (here.memory, here.change) = (vec![], vec![]);
            steps.push(here);
            break end;
        }
        motion.go(next);
        steps.push(here);
    };
    let curvature = Curvature::at(f, &settings.start, settings);
    Ok(Descent { optimizer: settings.optimizer, learning_rate: settings.learning_rate, steps, end, curvature })
}

/// Eigenvalues of the second derivatives at a point, the smallest first; `None` where they are not finite.
fn eigenvalues(f: &Expression, at: &[f64]) -> Option<Vec<f64>> {
    let list = partials::up_to(f, at, 2).ok()?;
    let second: Vec<f64> = list.iter().filter(|p| p.order == 2).map(|p| p.value).collect();
    let values = match second[..] {
        [a] => vec![a],
        [a, b, d] => {
            let (mean, half) = ((a + d) / 2.0, ((a - d) / 2.0).hypot(b));
            vec![mean - half, mean + half]
        }
        _ => return None,
    };
    values.iter().all(|v| v.is_finite()).then_some(values)
}
