//! `neurona train connect4`: a network that learns from a table of solved positions. Its run folder is that of any network: the
//! data lie in it as arrays, and the settings are a training file.

use super::{read, unusable};
use crate::commands::train::{self, Changes};
use crate::config::Source;
use crate::network::Job;
use crate::report::{Exit, Report};
use crate::run::{CONFIG, RunFolder, unwritable};
use crate::{Shell, Texts};
use connect4::lesson::{Lesson, PRESETS, Preset};
use connect4::table::{self, Split};
use std::fs;
use std::path::PathBuf;

/// Arguments of `neurona train connect4`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Tried settings
    #[arg(long, value_name = "deck|best", value_parser = ["deck", "best"], default_value = "best", hide_default_value = true, hide_possible_values = true)]
    preset: String,
    /// The table
    #[arg(long, value_name = "FILE", default_value = "table.csv", hide_default_value = true)]
    table: PathBuf,
    /// Changes to the settings
    #[command(flatten)]
    changes: Changes,
    /// The run folder
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Trains, and prints the result.
///
/// # Errors
/// A wrong setting (3), a table that cannot be used (4), a training that diverged (5) or was interrupted (130).
pub fn run(args: &Args, shell: &mut Shell) -> Result<(), Report> {
    let texts = shell.texts;
    let preset = Preset::of(&args.preset).unwrap_or(PRESETS[0]); // the parser lets no other name through
    let lessons = lessons(&texts, args, &preset)?;
    let folder = RunFolder::create(&texts, &format!("connect4-{}", preset.name), args.out.as_deref())?;
    let begun = begin(&texts, args, &preset, &folder, &lessons);
    drop(lessons); // the job has its own
    let job = begun.inspect_err(|_| {
        fs::remove_dir_all(folder.file(DATA)).ok(); // it may not be there
        folder.clone().discard();
    })?;
    let outcome = job.train(folder)?;
    train::show(shell, &job, &outcome)
}

/// The folder of the arrays, in the run folder.
const DATA: &str = "data";

/// The table's three parts as arrays.
fn lessons(texts: &Texts, args: &Args, preset: &Preset) -> Result<Vec<Lesson>, Report> {
    if !args.table.exists() {
        let what = texts.fill("connect4.no_table", &[("path", &args.table.display())]);
        return Err(Report::new(Exit::Data, what, "", texts.get("connect4.no_table.fix")));
    }
    let rows = table::read(&read(texts, &args.table)?).map_err(|e| unusable(texts, &args.table, &e))?;
    let lessons: Vec<Lesson> = Split::ALL.iter().map(|&split| Lesson::new(preset, &rows, split)).collect();
    match lessons.iter().find(|l| l.shape[0] == 0) {
        None => Ok(lessons),
        Some(none) => Err(unusable(texts, &args.table, &texts.fill("connect4.no_rows", &[("split", &none.split.name())]))),
    }
}

/// Writes arrays and settings into the run folder, and checks them.
fn begin(texts: &Texts, args: &Args, preset: &Preset, folder: &RunFolder, lessons: &[Lesson]) -> Result<Job, Report> {
    let data = folder.file(DATA);
    fs::create_dir_all(&data).map_err(|e| unwritable(texts, &data, &e))?;
    for (name, bytes) in lessons.iter().flat_map(Lesson::files) {
        folder.write(&format!("{DATA}/{name}"), &bytes)?;
    }
    let file = folder.write(CONFIG, preset.file.as_bytes())?;
    let mut source = Source::open(texts, &file)?;
    args.changes.apply(texts, &mut source)?;
    Job::open(texts, &source, &file)
}
