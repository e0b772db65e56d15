//! Genes that move elements without computing, and windows.

use super::pool::{Entry, Pool};
use graph::{Op, Scalar, Tensor};

impl Pool {
    pub(super) fn movement(&mut self, x: &Entry) -> Option<Entry> {
        let rank = x.t.rank();
        match self.rng.below(11) {
            0 => self.broadcast(x),
            1 => {
                let shape = self.factors(x);
                Some(x.moved(x.t.reshape(&shape)))
            }
            2..=3 => {
                let mut perm: Vec<usize> = (0..rank).collect();
                self.rng.shuffle(&mut perm);
                Some(x.moved(x.t.transpose(&perm)))
            }
            4 => {
                let axes = self.rng.subset(rank, 50);
                Some(x.moved(x.t.reverse(&axes)))
            }
            5 => self.slice(x),
            6 => self.pad(x),
            7..=8 => self.concat(x),
            9 => self.unfold(x),
            _ => self.fold(x),
        }
    }

    fn broadcast(&mut self, x: &Entry) -> Option<Entry> {
        let mut shape = x.t.shape().to_vec();
        let mut dims: Vec<usize> = (0..shape.len()).collect();
        for _ in 0..1 + self.rng.below(2) {
            let at = self.rng.below(shape.len() + 1);
            let n = if self.rng.chance(30) { self.rows[0] } else { self.extent() };
            shape.insert(at, n);
            dims.iter_mut().filter(|d| **d >= at).for_each(|d| *d += 1);
        }
        Some(x.moved(x.t.broadcast(&shape, &dims)))
    }

    /// Another shape of equally many elements.
    fn factors(&mut self, x: &Entry) -> Vec<usize> {
        let mut shape = x.t.shape().to_vec();
        if shape.len() >= 2 && self.rng.chance(50) {
            let at = self.rng.below(shape.len() - 1);
            let n = shape.remove(at);
            shape[at] *= n;
            return shape;
        }
        if !shape.is_empty() && self.rng.chance(70) {
            let at = self.rng.below(shape.len());
            let divisors: Vec<usize> = (1..=shape[at].max(1)).filter(|d| shape[at].is_multiple_of(*d)).collect();
            let d = self.rng.pick(&divisors);
            shape[at] /= d;
            shape.insert(at, d);
            return shape;
        }
        let len = x.len();
        if self.rng.chance(50) { vec![len] } else { vec![1, len, 1] }
    }

    fn slice(&mut self, x: &Entry) -> Option<Entry> {
        let (mut start, mut limit, mut stride) = (vec![], vec![], vec![]);
        for &n in x.t.shape() {
            let whole = self.rng.chance(40);
            let lo = if whole { 0 } else { self.rng.below(n + 1) };
            start.push(lo);
            limit.push(if whole || self.rng.chance(50) { n } else { lo + self.rng.below(n - lo + 1) });
            stride.push(if whole { 1 } else { self.rng.pick(&[1, 1, 2, 3]) });
        }
        Some(x.moved(self.cx.push(Op::Slice { start, limit, stride }, &[&x.t])))
    }

    fn pad(&mut self, x: &Entry) -> Option<Entry> {
        let mut counts = |top: usize| -> Vec<usize> {
            x.t.shape().iter().map(|_| if self.rng.chance(50) { 0 } else { self.rng.below(top + 1) }).collect()
        };
        let (lo, hi, interior) = (counts(2), counts(2), counts(2));
        let c = self.rng.pick(&[0.0, 0.0, 1.0, -2.0]);
        let t = self.cx.push(Op::Pad { lo, hi, interior, value: Scalar::new(c) }, &[&x.t]);
        Some(Entry::new(t, x.lo.min(c), x.hi.max(c), x.exact))
    }

    fn concat(&mut self, x: &Entry) -> Option<Entry> {
        if x.t.rank() == 0 {
            return None;
        }
        let axis = self.rng.below(x.t.rank());
        let mut parts = vec![x.clone()];
        for _ in 0..1 + self.rng.below(3) {
            let other = self.find(|e| {
                let (a, b) = (e.t.shape(), x.t.shape());
                e.t.dtype() == x.t.dtype() && a.len() == b.len() && (0..a.len()).all(|i| i == axis || a[i] == b[i])
            });
            parts.push(other.unwrap_or_else(|| x.clone()));
        }
        self.rng.shuffle(&mut parts);
        let tensors: Vec<&Tensor> = parts.iter().map(|p| &p.t).collect();
        let t = Tensor::concat(&tensors, axis);
        let (lo, hi) = parts.iter().fold((x.lo, x.hi), |(lo, hi), p| (lo.min(p.lo), hi.max(p.hi)));
        Some(Entry::new(t, lo, hi, parts.iter().all(|p| p.exact)))
    }

    /// `x` as `[N,H,W,C]`.
    pub(super) fn image(&mut self, x: &Entry) -> Entry {
        self.with_rank(x, 4)
    }

    fn with_rank(&mut self, x: &Entry, rank: usize) -> Entry {
        let mut shape = x.t.shape().to_vec();
        while shape.len() > rank {
            let n = shape.remove(0);
            shape[0] *= n;
        }
        while shape.len() < rank {
            let at = self.rng.below(shape.len() + 1);
            shape.insert(at, 1);
        }
        x.moved(x.t.reshape(&shape))
    }

    fn unfold(&mut self, x: &Entry) -> Option<Entry> {
        let x = self.image(x);
        let mut two = |top: usize| [0, 1].map(|_| 1 + self.rng.below(top));
        let (window, stride) = (two(3), two(3));
        let all = x.moved(x.t.unfold(window, stride));
        let pooled = self.rng.below(4);
        // Most often what windows are for: pooling.
        Some(match pooled {
            0 => all,
            1 => Entry::within(all.t.mean(&[3, 4]), x.size()),
            _ => all.moved(all.t.max(&[3, 4])),
        })
    }

    fn fold(&mut self, x: &Entry) -> Option<Entry> {
        let x = self.with_rank(x, 6);
        let s = x.t.shape().to_vec();
        if s[3] * s[4] == 0 {
            return None; // windows without extent have no derivative: unfolding would have to make them
        }
        let stride = [0, 1].map(|_| 1 + self.rng.below(3));
        let size = [0, 1].map(|d| s[d + 1].saturating_sub(1) * stride[d] + s[d + 3] + self.rng.below(2));
        let overlap = (s[3] * s[4]) as f64;
        let exact = !x.t.dtype().is_float();
        Some(Entry { exact, ..Entry::within(x.t.fold(size, stride), overlap * x.size()) })
    }
}
