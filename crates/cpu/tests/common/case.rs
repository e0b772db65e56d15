//! A graph with its inputs, and the demands on the program made of it: the reference's values within
//! their bounds, and the same bits however often and by however many threads it is run, donated or not.

use super::bounds::{Bounded, bounded};
use super::rng::Rng;
use cpu::{Arg, Options, Out, Program};
use graph::{DType, Graph, Id, Tensor, Tracer, Type, Value};

/// What is compiled, and on what it is run.
pub struct Case {
    pub name: String,
    pub graph: Graph,
    pub outputs: Vec<Id>,
    pub inputs: Vec<Value>,
    pub batched: Vec<bool>,
    /// Chooses which pairs are donated.
    pub salt: u64,
}

/// How many numbers were compared, and how many of these could be anything.
#[derive(Default, Debug)]
pub struct Report {
    pub elements: usize,
    pub wild: usize,
}

/// Memory a program reads or writes.
#[derive(Clone, Debug)]
pub enum Array {
    F32(Vec<f32>),
    F64(Vec<f64>),
    I32(Vec<i32>),
}

impl Array {
    pub fn of(v: &Value) -> Array {
        match v.ty.dtype {
            DType::F32 => Array::F32(v.data.iter().map(|&x| x as f32).collect()),
            DType::F64 => Array::F64(v.data.clone()),
            DType::I32 => Array::I32(v.data.iter().map(|&x| x as i32).collect()),
        }
    }

    /// What a result is written over: something else in each run, so that it cannot be left standing.
    pub fn stale(ty: &Type, run: usize) -> Array {
        let x = [12_345.0, f64::NAN, -1e30][run % 3];
        Array::of(&Value::new(ty.dtype, &ty.shape, vec![x; ty.len()]))
    }

    pub fn arg(&self) -> Arg<'_> {
        match self {
            Array::F32(x) => Arg::F32(x),
            Array::F64(x) => Arg::F64(x),
            Array::I32(x) => Arg::I32(x),
        }
    }

    pub fn out(&mut self) -> Out<'_> {
        match self {
            Array::F32(x) => Out::F32(x),
            Array::F64(x) => Out::F64(x),
            Array::I32(x) => Out::I32(x),
        }
    }

    pub fn numbers(&self) -> Vec<f64> {
        match self {
            Array::F32(x) => x.iter().map(|&x| f64::from(x)).collect(),
            Array::F64(x) => x.clone(),
            Array::I32(x) => x.iter().map(|&x| f64::from(x)).collect(),
        }
    }

    /// The bits, the sign and payload of NaN apart: these are no part of a result.
    pub fn bits(&self) -> Vec<u64> {
        self.numbers().iter().map(|x| if x.is_nan() { u64::MAX } else { x.to_bits() }).collect()
    }
}

impl Case {
    /// Traces `build` over inputs of the given values.
    pub fn build(name: &str, inputs: &[Value], build: impl FnOnce(&[Tensor]) -> Vec<Tensor>) -> Case {
        let cx = Tracer::new();
        let xs: Vec<Tensor> = inputs.iter().enumerate().map(|(i, v)| cx.input(&format!("x{i}"), v.ty.dtype, &v.ty.shape)).collect();
        let outputs = build(&xs);
        let graph = cx.finish().unwrap_or_else(|e| panic!("{name}: {e}"));
        let outputs = outputs.iter().map(Tensor::id).collect();
        Case { name: name.into(), graph, outputs, inputs: inputs.to_vec(), batched: vec![], salt: 1 }
    }

    /// The same case with axis 0 of these inputs declared as the batch.
    pub fn batched(mut self, inputs: &[usize]) -> Case {
        self.batched = (0..self.inputs.len()).map(|i| inputs.contains(&i)).collect();
        self
    }

    pub fn compile(&self, threads: usize, donated: &[(usize, usize)]) -> Result<Program, String> {
        let options = Options { threads, batched: self.batched.clone(), donated: donated.to_vec() };
        Program::compile(&self.graph, &self.outputs, &options).map_err(|e| self.explain(&format!("does not compile: {e}")))
    }

    pub fn run(&self, program: &mut Program, donated: &[(usize, usize)], run: usize) -> Result<Vec<Array>, String> {
        let inputs: Vec<Array> = self.inputs.iter().map(Array::of).collect();
        let mut outputs: Vec<Array> = self.outputs.iter().map(|&o| Array::stale(self.graph.ty(o), run)).collect();
        donated.iter().for_each(|&(i, j)| outputs[j] = inputs[i].clone());
        let args: Vec<Arg> =
            inputs.iter().enumerate().map(|(i, a)| if donated.iter().any(|d| d.0 == i) { Arg::Donated } else { a.arg() }).collect();
        let mut outs: Vec<Out> = outputs.iter_mut().map(Array::out).collect();
        program.run(&args, &mut outs).map_err(|e| self.explain(&format!("does not run: {e}")))?;
        drop(outs);
        Ok(outputs)
    }

    /// Compiles and runs in every way there is.
    pub fn check(&self) -> Result<Report, String> {
        let bounds = bounded(&self.graph, &self.inputs, &self.outputs);
        let mut program = self.compile(1, &[])?;
        let first = self.run(&mut program, &[], 0)?;
        let report = self.close("one thread", &first, &bounds)?;
        self.same("run a second time", &first, &self.run(&mut program, &[], 1)?)?;
        for threads in [2, 3] {
            let mut program = self.compile(threads, &[])?;
            self.same(&format!("{threads} threads"), &first, &self.run(&mut program, &[], threads)?)?;
        }
        let donated = self.pairs();
        if !donated.is_empty() {
            let threads = 1 + self.salt as usize % 3;
            let mut program = self.compile(threads, &donated)?;
            for run in 0..2 {
                let what = format!("donated (input, output) {donated:?}, {threads} threads, run {run}");
                self.same(&what, &first, &self.run(&mut program, &donated, run)?)?;
            }
        }
        Ok(report)
    }

    /// Inputs and outputs of equal type, each used once.
    pub fn pairs(&self) -> Vec<(usize, usize)> {
        let mut rng = Rng::new(self.salt);
        let mut pairs: Vec<(usize, usize)> = vec![];
        for (j, &o) in self.outputs.iter().enumerate() {
            let mut free: Vec<usize> = (0..self.inputs.len()).filter(|i| self.inputs[*i].ty == *self.graph.ty(o)).collect();
            free.retain(|i| pairs.iter().all(|p| p.0 != *i));
            if !free.is_empty() && rng.chance(80) {
                pairs.push((rng.pick(&free), j));
            }
        }
        pairs
    }

    /// Every element of every output within its bound.
    pub fn close(&self, how: &str, got: &[Array], want: &[Bounded]) -> Result<Report, String> {
        let mut report = Report::default();
        for (j, (got, want)) in got.iter().zip(want).enumerate() {
            for (i, &x) in got.numbers().iter().enumerate() {
                report.elements += 1;
                report.wild += usize::from(want.is_wild(i));
                if !want.accepts(i, x) {
                    let (node, value, error) = (self.outputs[j], want.value.data[i], want.error[i]);
                    let why = format!("output {j} ({node}), element {i}: {x:e}, but the reference is {value:e} (bound {error:.1e})");
                    return Err(self.explain(&format!("{how}: {why}")));
                }
            }
        }
        Ok(report)
    }

    fn same(&self, how: &str, first: &[Array], other: &[Array]) -> Result<(), String> {
        for (j, (a, b)) in first.iter().zip(other).enumerate() {
            if let Some(i) = a.bits().iter().zip(b.bits()).position(|(p, q)| *p != q) {
                let (node, p, q) = (self.outputs[j], a.numbers()[i], b.numbers()[i]);
                let why = format!("output {j} ({node}), element {i}: {q:e}, but one thread, undonated, gave {p:e}");
                return Err(self.explain(&format!("{how}: {why}")));
            }
        }
        Ok(())
    }

    /// A failure with all that is needed to see it again.
    pub fn explain(&self, why: &str) -> String {
        let (g, outputs) = self.graph.pruned(&self.outputs);
        let outputs = outputs.iter().map(Id::to_string).collect::<Vec<_>>().join(" ");
        let donated = self.pairs();
        format!(
            "{}\n{why}\nas given: outputs {:?}\npruned: outputs {outputs}; batched {:?}; may be donated {donated:?}\n{g}",
            self.name, self.outputs, self.batched
        )
    }
}
