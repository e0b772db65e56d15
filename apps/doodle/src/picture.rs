//! Drawings from pixels: PNG and JPEG pictures of lines on an even ground, dark on light or light on dark, of any size and
//! with pens of any width.
//!
//! A picture of 28 × 28 pixels is a bitmap already. Of others the lines are thinned to their middle and drawn anew with the pen
//! that the networks know.

use crate::raster::{PIXELS, SIZE, draw};
use crate::strokes::{SIDE, Stroke};
use crate::{BadData, simplify};
use image::imageops::{FilterType, resize};
use image::{GrayImage, ImageFormat, ImageReader, Limits};
use std::path::Path;

/// Longest side of a picture, in pixels.
const LARGEST: u32 = 16_384;

/// Longest side of the picture in which lines are thinned.
const FINE: u32 = 320;

/// Of a drawing's pixels, at most so many are ink, and at most so many neither ink nor paper.
const INK: f64 = 0.45;
const BETWEEN: f64 = 0.25;

/// Reads a picture as 28 × 28 pixels, 0 is paper.
///
/// # Errors
/// A file that is neither PNG nor JPEG or is damaged, too large, or shows no drawing.
pub fn bitmap(path: &Path) -> Result<Vec<u8>, BadData> {
    let bad = |why: String| BadData::new(path, None, why);
    let bytes = std::fs::read(path).map_err(|e| BadData::io(path, &e))?;
    let mut reader = ImageReader::new(std::io::Cursor::new(bytes)).with_guessed_format().map_err(|e| BadData::io(path, &e))?;
    if !matches!(reader.format(), Some(ImageFormat::Png | ImageFormat::Jpeg)) {
        return Err(bad("it is neither a PNG nor a JPEG picture".into()));
    }
    let mut limits = Limits::default();
    (limits.max_image_width, limits.max_image_height, limits.max_alloc) = (Some(LARGEST), Some(LARGEST), Some(512 << 20));
    reader.limits(limits);
    let image = reader.decode().map_err(|e| bad(e.to_string()))?;
    // Transparent is paper: white.
    let image = image.into_rgba8();
    let grey = |p: &image::Rgba<u8>| {
        let [r, g, b, a] = p.0.map(f64::from);
        (255.0 + (0.299 * r + 0.587 * g + 0.114 * b - 255.0) * a / 255.0).round() as u8
    };
    let grey = GrayImage::from_fn(image.width(), image.height(), |x, y| image::Luma([grey(image.get_pixel(x, y))]));
    from_grey(&grey).map_err(bad)
}

/// As [`bitmap`], of grey pixels.
///
/// # Errors
/// A picture that shows no drawing.
pub fn from_grey(image: &GrayImage) -> Result<Vec<u8>, String> {
    let (w, h) = image.dimensions();
    if w == 0 || h == 0 {
        return Err("it has no pixels".into());
    }
    let ink = ink(image)?;
    if (w as usize, h as usize) == (SIZE, SIZE) {
        return Ok(ink.into_raw());
    }
    let longest = w.max(h);
    let (threshold, ink) = if longest > FINE {
        let size = |side: u32| (side * FINE / longest).max(1);
        // Thin lines grow pale when a picture shrinks.
        (
            ((255.0 * 0.5 * (f64::from(FINE) / f64::from(longest)).min(1.0)) as u8).max(24),
            resize(&ink, size(w), size(h), FilterType::Triangle),
        )
    } else {
        (127, ink)
    };
    let (w, h) = (ink.width() as usize, ink.height() as usize);
    let mut on: Vec<bool> = ink.into_raw().into_iter().map(|v| v > threshold).collect();
    thin(&mut on, w, h);
    let strokes = middle(&on, w, h);
    match strokes.is_empty() {
        true => Err("no line is left of it".into()),
        false => Ok(redrawn(&strokes)),
    }
}

/// Ink as 255, paper as 0: the value of the border, where a drawing is not, tells which is which; N. Otsu's threshold (1979)
/// lies between.
fn ink(image: &GrayImage) -> Result<GrayImage, String> {
    let (w, h) = image.dimensions();
    let mut border: Vec<u8> = (0..w)
        .flat_map(|x| [(x, 0), (x, h - 1)])
        .chain((0..h).flat_map(|y| [(0, y), (w - 1, y)]))
        .map(|(x, y)| image.get_pixel(x, y).0[0])
        .collect();
    border.sort_unstable();
    let paper = f64::from(border[border.len() / 2]);
    let away = |v: u8| (f64::from(v) - paper).abs();
    let most = image.pixels().map(|p| away(p.0[0])).fold(0.0, f64::max);
    if most < 32.0 {
        return Err("it is empty: all of it has nearly one colour".into());
    }
    let scaled = |v: u8| (255.0 * away(v) / most).round().min(255.0) as u8;
    let ink = GrayImage::from_fn(w, h, |x, y| image::Luma([scaled(image.get_pixel(x, y).0[0])]));
    let share = |of: &dyn Fn(u8) -> bool| ink.pixels().filter(|p| of(p.0[0])).count() as f64 / (f64::from(w) * f64::from(h));
    let small = (w as usize) * (h as usize) <= 4 * PIXELS;
    if share(&|v| v > 127) > INK || !small && share(&|v| (40..215).contains(&v)) > BETWEEN {
        return Err("it is no drawing of lines on even paper (a photograph?)".into());
    }
    Ok(ink)
}

/// T. Zhang and C. Suen, "A fast parallel algorithm for thinning digital patterns", 1984.
fn thin(on: &mut [bool], w: usize, h: usize) {
    let around = |on: &[bool], x: usize, y: usize| {
        let at = |dx: isize, dy: isize| {
            let (x, y) = (x as isize + dx, y as isize + dy);
            x >= 0 && y >= 0 && (x as usize) < w && (y as usize) < h && on[y as usize * w + x as usize]
        };
        [at(0, -1), at(1, -1), at(1, 0), at(1, 1), at(0, 1), at(-1, 1), at(-1, 0), at(-1, -1)]
    };
    loop {
        let mut changed = false;
        for second in [false, true] {
            let mut off = vec![];
            for i in (0..on.len()).filter(|&i| on[i]) {
                let p = around(on, i % w, i / w);
                let count = p.iter().filter(|&&b| b).count();
                let steps = (0..8).filter(|&k| !p[k] && p[(k + 1) % 8]).count();
                let free = if second { !p[0] || !p[6] || !p[2] && !p[4] } else { !p[2] || !p[4] || !p[0] && !p[6] };
                if (2..=6).contains(&count) && steps == 1 && free {
                    off.push(i);
                }
            }
            changed |= !off.is_empty();
            off.into_iter().for_each(|i| on[i] = false);
        }
        if !changed {
            return;
        }
    }
}

/// Thin lines as strokes: a line between each pixel and its neighbours to the right and below.
fn middle(on: &[bool], w: usize, h: usize) -> Vec<Stroke> {
    let mut strokes = vec![];
    for (x, y) in (0..h).flat_map(|y| (0..w).map(move |x| (x, y))).filter(|&(x, y)| on[y * w + x]) {
        let here = (x as f32, y as f32);
        let next = [(1isize, 0usize), (-1, 1), (0, 1), (1, 1)].map(|(dx, dy)| (x as isize + dx, y + dy));
        let next = next.into_iter().filter(|&(x, y)| x >= 0 && (x as usize) < w && y < h && on[y * w + x as usize]);
        let before = strokes.len();
        strokes.extend(next.map(|(x, y)| vec![here, (x as f32, y as f32)]));
        if strokes.len() == before {
            strokes.push(vec![here]);
        }
    }
    strokes
}

/// All strokes as one, so that their meeting points do not grow darker.
fn redrawn(strokes: &[Stroke]) -> Vec<u8> {
    let Some(b) = crate::strokes::bounds(strokes) else { return vec![0; PIXELS] };
    let longest = (b[2] - b[0]).max(b[3] - b[1]);
    if longest == 0.0 {
        return draw(&simplify(strokes), SIZE);
    }
    let place = |p: &(f32, f32)| (((f64::from(p.0) - b[0]) * SIDE / longest) as f32, ((f64::from(p.1) - b[1]) * SIDE / longest) as f32);
    crate::raster::draw_together(&strokes.iter().map(|s| s.iter().map(place).collect()).collect::<Vec<Stroke>>(), SIZE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Doodler, bitmap, made};

    /// A made drawing as a picture of `size` pixels, its pen a share of what the networks know.
    fn picture(class: usize, number: u64, size: u32, light: bool) -> GrayImage {
        let pixels = draw(&simplify(&made::drawing(class, 5, number)), size as usize);
        let ink = GrayImage::from_raw(size, size, pixels).unwrap();
        GrayImage::from_fn(size, size, |x, y| {
            image::Luma([if light { 250 - (f64::from(ink.get_pixel(x, y).0[0]) * 0.9) as u8 } else { ink.get_pixel(x, y).0[0] }])
        })
    }

    #[test]
    fn pictures_of_any_size_show_what_their_strokes_show() {
        let mut doodler = Doodler::built_in().unwrap();
        let (mut right, mut all) = (0, 0);
        for (class, name) in made::CLASSES.iter().enumerate() {
            for (number, size) in [(1, 56), (2, 200), (3, 700)] {
                let pixels = from_grey(&picture(class, number, size, number % 2 == 0)).unwrap();
                right += usize::from(doodler.guess_bitmap(&pixels).unwrap().guesses[0].class == *name);
                all += 1;
            }
        }
        assert!(right * 100 >= all * 85, "{right} of {all}");
        let small = GrayImage::from_raw(28, 28, bitmap(&made::drawing(3, 5, 1))).unwrap();
        assert_eq!(
            from_grey(&small).unwrap().iter().map(|&p| u64::from(p > 127)).sum::<u64>(),
            small.pixels().filter(|p| p.0[0] > 127).count() as u64
        );
    }

    #[test]
    fn what_is_no_drawing_is_refused() {
        let empty = GrayImage::from_pixel(90, 60, image::Luma([240]));
        assert!(from_grey(&empty).unwrap_err().contains("empty"));
        let slope = GrayImage::from_fn(300, 200, |x, y| image::Luma([((x * 255 / 300 + y / 3) % 256) as u8]));
        assert!(from_grey(&slope).unwrap_err().contains("photograph"));
        let noise = GrayImage::from_fn(300, 200, |x, y| {
            image::Luma([(x.wrapping_mul(2_654_435_761) ^ y.wrapping_mul(40_503)).wrapping_mul(97) as u8])
        });
        assert!(from_grey(&noise).is_err());
        assert!(from_grey(&GrayImage::new(0, 5)).is_err());
        for (name, bytes) in [("text.png", &b"no picture"[..]), ("cut.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")] {
            let path = std::env::temp_dir().join(format!("neurona-{}-{name}", std::process::id()));
            std::fs::write(&path, bytes).unwrap();
            let e = super::bitmap(&path).unwrap_err().to_string();
            std::fs::remove_file(&path).unwrap();
            assert!(e.contains(name), "{e}");
        }
    }
}
