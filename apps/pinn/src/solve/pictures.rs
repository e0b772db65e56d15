//! Pictures of a solution as SVG: maps or lines of each unknown, its exact solution and the difference; where the
//! equations do not hold; slices; the course of the losses.

use super::{Problem, Record, Solved};
use plot::{Axis, ColorMap, Heat, Lines, Panel};

/// The texts of the pictures.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Words {
    /// Title of the known solution.
    pub exact: String,
    /// Title of the difference.
    pub error: String,
    /// Title of the residuals.
    pub residual: String,
    /// Title of the losses.
    pub losses: String,
    /// Title of the error over the steps.
    pub relative_l2: String,
    /// Axis of the steps.
    pub step: String,
}

/// Places along two variables, the first of them slower, and a value at each pair.
struct Map<'a> {
    problem: &'a Problem,
    places: &'a [Vec<f64>],
}

impl Map<'_> {
    /// The values over the first two variables; of a third and fourth, those at the end of their range.
    fn flat(&self, values: &[f64]) -> Vec<f64> {
        let rest: usize = self.places[2..].iter().map(Vec::len).product();
        values.chunks_exact(rest).map(|c| c[rest - 1]).collect()
    }

    /// The first variable to the right, the second upwards.
    fn heat(&self, title: &str, values: &[f64]) -> Heat {
        let (n, m) = (self.places[0].len(), self.places[1].len());
        let flat = self.flat(values);
        let rows = (0..m).flat_map(|j| (0..n).map(move |i| (i, j))).map(|(i, j)| flat[i * m + j]).collect();
        Heat::new(title, self.axis(0), self.axis(1), n, rows)
    }

    fn axis(&self, k: usize) -> Axis {
        let (a, p) = (&self.problem.axes[k], &self.places[k]);
        Axis::linear(&a.name).range(p[0], p[p.len() - 1])
    }
}

fn extent(values: &[f64]) -> (f64, f64) {
    let (lo, hi) = values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), &v| (a.min(v), b.max(v)));
    if lo < hi { (lo, hi) } else { (lo - 0.5, lo + 0.5) }
}

/// Each unknown; where its solution is known on a grid, that and the difference too.
pub fn solution(problem: &Problem, solved: &Solved, words: &Words, title: &str) -> Vec<(String, String)> {
    let one = |(i, name): (usize, &String)| {
        let known = solved.known.iter().find(|(k, _)| k.unknown == i && k.places.is_some());
        let places = known.and_then(|(k, _)| k.places.as_ref()).unwrap_or(&solved.places);
        let values = known.map_or(&solved.values[i], |(_, v)| v);
        let exact = known.map(|(k, _)| &k.values);
        let title = match solved.distances.iter().find(|d| d.unknown == i) {
            Some(d) => format!("{title}: {} {:.2e}", words.relative_l2, d.relative_l2),
            None => title.to_string(),
        };
        (name.clone(), panels(problem, places, values, exact, words, (name, &title)))
    };
    problem.file.unknowns.iter().enumerate().map(one).collect()
}

fn panels(
    problem: &Problem,
    places: &[Vec<f64>],
    values: &[f64],
    exact: Option<&Vec<f64>>,
    words: &Words,
    (name, title): (&str, &str),
) -> String {
    let difference: Option<Vec<f64>> = exact.map(|e| crate::difference(values, e));
    let map = Map { problem, places };
    if places.len() == 1 {
        let line = |v: &[f64]| places[0].iter().copied().zip(v.iter().copied()).collect::<Vec<_>>();
        let mut both = Lines::new(name, map.axis(0), Axis::linear(name)).series(name, line(values));
        if let Some(e) = exact {
            both = both.series(&words.exact, line(e));
        }
        let off = difference.map(|d| Lines::new(&words.error, map.axis(0), Axis::linear(&words.error)).series(&words.error, line(&d)));
        let panels: Vec<&dyn Panel> = [Some(&both as &dyn Panel), off.as_ref().map(|o| o as &dyn Panel)].into_iter().flatten().collect();
        return plot::row(title, &panels);
    }
    let (lo, hi) = extent(&map.flat(exact.map_or(values, |e| e)));
    let own = map.heat(name, values).range(lo, hi);
    let right = exact.map(|e| map.heat(&words.exact, e).range(lo, hi));
    let off = difference.map(|d| map.heat(&words.error, &d).map(ColorMap::BlueRed));
    let all = [right.as_ref(), Some(&own), off.as_ref()];
    let panels: Vec<&dyn Panel> = all.into_iter().flatten().map(|h| h as &dyn Panel).collect();
    plot::row(title, &panels)
}

/// Slices of the first unknown along the first variable, at five places of the last one, and the size of the residuals.
pub fn slices(problem: &Problem, solved: &Solved, words: &Words, title: &str) -> Option<String> {
    let [first, last] = &solved.places[..] else { return None };
    let name = &problem.file.unknowns[0];
    let map = Map { problem, places: &solved.places };
    let mut lines = Lines::new(name, map.axis(0), Axis::linear(name));
    for k in 0..5 {
        let j = k * (last.len() - 1) / 4;
        let label = format!("{} = {:.3}", problem.axes[1].name, last[j]);
        lines = lines.series(&label, first.iter().enumerate().map(|(i, &x)| (x, solved.values[0][i * last.len() + j])));
    }
    let residual = map.heat(&words.residual, &solved.misfit);
    Some(plot::row(title, &[&lines, &residual]))
}

/// Losses by name, and the error, over the steps.
pub fn curves(records: &[Record], names: &[String], words: &Words, title: &str) -> String {
    let mut losses = Lines::new(&words.losses, Axis::linear(&words.step), Axis::log(&words.losses));
    for (i, name) in names.iter().enumerate() {
        losses = losses.series(name, records.iter().map(|r| (r.step as f64, r.terms.get(i).copied().unwrap_or(f64::NAN))));
    }
    if records.iter().all(|r| r.relative_l2.is_none()) {
        return plot::row(title, &[&losses]);
    }
    let error = Lines::new(&words.relative_l2, Axis::linear(&words.step), Axis::log(&words.relative_l2))
        .series(&words.relative_l2, records.iter().map(|r| (r.step as f64, r.relative_l2.unwrap_or(f64::NAN))));
    plot::row(title, &[&losses, &error])
}
