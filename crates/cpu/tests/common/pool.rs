//! What a random graph has so far: tensors with known ranges, and the inputs' specifications.

use super::rng::Rng;
use graph::{DType, Tensor, Tracer, Value};

/// Most elements of a tensor that is kept.
pub const LIMIT: usize = 2500;
/// Largest magnitude that is kept; larger ranges are scaled down.
const LARGEST: f64 = 16.0;

/// A tensor and what is known of its elements.
#[derive(Clone)]
pub struct Entry {
    pub t: Tensor,
    pub lo: f64,
    pub hi: f64,
    /// Whether no rounding was involved: comparisons of such numbers are safe.
    pub exact: bool,
}

impl Entry {
    pub fn new(t: Tensor, lo: f64, hi: f64, exact: bool) -> Entry {
        Entry { t, lo, hi, exact }
    }

    pub fn len(&self) -> usize {
        self.t.shape().iter().product()
    }

    /// Largest magnitude.
    pub fn size(&self) -> f64 {
        self.lo.abs().max(self.hi.abs())
    }

    /// The same numbers, moved.
    pub fn moved(&self, t: Tensor) -> Entry {
        Entry { t, ..self.clone() }
    }

    /// Other numbers, of magnitude at most `size`.
    pub fn within(t: Tensor, size: f64) -> Entry {
        Entry::new(t, -size, size, false)
    }
}

/// How an input is filled.
#[derive(Clone, Copy)]
pub enum Fill {
    /// Multiples of ⅛ in [−2, 2].
    Eighths,
    /// Integers from the first to the second number, both included.
    Integers(i64, i64),
    /// The random key.
    Key,
}

/// A graph under construction.
pub struct Pool {
    pub cx: Tracer,
    pub rng: Rng,
    pub dtype: DType,
    /// Extents that inputs' first axes prefer.
    pub rows: [usize; 2],
    pub entries: Vec<Entry>,
    pub inputs: Vec<(Entry, Fill)>,
    key: Option<Tensor>,
}

impl Pool {
    pub fn new(rng: Rng, dtype: DType, rows: [usize; 2]) -> Pool {
        Pool { cx: Tracer::new(), rng, dtype, rows, entries: vec![], inputs: vec![], key: None }
    }

    pub fn input(&mut self, dtype: DType, shape: &[usize], fill: Fill) -> Entry {
        let t = self.cx.input(&format!("x{}", self.inputs.len()), dtype, shape);
        let (lo, hi) = match fill {
            Fill::Eighths => (-2.0, 2.0),
            Fill::Integers(lo, hi) => (lo as f64, hi as f64),
            Fill::Key => (-2e9, 2e9),
        };
        let e = Entry::new(t, lo, hi, true);
        self.inputs.push((e.clone(), fill));
        if !matches!(fill, Fill::Key) {
            self.entries.push(e.clone());
        }
        e
    }

    /// A new input like a parameter or more data.
    pub fn floats(&mut self, dtype: DType, shape: &[usize]) -> Entry {
        self.input(dtype, shape, Fill::Eighths)
    }

    pub fn key(&mut self) -> Tensor {
        if self.key.is_none() {
            self.key = Some(self.input(DType::I32, &[2], Fill::Key).t);
        }
        self.key.clone().unwrap()
    }

    /// One of the tensors, the latest ones more often, single numbers and empty ones rarely.
    pub fn choose(&mut self) -> Entry {
        let n = self.entries.len();
        loop {
            let back = if self.rng.chance(60) { self.rng.below(n.min(3)) } else { self.rng.below(n) };
            let e = &self.entries[n - 1 - back];
            if e.len() > 1 || self.rng.chance(25) {
                return e.clone();
            }
        }
    }

    /// One of the tensors that `fits`, if there is one.
    pub fn find(&mut self, fits: impl Fn(&Entry) -> bool) -> Option<Entry> {
        let found: Vec<&Entry> = self.entries.iter().filter(|e| fits(e)).collect();
        (!found.is_empty()).then(|| found[self.rng.below(found.len())].clone())
    }

    /// An extent: often tiny or prime, rarely none, never a multiple of 16.
    pub fn extent(&mut self) -> usize {
        if self.rng.chance(3) { 0 } else { self.rng.pick(&[1, 1, 2, 3, 4, 5, 7, 9, 13, 17]) }
    }

    /// Keeps a result if it is small enough, scaled into a range in which nothing overflows.
    pub fn keep(&mut self, e: Entry) {
        assert!(!e.t.is_poisoned(), "the generator made an illegal operation: {:?}", self.cx.finish().err());
        if e.len() > LIMIT || e.t.rank() > 6 {
            return;
        }
        let scaled = match e.t.dtype() {
            DType::I32 if e.size() > 1e6 => return,
            d if d.is_float() && e.size() > LARGEST => {
                // By a power of two, which rounds nothing.
                let factor = (-e.size().log2().ceil()).exp2();
                Entry::new(&e.t * factor, e.lo * factor, e.hi * factor, e.exact)
            }
            _ => e,
        };
        self.entries.push(scaled);
    }
}

/// The values of an input. Of `special` ones, some elements are NaN or infinite.
pub fn values(e: &Entry, fill: Fill, rng: &mut Rng, special: bool) -> Value {
    let number = |rng: &mut Rng| match fill {
        Fill::Eighths if special && rng.chance(10) => rng.pick(&[f64::NAN, f64::INFINITY, f64::NEG_INFINITY]),
        Fill::Eighths => rng.eighth(),
        Fill::Integers(lo, hi) => rng.between(lo, hi) as f64,
        Fill::Key => f64::from(rng.next() as i32),
    };
    let data = (0..e.len()).map(|_| number(rng)).collect();
    Value::new(e.t.dtype(), e.t.shape(), data)
}
