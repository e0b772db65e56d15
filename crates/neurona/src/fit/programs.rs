//! A trainer's compiled programs: one for each number of rows and type of data, made when first needed.

use crate::{Context, Function, Metric, Model, Objective, Param, Result, Step, Update};
use graph::{DType, Tensor, Type};

/// What a program was compiled for: the types of one row of each array, and the number of rows.
#[derive(Clone, PartialEq)]
pub(super) struct Key {
    pub(super) types: Vec<Type>,
    pub(super) rows: usize,
}

/// Finds the program for `key`, or makes it.
pub(super) fn find<P>(known: &mut Vec<(Key, P)>, key: Key, make: impl FnOnce(&Key) -> Result<P>) -> Result<usize> {
    if let Some(i) = known.iter().position(|(k, _)| *k == key) {
        return Ok(i);
    }
    let program = make(&key)?;
    known.push((key, program));
    Ok(known.len() - 1)
}

/// What a trainer does at each row, as a graph.
pub(super) struct Task<M> {
    pub(super) model: M,
    pub(super) objective: Objective,
    pub(super) metrics: Vec<Metric>,
}

/// A traced task.
pub(super) struct Trace {
    pub(super) cx: Context,
    pub(super) prediction: Tensor,
    target: Option<Tensor>,
}

impl<M: Model> Task<M> {
    /// Predictions for `rows` rows; with `with_target` the last type is that of the targets.
    pub(super) fn trace(&self, key: &Key, with_target: bool, training: bool) -> Trace {
        let cx = Context::new(DType::F32, training);
        let shape = |ty: &Type| [&[key.rows], &ty.shape[..]].concat();
        let (inputs, target) = key.types.split_at(key.types.len() - usize::from(with_target));
        let inputs: Vec<Tensor> = inputs.iter().enumerate().map(|(i, t)| cx.input(&format!("input_{i}"), t.dtype, &shape(t))).collect();
        let target = target.first().map(|t| cx.input("target", t.dtype, &shape(t)));
        let mut prediction = self.model.forward(&cx, &inputs);
        if prediction.shape().first() != Some(&key.rows) {
            let why = format!("axis 0 of predictions must be the batch, {} rows", key.rows);
            prediction = cx.tracer().error("model", &[&prediction], why);
        }
        Trace { cx, prediction, target }
    }

    /// Sums of the loss and of the metrics over the rows: their means over any number of batches
    /// follow exactly.
    fn sums(&self, trace: &Trace) -> Vec<Tensor> {
        let Some(target) = &trace.target else { return vec![] };
        let p = &trace.prediction;
        let metric = |m: &Metric| trace.cx.layer("metric", || m.rows(p, target, &self.objective.loss).sum_all());
        let loss = trace.cx.layer("loss", || self.objective.rows(p, target).sum_all());
        [loss].into_iter().chain(self.metrics.iter().map(metric)).collect()
    }

    /// A training step that reports the sums. Also returns the shape of predictions.
    pub(super) fn step(&self, key: &Key, rule: Update, threads: usize) -> Result<(Step, Vec<usize>)> {
        let trace = self.trace(key, true, true);
        let sums = self.sums(&trace);
        let mean = &sums[0] * (1.0 / key.rows as f64);
        let step = Step::compile(&trace.cx, &mean, &sums.iter().collect::<Vec<_>>(), &rule, threads)?;
        Ok((step, trace.prediction.shape().to_vec()))
    }

    /// A function that gives the sums.
    pub(super) fn scorer(&self, key: &Key, threads: usize) -> Result<Compiled> {
        let trace = self.trace(key, true, false);
        let sums = self.sums(&trace);
        Compiled::new(&trace, &sums.iter().collect::<Vec<_>>(), threads)
    }

    /// A function that gives predictions.
    pub(super) fn predictor(&self, key: &Key, threads: usize) -> Result<Compiled> {
        let trace = self.trace(key, false, false);
        Compiled::new(&trace, &[&trace.prediction], threads)
    }
}

/// A function with what its trainer has to know of it.
pub(super) struct Compiled {
    pub(super) function: Function,
    pub(super) params: Vec<Param>,
    /// Shape of predictions.
    pub(super) shape: Vec<usize>,
}

impl Compiled {
    fn new(trace: &Trace, outputs: &[&Tensor], threads: usize) -> Result<Compiled> {
        let function = Function::compile(&trace.cx, outputs, threads)?;
        let params = trace.cx.params().into_iter().map(|(p, _)| p).collect();
        Ok(Compiled { function, params, shape: trace.prediction.shape().to_vec() })
    }
}
