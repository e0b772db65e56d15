//! The `neurona` command line: what each command does, and the pieces that commands share — messages in
//! two languages, errors that say what, why and the fix, tables, progress.
//!
//! Results go to stdout, progress and errors to stderr. A command is one file in [`commands`]: its
//! arguments as a clap struct and a function `run(&Args, &mut Shell) -> Result<(), Report>`.

pub mod checkpoint;
pub mod cli;
pub mod commands;
pub mod config;
pub mod equations;
pub mod failure;
pub mod foreign;
pub mod interrupt;
pub mod network;
pub mod number;
pub mod page;
pub mod progress;
pub mod report;
pub mod run;
pub mod serve;
pub mod shell;
pub mod table;
pub mod text;

pub use report::{Exit, Report};
pub use shell::Shell;
pub use text::{Lang, Texts};

use std::ffi::OsString;
use std::process::ExitCode;

/// Runs the command line `args` (the program's name first) and says how it ended.
pub fn main(args: Vec<OsString>) -> ExitCode {
    let texts = Texts::new(cli::language(&args, |name| std::env::var(name).ok()));
    let json = args.iter().skip(1).take_while(|a| *a != "--").any(|a| a == "--json");
    let mut shell = Shell::new(texts, json, Box::new(std::io::stdout().lock()));
    let done = cli::parse(&args, &texts).and_then(|parsed| match parsed {
        cli::Parsed::Help { text, asked } => shell.help(&text, asked),
        cli::Parsed::Command(command) => commands::run(&command, &mut shell),
    });
    match done.and_then(|()| shell.flush()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(report) => {
            report.print(&texts, json, &mut std::io::stderr());
            report.exit_code()
        }
    }
}
