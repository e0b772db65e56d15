//! Whether rows can be used, checked once before training.

use super::{Batches, Rows, Values, store};
use crate::layers::volume;
use crate::{Error, Loss, Result};

impl Rows<'_> {
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
        if let Values::Stored(s) = self.values
            && u32::try_from(s.rows()).is_err()
        {
            return Err(Error::data(place, format!("{} rows", s.rows()), format!("use at most {}", u32::MAX)));
        }
        Ok(())
    }

    /// What is in memory; stores check what they read.
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
            Values::F32(_) | Values::Stored(_) if self.shape.len() == 3 => Ok(()),
            _ => {
                let why = format!("rows of {} cannot be augmented as images", self.ty());
                Err(Error::data(place, why, "give f32 rows of shape [height, width, channels], or leave augment out"))
            }
        }
    }

    /// The first value that is bad, with its row; what is stored is read for it, block by block.
    fn first(&self, bad: impl Fn(f64) -> bool) -> Result<Option<(usize, f64)>> {
        let width = self.width();
        let among = |v: &[f32]| v.iter().position(|&x| bad(x.into())).map(|i| (i / width, f64::from(v[i])));
        match self.values {
            Values::F32(v) => Ok(among(v)),
            Values::I32(v) => Ok(v.iter().position(|&x| bad(x.into())).map(|i| (i / width, v[i].into()))),
            Values::Stored(s) => store::scan(s, width, |start, v| among(v).map(|(row, x)| (start + row, x))),
        }
    }

    /// The first value outside `low ..= high`, with its row.
    fn outside(&self, low: f64, high: f64) -> Result<Option<(usize, f64)>> {
        self.first(|x| !(low..=high).contains(&x))
    }

    /// The first value that is no whole number, with its row.
    fn fractional(&self) -> Result<Option<(usize, f64)>> {
        if let Values::I32(_) = self.values { Ok(None) } else { self.first(|x| x.fract() != 0.0) }
    }
}

impl Batches<'_> {
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

/// Checks that the numbers an embedding looks up are in its vocabulary.
pub(crate) fn check_vocabulary(set: &str, x: &Rows, vocabulary: usize) -> Result<()> {
    if let Some((row, value)) = x.fractional()? {
        return Err(Error::data(
            format!("{set} input 0, row {row}"),
            format!("{value} is no whole number"),
            "embeddings look up whole numbers",
        ));
    }
    match x.outside(0.0, vocabulary as f64 - 1.0)? {
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
            if let Some((row, value)) = target.fractional()? {
                return Err(Error::data(at(row), format!("{value} is no class number"), "use whole numbers from 0"));
            }
            if let Some((row, label)) = target.outside(0.0, classes as f64 - 1.0)? {
                let why = format!("label {label}, but the model has {classes} outputs (labels 0 to {})", classes.saturating_sub(1));
                return Err(Error::data(at(row), why, "correct the label or give the last layer more units"));
            }
        }
        Loss::BinaryCrossEntropy { .. } | Loss::CategoricalCrossEntropy { .. } => {
            if let Some((row, value)) = target.outside(0.0, 1.0)? {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::testing::Tens;

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
    fn stored_values_are_checked_block_by_block() {
        // More rows than a block has, so that the row is counted from the first of all.
        let tens = Tens(300_000);
        let rows = Rows::stored(&tens, &[2]);
        assert_eq!(rows.outside(0.0, 2_000_005.0).unwrap(), Some((200_001, 2_000_010.0)));
        assert_eq!((rows.outside(0.0, 1e9).unwrap(), rows.fractional().unwrap()), (None, None));
        let check = |n: usize, shape: &[usize]| Rows::stored(&Tens(n), shape).check("x").map_err(|e| e.to_string());
        assert!(check(0, &[2]).unwrap_err().contains("has no rows"));
        assert!(check(1 << 32, &[2]).unwrap_err().contains("use at most 4294967295"));
        assert_eq!(check(1, &[2]), Ok(()));
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
