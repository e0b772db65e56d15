//! The autoencoder of the course's slides: a text of 128 characters spread over a picture of 256×256 pixels by an embedding, with
//! 1×1 convolutions, and read by one dense layer for each character's 512 pixels.
//!
//! What was wrong with it elsewhere is right here: all 256 codes have a class of their own, length and checksum go with the text,
//! rounding and the limits of 8 bits are part of the training, and the encoder adds to the picture instead of drawing it anew.

use crate::covers::cover;
use crate::network::{dense, whole};
use crate::training::{Course, Record, Steering};
use crate::{Error, Picture, Result};
use neurona::Random;
use neurona::ops::Compare;
use neurona::{Arg, Context, DType, Function, Init, Optimizer, Param, State, Step, Tensor, log_softmax};
use serde::{Deserialize, Serialize};

/// Pixels of a picture's side.
pub const SIDE: usize = 256;
/// Characters.
pub const LENGTH: usize = 128;
/// Bytes of the longest text: what length and checksum leave of the characters.
pub const LONGEST: usize = LENGTH - 5;
/// Codes of a character.
const CODES: usize = 256;
/// Pixels of a character.
const SHARE: usize = SIDE * SIDE / LENGTH;

/// How it is trained.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deck {
    /// Seed of weights, pictures and texts.
    pub seed: u32,
    /// Epochs; they only count steps.
    pub epochs: u64,
    /// Steps of an epoch.
    pub steps_per_epoch: u64,
    /// Pictures of a step.
    pub batch: usize,
    /// Learning rate of Adam.
    pub learning_rate: f64,
    /// How many pictures of a step are made-up photographs; all others are noise, as in the slides.
    pub scenes: usize,
    /// Weight of the mean square of the changes (of values from 0 to 1) beside the cross-entropy of the characters.
    pub weight: f64,
    /// Worker threads; 0 takes one for each processor.
    pub threads: usize,
}

impl Deck {
    /// The slides' training: 512 epochs of 512 steps of 64 pictures of noise. For a large machine.
    pub const FULL: Deck =
        Deck { seed: 1, epochs: 512, steps_per_epoch: 512, batch: 64, learning_rate: 1e-3, scenes: 0, weight: 1.0, threads: 0 };
    /// A minute on two cores, three of four pictures made-up photographs.
    pub const SHORT: Deck =
        Deck { seed: 1, epochs: 4, steps_per_epoch: 150, batch: 16, learning_rate: 3e-3, scenes: 12, weight: 40.0, threads: 0 };

    /// Steps of all epochs.
    pub fn steps(&self) -> u64 {
        self.epochs.saturating_mul(self.steps_per_epoch)
    }
}

/// Shares of the learnt change that are tried, from 1/20 to 2 by an eighth of an octave: photographs are smoother than the noise
/// that it is learnt for, and need less of it.
fn strengths() -> impl Iterator<Item = f32> {
    (0..43).map(|k| 0.05 * (k as f32 / 8.0).exp2())
}

/// Made-up photographs that a training draws from.
const SCENES: usize = 24;
/// Steps after which one of them is replaced.
const REPLACED: u64 = 4;

fn replace(scenes: &mut [Vec<u8>], random: &mut Random) {
    scenes[random.below(SCENES)] = cover(random, SIDE);
}

/// A training in progress.
pub struct DeckTraining {
    settings: Deck,
    step: Step,
    state: State,
    scenes: Vec<Vec<u8>>,
}

impl DeckTraining {
    /// Compiles the step and initialises the networks.
    ///
    /// # Errors
    /// Errors of the engine.
    pub fn new(settings: &Deck) -> neurona::Result<DeckTraining> {
        let cx = Context::new(DType::F32, true);
        let n = settings.batch;
        let pictures = cx.input("pictures", DType::F32, &[n, SIDE, SIDE, 3]);
        let text = cx.input("text", DType::I32, &[n, LENGTH]);
        let classes = cx.input("classes", DType::F32, &[n, LENGTH, CODES]);
        let hidden = whole(&(encode(&cx, &pictures, &text) * 255.0)) * (1.0 / 255.0);
        let logits = decode(&cx, &hidden);
        let entropy = (log_softmax(&logits) * &classes).sum(&[2]).mean_all() * -1.0;
        let square = (&hidden - &pictures).square().mean_all();
        let right = (&logits * &classes).sum(&[2]);
        let wrong = right.compare(Compare::Lt, &logits.max(&[2])).cast(DType::F32).mean_all();
        let total = &entropy + &square * settings.weight;
        let step = Step::compile(&cx, &total, &[&entropy, &wrong, &square], &Optimizer::adam(), settings.threads)?;
        let state = State::new(step.params(), &Optimizer::adam(), settings.seed);
        let scene = |i| cover(&mut Random::new(u64::from(settings.seed), u64::MAX - i), SIDE);
        let scenes = if settings.scenes > 0 { (0..SCENES as u64).map(scene).collect() } else { vec![] };
        Ok(DeckTraining { settings: settings.clone(), step, state, scenes })
    }

    /// The networks as they are now.
    ///
    /// # Errors
    /// Errors of the engine.
    pub fn autoencoder(&self) -> neurona::Result<Autoencoder> {
        Autoencoder::new(self.state.params.clone(), self.settings.threads)
    }
}

impl Course for DeckTraining {
    fn config(&self) -> Result<String, toml::ser::Error> {
        toml::to_string(&self.settings)
    }

    fn seed(&self) -> u32 {
        self.settings.seed
    }

    fn steps(&self) -> u64 {
        self.settings.steps()
    }

    fn params(&self) -> &[Param] {
        self.step.params()
    }

    fn state(&self) -> &State {
        &self.state
    }

    /// Its weight stays what the settings say.
    fn steering(&self) -> Steering {
        Steering { weight: self.settings.weight, errors: 0.0 }
    }

    fn restore(&mut self, state: State, _: Steering) {
        // The scenes are those that the steps so far left.
        let before = if self.scenes.is_empty() { 0 } else { state.step };
        for step in (0..before).filter(|step| step.is_multiple_of(REPLACED)) {
            replace(&mut self.scenes, &mut Random::new(u64::from(self.settings.seed), step));
        }
        self.state = state;
    }

    fn advance(&mut self) -> neurona::Result<Record> {
        let s = &self.settings;
        let random = &mut Random::new(u64::from(s.seed), self.state.step);
        if !self.scenes.is_empty() && self.state.step.is_multiple_of(REPLACED) {
            replace(&mut self.scenes, random);
        }
        let mut pictures = vec![];
        for i in 0..s.batch {
            match self.scenes.get(random.below(SCENES)).filter(|_| i < s.scenes) {
                Some(scene) => pictures.extend(scene.iter().map(|&p| f32::from(p) / 255.0)),
                None => pictures.extend((0..SIDE * SIDE * 3).map(|_| (random.bits() >> 56) as f32 / 255.0)),
            }
        }
        let text: Vec<i32> = (0..s.batch * LENGTH).map(|_| random.below(CODES) as i32).collect();
        let mut classes = vec![0.0; text.len() * CODES];
        text.iter().enumerate().for_each(|(i, &t)| classes[i * CODES + t as usize] = 1.0);
        let done = self.state.step as f64 / s.steps() as f64;
        let rate = s.learning_rate * (0.02 + 0.49 * (1.0 + (std::f64::consts::PI * done).cos()));
        let data = [Arg::F32(&pictures), Arg::I32(&text), Arg::F32(&classes)];
        let reports = self.step.run(&mut self.state, rate, &data)?;
        let [loss, errors, square] = [0, 1, 2].map(|i| reports.get(i).map_or(f64::NAN, |&x| f64::from(x)));
        Ok(Record { step: self.state.step, loss, errors, psnr: -10.0 * square.log10(), weight: s.weight })
    }
}

/// The trained networks, for one picture at a time.
pub struct Autoencoder {
    weights: Vec<Vec<f32>>,
    encoder: Function,
    decoder: Function,
    /// How many of the weights are the encoder's; they come first.
    first: usize,
}

impl Autoencoder {
    /// Networks with these weights.
    ///
    /// # Errors
    /// Errors of the engine.
    pub fn new(weights: Vec<Vec<f32>>, threads: usize) -> neurona::Result<Autoencoder> {
        let cx = Context::new(DType::F32, false);
        let pictures = cx.input("pictures", DType::F32, &[1, SIDE, SIDE, 3]);
        let changed = encode(&cx, &pictures, &cx.input("text", DType::I32, &[1, LENGTH]));
        let (encoder, first) = (Function::compile(&cx, &[&changed], threads)?, cx.params().len());
        let cx = Context::new(DType::F32, false);
        let logits = decode(&cx, &cx.input("pictures", DType::F32, &[1, SIDE, SIDE, 3]));
        Ok(Autoencoder { weights, encoder, decoder: Function::compile(&cx, &[&logits], threads)?, first })
    }

    /// Hides the text in the picture, scaled to 256×256, with the smallest of some strengths with which it comes back: shares of
    /// the change that the encoder makes, which is made for noise. Returns the scaled picture, that with the text, and the share.
    ///
    /// # Errors
    /// A text of more than [`LONGEST`] bytes; one that does not come back; errors of the engine.
    pub fn hide(&mut self, picture: &Picture, text: &str) -> Result<(Picture, Picture, f32)> {
        if text.len() > LONGEST {
            return Err(Error::TooLong { needed: text.len(), room: LONGEST });
        }
        let cover = scaled(picture);
        let pixels: Vec<f32> = cover.rgb.iter().map(|&p| f32::from(p) / 255.0).collect();
        let characters = characters(text.as_bytes());
        let codes: Vec<i32> = characters.iter().map(|&c| i32::from(c)).collect();
        let data = [Arg::F32(&pixels), Arg::I32(&codes)];
        let changed = self.encoder.run(&self.weights[..self.first], &data).map_err(neurona::Error::from)?.remove(0);
        for strength in strengths() {
            let mixed = pixels.iter().zip(&changed).map(|(x, y)| x + strength * (y - x));
            let rgb: Vec<u8> = mixed.map(|v| (255.0 * v).round().clamp(0.0, 255.0) as u8).collect();
            if self.read(&rgb)? == characters {
                return Ok((cover.clone(), Picture { rgb, ..cover }, strength));
            }
        }
        Err(Error::NotReadable)
    }

    /// The text of a picture of 256×256 pixels.
    ///
    /// # Errors
    /// No text whose checksum is right; errors of the engine.
    pub fn reveal(&mut self, picture: &Picture) -> Result<String> {
        if (picture.width, picture.height) != (SIDE, SIDE) {
            return Err(Error::NoMessage);
        }
        let read = self.read(&picture.rgb)?;
        let text = read.get(1..=usize::from(read[0])).filter(|text| text.len() <= LONGEST && characters(text) == read);
        text.and_then(|text| String::from_utf8(text.to_vec()).ok()).ok_or(Error::NoMessage)
    }

    /// All 128 characters that are read of a picture.
    fn read(&mut self, rgb: &[u8]) -> Result<Vec<u8>> {
        let pixels: Vec<f32> = rgb.iter().map(|&p| f32::from(p) / 255.0).collect();
        let weights = &self.weights[self.first..];
        let logits = self.decoder.run(weights, &[Arg::F32(&pixels)]).map_err(neurona::Error::from)?.remove(0);
        let best = |l: &[f32]| l.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).map_or(0, |(i, _)| i as u8);
        Ok(logits.chunks_exact(CODES).map(best).collect())
    }
}

/// Names and shapes of the weights.
pub fn params() -> Vec<Param> {
    let cx = Context::new(DType::F32, false);
    let pictures = cx.input("pictures", DType::F32, &[1, SIDE, SIDE, 3]);
    decode(&cx, &encode(&cx, &pictures, &cx.input("text", DType::I32, &[1, LENGTH])));
    cx.params().into_iter().map(|(p, _)| p).collect()
}

/// The length, the text (at most [`LONGEST`] bytes), its checksum, and characters that say nothing: of a fixed random kind, so that
/// none is frequent.
fn characters(text: &[u8]) -> Vec<u8> {
    let mut random = Random::new(text.len() as u64, 3);
    let mut all = vec![text.len() as u8];
    all.extend_from_slice(text);
    all.extend(crc32fast::hash(text).to_le_bytes());
    all.resize_with(LENGTH, || random.bits() as u8);
    all
}

/// The picture at 256×256 pixels, each the mean of those it covers.
fn scaled(picture: &Picture) -> Picture {
    let range = |k: usize, n: usize| (k * n / SIDE)..((k + 1) * n).div_ceil(SIDE);
    let mean = |i: usize| {
        let (x, y) = (range(i / 3 % SIDE, picture.width), range(i / 3 / SIDE, picture.height));
        let (mut sum, count) = (0, x.len() * y.len());
        for y in y {
            sum += x.clone().map(|x| u64::from(picture.rgb[(y * picture.width + x) * 3 + i % 3])).sum::<u64>();
        }
        ((2 * sum + count as u64) / (2 * count as u64)) as u8
    };
    Picture { width: SIDE, height: SIDE, rgb: (0..SIDE * SIDE * 3).map(mean).collect(), alpha: None, icc: None }
}

/// What the encoder makes of pictures `[n, 256, 256, 3]` with values from 0 to 1 and characters `[n, 128]`.
fn encode(cx: &Context, pictures: &Tensor, text: &Tensor) -> Tensor {
    let n = pictures.shape()[0];
    cx.layer("encoder", || {
        let table = cx.param("embedding", &[CODES, SHARE], Init::Uniform { min: -0.05, max: 0.05 });
        let text = table.gather(&text.reshape(&[n * LENGTH])).reshape(&[n, SIDE, SIDE, 1]);
        let seen = dense(cx, "look", pictures, 16, Init::GlorotUniform).relu();
        pictures + dense(cx, "mix", &text, 3, Init::GlorotUniform) + dense(cx, "adapt", &seen, 3, Init::Zeros)
    })
}

/// Logits `[n, 128, 256]` of the characters of pictures.
fn decode(cx: &Context, pictures: &Tensor) -> Tensor {
    let n = pictures.shape()[0];
    cx.layer("decoder", || {
        let grey = dense(cx, "grey", pictures, 1, Init::GlorotUniform).reshape(&[n, LENGTH, SHARE]);
        dense(cx, "characters", &grey, CODES, Init::GlorotUniform)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_back_from_noise_and_scenes_and_a_training_goes_on_as_if_uninterrupted() {
        let settings = Deck { epochs: 1, steps_per_epoch: 40, batch: 8, scenes: 4, ..Deck::SHORT };
        let mut training = DeckTraining::new(&settings).unwrap();
        let mut half = None;
        while !training.is_done() {
            training.advance().unwrap();
            if training.state().step == 30 {
                half = Some(training.state().clone());
            }
        }
        let mut resumed = DeckTraining::new(&settings).unwrap();
        resumed.restore(half.unwrap(), training.steering());
        while !resumed.is_done() {
            resumed.advance().unwrap();
        }
        assert_eq!(resumed.state().params, training.state().params);
        let mut networks = training.autoencoder().unwrap();
        let random = &mut Random::new(7, 7);
        let noise = (0..SIDE * SIDE * 3).map(|_| random.bits() as u8).collect();
        let picture = |rgb, side| Picture { width: side, height: side, rgb, alpha: None, icc: None };
        for cover in [picture(noise, SIDE), picture(cover(random, 300), 300), picture(vec![200; 3], 1)] {
            for text in ["", "meet at nine 🦤", &"x".repeat(LONGEST)] {
                let (before, after, _) = networks.hide(&cover, text).unwrap();
                assert_eq!(networks.reveal(&after).unwrap(), text);
                assert!(matches!(networks.reveal(&before), Err(Error::NoMessage)));
            }
        }
        let long = "x".repeat(LONGEST + 1);
        assert!(matches!(networks.hide(&picture(vec![0; 3], 1), &long), Err(Error::TooLong { .. })));
    }
}
