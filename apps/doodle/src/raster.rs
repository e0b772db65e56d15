//! The rasteriser: strokes as pixels, as the bitmaps of Quick, Draw! were made (J. Jongejan, quickdraw-dataset, issue 19).
//!
//! The picture is a square of 304 units: 256 of drawing, which is centred, and 24 around. The pen is 16 units wide with
//! round ends. A pixel's value is the share of it that the pen covers; each stroke is laid over the former ones.

use crate::strokes::{Stroke, bounds, simplify};

/// Width and height of Quick, Draw!'s bitmaps.
pub const SIZE: usize = 28;

/// Pixels of a bitmap.
pub const PIXELS: usize = SIZE * SIZE;

/// Units of a picture's side.
const UNITS: f64 = 304.0;

/// Half of the pen's width, in units.
const PEN: f64 = 8.0;

/// A pixel is judged at 16 × 16 points.
const FINE: usize = 16;

/// The bitmap of a drawing in any scale: [`simplify`], then [`draw`] with 28 × 28 pixels.
///
/// ```
/// let bitmap = doodle::bitmap(&[vec![(100.0, 100.0), (500.0, 100.0)]]);
/// assert_eq!((bitmap.len(), bitmap[14 * 28 + 14], bitmap[0]), (784, 191, 0));
/// ```
pub fn bitmap(strokes: &[Stroke]) -> Vec<u8> {
    draw(&simplify(strokes), SIZE)
}

/// Simplified strokes as `size` × `size` pixels, row by row: 0 is paper, 255 is ink.
pub fn draw(simplified: &[Stroke], size: usize) -> Vec<u8> {
    drawn(simplified, size, false)
}

/// As [`draw`], but strokes that cross are no darker there than each alone.
pub(crate) fn draw_together(strokes: &[Stroke], size: usize) -> Vec<u8> {
    drawn(strokes, size, true)
}

fn drawn(strokes: &[Stroke], size: usize, together: bool) -> Vec<u8> {
    let mut picture = vec![0u8; size * size];
    let Some(b) = bounds(strokes) else { return picture };
    let mut mask = Mask::new(size);
    let scale = size as f64 / UNITS;
    let margin = (UNITS - 256.0) / 2.0;
    let place = |p: &(f32, f32)| {
        let at = |v: f32, most: f64| (f64::from(v) + (256.0 - most) / 2.0 + margin) * scale * FINE as f64;
        (at(p.0, b[2]), at(p.1, b[3]))
    };
    for stroke in strokes {
        let points: Vec<(f64, f64)> = stroke.iter().filter(|p| p.0.is_finite() && p.1.is_finite()).map(place).collect();
        mask.stroke(&points, PEN * scale * FINE as f64);
        if !together {
            mask.lay_over(&mut picture);
        }
    }
    mask.lay_over(&mut picture);
    picture
}

/// The points that a stroke covers, a bit each, and the rows of pixels in which there are any.
struct Mask {
    size: usize,
    /// Words of a row.
    words: usize,
    bits: Vec<u64>,
    rows: std::ops::Range<usize>,
    columns: std::ops::Range<usize>,
}

impl Mask {
    fn new(size: usize) -> Mask {
        let words = (size * FINE).div_ceil(64);
        Mask { size, words, bits: vec![0; words * size * FINE], rows: 0..0, columns: 0..0 }
    }

    fn stroke(&mut self, points: &[(f64, f64)], radius: f64) {
        match points {
            [] => {}
            [only] => self.segment(*only, *only, radius),
            _ => points.windows(2).for_each(|w| self.segment(w[0], w[1], radius)),
        }
    }

    /// All points within `radius` of the segment: in each row they are a range.
    fn segment(&mut self, a: (f64, f64), b: (f64, f64), radius: f64) {
        let fine = self.size * FINE;
        let rows = cells(a.1.min(b.1) - radius, a.1.max(b.1) + radius, fine);
        for row in rows {
            let y = row as f64 + 0.5;
            let Some((left, right)) = crossing(a, b, radius, y) else { continue };
            let columns = cells(left, right, fine);
            if columns.start < columns.end {
                grow(&mut self.rows, row / FINE..row / FINE + 1);
                grow(&mut self.columns, columns.start / FINE..(columns.end - 1) / FINE + 1);
                set(&mut self.bits[row * self.words..][..self.words], columns);
            }
        }
    }

    /// Lays what is covered over the picture (a + b − ab) and begins anew.
    fn lay_over(&mut self, picture: &mut [u8]) {
        let (rows, columns) = (std::mem::take(&mut self.rows), std::mem::take(&mut self.columns));
        for row in rows.clone() {
            for column in columns.clone() {
                let at = column * FINE;
                let part = |i: usize| (self.bits[(row * FINE + i) * self.words + at / 64] >> (at % 64) & 0xffff).count_ones();
                let covered = (0..FINE).map(part).sum::<u32>();
                let ink = (covered * 255 + (FINE * FINE / 2) as u32) / (FINE * FINE) as u32;
                let pixel = &mut picture[row * self.size + column];
                let both = (u32::from(*pixel) * ink + 127) / 255;
                *pixel = (u32::from(*pixel) + ink - both).min(255) as u8;
            }
        }
        self.bits[rows.start * FINE * self.words..rows.end * FINE * self.words].fill(0);
    }
}

/// The points i + 1/2 from `from` to `to`, of those from 0 to `end`.
fn cells(from: f64, to: f64, end: usize) -> std::ops::Range<usize> {
    let bound = |v: f64| (v - 0.5).ceil().clamp(0.0, end as f64) as usize;
    // One that lies on the right end belongs to it.
    bound(from)..((to - 0.5).floor() + 1.0).clamp(0.0, end as f64) as usize
}

fn grow(range: &mut std::ops::Range<usize>, by: std::ops::Range<usize>) {
    *range = if range.start >= range.end { by } else { range.start.min(by.start)..range.end.max(by.end) };
}

fn set(row: &mut [u64], columns: std::ops::Range<usize>) {
    for (i, word) in row.iter_mut().enumerate().take(columns.end.div_ceil(64)).skip(columns.start / 64) {
        let (from, to) = (columns.start.max(64 * i) - 64 * i, columns.end.min(64 * (i + 1)) - 64 * i);
        *word |= (u64::MAX >> (64 - (to - from))) << from;
    }
}

/// Where the row at height `y` is within `radius` of the segment from `a` to `b`: from the leftmost to the rightmost of the
/// ranges of both discs and the crossings of both long sides.
fn crossing(a: (f64, f64), b: (f64, f64), radius: f64, y: f64) -> Option<(f64, f64)> {
    let (mut left, mut right) = (f64::INFINITY, f64::NEG_INFINITY);
    let mut see = |x: f64| (left, right) = (left.min(x), right.max(x));
    for c in [a, b] {
        let square = radius * radius - (y - c.1) * (y - c.1);
        if square >= 0.0 {
            see(c.0 - square.sqrt());
            see(c.0 + square.sqrt());
        }
    }
    let (dx, dy) = (b.0 - a.0, b.1 - a.1);
    let length = dx.hypot(dy);
    if length > 0.0 && dy != 0.0 {
        for side in [-radius / length, radius / length] {
            let t = (y - a.1 - side * dx) / dy;
            if (0.0..=1.0).contains(&t) {
                see(a.0 - side * dy + t * dx);
            }
        }
    }
    (left <= right).then_some((left, right))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against the definition: a point is covered if its distance to the segment is at most the radius.
    #[test]
    fn a_segment_covers_what_is_near_it() {
        let cases =
            [((20.3, 30.1), (90.7, 60.2)), ((50.0, 50.0), (50.0, 50.0)), ((10.0, 90.0), (100.0, 90.0)), ((44.0, 5.0), (44.0, 107.0))];
        for (a, b) in cases {
            let mut mask = Mask::new(7);
            mask.stroke(&[a, b], 11.79);
            for (row, column) in (0..112).flat_map(|r| (0..112).map(move |c| (r, c))) {
                let p = (column as f64 + 0.5, row as f64 + 0.5);
                let (dx, dy) = (b.0 - a.0, b.1 - a.1);
                let squared = dx * dx + dy * dy;
                let t = if squared == 0.0 { 0.0 } else { (((p.0 - a.0) * dx + (p.1 - a.1) * dy) / squared).clamp(0.0, 1.0) };
                let far = (p.0 - a.0 - t * dx).hypot(p.1 - a.1 - t * dy);
                let covered = mask.bits[row * mask.words + column / 64] >> (column % 64) & 1 == 1;
                assert!(covered == (far <= 11.79) || (far - 11.79).abs() < 1e-9, "{a:?} {b:?}: {p:?} is {far} away");
            }
        }
    }

    #[test]
    fn strokes_are_laid_over_each_other_and_a_stroke_over_itself_counts_once() {
        let there = vec![(0.0, 0.0), (255.0, 0.0)];
        let once = draw(std::slice::from_ref(&there), 28);
        let twice = draw(&[there.clone(), there.clone()], 28);
        let back = draw(&[[there.clone(), there.iter().rev().copied().collect()].concat()], 28);
        assert_eq!(once, back);
        for (one, two) in once.iter().zip(&twice) {
            let want = 255.0 * (1.0 - (1.0 - f64::from(*one) / 255.0).powi(2));
            assert!((f64::from(*two) - want).abs() <= 1.0, "{one} {two}");
        }
    }

    #[test]
    fn odd_drawings_and_sizes_are_drawn() {
        assert_eq!(draw(&[], 28), [0; 784]);
        assert_eq!(draw(&[vec![(f32::NAN, 0.0)]], 5), [0; 25]);
        assert!(draw(&[vec![(0.0, 0.0)]], 0).is_empty());
        let many: Vec<Stroke> = (0..10_000).map(|i| vec![((i % 256) as f32, (i / 40) as f32)]).collect();
        assert!(draw(&many, 28)[14 * 28 + 14] == 255);
        // The same ink, whatever the size.
        let line = vec![vec![(0.0, 0.0), (255.0, 255.0)]];
        let mean = |size: usize| draw(&line, size).iter().map(|&p| f64::from(p)).sum::<f64>() / (size * size) as f64;
        assert!((mean(28) - mean(112)).abs() < 0.3 && (mean(28) - mean(9)).abs() < 1.0, "{} {} {}", mean(28), mean(112), mean(9));
    }
}
