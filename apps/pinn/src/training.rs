//! Training: a step, and the loop around it.

use crate::predictor::check;
use crate::{Cloud, Error, Grid, Losses, Predictor, Result, Settings, trace};
use neurona::{Arg, Context, DType, Param, State, Step};
use std::ops::ControlFlow;
use std::time::Instant;

/// What is known after a step.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Record {
    /// Steps taken.
    pub step: u64,
    /// Learning rate of the step.
    pub learning_rate: f64,
    /// Losses that the step lowered: those of the weights before it.
    pub losses: Losses,
    /// Relative L2 error of the weights after the step, every [`Report::every`](crate::Report::every)
    /// steps and after the last.
    pub relative_l2: Option<f64>,
    /// Seconds since training began.
    pub seconds: f64,
}

/// A run in progress: the compiled step, its points and the state that it changes.
pub struct Training {
    settings: Settings,
    step: Step,
    cloud: Cloud,
    state: State,
    predictor: Predictor,
    grid: Grid,
    last: Losses,
    began: Option<Instant>,
    history: Vec<Record>,
}

impl Training {
    /// Draws the points, compiles the step and initialises the network.
    ///
    /// # Errors
    /// Settings out of range, errors of the engine.
    pub fn new(settings: &Settings) -> Result<Training> {
        settings.validate()?;
        let cx = Context::new(DType::F32, true);
        let (problem, network) = (&settings.problem, &settings.network);
        let losses = trace(&cx, problem, &settings.points, &settings.weights, &|points| network.apply(&cx, problem, points));
        let reports: Vec<_> = losses.iter().collect();
        let step = Step::compile(&cx, &losses[0], &reports, &settings.optimizer, settings.threads)?;
        let state = State::new(step.params(), &settings.optimizer, settings.seed);
        let side = settings.report.side;
        Ok(Training {
            step,
            cloud: settings.points.draw(problem, settings.seed),
            state,
            predictor: Predictor::new(settings, side * side)?,
            grid: Grid::new(problem, side),
            settings: settings.clone(),
            last: Losses::default(),
            began: None,
            history: vec![],
        })
    }

    /// Goes on from a saved state, bit by bit as if there had been no interruption.
    ///
    /// # Errors
    /// A state of another network or optimizer.
    pub fn resume(settings: &Settings, state: State) -> Result<Training> {
        let mut training = Training::new(settings)?;
        check(training.step.params(), &state.params)?;
        let lengths = |s: &State| -> Vec<Vec<usize>> { s.slots.iter().map(|p| p.iter().map(Vec::len).collect()).collect() };
        let (expected, got) = (lengths(&training.state), lengths(&state));
        if expected != got {
            let (expected, got) = (format!("{expected:?}"), format!("{got:?}"));
            return Err(Error::Weights { what: "lengths of the optimizer's state".into(), expected, got });
        }
        training.state = state;
        Ok(training)
    }

    /// The settings it runs with.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The parameters' names and shapes, in the order of [`State::params`].
    pub fn params(&self) -> &[Param] {
        self.step.params()
    }

    /// Weights and optimizer state.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Whether all steps have been taken.
    pub fn is_done(&self) -> bool {
        self.state.step >= self.settings.steps
    }

    /// Takes one step.
    ///
    /// # Errors
    /// Losses that are not finite; the state is then that after the step.
    pub fn step(&mut self) -> Result<(f64, Losses)> {
        let rate = self.settings.learning_rate.at(self.state.step, self.settings.steps);
        let c = &self.cloud;
        let data = [&c.interior, &c.left, &c.right, &c.initial, &c.values].map(|v| Arg::F32(v));
        let reports = self.step.run(&mut self.state, rate, &data)?;
        let [total, pde, boundary, initial] = std::array::from_fn(|i| reports.get(i).map_or(f64::NAN, |&x| f64::from(x)));
        let losses = Losses { total, pde, boundary, initial };
        if !total.is_finite() {
            return Err(Error::Diverged { step: self.state.step, learning_rate: rate, losses, last: self.last });
        }
        self.last = losses;
        Ok((rate, losses))
    }

    /// Evaluates the network on the grid and returns it.
    ///
    /// # Errors
    /// Errors of the engine.
    pub fn grid(&mut self) -> Result<&Grid> {
        self.grid.fill(&mut self.predictor, &self.state.params)?;
        Ok(&self.grid)
    }

    /// Takes one step, and measures the error if it is due: every
    /// [`Report::every`](crate::Report::every) steps and after the last.
    ///
    /// # Errors
    /// As [`Training::step`] and [`Training::grid`].
    pub fn advance(&mut self) -> Result<Record> {
        let began = *self.began.get_or_insert_with(Instant::now);
        let (learning_rate, losses) = self.step()?;
        let step = self.state.step;
        let measured = step.is_multiple_of(self.settings.report.every) || self.is_done();
        let relative_l2 = if measured { Some(self.grid()?.relative_l2()) } else { None };
        let record = Record { step, learning_rate, losses, relative_l2, seconds: began.elapsed().as_secs_f64() };
        if measured {
            self.history.push(record);
        }
        Ok(record)
    }

    /// The steps so far after which the error was measured.
    pub fn history(&self) -> &[Record] {
        &self.history
    }

    /// What has been reached, after all steps or before.
    ///
    /// # Errors
    /// Errors of the engine.
    pub fn finish(mut self) -> Result<Outcome> {
        self.grid()?;
        Ok(Outcome {
            params: self.step.params().to_vec(),
            relative_l2: self.grid.relative_l2(),
            max_error: self.grid.max_error(),
            seconds: self.began.map_or(0.0, |b| b.elapsed().as_secs_f64()),
            settings: self.settings,
            state: self.state,
            losses: self.last,
            history: self.history,
            grid: self.grid,
        })
    }

    /// Takes the remaining steps, or as many as `observer` wants: it sees each one and may break.
    ///
    /// # Errors
    /// Losses that are not finite, errors of the engine.
    pub fn run(mut self, observer: &mut dyn FnMut(&Record) -> ControlFlow<()>) -> Result<Outcome> {
        while !self.is_done() {
            if observer(&self.advance()?).is_break() {
                break;
            }
        }
        self.finish()
    }
}

/// What training has reached.
#[derive(Clone, PartialEq, Debug)]
pub struct Outcome {
    /// The settings it ran with.
    pub settings: Settings,
    /// Names and shapes of the weights.
    pub params: Vec<Param>,
    /// Their values, in the same order, and the optimizer's state: what a checkpoint must hold.
    pub state: State,
    /// The losses of the last step (0 if none was taken).
    pub losses: Losses,
    /// The steps after which the error was measured.
    pub history: Vec<Record>,
    /// ‖φ − φ_exact‖ / ‖φ_exact‖ on the grid.
    pub relative_l2: f64,
    /// Largest |φ − φ_exact| on the grid.
    pub max_error: f64,
    /// Seconds of training, compilation excluded.
    pub seconds: f64,
    /// Network and exact solution.
    pub grid: Grid,
}

impl Outcome {
    /// Whether all steps were taken.
    pub fn is_complete(&self) -> bool {
        self.state.step >= self.settings.steps
    }

    /// Name, shape and values of each weight.
    pub fn weights(&self) -> impl Iterator<Item = (&str, &[usize], &[f32])> {
        self.params.iter().zip(&self.state.params).map(|(p, v)| (p.name.as_str(), p.shape.as_slice(), v.as_slice()))
    }

    /// φ at each point (t, x).
    ///
    /// # Errors
    /// Errors of the engine.
    pub fn predict(&self, points: &[[f64; 2]]) -> Result<Vec<f64>> {
        Predictor::new(&self.settings, points.len().min(1024))?.run(&self.state.params, points)
    }
}

/// Trains a network from its first step to its last, or until `observer` breaks.
///
/// # Errors
/// Settings out of range, losses that are not finite, errors of the engine.
pub fn train(settings: &Settings, observer: &mut dyn FnMut(&Record) -> ControlFlow<()>) -> Result<Outcome> {
    Training::new(settings)?.run(observer)
}
