//! `neurona eval RUN`: how good a trained network is, class by class.

use crate::config::Source;
use crate::foreign::{Foreign, is_onnx};
use crate::network::evaluation::{Evaluation, choose};
use crate::network::results::{class_head, class_rows, set_name};
use crate::network::{self, Network, percent, saved};
use crate::number::short;
use crate::report::{Exit, Report};
use crate::run::{CONFIG, RunFolder};
use crate::table::{Align, Table};
use crate::{Shell, Texts, failure};
use neurona::data::{Dataset, Loaded, load};
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};

/// Rows from which an unknown model's outputs are taken to be probabilities or not.
const SAMPLE: usize = 256;

/// Arguments of `neurona eval`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The run
    #[arg(value_name = "RUN|MODEL.onnx")]
    run: PathBuf,
    /// The training file whose data an ONNX file is tested on
    #[arg(long, value_name = "FILE.toml")]
    config: Option<PathBuf>,
    /// The rows
    #[arg(long, value_name = "test|validation|train", value_parser = ["test", "validation", "train"], hide_possible_values = true)]
    on: Option<String>,
    /// Changes to the data
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
}

/// Prints scores, the quality of each class and the confusion matrix.
///
/// # Errors
/// A run or data that cannot be used (3, 4).
pub fn run(args: &Args, shell: &mut Shell) -> Result<(), Report> {
    let texts = shell.texts;
    let e = if is_onnx(&args.run) {
        foreign(&texts, args)?
    } else {
        if args.config.is_some() {
            let what = texts.fill("usage.unexpected", &[("arg", &"--config")]);
            return Err(Report::new(Exit::Usage, what, "", texts.get("eval.config_fix")));
        }
        if let Some(equation) = super::pinn::Trained::open(&texts, &args.run)? {
            return equation.eval(shell);
        }
        evaluate(&texts, &args.run, args.on.as_deref(), &args.set)?.1
    };
    if shell.json {
        return shell.print_json(&json(&e));
    }
    let scores = scores(&texts, &e);
    shell.print(&scores.to_string())?;
    if e.classes.is_empty() {
        return Ok(());
    }
    let head = class_head(&texts);
    let mut classes = Table::new(&head.iter().enumerate().map(|(i, h)| (&h[..], side(i))).collect::<Vec<_>>());
    class_rows(&e).into_iter().for_each(|row| classes.row(row));
    shell.print(&format!("\n{classes}\n\n{}", confusion(&texts, &e)))
}

/// Rows, loss and metrics.
pub(super) fn scores(texts: &Texts, e: &Evaluation) -> Table {
    let mut scores = Table::new(&[("", Align::Left), (&set_name(texts, e.set), Align::Right)]);
    scores.row([texts.get("train.rows"), e.rows.to_string()]);
    scores.row([texts.get("train.loss"), short(e.scores.loss)]);
    e.scores.metrics.iter().for_each(|&(m, v)| scores.row([m.name().to_string(), percent(Some(m), v)]));
    scores
}

/// Evaluates a run; also returns its folder.
///
/// # Errors
/// As [`run`].
pub(super) fn evaluate(texts: &Texts, run: &Path, on: Option<&str>, changes: &[String]) -> Result<(RunFolder, Evaluation), Report> {
    let (folder, _, meta, mut trainer) = saved::load(texts, run)?;
    let mut source = Source::open(texts, &folder.file(CONFIG))?;
    for pair in changes {
        source.set_pair(texts, pair)?;
    }
    let net = Network::read(texts, &source)?;
    let data = load(&net.data, folder.path()).map_err(|e| failure::data_of(texts, &source, &e))?;
    if data.preprocessing != meta.preprocessing {
        return Err(Report::new(Exit::Data, texts.get("eval.other_data"), "", texts.get("eval.other_data.fix")));
    }
    let evaluation = Evaluation::new(texts, &mut trainer, (net.batch, &net.loss(&meta.target), &meta), chosen(texts, &data, on)?)?;
    Ok((folder, evaluation))
}

fn chosen<'a>(texts: &Texts, data: &'a Loaded, on: Option<&str>) -> Result<(&'static str, &'a Dataset), Report> {
    choose(data, on).ok_or_else(|| {
        let what = texts.fill("eval.no_set", &[("set", &set_name(texts, on.unwrap_or("test")))]);
        Report::new(Exit::Data, what, "", texts.get("eval.no_set.fix"))
    })
}

/// An ONNX file on the data of a training file.
fn foreign(texts: &Texts, args: &Args) -> Result<Evaluation, Report> {
    let Some(config) = &args.config else {
        let what = texts.fill("usage.missing", &[("args", &"--config FILE.toml")]);
        return Err(Report::new(Exit::Usage, what, "", texts.get("eval.config_fix")));
    };
    let model = Foreign::open(texts, &args.run)?;
    let mut source = Source::open(texts, config)?;
    for pair in &args.set {
        source.set_pair(texts, pair)?;
    }
    let net = Network::read(texts, &source)?;
    let data = load(&net.data, &network::folder(config)).map_err(|e| failure::data_of(texts, &source, &e))?;
    let meta = saved::Meta::new(&net, &data, 0);
    let (name, set) = chosen(texts, &data, args.on.as_deref())?;
    let sample = set.x.read_rows(0, set.len().min(SAMPLE)).map_err(|e| failure::data(texts, &e))?;
    let (mut trainer, loss) = model.evaluator(&meta, &net.metrics(&meta.target), &sample)?;
    Evaluation::new(texts, &mut trainer, (net.batch, &loss, &meta), (name, set))
}

fn side(column: usize) -> Align {
    if column == 0 { Align::Left } else { Align::Right }
}

/// Lines are true classes, columns what they were taken for, numbered as the lines.
fn confusion(texts: &Texts, e: &Evaluation) -> String {
    let numbers: Vec<String> = (0..e.classes.len()).map(|i| i.to_string()).collect();
    let corner = texts.get("eval.corner");
    let head = [(&corner[..], Align::Left)].into_iter().chain(numbers.iter().map(|n| (&n[..], Align::Right)));
    let mut table = Table::new(&head.collect::<Vec<_>>());
    for (i, line) in e.confusion.iter().enumerate() {
        table.row([format!("{i} {}", e.classes[i])].into_iter().chain(line.iter().map(usize::to_string)));
    }
    table.to_string()
}

/// An evaluation as JSON.
pub(super) fn json(e: &Evaluation) -> Value {
    let mut object = Map::new();
    object.insert("set".into(), json!(e.set));
    object.insert("rows".into(), json!(e.rows));
    object.insert("loss".into(), json!(e.scores.loss));
    e.scores.metrics.iter().for_each(|(m, v)| _ = object.insert(m.name().into(), json!(v)));
    if !e.classes.is_empty() {
        object.insert("classes".into(), json!(e.classes));
        object.insert("per_class".into(), json!(e.qualities()));
        object.insert("confusion".into(), json!(e.confusion));
    }
    object.insert("worst".into(), json!(e.worst));
    Value::Object(object)
}
