//! `neurona export RUN`: a trained network, or the course of its training, in formats of others.

use crate::network::{results, saved};
use crate::report::{Exit, Report};
use crate::run::{LAST, METRICS, RunFolder};
use crate::{Shell, Texts, failure, run};
use neurona::tensorboard::{EventWriter, TensorBoard};
use neurona::weights::{self, Notes};
use neurona::{Activation, Context, DType, Loss, Observer, State, Tensor, Type};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Key of a line of an equation's metrics.jsonl.
const STEP: &str = "step";

/// Arguments of `neurona export`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The run
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// The format
    #[arg(
        long,
        value_name = "onnx|safetensors|csv|tensorboard",
        value_parser = ["onnx", "safetensors", "csv", "tensorboard"],
        default_value = "onnx",
        hide_default_value = true,
        hide_possible_values = true
    )]
    to: String,
    /// The file
    #[arg(long, value_name = "PATH")]
    out: Option<PathBuf>,
}

/// Writes the file and names it.
///
/// # Errors
/// A run that cannot be read (4), a file that cannot be written (1).
pub fn run(args: &Args, shell: &mut Shell) -> Result<(), Report> {
    let texts = shell.texts;
    let trained = super::pinn::Trained::open(&texts, &args.run)?;
    let folder = RunFolder::open(&texts, &args.run)?;
    let place = |name: &str| args.out.clone().unwrap_or_else(|| folder.file(name));
    let (out, bytes) = match (&args.to[..], &trained) {
        ("onnx", Some(trained)) => (place("model.onnx"), trained.onnx()?),
        ("onnx", None) => (place("model.onnx"), onnx(&texts, &args.run)?),
        ("csv", _) => (place("metrics.csv"), csv(&lines(&folder)?).into_bytes()),
        ("safetensors", Some(_)) => {
            let bytes = std::fs::read(folder.file(LAST)).map_err(|e| folder.unreadable(LAST, &e.to_string()))?;
            (place("model.safetensors"), bytes)
        }
        ("safetensors", None) => return safetensors(&texts, args, &place("model.safetensors"), shell),
        _ => return events(&texts, &folder, trained.is_some(), &place("tensorboard"), shell),
    };
    run::write_whole(&out, &bytes).map_err(|e| run::unwritable(&texts, &out, &e))?;
    written(shell, &out, &args.to, bytes.len() as u64)
}

fn written(shell: &mut Shell, out: &Path, format: &str, bytes: u64) -> Result<(), Report> {
    if shell.json {
        return shell.print_json(&json!({ "file": out, "format": format, "bytes": bytes }));
    }
    let text = shell.texts.fill("export.written", &[("path", &out.display()), ("bytes", &bytes)]);
    shell.print(&text)
}

/// The network with its best weights, with class names and preprocessing in its metadata.
fn onnx(texts: &Texts, run: &Path) -> Result<Vec<u8>, Report> {
    let (_, net, meta, trainer) = saved::load(texts, run)?;
    let loss = net.loss(&meta.target);
    let network = trainer.model();
    let model = |cx: &Context, x: &[Tensor]| probabilities(&loss, network.forward(cx, &x[0]));
    let weights = trainer.state().map(|s| s.params.clone()).unwrap_or_default();
    let info = onnx::Info {
        name: net.name.clone().unwrap_or_else(|| "neurona".into()),
        preprocessing: Some(meta.preprocessing.clone()),
        notes: BTreeMap::from([("neurona.version".into(), meta.version.clone())]),
        ..onnx::Info::default()
    };
    let rows = [Type::new(DType::F32, meta.input.clone())];
    onnx::export_model(&model, &rows, &weights, &info)
        .map_err(|e| Report::new(Exit::Failed, texts.get("export.failed"), e.to_string(), texts.get("export.fix")))
}

/// The best weights, with the network, the loss and the preprocessing as JSON in the metadata.
fn safetensors(texts: &Texts, args: &Args, out: &Path, shell: &mut Shell) -> Result<(), Report> {
    let (_, net, meta, trainer) = saved::load(texts, &args.run)?;
    let notes = [
        ("model", json!(trainer.model()).to_string()),
        ("loss", json!(net.loss(&meta.target)).to_string()),
        ("preprocessing", json!(meta.preprocessing).to_string()),
        ("neurona.version", meta.version.clone()),
    ];
    let notes: Notes = notes.into_iter().map(|(k, v)| (k.to_string(), v)).collect();
    let values = trainer.state().map(|s| s.params.clone()).unwrap_or_default();
    weights::save(out, trainer.params(), &values, &notes).map_err(|e| failure::report(texts, &e))?;
    written(shell, out, "safetensors", std::fs::metadata(out).map_or(0, |m| m.len()))
}

/// The lines of metrics.jsonl.
fn lines(folder: &RunFolder) -> Result<Vec<serde_json::Map<String, Value>>, Report> {
    let text = folder.read(METRICS)?;
    let parse = |(i, line): (usize, &str)| serde_json::from_str(line).map_err(|e| folder.unreadable(METRICS, &format!("{}: {e}", i + 1)));
    text.lines().enumerate().map(parse).collect()
}

/// A column for each number; empty where it was not measured, or is no number.
fn csv(lines: &[serde_json::Map<String, Value>]) -> String {
    let mut columns: Vec<&String> = vec![];
    for key in lines.iter().flat_map(serde_json::Map::keys) {
        if !columns.contains(&key) {
            columns.push(key);
        }
    }
    // The count of epochs or steps first, whatever the order of the keys.
    columns.sort_by_key(|key| key.as_str() != "epoch" && key.as_str() != "step");
    let head = columns.iter().map(|c| c.as_str()).collect::<Vec<_>>().join(",");
    let cell = |line: &serde_json::Map<String, Value>, key: &String| match line.get(key) {
        None | Some(Value::Null) => String::new(),
        Some(value) => value.to_string(),
    };
    let rows = lines.iter().map(|line| columns.iter().map(|key| cell(line, key)).collect::<Vec<_>>().join(",") + "\n");
    format!("{head}\n{}", rows.collect::<String>())
}

/// An event file for TensorBoard, under the names that a training with `tensorboard = true` uses.
fn events(texts: &Texts, folder: &RunFolder, equation: bool, out: &Path, shell: &mut Shell) -> Result<(), Report> {
    let failed = |e| failure::report(texts, &e);
    if out.is_dir() && std::fs::read_dir(out).is_ok_and(|mut d| d.next().is_some()) {
        let what = texts.fill("run.exists", &[("path", &out.display())]);
        return Err(Report::new(Exit::Usage, what, "", texts.get("run.exists.fix")));
    }
    if equation {
        let mut events = EventWriter::create(out).map_err(failed)?;
        for line in lines(folder)? {
            let step = line.get(STEP).and_then(Value::as_u64).unwrap_or(0);
            for (name, x) in line.iter().filter_map(|(k, v)| Some((k, v.as_f64()?))).filter(|(k, _)| *k != STEP) {
                events.scalar(name, step, x).map_err(failed)?;
            }
        }
        events.flush().map_err(failed)?;
    } else {
        let (net, meta) = saved::describe(texts, folder)?;
        let mut events = TensorBoard::create(out, false).map_err(failed)?;
        let nothing = State { params: vec![], slots: vec![], step: 0, seed: 0 };
        results::history(folder, (&net, &meta))?.iter().for_each(|report| _ = events.on_epoch(report, &[], &nothing));
        events.finish().map_err(failed)?;
    }
    let files = std::fs::read_dir(out).into_iter().flatten().flatten();
    written(shell, out, "tensorboard", files.filter_map(|f| f.metadata().ok()).map(|m| m.len()).sum())
}

/// What the network's numbers mean: probabilities, where it was trained on the numbers before them.
fn probabilities(loss: &Loss, raw: Tensor) -> Tensor {
    match loss {
        Loss::BinaryCrossEntropy { from_logits: true } => raw.sigmoid(),
        Loss::CategoricalCrossEntropy { from_logits: true } | Loss::SparseCategoricalCrossEntropy { from_logits: true } => {
            Activation::Softmax.apply(&raw)
        }
        _ => raw,
    }
}
