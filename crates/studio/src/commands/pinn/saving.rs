//! The files of a run.

use super::failed;
use crate::report::{Exit, Report};
use crate::run::RunFolder;
use crate::{Lang, Texts};
use neurona::weights::{self, Notes};
use neurona::{Param, State};
use pinn::{Labels, Losses, Outcome, Record, Settings, Training, curves, panels};
use serde::Serialize;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Time between saves: what a power failure can cost.
const INTERVAL: Duration = Duration::from_secs(5);

/// A run folder in use.
pub(super) struct Saving {
    pub(super) folder: RunFolder,
    texts: Texts,
    saved: Instant,
}

/// A line of metrics.jsonl.
#[derive(Serialize)]
struct Line {
    step: u64,
    #[serde(flatten)]
    losses: Losses,
    relative_l2: Option<f64>,
    learning_rate: f64,
    seconds: f64,
}

impl Saving {
    /// Writes the settings.
    pub(super) fn begin(texts: &Texts, folder: RunFolder, settings: &Settings) -> Result<Saving, Report> {
        let text = settings.to_toml().map_err(|e| failed(texts, &e))?;
        folder.write("config.toml", text.as_bytes())?;
        Ok(Saving { folder, texts: *texts, saved: Instant::now() })
    }

    /// Saves metrics and weights if the last time was long ago.
    pub(super) fn now_and_then(&mut self, training: &Training) -> Result<(), Report> {
        if self.saved.elapsed() < INTERVAL {
            return Ok(());
        }
        self.metrics(training.history())?;
        self.weights(training.params(), training.state())?;
        self.saved = Instant::now();
        Ok(())
    }

    /// What remains to be saved where training diverged: its course. Weights saved before stay.
    pub(super) fn diverged(&self, history: &[Record]) -> Result<(), Report> {
        self.metrics(history)?;
        self.folder.write("curves.svg", curves(history, &labels(&self.texts)).as_bytes())?;
        Ok(())
    }

    /// Saves everything and lists the files.
    pub(super) fn finish(&self, outcome: &Outcome) -> Result<Vec<PathBuf>, Report> {
        let labels = labels(&self.texts);
        Ok(vec![
            self.folder.file("config.toml"),
            self.metrics(&outcome.history)?,
            self.weights(&outcome.params, &outcome.state)?,
            self.folder.write("solution.svg", panels(outcome, &labels).as_bytes())?,
            self.folder.write("curves.svg", curves(&outcome.history, &labels).as_bytes())?,
        ])
    }

    fn metrics(&self, history: &[Record]) -> Result<PathBuf, Report> {
        let mut text = vec![];
        for &Record { step, losses, relative_l2, learning_rate, seconds } in history {
            let line = Line { step, losses, relative_l2, learning_rate, seconds };
            serde_json::to_writer(&mut text, &line).map_err(std::io::Error::from)?;
            text.push(b'\n');
        }
        self.folder.write("metrics.jsonl", &text)
    }

    fn weights(&self, params: &[Param], state: &State) -> Result<PathBuf, Report> {
        let path = self.folder.file("last.safetensors");
        let notes = [("application", "pinn".to_string()), ("step", state.step.to_string()), ("seed", state.seed.to_string())];
        let notes: Notes = notes.into_iter().map(|(k, v)| (k.to_string(), v)).collect();
        weights::save(&path, params, &state.params, &notes)
            .map_err(|e| Report::new(Exit::Failed, e.to_string(), "", self.texts.get("run.unwritable.fix")))?;
        Ok(path)
    }
}

/// The texts of the pictures.
pub(in crate::commands) fn labels(texts: &Texts) -> Labels {
    match texts.lang() {
        Lang::En => Labels::ENGLISH,
        Lang::Es => Labels::SPANISH,
    }
}
