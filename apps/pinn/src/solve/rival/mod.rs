//! What the network is measured against: the same problem by finite differences, where it can be solved so. Problems with
//! time whose derivatives in time the equations determine are carried forwards on a grid in space (the method of lines:
//! differences of fourth order, Runge–Kutta steps of fifth).

mod lines;
mod runge_kutta;
mod stencil;

use super::{Distance, Problem, Reference, grid, places};
use crate::relative_l2;
use lines::Lines;
use std::time::Instant;
use stencil::Line;

/// Errors per step stay below this share of 1 + |u|.
const TOLERANCE: f64 = 1e-7;
/// Points along each axis, at least, and on the whole grid, at most.
const POINTS: [usize; 2] = [12, 1_000_000];

/// Why a problem cannot be solved this way.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Unsuited {
    /// There is no variable t.
    Steady,
    /// Shapes bound the domain.
    Shapes,
    /// Numbers are to be fitted.
    Fitted,
    /// The equations do not determine a derivative of first or second order in time of each unknown.
    Time,
    /// Nothing says what this unknown, or its derivative, is at the first time.
    Start(String),
    /// Too many points, or too few.
    Points(usize),
    /// The steps in time became too many or too short.
    Stiff,
}

impl Unsuited {
    /// A fixed name, for tables of translations.
    pub fn code(&self) -> &'static str {
        match self {
            Unsuited::Steady => "steady",
            Unsuited::Shapes => "shapes",
            Unsuited::Fitted => "fitted",
            Unsuited::Time => "time",
            Unsuited::Start(_) => "start",
            Unsuited::Points(_) => "points",
            Unsuited::Stiff => "stiff",
        }
    }
}

/// A solution by finite differences.
#[derive(Clone, PartialEq, Debug)]
pub struct Rival {
    /// Points along each axis of space.
    pub points: usize,
    /// Steps in time.
    pub steps: usize,
    /// Seconds that it took.
    pub seconds: f64,
    /// Errors of the unknowns whose solution is known.
    pub distances: Vec<Distance>,
    /// Each unknown on the grid on which solutions are shown.
    pub values: Vec<Vec<f64>>,
}

impl Rival {
    /// ‖network − finite differences‖ / ‖finite differences‖ of each unknown on the grid.
    pub fn differences(&self, values: &[Vec<f64>]) -> Vec<f64> {
        values.iter().zip(&self.values).map(|(a, b)| relative_l2(a, b)).collect()
    }

    /// Solves a problem with so many points along each axis of space; it is compared with what is known ([`Reference::all`]).
    ///
    /// # Errors
    /// A problem that cannot be solved this way.
    pub fn solve(problem: &Problem, known: &[Reference], points: usize) -> Result<Rival, Unsuited> {
        let begun = Instant::now();
        let space = problem.axes.len().saturating_sub(1) as u32;
        if points < POINTS[0] || points.checked_pow(space).is_none_or(|n| n > POINTS[1]) {
            return Err(Unsuited::Points(points));
        }
        let lines = Lines::new(problem, points)?;
        let shown = grid::product(&places(problem));
        let time = lines.axes.len();
        let start = problem.axes[time].low;
        let mut times: Vec<f64> = known.iter().map(|k| &k.points).chain([&shown]).flat_map(|p| p[time].iter().copied()).collect();
        times.push(start);
        times.retain(|t| *t >= start);
        times.sort_by(f64::total_cmp);
        times.dedup();
        let mut state = lines.start()?;
        if !lines.is_explicit(&state, start) {
            return Err(Unsuited::Time);
        }
        let mut noted: Vec<Vec<Vec<f64>>> = vec![];
        let note = |t: f64, state: &[f64]| noted.push(lines.fields(state, t).values.into_iter().map(|mut v| v.swap_remove(0)).collect());
        let steps = runge_kutta::integrate(&times, &mut state, TOLERANCE, |t, y, out| lines.slope(t, y, out), note);
        let steps = steps.ok_or(Unsuited::Stiff)?;
        let solution = Solution { axes: &lines.axes, times: &times, noted: &noted };
        let distance = |k: &Reference| k.distance(&solution.at(&k.points, k.unknown), |_| true);
        let distances = known.iter().map(distance).collect();
        let values = (0..problem.file.unknowns.len()).map(|u| solution.at(&shown, u)).collect();
        Ok(Rival { points, steps, seconds: begun.elapsed().as_secs_f64(), distances, values })
    }
}

/// What was noted: for each time, each unknown at all points.
struct Solution<'a> {
    axes: &'a [Line],
    times: &'a [f64],
    noted: &'a [Vec<Vec<f64>>],
}

impl Solution<'_> {
    /// An unknown at these points (columns), interpolated in space, at times that were noted.
    fn at(&self, points: &[Vec<f64>], unknown: usize) -> Vec<f64> {
        let time = self.axes.len();
        let value = |i: usize| {
            let Ok(moment) = self.times.binary_search_by(|t| t.total_cmp(&points[time][i])) else { return f64::NAN };
            let Some(fields) = self.noted.get(moment) else { return f64::NAN };
            let mut taken = vec![(0, 1.0)];
            for (line, column) in self.axes.iter().zip(points) {
                let near = line.value(column[i]);
                taken = taken.iter().flat_map(|&(at, w)| near.iter().map(move |(j, v)| (at * line.count + j, w * v))).collect();
            }
            taken.iter().map(|(at, w)| w * fields[unknown][*at]).sum()
        };
        (0..points[0].len()).map(value).collect()
    }
}
