//! Rows of a table by index, and rows added into a table.

use super::Mode;
use super::map::{Real, add_assign};
use crate::exec::Context;
use graph::DType;

/// `out[r, :] = table[index[r], :]`, all row-major; an index out of range reads NaN.
#[derive(Clone, Debug)]
pub struct Gather {
    /// Element type of the table.
    pub dtype: DType,
    /// Buffers: table, indices, result.
    pub buffers: [usize; 3],
    /// First element of the table and of the indices in their buffers.
    pub offsets: [usize; 2],
    /// Rows of the table.
    pub table: usize,
    /// Number of indices.
    pub rows: usize,
    /// Elements of a row.
    pub width: usize,
}

/// `out[index[r], :] += updates[r, :]` on a table of zeros; an index out of range is dropped.
#[derive(Clone, Debug)]
pub struct Scatter {
    /// Element type of the table.
    pub dtype: DType,
    /// Buffers: indices, updates, result.
    pub buffers: [usize; 3],
    /// First element of the indices and of the updates in their buffers.
    pub offsets: [usize; 2],
    /// Rows of the table.
    pub table: usize,
    /// Number of indices.
    pub rows: usize,
    /// Elements of a row.
    pub width: usize,
    /// Whether the table's memory is set to zero before.
    pub mode: Mode,
}

impl Gather {
    /// Copies the rows.
    pub fn run(&self, cx: &Context) {
        match self.dtype {
            DType::F64 => self.run_as(cx, f64::NAN),
            DType::F32 => self.run_as(cx, f32::NAN),
            DType::I32 => self.run_as(cx, 0i32),
        }
    }

    fn run_as<T: Copy>(&self, cx: &Context, missing: T) {
        let [table, indices, out] = self.buffers;
        // SAFETY: the three buffers are distinct and hold at least these elements.
        let (table, indices, out) = unsafe { (cx.slice::<T>(table), cx.slice::<i32>(indices), cx.slice_mut::<T>(out)) };
        let (table, indices) = (&table[self.offsets[0]..], &indices[self.offsets[1]..][..self.rows]);
        if self.width == 0 {
            return;
        }
        for (row, &i) in out.chunks_exact_mut(self.width).zip(indices) {
            if i >= 0 && (i as usize) < self.table {
                row.copy_from_slice(&table[i as usize * self.width..][..self.width]);
            } else {
                row.fill(missing);
            }
        }
    }
}

impl Scatter {
    /// Adds the rows, in order.
    pub fn run(&self, cx: &Context) {
        if self.dtype == DType::F32 { self.run_as::<f32>(cx) } else { self.run_as::<f64>(cx) }
    }

    fn run_as<T: Real>(&self, cx: &Context) {
        let [indices, updates, out] = self.buffers;
        // SAFETY: the three buffers are distinct and hold at least these elements.
        let (indices, updates, out) = unsafe { (cx.slice::<i32>(indices), cx.slice::<T>(updates), cx.slice_mut::<T>(out)) };
        let (indices, updates) = (&indices[self.offsets[0]..][..self.rows], &updates[self.offsets[1]..]);
        if !self.mode.adds(cx) {
            out.fill(T::of(0.0));
        }
        for (r, &i) in indices.iter().enumerate() {
            if i >= 0 && (i as usize) < self.table {
                add_assign(&mut out[i as usize * self.width..][..self.width], &updates[r * self.width..][..self.width]);
            }
        }
    }
}
