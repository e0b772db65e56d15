//! Runs ONNX's own operator tests: a folder a case, each with `model.onnx` and
//! `test_data_set_K/{input,output}_J.pb`. `.ci/onnx_check.py cases FOLDER` writes them.
//!
//!     cargo run -p neurona-onnx --example backend_cases -- FOLDER [CASE]
//!
//! Inputs are data of the compiled graph; where an operator needs one of them to be a constant (shapes,
//! axes), those that are integers, and then small ones, are fixed. What is not supported is counted by
//! reason; a supported case that differs is a failure.

use neurona::{Arg, DType};
use onnx::{Error, TensorFile};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// As ONNX's own test runner has them.
const TOLERANCE: (f64, f64) = (1e-3, 1e-7);

/// Inputs up to this size may be constants.
const SMALL: usize = 16;

enum Verdict {
    /// With the largest difference, relative to 1 or the element's size.
    Passed(f64),
    Skipped(String),
    Failed(String),
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let folder = args.next().ok_or("which folder? see the comment of this example")?;
    let only = args.next();
    let mut cases: Vec<PathBuf> = std::fs::read_dir(&folder)?.filter_map(|e| Some(e.ok()?.path())).collect();
    cases.sort();
    let (mut passed, mut failed, mut worst) = (0, 0, 0.0f64);
    let mut reasons: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for case in cases {
        let name = case.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if only.as_ref().is_some_and(|o| *o != name) || !case.join("model.onnx").exists() {
            continue;
        }
        match run(&case)? {
            Verdict::Passed(off) => {
                passed += 1;
                worst = worst.max(off);
            }
            Verdict::Skipped(why) => reasons.entry(why).or_default().push(name),
            Verdict::Failed(why) => {
                failed += 1;
                println!("FAILED  {name}: {why}");
            }
        }
    }
    let mut reasons: Vec<_> = reasons.into_iter().collect();
    reasons.sort_by_key(|(_, names)| std::cmp::Reverse(names.len()));
    for (why, names) in &reasons {
        println!("skipped {:4}  {why}  ({})", names.len(), names[0]);
    }
    let skipped: usize = reasons.iter().map(|(_, names)| names.len()).sum();
    println!("{passed} of {} supported cases pass; {skipped} are not supported; largest difference {worst:.1e}", passed + failed);
    std::process::exit(i32::from(failed > 0))
}

/// The tensors of one kind in a folder, in order.
fn tensors(folder: &Path, kind: &str) -> Result<Vec<TensorFile>, Error> {
    let read = |j: usize| std::fs::read(folder.join(format!("{kind}_{j}.pb"))).ok();
    (0..).map_while(read).map(|bytes| TensorFile::read(&bytes)).collect()
}

fn run(case: &Path) -> std::io::Result<Verdict> {
    let bytes = std::fs::read(case.join("model.onnx"))?;
    let mut worst = 0.0f64;
    for k in 0.. {
        let folder = case.join(format!("test_data_set_{k}"));
        if !folder.exists() {
            break;
        }
        let data = tensors(&folder, "input").and_then(|i| Ok((i, tensors(&folder, "output")?)));
        let (inputs, outputs) = match data {
            Ok(data) => data,
            Err(e) => return Ok(Verdict::Skipped(short(&e))),
        };
        match attempts(&bytes, &inputs, &outputs) {
            Verdict::Passed(off) => worst = worst.max(off),
            other => return Ok(other),
        }
    }
    Ok(Verdict::Passed(worst))
}

/// Fixes more and more inputs until the model can be traced.
fn attempts(bytes: &[u8], inputs: &[TensorFile], outputs: &[TensorFile]) -> Verdict {
    let rules: [fn(&TensorFile) -> bool; 4] = [
        |_| false,
        |t| t.dtype == DType::I32 && t.values.len() <= SMALL && t.shape.len() <= 1,
        |t| t.values.len() <= SMALL && t.shape.len() <= 1,
        |t| t.dtype == DType::I32 || t.values.len() <= SMALL && t.shape.len() <= 1,
    ];
    let mut why = String::new();
    for fixed in rules {
        match attempt(bytes, inputs, fixed) {
            Ok(got) => return compare(&got, outputs),
            Err(e @ Error::Unsupported(_)) => why = short(&e),
            Err(e) => return Verdict::Failed(e.to_string()),
        }
    }
    Verdict::Skipped(why)
}

fn attempt(bytes: &[u8], inputs: &[TensorFile], fixed: fn(&TensorFile) -> bool) -> Result<Vec<neurona::Prediction>, Error> {
    let mut model = onnx::import(bytes)?;
    let names: Vec<String> = model.inputs().into_iter().map(|p| p.name).collect();
    let mut rest = vec![];
    for (name, t) in names.iter().zip(inputs) {
        if fixed(t) {
            model.fix(name, &t.shape, &t.values)?;
        } else {
            rest.push(t);
        }
    }
    let shapes: Vec<&[usize]> = rest.iter().map(|t| &t.shape[..]).collect();
    let mut compiled = model.compile(&shapes, 1)?;
    let floats: Vec<Vec<f32>> = rest.iter().map(|t| t.values.iter().map(|&x| x as f32).collect()).collect();
    let ints: Vec<Vec<i32>> = rest.iter().map(|t| t.values.iter().map(|&x| x as i32).collect()).collect();
    let arg = |(k, t): (usize, &&TensorFile)| if t.dtype == DType::I32 { Arg::I32(&ints[k]) } else { Arg::F32(&floats[k]) };
    compiled.run(&rest.iter().enumerate().map(arg).collect::<Vec<_>>())
}

fn compare(got: &[neurona::Prediction], wanted: &[TensorFile]) -> Verdict {
    let mut worst = 0.0f64;
    if got.len() != wanted.len() {
        return Verdict::Failed(format!("{} outputs, expected {}", got.len(), wanted.len()));
    }
    for (k, (g, w)) in got.iter().zip(wanted).enumerate() {
        if g.shape != w.shape {
            return Verdict::Failed(format!("output {k}: shape {:?}, expected {:?}", g.shape, w.shape));
        }
        for (i, (&a, &b)) in g.data.iter().zip(&w.values).enumerate() {
            let (a, off) = (f64::from(a), (f64::from(a) - b).abs());
            let same = a == b || a.is_nan() && b.is_nan() || a == f64::from(b as f32);
            if !same && (off.is_nan() || off > TOLERANCE.1 + TOLERANCE.0 * b.abs()) {
                return Verdict::Failed(format!("output {k}, element {i}: {a}, expected {b}"));
            }
            worst = worst.max(if same { 0.0 } else { off / b.abs().max(1.0) });
        }
    }
    Verdict::Passed(worst)
}

/// The reason without names of nodes and tensors, so that equal reasons are counted together.
fn short(e: &Error) -> String {
    let text = match e {
        Error::Unsupported(why) => why.first().cloned().unwrap_or_default(),
        other => other.to_string(),
    };
    if let Some(at) = text.find("element type") {
        return text[at..].split(" is not").next().unwrap_or_default().into();
    }
    match text.split_once(" (node ") {
        Some((op, rest)) => format!("{op}{}", rest.split_once(')').map_or("", |(_, why)| why)),
        None => text,
    }
}
