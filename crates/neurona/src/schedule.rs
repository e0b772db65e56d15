//! How the learning rate changes during training.

use crate::names::name_or_table;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// The learning rate as a function of training time, counted in epochs.
///
/// ```
/// use neurona::Schedule;
/// let cosine = Schedule::Cosine { end: 0.0 };
/// assert_eq!(cosine.rate(0.1, 0.0, 10.0), 0.1);
/// assert!((cosine.rate(0.1, 5.0, 10.0) - 0.05).abs() < 1e-15);
/// assert_eq!(Schedule::Step { every: 3, factor: 0.5 }.rate(0.1, 6.2, 10.0), 0.025);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self", rename_all = "snake_case", deny_unknown_fields)]
pub enum Schedule {
    /// Always the base rate.
    #[default]
    Constant,
    /// Falls by the factor `decay` in each epoch, a little at each step.
    Exponential {
        /// Factor per epoch.
        decay: f64,
    },
    /// Half a cosine from the base rate to the share `end` of it at the last epoch (Loshchilov & Hutter 2017).
    Cosine {
        /// Share of the base rate at the end.
        #[serde(default)]
        end: f64,
    },
    /// Multiplied by `factor` once every few epochs.
    Step {
        /// Epochs between changes.
        every: usize,
        /// Factor of a change.
        factor: f64,
    },
}

name_or_table!(Schedule, "the name of a schedule, such as \"cosine\", or a table such as { step = { every = 10, factor = 0.1 } }", {
    "exponential" => Schedule::Exponential { decay: 0.95 },
    "cosine" => Schedule::Cosine { end: 0.0 },
    "step" => Schedule::Step { every: 10, factor: 0.1 },
});

impl Schedule {
    /// The rate at the time `epoch` (2.5: in the middle of the third) of training for `epochs`.
    pub fn rate(&self, base: f64, epoch: f64, epochs: f64) -> f64 {
        match *self {
            Schedule::Constant => base,
            Schedule::Exponential { decay } => base * decay.powf(epoch),
            Schedule::Cosine { end } => base * (end + (1.0 - end) * 0.5 * (1.0 + (std::f64::consts::PI * (epoch / epochs).min(1.0)).cos())),
            Schedule::Step { every, factor } => base * factor.powf((epoch / every.max(1) as f64).floor()),
        }
    }

    /// Checks the parameters.
    ///
    /// # Errors
    /// Parameters for which the rate would not stay a positive number.
    pub fn check(&self) -> Result<()> {
        let wrong = |name: &str, why: String, fix: &str| Err(Error::config(format!("schedule.{name}"), why, fix));
        let positive = |x: f64| x > 0.0 && x.is_finite();
        match *self {
            Schedule::Exponential { decay } if !positive(decay) => {
                wrong("exponential.decay", format!("{decay} is not a positive number"), "use for example 0.95")
            }
            Schedule::Cosine { end } if !(0.0..=1.0).contains(&end) => {
                wrong("cosine.end", format!("{end} is not a share of the rate"), "use a number from 0 to 1")
            }
            Schedule::Step { every: 0, .. } => wrong("step.every", "is 0".into(), "use a number of epochs from 1"),
            Schedule::Step { factor, .. } if !positive(factor) => {
                wrong("step.factor", format!("{factor} is not a positive number"), "use for example 0.1")
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates() {
        assert_eq!(Schedule::Constant.rate(0.3, 7.0, 9.0), 0.3);
        assert!((Schedule::Exponential { decay: 0.5 }.rate(1.0, 2.5, 9.0) - 0.5f64.powf(2.5)).abs() < 1e-15);
        assert!((Schedule::Cosine { end: 0.1 }.rate(2.0, 9.0, 9.0) - 0.2).abs() < 1e-15);
        assert_eq!(Schedule::Step { every: 2, factor: 0.1 }.rate(1.0, 1.999, 9.0), 1.0);
    }

    #[test]
    fn parameters_are_checked() {
        assert!(Schedule::Exponential { decay: 0.0 }.check().is_err());
        assert!(Schedule::Exponential { decay: f64::NAN }.check().is_err());
        assert!(Schedule::Cosine { end: 2.0 }.check().is_err());
        assert!(Schedule::Step { every: 0, factor: 0.1 }.check().is_err());
        assert!(Schedule::Step { every: 1, factor: -0.1 }.check().is_err());
        assert!(Schedule::Cosine { end: 0.0 }.check().is_ok());
    }
}
