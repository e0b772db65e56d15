//! Pictures of a run: solution and error, losses over the steps.

use crate::{Outcome, Record, difference};
use plot::{Axis, ColorMap, Heat, Lines};

/// The texts of the pictures.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Labels {
    /// Title of all panels.
    pub title: &'static str,
    /// Title of the exact solution.
    pub exact: &'static str,
    /// Title of the network's solution.
    pub solution: &'static str,
    /// Title of their difference.
    pub error: &'static str,
    /// Title of the losses.
    pub losses: &'static str,
    /// Axis of the losses.
    pub mean_square: &'static str,
    /// Their sum.
    pub total: &'static str,
    /// Loss of the equation.
    pub pde: &'static str,
    /// Loss of periodicity.
    pub boundary: &'static str,
    /// Loss of the start.
    pub initial: &'static str,
    /// Title and axis of the error.
    pub relative_l2: &'static str,
    /// Axis of the steps.
    pub step: &'static str,
}

impl Labels {
    /// English.
    pub const ENGLISH: Labels = Labels {
        title: "Transport equation",
        exact: "exact solution",
        solution: "network",
        error: "network − exact",
        losses: "losses",
        mean_square: "mean square",
        total: "total",
        pde: "equation",
        boundary: "boundary",
        initial: "initial",
        relative_l2: "relative L2 error",
        step: "step",
    };
    /// Spanish.
    pub const SPANISH: Labels = Labels {
        title: "Ecuación de transporte",
        exact: "solución exacta",
        solution: "red",
        error: "red − exacta",
        losses: "pérdidas",
        mean_square: "media cuadrática",
        total: "total",
        pde: "ecuación",
        boundary: "frontera",
        initial: "inicial",
        relative_l2: "error relativo L2",
        step: "paso",
    };
}

/// Exact solution, network and their difference over x and t, side by side, as SVG.
pub fn panels(outcome: &Outcome, labels: &Labels) -> String {
    let grid = &outcome.grid;
    let (x, t) = (Axis::linear("x").range(0.0, outcome.settings.problem.length), Axis::linear("t").range(0.0, 1.0));
    let heat = |title: &str, values: Vec<f64>| Heat::new(title, x.clone(), t.clone(), grid.side, values);
    // One colour scale for both solutions, so that they can be compared.
    let exact = heat(labels.exact, grid.exact.clone()).range(-1.0, 1.0);
    let solution = heat(labels.solution, grid.solution.clone()).range(-1.0, 1.0);
    let error = heat(labels.error, difference(&grid.solution, &grid.exact)).map(ColorMap::BlueRed);
    let title = format!("{}: {} {:.2e}", labels.title, labels.relative_l2, outcome.relative_l2);
    plot::row(&title, &[&exact, &solution, &error])
}

/// Losses and relative L2 error over the steps, on logarithmic axes, side by side, as SVG.
pub fn curves(history: &[Record], labels: &Labels) -> String {
    let series = |f: fn(&Record) -> f64| history.iter().map(move |r| (r.step as f64, f(r)));
    let losses = Lines::new(labels.losses, Axis::linear(labels.step), Axis::log(labels.mean_square))
        .series(labels.total, series(|r| r.losses.total))
        .series(labels.pde, series(|r| r.losses.pde))
        .series(labels.boundary, series(|r| r.losses.boundary))
        .series(labels.initial, series(|r| r.losses.initial));
    let error = Lines::new(labels.relative_l2, Axis::linear(labels.step), Axis::log(labels.relative_l2))
        .series(labels.relative_l2, series(|r| r.relative_l2.unwrap_or(f64::NAN)));
    plot::row(labels.title, &[&losses, &error])
}
