//! Training: random bits in made-up pictures, the writer and the reader together, with what happens to a picture in between.

use crate::attack::{Attack, place};
use crate::covers::cover;
use crate::network::{HALO, Layout};
use neurona::Random;
use neurona::{Arg, Context, DType, Function, Optimizer, Param, Result, State, Step, Tensor};
use serde::{Deserialize, Serialize};

/// How a model is trained.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The networks.
    pub layout: Layout,
    /// Seed of weights, pictures and bits.
    pub seed: u32,
    /// Steps of Adam.
    pub steps: u64,
    /// Pictures of a step.
    pub batch: usize,
    /// Cells of a picture's side that carry bits.
    pub cells: usize,
    /// Learning rate of the first step; it falls to a thirtieth along a cosine.
    pub learning_rate: f64,
    /// Passes of the writer.
    pub passes: usize,
    /// How far a logit should be on its side.
    pub margin: f32,
    /// Grey levels that a pass can change a pixel by.
    pub strength: f64,
    /// Share of wrong bits that the weight of the changes is steered to.
    pub errors: f64,
    /// What happens to a picture.
    pub attack: Attack,
    /// Worker threads; 0 takes one for each processor.
    pub threads: usize,
}

/// What is known after a step.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Record {
    /// Steps taken.
    pub step: u64,
    /// Cross-entropy of the bits.
    pub loss: f64,
    /// Share of wrong bits, smoothed over a hundred steps.
    pub errors: f64,
    /// Peak signal-to-noise ratio of the pictures of this step, in decibels.
    pub psnr: f64,
    /// Weight of the changes in the loss.
    pub weight: f64,
}

/// What steers the weight of the changes; saved with the state.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Steering {
    /// Weight of the changes.
    pub weight: f64,
    /// Share of wrong bits, smoothed.
    pub errors: f64,
}

/// A training of any of the models, as one follows it, saves it and goes on with it.
pub trait Course {
    /// Its settings as TOML.
    ///
    /// # Errors
    /// None, as settings are.
    fn config(&self) -> Result<String, toml::ser::Error>;
    /// The seed of everything that is drawn.
    fn seed(&self) -> u32;
    /// Steps of all.
    fn steps(&self) -> u64;
    /// Names and shapes of the weights.
    fn params(&self) -> &[Param];
    /// Weights and the optimizer's state.
    fn state(&self) -> &State;
    /// What steers the weight of the changes.
    fn steering(&self) -> Steering;
    /// Goes on from a saved state, bit by bit as if there had been no interruption.
    fn restore(&mut self, state: State, steering: Steering);
    /// Takes a step.
    ///
    /// # Errors
    /// Errors of the engine; a loss that is not finite is reported as it is.
    fn advance(&mut self) -> Result<Record>;

    /// Whether all steps have been taken.
    fn is_done(&self) -> bool {
        self.state().step >= self.steps()
    }
}

/// A training in progress.
pub struct Training {
    settings: Settings,
    step: Step,
    /// Writes, for what is done to pictures outside of the graph.
    writer: Option<Function>,
    state: State,
    steering: Steering,
}

/// The inputs of a step.
struct Batch {
    pictures: Vec<f32>,
    bits: Vec<f32>,
    margin: Vec<f32>,
}

impl Training {
    /// Compiles the step and initialises the networks.
    ///
    /// # Errors
    /// Errors of the engine.
    pub fn new(settings: &Settings) -> Result<Training> {
        let optimizer = Optimizer::adam();
        let step = compile(settings)?;
        let mut state = State::new(step.params(), &optimizer, settings.seed);
        settings.layout.begin(step.params(), &mut state.params);
        let writer = match settings.attack {
            Attack::Noise => None,
            Attack::Saving => {
                let cx = Context::new(DType::F32, true);
                let [x, bits, margin] = inputs(&cx, settings);
                let written = written(&cx, settings, &x, &bits, &margin);
                settings.layout.read(&cx, &written); // all parameters, in the same order
                Some(Function::compile(&cx, &[&written], settings.threads)?)
            }
        };
        Ok(Training { settings: settings.clone(), step, writer, state, steering: Steering { weight: 3e-3, errors: settings.errors } })
    }

    /// The weight of the changes rises while fewer bits than allowed are wrong, and falls faster while more are.
    fn steer(&mut self, errors: f64) {
        let s = &mut self.steering;
        s.errors += (errors - s.errors) * if self.state.step < 100 { 0.1 } else { 0.02 };
        let factor = if s.errors < self.settings.errors { 1.01 } else { 0.99 };
        s.weight = (s.weight * factor).clamp(1e-5, 10.0);
    }
}

impl Course for Training {
    fn config(&self) -> Result<String, toml::ser::Error> {
        toml::to_string(&self.settings)
    }

    fn seed(&self) -> u32 {
        self.settings.seed
    }

    fn steps(&self) -> u64 {
        self.settings.steps
    }

    fn params(&self) -> &[Param] {
        self.step.params()
    }

    fn state(&self) -> &State {
        &self.state
    }

    fn steering(&self) -> Steering {
        self.steering
    }

    fn restore(&mut self, state: State, steering: Steering) {
        (self.state, self.steering) = (state, steering);
    }

    fn advance(&mut self) -> Result<Record> {
        let s = &self.settings;
        let random = &mut Random::new(u64::from(s.seed), self.state.step);
        let batch = draw(s, random);
        let written = match &mut self.writer {
            Some(f) => f.run(&self.state.params, &[Arg::F32(&batch.pictures), Arg::F32(&batch.bits), Arg::F32(&batch.margin)])?.remove(0),
            None => vec![0.0; batch.pictures.len()],
        };
        let side = (s.cells + 2 * HALO) * s.layout.cell;
        let mut harm = vec![0.0; written.len()];
        let picture = side * side * 3;
        for (h, w) in harm.chunks_exact_mut(picture).zip(written.chunks_exact(picture)) {
            s.attack.harm(random, w, s.layout.cell, side, h);
        }
        let weight = vec![self.steering.weight as f32; s.batch];
        let data = [&batch.pictures, &batch.bits, &batch.margin, &harm, &weight].map(|v| Arg::F32(v));
        let done = self.state.step as f64 / s.steps as f64;
        let rate = s.learning_rate * (1.0 / 30.0 + (29.0 / 60.0) * (1.0 + (std::f64::consts::PI * done).cos()));
        let reports = self.step.run(&mut self.state, rate, &data)?;
        let [loss, errors, square] = [0, 1, 2].map(|i| reports.get(i).map_or(f64::NAN, |&x| f64::from(x)));
        self.steer(errors);
        let psnr = 20.0 * 255f64.log10() - 10.0 * square.log10();
        Ok(Record { step: self.state.step, loss, errors: self.steering.errors, psnr, weight: self.steering.weight })
    }
}

/// Pictures, bits (half of the pictures carry fewer than they could) and margins.
fn draw(s: &Settings, random: &mut Random) -> Batch {
    let side = s.cells + 2 * HALO;
    let bits = s.cells * s.cells * s.layout.bits;
    let mut batch = Batch { pictures: vec![], bits: vec![], margin: vec![s.margin; s.batch * bits] };
    for _ in 0..s.batch {
        let pixels = cover(random, side * s.layout.cell);
        let size = side * s.layout.cell;
        batch.pictures.extend((0..pixels.len()).map(|i| f32::from(pixels[place(i, s.layout.cell, size)])));
        let share = [1.0, 1.0, 0.5, 0.1][random.below(4)];
        let cells = (0..s.cells * s.cells).map(|_| random.unit_f32() < share).collect::<Vec<_>>();
        let bit = |used: bool, random: &mut Random| if used { [1.0, -1.0][random.below(2)] } else { 0.0 };
        for used in cells {
            batch.bits.extend((0..s.layout.bits).map(|_| bit(used, random)));
        }
    }
    batch
}

/// Pictures, bits and margins as inputs.
fn inputs(cx: &Context, s: &Settings) -> [Tensor; 3] {
    let side = s.cells + 2 * HALO;
    let bits = [s.batch, s.cells, s.cells, s.layout.bits];
    [
        cx.input("pictures", DType::F32, &[s.batch, side, side, s.layout.numbers()]),
        cx.input("bits", DType::F32, &bits),
        cx.input("margin", DType::F32, &bits),
    ]
}

fn written(cx: &Context, s: &Settings, x: &Tensor, bits: &Tensor, margin: &Tensor) -> Tensor {
    (0..s.passes).fold(x.clone(), |x, _| s.layout.write(cx, &x, bits, margin, s.strength))
}

/// The step: cross-entropy of the bits, and the changes, which are seen most where a picture is smooth.
fn compile(s: &Settings) -> Result<Step> {
    let cx = Context::new(DType::F32, true);
    let [x, bits, margin] = inputs(&cx, s);
    let harm = cx.input("harm", DType::F32, x.shape());
    let weight = cx.input("weight", DType::F32, &[s.batch]);
    let written = written(&cx, s, &x, &bits, &margin);
    let logits = s.layout.read(&cx, &(&written + harm));
    let used = bits.abs();
    let count = used.sum_all() + 1e-6;
    let right = &bits * &logits;
    // A bit that is hopelessly wrong pulls no harder than others.
    let right = (&right * (1.0 / HOPELESS)).tanh() * HOPELESS;
    let entropy = (&right * -1.0).relu() + (right.abs() * -1.0).exp().log1p();
    let loss = (entropy * &used).sum_all() / &count;
    let wrong = (right.full_like(0.5) - right.sign() * 0.5) * &used;
    let errors = wrong.sum_all() / &count;
    let change = (&written - &x).square();
    let [n, h, w] = [0, 1, 2].map(|i| x.shape()[i]);
    let pixels = x.reshape(&[n, h, w, s.layout.cell * s.layout.cell, 3]);
    let detail = (&pixels - pixels.mean(&[3]).reshape(&[n, h, w, 1, 3])).square().mean(&[3, 4]).sqrt();
    let seen = (detail * (1.0 / SMOOTH) + 1.0).powf(-1.0).stop_gradient();
    let seen_change = (change.mean(&[3]) * seen).mean(&[1, 2]);
    let total = &loss + (seen_change * weight).mean_all();
    // Each bit that is carried costs; pictures that carry few change little. PSNR is that of full pictures: changes per bit.
    let full = used.full_like(1.0).sum_all();
    let square = change.mean_all() * full / count * (h as f64 / (h - 2) as f64).powi(2);
    Ok(Step::compile(&cx, &total, &[&loss, &errors, &square], &Optimizer::adam(), s.threads)?)
}

/// Logit beyond which a bit hardly counts more.
const HOPELESS: f64 = 8.0;

/// Grey levels of detail (root mean square within a cell) that hide half of a change.
const SMOOTH: f64 = 6.0;
