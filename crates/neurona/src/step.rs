//! The compiled training step: loss, gradients and optimizer as one program whose parameters and
//! optimizer state are overwritten in place.

use crate::{Context, Param, Update};
use cpu::{Arg, Options, Out, Program};
use graph::{DType, Tensor, diff};

/// Parameters and what the optimizer remembers of them; all that training changes.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    /// Values of each parameter.
    pub params: Vec<Vec<f32>>,
    /// Per parameter, the optimizer's tensors.
    pub slots: Vec<Vec<Vec<f32>>>,
    /// Steps taken.
    pub step: u64,
    /// Seed of the random numbers.
    pub seed: u32,
}

impl State {
    /// The state before the first step of this rule (an [`Optimizer`](crate::Optimizer) is one).
    pub fn new(params: &[Param], rule: &(impl Into<Update> + Copy), seed: u32) -> State {
        let rule: Update = (*rule).into();
        let values: Vec<Vec<f32>> = params.iter().enumerate().map(|(i, p)| p.init.values(&p.shape, seed, i as u32)).collect();
        let slots = params.iter().map(|p| vec![vec![0.0; p.len()]; rule.slots(p)]).collect();
        State { params: values, slots, step: 0, seed }
    }

    /// Whether this is a state of these parameters under this rule.
    pub fn fits(&self, params: &[Param], rule: &(impl Into<Update> + Copy)) -> bool {
        let rule: Update = (*rule).into();
        let counts = self.params.len() == params.len() && self.slots.len() == params.len();
        let one = |((p, v), slots): ((&Param, &Vec<f32>), &Vec<Vec<f32>>)| {
            v.len() == p.len() && slots.len() == rule.slots(p) && slots.iter().all(|s| s.len() == p.len())
        };
        counts && params.iter().zip(&self.params).zip(&self.slots).all(one)
    }

    /// The weights averaged over the steps, for a rule with [`Update::average`]: the mean of the weights
    /// after each step, the last ones counting most. Running values, and the weights of rules without
    /// average or before the first step, are as they are.
    pub fn averaged(&self, rule: &(impl Into<Update> + Copy)) -> Vec<Vec<f32>> {
        let Some(keep) = (*rule).into().average.filter(|_| self.step > 0) else { return self.params.clone() };
        // The average starts at 0; this is the sum of the weights' shares so far, with the step's rounding.
        let share = -(self.step as f64 * (-f64::from((1.0 - keep) as f32)).ln_1p()).exp_m1();
        let one = |(v, slots): (&Vec<f32>, &Vec<Vec<f32>>)| match slots.last() {
            Some(a) => a.iter().map(|&a| (f64::from(a) / share) as f32).collect(),
            None => v.clone(),
        };
        self.params.iter().zip(&self.slots).map(one).collect()
    }
}

/// Which argument an input of the graph stands for.
#[derive(Clone, Copy, Debug)]
enum Role {
    Param(usize),
    Slot,
    Data(usize),
    Key,
    Rate,
    Count,
}

/// One training step, compiled.
pub struct Step {
    program: Program,
    roles: Vec<Role>,
    params: Vec<Param>,
    arrays: usize,
    reports: Vec<[f32; 1]>,
}

impl Step {
    /// Compiles a step that minimises the scalar `loss` and reports `reports` (scalars; `loss` is one
    /// if it is to be reported). The inputs declared with [`Context::input`] are the data, in order.
    /// `rule` is an [`Optimizer`](crate::Optimizer), or an [`Update`] with more to it.
    ///
    /// # Errors
    /// Errors of the trace (all of them), a loss that is not a scalar.
    pub fn compile(
        cx: &Context,
        loss: &Tensor,
        reports: &[&Tensor],
        rule: &(impl Into<Update> + Copy),
        threads: usize,
    ) -> Result<Step, cpu::Error> {
        let (params, rule): (_, Update) = (cx.params(), (*rule).into());
        if loss.rank() != 0 {
            cx.tracer().error("loss", &[loss], "must be a scalar: take the mean over all rows".into());
        }
        let trained: Vec<&Tensor> = params.iter().filter(|(p, _)| p.trained).map(|(_, t)| t).collect();
        let mut gradients = rule.clipped(diff::grad(loss, &trained)).into_iter();
        let (lr, t) = (cx.tracer().input("learning_rate", cx.dtype(), &[]), cx.tracer().input("step", cx.dtype(), &[]));
        let mut roles: Vec<(Tensor, Role)> = params.iter().enumerate().map(|(i, (_, t))| (t.clone(), Role::Param(i))).collect();
        roles.extend(cx.data().into_iter().enumerate().map(|(i, t)| (t, Role::Data(i))));
        roles.extend(cx.key().map(|t| (t, Role::Key)));
        roles.extend([(lr.clone(), Role::Rate), (t.clone(), Role::Count)]);
        let (mut outputs, mut donors) = (vec![], vec![]);
        for ((p, w), new) in params.iter().zip(cx.news()) {
            donors.push(w.clone());
            let gradient = if p.trained { gradients.next() } else { None };
            let Some(g) = gradient else {
                outputs.push(new.unwrap_or_else(|| w.clone()));
                continue;
            };
            let state: Vec<Tensor> =
                (0..rule.slots(p)).map(|k| cx.tracer().input(&format!("{}:{k}", p.name), cx.dtype(), &p.shape)).collect();
            let (new, next) = rule.trace(w, &g, &state, &lr, &t);
            roles.extend(state.iter().map(|t| (t.clone(), Role::Slot)));
            donors.extend(state);
            outputs.push(new);
            outputs.extend(next);
        }
        let arrays = outputs.len();
        outputs.extend(reports.iter().map(|&r| r.clone()));
        let graph = cx.tracer().finish()?;
        let place = |t: &Tensor| graph.inputs().iter().position(|&x| x == t.id()).unwrap_or(0);
        let mut order = vec![Role::Rate; graph.inputs().len()];
        let mut options = Options { threads, batched: vec![false; order.len()], donated: vec![] };
        for (tensor, role) in &roles {
            order[place(tensor)] = *role;
            options.batched[place(tensor)] = matches!(role, Role::Data(_));
        }
        options.donated = donors.iter().enumerate().map(|(j, t)| (place(t), j)).collect();
        let ids: Vec<_> = outputs.iter().map(Tensor::id).collect();
        let program = Program::compile(&graph, &ids, &options)?;
        let params = params.into_iter().map(|(p, _)| p).collect();
        Ok(Step { program, roles: order, params, arrays, reports: vec![[0.0]; reports.len()] })
    }

    /// The parameters, in the order of [`State::params`].
    pub fn params(&self) -> &[Param] {
        &self.params
    }

    /// The compiled program, for explanations.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// Makes every further step run on one thread with a clock around each kernel: see [`Program::watch`].
    pub fn watch(&mut self) {
        self.program.watch();
    }

    /// Takes one step and returns the reported numbers.
    ///
    /// # Errors
    /// Data of other number, type or length than traced; a state of another model or optimizer.
    pub fn run(&mut self, state: &mut State, learning_rate: f64, data: &[Arg]) -> Result<Vec<f32>, cpu::Error> {
        let wanted = self.arrays;
        let got = state.params.len() + state.slots.iter().map(Vec::len).sum::<usize>();
        if got != wanted || state.slots.len() != state.params.len() {
            return Err(cpu::Error::Count {
                what: "arrays of the training state (weights and what the optimizer keeps)",
                expected: wanted,
                got,
            });
        }
        let key = [state.seed as i32, state.step as i32];
        let (rate, count) = ([learning_rate as f32], [(state.step + 1) as f32]);
        let inputs: Vec<Arg> = self
            .roles
            .iter()
            .map(|role| match role {
                Role::Param(_) | Role::Slot => Arg::Donated,
                Role::Data(i) => data.get(*i).copied().unwrap_or(Arg::F32(&[])),
                Role::Key => Arg::I32(&key),
                Role::Rate => Arg::F32(&rate),
                Role::Count => Arg::F32(&count),
            })
            .collect();
        let mut outputs: Vec<Out> = Vec::with_capacity(self.arrays + self.reports.len());
        for (w, slots) in state.params.iter_mut().zip(&mut state.slots) {
            outputs.push(Out::F32(w));
            outputs.extend(slots.iter_mut().map(|s| Out::F32(s)));
        }
        outputs.extend(self.reports.iter_mut().map(|r| Out::F32(r)));
        self.program.run(&inputs, &mut outputs)?;
        state.step += 1;
        Ok(self.reports.iter().map(|r| r[0]).collect())
    }
}

/// A compiled function of parameters and data, without derivatives or updates: evaluation, prediction.
pub struct Function {
    program: Program,
    roles: Vec<Role>,
    lengths: Vec<usize>,
}

impl Function {
    /// Compiles the tensors `outputs` (of any type; results are returned as f32).
    ///
    /// # Errors
    /// Errors of the trace (all of them).
    pub fn compile(cx: &Context, outputs: &[&Tensor], threads: usize) -> Result<Function, cpu::Error> {
        let outputs: Vec<Tensor> =
            outputs.iter().map(|t| if t.dtype() == DType::F32 { (*t).clone() } else { t.cast(DType::F32) }).collect();
        let graph = cx.tracer().finish()?;
        let place = |t: &Tensor| graph.inputs().iter().position(|&x| x == t.id()).unwrap_or(0);
        let mut roles = vec![Role::Rate; graph.inputs().len()];
        cx.params().iter().enumerate().for_each(|(i, (_, t))| roles[place(t)] = Role::Param(i));
        cx.data().iter().enumerate().for_each(|(i, t)| roles[place(t)] = Role::Data(i));
        cx.key().iter().for_each(|t| roles[place(t)] = Role::Key);
        let batched = roles.iter().map(|r| matches!(r, Role::Data(_))).collect();
        let ids: Vec<_> = outputs.iter().map(Tensor::id).collect();
        let program = Program::compile(&graph, &ids, &Options { threads, batched, donated: vec![] })?;
        Ok(Function { program, roles, lengths: outputs.iter().map(|t| t.shape().iter().product()).collect() })
    }

    /// Computes the outputs.
    ///
    /// # Errors
    /// Data of other number, type or length than traced.
    pub fn run(&mut self, params: &[Vec<f32>], data: &[Arg]) -> Result<Vec<Vec<f32>>, cpu::Error> {
        let inputs: Vec<Arg> = self
            .roles
            .iter()
            .map(|role| match role {
                Role::Param(i) => Arg::F32(params.get(*i).map_or(&[], |p| p)),
                Role::Data(i) => data.get(*i).copied().unwrap_or(Arg::F32(&[])),
                _ => Arg::I32(&[0, 0]),
            })
            .collect();
        let mut results: Vec<Vec<f32>> = self.lengths.iter().map(|&n| vec![0.0; n]).collect();
        let mut outputs: Vec<Out> = results.iter_mut().map(|r| Out::F32(r)).collect();
        self.program.run(&inputs, &mut outputs)?;
        drop(outputs);
        Ok(results)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Init, Optimizer};

    #[test]
    fn a_step_of_each_optimizer_lowers_the_loss_of_a_line() {
        for optimizer in [
            Optimizer::Sgd,
            Optimizer::Momentum { momentum: 0.9 },
            Optimizer::Nesterov { momentum: 0.9 },
            Optimizer::RmsProp { rho: 0.99, epsilon: 1e-8 },
            Optimizer::adam(),
            Optimizer::AdamW { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 0.01 },
        ] {
            let cx = Context::new(DType::F32, true);
            let (x, y) = (cx.input("x", DType::F32, &[4, 1]), cx.input("y", DType::F32, &[4, 1]));
            let w = cx.param("weight", &[1, 1], Init::Constant(0.5));
            let b = cx.param("bias", &[1], Init::Zeros);
            let loss = (x.matmul(&w) + b - &y).square().mean_all();
            let mut step = Step::compile(&cx, &loss, &[&loss], &optimizer, 1).unwrap();
            let mut state = State::new(step.params(), &optimizer, 1);
            let data = [Arg::F32(&[0.0, 1.0, 2.0, 3.0]), Arg::F32(&[1.0, 3.0, 5.0, 7.0])];
            let losses: Vec<f32> = (0..20).map(|_| step.run(&mut state, 1e-3, &data).unwrap()[0]).collect();
            assert!(losses.windows(2).all(|w| w[1] < w[0]), "{optimizer:?}: {losses:?}");
            assert_eq!(state.step, 20);
        }
    }
}
