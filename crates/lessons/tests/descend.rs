//! Descents against closed forms, against recurrences written out here, against the step that trains networks; endings; contours.

use lessons::descend::{Curvature, Descent, Divergence, End, OPTIMIZERS, Settings, Stationary, Surface, descend, optimizer, view};
use lessons::{Error, Expression};
use neurona::{Arg, Context, DType, Init, Optimizer, State, Step};

fn run(source: &str, name: &str, rate: f64, steps: usize, start: &[f64]) -> Descent {
    let settings = Settings { optimizer: optimizer(name, 0.9).unwrap(), learning_rate: rate, steps, start: start.to_vec() };
    descend(&Expression::parse(source).unwrap(), &settings).unwrap()
}

fn xs(d: &Descent) -> Vec<f64> {
    d.steps.iter().map(|s| s.at[0]).collect()
}

fn close(a: &[f64], b: &[f64], tolerance: f64) {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).for_each(|(a, b)| assert!((a - b).abs() <= tolerance * (1.0 + b.abs()), "{a} is not {b}"));
}

/// On λx²/2 plain descent is x₀(1 − ηλ)ᵗ.
#[test]
fn plain_descent_of_a_parabola_is_a_geometric_series() {
    for (rate, factor) in [(0.1, 0.7f64), (0.5, -0.5), (0.6, -0.8)] {
        let d = run("3*x^2/2", "sgd", rate, 20, &[2.0]);
        let want: Vec<f64> = (0..=20).map(|t| 2.0 * factor.powi(t)).collect();
        close(&xs(&d), &want, 1e-12);
    }
}

/// Every optimizer by its published recurrence, in plain numbers, on x² + 10y⁴ + xy.
#[test]
fn every_optimizer_follows_its_recurrence() {
    let gradient = |p: [f64; 2]| [2.0 * p[0] + p[1], 40.0 * p[1].powi(3) + p[0]];
    for name in OPTIMIZERS {
        let (rate, d) = (0.03, run("x^2 + 10*y^4 + x*y", name, 0.03, 30, &[-1.0, 0.7]));
        let (mut p, mut m, mut v) = ([-1.0, 0.7], [0.0; 2], [0.0; 2]);
        for (t, step) in d.steps.iter().enumerate() {
            close(&step.at, &p, 1e-9);
            let g = gradient(p);
            close(&step.gradient, &g, 1e-9);
            for i in 0..2 {
                let (b1, b2) = (0.9f64, 0.999f64);
                match name {
                    "sgd" => p[i] -= rate * g[i],
                    "momentum" | "nesterov" => {
                        m[i] = 0.9 * m[i] + g[i];
                        p[i] -= rate * if name == "momentum" { m[i] } else { g[i] + 0.9 * m[i] };
                    }
                    "rmsprop" => {
                        v[i] = 0.99 * v[i] + 0.01 * g[i] * g[i];
                        p[i] -= rate * g[i] / (v[i].sqrt() + 1e-8);
                    }
                    _ => {
                        let decay = if name == "adamw" { 0.01 } else { 0.0 };
                        p[i] -= rate * decay * p[i];
                        m[i] = b1 * m[i] + (1.0 - b1) * g[i];
                        v[i] = b2 * v[i] + (1.0 - b2) * g[i] * g[i];
                        let (mh, vh) = (m[i] / (1.0 - b1.powi(t as i32 + 1)), v[i] / (1.0 - b2.powi(t as i32 + 1)));
                        p[i] -= rate * mh / (vh.sqrt() + 1e-8);
                        if t + 1 < d.steps.len() {
                            let shown: Vec<f64> = step.memory.iter().map(|s| s.values[i]).collect();
                            close(&shown, &[m[i], v[i], mh, vh], 1e-9);
                        }
                    }
                }
            }
        }
        assert_eq!(d.steps.len(), 31, "{name}");
    }
}

/// The same path as the compiled step that trains networks, to its single precision.
#[test]
fn paths_are_those_of_the_training_step() {
    for name in OPTIMIZERS {
        let rule = optimizer(name, 0.9).unwrap();
        let d = run("(x - 1)^2*(x + 2)^2 + x", name, 0.01, 40, &[2.0]);
        let cx = Context::new(DType::F32, true);
        let w = cx.param("x", &[1], Init::Constant(2.0));
        let loss = ((&w - 1.0).square() * (&w + 2.0).square() + &w).sum_all();
        let mut step = Step::compile(&cx, &loss, &[&loss], &rule, 1).unwrap();
        let mut state = State::new(step.params(), &rule, 0);
        for (t, here) in d.steps.iter().enumerate() {
            let x = f64::from(state.params[0][0]);
            assert!((x - here.at[0]).abs() < 2e-4, "{name}, step {t}: {x}, not {}", here.at[0]);
            step.run(&mut state, 0.01, &[] as &[Arg]).unwrap();
        }
    }
}

#[test]
fn gradients_agree_with_differences() {
    let source = "sin(x*y) + exp(-x^2)*log(y) + tanh(x - y)/sqrt(y)";
    let f = |x: f64, y: f64| (x * y).sin() + (-x * x).exp() * y.ln() + (x - y).tanh() / y.sqrt();
    for s in &run(source, "adam", 0.02, 20, &[0.4, 1.7]).steps {
        let (x, y, h) = (s.at[0], s.at[1], 1e-5);
        let slopes = [(f(x + h, y) - f(x - h, y)) / (2.0 * h), (f(x, y + h) - f(x, y - h)) / (2.0 * h)];
        close(&s.gradient, &slopes, 1e-6);
        assert!((s.value - f(x, y)).abs() < 1e-12);
    }
}

/// Just below the limit of rate·curvature a path comes home, just above it never does: the limits are exact.
#[test]
fn limits_of_the_learning_rate_are_exact() {
    for name in ["sgd", "momentum", "nesterov"] {
        let Curvature { eigenvalues, largest_rate, condition } = run("x^2 + 10*y^2", name, 0.01, 1, &[1.0, 1.0]).curvature.unwrap();
        close(&eigenvalues, &[2.0, 20.0], 1e-12);
        assert_eq!(condition, Some(10.0));
        let limit = largest_rate.unwrap();
        let below = run("x^2 + 10*y^2", name, 0.99 * limit, 5000, &[1.0, 1.0]);
        assert_eq!(below.end, End::Converged { at: Stationary::Minimum }, "{name}");
        let above = run("x^2 + 10*y^2", name, 1.01 * limit, 5000, &[1.0, 1.0]);
        let End::Diverged { why: Divergence::TooLarge { curvature, product, limit: l, try_rate } } = above.end else {
            panic!("{name}: {:?}", above.end)
        };
        assert!((curvature - 20.0).abs() < 1e-9 && (product - 1.01 * l).abs() < 1e-9 && (try_rate - limit / 2.0).abs() < 1e-9);
        assert_eq!(run("x^2 + 10*y^2", name, try_rate, 5000, &[1.0, 1.0]).end, End::Converged { at: Stationary::Minimum });
    }
    assert_eq!(run("x^2", "adam", 0.01, 1, &[1.0]).curvature.unwrap().largest_rate, None);
}

#[test]
fn endings_are_told_apart() {
    let end = |source: &str, rate: f64, start: &[f64]| run(source, "sgd", rate, 2000, start).end;
    let at = |at| End::Converged { at };
    let lost = |why| End::Diverged { why };
    assert_eq!(end("x^2 - y^2", 0.1, &[1.0, 0.0]), at(Stationary::Saddle));
    assert_eq!(end("-x^2", 0.1, &[0.0]), at(Stationary::Maximum));
    assert_eq!(end("(x-2)^4", 0.1, &[2.0]), at(Stationary::Flat));
    assert_eq!(end("cos(x)", 0.5, &[1.0]), at(Stationary::Minimum));
    assert_eq!(end("-x^2", 0.1, &[1.0]), lost(Divergence::NoMinimum));
    assert_eq!(end("x^3", 0.1, &[-1.0]), lost(Divergence::NoMinimum));
    assert_eq!(end("x - log(x)", 5.0, &[0.5]), lost(Divergence::TooLarge { curvature: 4.0, product: 20.0, limit: 2.0, try_rate: 0.25 }));
    assert_eq!(end("sqrt(x)", 0.1, &[0.01]), lost(Divergence::Outside), "the slope leads out of the domain");
    assert_eq!(end("log(x)", 0.1, &[-1.0]), lost(Divergence::Outside), "already at the start");
    let early = run("x^4", "sgd", 1.0, 100, &[3.0]);
    assert!(matches!(early.end, End::Diverged { why: Divergence::TooLarge { curvature, .. } } if (curvature - 108.0).abs() < 1e-9));
    assert_eq!(run("x^2", "adam", 0.1, 5, &[1.0]).end, End::Steps);
    assert!(run("x^2", "sgd", 0.1, 5, &[1.0]).steps[5].change.is_empty());
}

#[test]
fn what_cannot_be_descended_is_refused() {
    let f = |source: &str| Expression::parse(source).unwrap();
    let settings = |start: &[f64]| Settings { optimizer: Optimizer::Sgd, learning_rate: 0.1, steps: 10, start: start.to_vec() };
    assert!(matches!(descend(&f("x+y+z"), &settings(&[1.0; 3])), Err(Error::Dimensions { .. })));
    assert!(matches!(descend(&f("3"), &settings(&[])), Err(Error::Dimensions { .. })));
    assert!(matches!(descend(&f("x+y"), &settings(&[1.0])), Err(Error::Values { .. })));
    for wrong in [
        Settings { learning_rate: 0.0, ..settings(&[1.0]) },
        Settings { learning_rate: f64::NAN, ..settings(&[1.0]) },
        Settings { steps: 0, ..settings(&[1.0]) },
        Settings { steps: 1_000_000, ..settings(&[1.0]) },
        settings(&[f64::INFINITY]),
    ] {
        assert!(matches!(descend(&f("x^2"), &wrong), Err(Error::Setting { .. })), "{wrong:?}");
    }
}

#[test]
fn contours_of_a_bowl_are_closed_circles() {
    let f = Expression::parse("x^2 + y^2").unwrap();
    let surface = Surface::new(&f, &vec![(-2.0, 2.0), (-2.0, 2.0)], 81).unwrap();
    assert_eq!((surface.values.len(), surface.values[0], surface.values[40 * 81 + 40]), (81 * 81, 8.0, 0.0));
    assert!(surface.levels.len() > 8);
    for level in &surface.levels {
        for &(x, y) in level.lines.iter().flatten() {
            assert!((x.hypot(y) - level.value.sqrt()).abs() < 2e-3 / level.value.sqrt().max(0.1), "{x}, {y} at {}", level.value);
        }
        let closed = level.lines.iter().all(|l| l.first() == l.last());
        assert_eq!(closed, level.value < 4.0, "only circles beyond the edge are cut: {}", level.value);
        assert!(level.value > 4.0 || level.lines.len() == 1);
    }
}

#[test]
fn surfaces_of_lines_and_of_domains_with_holes() {
    let f = Expression::parse("x^3").unwrap();
    let curve = Surface::new(&f, &vec![(-1.0, 1.0)], 5).unwrap();
    assert_eq!((curve.values, curve.levels.len()), (vec![-1.0, -0.125, 0.0, 0.125, 1.0], 0));
    let f = Expression::parse("log(x) + y").unwrap();
    let holes = Surface::new(&f, &vec![(-1.0, 1.0), (0.0, 1.0)], 21).unwrap();
    assert!(holes.levels.iter().flat_map(|l| &l.lines).flatten().all(|p| p.0 > 0.0) && !holes.levels.is_empty());
    // The two lines of a saddle's own level cross: they are kept apart, and every segment is kept.
    let f = Expression::parse("x*y").unwrap();
    let saddle = Surface::new(&f, &vec![(-1.0, 1.0), (-1.0, 1.0)], 20).unwrap();
    assert!(saddle.levels.iter().all(|l| l.lines.iter().flatten().all(|p| (p.0 * p.1 - l.value).abs() < 1e-2)));
    assert!(Surface::new(&f, &vec![(0.0, 1.0)], 9).is_err());
}

#[test]
fn views_show_the_path_and_leave_out_what_ran_away() {
    let v = view(&[run("x^2 + 10*y^2", "sgd", 0.05, 100, &[-4.0, 2.0])]);
    assert!(v[0].0 < -4.0 && v[0].1 > 0.0 && v[1].0 < -0.1 && v[1].1 > 2.0, "{v:?}");
    let v = view(&[run("x^2", "sgd", 1.5, 100, &[1.0])]);
    assert!(v[0].1 - v[0].0 < 20.0 && v[0].0 < -2.0, "{v:?}");
}
