//! Fused regions: many element-by-element operations in one pass. A region runs over blocks of a few
//! hundred elements that stay in the first-level cache; its operands are strided views, so
//! broadcasts, transposes, slices and windows cost no copy.

use super::Mode;
use super::map::{Arg, Code, Real, add_assign, step};
use crate::exec::{Context, MAX_RANK};
use crate::jit::{self, Array, Row};
use graph::DType;
use graph::ops::Binary;
use graph::ops::source::{philox, uniform};

/// Elements of a block at most; 16 live registers of f32 then fill 32 KB.
pub const BLOCK: usize = 512;

/// Rows shorter than this are better copied into blocks first.
const SHORT: usize = 12;

/// A strided look at a buffer, over the region's dimensions.
#[derive(Clone, Debug, PartialEq)]
pub struct View {
    /// Index into the block's buffer table.
    pub buffer: usize,
    /// Element that index (0, 0, …) reads.
    pub offset: isize,
    /// Elements to skip per step along each dimension.
    pub strides: Vec<isize>,
}

/// Where a block instruction finds an operand.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Slot {
    /// A scratch register.
    Reg(u16),
    /// The i-th load.
    Load(u16),
    /// The i-th store's memory (contiguous ones are computed in place).
    Store(u16),
    /// A constant.
    Imm(f64),
}

/// How a load is served.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Access {
    /// Straight from memory.
    Contiguous,
    /// One number, read when the region starts.
    Splat,
    /// The same block contents every time: copied when the region starts.
    Periodic,
    /// Copied into a register for every block.
    Strided,
}

/// An operand read by the region.
#[derive(Clone, Debug)]
pub struct Load {
    /// What is read; `None` for the element's own offset under `strides` (iota).
    pub view: View,
    /// Whether the value is the offset itself.
    pub iota: bool,
    /// Element type in memory.
    pub dtype: DType,
    /// How it is served.
    pub access: Access,
    /// Register that holds copied blocks.
    reg: u16,
    /// Elements after which the contents repeat.
    period: usize,
}

/// A result written by the region.
#[derive(Clone, Debug)]
pub struct Store {
    /// Where to.
    pub view: View,
    /// Element type in memory.
    pub dtype: DType,
    /// Whether the value is added to what is there.
    pub mode: Mode,
    /// What is written; ignored for in-place results.
    pub from: Slot,
    /// Whether instructions write their result straight to memory.
    pub direct: bool,
}

/// One instruction of the region.
#[derive(Clone, Debug)]
pub struct Step {
    /// What.
    pub code: StepCode,
    /// Where to.
    pub dst: Slot,
    /// From what.
    pub args: [Slot; 3],
}

/// What an instruction does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum StepCode {
    /// A function of the operands.
    Map(Code),
    /// Random numbers: key buffer, stream, elements per row of the batch axis.
    Uniform(usize, u32, usize),
}

/// A fused region, ready to run.
#[derive(Clone, Debug)]
pub struct Region {
    /// Element type of the computation.
    pub dtype: DType,
    dims: Vec<usize>,
    len: usize,
    block: usize,
    /// Operands.
    pub loads: Vec<Load>,
    /// Instructions.
    pub steps: Vec<Step>,
    /// Results.
    pub stores: Vec<Store>,
    registers: usize,
    /// The instructions as machine code, if they were compiled.
    compiled: Option<jit::Compiled>,
    /// Whether the machine code goes row by row along the last dimension.
    rows: bool,
}

/// A region before addresses are chosen: values are numbered instructions.
#[derive(Clone, Debug, Default)]
pub struct Draft {
    /// Extents of the region's elements.
    pub shape: Vec<usize>,
    /// Operands (view, is it an iota, element type in memory).
    pub loads: Vec<(View, bool, DType)>,
    /// Instructions in order; operands refer to earlier ones.
    pub values: Vec<(StepCode, [Operand; 3])>,
    /// Results.
    pub stores: Vec<DraftStore>,
}

/// A result in a [`Draft`]: value, where to, element type in memory, whether it is added.
pub type DraftStore = (Operand, View, DType, Mode);

/// An operand in a [`Draft`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Operand {
    /// Result of the i-th instruction.
    Value(usize),
    /// The i-th load.
    Load(usize),
    /// A constant.
    Imm(f64),
}

/// Merges dimensions that every view walks through as if they were one; drops those of extent 1.
fn collapse(shape: &[usize], views: &mut [&mut View]) -> Vec<usize> {
    let mut dims: Vec<usize> = vec![];
    let mut kept: Vec<Vec<isize>> = vec![vec![]; views.len()];
    for (d, &n) in shape.iter().enumerate() {
        if n == 1 {
            continue;
        }
        let merges = !dims.is_empty() && views.iter().zip(&kept).all(|(v, k)| k.last() == Some(&(v.strides[d] * n as isize)));
        if merges {
            *dims.last_mut().unwrap_or(&mut 0) *= n;
            views.iter().zip(&mut kept).for_each(|(v, k)| *k.last_mut().unwrap_or(&mut 0) = v.strides[d]);
        } else {
            dims.push(n);
            views.iter().zip(&mut kept).for_each(|(v, k)| k.push(v.strides[d]));
        }
    }
    views.iter_mut().zip(kept).for_each(|(v, k)| v.strides = k);
    dims
}

/// Length of the shortest suffix of `dims` outside which the view does not move.
fn period(dims: &[usize], strides: &[isize]) -> usize {
    let first = strides.iter().position(|&s| s != 0).unwrap_or(dims.len());
    dims[first..].iter().product()
}

/// Whether the view walks memory in order, however many dimensions it is described with.
fn in_order(dims: &[usize], strides: &[isize]) -> bool {
    let mut expected = 1;
    for (&n, &s) in dims.iter().zip(strides).rev() {
        if s != expected {
            return false;
        }
        expected *= n as isize;
    }
    true
}

impl Region {
    /// Chooses registers and access modes.
    pub fn build(draft: Draft, dtype: DType) -> Region {
        let Draft { shape, mut loads, values, mut stores } = draft;
        let len: usize = shape.iter().product();
        let mut views: Vec<&mut View> = loads.iter_mut().map(|l| &mut l.0).chain(stores.iter_mut().map(|s| &mut s.1)).collect();
        let dims = collapse(&shape, &mut views);
        let mut block = BLOCK;
        let periods = loads.iter().map(|l| period(&dims, &l.0.strides)).filter(|&p| p > 1 && p <= BLOCK && p < len);
        if let Some(p) = periods.max() {
            block = BLOCK / p * p;
        }
        let mut registers = Registers::default();
        let loads: Vec<Load> = loads
            .into_iter()
            .map(|(view, iota, memory)| {
                let p = period(&dims, &view.strides);
                let access = if p <= 1 && !iota {
                    Access::Splat
                } else if in_order(&dims, &view.strides) && memory == dtype && !iota {
                    Access::Contiguous
                } else if p < len && p <= BLOCK && block.is_multiple_of(p.max(1)) {
                    Access::Periodic
                } else {
                    Access::Strided
                };
                let reg = if matches!(access, Access::Periodic | Access::Strided) { registers.fresh() } else { 0 };
                Load { view, iota, dtype: memory, access, reg, period: p }
            })
            .collect();
        let (steps, stores) = assign(&values, stores, &dims, dtype, &mut registers);
        Region { dtype, dims, len, block, loads, steps, stores, registers: registers.count as usize, compiled: None, rows: false }
    }

    /// Makes machine code of the instructions, where that is possible.
    pub fn compile(&mut self) {
        self.rows = self.has_rows();
        self.compiled = jit::compile(self, self.rows);
        match self.compiled {
            // Rows are read and written where they lie.
            Some(_) if self.rows => {
                self.lengthen();
                let inner = self.dims.last().copied().unwrap_or(1);
                self.block = (BLOCK / inner).max(1) * inner;
                self.registers = 0;
            }
            // Copied operands keep their registers; results that are not simply written have one each behind them.
            Some(_) => {
                let copied = self.loads.iter().filter(|l| self.is_copied(l)).map(|l| l.reg as usize + 1).max().unwrap_or(0);
                self.registers = copied + self.stores.len();
            }
            None => self.rows = false,
        }
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

    /// Bytes of scratch registers that `run` needs.
    pub fn scratch(&self) -> usize {
        self.registers * BLOCK * self.dtype.size()
    }

    /// Number of blocks, the unit in which a region can be divided among workers.
    pub fn blocks(&self) -> usize {
        self.len.div_ceil(self.block)
    }

    /// Elements the region produces.
    pub fn elements(&self) -> usize {
        self.len
    }

    /// Buffers read, and whether element by element in the region's own order.
    pub fn reads(&self) -> Vec<(usize, bool)> {
        let key = self.steps.iter().filter_map(|s| if let StepCode::Uniform(key, ..) = s.code { Some((key, false)) } else { None });
        let ordered = |l: &Load| l.access == Access::Contiguous && l.view.offset == 0;
        self.loads.iter().filter(|l| !l.iota).map(|l| (l.view.buffer, ordered(l))).chain(key).collect()
    }

    /// Buffers written, and whether in order and after a block's operands were read.
    pub fn writes(&self) -> Vec<(usize, bool)> {
        self.stores.iter().map(|s| (s.view.buffer, s.mode == Mode::Late && in_order(&self.dims, &s.view.strides))).collect()
    }

    /// Elements times instructions.
    pub fn cost(&self) -> usize {
        self.len * (self.steps.len() + self.loads.len() + self.stores.len())
    }

    /// Elements times arithmetic instructions.
    pub fn flops(&self) -> usize {
        self.len * self.steps.iter().filter(|s| !matches!(s.code, StepCode::Map(Code::Copy))).count()
    }

    /// Bytes read and written.
    pub fn bytes(&self) -> usize {
        let arrays = self.loads.iter().filter(|l| l.access != Access::Splat && !l.iota).count() + self.stores.len();
        self.len * arrays * self.dtype.size()
    }

    /// Instructions and operands, for explanations.
    pub fn summary(&self) -> String {
        let moved = self.loads.iter().filter(|l| l.access == Access::Strided).count();
        let how = match &self.compiled {
            Some(_) if self.rows => ", machine code by rows",
            Some(_) => ", machine code",
            None => "",
        };
        let (ops, loads, stores) = (self.steps.len(), self.loads.len(), self.stores.len());
        format!("{ops} ops over {:?}, {loads} loads ({moved} strided), {stores} stores{how}", self.dims)
    }

    /// Computes blocks `from..to`.
    pub fn run(&self, cx: &Context, from: usize, to: usize) {
        match self.dtype {
            DType::F32 if let Some(code) = &self.compiled => match self.rows {
                true => self.run_rows(code, cx, from, to),
                false => self.run_compiled(code, cx, from, to),
            },
            DType::F32 => self.run_as::<f32>(cx, from, to),
            _ => self.run_as::<f64>(cx, from, to),
        }
    }

    fn run_compiled(&self, code: &jit::Compiled, cx: &Context, from: usize, to: usize) {
        if from >= to {
            return; // operands without elements cannot be read
        }
        // SAFETY: `registers` holds `scratch()` bytes for this worker alone.
        let register = |r: usize| unsafe { cx.registers.cast::<f32>().add(r * BLOCK) };
        self.fill_periodic::<f32>(cx);
        let splats = self.splats(code, cx);
        let first = self.registers - self.stores.len();
        let blockwise = self.loads.iter().any(|l| self.is_copied(l)) || self.stores.iter().any(|s| !self.is_plain(s));
        let (mut start, end) = (from * self.block, (to * self.block).min(self.len));
        while start < end {
            let n = if blockwise { self.block.min(end - start) } else { end - start };
            for load in self.loads.iter().filter(|l| l.access == Access::Strided) {
                self.fill(cx, load, register(load.reg.into()), start, n);
            }
            // SAFETY: contiguous operands and results hold `len` elements, of which this block is a part.
            let memory = |view: &View| unsafe { cx.address::<f32>(view.buffer).offset(view.offset).add(start) };
            let mut arrays = [Row { start: std::ptr::null_mut(), step: 0 }; jit::ARRAYS];
            for (row, array) in arrays.iter_mut().zip(&code.arrays) {
                row.start = match *array {
                    Array::Load(i) if self.is_copied(&self.loads[i]) => register(self.loads[i].reg.into()),
                    Array::Load(i) => memory(&self.loads[i].view),
                    Array::Store(i) if self.is_plain(&self.stores[i]) => memory(&self.stores[i].view),
                    Array::Store(i) => register(first + i),
                };
            }
            // SAFETY: the arrays hold `n` elements; results overlap no operand, unless they are written late and in order.
            unsafe { code.run(&mut arrays, &splats, n, 1) };
            for (i, s) in self.stores.iter().enumerate().filter(|(_, s)| !self.is_plain(s)) {
                self.write(cx, s, Arg::Ptr(register(first + i).cast_const()), start, n);
            }
            start += n;
        }
    }

    /// Goes row by row along the last dimension, as many rows at a time as follow each other evenly.
    fn run_rows(&self, code: &jit::Compiled, cx: &Context, from: usize, to: usize) {
        let (Some(&inner), last) = (self.dims.last(), self.dims.len() - 1) else { return };
        if from >= to {
            return;
        }
        let splats = self.splats(code, cx);
        let (mut row, end) = (from * self.block / inner, (to * self.block).min(self.len) / inner);
        let even = self.dims[last - 1];
        while row < end {
            let rows = (even - row % even).min(end - row);
            let mut arrays = [Row { start: std::ptr::null_mut(), step: 0 }; jit::ARRAYS];
            for (r, array) in arrays.iter_mut().zip(&code.arrays) {
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
                r.start = unsafe { cx.address::<f32>(view.buffer).offset(offset) };
                r.step = view.strides[last - 1] * size_of::<f32>() as isize;
            }
            // SAFETY: `rows` rows exist from here; results overlap no operand, unless they are written late and in order.
            unsafe { code.run(&mut arrays, &splats, inner, rows) };
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

    /// Fills the registers of operands whose blocks are all the same.
    fn fill_periodic<T: Real>(&self, cx: &Context) {
        // SAFETY: `registers` holds `scratch()` bytes for this worker alone.
        let register = |r: u16| unsafe { cx.registers.cast::<T>().add(r as usize * BLOCK) };
        for load in self.loads.iter().filter(|l| l.access == Access::Periodic) {
            let n = self.block.min(self.len);
            let mut done = load.period.min(n);
            self.fill(cx, load, register(load.reg), 0, done);
            while done < n {
                let more = done.min(n - done); // repeats what is there, twice as much each time
                // SAFETY: a register holds BLOCK ≥ n elements; the halves do not overlap.
                unsafe { std::ptr::copy_nonoverlapping(register(load.reg), register(load.reg).add(done), more) };
                done += more;
            }
        }
    }

    fn run_as<T: Real>(&self, cx: &Context, from: usize, to: usize) {
        // SAFETY: `registers` holds `scratch()` bytes for this worker alone.
        let register = |r: u16| unsafe { cx.registers.cast::<T>().add(r as usize * BLOCK) };
        self.fill_periodic::<T>(cx);
        for b in from..to {
            let start = b * self.block;
            let n = self.block.min(self.len - start);
            for load in self.loads.iter().filter(|l| l.access == Access::Strided) {
                self.fill(cx, load, register(load.reg), start, n);
            }
            let place = |slot: Slot| -> *mut T {
                match slot {
                    Slot::Reg(r) => register(r),
                    // SAFETY: contiguous results hold `len` elements, of which this block is a part.
                    Slot::Store(i) => unsafe {
                        let view = &self.stores[i as usize].view;
                        cx.address::<T>(view.buffer).offset(view.offset).add(start)
                    },
                    _ => std::ptr::null_mut(),
                }
            };
            for s in &self.steps {
                let args = s.args.map(|slot| match slot {
                    Slot::Imm(x) => Arg::Splat(T::of(x)),
                    Slot::Load(i) => self.operand(cx, &self.loads[i as usize], start, register(self.loads[i as usize].reg)),
                    _ => Arg::Ptr(place(slot).cast_const()),
                });
                // SAFETY: registers and results hold `n` elements here, and no operand shares the destination.
                let dst = unsafe { std::slice::from_raw_parts_mut(place(s.dst), n) };
                match s.code {
                    StepCode::Map(code) => step(code, dst, args),
                    StepCode::Uniform(key, stream, row) => random(cx, key, stream, (cx.start * row + start) as u64, dst),
                }
            }
            for s in self.stores.iter().filter(|s| !s.direct) {
                let from = match s.from {
                    Slot::Imm(x) => Arg::Splat(T::of(x)),
                    Slot::Load(i) => self.operand(cx, &self.loads[i as usize], start, register(self.loads[i as usize].reg)),
                    slot => Arg::Ptr(place(slot).cast_const()),
                };
                self.write(cx, s, from, start, n);
            }
        }
    }

    fn operand<T: Real>(&self, cx: &Context, load: &Load, start: usize, reg: *mut T) -> Arg<T> {
        let at = |i: usize| -> *const T {
            // SAFETY: the view's elements lie inside its buffer.
            unsafe { cx.address::<T>(load.view.buffer).offset(load.view.offset).add(i) }
        };
        match load.access {
            Access::Contiguous => Arg::Ptr(at(start)),
            // SAFETY: a splat reads one element of its buffer, in the buffer's own type.
            Access::Splat => Arg::Splat(unsafe { read(cx, load.view.buffer, load.view.offset, load.dtype) }),
            _ => Arg::Ptr(reg.cast_const()),
        }
    }

    /// Copies elements `start..start+n` of a view into a register, converting them.
    fn fill<T: Real>(&self, cx: &Context, load: &Load, reg: *mut T, start: usize, n: usize) {
        // SAFETY: a register holds BLOCK ≥ n elements.
        let dst = unsafe { std::slice::from_raw_parts_mut(reg, n) };
        let mut done = 0;
        runs(&self.dims, &load.view, start, n, |offset, stride, count| {
            let part = &mut dst[done..done + count];
            done += count;
            if load.iota {
                part.iter_mut().enumerate().for_each(|(i, d)| *d = T::of((offset + i as isize * stride) as f64));
            } else if load.dtype != T::DTYPE {
                // SAFETY: each offset lies inside the view's buffer.
                part.iter_mut()
                    .enumerate()
                    .for_each(|(i, d)| *d = unsafe { read(cx, load.view.buffer, offset + i as isize * stride, load.dtype) });
            } else {
                // SAFETY: the run's elements lie inside the view's buffer.
                unsafe {
                    let src = cx.address::<T>(load.view.buffer).offset(offset).cast_const();
                    match stride {
                        1 => part.copy_from_slice(std::slice::from_raw_parts(src, count)),
                        0 => part.fill(*src),
                        _ => part.iter_mut().enumerate().for_each(|(i, d)| *d = *src.offset(i as isize * stride)),
                    }
                }
            }
        });
    }

    fn write<T: Real>(&self, cx: &Context, s: &Store, from: Arg<T>, start: usize, n: usize) {
        let add = s.mode.adds(cx);
        let mut done = 0;
        runs(&self.dims, &s.view, start, n, |offset, stride, count| {
            let value = |i: usize| match from {
                // SAFETY: the source block holds `n` elements.
                Arg::Ptr(p) => unsafe { *p.add(done + i) },
                Arg::Splat(x) => x,
            };
            if s.dtype == T::DTYPE {
                // SAFETY: the run lies inside the result's buffer, the source inside its block. They may be
                // the same memory, if a result overwrites its operand.
                unsafe {
                    let dst = cx.address::<T>(s.view.buffer).offset(offset);
                    let at = |i: usize| dst.offset(i as isize * stride);
                    match (from, stride, add) {
                        (Arg::Ptr(p), 1, false) => std::ptr::copy(p.add(done), dst, count),
                        (Arg::Ptr(p), 1, true) => {
                            add_assign(std::slice::from_raw_parts_mut(dst, count), std::slice::from_raw_parts(p.add(done), count))
                        }
                        (Arg::Splat(x), 1, false) => std::slice::from_raw_parts_mut(dst, count).fill(x),
                        (_, _, false) => (0..count).for_each(|i| *at(i) = value(i)),
                        (_, _, true) => (0..count).for_each(|i| *at(i) = T::bin(Binary::Add, *at(i), value(i))),
                    }
                }
            } else {
                for i in 0..count {
                    // SAFETY: as above, in the buffer's own element type.
                    unsafe { put(cx, s, offset + i as isize * stride, value(i).to_f64(), add) };
                }
            }
            done += count;
        });
    }
}

/// Calls `f(offset, stride, count)` for each straight run of elements `start..start+n` of a view.
fn runs(dims: &[usize], view: &View, start: usize, n: usize, mut f: impl FnMut(isize, isize, usize)) {
    let Some(&inner) = dims.last() else {
        return f(view.offset, 0, n);
    };
    let last = dims.len() - 1;
    let mut index = [0usize; MAX_RANK];
    let mut rest = start;
    for d in (0..dims.len()).rev() {
        index[d] = rest % dims[d];
        rest /= dims[d];
    }
    let mut offset = view.offset + index.iter().zip(&view.strides).map(|(&i, &s)| i as isize * s).sum::<isize>();
    let mut left = n;
    while left > 0 {
        let count = (inner - index[last]).min(left);
        f(offset, view.strides[last], count);
        left -= count;
        index[last] += count;
        offset += count as isize * view.strides[last];
        let mut d = last;
        while index[d] == dims[d] && d > 0 {
            offset += view.strides[d - 1] - dims[d] as isize * view.strides[d];
            index[d] = 0;
            d -= 1;
            index[d] += 1;
        }
    }
}

/// One element of a buffer, whatever its type.
///
/// # Safety
/// `offset` must lie inside the buffer.
unsafe fn read<T: Real>(cx: &Context, buffer: usize, offset: isize, dtype: DType) -> T {
    // SAFETY: promised by the caller.
    unsafe {
        match dtype {
            DType::F32 => T::of(f64::from(*cx.address::<f32>(buffer).offset(offset))),
            DType::F64 => T::of(*cx.address::<f64>(buffer).offset(offset)),
            DType::I32 => T::of(f64::from(*cx.address::<i32>(buffer).offset(offset))),
        }
    }
}

/// Writes (or adds) one element in the buffer's own type.
///
/// # Safety
/// `offset` must lie inside the buffer.
unsafe fn put(cx: &Context, s: &Store, offset: isize, x: f64, add: bool) {
    let b = s.view.buffer;
    // SAFETY: promised by the caller.
    unsafe {
        match s.dtype {
            DType::F32 => {
                let p = cx.address::<f32>(b).offset(offset);
                *p = if add { *p + x as f32 } else { x as f32 };
            }
            DType::F64 => {
                let p = cx.address::<f64>(b).offset(offset);
                *p = if add { *p + x } else { x };
            }
            DType::I32 => {
                let p = cx.address::<i32>(b).offset(offset);
                *p = if add { p.read().saturating_add(x as i32) } else { x as i32 };
            }
        }
    }
}

/// Numbers `first..first+n` of a random stream; four come from one Philox block.
fn random<T: Real>(cx: &Context, key: usize, stream: u32, first: u64, dst: &mut [T]) {
    // SAFETY: keys are i32[2], and nothing writes them while a region runs.
    let key = unsafe { cx.slice::<i32>(key) };
    let key = [key[0] as u32, key[1] as u32];
    let mut block = u64::MAX;
    let mut words = [0u32; 4];
    for (i, d) in dst.iter_mut().enumerate() {
        let index = first + i as u64;
        if index / 4 != block {
            block = index / 4;
            words = philox([block as u32, (block >> 32) as u32, stream, 0], key);
        }
        *d = T::of(f64::from((words[(index % 4) as usize] >> 8) as f32 * (1.0 / (1 << 24) as f32)));
        debug_assert_eq!(d.to_f64(), f64::from(uniform(key, stream, index)));
    }
}

#[derive(Default)]
struct Registers {
    free: Vec<u16>,
    count: u16,
}

impl Registers {
    fn fresh(&mut self) -> u16 {
        self.free.pop().unwrap_or_else(|| {
            self.count += 1;
            self.count - 1
        })
    }
}

/// Gives each value a place: its result's memory if that is contiguous, else a register that is
/// reused after the value's last use.
fn assign(
    values: &[(StepCode, [Operand; 3])],
    stores: Vec<DraftStore>,
    dims: &[usize],
    dtype: DType,
    registers: &mut Registers,
) -> (Vec<Step>, Vec<Store>) {
    let mut last_use: Vec<usize> = (0..values.len()).collect();
    for (i, (_, args)) in values.iter().enumerate() {
        for a in args {
            if let Operand::Value(v) = a {
                last_use[*v] = i;
            }
        }
    }
    let mut home: Vec<Option<Slot>> = vec![None; values.len()];
    let mut direct = vec![false; stores.len()];
    for (k, (value, view, memory, mode)) in stores.iter().enumerate() {
        if let Operand::Value(v) = value {
            if home[*v].is_none() && in_order(dims, &view.strides) && *memory == dtype && *mode == Mode::Write {
                home[*v] = Some(Slot::Store(k as u16));
                direct[k] = true;
            } else {
                last_use[*v] = usize::MAX; // written out after the block's instructions
            }
        }
    }
    let slot = |home: &[Option<Slot>], o: Operand| match o {
        Operand::Value(v) => home[v].unwrap_or(Slot::Imm(f64::NAN)),
        Operand::Load(i) => Slot::Load(i as u16),
        Operand::Imm(x) => Slot::Imm(x),
    };
    let mut steps = Vec::with_capacity(values.len());
    for (i, (code, args)) in values.iter().enumerate() {
        let dst = home[i].unwrap_or_else(|| Slot::Reg(registers.fresh()));
        home[i] = Some(dst);
        steps.push(Step { code: *code, dst, args: args.map(|a| slot(&home, a)) });
        let mut ended: Vec<usize> = args.iter().filter_map(|a| if let Operand::Value(v) = a { Some(*v) } else { None }).collect();
        ended.push(i);
        ended.sort();
        ended.dedup();
        for v in ended {
            if let (true, Some(Slot::Reg(r))) = (last_use[v] == i, home[v]) {
                registers.free.push(r);
            }
        }
    }
    let stores = stores
        .into_iter()
        .zip(direct)
        .map(|((value, view, dtype, mode), direct)| Store { view, dtype, mode, from: slot(&home, value), direct })
        .collect();
    (steps, stores)
}
