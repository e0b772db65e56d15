//! The line search: a step that makes the value enough smaller and the slope enough flatter.

use crate::Result;

/// Share of the first slope's promise that a step must keep, and share of the slope that may be left
/// (the usual constants for quasi-Newton directions).
const DECREASE: f64 = 1e-4;
const FLATNESS: f64 = 0.9;

/// Evaluations after which a search gives up.
const MOST: usize = 40;

pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// One place on the line.
#[derive(Clone, Debug)]
pub struct Point {
    /// How far along the direction.
    pub step: f64,
    slope: f64,
    /// The value there.
    pub value: f64,
    /// The place.
    pub x: Vec<f64>,
    /// The gradient there.
    pub gradient: Vec<f64>,
}

/// A search from one place for the strong Wolfe conditions (Nocedal & Wright 2006, algorithms 3.5 and 3.6).
pub struct Search<'a, F> {
    f: &'a mut F,
    x: &'a [f64],
    gradient: &'a [f64],
    value: f64,
    direction: Vec<f64>,
    /// Evaluations of the function so far.
    pub evaluations: usize,
}

impl<'a, F: FnMut(&[f64], &mut [f64]) -> Result<f64>> Search<'a, F> {
    /// A search for a lower value of `f`, which returns its value at the first slice and writes its gradient into
    /// the second, from `x` with this gradient and value.
    pub fn new(f: &'a mut F, x: &'a [f64], gradient: &'a [f64], value: f64) -> Self {
        Search { f, x, gradient, value, direction: vec![], evaluations: 0 }
    }

    fn at(&mut self, step: f64) -> Result<Point> {
        let x: Vec<f64> = self.x.iter().zip(&self.direction).map(|(x, d)| x + step * d).collect();
        let mut gradient = vec![0.0; x.len()];
        let value = (self.f)(&x, &mut gradient)?;
        self.evaluations += 1;
        let slope = dot(&gradient, &self.direction);
        // Beyond the function's domain: as good as infinitely high.
        let value = if value.is_finite() && slope.is_finite() { value } else { f64::INFINITY };
        Ok(Point { step, slope, value, x, gradient })
    }

    /// A point along `direction` that fulfils the strong Wolfe conditions, trying the step `first` first;
    /// or, if none is found, one that at least is lower; or none.
    ///
    /// # Errors
    /// Errors of the function.
    pub fn along(&mut self, direction: Vec<f64>, first: f64) -> Result<Option<Point>> {
        self.direction = direction;
        let slope = dot(self.gradient, &self.direction);
        if !(slope < 0.0 && slope.is_finite()) {
            return Ok(None);
        }
        let start = Point { step: 0.0, slope, value: self.value, x: vec![], gradient: vec![] };
        let (mut before, mut step) = (start.clone(), first);
        while self.evaluations < MOST {
            let p = self.at(step)?;
            if !self.is_low(&p, slope) || (before.step > 0.0 && p.value >= before.value) {
                return self.zoom(before, p, slope);
            }
            if p.slope.abs() <= -FLATNESS * slope {
                return Ok(Some(p));
            }
            if p.slope >= 0.0 {
                return self.zoom(p, before, slope);
            }
            step = 2.0 * p.step;
            before = p;
        }
        Ok(Some(before).filter(|p| p.value < self.value))
    }

    /// Whether the value has become enough smaller, up to the rounding of the value itself.
    fn is_low(&self, p: &Point, slope: f64) -> bool {
        p.value <= self.value + DECREASE * p.step * slope + 2.0 * f64::EPSILON * self.value.abs()
    }

    /// Narrows the interval between `low`, the lowest point known that is low enough, and `high`.
    fn zoom(&mut self, mut low: Point, mut high: Point, slope: f64) -> Result<Option<Point>> {
        while self.evaluations < MOST && (high.step - low.step).abs() > f64::EPSILON * high.step.max(low.step) {
            let p = self.at(between(&low, &high))?;
            if !self.is_low(&p, slope) || p.value >= low.value {
                high = p;
                continue;
            }
            if p.slope.abs() <= -FLATNESS * slope {
                return Ok(Some(p));
            }
            if p.slope * (high.step - low.step) >= 0.0 {
                high = low;
            }
            low = p;
        }
        Ok(Some(low).filter(|p| p.step > 0.0 && p.value < self.value))
    }
}

/// The minimum of the cubic through values and slopes of both ends (Nocedal & Wright, equation 3.59), if it
/// lies well inside; else the middle.
fn between(a: &Point, b: &Point) -> f64 {
    let middle = 0.5 * (a.step + b.step);
    let width = b.step - a.step;
    let d1 = a.slope + b.slope - 3.0 * (a.value - b.value) / (a.step - b.step);
    let d2 = width.signum() * (d1 * d1 - a.slope * b.slope).sqrt();
    let step = b.step - width * (b.slope + d2 - d1) / (b.slope - a.slope + 2.0 * d2);
    let margin = 0.1 * width.abs();
    if (step - a.step).abs() >= margin && (step - b.step).abs() >= margin && (step - middle).abs() <= 0.5 * width.abs() {
        step
    } else {
        middle
    }
}
