//! `neurona bench`: time of a training step of the reference workloads.

use crate::number::{duration, short};
use crate::progress::Progress;
use crate::report::{Exit, Report};
use crate::table::{Align, Table};
use crate::{Shell, Texts};
use bench::{Timing, Workload, measure};
use clap::builder::PossibleValuesParser;

/// Arguments of `neurona bench`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Which workloads
    #[arg(long, value_name = "W", value_delimiter = ',', value_parser = PossibleValuesParser::new(bench::NAMES), hide_possible_values = true)]
    workload: Vec<String>,
    /// Worker threads
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    threads: usize,
    /// Measured time of each
    #[arg(long, value_name = "S", default_value_t = 2.0, hide_default_value = true)]
    seconds: f64,
    /// The compiled programs in words
    #[arg(long)]
    explain: bool,
}

/// Multiply-adds of a whole step for each of its forward pass: a product's gradient is two products of the same size.
const STEP: f64 = 3.0;

/// Measures the workloads one after another and prints a table, or with `--json` a line as soon as one is measured.
///
/// # Errors
/// A time that cannot be measured for (2); errors of the engine (1).
pub fn run(args: &Args, shell: &mut Shell) -> Result<(), Report> {
    let texts = shell.texts;
    let names: Vec<&str> = if args.workload.is_empty() { bench::NAMES.into() } else { args.workload.iter().map(String::as_str).collect() };
    let (mut timings, mut progress) = (vec![], Progress::stderr(texts));
    for (i, name) in names.iter().enumerate() {
        progress.status(&texts.fill("bench.running", &[("name", name), ("number", &(i + 1)), ("all", &names.len())]));
        let mut workload = Workload::new(name, args.threads).map_err(|e| failed(&texts, &e))?;
        let timing = measure(&mut workload, args.seconds).map_err(|e| failed(&texts, &e))?;
        let explained = if args.explain { Some(workload.profile(args.seconds).map_err(|e| failed(&texts, &e))?) } else { None };
        progress.clear();
        match explained {
            _ if shell.json => shell.print(&line(&timing, explained.as_deref()))?,
            Some(text) => shell.print(&format!("{name}: {text}"))?,
            None => {}
        }
        timings.push(timing);
    }
    if shell.json {
        return Ok(());
    }
    let threads = timings.first().map_or(0, |t| t.threads);
    shell.print(&format!("{}\n\n{}", table(&texts, &timings), texts.fill("bench.note", &[("threads", &threads)])))
}

/// One line of JSON, with the program if it was asked for.
fn line(timing: &Timing, explained: Option<&str>) -> String {
    let line = timing.json();
    match (explained, serde_json::from_str(&line)) {
        (Some(text), Ok(serde_json::Value::Object(mut fields))) => {
            fields.insert("explain".into(), text.into());
            serde_json::Value::Object(fields).to_string()
        }
        _ => line,
    }
}

fn table(texts: &Texts, timings: &[Timing]) -> Table {
    let head = ["bench.workload", "bench.median", "bench.min", "bench.steps", "bench.loss", "bench.multiply_adds", "bench.gflops"];
    let head = head.map(|key| texts.get(key));
    let columns: Vec<(&str, Align)> =
        head.iter().enumerate().map(|(i, h)| (h.as_str(), if i == 0 { Align::Left } else { Align::Right })).collect();
    let mut table = Table::new(&columns);
    for t in timings {
        let rate = 2.0 * STEP * t.multiply_adds as f64 / (t.median_ms * 1e6);
        let digits = |x: f64, n: usize| short(format!("{x:.n$e}").parse().unwrap_or(x));
        table.row([
            t.workload.to_string(),
            digits(t.median_ms, 2),
            digits(t.min_ms, 2),
            t.steps.to_string(),
            digits(f64::from(t.loss), 3),
            digits(t.multiply_adds as f64, 2),
            digits(rate, 2),
        ]);
    }
    table
}

fn failed(texts: &Texts, e: &bench::Error) -> Report {
    match e {
        bench::Error::Seconds(s) => {
            let what = texts.fill("usage.bad_value", &[("value", s), ("arg", &"--seconds")]);
            Report::new(Exit::Usage, what, "", texts.fill("bench.seconds", &[("longest", &duration(bench::MAX_SECONDS))]))
        }
        _ => Report::new(Exit::Failed, e.to_string(), "", ""),
    }
}
