//! Columns behind the last full vector of AVX-512, if they are few: a vector of their own would leave most lanes idle.
//!
//! They are computed with the lanes along the sum ([`quads`], where rows of the left operand lie in order), with the
//! operands' sides changed ([`turned`], where its columns do), or, where rows are few too, with all of the result in
//! registers ([`outer`]).

use super::Product;
use super::avx512::panels;
use std::arch::x86_64::{
    __m512, _mm_add_ps, _mm_loadu_ps, _mm_mask_storeu_ps, _mm_maskz_loadu_ps, _mm_storeu_ps, _mm256_set_m128, _mm512_add_ps,
    _mm512_broadcast_f32x4, _mm512_castpd_ps, _mm512_castps_pd, _mm512_castps256_ps512, _mm512_castps512_ps128, _mm512_extractf32x4_ps,
    _mm512_fmadd_ps, _mm512_insertf32x8, _mm512_loadu_ps, _mm512_loadu_si512, _mm512_mask_storeu_ps, _mm512_maskz_loadu_ps,
    _mm512_permutevar_ps, _mm512_permutexvar_ps, _mm512_set1_ps, _mm512_setr_epi32, _mm512_setzero_ps, _mm512_unpackhi_pd,
    _mm512_unpackhi_ps, _mm512_unpacklo_pd, _mm512_unpacklo_ps,
};
use std::mem::MaybeUninit;

/// Columns that are not worth a vector of their own.
pub(super) const FEW: usize = 4;
/// Vectors of four terms that are packed at most.
const QUADS: usize = 64;
/// Rows whose few columns are turned at once.
const TURNED: usize = 64;

/// Whether [`quads`] takes this product: its rows lie in order, and its terms find room.
pub(super) fn has_quads(p: &Product) -> bool {
    p.a_col == 1 && p.k >= 2 && p.k.div_ceil(4) * p.segments.len() <= QUADS
}

/// At most four columns, four terms of the sum side by side: lane 4j + q holds term q's share of column j.
#[target_feature(enable = "avx512f,avx512dq,avx512vl,avx2,fma")]
pub(super) unsafe fn quads(p: &Product, a: *const f32, b: *const f32, c: *mut f32) {
    let (per_row, mask) = (p.k.div_ceil(4), (1 << p.n) - 1);
    // Not initialized as a whole: only the vectors in use are.
    let mut memory = [const { MaybeUninit::<__m512>::uninit() }; QUADS];
    for (s, &(_, from)) in p.segments.iter().enumerate() {
        for (q, vector) in memory[s * per_row..][..per_row].iter_mut().enumerate() {
            // SAFETY: `n` columns of row 4q + i of the segment; none of a row behind the last.
            let row = |i: usize| unsafe {
                let mask = if 4 * q + i < p.k { mask } else { 0 };
                _mm_maskz_loadu_ps(mask, b.wrapping_offset(from + (4 * q + i) as isize * p.b_row))
            };
            let pair = |i: usize| _mm256_set_m128(row(i + 1), row(i));
            let rows = _mm512_insertf32x8::<1>(_mm512_castps256_ps512(pair(0)), pair(2));
            vector.write(by_rows(FEW, rows));
        }
    }
    // SAFETY: these vectors were written above.
    let packed = unsafe { std::slice::from_raw_parts(memory.as_ptr().cast::<__m512>(), p.segments.len() * per_row) };
    let mut i = 0;
    while i < p.m {
        // SAFETY: rows i.. of the caller's product.
        unsafe {
            let (a, c) = (a.offset(i as isize * p.a_row), c.offset(i as isize * p.c_row));
            i += match p.m - i {
                8.. => quad_rows::<8>(p, a, c, packed),
                4.. => quad_rows::<4>(p, a, c, packed),
                2.. => quad_rows::<2>(p, a, c, packed),
                _ => quad_rows::<1>(p, a, c, packed),
            };
        }
    }
}

/// R rows of [`quads`]. Returns R.
#[target_feature(enable = "avx512f,avx512vl,avx2,fma")]
unsafe fn quad_rows<const R: usize>(p: &Product, a: *const f32, c: *mut f32, packed: &[__m512]) -> usize {
    let mut sum = [_mm512_setzero_ps(); R];
    let (whole, rest) = (p.k / 4, p.k % 4);
    let mut at = 0;
    for &(from, _) in p.segments {
        // SAFETY: `packed` holds a vector per four terms; of the left operand only existing terms are read.
        unsafe {
            for q in 0..whole {
                let right = *packed.get_unchecked(at);
                for (i, s) in sum.iter_mut().enumerate() {
                    let four = _mm_loadu_ps(a.offset(from + i as isize * p.a_row).add(4 * q));
                    *s = _mm512_fmadd_ps(_mm512_broadcast_f32x4(four), right, *s);
                }
                at += 1;
            }
            if rest > 0 {
                let right = *packed.get_unchecked(at);
                for (i, s) in sum.iter_mut().enumerate() {
                    let some = _mm_maskz_loadu_ps((1 << rest) - 1, a.offset(from + i as isize * p.a_row).add(4 * whole));
                    *s = _mm512_fmadd_ps(_mm512_broadcast_f32x4(some), right, *s);
                }
                at += 1;
            }
        }
    }
    for (first, sums) in sum.chunks(4).enumerate() {
        let mut four = [_mm512_setzero_ps(); 4];
        four[..sums.len()].copy_from_slice(sums);
        // SAFETY: these rows of the caller's result.
        unsafe { store_quads(p, c.offset(4 * first as isize * p.c_row), four, sums.len()) };
    }
    R
}

/// Adds the four terms of every column of the first `rows` of four rows, and writes the columns.
#[target_feature(enable = "avx512f,avx512vl,avx2,fma")]
unsafe fn store_quads(p: &Product, c: *mut f32, s: [__m512; 4], rows: usize) {
    // Lane 4j + i: column j of row i.
    let total = quarter_sums(&s);
    // SAFETY: `n` columns of each row; where rows follow each other, they are written at once.
    unsafe {
        if p.c_row == p.n as isize {
            let total = by_rows(p.n, total);
            let mask = ((1u32 << (rows * p.n)) - 1) as u16;
            let total = if p.add { _mm512_add_ps(_mm512_maskz_loadu_ps(mask, c), total) } else { total };
            return _mm512_mask_storeu_ps(c, mask, total);
        }
        put(p, c, by_rows(FEW, total), rows, p.n);
    }
}

/// Of four vectors, in quarter j and lane i of it: the sum over quarter j of vector i.
#[target_feature(enable = "avx512f,avx512vl,avx2,fma")]
#[inline]
pub(super) fn quarter_sums(s: &[__m512; 4]) -> __m512 {
    let pair = |a, b| _mm512_castps_pd(_mm512_add_ps(_mm512_unpacklo_ps(a, b), _mm512_unpackhi_ps(a, b)));
    let (x, y) = (pair(s[0], s[1]), pair(s[2], s[3]));
    _mm512_add_ps(_mm512_castpd_ps(_mm512_unpacklo_pd(x, y)), _mm512_castpd_ps(_mm512_unpackhi_pd(x, y)))
}

/// Writes a quarter of the vector to each of the first `rows` rows from `c` on, or as many lanes of it as there are
/// `columns`.
#[target_feature(enable = "avx512f,avx512vl,avx2,fma")]
#[inline]
pub(super) unsafe fn put(p: &Product, c: *mut f32, quarters: __m512, rows: usize, columns: usize) {
    let each = [
        _mm512_castps512_ps128(quarters),
        _mm512_extractf32x4_ps::<1>(quarters),
        _mm512_extractf32x4_ps::<2>(quarters),
        _mm512_extractf32x4_ps::<3>(quarters),
    ];
    let mask = (1 << columns) - 1;
    for (i, &row) in each[..rows].iter().enumerate() {
        // SAFETY: so many columns of the caller's row.
        unsafe {
            let to = c.offset(i as isize * p.c_row);
            match (columns, p.add) {
                (4, false) => _mm_storeu_ps(to, row),
                (4, true) => _mm_storeu_ps(to, _mm_add_ps(_mm_loadu_ps(to), row)),
                (_, false) => _mm_mask_storeu_ps(to, mask, row),
                (_, true) => _mm_mask_storeu_ps(to, mask, _mm_add_ps(_mm_maskz_loadu_ps(mask, to), row)),
            }
        }
    }
}

/// What lane 4j + i holds, where row i has its column j when rows of `n` columns stand one behind the other.
#[target_feature(enable = "avx512f,avx512vl,avx2,fma")]
fn by_rows(n: usize, x: __m512) -> __m512 {
    // SAFETY: sixteen lane numbers.
    let lanes = unsafe { _mm512_loadu_si512(BY_ROWS[n - 1].as_ptr().cast()) };
    _mm512_permutexvar_ps(lanes, x)
}

/// For every number of columns, the lane 4j + i that belongs where row i has its column j, rows one behind the other.
const BY_ROWS: [[u32; 16]; FEW] = {
    let mut all = [[0; 16]; FEW];
    let mut n = 1;
    while n <= FEW {
        let mut at = 0;
        while at < 4 * n {
            all[n - 1][at] = (4 * (at % n) + at / n) as u32;
            at += 1;
        }
        n += 1;
    }
    all
};

/// At most four columns as the rows of the transposed product, written through a small buffer.
#[target_feature(enable = "avx512f,avx512vl,avx2,fma")]
pub(super) unsafe fn turned(p: &Product, a: *const f32, b: *const f32, c: *mut f32) {
    let mut buffer = [0.0f32; FEW * TURNED];
    for first in (0..p.m).step_by(TURNED) {
        let rows = TURNED.min(p.m - first);
        for (n, &(from_a, from_b)) in p.segments.iter().enumerate() {
            let segment = [(0, 0)];
            let t = Product {
                m: p.n,
                n: rows,
                k: p.k,
                segments: &segment,
                a_row: 1,
                a_col: p.b_row,
                b_row: p.a_col,
                b_col: 1,
                c_row: TURNED as isize,
                add: n > 0,
            };
            // SAFETY: a part of the caller's product; the buffer holds FEW rows of TURNED columns.
            unsafe { panels(&t, b.offset(from_b), a.offset(from_a + first as isize), buffer.as_mut_ptr()) };
        }
        for i in 0..rows {
            for j in 0..p.n {
                // SAFETY: column j of row first + i.
                unsafe {
                    let to = c.offset((first + i) as isize * p.c_row).add(j);
                    let x = buffer[j * TURNED + i];
                    *to = if p.add { *to + x } else { x };
                }
            }
        }
    }
}

/// Seventeen to twenty rows and columns, the rows side by side in the left operand, as the gradients of a layer of twenty
/// units are: all of the result in registers. Rows and columns behind the sixteenth are vectors too, and what both have
/// in common is one more.
#[target_feature(enable = "avx512f,avx512vl,avx2,fma")]
pub(super) unsafe fn outer(p: &Product, a: *const f32, b: *const f32, c: *mut f32) {
    let (below, beside) = (p.m - 16, p.n - 16);
    let (low, far) = ((1u8 << below) - 1, (1u8 << beside) - 1);
    // Rows and columns that are not there are computed as the last one again, and not written.
    let (row, column) = ([0, 1, 2, 3].map(|i: usize| 16 + i.min(below - 1)), [0, 1, 2, 3].map(|j: usize| 16 + j.min(beside - 1)));
    let spread = _mm512_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3);
    let zero = _mm512_setzero_ps();
    let (mut main, mut rows, mut columns, mut corner) = ([zero; 16], [zero; 4], [zero; 4], zero);
    for &(from_a, from_b) in p.segments {
        let (mut x, mut y) = (a.wrapping_offset(from_a), b.wrapping_offset(from_b));
        for _ in 0..p.k {
            // SAFETY: `m` elements of the left operand and `n` of the right belong to each product.
            unsafe {
                let (left, right) = (_mm512_loadu_ps(x), _mm512_loadu_ps(y));
                for (i, s) in main.iter_mut().enumerate() {
                    *s = _mm512_fmadd_ps(_mm512_set1_ps(*x.add(i)), right, *s);
                }
                for i in 0..4 {
                    rows[i] = _mm512_fmadd_ps(_mm512_set1_ps(*x.add(row[i])), right, rows[i]);
                    columns[i] = _mm512_fmadd_ps(_mm512_set1_ps(*y.add(column[i])), left, columns[i]);
                }
                let (left, right) = (_mm_maskz_loadu_ps(low, x.add(16)), _mm_maskz_loadu_ps(far, y.add(16)));
                let left = _mm512_permutevar_ps(_mm512_broadcast_f32x4(left), spread);
                corner = _mm512_fmadd_ps(left, _mm512_broadcast_f32x4(right), corner);
            }
            (x, y) = (x.wrapping_offset(p.a_col), y.wrapping_offset(p.b_row));
        }
    }
    let put = |i: usize, first: usize, mask: u16, values: *const f32| {
        // SAFETY: the columns of row i that the mask names; `values` holds sixteen numbers.
        unsafe {
            let (to, values) = (c.offset(i as isize * p.c_row).add(first), _mm512_maskz_loadu_ps(mask, values));
            let values = if p.add { _mm512_add_ps(_mm512_maskz_loadu_ps(mask, to), values) } else { values };
            _mm512_mask_storeu_ps(to, mask, values);
        }
    };
    for (i, s) in main.iter().chain(&rows[..below]).enumerate() {
        put(i, 0, u16::MAX, std::ptr::from_ref(s).cast());
    }
    let mut turned = [0.0; 16 * 4 + 16];
    // SAFETY: vectors are sixteen numbers each.
    let lanes = unsafe { std::slice::from_raw_parts(columns.as_ptr().cast::<f32>(), 64) };
    (0..64).for_each(|i| turned[i] = lanes[i % 4 * 16 + i / 4]);
    (0..16).for_each(|i| put(i, 16, far.into(), turned[4 * i..].as_ptr()));
    let corner = std::ptr::from_ref(&corner).cast::<f32>();
    (0..below).for_each(|i| put(16 + i, 16, far.into(), corner.wrapping_add(4 * i)));
}
