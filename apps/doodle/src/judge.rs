//! How good a recogniser is on drawings of known classes.

use crate::calibrate::calibration_error;
use crate::doodler::{Doodler, SURE};
use crate::raster::PIXELS;
use crate::strokes::{Stroke, bounds};
use neurona::{Random, Result};

/// A drawing that was taken for something else.
#[derive(Clone, PartialEq, Debug)]
pub struct Mistake {
    /// Which of the drawings.
    pub row: usize,
    /// What it is.
    pub truth: usize,
    /// What it was taken for.
    pub taken: usize,
    /// With which probability.
    pub probability: f32,
}

/// What was found out.
#[derive(Clone, PartialEq, Debug)]
pub struct Quality {
    /// Drawings.
    pub drawings: usize,
    /// Share whose class came first, and among the first three and five.
    pub top: [f64; 3],
    /// Share for which an answer was sure, and the share of right ones among them.
    pub sure: [f64; 2],
    /// [`calibration_error`].
    pub calibration_error: f64,
    /// Drawings of each class (first) taken for each class.
    pub confusion: Vec<Vec<usize>>,
    /// The mistakes, the surest first.
    pub mistakes: Vec<Mistake>,
}

/// Judges bitmaps, one after another, with their classes. `tick` is told how many are done and may end it.
///
/// # Errors
/// Those of [`Doodler::probabilities`].
pub fn quality(doodler: &mut Doodler, bitmaps: &[u8], labels: &[usize], mut tick: impl FnMut(usize) -> bool) -> Result<Quality> {
    const CHUNK: usize = 256;
    let n = doodler.classes().len();
    let (mut hits, mut answers, mut mistakes, mut confusion) = ([0usize; 3], vec![], vec![], vec![vec![0; n]; n]);
    for (i, (pixels, labels)) in bitmaps.chunks(CHUNK * PIXELS).zip(labels.chunks(CHUNK)).enumerate() {
        let probabilities = doodler.probabilities(pixels)?;
        for (j, (row, &truth)) in probabilities.chunks_exact(n).zip(labels).enumerate() {
            let own = row.get(truth).copied().unwrap_or(0.0);
            let place = row.iter().filter(|&&p| p > own).count();
            [1, 3, 5].iter().zip(&mut hits).for_each(|(&first, hits)| *hits += usize::from(place < first));
            let taken = (0..n).fold(0, |best, k| if row[k] > row[best] { k } else { best });
            answers.push((row[taken], taken == truth));
            if truth < n {
                confusion[truth][taken] += 1;
            }
            if taken != truth {
                mistakes.push(Mistake { row: i * CHUNK + j, truth, taken, probability: row[taken] });
            }
        }
        if !tick(answers.len()) {
            break;
        }
    }
    mistakes.sort_by(|a, b| b.probability.total_cmp(&a.probability));
    let sure: Vec<_> = answers.iter().filter(|a| a.0 >= SURE).collect();
    let share = |part: usize, all: usize| part as f64 / all.max(1) as f64;
    Ok(Quality {
        drawings: answers.len(),
        top: hits.map(|h| share(h, answers.len())),
        sure: [share(sure.len(), answers.len()), share(sure.iter().filter(|a| a.1).count(), sure.len())],
        calibration_error: calibration_error(&answers),
        confusion,
        mistakes,
    })
}

/// Width and height of the canvas of [`on_canvas`], in pixels.
pub const CANVAS: f64 = 600.0;

/// Strokes as somebody draws them on a canvas of 600 × 600 pixels: their longest side from a tenth of it to all of it, anywhere
/// on it, at whole pixels, as a mouse reports them. Points that are not finite are left out.
///
/// ```
/// let drawing = [vec![(0.0, 0.0), (255.0, 100.0)]];
/// let placed = doodle::judge::on_canvas(&drawing, &mut neurona::Random::new(1, 0));
/// let [left, top, right, bottom] = doodle::strokes::bounds(&placed).unwrap();
/// assert!(left >= 0.0 && top >= 0.0 && right <= 600.0 && bottom <= 600.0 && right - left >= 59.0);
/// ```
pub fn on_canvas(strokes: &[Stroke], random: &mut Random) -> Vec<Stroke> {
    let Some(b) = bounds(strokes) else { return vec![] };
    let (w, h) = (b[2] - b[0], b[3] - b[1]);
    let scale = if w.max(h) > 0.0 { random.within(0.1, 1.0) * CANVAS / w.max(h) } else { 1.0 };
    let (dx, dy) = (random.within(0.0, 1.0) * (CANVAS - scale * w), random.within(0.0, 1.0) * (CANVAS - scale * h));
    let pixel = |v: f32, from: f64, by: f64| (scale * (f64::from(v) - from) + by).round() as f32;
    let place = |s: &Stroke| {
        let finite = s.iter().filter(|p| p.0.is_finite() && p.1.is_finite());
        finite.map(|p| (pixel(p.0, b[0], dx), pixel(p.1, b[1], dy))).collect()
    };
    strokes.iter().map(place).collect()
}
