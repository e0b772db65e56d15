//! A traced loss as a function of one flat vector.

use super::Values;
use crate::{Context, Param, Result};
use cpu::Arg;
use graph::{Tensor, diff};

/// Value and gradient of a traced loss as one compiled function of all trained parameters, put one after
/// another. The context's type is that of the computation: trace with [`DType::F64`](crate::DType::F64) for
/// the last digits.
///
/// Running values ([`Context::running`]) stay as they start; random numbers are the same at every call.
///
/// ```
/// use neurona::lbfgs::{Gradient, Lbfgs};
/// use neurona::prelude::*;
/// use neurona::Arg;
/// let cx = Context::new(DType::F64, true);
/// let (x, y) = (cx.input("x", DType::F64, &[3, 1]), cx.input("y", DType::F64, &[3, 1]));
/// let loss = (cx.layer("line", || Dense::new(1).forward(&cx, &x)) - y).square().mean_all();
/// let mut f = Gradient::compile(&cx, &loss, 1)?;
/// let data = [Arg::F64(&[0.0, 1.0, 2.0]), Arg::F64(&[1.0, 3.0, 5.0])];
/// let mut w = f.start(1);
/// let found = Lbfgs::default().minimise(&mut w, |w, g| f.run(w, &data, g))?;
/// assert!(found.value < 1e-20 && (w[0] - 2.0).abs() < 1e-8 && (w[1] - 1.0).abs() < 1e-8);
/// # Ok::<(), neurona::Error>(())
/// ```
pub struct Gradient(Values);

impl Gradient {
    /// Compiles the scalar `loss`. The inputs declared with [`Context::input`] are the data, in order.
    ///
    /// # Errors
    /// Errors of the trace (all of them), a loss that is not a scalar.
    pub fn compile(cx: &Context, loss: &Tensor, threads: usize) -> Result<Gradient> {
        if loss.rank() != 0 {
            cx.tracer().error("loss", &[loss], "must be a scalar: take the mean over all rows".into());
        }
        let params = cx.params();
        let trained: Vec<&Tensor> = params.iter().filter(|(p, _)| p.trained).map(|(_, t)| t).collect();
        let gradients = diff::grad(loss, &trained);
        let outputs: Vec<&Tensor> = [loss].into_iter().chain(&gradients).collect();
        Values::compile(cx, &outputs, threads).map(Gradient)
    }

    /// All parameters, in the order in which they were made.
    pub fn params(&self) -> &[Param] {
        self.0.params()
    }

    /// Numbers in the flat vector.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing is trained.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The first weights of this seed, the same as those of [`State::new`](crate::State::new).
    pub fn start(&self, seed: u32) -> Vec<f64> {
        let values: Vec<Vec<f32>> = self.params().iter().enumerate().map(|(i, p)| p.init.values(&p.shape, seed, i as u32)).collect();
        flatten(self.params(), &values)
    }

    /// The value at `x`; the gradient is written into `gradient`.
    ///
    /// # Errors
    /// Vectors of other length than [`Gradient::len`]; data of other number, type or length than traced.
    pub fn run(&mut self, x: &[f64], data: &[Arg], gradient: &mut [f64]) -> Result<f64> {
        if gradient.len() != self.len() {
            let (expected, got) = (self.len(), gradient.len());
            return Err(cpu::Error::Count { what: "numbers of the flat vector of weights", expected, got }.into());
        }
        self.0.run(x, data)?;
        let count = self.params().iter().filter(|p| p.trained).count();
        gradient.iter_mut().zip((1..=count).flat_map(|i| self.0.output(i))).for_each(|(g, x)| *g = x);
        Ok(self.0.output(0).next().unwrap_or(f64::NAN))
    }
}

/// The trained ones of these values one after another.
pub fn flatten(params: &[Param], values: &[Vec<f32>]) -> Vec<f64> {
    params.iter().zip(values).filter(|(p, _)| p.trained).flat_map(|(_, v)| v.iter().map(|&x| f64::from(x))).collect()
}

/// Puts a flat vector back into the trained ones of `values`, rounded.
pub fn unflatten(params: &[Param], x: &[f64], values: &mut [Vec<f32>]) {
    let mut from = x.iter();
    let trained = params.iter().zip(values).filter(|(p, _)| p.trained);
    trained.for_each(|(_, v)| v.iter_mut().zip(&mut from).for_each(|(v, &x)| *v = x as f32));
}
