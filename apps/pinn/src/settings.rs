//! Everything that decides a run, with two presets.

use crate::{Activation, Allowed, Error, Network, Points, Result, Sampling, Transport};
use neurona::{Init, Optimizer};
use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// A set of tried settings.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Preset {
    /// The problem as set: 500 + 500 + 10,000 points, 8 layers of 20 tanh units, 6,000 steps of plain
    /// Adam, its learning rate falling from 3e-3 to 1e-5 along a cosine. Made for a relative L2 error of at most 1e-2.
    #[default]
    Deck,
    /// More steps on fewer points, which a smooth solution allows: 300 + 64 + 64 in a Latin hypercube,
    /// 3 layers of 32 tanh units, 50,000 steps of Adam from 5e-3 to 1e-6. Made for at most 1e-3.
    Accurate,
}

impl FromStr for Preset {
    type Err = Error;

    fn from_str(name: &str) -> Result<Preset> {
        match name {
            "deck" => Ok(Preset::Deck),
            "accurate" => Ok(Preset::Accurate),
            other => Err(Error::Preset(other.into())),
        }
    }
}

/// Everything that decides a run.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Decides points and initial weights.
    pub seed: u32,
    /// Training steps.
    pub steps: u64,
    /// Worker threads, 0 for all processors; the result does not depend on it.
    pub threads: usize,
    /// The equation.
    pub problem: Transport,
    /// The network.
    pub network: Network,
    /// The random points.
    pub points: Points,
    /// Factors of the losses in their sum.
    pub weights: Weights,
    /// How weights move along gradients.
    pub optimizer: Optimizer,
    /// How far.
    pub learning_rate: LearningRate,
    /// When and where the error is measured.
    pub report: Report,
}

/// Factors of the three losses in what is minimised; 1 each in the plain sum.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Weights {
    /// Of the equation.
    pub pde: f64,
    /// Of periodicity.
    pub boundary: f64,
    /// Of the start.
    pub initial: f64,
}

/// The learning rate over the steps.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LearningRate {
    /// At the first step.
    pub initial: f64,
    /// Where it ends (unused if constant).
    pub last: f64,
    /// How it gets there.
    pub decay: Decay,
}

/// Course of the learning rate.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decay {
    /// Not at all.
    Constant,
    /// Along half a cosine wave (Loshchilov & Hutter 2017, without restarts).
    Cosine,
    /// By the same factor each step.
    Exponential,
}

impl LearningRate {
    /// The rate of step `step` (from 0) of `steps`.
    ///
    /// ```
    /// use pinn::{Decay, LearningRate};
    /// let rate = LearningRate { initial: 1e-2, last: 1e-4, decay: Decay::Exponential };
    /// assert!((rate.at(500, 1000) - 1e-3).abs() < 1e-15);
    /// ```
    pub fn at(&self, step: u64, steps: u64) -> f64 {
        let done = (step as f64 / steps.max(1) as f64).min(1.0);
        match self.decay {
            Decay::Constant => self.initial,
            Decay::Cosine => self.last + (self.initial - self.last) * 0.5 * (1.0 + (std::f64::consts::PI * done).cos()),
            Decay::Exponential => self.initial * (self.last / self.initial).powf(done),
        }
    }
}

/// When and where the error is measured.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// Steps between measurements.
    pub every: u64,
    /// Points along each axis of the grid.
    pub side: usize,
}

impl Preset {
    /// The preset's settings.
    pub fn settings(self) -> Settings {
        let deck = Settings {
            seed: 1,
            steps: 6_000,
            threads: 0,
            problem: Transport { speed: 1.0, length: 1.0 },
            network: Network { widths: vec![20; 8], activation: Activation::Tanh, init: Init::GlorotNormal },
            points: Points { interior: 10_000, boundary: 500, initial: 500, sampling: Sampling::Uniform },
            weights: Weights { pde: 1.0, boundary: 1.0, initial: 1.0 },
            optimizer: Optimizer::adam(),
            learning_rate: LearningRate { initial: 3e-3, last: 1e-5, decay: Decay::Cosine },
            report: Report { every: 50, side: 101 },
        };
        match self {
            Preset::Deck => deck,
            Preset::Accurate => Settings {
                steps: 50_000,
                network: Network { widths: vec![32; 3], ..deck.network },
                points: Points { interior: 300, boundary: 64, initial: 64, sampling: Sampling::LatinHypercube },
                learning_rate: LearningRate { initial: 5e-3, last: 1e-6, decay: Decay::Cosine },
                report: Report { every: 500, side: 101 },
                ..deck
            },
        }
    }
}

impl Settings {
    /// Settings from TOML: a preset (`preset = "deck"`, the default, or `"accurate"`) and whatever
    /// differs from it. Unknown names are errors.
    ///
    /// ```
    /// let s = pinn::Settings::from_toml("preset = 'accurate'\nseed = 7\nlearning_rate.initial = 4e-3")?;
    /// assert_eq!((s.seed, s.learning_rate.initial, s.network.widths.len()), (7, 4e-3, 3));
    /// assert!(pinn::Settings::from_toml("sede = 7").is_err());
    /// # Ok::<(), pinn::Error>(())
    /// ```
    ///
    /// # Errors
    /// Text that is not TOML, unknown names, values of the wrong type or outside their range.
    pub fn from_toml(text: &str) -> Result<Settings> {
        let mut changes: toml::Table = toml::from_str(text)?;
        let preset = match changes.remove("preset") {
            None => Preset::default(),
            Some(toml::Value::String(name)) => name.parse()?,
            Some(other) => return Err(Error::Preset(other.to_string())),
        };
        let settings = preset.settings().with(changes)?;
        settings.validate()?;
        Ok(settings)
    }

    /// These settings, and what `changes` says instead; ranges are not checked before
    /// [`Settings::validate`].
    ///
    /// ```
    /// let s = pinn::Preset::Deck.settings().with(toml::toml! { points.interior = 500 })?;
    /// assert_eq!((s.points.interior, s.points.boundary), (500, 500));
    /// # Ok::<(), pinn::Error>(())
    /// ```
    ///
    /// # Errors
    /// Unknown names, values of the wrong type.
    pub fn with(&self, changes: toml::Table) -> Result<Settings> {
        let mut table = toml::Table::try_from(self)?;
        merge(&mut table, changes);
        Ok(table.try_into()?)
    }

    /// All settings as TOML, which [`Settings::from_toml`] reads back.
    ///
    /// # Errors
    /// Integers beyond what TOML can hold.
    pub fn to_toml(&self) -> Result<String> {
        Ok(toml::to_string(self)?)
    }

    /// Checks that every number is in its range.
    ///
    /// # Errors
    /// The first setting that is not.
    pub fn validate(&self) -> Result<()> {
        let count = |name, n: u64, lowest, largest| check(name, n, (lowest..=largest).contains(&n), Allowed::Whole { lowest, largest });
        let positive = |name, x: f64| check(name, x, x > 0.0 && x.is_finite(), Allowed::Positive);
        let not_negative = |name, x: f64| check(name, x, x >= 0.0 && x.is_finite(), Allowed::NotNegative);
        count("steps", self.steps, 1, 1 << 24)?; // the step is counted in single precision
        check("problem.speed", self.problem.speed, self.problem.speed.is_finite(), Allowed::Finite)?;
        positive("problem.length", self.problem.length)?;
        count("network.widths (number of layers)", self.network.widths.len() as u64, 1, 64)?;
        self.network.widths.iter().try_for_each(|&w| count("network.widths", w as u64, 1, 4096))?;
        count("points.interior", self.points.interior as u64, 1, 10_000_000)?;
        count("points.boundary", self.points.boundary as u64, 1, 10_000_000)?;
        count("points.initial", self.points.initial as u64, 1, 10_000_000)?;
        let w = &self.weights;
        not_negative("weights.pde", w.pde)?;
        not_negative("weights.boundary", w.boundary)?;
        not_negative("weights.initial", w.initial)?;
        check("weights", "0 throughout", w.pde + w.boundary + w.initial > 0.0, Allowed::OnePositive)?;
        positive("learning_rate.initial", self.learning_rate.initial)?;
        match self.learning_rate.decay {
            Decay::Constant => {}
            Decay::Cosine => not_negative("learning_rate.last", self.learning_rate.last)?,
            Decay::Exponential => positive("learning_rate.last", self.learning_rate.last)?,
        }
        decays(&self.optimizer).iter().try_for_each(|&(name, x)| check(name, x, (0.0..1.0).contains(&x), Allowed::Share))?;
        count("report.every", self.report.every, 1, 1 << 24)?;
        // Fewer points a side may all lie on zeros of the solution.
        count("report.side", self.report.side as u64, 5, 2001)
    }
}

/// The optimizer's shares of the past, which must stay below 1.
fn decays(optimizer: &Optimizer) -> Vec<(&'static str, f64)> {
    match *optimizer {
        Optimizer::Sgd => vec![],
        Optimizer::Momentum { momentum } | Optimizer::Nesterov { momentum } => vec![("optimizer.momentum", momentum)],
        Optimizer::RmsProp { rho, .. } => vec![("optimizer.rho", rho)],
        Optimizer::Adam { beta1, beta2, .. } | Optimizer::AdamW { beta1, beta2, .. } => {
            vec![("optimizer.beta1", beta1), ("optimizer.beta2", beta2)]
        }
    }
}

fn check(name: &'static str, value: impl ToString, good: bool, allowed: Allowed) -> Result<()> {
    if good { Ok(()) } else { Err(Error::Setting { name, value: value.to_string(), allowed }) }
}

/// Puts `changes` over `table`, table by table. A table of another `kind` takes the whole place: the
/// fields of one optimizer mean nothing to another.
fn merge(table: &mut toml::Table, changes: toml::Table) {
    for (key, new) in changes {
        match (table.get_mut(&key), new) {
            (Some(toml::Value::Table(old)), toml::Value::Table(new)) if new.get("kind").is_none_or(|k| old.get("kind") == Some(k)) => {
                merge(old, new);
            }
            (_, new) => {
                table.insert(key, new);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presets_are_valid_and_survive_a_file() {
        for preset in [Preset::Deck, Preset::Accurate] {
            let s = preset.settings();
            s.validate().unwrap();
            assert_eq!(Settings::from_toml(&s.to_toml().unwrap()).unwrap(), s);
        }
        assert_eq!(Settings::from_toml("").unwrap(), Preset::Deck.settings());
        let deck = Preset::Deck.settings();
        let p = deck.points;
        assert_eq!((p.interior, p.boundary, p.initial, deck.steps, deck.network.widths), (10_000, 500, 500, 6_000, vec![20; 8]));
    }

    #[test]
    fn every_part_can_be_overridden() {
        let s = Settings::from_toml(
            "optimizer.kind = 'sgd'\nweights.initial = 10\nnetwork = { activation = 'sin', init = { normal = { std = 0.1 } } }",
        )
        .unwrap();
        assert_eq!((s.optimizer, s.weights.initial, s.network.widths.len()), (Optimizer::Sgd, 10.0, 8));
        assert_eq!((s.network.activation, s.network.init), (Activation::Sin, Init::Normal { std: 0.1 }));
        let s = Settings::from_toml("optimizer.beta2 = 0.99").unwrap();
        assert_eq!(s.optimizer, Optimizer::Adam { beta1: 0.9, beta2: 0.99, epsilon: 1e-8 });
    }

    #[test]
    fn bad_settings_are_named_with_their_value_and_the_fix() {
        for (text, parts) in [
            ("points.interior = 0", ["points.interior", "0", "whole number"]),
            ("points.boundary = 0", ["points.boundary", "0", "from 1"]),
            ("learning_rate.initial = 0.0", ["learning_rate.initial", "0", "positive"]),
            ("learning_rate.initial = nan", ["learning_rate.initial", "NaN", "positive"]),
            ("learning_rate = { last = 0.0, decay = 'exponential' }", ["learning_rate.last", "0", "positive"]),
            ("problem.length = -1.0", ["problem.length", "-1", "positive"]),
            ("network.widths = []", ["network.widths", "0", "from 1"]),
            ("weights = { pde = 0, boundary = 0, initial = 0 }", ["weights", "0", "at least one"]),
            ("optimizer.beta2 = 1.0", ["optimizer.beta2", "1", "below 1"]),
            ("steps = 0", ["steps", "0", "from 1"]),
            ("preset = 'best'", ["preset", "best", "accurate"]),
            ("points.interor = 5", ["interor", "unknown field", "interior"]),
        ] {
            let message = Settings::from_toml(text).unwrap_err().to_string();
            assert!(parts.iter().all(|p| message.contains(p)), "{text}: {message}");
        }
    }

    #[test]
    fn learning_rates_start_and_end_as_set() {
        for decay in [Decay::Cosine, Decay::Exponential] {
            let r = LearningRate { initial: 1e-2, last: 1e-5, decay };
            assert_eq!(r.at(0, 10), 1e-2);
            assert!((r.at(10, 10) - 1e-5).abs() < 1e-12);
            assert!((0..10).all(|k| r.at(k + 1, 10) < r.at(k, 10)));
        }
        assert_eq!(LearningRate { initial: 1e-2, last: 0.0, decay: Decay::Constant }.at(9, 10), 1e-2);
    }
}
