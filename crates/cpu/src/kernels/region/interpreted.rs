//! A region block by block, an instruction at a time; copies between strided memory and registers.

use super::{Access, BLOCK, Load, Region, Slot, StepCode, Store, View};
use crate::exec::{Context, MAX_RANK};
use crate::kernels::map::{Arg, Real, add_assign, step};
use graph::DType;
use graph::ops::Binary;
use graph::ops::source::{philox, uniform};

impl Region {
    /// Fills the registers of operands whose blocks are all the same.
    pub(super) fn fill_periodic<T: Real>(&self, cx: &Context) {
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

    pub(super) fn run_as<T: Real>(&self, cx: &Context, from: usize, to: usize) {
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
    pub(super) fn fill<T: Real>(&self, cx: &Context, load: &Load, reg: *mut T, start: usize, n: usize) {
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

    pub(super) fn write<T: Real>(&self, cx: &Context, s: &Store, from: Arg<T>, start: usize, n: usize) {
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
pub(super) unsafe fn read<T: Real>(cx: &Context, buffer: usize, offset: isize, dtype: DType) -> T {
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
