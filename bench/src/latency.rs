//! How long a network takes to answer: the classifiers among the workloads, forward only, and the same networks as
//! ONNX files, so that other programs can be asked the same.

use crate::workloads::{Array, Spec, Trace, WORKLOADS};
use crate::{Error, SEED, check, median, ms, repeat, workers};
use neurona::{Arg, Function, Param};
use std::time::Instant;

/// Names of the workloads that are measured: the classifiers.
pub fn names() -> Vec<&'static str> {
    WORKLOADS.iter().filter(|w| w.network(1).is_some()).map(|w| w.name).collect()
}

/// What the answers of a network took.
#[derive(Clone, PartialEq, Debug)]
pub struct Latency {
    /// The workload.
    pub workload: &'static str,
    /// Rows that were asked about at once.
    pub batch: usize,
    /// Worker threads.
    pub threads: usize,
    /// Median time of an answer, in ms.
    pub median_ms: f64,
    /// 99 of 100 answers took no longer, in ms.
    pub p99_ms: f64,
    /// Measured answers.
    pub runs: usize,
    /// Time that tracing and compiling took before, in ms.
    pub compile_ms: f64,
    /// Mean of the logits' squares: whoever computes the same network has the same.
    pub mean_square: f64,
}

impl Latency {
    /// As JSON, with the keys that the peers print and a few more.
    pub fn json(&self) -> serde_json::Value {
        serde_json::json!({
            "peer": "neurona", "workload": self.workload, "batch": self.batch, "threads": self.threads, "latency_ms": self.median_ms,
            "p99_ms": self.p99_ms, "runs": self.runs, "compile_ms": self.compile_ms, "mean_square": self.mean_square,
        })
    }
}

/// Times answers to `rows` rows at once for `seconds`, after twenty that do not count.
///
/// ```
/// let answer = bench::latency::measure("mlp", 1, 1, 0.0)?;
/// assert!(answer.median_ms > 0.0 && answer.mean_square > 0.0);
/// # Ok::<(), bench::Error>(())
/// ```
///
/// # Errors
/// An unknown name or one that is no classifier; no rows; a time that cannot be measured for; errors of the engine.
pub fn measure(name: &str, rows: usize, threads: usize, seconds: f64) -> Result<Latency, Error> {
    check(seconds)?;
    let (threads, start) = (workers(threads), Instant::now());
    let (workload, trace) = network(name, rows)?;
    let mut function = Function::compile(&trace.cx, &[&trace.output], threads)?;
    let compile_ms = ms(start.elapsed());
    let (params, data) = (weights(&trace), questions(&trace));
    let data: Vec<Arg> = data.iter().map(Array::arg).collect();
    let (times, logits) = repeat(seconds, 20, || Ok(function.run(&params, &data)?))?;
    let logits = logits.into_iter().flatten().map(f64::from);
    let mean_square = logits.clone().map(|x| x * x).sum::<f64>() / logits.count().max(1) as f64;
    let p99_ms = times[(times.len() * 99).div_ceil(100) - 1];
    Ok(Latency { workload, batch: rows, threads, median_ms: median(&times), p99_ms, runs: times.len(), compile_ms, mean_square })
}

/// The network as an ONNX file of free batch size, with the weights that [`measure`] uses.
///
/// # Errors
/// An unknown name or one that is no classifier; errors of the export.
pub fn export(name: &str) -> Result<Vec<u8>, Error> {
    let (workload, trace) = network(name, 1)?;
    let spec = Spec::find(workload)?;
    // `network` has found one, and so will every other number of rows.
    let traced = |rows: usize| spec.network(rows).map_or_else(|| (trace.cx.clone(), vec![]), |t| (t.cx, vec![t.output]));
    let info = onnx::Info { name: workload.into(), outputs: vec!["logits".into()], ..onnx::Info::default() };
    Ok(onnx::export(&traced, &weights(&trace), &info)?)
}

fn network(name: &str, rows: usize) -> Result<(&'static str, Trace), Error> {
    let spec = Spec::find(name)?;
    if rows == 0 {
        return Err(Error::Batch);
    }
    Ok((spec.name, spec.network(rows).ok_or(Error::NoNetwork { name: spec.name })?))
}

fn weights(trace: &Trace) -> Vec<Vec<f32>> {
    let values = |(k, p): (usize, &Param)| p.init.values(&p.shape, SEED, k as u32);
    trace.cx.params().iter().map(|(p, _)| p).enumerate().map(values).collect()
}

/// Rows from the fractional parts of i·(√5 − 1)/2, which every program can make.
fn questions(trace: &Trace) -> Vec<Array> {
    trace.data(|_, i| (i as f64 * 0.618_033_988_749_894_9).fract() as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_classifiers_answer_and_the_others_say_why_not() {
        assert_eq!(names(), ["mlp", "connect4", "doodle"]);
        let why = |name: &str, rows| measure(name, rows, 1, 0.0).unwrap_err().to_string();
        assert!(why("pinn", 1).contains("no classifier") && why("pin", 1).contains("take one of"));
        assert!(why("mlp", 0).starts_with("batch: "));
    }

    /// The exported file, read back and asked the same, gives the same logits; any number of rows does.
    #[test]
    fn the_file_holds_the_network_that_is_timed() {
        for name in ["mlp", "connect4"] {
            let model = onnx::import(&export(name).unwrap()).unwrap();
            for rows in [1, 3] {
                let answer = measure(name, rows, 1, 0.0).unwrap();
                let (_, trace) = network(name, rows).unwrap();
                let Array::F32(x) = &questions(&trace)[0] else { panic!("{name}: integers") };
                let logits = model.predict(trace.cx.data()[0].shape(), x).unwrap().data;
                let mean = logits.iter().map(|&z| f64::from(z).powi(2)).sum::<f64>() / logits.len() as f64;
                assert!((mean / answer.mean_square - 1.0).abs() < 1e-5, "{name}: {mean}, not {}", answer.mean_square);
                assert!(answer.p99_ms >= answer.median_ms && answer.runs >= 5);
            }
        }
    }
}
