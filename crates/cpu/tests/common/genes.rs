//! What one gene of a random graph computes: elementwise operations, contractions, reductions, tables,
//! and the compositions networks are made of. Operands that do not fit are adapted.

use super::pool::{Entry, Fill, LIMIT, Pool};
use graph::ops::contract::Dot;
use graph::ops::{Binary, Compare, Conv, Unary};
use graph::{DType, Op, Tensor};

/// Most multiplications of one contraction.
const WORK: usize = 60_000;

impl Pool {
    /// Computes something from something, as the next choices say.
    pub fn gene(&mut self) {
        let x = self.choose();
        let made = match self.rng.below(36) {
            0..=3 => self.unary(&x),
            4..=7 => self.binary(&x),
            8 => self.compare(&x),
            9 => self.select(&x),
            10 => self.cast(&x),
            11 => Some(x.moved(x.t.stop_gradient())),
            12..=14 => self.dot(&x),
            15..=16 => self.conv(&x),
            17..=18 => self.sum(&x),
            19 => self.max(&x),
            20 => self.gather(&x),
            21 => self.scatter(&x),
            22 => self.source(&x),
            23..=24 => self.dense(&x),
            25 => self.softmax(&x),
            26 => self.standardized(&x),
            _ => self.movement(&x),
        };
        if let Some(e) = made {
            self.keep(e);
        }
    }

    fn un(&self, f: Unary, x: &Entry, lo: f64, hi: f64, exact: bool) -> Option<Entry> {
        Some(Entry::new(self.cx.push(Op::Unary(f), &[&x.t]), lo, hi, exact))
    }

    fn unary(&mut self, x: &Entry) -> Option<Entry> {
        if !x.t.dtype().is_float() {
            return match self.rng.pick(&[Unary::Neg, Unary::Abs, Unary::Sign]) {
                Unary::Sign => self.un(Unary::Sign, x, -1.0, 1.0, true),
                f => self.un(f, x, -x.size(), x.size(), true),
            };
        }
        let f = self.rng.pick(&Unary::ALL);
        let y = self.inside_domain(f, x);
        let at = |z: f64| f.apply(z);
        match f {
            Unary::Sin | Unary::Cos => self.un(f, &y, -1.0, 1.0, false),
            Unary::Neg => self.un(f, &y, -y.hi, -y.lo, y.exact),
            Unary::Abs => self.un(f, &y, 0.0, y.size(), y.exact),
            Unary::Rsqrt => self.un(f, &y, at(y.hi), at(y.lo), false),
            Unary::Sign | Unary::Floor | Unary::Round => self.un(f, &y, at(y.lo), at(y.hi), true),
            _ => self.un(f, &y, at(y.lo), at(y.hi), false),
        }
    }

    /// `x` made fit for `f`: positive for logarithms and roots, not too large for exponentials, not the
    /// result of rounding for functions that jump.
    fn inside_domain(&mut self, f: Unary, x: &Entry) -> Entry {
        match f {
            Unary::Log | Unary::Sqrt | Unary::Rsqrt if x.lo < 0.25 => self.positive(x),
            Unary::Log1p if x.lo < -0.75 => self.positive(x),
            Unary::Exp | Unary::Expm1 if x.hi > 4.0 => Entry::within(x.t.tanh(), 1.0),
            Unary::Sign | Unary::Floor | Unary::Round if !x.exact && self.rng.chance(90) => {
                let (dtype, shape) = (x.t.dtype(), x.t.shape().to_vec());
                self.floats(dtype, &shape)
            }
            _ => x.clone(),
        }
    }

    fn positive(&mut self, x: &Entry) -> Entry {
        let t = if self.rng.chance(50) { x.t.abs() + 0.5 } else { x.t.square() + 0.25 };
        Entry::new(t, 0.25, x.size().powi(2).max(x.size()) + 0.5, false)
    }

    /// A second operand for `x`: of its shape, or one that is repeated to it.
    fn partner(&mut self, x: &Entry) -> Entry {
        let (dtype, shape) = (x.t.dtype(), x.t.shape().to_vec());
        let wanted = self.rng.below(5);
        let fits = |e: &Entry| {
            let s = e.t.shape();
            let suffix = s.len() <= shape.len() && s.iter().rev().zip(shape.iter().rev()).all(|(a, b)| a == b || *a == 1);
            e.t.dtype() == dtype && if wanted == 0 { suffix } else { s == shape }
        };
        if wanted < 3
            && let Some(e) = self.find(fits)
        {
            return e;
        }
        if wanted == 4 || !dtype.is_float() {
            let c = if dtype.is_float() { self.rng.eighth() } else { self.rng.between(-2, 5) as f64 };
            return Entry::new(x.t.full_like(c), c, c, true);
        }
        let first = self.rng.below(shape.len() + 1);
        let ones: Vec<usize> = shape[first..].iter().map(|&n| if self.rng.chance(15) { 1 } else { n }).collect();
        self.floats(dtype, &ones)
    }

    fn binary(&mut self, x: &Entry) -> Option<Entry> {
        let mut y = self.partner(x);
        let mut x = x.clone();
        let mut f = self.rng.pick(&Binary::ALL);
        match f {
            Binary::Div | Binary::Pow if !x.t.dtype().is_float() => f = Binary::Sub,
            Binary::Div if y.lo < 0.25 => y = self.positive(&y),
            Binary::Pow if self.rng.chance(50) => {
                let p = self.rng.pick(&[2.0, 3.0, 5.0, 0.5, -1.0, 1.5, 0.0, 1.0, -2.0]);
                x = if p < 0.0 || p == 0.5 || p == 1.5 { self.positive(&x) } else { Entry::within(x.t.sin(), 1.0) };
                y = Entry::new(y.t.full_like(p), p, p, true);
            }
            Binary::Pow => (x, y) = (self.positive(&x), Entry::within(y.t.tanh(), 1.0)),
            _ => {}
        }
        let swap = !matches!(f, Binary::Div | Binary::Pow) && self.rng.chance(30);
        let (a, b) = if swap { (&y, &x) } else { (&x, &y) };
        let size = match f {
            Binary::Add | Binary::Sub => x.size() + y.size(),
            Binary::Mul => x.size() * y.size(),
            Binary::Div => x.size() / y.lo,
            Binary::Pow => x.size().max(1.0 / x.lo.max(0.25)).powf(y.size()),
            Binary::Max | Binary::Min => x.size().max(y.size()),
        };
        let exact = !x.t.dtype().is_float() || x.exact && y.exact && matches!(f, Binary::Max | Binary::Min);
        Some(Entry { exact, ..Entry::within(a.t.binary(f, &b.t), size) })
    }

    /// A tensor of this shape whose elements may be compared.
    fn comparable(&mut self, x: &Entry) -> Entry {
        if x.exact || self.rng.chance(7) {
            return x.clone();
        }
        let (dtype, shape) = (x.t.dtype(), x.t.shape().to_vec());
        match self.find(|e| e.exact && e.t.dtype() == dtype && e.t.shape() == shape) {
            Some(e) => e,
            None if dtype.is_float() => self.floats(dtype, &shape),
            None => self.input(dtype, &shape, Fill::Integers(-2, 5)),
        }
    }

    fn compare(&mut self, x: &Entry) -> Option<Entry> {
        let a = self.comparable(x);
        let b = if self.rng.chance(50) {
            let c = if a.t.dtype().is_float() { self.rng.eighth() } else { self.rng.between(-1, 3) as f64 };
            Entry::new(a.t.full_like(c), c, c, true)
        } else {
            let p = self.partner(&a);
            if p.exact { p } else { a.moved(a.t.reverse(&[])) }
        };
        let f = self.rng.pick(&Compare::ALL);
        Some(Entry::new(a.t.compare(f, &b.t), 0.0, 1.0, true))
    }

    fn select(&mut self, x: &Entry) -> Option<Entry> {
        let mask = self.compare(x)?;
        let other = self.partner(x);
        let (a, b) = if self.rng.chance(50) { (x, &other) } else { (&other, x) };
        let t = mask.t.select(&a.t, &b.t);
        Some(Entry::new(t, a.lo.min(b.lo), a.hi.max(b.hi), a.exact && b.exact))
    }

    fn cast(&mut self, x: &Entry) -> Option<Entry> {
        let to = match x.t.dtype() {
            DType::F32 => DType::F64,
            DType::F64 => DType::F32,
            DType::I32 => self.dtype,
        };
        if x.exact && x.t.dtype().is_float() && self.rng.chance(25) {
            return Some(Entry::new(x.t.cast(DType::I32), x.lo, x.hi, true));
        }
        Some(x.moved(x.t.cast(to)))
    }

    fn dot(&mut self, x: &Entry) -> Option<Entry> {
        if !x.t.dtype().is_float() {
            return None;
        }
        let (dtype, shape) = (x.t.dtype(), x.t.shape().to_vec());
        let old =
            if self.rng.chance(50) { self.find(|e| e.t.dtype() == dtype && e.t.shape().iter().any(|n| shape.contains(n))) } else { None };
        let y = match old {
            Some(y) => y,
            None => {
                let mut axes: Vec<usize> = self.rng.subset(shape.len(), 50).iter().map(|&a| shape[a]).collect();
                let free = self.rng.below(3);
                (0..free).for_each(|_| axes.push(self.extent()));
                self.rng.shuffle(&mut axes);
                self.floats(dtype, &axes)
            }
        };
        let dot = self.pairing(&shape, y.t.shape());
        let (lf, rf) = dot.free(shape.len(), y.t.rank());
        let batch: usize = dot.lhs_batch.iter().map(|&a| shape[a]).product();
        let sums: usize = dot.lhs_contract.iter().map(|&a| shape[a]).product();
        let free: usize = lf.iter().map(|&a| shape[a]).chain(rf.iter().map(|&a| y.t.shape()[a])).product();
        if batch * free > LIMIT || batch * free * sums > WORK || dot.lhs_batch.len() + lf.len() + rf.len() > 6 {
            return None;
        }
        let (a, b, dot) = if self.rng.chance(30) {
            let turned =
                Dot { lhs_contract: dot.rhs_contract, rhs_contract: dot.lhs_contract, lhs_batch: dot.rhs_batch, rhs_batch: dot.lhs_batch };
            (&y, x, turned)
        } else {
            (x, &y, dot)
        };
        Some(Entry::within(a.t.dot(&b.t, dot), sums as f64 * x.size() * y.size()))
    }

    /// Pairs axes of equal extent, some as batch, most as contracted, in any order.
    fn pairing(&mut self, x: &[usize], y: &[usize]) -> Dot {
        let mut pairs: Vec<(usize, usize)> =
            (0..x.len()).flat_map(|i| (0..y.len()).map(move |j| (i, j))).filter(|&(i, j)| x[i] == y[j]).collect();
        self.rng.shuffle(&mut pairs);
        let mut dot = Dot::default();
        let (mut left, mut right) = (vec![], vec![]);
        for (i, j) in pairs {
            if left.contains(&i) || right.contains(&j) || self.rng.chance(15) {
                continue;
            }
            left.push(i);
            right.push(j);
            if self.rng.chance(35) {
                dot.lhs_batch.push(i);
                dot.rhs_batch.push(j);
            } else {
                dot.lhs_contract.push(i);
                dot.rhs_contract.push(j);
            }
        }
        dot
    }

    fn conv(&mut self, x: &Entry) -> Option<Entry> {
        if !x.t.dtype().is_float() {
            return None;
        }
        let x = self.image(x);
        let (n, c) = (x.t.shape()[0], x.t.shape()[3]);
        let mut pair = |a: &[i64]| [0, 1].map(|_| self.rng.pick(a));
        let window = pair(&[1, 2, 3, 3]).map(|k| k as usize);
        let stride = pair(&[1, 1, 1, 2, 3]).map(|k| k as usize);
        let (lo, hi) = (pair(&[-1, 0, 0, 1, 1, 2]), pair(&[-1, 0, 0, 1, 1, 2]));
        let dilations = [pair(&[1, 1, 1, 2]), pair(&[1, 1, 1, 2])].map(|d| d.map(|k| k as usize));
        let geometry = Conv { stride, padding: [(lo[0], hi[0]), (lo[1], hi[1])], lhs_dilation: dilations[0], rhs_dilation: dilations[1] };
        let out = self.rng.pick(&[1, 2, 3, 5, 7]);
        let area: usize = (0..2).map(|d| geometry.out_extent(d, x.t.shape()[d + 1], window[d])).product();
        if n * area * out > LIMIT || n * area * out * window[0] * window[1] * c > WORK {
            return None;
        }
        let kernel = self.floats(x.t.dtype(), &[window[0], window[1], c, out]);
        let terms = (window[0] * window[1] * c) as f64;
        Some(Entry::within(x.t.conv(&kernel.t, geometry), terms * x.size() * kernel.size()))
    }

    fn sum(&mut self, x: &Entry) -> Option<Entry> {
        let axes = self.rng.subset(x.t.rank(), 45);
        let terms: usize = axes.iter().map(|&a| x.t.shape()[a]).product();
        Some(Entry { exact: x.exact && !x.t.dtype().is_float(), ..Entry::within(x.t.sum(&axes), terms as f64 * x.size()) })
    }

    fn max(&mut self, x: &Entry) -> Option<Entry> {
        let axes: Vec<usize> = self.rng.subset(x.t.rank(), 45).into_iter().filter(|&a| x.t.shape()[a] > 0).collect();
        Some(x.moved(x.t.max(&axes)))
    }

    fn indices(&mut self, shape: &[usize], lo: i64, rows: usize) -> Entry {
        let shape = shape.to_vec();
        let top = rows as i64 - 1 - lo.min(0);
        let fits = |e: &Entry| e.t.dtype() == DType::I32 && e.t.shape() == shape && e.lo >= lo as f64 && e.hi <= top as f64;
        match self.find(fits) {
            Some(e) if self.rng.chance(60) => e,
            _ => self.input(DType::I32, &shape, Fill::Integers(lo, top.max(lo))),
        }
    }

    fn gather(&mut self, x: &Entry) -> Option<Entry> {
        let rows = *x.t.shape().first()?;
        if rows == 0 {
            return None;
        }
        let shape = match self.rng.below(4) {
            0 => vec![],
            1 => vec![self.extent(), 2],
            _ => vec![self.rng.pick(&self.rows.clone())],
        };
        // An index out of range reads NaN, which spreads: rarely.
        let lo = if self.rng.chance(5) { -1 } else { 0 };
        let index = self.indices(&shape, lo, rows);
        Some(x.moved(x.t.gather(&index.t)))
    }

    fn scatter(&mut self, x: &Entry) -> Option<Entry> {
        let axes = self.rng.below(x.t.rank().min(2) + 1);
        let rows = self.rng.pick(&[0, 1, 2, 5, 5, 17]);
        let lo = if self.rng.chance(30) || rows == 0 { -1 } else { 0 };
        let shape = x.t.shape()[..axes].to_vec();
        let index = self.indices(&shape, lo, rows);
        let terms: usize = shape.iter().product();
        Some(Entry { exact: !x.t.dtype().is_float(), ..Entry::within(index.t.scatter_add(&x.t, rows), terms as f64 * x.size()) })
    }

    /// A tensor made from nothing, of the shape of `x`.
    fn source(&mut self, x: &Entry) -> Option<Entry> {
        let shape = x.t.shape().to_vec();
        match self.rng.below(5) {
            0 if !shape.is_empty() => {
                let axis = self.rng.below(shape.len());
                Some(Entry::new(self.cx.iota(x.t.dtype(), &shape, axis), 0.0, shape[axis] as f64, true))
            }
            0 | 1 => {
                let c = self.rng.between(-2, 2) as f64;
                Some(Entry::new(self.cx.full(x.t.dtype(), &shape, c), c, c, true))
            }
            _ => {
                let (stream, key) = (self.rng.below(3) as u32, self.key());
                let t = key.uniform(stream, self.dtype, &shape);
                if self.rng.chance(50) || x.t.dtype() != self.dtype {
                    return Some(Entry::new(t, 0.0, 1.0, true));
                }
                // Dropout.
                let kept = t.compare(Compare::Ge, &t.full_like(0.25));
                Some(Entry::within(&x.t * kept * (4.0 / 3.0), x.size() * 4.0 / 3.0))
            }
        }
    }

    /// act(x·W + b)
    fn dense(&mut self, x: &Entry) -> Option<Entry> {
        let inputs = *x.t.shape().last()?;
        let units = self.rng.pick(&[1, 2, 3, 5, 7, 17, 33]);
        if !x.t.dtype().is_float() || x.len() * units > WORK || inputs == 0 || x.len() / inputs * units > LIMIT {
            return None;
        }
        let (w, b) = (self.floats(x.t.dtype(), &[inputs, units]), self.floats(x.t.dtype(), &[units]));
        let z = x.t.matmul(&w.t) * (1.0 / inputs as f64) + &b.t;
        let size = 2.0 * x.size() + 2.0;
        Some(match self.rng.below(5) {
            0 => Entry::within(z.tanh(), 1.0),
            1 => Entry::within(z.relu(), size),
            2 => Entry::new(z.sigmoid(), 0.0, 1.0, false),
            3 => Entry::within(&z * z.sigmoid(), size),
            _ => Entry::within(z, size),
        })
    }

    fn softmax(&mut self, x: &Entry) -> Option<Entry> {
        let last = x.t.rank().checked_sub(1)?;
        if !x.t.dtype().is_float() || x.len() == 0 {
            return None;
        }
        let mut column = x.t.shape().to_vec();
        column[last] = 1;
        let shifted = &x.t - x.t.max(&[last]).stop_gradient().reshape(&column);
        let e = shifted.exp();
        let total = e.sum(&[last]).reshape(&column);
        Some(if self.rng.chance(50) {
            Entry::new(e / total, 0.0, 1.0, false)
        } else {
            Entry::within(shifted - total.log(), 2.0 * x.size() + (x.len() as f64).ln())
        })
    }

    /// (x − mean) / √(variance + ½)
    fn standardized(&mut self, x: &Entry) -> Option<Entry> {
        let last = x.t.rank().checked_sub(1)?;
        if !x.t.dtype().is_float() || x.len() == 0 {
            return None;
        }
        let axis = if self.rng.chance(70) { last } else { 0 };
        let mut column = x.t.shape().to_vec();
        column[axis] = 1;
        let mean = |t: &Tensor| t.mean(&[axis]).reshape(&column);
        let centred = &x.t - mean(&x.t);
        let scale = (mean(&centred.square()) + 0.5).rsqrt();
        Some(Entry::within(centred * scale, (x.len() as f64).sqrt()))
    }
}
