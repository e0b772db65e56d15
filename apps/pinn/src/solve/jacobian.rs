//! The Jacobian of all residuals.
//!
//! A row of the Jacobian needs no pass of its own: a weight matrix W enters the graph only through products h·W, one for the
//! values and one for each derivative that is carried forwards. With δ the cotangents of these products, row by row,
//! the row of the Jacobian is the sum of the outer products of h and δ.

use super::system::{System, compile};
use crate::Result;
use neurona::lbfgs::Values;
use neurona::{Context, DType, Tensor, diff, ops};

/// Where one part of the rows of the Jacobian comes from.
struct Tap {
    /// First row and number of rows.
    rows: (usize, usize),
    /// First column, units in and out (0 in for what is added, not multiplied).
    columns: (usize, usize, usize),
    /// Outputs of the program: (h, δ), or (δ, δ).
    lanes: Vec<(usize, usize)>,
}

/// A program, compiled when it is first needed.
pub(super) struct Jacobian {
    /// The first column, as a place among the weights.
    from: usize,
    values: Values,
    taps: Vec<Tap>,
    matrix: Vec<f64>,
}

impl System {
    /// The scaled residuals and their Jacobian, `[rows, weights]` row-major, without the columns before `from`.
    pub fn jacobian(&mut self, x: &[f64], from: usize) -> Result<(Vec<f64>, &[f64])> {
        let n = self.len() - from;
        if self.jacobian.as_ref().is_none_or(|j| j.from != from) {
            let rows: usize = self.arrays.iter().map(|&(s, _)| self.problem.sets[s].points).sum();
            let (values, taps) = self.compile_jacobian(from)?;
            self.jacobian = Some(Jacobian { from, values, taps, matrix: vec![0.0; rows * n] });
        }
        let Some(mut j) = self.jacobian.take() else { return Ok((vec![], &[])) };
        let done = j.values.run(x, &self.data());
        let residuals: Vec<f64> = (0..self.arrays.len()).flat_map(|i| j.values.doubles(i)).copied().collect();
        assemble(&mut j.matrix, n, &j.taps, &j.values, self.threads);
        self.jacobian = Some(j);
        done?;
        Ok((residuals, self.last_jacobian()))
    }

    /// The Jacobian that was computed last.
    pub fn last_jacobian(&self) -> &[f64] {
        self.jacobian.as_ref().map_or(&[], |j| &j.matrix)
    }

    fn compile_jacobian(&self, from: usize) -> Result<(Values, Vec<Tap>)> {
        let cx = Context::new(DType::F64, true);
        let residuals = self.trace(&cx);
        let mut outputs = residuals.clone();
        let mut taps = vec![];
        let mut row = 0;
        for r in &residuals {
            let rows = (row, r.shape()[0]);
            row += rows.1;
            let mut column = 0;
            for (param, w) in cx.params() {
                if column >= from {
                    taps.extend(tap(&cx, r, &w, rows, column - from, &mut outputs)?);
                }
                column += param.len();
            }
        }
        let values = compile(&cx, &self.params, &outputs.iter().collect::<Vec<_>>(), self.threads)?;
        Ok((values, taps))
    }
}

/// Appends what the columns of the Jacobian of `r` that belong to the weights `w` are made of to the outputs.
fn tap(cx: &Context, r: &Tensor, w: &Tensor, rows: (usize, usize), column: usize, outputs: &mut Vec<Tensor>) -> Result<Option<Tap>> {
    let tracer = cx.tracer();
    let graph = tracer.finish().map_err(neurona::Error::from)?;
    let live = graph.live(&[r.id()]);
    let uses: Vec<usize> = (0..live.len()).filter(|&i| live[i] && graph.nodes()[i].args.contains(&w.id())).collect();
    let handles: Vec<Tensor> = uses.iter().map(|&i| tracer.handle(graph_id(i))).collect();
    let cotangents = diff::vjp(r, &r.full_like(1.0), &handles.iter().collect::<Vec<_>>());
    let (inputs, units) = match w.shape() {
        [inputs, units] => (*inputs, *units),
        [units] => (0, *units),
        _ => (0, 1),
    };
    let mut lanes = vec![];
    for (&i, ct) in uses.iter().zip(&cotangents) {
        let node = &graph.nodes()[i];
        let product = matches!(node.op, ops::Op::Dot(_)) && node.args[1] == w.id() && inputs > 0;
        let added = matches!(node.op, ops::Op::Broadcast { .. }) && inputs == 0;
        if !(product || added) || node.ty.shape != [rows.1, units] {
            tracer.error(
                "jacobian",
                &[w],
                format!("weights enter as {}, not as a product with rows or a sum", graph.equation(graph_id(i))),
            );
            continue;
        }
        let mut place = |t: &Tensor| {
            outputs.push(t.clone());
            outputs.len() - 1
        };
        let delta = place(ct);
        lanes.push((if product { place(&tracer.handle(node.args[0])) } else { delta }, delta));
    }
    Ok((!lanes.is_empty()).then_some(Tap { rows, columns: (column, inputs, units), lanes }))
}

fn graph_id(i: usize) -> neurona::Id {
    neurona::Id(i as u32)
}

/// Writes the matrix, its rows dealt out to threads in equal parts.
fn assemble(matrix: &mut [f64], n: usize, taps: &[Tap], values: &Values, threads: usize) {
    let rows = matrix.len() / n.max(1);
    let share = rows.div_ceil(threads.max(1)).max(1);
    let slices = |tap: &Tap| tap.lanes.iter().map(|&(h, delta)| (values.doubles(h), values.doubles(delta))).collect::<Vec<_>>();
    let lanes: Vec<Vec<(&[f64], &[f64])>> = taps.iter().map(slices).collect();
    let lanes = &lanes;
    std::thread::scope(|scope| {
        for (part, chunk) in matrix.chunks_mut(share * n).enumerate() {
            scope.spawn(move || fill(chunk, n, part * share, taps, lanes));
        }
    });
}

fn fill(chunk: &mut [f64], n: usize, first: usize, taps: &[Tap], lanes: &[Vec<(&[f64], &[f64])>]) {
    chunk.fill(0.0);
    let count = chunk.len() / n;
    for (tap, lanes) in taps.iter().zip(lanes) {
        let (column, inputs, units) = tap.columns;
        let (from, to) = (tap.rows.0.max(first), (tap.rows.0 + tap.rows.1).min(first + count));
        for &(h, delta) in lanes {
            for row in from..to {
                let i = row - tap.rows.0;
                let delta = &delta[i * units..][..units];
                let out = &mut chunk[(row - first) * n + column..];
                if inputs == 0 {
                    out.iter_mut().zip(delta).for_each(|(o, d)| *o += d);
                    continue;
                }
                for (out, &h) in out.chunks_exact_mut(units).zip(&h[i * inputs..][..inputs]) {
                    out.iter_mut().zip(delta).for_each(|(o, d)| *o += h * d);
                }
            }
        }
    }
}
