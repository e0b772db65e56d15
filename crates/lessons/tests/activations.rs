//! Activations and neurons against closed forms and differences.

use lessons::Error;
use lessons::activations::{ALL, about, at, curve, neuron, softmax};

#[test]
fn slopes_are_those_of_the_curves() {
    for a in ALL {
        // No point at 0, where some have a kink or a jump.
        let x: Vec<f64> = (-20..=20).map(|i| f64::from(i) * 0.25 + 0.1).collect();
        let points = at(a.activation, &x).unwrap();
        let near = |h: f64| at(a.activation, &x.iter().map(|x| x + h).collect::<Vec<_>>()).unwrap();
        let (up, down) = (near(1e-5), near(-1e-5));
        for ((p, u), d) in points.iter().zip(up).zip(down) {
            let difference = (u.value - d.value) / 2e-5;
            assert!((p.slope - difference).abs() < 1e-8, "{} at {}: {} and {difference}", a.name, p.x, p.slope);
        }
    }
}

#[test]
fn values_by_hand() {
    let value = |name: &str, x: f64| at(about(name).unwrap().activation, &[x]).unwrap()[0];
    let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-12, "{a} is not {b}");
    close(value("sigmoid", 2.0).value, 1.0 / (1.0 + (-2f64).exp()));
    close(value("sigmoid", 0.0).slope, 0.25);
    close(value("tanh", 0.5).slope, 1.0 - 0.5f64.tanh().powi(2));
    close(value("leaky_relu", -2.0).value, -0.02);
    close(value("elu", -1.0).value, (-1f64).exp() - 1.0);
    close(value("softplus", 1.0).value, (1.0 + 1f64.exp()).ln());
    close(value("silu", 1.0).value, 1.0 / (1.0 + (-1f64).exp()));
    close(value("gelu", 1.0).value, 0.841_344_746_068_542_9); // Φ(1)
    assert_eq!((value("relu", -3.0).value, value("relu", 3.0).slope, value("step", 0.0).value), (0.0, 1.0, 1.0));
    assert!(about("softmax").is_none() && about("Tanh").is_none());
}

#[test]
fn saturated_parts_lie_where_the_slope_is_small() {
    for a in ALL {
        let c = curve(a, -10.0, 10.0, 2001).unwrap();
        let inside = |x: f64| c.saturated.iter().any(|&(lo, hi)| lo <= x && x <= hi);
        assert!(c.points.iter().all(|p| p.saturated() == inside(p.x)), "{}", a.name);
        assert_eq!([inside(-10.0), inside(10.0)], a.saturates, "{}", a.name);
    }
}

#[test]
fn softmax_sums_to_one_and_its_slopes_to_nothing() {
    let s = softmax(&[2.0, 1.0, 0.1]).unwrap();
    let sum: f64 = [2.0, 1.0, 0.1f64].iter().map(|z| z.exp()).sum();
    for i in 0..3 {
        assert!((s.probabilities[i] - s.logits[i].exp() / sum).abs() < 1e-15);
        assert!(s.jacobian[i].iter().sum::<f64>().abs() < 1e-15);
        for j in 0..3 {
            let p = &s.probabilities;
            let want = if i == j { p[i] * (1.0 - p[i]) } else { -p[i] * p[j] };
            assert!((s.jacobian[i][j] - want).abs() < 1e-15);
        }
    }
    assert_eq!(softmax(&[1000.0, 0.0]).unwrap().probabilities, [1.0, 0.0]);
}

#[test]
fn a_neuron_moves_as_its_derivatives_say() {
    for a in ALL.into_iter().filter(|a| a.name != "step") {
        let (x, w, b) = ([0.5, -1.5, 2.0], [0.7, 0.3, -0.2], 0.25);
        let n = neuron(a.activation, &x, &w, b).unwrap();
        assert!((n.sum - (0.35 - 0.45 - 0.4 + 0.25)).abs() < 1e-12);
        let output = |x: &[f64], w: &[f64], b: f64| neuron(a.activation, x, w, b).unwrap().output;
        for i in 0..3 {
            let moved = |v: &[f64], h: f64| v.iter().enumerate().map(|(k, v)| if k == i { v + h } else { *v }).collect::<Vec<f64>>();
            let slope = |f: &dyn Fn(f64) -> f64| (f(1e-6) - f(-1e-6)) / 2e-6;
            assert!((n.by_weights[i] - slope(&|h| output(&x, &moved(&w, h), b))).abs() < 1e-8, "{}", a.name);
            assert!((n.by_inputs[i] - slope(&|h| output(&moved(&x, h), &w, b))).abs() < 1e-8, "{}", a.name);
        }
        assert_eq!((n.by_bias, n.saturated), (n.slope, n.slope.abs() < 0.05));
    }
    let tanh = about("tanh").unwrap().activation;
    assert!(neuron(tanh, &[5.0], &[2.0], 0.0).unwrap().saturated);
    assert_eq!(neuron(tanh, &[1.0], &[1.0, 2.0], 0.0), Err(Error::Weights { inputs: 1, weights: 2 }));
    assert!(neuron(tanh, &[], &[], 0.0).is_err());
}
