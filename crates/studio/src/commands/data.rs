//! `neurona data`: files of drawings: from where they are published, what is in them, whether they are whole, and as bitmaps
//! that `train` reads.

mod download;

use super::doodle::{bad, files};
use crate::progress::{Progress, Tick};
use crate::report::Report;
use crate::run::unwritable;
use crate::table::{Align, Table};
use crate::{Shell, interrupt};
use doodle::import::{Counted, Import, count};
use serde_json::json;
use std::path::PathBuf;

/// Arguments of `neurona data`.
#[derive(clap::Args, Debug)]
#[command(arg_required_else_help = true)]
pub struct Args {
    #[command(subcommand)]
    task: Task,
}

#[derive(clap::Subcommand, Debug)]
enum Task {
    /// Reads files to their end
    Check {
        /// Files and folders
        #[arg(value_name = "PATH", required = true)]
        paths: Vec<PathBuf>,
    },
    /// Gets published files
    Download(download::Args),
    /// Draws strokes as bitmaps, a file for each class
    Import {
        /// Files and folders
        #[arg(value_name = "PATH", required = true)]
        paths: Vec<PathBuf>,
        /// The folder
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
        /// Drawings of each class
        #[arg(long, value_name = "N", default_value_t = usize::MAX, hide_default_value = true)]
        each: usize,
    },
    /// Lists files
    Ls {
        /// Files and folders
        #[arg(value_name = "PATH", required = true)]
        paths: Vec<PathBuf>,
    },
}

/// Runs a task.
///
/// # Errors
/// Files that cannot be used (4) or written (1), an interruption (130); as [`download::run`].
pub fn run(args: &Args, shell: &mut Shell) -> Result<(), Report> {
    let texts = shell.texts;
    interrupt::watch();
    match &args.task {
        Task::Download(args) => download::run(args, shell),
        Task::Ls { paths } => {
            let counted = files(&texts, paths)?.into_iter().map(|p| doodle::import::look(&p));
            show(shell, counted.collect::<Result<Vec<_>, _>>().map_err(|e| bad(&texts, &e))?)
        }
        Task::Check { paths } => {
            let paths = files(&texts, paths)?;
            let mut progress = Progress::stderr(texts);
            let mut counted = vec![];
            for (i, path) in paths.iter().enumerate() {
                counted.push(count(path, |share| tick(&mut progress, i, paths.len(), share)).map_err(|e| bad(&texts, &e))?);
                interrupt::check(&texts)?;
            }
            drop(progress);
            show(shell, counted)
        }
        Task::Import { paths, out, each } => {
            let paths = files(&texts, paths)?;
            std::fs::create_dir_all(out).map_err(|e| unwritable(&texts, out, &e))?;
            let mut import = Import::new(out, *each);
            let mut progress = Progress::stderr(texts);
            for (i, path) in paths.iter().enumerate() {
                import.add(path, |share| tick(&mut progress, i, paths.len(), share)).map_err(|e| bad(&texts, &e))?;
                interrupt::check(&texts)?;
            }
            drop(progress);
            let written = import.finish().map_err(|e| bad(&texts, &e))?;
            let drawings: usize = written.iter().map(|(_, n)| n).sum();
            if shell.json {
                let classes: serde_json::Map<_, _> = written.into_iter().map(|(class, n)| (class, json!(n))).collect();
                return shell.print_json(&json!({ "folder": out, "drawings": drawings, "classes": classes }));
            }
            let values: [(&str, &dyn std::fmt::Display); 3] =
                [("path", &out.display()), ("drawings", &drawings), ("classes", &written.len())];
            shell.print(&texts.fill("data.imported", &values))
        }
    }
}

fn tick(progress: &mut Progress, file: usize, of: usize, share: f64) -> bool {
    progress.tick(&Tick { epoch: file + 1, epochs: of, done: (1000.0 * share) as usize, total: 1000, fields: &[] });
    !interrupt::requested()
}

/// A line for each file.
fn show(shell: &mut Shell, counted: Vec<Counted>) -> Result<(), Report> {
    let texts = shell.texts;
    if shell.json {
        return shell.print_json(&counted);
    }
    let head = ["data.file", "data.format", "data.drawings", "data.recognized", "data.first"].map(|k| texts.get(k));
    let side = |i: usize| if i == 2 || i == 3 { Align::Right } else { Align::Left };
    let mut table = Table::new(&head.iter().enumerate().map(|(i, h)| (&h[..], side(i))).collect::<Vec<_>>());
    for c in &counted {
        let number = |n: Option<u64>| n.map_or(String::new(), |n| n.to_string());
        table.row([c.file.display().to_string(), c.format.into(), number(c.drawings), number(c.recognized), c.words.join(", ")]);
    }
    shell.print(&table.to_string())
}
