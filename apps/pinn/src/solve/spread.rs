//! Points in the unit cube: independent, Latin hypercube, Sobol; all a pure function of seed and draw.

use super::Spread;
use neurona::ops::source::uniform;

/// The "step" half of the random key of points.
const POINTS_STEP: u32 = u32::MAX - 2;
/// Streams of one draw of one set of points.
const STREAMS: u32 = 16;
/// Sets of points of one draw.
const SETS: u32 = 64;
/// Most variables.
pub const MAX_AXES: usize = 4;

/// The random numbers of one set of points at one draw.
#[derive(Clone, Copy)]
pub(super) struct Random {
    pub seed: u32,
    pub draw: u32,
    pub set: u32,
}

impl Random {
    /// The `index`-th number in [0, 1) of a stream, with 48 random bits.
    pub fn at(self, stream: u32, index: usize) -> f64 {
        let stream = self.draw.wrapping_mul(STREAMS * SETS) + self.set * STREAMS + stream;
        let word = |i| f64::from(uniform([self.seed, POINTS_STEP], stream, i));
        word(2 * index as u64) + word(2 * index as u64 + 1) / f64::from(1 << 24)
    }

    /// `n` points in the unit cube of `axes` dimensions, as columns.
    pub fn points(self, spread: Spread, n: usize, axes: usize) -> Vec<Vec<f64>> {
        match spread {
            Spread::Uniform => (0..axes).map(|a| (0..n).map(|i| self.at(a as u32, i)).collect()).collect(),
            Spread::LatinHypercube => (0..axes).map(|a| self.slices(a as u32, n)).collect(),
            Spread::Sobol => (0..axes).map(|a| self.sobol(a, n)).collect(),
        }
    }

    /// One number in each of `n` slices, shuffled (Fisher–Yates, from a stream of its own).
    fn slices(self, stream: u32, n: usize) -> Vec<f64> {
        let mut slice: Vec<usize> = (0..n).collect();
        for i in (1..n).rev() {
            slice.swap(i, (self.at(stream + STREAMS / 2, i) * (i + 1) as f64) as usize);
        }
        (0..n).map(|i| (slice[i] as f64 + self.at(stream, i)) / n as f64).collect()
    }

    /// Coordinate `axis` of Sobol's sequence, moved by a random digital shift.
    fn sobol(self, axis: usize, n: usize) -> Vec<f64> {
        let directions = directions(axis);
        let shift = (self.at(axis as u32, 0) * f64::from(u32::MAX)) as u32;
        let mut x = 0u32;
        let number = |x: u32| (f64::from(x ^ shift) + 0.5) / (f64::from(u32::MAX) + 1.0);
        let next = |i: usize| {
            let value = number(x);
            x ^= directions[(i + 1).trailing_zeros() as usize % 32];
            value
        };
        (0..n).map(next).collect()
    }
}

/// The direction numbers of one coordinate, from the primitive polynomials and starts of S. Joe and F. Y. Kuo, "Constructing
/// Sobol sequences with better two-dimensional projections", SIAM J. Sci. Comput. 30 (2008), table new-joe-kuo-6.
fn directions(axis: usize) -> [u32; 32] {
    const TABLE: [(u32, &[u32]); MAX_AXES] = [(0, &[]), (0, &[1]), (1, &[1, 3]), (1, &[1, 3, 1])];
    let (a, starts) = TABLE[axis.min(MAX_AXES - 1)];
    let s = starts.len();
    let mut v = [0u32; 32];
    for i in 0..32 {
        v[i] = if s == 0 {
            1 << (31 - i)
        } else if i < s {
            starts[i] << (31 - i)
        } else {
            let mut x = v[i - s] ^ (v[i - s] >> s);
            for k in 1..s {
                x ^= ((a >> (s - 1 - k)) & 1) * v[i - k];
            }
            x
        };
    }
    v
}

#[cfg(test)]
mod tests {
    use super::*;

    const RANDOM: Random = Random { seed: 1, draw: 0, set: 3 };

    #[test]
    fn sobol_and_latin_hypercube_fill_every_slice_of_every_axis() {
        for spread in [Spread::Sobol, Spread::LatinHypercube] {
            for column in RANDOM.points(spread, 256, MAX_AXES) {
                let mut hits = vec![0; 256];
                column.iter().for_each(|x| hits[(x * 256.0) as usize] += 1);
                assert!(hits.iter().all(|&h| h == 1), "{spread:?}: {hits:?}");
            }
        }
    }

    #[test]
    fn sobol_fills_every_square_too() {
        let p = RANDOM.points(Spread::Sobol, 256, MAX_AXES);
        for (a, b) in [(0, 1), (0, 2), (1, 2)] {
            let mut hits = vec![0; 256];
            p[a].iter().zip(&p[b]).for_each(|(x, y)| hits[(x * 16.0) as usize * 16 + (y * 16.0) as usize] += 1);
            let most = hits.iter().max().copied().unwrap_or(0);
            assert!(most <= 4, "axes {a}, {b}: {most}");
        }
        assert_ne!(p, Random { draw: 1, ..RANDOM }.points(Spread::Sobol, 256, MAX_AXES));
        assert_ne!(p, Random { seed: 2, ..RANDOM }.points(Spread::Sobol, 256, MAX_AXES));
    }
}
