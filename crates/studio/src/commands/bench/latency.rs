//! `neurona bench --latency`: how long networks take to answer.

use super::{Args, columns, digits, failed};
use crate::progress::Progress;
use crate::report::Report;
use crate::{Shell, run as folder};

/// Rows asked about at once: one, and many.
const BATCHES: [usize; 2] = [1, 64];

/// Measures the classifiers on one thread, or as many as are asked for; writes them as ONNX if that is asked for.
///
/// # Errors
/// See [`super::run`].
pub fn run(args: &Args, shell: &mut Shell) -> Result<(), Report> {
    let texts = shell.texts;
    let names: Vec<&str> =
        if args.workload.is_empty() { bench::latency::names() } else { args.workload.iter().map(String::as_str).collect() };
    if let Some(to) = &args.onnx {
        std::fs::create_dir_all(to).map_err(|e| folder::unwritable(&texts, to, &e))?;
        for name in &names {
            let (bytes, path) = (bench::latency::export(name).map_err(|e| failed(&texts, &e))?, to.join(format!("{name}.onnx")));
            folder::write_whole(&path, &bytes).map_err(|e| folder::unwritable(&texts, &path, &e))?;
        }
    }
    let (threads, seconds) = (args.threads.unwrap_or(1), args.seconds.unwrap_or(1.0));
    let keys = ["bench.workload", "bench.batch", "bench.answer", "bench.p99", "bench.runs", "bench.compile"];
    let (mut table, mut progress, mut workers) = (columns(&texts, &keys), Progress::stderr(texts), threads);
    let batches = args.batches(&BATCHES);
    for (i, name) in names.iter().enumerate() {
        progress.status(&texts.fill("bench.running", &[("name", name), ("number", &(i + 1)), ("all", &names.len())]));
        for &batch in &batches {
            let l = bench::latency::measure(name, batch, threads, seconds).map_err(|e| failed(&texts, &e))?;
            if shell.json {
                progress.clear();
                shell.print(&l.json().to_string())?;
            }
            let [median, p99, compile] = [l.median_ms, l.p99_ms, l.compile_ms].map(|x| digits(x, 2));
            table.row([(*name).to_string(), batch.to_string(), median, p99, l.runs.to_string(), compile]);
            workers = l.threads;
        }
    }
    progress.clear();
    if shell.json { Ok(()) } else { shell.print(&format!("{table}\n\n{}", texts.fill("bench.latency_note", &[("threads", &workers)]))) }
}
