//! Losses: best lines against what no other line beats, gradients against differences, cross-entropies against their formulas.

use lessons::Error;
use lessons::losses::{Line, best, cross_entropy, logit_curves, regression, residual_curves};

fn points() -> Vec<[f64; 2]> {
    // Near y = x/2 + 1 by a fixed disturbance, and one far off.
    let near = |i: usize| [i as f64 * 0.7 - 2.0, 0.5 * (i as f64 * 0.7 - 2.0) + 1.0 + 0.3 * ((i * i * 7 % 11) as f64 / 5.0 - 1.0)];
    (0..12).map(near).chain([[6.0, 15.0]]).collect()
}

#[test]
fn no_line_is_better_than_the_best() {
    let (p, delta) = (points(), 0.4);
    for (k, r) in best(&p, delta).unwrap().iter().enumerate() {
        let value = r.losses[k].value;
        for a in -40..=40 {
            for b in -40..=40 {
                for scale in [0.05, 1e-3, 1e-5] {
                    let line = Line { slope: r.line.slope + f64::from(a) * scale, intercept: r.line.intercept + f64::from(b) * scale };
                    // The losses again, written out.
                    let mean = p.iter().map(|q| (line.at(q[0]) - q[1]).abs()).map(|e| match k {
                        0 => e * e,
                        1 => e,
                        _ if e <= delta => e * e / 2.0,
                        _ => delta * (e - delta / 2.0),
                    });
                    assert!(mean.sum::<f64>() / p.len() as f64 >= value - 1e-12, "loss {k}, {line:?} beats {:?}", r.line);
                }
            }
        }
    }
    let [square, size, huber] = best(&p, delta).unwrap().map(|r| r.line.slope);
    assert!(
        (size - 0.5).abs() < 0.1 && (huber - 0.5).abs() < 0.25 && square > 0.8,
        "the far point pulls least squares: {square}, {size}, {huber}"
    );
    assert!(best(&p, delta).unwrap()[0].losses[0].gradient.iter().all(|g| g.abs() < 1e-9));
}

#[test]
fn gradients_and_pulls_agree_with_differences() {
    let (p, line, h) = (points(), Line { slope: 0.3, intercept: 0.8 }, 1e-6);
    let r = regression(&p, line, 0.4).unwrap();
    let moved = |slope: f64, intercept: f64| regression(&p, Line { slope: 0.3 + slope, intercept: 0.8 + intercept }, 0.4).unwrap();
    for (k, l) in r.losses.iter().enumerate() {
        let difference = |a: f64, b: f64| (moved(a, b).losses[k].value - moved(-a, -b).losses[k].value) / (2.0 * h);
        assert!((l.gradient[0] - difference(h, 0.0)).abs() < 1e-7 && (l.gradient[1] - difference(0.0, h)).abs() < 1e-7, "{}", l.loss);
        assert!((l.pulls.iter().sum::<f64>() - l.gradient[1]).abs() < 1e-12, "a shift of the line moves every prediction");
    }
}

#[test]
fn a_line_through_all_points_is_best_for_every_loss() {
    let p: Vec<[f64; 2]> = (0..5).map(|i| [f64::from(i), 3.0 - 2.0 * f64::from(i)]).collect();
    for r in best(&p, 1.0).unwrap() {
        assert!((r.line.slope + 2.0).abs() < 1e-12 && (r.line.intercept - 3.0).abs() < 1e-12);
    }
}

#[test]
fn points_that_have_no_line_are_refused() {
    let line = Line { slope: 1.0, intercept: 0.0 };
    assert_eq!(regression(&[[1.0, 1.0], [1.0, 2.0]], line, 1.0), Err(Error::Vertical));
    for (p, delta) in [(vec![[0.0, 0.0]], 1.0), (vec![[0.0, f64::NAN], [1.0, 1.0]], 1.0), (points(), 0.0), (vec![[0.0, 1.0]; 301], 1.0)] {
        assert!(matches!(best(&p, delta), Err(Error::Setting { .. })));
    }
}

#[test]
fn curves_of_residuals_and_logits() {
    let curves = residual_curves(0.5, 2.0, 9).unwrap();
    let at = |k: usize, i: usize| curves[k].points[i];
    assert_eq!((at(0, 0), at(1, 0), at(2, 0)), ([-2.0, 4.0, -4.0], [-2.0, 2.0, -1.0], [-2.0, 0.875, -0.5]));
    assert_eq!(at(2, 5), [0.5, 0.125, 0.5]);
    for [z, loss, slope] in logit_curves(8.0, 33).unwrap()[0].points.iter().copied() {
        assert!((loss - (1.0 + (-z).exp()).ln()).abs() < 1e-12 && (slope - (1.0 / (1.0 + (-z).exp()) - 1.0)).abs() < 1e-12);
    }
    let square = &logit_curves(8.0, 33).unwrap()[2].points;
    assert!(square[0][2].abs() < 1e-3 && square[0][1] > 0.99, "the squared error learns nothing where it is most wrong");
}

#[test]
fn cross_entropies_are_minus_the_logarithm_of_the_share() {
    let c = cross_entropy(&[2.0, 1.0, 0.1], 1).unwrap();
    let sum: f64 = [2.0f64, 1.0, 0.1].iter().map(|z| z.exp()).sum();
    assert!((c.loss + (1f64.exp() / sum).ln()).abs() < 1e-12);
    for i in 0..3 {
        assert!((c.gradient[i] - (c.probabilities[i] - f64::from(u8::from(i == 1)))).abs() < 1e-12);
    }
    assert!(cross_entropy(&[1000.0, -1000.0], 1).unwrap().loss == 2000.0, "no overflow");
    assert!(cross_entropy(&[1.0], 0).is_err() && cross_entropy(&[1.0, 2.0], 2).is_err() && cross_entropy(&[1.0, f64::NAN], 0).is_err());
}
