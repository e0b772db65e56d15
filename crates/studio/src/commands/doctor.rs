//! `neurona doctor`: what this installation is, and whether it computes what it should.

use crate::report::{Exit, Report};
use crate::table::{Align, Table};
use crate::{Shell, Texts};
use cpu::{Arg, Options, Out, Program};
use graph::{DType, Graph, Id, Tracer, Value, diff, eval};
use lessons::{Expression, backprop};
use serde::Serialize;

/// Arguments of `neurona doctor`.
#[derive(clap::Args, Debug)]
pub struct Args {}

#[derive(Serialize)]
struct Output {
    version: &'static str,
    system: String,
    isa: &'static str,
    threads: usize,
    checks: Vec<Check>,
}

/// One check: the key of its description, and what went wrong (empty if nothing).
#[derive(Serialize)]
struct Check {
    name: &'static str,
    passed: bool,
    detail: String,
}

type Outcome = Result<(), String>;

/// Prints version, machine and checks.
///
/// # Errors
/// Exit code 1 if a check fails.
pub fn run(_args: &Args, shell: &mut Shell) -> Result<(), Report> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let checks: [(&'static str, Outcome); 4] = [
        ("doctor.derivatives", derivatives()),
        ("doctor.program", program().map(|_| ())),
        ("doctor.threads", same_bits(threads)),
        ("doctor.folder", folder()),
    ];
    let name = |key: &'static str| key.trim_start_matches("doctor.");
    let checks = checks.map(|(key, done)| Check { name: name(key), passed: done.is_ok(), detail: done.err().unwrap_or_default() });
    let isa = match cpu::isa::isa() {
        cpu::isa::Isa::Avx512 => "AVX-512",
        cpu::isa::Isa::Avx2 => "AVX2 + FMA",
        cpu::isa::Isa::Portable => "portable",
    };
    let system = format!("{} {}", std::env::consts::OS, std::env::consts::ARCH);
    let output = Output { version: env!("CARGO_PKG_VERSION"), system, isa, threads, checks: checks.into() };
    if shell.json {
        shell.print_json(&output)?
    } else {
        shell.print(&table(&shell.texts, &output))?
    }
    let failed: Vec<&str> = output.checks.iter().filter(|c| !c.passed).map(|c| c.name).collect();
    if failed.is_empty() {
        return Ok(());
    }
    let what = shell.texts.fill("doctor.failed", &[("names", &failed.join(", "))]);
    Err(Report::new(Exit::Failed, what, "", shell.texts.get("doctor.fix")))
}

fn table(texts: &Texts, o: &Output) -> String {
    let mut table = Table::new(&[("neurona", Align::Left), (o.version, Align::Left)]);
    table.row([texts.get("doctor.system"), o.system.clone()]);
    table.row([texts.get("doctor.isa"), o.isa.to_string()]);
    table.row([texts.get("doctor.workers"), o.threads.to_string()]);
    for c in &o.checks {
        let state = texts.get(if c.passed { "doctor.passed" } else { "doctor.not_passed" });
        table.row([texts.get(&format!("doctor.{}", c.name)), format!("{state} {}", c.detail).trim_end().to_string()]);
    }
    table.to_string()
}

/// The example of the blackboard: (x/y + 5)² + x at (6, 2) has the derivatives 9 and −24.
fn derivatives() -> Outcome {
    let f = Expression::parse("(x/y+5)^2+x").map_err(|e| e.to_string())?;
    let trace = backprop::trace(&f, &[6.0, 2.0]).map_err(|e| e.to_string())?;
    let got: Vec<f64> = trace.gradient.iter().map(|(_, d)| *d).collect();
    if got == [9.0, -24.0] { Ok(()) } else { Err(format!("{got:?}, not [9, -24]")) }
}

/// A layer of a network with its loss and gradient, and data for it.
struct Network {
    graph: Graph,
    outputs: [Id; 2],
    x: Vec<f32>,
    w: Vec<f32>,
}

fn network() -> Result<Network, String> {
    const ROWS: usize = 64;
    let cx = Tracer::new();
    let (x, w) = (cx.input("x", DType::F32, &[ROWS, 16]), cx.input("w", DType::F32, &[16, 8]));
    let loss = x.matmul(&w).tanh().square().mean_all();
    let gradient = diff::grad(&loss, &[&w]).remove(0);
    let fill = |n: usize, k: f32| (0..n).map(|i| (i as f32 * k).sin() * 0.5).collect();
    let graph = cx.finish().map_err(|e| e.to_string())?;
    Ok(Network { graph, outputs: [loss.id(), gradient.id()], x: fill(ROWS * 16, 0.7), w: fill(16 * 8, 1.3) })
}

fn compiled(threads: usize) -> Result<Vec<f32>, String> {
    let Network { graph, outputs, x, w } = network()?;
    let options = Options { threads, batched: vec![true, false], ..Options::default() };
    let mut program = Program::compile(&graph, &outputs, &options).map_err(|e| e.to_string())?;
    let (mut loss, mut gradient) = ([0.0f32], vec![0.0f32; 16 * 8]);
    program.run(&[Arg::F32(&x), Arg::F32(&w)], &mut [Out::F32(&mut loss), Out::F32(&mut gradient)]).map_err(|e| e.to_string())?;
    Ok(loss.into_iter().chain(gradient).collect())
}

/// The compiled program against the reference evaluator: every number within single-precision rounding of 64 rows.
fn program() -> Outcome {
    let Network { graph, outputs, x, w } = network()?;
    let value = |data: &[f32], shape: &[usize]| Value::new(DType::F32, shape, data.iter().map(|&v| f64::from(v)).collect());
    let want = eval::evaluate(&graph, &[value(&x, &[64, 16]), value(&w, &[16, 8])], &outputs).map_err(|e| e.to_string())?;
    let want: Vec<f64> = want.into_iter().flat_map(|v| v.data).collect();
    let got = compiled(0)?;
    let largest = want.iter().fold(0.0f64, |m, x| m.max(x.abs()));
    let off = want.iter().zip(&got).fold(0.0f64, |m, (a, b)| m.max((a - f64::from(*b)).abs() / largest));
    if off < 1e-5 { Ok(()) } else { Err(format!("relative error {off:.1e}")) }
}

/// One thread and all threads give the same bits.
fn same_bits(threads: usize) -> Outcome {
    let bits = |x: Vec<f32>| x.into_iter().map(f32::to_bits).collect::<Vec<_>>();
    let (one, all) = (bits(compiled(1)?), bits(compiled(threads)?));
    if one == all { Ok(()) } else { Err(format!("1 ≠ {threads}")) }
}

/// Runs are saved below the current folder, so it must be possible to write there.
fn folder() -> Outcome {
    let probe = format!(".neurona-doctor-{}", std::process::id());
    std::fs::write(&probe, b"probe").and_then(|()| std::fs::remove_file(&probe)).map_err(|e| e.to_string())
}
