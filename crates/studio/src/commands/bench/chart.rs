//! `neurona bench --chart`: draws what `bench/run` has written.

use crate::report::{Exit, Report};
use crate::{Shell, Texts, run as folder};
use plot::{Axis, Bars, Lines};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Medians of the contenders by their names; none of those that failed.
type Contest = BTreeMap<String, Option<f64>>;

/// What is drawn of the results.
#[derive(Deserialize)]
struct Results {
    /// By the number of threads.
    #[serde(default)]
    steps: BTreeMap<String, Steps>,
    latency: Option<Latency>,
    #[serde(default)]
    memory: Vec<Memory>,
    #[serde(default)]
    growth: Vec<Growth>,
}

#[derive(Deserialize)]
struct Steps {
    /// By workload.
    median_ms: BTreeMap<String, Contest>,
}

#[derive(Deserialize)]
struct Latency {
    /// By workload, then by batch.
    median_ms: BTreeMap<String, BTreeMap<usize, Contest>>,
}

#[derive(Deserialize)]
struct Memory {
    batch: f64,
    data_bytes: f64,
    peak_bytes: Option<f64>,
}

#[derive(Deserialize)]
struct Growth {
    width: usize,
    batch: usize,
    step_ms: f64,
}

/// The contender that the others are measured by.
const OURS: &str = "neurona";

/// Draws every part that the file has into the folder and lists the files.
///
/// # Errors
/// A file that cannot be read or has nothing to draw (4), pictures that cannot be written (1).
pub fn run(file: &Path, to: &Path, shell: &mut Shell) -> Result<(), Report> {
    let texts = shell.texts;
    let unreadable = |why: String| {
        let what = texts.fill("bench.chart_unreadable", &[("path", &file.display())]);
        Report::new(Exit::Data, what, why, texts.get("bench.chart_fix"))
    };
    let text = std::fs::read_to_string(file).map_err(|e| unreadable(e.to_string()))?;
    let results: Results = serde_json::from_str(&text).map_err(|e| unreadable(e.to_string()))?;
    let charts = charts(&texts, &results);
    if charts.is_empty() {
        return Err(unreadable(texts.get("bench.chart_empty")));
    }
    std::fs::create_dir_all(to).map_err(|e| folder::unwritable(&texts, to, &e))?;
    // The pictures of a comparison have its name, so that those of several lie beside each other.
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    let mut files: Vec<PathBuf> = vec![];
    for (name, svg) in charts {
        let path = to.join(format!("{stem}-{name}.svg"));
        folder::write_whole(&path, svg.as_bytes()).map_err(|e| folder::unwritable(&texts, &path, &e))?;
        files.push(path);
    }
    if shell.json {
        return shell.print_json(&serde_json::json!({ "files": files }));
    }
    shell.print(&files.iter().map(|f| f.display().to_string()).collect::<Vec<_>>().join("\n"))
}

/// Names and pictures.
fn charts(texts: &Texts, results: &Results) -> Vec<(String, String)> {
    let mut all = vec![];
    for (threads, steps) in &results.steps {
        let rows = bench::NAMES.iter().filter_map(|&w| Some((w.to_string(), steps.median_ms.get(w)?)));
        let title = texts.fill("bench.chart_steps", &[("threads", threads)]);
        all.push((format!("steps-{threads}"), ratios(texts, &title, &rows.collect::<Vec<_>>())));
    }
    if let Some(latency) = &results.latency {
        let rows =
            |(w, batches): (&String, &BTreeMap<usize, Contest>)| batches.iter().map(|(n, c)| (format!("{w} × {n}"), c.clone())).collect();
        let rows: Vec<(String, Contest)> = latency.median_ms.iter().flat_map(|row| -> Vec<_> { rows(row) }).collect();
        let rows: Vec<(String, &Contest)> = rows.iter().map(|(name, c)| (name.clone(), c)).collect();
        all.push(("latency".into(), ratios(texts, &texts.get("bench.chart_latency"), &rows)));
    }
    if !results.memory.is_empty() {
        all.push(("memory".into(), memory(texts, &results.memory)));
    }
    if !results.growth.is_empty() {
        all.push(("growth".into(), growth(texts, &results.growth)));
    }
    all
}

/// Bars of every peer's time by ours.
fn ratios(texts: &Texts, title: &str, rows: &[(String, &Contest)]) -> String {
    let mut peers: Vec<&str> = rows.iter().flat_map(|(_, c)| c.keys()).map(String::as_str).filter(|&n| n != OURS).collect();
    peers.sort_unstable();
    peers.dedup();
    let titles: Vec<&str> = peers.iter().map(|name| title_of(name)).collect();
    let chart = Bars::new(title, Axis::log(&texts.get("bench.chart_ratio")), 1.0, &titles);
    let time = |c: &Contest, name: &str| c.get(name).copied().flatten().unwrap_or(f64::NAN);
    rows.iter().fold(chart, |chart, (name, c)| chart.group(name, peers.iter().map(|p| time(c, p) / time(c, OURS)))).svg()
}

/// What a contender is called.
fn title_of(name: &str) -> &str {
    match name {
        "jax" => "JAX",
        "onnxruntime" => "ONNX Runtime",
        "torch" => "PyTorch",
        "torch-compile" => "torch.compile",
        other => other,
    }
}

/// Megabytes over the batch: the process, the data, and what is left.
fn memory(texts: &Texts, points: &[Memory]) -> String {
    let line = |y: &dyn Fn(&Memory) -> Option<f64>| -> Vec<(f64, f64)> {
        points.iter().map(|m| (m.batch, y(m).map_or(f64::NAN, |y| y / 1e6))).collect()
    };
    let [title, batch, process, data, rest] =
        ["bench.chart_memory", "bench.batch", "bench.process", "bench.data", "bench.rest"].map(|key| texts.get(key));
    Lines::new(&title, Axis::linear(&batch), Axis::linear("MB"))
        .series(&process, line(&|m| m.peak_bytes))
        .series(&data, line(&|m| Some(m.data_bytes)))
        .series(&rest, line(&|m| m.peak_bytes.map(|peak| peak - m.data_bytes)))
        .svg()
}

/// Milliseconds of a step over width and over batch, both axes logarithmic.
fn growth(texts: &Texts, points: &[Growth]) -> String {
    let [title, width, batch, time] = ["bench.chart_growth", "bench.width", "bench.batch", "bench.median"].map(|key| texts.get(key));
    let panel = |x: &str, of: &str, at: fn(&Growth) -> usize, by: fn(&Growth) -> usize| {
        let mut groups: BTreeMap<usize, Vec<(f64, f64)>> = BTreeMap::new();
        points.iter().for_each(|p| groups.entry(by(p)).or_default().push((at(p) as f64, p.step_ms)));
        let chart = Lines::new(x, Axis::log(x), Axis::log(&time));
        groups.into_iter().fold(chart, |chart, (n, line)| chart.series(&format!("{of} {n}"), line))
    };
    plot::row(&title, &[&panel(&width, &batch, |p| p.width, |p| p.batch), &panel(&batch, &width, |p| p.batch, |p| p.width)])
}
