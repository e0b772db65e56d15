//! `neurona config`: a training file to begin with, what is wrong with one, and what one may say.

mod init;

use crate::config::{Source, schema as description};
use crate::network::{Checked, schema};
use crate::report::Report;
use crate::{Shell, Texts, run};
use serde_json::json;
use std::path::PathBuf;

/// Arguments of `neurona config`.
#[derive(clap::Args, Debug)]
#[command(arg_required_else_help = true)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(clap::Subcommand, Debug)]
enum Action {
    /// A file to begin with
    Init {
        /// Which data
        #[arg(long, value_name = "csv|table|image|npy", value_parser = ["csv", "table", "image", "npy"], hide_possible_values = true)]
        kind: Option<String>,
        /// Data to take classes and sizes from
        #[arg(value_name = "DATA")]
        data: Option<PathBuf>,
        /// The file
        #[arg(long, value_name = "FILE.toml")]
        out: Option<PathBuf>,
    },
    /// What is wrong
    Check {
        /// The training file
        #[arg(value_name = "FILE.toml")]
        file: PathBuf,
        /// Changes to the file's settings
        #[arg(long, value_name = "KEY=VALUE")]
        set: Vec<String>,
    },
    /// What a file may say
    Schema,
}

/// Runs the action.
///
/// # Errors
/// Wrong settings (3), data that are missing or wrong (4), a file that cannot be written (1).
pub fn run(args: &Args, shell: &mut Shell) -> Result<(), Report> {
    let texts = shell.texts;
    match &args.action {
        Action::Init { kind, data, out } => {
            let text = init::file(&texts, kind.as_deref(), data.as_deref())?;
            match out {
                None => shell.write(text.as_bytes()),
                Some(path) if path.exists() => {
                    let what = texts.fill("run.exists", &[("path", &path.display())]);
                    Err(Report::new(crate::Exit::Usage, what, "", texts.get("run.exists.fix")))
                }
                Some(path) => run::write_whole(path, text.as_bytes()).map_err(|e| run::unwritable(&texts, path, &e)),
            }
        }
        Action::Check { file, set } => {
            let mut source = Source::open(&texts, file)?;
            for pair in set {
                source.set_pair(&texts, pair)?;
            }
            check(shell, &source, file)
        }
        Action::Schema => shell.print_json(&description::json(&texts, &schema::file(), &schema::layer())),
    }
}

fn check(shell: &mut Shell, source: &Source, file: &std::path::Path) -> Result<(), Report> {
    let texts = shell.texts;
    let Checked { problems, summary, rows: [train, validation, test], classes, target } = Checked::new(&texts, source, file)?;
    if !problems.is_empty() {
        return Err(together(&texts, &source.path, problems));
    }
    let Some(summary) = summary else { return Ok(()) };
    if shell.json {
        let rows = json!({ "train": train, "validation": validation, "test": test });
        let layers = super::summary::json(&summary);
        return shell.print_json(&json!({ "file": file, "rows": rows, "classes": classes, "target": target, "network": layers }));
    }
    let target = match target {
        Some(crate::network::Target::Values(shape)) => texts.fill("config.numbers", &[("shape", &format!("{shape:?}"))]),
        _ => {
            let names = classes.iter().take(12).cloned().collect::<Vec<_>>().join(", ") + if classes.len() > 12 { ", …" } else { "" };
            texts.fill("config.classes", &[("count", &classes.len()), ("names", &names)])
        }
    };
    let values: [(&str, &dyn std::fmt::Display); 6] = [
        ("path", &source.path),
        ("train", &train),
        ("validation", &validation),
        ("test", &test),
        ("parameters", &summary.parameters()),
        ("target", &target),
    ];
    shell.print(&format!("{}\n\n{}", super::summary::table(&texts, &summary), texts.fill("config.right", &values)))
}

/// All problems as one report, of the kind of the first.
fn together(texts: &Texts, path: &str, mut problems: Vec<Report>) -> Report {
    if problems.len() == 1 {
        return problems.remove(0);
    }
    let one = |(i, r): (usize, &Report)| {
        let fix = if r.fix.is_empty() { String::new() } else { format!("\n   {}: {}", texts.get("fix"), r.fix) };
        let why: String = r.why.lines().map(|line| format!("\n   {line}")).collect();
        format!("{}. {}{why}{fix}", i + 1, r.what)
    };
    let all: Vec<String> = problems.iter().enumerate().map(one).collect();
    Report::new(problems[0].exit, texts.fill("config.problems", &[("path", &path), ("count", &problems.len())]), all.join("\n"), "")
}
