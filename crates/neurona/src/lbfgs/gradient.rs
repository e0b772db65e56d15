//! A traced loss as a function of one flat vector.

use crate::{Context, Param, Result};
use cpu::{Arg, Options, Out, Program};
use graph::{DType, Tensor, diff};

/// Value and gradient of a traced loss as one compiled function of all trained parameters, put one after
/// another. The context's type is that of the computation: trace with [`DType::F64`] for the last digits.
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
pub struct Gradient {
    program: Program,
    roles: Vec<Role>,
    params: Vec<Param>,
    values: Vec<Buffer>,
    gradients: Vec<Buffer>,
    value: Buffer,
}

#[derive(Clone, Copy)]
enum Role {
    Param(usize),
    Data(usize),
    Key,
}

/// An array of the type of the computation.
enum Buffer {
    F32(Vec<f32>),
    F64(Vec<f64>),
}

impl Buffer {
    fn new(dtype: DType, values: Vec<f32>) -> Buffer {
        if dtype == DType::F64 { Buffer::F64(values.into_iter().map(f64::from).collect()) } else { Buffer::F32(values) }
    }

    fn arg(&self) -> Arg<'_> {
        match self {
            Buffer::F32(v) => Arg::F32(v),
            Buffer::F64(v) => Arg::F64(v),
        }
    }

    fn out(&mut self) -> Out<'_> {
        match self {
            Buffer::F32(v) => Out::F32(v),
            Buffer::F64(v) => Out::F64(v),
        }
    }

    /// Takes as many numbers as it holds.
    fn take(&mut self, from: &mut impl Iterator<Item = f64>) {
        match self {
            Buffer::F32(v) => v.iter_mut().zip(from).for_each(|(v, x)| *v = x as f32),
            Buffer::F64(v) => v.iter_mut().zip(from).for_each(|(v, x)| *v = x),
        }
    }

    fn iter(&self) -> Box<dyn Iterator<Item = f64> + '_> {
        match self {
            Buffer::F32(v) => Box::new(v.iter().map(|&x| f64::from(x))),
            Buffer::F64(v) => Box::new(v.iter().copied()),
        }
    }
}

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
        let graph = cx.tracer().finish()?;
        let place = |t: &Tensor| graph.inputs().iter().position(|&x| x == t.id());
        let mut roles = vec![Role::Key; graph.inputs().len()];
        let all = params.iter().enumerate().map(|(i, (_, t))| (t.clone(), Role::Param(i)));
        let all = all.chain(cx.data().into_iter().enumerate().map(|(i, t)| (t, Role::Data(i))));
        all.for_each(|(t, role)| place(&t).into_iter().for_each(|at| roles[at] = role));
        let ids: Vec<_> = [loss].into_iter().chain(&gradients).map(Tensor::id).collect();
        let batched = roles.iter().map(|r| matches!(r, Role::Data(_))).collect();
        let program = Program::compile(&graph, &ids, &Options { threads, batched, donated: vec![] })?;
        let params: Vec<Param> = params.into_iter().map(|(p, _)| p).collect();
        let buffers = |p: &Param| Buffer::new(cx.dtype(), vec![0.0; p.len()]);
        let gradients = params.iter().filter(|p| p.trained).map(buffers).collect();
        let values = params.iter().enumerate().map(|(i, p)| Buffer::new(cx.dtype(), p.init.values(&p.shape, 0, i as u32))).collect();
        Ok(Gradient { program, roles, params, values, gradients, value: Buffer::new(cx.dtype(), vec![0.0]) })
    }

    /// All parameters, in the order in which they were made.
    pub fn params(&self) -> &[Param] {
        &self.params
    }

    /// Numbers in the flat vector.
    pub fn len(&self) -> usize {
        self.params.iter().filter(|p| p.trained).map(Param::len).sum()
    }

    /// Whether nothing is trained.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The first weights of this seed, the same as those of [`State::new`](crate::State::new).
    pub fn start(&self, seed: u32) -> Vec<f64> {
        let values: Vec<Vec<f32>> = self.params.iter().enumerate().map(|(i, p)| p.init.values(&p.shape, seed, i as u32)).collect();
        flatten(&self.params, &values)
    }

    /// The value at `x`; the gradient is written into `gradient`.
    ///
    /// # Errors
    /// Vectors of other length than [`Gradient::len`]; data of other number, type or length than traced.
    pub fn run(&mut self, x: &[f64], data: &[Arg], gradient: &mut [f64]) -> Result<f64> {
        for got in [x.len(), gradient.len()] {
            if got != self.len() {
                return Err(cpu::Error::Count { what: "numbers of the flat vector of weights", expected: self.len(), got }.into());
            }
        }
        let mut from = x.iter().copied();
        self.params.iter().zip(&mut self.values).filter(|(p, _)| p.trained).for_each(|(_, v)| v.take(&mut from));
        let inputs: Vec<Arg> = self
            .roles
            .iter()
            .map(|role| match role {
                Role::Param(i) => self.values[*i].arg(),
                Role::Data(i) => data.get(*i).copied().unwrap_or(Arg::F32(&[])),
                Role::Key => Arg::I32(&[0, 0]),
            })
            .collect();
        let mut outputs: Vec<Out> = [&mut self.value].into_iter().chain(&mut self.gradients).map(Buffer::out).collect();
        self.program.run(&inputs, &mut outputs)?;
        drop(outputs);
        gradient.iter_mut().zip(self.gradients.iter().flat_map(Buffer::iter)).for_each(|(g, x)| *g = x);
        Ok(self.value.iter().next().unwrap_or(f64::NAN))
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
