//! ONNX files as networks: of this program or of others.

use crate::network::predict::Answers;
use crate::network::saved::Meta;
use crate::report::{Exit, Report};
use crate::{Texts, failure};
use neurona::data::{Array, Preprocessing, npy};
use neurona::{Arg, DType, Loss, Metric, Optimizer, State, Trainer, Type};
use onnx::{Error, Imported, Port};
use std::path::{Path, PathBuf};

/// Rows at once, where the file leaves the number open.
const BATCH: usize = 256;

/// A model of a file.
pub struct Foreign {
    texts: Texts,
    path: PathBuf,
    /// The model.
    pub model: Imported,
    /// Names of the classes, if the file has them.
    pub labels: Vec<String>,
    /// From a file's rows to the input, if the file says it.
    preprocessing: Option<Preprocessing>,
}

/// Whether a path means an ONNX file.
pub fn is_onnx(path: &Path) -> bool {
    path.extension().is_some_and(|e| e.eq_ignore_ascii_case("onnx"))
}

impl Foreign {
    /// Reads a file.
    ///
    /// # Errors
    /// A file that cannot be read or is damaged (4); operators that are not supported, all of them (3).
    pub fn open(texts: &Texts, path: &Path) -> Result<Foreign, Report> {
        let bytes = std::fs::read(path).map_err(|e| {
            let what = texts.fill("data.unreadable", &[("path", &path.display())]);
            Report::new(Exit::Data, what, e.to_string(), texts.get("config.check_path"))
        })?;
        let model = onnx::import(&bytes).map_err(|e| report(texts, path, &e))?;
        let note = |key: &str| model.notes().iter().find(|(k, _)| k == key).map(|(_, v)| v.as_str());
        let labels = note("labels").and_then(|v| serde_json::from_str(v).ok()).unwrap_or_default();
        let preprocessing = note("preprocessing").and_then(|v| serde_json::from_str(v).ok());
        Ok(Foreign { texts: *texts, path: path.into(), labels, preprocessing, model })
    }

    fn report(&self, e: &Error) -> Report {
        report(&self.texts, &self.path, e)
    }

    /// Its only input.
    ///
    /// # Errors
    /// A model of several.
    fn input(&self) -> Result<Port, Report> {
        let mut ports = self.model.inputs();
        if ports.len() == 1 {
            return Ok(ports.remove(0));
        }
        let names: Vec<String> = ports.into_iter().map(|p| p.name).collect();
        let what = self.texts.fill("onnx.inputs", &[("path", &self.path.display()), ("names", &names.join(", "))]);
        Err(Report::new(Exit::Config, what, "", self.texts.get("onnx.inputs.fix")))
    }

    /// The rows of a file as the model's input.
    ///
    /// # Errors
    /// A file that cannot be read, rows of another shape (4).
    pub fn rows(&self, path: &Path) -> Result<Array, Report> {
        let read = match &self.preprocessing {
            Some(p) => p.read(path),
            None => npy::read(path),
        };
        let array = read.map_err(|e| failure::data(&self.texts, &e))?;
        let Some(wanted) = self.input()?.shape else { return Ok(array) };
        let fits = wanted.len() == array.shape.len() && wanted.iter().zip(&array.shape).skip(1).all(|(w, got)| w.is_none_or(|w| w == *got));
        if fits {
            return Ok(array);
        }
        let wanted: Vec<String> = wanted.iter().map(|d| d.map_or("N".into(), |d| d.to_string())).collect();
        let values: [(&str, &dyn std::fmt::Display); 3] =
            [("path", &path.display()), ("found", &format!("{:?}", array.shape)), ("wanted", &wanted.join(", "))];
        Err(Report::new(Exit::Data, self.texts.fill("onnx.shape", &values), "", self.texts.get("onnx.shape.fix")))
    }

    /// The first output for all rows, and its shape without the batch axis.
    ///
    /// # Errors
    /// A model that cannot be traced for such rows (3).
    pub fn predict(&self, x: &Array) -> Result<(Vec<usize>, Vec<f32>), Report> {
        let port = self.input()?;
        let fixed = port.shape.as_ref().and_then(|s| *s.first()?);
        let (width, mut shape, mut out) = (x.row_len().max(1), vec![], vec![]);
        let mut compiled: Option<(usize, onnx::Predictor)> = None;
        for rows in x.data.chunks(width * fixed.unwrap_or(BATCH)) {
            let n = rows.len() / width;
            let size = fixed.unwrap_or(n);
            if compiled.as_ref().is_none_or(|(s, _)| *s != size) {
                let predictor = self.model.compile(&[&[&[size], x.row_shape()].concat()], 0).map_err(|e| self.report(&e))?;
                compiled = Some((size, predictor));
            }
            let Some((_, predictor)) = &mut compiled else { continue };
            let mut rows = rows.to_vec();
            rows.resize(size * width, 0.0); // a file with a fixed number of rows gets rows that nobody asks for
            let whole: Vec<i32> = if port.dtype == DType::I32 { rows.iter().map(|&v| v as i32).collect() } else { vec![] };
            let arg = if port.dtype == DType::I32 { Arg::I32(&whole) } else { Arg::F32(&rows) };
            let result = predictor.run(&[arg]).map_err(|e| self.report(&e))?.swap_remove(0);
            shape = result.shape.get(1..).unwrap_or(&[]).to_vec();
            let per_row = shape.iter().product::<usize>();
            out.extend(&result.data[..(n * per_row).min(result.data.len())]);
        }
        Ok((shape, out))
    }

    /// What the outputs mean: probabilities of the labels, or numbers.
    pub fn answers(&self, shape: &[usize], values: Vec<f32>) -> Answers {
        let n = shape.iter().product::<usize>().max(1);
        if self.labels.len() == n && n > 1 && are_probabilities(&values, n) {
            return Answers { columns: self.labels.clone(), classes: true, shape: shape.to_vec(), values };
        }
        if self.labels.len() == 2 && n == 1 && values.iter().all(|p| (0.0..=1.0).contains(p)) {
            let values = values.into_iter().flat_map(|p| [1.0 - p, p]).collect();
            return Answers { columns: self.labels.clone(), classes: true, shape: vec![2], values };
        }
        Answers { columns: (0..n).map(|i| format!("y{i}")).collect(), classes: false, shape: shape.to_vec(), values }
    }

    /// The model as a trainer that evaluates rows of this shape, and the loss that suits what it gives for `x`.
    ///
    /// # Errors
    /// A model that cannot be traced for such rows, or takes a fixed number of them (3).
    pub fn evaluator(&self, meta: &Meta, metrics: &[Metric], x: &Array) -> Result<(Trainer<Imported>, Loss), Report> {
        if self.input()?.shape.is_some_and(|s| s.first().is_some_and(|n| n.is_some_and(|n| n != 1))) {
            let what = self.texts.fill("onnx.fixed", &[("path", &self.path.display())]);
            return Err(Report::new(Exit::Config, what, "", self.texts.get("onnx.fixed.fix")));
        }
        let (shape, out) = self.predict(x)?;
        let n = shape.iter().product::<usize>();
        let loss = match meta.target {
            crate::network::Target::Values(_) => Loss::Mse,
            crate::network::Target::Classes(2) if n == 1 => {
                Loss::BinaryCrossEntropy { from_logits: !out.iter().all(|p| (0.0..=1.0).contains(p)) }
            }
            crate::network::Target::Classes(_) => Loss::SparseCategoricalCrossEntropy { from_logits: !are_probabilities(&out, n) },
        };
        let failed = |e| failure::report(&self.texts, &e);
        let mut trainer = Trainer::compile(self.model.clone(), loss, Optimizer::Sgd, metrics);
        trainer.build(&[Type::new(DType::F32, x.row_shape().to_vec())], 0).map_err(failed)?;
        let params = self.model.params(trainer.params()).map_err(|e| self.report(&e))?;
        if let Some(state) = trainer.state().cloned() {
            trainer.set_state(State { params, ..state }).map_err(failed)?;
        }
        Ok((trainer, loss))
    }
}

/// Whether each row of `n` numbers could be probabilities: none negative, their sum 1.
fn are_probabilities(values: &[f32], n: usize) -> bool {
    values.chunks(n.max(1)).all(|row| row.iter().all(|&p| p >= 0.0) && (row.iter().sum::<f32>() - 1.0).abs() < 1e-3)
}

fn report(texts: &Texts, path: &Path, e: &Error) -> Report {
    match e {
        Error::Unsupported(list) => {
            let what = texts.fill("onnx.unsupported", &[("path", &path.display()), ("count", &list.len())]);
            Report::new(Exit::Config, what, list.join("\n"), texts.get("onnx.unsupported.fix"))
        }
        Error::Malformed { place, why } => {
            let what = texts.fill("onnx.malformed", &[("path", &path.display())]);
            Report::new(Exit::Data, what, format!("{place}: {why}"), texts.get("onnx.malformed.fix"))
        }
        other => Report::new(Exit::Config, texts.fill("onnx.untraceable", &[("path", &path.display())]), other.to_string(), ""),
    }
}
