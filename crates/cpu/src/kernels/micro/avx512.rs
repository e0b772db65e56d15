//! The product on a processor with AVX-512: blocks of the result in registers, sixteen columns to a vector; those that are
//! left over, if few, as [`super::few`] does it.

use super::Product;
use super::dots::dots_avx512;
use super::few::{FEW, has_quads, outer, quads, turned};
use std::arch::x86_64::{
    __m512, _mm512_add_ps, _mm512_fmadd_ps, _mm512_mask_storeu_ps, _mm512_maskz_loadu_ps, _mm512_set1_ps, _mm512_setzero_ps,
};

/// Cuts the sum into chunks, then the columns into whole vectors and a few that are left.
///
/// # Safety
/// As for [`Product::run_f32`], on a processor with AVX-512.
#[target_feature(enable = "avx512f,avx512vl,avx2,fma")]
pub unsafe fn product(p: &Product, a: *const f32, b: *const f32, c: *mut f32) {
    // SAFETY: the caller's product in parts.
    unsafe { p.in_chunks(a, b, |part, a, b| if p.is_dots() { dots_avx512(part, a, b, c) } else { columns(part, a, b, c) }) }
}

#[target_feature(enable = "avx512f,avx512vl,avx2,fma")]
unsafe fn columns(p: &Product, a: *const f32, b: *const f32, c: *mut f32) {
    let (few, terms) = (p.n % 16, p.k * p.segments.len());
    let whole = p.n - few;
    let few_too = p.m > 16 && p.m <= 16 + FEW && whole == 16;
    // SAFETY: the caller's product; or its last columns, then those before them.
    unsafe {
        let last = Product { n: few, ..*p };
        match () {
            () if few == 0 || few > FEW || p.m < 4 => return panels(p, a, b, c),
            () if has_quads(p) => quads(&last, a, b.add(whole), c.add(whole)),
            () if p.a_row != 1 || terms < 16 => return panels(p, a, b, c),
            () if few_too => return outer(p, a, b, c),
            () => turned(&last, a, b.add(whole), c.add(whole)),
        }
        if whole > 0 {
            panels(&Product { n: whole, ..*p }, a, b, c);
        }
    }
}

#[target_feature(enable = "avx512f,avx512vl,avx2,fma")]
pub(super) unsafe fn panels(p: &Product, a: *const f32, b: *const f32, c: *mut f32) {
    // Rows side by side, as the weights of a layer that is turned, need no multiplication to be found.
    // SAFETY: the caller's product.
    unsafe { if p.a_row == 1 { wide::<true>(p, a, b, c) } else { wide::<false>(p, a, b, c) } }
}

/// All columns, in panels of some vectors; UNIT: rows of the left operand lie side by side.
#[target_feature(enable = "avx512f,avx512vl,avx2,fma")]
unsafe fn wide<const UNIT: bool>(p: &Product, a: *const f32, b: *const f32, c: *mut f32) {
    let vectors = p.n.div_ceil(16);
    // Seven or eight rows fit one block of three vectors, twenty one of a single vector: the right operand is then read
    // once.
    let widest = match p.m {
        7 | 8 => 3,
        20 => 1,
        _ => 4,
    };
    let count = vectors.div_ceil(widest);
    let mut first = 0;
    for i in 0..count {
        let width = (vectors - first).div_ceil(count - i); // panels of almost equal width
        let columns = (width * 16).min(p.n - first * 16);
        // SAFETY: columns first·16 .. first·16 + columns of the caller's product.
        unsafe {
            let (b, c) = (b.add(first * 16), c.add(first * 16));
            match width {
                1 if p.m == 20 => rows::<20, 1, UNIT>(p, a, b, c, columns),
                1 => rows::<16, 1, UNIT>(p, a, b, c, columns),
                2 => rows::<12, 2, UNIT>(p, a, b, c, columns),
                3 => rows::<8, 3, UNIT>(p, a, b, c, columns),
                _ => rows::<6, 4, UNIT>(p, a, b, c, columns),
            }
        }
        first += width;
    }
}

#[target_feature(enable = "avx512f,avx512vl,avx2,fma")]
unsafe fn rows<const MR: usize, const NV: usize, const UNIT: bool>(p: &Product, a: *const f32, b: *const f32, c: *mut f32, columns: usize) {
    let mut i = 0;
    while i < p.m {
        // SAFETY: rows i.. of the caller's panel; the block's height never exceeds the rows left.
        unsafe {
            let (a, c) = (a.offset(i as isize * p.a_row), c.offset(i as isize * p.c_row));
            let left = p.m - i;
            i += match left {
                _ if left >= MR => block::<MR, NV, UNIT>(p, a, b, c, columns),
                // One or two sums would wait for their own last addition: several of each, added up in the end.
                1 if NV == 1 && p.k >= 16 => long::<1>(p, a, b, c, columns),
                2 if NV == 1 && p.k >= 16 => long::<2>(p, a, b, c, columns),
                1 => block::<1, NV, UNIT>(p, a, b, c, columns),
                2 => block::<2, NV, UNIT>(p, a, b, c, columns),
                3 => block::<3, NV, UNIT>(p, a, b, c, columns),
                4 => block::<4, NV, UNIT>(p, a, b, c, columns),
                5 => block::<5, NV, UNIT>(p, a, b, c, columns),
                6 => block::<6, NV, UNIT>(p, a, b, c, columns),
                7 => block::<7, NV, UNIT>(p, a, b, c, columns),
                _ => block::<8, NV, UNIT>(p, a, b, c, columns),
            };
        }
    }
}

/// MR rows × NV vectors of the result, in registers. Returns MR.
#[target_feature(enable = "avx512f,avx512vl,avx2,fma")]
unsafe fn block<const MR: usize, const NV: usize, const UNIT: bool>(
    p: &Product,
    a: *const f32,
    b: *const f32,
    c: *mut f32,
    columns: usize,
) -> usize {
    let a_row = if UNIT { 1 } else { p.a_row };
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
                    let left = _mm512_set1_ps(*x.offset(i as isize * a_row));
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
