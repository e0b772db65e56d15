//! A small network on points of the plane, trained by [`neurona::Trainer`] as any other: its decision everywhere, what each of
//! its neurons sees, and how both change while it learns.
//!
//! ```
//! use lessons::playground::{Playground, Points, Settings};
//! let points = Points::draw("xor", 200, 0.0, 1)?;
//! let mut net = Playground::new(&points, &Settings { hidden: vec![6], learning_rate: 0.05, ..Settings::default() })?;
//! let epochs = net.train(30)?;
//! assert!(epochs.last().unwrap().test.accuracy > 0.95);
//! let maps = net.maps(20)?;
//! assert_eq!((maps.layers[0].len(), maps.decision[0].len()), (6, 400));
//! # Ok::<(), neurona::Error>(())
//! ```

mod explore;
mod features;
mod maps;
mod points;

pub use explore::{Run, explore};
pub use features::Feature;
pub use maps::{Maps, Parameters};
pub use points::{KINDS, MAX_CLASSES, MAX_POINTS, Points};

use features::Frame;
use neurona::prelude::*;
use neurona::report::Confusion;
use neurona::{Error, Rows, shuffled};
use serde::Serialize;

/// Most hidden layers, and neurons in each.
pub const MAX_LAYERS: usize = 6;
/// Most neurons of a hidden layer.
pub const MAX_UNITS: usize = 32;
/// Most epochs.
pub const MAX_EPOCHS: usize = 10_000;

/// The network and how it is trained.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Settings {
    /// Neurons of each hidden layer.
    pub hidden: Vec<usize>,
    /// Of the hidden neurons.
    pub activation: Activation,
    /// What the network is given of each point.
    pub features: Vec<Feature>,
    /// The rule of a step.
    pub optimizer: Optimizer,
    /// Size of a step.
    pub learning_rate: f64,
    /// Points a step.
    pub batch: usize,
    /// Share of the points that is kept for the test.
    pub test_share: f64,
    /// Decides the first weights, the order and the split.
    pub seed: u32,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            hidden: vec![8, 8],
            activation: Activation::Tanh,
            features: vec![Feature::X, Feature::Y],
            optimizer: Optimizer::adam(),
            learning_rate: 0.01,
            batch: 16,
            test_share: 0.3,
            seed: 1,
        }
    }
}

impl Settings {
    fn check(&self) -> Result<(), Error> {
        let wrong = |what: &str, why: String, fix: String| Err(config(what, why, fix));
        match self {
            s if s.hidden.len() > MAX_LAYERS || s.hidden.iter().any(|n| !(1..=MAX_UNITS).contains(n)) => {
                wrong("hidden", format!("{:?}", s.hidden), format!("use at most {MAX_LAYERS} layers of 1 to {MAX_UNITS} neurons"))
            }
            s if s.features.is_empty() => wrong("features", "none".into(), "use for example x,y".into()),
            s if s.activation == Activation::Softmax || s.activation == Activation::Step => {
                wrong("activation", "no gradient passes it".into(), "use for example tanh or relu".into())
            }
            s if !(0.0..0.9).contains(&s.test_share) => {
                wrong("test", format!("{} is no share", s.test_share), "use 0 to below 0.9, for example 0.3".into())
            }
            _ => Ok(()),
        }
    }
}

/// Loss and accuracy over some points.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[allow(missing_docs)] // the names say it
pub struct Score {
    pub loss: f64,
    pub accuracy: f64,
}

/// One pass over the training points.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Epoch {
    /// From 1.
    pub epoch: usize,
    /// Means over the epoch, each point before the step that it took part in.
    pub train: Score,
    /// After the epoch; that of training if no points are kept for the test.
    pub test: Score,
}

/// Points as arrays.
struct Set {
    inputs: Vec<f32>,
    yes: Vec<f32>,
    labels: Vec<i32>,
}

/// A network in training.
pub struct Playground {
    frame: Frame,
    trainer: Trainer<Sequential>,
    settings: Settings,
    classes: usize,
    train: Set,
    test: Set,
    /// Which of the points are kept for the test.
    held_out: Vec<bool>,
    done: usize,
}

impl Playground {
    /// A network with its first weights.
    ///
    /// # Errors
    /// Settings that cannot be used.
    pub fn new(points: &Points, settings: &Settings) -> Result<Playground, Error> {
        settings.check()?;
        let (classes, frame) = (points.classes.len(), Frame::new(points, &settings.features));
        let outputs = if classes == 2 { 1 } else { classes };
        let model = settings
            .hidden
            .iter()
            .fold(Sequential::new(&[settings.features.len()]), |m, &n| m.layer(Dense::new(n).activation(settings.activation)));
        let mut trainer = Trainer::compile(model.layer(Dense::new(outputs)), loss(classes), settings.optimizer, &[Metric::Accuracy]);
        trainer.build(&[Type::new(DType::F32, [settings.features.len()])], settings.seed)?;
        let order = shuffled(points.at.len() as u32, settings.seed, u32::MAX);
        let kept = (settings.test_share * points.at.len() as f64).round() as usize;
        let (test, train) = order.split_at(kept.min(points.at.len().saturating_sub(2)));
        let mut held_out = vec![false; points.at.len()];
        test.iter().for_each(|&i| held_out[i as usize] = true);
        let set = |rows: &[u32]| {
            let label = |&i: &u32| points.class[i as usize];
            Set {
                inputs: rows.iter().flat_map(|&i| frame.inputs(points.at[i as usize])).collect(),
                yes: rows.iter().map(|i| label(i) as f32).collect(),
                labels: rows.iter().map(|i| label(i) as i32).collect(),
            }
        };
        let (train, test) = (set(train), set(test));
        Ok(Playground { frame, trainer, settings: settings.clone(), classes, train, test, held_out, done: 0 })
    }

    /// Which of the points are kept for the test, in the order of the points.
    pub fn held_out(&self) -> &[bool] {
        &self.held_out
    }

    /// Steps of an epoch: points over batch size, rounded up.
    pub fn iterations(&self) -> usize {
        self.train.labels.len().div_ceil(self.settings.batch.max(1))
    }

    /// Epochs so far.
    pub fn epochs(&self) -> usize {
        self.done
    }

    /// Trains for some more epochs.
    ///
    /// # Errors
    /// Settings of the training that cannot be used; a training that diverges; more than [`MAX_EPOCHS`] in all.
    pub fn train(&mut self, epochs: usize) -> Result<Vec<Epoch>, Error> {
        if epochs == 0 || self.done + epochs > MAX_EPOCHS {
            return Err(config("epochs", (self.done + epochs).to_string(), format!("use 1 to {MAX_EPOCHS}")));
        }
        let (train, test) = (
            batches(&self.train, self.settings.features.len(), self.classes),
            batches(&self.test, self.settings.features.len(), self.classes),
        );
        let options = FitOptions {
            epochs: self.done + epochs,
            batch: self.settings.batch,
            learning_rate: self.settings.learning_rate,
            validation: (!self.test.labels.is_empty()).then_some(&test),
            seed: self.settings.seed,
            start: Position { epoch: self.done, ..Position::default() },
            threads: 1,
            ..FitOptions::default()
        };
        let history = self.trainer.fit(&train, &options, &mut ())?;
        self.done += epochs;
        let score = |s: &Scores| Score { loss: s.loss, accuracy: s.get(Metric::Accuracy).unwrap_or(f64::NAN) };
        let one =
            |e: &EpochReport| Epoch { epoch: e.epoch, train: score(&e.train), test: score(e.validation.as_ref().unwrap_or(&e.train)) };
        Ok(history.epochs.iter().map(one).collect())
    }

    /// How often each class is taken for each other, over the points kept for the test (else those of the training).
    ///
    /// # Errors
    /// None that a user causes.
    pub fn confusion(&mut self) -> Result<Confusion, Error> {
        let set = if self.test.labels.is_empty() { &self.train } else { &self.test };
        let prediction = self.trainer.predict(&[Rows::f32(&set.inputs, &[self.settings.features.len()])], 256)?;
        Confusion::of(&prediction, &set.labels, &loss(self.classes))
    }
}

/// Two classes are one logit, more are one each.
fn loss(classes: usize) -> Loss {
    match classes {
        2 => Loss::BinaryCrossEntropy { from_logits: true },
        _ => Loss::SparseCategoricalCrossEntropy { from_logits: true },
    }
}

fn batches(set: &Set, width: usize, classes: usize) -> Batches<'_> {
    let target = if classes == 2 { Rows::f32(&set.yes, &[1]) } else { Rows::labels(&set.labels) };
    Batches::new(Rows::f32(&set.inputs, &[width]), target)
}

/// A setting that cannot be used.
fn config(what: &str, why: impl Into<String>, fix: impl Into<String>) -> Error {
    Error::Config { what: what.into(), why: why.into(), fix: fix.into() }
}

/// Points that cannot be used.
fn data(place: impl Into<String>, why: impl Into<String>, fix: impl Into<String>) -> Error {
    Error::Data { place: place.into(), why: why.into(), fix: fix.into() }
}
