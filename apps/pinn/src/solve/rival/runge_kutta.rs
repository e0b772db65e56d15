//! Ordinary differential equations by Runge–Kutta steps of fifth order whose length follows the error.

/// Coefficients of Dormand & Prince (J. Comput. Appl. Math. 6, 1980): nodes, stages; the last stage is the step itself.
const NODES: [f64; 7] = [0.0, 0.2, 0.3, 0.8, 8.0 / 9.0, 1.0, 1.0];
const STAGES: [&[f64]; 7] = [
    &[],
    &[0.2],
    &[3.0 / 40.0, 9.0 / 40.0],
    &[44.0 / 45.0, -56.0 / 15.0, 32.0 / 9.0],
    &[19372.0 / 6561.0, -25360.0 / 2187.0, 64448.0 / 6561.0, -212.0 / 729.0],
    &[9017.0 / 3168.0, -355.0 / 33.0, 46732.0 / 5247.0, 49.0 / 176.0, -5103.0 / 18656.0],
    &[35.0 / 384.0, 0.0, 500.0 / 1113.0, 125.0 / 192.0, -2187.0 / 6784.0, 11.0 / 84.0],
];
/// What the step differs by from that of fourth order.
const ERROR: [f64; 7] = [71.0 / 57600.0, 0.0, -71.0 / 16695.0, 71.0 / 1920.0, -17253.0 / 339200.0, 22.0 / 525.0, -1.0 / 40.0];

/// Most steps, those that were refused included.
const MOST_STEPS: usize = 400_000;

/// Carries `y` from the first of these times to each of them and tells `note`; `slope(t, y, out)` writes dy/dt. Errors per
/// step stay below `tolerance`·(1 + |y|), in root mean square. The number of steps; none where it does not end.
pub fn integrate(
    times: &[f64],
    y: &mut Vec<f64>,
    tolerance: f64,
    mut slope: impl FnMut(f64, &[f64], &mut [f64]),
    mut note: impl FnMut(f64, &[f64]),
) -> Option<usize> {
    let n = y.len();
    let (Some(&start), Some(&end)) = (times.first(), times.last()) else { return Some(0) };
    let mut k = vec![vec![0.0; n]; 7];
    let (mut t, mut h, mut steps) = (start, (end - start) * 1e-4, 0);
    note(t, y);
    for &goal in &times[1..] {
        while t < goal {
            steps += 1;
            if steps > MOST_STEPS || !h.is_finite() || h < 1e-13 * (end - start) {
                return None;
            }
            let last = h >= goal - t;
            let dt = if last { goal - t } else { h };
            let mut next = vec![];
            for s in 0..7 {
                next = y.clone();
                for (a, k) in STAGES[s].iter().zip(&k) {
                    next.iter_mut().zip(k).for_each(|(x, k)| *x += dt * a * k);
                }
                slope(t + NODES[s] * dt, &next, &mut k[s]);
            }
            let off = |i: usize| dt * ERROR.iter().zip(&k).map(|(e, k)| e * k[i]).sum::<f64>() / (tolerance * (1.0 + y[i].abs()));
            let error = ((0..n).map(|i| off(i).powi(2)).sum::<f64>() / n.max(1) as f64).sqrt();
            let factor = (0.9 * error.powf(-0.2)).clamp(0.2, 5.0);
            if error <= 1.0 {
                t = if last { goal } else { t + dt };
                *y = next;
                // A step cut short by a goal says little of how long the next may be.
                h = if last { h.max(dt * factor) } else { dt * factor };
            } else {
                h = dt * if factor.is_nan() { 0.2 } else { factor.min(0.9) };
            }
        }
        note(t, y);
    }
    Some(steps)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pendulum_is_followed_as_exactly_as_asked_for() {
        for (tolerance, most) in [(1e-5, 1e-3), (1e-9, 1e-7)] {
            let mut y = vec![1.0, 0.0];
            let mut worst = 0.0f64;
            let slope = |_: f64, y: &[f64], out: &mut [f64]| (out[0], out[1]) = (y[1], -y[0]);
            let steps = integrate(&[0.0, 1.0, 5.5, 6.0, 20.0], &mut y, tolerance, slope, |t, y| worst = worst.max((y[0] - t.cos()).abs()));
            assert!(worst < most && steps.is_some_and(|s| s < 2000), "{worst} {steps:?}");
        }
        let blown = integrate(&[0.0, 2.0], &mut vec![1.0], 1e-6, |_, y, out| out[0] = y[0] * y[0], |_, _| {});
        assert_eq!(blown, None, "1/(1 - t) has no value at 2");
    }
}
