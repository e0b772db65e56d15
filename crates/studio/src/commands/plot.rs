//! `neurona plot RUN`: draws the pictures of a run again, and its page.

use crate::Shell;
use crate::network::{results, saved};
use crate::report::Report;
use crate::run::{BEST, LAST, REPORT, RunFolder};
use serde_json::json;
use std::path::PathBuf;

/// Arguments of `neurona plot`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The run
    #[arg(value_name = "RUN")]
    run: PathBuf,
}

/// Writes the pictures and lists them.
///
/// # Errors
/// A run that cannot be read (4), files that cannot be written (1).
pub fn run(args: &Args, shell: &mut Shell) -> Result<(), Report> {
    let texts = shell.texts;
    let folder = RunFolder::open(&texts, &args.run)?;
    let files = if super::resume::kind(&folder)? == super::pinn::KIND {
        super::pinn::page(&texts, &folder)?;
        vec![folder.file(REPORT)]
    } else {
        let (net, meta) = saved::describe(&texts, &folder)?;
        let trained = [BEST, LAST].iter().any(|name| folder.file(name).is_file());
        let evaluation = if trained { Some(super::eval::evaluate(&texts, folder.path(), None, &[])?.1) } else { None };
        let history = results::history(&folder, (&net, &meta))?;
        results::write(&texts, &folder, (&net, &meta), &history, evaluation.as_ref())?
    };
    if shell.json {
        return shell.print_json(&json!({ "run": folder.path(), "files": files }));
    }
    shell.print(&files.iter().map(|f| f.display().to_string()).collect::<Vec<_>>().join("\n"))
}
