//! The files of a training run.

use super::train::EVERY;
use crate::commands::resume::may_go_on;
use crate::network::saved::State as Phase;
use crate::report::Report;
use crate::run::{CONFIG, CURVES, LAST, META, METRICS, RunFolder};
use crate::{Texts, checkpoint, failure};
use neurona::weights::{self, Notes};
use neurona::{Optimizer, Param, State};
use plot::{Axis, Lines};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::time::{Duration, Instant};
use steganography::training::{Course, Record, Steering};

/// What meta.json and state.safetensors call a run of this kind.
pub(crate) const KIND: &str = "steganography";
/// Time between saves: what a power failure can cost.
const INTERVAL: Duration = Duration::from_secs(10);

/// A run folder in use.
pub(super) struct Saving {
    pub(super) folder: RunFolder,
    texts: Texts,
    meta: Meta,
    config: String,
    records: Vec<Record>,
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
}

fn config(training: &dyn Course) -> Result<String, Report> {
    Ok(training.config().map_err(std::io::Error::other)?)
}

impl Saving {
    /// Writes the settings and the state before the first step.
    pub(super) fn begin(texts: &Texts, folder: RunFolder, training: &dyn Course, preset: &str) -> Result<Saving, Report> {
        let meta = Meta {
            version: env!("CARGO_PKG_VERSION").into(),
            kind: KIND.into(),
            state: Phase::Training,
            preset: preset.into(),
            seed: training.seed(),
            parameters: training.params().iter().map(Param::len).sum(),
            step: 0,
            steps: training.steps(),
        };
        let mut saving = Saving { folder, texts: *texts, meta, config: config(training)?, records: vec![], saved: Instant::now() };
        let begun = saving.folder.write(CONFIG, saving.config.as_bytes()).and_then(|_| saving.all(training, Phase::Training));
        if let Err(report) = begun {
            saving.folder.discard();
            return Err(report);
        }
        Ok(saving)
    }

    /// Reads what to go on from; `training` is a fresh one of the same settings.
    pub(super) fn resume(texts: &Texts, folder: RunFolder, training: &dyn Course) -> Result<(Saving, State, Steering), Report> {
        let meta: Meta = serde_json::from_str(&folder.read(META)?).map_err(|e| folder.unreadable(META, &e.to_string()))?;
        may_go_on(texts, &folder, meta.state)?;
        let config = config(training)?;
        let (state, notes) = checkpoint::load(texts, &folder, (training.params(), Optimizer::adam().slots()), (KIND, &config))?;
        let number = |key: &str| notes.get(key).and_then(|n| n.parse().ok());
        let steering = number("weight").zip(number("errors")).map(|(weight, errors)| Steering { weight, errors });
        let steering = steering.ok_or_else(|| folder.unreadable(crate::run::STATE, ""))?;
        let lines = folder.read(METRICS).unwrap_or_default(); // before the first record there is none
        let records: Vec<Record> =
            lines.lines().map_while(|l| serde_json::from_str(l).ok()).take_while(|r: &Record| r.step <= state.step).collect();
        if (records.len() as u64) < state.step / EVERY {
            let why = texts.fill("resume.metrics_steps", &[("records", &records.len()), ("steps", &state.step)]);
            return Err(folder.unreadable(METRICS, &why));
        }
        Ok((Saving { folder, texts: *texts, meta, config, records, saved: Instant::now() }, state, steering))
    }

    /// Notes what is known after a step.
    pub(super) fn record(&mut self, record: &Record) -> Result<(), Report> {
        self.records.push(*record);
        Ok(())
    }

    /// The last record, with the mean quality of the last ten.
    pub(super) fn mean(&self) -> Record {
        let last = &self.records[self.records.len().saturating_sub(10)..];
        let psnr = last.iter().map(|r| r.psnr).sum::<f64>() / last.len().max(1) as f64;
        let step = self.meta.step;
        last.last().map_or(Record { step, loss: f64::NAN, errors: f64::NAN, psnr, weight: f64::NAN }, |r| Record { psnr, ..*r })
    }

    /// Saves everything to go on from if the last time was long ago.
    pub(super) fn now_and_then(&mut self, training: &dyn Course) -> Result<(), Report> {
        if self.saved.elapsed() < INTERVAL {
            return Ok(());
        }
        self.saved = Instant::now();
        self.all(training, Phase::Training)
    }

    /// What remains to be said where training diverged. Weights saved before stay.
    pub(super) fn diverged(&mut self) -> Result<(), Report> {
        self.metrics()?;
        self.save_meta(Phase::Diverged)
    }

    /// Saves everything and lists the files.
    pub(super) fn finish(&mut self, training: &dyn Course) -> Result<Vec<PathBuf>, Report> {
        self.all(training, if training.is_done() { Phase::Done } else { Phase::Interrupted })?;
        let curves = self.folder.write(CURVES, self.curves().as_bytes())?;
        Ok([CONFIG, METRICS, LAST].iter().map(|f| self.folder.file(f)).chain([curves]).collect())
    }

    fn all(&mut self, training: &dyn Course, phase: Phase) -> Result<(), Report> {
        self.metrics()?;
        let (params, state, steering) = (training.params(), training.state(), training.steering());
        let notes: Notes = [("application".to_string(), KIND.to_string())].into();
        weights::save(&self.folder.file(LAST), params, &state.params, &notes).map_err(|e| failure::report(&self.texts, &e))?;
        let more = [("weight", format!("{:?}", steering.weight)), ("errors", format!("{:?}", steering.errors))];
        checkpoint::save(&self.texts, &self.folder, (params, state), (KIND, &self.config), &more)?;
        self.meta.step = state.step;
        self.save_meta(phase)
    }

    fn metrics(&self) -> Result<(), Report> {
        self.folder.write_lines(METRICS, &self.records).map(drop)
    }

    fn save_meta(&mut self, phase: Phase) -> Result<(), Report> {
        self.meta.state = phase;
        self.folder.write_json(META, &self.meta).map(drop)
    }

    /// The course of the training.
    fn curves(&self) -> String {
        let texts = &self.texts;
        let line = |key: &str, name: &str, value: fn(&Record) -> f64| {
            Lines::new(&texts.get(key), Axis::linear(&texts.get("page.steps")), Axis::linear(""))
                .series(name, self.records.iter().map(|r| (r.step as f64, value(r))))
        };
        let errors = line("stego.wrong_bits", "", |r| 100.0 * r.errors);
        let psnr = line("stego.psnr", "", |r| r.psnr);
        plot::row(&texts.get("stego.course"), &[&errors, &psnr])
    }
}
