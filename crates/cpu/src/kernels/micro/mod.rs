//! The matrix product's innermost loops: a block of the result is kept in registers while one column
//! of the left operand after another is multiplied with one row of the right.
//!
//! Nothing is packed: the left operand may lie in memory in any way (its elements are broadcast), the
//! right one needs its columns side by side, or both lie along the sum ([`dots`]). That suits a training
//! step, whose tiles sit in the cache already, and lets a convolution read its windows straight from the image.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod dots;
#[cfg(target_arch = "x86_64")]
mod few;

use super::map::Real;
use crate::isa::{Isa, isa, per_isa};
use dots::dots;

/// `C[i, j] (+)= Σ_s Σ_k A[a_s + i·a_row + k·a_col] · B[b_s + k·b_row + j·b_col]`, all in elements.
///
/// The right operand has its columns side by side (`b_col` is 1), or both operands lie along the sum (`a_col` and `b_row`
/// are 1).
#[derive(Clone, Copy, Debug)]
pub struct Product<'a> {
    /// Rows of the result.
    pub m: usize,
    /// Columns of the result.
    pub n: usize,
    /// Products per segment.
    pub k: usize,
    /// Where each segment of the sum starts, in both operands.
    pub segments: &'a [(isize, isize)],
    /// Step from row to row of the left operand.
    pub a_row: isize,
    /// Step from product to product in the left operand.
    pub a_col: isize,
    /// Step from product to product in the right operand.
    pub b_row: isize,
    /// Step from column to column of the right operand.
    pub b_col: isize,
    /// Step from row to row of the result.
    pub c_row: isize,
    /// Whether the result is added to what is there.
    pub add: bool,
}

/// Products summed in registers before they are added to memory: keeps rounding errors of long sums
/// near those of pairwise summation.
const CHUNK: usize = 1024;

impl Product<'_> {
    /// Computes the product in single precision.
    ///
    /// # Safety
    /// All elements the formula names must lie inside the operands; the result overlaps neither.
    pub unsafe fn run_f32(&self, a: *const f32, b: *const f32, c: *mut f32) {
        #[cfg(target_arch = "x86_64")]
        if self.k > 0 && !self.segments.is_empty() {
            match isa() {
                // SAFETY: promised by the caller; `isa()` says that the processor has AVX-512.
                Isa::Avx512 => return unsafe { avx512::product(self, a, b, c) },
                // SAFETY: as above, AVX2 and FMA.
                Isa::Avx2 if !self.is_dots() => return unsafe { avx2::product(self, a, b, c) },
                _ => {}
            }
        }
        // SAFETY: promised by the caller.
        unsafe { self.run_portable(a, b, c) }
    }

    /// Whether both operands lie along the sum, and the right one's columns not side by side.
    fn is_dots(&self) -> bool {
        self.b_col != 1 && self.a_col == 1 && self.b_row == 1 && self.k > 0 && !self.segments.is_empty()
    }

    /// Hands out the product in parts of at most [`CHUNK`] terms: all but the first add to what is there.
    ///
    /// # Safety
    /// As for [`Product::run_f32`].
    unsafe fn in_chunks<T>(&self, a: *const T, b: *const T, part: impl Fn(&Product, *const T, *const T)) {
        let per_chunk = (CHUNK / self.k).max(1);
        let mut add = self.add;
        for segments in self.segments.chunks(per_chunk) {
            for k in (0..self.k).step_by(CHUNK) {
                let first = k as isize;
                // SAFETY: a part of the caller's product.
                let (a, b) = unsafe { (a.offset(first * self.a_col), b.offset(first * self.b_row)) };
                part(&Product { segments, k: CHUNK.min(self.k - k), add, ..*self }, a, b);
                add = true;
            }
        }
    }

    /// Computes the product in any precision, on any processor.
    ///
    /// # Safety
    /// As for [`Product::run_f32`].
    pub unsafe fn run_portable<T: Real>(&self, a: *const T, b: *const T, c: *mut T) {
        if self.is_dots() {
            // SAFETY: the caller's product in parts.
            return unsafe { self.in_chunks(a, b, |part, a, b| dots(part, a, b, c)) };
        }
        for i in 0..self.m {
            // SAFETY: row i of the result.
            let row = unsafe { std::slice::from_raw_parts_mut(c.offset(i as isize * self.c_row), self.n) };
            if !self.add {
                row.fill(T::of(0.0));
            }
            for &(from_a, from_b) in self.segments {
                // SAFETY: segment start of row i; the products are inside as the caller promised.
                unsafe { row_product(row, a.offset(from_a + i as isize * self.a_row), b.offset(from_b), self.k, self.a_col, self.b_row) };
            }
        }
    }
}

#[inline(always)]
fn row_body<const FMA: bool, T: Real>(row: &mut [T], a: *const T, b: *const T, k: usize, a_col: isize, b_row: isize) {
    for p in 0..k as isize {
        // SAFETY: inside the operands, by the contract of `Product`.
        let (x, from) = unsafe { (*a.offset(p * a_col), std::slice::from_raw_parts(b.offset(p * b_row), row.len())) };
        for (c, b) in row.iter_mut().zip(from) {
            *c = T::mul_add::<FMA>(x, *b, *c);
        }
    }
}

per_isa! {
    /// `row[j] += Σ_p a[p·a_col]·b[p·b_row + j]`; addresses as promised to [`Product`].
    fn row_product<T: Real>(row: &mut [T], a: *const T, b: *const T, k: usize, a_col: isize, b_row: isize) = row_body
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(n: usize, seed: usize) -> Vec<f32> {
        (0..n).map(|i| ((i * 7919 + seed * 104_729) % 1009) as f32 / 504.5 - 1.0).collect()
    }

    /// Every block height and panel width, all layouts of the operands, several segments, against f64.
    #[test]
    fn products_of_awkward_shapes_match_double_precision() {
        for m in [0, 1, 2, 3, 5, 7, 8, 12, 13, 16, 17, 18, 20, 31, 70] {
            for n in [0, 1, 3, 4, 15, 16, 17, 20, 33, 36, 48, 50, 64, 65, 83] {
                for (k, segs) in [(0, 1), (1, 1), (5, 0), (5, 3), (8, 2), (67, 1), (1030, 2)] {
                    for (transposed, along, add) in [(false, false, false), (true, false, true), (false, true, false), (false, true, true)]
                    {
                        let a = numbers(m * k * segs, 1);
                        let b = numbers(k * segs * n, 2);
                        let before = numbers(m * n, 3);
                        let segments: Vec<(isize, isize)> = (0..segs).map(|s| ((s * m * k) as isize, (s * k * n) as isize)).collect();
                        let (a_row, a_col) = if transposed { (1, m as isize) } else { (k as isize, 1) };
                        let (b_row, b_col) = if along { (1, k as isize) } else { (n as isize, 1) };
                        let p = Product { m, n, k, segments: &segments, a_row, a_col, b_row, b_col, c_row: n as isize, add };
                        let (mut fast, mut portable) = (before.clone(), before.clone());
                        // SAFETY: the slices hold exactly the elements the product names.
                        unsafe {
                            p.run_f32(a.as_ptr(), b.as_ptr(), fast.as_mut_ptr());
                            p.run_portable(a.as_ptr(), b.as_ptr(), portable.as_mut_ptr());
                        }
                        for i in 0..m * n {
                            let (r, c) = (i / n, i % n);
                            let at = |s: usize, q: usize| f64::from(a[s * m * k + if transposed { q * m + r } else { r * k + q }]);
                            let right = |s: usize, q: usize| f64::from(b[s * k * n + if along { c * k + q } else { q * n + c }]);
                            let exact: f64 = (0..segs).flat_map(|s| (0..k).map(move |q| (s, q))).map(|(s, q)| at(s, q) * right(s, q)).sum();
                            let exact = exact + if add { f64::from(before[i]) } else { 0.0 };
                            let bound = 1e-6 * (k * segs + 1) as f64;
                            assert!((f64::from(fast[i]) - exact).abs() <= bound, "{m}×{k}×{n}: {} {exact}", fast[i]);
                            assert!((f64::from(portable[i]) - exact).abs() <= bound, "portable {m}×{k}×{n}: {} {exact}", portable[i]);
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn the_same_holds_with_other_instruction_sets() {
        if std::env::var_os("NEURONA_ISA").is_some() {
            return; // this is a process started below
        }
        for isa in ["avx2", "portable"] {
            let tests = std::process::Command::new(std::env::current_exe().unwrap()).arg("kernels::micro").env("NEURONA_ISA", isa).output();
            let tests = tests.unwrap();
            assert!(tests.status.success(), "NEURONA_ISA={isa}: {}", String::from_utf8_lossy(&tests.stdout));
        }
    }
}
