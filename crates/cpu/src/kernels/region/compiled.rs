//! A region as machine code: what must be copied first, what is read and written where it lies, row by row.

use super::interpreted::read;
use super::{Access, BLOCK, Load, Region, Store, View, in_order};
use crate::exec::Context;
use crate::jit::{self, Array, Row};
use crate::kernels::Mode;
use crate::kernels::map::Arg;
use std::mem::MaybeUninit;

/// Rows shorter than this are better copied into blocks first.
const SHORT: usize = 12;

/// The code of a region, and where it finds its arrays.
#[derive(Clone, Debug)]
pub(super) struct Compiled {
    pub(super) code: jit::Compiled,
    /// Block by block; else row by row along the last dimension, where everything lies.
    pub(super) blocks: Option<Blocks>,
}

/// What every block needs, found out once.
#[derive(Clone, Debug)]
pub(super) struct Blocks {
    /// Each array of the code: a register, or what lies in a buffer from an element on.
    places: Vec<Spot>,
    /// Whether operands are copied before each block, or results after it.
    moves: bool,
    /// Whether blocks have a length that something copied fits.
    copies: bool,
}

#[derive(Clone, Copy, Debug)]
enum Spot {
    Register(usize),
    Memory { buffer: usize, offset: isize },
}

impl Region {
    /// Makes machine code of the instructions, where that is possible.
    pub fn compile(&mut self) {
        let rows = self.has_rows();
        let Some(code) = jit::compile(self, rows) else { return };
        let blocks = if rows {
            // Rows are read and written where they lie.
            self.lengthen();
            let inner = self.dims.last().copied().unwrap_or(1);
            self.block = (BLOCK / inner).max(1) * inner;
            self.registers = 0;
            None
        } else {
            // Copied operands keep their registers; results that are not simply written have one each behind them.
            let copied = self.loads.iter().filter(|l| self.is_copied(l)).map(|l| l.reg as usize + 1).max().unwrap_or(0);
            self.registers = copied + self.stores.len();
            let memory = |view: &View| Spot::Memory { buffer: view.buffer, offset: view.offset };
            let spot = |array: &Array| match *array {
                Array::Load(i) if self.is_copied(&self.loads[i]) => Spot::Register(self.loads[i].reg.into()),
                Array::Load(i) => memory(&self.loads[i].view),
                Array::Store(i) if self.is_plain(&self.stores[i]) => memory(&self.stores[i].view),
                Array::Store(i) => Spot::Register(copied + i),
            };
            let moves = self.loads.iter().any(|l| l.access == Access::Strided) || self.stores.iter().any(|s| !self.is_plain(s));
            let copies = moves || self.loads.iter().any(|l| self.is_copied(l));
            Some(Blocks { places: code.arrays.iter().map(spot).collect(), moves, copies })
        };
        self.compiled = Some(Compiled { code, blocks });
    }

    /// Puts the longest outer dimension next to the rows: so many then follow each other evenly.
    fn lengthen(&mut self) {
        let last = self.dims.len() - 1;
        let Some(longest) = (0..last).max_by_key(|&d| (self.dims[d], d)) else { return };
        self.dims.swap(longest, last - 1);
        let views = self.loads.iter_mut().map(|l| &mut l.view).chain(self.stores.iter_mut().map(|s| &mut s.view));
        views.for_each(|v| v.strides.swap(longest, last - 1));
    }

    fn is_copied(&self, load: &Load) -> bool {
        matches!(load.access, Access::Periodic | Access::Strided)
    }

    /// Whether a result's elements can be written to their memory in order.
    fn is_plain(&self, s: &Store) -> bool {
        s.direct || (s.dtype == self.dtype && s.mode == Mode::Late && in_order(&self.dims, &s.view.strides))
    }

    /// Whether operands that lie in rows, or results that do, need no copy: rows of some length, side by side in
    /// memory or one number each.
    fn has_rows(&self) -> bool {
        let inner = |v: &View| v.strides.last().copied().unwrap_or(0);
        let Some(&n) = self.dims.last().filter(|&&n| self.dims.len() > 1 && n >= SHORT) else { return false };
        // What repeats is copied only once: rows pay if they waste few lanes.
        let repeats = self.loads.iter().any(|l| l.access == Access::Periodic) && (n % 16 == 0 || n >= 128);
        let moves = self.loads.iter().any(|l| l.access == Access::Strided) || self.stores.iter().any(|s| !self.is_plain(s));
        let read = |l: &Load| l.access == Access::Splat || (!l.iota && l.dtype == self.dtype && matches!(inner(&l.view), 0 | 1));
        let written = |s: &Store| s.dtype == self.dtype && matches!(s.mode, Mode::Write | Mode::Late) && inner(&s.view) == 1;
        (repeats || moves) && self.loads.iter().all(read) && self.stores.iter().all(written)
    }

    pub(super) fn run_blocks(&self, code: &jit::Compiled, blocks: &Blocks, cx: &Context, from: usize, to: usize) {
        if from >= to {
            return; // operands without elements cannot be read
        }
        // SAFETY: `registers` holds `scratch()` bytes for this worker alone.
        let register = |r: usize| unsafe { cx.registers.cast::<f32>().add(r * BLOCK) };
        if blocks.copies {
            self.fill_periodic::<f32>(cx);
        }
        let splats = self.splats(code, cx);
        let (mut start, end) = (from * self.block, (to * self.block).min(self.len));
        let mut table = Table::new();
        let arrays = table.fill(blocks.places.iter().map(|spot| match *spot {
            Spot::Register(r) => Row { start: register(r), step: 0 },
            Spot::Memory { buffer, offset } => Row {
                // SAFETY: contiguous operands and results hold `len` elements, of which block `from` is a part.
                start: unsafe { cx.address::<f32>(buffer).offset(offset).add(start) },
                step: (self.block * size_of::<f32>()) as isize,
            },
        }));
        while start < end {
            let n = if blocks.copies { self.block.min(end - start) } else { end - start };
            let count = if blocks.moves { 1 } else { (end - start) / n };
            if blocks.moves {
                for load in self.loads.iter().filter(|l| l.access == Access::Strided) {
                    self.fill(cx, load, register(load.reg.into()), start, n);
                }
            }
            // SAFETY: so many blocks of `n` elements exist, and the arrays' places go from one to the next; results
            // overlap no operand, unless they are written late and in order.
            unsafe { code.run(arrays, &splats, n, count) };
            if blocks.moves {
                let first = self.registers - self.stores.len();
                for (i, s) in self.stores.iter().enumerate().filter(|(_, s)| !self.is_plain(s)) {
                    self.write(cx, s, Arg::Ptr(register(first + i).cast_const()), start, n);
                }
            }
            start += n * count;
        }
    }

    /// Goes row by row along the last dimension, as many rows at a time as follow each other evenly.
    pub(super) fn run_rows(&self, code: &jit::Compiled, cx: &Context, from: usize, to: usize) {
        let (Some(&inner), last) = (self.dims.last(), self.dims.len() - 1) else { return };
        if from >= to {
            return;
        }
        let splats = self.splats(code, cx);
        let (mut row, end) = (from * self.block / inner, (to * self.block).min(self.len) / inner);
        let even = self.dims[last - 1];
        let mut table = Table::new();
        while row < end {
            let rows = (even - row % even).min(end - row);
            let arrays = table.fill(code.arrays.iter().map(|array| {
                let view = match *array {
                    Array::Load(i) => &self.loads[i].view,
                    Array::Store(i) => &self.stores[i].view,
                };
                let (mut offset, mut rest) = (view.offset, row);
                for d in (0..last).rev() {
                    offset += (rest % self.dims[d]) as isize * view.strides[d];
                    rest /= self.dims[d];
                }
                // SAFETY: the view's rows lie inside its buffer.
                let start = unsafe { cx.address::<f32>(view.buffer).offset(offset) };
                Row { start, step: view.strides[last - 1] * size_of::<f32>() as isize }
            }));
            // SAFETY: `rows` rows exist from here; results overlap no operand, unless they are written late and in order.
            unsafe { code.run(arrays, &splats, inner, rows) };
            row += rows;
        }
    }

    /// The numbers that machine code reads once.
    fn splats(&self, code: &jit::Compiled, cx: &Context) -> [f32; jit::SPLATS] {
        let mut splats = [0.0f32; jit::SPLATS];
        for (number, &i) in splats.iter_mut().zip(&code.splats) {
            let Load { view, dtype, .. } = &self.loads[i];
            // SAFETY: a splat reads one element of its buffer, in the buffer's own type.
            *number = unsafe { read(cx, view.buffer, view.offset, *dtype) };
        }
        splats
    }
}

/// Room for the addresses of machine code, of which only those in use are ever written.
struct Table([MaybeUninit<Row>; jit::ARRAYS]);

impl Table {
    fn new() -> Table {
        Table([const { MaybeUninit::uninit() }; jit::ARRAYS])
    }

    /// Writes the rows into the first places, as many as there are.
    fn fill(&mut self, rows: impl Iterator<Item = Row>) -> &mut [Row] {
        let count = self.0.iter_mut().zip(rows).map(|(place, row)| place.write(row)).count();
        // SAFETY: these places were written just now.
        unsafe { std::slice::from_raw_parts_mut(self.0.as_mut_ptr().cast::<Row>(), count) }
    }
}
