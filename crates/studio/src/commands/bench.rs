//! `neurona bench`: time of a training step of the reference workloads; and of answers, memory and growth.

mod chart;
mod growth;
mod latency;
mod memory;

use crate::number::{duration, short};
use crate::progress::Progress;
use crate::report::{Exit, Report};
use crate::table::{Align, Table};
use crate::{Shell, Texts};
use bench::{Timing, Workload, measure};
use clap::builder::PossibleValuesParser;
use std::path::PathBuf;

/// Arguments of `neurona bench`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Which workloads
    #[arg(long, value_name = "W", value_delimiter = ',', value_parser = PossibleValuesParser::new(bench::NAMES), hide_possible_values = true)]
    workload: Vec<String>,
    /// Worker threads
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// Measured time of each
    #[arg(long, value_name = "S")]
    seconds: Option<f64>,
    /// Rows, instead of those of the workload or the part
    #[arg(long, value_name = "N", value_delimiter = ',')]
    batch: Vec<usize>,
    /// Widths of `--growth`
    #[arg(long, value_name = "N", value_delimiter = ',', requires = "growth")]
    width: Vec<usize>,
    /// Share of the machine's rate
    #[arg(long)]
    peak: bool,
    /// The compiled programs in words
    #[arg(long)]
    explain: bool,
    /// Time of answers
    #[arg(long)]
    latency: bool,
    /// Peak memory over batches
    #[arg(long)]
    memory: bool,
    /// Time of a step over widths and batches
    #[arg(long)]
    growth: bool,
    /// Where to write the networks of `--latency`
    #[arg(long, value_name = "DIR", requires = "latency")]
    onnx: Option<PathBuf>,
    /// Draws the results of a comparison
    #[arg(long, value_name = "FILE.json", requires = "svg")]
    chart: Option<PathBuf>,
    /// Where to draw
    #[arg(long, value_name = "DIR", requires = "chart")]
    svg: Option<PathBuf>,
}

impl Args {
    /// The batches asked for, else these.
    fn batches(&self, usual: &[usize]) -> Vec<usize> {
        if self.batch.is_empty() { usual.into() } else { self.batch.clone() }
    }
}

/// Measures the parts that are asked for (training steps, if none is) and prints tables, or with `--json` a line as
/// soon as something is measured.
///
/// # Errors
/// A time that cannot be measured for, a workload that a part does not have (2); errors of the engine, files that
/// cannot be written (1); results that cannot be read (4).
pub fn run(args: &Args, shell: &mut Shell) -> Result<(), Report> {
    if let (Some(file), Some(folder)) = (&args.chart, &args.svg) {
        return chart::run(file, folder, shell);
    }
    if args.latency {
        latency::run(args, shell)?;
    }
    if args.memory {
        memory::run(args, shell)?;
    }
    if args.growth {
        growth::run(args, shell)?;
    }
    if args.latency || args.memory || args.growth { Ok(()) } else { steps(args, shell) }
}

/// The training steps of the workloads, one after another.
fn steps(args: &Args, shell: &mut Shell) -> Result<(), Report> {
    let texts = shell.texts;
    let (threads, seconds) = (args.threads.unwrap_or(0), args.seconds.unwrap_or(2.0));
    let names: Vec<&str> = if args.workload.is_empty() { bench::NAMES.into() } else { args.workload.iter().map(String::as_str).collect() };
    let rows: Vec<Option<usize>> = if args.batch.is_empty() { vec![None] } else { args.batch.iter().map(|&n| Some(n)).collect() };
    let jobs: Vec<(&str, Option<usize>)> = names.iter().flat_map(|&name| rows.iter().map(move |&n| (name, n))).collect();
    let (mut timings, mut best, mut progress) = (vec![], None, Progress::stderr(texts));
    for (i, (name, rows)) in jobs.iter().enumerate() {
        progress.status(&texts.fill("bench.running", &[("name", name), ("number", &(i + 1)), ("all", &jobs.len())]));
        if args.peak {
            // Anew beside each workload: whatever else the machine does then must not make the peak look lower.
            let rate = bench::peak::gflops(threads, seconds.min(1.0)).map_err(|e| failed(&texts, &e))?;
            best = Some(best.map_or(rate, |b: f64| b.max(rate)));
        }
        let workload = rows.map_or_else(|| Workload::new(name, threads), |n| Workload::with_rows(name, n, threads));
        let mut workload = workload.map_err(|e| failed(&texts, &e))?;
        let timing = measure(&mut workload, seconds).map_err(|e| failed(&texts, &e))?;
        let explained = if args.explain { Some(workload.profile(seconds).map_err(|e| failed(&texts, &e))?) } else { None };
        progress.clear();
        match explained {
            _ if shell.json => shell.print(&line(&timing, best, explained.as_deref()))?,
            Some(text) => shell.print(&format!("{name}: {text}"))?,
            None => {}
        }
        timings.push(timing);
    }
    if shell.json {
        return Ok(());
    }
    let threads = timings.first().map_or(0, |t| t.threads);
    let note = texts.fill("bench.note", &[("threads", &threads)]);
    let peak = best.map_or(String::new(), |best| format!("\n{}", texts.fill("bench.peak_note", &[("gflops", &digits(best, 2))])));
    shell.print(&format!("{}\n\n{note}{peak}", table(&texts, &timings, best)))
}

/// One line of JSON, with the machine's rate and the program if they were asked for.
fn line(timing: &Timing, best: Option<f64>, explained: Option<&str>) -> String {
    let mut line = timing.json();
    if let Some(best) = best {
        line["peak_gflops"] = best.into();
        line["share_of_peak"] = (timing.gflops() / best).into();
    }
    if let Some(text) = explained {
        line["explain"] = text.into();
    }
    line.to_string()
}

fn table(texts: &Texts, timings: &[Timing], best: Option<f64>) -> Table {
    let keys = ["bench.workload", "bench.median", "bench.min", "bench.steps", "bench.loss", "bench.multiply_adds", "bench.gflops"];
    let keys = keys.into_iter().chain(best.map(|_| "bench.share")).chain(["bench.compile"]);
    let mut table = columns(texts, &keys.collect::<Vec<_>>());
    for t in timings {
        let share = best.map(|best| format!("{:.0} %", 100.0 * t.gflops() / best));
        let cells = [
            t.workload.to_string(),
            digits(t.median_ms, 2),
            digits(t.min_ms, 2),
            t.steps.to_string(),
            digits(f64::from(t.loss), 3),
            digits(t.multiply_adds.forward as f64, 2),
            digits(t.gflops(), 2),
        ];
        table.row(cells.into_iter().chain(share).chain([digits(t.compile_ms, 2)]));
    }
    table
}

/// A table with these headings: the first column is text, the others are numbers.
fn columns(texts: &Texts, keys: &[&str]) -> Table {
    let head: Vec<String> = keys.iter().map(|key| texts.get(key)).collect();
    let align = |i: usize| if i == 0 { Align::Left } else { Align::Right };
    Table::new(&head.iter().enumerate().map(|(i, h)| (h.as_str(), align(i))).collect::<Vec<_>>())
}

/// `x` with `n` digits after the first.
fn digits(x: f64, n: usize) -> String {
    short(format!("{x:.n$e}").parse().unwrap_or(x))
}

fn failed(texts: &Texts, e: &bench::Error) -> Report {
    let usage = |value: &dyn std::fmt::Display, arg: &str| texts.fill("usage.bad_value", &[("value", value), ("arg", &arg)]);
    match e {
        bench::Error::Seconds(s) => {
            let fix = texts.fill("bench.seconds", &[("longest", &duration(bench::MAX_SECONDS))]);
            Report::new(Exit::Usage, usage(s, "--seconds"), "", fix)
        }
        bench::Error::Batch => Report::new(Exit::Usage, usage(&0, "--batch"), "", texts.get("bench.batch_fix")),
        bench::Error::Width => Report::new(Exit::Usage, usage(&0, "--width"), "", texts.get("bench.batch_fix")),
        bench::Error::NoNetwork { name } => {
            let names = bench::latency::names().join(", ");
            Report::new(Exit::Usage, usage(name, "--workload"), "", texts.fill("bench.no_network", &[("names", &names)]))
        }
        _ => Report::new(Exit::Failed, e.to_string(), "", ""),
    }
}
