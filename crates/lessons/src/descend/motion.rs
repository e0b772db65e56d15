//! The step of a descent as one graph: the formula's value, its gradient, and the optimizer's update.

use super::{Memory, Settings, Step};
use crate::backprop::numbers;
use crate::rows::value;
use crate::{Error, Expression};
use graph::{DType, Graph, Id, Tensor, Tracer, diff};
use neurona::Optimizer;

/// A point that moves.
pub(super) struct Motion {
    graph: Graph,
    /// Value, gradient, then for each variable its new value and the optimizer's new state.
    outputs: Vec<Id>,
    optimizer: Optimizer,
    learning_rate: f64,
    at: Vec<f64>,
    /// Per variable, what the optimizer remembers of it.
    state: Vec<f64>,
}

/// Where a step leads: the point and the optimizer's state there.
pub(super) struct Next {
    at: Vec<f64>,
    state: Vec<f64>,
}

impl Motion {
    pub(super) fn new(f: &Expression, settings: &Settings) -> Result<Motion, Error> {
        let (cx, slots) = (Tracer::new(), settings.optimizer.slots());
        let scalar = |name: &str| cx.input(name, DType::F64, &[]);
        let variables: Vec<Tensor> = f.variables().iter().map(|v| scalar(v)).collect();
        let state: Vec<Tensor> = (0..variables.len() * slots).map(|_| scalar("state")).collect();
        let (rate, count) = (scalar("learning_rate"), scalar("step"));
        let y = value(f, &cx, &variables, &[]);
        let gradient = diff::grad(&y, &variables.iter().collect::<Vec<_>>());
        let mut outputs: Vec<Id> = std::iter::once(&y).chain(&gradient).map(Tensor::id).collect();
        for (i, (w, g)) in variables.iter().zip(&gradient).enumerate() {
            let (new, next) = settings.optimizer.update(w, g, &state[i * slots..(i + 1) * slots], &rate, &count);
            outputs.extend(std::iter::once(&new).chain(&next).map(Tensor::id));
        }
        Ok(Motion {
            graph: cx.finish()?,
            outputs,
            optimizer: settings.optimizer,
            learning_rate: settings.learning_rate,
            at: settings.start.clone(),
            state: vec![0.0; state.len()],
        })
    }

    /// Everything at the present point, which `step` steps led to.
    pub(super) fn look(&self, step: usize) -> Result<(Step, Next), Error> {
        let count = [self.learning_rate, (step + 1) as f64];
        let inputs: Vec<f64> = self.at.iter().chain(&self.state).chain(&count).copied().collect();
        let values = numbers(&self.graph, &inputs, &self.outputs)?;
        let (value, rest) = (values[0], &values[1..]);
        let (gradient, moved) = rest.split_at(self.at.len());
        let each = moved.chunks(1 + self.optimizer.slots());
        let next = Next { at: each.clone().map(|c| c[0]).collect(), state: each.flat_map(|c| c[1..].iter().copied()).collect() };
        let change = next.at.iter().zip(&self.at).map(|(new, old)| new - old).collect();
        let memory = self.memory(&next.state, step + 1);
        Ok((Step { step, at: self.at.clone(), value, gradient: gradient.to_vec(), memory, change }, next))
    }

    pub(super) fn go(&mut self, next: Next) {
        (self.at, self.state) = (next.at, next.state);
    }

    /// The optimizer's state under the names of the literature.
    fn memory(&self, state: &[f64], count: usize) -> Vec<Memory> {
        let slots = self.optimizer.slots();
        let slot = |k: usize| state.iter().skip(k).step_by(slots.max(1)).copied().collect::<Vec<f64>>();
        let corrected = |k: usize, beta: f64| slot(k).iter().map(|x| x / (1.0 - beta.powi(count as i32))).collect();
        let of = |name, values| Memory { name, values };
        match self.optimizer {
            Optimizer::Sgd => vec![],
            Optimizer::Momentum { .. } | Optimizer::Nesterov { .. } => vec![of("v", slot(0))],
            Optimizer::RmsProp { .. } => vec![of("s", slot(0))],
            Optimizer::Adam { beta1, beta2, .. } | Optimizer::AdamW { beta1, beta2, .. } => {
                vec![of("m", slot(0)), of("v", slot(1)), of("m̂", corrected(0, beta1)), of("v̂", corrected(1, beta2))]
            }
        }
    }
}
