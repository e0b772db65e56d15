//! The product of two operands that both lie along the sum: every element of the result is a dot product, as in the
//! gradient of a layer whose units lie one behind the other, each with its rows side by side.

use super::Product;
use crate::isa::per_isa;
use crate::kernels::map::Real;
use graph::ops::Binary;

/// Lanes of the loops that the compiler makes vectors of.
const LANES: usize = 8;

/// Rows and columns of a block with AVX-512: sixteen sums, that end in the lanes of one vector.
const SIDE: usize = 4;

per_isa! {
    /// `C[i, j] (+)= Σ_s Σ_k A[a_s + i·a_row + k] · B[b_s + j·b_col + k]`; addresses as promised to [`Product`].
    pub(super) fn dots<T: Real>(p: &Product, a: *const T, b: *const T, c: *mut T) = body
}

#[inline(always)]
fn body<const FMA: bool, T: Real>(p: &Product, a: *const T, b: *const T, c: *mut T) {
    for i in (0..p.m).step_by(2) {
        for j in (0..p.n).step_by(2) {
            // Behind the last row or column the last one is computed again, and not written.
            let (rows, columns) = ([i, (i + 1).min(p.m - 1)], [j, (j + 1).min(p.n - 1)]);
            let sums = square::<FMA, T>(p, a, b, rows, columns);
            for (r, row) in sums.iter().enumerate().take(p.m - i) {
                for (s, &sum) in row.iter().enumerate().take(p.n - j) {
                    // SAFETY: an element of the caller's result.
                    let to = unsafe { &mut *c.offset((i + r) as isize * p.c_row).add(j + s) };
                    *to = if p.add { T::bin(Binary::Add, *to, sum) } else { sum };
                }
            }
        }
    }
}

/// Two rows times two columns.
#[inline(always)]
fn square<const FMA: bool, T: Real>(p: &Product, a: *const T, b: *const T, rows: [usize; 2], columns: [usize; 2]) -> [[T; 2]; 2] {
    let mut sum = [[[T::of(0.0); LANES]; 2]; 2];
    for &(from_a, from_b) in p.segments {
        // SAFETY: these rows and columns of the segment have `k` elements each.
        let (x, y) = unsafe {
            (
                rows.map(|i| std::slice::from_raw_parts(a.offset(from_a + i as isize * p.a_row), p.k)),
                columns.map(|j| std::slice::from_raw_parts(b.offset(from_b + j as isize * p.b_col), p.k)),
            )
        };
        let whole = p.k / LANES * LANES;
        for k in (0..whole).step_by(LANES) {
            for (i, sum) in sum.iter_mut().enumerate() {
                for (j, sum) in sum.iter_mut().enumerate() {
                    for (lane, s) in sum.iter_mut().enumerate() {
                        *s = T::mul_add::<FMA>(x[i][k + lane], y[j][k + lane], *s);
                    }
                }
            }
        }
        for k in whole..p.k {
            for (i, sum) in sum.iter_mut().enumerate() {
                for (j, sum) in sum.iter_mut().enumerate() {
                    sum[k - whole] = T::mul_add::<FMA>(x[i][k], y[j][k], sum[k - whole]);
                }
            }
        }
    }
    let add = |a: T, b: T| T::bin(Binary::Add, a, b);
    sum.map(|row| {
        row.map(|s| {
            let s: [T; 4] = std::array::from_fn(|i| add(s[i], s[i + 4]));
            add(add(s[0], s[2]), add(s[1], s[3]))
        })
    })
}

#[cfg(target_arch = "x86_64")]
pub(super) use wide::dots_avx512;

#[cfg(target_arch = "x86_64")]
mod wide {
    use super::{Product, SIDE};
    use crate::kernels::micro::few::{put, quarter_sums};
    use std::arch::x86_64::{
        __m512, _mm512_add_ps, _mm512_fmadd_ps, _mm512_loadu_ps, _mm512_maskz_loadu_ps, _mm512_setzero_ps, _mm512_shuffle_f32x4,
    };

    /// [`super::dots`] with AVX-512.
    #[target_feature(enable = "avx512f,avx512vl,avx2,fma")]
    pub unsafe fn dots_avx512(p: &Product, a: *const f32, b: *const f32, c: *mut f32) {
        for j in (0..p.n).step_by(SIDE) {
            for i in (0..p.m).step_by(SIDE) {
                // SAFETY: rows i.. and columns j.. of the caller's product.
                unsafe {
                    let (a, b) = (a.offset(i as isize * p.a_row), b.offset(j as isize * p.b_col));
                    let c = c.offset(i as isize * p.c_row).add(j);
                    match ((p.m - i).min(SIDE), (p.n - j).min(SIDE)) {
                        (4, 4) => block::<4, 4>(p, a, b, c),
                        (4, 3) => block::<4, 3>(p, a, b, c),
                        (4, 2) => block::<4, 2>(p, a, b, c),
                        (4, _) => block::<4, 1>(p, a, b, c),
                        (3, 4) => block::<3, 4>(p, a, b, c),
                        (2, 4) => block::<2, 4>(p, a, b, c),
                        (1, 4) => block::<1, 4>(p, a, b, c),
                        (rows, columns) => corner(p, a, b, c, rows, columns),
                    }
                }
            }
        }
    }

    /// Fewer than four rows and columns, one by one.
    #[target_feature(enable = "avx512f,avx512vl,avx2,fma")]
    unsafe fn corner(p: &Product, a: *const f32, b: *const f32, c: *mut f32, rows: usize, columns: usize) {
        for i in 0..rows as isize {
            for j in 0..columns as isize {
                // SAFETY: one element of the caller's product.
                unsafe { block::<1, 1>(p, a.offset(i * p.a_row), b.offset(j * p.b_col), c.offset(i * p.c_row + j)) };
            }
        }
    }

    /// R rows and C columns at once.
    #[target_feature(enable = "avx512f,avx512vl,avx2,fma")]
    unsafe fn block<const R: usize, const C: usize>(p: &Product, a: *const f32, b: *const f32, c: *mut f32) {
        let mut sum = [[_mm512_setzero_ps(); C]; R];
        let rest: u16 = (1 << (p.k % 16)) - 1;
        for &(from_a, from_b) in p.segments {
            // SAFETY: `k` elements of these rows and columns; the mask leaves out what is behind them.
            unsafe {
                let (mut x, mut y) = (a.offset(from_a), b.offset(from_b));
                for _ in 0..p.k / 16 {
                    let right: [__m512; C] = std::array::from_fn(|j| _mm512_loadu_ps(y.offset(j as isize * p.b_col)));
                    let left: [__m512; R] = std::array::from_fn(|i| _mm512_loadu_ps(x.offset(i as isize * p.a_row)));
                    multiply(&mut sum, &left, &right);
                    (x, y) = (x.add(16), y.add(16));
                }
                if rest != 0 {
                    let right: [__m512; C] = std::array::from_fn(|j| _mm512_maskz_loadu_ps(rest, y.offset(j as isize * p.b_col)));
                    let left: [__m512; R] = std::array::from_fn(|i| _mm512_maskz_loadu_ps(rest, x.offset(i as isize * p.a_row)));
                    multiply(&mut sum, &left, &right);
                }
            }
        }
        let mut all = [[_mm512_setzero_ps(); SIDE]; SIDE];
        sum.iter().zip(&mut all).for_each(|(s, a)| a[..C].copy_from_slice(s));
        // SAFETY: so many rows and columns of the caller's result.
        unsafe { put(p, c, totals(&all), R, C) };
    }

    #[target_feature(enable = "avx512f,avx512vl,avx2,fma")]
    fn multiply<const R: usize, const C: usize>(sum: &mut [[__m512; C]; R], left: &[__m512; R], right: &[__m512; C]) {
        for (row, &l) in sum.iter_mut().zip(left) {
            for (s, &r) in row.iter_mut().zip(right) {
                *s = _mm512_fmadd_ps(l, r, *s);
            }
        }
    }

    /// The sixteen sums over the lanes of sixteen vectors, in their order.
    #[target_feature(enable = "avx512f,avx512vl,avx2,fma")]
    fn totals(s: &[[__m512; SIDE]; SIDE]) -> __m512 {
        let halves = |a, b| _mm512_add_ps(_mm512_shuffle_f32x4::<0x88>(a, b), _mm512_shuffle_f32x4::<0xdd>(a, b));
        halves(halves(quarter_sums(&s[0]), quarter_sums(&s[1])), halves(quarter_sums(&s[2]), quarter_sums(&s[3])))
    }
}
