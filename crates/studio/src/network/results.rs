//! Pictures and page of a run: what people look at when a training has ended.

use super::evaluation::Evaluation;
use super::metrics::{curves, parse, percent};
use super::saved::Meta;
use super::{Network, Target};
use crate::number::{duration, short};
use crate::page::Page;
use crate::run::{CONFUSION, CURVES, METRICS, RunFolder};
use crate::{Report, Texts};
use neurona::{EpochReport, Metric, Summary};

/// The finished epochs of a run.
///
/// # Errors
/// A metrics.jsonl that cannot be read.
pub fn history(folder: &RunFolder, (net, meta): (&Network, &Meta)) -> Result<Vec<EpochReport>, Report> {
    if meta.epochs == 0 {
        return Ok(vec![]);
    }
    let metrics = net.metrics(&meta.target);
    Ok(folder.read(METRICS)?.lines().map_while(|l| parse(l, &metrics, net.epochs)).collect())
}

/// Writes curves.svg, confusion.svg (for classes) and report.html, and lists them.
///
/// # Errors
/// A file that cannot be written.
pub fn write(
    texts: &Texts,
    folder: &RunFolder,
    (net, meta): (&Network, &Meta),
    history: &[EpochReport],
    evaluation: Option<&Evaluation>,
) -> Result<Vec<std::path::PathBuf>, Report> {
    let mut files = vec![folder.write(CURVES, curves(texts, history).as_bytes())?];
    let mut page = Page::new(texts, &folder.name());
    page.table("", &[], &summary(texts, meta, history));
    if let Some(e) = evaluation {
        let set = set_name(texts, e.set);
        if matches!(meta.target, Target::Classes(_)) {
            let title = format!("{}: {set}", texts.get("eval.confusion"));
            let [truth, predicted] = ["eval.truth", "eval.predicted"].map(|k| texts.get(k));
            let svg = plot::confusion(&title, [&truth, &predicted], &e.classes, &e.confusion);
            files.push(folder.write(CONFUSION, svg.as_bytes())?);
        }
        let scores = e.scores.metrics.iter().map(|&(m, v)| vec![m.name().to_string(), percent(Some(m), v)]);
        let rows = [vec![texts.get("train.rows"), e.rows.to_string()], vec![texts.get("train.loss"), short(e.scores.loss)]];
        page.table(&set, &[], &rows.into_iter().chain(scores).collect::<Vec<_>>());
    }
    page.pictures(folder);
    if let Ok(layers) = Summary::new(&net.model(&meta.input)) {
        page.table(&texts.get("page.layers"), &layer_head(texts), &layer_rows(texts, &layers));
    }
    if let Some(e) = evaluation {
        if !e.classes.is_empty() {
            page.table(&texts.get("eval.classes"), &class_head(texts), &class_rows(e));
        }
        let (head, rows) = worst(texts, e);
        page.table(&texts.get("eval.worst"), &head, &rows);
    }
    page.write(folder)?;
    files.push(folder.file(crate::run::REPORT));
    Ok(files)
}

/// The name of a set of rows.
pub fn set_name(texts: &Texts, set: &str) -> String {
    match set {
        "test" => texts.get("train.test"),
        "validation" => texts.get("train.validation"),
        _ => texts.get("train.training"),
    }
}

fn summary(texts: &Texts, meta: &Meta, history: &[EpochReport]) -> Vec<Vec<String>> {
    let row = |key: &str, value: String| vec![texts.get(key), value];
    let seconds: f64 = history.iter().map(|r| r.seconds).sum();
    vec![
        row("page.parameters", meta.parameters.to_string()),
        row("page.epochs", history.len().to_string()),
        row("page.best", meta.best_epoch.to_string()),
        row("page.time", duration(seconds)),
        row("page.rows", format!("{} + {} + {}", meta.rows.train, meta.rows.validation, meta.rows.test)),
        row("page.seed", meta.seed.to_string()),
        row("page.version", meta.version.clone()),
    ]
}

/// Headings of the table of layers.
pub fn layer_head(texts: &Texts) -> Vec<String> {
    ["summary.layer", "summary.output", "summary.parameters", "summary.cost"].map(|key| texts.get(key)).to_vec()
}

/// Rows of the table of layers: input, layers, sums.
pub fn layer_rows(texts: &Texts, s: &Summary) -> Vec<Vec<String>> {
    let mega = |flops: u64| short(flops as f64 / 1e6);
    let mut rows = vec![vec![texts.get("summary.input"), format!("{:?}", s.input), String::new(), String::new()]];
    rows.extend(s.rows.iter().map(|r| vec![r.layer.clone(), format!("{:?}", r.output), r.parameters.to_string(), mega(r.flops)]));
    rows.push(vec![texts.get("summary.total"), String::new(), s.parameters().to_string(), mega(s.flops())]);
    rows
}

/// Headings of the table of classes.
pub fn class_head(texts: &Texts) -> Vec<String> {
    ["eval.class", "train.rows", "eval.precision", "eval.recall", "eval.f1"].map(|key| texts.get(key)).to_vec()
}

/// Rows of the table of classes.
pub fn class_rows(e: &Evaluation) -> Vec<Vec<String>> {
    let share = |x: f64| percent(Some(Metric::Accuracy), x);
    let row = |(name, q): (&String, super::evaluation::Quality)| {
        vec![name.clone(), q.rows.to_string(), share(q.precision), share(q.recall), share(q.f1)]
    };
    e.classes.iter().zip(e.qualities()).map(row).collect()
}

fn worst(texts: &Texts, e: &Evaluation) -> (Vec<String>, Vec<Vec<String>>) {
    let last = if e.classes.is_empty() { "eval.error" } else { "eval.probability" };
    let head = ["eval.row", "eval.truth", "eval.predicted", last].map(|key| texts.get(key)).to_vec();
    let number = |x: &super::evaluation::Example| match x.probability {
        Some(p) => percent(Some(Metric::Accuracy), f64::from(p)),
        None => short(x.error),
    };
    (head, e.worst.iter().map(|x| vec![x.row.to_string(), x.truth.clone(), x.predicted.clone(), number(x)]).collect())
}
