//! The dense linear algebra of second-order methods: JᵀJ, Cholesky's factorization, products with a matrix. Work is
//! cut into fixed blocks, so that the result does not depend on the number of threads.

use gemm::{Parallelism, gemm};

/// Rows and columns of a block.
const BLOCK: usize = 128;

/// A square matrix that several threads write blocks of, no two the same.
#[derive(Clone, Copy)]
struct Shared(*mut f64);
// SAFETY: each task writes a block of its own and reads blocks that no task of the same round writes.
unsafe impl Send for Shared {}
// SAFETY: as above.
unsafe impl Sync for Shared {}

/// Runs `task(i)` for all i below `count`, dealt out to `threads`.
fn each(threads: usize, count: usize, task: impl Fn(usize) + Sync) {
    if threads <= 1 || count < 2 {
        return (0..count).for_each(task);
    }
    std::thread::scope(|scope| {
        for first in 0..threads {
            let task = &task;
            scope.spawn(move || (first..count).step_by(threads).for_each(task));
        }
    });
}

/// Does `task` for the blocks on and below the diagonal of a square matrix of `n` rows: where one begins, and its extents.
fn each_block(threads: usize, n: usize, task: impl Fn([usize; 2], [usize; 2]) + Sync) {
    let pairs: Vec<[usize; 2]> = (0..n.div_ceil(BLOCK)).flat_map(|p| (0..=p).map(move |q| [p, q])).collect();
    each(threads, pairs.len(), |i| {
        let at = pairs[i].map(|b| b * BLOCK);
        task(at, at.map(|from| (n - from).min(BLOCK)));
    });
}

/// JᵀJ of the matrix `j` of `n` columns, row-major: the blocks on and below the diagonal.
pub(super) fn gram(j: &[f64], n: usize, threads: usize) -> Vec<f64> {
    let rows = j.len() / n.max(1);
    let mut out = vec![0.0; n * n];
    let shared = Shared(out.as_mut_ptr());
    each_block(threads, n, |[p, q], [m, k]| {
        let shared = &shared;
        // SAFETY: block (p, q) of m × k lies inside `out` and belongs to this task; columns p.. and q.. lie inside `j`.
        unsafe {
            let dst = shared.0.add(p * n + q);
            let (a, b) = (j.as_ptr().add(p), j.as_ptr().add(q));
            gemm(
                m,
                k,
                rows,
                dst,
                1,
                n as isize,
                false,
                a,
                n as isize,
                1,
                b,
                1,
                n as isize,
                0.0,
                1.0,
                false,
                false,
                false,
                Parallelism::None,
            );
        }
    });
    out
}

/// Replaces the lower triangle of the positive definite `a`, n × n, by Cholesky's factor; false if it is not positive definite.
pub(super) fn cholesky(a: &mut [f64], n: usize, threads: usize) -> bool {
    for start in (0..n).step_by(BLOCK) {
        let end = (start + BLOCK).min(n);
        if !diagonal(a, n, start, end) {
            return false;
        }
        let (above, below) = a.split_at_mut(end * n);
        let corner = &above[start * n..];
        let rows = n - end;
        if rows == 0 {
            continue;
        }
        let share = rows.div_ceil(threads.max(1)) * n;
        std::thread::scope(|scope| {
            for part in below.chunks_mut(share) {
                scope.spawn(move || part.chunks_exact_mut(n).for_each(|row| substitute(row, corner, n, start, end)));
            }
        });
        subtract(below, n, start, end, threads);
    }
    true
}

/// Factorizes the block on the diagonal, of which the columns before `start` are already taken off.
fn diagonal(a: &mut [f64], n: usize, start: usize, end: usize) -> bool {
    for i in start..end {
        let (done, rest) = a.split_at_mut(i * n);
        let row = &mut rest[..n];
        substitute(row, &done[start * n..], n, start, i);
        let left = row[i] - dot(&row[start..i], &row[start..i]);
        if !(left > 0.0 && left.is_finite()) {
            return false;
        }
        row[i] = left.sqrt();
    }
    true
}

/// Row · L⁻ᵀ on the columns start..end, where `corner` holds the rows of L from `start` on.
fn substitute(row: &mut [f64], corner: &[f64], n: usize, start: usize, end: usize) {
    for k in start..end {
        let l = &corner[(k - start) * n..][..n];
        row[k] = (row[k] - dot(&row[start..k], &l[start..k])) / l[k];
    }
}

/// Takes the product of the columns start..end of the rows after them off what is right of them.
fn subtract(below: &mut [f64], n: usize, start: usize, end: usize, threads: usize) {
    let (rows, k) = (n - end, end - start);
    let shared = Shared(below.as_mut_ptr());
    each_block(threads, rows, |[p, q], [m, c]| {
        let shared = &shared;
        // SAFETY: block (p, end + q) belongs to this task; the columns start..end are only read.
        unsafe {
            let dst = shared.0.add(p * n + end + q);
            let (a, b) = (shared.0.add(p * n + start).cast_const(), shared.0.add(q * n + start).cast_const());
            gemm(m, c, k, dst, 1, n as isize, true, a, 1, n as isize, b, n as isize, 1, 1.0, -1.0, false, false, false, Parallelism::None);
        }
    });
}

/// The factor of A + ridge·I by Cholesky; none where the ridge is not positive, or this is not definite.
pub(super) fn ridged(a: &[f64], n: usize, ridge: f64, threads: usize) -> Option<Vec<f64>> {
    let mut factor = a.to_vec();
    (0..n).for_each(|i| factor[i * n + i] += ridge);
    (ridge > 0.0 && cholesky(&mut factor, n, threads)).then_some(factor)
}

/// Solves L Lᵀ x = b in place.
pub(super) fn solve(l: &[f64], n: usize, b: &mut [f64]) {
    for i in 0..n {
        b[i] = (b[i] - dot(&l[i * n..i * n + i], &b[..i])) / l[i * n + i];
    }
    for i in (0..n).rev() {
        b[i] /= l[i * n + i];
        let x = b[i];
        b[..i].iter_mut().zip(&l[i * n..]).for_each(|(b, l)| *b -= x * l);
    }
}

/// The x of least |A·x − b| for the columns of A, by Householder's reflections (Golub & Van Loan 2013, algorithm 5.2.1), which
/// overwrite A; directions in which A is zero stay zero.
pub(super) fn least_squares(a: &mut [Vec<f64>], mut b: Vec<f64>) -> Vec<f64> {
    let n = a.len();
    let mut diagonal = vec![0.0; n];
    for k in 0..n {
        let (done, rest) = a.split_at_mut(k + 1);
        let v = &mut done[k][k..];
        let length = dot(v, v).sqrt();
        if length == 0.0 {
            continue;
        }
        diagonal[k] = if v[0] > 0.0 { -length } else { length };
        v[0] -= diagonal[k];
        let scale = 2.0 / dot(v, v);
        for column in rest.iter_mut().chain([&mut b]) {
            let share = scale * dot(v, &column[k..]);
            column[k..].iter_mut().zip(&*v).for_each(|(c, v)| *c -= share * v);
        }
    }
    for k in (0..n).rev() {
        b[k] = if diagonal[k] == 0.0 { 0.0 } else { b[k] / diagonal[k] };
        let x = b[k];
        let (above, column) = (&mut b[..k], &a[k][..k]);
        above.iter_mut().zip(column).for_each(|(b, a)| *b -= a * x);
    }
    b.truncate(n);
    b
}

/// Σ aᵢbᵢ, in eight running sums.
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let n = a.len().min(b.len());
    let (a, b) = (&a[..n], &b[..n]);
    let mut sums = [0.0; 8];
    for (a, b) in a.chunks_exact(8).zip(b.chunks_exact(8)) {
        for k in 0..8 {
            sums[k] += a[k] * b[k];
        }
    }
    let rest = n - n % 8;
    let tail: f64 = a[rest..].iter().zip(&b[rest..]).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f64>() + tail
}

/// Matrix · vector, row-major, `n` columns.
pub(super) fn product(a: &[f64], n: usize, x: &[f64], threads: usize) -> Vec<f64> {
    let rows = a.len() / n.max(1);
    let mut out = vec![0.0; rows];
    let share = rows.div_ceil(threads.max(1)).max(1);
    std::thread::scope(|scope| {
        for (out, a) in out.chunks_mut(share).zip(a.chunks(share * n)) {
            scope.spawn(move || out.iter_mut().zip(a.chunks_exact(n)).for_each(|(o, row)| *o = dot(row, x)));
        }
    });
    out
}

/// Transposed matrix · vector, row-major, `n` columns.
pub(super) fn transposed_product(a: &[f64], n: usize, x: &[f64]) -> Vec<f64> {
    let mut out = vec![0.0; n];
    for (row, x) in a.chunks_exact(n).zip(x) {
        out.iter_mut().zip(row).for_each(|(o, a)| *o += a * x);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(n: usize) -> Vec<f64> {
        (0..n).map(|i| f64::from(neurona::ops::source::uniform([1, 2], 3, i as u64)) - 0.5).collect()
    }

    /// A Hilbert matrix of condition 10¹³: the normal equations would lose all digits.
    #[test]
    fn least_squares_keep_the_digits_of_nearly_dependent_columns() {
        let (m, n) = (30, 9);
        let x = numbers(n);
        let mut a: Vec<Vec<f64>> = (0..n).map(|c| (0..m).map(|r| 1.0 / (r + c + 1) as f64).collect()).collect();
        let b = (0..m).map(|r| (0..n).map(|c| a[c][r] * x[c]).sum()).collect();
        let found = least_squares(&mut a, b);
        let off = found.iter().zip(&x).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(off < 1e-4, "{off}");
    }

    #[test]
    fn normal_equations_are_solved_and_threads_change_no_bit() {
        for n in [1, 7, 128, 300] {
            let rows = 2 * n + 5;
            let j = numbers(rows * n);
            let x = numbers(n);
            let b = transposed_product(&j, n, &product(&j, n, &x, 2));
            let mut results = vec![];
            for threads in [1, 3] {
                let mut a = gram(&j, n, threads);
                assert!((a[(n - 1) * n] - (0..rows).map(|r| j[r * n] * j[r * n + n - 1]).sum::<f64>()).abs() < 1e-12);
                assert!(cholesky(&mut a, n, threads), "{n}");
                let mut found = b.clone();
                solve(&a, n, &mut found);
                let off = found.iter().zip(&x).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
                assert!(off < 1e-7, "{n}: {off}");
                results.push(found);
            }
            assert_eq!(results[0], results[1]);
        }
        assert!(!cholesky(&mut [1.0, 2.0, 2.0, 1.0], 2, 1));
    }
}
