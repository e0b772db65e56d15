//! Trains the network that comes with this crate, on drawings that the crate makes: the same weights from the same seed, with any
//! number of threads. Then says how good it is on made drawings it has not seen, and on a file of drawings by people.
//!
//!     cargo run --release -p neurona-doodle --example built_in -- apps/doodle/data/doodler.safetensors [drawings.ndjson]

use doodle::lesson::{Lesson, Preset, Selection};
use doodle::{Art, Doodler, Reader, judge, made};
use neurona::data::{DataConfig, Targets, load};
use neurona::{Augment, EpochReport, FitOptions, Loss, Metric, Objective, Optimizer, Schedule, Trainer};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// Drawings of each class, and further forms of each.
const EACH: usize = 400;
const FORMS: usize = 1;
const SEED: u64 = 1;

/// What the training file says of the training.
#[derive(Deserialize)]
struct Settings {
    epochs: usize,
    batch: usize,
    learning_rate: f64,
    schedule: Schedule,
    warmup: f64,
    optimizer: Optimizer,
    label_smoothing: f64,
    augment: Augment,
    data: DataConfig,
}

/// A line for each epoch.
fn log(report: &EpochReport) -> ControlFlow<()> {
    let accuracy = |s: &neurona::Scores| s.get(Metric::Accuracy).unwrap_or(f64::NAN);
    let validation = report.validation.as_ref().map_or(f64::NAN, accuracy);
    eprintln!("epoch {}: loss {:.4}, accuracy {:.4}, validation {validation:.4}", report.epoch, report.train.loss, accuracy(&report.train));
    ControlFlow::Continue(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let out = PathBuf::from(args.next().ok_or("which file is to be written?")?);
    let folder = std::env::temp_dir().join(format!("neurona-doodle-{}", std::process::id()));
    std::fs::create_dir_all(folder.join("data"))?;
    let mut lesson = Lesson::begin(&folder.join("data"), Selection { per_class: EACH, forms: FORMS, recognized: false, seed: SEED })?;
    lesson.add_made(EACH, |_| true)?;
    let taken = lesson.finish()?;
    eprintln!("{taken:?}");
    let settings: Settings = toml::from_str(Preset::SMALL.file)?;
    let data = load(&settings.data, &folder)?;
    std::fs::remove_dir_all(&folder)?;
    let model = Preset::SMALL.model(taken.classes.len())?;
    let loss = Loss::SparseCategoricalCrossEntropy { from_logits: true };
    let objective = Objective { label_smoothing: settings.label_smoothing, ..Objective::from(loss) };
    let mut trainer = Trainer::compile(model, objective, settings.optimizer, &[Metric::Accuracy]);
    let validation = data.validation.as_ref().ok_or("no validation")?;
    let options = FitOptions {
        epochs: settings.epochs,
        batch: settings.batch,
        learning_rate: settings.learning_rate,
        schedule: settings.schedule,
        warmup: settings.warmup,
        augment: Some(settings.augment),
        validation: Some(&validation.batches()),
        seed: SEED as u32,
        ..FitOptions::default()
    };
    trainer.fit(&data.train.batches(), &options, &mut log)?;
    std::fs::create_dir_all(out.parent().unwrap_or(Path::new(".")))?;
    trainer.save_weights(&out, &BTreeMap::new())?;
    let weights = std::fs::read(&out)?;
    // The temperature is found with drawings that were not learnt from, and goes into the file.
    let mut doodler = fresh(&out, &weights, &taken.classes, 1.0)?;
    let (pixels, labels) = rows(validation)?;
    // Made drawings are easier than those of people: they are no reason to be surer than the outputs are.
    let temperature = doodler.calibrate(&pixels, &labels)?.max(1.0);
    let mut doodler = fresh(&out, &weights, &taken.classes, temperature)?;
    trainer.save_weights(&out, &BTreeMap::from([("temperature".into(), temperature.to_string())]))?;
    let (pixels, labels) = rows(data.test.as_ref().ok_or("no test")?)?;
    let q = judge::quality(&mut doodler, &pixels, &labels, |_| true)?;
    println!("temperature {temperature:.3}");
    println!("made drawings: {} of {} right, among three {:.4}", 1.0 - q.mistakes.len() as f64 / q.drawings as f64, q.drawings, q.top[1]);
    for path in args {
        by_people(&mut doodler, Path::new(&path))?;
    }
    Ok(())
}

/// The network of weights in a file.
fn fresh(path: &Path, weights: &[u8], classes: &[String], temperature: f64) -> Result<Doodler, Box<dyn std::error::Error>> {
    let mut trainer = Trainer::compile(Preset::SMALL.model(classes.len())?, Loss::Mse, Optimizer::Sgd, &[]);
    trainer.parse_weights(path, weights)?;
    Ok(Doodler::new(trainer, classes.to_vec(), temperature)?)
}

/// The pixels and the classes of a part of the data.
fn rows(set: &neurona::data::Dataset) -> Result<(Vec<u8>, Vec<usize>), Box<dyn std::error::Error>> {
    let Targets::Classes { labels, .. } = &set.targets else { return Err("no classes".into()) };
    let pixels = set.x.read_rows(0, set.len())?;
    Ok((pixels.data.iter().map(|v| (v * 255.0).round() as u8).collect(), labels.iter().map(|&l| l as usize).collect()))
}

fn by_people(doodler: &mut Doodler, path: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let (mut pixels, mut labels) = (vec![], vec![]);
    for sample in Reader::open(path)? {
        let sample = sample?;
        let class = made::CLASSES.iter().position(|c| Some(*c) == sample.word.as_deref());
        if let (Some(class), Art::Strokes(strokes)) = (class, &sample.art) {
            pixels.extend(doodle::bitmap(strokes));
            labels.push(class);
        }
    }
    let q = judge::quality(doodler, &pixels, &labels, |_| true)?;
    println!(
        "{}: {:.4} of {} drawings by people right, among three {:.4}, among five {:.4}",
        path.display(),
        q.top[0],
        q.drawings,
        q.top[1],
        q.top[2]
    );
    println!("sure of {:.4}, right then {:.4}; calibration error {:.4}", q.sure[0], q.sure[1], q.calibration_error);
    for (class, line) in made::CLASSES.iter().zip(&q.confusion) {
        let all: usize = line.iter().sum();
        let mut taken: Vec<_> = line.iter().enumerate().filter(|(_, n)| **n > 0).map(|(i, n)| (*n, made::CLASSES[i])).collect();
        taken.sort_by(|a, b| b.cmp(a));
        println!("{class} ({all}): {}", taken.iter().take(4).map(|(n, c)| format!("{c} {n}")).collect::<Vec<_>>().join(", "));
    }
    Ok(())
}
