//! `neurona resume RUN`: goes on where a training was interrupted.

use super::doodle::{Notes, train::calibrate};
use crate::config::Source;
use crate::network::{self, Job, saved};
use crate::report::{Exit, Report};
use crate::run::{CONFIG, META, RunFolder};
use crate::{Shell, Texts};
use saved::State as Phase;
use std::path::PathBuf;

/// Arguments of `neurona resume`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The run
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// Epochs in all
    #[arg(long, value_name = "N")]
    epochs: Option<u32>,
    /// Threads
    #[arg(long, value_name = "N")]
    threads: Option<u32>,
}

/// Trains to the end, and prints the result as `train` does.
///
/// # Errors
/// A run that is in use (1), finished (2), or whose files cannot be used (3, 4); as `train`.
pub fn run(args: &Args, shell: &mut Shell) -> Result<(), Report> {
    let texts = shell.texts;
    let folder = RunFolder::open(&texts, &args.run)?.locked()?;
    let kind = kind(&folder)?;
    if [super::pinn::KIND, super::solve::KIND, super::steganography::KIND].contains(&kind.as_str()) {
        if args.epochs.is_some() {
            return Err(Report::new(Exit::Usage, texts.get("resume.steps"), "", texts.get("usage.see_help")));
        }
        let go = match kind.as_str() {
            super::pinn::KIND => super::pinn::resume,
            super::solve::KIND => super::solve::resume,
            _ => super::steganography::resume,
        };
        return go(folder, args.threads, shell);
    }
    let (_, meta) = saved::describe(&texts, &folder)?;
    let more = meta.state == Phase::Done && args.epochs.is_some_and(|n| n as usize > meta.epochs);
    match meta.state {
        Phase::Done if !more => return Err(finished(&texts, &folder, &texts.fill("resume.finished.fix", &[("epochs", &meta.epochs)]))),
        Phase::Diverged => return Err(diverged(&texts, &folder)),
        _ => {}
    }
    let file = folder.file(CONFIG);
    let mut source = Source::open(&texts, &file)?;
    for (option, key, value) in [("--epochs", "epochs", args.epochs), ("--threads", "threads", args.threads)] {
        if let Some(value) = value {
            source.set(option, key, i64::from(value));
        }
    }
    let job = Job::open(&texts, &source, &file)?;
    let outcome = job.resume(folder.clone(), more)?;
    if let Some(notes) = Notes::read(&folder) {
        calibrate(&texts, &folder, &job, &notes)?;
    }
    super::train::show(shell, &job, &outcome)
}

/// What was trained in a folder.
///
/// # Errors
/// A meta.json that cannot be read (4).
pub(crate) fn kind(folder: &RunFolder) -> Result<String, Report> {
    let meta: serde_json::Value = serde_json::from_str(&folder.read(META)?).map_err(|e| folder.unreadable(META, &e.to_string()))?;
    Ok(meta["kind"].as_str().unwrap_or(network::KIND).into())
}

/// Whether a run of steps has some left to take.
///
/// # Errors
/// It has reached its end (2), or diverged (5).
pub(super) fn may_go_on(texts: &Texts, folder: &RunFolder, phase: Phase) -> Result<(), Report> {
    match phase {
        Phase::Done => Err(finished(texts, folder, "")),
        Phase::Diverged => Err(diverged(texts, folder)),
        _ => Ok(()),
    }
}

/// The report of a run that has reached its end.
fn finished(texts: &Texts, folder: &RunFolder, fix: &str) -> Report {
    Report::new(Exit::Usage, texts.fill("resume.finished", &[("path", &folder.path().display())]), "", fix)
}

/// The report of a run that would diverge again.
fn diverged(texts: &Texts, folder: &RunFolder) -> Report {
    let what = texts.fill("resume.diverged", &[("path", &folder.path().display())]);
    Report::new(Exit::Diverged, what, "", texts.get("resume.diverged.fix"))
}
