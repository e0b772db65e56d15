//! The commands, one file each.

pub mod activations;
pub mod backprop;
pub mod bench;
pub mod completions;
pub mod config;
pub mod connect4;
pub mod data;
pub mod demo;
pub mod descend;
pub mod doctor;
pub mod doodle;
pub mod eval;
pub mod export;
pub(crate) mod formula;
pub mod import;
pub mod losses;
pub mod lr_find;
pub mod neuron;
pub mod pinn;
pub mod playground;
pub mod plot;
pub mod predict;
pub mod resume;
pub mod runs;
pub mod serve;
pub mod site;
pub mod solve;
pub mod steganography;
pub mod summary;
pub mod train;

use crate::cli::{Application, Command, Evaluated, Playable};
use crate::{Report, Shell};

/// Runs a command.
///
/// # Errors
/// What went wrong, ready to be printed.
pub fn run(command: &Command, shell: &mut Shell) -> Result<(), Report> {
    match command {
        Command::Activations(args) => activations::run(args, shell),
        Command::Backprop(args) => backprop::run(args, shell),
        Command::Bench(args) => bench::run(args, shell),
        Command::Capacity(args) => steganography::capacity::run(args, shell),
        Command::Completions(args) => completions::run(args, shell),
        Command::Config(args) => config::run(args, shell),
        Command::Connect4(args) => connect4::run(args, shell),
        Command::Data(args) => data::run(args, shell),
        Command::Demo(args) => demo::run(args, shell),
        Command::Descend(args) => descend::run(args, shell),
        Command::Detect(args) => steganography::detect::run(args, shell),
        Command::Doctor(args) => doctor::run(args, shell),
        Command::Doodle(args) => doodle::run(args, shell),
        Command::Export(args) => export::run(args, shell),
        Command::Eval(args) => match (&args.application, &args.network) {
            (Some(Evaluated::Connect4(args)), _) => connect4::eval::run(args, shell),
            (Some(Evaluated::Doodle(args)), _) => doodle::eval::run(args, shell),
            (Some(Evaluated::Steganography(args)), _) => steganography::eval::run(args, shell),
            (None, Some(args)) => eval::run(args, shell),
            (None, None) => shell.help("", false),
        },
        Command::Hide(args) => steganography::hide::run(args, shell),
        Command::Import(args) => import::run(args, shell),
        Command::LrFind(args) => lr_find::run(args, shell),
        Command::Losses(args) => losses::run(args, shell),
        Command::Neuron(args) => neuron::run(args, shell),
        Command::Play(args) => match &args.game {
            Playable::Connect4(args) => connect4::play::run(args, shell),
        },
        Command::Playground(args) => playground::run(args, shell),
        Command::Plot(args) => plot::run(args, shell),
        Command::Predict(args) => predict::run(args, shell),
        Command::Resume(args) => resume::run(args, shell),
        Command::Reveal(args) => steganography::reveal::run(args, shell),
        Command::Runs(args) => runs::run(args, shell),
        Command::Solve(args) => solve::run(args, shell),
        Command::Serve(args) => serve::run(args, shell),
        Command::Site(args) => site::run(args, shell),
        Command::Summary(args) => summary::run(args, shell),
        Command::Train(args) => match (&args.application, &args.network) {
            (Some(Application::Connect4(args)), _) => connect4::train::run(args, shell),
            (Some(Application::Doodle(args)), _) => doodle::train::run(args, shell),
            (Some(Application::Pinn(args)), _) => pinn::run(args, shell),
            (Some(Application::Steganography(args)), _) => steganography::train::run(args, shell),
            (None, Some(args)) => train::run(args, shell),
            (None, None) => shell.help("", false),
        },
    }
}
