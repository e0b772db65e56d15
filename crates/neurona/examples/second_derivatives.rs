//! Derivatives of derivatives: a network solves y″ = −y, y(0) = 0, y′(0) = 1 without any data, since its
//! second derivative is part of the loss, and L-BFGS takes it to the last digits.
//!
//!     cargo run -p neurona --example second_derivatives

use neurona::lbfgs::{Gradient, Lbfgs};
use neurona::prelude::*;
use neurona::{Arg, diff};

const PLACES: usize = 64;

fn main() -> Result<(), neurona::Error> {
    let cx = Context::new(DType::F64, true);
    let x = cx.input("x", DType::F64, &[PLACES, 1]);
    let network = Sequential::new(&[1]).layer(Dense::new(16).activation(Activation::Tanh)).layer(Dense::new(1));
    // The conditions at 0 hold by construction, whatever the network says.
    let y = &x + x.square() * network.forward(&cx, &x);
    let slope = diff::grad(&y, &[&x]).remove(0);
    let bend = diff::grad(&slope, &[&x]).remove(0);
    let loss = (&bend + &y).square().mean_all();

    let mut f = Gradient::compile(&cx, &loss, 0)?;
    let places: Vec<f64> = (0..PLACES).map(|i| i as f64 / (PLACES - 1) as f64 * 2.0 * std::f64::consts::PI).collect();
    let data = [Arg::F64(&places)];
    let mut w = f.start(1);
    let found = Lbfgs { iterations: 3000, ..Lbfgs::default() }.minimise(&mut w, |w, g| f.run(w, &data, g))?;
    println!("{found}");

    // The solution is the sine.
    let error = |weights: &[f64]| -> Result<f64, neurona::Error> {
        let far = (&y - x.sin()).square().mean_all();
        Gradient::compile(&cx, &far, 1)?.run(weights, &data, &mut vec![0.0; weights.len()])
    };
    println!("root mean square distance from sin x: {:.1e}", error(&w)?.sqrt());
    Ok(())
}
