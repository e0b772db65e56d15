//! Random changes of images, so that a network sees each of them in many forms.

use crate::{Error, Result};
use graph::ops::source::philox;
use serde::{Deserialize, Serialize};

/// Random changes of images: what is left at 0 or false does nothing. An image's changes are a pure
/// function of (seed, epoch, number of the row), whatever the batch, the order and the threads.
///
/// ```
/// use neurona::Augment;
/// let shift = Augment { shift: 0.5, ..Augment::default() };
/// let mut image = [1.0, 2.0, 3.0, 4.0]; // 1 × 4 × 1
/// shift.image(&mut image, [1, 4, 1], [1, 0], 7);
/// let mut again = [1.0, 2.0, 3.0, 4.0];
/// shift.image(&mut again, [1, 4, 1], [1, 0], 7);
/// assert_eq!(image, again);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Augment {
    /// Whether half of the images are mirrored left to right.
    pub flip_horizontal: bool,
    /// Whether half of the images are turned upside down.
    pub flip_vertical: bool,
    /// Largest shift, as a share of height and width, in whole pixels.
    pub shift: f64,
    /// Largest rotation either way, in degrees.
    pub rotate: f64,
    /// Largest change of size: 0.1 is 0.9 to 1.1 times as large.
    pub scale: f64,
    /// Standard deviation of noise added to each value.
    pub noise: f64,
    /// Side of a square that is blanked out, as a share of the smaller extent (DeVries & Taylor 2017).
    pub cutout: f64,
    /// What appears where there was nothing, and in cutouts.
    pub fill: f64,
}

/// Sets these counters apart from those of initial values and dropout (0) and of orders of rows (1, 2, …).
const AUGMENT: u32 = 256;

/// Fewer values than this are not worth a thread.
const SHARE: usize = 1 << 16;

/// Random numbers of one image.
struct Random {
    key: [u32; 2],
    row: u32,
}

impl Random {
    /// Four uniform numbers in [0, 1).
    fn four(&self, block: u32) -> [f64; 4] {
        philox([block, self.row, 0, AUGMENT], self.key).map(|w| f64::from(w) / 2f64.powi(32))
    }
}

impl Augment {
    /// Checks the parameters.
    ///
    /// # Errors
    /// The first that cannot be used.
    pub fn check(&self) -> Result<()> {
        let within =
            [("shift", self.shift, 1.0), ("rotate", self.rotate, 180.0), ("noise", self.noise, f64::MAX), ("cutout", self.cutout, 1.0)];
        if let Some((name, x, most)) = within.iter().find(|(_, x, most)| !(0.0..=*most).contains(x)) {
            let range = if *most == f64::MAX { "a number from 0".into() } else { format!("a number from 0 to {most}") };
            return Err(Error::config(format!("augment.{name}"), format!("{x} is out of range"), format!("use {range}")));
        }
        if !(0.0..1.0).contains(&self.scale) {
            let why = format!("{} is out of range", self.scale);
            return Err(Error::config("augment.scale", why, "use a number from 0 up to, but not including, 1"));
        }
        if !self.fill.is_finite() {
            return Err(Error::config("augment.fill", format!("{} is not a finite number", self.fill), "use for example 0"));
        }
        Ok(())
    }

    /// Changes the image `[height, width, channels]` with the number `row`, in epoch `[seed, epoch]`.
    /// Nothing happens if the values are not as many as the extents say.
    pub fn image(&self, image: &mut [f32], [h, w, c]: [usize; 3], key: [u32; 2], row: u32) {
        if image.is_empty() || h.checked_mul(w).and_then(|n| n.checked_mul(c)) != Some(image.len()) {
            return;
        }
        let random = Random { key, row };
        self.warp(image, [h, w, c], &random);
        self.cut(image, [h, w, c], random.four(2));
        self.blur(image, &random);
    }

    /// Changes images that lie one after another, whose numbers are `rows`, on `threads` threads (0: one
    /// per processor).
    pub fn rows(&self, images: &mut [f32], shape: [usize; 3], rows: &[u32], key: [u32; 2], threads: usize) {
        let width: usize = shape.iter().product();
        if width == 0 || *self == Augment::default() {
            return;
        }
        let all = || std::thread::available_parallelism().map_or(1, usize::from);
        let threads = if threads == 0 { all() } else { threads }.min(images.len() / SHARE).max(1);
        let part = rows.len().div_ceil(threads).max(1);
        let work = |images: &mut [f32], rows: &[u32]| {
            images.chunks_mut(width).zip(rows).for_each(|(image, &row)| self.image(image, shape, key, row));
        };
        if threads == 1 {
            return work(images, rows);
        }
        let work = &work;
        std::thread::scope(|scope| {
            for (images, rows) in images.chunks_mut(part * width).zip(rows.chunks(part)) {
                scope.spawn(move || work(images, rows));
            }
        });
    }

    /// Mirrors, shifts, turns and scales about the centre: each pixel takes the value at the place it
    /// came from, interpolated between the four around it.
    fn warp(&self, image: &mut [f32], [h, w, c]: [usize; 3], random: &Random) {
        let [flip_x, flip_y, shift_x, shift_y] = random.four(0);
        let [turn, size, ..] = random.four(1);
        let (flip_x, flip_y) = (self.flip_horizontal && flip_x < 0.5, self.flip_vertical && flip_y < 0.5);
        // Each of −most … most is equally likely.
        let pixels = |u: f64, extent: usize| {
            let most = (self.shift * extent as f64).floor();
            (u * (2.0 * most + 1.0)).floor() - most
        };
        let (dx, dy) = (pixels(shift_x, w), pixels(shift_y, h));
        let angle = ((2.0 * turn - 1.0) * self.rotate).to_radians();
        let scale = 1.0 + (2.0 * size - 1.0) * self.scale;
        if !flip_x && !flip_y && dx == 0.0 && dy == 0.0 && angle == 0.0 && scale == 1.0 {
            return;
        }
        let (sin, cos) = (angle.sin() / scale, angle.cos() / scale);
        let (cx, cy) = ((w - 1) as f64 / 2.0, (h - 1) as f64 / 2.0);
        let before = image.to_vec();
        for (i, pixel) in image.chunks_mut(c).enumerate() {
            let (x, y) = ((i % w) as f64 - cx - dx, (i / w) as f64 - cy - dy);
            let (x, y) = (cos * x + sin * y, cos * y - sin * x);
            let (x, y) = (if flip_x { -x } else { x } + cx, if flip_y { -y } else { y } + cy);
            self.sample(&before, [h, w, c], y, x, pixel);
        }
    }

    /// The image at (y, x), between pixels.
    fn sample(&self, image: &[f32], [h, w, c]: [usize; 3], y: f64, x: f64, pixel: &mut [f32]) {
        let (y0, x0) = (y.floor(), x.floor());
        let (fy, fx) = (y - y0, x - x0);
        let corners = [(0.0, 0.0, (1.0 - fy) * (1.0 - fx)), (0.0, 1.0, (1.0 - fy) * fx), (1.0, 0.0, fy * (1.0 - fx)), (1.0, 1.0, fy * fx)];
        for (k, out) in pixel.iter_mut().enumerate() {
            let mut sum = 0.0;
            for (j, i, weight) in corners {
                let (yy, xx) = (y0 + j, x0 + i);
                if weight != 0.0 {
                    let inside = yy >= 0.0 && xx >= 0.0 && yy < h as f64 && xx < w as f64;
                    let value = if inside { f64::from(image[(yy as usize * w + xx as usize) * c + k]) } else { self.fill };
                    sum += weight * value;
                }
            }
            *out = sum as f32;
        }
    }

    /// Blanks a square whose centre is any pixel.
    fn cut(&self, image: &mut [f32], [h, w, c]: [usize; 3], [y, x, ..]: [f64; 4]) {
        let side = (self.cutout * h.min(w) as f64).round() as usize;
        let range = |u: f64, extent: usize| {
            let start = (u * extent as f64) as isize - (side / 2) as isize;
            (start.max(0) as usize).min(extent)..((start + side as isize).max(0) as usize).min(extent)
        };
        for row in range(y, h) {
            let columns = range(x, w);
            image[(row * w + columns.start) * c..(row * w + columns.end) * c].fill(self.fill as f32);
        }
    }

    /// Adds normal noise (Box–Muller; 1 − u lies in (0, 1]).
    fn blur(&self, image: &mut [f32], random: &Random) {
        if self.noise == 0.0 {
            return;
        }
        for (block, values) in image.chunks_mut(4).enumerate() {
            let [a, b, c, d] = random.four(3 + block as u32);
            let pair = |u: f64, v: f64| {
                let radius = self.noise * (-2.0 * (1.0 - u).ln()).sqrt();
                let (sin, cos) = (std::f64::consts::TAU * v).sin_cos();
                [radius * cos, radius * sin]
            };
            let noise = [pair(a, b), pair(c, d)].concat();
            values.iter_mut().zip(noise).for_each(|(x, z)| *x += z as f32);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: [usize; 3] = [5, 4, 2];

    fn image() -> Vec<f32> {
        (0..40).map(|i| i as f32 + 1.0).collect()
    }

    fn changed(a: Augment, row: u32) -> Vec<f32> {
        let mut x = image();
        a.image(&mut x, SHAPE, [3, 1], row);
        x
    }

    #[test]
    fn flips_are_exact_and_half_of_the_images() {
        let mirrored: Vec<f32> = image().chunks(8).flat_map(|row| row.chunks(2).rev().flatten().copied().collect::<Vec<_>>()).collect();
        let turned: Vec<f32> = image().chunks(8).rev().flatten().copied().collect();
        for (a, want) in [
            (Augment { flip_horizontal: true, ..Augment::default() }, mirrored),
            (Augment { flip_vertical: true, ..Augment::default() }, turned),
        ] {
            let flipped = (0..1000).filter(|&row| changed(a, row) != image()).inspect(|&row| assert_eq!(changed(a, row), want)).count();
            assert!(flipped.abs_diff(500) < 64, "{flipped}"); // four standard deviations
        }
    }

    #[test]
    fn shifts_move_whole_pixels_both_ways() {
        let a = Augment { shift: 0.25, fill: -1.0, ..Augment::default() };
        let mut seen = std::collections::BTreeSet::new();
        for row in 0..200 {
            let x = changed(a, row);
            // Where pixel (2, 1) went: one pixel at most, of 5 and of 4.
            let at = x.chunks(2).position(|p| p == [19.0, 20.0]).unwrap();
            seen.insert((at / 4, at % 4));
            let kept = x.iter().filter(|&&v| v != -1.0).count();
            assert_eq!(kept, 2 * (5 - (at / 4).abs_diff(2)) * (4 - (at % 4).abs_diff(1)));
        }
        assert_eq!(seen.len(), 9);
    }

    #[test]
    fn rotation_and_scale_keep_smooth_images() {
        // A plane is interpolated without error, so the value tells where each pixel came from.
        let (h, w) = (21, 21);
        let plane: Vec<f32> = (0..h * w).flat_map(|i| [(i % w) as f32 - 10.0, (i / w) as f32 - 10.0]).collect();
        let (mut turned, mut scaled) = (vec![], vec![]);
        for row in 0..300 {
            let mut x = plane.clone();
            let a = Augment { rotate: 30.0, scale: 0.2, ..Augment::default() };
            a.image(&mut x, [h, w, 2], [1, 2], row);
            let right = [0, 1].map(|k| f64::from(x[(10 * w + 15) * 2 + k]));
            let below = [0, 1].map(|k| f64::from(x[(15 * w + 10) * 2 + k]));
            // A rotation with a scale: (a, b) goes with (−b, a).
            assert!((right[0] - below[1]).abs() < 1e-4 && (right[1] + below[0]).abs() < 1e-4, "{right:?} {below:?}");
            turned.push(right[1].atan2(right[0]).to_degrees());
            scaled.push(5.0 / right[0].hypot(right[1]));
        }
        let range = |v: &[f64]| v.iter().fold((f64::MAX, f64::MIN), |(lo, hi), &x| (lo.min(x), hi.max(x)));
        let ((a, b), (c, d)) = (range(&turned), range(&scaled));
        assert!(a > -30.01 && a < -27.0 && b < 30.01 && b > 27.0, "{a} {b}");
        assert!(c > 0.799 && c < 0.82 && d < 1.201 && d > 1.18, "{c} {d}");
    }

    #[test]
    fn cutouts_and_noise_have_their_size() {
        let a = Augment { cutout: 0.5, fill: 0.0, ..Augment::default() };
        let blanked: Vec<usize> = (0..200).map(|row| changed(a, row).iter().filter(|&&v| v == 0.0).count() / 2).collect();
        assert!(blanked.iter().all(|n| [1, 2, 4].contains(n)) && blanked.contains(&4), "{blanked:?}");
        let a = Augment { noise: 0.1, ..Augment::default() };
        let noise: Vec<f64> =
            (0..500).flat_map(|row| changed(a, row).iter().zip(image()).map(|(x, y)| f64::from(x - y)).collect::<Vec<_>>()).collect();
        let n = noise.len() as f64;
        let (mean, square) = (noise.iter().sum::<f64>() / n, noise.iter().map(|x| x * x).sum::<f64>() / n);
        assert!(mean.abs() < 0.004 && (square.sqrt() / 0.1 - 1.0).abs() < 0.03, "{mean} {square}");
    }

    #[test]
    fn changes_depend_on_seed_epoch_and_row_alone() {
        let a = Augment { shift: 0.3, rotate: 20.0, noise: 0.1, flip_horizontal: true, ..Augment::default() };
        let shape = [32, 32, 3];
        let many: Vec<f32> = (0..100 * 3072).map(|i| (i as f32 * 0.01).sin()).collect();
        let rows: Vec<u32> = (0..100).map(|i| (i * 37) % 100).collect();
        let run = |threads| {
            let mut x = many.clone();
            a.rows(&mut x, shape, &rows, [1, 2], threads);
            x
        };
        assert!(run(1) == run(2) && run(1) == run(3));
        let one = |key: [u32; 2], row: u32| {
            let mut x = many[5 * 3072..6 * 3072].to_vec();
            a.image(&mut x, shape, key, row);
            x
        };
        assert!(run(1)[5 * 3072..6 * 3072] == one([1, 2], rows[5])[..]);
        assert!(one([1, 2], 5) != one([1, 3], 5) && one([1, 2], 5) != one([2, 2], 5) && one([1, 2], 5) != one([1, 2], 6));
    }

    #[test]
    fn parameters_are_checked() {
        for bad in [
            Augment { shift: -0.1, ..Augment::default() },
            Augment { rotate: f64::NAN, ..Augment::default() },
            Augment { scale: 1.0, ..Augment::default() },
            Augment { cutout: 1.5, ..Augment::default() },
            Augment { fill: f64::INFINITY, ..Augment::default() },
        ] {
            assert!(bad.check().is_err(), "{bad:?}");
        }
        assert!(Augment::default().check().is_ok());
    }
}
