//! `neurona train FILE.toml`: trains a declared network into a run folder.

use crate::config::Source;
use crate::network::{Job, Outcome, percent};
use crate::number::{duration, short};
use crate::report::Report;
use crate::run::RunFolder;
use crate::table::{Align, Table};
use crate::{Shell, Texts};
use neurona::Scores;
use neurona::data::{Dataset, Loaded};
use serde_json::{Map, Value, json};
use std::path::PathBuf;

/// Arguments of `neurona train`.
// With another struct inside, clap must be told what shows that a network is asked for, not an application.
#[derive(clap::Args, Debug)]
#[group(args = ["file"])]
pub struct Args {
    /// The training file
    #[arg(value_name = "FILE.toml")]
    pub file: PathBuf,
    /// Changes to the settings
    #[command(flatten)]
    pub changes: Changes,
    /// The run folder
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

/// Changes to a training file that the command line makes.
#[derive(clap::Args, Clone, Debug, Default)]
pub struct Changes {
    /// Changes to the settings
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Seed
    #[arg(long, value_name = "N")]
    pub seed: Option<u32>,
    /// Epochs
    #[arg(long, value_name = "N")]
    pub epochs: Option<u32>,
    /// Threads
    #[arg(long, value_name = "N")]
    pub threads: Option<u32>,
}

impl Changes {
    /// Makes them.
    ///
    /// # Errors
    /// A pair that is none, or names no setting (2).
    pub fn apply(&self, texts: &Texts, source: &mut Source) -> Result<(), Report> {
        for pair in &self.set {
            source.set_pair(texts, pair)?;
        }
        for (option, key, value) in
            [("--seed", "seed", self.seed), ("--epochs", "epochs", self.epochs), ("--threads", "threads", self.threads)]
        {
            if let Some(value) = value {
                source.set(option, key, i64::from(value));
            }
        }
        Ok(())
    }
}

/// Trains, and prints the result.
///
/// # Errors
/// A wrong setting (3), wrong data (4), a training that diverged (5) or was interrupted (130).
pub fn run(args: &Args, shell: &mut Shell) -> Result<(), Report> {
    let texts = shell.texts;
    let mut source = Source::open(&texts, &args.file)?;
    args.changes.apply(&texts, &mut source)?;
    let job = Job::open(&texts, &source, &args.file)?;
    let folder = RunFolder::create(&texts, &job.name(), args.out.as_deref())?;
    let outcome = job.train(folder)?;
    show(shell, &job, &outcome)
}

/// Prints the result.
pub(super) fn show(shell: &mut Shell, job: &Job, outcome: &Outcome) -> Result<(), Report> {
    if shell.json { shell.print_json(&json(outcome)) } else { shell.print(&text(outcome, &shell.texts, &job.data)) }
}

/// The scores of the best epoch and of the test: name, scores.
fn scores(o: &Outcome) -> Vec<(&'static str, Scores)> {
    let best = o.epochs.iter().find(|e| e.epoch == o.best);
    let mut list: Vec<(&str, Scores)> = best.map(|e| ("train", e.train.clone())).into_iter().collect();
    list.extend(best.and_then(|e| e.validation.clone()).map(|v| ("validation", v)));
    list.extend(o.test.clone().map(|t| ("test", t)));
    list
}

fn json(o: &Outcome) -> Value {
    let mut object = Map::new();
    object.insert("run".into(), json!(o.folder.path().display().to_string()));
    object.insert("epochs".into(), json!(o.epochs.len()));
    object.insert("best_epoch".into(), json!(o.best));
    object.insert("seconds".into(), json!(o.seconds));
    object.insert("stopped_early".into(), json!(o.stopped.is_some()));
    for (name, scores) in scores(o) {
        let pairs = scores.metrics.iter().map(|(m, value)| (m.name().to_string(), json!(value)));
        let pairs: Map<String, Value> = [("loss".to_string(), json!(scores.loss))].into_iter().chain(pairs).collect();
        object.insert(name.into(), Value::Object(pairs));
    }
    Value::Object(object)
}

fn text(o: &Outcome, texts: &Texts, data: &Loaded) -> String {
    let scores = scores(o);
    let metrics = scores.first().map_or(vec![], |(_, s)| s.metrics.iter().map(|(m, _)| *m).collect());
    let (rows, loss) = (texts.get("train.rows"), texts.get("train.loss"));
    let head = [("", Align::Left), (&rows[..], Align::Right), (&loss[..], Align::Right)];
    let head: Vec<_> = head.into_iter().chain(metrics.iter().map(|m| (m.name(), Align::Right))).collect();
    let mut table = Table::new(&head);
    for (name, scores) in scores {
        let (title, rows) = match name {
            "train" => (texts.get("train.training"), data.train.len()),
            "validation" => (texts.get("train.validation"), data.validation.as_ref().map_or(0, Dataset::len)),
            _ => (texts.get("train.test"), data.test.as_ref().map_or(0, Dataset::len)),
        };
        let cells = [title, rows.to_string(), short(scores.loss)];
        table.row(cells.into_iter().chain(scores.metrics.iter().map(|&(m, value)| percent(Some(m), value))));
    }
    let values: [(&str, &dyn std::fmt::Display); 4] =
        [("best", &o.best), ("epochs", &o.epochs.len()), ("time", &duration(o.seconds)), ("folder", &o.folder.path().display())];
    let stopped = o.stopped.iter().map(|why| format!("{why}\n")).collect::<String>();
    format!("{table}\n\n{stopped}{}", texts.fill("train.done", &values))
}
