//! Traced tensors as functions of one flat vector.

use crate::{Context, Param, Result};
use cpu::{Arg, Options, Out, Program};
use graph::{DType, Tensor};

/// Any traced tensors as one compiled function of all trained parameters, put one after another. The
/// context's type is that of the computation and of the outputs: with [`DType::F64`], double precision.
///
/// Running values ([`Context::running`]) stay as they start; random numbers are the same at every call.
///
/// ```
/// use neurona::lbfgs::Values;
/// use neurona::{Arg, Context, DType, Init};
/// let cx = Context::new(DType::F64, false);
/// let x = cx.input("x", DType::F64, &[2, 1]);
/// let w = cx.param("w", &[1, 1], Init::Ones);
/// let mut f = Values::compile(&cx, &[&x.matmul(&w).square()], 1)?;
/// f.run(&[3.0], &[Arg::F64(&[1.0, 2.0])])?;
/// assert_eq!(f.output(0).collect::<Vec<_>>(), [9.0, 36.0]);
/// # Ok::<(), neurona::Error>(())
/// ```
pub struct Values {
    program: Program,
    roles: Vec<Role>,
    params: Vec<Param>,
    values: Vec<Buffer>,
    outputs: Vec<Buffer>,
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

impl Values {
    /// Compiles `outputs`. The inputs declared with [`Context::input`] are the data, in order.
    ///
    /// # Errors
    /// Errors of the trace (all of them).
    pub fn compile(cx: &Context, outputs: &[&Tensor], threads: usize) -> Result<Values> {
        let params = cx.params();
        let graph = cx.tracer().finish()?;
        let place = |t: &Tensor| graph.inputs().iter().position(|&x| x == t.id());
        let mut roles = vec![Role::Key; graph.inputs().len()];
        let all = params.iter().enumerate().map(|(i, (_, t))| (t.clone(), Role::Param(i)));
        let all = all.chain(cx.data().into_iter().enumerate().map(|(i, t)| (t, Role::Data(i))));
        all.for_each(|(t, role)| place(&t).into_iter().for_each(|at| roles[at] = role));
        let ids: Vec<_> = outputs.iter().map(|t| t.id()).collect();
        let batched = roles.iter().map(|r| matches!(r, Role::Data(_))).collect();
        let program = Program::compile(&graph, &ids, &Options { threads, batched, donated: vec![] })?;
        let params: Vec<Param> = params.into_iter().map(|(p, _)| p).collect();
        let values = params.iter().enumerate().map(|(i, p)| Buffer::new(cx.dtype(), p.init.values(&p.shape, 0, i as u32))).collect();
        let outputs = outputs.iter().map(|t| Buffer::new(cx.dtype(), vec![0.0; t.shape().iter().product()])).collect();
        Ok(Values { program, roles, params, values, outputs })
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

    /// Computes the outputs at `x`.
    ///
    /// # Errors
    /// A vector of other length than [`Values::len`]; data of other number, type or length than traced.
    pub fn run(&mut self, x: &[f64], data: &[Arg]) -> Result<()> {
        if x.len() != self.len() {
            let (expected, got) = (self.len(), x.len());
            return Err(cpu::Error::Count { what: "numbers of the flat vector of weights", expected, got }.into());
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
        let mut outputs: Vec<Out> = self.outputs.iter_mut().map(Buffer::out).collect();
        self.program.run(&inputs, &mut outputs)?;
        Ok(())
    }

    /// What the last run computed as output `i`, row-major; nothing if there is no such output.
    pub fn output(&self, i: usize) -> Box<dyn Iterator<Item = f64> + '_> {
        self.outputs.get(i).map_or_else(|| Box::new(std::iter::empty()) as Box<dyn Iterator<Item = f64>>, Buffer::iter)
    }

    /// The same as a slice, where the computation is in double precision.
    pub fn doubles(&self, i: usize) -> &[f64] {
        match self.outputs.get(i) {
            Some(Buffer::F64(v)) => v,
            _ => &[],
        }
    }
}
