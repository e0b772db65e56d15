//! A network that says what a drawing shows.

use crate::calibrate::softmax;
use crate::lesson::Preset;
use crate::made;
use crate::raster::{PIXELS, SIZE, bitmap};
use crate::strokes::{Stroke, bounds};
use neurona::{Error, Loss, Optimizer, Result, Rows, Sequential, Trainer};
use serde::Serialize;
use std::path::Path;

/// A class and how likely it is.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Guess {
    /// Its name.
    pub class: String,
    /// From 0 to 1.
    pub probability: f32,
}

/// What the network says of a drawing.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Answer {
    /// All classes, the most likely first; none where there is nothing to see: no ink, or a single dot.
    pub guesses: Vec<Guess>,
    /// Whether the first is likely enough to be said: at least [`SURE`].
    pub sure: bool,
}

/// Probability from which on an answer is given.
pub const SURE: f32 = 0.5;

/// Drawings at once: a program is compiled for each number of rows, so that there are only two.
const BATCH: usize = 64;

/// A trained network, its classes, and how its outputs become probabilities.
pub struct Doodler {
    trainer: Trainer<Sequential>,
    classes: Vec<String>,
    temperature: f64,
}

impl Doodler {
    /// A network of 28 × 28 inputs from 0 to 1 and one logit a class. `temperature` divides the logits (see
    /// [`crate::calibrate::temperature`]).
    ///
    /// # Errors
    /// A network of other inputs, or no classes.
    pub fn new(trainer: Trainer<Sequential>, classes: Vec<String>, temperature: f64) -> Result<Doodler> {
        let input = &trainer.model().input;
        if input[..] != [SIZE, SIZE, 1] || classes.is_empty() {
            let why = format!("it takes {input:?} and tells {} classes apart, where drawings are [28, 28, 1]", classes.len());
            return Err(Error::Config { what: "network".into(), why, fix: "use a run of `neurona train doodle`".into() });
        }
        let temperature = if temperature.is_finite() && temperature > 0.0 { temperature } else { 1.0 };
        Ok(Doodler { trainer, classes, temperature })
    }

    /// The network that comes with this crate. It has seen no drawing by people: it was trained on [`crate::made`] ones
    /// (`cargo run --release -p neurona-doodle --example built_in`).
    ///
    /// # Errors
    /// None, if the files of this crate fit each other.
    pub fn built_in() -> Result<Doodler> {
        let preset = Preset::SMALL;
        let model = preset.model(made::CLASSES.len())?;
        let mut trainer = Trainer::compile(model, Loss::Mse, Optimizer::Sgd, &[]);
        let notes = trainer.parse_weights(Path::new("doodler.safetensors"), include_bytes!("../data/doodler.safetensors"))?;
        let temperature = notes.get("temperature").and_then(|t| t.parse().ok()).unwrap_or(1.0);
        Doodler::new(trainer, made::CLASSES.map(String::from).to_vec(), temperature)
    }

    /// The names of the classes, in the order of [`Doodler::probabilities`].
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// What strokes in any scale show.
    ///
    /// ```
    /// use doodle::Doodler;
    /// let mut doodler = Doodler::built_in()?;
    /// let rungs = (1..6).map(|i| vec![(100.0, 90.0 * i as f32), (300.0, 90.0 * i as f32)]);
    /// let rails = [vec![(100.0, 10.0), (100.0, 590.0)], vec![(300.0, 10.0), (300.0, 590.0)]];
    /// let answer = doodler.guess(&rails.into_iter().chain(rungs).collect::<Vec<_>>())?;
    /// assert_eq!(answer.guesses[0].class, "ladder");
    /// # Ok::<(), neurona::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of the compiled program.
    pub fn guess(&mut self, strokes: &[Stroke]) -> Result<Answer> {
        if bounds(strokes).is_none_or(|b| b[0] == b[2] && b[1] == b[3]) {
            return Ok(Answer { guesses: vec![], sure: false });
        }
        self.guess_bitmap(&bitmap(strokes))
    }

    /// What 28 × 28 pixels (0 is paper, 255 ink) show.
    ///
    /// # Errors
    /// Another number of pixels; those of the compiled program.
    pub fn guess_bitmap(&mut self, pixels: &[u8]) -> Result<Answer> {
        let mut all = self.probabilities(pixels)?;
        if pixels.iter().all(|&p| p == 0) || all.len() != self.classes.len() {
            return Ok(Answer { guesses: vec![], sure: false });
        }
        let named = self.classes.iter().cloned().zip(all.drain(..));
        let mut guesses: Vec<Guess> = named.map(|(class, probability)| Guess { class, probability }).collect();
        guesses.sort_by(|a, b| b.probability.total_cmp(&a.probability));
        Ok(Answer { sure: guesses[0].probability >= SURE, guesses })
    }

    /// The probability of each class for each of many bitmaps, one after another: the mean of what the network says of the
    /// picture and of its mirror image.
    ///
    /// # Errors
    /// A number of pixels that is no multiple of 784; those of the compiled program.
    pub fn probabilities(&mut self, bitmaps: &[u8]) -> Result<Vec<f32>> {
        let logits = self.logits(bitmaps)?;
        let n = self.classes.len();
        let mean = |pair: &[f32]| {
            let [a, b] = [&pair[..n], &pair[n..]].map(|l| softmax(l, self.temperature));
            a.into_iter().zip(b).map(|(a, b)| ((a + b) / 2.0) as f32).collect::<Vec<_>>()
        };
        Ok(logits.chunks_exact(2 * n).flat_map(mean).collect())
    }

    /// The network's outputs for each bitmap and for its mirror image.
    ///
    /// # Errors
    /// As [`Doodler::probabilities`].
    pub fn logits(&mut self, bitmaps: &[u8]) -> Result<Vec<f32>> {
        if !bitmaps.len().is_multiple_of(PIXELS) {
            let why = format!("{} pixels are no whole number of drawings of {PIXELS}", bitmaps.len());
            return Err(Error::Data { place: "drawing".into(), why, fix: "give 28 × 28 bytes for each".into() });
        }
        let rows = 2 * bitmaps.len() / PIXELS;
        let full = if rows <= 2 { rows } else { rows.next_multiple_of(BATCH) };
        let mut x = vec![0f32; full * PIXELS];
        for (to, from) in x.chunks_exact_mut(2 * PIXELS).zip(bitmaps.chunks_exact(PIXELS)) {
            let (straight, mirrored) = to.split_at_mut(PIXELS);
            straight.iter_mut().zip(from).for_each(|(to, &from)| *to = f32::from(from) / 255.0);
            for (to, from) in mirrored.chunks_exact_mut(SIZE).zip(straight.chunks_exact(SIZE)) {
                to.iter_mut().zip(from.iter().rev()).for_each(|(to, &from)| *to = from);
            }
        }
        if rows == 0 {
            return Ok(vec![]);
        }
        let mut y = self.trainer.predict(&[Rows::f32(&x, &[SIZE, SIZE, 1])], BATCH.min(full))?;
        y.data.truncate(rows * self.classes.len());
        Ok(y.data)
    }

    /// The temperature with which these drawings of known classes are judged best, from now on used.
    ///
    /// # Errors
    /// As [`Doodler::probabilities`].
    pub fn calibrate(&mut self, bitmaps: &[u8], labels: &[usize]) -> Result<f64> {
        let (logits, n) = (self.logits(bitmaps)?, self.classes.len());
        let straight: Vec<f32> = logits.chunks_exact(2 * n).flat_map(|pair| pair[..n].to_vec()).collect();
        self.temperature = crate::calibrate::temperature(&straight, labels);
        Ok(self.temperature)
    }
}
