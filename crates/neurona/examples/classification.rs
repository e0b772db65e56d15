//! Classification: three spirals, with a learning rate found by the range test and a confusion matrix.
//!
//!     cargo run -p neurona --example classification

use neurona::prelude::*;
use neurona::report::{Confusion, interval};
use neurona::{Clip, RateRange, Update, lr_find};

const CLASSES: usize = 3;

/// Points along spirals, one for each class, with some noise.
fn spirals(rows: usize, salt: f32) -> (Vec<f32>, Vec<i32>) {
    let mut points = vec![];
    let labels: Vec<i32> = (0..rows).map(|i| (i % CLASSES) as i32).collect();
    for (i, &label) in labels.iter().enumerate() {
        let along = ((i as f32 + salt) * 0.618_034).fract();
        let noise = 0.25 * ((i as f32 + salt) * 57.3).sin();
        let angle = 4.5 * along + label as f32 * std::f32::consts::TAU / CLASSES as f32 + noise;
        points.extend([along * angle.cos(), along * angle.sin()]);
    }
    (points, labels)
}

fn main() -> Result<(), neurona::Error> {
    let ((x, y), (tx, ty)) = (spirals(900, 0.0), spirals(300, 0.37));
    let train = Batches::new(Rows::f32(&x, &[2]), Rows::labels(&y));

    let model = Sequential::new(&[2])
        .layer(Dense::new(64))
        .layer(BatchNorm::new())
        .layer(Activation::Relu)
        .layer(Dense::new(64).activation(Activation::Relu))
        .layer(Dense::new(CLASSES));
    let loss = Loss::SparseCategoricalCrossEntropy { from_logits: true };
    let rule = Update::from(Optimizer::adam()).clip(Clip::Norm(1.0)).weight_decay(0.01);
    let mut trainer = Trainer::compile(model, loss, rule, &[Metric::Accuracy, Metric::TopAccuracy(2)]);

    let options =
        FitOptions { epochs: 60, batch: 64, seed: 2, schedule: Schedule::Cosine { end: 0.01 }, warmup: 1.0, ..FitOptions::default() };
    let curve = lr_find(&mut trainer, &train, &options, &RateRange::default())?;
    println!("{}", curve.reason);
    let learning_rate = curve.suggestion.unwrap_or(1e-2);
    let history = trainer.fit(&train, &FitOptions { learning_rate, ..options }, &mut ())?;
    for e in history.epochs.iter().step_by(10) {
        println!("epoch {:2}  loss {:.4}  accuracy {:.3}", e.epoch, e.train.loss, e.train.metrics[0].1);
    }

    let confusion = Confusion::of(&trainer.predict(&[Rows::f32(&tx, &[2])], 300)?, &ty, &loss)?;
    let (centre, half) = interval(confusion.accuracy(), confusion.total());
    println!("test accuracy {:.3} (95 %: {:.3} to {:.3})", confusion.accuracy(), centre - half, centre + half);
    for c in 0..CLASSES {
        let s = confusion.class(c);
        let row: Vec<u64> = (0..CLASSES).map(|p| confusion.get(c, p)).collect();
        println!("class {c}: predicted as {row:?}  precision {:.3}  recall {:.3}  F1 {:.3}", s.precision, s.recall, s.f1);
    }
    Ok(())
}
