//! Data in memory: borrowed arrays whose first axis counts the rows, checked once before training.

use crate::layers::volume;
use crate::{Error, Loss, Result};
use cpu::Arg;
use graph::{DType, Type};

#[derive(Clone, Copy, Debug)]
enum Values<'a> {
    F32(&'a [f32]),
    I32(&'a [i32]),
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

    /// Type and shape of one row.
    pub fn ty(&self) -> Type {
        let dtype = if matches!(self.values, Values::F32(_)) { DType::F32 } else { DType::I32 };
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

    /// Rows `start .. start + n`.
    fn part(&self, start: usize, n: usize) -> Arg<'a> {
        let range = start * self.width()..(start + n) * self.width();
        match self.values {
            Values::F32(v) => Arg::F32(&v[range]),
            Values::I32(v) => Arg::I32(&v[range]),
        }
    }

    /// Checks that there are rows and that no value is missing.
    fn check(&self, place: &str) -> Result<()> {
        let (n, width) = (self.values(), self.width());
        if volume(&self.shape).is_none_or(|w| w == 0) {
            return Err(Error::data(
                place,
                format!("rows of shape {:?} hold no numbers, or too many", self.shape),
                "give the extents of one row",
            ));
        }
        if n == 0 {
            return Err(Error::data(place, "has no rows", "give at least one; check the file or the filter the data come from"));
        }
        if n % width != 0 {
            let why = format!("{n} numbers are no whole number of rows of shape {:?} ({width} numbers each)", self.shape);
            return Err(Error::data(place, why, "check the shape of a row"));
        }
        Ok(())
    }

    fn check_finite(&self, place: &str) -> Result<()> {
        let Values::F32(v) = self.values else { return Ok(()) };
        match v.iter().position(|x| !x.is_finite()) {
            Some(i) => {
                let at = format!("{place}, row {}, position {}", i / self.width(), i % self.width());
                Err(Error::data(at, format!("{} is not a finite number", v[i]), "replace it or leave the row out"))
            }
            None => Ok(()),
        }
    }

    /// Checks that rows are images of floats, `[height, width, channels]`.
    pub(crate) fn check_images(&self, place: &str) -> Result<()> {
        match self.values {
            Values::F32(_) if self.shape.len() == 3 => Ok(()),
            _ => {
                let why = format!("rows of {} cannot be augmented as images", self.ty());
                Err(Error::data(place, why, "give f32 rows of shape [height, width, channels], or leave augment out"))
            }
        }
    }

    /// The first value outside `low ..= high`, with its row.
    fn outside(&self, low: f64, high: f64) -> Option<(usize, f64)> {
        let bad = |x: f64| !(low..=high).contains(&x);
        let at = match self.values {
            Values::F32(v) => v.iter().position(|&x| bad(f64::from(x))).map(|i| (i, f64::from(v[i]))),
            Values::I32(v) => v.iter().position(|&x| bad(f64::from(x))).map(|i| (i, f64::from(v[i]))),
        };
        at.map(|(i, x)| (i / self.width(), x))
    }

    /// The first value that is no whole number, with its row.
    fn fractional(&self) -> Option<(usize, f32)> {
        let Values::F32(v) = self.values else { return None };
        v.iter().position(|x| x.fract() != 0.0).map(|i| (i / self.width(), v[i]))
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

    /// Checks the arrays against each other, and their values. `set` is the name for messages.
    pub(crate) fn check(&self, set: &str) -> Result<()> {
        let place = format!("{set} targets");
        self.target.check(&place)?;
        self.target.check_finite(&place)?;
        check_inputs(set, &self.inputs)?;
        for (i, x) in self.inputs.iter().enumerate() {
            x.check_finite(&format!("{set} input {i}"))?;
            if x.len() != self.len() {
                let why = format!("{} rows of input but {} of targets", x.len(), self.len());
                return Err(Error::data(format!("{set} input {i}"), why, "give one target row for each input row"));
            }
        }
        Ok(())
    }

    /// Rows `start .. start + n` of every array, targets last, without a copy.
    pub(crate) fn part(&self, start: usize, n: usize) -> Vec<Arg<'a>> {
        self.inputs.iter().chain([&self.target]).map(|r| r.part(start, n)).collect()
    }

    /// Types of all arrays, targets last.
    pub(crate) fn types(&self) -> Vec<Type> {
        self.inputs.iter().chain([&self.target]).map(Rows::ty).collect()
    }
}

/// Checks inputs alone.
pub(crate) fn check_inputs(set: &str, inputs: &[Rows]) -> Result<()> {
    let Some(first) = inputs.first() else {
        return Err(Error::data(set, "has no input", "give at least one array"));
    };
    for (i, x) in inputs.iter().enumerate() {
        x.check(&format!("{set} input {i}"))?;
        if x.len() != first.len() {
            let why = format!("{} rows, but input 0 has {}", x.len(), first.len());
            return Err(Error::data(format!("{set} input {i}"), why, "give as many rows of each input"));
        }
    }
    Ok(())
}

/// Rows of every input, without a copy.
pub(crate) fn parts<'a>(inputs: &[Rows<'a>], start: usize, n: usize) -> Vec<Arg<'a>> {
    inputs.iter().map(|r| r.part(start, n)).collect()
}

/// Checks that the numbers an embedding looks up are in its vocabulary.
pub(crate) fn check_vocabulary(set: &str, x: &Rows, vocabulary: usize) -> Result<()> {
    if let Some((row, value)) = x.fractional() {
        return Err(Error::data(
            format!("{set} input 0, row {row}"),
            format!("{value} is no whole number"),
            "embeddings look up whole numbers",
        ));
    }
    match x.outside(0.0, vocabulary as f64 - 1.0) {
        Some((row, value)) => {
            let why = format!("{value} is outside the vocabulary of {vocabulary} (0 to {})", vocabulary - 1);
            Err(Error::data(format!("{set} input 0, row {row}"), why, "enlarge the embedding's vocabulary or correct the data"))
        }
        None => Ok(()),
    }
}

/// Checks that targets have the values `loss` is defined for, given the shape of predictions.
pub(crate) fn check_targets(set: &str, target: &Rows, loss: &Loss, prediction: &[usize]) -> Result<()> {
    let classes = prediction.last().copied().unwrap_or(0);
    let at = |row: usize| format!("{set} targets, row {row}");
    match loss {
        Loss::SparseCategoricalCrossEntropy { .. } => {
            if let Some((row, value)) = target.fractional() {
                return Err(Error::data(at(row), format!("{value} is no class number"), "use whole numbers from 0"));
            }
            if let Some((row, label)) = target.outside(0.0, classes as f64 - 1.0) {
                let why = format!("label {label}, but the model has {classes} outputs (labels 0 to {})", classes.saturating_sub(1));
                return Err(Error::data(at(row), why, "correct the label or give the last layer more units"));
            }
        }
        Loss::BinaryCrossEntropy { .. } | Loss::CategoricalCrossEntropy { .. } => {
            if let Some((row, value)) = target.outside(0.0, 1.0) {
                return Err(Error::data(
                    at(row),
                    format!("{value} is no probability"),
                    format!("{} needs targets from 0 to 1", loss.name()),
                ));
            }
        }
        Loss::Mse | Loss::Mae | Loss::Huber { .. } => {}
    }
    Ok(())
}

enum Buffer {
    F32(Vec<f32>),
    I32(Vec<i32>),
}

impl Buffer {
    fn arg(&self) -> Arg<'_> {
        match self {
            Buffer::F32(v) => Arg::F32(v),
            Buffer::I32(v) => Arg::I32(v),
        }
    }
}

/// Copies rows in any order into arrays that are allocated once.
pub(crate) struct Gather(Vec<Buffer>);

impl Gather {
    pub(crate) fn new(data: &Batches) -> Gather {
        let empty = |ty: Type| if ty.dtype == DType::I32 { Buffer::I32(vec![]) } else { Buffer::F32(vec![]) };
        Gather(data.types().into_iter().map(empty).collect())
    }

    /// The rows `order` of every array, targets last; `change` may change the first input if its rows
    /// are images of floats, whose extents it is told.
    pub(crate) fn take(&mut self, data: &Batches, order: &[u32], change: impl FnOnce(&mut [f32], [usize; 3])) -> Vec<Arg<'_>> {
        for (buffer, rows) in self.0.iter_mut().zip(data.inputs.iter().chain([&data.target])) {
            let width = rows.width();
            match (buffer, rows.values) {
                (Buffer::F32(to), Values::F32(from)) => copy_rows(to, from, order, width),
                (Buffer::I32(to), Values::I32(from)) => copy_rows(to, from, order, width),
                _ => {} // buffers are made from the types of the same data
            }
        }
        if let (Some(Buffer::F32(to)), Some(&[h, w, c])) = (self.0.first_mut(), data.inputs.first().map(|x| &x.shape[..])) {
            change(to, [h, w, c]);
        }
        self.0.iter().map(Buffer::arg).collect()
    }
}

fn copy_rows<T: Copy>(to: &mut Vec<T>, from: &[T], order: &[u32], width: usize) {
    to.clear();
    order.iter().for_each(|&r| to.extend_from_slice(&from[r as usize * width..][..width]));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_data_are_named() {
        let check = |x: Rows, y: Rows| Batches::new(x, y).check("training").unwrap_err().to_string();
        let ok = [0.0f32; 4];
        assert!(check(Rows::f32(&ok, &[3]), Rows::labels(&[1])).contains("no whole number of rows"));
        assert!(check(Rows::f32(&ok, &[2]), Rows::labels(&[1, 2, 3])).contains("2 rows of input but 3 of targets"));
        assert!(check(Rows::f32(&[], &[2]), Rows::labels(&[1])).contains("has no rows"));
        assert!(check(Rows::f32(&ok, &[2]), Rows::labels(&[])).contains("has no rows"));
        assert!(check(Rows::f32(&ok, &[0]), Rows::labels(&[1])).contains("hold no numbers"));
        assert!(check(Rows::f32(&ok, &[usize::MAX, 2]), Rows::labels(&[1])).contains("too many"));
        let nan = check(Rows::f32(&[0.0, 1.0, 2.0, f32::NAN], &[2]), Rows::labels(&[0, 1]));
        assert!(nan.contains("input 0, row 1, position 1: NaN"), "{nan}");
    }

    #[test]
    fn targets_are_checked_for_the_loss() {
        let loss = Loss::SparseCategoricalCrossEntropy { from_logits: true };
        let e = check_targets("training", &Rows::labels(&[0, 9, 10]), &loss, &[3, 10]).unwrap_err().to_string();
        assert!(e.contains("row 2: label 10, but the model has 10 outputs"), "{e}");
        assert!(check_targets("training", &Rows::labels(&[-1]), &loss, &[1, 10]).is_err());
        assert!(check_targets("training", &Rows::f32(&[1.5], &[]), &loss, &[1, 10]).is_err());
        let loss = Loss::BinaryCrossEntropy { from_logits: true };
        assert!(check_targets("training", &Rows::f32(&[2.0], &[1]), &loss, &[1, 1]).is_err());
        assert!(check_targets("training", &Rows::f32(&[2.0], &[1]), &Loss::Mse, &[1, 1]).is_ok());
    }
}
