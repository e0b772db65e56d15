//! A pen in a hand: lines are not straight, ends do not meet, and the whole is turned, squeezed and slanted.

use crate::strokes::Stroke;
use neurona::Random;
use std::f64::consts::TAU;

/// A place, 0 to 100 in either direction.
pub type At = (f64, f64);

/// What has been drawn, and how the hand draws.
pub struct Pen {
    /// For what the recipes leave open.
    pub random: Random,
    strokes: Vec<Vec<At>>,
    /// How far the hand shakes, and misses ends, in units.
    shake: f64,
    miss: f64,
}

impl Pen {
    /// A hand of its own, more or less steady.
    pub fn new(mut random: Random) -> Pen {
        let (shake, miss) = (random.within(0.3, 2.2), random.within(0.3, 4.0));
        Pen { random, strokes: vec![], shake, miss }
    }

    /// A number from `low` to `high`.
    pub fn within(&mut self, low: f64, high: f64) -> f64 {
        self.random.within(low, high)
    }

    /// Whether something of this probability happens.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.random.chance(probability)
    }

    /// A straight line.
    pub fn line(&mut self, a: At, b: At) {
        self.path(&[a, b]);
    }

    /// Straight lines from point to point: one stroke, or now and then one for each.
    pub fn path(&mut self, points: &[At]) {
        if points.len() > 2 && self.chance(0.15) {
            points.windows(2).for_each(|w| self.path(w));
            return;
        }
        let missed: Vec<At> = points.iter().map(|p| self.near(*p)).collect();
        self.stroke(dense(&missed));
    }

    /// A polygon, begun anywhere.
    pub fn polygon(&mut self, points: &[At]) {
        let start = self.random.whole(0, points.len().saturating_sub(1));
        let mut around: Vec<At> = (0..=points.len()).map(|i| points[(start + i) % points.len()]).collect();
        if self.chance(0.4) {
            around.reverse();
        }
        self.path(&around);
    }

    /// A part of an ellipse, from one angle to another (in turns; 0 is right, 1/4 is down).
    pub fn arc(&mut self, centre: At, radii: At, from: f64, to: f64) {
        let n = ((to - from).abs() * 40.0).ceil().max(4.0) as usize;
        let at = |i: usize| {
            let angle = TAU * (from + (to - from) * i as f64 / n as f64);
            (centre.0 + radii.0 * angle.cos(), centre.1 + radii.1 * angle.sin())
        };
        self.stroke((0..=n).map(at).collect());
    }

    /// An ellipse, begun anywhere, not quite closed or drawn beyond its beginning.
    pub fn oval(&mut self, centre: At, radii: At) {
        let (from, more) = (self.within(0.0, 1.0), self.within(-0.04, 0.1));
        let (from, to) = if self.chance(0.6) { (from, from - 1.0 - more) } else { (from, from + 1.0 + more) };
        let (rx, ry) = (radii.0 * self.within(0.88, 1.12), radii.1 * self.within(0.88, 1.12));
        self.arc(centre, (rx, ry), from, to);
    }

    /// A small full spot.
    pub fn dot(&mut self, at: At, radius: f64) {
        let r = radius * self.within(0.4, 1.2);
        if self.chance(0.4) { self.line(at, (at.0 + 0.5, at.1 + 0.5)) } else { self.oval(at, (r, r)) }
    }

    /// A smooth curve through points (Catmull–Rom).
    pub fn curve(&mut self, points: &[At]) {
        let missed: Vec<At> = points.iter().map(|p| self.near(*p)).collect();
        let at = |i: isize| missed[i.clamp(0, missed.len() as isize - 1) as usize];
        let mut all = vec![];
        for i in 0..missed.len().saturating_sub(1) as isize {
            let (a, b, c, d) = (at(i - 1), at(i), at(i + 1), at(i + 2));
            let mix = |a: f64, b: f64, c: f64, d: f64, t: f64| {
                0.5 * (2.0 * b + (c - a) * t + (2.0 * a - 5.0 * b + 4.0 * c - d) * t * t + (3.0 * b - 3.0 * c + d - a) * t * t * t)
            };
            all.extend((0..=8).map(|k| f64::from(k) / 8.0).map(|t| (mix(a.0, b.0, c.0, d.0, t), mix(a.1, b.1, c.1, d.1, t))));
        }
        self.stroke(all);
    }

    /// Bulges around an ellipse, `n` of them: a cloud, the crown of a tree.
    pub fn bulges(&mut self, centre: At, radii: At, n: usize) {
        let start = self.within(0.0, 1.0);
        let corner = |i: usize, far: f64| {
            let angle = TAU * (start + i as f64 / n as f64);
            (centre.0 + far * radii.0 * angle.cos(), centre.1 + far * radii.1 * angle.sin())
        };
        let far: Vec<f64> = (0..n).map(|_| self.within(0.85, 1.1)).collect();
        let mut around = vec![];
        for i in 0..n {
            let (a, b) = (corner(i, far[i]), corner(i + 1, far[(i + 1) % n]));
            let (out, middle) = (self.within(0.35, 0.75), ((a.0 + b.0) / 2.0, (a.1 + b.1) / 2.0));
            // Half an ellipse on the chord, to the outside.
            let (along, across) = (((b.0 - a.0) / 2.0, (b.1 - a.1) / 2.0), ((b.1 - a.1) * out, (a.0 - b.0) * out));
            around.extend((0..=8).map(|k| {
                let (sin, cos) = (TAU / 2.0 * f64::from(k) / 8.0).sin_cos();
                (middle.0 - cos * along.0 + sin * across.0, middle.1 - cos * along.1 + sin * across.1)
            }));
        }
        self.stroke(around);
    }

    fn near(&mut self, p: At) -> At {
        let (dx, dy) = (self.random.within(-1.0, 1.0), self.random.within(-1.0, 1.0));
        (p.0 + self.miss * dx, p.1 + self.miss * dy)
    }

    /// Adds a stroke with slow waves of random phase: a hand drifts, it does not tremble.
    fn stroke(&mut self, points: Vec<At>) {
        let mut wave = || (self.random.within(0.01, 0.06), self.random.unit(), self.random.within(-1.0, 1.0));
        let waves = [wave(), wave(), wave(), wave()];
        let (mut walked, mut last, mut drawn) = (0.0, points.first().copied().unwrap_or_default(), vec![]);
        for p in points {
            walked += (p.0 - last.0).hypot(p.1 - last.1);
            last = p;
            let drift = |w: &[(f64, f64, f64)]| w.iter().map(|(f, phase, size)| size * (TAU * (f * walked + phase)).sin()).sum::<f64>();
            drawn.push((p.0 + self.shake * drift(&waves[..2]), p.1 + self.shake * drift(&waves[2..])));
        }
        self.strokes.push(drawn);
    }

    /// The drawing: turned, squeezed, slanted, now and then mirrored or with the strokes in another order.
    pub fn finish(mut self) -> Vec<Stroke> {
        let r = &mut self.random;
        let (turn, wide, slant) = (r.within(-0.14, 0.14), r.within(0.8, 1.25), r.within(-0.12, 0.12));
        let (mirror, shuffle) = (if r.chance(0.5) { -1.0 } else { 1.0 }, r.chance(0.15));
        if shuffle {
            for i in (1..self.strokes.len()).rev() {
                let j = r.whole(0, i);
                self.strokes.swap(i, j);
            }
        }
        let place = |p: &At| {
            let (x, y) = ((p.0 - 50.0) * wide * mirror, p.1 - 50.0);
            let x = x + slant * y;
            ((turn.cos() * x - turn.sin() * y) as f32, (turn.sin() * x + turn.cos() * y) as f32)
        };
        self.strokes.iter().filter(|s| !s.is_empty()).map(|s| s.iter().map(place).collect()).collect()
    }
}

/// Straight lines as points two units apart.
fn dense(points: &[At]) -> Vec<At> {
    let mut all = vec![];
    for w in points.windows(2) {
        let n = ((w[1].0 - w[0].0).hypot(w[1].1 - w[0].1) / 2.0).ceil().max(1.0) as usize;
        let at = |i: usize| {
            let t = i as f64 / n as f64;
            (w[0].0 + t * (w[1].0 - w[0].0), w[0].1 + t * (w[1].1 - w[0].1))
        };
        all.extend((0..=n).map(at));
    }
    all
}
