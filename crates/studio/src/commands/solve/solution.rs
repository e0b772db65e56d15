//! What a run has reached, from its saved state: while it is still solved, as of the last save.

use super::given::{self, Given};
use super::{saving, wrong};
use crate::Texts;
use crate::report::Report;
use crate::run::RunFolder;
use pinn::solve::{Problem, Solved, Solver};

/// A problem and the solution that its run has reached.
pub(crate) struct Solution {
    /// The problem.
    pub problem: Problem,
    /// What was reached.
    pub solved: Solved,
    /// Names of the terms of the loss.
    pub losses: Vec<String>,
    /// Steps of all stages so far.
    pub step: u64,
}

impl Solution {
    /// That of a run.
    ///
    /// # Errors
    /// Files that cannot be used (3, 4).
    pub fn open(texts: &Texts, run: &RunFolder) -> Result<Solution, Report> {
        let Given { source, folder, .. } = Given::of_run(texts, run)?;
        let (problem, reference) = given::read(texts, &source, &folder)?;
        let (progress, _) = saving::state(run)?;
        let step = progress.total;
        let failed = |e| wrong::failed(texts, &e);
        let mut solver = Solver::resume(&problem, reference.as_ref(), progress, vec![]).map_err(failed)?;
        let solved = solver.solved().map_err(failed)?;
        Ok(Solution { losses: solver.names(), problem, solved, step })
    }
}
