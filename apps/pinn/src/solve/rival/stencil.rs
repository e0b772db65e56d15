//! Derivatives and values between the points of one axis, from the polynomial through the nearest of them.

/// Weights of the `order`-th derivative at 0 of the polynomial through these places (Fornberg, Math. Comp. 51, 1988).
pub fn weights(places: &[f64], order: usize) -> Vec<f64> {
    let n = places.len();
    let mut c = vec![vec![0.0; order + 1]; n];
    c[0][0] = 1.0;
    let (mut c1, mut c4) = (1.0, places[0]);
    for i in 1..n {
        let most = i.min(order);
        let (mut c2, c5) = (1.0, c4);
        c4 = places[i];
        for j in 0..i {
            let c3 = places[i] - places[j];
            c2 *= c3;
            if j == i - 1 {
                for k in (1..=most).rev() {
                    c[i][k] = c1 * (k as f64 * c[i - 1][k - 1] - c5 * c[i - 1][k]) / c2;
                }
                c[i][0] = -c1 * c5 * c[i - 1][0] / c2;
            }
            for k in (1..=most).rev() {
                c[j][k] = (c4 * c[j][k] - k as f64 * c[j][k - 1]) / c3;
            }
            c[j][0] = c4 * c[j][0] / c3;
        }
        c1 = c2;
    }
    c.iter().map(|row| row[order]).collect()
}

/// Equal steps along one axis; where it is periodic, the upper end is the lower one and is left out.
#[derive(Clone, Debug)]
pub struct Line {
    pub low: f64,
    pub step: f64,
    pub count: usize,
    pub periodic: bool,
}

impl Line {
    pub fn new(low: f64, high: f64, count: usize, periodic: bool) -> Line {
        let intervals = if periodic { count } else { count - 1 };
        Line { low, step: (high - low) / intervals as f64, count, periodic }
    }

    pub fn place(&self, i: usize) -> f64 {
        self.low + i as f64 * self.step
    }

    /// The `width` points nearest to the place that is `s` steps from the lower end: the first one, in steps (it may lie
    /// outside where the axis is periodic).
    fn first(&self, s: f64, width: usize) -> i64 {
        let centred = (s - 0.5 * (width - 1) as f64).round() as i64;
        if self.periodic { centred } else { centred.clamp(0, self.count as i64 - width as i64) }
    }

    fn index(&self, i: i64) -> usize {
        i.rem_euclid(self.count as i64) as usize
    }

    /// Points and weights of the `order`-th derivative at one of the points: central differences of fourth order, near an end
    /// of lower order as long as they fit (skewed ones let waves grow), else one-sided.
    pub fn derivative(&self, i: usize, order: usize) -> Vec<(usize, f64)> {
        let half = order.div_ceil(2) + 1;
        let room = if self.periodic { half } else { half.min(i).min(self.count - 1 - i) };
        let width = if room >= order.div_ceil(2) { 2 * room + 1 } else { order + 4 };
        self.taken(i as f64, width, order)
    }

    /// Points and weights of the value at a place, exact for polynomials of fifth degree.
    pub fn value(&self, place: f64) -> Vec<(usize, f64)> {
        self.taken((place - self.low) / self.step, 6, 0)
    }

    /// From the `width` points nearest to the place that is `s` steps from the lower end.
    fn taken(&self, s: f64, width: usize, order: usize) -> Vec<(usize, f64)> {
        let width = width.min(self.count);
        let first = self.first(s, width);
        let offsets: Vec<f64> = (0..width).map(|k| (first + k as i64) as f64 - s).collect();
        let scale = self.step.powi(-(order as i32));
        weights(&offsets, order).iter().enumerate().map(|(k, w)| (self.index(first + k as i64), w * scale)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn central_differences_are_the_known_ones() {
        let third: Vec<f64> = weights(&[-2.0, -1.0, 0.0, 1.0, 2.0], 3);
        assert!(third.iter().zip([-0.5, 1.0, 0.0, -1.0, 0.5]).all(|(a, b)| (a - b).abs() < 1e-12), "{third:?}");
        let first = weights(&[-2.0, -1.0, 0.0, 1.0, 2.0], 1);
        assert!(first.iter().zip([1.0, -8.0, 0.0, 8.0, -1.0]).all(|(a, b)| (a - b / 12.0).abs() < 1e-12), "{first:?}");
    }

    /// x³ at every point of a line, its ends included; around a circle, a wave.
    #[test]
    fn polynomials_are_differentiated_exactly_up_to_the_ends_and_waves_around_them() {
        let line = Line::new(-1.0, 2.0, 13, false);
        for order in 1..=4 {
            for i in 0..13 {
                let x = line.place(i);
                let exact = [3.0 * x * x, 6.0 * x, 6.0, 0.0][order - 1];
                let found: f64 = line.derivative(i, order).iter().map(|(j, w)| w * line.place(*j).powi(3)).sum();
                // Second-order differences of x³ beside the ends are off by h².
                let off = if order == 1 && (i == 1 || i == 11) { 0.0625 } else { 0.0 };
                assert!((found - exact - off).abs() < 1e-9, "{order} at {i}: {found} {exact}");
            }
        }
        for place in [-1.0, -0.9, 0.31, 1.75, 2.0] {
            let found: f64 = line.value(place).iter().map(|(i, w)| w * line.place(*i).powi(5)).sum();
            assert!((found - f64::powi(place, 5)).abs() < 1e-9, "{place}: {found}");
        }
        let around = Line::new(0.0, std::f64::consts::TAU, 64, true);
        let found: f64 = around.derivative(0, 2).iter().map(|(i, w)| w * around.place(*i).cos()).sum();
        assert!((found + 1.0).abs() < 1e-5, "{found}");
    }
}
