//! The smallest training: exclusive or, which a single perceptron cannot learn.
//!
//!     cargo run -p neurona --example xor

use neurona::prelude::*;
use std::ops::ControlFlow;

fn main() -> Result<(), neurona::Error> {
    let x = [0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0];
    let y = [0.0, 1.0, 1.0, 0.0];
    let data = Batches::new(Rows::f32(&x, &[2]), Rows::f32(&y, &[1]));

    let model =
        Sequential::new(&[2]).layer(Dense::new(8).activation(Activation::Tanh)).layer(Dense::new(1).activation(Activation::Sigmoid));
    println!("{}", Summary::new(&model)?);

    let mut trainer =
        Trainer::compile(model, Loss::BinaryCrossEntropy { from_logits: false }, Optimizer::adam(), &[Metric::BinaryAccuracy]);
    let options = FitOptions { epochs: 200, batch: 4, learning_rate: 0.1, seed: 1, ..FitOptions::default() };
    let mut show = |e: &EpochReport| {
        if e.epoch.is_multiple_of(20) {
            println!("epoch {:3}  loss {:.4}", e.epoch, e.train.loss);
        }
        ControlFlow::Continue(())
    };
    trainer.fit(&data, &options, &mut show)?;

    let p = trainer.predict(&[Rows::f32(&x, &[2])], 4)?;
    for (row, p) in x.chunks(2).zip(&p.data) {
        println!("{} xor {} = {p:.3}", row[0], row[1]);
    }
    Ok(())
}
