//! The files of a run.

use super::failed;
use crate::commands::resume::may_go_on;
use crate::network::saved::State as Phase;
use crate::report::{Exit, Report};
use crate::run::{CONFIG, CURVES, LAST, META, METRICS, RunFolder, SOLUTION};
use crate::{Lang, Texts, checkpoint};
use neurona::weights::{self, Notes};
use neurona::{Param, State};
use pinn::{Labels, Losses, Outcome, Record, Training, curves, panels};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Time between saves: what a power failure can cost, and how old the pictures of those who watch may be.
const INTERVAL: Duration = Duration::from_secs(1);
/// What meta.json and state.safetensors call a run of this kind.
pub(in crate::commands) const KIND: &str = "pinn";

/// A run folder in use.
pub(super) struct Saving {
    pub(super) folder: RunFolder,
    texts: Texts,
    meta: Meta,
    /// The settings as saved: config.toml.
    config: String,
    /// What an earlier process recorded.
    before: Vec<Record>,
    saved: Instant,
}

/// What meta.json holds.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Meta {
    version: String,
    kind: String,
    state: Phase,
    preset: String,
    seed: u32,
    parameters: usize,
    step: u64,
    steps: u64,
    relative_l2: Option<f64>,
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
    /// Writes the settings and the state before the first step.
    pub(super) fn begin(texts: &Texts, folder: RunFolder, training: &Training, preset: &str) -> Result<Saving, Report> {
        let settings = training.settings();
        let config = settings.to_toml().map_err(|e| failed(texts, &e))?;
        let meta = Meta {
            version: env!("CARGO_PKG_VERSION").into(),
            kind: KIND.into(),
            state: Phase::Training,
            preset: preset.into(),
            seed: settings.seed,
            parameters: training.params().iter().map(Param::len).sum(),
            step: 0,
            steps: settings.steps,
            relative_l2: None,
        };
        let mut saving = Saving { folder, texts: *texts, meta, config, before: vec![], saved: Instant::now() };
        let begun = saving.folder.write(CONFIG, saving.config.as_bytes());
        let begun = begun.and_then(|_| saving.state(training.params(), training.state())).and_then(|()| saving.save_meta(Phase::Training));
        if let Err(report) = begun {
            saving.folder.discard();
            return Err(report);
        }
        Ok(saving)
    }

    /// Reads the state to go on from; `training` is a fresh one of the same settings.
    pub(super) fn resume(texts: &Texts, folder: RunFolder, training: &Training) -> Result<(Saving, State), Report> {
        let meta: Meta = serde_json::from_str(&folder.read(META)?).map_err(|e| folder.unreadable(META, &e.to_string()))?;
        may_go_on(texts, &folder, meta.state)?;
        let settings = training.settings();
        let config = settings.to_toml().map_err(|e| failed(texts, &e))?;
        let (state, _) = checkpoint::load(texts, &folder, (training.params(), settings.optimizer.slots()), (KIND, &config))?;
        let text = folder.read(METRICS).unwrap_or_default(); // before the first record there is none
        let before: Vec<Record> = text.lines().map_while(record).take_while(|r| r.step <= state.step).collect();
        let due = state.step / settings.report.every;
        if (before.len() as u64) < due {
            let why = texts.fill("resume.metrics_steps", &[("records", &before.len()), ("steps", &state.step)]);
            return Err(folder.unreadable(METRICS, &why));
        }
        folder.write(CONFIG, config.as_bytes())?;
        Ok((Saving { folder, texts: *texts, meta, config, before, saved: Instant::now() }, state))
    }

    /// The preset that the settings began with.
    pub(super) fn preset(&self) -> &str {
        &self.meta.preset
    }

    /// Saves everything to go on from if the last time was long ago.
    pub(super) fn now_and_then(&mut self, training: &Training) -> Result<(), Report> {
        if self.saved.elapsed() < INTERVAL {
            return Ok(());
        }
        self.metrics(&self.whole(training.history()))?;
        self.weights(training.params(), training.state())?;
        self.state(training.params(), training.state())?;
        self.meta.step = training.state().step;
        self.saved = Instant::now();
        self.save_meta(Phase::Training)
    }

    /// What remains to be saved where training diverged: its course. Weights saved before stay.
    pub(super) fn diverged(&mut self, history: &[Record]) -> Result<(), Report> {
        let history = self.whole(history);
        self.metrics(&history)?;
        self.folder.write(CURVES, curves(&history, &labels(&self.texts)).as_bytes())?;
        self.save_meta(Phase::Diverged)
    }

    /// Saves everything and lists the files; the outcome is completed by what was recorded before.
    pub(super) fn finish(&mut self, outcome: &mut Outcome) -> Result<Vec<PathBuf>, Report> {
        outcome.history = self.whole(&outcome.history);
        if outcome.losses == Losses::default() {
            outcome.losses = outcome.history.last().map_or(outcome.losses, |r| r.losses); // no step was left to take
        }
        outcome.seconds += self.before.last().map_or(0.0, |r| r.seconds);
        let labels = labels(&self.texts);
        let files = vec![
            self.folder.file(CONFIG),
            self.metrics(&outcome.history)?,
            self.weights(&outcome.params, &outcome.state)?,
            self.folder.write(SOLUTION, panels(outcome, &labels).as_bytes())?,
            self.folder.write(CURVES, curves(&outcome.history, &labels).as_bytes())?,
        ];
        self.state(&outcome.params, &outcome.state)?;
        (self.meta.step, self.meta.relative_l2) = (outcome.state.step, Some(outcome.relative_l2));
        self.save_meta(if outcome.is_complete() { Phase::Done } else { Phase::Interrupted })?;
        super::trained::page(&self.texts, &self.folder)?;
        Ok(files)
    }

    /// The records of the whole training.
    fn whole(&self, history: &[Record]) -> Vec<Record> {
        let earlier = self.before.last().map_or(0.0, |r| r.seconds);
        let later = history.iter().map(|r| Record { seconds: r.seconds + earlier, ..*r });
        self.before.iter().copied().chain(later).collect()
    }

    fn metrics(&self, history: &[Record]) -> Result<PathBuf, Report> {
        let line = |r: &Record| {
            let Record { step, losses, relative_l2, learning_rate, seconds } = *r;
            Line { step, losses, relative_l2, learning_rate, seconds }
        };
        self.folder.write_lines(METRICS, history.iter().map(line))
    }

    fn state(&self, params: &[Param], state: &State) -> Result<(), Report> {
        checkpoint::save(&self.texts, &self.folder, (params, state), (KIND, &self.config), &[])
    }

    fn save_meta(&mut self, phase: Phase) -> Result<(), Report> {
        self.meta.state = phase;
        self.folder.write_json(META, &self.meta).map(drop)
    }

    fn weights(&self, params: &[Param], state: &State) -> Result<PathBuf, Report> {
        let path = self.folder.file(LAST);
        let notes = [("application", KIND.to_string()), ("step", state.step.to_string()), ("seed", state.seed.to_string())];
        let notes: Notes = notes.into_iter().map(|(k, v)| (k.to_string(), v)).collect();
        weights::save(&path, params, &state.params, &notes)
            .map_err(|e| Report::new(Exit::Failed, e.to_string(), "", self.texts.get("run.unwritable.fix")))?;
        Ok(path)
    }
}

/// The record of a line of metrics.jsonl; none if it is no such line.
fn record(line: &str) -> Option<Record> {
    let v: Value = serde_json::from_str(line).ok()?;
    let number = |key: &str| v[key].as_f64();
    let losses = Losses { total: number("total")?, pde: number("pde")?, boundary: number("boundary")?, initial: number("initial")? };
    let (step, relative_l2) = (v["step"].as_u64()?, number("relative_l2"));
    Some(Record { step, losses, relative_l2, learning_rate: number("learning_rate")?, seconds: number("seconds")? })
}

/// The texts of the pictures.
fn labels(texts: &Texts) -> Labels {
    match texts.lang() {
        Lang::En => Labels::ENGLISH,
        Lang::Es => Labels::SPANISH,
    }
}
