//! The networks: one that reads bits from the cells of a picture, one that changes cells so that the first reads what it should.
//!
//! A picture is cut into cells of 4×4 or 8×8 pixels, each of which carries a few bits. The reader sees a cell and its eight
//! neighbours and gives a number (a logit) for each bit: its sign is the bit. The writer looks at what the reader says of the
//! picture as it is, and adds to each cell a pattern for each bit in proportion to what is lacking to a margin: where a bit is
//! read rightly by chance, nothing changes ("informed embedding": M. Miller, G. Doërr, I. Cox, "Applying informed coding and
//! embedding…", 2004). Rounding to whole grey levels and the limits 0 and 255 are part of both training and use; applied to
//! its own result, the writer mends what they spoilt. The patterns are learnt, and change with the surroundings.

use neurona::ops::Conv;
use neurona::{Context, Init, Param, Tensor};
use serde::{Deserialize, Serialize};

/// What a network looks like.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Layout {
    /// Pixels of a cell's side.
    pub cell: usize,
    /// Bits of a cell.
    pub bits: usize,
    /// Features that the reader computes of a cell.
    pub reader: usize,
    /// Features that the writer computes of a cell.
    pub writer: usize,
    /// What the network's first patterns are made of.
    pub carrier: Carrier,
}

/// Where in the spectrum of a cell training begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Carrier {
    /// The finest details of colour: hardly seen, and hardly there in photographs, but JPEG removes them.
    Colour,
    /// Coarser details of lightness, which JPEG keeps.
    Light,
}

/// Cells on each side of a cell that the reader sees.
pub const HALO: usize = 1;

/// Numbers of a cell: three for each pixel.
const fn numbers(layout: &Layout) -> usize {
    layout.cell * layout.cell * 3
}

impl Layout {
    /// Numbers of a cell: red, green and blue of each pixel.
    pub const fn numbers(&self) -> usize {
        numbers(self)
    }

    /// What the reader says of the inner cells of `x`.
    ///
    /// `x` is `[n, h, w, cell·cell·3]`, in grey levels; the logits are `[n, h−2, w−2, bits]`.
    pub fn read(&self, cx: &Context, x: &Tensor) -> Tensor {
        let seen = self.features(x);
        cx.layer("reader", || {
            let hidden = convolution(cx, "look", &seen, self.reader, Init::HeUniform).relu();
            let hidden = dense(cx, "think", &hidden, self.reader, Init::HeUniform).relu();
            let straight =
                cx.layer("straight", || seen.conv(&cx.param("weight", &[3, 3, width(&seen), self.bits], Init::Zeros), Conv::default()));
            dense(cx, "say", &hidden, self.bits, Init::Zeros) + straight
        })
    }

    /// The picture after one pass of the writer: cells at the rim stay as they are.
    ///
    /// `bits` is `[n, h−2, w−2, bits]`: 1, −1, or 0 for a bit that is nothing's; `margin` has one number for each bit.
    pub fn write(&self, cx: &Context, x: &Tensor, bits: &Tensor, margin: &Tensor, strength: f64) -> Tensor {
        let lacking = bits * (margin - bits * self.read(cx, x)).relu();
        let [n, h, w] = [0, 1, 2].map(|i| bits.shape()[i]);
        let size = numbers(self);
        let seen = self.features(x);
        let patterns = cx.layer("writer", || {
            let hidden = convolution(cx, "look", &seen, self.writer, Init::HeUniform).relu();
            let adapted = dense(cx, "adapt", &hidden, self.bits * size, Init::Zeros).reshape(&[n, h, w, self.bits, size]);
            adapted + cx.param("pattern", &[self.bits, size], Init::Zeros)
        });
        let change = (lacking.reshape(&[n, h, w, self.bits, 1]) * patterns).sum(&[3]);
        let change = (change * (1.0 / strength)).tanh() * strength;
        let rim = HALO;
        let change = change.pad(&[(0, 0), (rim, rim), (rim, rim), (0, 0)], 0.0);
        whole(&(x + change))
    }

    /// What the networks see of a cell: how each pixel differs from the cell's mean colour, and this mean.
    fn features(&self, x: &Tensor) -> Tensor {
        let [n, h, w] = [0, 1, 2].map(|i| x.shape()[i]);
        let pixels = x.reshape(&[n, h, w, self.cell * self.cell, 3]);
        let mean = pixels.mean(&[3]);
        let detail = (&pixels - mean.reshape(&[n, h, w, 1, 3])) * (1.0 / DETAIL);
        let light = (mean - 127.5) * (1.0 / 64.0);
        Tensor::concat(&[&detail.reshape(&[n, h, w, numbers(self)]), &light], 3)
    }

    /// Puts the first patterns into reader and writer: they begin as a matched pair, so that training begins with bits that arrive.
    pub fn begin(&self, params: &[Param], values: &mut [Vec<f32>]) {
        let (patterns, size) = (self.patterns(), numbers(self));
        for (p, v) in params.iter().zip(values) {
            if p.name == "writer/pattern" {
                v.copy_from_slice(&patterns.concat());
            } else if p.name == "reader/straight/weight" {
                let centre = 4 * (size + 3) * self.bits;
                for (b, pattern) in patterns.iter().enumerate() {
                    pattern.iter().enumerate().for_each(|(i, w)| v[centre + i * self.bits + b] = w * DETAIL as f32);
                }
            }
        }
    }

    /// Patterns of length 1, a different one for each bit.
    fn patterns(&self) -> Vec<Vec<f32>> {
        let n = self.cell;
        let wave = |k: usize, x: usize| ((2 * x + 1) as f32 * k as f32 * std::f32::consts::PI / (2 * n) as f32).cos();
        let places: &[[usize; 2]] = match self.carrier {
            Carrier::Colour => &[[3, 3], [2, 3], [3, 2], [2, 2]],
            Carrier::Light => &[[1, 2], [2, 1], [2, 2], [0, 3], [3, 0], [1, 3], [3, 1]],
        };
        let pattern = |b: usize| {
            let (place, colour) = match self.carrier {
                Carrier::Colour => (places[b / 2 % places.len()], [[1.0, -2.0, 1.0], [1.0, 0.0, -1.0]][b % 2]),
                Carrier::Light => (places[b % places.len()], [0.3, 0.6, 0.1]),
            };
            let raw: Vec<f32> = (0..n * n * 3).map(|i| wave(place[0], i / 3 % n) * wave(place[1], i / 3 / n) * colour[i % 3]).collect();
            let length = raw.iter().map(|x| x * x).sum::<f32>().sqrt();
            raw.into_iter().map(|x| x / length).collect()
        };
        (0..self.bits).map(pattern).collect()
    }
}

/// Grey levels of detail that count as 1.
const DETAIL: f64 = 8.0;

fn width(x: &Tensor) -> usize {
    x.shape().last().copied().unwrap_or(0)
}

/// A 3×3 convolution without padding.
fn convolution(cx: &Context, name: &str, x: &Tensor, out: usize, init: Init) -> Tensor {
    cx.layer(name, || x.conv(&cx.param("weight", &[3, 3, width(x), out], init), Conv::default()) + cx.param("bias", &[out], Init::Zeros))
}

/// A dense layer on the last axis.
pub(crate) fn dense(cx: &Context, name: &str, x: &Tensor, out: usize, init: Init) -> Tensor {
    cx.layer(name, || x.matmul(&cx.param("weight", &[width(x), out], init)) + cx.param("bias", &[out], Init::Zeros))
}

/// Whole grey levels from 0 to 255; the derivative of rounding counts as 1.
pub(crate) fn whole(x: &Tensor) -> Tensor {
    let within = x.maximum(&x.full_like(0.0)).minimum(&x.full_like(255.0));
    let rounded = (within.round() - &within).stop_gradient();
    within + rounded
}
