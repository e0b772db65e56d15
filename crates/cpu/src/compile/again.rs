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
            && self.sum_of(g, id).is_none()
            && g.node(id).args.iter().all(|a| known(a) || (part(a) && self.follows(g, results, *a, to, cone)))
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

#[cfg(test)]
mod tests {
    use super::*;
    use graph::ops::contract::Dot;
    use graph::{DType, Type};

    /// y = tanh(x·w), its slope used at once and once more after another product.
    #[test]
    fn the_slope_of_a_tanh_is_computed_again_while_its_result_is_kept() {
        let mut g = Graph::new();
        let f32 = |shape: [usize; 2]| Type::new(DType::F32, shape);
        let (x, w) = (g.input("x", f32([6, 5])), g.input("w", f32([5, 5])));
        let dot = |g: &mut Graph, a, b| g.push(Op::Dot(Dot::pair(1, 0)), &[a, b]).unwrap();
        let z = dot(&mut g, x, w);
        let y = g.unary(Unary::Tanh, z).unwrap();
        let square = g.mul(y, y).unwrap();
        let slope = g.rsub_scalar(1.0, square).unwrap();
        let once = g.mul(slope, z).unwrap();
        let (later, kept) = (dot(&mut g, once, w), dot(&mut g, y, w));
        let both = g.add(later, kept).unwrap();
        let twice = g.mul(slope, both).unwrap();
        let read = g.mul(y, twice).unwrap();
        let again = |results: &[Id]| {
            let s = Schedule::new(&g, results, &[]);
            (0..g.nodes().len()).filter(|&i| s.again[i]).map(|i| Id(i as u32)).collect::<Vec<_>>()
        };
        assert_eq!(again(&[read]), [square, slope]);
        assert_eq!(again(&[twice]), [], "nothing else needs y so late: the slope is kept instead");
        assert_eq!(again(&[read, slope]), [], "a result is in memory anyway");
    }
}
