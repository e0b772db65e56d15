//! The trainer: a model with its loss, optimizer, metrics, weights and compiled programs.

mod scoring;

use super::options::{BatchReport, EpochReport, FitOptions, History, Observer, Snapshot, Sums};
use super::programs::{Compiled, Key, Task, find};
use crate::rows::{self, Gather};
use crate::weights::{self, Notes};
use crate::{Batches, Error, Metric, Model, Objective, Param, Result, Rows, State, Step, Update, shuffled};
use graph::Type;
pub use scoring::Prediction;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

/// A model that can be trained, evaluated and used.
///
/// ```
/// use neurona::prelude::*;
/// // A line through two points.
/// let data = Batches::new(Rows::f32(&[0.0, 1.0], &[1]), Rows::f32(&[1.0, 3.0], &[1]));
/// let model = Sequential::new(&[1]).layer(Dense::new(1));
/// let mut trainer = Trainer::compile(model, Loss::Mse, Optimizer::Momentum { momentum: 0.9 }, &[Metric::Mae]);
/// let options = FitOptions { epochs: 200, batch: 2, learning_rate: 0.05, threads: 1, ..FitOptions::default() };
/// trainer.fit(&data, &options, &mut ())?;
/// assert!(trainer.evaluate(&data, 2)?.loss < 1e-4);
/// let y = trainer.predict(&[Rows::f32(&[2.0], &[1])], 1)?;
/// assert!((y.data[0] - 5.0).abs() < 0.1);
/// # Ok::<(), neurona::Error>(())
/// ```
pub struct Trainer<M> {
    task: Task<M>,
    rule: Update,
    threads: usize,
    params: Vec<Param>,
    state: Option<State>,
    steps: Vec<(Key, (Step, Vec<usize>))>,
    scorers: Vec<(Key, Compiled)>,
    predictors: Vec<(Key, Compiled)>,
}

/// One training: its data and the places of its programs.
struct Plan<'a> {
    train: &'a Batches<'a>,
    options: &'a FitOptions<'a>,
    batch: usize,
    batches: usize,
    full: usize,
    last: usize,
}

impl Plan<'_> {
    fn learning_rate(&self, epoch: usize, batch: usize) -> f64 {
        let time = epoch as f64 + batch as f64 / self.batches as f64;
        let rate = self.options.schedule.rate(self.options.learning_rate, time, self.options.epochs as f64);
        // Step i of n of the warm-up has (i + 1)/n of the rate: no step is without effect.
        let done = (time + 1.0 / self.batches as f64) / self.options.warmup;
        if done < 1.0 { rate * done } else { rate }
    }
}

impl<M: Model> Trainer<M> {
    /// Puts a model, its loss (or an [`Objective`]), its optimizer (or an [`Update`]) and its metrics
    /// together. Nothing is traced yet.
    pub fn compile(model: M, loss: impl Into<Objective>, optimizer: impl Into<Update>, metrics: &[Metric]) -> Trainer<M> {
        Trainer {
            task: Task { model, objective: loss.into(), metrics: metrics.to_vec() },
            rule: optimizer.into(),
            threads: 0,
            params: vec![],
            state: None,
            steps: vec![],
            scorers: vec![],
            predictors: vec![],
        }
    }

    /// The model.
    pub fn model(&self) -> &M {
        &self.task.model
    }

    /// The parameters (none before the trainer is built).
    pub fn params(&self) -> &[Param] {
        &self.params
    }

    /// Weights and all else that training changes, once built.
    pub fn state(&self) -> Option<&State> {
        self.state.as_ref()
    }

    /// Goes on from this state, of a trainer of the same model and optimizer that is built.
    ///
    /// # Errors
    /// A trainer that is not built; a state of other parameters or of another optimizer.
    pub fn set_state(&mut self, state: State) -> Result<()> {
        self.built()?;
        if !state.fits(&self.params, &self.rule) {
            return Err(Error::config("state", "it is of another model or optimizer", "use the one it was saved with"));
        }
        self.state = Some(state);
        Ok(())
    }

    /// Makes the first weights, for inputs whose rows have these types. [`Trainer::fit`] does it if it
    /// was not done.
    ///
    /// # Errors
    /// Errors of the trace (all of them).
    pub fn build(&mut self, inputs: &[Type], seed: u32) -> Result<()> {
        let trace = self.task.trace(&Key { types: inputs.to_vec(), rows: 1 }, false, true);
        trace.cx.tracer().finish()?;
        self.adopt(trace.cx.params().into_iter().map(|(p, _)| p).collect(), seed)
    }

    /// Writes the weights as safetensors, with notes.
    ///
    /// # Errors
    /// A trainer that is not built; a file that cannot be written.
    pub fn save_weights(&self, path: &Path, notes: &Notes) -> Result<()> {
        weights::save(path, &self.params, &self.built()?.params, notes)
    }

    /// Reads weights that [`Trainer::save_weights`] wrote, and the notes.
    ///
    /// # Errors
    /// A file that cannot be read or does not fit; a trainer that is not built, if the model does not
    /// know the types of its inputs.
    pub fn load_weights(&mut self, path: &Path) -> Result<Notes> {
        self.replace_weights(|params| weights::load(path, params))
    }

    /// As [`Trainer::load_weights`], of a file that is in memory, such as one that is part of the program; `name` is for
    /// messages.
    ///
    /// # Errors
    /// As [`Trainer::load_weights`].
    pub fn parse_weights(&mut self, name: &Path, bytes: &[u8]) -> Result<Notes> {
        self.replace_weights(|params| weights::parse(name, bytes, params))
    }

    fn replace_weights(&mut self, read: impl FnOnce(&[Param]) -> Result<(Vec<Vec<f32>>, Notes)>) -> Result<Notes> {
        if self.state.is_none()
            && let Some(inputs) = self.task.model.inputs()
        {
            self.build(&inputs, 0)?;
        }
        self.built()?;
        let (values, notes) = read(&self.params)?;
        if let Some(state) = &mut self.state {
            state.params = values;
        }
        Ok(notes)
    }

    fn built(&self) -> Result<&State> {
        self.state.as_ref().ok_or_else(|| Error::config("model", "it has no weights yet", "call fit, build or load_weights before"))
    }

    /// Makes the state for these parameters, or checks that it was made for them.
    fn adopt(&mut self, params: Vec<Param>, seed: u32) -> Result<()> {
        match &self.state {
            None => {
                self.state = Some(State::new(&params, &self.rule, seed));
                self.params = params;
                Ok(())
            }
            Some(_) => self.same_params(&params),
        }
    }

    fn same_params(&self, params: &[Param]) -> Result<()> {
        if params == self.params {
            return Ok(());
        }
        let text = |p: &[Param]| p.iter().map(|p| format!("{} {:?}", p.name, p.shape)).collect::<Vec<_>>().join(", ");
        let why = format!("it has the parameters {} but with these data it needs {}", text(&self.params), text(params));
        Err(Error::config("model", why, "make a new trainer, and let the model use the same parameters whether or not it is trained"))
    }

    /// Checks inputs against what the model says of itself.
    fn check_inputs(&self, set: &str, inputs: &[Rows]) -> Result<()> {
        rows::check_inputs(set, inputs)?;
        if let Some(expected) = self.task.model.inputs() {
            if expected.len() != inputs.len() {
                let why = format!("{} arrays, but the model takes {}", inputs.len(), expected.len());
                return Err(Error::data(format!("{set} inputs"), why, "give one array per input"));
            }
            for (i, (x, ty)) in inputs.iter().zip(&expected).enumerate() {
                let (got, want) = (x.ty().shape, &ty.shape);
                if got != *want {
                    let why = format!("rows of shape {got:?}, but the model takes {want:?}");
                    return Err(Error::data(format!("{set} input {i}"), why, "give rows of that shape or change the model's input"));
                }
            }
        }
        match (self.task.model.vocabulary(), inputs) {
            (Some(n), [x, ..]) => rows::check_vocabulary(set, x, n),
            _ => Ok(()),
        }
    }

    fn check_data(&self, set: &str, data: &Batches) -> Result<()> {
        data.check(set)?;
        self.check_inputs(set, data.inputs())?;
        if u32::try_from(data.len()).is_err() {
            return Err(Error::data(set, format!("{} rows", data.len()), format!("use at most {}", u32::MAX)));
        }
        Ok(())
    }

    /// Trains, epoch by epoch, and tells `observer`.
    ///
    /// Everything that can be checked is checked before the first step: options, shapes, values.
    ///
    /// # Errors
    /// Options, models or data that cannot be used; [`Error::Diverged`] as soon as the loss or a weight
    /// is no finite number, with the weights taken back to the start of that epoch.
    pub fn fit(&mut self, train: &Batches, options: &FitOptions, observer: &mut dyn Observer) -> Result<History> {
        let plan = self.plan(train, options)?;
        observer.check(options, &self.task.metrics)?;
        let mut gather = Gather::default();
        let mut history = History::default();
        for epoch in options.start.epoch..options.epochs {
            let (start, before) = (Instant::now(), self.state.clone());
            let trained = self.train_epoch(&plan, epoch, &mut gather, observer);
            if trained.is_err() {
                self.state = before;
            }
            let ControlFlow::Continue(sums) = trained? else {
                history.stopped = true;
                break;
            };
            let validation = options.validation.map(|v| self.score("validation", v, options.batch, options.averaged)).transpose()?;
            let report = EpochReport {
                epoch: epoch + 1,
                epochs: options.epochs,
                train: sums.scores(&self.task.metrics),
                validation,
                learning_rate: plan.learning_rate(epoch, plan.batches - 1) * observer.rate_factor(),
                seconds: start.elapsed().as_secs_f64(),
            };
            history.stopped = observer.on_epoch(&report, &self.params, self.built()?).is_break();
            history.epochs.push(report);
            if history.stopped {
                break;
            }
        }
        if let (Some(params), Some(state)) = (observer.final_weights(), self.state.clone()) {
            self.set_state(State { params, ..state })?;
        }
        Ok(history)
    }

    /// Checks everything and compiles the programs of a training.
    fn plan<'a>(&mut self, train: &'a Batches<'a>, options: &'a FitOptions<'a>) -> Result<Plan<'a>> {
        options.check()?;
        self.rule.check()?;
        self.task.objective.check()?;
        self.check_data("training", train)?;
        if options.threads != self.threads {
            (self.steps, self.scorers, self.predictors) = (vec![], vec![], vec![]);
            self.threads = options.threads;
        }
        let rows = train.len();
        let batch = options.batch.min(rows);
        let full = self.step(train, batch, options.seed)?;
        let last = if rows.is_multiple_of(batch) { full } else { self.step(train, rows % batch, options.seed)? };
        if !self.params.iter().any(|p| p.trained) {
            return Err(Error::config("model", "it has no parameters to train", "add a layer with weights, such as dense"));
        }
        if options.augment.is_some() {
            train.inputs()[0].check_images("training input 0")?;
        }
        rows::check_targets("training", train.target(), &self.task.objective.loss, &self.steps[full].1.1)?;
        if let Some(v) = options.validation {
            self.check_data("validation", v)?;
            self.scorer("validation", v, options.batch.min(v.len()))?;
        }
        let batches = rows.div_ceil(batch);
        let at = &options.start;
        if at.epoch > options.epochs || at.batch >= batches || (at.batch > 0 && at.rows != at.batch * batch) {
            let why = format!(
                "epoch {} of {}, batch {} of {batches} after {} rows is no place of this training",
                at.epoch, options.epochs, at.batch, at.rows
            );
            return Err(Error::config("start", why, "resume with the data, batch size and epochs of the saved training"));
        }
        Ok(Plan { train, options, batch, batches, full, last })
    }

    /// The place of the training step for `rows` rows of `data`.
    fn step(&mut self, data: &Batches, rows: usize, seed: u32) -> Result<usize> {
        let (rule, threads) = (self.rule, self.threads);
        let i = find(&mut self.steps, Key { types: data.types(), rows }, |key| self.task.step(key, rule, threads))?;
        self.adopt(self.steps[i].1.0.params().to_vec(), seed)?;
        Ok(i)
    }

    /// The place of the scoring function for `rows` rows of `data`, whose targets are checked.
    fn scorer(&mut self, set: &str, data: &Batches, rows: usize) -> Result<usize> {
        let threads = self.threads;
        let i = find(&mut self.scorers, Key { types: data.types(), rows }, |key| self.task.scorer(key, threads))?;
        self.same_params(&self.scorers[i].1.params)?;
        rows::check_targets(set, data.target(), &self.task.objective.loss, &self.scorers[i].1.shape)?;
        Ok(i)
    }

    fn train_epoch(
        &mut self,
        plan: &Plan,
        epoch: usize,
        gather: &mut Gather,
        observer: &mut dyn Observer,
    ) -> Result<ControlFlow<(), Sums>> {
        let (rows, arrays) = (plan.train.len(), plan.train.arrays().collect::<Vec<_>>());
        let Some(state) = &mut self.state else { return Err(Error::config("model", "it has no weights yet", "build it before")) };
        let order = plan.options.shuffle.then(|| shuffled(rows as u32, state.seed, epoch as u32));
        let begin = &plan.options.start;
        let (first, mut sums) = match begin.epoch == epoch {
            true => (begin.batch, Sums::resumed(&self.task.metrics, begin)?),
            false => (0, Sums::new(&self.task.metrics)),
        };
        for b in first..plan.batches {
            let start = b * plan.batch;
            let n = plan.batch.min(rows - start);
            let (seed, whole) = (state.seed, start as u32..(start + n) as u32);
            let data = match (&order, plan.options.augment) {
                (None, None) => gather.part(&arrays, start, n)?,
                (order, augment) => {
                    let rows = order.as_ref().map_or_else(|| whole.collect(), |o| o[start..start + n].to_vec());
                    let change = |images: &mut [f32], shape: [usize; 3]| {
                        augment.iter().for_each(|a| a.rows(images, shape, &rows, [seed, epoch as u32], plan.options.threads))
                    };
                    gather.take(plan.train, &rows, change)?
                }
            };
            let rate = plan.learning_rate(epoch, b) * observer.rate_factor();
            let place = if n == plan.batch { plan.full } else { plan.last };
            let report = self.steps[place].1.0.run(state, rate, &data)?;
            let loss = f64::from(report[0]) / n as f64;
            sums.add(report.into_iter(), n);
            if !loss.is_finite() {
                return Err(diverged(epoch, b, format!("the loss is {loss}"), rate));
            }
            let (epoch, epochs) = (epoch + 1, plan.options.epochs);
            let report = BatchReport { epoch, epochs, batch: b + 1, batches: plan.batches, rows: n, loss, learning_rate: rate };
            if observer.on_batch(&report).is_break() {
                return Ok(ControlFlow::Break(()));
            }
            let snapshot = Snapshot { params: &self.params, state, epoch: epoch - 1, batch: b + 1, sums: &sums };
            if b + 1 < plan.batches && observer.on_step(&snapshot).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        // The last step may have spoiled weights that no loss has seen yet.
        let spoiled = state.params.iter().position(|w| w.iter().any(|x| !x.is_finite()));
        match spoiled {
            Some(i) => {
                let what = format!("{} holds numbers that are not finite", self.params[i].name);
                Err(diverged(epoch, plan.batches - 1, what, plan.learning_rate(epoch, plan.batches - 1)))
            }
            None => Ok(ControlFlow::Continue(sums)),
        }
    }
}

fn diverged(epoch: usize, batch: usize, what: String, rate: f64) -> Error {
    let fix = format!("lower the learning rate (now {rate:.1e}), or scale inputs and targets to about −1 to 1");
    Error::Diverged { epoch: epoch + 1, batch: batch + 1, what, fix }
}
