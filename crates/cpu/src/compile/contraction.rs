//! Products and convolutions as loops: which loop becomes rows, columns and products of the kernel,
//! and which are walked outside it.

use super::view::Look;
use crate::kernels::Mode;
use crate::kernels::contract::{At, Contract};
use graph::DType;
use graph::ops::Conv;
use graph::ops::contract::Dot;

/// A loop of a contraction: extent, and steps in the left operand, the right operand and the result.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Loop {
    n: usize,
    l: isize,
    r: isize,
    o: isize,
}

/// Terms of a sum that both operands lie along, from which on dot products pay: each ends with an addition of lanes.
const DOTS: usize = 48;

/// All loops of a contraction: those of the result, and those summed over.
pub struct Loops {
    out: Vec<Loop>,
    sum: Vec<Loop>,
}

/// How the loops are laid out.
#[derive(Debug)]
pub enum Layout {
    /// The right operand's columns do not lie side by side: it must be copied first.
    CopyRight,
    /// Ready to run.
    Ready {
        /// Whether the operands change sides.
        swap: bool,
        /// The kernel, without buffers.
        kernel: Contract,
    },
}

/// Loops of `dot` over looks at its operands, with the result's strides `out` (batch, left free, right
/// free axes).
pub fn dot(d: &Dot, l: &Look, r: &Look, out: &[isize]) -> Loops {
    let (lf, rf) = d.free(l.shape.len(), r.shape.len());
    let mut next = out.iter().copied();
    let mut o = || next.next().unwrap_or(0);
    let mut loops = vec![];
    loops.extend(d.lhs_batch.iter().zip(&d.rhs_batch).map(|(&a, &b)| Loop { n: l.shape[a], l: l.strides[a], r: r.strides[b], o: o() }));
    loops.extend(lf.iter().map(|&a| Loop { n: l.shape[a], l: l.strides[a], r: 0, o: o() }));
    loops.extend(rf.iter().map(|&b| Loop { n: r.shape[b], l: 0, r: r.strides[b], o: o() }));
    let sum = d.lhs_contract.iter().zip(&d.rhs_contract).map(|(&a, &b)| Loop { n: l.shape[a], l: l.strides[a], r: r.strides[b], o: 0 });
    Loops { out: loops, sum: sum.collect() }
}

/// Loops of a convolution without padding and left dilation.
pub fn conv(c: &Conv, x: &Look, w: &Look, shape: &[usize], out: &[isize]) -> Loops {
    let (xs, ws) = (&x.strides, &w.strides);
    let step = |d: usize, by: usize| by as isize * xs[d + 1];
    Loops {
        out: vec![
            Loop { n: shape[0], l: xs[0], r: 0, o: out[0] },
            Loop { n: shape[1], l: step(0, c.stride[0]), r: 0, o: out[1] },
            Loop { n: shape[2], l: step(1, c.stride[1]), r: 0, o: out[2] },
            Loop { n: shape[3], l: 0, r: ws[3], o: out[3] },
        ],
        sum: vec![
            Loop { n: w.shape[0], l: step(0, c.rhs_dilation[0]), r: ws[0], o: 0 },
            Loop { n: w.shape[1], l: step(1, c.rhs_dilation[1]), r: ws[1], o: 0 },
            Loop { n: w.shape[2], l: xs[3], r: ws[2], o: 0 },
        ],
    }
}

/// Drops loops of one turn and merges neighbours that walk on where the other ends.
fn merge(loops: &[Loop]) -> Vec<Loop> {
    let mut merged: Vec<Loop> = vec![];
    for &b in loops.iter().filter(|l| l.n != 1) {
        match merged.last_mut() {
            Some(a) if [(a.l, b.l), (a.r, b.r), (a.o, b.o)].iter().all(|(x, y)| *x == y * b.n as isize) => *a = Loop { n: a.n * b.n, ..b },
            _ => merged.push(b),
        }
    }
    merged
}

/// Every combination of the loops' positions, as offsets in left operand, right operand and result.
fn positions(loops: &[Loop]) -> Vec<(isize, isize, isize)> {
    let mut all = vec![(0, 0, 0)];
    for l in loops {
        let step = |p: &(isize, isize, isize), i: isize| (p.0 + i * l.l, p.1 + i * l.r, p.2 + i * l.o);
        all = all.iter().flat_map(|p| (0..l.n as isize).map(move |i| (p, i))).map(|(p, i)| step(p, i)).collect();
    }
    all
}

/// Takes the longest loop that `fits` out of the list.
fn take(loops: &mut Vec<Loop>, fits: impl Fn(&Loop) -> bool) -> Option<Loop> {
    let best = (0..loops.len()).filter(|&i| fits(&loops[i])).max_by_key(|&i| (loops[i].n, i))?;
    Some(loops.remove(best))
}

impl Loops {
    /// Chooses the kernel's loops. The right operand is copied once at most: a loop that its free axes are not part of
    /// (the left operand repeats along a batch) can never become columns.
    pub fn layout(&self, dtype: DType, copied: bool) -> Layout {
        let (mut out, mut sum) = (merge(&self.out), merge(&self.sum));
        let columns = |l: &Loop| l.o == 1 && l.l == 0 && l.r == 1;
        let swapped = |l: &Loop| l.o == 1 && l.r == 0 && l.l == 1;
        let swap = !out.iter().any(columns) && out.iter().any(swapped);
        if swap {
            out.iter_mut().chain(&mut sum).for_each(|l| (l.l, l.r) = (l.r, l.l));
        }
        let unit = Loop { n: 1, l: 0, r: 0, o: 0 };
        let along = matches!(sum[..], [Loop { n: DOTS.., l: 1, r: 1, .. }]);
        let cols = match take(&mut out, columns) {
            Some(cols) => cols,
            None if along => take(&mut out, |l| l.o == 1 && l.l == 0).unwrap_or(unit),
            None if !copied && out.iter().any(|l| l.o == 1 && l.l == 0 && l.r != 0) => return Layout::CopyRight,
            None => Loop { r: 1, ..unit },
        };
        let rows = take(&mut out, |l| l.r == 0).unwrap_or(unit);
        let products = take(&mut sum, |_| true).unwrap_or(unit);
        let at = At { buffer: 0, offset: 0 };
        let kernel = Contract {
            dtype,
            lhs: at,
            rhs: at,
            out: at,
            extent: [rows.n, cols.n, products.n],
            step: [rows.l, products.l, products.r, cols.r, rows.o],
            segments: positions(&sum).into_iter().map(|(l, r, _)| (l, r)).collect(),
            places: positions(&out),
            mode: Mode::Write,
        };
        Layout::Ready { swap, kernel }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_1x1_convolution_is_one_product() {
        let (x, w) = (Look::whole(&[2, 5, 6, 8]), Look::whole(&[1, 1, 8, 16]));
        let out = super::super::view::row_major(&[2, 5, 6, 16]);
        match conv(&Conv::default(), &x, &w, &[2, 5, 6, 16], &out).layout(DType::F32, false) {
            Layout::Ready { kernel, .. } => {
                assert_eq!((kernel.extent, kernel.places.len(), kernel.segments.len()), ([60, 16, 8], 1, 1));
            }
            Layout::CopyRight => panic!("the kernel's columns lie side by side"),
        }
    }

    #[test]
    fn a_single_column_of_transposed_rows_changes_sides() {
        // Xᵀ·y: [7, 20]ᵀ × [7, 1]; the 20 results lie side by side in X's rows.
        let (x, y) = (Look::whole(&[7, 20]), Look::whole(&[7, 1]));
        match dot(&Dot::pair(0, 0), &x, &y, &[1, 1]).layout(DType::F32, false) {
            Layout::Ready { swap, kernel } => assert_eq!((swap, kernel.extent), (true, [1, 20, 7])),
            Layout::CopyRight => panic!("nothing needs a copy"),
        }
    }
}
