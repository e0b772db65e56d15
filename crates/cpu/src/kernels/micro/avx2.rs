//! The product on a processor with AVX2 and FMA: blocks of the result in registers, eight columns to a vector.

use super::Product;
use std::arch::x86_64::{
    __m256, __m256i, _mm256_add_ps, _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_loadu_si256, _mm256_maskload_ps, _mm256_maskstore_ps,
    _mm256_set1_ps, _mm256_setzero_ps, _mm256_storeu_ps,
};

/// Cuts the sum into chunks, the columns into panels of one or two vectors and the rows into blocks.
///
/// # Safety
/// As for [`Product::run_f32`], on a processor with AVX2 and FMA.
#[target_feature(enable = "avx2,fma")]
pub unsafe fn product(p: &Product, a: *const f32, b: *const f32, c: *mut f32) {
    // SAFETY: the caller's product in parts.
    unsafe { p.in_chunks(a, b, |part, a, b| panels(part, a, b, c)) }
}

#[target_feature(enable = "avx2,fma")]
unsafe fn panels(p: &Product, a: *const f32, b: *const f32, c: *mut f32) {
    for first in (0..p.n).step_by(16) {
        let columns = 16.min(p.n - first);
        // SAFETY: columns first .. first + columns of the caller's product.
        unsafe {
            let (b, c) = (b.add(first), c.add(first));
            if columns <= 8 { rows::<8, 1>(p, a, b, c, columns) } else { rows::<6, 2>(p, a, b, c, columns) }
        }
    }
}

#[target_feature(enable = "avx2,fma")]
unsafe fn rows<const MR: usize, const NV: usize>(p: &Product, a: *const f32, b: *const f32, c: *mut f32, columns: usize) {
    let mut i = 0;
    while i < p.m {
        // SAFETY: rows i.. of the caller's panel; the block's height never exceeds the rows left.
        unsafe {
            let (a, c) = (a.offset(i as isize * p.a_row), c.offset(i as isize * p.c_row));
            let left = p.m - i;
            i += if left >= MR {
                block::<MR, NV>(p, a, b, c, columns)
            } else if left >= 4 {
                block::<4, NV>(p, a, b, c, columns)
            } else if left >= 2 {
                block::<2, NV>(p, a, b, c, columns)
            } else {
                block::<1, NV>(p, a, b, c, columns)
            };
        }
    }
}

/// MR rows × NV vectors of the result, in registers. Returns MR.
#[target_feature(enable = "avx2,fma")]
unsafe fn block<const MR: usize, const NV: usize>(p: &Product, a: *const f32, b: *const f32, c: *mut f32, columns: usize) -> usize {
    const LANES: [i32; 16] = [-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0];
    let tail = columns - (NV - 1) * 8;
    // SAFETY: 1 ≤ tail ≤ 8, so eight of the sixteen numbers begin at 8 − tail.
    let mask = unsafe { _mm256_loadu_si256(LANES.as_ptr().add(8 - tail).cast::<__m256i>()) };
    let partial = |j: usize| j == NV - 1 && tail < 8;
    let mut sum: [[__m256; NV]; MR] = [[_mm256_setzero_ps(); NV]; MR];
    // SAFETY: rows and columns inside the operands; masked lanes are not touched.
    unsafe {
        let load = |from: *const f32, j: usize| if partial(j) { _mm256_maskload_ps(from, mask) } else { _mm256_loadu_ps(from) };
        for &(from_a, from_b) in p.segments {
            let (mut x, mut y) = (a.offset(from_a), b.offset(from_b));
            for _ in 0..p.k {
                let mut row = [_mm256_setzero_ps(); NV];
                for (j, r) in row.iter_mut().enumerate() {
                    *r = load(y.add(8 * j), j);
                }
                for (i, s) in sum.iter_mut().enumerate() {
                    let left = _mm256_set1_ps(*x.offset(i as isize * p.a_row));
                    for (s, r) in s.iter_mut().zip(&row) {
                        *s = _mm256_fmadd_ps(left, *r, *s);
                    }
                }
                x = x.wrapping_offset(p.a_col);
                y = y.wrapping_offset(p.b_row);
            }
        }
        for (i, s) in sum.iter().enumerate() {
            for (j, s) in s.iter().enumerate() {
                let to = c.offset(i as isize * p.c_row).add(8 * j);
                let s = if p.add { _mm256_add_ps(load(to, j), *s) } else { *s };
                if partial(j) { _mm256_maskstore_ps(to, mask, s) } else { _mm256_storeu_ps(to, s) }
            }
        }
    }
    MR
}
