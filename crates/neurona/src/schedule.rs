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
    /// Up by half a cosine, then down by another (Smith & Topin 2018): the base rate is the highest.
    OneCycle {
        /// Share of the epochs in which it rises.
        #[serde(default = "rise")]
        rise: f64,
        /// Share of the base rate at the start.
        #[serde(default = "start")]
        start: f64,
        /// Share of the base rate at the end.
        #[serde(default = "end")]
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

fn rise() -> f64 {
    0.3
}
fn start() -> f64 {
    0.04
}
fn end() -> f64 {
    4e-6
}

name_or_table!(Schedule, "the name of a schedule, such as \"cosine\", or a table such as { step = { every = 10, factor = 0.1 } }", {
    "exponential" => Schedule::Exponential { decay: 0.95 },
    "cosine" => Schedule::Cosine { end: 0.0 },
    "one_cycle" => Schedule::OneCycle { rise: rise(), start: start(), end: end() },
    "step" => Schedule::Step { every: 10, factor: 0.1 },
});

impl Schedule {
    /// The rate at the time `epoch` (2.5: in the middle of the third) of training for `epochs`.
    pub fn rate(&self, base: f64, epoch: f64, epochs: f64) -> f64 {
        match *self {
            Schedule::Constant => base,
            Schedule::Exponential { decay } => base * decay.powf(epoch),
            Schedule::Cosine { end } => base * between(1.0, end, epoch / epochs),
            Schedule::OneCycle { rise, start, end } => {
                let time = epoch / epochs;
                base * if time < rise { between(start, 1.0, time / rise) } else { between(1.0, end, (time - rise) / (1.0 - rise)) }
            }
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
            Schedule::OneCycle { rise, .. } if !(0.0..1.0).contains(&rise) => {
                wrong("one_cycle.rise", format!("{rise} is not a share of the epochs"), "use a number from 0 up to, but not including, 1")
            }
            Schedule::OneCycle { start, end, .. } if !(start > 0.0 && start <= 1.0 && (0.0..=1.0).contains(&end)) => {
                wrong("one_cycle", format!("start {start} and end {end} are not shares of the rate"), "use for example 0.04 and 4e-6")
            }
            Schedule::Step { every: 0, .. } => wrong("step.every", "is 0".into(), "use a number of epochs from 1"),
            Schedule::Step { factor, .. } if !positive(factor) => {
                wrong("step.factor", format!("{factor} is not a positive number"), "use for example 0.1")
            }
            _ => Ok(()),
        }
    }
}

/// Half a cosine from `from` at time 0 to `to` at time 1.
fn between(from: f64, to: f64, time: f64) -> f64 {
    to + (from - to) * 0.5 * (1.0 + (std::f64::consts::PI * time.clamp(0.0, 1.0)).cos())
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
    fn one_cycle_rises_and_falls() {
        let cycle = Schedule::OneCycle { rise: 0.25, start: 0.1, end: 0.01 };
        let at = |epoch| cycle.rate(2.0, epoch, 8.0);
        for (epoch, want) in [(0.0, 0.2), (1.0, 1.1), (2.0, 2.0), (5.0, 1.01), (8.0, 0.02), (9.0, 0.02)] {
            assert!((at(epoch) - want).abs() < 1e-12, "{epoch}: {}", at(epoch));
        }
        assert!((Schedule::OneCycle { rise: 0.0, start: 0.1, end: 0.0 }.rate(2.0, 0.0, 8.0) - 2.0).abs() < 1e-12);
        let short: Schedule = serde_json::from_str("{\"one_cycle\": {\"rise\": 0.5}}").unwrap();
        assert_eq!(short, Schedule::OneCycle { rise: 0.5, start: 0.04, end: 4e-6 });
        assert_eq!(serde_json::from_str::<Schedule>("\"one_cycle\"").unwrap(), Schedule::OneCycle { rise: 0.3, start: 0.04, end: 4e-6 });
    }

    #[test]
    fn parameters_are_checked() {
        assert!(Schedule::OneCycle { rise: 1.0, start: 0.1, end: 0.1 }.check().is_err());
        assert!(Schedule::OneCycle { rise: 0.5, start: 0.0, end: 0.1 }.check().is_err());
        assert!(Schedule::Exponential { decay: 0.0 }.check().is_err());
        assert!(Schedule::Exponential { decay: f64::NAN }.check().is_err());
        assert!(Schedule::Cosine { end: 2.0 }.check().is_err());
        assert!(Schedule::Step { every: 0, factor: 0.1 }.check().is_err());
        assert!(Schedule::Step { every: 1, factor: -0.1 }.check().is_err());
        assert!(Schedule::Cosine { end: 0.0 }.check().is_ok());
    }
}
