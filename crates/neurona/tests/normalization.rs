//! Batch normalization in training: it learns, its running values become those of the data, evaluation
//! uses them, files keep them, threads do not change a bit of it.

use neurona::prelude::*;
use neurona::{Step, weights};

/// Rows whose columns have means 3 and −20 and standard deviations 2 and 0.5, in a fixed disorder.
fn columns(rows: usize) -> Vec<f32> {
    let uniform = |i: usize, step: f64| (i as f64 * step).fract() - 0.5;
    let row = |i: usize| [3.0 + 12f64.sqrt() * 2.0 * uniform(i, 0.618_034), -20.0 + 12f64.sqrt() * 0.5 * uniform(i, 0.414_214)];
    (0..rows).flat_map(row).map(|x| x as f32).collect()
}

fn moments(x: &[f32], column: usize) -> (f64, f64) {
    let v: Vec<f64> = x.iter().skip(column).step_by(2).map(|&x| f64::from(x)).collect();
    let mean = v.iter().sum::<f64>() / v.len() as f64;
    (mean, v.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (v.len() - 1) as f64)
}

fn model() -> Sequential {
    Sequential::new(&[2]).layer(BatchNorm::new()).layer(Dense::new(8).activation(Activation::Tanh)).layer(Dense::new(1))
}

fn trained(threads: usize, epochs: usize, rows: usize) -> Trainer<Sequential> {
    let x = columns(rows);
    let y: Vec<f32> = x.chunks(2).map(|r| ((r[0] - 3.0) / 2.0 * (r[1] + 20.0) / 0.5).tanh()).collect();
    let data = Batches::new(Rows::f32(&x, &[2]), Rows::f32(&y, &[1]));
    let mut t = Trainer::compile(model(), Loss::Mse, Optimizer::adam(), &[]);
    let options = FitOptions { epochs, batch: 64, learning_rate: 0.02, threads, seed: 4, ..FitOptions::default() };
    let history = t.fit(&data, &options, &mut ()).unwrap();
    let (first, last) = (history.epochs[0].train.loss, history.epochs[epochs - 1].train.loss);
    assert!(epochs < 20 || last < 0.1 * first, "the loss went from {first} to {last}");
    t
}

fn value(t: &Trainer<Sequential>, name: &str) -> Vec<f32> {
    let i = t.params().iter().position(|p| p.name == name).unwrap();
    t.state().unwrap().params[i].clone()
}

#[test]
fn running_values_become_those_of_the_data() {
    let mut t = trained(1, 40, 640);
    let x = columns(640);
    for column in 0..2 {
        let (mean, variance) = moments(&x, column);
        let (m, v) = (value(&t, "batch_norm_1/mean")[column], value(&t, "batch_norm_1/variance")[column]);
        // An average over about 19 batches of 64 rows: within a few standard errors.
        assert!((f64::from(m) - mean).abs() < 0.1 * variance.sqrt(), "mean {m}, of the data {mean}");
        assert!((f64::from(v) / variance - 1.0).abs() < 0.1, "variance {v}, of the data {variance}");
    }
    // Predictions do not depend on what else is in the batch.
    let all = t.predict(&[Rows::f32(&x, &[2])], 640).unwrap().data;
    let one = t.predict(&[Rows::f32(&x[..2], &[2])], 1).unwrap().data;
    assert!((all[0] - one[0]).abs() < 1e-6, "{} {}", all[0], one[0]);
}

#[test]
fn evaluation_uses_the_running_values() {
    let mut t = Trainer::compile(Sequential::new(&[1]).layer(BatchNorm::new().epsilon(1e-6)), Loss::Mse, Optimizer::Sgd, &[]);
    t.build(&[Type::new(DType::F32, [1])], 0).unwrap();
    let names: Vec<&str> = t.params().iter().map(|p| p.name.rsplit('/').next().unwrap()).collect();
    assert_eq!(names, ["mean", "variance", "scale", "offset"]);
    let state = State { params: vec![vec![2.0], vec![9.0], vec![1.0], vec![0.0]], ..t.state().unwrap().clone() };
    t.set_state(state).unwrap();
    let y = t.predict(&[Rows::f32(&[5.0, -1.0, 2.0], &[1])], 3).unwrap().data;
    assert!(y.iter().zip([1.0, -1.0, 0.0]).all(|(y, want)| (y - want).abs() < 1e-5), "{y:?}");
}

/// One step by hand: batch 1, 3 has mean 2 and variance 1 (2 with n − 1); running 0 and 1, momentum 0.75.
#[test]
fn one_step_updates_as_stated() {
    let cx = Context::new(DType::F32, true);
    let x = cx.input("x", DType::F32, &[2, 1]);
    let y = cx.layer("norm", || BatchNorm::new().momentum(0.75).forward(&cx, &x));
    let loss = y.square().mean_all();
    let mut step = Step::compile(&cx, &loss, &[&loss], &Optimizer::adam(), 1).unwrap();
    let mut state = State::new(step.params(), &Optimizer::adam(), 0);
    assert_eq!(state.slots.iter().map(Vec::len).collect::<Vec<_>>(), [0, 0, 2, 2]);
    step.run(&mut state, 0.0, &[neurona::Arg::F32(&[1.0, 3.0])]).unwrap();
    assert_eq!((&state.params[0][..], &state.params[1][..]), (&[0.5][..], &[1.25][..]));
    step.run(&mut state, 0.0, &[neurona::Arg::F32(&[1.0, 3.0])]).unwrap();
    assert_eq!(state.params[0], [0.5 + 0.25 * 1.5]);
}

/// A layer that is used twice updates its running values twice.
#[test]
fn shared_layers_update_in_turn() {
    let cx = Context::new(DType::F32, true);
    let x = cx.input("x", DType::F32, &[2, 1]);
    let norm = |x: &Tensor| cx.layer("norm", || BatchNorm::new().momentum(0.5).forward(&cx, x));
    let loss = (norm(&x) + norm(&(&x + 10.0))).square().mean_all();
    let mut step = Step::compile(&cx, &loss, &[], &Optimizer::Sgd, 1).unwrap();
    let mut state = State::new(step.params(), &Optimizer::Sgd, 0);
    step.run(&mut state, 0.0, &[neurona::Arg::F32(&[1.0, 3.0])]).unwrap();
    assert_eq!(state.params[0], [0.5 * (0.5 * 2.0) + 0.5 * 12.0]);
}

#[test]
fn threads_do_not_change_a_bit() {
    assert_eq!(trained(1, 3, 500).state(), trained(2, 3, 500).state());
    // The last batch of 65 rows has a single row, which has no variance: it must not spoil anything.
    assert!(trained(1, 2, 65).state().unwrap().params.iter().flatten().all(|x| x.is_finite()));
}

#[test]
fn files_keep_the_running_values() {
    let path = std::env::temp_dir().join(format!("neurona-norm-{}.safetensors", std::process::id()));
    let mut t = trained(1, 2, 100);
    weights::save_state(&path, t.params(), t.state().unwrap(), &weights::Notes::new()).unwrap();
    let (state, _) = weights::load_state(&path, t.params(), 2).unwrap();
    assert_eq!(&state, t.state().unwrap());
    t.set_state(state).unwrap();
    t.save_weights(&path, &weights::Notes::new()).unwrap();
    let mut other = Trainer::compile(model(), Loss::Mse, Optimizer::adam(), &[]);
    other.load_weights(&path).unwrap();
    assert_eq!(value(&other, "batch_norm_1/mean"), value(&t, "batch_norm_1/mean"));
    std::fs::remove_file(path).ok();
}

#[test]
fn wrong_updates_are_named() {
    let cx = Context::new(DType::F32, true);
    let x = cx.input("x", DType::F32, &[2]);
    cx.running("mean", &[], Init::Zeros);
    cx.update("mean", &x);
    cx.update("median", &x);
    let e = cx.tracer().finish().unwrap_err().to_string();
    assert!(e.contains("mean is f32[] and cannot become this") && e.contains("no running value median"), "{e}");
    let cx = Context::new(DType::F32, true);
    cx.running("mean", &[], Init::Zeros);
    cx.param("mean", &[], Init::Zeros);
    assert!(cx.tracer().finish().unwrap_err().to_string().contains("as a parameter"), "a running value is no parameter");
}
