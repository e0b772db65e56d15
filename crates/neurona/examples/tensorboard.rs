//! Writes event files for TensorBoard: known numbers, and a small training.
//!
//!     cargo run -p neurona --example tensorboard -- runs/xor
//!     tensorboard --logdir runs/xor

use neurona::prelude::*;
use neurona::tensorboard::{EventWriter, TensorBoard};
use std::path::Path;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).ok_or("give the folder to write to: tensorboard DIR")?;
    let folder = Path::new(&folder);

    let mut events = EventWriter::create(&folder.join("known"))?;
    for step in 0..5 {
        events.scalar("square", step, (step * step) as f64 / 4.0)?;
        let values: Vec<f32> = (0..=100).map(|i| i as f32 / 100.0 * (step + 1) as f32).collect();
        events.histogram("ramp", step, &values)?;
    }
    events.flush()?;

    let data = Batches::new(Rows::f32(&[0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0], &[2]), Rows::f32(&[0.0, 1.0, 1.0, 0.0], &[1]));
    let model = Sequential::new(&[2]).layer(Dense::new(8).activation(Activation::Tanh)).layer(Dense::new(1));
    let loss = Loss::BinaryCrossEntropy { from_logits: true };
    let mut trainer = Trainer::compile(model, loss, Optimizer::adam(), &[Metric::BinaryAccuracy]);
    let options = FitOptions { epochs: 30, batch: 4, learning_rate: 0.1, validation: Some(&data), ..FitOptions::default() };
    let mut board = TensorBoard::create(&folder.join("training"), true)?;
    let history = trainer.fit(&data, &options, &mut board)?;
    board.finish()?;
    for e in &history.epochs {
        println!("{} {}", e.epoch, e.train.loss as f32); // for comparison with what TensorBoard reads
    }
    Ok(())
}
