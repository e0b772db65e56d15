//! Follows a training: shows it, and saves what would otherwise be lost.

use super::saved::{Meta, State as Phase};
use crate::number::{duration, short};
use crate::progress::{Progress, Tick};
use crate::run::{BEST, CURVES, LAST, META, METRICS, RunFolder};
use crate::{Report, Texts, failure, interrupt};
use neurona::weights::{self, Notes};
use neurona::{BatchReport, EpochReport, Metric, Observer, Param, Scores, State};
use plot::{Axis, Lines};
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

/// Weights and curves are written at most so often, and at the end.
const PAUSE: Duration = Duration::from_secs(1);

/// The weights of the best epoch so far.
struct Best {
    epoch: usize,
    /// Its validation loss; 0 without validation.
    loss: f64,
    weights: Vec<Vec<f32>>,
    saved: bool,
}

/// The observer of a training in a run folder.
pub struct Recorder {
    texts: Texts,
    folder: RunFolder,
    meta: Meta,
    progress: Progress,
    best: Option<Best>,
    history: Vec<EpochReport>,
    saved: Option<Instant>,
    /// Losses of the rows of this epoch so far, and their number.
    running: (f64, usize),
    /// The last batch.
    batch: Option<BatchReport>,
    error: Option<Report>,
}

impl Recorder {
    /// The recorder of a training in `folder`.
    pub fn new(texts: Texts, folder: RunFolder, meta: Meta) -> Recorder {
        let progress = Progress::stderr(texts);
        Recorder { texts, folder, meta, progress, best: None, history: vec![], saved: None, running: (0.0, 0), batch: None, error: None }
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
        self.best.as_ref().map(|b| (b.epoch, &b.weights[..]))
    }

    /// Ends the display, and saves the last state and how the training ended.
    ///
    /// # Errors
    /// What could not be saved now or before.
    pub fn finish(&mut self, phase: Phase, params: &[Param], state: Option<&State>) -> Result<(), Report> {
        self.progress.clear();
        if let Some(report) = self.error.take() {
            return Err(report);
        }
        self.meta.state = phase;
        match state {
            Some(state) => self.save(params, state),
            None => self.save_meta(),
        }
    }

    /// Takes note of an epoch.
    fn record(&mut self, report: &EpochReport, params: &[Param], state: &State) -> Result<(), Report> {
        let loss = report.validation.as_ref().map_or(0.0, |v| v.loss);
        let better = report.validation.is_none() || !loss.is_nan() && self.best.as_ref().is_none_or(|b| b.loss.is_nan() || loss < b.loss);
        if better || self.best.is_none() {
            self.best = Some(Best { epoch: report.epoch, loss, weights: state.params.clone(), saved: false });
        }
        self.meta.epochs = report.epoch;
        self.meta.best_epoch = self.best.as_ref().map_or(0, |b| b.epoch);
        self.history.push(report.clone());
        let fields = fields(report);
        let is_best = better && report.validation.is_some();
        self.append(report, &fields, is_best)?;
        let mut line = format!("{:>3}", report.epoch);
        fields.iter().for_each(|f| line.push_str(&format!("  {} {:<8}", f.name, f.text())));
        line.push_str(&duration(report.seconds));
        if is_best {
            line.push_str("  ★");
        }
        let pairs: Vec<(&str, f64)> = fields.iter().map(|f| (&f.name[..], f.value)).collect();
        self.progress.epoch(report.epoch, &line, &pairs);
        if self.saved.is_none_or(|at| at.elapsed() >= PAUSE) { self.save(params, state) } else { Ok(()) }
    }

    /// A line of metrics.jsonl.
    fn append(&self, report: &EpochReport, fields: &[Field], best: bool) -> Result<(), Report> {
        let scores: String = fields.iter().map(|f| format!(",\"{}\":{}", f.name, serde_json::json!(f.value))).collect();
        let seconds = serde_json::json!(report.seconds);
        let line = format!("{{\"epoch\":{}{scores},\"seconds\":{seconds},\"best\":{best}}}", report.epoch);
        self.folder.append(METRICS, &line)
    }

    /// Writes weights, curves and meta.json.
    fn save(&mut self, params: &[Param], state: &State) -> Result<(), Report> {
        let texts = self.texts;
        let failed = |e| failure::report(&texts, &e);
        weights::save(&self.folder.file(LAST), params, &state.params, &Notes::new()).map_err(failed)?;
        if let Some(best) = self.best.as_mut().filter(|b| !b.saved) {
            weights::save(&self.folder.file(BEST), params, &best.weights, &Notes::new()).map_err(failed)?;
            best.saved = true;
        }
        let svg = curves(&texts, &self.history);
        self.folder.write(CURVES, svg.as_bytes())?;
        self.saved = Some(Instant::now());
        self.save_meta()
    }

    /// Writes meta.json.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn save_meta(&self) -> Result<(), Report> {
        let text = serde_json::to_vec_pretty(&self.meta).map_err(std::io::Error::from)?;
        self.folder.write(META, &text).map(drop)
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
        if interrupt::requested() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn on_epoch(&mut self, report: &EpochReport, params: &[Param], state: &State) -> ControlFlow<()> {
        match self.record(report, params, state) {
            Ok(()) => ControlFlow::Continue(()),
            Err(report) => {
                self.error = Some(report);
                ControlFlow::Break(())
            }
        }
    }
}

/// A number of an epoch.
struct Field {
    name: String,
    value: f64,
    metric: Option<Metric>,
}

impl Field {
    fn text(&self) -> String {
        percent(self.metric, self.value)
    }
}

/// A share as per cent, another number as it is.
pub fn percent(metric: Option<Metric>, value: f64) -> String {
    match metric {
        Some(m) if m.is_better_larger() => format!("{:.2} %", 100.0 * value),
        _ => short(value),
    }
}

/// Everything that is known of an epoch: loss, metrics, val_loss, val_metrics, learning_rate.
fn fields(report: &EpochReport) -> Vec<Field> {
    let mut list = vec![];
    let mut add = |prefix: &str, scores: &Scores| {
        list.push(Field { name: format!("{prefix}loss"), value: scores.loss, metric: None });
        list.extend(scores.metrics.iter().map(|&(m, value)| Field { name: format!("{prefix}{}", m.name()), value, metric: Some(m) }));
    };
    add("", &report.train);
    report.validation.iter().for_each(|v| add("val_", v));
    list.push(Field { name: "lr".into(), value: report.learning_rate, metric: None });
    list
}

/// Loss and metrics over the epochs.
fn curves(texts: &Texts, history: &[EpochReport]) -> String {
    let chart = |name: &str, log: bool, get: &dyn Fn(&Scores) -> f64| {
        let y = if log { Axis::log(name) } else { Axis::linear(name) };
        let points = |of: &dyn Fn(&EpochReport) -> Option<f64>| -> Vec<(f64, f64)> {
            history.iter().filter_map(|r| Some((r.epoch as f64, of(r)?))).collect()
        };
        let train = points(&|r| Some(get(&r.train)));
        let lines = Lines::new(name, Axis::linear(&texts.get("train.epoch")), y).series(&texts.get("train.training"), train);
        match points(&|r| r.validation.as_ref().map(get)) {
            none if none.is_empty() => lines,
            points => lines.series(&texts.get("train.validation"), points),
        }
    };
    let loss = chart(&texts.get("train.loss"), true, &|s| s.loss);
    let metrics = history.first().map_or(vec![], |r| r.train.metrics.iter().map(|(m, _)| *m).collect());
    let metrics: Vec<Lines> = metrics.into_iter().map(|m| chart(m.name(), false, &|s| s.get(m).unwrap_or(f64::NAN))).collect();
    let panels: Vec<&dyn plot::Panel> =
        [&loss as &dyn plot::Panel].into_iter().chain(metrics.iter().map(|m| m as &dyn plot::Panel)).collect();
    plot::row(&texts.get("train.curves"), &panels)
}
