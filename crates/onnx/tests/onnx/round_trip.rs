//! Exported models, read back and compiled, give what they gave before.

use crate::models;
use onnx::Info;

/// Of 1 or the largest element: results come from other orders of summation and other compositions.
const TOLERANCE: f64 = 1e-6;

#[test]
fn every_model_survives_the_round_trip() {
    let mut wrong = vec![];
    let mut worst = 0.0f64;
    for case in models::all() {
        let params = case.params();
        let file = onnx::export(&*case.trace, &params, &Info::default()).unwrap_or_else(|e| panic!("{}: {e}", case.name));
        let model = onnx::import(&file).unwrap_or_else(|e| panic!("{}: {e}", case.name));
        for rows in [1, 2, 7] {
            let sample = case.sample(rows, &params).unwrap();
            let shapes: Vec<&[usize]> = sample.inputs.iter().map(|(_, shape, _)| &shape[..]).collect();
            let mut compiled = model.compile(&shapes, 0).unwrap_or_else(|e| panic!("{} at {rows}: {e}", case.name));
            let got = compiled.run(&sample.inputs.iter().map(|(_, _, a)| a.arg()).collect::<Vec<_>>()).unwrap();
            assert_eq!(got.len(), sample.outputs.len());
            for (k, (g, (shape, want))) in got.iter().zip(&sample.outputs).enumerate() {
                assert_eq!(g.shape, *shape, "{} output {k}", case.name);
                let off = difference(&g.data, want);
                worst = worst.max(off);
                if off.is_nan() || off > TOLERANCE {
                    wrong.push(format!("{} output {k} at {rows} rows: {off:.1e}", case.name));
                }
            }
        }
    }
    println!("largest difference {worst:.1e}"); // shown by --nocapture
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Largest difference, of 1 or the largest finite element; NaN where only one of them is.
fn difference(got: &[f32], want: &[f32]) -> f64 {
    let scale = want.iter().filter(|x| x.is_finite()).fold(1.0f64, |m, &x| m.max(f64::from(x).abs()));
    let off = |(&a, &b): (&f32, &f32)| if a == b || a.is_nan() && b.is_nan() { 0.0 } else { (f64::from(a) - f64::from(b)).abs() / scale };
    got.iter().zip(want).map(off).fold(if got.len() == want.len() { 0.0 } else { f64::NAN }, |m, x| if x.is_nan() { x } else { m.max(x) })
}

/// A model that was exported, read back and exported again keeps its weights and its results.
#[test]
fn an_imported_model_can_be_exported() {
    for case in
        models::all().into_iter().filter(|c| ["cnn", "embedding", "dense_softplus", "windows", "products"].contains(&c.name.as_str()))
    {
        let params = case.params();
        let first = onnx::import(&onnx::export(&*case.trace, &params, &Info::default()).unwrap()).unwrap();
        let again = |rows: usize| {
            let cx = neurona::Context::new(neurona::DType::F32, false);
            let data = (case.trace)(rows).0.data();
            let ports = first.inputs();
            let inputs: Vec<_> = ports.iter().zip(&data).map(|(p, t)| cx.input(&p.name, t.dtype(), t.shape())).collect();
            let outputs = first.trace(&cx, &inputs).unwrap();
            (cx, outputs)
        };
        let made: Vec<_> = again(2).0.params().into_iter().map(|(p, _)| p).collect();
        let second = onnx::import(&onnx::export(&again, &first.params(&made).unwrap(), &Info::default()).unwrap()).unwrap();
        let sample = case.sample(3, &params).unwrap();
        let shapes: Vec<&[usize]> = sample.inputs.iter().map(|(_, shape, _)| &shape[..]).collect();
        let args: Vec<_> = sample.inputs.iter().map(|(_, _, a)| a.arg()).collect();
        let got = second.compile(&shapes, 1).unwrap().run(&args).unwrap();
        for (g, (_, want)) in got.iter().zip(&sample.outputs) {
            assert!(difference(&g.data, want) <= TOLERANCE, "{}", case.name);
        }
    }
}
