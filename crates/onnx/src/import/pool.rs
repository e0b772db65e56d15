//! Pooling: reductions over the windows of an image.

use super::call::{Call, Outcome, invalid, one, unsupported};
use super::image::{Window, channels_first, channels_last, moved};
use super::pad::constant;
use super::table::Rule;
use super::value::{Item, Kind, bounded, full};
use graph::Tensor;

pub(super) fn find(op: &str) -> Option<Rule> {
    Some(match op {
        "MaxPool" => max,
        "AveragePool" => average,
        "LpPool" => lp,
        _ => return None,
    })
}

/// An image prepared for its windows.
struct Windows {
    window: Window,
    /// Output extents.
    steps: [usize; 2],
    /// Padding, with what the last windows need beyond it where extents are rounded up.
    around: [(i64, i64); 2],
}

impl Windows {
    fn new(c: &Call, image: &[usize]) -> Outcome<Windows> {
        let window = Window::new(c, image, &[])?;
        let round_up = c.int("ceil_mode", 0)? != 0;
        let extents = window.extents(image);
        let (mut steps, mut around) = ([1; 2], window.padding);
        for d in [0, 1] {
            let (n, s, (lo, hi)) = (extents[d] as i64, window.stride[d] as i64, window.padding[d]);
            let room = n + lo + hi - window.reach(d);
            let mut count = if round_up { -(-room).div_euclid(s) } else { room.div_euclid(s) } + 1;
            // A window that begins beyond the image and its padding before is left out.
            if round_up && (count - 1) * s >= n + lo {
                count -= 1;
            }
            if count < 1 {
                return invalid(format!("windows of {:?} do not fit images of {extents:?}", window.kernel));
            }
            steps[d] = count as usize;
            around[d].1 = hi.max((count - 1) * s + window.reach(d) - n - lo);
        }
        bounded(&[image[0], steps[0], steps[1], image[1]])?;
        Ok(Windows { window, steps, around })
    }

    /// Takes the windows of `x` `[N, H, W, C]` together, `value` being around the image.
    fn reduce(&self, x: &Tensor, value: f64, all: impl Fn(&Tensor) -> Tensor, two: impl Fn(&Tensor, &Tensor) -> Tensor) -> Outcome<Tensor> {
        self.windows(&constant(x, &[(0, 0), self.around[0], self.around[1], (0, 0)], value)?, all, two)
    }

    fn windows(&self, padded: &Tensor, all: impl Fn(&Tensor) -> Tensor, two: impl Fn(&Tensor, &Tensor) -> Tensor) -> Outcome<Tensor> {
        let [kh, kw] = self.window.kernel;
        if self.window.dilation == [1, 1] {
            bounded(&[padded.shape()[0], self.steps[0], self.steps[1], kh, kw, padded.shape()[3]])?;
            let reduced = all(&padded.unfold(self.window.kernel, self.window.stride));
            return Ok(reduced.slice(1, 0, self.steps[0]).slice(2, 0, self.steps[1]));
        }
        if kh.saturating_mul(kw) > 1024 {
            return unsupported("dilated windows of more than 1024 elements");
        }
        let places = (0..kh).flat_map(|y| (0..kw).map(move |x| [y, x]));
        let taps = places.map(|at| moved(padded, &self.window, at, self.steps));
        taps.reduce(|a, b| two(&a, &b)).map_or_else(|| invalid("empty windows"), Ok)
    }

    fn sum(&self, x: &Tensor) -> Outcome<Tensor> {
        self.reduce(x, 0.0, |w| w.sum(&[3, 4]), |a, b| a + b)
    }

    /// How many elements of each window count: those of the image, and of its padding if `padding`.
    fn counts(&self, image: &Tensor, padding: bool) -> Outcome<Tensor> {
        let axis = |d: usize| {
            let ((lo, hi), n) = (self.window.padding[d], image.shape()[d + 1] as i64);
            if padding { ((n + lo + hi).max(0) as usize, (0, self.around[d].1 - hi)) } else { (n as usize, self.around[d]) }
        };
        let ((h, rows), (w, columns)) = (axis(0), axis(1));
        let ones = full(image.tracer(), image.dtype(), &[1, h, w, 1], 1.0);
        let padded = constant(&ones, &[(0, 0), rows, columns, (0, 0)], 0.0)?;
        self.windows(&padded, |w| w.sum(&[3, 4]), |a, b| a + b)
    }
}

fn max(c: &Call) -> Outcome<Vec<Item>> {
    if c.node.outputs.get(1).is_some_and(|o| !o.is_empty()) {
        return unsupported("the places of the maxima");
    }
    let x = c.x(0)?;
    let w = Windows::new(c, x.shape())?;
    let image = channels_last(&x, w.window.line);
    let lowest = if c.kind(0)? == Kind::Float { f64::NEG_INFINITY } else { f64::from(i32::MIN) };
    let out = w.reduce(&image, lowest, |w| w.max(&[3, 4]), Tensor::maximum)?;
    one(c.kind(0)?, channels_first(&out, w.window.line))
}

fn average(c: &Call) -> Outcome<Vec<Item>> {
    let x = c.x(0)?;
    let w = Windows::new(c, x.shape())?;
    let image = channels_last(&x, w.window.line);
    let sum = w.sum(&image)?;
    let size = (w.window.kernel[0] * w.window.kernel[1]) as f64;
    let [lo_h, lo_w] = w.around;
    let plain = lo_h == (0, 0) && lo_w == (0, 0);
    let out = if plain {
        sum * (1.0 / size)
    } else {
        let count = w.counts(&image, c.int("count_include_pad", 0)? != 0)?;
        let count = count.reshape(&w.steps).broadcast(sum.shape(), &[1, 2]);
        sum / count
    };
    one(Kind::Float, channels_first(&out, w.window.line))
}

/// The p-norm of each window.
fn lp(c: &Call) -> Outcome<Vec<Item>> {
    let (x, p) = (c.x(0)?, c.int("p", 2)? as f64);
    let w = Windows::new(c, x.shape())?;
    let image = channels_last(&x, w.window.line);
    let sum = w.sum(&image.abs().powf(p))?;
    one(Kind::Float, channels_first(&sum.powf(1.0 / p), w.window.line))
}
