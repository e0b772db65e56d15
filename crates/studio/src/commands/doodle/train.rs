//! `neurona train doodle`: a network that recognises drawings. Its run folder is that of any network: the data lie in it as
//! arrays, and the settings are a training file.

use super::{NOTES, Notes, bad, files};
use crate::commands::train::{self, Changes};
use crate::config::Source;
use crate::network::Job;
use crate::number::duration;
use crate::progress::{Progress, Tick};
use crate::report::Report;
use crate::run::{CONFIG, RunFolder, unwritable};
use crate::{Shell, Texts, failure, interrupt};
use doodle::lesson::{Lesson, Preset, Selection, Taken};
use neurona::data::{Dataset, Targets};
use std::fs;
use std::path::PathBuf;
use std::time::Instant;

/// Arguments of `neurona train doodle`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Files and folders of drawings
    #[arg(value_name = "PATH")]
    data: Vec<PathBuf>,
    /// Tried settings
    #[arg(long, value_name = "deck|best|small", value_parser = ["deck", "best", "small"], default_value = "best", hide_default_value = true, hide_possible_values = true)]
    preset: String,
    /// Made drawings of each class
    #[arg(long, value_name = "N", conflicts_with = "data")]
    made: Option<usize>,
    /// Drawings of each class
    #[arg(long, value_name = "N", default_value_t = usize::MAX, hide_default_value = true)]
    each: usize,
    /// Further forms of drawings known by their strokes
    #[arg(long, value_name = "N", default_value_t = 1, hide_default_value = true)]
    forms: usize,
    /// Only drawings that were recognised
    #[arg(long)]
    recognized: bool,
    /// Changes to the settings
    #[command(flatten)]
    changes: Changes,
    /// The run folder
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// The folder of the arrays, in the run folder.
const DATA: &str = "data";

/// Drawings of each class that are made where none are given.
const MADE: usize = 400;

/// Trains, and prints the result.
///
/// # Errors
/// A wrong setting (3), drawings that cannot be used (4), a training that diverged (5) or was interrupted (130).
pub fn run(args: &Args, shell: &mut Shell) -> Result<(), Report> {
    let texts = shell.texts;
    let preset = Preset::of(&args.preset).unwrap_or(Preset::BEST); // the parser lets no other name through
    let paths = files(&texts, &args.data)?;
    interrupt::watch();
    let folder = RunFolder::create(&texts, &format!("doodle-{}", preset.name), args.out.as_deref())?;
    let begin = Instant::now();
    let begun = prepare(&texts, args, &paths, &folder).and_then(|taken| {
        let notes = Notes { temperature: None, drawings: taken.drawings, seconds: begin.elapsed().as_secs_f64() };
        let job = open(&texts, args, &preset, &folder, &taken)?;
        folder.write_json(NOTES, &notes)?;
        Ok((job, taken, notes))
    });
    let (job, taken, notes) = begun.inspect_err(|_| {
        fs::remove_dir_all(folder.file(DATA)).ok(); // it may not be there
        folder.clone().discard();
    })?;
    let outcome = job.train(folder.clone())?;
    calibrate(&texts, &folder, &job, &notes)?;
    train::show(shell, &job, &outcome)?;
    if shell.json {
        return Ok(());
    }
    let values: [(&str, &dyn std::fmt::Display); 4] = [
        ("drawings", &taken.drawings),
        ("classes", &taken.classes.len()),
        ("time", &duration(notes.seconds)),
        ("rate", &(taken.drawings as f64 / notes.seconds.max(1e-9)).round()),
    ];
    shell.print(&texts.fill("doodle.read", &values))
}

/// Writes the drawings as arrays into the run folder.
fn prepare(texts: &Texts, args: &Args, paths: &[PathBuf], folder: &RunFolder) -> Result<Taken, Report> {
    let data = folder.file(DATA);
    fs::create_dir_all(&data).map_err(|e| unwritable(texts, &data, &e))?;
    let selection =
        Selection { per_class: args.each, forms: args.forms, recognized: args.recognized, seed: args.changes.seed.unwrap_or(1).into() };
    let failed = |e: doodle::BadData| bad(texts, &e);
    let mut lesson = Lesson::begin(&data, selection).map_err(failed)?;
    let mut progress = Progress::stderr(*texts);
    let mut tick = |file: usize, of: usize, share: f64| {
        progress.tick(&Tick { epoch: file + 1, epochs: of, done: (1000.0 * share) as usize, total: 1000, fields: &[] });
        !interrupt::requested()
    };
    for (i, path) in paths.iter().enumerate() {
        lesson.add(path, |share| tick(i, paths.len(), share)).map_err(failed)?;
    }
    if paths.is_empty() {
        lesson.add_made(args.made.unwrap_or(MADE), |share| tick(0, 1, share)).map_err(failed)?;
    }
    interrupt::check(texts)?;
    lesson.finish().map_err(failed)
}

/// Writes the settings into the run folder, and checks them.
fn open(texts: &Texts, args: &Args, preset: &Preset, folder: &RunFolder, taken: &Taken) -> Result<Job, Report> {
    let settings = preset.settings(&taken.classes).map_err(|e| failure::report(texts, &e))?;
    let file = folder.write(CONFIG, settings.as_bytes())?;
    let mut source = Source::open(texts, &file)?;
    args.changes.apply(texts, &mut source)?;
    Job::open(texts, &source, &file)
}

/// Completes the notes of a training that is over: with the temperature of the best weights, from the rows that chose them.
///
/// # Errors
/// A run that cannot be used (4), notes that cannot be written (1).
pub(in crate::commands) fn calibrate(texts: &Texts, folder: &RunFolder, job: &Job, notes: &Notes) -> Result<(), Report> {
    let (mut doodler, _) = super::recogniser(texts, Some(folder.path()))?;
    let temperature = match &job.data.validation {
        None => 1.0,
        Some(set) => {
            let (pixels, labels) = rows(texts, set)?;
            doodler.calibrate(&pixels, &labels).map_err(|e| failure::report(texts, &e))?
        }
    };
    folder.write_json(NOTES, &Notes { temperature: Some(temperature), ..notes.clone() }).map(|_| ())
}

/// The pixels and classes of a set of rows.
pub(super) fn rows(texts: &Texts, set: &Dataset) -> Result<(Vec<u8>, Vec<usize>), Report> {
    let values = set.x.read_rows(0, set.len()).map_err(|e| failure::data(texts, &e))?;
    let labels = match &set.targets {
        Targets::Classes { labels, .. } => labels.iter().map(|&l| l as usize).collect(),
        Targets::Values(_) => vec![],
    };
    Ok((values.data.iter().map(|v| (v * 255.0).round() as u8).collect(), labels))
}
