//! `neurona bench --growth`: how the time of a step grows with width and batch.

use super::{Args, columns, digits, failed};
use crate::progress::Progress;
use crate::report::Report;
use crate::{Shell, Texts};
use bench::growth::{BATCHES, Point, WIDTHS, exponent, measure};

/// Measures a perceptron at every width and batch.
///
/// # Errors
/// See [`super::run`].
pub fn run(args: &Args, shell: &mut Shell) -> Result<(), Report> {
    let texts = shell.texts;
    let (threads, seconds) = (args.threads.unwrap_or(0), args.seconds.unwrap_or(0.3));
    let widths = if args.width.is_empty() { WIDTHS.to_vec() } else { args.width.clone() };
    let batches = args.batches(&BATCHES);
    let (mut points, mut progress) = (vec![], Progress::stderr(texts));
    for &width in &widths {
        for &batch in &batches {
            let (number, all) = (points.len() + 1, widths.len() * batches.len());
            progress.status(&texts.fill("bench.running", &[("name", &format!("{width} × {batch}")), ("number", &number), ("all", &all)]));
            let point = measure(width, batch, threads, seconds).map_err(|e| failed(&texts, &e))?;
            if shell.json {
                progress.clear();
                shell.print(&point.json().to_string())?;
            }
            points.push(point);
        }
    }
    progress.clear();
    if shell.json { Ok(()) } else { shell.print(&table(&texts, &points)) }
}

/// A row for each size; beside the time, its exponents against the next smaller width and batch.
fn table(texts: &Texts, points: &[Point]) -> String {
    let keys = ["bench.width", "bench.batch", "bench.median", "bench.gflops", "bench.over_width", "bench.over_batch", "bench.compile"];
    let mut table = columns(texts, &keys);
    for p in points {
        let narrower = points.iter().rfind(|q| q.batch == p.batch && q.width < p.width);
        let smaller = points.iter().rfind(|q| q.width == p.width && q.batch < p.batch);
        let rise = |q: Option<&Point>, size: fn(&Point) -> usize| {
            let at = |p: &Point| (size(p) as f64, p.median_ms);
            q.map_or(String::new(), |q| format!("{:.2}", exponent(at(q), at(p))))
        };
        let rate = 2.0 * p.multiply_adds.step as f64 / (p.median_ms * 1e6);
        let (over_width, over_batch) = (rise(narrower, |p| p.width), rise(smaller, |p| p.batch));
        let (median, compile) = (digits(p.median_ms, 2), digits(p.compile_ms, 2));
        table.row([p.width.to_string(), p.batch.to_string(), median, digits(rate, 2), over_width, over_batch, compile]);
    }
    let threads = points.first().map_or(0, |p| p.threads);
    format!("{table}\n\n{}", texts.fill("bench.growth_note", &[("threads", &threads)]))
}
