//! Pictures to train on, made from random numbers: dead leaves (shapes that hide each other, as in A. B. Lee, D. Mumford,
//! J. Huang, "Occlusion models for natural images", 2001), with gradients, texture, blur, the noise of a sensor, saturated
//! areas, and traces of JPEG.

use crate::picture::jpeg_round_trip;
use neurona::Random;

/// A shape: a disc or a box, turned, of one colour that changes across it, with stripes of some strength.
struct Leaf {
    centre: [f32; 2],
    size: [f32; 2],
    turn: [f32; 2],
    round: bool,
    colour: [f32; 3],
    slope: [f32; 2],
    wave: [f32; 2],
    contrast: f32,
    grain: f32,
}

impl Leaf {
    fn draw(random: &mut Random, side: f32, base: &[f32; 3], saturation: f32, largest: f32) -> Leaf {
        // Areas of natural shapes follow a power law: the density of a radius r falls as r^-3.
        let radius = (1.0 / (random.within_f32(1.0 / (largest * largest), 1.0 / 9.0))).sqrt();
        let angle = random.within_f32(0.0, std::f32::consts::TAU);
        let light = random.within_f32(-110.0, 110.0);
        let (frequency, direction) = (random.within_f32(0.1, 2.2), random.within_f32(0.0, std::f32::consts::TAU));
        let rough = random.unit_f32();
        Leaf {
            centre: [random.within_f32(-0.1, 1.1) * side, random.within_f32(-0.1, 1.1) * side],
            size: [radius, radius * random.within_f32(0.3, 1.0)],
            turn: [angle.cos(), angle.sin()],
            round: random.unit_f32() < 0.6,
            colour: std::array::from_fn(|c| base[c] + light + saturation * random.within_f32(-60.0, 60.0)),
            slope: [random.within_f32(-1.0, 1.0), random.within_f32(-1.0, 1.0)].map(|s| s * 60.0 / side),
            wave: [frequency * direction.cos(), frequency * direction.sin()],
            contrast: if rough < 0.5 { 0.0 } else { random.within_f32(0.0, 25.0) },
            grain: if rough < 0.4 { 0.0 } else { random.within_f32(0.0, 1.0).powi(2) * 40.0 },
        }
    }

    fn covers(&self, x: f32, y: f32) -> bool {
        let (dx, dy) = (x - self.centre[0], y - self.centre[1]);
        let u = (dx * self.turn[0] + dy * self.turn[1]) / self.size[0];
        let v = (dy * self.turn[0] - dx * self.turn[1]) / self.size[1];
        if self.round { u * u + v * v < 1.0 } else { u.abs() < 1.0 && v.abs() < 1.0 }
    }
}

/// A square picture of `side` pixels: RGB, row by row.
pub fn cover(random: &mut Random, side: usize) -> Vec<u8> {
    let kind = random.unit_f32();
    let mut pixels = match kind {
        k if k < 0.03 => (0..side * side * 3).map(|_| 127.5 + random.within_f32(-60.0, 60.0)).collect(),
        k if k < 0.13 => gradient(random, side),
        _ => leaves(random, side),
    };
    tone(random, &mut pixels);
    let sensor = [0.0, 0.5, 1.0, 2.0, 4.0][random.below(5)];
    if sensor > 0.0 {
        pixels.iter_mut().for_each(|p| *p += sensor * random.normal());
    }
    let bytes: Vec<u8> = pixels.iter().map(|p| p.round().clamp(0.0, 255.0) as u8).collect();
    if random.unit_f32() < 0.25 {
        // What was saved as JPEG before has hardly any detail in its colours.
        let quality = 60 + random.below(39) as u8;
        return jpeg_round_trip(&bytes, side, side, quality, random.unit_f32() < 0.7).unwrap_or(bytes);
    }
    bytes
}

fn gradient(random: &mut Random, side: usize) -> Vec<f32> {
    let colour: [f32; 3] = std::array::from_fn(|_| random.within_f32(0.0, 255.0));
    let slope: [f32; 2] = std::array::from_fn(|_| random.within_f32(-80.0, 80.0) / side as f32);
    let at = |i: usize| colour[i % 3] + slope[0] * (i / 3 % side) as f32 + slope[1] * (i / 3 / side) as f32;
    (0..side * side * 3).map(at).collect()
}

/// Dead leaves, front to back, at twice the resolution and then averaged: edges are as soft as those of a lens.
fn leaves(random: &mut Random, side: usize) -> Vec<f32> {
    let fine = 2 * side;
    let (base, saturation) = (std::array::from_fn(|_| random.within_f32(80.0, 170.0)), random.unit_f32());
    let largest = random.within_f32(0.15, 0.9) * fine as f32;
    let mut big = vec![f32::NAN; fine * fine * 3];
    for _ in 0..random.below(150) + 10 {
        let leaf = Leaf::draw(random, fine as f32, &base, saturation, largest);
        paint(random, &mut big, fine, &leaf);
    }
    let ground = Leaf { size: [1e9; 2], ..Leaf::draw(random, fine as f32, &base, saturation, largest) };
    paint(random, &mut big, fine, &ground);
    let pixel = |x: usize, y: usize, c: usize| {
        let at = |dx: usize, dy: usize| big[((2 * y + dy) * fine + 2 * x + dx) * 3 + c];
        (at(0, 0) + at(1, 0) + at(0, 1) + at(1, 1)) / 4.0
    };
    let mut pixels: Vec<f32> = (0..side * side * 3).map(|i| pixel(i / 3 % side, i / 3 / side, i % 3)).collect();
    for _ in 0..random.below(3) {
        blur(&mut pixels, side);
    }
    pixels
}

/// Fills what is still empty in the leaf's area.
fn paint(random: &mut Random, big: &mut [f32], fine: usize, leaf: &Leaf) {
    let reach = leaf.size[0].max(leaf.size[1]) * if leaf.round { 1.0 } else { 1.5 };
    let range = |c: f32| ((c - reach).max(0.0) as usize)..((c + reach).clamp(0.0, fine as f32 - 1.0) as usize + 1).min(fine);
    for y in range(leaf.centre[1]) {
        for x in range(leaf.centre[0]) {
            let place = (y * fine + x) * 3;
            if !big[place].is_nan() || !leaf.covers(x as f32, y as f32) {
                continue;
            }
            let mut light = leaf.slope[0] * (x as f32 - leaf.centre[0]) + leaf.slope[1] * (y as f32 - leaf.centre[1]);
            if leaf.contrast > 0.0 {
                light += leaf.contrast * (leaf.wave[0] * x as f32 + leaf.wave[1] * y as f32).sin();
            }
            if leaf.grain > 0.0 {
                light += leaf.grain * random.within_f32(-1.7, 1.7);
            }
            (0..3).for_each(|c| big[place + c] = leaf.colour[c] + light);
        }
    }
}

/// Means of a pixel and its neighbours, with weights 1, 2, 1 in both directions.
fn blur(pixels: &mut [f32], side: usize) {
    for (step, stride) in [(3, side * 3), (side * 3, 3)] {
        for line in 0..side {
            for c in 0..3 {
                let at = |k: usize| line * stride + k * step + c;
                let mut before = pixels[at(0)];
                for k in 0..side {
                    let here = pixels[at(k)];
                    let after = pixels[at((k + 1).min(side - 1))];
                    pixels[at(k)] = (before + 2.0 * here + after) / 4.0;
                    before = here;
                }
            }
        }
    }
}

/// Exposure: some pictures are too dark or too bright, so that areas lie at 0 or 255; some have no colour.
fn tone(random: &mut Random, pixels: &mut [f32]) {
    let (gain, offset) = match random.unit_f32() {
        k if k < 0.12 => (1.0, random.within_f32(60.0, 170.0)),
        k if k < 0.28 => (random.within_f32(0.3, 1.0), random.within_f32(-170.0, -40.0)),
        _ => (random.within_f32(0.4, 1.3), random.within_f32(-15.0, 15.0)),
    };
    let grey = random.unit_f32() < 0.12;
    for p in pixels.chunks_exact_mut(3) {
        if grey {
            p.fill((p[0] + p[1] + p[2]) / 3.0);
        }
        p.iter_mut().for_each(|x| *x = (*x - 127.5) * gain + 127.5 + offset);
    }
}
