//! The commands, one file each.

pub mod backprop;
pub mod completions;
pub mod doctor;
mod formula;

use crate::cli::Command;
use crate::{Report, Shell};

/// Runs a command.
///
/// # Errors
/// What went wrong, ready to be printed.
pub fn run(command: &Command, shell: &mut Shell) -> Result<(), Report> {
    match command {
        Command::Backprop(args) => backprop::run(args, shell),
        Command::Completions(args) => completions::run(args, shell),
        Command::Doctor(args) => doctor::run(args, shell),
    }
}
