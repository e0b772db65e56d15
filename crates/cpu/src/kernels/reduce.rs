//! Sums and maxima over axes of a strided look at a buffer.
//!
//! Sums are taken in two levels (at most [`ROWS`] terms each before they join the total), so that the
//! rounding error of a long sum stays near that of a short one.

use super::Mode;
use super::contract::At;
use super::map::Real;
use crate::exec::{Context, MAX_RANK};
use crate::isa::per_isa;
use graph::DType;
use graph::ops::Binary;

/// Terms summed before they join the total.
const ROWS: usize = 128;
/// Elements of a row kept at once.
const WIDTH: usize = 128;
/// Results that are computed at once where their operands do not lie side by side.
const TOGETHER: usize = 32;

/// A reduction, ready to run.
#[derive(Clone, Debug)]
pub struct Reduce {
    /// Element type.
    pub dtype: DType,
    /// `Add` or `Max`.
    pub op: Binary,
    /// What is reduced.
    pub from: At,
    /// The row-major result.
    pub out: At,
    /// Kept axes: extent, step in the operand, step in the result.
    pub kept: Vec<(usize, isize, isize)>,
    /// Reduced axes: extent, step in the operand.
    pub reduced: Vec<(usize, isize)>,
    /// Whether the result is added to.
    pub mode: Mode,
}

/// Calls `f(offset, second offset)` for every index of up to three nested axes lists.
fn each(dims: &[(usize, isize, isize)], at: (isize, isize), f: &mut impl FnMut(isize, isize)) {
    match dims.split_first() {
        None => f(at.0, at.1),
        Some((&(n, a, b), rest)) => (0..n as isize).for_each(|i| each(rest, (at.0 + i * a, at.1 + i * b), f)),
    }
}

impl Reduce {
    /// Puts the axis that is walked innermost last: a kept one whose elements lie side by side if there
    /// is one of some length, else the reduced one with the smallest step.
    pub fn arrange(mut self) -> Reduce {
        self.kept.retain(|d| d.0 != 1);
        self.reduced.retain(|d| d.0 != 1);
        merge(&mut self.reduced, |p, c| p.1 == c.1 * c.0 as isize, |p, c| (p.0 * c.0, c.1));
        merge(&mut self.kept, |p, c| p.1 == c.1 * c.0 as isize && p.2 == c.2 * c.0 as isize, |p, c| (p.0 * c.0, c.1, c.2));
        self.reduced.sort_by_key(|d| std::cmp::Reverse(d.1.abs()));
        if let Some(i) = self.kept.iter().position(|d| d.1 == 1 && d.2 == 1) {
            let inner = self.kept.remove(i);
            self.kept.push(inner);
        }
        self
    }

    /// Computes the reduction.
    pub fn run(&self, cx: &Context) {
        if self.dtype == DType::F32 { self.run_as::<f32>(cx) } else { self.run_as::<f64>(cx) }
    }

    fn run_as<T: Real>(&self, cx: &Context) {
        // SAFETY: offsets lie inside the buffers.
        let (src, dst) = unsafe {
            (
                cx.address::<T>(self.from.buffer).offset(self.from.offset).cast_const(),
                cx.address::<T>(self.out.buffer).offset(self.out.offset),
            )
        };
        let add = self.mode.adds(cx);
        match self.kept.split_last() {
            Some((&(n, 1, 1), outer)) if self.reduced.last().is_none_or(|d| d.1 != 1) => {
                each(outer, (0, 0), &mut |a, b| {
                    for first in (0..n).step_by(WIDTH) {
                        let width = WIDTH.min(n - first) as isize;
                        // SAFETY: a part of a row, inside both buffers.
                        unsafe { self.rows(src.offset(a + first as isize), dst.offset(b + first as isize), width as usize, add) };
                    }
                });
            }
            last => {
                let (&(n, from, to), outer) = last.unwrap_or((&(1, 0, 0), &[]));
                each(outer, (0, 0), &mut |a, b| {
                    for first in (0..n).step_by(TOGETHER) {
                        let count = TOGETHER.min(n - first);
                        // SAFETY: so many results from here, `from` and `to` elements apart, inside both buffers.
                        unsafe {
                            let (src, dst) = (src.offset(a + first as isize * from), dst.offset(b + first as isize * to));
                            let mut totals = [T::of(0.0); TOGETHER];
                            self.totals(&mut totals[..count], src, from);
                            for (i, &total) in totals[..count].iter().enumerate() {
                                let to = &mut *dst.offset(i as isize * to);
                                *to = if add { T::bin(Binary::Add, *to, total) } else { total };
                            }
                        }
                    }
                });
            }
        }
    }

    fn start<T: Real>(&self) -> T {
        T::of(if self.op == Binary::Add { 0.0 } else { f64::NEG_INFINITY })
    }

    /// `width` neighbouring results at once.
    ///
    /// # Safety
    /// The reduced axes from `src` and `width` elements of `dst` must exist.
    unsafe fn rows<T: Real>(&self, src: *const T, dst: *mut T, width: usize, add: bool) {
        let (mut part, mut total) = ([self.start::<T>(); WIDTH], [self.start::<T>(); WIDTH]);
        let (outer, (n, step)) = self.reduced.split_last().map_or((&[][..], (1, 0)), |(l, o)| (o, *l));
        // Short rows that follow each other are taken several at a time, as one long row; of whole vectors if possible.
        let most = if step == width as isize { (WIDTH / width).min(n).max(1) } else { 1 };
        let several = (1..=most).rev().find(|s| (s * width).is_multiple_of(16)).unwrap_or(most);
        let (part, total) = (&mut part[..several * width], &mut total[..several * width]);
        let outer: Vec3 = Vec3::of(outer);
        each(outer.dims(), (0, 0), &mut |a, _| {
            for first in (0..n).step_by(ROWS * several) {
                let count = (ROWS * several).min(n - first);
                // SAFETY: `count` rows from here exist.
                let rows = unsafe { src.offset(a + first as isize * step) };
                part.fill(self.start());
                combine_rows(self.op, part, rows, count / several, several as isize * step);
                let rest = count % several;
                // SAFETY: of the last `rest` rows the first.
                combine_rows(self.op, &mut part[..rest * width], unsafe { rows.offset((count - rest) as isize * step) }, 1, 0);
                combine_rows(self.op, total, part.as_ptr(), 1, 0);
            }
        });
        let (total, others) = total.split_at_mut(width);
        combine_rows(self.op, total, others.as_ptr(), several - 1, width as isize);
        // SAFETY: promised by the caller.
        let dst = unsafe { std::slice::from_raw_parts_mut(dst, width) };
        if add { combine_rows(Binary::Add, dst, total.as_ptr(), 1, 0) } else { dst.copy_from_slice(total) }
    }

    /// At most [`TOGETHER`] results, whose operands begin `apart` elements from each other.
    ///
    /// # Safety
    /// The reduced axes from `src` must exist, for all of them.
    unsafe fn totals<T: Real>(&self, out: &mut [T], src: *const T, apart: isize) {
        let (outer, (n, step)) = self.reduced.split_last().map_or((&[][..], (1, 0)), |(l, o)| (o, *l));
        let outer = Vec3::of(outer);
        let (mut sum, mut part) = ([0.0f64; TOGETHER], [self.start::<T>(); TOGETHER]);
        let part = &mut part[..out.len()];
        out.fill(self.start());
        each(outer.dims(), (0, 0), &mut |a, _| {
            for first in (0..n).step_by(16 * ROWS) {
                let terms = (16 * ROWS).min(n - first);
                // SAFETY: `terms` elements from here exist, for each result.
                runs_of(self.op, part, unsafe { src.offset(a + first as isize * step) }, apart, terms, step);
                if self.op == Binary::Add {
                    sum.iter_mut().zip(&*part).for_each(|(sum, part)| *sum += part.to_f64());
                } else {
                    out.iter_mut().zip(&*part).for_each(|(max, part)| *max = T::bin(Binary::Max, *max, *part));
                }
            }
        });
        if self.op == Binary::Add {
            out.iter_mut().zip(sum).for_each(|(out, sum)| *out = T::of(sum));
        }
    }

    /// Elements read.
    pub fn cost(&self) -> usize {
        self.kept.iter().map(|d| d.0).product::<usize>() * self.reduced.iter().map(|d| d.0).product::<usize>()
    }

    /// Extents, for explanations.
    pub fn summary(&self) -> String {
        let extents = |d: &mut dyn Iterator<Item = usize>| d.map(|n| n.to_string()).collect::<Vec<_>>().join("×");
        let (kept, reduced) = (extents(&mut self.kept.iter().map(|d| d.0)), extents(&mut self.reduced.iter().map(|d| d.0)));
        format!("{:?} over {reduced} of [{kept}], {:?}", self.op, self.mode)
    }
}

/// Outer reduced axes as `each` wants them, without allocating.
struct Vec3 {
    dims: [(usize, isize, isize); MAX_RANK],
    count: usize,
}

impl Vec3 {
    fn of(outer: &[(usize, isize)]) -> Vec3 {
        let mut dims = [(1, 0, 0); MAX_RANK];
        outer.iter().zip(&mut dims).for_each(|(o, d)| *d = (o.0, o.1, 0));
        Vec3 { dims, count: outer.len() }
    }

    fn dims(&self) -> &[(usize, isize, isize)] {
        &self.dims[..self.count]
    }
}

/// Merges neighbouring axes.
fn merge<D: Copy>(dims: &mut Vec<D>, chained: impl Fn(D, D) -> bool, join: impl Fn(D, D) -> D) {
    let mut out: Vec<D> = vec![];
    for &d in dims.iter() {
        match out.last_mut() {
            Some(last) if chained(*last, d) => *last = join(*last, d),
            _ => out.push(d),
        }
    }
    *dims = out;
}

#[inline(always)]
fn rows_body<const FMA: bool, T: Real>(op: Binary, acc: &mut [T], src: *const T, count: usize, step: isize) {
    if op == Binary::Add {
        columns(acc, src, count, step, |a, x| T::bin(Binary::Add, a, x));
    } else {
        columns(acc, src, count, step, |a, x| T::bin(Binary::Max, a, x));
    }
}

/// Some neighbouring columns at a time, whose totals then stay in registers from the first row to the last.
#[inline(always)]
fn columns<T: Real>(acc: &mut [T], src: *const T, count: usize, step: isize, join: impl Fn(T, T) -> T + Copy) {
    let (wide, rest) = acc.as_chunks_mut::<64>();
    let (middle, rest) = rest.as_chunks_mut::<16>();
    let (narrow, rest) = rest.as_chunks_mut::<4>();
    let (single, _) = rest.as_chunks_mut::<1>();
    let (w, m, n) = (64 * wide.len(), 16 * middle.len(), 4 * narrow.len());
    totals(wide, src, count, step, join);
    totals(middle, src.wrapping_add(w), count, step, join);
    totals(narrow, src.wrapping_add(w + m), count, step, join);
    totals(single, src.wrapping_add(w + m + n), count, step, join);
}

#[inline(always)]
fn totals<const N: usize, T: Real>(acc: &mut [[T; N]], src: *const T, count: usize, step: isize, join: impl Fn(T, T) -> T) {
    for (i, acc) in acc.iter_mut().enumerate() {
        let mut total = *acc;
        for r in 0..count as isize {
            // SAFETY: the caller's rows exist.
            let row = unsafe { &*src.offset(r * step).add(i * N).cast::<[T; N]>() };
            total.iter_mut().zip(row).for_each(|(t, x)| *t = join(*t, *x));
        }
        *acc = total;
    }
}

per_isa! {
    /// Combines `count` rows, `step` elements apart, into `acc`.
    fn combine_rows<T: Real>(op: Binary, acc: &mut [T], src: *const T, count: usize, step: isize) = rows_body
}

#[inline(always)]
fn runs_body<const FMA: bool, T: Real>(op: Binary, out: &mut [T], src: *const T, apart: isize, count: usize, step: isize) {
    if op == Binary::Add {
        runs(out, src, apart, count, step, T::of(0.0), |a, b| T::bin(Binary::Add, a, b));
    } else {
        runs(out, src, apart, count, step, T::of(f64::NEG_INFINITY), |a, b| T::bin(Binary::Max, a, b));
    }
}

#[inline(always)]
fn runs<T: Real>(out: &mut [T], src: *const T, apart: isize, count: usize, step: isize, start: T, join: impl Fn(T, T) -> T + Copy) {
    let (fours, single) = out.as_chunks_mut::<4>();
    let after = 4 * fours.len();
    for (i, four) in fours.iter_mut().enumerate() {
        *four = some_runs(src.wrapping_offset(4 * i as isize * apart), apart, count, step, start, join);
    }
    for (i, total) in single.iter_mut().enumerate() {
        [*total] = some_runs(src.wrapping_offset((after + i) as isize * apart), apart, count, step, start, join);
    }
}

/// `R` rows, each in sixteen lanes: enough to hide an addition's latency, and a fixed order of summation.
#[inline(always)]
fn some_runs<const R: usize, T: Real>(
    src: *const T,
    apart: isize,
    count: usize,
    step: isize,
    start: T,
    join: impl Fn(T, T) -> T + Copy,
) -> [T; R] {
    let mut lanes = [[start; 16]; R];
    // SAFETY: `count` elements of each row exist, `step` apart.
    let at = |r: usize, i: usize| unsafe { *src.offset(r as isize * apart + i as isize * step) };
    let whole = count / 16 * 16;
    for i in (0..whole).step_by(16) {
        for (r, lanes) in lanes.iter_mut().enumerate() {
            if step == 1 {
                // SAFETY: as above.
                let x = unsafe { &*src.offset(r as isize * apart).add(i).cast::<[T; 16]>() };
                lanes.iter_mut().zip(x).for_each(|(l, x)| *l = join(*l, *x));
            } else {
                lanes.iter_mut().enumerate().for_each(|(lane, l)| *l = join(*l, at(r, i + lane)));
            }
        }
    }
    if whole < count {
        // In an array of its own: lanes that are never numbered at run time stay in registers.
        for (r, lanes) in lanes.iter_mut().enumerate() {
            let mut rest = [start; 16];
            (whole..count).for_each(|i| rest[i - whole] = at(r, i));
            *lanes = std::array::from_fn(|i| join(lanes[i], rest[i]));
        }
    }
    let quarters = lanes.map(|l| fold::<4, 8, T>(fold::<8, 16, T>(l, join), join));
    quarters.map(|q| join(join(q[0], q[2]), join(q[1], q[3])))
}

/// The second half joined into the first.
#[inline(always)]
fn fold<const H: usize, const N: usize, T: Real>(lanes: [T; N], join: impl Fn(T, T) -> T) -> [T; H] {
    std::array::from_fn(|i| join(lanes[i], lanes[i + H]))
}

per_isa! {
    /// Runs of `count` elements, `step` apart, each combined into an element of `out`; they begin `apart` elements from
    /// each other.
    fn runs_of<T: Real>(op: Binary, out: &mut [T], src: *const T, apart: isize, count: usize, step: isize) = runs_body
}
