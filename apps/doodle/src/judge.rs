//! How good a recogniser is on drawings of known classes.

use crate::calibrate::calibration_error;
use crate::doodler::{Doodler, SURE};
use crate::raster::PIXELS;
use neurona::Result;

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
