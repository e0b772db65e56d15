//! Follows a training: shows it, and saves what would otherwise be lost.

use super::metrics::{curves, fields, line};
use super::saved::{Meta, State as Phase};
use super::stopping::Watch;
use crate::number::duration;
use crate::progress::{Progress, Tick};
use crate::run::{BEST, CURVES, LAST, META, METRICS, RunFolder};
use crate::{Report, Texts, checkpoint, failure, interrupt};
use neurona::weights::{self, Notes};
use neurona::{BatchReport, EpochReport, Observer, Param, Position, Snapshot, State, Update};
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

/// After an epoch, files are written at most so often.
const PAUSE: Duration = Duration::from_secs(1);

/// Why a training ended before its last epoch.
pub enum Stop {
    /// Ctrl-C.
    Interrupted,
    /// It no longer improved.
    Early,
    /// It could not be saved.
    Failed(Report),
}

/// What is saved with the state besides the weights.
pub struct Settings {
    /// config.toml.
    pub config: String,
    /// The data's fingerprint.
    pub data: String,
    /// Longest time between two states.
    pub interval: Duration,
    /// Whose average of the weights is the best of an epoch, if it keeps one.
    pub rule: Update,
}

/// The weights of the best epoch so far.
struct Best {
    weights: Vec<Vec<f32>>,
    saved: bool,
}

/// The observer of a training in a run folder.
pub struct Recorder {
    texts: Texts,
    folder: RunFolder,
    meta: Meta,
    settings: Settings,
    progress: Progress,
    watch: Watch,
    best: Option<Best>,
    history: Vec<EpochReport>,
    saved: Instant,
    /// Losses of the rows of this epoch so far, and their number.
    running: (f64, usize),
    /// The last batch.
    batch: Option<BatchReport>,
    stop: Option<Stop>,
}

impl Recorder {
    /// The recorder of a training in `folder`.
    pub fn new((texts, progress): (Texts, Progress), folder: RunFolder, meta: Meta, watch: Watch, settings: Settings) -> Recorder {
        let (best, history, saved) = (None, vec![], Instant::now());
        Recorder { texts, folder, meta, settings, progress, watch, best, history, saved, running: (0.0, 0), batch: None, stop: None }
    }

    /// Goes on after the epochs of `history`; `weights` are those of the best.
    pub fn resume(&mut self, history: Vec<EpochReport>, weights: Option<Vec<Vec<f32>>>) {
        history.iter().for_each(|report| _ = self.watch.see(report));
        self.best = weights.map(|weights| Best { weights, saved: true });
        (self.meta.epochs, self.meta.best_epoch) = (history.len(), self.watch.best());
        self.history = history;
    }

    /// A line about the training that is about to begin, on a terminal only.
    pub fn announce(&mut self, line: &str) {
        if crate::progress::Style::stderr().live {
            self.progress.keep(line);
        }
    }

    /// The last batch, if there was one.
    pub fn last_batch(&self) -> Option<&BatchReport> {
        self.batch.as_ref()
    }

    /// The finished epochs.
    pub fn history(&self) -> &[EpochReport] {
        &self.history
    }

    /// The best epoch: its number from 1, and its weights.
    pub fn best(&self) -> Option<(usize, &[Vec<f32>])> {
        self.best.as_ref().map(|b| (self.watch.best(), &b.weights[..]))
    }

    /// What is known of the run.
    pub fn meta(&self) -> &Meta {
        &self.meta
    }

    /// The number that is watched.
    pub fn watch(&mut self) -> &mut Watch {
        &mut self.watch
    }

    /// Why the training ended, if it did before its last epoch.
    pub fn stopped(&mut self) -> Option<Stop> {
        self.progress.clear();
        self.stop.take()
    }

    /// Saves how the training ended, with its last weights if `state` is given; and all to go on from if it is not over.
    ///
    /// # Errors
    /// What cannot be saved.
    pub fn finish(&mut self, phase: Phase, params: &[Param], state: Option<&State>) -> Result<(), Report> {
        self.progress.clear();
        self.meta.state = phase;
        match state {
            Some(state) if phase == Phase::Training => self.checkpoint(params, state, &self.end()),
            Some(state) => self.results(params, state).and_then(|()| self.save_meta()),
            None => self.save_meta(),
        }
    }

    /// The place after the finished epochs.
    fn end(&self) -> Position {
        Position { epoch: self.history.len(), ..Position::default() }
    }

    /// Takes note of an epoch.
    fn record(&mut self, report: &EpochReport, params: &[Param], state: &State) -> Result<(), Report> {
        let better = self.watch.see(report);
        if better || self.best.is_none() {
            self.best = Some(Best { weights: state.averaged(&self.settings.rule), saved: false });
        }
        self.meta.epochs = report.epoch;
        self.meta.best_epoch = self.watch.best();
        self.history.push(report.clone());
        let is_best = better && self.watch.judges();
        self.folder.append(METRICS, &line(report, is_best))?;
        self.show(report, is_best);
        if self.saved.elapsed() >= PAUSE || interrupt::requested() { self.checkpoint(params, state, &self.end()) } else { Ok(()) }
    }

    fn show(&mut self, report: &EpochReport, best: bool) {
        let fields = fields(report);
        let mut line = format!("{:>3}", report.epoch);
        fields.iter().for_each(|f| line.push_str(&format!("  {} {:<8}", f.name, f.text())));
        line.push_str(&duration(report.seconds));
        if best {
            line.push_str("  ★");
        }
        let pairs: Vec<(&str, f64)> = fields.iter().map(|f| (&f.name[..], f.value)).collect();
        self.progress.epoch(report.epoch, &line, &pairs);
    }

    /// Writes everything, so that the training can go on from `position`.
    ///
    /// # Errors
    /// What cannot be saved; the files before stay whole.
    pub fn checkpoint(&mut self, params: &[Param], state: &State, position: &Position) -> Result<(), Report> {
        self.folder.sync(METRICS)?;
        // The state last: one that is older than the other files finds its way to them again, a newer one would not.
        self.results(params, state)?;
        let position = serde_json::to_string(position).map_err(std::io::Error::from)?;
        let notes = [("position", position), ("data", self.settings.data.clone())];
        checkpoint::save(&self.texts, &self.folder, (params, state), (super::KIND, &self.settings.config), &notes)?;
        self.saved = Instant::now();
        self.save_meta()
    }

    /// Writes what people use: weights and curves.
    fn results(&mut self, params: &[Param], state: &State) -> Result<(), Report> {
        if self.history.is_empty() && state.step == 0 {
            return Ok(());
        }
        let texts = self.texts;
        let failed = |e| failure::report(&texts, &e);
        if let Some(best) = self.best.as_mut().filter(|b| !b.saved) {
            weights::save(&self.folder.file(BEST), params, &best.weights, &Notes::new()).map_err(failed)?;
            best.saved = true;
        }
        weights::save(&self.folder.file(LAST), params, &state.params, &Notes::new()).map_err(failed)?;
        self.folder.write(CURVES, curves(&texts, &self.history).as_bytes()).map(drop)
    }

    /// Writes meta.json.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn save_meta(&self) -> Result<(), Report> {
        self.folder.write_json(META, &self.meta).map(drop)
    }

    fn ends(&mut self, stop: Stop) -> ControlFlow<()> {
        self.stop = Some(stop);
        ControlFlow::Break(())
    }
}

impl Observer for Recorder {
    fn on_batch(&mut self, b: &BatchReport) -> ControlFlow<()> {
        if b.batch == 1 {
            self.running = (0.0, 0);
        }
        self.running = (self.running.0 + b.loss * b.rows as f64, self.running.1 + b.rows);
        let loss = self.running.0 / self.running.1 as f64;
        self.progress.tick(&Tick { epoch: b.epoch, epochs: b.epochs, done: b.batch, total: b.batches, fields: &[("loss", loss)] });
        self.batch = Some(*b);
        ControlFlow::Continue(())
    }

    fn on_step(&mut self, snapshot: &Snapshot) -> ControlFlow<()> {
        let requested = interrupt::requested();
        let due = requested || self.saved.elapsed() >= self.settings.interval;
        if due && let Err(report) = self.checkpoint(snapshot.params, snapshot.state, &snapshot.position()) {
            return self.ends(Stop::Failed(report));
        }
        if requested { self.ends(Stop::Interrupted) } else { ControlFlow::Continue(()) }
    }

    fn on_epoch(&mut self, report: &EpochReport, params: &[Param], state: &State) -> ControlFlow<()> {
        let requested = interrupt::requested();
        match self.record(report, params, state) {
            Err(report) => self.ends(Stop::Failed(report)),
            Ok(()) if self.watch.is_over() => self.ends(Stop::Early),
            // After the last epoch there is nothing to interrupt.
            Ok(()) if requested && report.epoch < report.epochs => self.ends(Stop::Interrupted),
            Ok(()) => ControlFlow::Continue(()),
        }
    }
}
