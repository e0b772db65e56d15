//! Training steps as a library would compile them: parameters and optimizer state donated, data batched.

use super::bounds::in_double;
use super::case::Array;
use super::rng::Rng;
use cpu::{Arg, Options, Out, Program};
use graph::{DType, Graph, Id, Tensor, Tracer, Value, diff, eval};

/// A model: parameters, data, and the loss made of them.
pub struct Model {
    pub name: &'static str,
    pub params: Vec<Vec<usize>>,
    /// Shape of each data array and its type: integers below the number, or floats (0).
    pub data: Vec<(Vec<usize>, i64)>,
    pub loss: fn(&[Tensor], &[Tensor], &Tensor) -> Tensor,
}

/// The model's training step with Adam.
pub struct Step {
    pub graph: Graph,
    pub outputs: Vec<Id>,
    pub batched: Vec<bool>,
    pub donated: Vec<(usize, usize)>,
    /// Values of the inputs before the first step.
    pub start: Vec<Value>,
}

const RATE: f64 = 0.01;
/// Far above the default 1e-8: it keeps the step a smooth function of the gradients, so that rounding
/// errors of tiny gradients stay small in the parameters.
const EPSILON: f64 = 1e-3;

/// New parameter and moments (Kingma & Ba 2015, algorithm 1), the bias corrections from the step's number.
fn adam(w: &Tensor, g: &Tensor, m: &Tensor, v: &Tensor, t: &Tensor) -> [Tensor; 3] {
    let (m, v) = (m * 0.9 + g * 0.1, v * 0.999 + g.square() * 0.001);
    let corrected = |x: &Tensor, beta: f64| x / -(t * beta.ln()).expm1();
    [w - corrected(&m, 0.9) * RATE / (corrected(&v, 0.999).sqrt() + EPSILON), m, v]
}

impl Step {
    /// Traces loss, gradients and update. Inputs: key, step number, then data, then parameters and moments.
    pub fn trace(model: &Model) -> Step {
        let cx = Tracer::new();
        let mut rng = Rng::new(model.name.len() as u64);
        let (key, t) = (cx.input("key", DType::I32, &[2]), cx.input("step", DType::F32, &[]));
        let mut start = vec![Value::new(DType::I32, &[2], vec![17.0, 0.0]), Value::scalar(DType::F32, 1.0)];
        let mut data = vec![];
        for (shape, classes) in &model.data {
            let dtype = if *classes > 0 { DType::I32 } else { DType::F32 };
            data.push(cx.input("data", dtype, shape));
            let n: usize = shape.iter().product();
            let number = |rng: &mut Rng| if *classes > 0 { rng.between(0, classes - 1) as f64 } else { uniform(rng) };
            start.push(Value::new(dtype, shape, (0..n).map(|_| number(&mut rng)).collect()));
        }
        let mut params = vec![];
        for shape in &model.params {
            let fan_in: usize = shape[..shape.len() - 1].iter().product();
            let n: usize = shape.iter().product();
            params.push([0, 1, 2].map(|_| cx.input("parameter", DType::F32, shape)));
            start.push(Value::new(DType::F32, shape, (0..n).map(|_| uniform(&mut rng) / (fan_in as f64).sqrt()).collect()));
            start.extend([0, 1].map(|_| Value::new(DType::F32, shape, vec![0.0; n])));
        }
        let weights: Vec<Tensor> = params.iter().map(|p| p[0].clone()).collect();
        let loss = (model.loss)(&weights, &data, &key);
        let gradients = diff::grad(&loss, &weights.iter().collect::<Vec<_>>());
        let mut outputs = vec![loss];
        for ([w, m, v], g) in params.iter().zip(&gradients) {
            outputs.extend(adam(w, g, m, v, &t));
        }
        let first = 2 + data.len();
        let donated = (1..outputs.len()).map(|j| (first + j - 1, j)).collect();
        let batched = (0..start.len()).map(|i| (2..first).contains(&i)).collect();
        let graph = cx.finish().unwrap_or_else(|e| panic!("{}: {e}", model.name));
        Step { graph, outputs: outputs.iter().map(Tensor::id).collect(), batched, donated, start }
    }

    pub fn compile(&self, threads: usize) -> Program {
        let options = Options { threads, batched: self.batched.clone(), donated: self.donated.clone() };
        Program::compile(&self.graph, &self.outputs, &options).unwrap()
    }

    /// Loss, parameters and moments after `steps` steps of the compiled program.
    pub fn train(&self, threads: usize, steps: usize) -> Vec<Array> {
        let mut program = self.compile(threads);
        let mut arrays: Vec<Array> = self.start.iter().map(Array::of).collect();
        let mut results = vec![Array::F32(vec![f32::NAN])];
        results.extend(self.donated.iter().map(|&(i, _)| arrays[i].clone()));
        for step in 0..steps {
            arrays[0] = Array::I32(vec![17, step as i32]);
            arrays[1] = Array::F32(vec![(step + 1) as f32]);
            let is_donated = |i: usize| self.donated.iter().any(|d| d.0 == i);
            let args: Vec<Arg> = arrays.iter().enumerate().map(|(i, a)| if is_donated(i) { Arg::Donated } else { a.arg() }).collect();
            let mut outs: Vec<Out> = results.iter_mut().map(Array::out).collect();
            program.run(&args, &mut outs).unwrap();
        }
        results
    }

    /// The step with f64 in place of f32, for the reference evaluator.
    pub fn in_double(&self) -> Step {
        let (graph, outputs) = self.graph.pruned(&self.outputs);
        let (graph, map) = in_double(&graph);
        let outputs = outputs.iter().map(|o| map[o.index()]).collect();
        let wide = |(v, &i): (&Value, &Id)| Value::new(graph.ty(i).dtype, &v.ty.shape, v.data.clone());
        let start = self.start.iter().zip(graph.inputs()).map(wide).collect();
        Step { start, graph, outputs, batched: self.batched.clone(), donated: self.donated.clone() }
    }

    /// The same by the reference evaluator.
    pub fn reference(&self, steps: usize) -> Vec<Value> {
        let mut inputs = self.start.clone();
        let mut results = vec![];
        for step in 0..steps {
            inputs[0].data[1] = step as f64;
            inputs[1].data[0] = (step + 1) as f64;
            results = eval::evaluate(&self.graph, &inputs, &self.outputs).unwrap();
            self.donated.iter().for_each(|&(i, j)| inputs[i] = results[j].clone());
        }
        results
    }
}

fn uniform(rng: &mut Rng) -> f64 {
    (rng.next() >> 40) as f64 / f64::from(1 << 23) - 1.0
}

/// Mean cross-entropy of logits `[n, k]` against labels `i32[n]`.
pub fn cross_entropy(logits: &Tensor, labels: &Tensor) -> Tensor {
    let (n, k) = (logits.shape()[0], logits.shape()[1]);
    let shifted = logits - logits.max(&[1]).stop_gradient().reshape(&[n, 1]);
    let log_p = &shifted - shifted.exp().sum(&[1]).log().reshape(&[n, 1]);
    let count = logits.tracer().iota(DType::I32, &[n, k], 1);
    let hot = labels.broadcast(&[n, k], &[0]).compare(graph::ops::Compare::Eq, &count).cast(DType::F32);
    -(log_p * hot).sum_all() * (1.0 / n as f64)
}

/// Two dense layers with softmax and cross-entropy.
pub fn classifier(rows: usize) -> Model {
    Model {
        name: "dense",
        params: vec![vec![20, 33], vec![33], vec![33, 10], vec![10]],
        data: vec![(vec![rows, 20], 0), (vec![rows], 10)],
        loss: |w, x, _| cross_entropy(&((x[0].matmul(&w[0]) + &w[1]).relu().matmul(&w[2]) + &w[3]), &x[1]),
    }
}
