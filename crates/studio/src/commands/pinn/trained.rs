//! A solved equation in its run folder, ready for use.

use super::{KIND, failed};
use crate::network::results::{layer_head, layer_rows};
use crate::number::short;
use crate::page::Page;
use crate::report::{Exit, Report};
use crate::run::{CONFIG, LAST, META, RunFolder};
use crate::table::{Align, Table};
use crate::{Shell, Texts, config, failure};
use neurona::data::csv::{self, Cells, Format, Want};
use neurona::data::{DataError, npy};
use neurona::layers::Dense;
use neurona::{Activation, Context, DType, Sequential, Summary, Tensor, Type, weights};
use pinn::{Grid, Predictor, Settings, Transport};
use serde_json::json;
use std::path::{Path, PathBuf};

/// Points at once: more would only cost memory.
const BLOCK: usize = 1024;

/// The network of a run, with its last weights.
pub(crate) struct Trained {
    texts: Texts,
    folder: RunFolder,
    settings: Settings,
    predictor: Predictor,
    weights: Vec<Vec<f32>>,
}

impl Trained {
    /// Reads a run of this kind; none if it is of another.
    ///
    /// # Errors
    /// Files that cannot be used (3, 4).
    pub(crate) fn open(texts: &Texts, run: &Path) -> Result<Option<Trained>, Report> {
        let folder = RunFolder::open(texts, run)?;
        if crate::commands::resume::kind(&folder)? != KIND {
            return Ok(None);
        }
        let settings: Settings = config::read(texts, &folder.file(CONFIG).display().to_string(), &folder.read(CONFIG)?)?;
        settings.validate().map_err(|e| failed(texts, &e))?;
        let predictor = Predictor::new(&settings, BLOCK).map_err(|e| failed(texts, &e))?;
        let path = folder.file(LAST);
        if !path.is_file() {
            let what = texts.fill("run.no_weights", &[("path", &folder.path().display())]);
            return Err(Report::new(Exit::Data, what, "", texts.get("run.no_weights.fix")));
        }
        let (weights, _) = weights::load(&path, predictor.params()).map_err(|e| failure::report(texts, &e))?;
        Ok(Some(Trained { texts: *texts, folder, settings, predictor, weights }))
    }

    /// The problem, and its solution on a grid.
    ///
    /// # Errors
    /// Weights that do not fit.
    pub(crate) fn grid(mut self, side: usize) -> Result<(Transport, Grid), Report> {
        let mut grid = Grid::new(&self.settings.problem, side);
        grid.fill(&mut self.predictor, &self.weights).map_err(|e| failed(&self.texts, &e))?;
        Ok((self.settings.problem, grid))
    }

    /// Prints the error against the exact solution, on the grid of the settings.
    ///
    /// # Errors
    /// Weights that do not fit.
    pub(in crate::commands) fn eval(mut self, shell: &mut Shell) -> Result<(), Report> {
        let mut grid = Grid::new(&self.settings.problem, self.settings.report.side);
        grid.fill(&mut self.predictor, &self.weights).map_err(|e| failed(&self.texts, &e))?;
        let (relative, largest, side) = (grid.relative_l2(), grid.max_error(), grid.side);
        if shell.json {
            return shell.print_json(&json!({ "kind": KIND, "relative_l2": relative, "max_error": largest, "side": side }));
        }
        let texts = self.texts;
        let mut table = Table::new(&[(&texts.get("pinn.title"), Align::Left), (&format!("{side} × {side}"), Align::Right)]);
        table.row([texts.get("pinn.relative_l2"), short(relative)]);
        table.row([texts.get("pinn.max_error"), short(largest)]);
        shell.print(&table.to_string())
    }

    /// The layers.
    ///
    /// # Errors
    /// Errors of the trace.
    pub(in crate::commands) fn summary(&self) -> Result<Summary, Report> {
        summary(&self.texts, &self.settings)
    }

    /// Prints or writes φ at the points (t, x) of these files.
    ///
    /// # Errors
    /// Files that cannot be read (4).
    pub(in crate::commands) fn predict(mut self, inputs: &[PathBuf], out: Option<&Path>, shell: &mut Shell) -> Result<(), Report> {
        let mut points = vec![];
        for path in inputs {
            points.extend(read(path).map_err(|e| failure::data(&self.texts, &e))?);
        }
        let phi = self.predictor.run(&self.weights, &points).map_err(|e| failed(&self.texts, &e))?;
        let rows = points.iter().zip(&phi).map(|(&[t, x], &phi)| [t, x, phi, self.settings.problem.exact(t, x)]);
        if let Some(out) = out {
            return crate::commands::predict::numbers(shell, out, &["t", "x", "phi", "exact"], rows.flatten().collect());
        }
        if shell.json {
            let rows: Vec<_> = rows.map(|[t, x, phi, exact]| json!({ "t": t, "x": x, "phi": phi, "exact": exact })).collect();
            return shell.print_json(&json!({ "run": self.folder.path(), "predictions": rows }));
        }
        let exact = self.texts.get("pinn.exact");
        let mut table = Table::new(&["t", "x", "φ", &exact].map(|head| (head, Align::Right)));
        rows.for_each(|row| table.row(row.map(short)));
        shell.print(&table.to_string())
    }

    /// The network as ONNX: points (t, x) to φ.
    ///
    /// # Errors
    /// A network that cannot be written so.
    pub(in crate::commands) fn onnx(&self) -> Result<Vec<u8>, Report> {
        let (network, problem) = (&self.settings.network, &self.settings.problem);
        let model = |cx: &Context, points: &[Tensor]| network.apply(cx, problem, &points[0]);
        let info = onnx::Info { name: KIND.into(), outputs: vec!["phi".into()], ..onnx::Info::default() };
        onnx::export_model(&model, &[Type::new(DType::F32, vec![2])], &self.weights, &info).map_err(|e| {
            let texts = &self.texts;
            Report::new(Exit::Failed, texts.get("export.failed"), e.to_string(), texts.get("export.fix"))
        })
    }
}

/// Writes the page of a run: pictures, errors and layers.
///
/// # Errors
/// Files that cannot be used.
pub(in crate::commands) fn page(texts: &Texts, folder: &RunFolder) -> Result<(), Report> {
    let settings: Settings = config::read(texts, &folder.file(CONFIG).display().to_string(), &folder.read(CONFIG)?)?;
    let layers = summary(texts, &settings)?;
    let meta: serde_json::Value = serde_json::from_str(&folder.read(META)?).map_err(|e| folder.unreadable(META, &e.to_string()))?;
    let mut page = Page::new(texts, &folder.name());
    let shown = |key: &str| meta[key].as_f64().map(short).unwrap_or_default();
    let rows = [("pinn.relative_l2", shown("relative_l2")), ("page.parameters", shown("parameters")), ("page.steps", shown("step"))];
    page.table("", &[], &rows.map(|(key, value)| vec![texts.get(key), value]));
    page.pictures(folder);
    page.table(&texts.get("page.layers"), &layer_head(texts), &layer_rows(texts, &layers));
    page.write(folder)
}

/// The layers of a network of these settings. Its scaling of the inputs has no parameters and is not listed.
fn summary(texts: &Texts, settings: &Settings) -> Result<Summary, Report> {
    // The cost of an activation is that of one operation, whichever it is.
    let hidden = settings.network.widths.iter().map(|&units| Dense::new(units).activation(Activation::Tanh));
    let model = hidden.chain([Dense::new(1)]).fold(Sequential::new(&[2]), |model, layer| model.layer(layer));
    Summary::new(&model).map_err(|e| failure::report(texts, &e))
}

/// Points (t, x): the columns t and x of a table, or an array of two columns.
fn read(path: &Path) -> Result<Vec<[f64; 2]>, DataError> {
    let place = path.display().to_string();
    if path.extension().is_some_and(|e| e == "npy") {
        let array = npy::read(path)?.with_row_shape(&[2], &place)?;
        return Ok(array.data.chunks_exact(2).map(|p| [f64::from(p[0]), f64::from(p[1])]).collect());
    }
    let find = |names: &[String], name: &str| {
        let missing = || DataError::UnknownColumn { path: path.into(), column: name.into(), hint: names.join(", ") };
        names.iter().position(|n| n == name).ok_or_else(missing)
    };
    let mut places = [0; 2];
    let table = csv::read(path, Format::default(), |names| {
        places = [find(names, "t")?, find(names, "x")?];
        Ok((0..names.len()).map(|i| if places.contains(&i) { Want::Numbers } else { Want::Nothing }).collect())
    })?;
    let column = |place: usize| if let Cells::Numbers(values) = &table.cells[place] { values.clone() } else { vec![] };
    let (t, x) = (column(places[0]), column(places[1]));
    Ok(t.into_iter().zip(x).map(|(t, x)| [f64::from(t), f64::from(x)]).collect())
}
