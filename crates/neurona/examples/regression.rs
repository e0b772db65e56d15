//! Regression: a noisy curve, with validation data, early stopping and a report.
//!
//!     cargo run -p neurona --example regression

use neurona::callbacks::{Callbacks, EarlyStopping, Monitor, ReduceOnPlateau};
use neurona::prelude::*;
use neurona::report;

/// sin 3x + x/2 with some noise, at `rows` places from −2 to 2.
fn curve(rows: usize, salt: f32) -> (Vec<f32>, Vec<f32>) {
    let place = |i: usize| ((i as f32 + salt) * 0.618_034).fract() * 4.0 - 2.0;
    let noise = |i: usize| 0.1 * ((i as f32 + salt) * 91.7).sin();
    (0..rows).map(|i| (place(i), (3.0 * place(i)).sin() + 0.5 * place(i) + noise(i))).unzip()
}

fn main() -> Result<(), neurona::Error> {
    let ((x, y), (vx, vy)) = (curve(400, 0.0), curve(100, 0.5));
    let train = Batches::new(Rows::f32(&x, &[1]), Rows::f32(&y, &[1]));
    let validation = Batches::new(Rows::f32(&vx, &[1]), Rows::f32(&vy, &[1]));

    let dense = |units| Dense::new(units).activation(Activation::Tanh);
    let model = Sequential::new(&[1]).layer(dense(32)).layer(dense(32)).layer(Dense::new(1));
    let mut trainer = Trainer::compile(model, Loss::Mse, Optimizer::adam(), &[Metric::Mae]);

    let mut stop = EarlyStopping::new(Monitor::ValidationLoss, 30).restore_best();
    let mut slow = ReduceOnPlateau::new(Monitor::ValidationLoss, 10).factor(0.5);
    let options =
        FitOptions { epochs: 500, batch: 32, learning_rate: 0.01, validation: Some(&validation), seed: 1, ..FitOptions::default() };
    let history = trainer.fit(&train, &options, &mut Callbacks::new().with(&mut stop).with(&mut slow))?;
    for e in history.epochs.iter().step_by(20) {
        let v = e.validation.as_ref().map_or(f64::NAN, |v| v.loss);
        println!("epoch {:3}  loss {:.4}  validation {v:.4}  learning rate {:.1e}", e.epoch, e.train.loss, e.learning_rate);
    }
    if let Some(why) = stop.stopped() {
        println!("{why}");
    }
    let p = trainer.predict(&[Rows::f32(&vx, &[1])], 100)?;
    let fit = &report::fit(&p.data, &vy, 1)?[0];
    println!("mean error {:.3}, root mean square {:.3}, largest {:.3}, R² {:.4}", fit.mae, fit.rmse, fit.worst, fit.r2.unwrap_or(f64::NAN));
    Ok(())
}
