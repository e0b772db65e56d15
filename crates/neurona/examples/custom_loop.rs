//! A training loop of one's own: trace a model, compile a step, run it. The loss here is none of the
//! library's: a curve is fitted together with its slope, which is a derivative inside the loss.
//!
//!     cargo run -p neurona --example custom_loop

use neurona::prelude::*;
use neurona::{Arg, Step, diff};

fn main() -> Result<(), neurona::Error> {
    const ROWS: usize = 32;
    let cx = Context::new(DType::F32, true);
    let x = cx.input("x", DType::F32, &[ROWS, 1]);
    let curve = cx.input("curve", DType::F32, &[ROWS, 1]);
    let slope = cx.input("slope", DType::F32, &[ROWS, 1]);

    let model = Sequential::new(&[1]).layer(Dense::new(16).activation(Activation::Tanh)).layer(Dense::new(1));
    let y = model.forward(&cx, &x);
    let dy = diff::grad(&y, &[&x]).remove(0); // row by row: each y depends on its own x alone
    let value_error = (y - curve).square().mean_all();
    let slope_error = (dy - slope).square().mean_all();
    let loss = &value_error + &slope_error;

    let optimizer = Optimizer::adam();
    let mut step = Step::compile(&cx, &loss, &[&value_error, &slope_error], &optimizer, 0)?;
    let mut state = State::new(step.params(), &optimizer, 7);

    let xs: Vec<f32> = (0..ROWS).map(|i| i as f32 / (ROWS - 1) as f32 * 4.0 - 2.0).collect();
    let curve: Vec<f32> = xs.iter().map(|x| x.sin()).collect();
    let slope: Vec<f32> = xs.iter().map(|x| x.cos()).collect();
    for i in 1..=300 {
        let errors = step.run(&mut state, 0.02, &[Arg::F32(&xs), Arg::F32(&curve), Arg::F32(&slope)])?;
        if i % 50 == 0 {
            println!("step {i:3}  values {:.2e}  slopes {:.2e}", errors[0], errors[1]);
        }
    }
    Ok(())
}
