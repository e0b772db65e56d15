//! What lies below a path: the formula's values along a line or on a grid, and its contours.

use super::Descent;
use crate::rows::value;
use crate::{Error, Expression};
use graph::{DType, Tensor, Tracer, Value, eval};
use serde::Serialize;

/// A part of the line or the plane: (from, to) for each variable.
pub type View = Vec<(f64, f64)>;

/// The formula's values over a view.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Surface {
    /// The part shown.
    pub view: View,
    /// Values per row of the grid; the first and the last lie on the view's edges.
    pub columns: usize,
    /// Values: of one variable in order, of two row by row, the lowest y first.
    pub values: Vec<f64>,
    /// Contours (two variables only), the lowest first.
    pub levels: Vec<Level>,
}

/// Where the formula has one value.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Level {
    /// The value.
    pub value: f64,
    /// Lines of points (x, y).
    pub lines: Vec<Vec<(f64, f64)>>,
}

/// Contours of a picture.
const LEVELS: usize = 14;

impl Surface {
    /// The values of `f`, of one or two variables, over `view`: `columns` values along each axis.
    ///
    /// # Errors
    /// A formula of no or of more than two variables, a view of other dimensions.
    pub fn new(f: &Expression, view: &View, columns: usize) -> Result<Surface, Error> {
        let names = f.variables();
        if !(1..=2).contains(&names.len()) {
            return Err(Error::Dimensions { variables: names.to_vec() });
        }
        if view.len() != names.len() {
            return Err(Error::Values { variables: names.to_vec(), given: view.len() });
        }
        let columns = columns.max(2);
        let place = |(from, to): (f64, f64), i: usize| from + (to - from) * i as f64 / (columns - 1) as f64;
        let points = columns.pow(names.len() as u32);
        let x = (0..points).map(|i| place(view[0], i % columns)).collect();
        let y = (0..points).map(|i| place(*view.last().unwrap_or(&view[0]), i / columns)).collect();
        let values = along(f, [x, y])?;
        let levels = if names.len() == 2 { contours(&values, view, columns) } else { vec![] };
        Ok(Surface { view: view.clone(), columns, values, levels })
    }
}

/// The values of `f` at points given coordinate by coordinate.
fn along(f: &Expression, coordinates: [Vec<f64>; 2]) -> Result<Vec<f64>, Error> {
    let (cx, shape) = (Tracer::new(), [coordinates[0].len()]);
    let variables: Vec<Tensor> = f.variables().iter().map(|v| cx.input(v, DType::F64, &shape)).collect();
    let y = value(f, &cx, &variables, &shape);
    let inputs: Vec<Value> = coordinates.into_iter().take(variables.len()).map(|c| Value::new(DType::F64, &shape, c)).collect();
    Ok(eval::evaluate(&cx.finish()?, &inputs, &[y.id()])?.swap_remove(0).data)
}

/// A view that shows these paths: all of their points that are not lost, and some room around them.
pub fn view(paths: &[Descent]) -> View {
    let Some(start) = paths.first().and_then(|d| d.steps.first()).map(|s| s.at.clone()) else { return vec![] };
    let reach = 3.0 * start.iter().fold(1.0, |r: f64, x| r.max(x.abs()));
    let near = |at: &[f64]| at.iter().zip(&start).all(|(x, x0)| (x - x0).abs() <= reach);
    let points: Vec<&[f64]> = paths.iter().flat_map(|d| &d.steps).map(|s| &s.at[..]).filter(|at| near(at)).collect();
    let hull = |i: usize| points.iter().fold((start[i], start[i]), |(lo, hi), at| (lo.min(at[i]), hi.max(at[i])));
    let hulls: View = (0..start.len()).map(hull).collect();
    let widest = hulls.iter().map(|(lo, hi)| hi - lo).fold(1e-3 * reach, f64::max);
    hulls.iter().map(|&(lo, hi)| (lo.min((lo + hi - widest / 2.0) / 2.0), hi.max((lo + hi + widest / 2.0) / 2.0))).map(roomy).collect()
}

fn roomy((lo, hi): (f64, f64)) -> (f64, f64) {
    let room = 0.2 * (hi - lo);
    (lo - room, hi + room)
}

/// Contours at values that divide the area evenly, closer where the values are low: so that any formula, however steep, gets
/// lines everywhere and its minima are seen.
fn contours(values: &[f64], view: &View, columns: usize) -> Vec<Level> {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|v| v.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    let Some(last) = sorted.len().checked_sub(1) else { return vec![] };
    let quantile = |k: usize| sorted[((k as f64 / (LEVELS + 1) as f64).powf(1.5) * last as f64) as usize];
    let mut levels: Vec<f64> = (1..=LEVELS).map(quantile).collect();
    levels.dedup();
    levels.into_iter().map(|value| Level { value, lines: isolines(values, view, columns, value) }).filter(|l| !l.lines.is_empty()).collect()
}

/// Marching squares (Lorensen & Cline 1987, in two dimensions): segments where the bilinear grid crosses `level`, joined end to
/// end. Cells with a value that is not finite are left out.
fn isolines(values: &[f64], view: &View, columns: usize, level: f64) -> Vec<Vec<(f64, f64)>> {
    let rows = values.len() / columns;
    // An edge of the grid is named by its lower left corner and its direction.
    type Edge = (usize, bool);
    let mut segments: Vec<(Edge, Edge)> = vec![];
    for r in 0..rows.saturating_sub(1) {
        for c in 0..columns - 1 {
            let i = r * columns + c;
            let corners = [values[i], values[i + 1], values[i + columns + 1], values[i + columns]];
            if corners.iter().any(|v| !v.is_finite()) {
                continue;
            }
            let above = corners.map(|v| v > level);
            let edges: [Edge; 4] = [(i, false), (i + 1, true), (i + columns, false), (i, true)];
            let crossed: Vec<Edge> = (0..4).filter(|&k| above[k] != above[(k + 1) % 4]).map(|k| edges[k]).collect();
            match crossed[..] {
                [a, b] => segments.push((a, b)),
                // A saddle: the mean of the corners says which of them belong together.
                [a, b, c, d] if (corners.iter().sum::<f64>() / 4.0 > level) == above[0] => segments.extend([(a, b), (c, d)]),
                [a, b, c, d] => segments.extend([(d, a), (b, c)]),
                _ => {}
            }
        }
    }
    let at = |(i, upright): Edge| {
        let (c, r) = ((i % columns) as f64, (i / columns) as f64);
        let j = if upright { i + columns } else { i + 1 };
        let share = (level - values[i]) / (values[j] - values[i]);
        let (c, r) = if upright { (c, r + share) } else { (c + share, r) };
        let place = |(lo, hi): (f64, f64), t: f64, n: usize| lo + (hi - lo) * t / (n - 1) as f64;
        (place(view[0], c, columns), place(view[1], r, rows))
    };
    joined(segments).into_iter().map(|line| line.into_iter().map(at).collect()).collect()
}

/// Segments as lines: each end is shared by at most two of them.
fn joined<E: Copy + Eq + std::hash::Hash + Ord>(segments: Vec<(E, E)>) -> Vec<Vec<E>> {
    use std::collections::BTreeMap;
    let mut ends: BTreeMap<E, Vec<usize>> = BTreeMap::new();
    for (k, &(a, b)) in segments.iter().enumerate() {
        ends.entry(a).or_default().push(k);
        ends.entry(b).or_default().push(k);
    }
    let mut used = vec![false; segments.len()];
    let mut lines = vec![];
    for k in 0..segments.len() {
        if std::mem::replace(&mut used[k], true) {
            continue;
        }
        let mut line = std::collections::VecDeque::from([segments[k].0, segments[k].1]);
        for forward in [true, false] {
            loop {
                let end = if forward { line[line.len() - 1] } else { line[0] };
                let Some(&next) = ends[&end].iter().find(|&&s| !used[s]) else { break };
                used[next] = true;
                let (a, b) = segments[next];
                let other = if a == end { b } else { a };
                if forward { line.push_back(other) } else { line.push_front(other) }
            }
        }
        lines.push(line.into());
    }
    lines
}
