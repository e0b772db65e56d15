//! What can go wrong: each message says what, where, why, and the fix.

use crate::Losses;

/// Why a problem cannot be set up or solved.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A setting outside its range.
    #[error("setting {name} is {value}: {fix}")]
    Setting {
        /// Path of the setting, as in the file.
        name: &'static str,
        /// What was given.
        value: String,
        /// What is allowed.
        fix: String,
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
    /// An error of the engine.
    #[error(transparent)]
    Engine(#[from] neurona::CpuError),
}
