//! What can go wrong: each message says what, where, why, and the fix.

use crate::Losses;
use std::fmt;

/// Why a problem cannot be set up or solved.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A setting outside its range.
    #[error("setting {name} is {value}: {allowed}")]
    Setting {
        /// Path of the setting, as in the file.
        name: &'static str,
        /// What was given.
        value: String,
        /// What may be given.
        allowed: Allowed,
    },
    /// A settings file that cannot be read as such (the message shows the line).
    #[error("settings: {0}")]
    Toml(#[from] toml::de::Error),
    /// Settings that have no textual form.
    #[error("settings: {0}")]
    Write(#[from] toml::ser::Error),
    /// A preset that does not exist.
    #[error("preset is {0}: choose \"deck\" or \"accurate\"")]
    Preset(String),
    /// A loss that is not a number any more.
    #[error(
        "training diverged at step {step}: the loss is {}; the last losses before were {last}; lower learning_rate.initial \
         (now {learning_rate}) or start from another seed", losses.total
    )]
    Diverged {
        /// The step.
        step: u64,
        /// The learning rate of that step.
        learning_rate: f64,
        /// Its losses.
        losses: Losses,
        /// The losses of the step before.
        last: Losses,
    },
    /// Weights or a saved state that belong to another network.
    #[error("{what} of this network: expected {expected}, got {got}; use the settings with which it was trained")]
    Weights {
        /// What does not fit.
        what: String,
        /// What the network has.
        expected: String,
        /// What was given.
        got: String,
    },
    /// A loss that is no number in a stage of a problem given as formulas.
    #[error(
        "the loss is {loss} in stage {stage}, step {step}; start from another seed, lower the learning rate, or look for divisions by zero in the formulas"
    )]
    Unsolvable {
        /// The stage, from 1.
        stage: usize,
        /// Steps of all stages.
        step: u64,
        /// The loss.
        loss: f64,
    },
    /// An error of the engine.
    #[error(transparent)]
    Engine(#[from] neurona::CpuError),
    /// An error of the training layer.
    #[error(transparent)]
    Neurona(#[from] neurona::Error),
}

/// What a setting may be. Displays as the fix of a wrong one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Allowed {
    /// A whole number in this range, ends included.
    Whole {
        /// The smallest.
        lowest: u64,
        /// The largest.
        largest: u64,
    },
    /// Above 0, and not infinite.
    Positive,
    /// 0 or above, and not infinite.
    NotNegative,
    /// Neither infinite nor NaN.
    Finite,
    /// From 0 to below 1.
    Share,
    /// Of several numbers, one above 0.
    OnePositive,
}

impl Allowed {
    /// A name for the fix, from which other languages can find theirs.
    pub fn code(self) -> &'static str {
        match self {
            Allowed::Whole { .. } => "whole",
            Allowed::Positive => "positive",
            Allowed::NotNegative => "not_negative",
            Allowed::Finite => "finite",
            Allowed::Share => "share",
            Allowed::OnePositive => "one_positive",
        }
    }
}

impl fmt::Display for Allowed {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Allowed::Whole { lowest, largest } => write!(f, "give a whole number from {lowest} to {largest}"),
            Allowed::Positive => f.write_str("give a positive number"),
            Allowed::NotNegative => f.write_str("give 0 or a positive number"),
            Allowed::Finite => f.write_str("give a finite number"),
            Allowed::Share => f.write_str("give a number from 0 to below 1"),
            Allowed::OnePositive => f.write_str("give at least one of them a positive number"),
        }
    }
}
