//! The random points at which equation and conditions are asked for.

use crate::Transport;
use neurona::ops::source::uniform;
use serde::{Deserialize, Serialize};

/// How many points, and how they are spread.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Points {
    /// Points (t, x) of the equation.
    pub interior: usize,
    /// Times t of the condition φ(t, 0) = φ(t, L).
    pub boundary: usize,
    /// Places x of the condition φ(0, x) = sin(2πx/L).
    pub initial: usize,
    /// How they are drawn.
    pub sampling: Sampling,
}

/// How points are drawn.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sampling {
    /// Each on its own, uniformly.
    Uniform,
    /// One in each of n equal slices of every axis (McKay, Beckman & Conover 1979).
    LatinHypercube,
}

/// The points, drawn: rows (t, x), single precision, row after row.
#[derive(Clone, PartialEq, Debug)]
pub struct Cloud {
    /// `[n, 2]`, inside.
    pub interior: Vec<f32>,
    /// `[m, 2]`, x = 0.
    pub left: Vec<f32>,
    /// `[m, 2]`, x = L, at the same times.
    pub right: Vec<f32>,
    /// `[k, 2]`, t = 0.
    pub initial: Vec<f32>,
    /// `[k, 1]`, φ there.
    pub values: Vec<f32>,
}

/// The "step" half of the random key of the points: initial weights take `u32::MAX`, training steps
/// count from 0.
const POINTS_STEP: u32 = u32::MAX - 1;

impl Points {
    /// Draws the points: a pure function of `seed`.
    ///
    /// ```
    /// use pinn::{Points, Sampling, Transport};
    /// let points = Points { interior: 100, boundary: 10, initial: 10, sampling: Sampling::LatinHypercube };
    /// let cloud = points.draw(&Transport { speed: 1.0, length: 2.0 }, 1);
    /// assert_eq!(cloud.interior.len(), 200);
    /// assert!(cloud.right.chunks(2).all(|p| p[1] == 2.0));
    /// ```
    pub fn draw(&self, problem: &Transport, seed: u32) -> Cloud {
        let axis = |stream, n| self.axis(seed, stream, n);
        let place = |x: &f64| (x * problem.length) as f32;
        let (t, x) = (axis(0, self.interior), axis(1, self.interior));
        let (times, places) = (axis(2, self.boundary), axis(3, self.initial));
        let initial: Vec<f32> = places.iter().flat_map(|x| [0.0, place(x)]).collect();
        Cloud {
            interior: t.iter().zip(&x).flat_map(|(t, x)| [*t as f32, place(x)]).collect(),
            left: times.iter().flat_map(|t| [*t as f32, 0.0]).collect(),
            right: times.iter().flat_map(|t| [*t as f32, place(&1.0)]).collect(),
            values: initial.chunks_exact(2).map(|p| problem.initial(f64::from(p[1])) as f32).collect(),
            initial,
        }
    }

    /// `n` numbers in [0, 1).
    fn axis(&self, seed: u32, stream: u32, n: usize) -> Vec<f64> {
        let key = [seed, POINTS_STEP];
        let u = |i: usize| f64::from(uniform(key, stream, i as u64));
        match self.sampling {
            Sampling::Uniform => (0..n).map(u).collect(),
            Sampling::LatinHypercube => {
                let mut slice: Vec<usize> = (0..n).collect();
                // Fisher–Yates, from a stream of its own.
                for i in (1..n).rev() {
                    let j = (f64::from(uniform(key, stream + SHUFFLE, i as u64)) * (i + 1) as f64) as usize;
                    slice.swap(i, j);
                }
                (0..n).map(|i| (slice[i] as f64 + u(i)) / n as f64).collect()
            }
        }
    }
}

/// Distance between the random streams of an axis' offsets and of its slices.
const SHUFFLE: u32 = 16;

#[cfg(test)]
mod tests {
    use super::*;

    const PROBLEM: Transport = Transport { speed: 1.0, length: 3.0 };

    fn draw(sampling: Sampling, seed: u32) -> Cloud {
        Points { interior: 400, boundary: 50, initial: 60, sampling }.draw(&PROBLEM, seed)
    }

    #[test]
    fn points_lie_where_their_condition_holds() {
        for sampling in [Sampling::Uniform, Sampling::LatinHypercube] {
            let c = draw(sampling, 1);
            assert_eq!([c.interior.len(), c.left.len(), c.right.len(), c.initial.len(), c.values.len()], [800, 100, 100, 120, 60]);
            assert!(c.interior.chunks(2).all(|p| (0.0..1.0).contains(&p[0]) && (0.0..=3.0).contains(&p[1])));
            assert!(c.left.chunks(2).zip(c.right.chunks(2)).all(|(l, r)| l[0] == r[0] && l[1] == 0.0 && r[1] == 3.0));
            let wave = |x: f32| (std::f64::consts::TAU * f64::from(x) / 3.0).sin() as f32;
            assert!(c.initial.chunks(2).zip(&c.values).all(|(p, v)| p[0] == 0.0 && (wave(p[1]) - v).abs() < 1e-6));
        }
    }

    #[test]
    fn a_latin_hypercube_has_one_point_in_each_slice() {
        let c = draw(Sampling::LatinHypercube, 1);
        for (axis, extent) in [(0, 1.0), (1, 3.0)] {
            let mut values: Vec<f64> = c.interior.chunks(2).map(|p| f64::from(p[axis]) / extent * 400.0).collect();
            values.sort_by(f64::total_cmp);
            // Half a slice's width in single precision is far below the slack.
            assert!(values.iter().enumerate().all(|(i, v)| (i as f64 - 1e-3..=i as f64 + 1.001).contains(v)));
        }
        let (t, x): (Vec<f32>, Vec<f32>) = c.interior.chunks(2).map(|p| (p[0], p[1] / 3.0)).unzip();
        let covariance: f32 = t.iter().zip(&x).map(|(t, x)| (t - 0.5) * (x - 0.5)).sum::<f32>() / 400.0;
        assert!(covariance.abs() < 3.0 / 12.0 / 20.0, "the axes must be shuffled independently: {covariance}");
    }

    #[test]
    fn the_seed_decides() {
        for sampling in [Sampling::Uniform, Sampling::LatinHypercube] {
            assert_eq!(draw(sampling, 5), draw(sampling, 5));
            assert_ne!(draw(sampling, 5).interior, draw(sampling, 6).interior);
        }
    }
}
