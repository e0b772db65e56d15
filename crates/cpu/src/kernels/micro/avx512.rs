//! The product on a processor with AVX-512: blocks of the result in registers, sixteen columns to a vector.
//!
//! Columns behind the last full vector would leave most lanes idle if they are few. Up to four are computed with the
//! lanes along the sum instead ([`quads`], where rows of the left operand lie in order), or with the operands' sides
//! changed ([`turned`], where its columns do).

use super::Product;
use std::arch::x86_64::{
    __m512, _mm_add_ps, _mm_loadu_ps, _mm_mask_storeu_ps, _mm_maskz_loadu_ps, _mm512_add_ps, _mm512_broadcast_f32x4,
    _mm512_castps512_ps128, _mm512_extractf32x4_ps, _mm512_fmadd_ps, _mm512_loadu_ps, _mm512_mask_storeu_ps, _mm512_maskz_loadu_ps,
    _mm512_permutevar_ps, _mm512_set1_ps, _mm512_setr_epi32, _mm512_setzero_ps,
};
use std::mem::MaybeUninit;

/// Columns behind the last vector that are not worth a vector of their own.
const FEW: usize = 4;
/// Vectors of four terms that are packed at most.
const QUADS: usize = 256;
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
    // SAFETY: the caller's product in two parts.
    unsafe {
        if p.a_col == 1 && p.k >= 4 && p.k.div_ceil(4) * p.segments.len() <= QUADS {
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

/// At most four columns, four terms of the sum side by side: lane 4q + j holds term q's share of column j.
#[target_feature(enable = "avx512f,avx512vl,avx2,fma")]
unsafe fn quads(p: &Product, a: *const f32, b: *const f32, c: *mut f32) {
    let per_row = p.k.div_ceil(4);
    // Not initialized as a whole: only the vectors in use are.
    let mut memory = [const { MaybeUninit::<[f32; 16]>::uninit() }; QUADS];
    for (s, &(_, from)) in p.segments.iter().enumerate() {
        for (q, vector) in memory[s * per_row..][..per_row].iter_mut().enumerate() {
            let vector = vector.write([0.0; 16]);
            for k in 4 * q..p.k.min(4 * q + 4) {
                // SAFETY: `n` columns of row k of the segment.
                let row = unsafe { std::slice::from_raw_parts(b.offset(from + k as isize * p.b_row), p.n) };
                vector[k % 4 * 4..][..p.n].copy_from_slice(row);
            }
        }
    }
    // SAFETY: these vectors were written above.
    let packed = unsafe { std::slice::from_raw_parts(memory.as_ptr().cast::<[f32; 16]>(), p.segments.len() * per_row) };
    let mut i = 0;
    while i < p.m {
        // SAFETY: rows i.. of the caller's product.
        unsafe {
            let (a, c) = (a.offset(i as isize * p.a_row), c.offset(i as isize * p.c_row));
            i += match p.m - i {
                8.. => quad_rows::<8>(p, a, c, packed),
                4.. => quad_rows::<4>(p, a, c, packed),
                _ => quad_rows::<1>(p, a, c, packed),
            };
        }
    }
}

/// R rows of [`quads`]. Returns R.
#[target_feature(enable = "avx512f,avx512vl,avx2,fma")]
unsafe fn quad_rows<const R: usize>(p: &Product, a: *const f32, c: *mut f32, packed: &[[f32; 16]]) -> usize {
    let spread = _mm512_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3);
    let mut sum = [_mm512_setzero_ps(); R];
    let (whole, rest) = (p.k / 4, p.k % 4);
    let mut at = 0;
    for &(from, _) in p.segments {
        for q in 0..whole + usize::from(rest > 0) {
            // SAFETY: `packed` holds a vector per four terms; of the left operand only existing terms are read.
            unsafe {
                let right = _mm512_loadu_ps(packed.get_unchecked(at).as_ptr());
                at += 1;
                for (i, s) in sum.iter_mut().enumerate() {
                    let x = a.offset(from + i as isize * p.a_row).add(4 * q);
                    let four = if q < whole { _mm_loadu_ps(x) } else { _mm_maskz_loadu_ps((1 << rest) - 1, x) };
                    *s = _mm512_fmadd_ps(_mm512_permutevar_ps(_mm512_broadcast_f32x4(four), spread), right, *s);
                }
            }
        }
    }
    for (i, &s) in sum.iter().enumerate() {
        let low = _mm_add_ps(_mm512_castps512_ps128(s), _mm512_extractf32x4_ps::<1>(s));
        let total = _mm_add_ps(low, _mm_add_ps(_mm512_extractf32x4_ps::<2>(s), _mm512_extractf32x4_ps::<3>(s)));
        let mask = (1 << p.n) - 1;
        // SAFETY: `n` columns of row i.
        unsafe {
            let to = c.offset(i as isize * p.c_row);
            let total = if p.add { _mm_add_ps(_mm_maskz_loadu_ps(mask, to), total) } else { total };
            _mm_mask_storeu_ps(to, mask, total);
        }
    }
    R
}

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
