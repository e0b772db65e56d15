//! `neurona train steganography`: the networks that write and read bits, and their run folder.

use super::saving::{KIND, Saving};
use crate::progress::{Progress, Tick};
use crate::report::{Exit, Report};
use crate::run::{CONFIG, RunFolder};
use crate::{Shell, Texts, checkpoint, config, failure, interrupt};
use serde_json::json;
use std::path::PathBuf;
use steganography::deck::{Deck, DeckTraining};
use steganography::training::{Course, Record, Settings, Training};

/// Arguments of `neurona train steganography`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Tried settings
    #[arg(long, value_name = "photo|robust|deck|deck-full", value_parser = ["photo", "robust", "deck", "deck-full"], default_value = "photo", hide_default_value = true, hide_possible_values = true)]
    preset: String,
    /// Decides weights, pictures and bits
    #[arg(long, value_name = "N")]
    seed: Option<u32>,
    /// Training steps
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    steps: Option<u64>,
    /// Worker threads
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// The run's folder
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Steps between two lines of metrics.jsonl.
pub(super) const EVERY: u64 = 20;

/// Trains, saves and prints what was reached.
///
/// # Errors
/// Divergence (5), an interruption (130, after everything was saved), files that cannot be written (1).
pub fn run(args: &Args, shell: &mut Shell) -> Result<(), Report> {
    let texts = shell.texts;
    let changes = Changes { seed: args.seed, steps: args.steps, threads: args.threads };
    let training = course(&texts, (&args.preset, &preset(&args.preset)?), &changes)?;
    let folder = RunFolder::create(&texts, KIND, args.out.as_deref())?;
    interrupt::watch();
    let saving = Saving::begin(&texts, folder, &*training, &args.preset)?;
    go(training, saving, shell)
}

/// The settings of a preset.
fn preset(name: &str) -> Result<String, Report> {
    let deck = match name {
        "deck" => Deck::SHORT,
        "deck-full" => Deck::FULL,
        _ => return Ok(super::model(name).preset().into()),
    };
    Ok(toml::to_string(&deck).map_err(std::io::Error::other)?)
}

/// What the command line changes in the settings.
struct Changes {
    seed: Option<u32>,
    steps: Option<u64>,
    threads: Option<usize>,
}

/// The training of these settings of the file `name`.
fn course(texts: &Texts, (name, text): (&str, &str), changes: &Changes) -> Result<Box<dyn Course>, Report> {
    let failed = |e: neurona::Error| failure::report(texts, &e);
    if super::deck::is(text) {
        let mut settings: Deck = config::read(texts, name, text)?;
        settings.seed = changes.seed.unwrap_or(settings.seed);
        settings.threads = changes.threads.unwrap_or(settings.threads);
        if let Some(steps) = changes.steps {
            (settings.epochs, settings.steps_per_epoch) = (1, steps);
        }
        return Ok(Box::new(DeckTraining::new(&settings).map_err(failed)?));
    }
    let mut settings: Settings = config::read(texts, name, text)?;
    settings.seed = changes.seed.unwrap_or(settings.seed);
    settings.steps = changes.steps.unwrap_or(settings.steps);
    settings.threads = changes.threads.unwrap_or(settings.threads);
    Ok(Box::new(Training::new(&settings).map_err(failed)?))
}

/// Goes on with a training from its saved state.
///
/// # Errors
/// A run that is finished (2) or whose files cannot be used (3, 4); as [`run`].
pub(in crate::commands) fn resume(folder: RunFolder, threads: Option<u32>, shell: &mut Shell) -> Result<(), Report> {
    let texts = shell.texts;
    let (name, text) = (folder.file(CONFIG).display().to_string(), folder.read(CONFIG)?);
    let changes = Changes { seed: None, steps: None, threads: threads.map(|n| n as usize) };
    let mut training = course(&texts, (&name, &text), &changes)?;
    interrupt::watch();
    let (saving, state, steering) = Saving::resume(&texts, folder, &*training)?;
    training.restore(state, steering);
    go(training, saving, shell)
}

fn go(mut training: Box<dyn Course>, mut saving: Saving, shell: &mut Shell) -> Result<(), Report> {
    let texts = shell.texts;
    let steps = training.steps();
    let mut progress = Progress::stderr(texts);
    while !training.is_done() && !interrupt::requested() {
        let r = training.advance().map_err(|e| failure::report(&texts, &e))?;
        if !r.loss.is_finite() {
            saving.diverged()?;
            return Err(Report::new(
                Exit::Diverged,
                texts.fill("stego.diverged", &[("step", &r.step)]),
                "",
                texts.get("stego.diverged.fix"),
            ));
        }
        let fields = [("wrong_bits", rounded(r.errors)), ("psnr", rounded(r.psnr))];
        progress.tick(&Tick { epoch: 1, epochs: 1, done: r.step as usize, total: steps as usize, fields: &fields });
        if r.step.is_multiple_of(EVERY) || training.is_done() {
            saving.record(&r)?;
            let head = [("step", r.step as f64), ("loss", rounded(r.loss))];
            progress.record(
                &[&head[..], &fields].concat(),
                training.is_done() || r.step * 10 / steps > (r.step - EVERY.min(r.step)) * 10 / steps,
            );
        }
        saving.now_and_then(&*training)?;
    }
    drop(progress);
    let files = saving.finish(&*training)?;
    if !training.is_done() {
        let what = texts.fill("pinn.interrupted", &[("step", &training.state().step), ("steps", &steps)]);
        let why = texts.fill("pinn.saved", &[("path", &saving.folder.path().display())]);
        return Err(Report::new(Exit::Interrupted, what, why, checkpoint::resume_hint(&texts, &saving.folder)));
    }
    show(shell, &saving, &files)
}

fn show(shell: &mut Shell, saving: &Saving, files: &[PathBuf]) -> Result<(), Report> {
    let Record { step, errors, psnr, .. } = saving.mean();
    if shell.json {
        return shell
            .print_json(&json!({ "folder": saving.folder.path(), "steps": step, "wrong_bits": errors, "psnr": psnr, "files": files }));
    }
    let texts = shell.texts;
    let values: [(&str, &dyn std::fmt::Display); 3] =
        [("steps", &step), ("errors", &format!("{:.2}", 100.0 * errors)), ("psnr", &format!("{psnr:.1}"))];
    let list: Vec<String> = files.iter().map(|f| format!("  {}", f.display())).collect();
    shell.print(&format!("{}\n\n{}\n{}", texts.fill("stego.trained", &values), texts.get("pinn.files"), list.join("\n")))
}

/// Four digits: more would only flicker.
fn rounded(x: f64) -> f64 {
    format!("{x:.3e}").parse().unwrap_or(x)
}
