//! Data for training: arrays in memory, or stores read when needed, whose first axis counts the rows.

mod check;
mod gather;
mod store;
#[cfg(test)]
mod testing;

use crate::layers::volume;
use cpu::Arg;
use graph::{DType, Type};

pub(crate) use check::{check_inputs, check_targets, check_vocabulary};
pub(crate) use gather::Gather;
pub use store::Store;
pub(crate) use store::block;

#[derive(Clone, Copy, Debug)]
enum Values<'a> {
    F32(&'a [f32]),
    I32(&'a [i32]),
    Stored(&'a dyn Store),
}

/// Rows of equal shape, borrowed.
#[derive(Clone, Debug)]
pub struct Rows<'a> {
    values: Values<'a>,
    shape: Vec<usize>,
}

impl<'a> Rows<'a> {
    /// Rows of this shape, one after another.
    pub fn f32(values: &'a [f32], row_shape: &[usize]) -> Rows<'a> {
        Rows { values: Values::F32(values), shape: row_shape.to_vec() }
    }

    /// Rows of integers (indices into an embedding, classes).
    pub fn i32(values: &'a [i32], row_shape: &[usize]) -> Rows<'a> {
        Rows { values: Values::I32(values), shape: row_shape.to_vec() }
    }

    /// One class number per row.
    pub fn labels(values: &'a [i32]) -> Rows<'a> {
        Rows::i32(values, &[])
    }

    /// Rows of this shape that are read when they are needed.
    pub fn stored(store: &'a dyn Store, row_shape: &[usize]) -> Rows<'a> {
        Rows { values: Values::Stored(store), shape: row_shape.to_vec() }
    }

    /// Type and shape of one row.
    pub fn ty(&self) -> Type {
        let dtype = if matches!(self.values, Values::I32(_)) { DType::I32 } else { DType::F32 };
        Type::new(dtype, self.shape.clone())
    }

    /// Values in one row.
    fn width(&self) -> usize {
        volume(&self.shape).unwrap_or(usize::MAX)
    }

    fn values(&self) -> usize {
        match self.values {
            Values::F32(v) => v.len(),
            Values::I32(v) => v.len(),
            Values::Stored(s) => s.rows().saturating_mul(self.width()),
        }
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.values().checked_div(self.width()).unwrap_or(0)
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Rows `start .. start + n`, if they are in memory.
    fn part(&self, start: usize, n: usize) -> Option<Arg<'a>> {
        let range = || start * self.width()..(start + n) * self.width();
        match self.values {
            Values::F32(v) => Some(Arg::F32(&v[range()])),
            Values::I32(v) => Some(Arg::I32(&v[range()])),
            Values::Stored(_) => None,
        }
    }
}

/// Inputs and targets of a data set, row by row.
///
/// ```
/// use neurona::{Batches, Rows};
/// let x = [0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0];
/// let data = Batches::new(Rows::f32(&x, &[2]), Rows::labels(&[0, 1, 1, 0]));
/// assert_eq!(data.len(), 4);
/// ```
#[derive(Clone, Debug)]
pub struct Batches<'a> {
    inputs: Vec<Rows<'a>>,
    target: Rows<'a>,
}

impl<'a> Batches<'a> {
    /// One input and its targets.
    pub fn new(x: Rows<'a>, y: Rows<'a>) -> Batches<'a> {
        Batches { inputs: vec![x], target: y }
    }

    /// Several inputs and their targets.
    pub fn with_inputs(inputs: Vec<Rows<'a>>, y: Rows<'a>) -> Batches<'a> {
        Batches { inputs, target: y }
    }

    /// The inputs.
    pub fn inputs(&self) -> &[Rows<'a>] {
        &self.inputs
    }

    /// The targets.
    pub fn target(&self) -> &Rows<'a> {
        &self.target
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.target.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All arrays, targets last.
    pub(crate) fn arrays(&self) -> impl Iterator<Item = &Rows<'a>> {
        self.inputs.iter().chain([&self.target])
    }

    /// Types of all arrays, targets last.
    pub(crate) fn types(&self) -> Vec<Type> {
        self.arrays().map(Rows::ty).collect()
    }
}
