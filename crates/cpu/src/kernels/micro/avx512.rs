//! The product on a processor with AVX-512: blocks of the result in registers, sixteen columns to a vector.
//!
//! Columns behind the last full vector would leave most lanes idle if they are few. Up to four are computed with the
//! lanes along the sum instead ([`quads`], where rows of the left operand lie in order), or with the operands' sides
//! changed ([`turned`], where its columns do).

use super::Product;
use std::arch::x86_64::{
    __m512, _mm_add_ps, _mm_loadu_ps, _mm_mask_storeu_ps, _mm_maskz_loadu_ps, _mm_storeu_ps, _mm256_set_m128, _mm512_add_ps,
    _mm512_broadcast_f32x4, _mm512_castpd_ps, _mm512_castps_pd, _mm512_castps256_ps512, _mm512_castps512_ps128, _mm512_extractf32x4_ps,
    _mm512_fmadd_ps, _mm512_insertf32x8, _mm512_loadu_ps, _mm512_loadu_si512, _mm512_mask_storeu_ps, _mm512_maskz_loadu_ps,
    _mm512_permutevar_ps, _mm512_permutexvar_ps, _mm512_set1_ps, _mm512_setr_epi32, _mm512_setzero_ps, _mm512_unpackhi_pd,
    _mm512_unpackhi_ps, _mm512_unpacklo_pd, _mm512_unpacklo_ps,
};
use std::mem::MaybeUninit;

/// Columns behind the last vector that are not worth a vector of their own.
const FEW: usize = 4;
/// Vectors of four terms that are packed at most.
const QUADS: usize = 64;
/// Rows whose few columns are turned at once.
const TURNED: usize = 64;

/// Cuts the sum into chunks, then the columns into whole vectors and a few that are left.
///
/// # Safety
/// As for [`Product::run_f32`], on a processor with AVX-512.
#[target_feature(enable = "avx512f,avx512vl,avx2,fma")]
pub unsafe fn product(p: &Product, a: *const f32, b: *const f32, c: *mut f32) {
    // SAFETY: the caller's product in parts.
    unsafe { p.in_chunks(a, b, |part, a, b| columns(part, a, b, c)) }
}

#[target_feature(enable = "avx512f,avx512vl,avx2,fma")]
unsafe fn columns(p: &Product, a: *const f32, b: *const f32, c: *mut f32) {
    let (few, terms) = (p.n % 16, p.k * p.segments.len());
    let whole = p.n - few;
    let rest = Product { n: few, ..*p };
    // SAFETY: the last columns of the caller's product.
    let (last_b, last_c) = unsafe { (b.add(whole), c.add(whole)) };
    if few == 0 || few > FEW || p.m < 4 {
        // SAFETY: the caller's product.
        return unsafe { panels(p, a, b, c) };
    }
    if p.a_row == 1 && p.m > 16 && p.m <= 16 + FEW && whole == 16 && terms >= 16 {
        // SAFETY: the caller's product.
        return unsafe { outer(p, a, b, c) };
    }
    // SAFETY: the caller's product in two parts.
    unsafe {
        if p.a_col == 1 && p.k >= 2 && p.k.div_ceil(4) * p.segments.len() <= QUADS {
            quads(&rest, a, last_b, last_c);
        } else if p.a_row == 1 && terms >= 16 {
            turned(&rest, a, last_b, last_c);
        } else {
            return panels(p, a, b, c);
        }
        if whole > 0 {
            panels(&Product { n: whole, ..*p }, a, b, c);
        }
    }
}

/// At most four columns, four terms of the sum side by side: lane 4j + q holds term q's share of column j.
#[target_feature(enable = "avx512f,avx512dq,avx512vl,avx2,fma")]
unsafe fn quads(p: &Product, a: *const f32, b: *const f32, c: *mut f32) {
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
            vector.write(turned_lanes(_mm512_insertf32x8::<1>(_mm512_castps256_ps512(pair(0)), pair(2))));
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
    let halves = |a, b| _mm512_add_ps(_mm512_unpacklo_ps(a, b), _mm512_unpackhi_ps(a, b));
    let (x, y) = (_mm512_castps_pd(halves(s[0], s[1])), _mm512_castps_pd(halves(s[2], s[3])));
    // Lane 4j + i: column j of row i.
    let total = _mm512_add_ps(_mm512_castpd_ps(_mm512_unpacklo_pd(x, y)), _mm512_castpd_ps(_mm512_unpackhi_pd(x, y)));
    // SAFETY: `n` columns of each row; where rows follow each other, they are written at once.
    unsafe {
        if p.c_row == p.n as isize {
            let total = _mm512_permutexvar_ps(_mm512_loadu_si512(BY_ROWS[p.n - 1].as_ptr().cast()), total);
            let mask = ((1u32 << (rows * p.n)) - 1) as u16;
            let total = if p.add { _mm512_add_ps(_mm512_maskz_loadu_ps(mask, c), total) } else { total };
            return _mm512_mask_storeu_ps(c, mask, total);
        }
        let total = turned_lanes(total);
        let each = [
            _mm512_castps512_ps128(total),
            _mm512_extractf32x4_ps::<1>(total),
            _mm512_extractf32x4_ps::<2>(total),
            _mm512_extractf32x4_ps::<3>(total),
        ];
        let mask = (1 << p.n) - 1;
        for (i, &row) in each[..rows].iter().enumerate() {
            let to = c.offset(i as isize * p.c_row);
            match (p.n, p.add) {
                (4, false) => _mm_storeu_ps(to, row),
                (4, true) => _mm_storeu_ps(to, _mm_add_ps(_mm_loadu_ps(to), row)),
                (_, false) => _mm_mask_storeu_ps(to, mask, row),
                (_, true) => _mm_mask_storeu_ps(to, mask, _mm_add_ps(_mm_maskz_loadu_ps(mask, to), row)),
            }
        }
    }
}

/// What is in lane 4j + i, in lane 4i + j.
#[target_feature(enable = "avx512f,avx512vl,avx2,fma")]
fn turned_lanes(x: __m512) -> __m512 {
    _mm512_permutexvar_ps(_mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15), x)
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
unsafe fn turned(p: &Product, a: *const f32, b: *const f32, c: *mut f32) {
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
unsafe fn outer(p: &Product, a: *const f32, b: *const f32, c: *mut f32) {
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

#[target_feature(enable = "avx512f,avx512vl,avx2,fma")]
unsafe fn panels(p: &Product, a: *const f32, b: *const f32, c: *mut f32) {
    let vectors = p.n.div_ceil(16);
    // Seven or eight rows fit one block of three vectors: the right operand is then read once.
    let widest = if matches!(p.m, 7 | 8) { 3 } else { 4 };
    let count = vectors.div_ceil(widest);
    let mut first = 0;
    for i in 0..count {
        let width = (vectors - first).div_ceil(count - i); // panels of almost equal width
        let columns = (width * 16).min(p.n - first * 16);
        // SAFETY: columns first·16 .. first·16 + columns of the caller's product.
        unsafe {
            let (b, c) = (b.add(first * 16), c.add(first * 16));
            match width {
                1 => rows::<16, 1>(p, a, b, c, columns),
                2 => rows::<12, 2>(p, a, b, c, columns),
                3 => rows::<8, 3>(p, a, b, c, columns),
                _ => rows::<6, 4>(p, a, b, c, columns),
            }
        }
        first += width;
    }
}

#[target_feature(enable = "avx512f,avx512vl,avx2,fma")]
unsafe fn rows<const MR: usize, const NV: usize>(p: &Product, a: *const f32, b: *const f32, c: *mut f32, columns: usize) {
    let mut i = 0;
    while i < p.m {
        // SAFETY: rows i.. of the caller's panel; the block's height never exceeds the rows left.
        unsafe {
            let (a, c) = (a.offset(i as isize * p.a_row), c.offset(i as isize * p.c_row));
            let left = p.m - i;
            i += match left {
                _ if left >= MR => block::<MR, NV>(p, a, b, c, columns),
                // One or two sums would wait for their own last addition: several of each, added up in the end.
                1 if NV == 1 && p.k >= 16 => long::<1>(p, a, b, c, columns),
                2 if NV == 1 && p.k >= 16 => long::<2>(p, a, b, c, columns),
                1 => block::<1, NV>(p, a, b, c, columns),
                2 => block::<2, NV>(p, a, b, c, columns),
                3 => block::<3, NV>(p, a, b, c, columns),
                4 => block::<4, NV>(p, a, b, c, columns),
                5 => block::<5, NV>(p, a, b, c, columns),
                6 => block::<6, NV>(p, a, b, c, columns),
                7 => block::<7, NV>(p, a, b, c, columns),
                _ => block::<8, NV>(p, a, b, c, columns),
            };
        }
    }
}

/// MR rows × NV vectors of the result, in registers. Returns MR.
#[target_feature(enable = "avx512f,avx512vl,avx2,fma")]
unsafe fn block<const MR: usize, const NV: usize>(p: &Product, a: *const f32, b: *const f32, c: *mut f32, columns: usize) -> usize {
    let tail = columns - (NV - 1) * 16;
    let last: u16 = if tail == 16 { u16::MAX } else { (1 << tail) - 1 };
    let mask = |j: usize| if j == NV - 1 { last } else { u16::MAX };
    let mut sum: [[__m512; NV]; MR] = [[_mm512_setzero_ps(); NV]; MR];
    // SAFETY: rows and columns inside the operands; masked lanes are not touched.
    unsafe {
        for &(from_a, from_b) in p.segments {
            let (mut x, mut y) = (a.offset(from_a), b.offset(from_b));
            for _ in 0..p.k {
                let mut row = [_mm512_setzero_ps(); NV];
                for (j, r) in row.iter_mut().enumerate() {
                    *r = _mm512_maskz_loadu_ps(mask(j), y.add(16 * j));
                }
                for (i, s) in sum.iter_mut().enumerate() {
                    let left = _mm512_set1_ps(*x.offset(i as isize * p.a_row));
                    for (s, r) in s.iter_mut().zip(&row) {
                        *s = _mm512_fmadd_ps(left, *r, *s);
                    }
                }
                x = x.wrapping_offset(p.a_col);
                y = y.wrapping_offset(p.b_row);
            }
        }
        for (i, s) in sum.iter().enumerate() {
            for (j, s) in s.iter().enumerate() {
                let to = c.offset(i as isize * p.c_row).add(16 * j);
                let s = if p.add { _mm512_add_ps(_mm512_maskz_loadu_ps(mask(j), to), *s) } else { *s };
                _mm512_mask_storeu_ps(to, mask(j), s);
            }
        }
    }
    MR
}

/// One or two rows of at most sixteen columns: every fourth term of the sum in a register of its own. Returns MR.
#[target_feature(enable = "avx512f,avx512vl,avx2,fma")]
unsafe fn long<const MR: usize>(p: &Product, a: *const f32, b: *const f32, c: *mut f32, columns: usize) -> usize {
    const WAYS: usize = 4;
    let mask: u16 = if columns == 16 { u16::MAX } else { (1 << columns) - 1 };
    let mut sum = [[_mm512_setzero_ps(); WAYS]; MR];
    // SAFETY: rows and columns inside the operands; masked lanes are not touched.
    unsafe {
        for &(from_a, from_b) in p.segments {
            let (mut x, mut y) = (a.offset(from_a), b.offset(from_b));
            // The last turn has fewer terms than ways; constant bounds keep all sums in registers.
            for left in (1..=p.k).rev().step_by(WAYS) {
                for way in 0..WAYS {
                    if way < left {
                        let right = _mm512_maskz_loadu_ps(mask, y.offset(way as isize * p.b_row));
                        for (i, s) in sum.iter_mut().enumerate() {
                            let left = _mm512_set1_ps(*x.offset(way as isize * p.a_col + i as isize * p.a_row));
                            s[way] = _mm512_fmadd_ps(left, right, s[way]);
                        }
                    }
                }
                x = x.wrapping_offset(WAYS as isize * p.a_col);
                y = y.wrapping_offset(WAYS as isize * p.b_row);
            }
        }
        for (i, s) in sum.iter().enumerate() {
            let to = c.offset(i as isize * p.c_row);
            let total = _mm512_add_ps(_mm512_add_ps(s[0], s[1]), _mm512_add_ps(s[2], s[3]));
            let total = if p.add { _mm512_add_ps(_mm512_maskz_loadu_ps(mask, to), total) } else { total };
            _mm512_mask_storeu_ps(to, mask, total);
        }
    }
    MR
}
