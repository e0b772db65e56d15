//! Matrix products and convolutions, as a loop over products of strided matrices.

use super::Mode;
use super::map::Real;
use super::micro::Product;
use crate::exec::Context;
use crate::isa::{Isa, isa};
use graph::DType;

/// An operand or result: buffer and element at which it starts.
#[derive(Clone, Copy, Debug)]
pub struct At {
    /// Index into the block's buffer table.
    pub buffer: usize,
    /// Element.
    pub offset: isize,
}

/// Products `C (+)= A·B` of the same shape at a list of places.
#[derive(Clone, Debug)]
pub struct Contract {
    /// Element type of all three.
    pub dtype: DType,
    /// Left operand.
    pub lhs: At,
    /// Right operand.
    pub rhs: At,
    /// Result.
    pub out: At,
    /// Rows, columns, products per segment.
    pub extent: [usize; 3],
    /// Steps: row and product of the left operand, product and column of the right, row of the result.
    pub step: [isize; 5],
    /// Where the segments of a sum start, in both operands.
    pub segments: Vec<(isize, isize)>,
    /// Where the products start: left, right, result.
    pub places: Vec<(isize, isize, isize)>,
    /// Whether the result is added to.
    pub mode: Mode,
}

/// Products with at least this many multiply-adds go to the packing `gemm` where the right operand
/// would not stay in the second-level cache, or where there is no micro-kernel of our own.
const LARGE: usize = 1 << 18;

/// Rows of a part: some blocks of the micro-kernel.
const ROWS: usize = 24;
/// Parts that a product of few rows is cut into, at most: the largest number of workers that share it.
const PARTS: usize = 8;
/// Multiply-adds of a product that is worth cutting, and elements of its right operand.
const WORTH: (usize, usize) = (1 << 20, 1 << 15);

/// How products are divided among workers. It changes no sum, only who computes it.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Cut {
    /// By places.
    Places,
    /// By rows of the result.
    Rows,
}

impl Contract {
    #[inline]
    fn cut(&self) -> Cut {
        let n = self.extent[1];
        // A few columns beside others are summed in an order that depends on how many rows there are.
        let turned = self.step[1] != 1 && !n.is_multiple_of(16);
        match () {
            () if self.places.len() > 1 || self.packs() || turned => Cut::Places,
            () => Cut::Rows,
        }
    }

    /// The same product as sums over equal parts of the right operand's rows, one result behind the other, and how many
    /// they are; if it is large and has too few rows of its own to be shared by workers.
    ///
    /// Each worker then reads, in every step, the rows of a weight matrix whose gradient and update it computes too:
    /// columns would do the same, but halves of lines that two processors fetch ahead of each other cost more than the
    /// product.
    pub fn in_parts(&self) -> Option<(Contract, usize)> {
        let [m, n, k] = self.extent;
        let alone = self.places == [(0, 0, 0)] && self.segments == [(0, 0)];
        if !alone || m >= PARTS * ROWS || m * n * k < WORTH.0 || n * k < WORTH.1 {
            return None;
        }
        let parts = (2..=PARTS).rev().find(|&p| k.is_multiple_of(p))?;
        let place = |i: usize| {
            let rows = (i * (k / parts)) as isize;
            (rows * self.step[1], rows * self.step[2], (i * m * n) as isize)
        };
        let (extent, step) = ([m, n, k / parts], [self.step[0], self.step[1], self.step[2], self.step[3], n as isize]);
        Some((Contract { extent, step, places: (0..parts).map(place).collect(), mode: Mode::Write, ..self.clone() }, parts))
    }

    /// In how many parts the products can be divided.
    pub fn parts(&self) -> usize {
        match self.cut() {
            Cut::Places => self.places.len(),
            Cut::Rows => self.extent[0] / ROWS,
        }
        .max(1)
    }

    /// Computes parts `from..to`; there may be fewer.
    pub fn run(&self, cx: &Context, from: usize, to: usize) {
        match self.dtype {
            DType::F32 => self.run_as::<f32>(cx, (from, to), |p, a, b, c| {
                // SAFETY: as `run_as` promises.
                unsafe { p.run_f32(a, b, c) }
            }),
            _ => self.run_as::<f64>(cx, (from, to), |p, a, b, c| {
                // SAFETY: as `run_as` promises.
                unsafe { p.run_portable(a, b, c) }
            }),
        }
    }

    /// Calls `product` with addresses inside the operands, the result overlapping neither.
    fn run_as<T: Real>(&self, cx: &Context, (from, to): (usize, usize), product: impl Fn(&Product, *const T, *const T, *mut T)) {
        let [mut m, n, k] = self.extent;
        let [a_row, a_col, b_row, b_col, c_row] = self.step;
        let (mut skip, mut places) = ((0, 0, 0), &self.places[..]);
        match self.cut() {
            Cut::Places => places = &places[from.min(places.len())..to.min(places.len())],
            Cut::Rows => {
                // The last part takes what is left.
                let (first, end) = (from * ROWS, if to >= self.parts() { m } else { to * ROWS });
                (m, skip) = (end - first, (first as isize * a_row, 0, first as isize * c_row));
            }
        }
        let p = Product { m, n, k, segments: &self.segments, a_row, a_col, b_row, b_col, c_row, add: self.mode.adds(cx) };
        // SAFETY: the lowering chose offsets inside the buffers.
        let (a, b, c) = unsafe {
            let a = cx.address::<T>(self.lhs.buffer).offset(self.lhs.offset + skip.0).cast_const();
            let b = cx.address::<T>(self.rhs.buffer).offset(self.rhs.offset + skip.1).cast_const();
            (a, b, cx.address::<T>(self.out.buffer).offset(self.out.offset + skip.2))
        };
        let packed = self.packs();
        for &(x, y, z) in places {
            // SAFETY: places lie inside the buffers.
            let (a, b, c) = unsafe { (a.offset(x), b.offset(y), c.offset(z)) };
            if packed {
                // SAFETY: one segment, so this is a plain matrix product with the strides given.
                unsafe { gemm(&p, a, b, c) };
            } else {
                product(&p, a, b, c);
            }
        }
    }

    #[inline]
    fn packs(&self) -> bool {
        let [m, n, k] = self.extent;
        let own = self.dtype == DType::F32 && isa() != Isa::Portable;
        self.segments == [(0, 0)] && m * n * k >= LARGE && m >= 16 && (!own || n * k > 1 << 17)
    }

    /// Multiply-adds.
    pub fn cost(&self) -> usize {
        self.extent.iter().product::<usize>() * self.segments.len() * self.places.len()
    }

    /// Bytes of both operands and the result, of every product.
    pub fn bytes(&self) -> usize {
        let [m, n, k] = self.extent;
        ((m + n) * k * self.segments.len() + m * n) * self.places.len() * self.dtype.size()
    }

    /// Shape and number of products, for explanations.
    pub fn summary(&self) -> String {
        let [m, n, k] = self.extent;
        let how = if self.packs() { ", packed" } else { "" };
        format!("{m}×{k}·{}×{n}, {} places, {:?}{how}", self.segments.len(), self.places.len(), self.mode)
    }
}

/// The same product by the `gemm` crate, on this thread.
///
/// # Safety
/// As for [`Product::run_f32`], with the only segment at (0, 0).
unsafe fn gemm<T: Real>(p: &Product, a: *const T, b: *const T, c: *mut T) {
    let (one, alpha) = (T::of(1.0), if p.add { T::of(1.0) } else { T::of(0.0) });
    // SAFETY: the strides describe matrices inside the operands, as the caller promises.
    unsafe {
        gemm::gemm(
            p.m,
            p.n,
            p.k,
            c,
            1,
            p.c_row,
            p.add,
            a,
            p.a_col,
            p.a_row,
            b,
            p.b_col,
            p.b_row,
            alpha,
            one,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}
