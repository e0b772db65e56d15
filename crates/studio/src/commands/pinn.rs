//! `neurona train pinn`: a network that solves the transport equation, and its run folder.

mod saving;
mod settings;
mod trained;

use crate::number::short;
use crate::progress::{Progress, Tick};
use crate::report::{Exit, Report};
use crate::run::{CONFIG, RunFolder};
use crate::table::{Align, Table};
use crate::{Shell, Texts, checkpoint, config, interrupt};
use pinn::{Error, Losses, Outcome, Preset, Record, Settings, Training};
use saving::Saving;
use serde::Serialize;
use std::path::PathBuf;

pub(super) use saving::KIND;
pub(super) use settings::failed;
pub(crate) use trained::Trained;
pub(super) use trained::page;

/// Arguments of `neurona train pinn`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Tried settings
    #[arg(long, value_name = "deck|accurate", value_parser = ["deck", "accurate"], default_value = "deck", hide_default_value = true, hide_possible_values = true)]
    preset: String,
    /// Decides points and first weights
    #[arg(long, value_name = "N")]
    seed: Option<u32>,
    /// Training steps
    #[arg(long, value_name = "N")]
    steps: Option<u64>,
    /// Worker threads
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// Another value for any setting
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// The run's folder
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Output<'a> {
    folder: PathBuf,
    preset: &'a str,
    seed: u32,
    /// Steps taken.
    steps: u64,
    /// Whether these are all.
    complete: bool,
    relative_l2: f64,
    max_error: f64,
    losses: Losses,
    /// Of training, compilation excluded.
    seconds: f64,
    files: Vec<PathBuf>,
}

/// Trains, saves and prints what was reached.
///
/// # Errors
/// Settings (3), divergence (5), an interruption (130, after everything was saved), files that cannot be written (1).
pub fn run(args: &Args, shell: &mut Shell) -> Result<(), Report> {
    let texts = shell.texts;
    let settings = settings::read(&texts, args)?;
    let training = Training::new(&settings).map_err(|e| failed(&texts, &e))?;
    let folder = RunFolder::create(&texts, "pinn", args.out.as_deref())?;
    interrupt::watch();
    let saving = Saving::begin(&texts, folder, &training, &args.preset)?;
    go(training, saving, shell)
}

/// Trains with these settings into a new run folder called `name`, for the tour. Gives what was reached, and the folder.
///
/// # Errors
/// As [`run`].
pub(super) fn tour(texts: &Texts, settings: &Settings, name: &str) -> Result<(Outcome, RunFolder), Report> {
    let training = Training::new(settings).map_err(|e| failed(texts, &e))?;
    let folder = RunFolder::create(texts, name, None)?;
    interrupt::watch();
    let mut saving = Saving::begin(texts, folder, &training, "deck")?;
    let (outcome, _) = solve(texts, training, &mut saving, Progress::terminal(*texts))?;
    if outcome.is_complete() { Ok((outcome, saving.folder)) } else { Err(interrupted(texts, &outcome, &saving.folder)) }
}

/// Goes on with a training from its saved state.
///
/// # Errors
/// A run that is finished (2) or whose files cannot be used (3, 4); as [`run`].
pub(super) fn resume(folder: RunFolder, threads: Option<u32>, shell: &mut Shell) -> Result<(), Report> {
    let texts = shell.texts;
    let text = folder.read(CONFIG)?;
    let mut settings: Settings = config::read(&texts, &folder.file(CONFIG).display().to_string(), &text)?;
    settings.threads = threads.map_or(settings.threads, |n| n as usize);
    interrupt::watch();
    let fresh = Training::new(&settings).map_err(|e| failed(&texts, &e))?;
    let (saving, state) = Saving::resume(&texts, folder, &fresh)?;
    let training = Training::resume(&settings, state).map_err(|e| failed(&texts, &e))?;
    go(training, saving, shell)
}

/// Trains to the end and saves: what was reached, and the files.
fn solve(texts: &Texts, mut training: Training, saving: &mut Saving, progress: Progress) -> Result<(Outcome, Vec<PathBuf>), Report> {
    if let Err(e) = train(texts, &mut training, saving, progress) {
        saving.diverged(training.history())?;
        return Err(e);
    }
    let mut outcome = training.finish().map_err(|e| failed(texts, &e))?;
    let files = saving.finish(&mut outcome)?;
    Ok((outcome, files))
}

/// Trains to the end, saves and prints.
fn go(training: Training, mut saving: Saving, shell: &mut Shell) -> Result<(), Report> {
    let texts = shell.texts;
    let (outcome, files) = solve(&texts, training, &mut saving, Progress::stderr(texts))?;
    show(shell, saving.preset(), &outcome, saving.folder.path().into(), files)?;
    if outcome.is_complete() { Ok(()) } else { Err(interrupted(&texts, &outcome, &saving.folder)) }
}

/// Takes the steps, with progress and a save now and then, until all are done or Ctrl-C is pressed.
fn train(texts: &Texts, training: &mut Training, saving: &mut Saving, mut progress: Progress) -> Result<(), Report> {
    let steps = training.settings().steps;
    progress.tick(&tick(0, steps, &[]));
    while !training.is_done() && !interrupt::requested() {
        let record = training.advance().map_err(|e| failed(texts, &e))?;
        let l = record.losses;
        let rel = training.history().last().and_then(|r| r.relative_l2);
        progress.tick(&tick(record.step, steps, &[("loss", rounded(l.total)), ("rel_l2", rounded(rel.unwrap_or(f64::NAN)))]));
        if let Some(rel_l2) = record.relative_l2 {
            let fields = [("total", l.total), ("pde", l.pde), ("boundary", l.boundary), ("initial", l.initial), ("rel_l2", rel_l2)];
            let fields = fields.map(|(name, x)| (name, rounded(x)));
            let head = [("step", record.step as f64)];
            let all = [&head[..], &fields, &[("lr", rounded(record.learning_rate))]].concat();
            progress.record(&all, is_milestone(&record, steps, training.settings().report.every));
        }
        saving.now_and_then(training)?;
    }
    Ok(())
}

fn tick<'a>(done: u64, steps: u64, fields: &'a [(&'a str, f64)]) -> Tick<'a> {
    Tick { epoch: 1, epochs: 1, done: done as usize, total: steps as usize, fields }
}

/// Four digits: more would only flicker.
fn rounded(x: f64) -> f64 {
    format!("{x:.3e}").parse().unwrap_or(x)
}

/// Whether a record is the first of a tenth of the steps: these stay on a terminal.
fn is_milestone(record: &Record, steps: u64, every: u64) -> bool {
    let tenth = |step: u64| step * 10 / steps;
    record.step == steps || tenth(record.step) > tenth(record.step.saturating_sub(every))
}

fn show(shell: &mut Shell, preset: &str, o: &Outcome, folder: PathBuf, files: Vec<PathBuf>) -> Result<(), Report> {
    if shell.json {
        let &Outcome { relative_l2, max_error, losses, seconds, .. } = o;
        let (seed, steps, complete) = (o.settings.seed, o.state.step, o.is_complete());
        return shell.print_json(&Output { folder, preset, seed, steps, complete, relative_l2, max_error, losses, seconds, files });
    }
    let texts = shell.texts;
    let mut table =
        Table::new(&[(&texts.get("pinn.title"), Align::Left), (&texts.fill("pinn.after", &[("steps", &o.state.step)]), Align::Right)]);
    let number = |x: f64| short(rounded(x));
    for (key, value) in [
        ("pinn.relative_l2", number(o.relative_l2)),
        ("pinn.max_error", number(o.max_error)),
        ("pinn.total", number(o.losses.total)),
        ("pinn.pde", number(o.losses.pde)),
        ("pinn.boundary", number(o.losses.boundary)),
        ("pinn.initial", number(o.losses.initial)),
        ("pinn.seconds", format!("{:.1}", o.seconds)),
    ] {
        table.row([texts.get(key), value]);
    }
    let list: Vec<String> = files.iter().map(|f| format!("  {}", f.display())).collect();
    shell.print(&format!("{table}\n\n{}\n{}", texts.get("pinn.files"), list.join("\n")))
}

fn interrupted(texts: &Texts, o: &Outcome, folder: &RunFolder) -> Report {
    let what = texts.fill("pinn.interrupted", &[("step", &o.state.step), ("steps", &o.settings.steps)]);
    Report::new(
        Exit::Interrupted,
        what,
        texts.fill("pinn.saved", &[("path", &folder.path().display())]),
        checkpoint::resume_hint(texts, folder),
    )
}

/// The preset of this name; the parser lets no other through.
fn preset(texts: &Texts, name: &str) -> Result<Preset, Report> {
    name.parse().map_err(|e: Error| failed(texts, &e))
}
