//! The commands, one file each.

pub mod backprop;
pub mod bench;
pub mod completions;
pub mod demo;
pub mod doctor;
mod formula;
pub mod pinn;

use crate::cli::{Application, Command};
use crate::{Report, Shell};

/// Runs a command.
///
/// # Errors
/// What went wrong, ready to be printed.
pub fn run(command: &Command, shell: &mut Shell) -> Result<(), Report> {
    match command {
        Command::Backprop(args) => backprop::run(args, shell),
        Command::Bench(args) => bench::run(args, shell),
        Command::Completions(args) => completions::run(args, shell),
        Command::Demo(args) => demo::run(args, shell),
        Command::Doctor(args) => doctor::run(args, shell),
        Command::Train(Application::Pinn(args)) => pinn::run(args, shell),
    }
}
