//! Cheap values that are computed again where they are needed later, rather than kept in memory until then: the slope
//! 1 − y² of a tanh follows from y, which its layer's gradient needs anyway.

use super::fuse::{Role, Schedule};
use graph::ops::{Binary, Unary};
use graph::{Graph, Id, Op};

/// Instructions that replace one load and one store at most.
const FEW: usize = 3;

impl Schedule {
    /// Marks what is computed again by every region that reads it in a later round than its own.
    pub(super) fn repeat(&mut self, g: &Graph, results: &[Id]) {
        for i in 0..g.nodes().len() {
            let id = Id(i as u32);
            let to = self.users[i].iter().map(|u| self.rounds[u.index()]).max().unwrap_or(0);
            if self.roles[i] != Role::Map || to <= self.rounds[i] {
                continue;
            }
            let mut cone = vec![];
            if self.follows(g, results, id, to, &mut cone) {
                cone.iter().for_each(|c: &Id| self.again[c.index()] = true);
            }
        }
    }

    /// Whether `id` can be made of what is in memory in round `to` anyway; `cone` is what must be computed for that.
    fn follows(&self, g: &Graph, results: &[Id], id: Id, to: usize, cone: &mut Vec<Id>) -> bool {
        if cone.contains(&id) {
            return true;
        }
        cone.push(id);
        let known = |a: &Id| {
            let base = self.bases[a.index()];
            match self.roles[base.index()] {
                Role::Source | Role::Constant(_) | Role::Counter => true,
                _ => !self.again[base.index()] && self.last_read(g, base) >= to,
            }
        };
        // A part of another value: only together with it, and not kept for others.
        let part = |a: &Id| self.fuses(g, *a, id) && (self.again[a.index()] || self.last_read(g, *a) <= self.rounds[id.index()]);
        cone.len() <= FEW
            && !results.contains(&id)
            && self.users[id.index()].iter().all(|&u| self.fuses(g, id, u))
            && is_cheap(g, id)
            && !self.is_fused_product(g, id)
            && g.node(id).args.iter().all(|a| known(a) || (part(a) && self.follows(g, results, *a, to, cone)))
    }

    /// Whether this is a product that the sum which alone uses it takes up, in one rounding.
    fn is_fused_product(&self, g: &Graph, id: Id) -> bool {
        let sum = |&u: &Id| g.node(u).op == Op::Binary(Binary::Add);
        g.node(id).op == Op::Binary(Binary::Mul) && self.users[id.index()].len() == 1 && self.users[id.index()].iter().any(sum)
    }
}

/// Whether an operation takes no longer than reading its result.
fn is_cheap(g: &Graph, id: Id) -> bool {
    match g.node(id).op {
        Op::Unary(u) => matches!(u, Unary::Neg | Unary::Abs),
        Op::Binary(b) => matches!(b, Binary::Add | Binary::Sub | Binary::Mul),
        Op::Compare(_) => true,
        _ => false,
    }
}
