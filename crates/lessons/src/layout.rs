//! Where the rows of a trace stand when they are drawn as a graph: in layers, each row one layer behind the last row it is
//! computed from, ordered within a layer so that few lines cross (Sugiyama, Tagawa & Toda 1981, with barycentres).

use crate::backprop::Trace;
use serde::Serialize;

/// A place: layers from the left, places in a layer from the top, centred about 0.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[allow(missing_docs)] // the names say it
pub struct Place {
    pub layer: f64,
    pub height: f64,
}

/// A line from a row to a later one.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Edge {
    /// The row that is used.
    pub from: usize,
    /// The row that uses it.
    pub to: usize,
    /// The ends, and between them a place in each layer that the line crosses.
    pub path: Vec<Place>,
}

/// A trace as a drawing.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Layout {
    /// A place for each row.
    pub rows: Vec<Place>,
    /// The lines, those to earlier rows first.
    pub edges: Vec<Edge>,
}

/// Sweeps over the layers: more change nothing in graphs of this size.
const SWEEPS: usize = 8;

/// Lays out the rows of a trace.
///
/// ```
/// use lessons::{Expression, backprop, layout::layout};
/// let trace = backprop::trace(&Expression::parse("x*y + x")?, &[2.0, 3.0])?;
/// let l = layout(&trace);
/// assert_eq!(l.rows.iter().map(|p| p.layer).collect::<Vec<_>>(), [0.0, 0.0, 1.0, 2.0]); // x, y, x·y, the sum
/// assert_eq!(l.edges.iter().map(|e| e.path.len()).collect::<Vec<_>>(), [2, 2, 3, 2]); // x reaches the sum past x·y
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn layout(trace: &Trace) -> Layout {
    let pairs = pairs(trace);
    let mut layer = vec![0; trace.rows.len()];
    pairs.iter().for_each(|&(from, to)| layer[to] = layer[to].max(layer[from] + 1));
    // Rows first, then the places where lines cross a layer.
    let mut layers: Vec<Vec<usize>> = vec![vec![]; layer.iter().max().map_or(0, |m| m + 1)];
    let mut neighbours: Vec<Vec<usize>> = vec![vec![]; layer.len()];
    layer.iter().enumerate().for_each(|(i, &l)| layers[l].push(i));
    let mut chains = vec![];
    for &(from, to) in &pairs {
        let mut chain = vec![from];
        for between in &mut layers[layer[from] + 1..layer[to]] {
            between.push(neighbours.len());
            chain.push(neighbours.len());
            neighbours.push(vec![]);
        }
        chain.push(to);
        for pair in chain.windows(2) {
            neighbours[pair[0]].push(pair[1]);
            neighbours[pair[1]].push(pair[0]);
        }
        chains.push((from, to, chain));
    }
    let mut heights = vec![0.0; neighbours.len()];
    layers.iter().for_each(|l| centre(l, &mut heights));
    for sweep in 0..SWEEPS {
        let order: Vec<usize> = if sweep % 2 == 0 { (0..layers.len()).collect() } else { (0..layers.len()).rev().collect() };
        for l in order {
            let mean = |&i: &usize| neighbours[i].iter().map(|&n| heights[n]).sum::<f64>() / neighbours[i].len().max(1) as f64;
            let mut keyed: Vec<(f64, usize)> = layers[l].iter().map(|i| (mean(i), *i)).collect();
            keyed.sort_by(|a, b| a.0.total_cmp(&b.0)); // stable: equals stay in order
            layers[l] = keyed.into_iter().map(|(_, i)| i).collect();
            centre(&layers[l], &mut heights);
        }
    }
    let mut depth = vec![0.0; neighbours.len()];
    layers.iter().enumerate().for_each(|(l, all)| all.iter().for_each(|&i| depth[i] = l as f64));
    let place = |i: usize| Place { layer: depth[i], height: heights[i] };
    let edges = chains.into_iter().map(|(from, to, chain)| Edge { from, to, path: chain.into_iter().map(place).collect() });
    Layout { edges: edges.collect(), rows: (0..trace.rows.len()).map(place).collect() }
}

/// Each pair of a row and a later row that uses it, once, by the later row.
fn pairs(trace: &Trace) -> Vec<(usize, usize)> {
    let number = |name: &str| name.trim_start_matches('w').parse().unwrap_or(0);
    let of = trace.rows.iter().enumerate().flat_map(|(i, row)| row.contributions.iter().map(move |c| (i, number(&c.from))));
    let mut pairs: Vec<(usize, usize)> = of.collect();
    pairs.sort_by_key(|&(from, to)| (to, from));
    pairs.dedup();
    pairs
}

/// Spreads the members of a layer evenly about 0.
fn centre(layer: &[usize], heights: &mut [f64]) {
    let middle = (layer.len() as f64 - 1.0) / 2.0;
    layer.iter().enumerate().for_each(|(k, &i)| heights[i] = k as f64 - middle);
}
