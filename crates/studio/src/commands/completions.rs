//! `neurona completions SHELL`: the script that completes commands and options in a shell.

use crate::{Report, Shell, cli};

/// Arguments of `neurona completions`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The shell
    #[arg(value_name = "SHELL", hide_possible_values = true)]
    shell: clap_complete::Shell,
}

/// Prints the script.
///
/// # Errors
/// A closed output.
pub fn run(args: &Args, shell: &mut Shell) -> Result<(), Report> {
    let mut script = vec![];
    clap_complete::generate(args.shell, &mut cli::command(&shell.texts), "neurona", &mut script);
    shell.write(&script)
}
