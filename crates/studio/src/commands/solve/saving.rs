//! The files of a run.

use crate::commands::resume::may_go_on;
use crate::network::saved::State as Phase;
use crate::report::{Exit, Report};
use crate::run::{CONFIG, CURVES, META, METRICS, RunFolder, STATE};
use crate::{Texts, checkpoint};
use pinn::solve::{self, Problem, Progress, Record, Reference, Solved, Solver, Words};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Time between saves: what a power failure can cost, and how old a page's maps of a solution in the making can be.
const INTERVAL: Duration = Duration::from_secs(3);
/// What meta.json calls a run of this kind.
pub(crate) const KIND: &str = "solve";

/// A run folder in use.
pub(super) struct Saving {
    pub(super) folder: RunFolder,
    texts: Texts,
    meta: Meta,
    /// The settings as saved: config.toml.
    config: String,
    /// Lines of metrics.jsonl.
    lines: usize,
    saved: Instant,
}

/// What meta.json holds.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Meta {
    version: String,
    kind: String,
    state: Phase,
    seed: u32,
    parameters: usize,
    step: u64,
    /// The folder in which the files that the problem names are looked for.
    files: PathBuf,
    relative_l2: Option<f64>,
}

/// The folder of the files that the problem of a run names.
///
/// # Errors
/// A meta.json that cannot be read (4).
pub(super) fn parent(folder: &RunFolder) -> Result<PathBuf, Report> {
    Ok(meta(folder)?.files)
}

/// Whether a run has steps left to take.
///
/// # Errors
/// It has reached its end (2), or diverged (5); a meta.json that cannot be read (4).
pub(super) fn may_resume(texts: &Texts, folder: &RunFolder) -> Result<(), Report> {
    may_go_on(texts, folder, meta(folder)?.state)
}

/// The saved state, and the settings that it is the state of.
///
/// # Errors
/// A state that cannot be read (4).
pub(super) fn state(folder: &RunFolder) -> Result<(Progress, String), Report> {
    let bytes = std::fs::read(folder.file(STATE)).map_err(|e| folder.unreadable(STATE, &e.to_string()))?;
    Progress::from_bytes(&bytes).map_err(|e| folder.unreadable(STATE, &e))
}

fn meta(folder: &RunFolder) -> Result<Meta, Report> {
    serde_json::from_str(&folder.read(META)?).map_err(|e| folder.unreadable(META, &e.to_string()))
}

fn settings(problem: &Problem) -> Result<String, Report> {
    toml::to_string_pretty(&problem.file).map_err(|e| Report::new(Exit::Failed, e.to_string(), "", ""))
}

impl Saving {
    /// Writes the settings and the state before the first step.
    pub(super) fn begin(texts: &Texts, folder: RunFolder, solver: &Solver, parent: &Path) -> Result<Saving, Report> {
        let meta = Meta {
            version: env!("CARGO_PKG_VERSION").into(),
            kind: KIND.into(),
            state: Phase::Training,
            seed: solver.problem().file.seed,
            parameters: solver.parameters(),
            step: 0,
            files: std::fs::canonicalize(parent).unwrap_or(parent.into()),
            relative_l2: None,
        };
        let config = settings(solver.problem())?;
        let mut saving = Saving { folder, texts: *texts, meta, config, lines: 0, saved: Instant::now() };
        let begun = saving
            .folder
            .write(CONFIG, saving.config.as_bytes())
            .and_then(|_| saving.state(solver))
            .and_then(|()| saving.save_meta(Phase::Training));
        if let Err(report) = begun {
            saving.folder.discard();
            return Err(report);
        }
        Ok(saving)
    }

    /// Reads the state to go on from and the records until then.
    pub(super) fn resume(texts: &Texts, folder: RunFolder, problem: &Problem) -> Result<(Saving, Progress, Vec<Record>), Report> {
        let meta = meta(&folder)?;
        let (progress, saved) = state(&folder)?;
        let config = settings(problem)?;
        checkpoint::unchanged(texts, &folder, &saved, &config)?;
        let text = folder.read(METRICS).unwrap_or_default(); // before the first record there is none
        let lines = text.lines().map_while(|l| serde_json::from_str(l).ok());
        let records: Vec<Record> = lines.take_while(|r: &Record| r.step <= progress.total).collect();
        let mut saving = Saving { folder, texts: *texts, meta, config, lines: 0, saved: Instant::now() };
        saving.metrics(&records)?; // what was recorded after the state was saved comes again
        Ok((saving, progress, records))
    }

    /// The file of the reference that is not there, if the problem names one.
    pub(super) fn absent(&self, problem: &Problem) -> Option<PathBuf> {
        Reference::absent(problem, &self.meta.files)
    }

    /// Notes what was recorded, and saves everything to go on from if the last time was long ago.
    pub(super) fn now_and_then(&mut self, solver: &Solver) -> Result<(), Report> {
        for record in solver.records().iter().skip(self.lines) {
            self.folder.append(METRICS, &serde_json::to_string(record).map_err(std::io::Error::from)?)?;
            self.lines += 1;
        }
        if self.saved.elapsed() < INTERVAL {
            return Ok(());
        }
        self.state(solver)?;
        self.meta.step = solver.progress().total;
        self.saved = Instant::now();
        self.save_meta(Phase::Training)
    }

    /// What remains to be saved where the loss ran away: its course.
    pub(super) fn diverged(&mut self, solver: &Solver) -> Result<(), Report> {
        self.metrics(solver.records())?;
        self.save_meta(Phase::Diverged)
    }

    /// Saves everything and lists the files.
    pub(super) fn finish(&mut self, solver: &Solver, solved: &Solved) -> Result<Vec<PathBuf>, Report> {
        let (problem, words) = (solver.problem(), words(&self.texts));
        let title = self.folder.name();
        let mut files = vec![self.folder.file(CONFIG), self.metrics(solver.records())?];
        let shape: Vec<usize> = solved.places.iter().map(Vec::len).collect();
        for (name, values) in problem.file.unknowns.iter().zip(&solved.values) {
            files.push(self.folder.write(&format!("{name}.npy"), &solve::npy_bytes(&shape, values))?);
        }
        for (name, svg) in solve::solution(problem, solved, &words, &title) {
            files.push(self.folder.write(&format!("{name}.svg"), svg.as_bytes())?);
        }
        if let Some(svg) = solve::slices(problem, solved, &words, &title) {
            files.push(self.folder.write("slices.svg", svg.as_bytes())?);
        }
        files.push(self.folder.write(CURVES, solve::curves(solver.records(), &solver.names(), &words, &title).as_bytes())?);
        self.state(solver)?;
        (self.meta.step, self.meta.relative_l2) = (solver.progress().total, solved.relative_l2());
        self.save_meta(if solver.is_done() { Phase::Done } else { Phase::Interrupted })?;
        Ok(files)
    }

    fn metrics(&mut self, records: &[Record]) -> Result<PathBuf, Report> {
        self.lines = records.len();
        self.folder.write_lines(METRICS, records)
    }

    fn state(&self, solver: &Solver) -> Result<(), Report> {
        let bytes = solver.progress().to_bytes(&self.config).map_err(|e| Report::new(Exit::Failed, e, "", ""))?;
        self.folder.write(STATE, &bytes).map(drop)
    }

    fn save_meta(&mut self, phase: Phase) -> Result<(), Report> {
        self.meta.state = phase;
        self.folder.write_json(META, &self.meta).map(drop)
    }
}

fn words(texts: &Texts) -> Words {
    let get = |key: &str| texts.get(key);
    Words {
        exact: get("pinn.exact"),
        error: get("solve.picture.error"),
        residual: get("solve.picture.residual"),
        losses: get("solve.picture.losses"),
        relative_l2: get("pinn.relative_l2"),
        step: get("solve.picture.step"),
    }
}
