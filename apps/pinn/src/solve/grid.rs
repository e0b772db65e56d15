//! The unknowns at any points, and their errors where the solution is known.

use super::trace::Scene;
use super::{Problem, Reference};
use crate::{Result, max_error, relative_l2};
use neurona::lbfgs::Values;
use neurona::{Arg, Context, DType, Tensor};

/// Points evaluated at once.
const ROWS: usize = 1024;

/// The points of a grid, a column for each variable, the last variable fastest.
pub(super) fn product(places: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let count: usize = places.iter().map(Vec::len).product();
    let inner = |axis: usize| places[axis + 1..].iter().map(Vec::len).product::<usize>();
    let column = |axis: usize| (0..count).map(|i| places[axis][i / inner(axis) % places[axis].len()]).collect();
    (0..places.len()).map(column).collect()
}

/// The unknowns as a compiled function of points.
pub(super) struct Evaluator(Values);

impl Evaluator {
    pub fn new(problem: &Problem, threads: usize) -> Result<Evaluator> {
        let cx = Context::new(DType::F64, false);
        let columns: Vec<Tensor> = problem.axes.iter().map(|a| cx.input(&a.name, DType::F64, &[ROWS, 1])).collect();
        let scene = Scene::new(problem, &cx, columns);
        let unknowns: Vec<&Tensor> = scene.unknowns.iter().collect();
        Ok(Evaluator(Values::compile(&cx, &unknowns, threads)?))
    }

    /// The unknowns at these points (columns), a column for each.
    pub fn run(&mut self, x: &[f64], points: &[Vec<f64>], unknowns: usize) -> Result<Vec<Vec<f64>>> {
        let count = points[0].len();
        let mut out = vec![Vec::with_capacity(count); unknowns];
        for start in (0..count).step_by(ROWS) {
            let take = (count - start).min(ROWS);
            let part = |c: &Vec<f64>| (0..ROWS).map(|i| c[start + i.min(take - 1)]).collect();
            let block: Vec<Vec<f64>> = points.iter().map(part).collect();
            self.0.run(x, &block.iter().map(|c| Arg::F64(c)).collect::<Vec<_>>())?;
            out.iter_mut().enumerate().for_each(|(i, o)| o.extend(&self.0.doubles(i)[..take]));
        }
        Ok(out)
    }
}

/// How far an unknown is from its solution.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Distance {
    /// Which unknown.
    pub unknown: usize,
    /// ‖u − exact‖ / ‖exact‖.
    pub relative_l2: f64,
    /// Largest |u − exact|.
    pub max_error: f64,
}

impl Reference {
    /// Everything that is known of the solution: formulas on the grid, and the reference at its points.
    pub fn all(problem: &Problem, reference: Option<&Reference>) -> Vec<Reference> {
        let places = places(problem);
        let points = product(&places);
        let inside = inside(problem, &points);
        let mut all = vec![];
        for (unknown, formula) in problem.solution.iter().enumerate() {
            let Some(formula) = formula else { continue };
            let at = |i: usize| {
                let name = |n: &str| problem.axis(n).map(|a| points[a][i]).or_else(|| problem.constants.get(n).copied());
                formula.value(&name).unwrap_or(f64::NAN)
            };
            let values = (0..points[0].len()).map(|i| if inside[i] { at(i) } else { f64::NAN }).collect();
            all.push(Reference { unknown, points: points.clone(), values, places: Some(places.clone()) });
        }
        all.extend(reference.cloned());
        all
    }

    /// The errors of values at those of these points that are `compared`; outside the domain nothing is.
    pub fn distance(&self, values: &[f64], compared: impl Fn(usize) -> bool) -> Distance {
        let counts = |i: usize| !self.values[i].is_nan() && compared(i);
        let (a, exact): (Vec<f64>, Vec<f64>) = (0..values.len()).filter(|&i| counts(i)).map(|i| (values[i], self.values[i])).unzip();
        let (relative_l2, max_error) = (relative_l2(&a, &exact), max_error(&a, &exact));
        Distance { unknown: self.unknown, relative_l2, max_error }
    }
}

/// Whether each point (columns) lies in the domain.
pub(super) fn inside(problem: &Problem, points: &[Vec<f64>]) -> Vec<bool> {
    let row = |i: usize| points.iter().map(|c| c[i]).collect::<Vec<f64>>();
    (0..points[0].len()).map(|i| super::region::contains(&problem.axes, &problem.shapes, None, &row(i))).collect()
}

/// The places of the grid along each variable.
pub fn places(problem: &Problem) -> Vec<Vec<f64>> {
    let along = |(a, &n): (&super::Axis, &usize)| (0..n).map(|i| a.at(i as f64 / (n - 1) as f64)).collect();
    problem.axes.iter().zip(&problem.grid).map(along).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_variable_runs_fastest() {
        assert_eq!(product(&[vec![0.0, 1.0], vec![5.0, 6.0, 7.0]]), [[0.0, 0.0, 0.0, 1.0, 1.0, 1.0], [5.0, 6.0, 7.0, 5.0, 6.0, 7.0]]);
    }
}
