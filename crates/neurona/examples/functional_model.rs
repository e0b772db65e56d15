//! Models that are no plain stacks: a closure with two inputs and a shared layer, and the same kind of
//! branches written as layers.
//!
//!     cargo run -p neurona --example functional_model

use neurona::prelude::*;

/// Whether two points are near each other, learned by comparing what one shared encoder makes of them.
fn siblings(cx: &Context, x: &[Tensor]) -> Tensor {
    let encode = |x: &Tensor| {
        let hidden = cx.layer("encoder_1", || Dense::new(16).activation(Activation::Relu).forward(cx, x));
        cx.layer("encoder_2", || Dense::new(8).forward(cx, &hidden))
    };
    let distance = (encode(&x[0]) - encode(&x[1])).square();
    cx.layer("near", || Dense::new(1).forward(cx, &distance))
}

fn main() -> Result<(), neurona::Error> {
    let place = |i: usize, step: f32| (i as f32 * step).fract() * 2.0 - 1.0;
    let a: Vec<f32> = (0..500).flat_map(|i| [place(i, 0.618), place(i, 0.755)]).collect();
    let b: Vec<f32> = (0..500).flat_map(|i| [place(i, 0.414), place(i, 0.302)]).collect();
    let near: Vec<f32> = a.chunks(2).zip(b.chunks(2)).map(|(a, b)| f32::from(u8::from((a[0] - b[0]).hypot(a[1] - b[1]) < 0.9))).collect();
    let inputs = vec![Rows::f32(&a, &[2]), Rows::f32(&b, &[2])];
    let data = Batches::with_inputs(inputs, Rows::f32(&near, &[1]));
    let loss = Loss::BinaryCrossEntropy { from_logits: true };
    let mut trainer = Trainer::compile(siblings, loss, Optimizer::adam(), &[Metric::BinaryAccuracy]);
    let options = FitOptions { epochs: 60, batch: 50, learning_rate: 0.01, seed: 1, ..FitOptions::default() };
    let history = trainer.fit(&data, &options, &mut ())?;
    println!("siblings: {:?}", history.epochs[59].train);
    println!("shared parameters: {:?}", trainer.params().iter().map(|p| p.name.as_str()).collect::<Vec<_>>());

    // Branches and residuals need no closure: they can be written in a file.
    let model = Sequential::new(&[16, 16, 1])
        .layer(Conv2d::new(8, 3).same())
        .layer(Residual::new().layer(BatchNorm::new()).layer(Activation::Relu).layer(Conv2d::new(16, 3).stride(2).same()))
        .layer(Concat::new().branch([Conv2d::new(4, 1).into()]).branch([Conv2d::new(4, 3).same().into()]).branch([]))
        .layer(GlobalAveragePool2d::new())
        .layer(Dense::new(10));
    println!("{}", Summary::new(&model)?);
    Ok(())
}
