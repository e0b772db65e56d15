//! Gradients, the residual and the training loop, on problems small enough for the reference
//! evaluator.

use graph::{Value, eval};
use neurona::{Context, DType, Init, Tensor, diff};
use pinn::*;
use std::f64::consts::TAU;
use std::ops::ControlFlow;

const PROBLEM: Transport = Transport { speed: 0.7, length: 1.5 };
const POINTS: Points = Points { interior: 12, boundary: 5, initial: 6, sampling: Sampling::Uniform };
const WEIGHTS: Weights = Weights { pde: 1.0, boundary: 2.0, initial: 3.0 };

fn net() -> Network {
    Network { widths: vec![5, 4], activation: Activation::Tanh, init: Init::GlorotNormal }
}

/// The drawn points as values, in the order in which [`trace`] declares them.
fn data(dtype: DType) -> Vec<Value> {
    let c = POINTS.draw(&PROBLEM, 1);
    let rows = [(&c.interior, 2), (&c.left, 2), (&c.right, 2), (&c.initial, 2), (&c.values, 1)];
    rows.map(|(v, width)| Value::new(dtype, &[v.len() / width, width], v.iter().map(|&x| f64::from(x)).collect())).to_vec()
}

/// Values of `outputs` in double precision, given the parameters.
fn evaluate(cx: &Context, params: &[Vec<f64>], outputs: &[&Tensor]) -> Vec<Value> {
    let graph = cx.tracer().finish().unwrap();
    let mut known: Vec<(Tensor, Value)> = cx.data().into_iter().zip(data(DType::F64)).collect();
    known.extend(cx.params().into_iter().zip(params).map(|((p, t), v)| (t, Value::new(DType::F64, &p.shape, v.clone()))));
    let inputs: Vec<Value> = graph.inputs().iter().map(|id| known.iter().find(|(t, _)| t.id() == *id).unwrap().1.clone()).collect();
    eval::evaluate(&graph, &inputs, &outputs.iter().map(|t| t.id()).collect::<Vec<_>>()).unwrap()
}

#[test]
fn gradients_of_the_sum_agree_with_differences_in_double_precision() {
    for activation in [Activation::Tanh, Activation::Sin] {
        let cx = Context::new(DType::F64, true);
        let net = Network { activation, ..net() };
        let losses = trace(&cx, &PROBLEM, &POINTS, &WEIGHTS, &|p| net.apply(&cx, &PROBLEM, p));
        let tensors: Vec<Tensor> = cx.params().into_iter().map(|(_, t)| t).collect();
        let gradients = diff::grad(&losses[0], &tensors.iter().collect::<Vec<_>>());
        let start: Vec<Vec<f64>> = cx
            .params()
            .iter()
            .enumerate()
            .map(|(i, (p, _))| p.init.values(&p.shape, 3, i as u32).iter().map(|&x| f64::from(x) + 0.05).collect())
            .collect();
        let exact = evaluate(&cx, &start, &gradients.iter().collect::<Vec<_>>());
        let total = |params: &[Vec<f64>]| evaluate(&cx, params, &[&losses[0]])[0].data[0];
        let h = 1e-5;
        for (i, values) in start.iter().enumerate() {
            for j in 0..values.len() {
                let moved = |by: f64| {
                    let mut p = start.clone();
                    p[i][j] += by;
                    total(&p)
                };
                let numeric = (moved(h) - moved(-h)) / (2.0 * h);
                assert!((exact[i].data[j] - numeric).abs() < 1e-7 * (1.0 + numeric.abs()), "{i} {j}: {} {numeric}", exact[i].data[j]);
            }
        }
        let [total, pde, boundary, initial] = std::array::from_fn(|i| evaluate(&cx, &start, &[&losses[i]])[0].data[0]);
        assert!((total - (pde + 2.0 * boundary + 3.0 * initial)).abs() < 1e-14 * total && pde > 0.0 && boundary > 0.0 && initial > 0.0);
    }
}

/// sin(2π(x − ct)/L) as a function of points.
fn wave(points: &Tensor, speed: f64) -> Tensor {
    let (t, x) = (points.slice(1, 0, 1), points.slice(1, 1, 2));
    ((x - t * speed) * (TAU / PROBLEM.length)).sin()
}

#[test]
fn the_exact_solution_has_no_residual_and_another_speed_the_one_it_must() {
    let cx = Context::new(DType::F64, true);
    let losses = trace(&cx, &PROBLEM, &POINTS, &WEIGHTS, &|p| wave(p, PROBLEM.speed));
    let out = evaluate(&cx, &[], &losses.iter().collect::<Vec<_>>());
    // Points are single precision, so the sine is evaluated beside x = L by 1e-7.
    assert!(out[1].data[0] < 1e-28 && out[2].data[0] < 1e-13 && out[3].data[0] < 1e-13, "{out:?}");

    let cx = Context::new(DType::F64, true);
    let points = cx.input("interior", DType::F64, &[POINTS.interior, 2]);
    let slow = residual(&PROBLEM, &wave(&points, 0.2), &points);
    let graph = cx.tracer().finish().unwrap();
    let at = data(DType::F64).remove(0);
    let out = eval::evaluate(&graph, std::slice::from_ref(&at), &[slow.id()]).unwrap();
    let k = TAU / PROBLEM.length;
    for (r, p) in out[0].data.iter().zip(at.data.chunks(2)) {
        // φ = sin k(x − ct): φ_t + u·φ_x = k(u − c)·cos k(x − ct).
        assert!((r - k * 0.5 * (k * (p[1] - 0.2 * p[0])).cos()).abs() < 1e-12);
    }
}

fn small(steps: u64) -> Settings {
    Settings {
        steps,
        network: net(),
        points: Points { interior: 24, boundary: 8, initial: 8, sampling: Sampling::LatinHypercube },
        report: Report { every: 10, side: 7 },
        learning_rate: LearningRate { initial: 1e-2, last: 1e-3, decay: Decay::Cosine },
        ..Preset::Deck.settings()
    }
}

#[test]
fn training_lowers_losses_and_error_and_reports_them() {
    let mut seen = vec![];
    let outcome = train(&small(205), &mut |r| {
        seen.push(*r);
        ControlFlow::Continue(())
    })
    .unwrap();
    assert!(outcome.is_complete() && seen.len() == 205);
    assert!(seen.iter().enumerate().all(|(i, r)| r.step == i as u64 + 1 && r.relative_l2.is_some() == (r.step % 10 == 0 || r.step == 205)));
    assert_eq!(outcome.history.len(), 21);
    let (first, last) = (seen[0].losses, seen[204].losses);
    assert!(last.total < 0.3 * first.total, "{first}; {last}");
    assert!((last.total - last.pde - last.boundary - last.initial).abs() < 1e-6 * last.total);
    assert_eq!(outcome.history[20].relative_l2, Some(outcome.relative_l2));
    assert!(outcome.relative_l2 < outcome.history[0].relative_l2.unwrap());
    assert!(outcome.max_error >= outcome.relative_l2 / 2.0);
    let names: Vec<&str> = outcome.weights().map(|w| w.0).collect();
    assert_eq!(names, ["dense_1/weight", "dense_1/bias", "dense_2/weight", "dense_2/bias", "dense_3/weight", "dense_3/bias"]);
    // Predictions at the grid's points, in blocks of another length, are the grid's values.
    let values = outcome.predict(&outcome.grid.points[..5]).unwrap();
    assert_eq!(values, outcome.grid.solution[..5]);
    assert!(outcome.predict(&[]).unwrap().is_empty());
}

#[test]
fn an_interrupted_run_goes_on_to_the_same_bits() {
    let whole = train(&small(30), &mut |_| ControlFlow::Continue(())).unwrap();
    let stop = |r: &Record| if r.step == 13 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
    let part = train(&small(30), &mut |r| stop(r)).unwrap();
    assert!(!part.is_complete() && part.state.step == 13);
    let rest = Training::resume(&small(30), part.state.clone()).unwrap().run(&mut |_| ControlFlow::Continue(())).unwrap();
    assert_eq!(rest.state, whole.state);
    let other = Settings { network: Network { widths: vec![5, 5], ..net() }, ..small(30) };
    let message = Training::resume(&other, part.state).err().unwrap().to_string();
    assert!(message.contains("dense_2/weight") && message.contains("[5, 5]"), "{message}");
}

#[test]
fn divergence_and_bad_settings_are_reported() {
    let wild = Settings {
        optimizer: neurona::Optimizer::Sgd,
        learning_rate: LearningRate { initial: 1e30, last: 1e30, decay: Decay::Constant },
        ..small(20)
    };
    let message = train(&wild, &mut |_| ControlFlow::Continue(())).unwrap_err().to_string();
    assert!(message.contains("diverged at step") && message.contains("lower learning_rate.initial"), "{message}");
    let none = Settings { points: Points { initial: 0, ..small(1).points }, ..small(1) };
    assert!(matches!(train(&none, &mut |_| ControlFlow::Continue(())), Err(Error::Setting { name: "points.initial", .. })));
}

#[test]
fn pictures_show_the_run() {
    let outcome = train(&small(20), &mut |_| ControlFlow::Continue(())).unwrap();
    let svg = panels(&outcome, &Labels::SPANISH);
    assert_eq!(svg.matches("data:image/png").count(), 6, "three maps, three colour bars");
    assert!(svg.contains("solución exacta") && svg.contains("values from"));
    let svg = curves(&outcome.history, &Labels::ENGLISH);
    assert_eq!(svg.matches("<polyline").count(), 5);
    assert!(["equation", "boundary", "initial", "total", "relative L2 error"].iter().all(|t| svg.contains(&format!(">{t}<"))));
}
