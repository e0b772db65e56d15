//! Fused regions: which instructions compute the element-by-element nodes of one round, what they read, and where their
//! values go.

use super::fuse::{Role, arithmetic};
use super::lower::Lowering;
use super::view::row_major;
use crate::kernels::map::Code;
use crate::kernels::region::{Draft, Operand, Region, StepCode, View};
use crate::kernels::{Kernel, Mode};
use graph::{Id, Op};
use std::collections::HashMap;

impl Lowering<'_> {
    /// A fused region.
    pub(super) fn region(&mut self, nodes: &[Id]) {
        let ty = self.g.ty(nodes[0]).clone();
        let round = self.s.rounds[nodes[0].index()];
        let mut draft = Draft { shape: ty.shape.clone(), ..Draft::default() };
        let absorbed: Vec<Id> = nodes.iter().copied().filter(|&id| self.is_absorbed(id, nodes)).collect();
        let mut values: HashMap<Id, usize> = HashMap::new();
        for &id in nodes.iter().filter(|id| !absorbed.contains(id)) {
            self.compute(id, &absorbed, &mut values, &mut draft);
        }
        for &id in nodes {
            let Some(&value) = values.get(&id) else { continue };
            self.stores(id, Operand::Value(value), round, &mut draft);
        }
        let kernel = Kernel::Region(Region::build(draft, arithmetic(ty.dtype)));
        self.task(2 * round + 1, vec![kernel]);
    }

    /// Whether a product is computed together with the sum that alone uses it.
    fn is_absorbed(&self, id: Id, nodes: &[Id]) -> bool {
        let Some(user) = self.s.sum_of(self.g, id) else { return false };
        let (add, kept) = (self.g.node(user), |id: Id| self.targets.contains_key(&id));
        nodes.contains(&user)
            && !kept(id)
            && self.s.fuses(self.g, id, user)
            && add.args[0] != add.args[1]
            // Of two products only the first is absorbed.
            && (add.args[0] == id || !(self.s.sum_of(self.g, add.args[0]).is_some() && nodes.contains(&add.args[0]) && !kept(add.args[0])))
    }

    /// The value of `id` in a region that computes it, its own or a later one.
    fn compute(&mut self, id: Id, absorbed: &[Id], values: &mut HashMap<Id, usize>, draft: &mut Draft) -> Operand {
        let instruction = self.instruction(id, absorbed, values, draft);
        draft.values.push(instruction);
        values.insert(id, draft.values.len() - 1);
        Operand::Value(draft.values.len() - 1)
    }

    fn instruction(&mut self, id: Id, absorbed: &[Id], values: &mut HashMap<Id, usize>, draft: &mut Draft) -> (StepCode, [Operand; 3]) {
        let node = self.g.node(id).clone();
        let mut get = |this: &mut Self, a: Id| match values.get(&a) {
            Some(&v) => Operand::Value(v),
            None if this.s.again[a.index()] => this.compute(a, &[], values, draft),
            None => this.operand(draft, a),
        };
        if let Some(&product) = node.args.iter().find(|a| absorbed.contains(a)) {
            let factors = self.g.node(product).args.clone();
            let other = if node.args[0] == product { node.args[1] } else { node.args[0] };
            return (StepCode::Map(Code::MulAdd), [get(self, factors[0]), get(self, factors[1]), get(self, other)]);
        }
        if let Op::Uniform { stream, ty } = &node.op {
            let (key, _) = self.seen(node.args[0]);
            let row = if ty.shape.is_empty() { 0 } else { ty.len() / ty.shape[0].max(1) };
            return (StepCode::Uniform(key, *stream, row), [Operand::Imm(0.0); 3]);
        }
        let code = match &node.op {
            Op::Unary(u) => Code::Un(*u),
            Op::Binary(b) => Code::Bin(*b),
            Op::Compare(c) => Code::Cmp(*c),
            Op::Select => Code::Select,
            _ => Code::Copy, // casts: loads and stores convert
        };
        let mut args = [Operand::Imm(0.0); 3];
        for (slot, &a) in args.iter_mut().zip(&node.args) {
            *slot = get(self, a);
        }
        (StepCode::Map(code), args)
    }

    /// Everything that wants the value of `id` in memory.
    fn stores(&mut self, id: Id, value: Operand, round: usize, draft: &mut Draft) {
        let ty = self.g.ty(id).clone();
        let mut target = self.targets.get(&id).cloned();
        if self.is_read(id) {
            let buffer = self.home(id, 2 * round + 1);
            target = target.filter(|t| t.buffer != buffer);
            draft.stores.push((value, View { buffer, offset: 0, strides: row_major(&ty.shape) }, ty.dtype, Mode::Write));
        }
        if let Some(t) = target {
            draft.stores.push((value, View { buffer: t.buffer, offset: 0, strides: t.strides }, ty.dtype, t.mode));
        }
        let mut frames = self.s.users[id.index()].clone();
        frames.sort();
        frames.dedup();
        for f in frames.into_iter().filter(|&f| self.s.roles[f.index()] == Role::Frame && self.s.writes_into(self.g, id, f)) {
            let Some(&buffer) = self.homes.get(&f) else { continue };
            for k in 0..self.g.node(f).args.len() {
                if self.g.node(f).args[k] == id {
                    let to = self.part(f, k);
                    draft.stores.push((value, View { buffer, offset: to.offset, strides: to.strides }, ty.dtype, Mode::Write));
                }
            }
        }
    }
}
