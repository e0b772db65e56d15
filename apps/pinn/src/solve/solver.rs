//! A run: stages one after another, step by step, with what is recorded of them.

use super::grid::Evaluator;
use super::methods::{self, Memory, Reason};
use super::system::System;
use super::{Balancing, Distance, Method, Problem, Reference, Rival, Spread, Unsuited, places};
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::time::Instant;

/// What is recorded of a step.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Record {
    /// Window, from 0.
    #[serde(default)]
    pub window: usize,
    /// Stage, from 0.
    pub stage: usize,
    /// Steps of all stages so far.
    pub step: u64,
    /// The weighted sum of the mean squares.
    pub loss: f64,
    /// The mean squares, in the order of [`Solver::names`].
    pub terms: Vec<f64>,
    /// The worst relative L2 error of the unknowns whose solution is known.
    pub relative_l2: Option<f64>,
    /// Since the beginning, compilation included.
    pub seconds: f64,
}

/// All that changes during a run: what must be saved to go on.
#[derive(Clone, PartialEq, Debug)]
pub struct Progress {
    /// Stage, from 0; as many as there are when all is done.
    pub stage: usize,
    /// Steps of this stage.
    pub step: u64,
    /// Steps of all stages.
    pub total: u64,
    /// Draws of points.
    pub draws: u32,
    /// Weights and fitted numbers.
    pub weights: Vec<f64>,
    /// What the method remembers.
    pub memory: Memory,
    /// Factors of the losses, where they are balanced.
    pub factors: Vec<f64>,
    /// The points of the equations, a column for each variable.
    pub points: Vec<Vec<f64>>,
    /// The windows before this one.
    pub finished: Vec<Finished>,
    /// Why each stage of each window ended.
    pub ends: Vec<Reason>,
    /// Seconds so far.
    pub seconds: f64,
}

impl Progress {
    /// The weights of a window, and its points of the equations.
    fn part(&self, w: usize) -> (&[f64], &[Vec<f64>]) {
        self.finished.get(w).map_or((&self.weights, &self.points), |f| (&f.weights, &f.points))
    }
}

/// A window that is solved.
#[derive(Clone, PartialEq, Debug)]
pub struct Finished {
    /// Weights of its network.
    pub weights: Vec<f64>,
    /// Its last points of the equations, a column for each variable.
    pub points: Vec<Vec<f64>>,
}

/// A problem on its way to a solution.
pub struct Solver {
    problem: Problem,
    system: System,
    /// The windows up to this one: their problems, and their unknowns as functions of points.
    parts: Vec<(Problem, Evaluator)>,
    known: Vec<Reference>,
    progress: Progress,
    records: Vec<Record>,
    begun: Instant,
    /// Whether the points have changed since the method last saw them.
    moved: bool,
}

/// A fitted number.
#[derive(Clone, PartialEq, Debug)]
pub struct Fitted {
    /// Its name.
    pub name: String,
    /// What it was found to be.
    pub value: f64,
    /// Standard deviation that the noise of the data gives it, to first order; none without data.
    pub deviation: Option<f64>,
}

/// What a run has reached.
#[derive(Clone, PartialEq, Debug)]
pub struct Solved {
    /// Errors of the unknowns whose solution is known.
    pub distances: Vec<Distance>,
    /// The fitted numbers.
    pub fitted: Vec<Fitted>,
    /// Root mean square of the equations' residuals at the points of training and at fresh ones.
    pub residuals: [f64; 2],
    /// Each unknown on the grid.
    pub values: Vec<Vec<f64>>,
    /// The places of the grid.
    pub places: Vec<Vec<f64>>,
    /// What the equations' residuals are on the grid.
    pub misfit: Vec<f64>,
    /// What is known, with the unknowns at these points.
    pub known: Vec<(Reference, Vec<f64>)>,
}

impl Solved {
    /// The worst relative L2 error.
    pub fn relative_l2(&self) -> Option<f64> {
        self.distances.iter().map(|d| d.relative_l2).reduce(|a, b| if a.is_nan() || a > b { a } else { b })
    }

    /// Whether the equations hold much better at the points of training than elsewhere: then a low loss says little.
    pub fn is_doubtful(&self) -> bool {
        self.residuals[1] > 3.0 * self.residuals[0]
    }
}

impl Solver {
    /// Draws points and first weights.
    ///
    /// # Errors
    /// Errors of the engine.
    pub fn new(problem: &Problem, reference: Option<&Reference>) -> Result<Solver> {
        let begun = Instant::now();
        let part = problem.window(0, None)?;
        let system = System::new(&part)?;
        let evaluator = Evaluator::new(&part, problem.file.threads)?;
        let progress = Progress {
            stage: 0,
            step: 0,
            total: 0,
            draws: 0,
            weights: system.start(problem.file.seed),
            memory: Memory::default(),
            factors: vec![],
            points: system.inside().to_vec(),
            finished: vec![],
            ends: vec![],
            seconds: 0.0,
        };
        let known = Reference::all(problem, reference);
        let parts = vec![(part, evaluator)];
        Ok(Solver { problem: problem.clone(), system, parts, known, progress, records: vec![], begun, moved: false })
    }

    /// Goes on from a saved state with what was recorded until then.
    ///
    /// # Errors
    /// A state of another problem; errors of the engine.
    pub fn resume(problem: &Problem, reference: Option<&Reference>, progress: Progress, records: Vec<Record>) -> Result<Solver> {
        let mut solver = Solver::new(problem, reference)?;
        let inside = &solver.progress.points;
        let fits = progress.weights.len() == solver.progress.weights.len()
            && progress.points.len() == inside.len()
            && progress.points.iter().all(|c| c.len() == inside[0].len())
            && progress.stage <= problem.file.stages.len()
            && progress.finished.len() < problem.file.windows
            && progress.finished.iter().all(|f| f.weights.len() == progress.weights.len() && f.points.len() == inside.len());
        if !fits {
            let (expected, got) = (format!("{} numbers", solver.progress.weights.len()), format!("{}", progress.weights.len()));
            return Err(Error::Weights { what: "the saved state".into(), expected, got });
        }
        progress.finished.iter().try_for_each(|f| solver.begin_window(&f.weights))?;
        solver.system.restore(progress.points.clone(), progress.draws);
        solver.system.weigh(&progress.factors);
        (solver.progress, solver.records) = (progress, records);
        Ok(solver)
    }

    /// Goes over to the window after the last one, whose weights these are.
    fn begin_window(&mut self, before: &[f64]) -> Result<()> {
        let w = self.parts.len();
        let part = self.problem.window(w, Some((&self.parts[w - 1].0, before)))?;
        self.system = System::new(&part)?;
        let evaluator = Evaluator::new(&part, self.problem.file.threads)?;
        self.parts.push((part, evaluator));
        Ok(())
    }

    /// Names of the terms of the loss.
    pub fn names(&self) -> Vec<String> {
        self.system.names()
    }

    /// Weights and fitted numbers of the network.
    pub fn parameters(&self) -> usize {
        self.system.len()
    }

    /// The problem.
    pub fn problem(&self) -> &Problem {
        &self.problem
    }

    /// What changes during the run.
    pub fn progress(&self) -> &Progress {
        &self.progress
    }

    /// What was recorded.
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// The points of the equations, a column for each variable.
    pub fn points(&self) -> &[Vec<f64>] {
        self.system.inside()
    }

    /// Whether all stages have ended.
    pub fn is_done(&self) -> bool {
        self.progress.stage >= self.problem.file.stages.len()
    }

    /// Takes one step and records it if it is one of those that are recorded: of second-order methods each tenth, of Adam
    /// each hundredth, and the last of a stage.
    ///
    /// # Errors
    /// A loss that is no number; errors of the engine.
    pub fn advance(&mut self) -> Result<Option<&Record>> {
        let Some(stage) = self.problem.file.stages.get(self.progress.stage).cloned() else { return Ok(None) };
        let p = &mut self.progress;
        if stage.resample > 0 && p.step > 0 && p.step.is_multiple_of(stage.resample) {
            self.system.resample(&p.weights)?;
            (p.draws, p.points, self.moved) = (self.system.draws, self.system.inside().to_vec(), true);
        }
        let balance = &self.problem.file.balance;
        if balance.method != Balancing::Fixed && (p.factors.is_empty() || p.total.is_multiple_of(balance.every)) {
            self.system.balance(&p.weights, balance.method, &mut p.factors)?;
            self.moved = true;
        }
        let stepped = methods::step(&stage, &mut self.system, &mut p.weights, &mut p.memory, p.step, self.moved)?;
        self.moved = false;
        (p.step, p.total) = (p.step + 1, p.total + 1);
        p.seconds += self.begun.elapsed().as_secs_f64();
        self.begun = Instant::now();
        if !stepped.loss.is_finite() {
            return Err(Error::Unsolvable { stage: p.stage + 1, step: p.total, loss: stepped.loss });
        }
        let end = match stepped.end {
            None if stepped.loss < stage.until => Some(Reason::Until),
            None if p.step >= stage.steps => Some(Reason::Steps),
            other => other,
        };
        let every = if stage.method == Method::Adam { 100 } else { 10 };
        let due = p.step.is_multiple_of(every) || end.is_some();
        let (window, stage, step, seconds) = (p.finished.len(), p.stage, p.total, p.seconds);
        if let Some(reason) = end {
            p.ends.push(reason);
            (p.stage, p.step, p.memory) = (p.stage + 1, 0, Memory::default());
        }
        if !due {
            return Ok(None);
        }
        let relative_l2 = self.distances()?.iter().map(|d| d.0.relative_l2).reduce(f64::max);
        self.records.push(Record { window, stage, step, loss: stepped.loss, terms: stepped.terms, relative_l2, seconds });
        if self.is_done() && window + 1 < self.problem.file.windows {
            let weights = self.progress.weights.clone();
            self.begin_window(&weights)?;
            let p = &mut self.progress;
            let points = std::mem::replace(&mut p.points, self.system.inside().to_vec());
            (p.stage, p.draws, p.factors) = (0, 0, vec![]);
            p.finished.push(Finished { weights, points });
        }
        Ok(self.records.last())
    }

    fn distances(&mut self) -> Result<Vec<(Distance, Vec<f64>)>> {
        let (problem, reached) = (&self.problem, self.parts.len());
        let mut all = vec![];
        for known in &self.known {
            let mut values = evaluate(problem, &mut self.parts, &self.progress, &known.points)?.swap_remove(known.unknown);
            let outside = |(_, exact): &(&mut f64, &f64)| exact.is_nan();
            values.iter_mut().zip(&known.values).filter(outside).for_each(|(value, _)| *value = f64::NAN);
            // Windows that are still to come are not yet compared.
            all.push((known.distance(&values, |i| problem.window_of(&known.points, i) < reached), values));
        }
        Ok(all)
    }

    /// What has been reached so far.
    ///
    /// # Errors
    /// Errors of the engine.
    pub fn solved(&mut self) -> Result<Solved> {
        let weights = self.progress.weights.clone();
        let places = places(&self.problem);
        let points = super::grid::product(&places);
        let mut values = evaluate(&self.problem, &mut self.parts, &self.progress, &points)?;
        let (mut misfit, residuals) = self.residuals(&points)?;
        for (i, _) in super::grid::inside(&self.problem, &points).iter().enumerate().filter(|(_, inside)| !**inside) {
            values.iter_mut().chain([&mut misfit]).for_each(|v| v[i] = f64::NAN);
        }
        let (distances, at): (Vec<Distance>, Vec<Vec<f64>>) = self.distances()?.into_iter().unzip();
        let fitted = self.fitted(&weights)?;
        let known = self.known.iter().cloned().zip(at).collect();
        Ok(Solved { distances, fitted, residuals, values, places, misfit, known })
    }

    /// The solution by finite differences, where the file asks for it.
    pub fn rival(&self) -> Option<std::result::Result<Rival, Unsuited>> {
        let points = self.problem.file.rival;
        (points > 0).then(|| Rival::solve(&self.problem, &self.known, points))
    }

    /// The equations' residuals at these points (columns), and their root mean squares over the points of training and fresh ones.
    fn residuals(&mut self, points: &[Vec<f64>]) -> Result<(Vec<f64>, [f64; 2])> {
        let mut misfit = vec![f64::NAN; points[0].len()];
        let mut squares = [vec![], vec![]];
        let last = self.parts.len() - 1;
        for w in 0..=last {
            let (weights, own) = self.progress.part(w);
            let problem = &self.parts[w].0;
            let mut other = if w < last { Some(System::new(problem)?) } else { None };
            let system = other.as_mut().unwrap_or(&mut self.system);
            let random = super::spread::Random { seed: problem.file.seed, draw: u32::MAX >> 11, set: 0 };
            let fresh = super::region::points(problem.region(), None, 4 * own[0].len(), Spread::Sobol, random);
            squares[0].extend(system.misfit(weights, own)?.iter().map(|r| r * r));
            squares[1].extend(system.misfit(weights, &fresh)?.iter().map(|r| r * r));
            let (at, here) = of_window(&self.problem, points, w, last);
            if at.is_empty() {
                continue;
            }
            system.misfit(weights, &here)?.iter().zip(&at).for_each(|(r, &i)| misfit[i] = *r);
        }
        Ok((misfit, squares.map(|s| (s.iter().sum::<f64>() / s.len().max(1) as f64).sqrt())))
    }

    /// The fitted numbers among the weights.
    fn fitted(&mut self, weights: &[f64]) -> Result<Vec<Fitted>> {
        let (mut at, mut found) = (0, vec![]);
        for p in self.system.params() {
            if self.problem.file.fit.contains_key(&p.name) {
                found.push((p.name.clone(), at));
            }
            at += p.len();
        }
        let places: Vec<usize> = found.iter().map(|f| f.1).collect();
        let deviations = super::bands::deviations(&mut self.system, weights, &places)?;
        let one = |(i, (name, at)): (usize, (String, usize))| {
            let deviation = deviations.as_ref().map(|d| d[i]);
            Fitted { name, value: weights[at], deviation }
        };
        Ok(found.into_iter().enumerate().map(one).collect())
    }
}

/// Which of these points (columns) lie in window `w`, and they alone; what comes after the `last` one belongs to it.
fn of_window(problem: &Problem, points: &[Vec<f64>], w: usize, last: usize) -> (Vec<usize>, Vec<Vec<f64>>) {
    let at: Vec<usize> = (0..points[0].len()).filter(|&i| problem.window_of(points, i).min(last) == w).collect();
    let own = points.iter().map(|c| at.iter().map(|&i| c[i]).collect()).collect();
    (at, own)
}

/// The unknowns at these points (columns); of windows that are still to come, by the last network.
fn evaluate(problem: &Problem, parts: &mut [(Problem, Evaluator)], progress: &Progress, points: &[Vec<f64>]) -> Result<Vec<Vec<f64>>> {
    let (count, last) = (problem.file.unknowns.len(), parts.len() - 1);
    let mut all = vec![vec![f64::NAN; points[0].len()]; count];
    for (w, (_, evaluator)) in parts.iter_mut().enumerate() {
        let (at, own) = of_window(problem, points, w, last);
        if at.is_empty() {
            continue;
        }
        let values = evaluator.run(progress.part(w).0, &own, count)?;
        all.iter_mut().zip(&values).for_each(|(all, v)| at.iter().zip(v).for_each(|(&i, v)| all[i] = *v));
    }
    Ok(all)
}
