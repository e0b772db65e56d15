//! L-BFGS on functions whose minima are known, and on networks in double precision.

use neurona::lbfgs::{End, Gradient, Lbfgs, flatten, unflatten};
use neurona::prelude::*;
use neurona::{Arg, Error};

/// Rosenbrock's valley in any even number of dimensions; the minimum 0 is at (1, …, 1).
fn rosenbrock(x: &[f64], g: &mut [f64]) -> Result<f64, Error> {
    let mut sum = 0.0;
    for (x, g) in x.chunks(2).zip(g.chunks_mut(2)) {
        let (a, b) = (1.0 - x[0], x[1] - x[0] * x[0]);
        (g[0], g[1]) = (-2.0 * a - 400.0 * x[0] * b, 200.0 * b);
        sum += a * a + 100.0 * b * b;
    }
    Ok(sum)
}

#[test]
fn rosenbrocks_valley() {
    // SciPy's L-BFGS-B takes 41 and 203 steps from here.
    for (n, steps) in [(2, 60), (20, 250)] {
        let mut x: Vec<f64> = (0..n).map(|i| if i % 2 == 0 { -1.2 } else { 1.0 } + 0.01 * i as f64).collect();
        let found = Lbfgs::default().minimise(&mut x, rosenbrock).unwrap();
        assert!(found.end == End::Gradient && found.value < 1e-18, "{found}");
        assert!(x.iter().all(|x| (x - 1.0).abs() < 1e-9), "{x:?}");
        assert!(found.iterations < steps && found.evaluations < steps * 5 / 4, "{found}");
    }
}

/// A badly scaled quadratic: curvatures 1 to 10⁶ (SciPy's L-BFGS-B takes 2095 steps).
#[test]
fn quadratics() {
    let curvature = |i: usize| 10f64.powf(6.0 * i as f64 / 19.0);
    let f = |x: &[f64], g: &mut [f64]| {
        g.iter_mut().zip(x).enumerate().for_each(|(i, (g, x))| *g = curvature(i) * (x - 1.0));
        Ok(x.iter().enumerate().map(|(i, x)| 0.5 * curvature(i) * (x - 1.0).powi(2)).sum())
    };
    let mut x = vec![0.0; 20];
    let found = Lbfgs { history: 20, iterations: 3000, ..Lbfgs::default() }.minimise(&mut x, f).unwrap();
    assert!(found.end == End::Gradient && x.iter().all(|x| (x - 1.0).abs() < 1e-9), "{found}");
}

/// Functions that end somewhere: log x is −∞ or NaN for x ≤ 0, and −log x + x has its minimum at 1.
#[test]
fn domains_are_not_left() {
    let f = |x: &[f64], g: &mut [f64]| {
        g[0] = 1.0 - 1.0 / x[0];
        Ok(x[0] - x[0].ln())
    };
    let mut x = vec![50.0];
    let found = Lbfgs::default().minimise(&mut x, f).unwrap();
    assert!((x[0] - 1.0).abs() < 1e-9, "{found} at {x:?}");
    assert!(Lbfgs::default().minimise(&mut [-1.0], f).unwrap_err().to_string().contains("at the start"));
}

#[test]
fn limits_and_wrong_gradients_end_it() {
    let mut x = vec![-1.2, 1.0];
    let found = Lbfgs { iterations: 5, ..Lbfgs::default() }.minimise(&mut x, rosenbrock).unwrap();
    assert_eq!((found.end, found.iterations), (End::Iterations, 5));
    let found = Lbfgs { change: 0.5, ..Lbfgs::default() }.minimise(&mut x, rosenbrock).unwrap();
    assert_eq!(found.end, End::Change);
    let uphill = |x: &[f64], g: &mut [f64]| {
        g[0] = -2.0 * x[0];
        Ok(x[0] * x[0])
    };
    assert_eq!(Lbfgs::default().minimise(&mut [1.0], uphill).unwrap().end, End::Stuck);
    let mut steps = 0;
    let watch = |now: &neurona::lbfgs::Minimum, x: &[f64]| {
        steps += 1;
        assert_eq!((now.iterations, x.len()), (steps, 2));
        if steps == 3 { std::ops::ControlFlow::Break(()) } else { std::ops::ControlFlow::Continue(()) }
    };
    let found = Lbfgs::default().minimise_watched(&mut [-1.2, 1.0], rosenbrock, watch).unwrap();
    assert_eq!((found.end, found.iterations), (End::Stopped, 3));
}

/// A network 1–4–1 learns another one, 1–2–1: the least squares are 0, and are found to 10⁻¹⁰.
#[test]
fn a_network_to_the_last_digits() {
    const ROWS: usize = 40;
    let cx = Context::new(DType::F64, true);
    let (x, y) = (cx.input("x", DType::F64, &[ROWS, 1]), cx.input("y", DType::F64, &[ROWS, 1]));
    let model = Sequential::new(&[1]).layer(Dense::new(4).activation(Activation::Tanh)).layer(Dense::new(1));
    let loss = (model.forward(&cx, &x) - y).square().mean_all();
    let mut f = Gradient::compile(&cx, &loss, 1).unwrap();
    let xs: Vec<f64> = (0..ROWS).map(|i| i as f64 / 10.0 - 2.0).collect();
    let ys: Vec<f64> = xs.iter().map(|x| 0.8 * (1.5 * x - 0.4).tanh() - 0.5 * (0.7 * x + 0.9).tanh() + 0.2).collect();
    let data = [Arg::F64(&xs), Arg::F64(&ys)];
    for seed in [1, 2] {
        let mut w = f.start(seed);
        let found = Lbfgs { iterations: 3000, ..Lbfgs::default() }.minimise(&mut w, |w, g| f.run(w, &data, g)).unwrap();
        assert!(found.value <= 1e-10, "seed {seed}: {found}");
    }
    // The gradient is that of the value.
    let (w, mut g) = (f.start(5), vec![0.0; 13]);
    f.run(&w, &data, &mut g).unwrap();
    for i in 0..13 {
        let at = |f: &mut Gradient, h: f64| {
            let mut w = w.clone();
            w[i] += h;
            f.run(&w, &data, &mut [0.0; 13]).unwrap()
        };
        let numeric = (at(&mut f, 1e-5) - at(&mut f, -1e-5)) / 2e-5;
        assert!((g[i] - numeric).abs() < 1e-9, "{i}: {} but {numeric}", g[i]);
    }
    assert!(f.run(&w[..3], &data, &mut g).unwrap_err().to_string().contains("expected 13"));
}

/// In single precision, from the weights of a trainer and back, leaving running values alone.
#[test]
fn trainers_weights_go_in_and_out() {
    let cx = Context::new(DType::F32, true);
    let (x, y) = (cx.input("x", DType::F32, &[4, 2]), cx.input("y", DType::F32, &[4, 1]));
    let model = Sequential::new(&[2]).layer(BatchNorm::new()).layer(Dense::new(1));
    let loss = (model.forward(&cx, &x) - y).square().mean_all();
    let mut f = Gradient::compile(&cx, &loss, 1).unwrap();
    let mut state = State::new(f.params(), &Optimizer::Sgd, 1);
    let mut w = flatten(f.params(), &state.params);
    assert_eq!((w.len(), f.len()), (2 + 2 + 2 + 1, 7));
    assert_eq!(w, f.start(1));
    let data = [Arg::F32(&[0.0, 1.0, 1.0, 1.0, 2.0, 0.0, 3.0, 5.0]), Arg::F32(&[1.0, 2.0, 3.0, 4.0])];
    let found = Lbfgs { gradient: 1e-5, ..Lbfgs::default() }.minimise(&mut w, |w, g| f.run(w, &data, g)).unwrap();
    assert!(found.value < 0.05, "{found}");
    unflatten(f.params(), &w, &mut state.params);
    assert_eq!(state.params[0], [0.0, 0.0]);
    assert!(w.iter().zip(flatten(f.params(), &state.params)).all(|(a, b)| (a - b).abs() < 1e-6));
}
