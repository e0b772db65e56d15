//! A finer batch: where nothing mixes the pixels of an image (or the letters of a text), its parts can be rows of the
//! batch as well as whole images can. `f32[64, 256, 256, 3]` becomes `f32[8192, 2, 256, 3]`, the same bytes, and a tile
//! fits the cache although an image does not.
//!
//! The batch axis takes a factor from the axis that lies behind it in memory. Every equation must allow it; one that
//! does not (a 3×3 convolution, a label per image) leaves the graph as it was.

use graph::ops::contract::Dot;
use graph::ops::{Conv, Op};
use graph::{Graph, Id, Type};

/// The graph with every row of the batch split into as many as possible, and its outputs (of other shape, with the same
/// bytes); `None` where rows cannot be split.
pub fn refine(g: &Graph, outputs: &[Id], batched: &[bool]) -> Option<(Graph, Vec<Id>)> {
    let rows: Vec<&Type> = g.inputs().iter().zip(batched).filter(|(_, b)| **b).map(|(&i, _)| g.ty(i)).collect();
    let n = *rows.first()?.shape.first()?;
    if n < 2 || rows.iter().any(|ty| ty.rank() < 2 || ty.shape[0] != n) {
        return None;
    }
    let factor = rows.iter().map(|ty| ty.shape[1]).fold(0, gcd);
    if factor < 2 {
        return None;
    }
    let mut r =
        Refiner { g, factor, out: Graph::new(), map: Vec::with_capacity(g.nodes().len()), split: Vec::with_capacity(g.nodes().len()) };
    for i in 0..g.nodes().len() {
        let (id, split) = r.node(Id(i as u32), batched)?;
        r.map.push(id);
        r.split.push(split);
    }
    let in_order = |o: &Id| matches!(r.split[o.index()], None | Some(Split { batch: 0, inner: 1 }));
    outputs.iter().all(in_order).then(|| (r.out, outputs.iter().map(|o| r.map[o.index()]).collect()))
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// A value with rows: which axis is the batch, and which gives it a factor.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Split {
    batch: usize,
    inner: usize,
}

impl Split {
    fn has(self, axis: usize) -> bool {
        axis == self.batch || axis == self.inner
    }

    fn moved(self, to: impl Fn(usize) -> Option<usize>) -> Option<Split> {
        Some(Split { batch: to(self.batch)?, inner: to(self.inner)? })
    }
}

struct Refiner<'a> {
    g: &'a Graph,
    factor: usize,
    out: Graph,
    map: Vec<Id>,
    split: Vec<Option<Split>>,
}

impl Refiner<'_> {
    fn shape(&self, shape: &[usize], s: Split) -> Option<Vec<usize>> {
        let mut shape = shape.to_vec();
        if shape.get(s.inner)? % self.factor != 0 {
            return None;
        }
        shape[s.inner] /= self.factor;
        shape[s.batch] *= self.factor;
        Some(shape)
    }

    fn push(&mut self, op: Op, args: &[Id]) -> Option<Id> {
        self.out.push(op, args).ok()
    }

    /// The new node of `id`, and how it is split.
    fn node(&mut self, id: Id, batched: &[bool]) -> Option<(Id, Option<Split>)> {
        let node = self.g.node(id);
        self.out.set_layer(self.g.layer(id));
        if let Op::Input { name, ty } = &node.op {
            let rows = self.g.inputs().iter().position(|&x| x == id).is_some_and(|k| batched.get(k) == Some(&true));
            let split = rows.then_some(Split { batch: 0, inner: 1 });
            let ty = split.map_or(Some(ty.clone()), |s| Some(ty.with_shape(self.shape(&ty.shape, s)?)))?;
            return Some((self.out.input(name, ty), split));
        }
        let splits: Vec<Option<Split>> = node.args.iter().map(|a| self.split[a.index()]).collect();
        let args: Vec<Id> = node.args.iter().map(|a| self.map[a.index()]).collect();
        if splits.iter().all(Option::is_none) {
            return Some((self.push(node.op.clone(), &args)?, None));
        }
        let (op, split) = self.rule(id, &splits)?;
        let mut new = Vec::with_capacity(args.len());
        for (k, &arg) in args.iter().enumerate() {
            let cut = (node.op.is_elementwise() || matches!(node.op, Op::Concat(_))) && splits[k].is_none();
            new.push(if cut { self.repeated(node.args[k], split?)? } else { arg });
        }
        Some((self.push(op, &new)?, split))
    }

    /// The operation on split operands and how its result is split.
    fn rule(&self, id: Id, splits: &[Option<Split>]) -> Option<(Op, Option<Split>)> {
        let node = self.g.node(id);
        let of = |k: usize| self.g.shape(node.args[k]);
        let first = splits[0];
        let same = || {
            let s = splits.iter().flatten().next().copied()?;
            splits.iter().flatten().all(|&other| other == s).then_some(s)
        };
        let kept = |s: Split| Some((node.op.clone(), Some(s)));
        match &node.op {
            op if op.is_elementwise() => kept(same()?),
            Op::Concat(axis) => kept(same().filter(|s| !s.has(*axis))?),
            Op::Broadcast { dims, .. } => {
                let s = first?.moved(|axis| dims.get(axis).copied())?;
                Some((Op::Broadcast { dims: dims.clone(), shape: self.shape(&node.ty.shape, s)? }, Some(s)))
            }
            Op::Transpose(perm) => kept(first?.moved(|axis| perm.iter().position(|&p| p == axis))?),
            Op::Reshape(to) => {
                let s = first?;
                let aligned = s == Split { batch: 0, inner: 1 } && to.len() > 1 && to[0] == of(0)[0];
                aligned.then_some(())?;
                Some((Op::Reshape(self.shape(to, s)?), Some(s)))
            }
            Op::Reverse(axes) => kept(first.filter(|s| !axes.iter().any(|&a| s.has(a)))?),
            Op::Slice { start, limit, stride } => {
                let s = first?;
                let whole = |a: usize| start[a] == 0 && limit[a] == of(0)[a] && stride[a] == 1;
                (whole(s.batch) && whole(s.inner)).then_some(())?;
                Some((Op::Slice { start: start.clone(), limit: self.shape(limit, s)?, stride: stride.clone() }, Some(s)))
            }
            Op::Pad { lo, hi, interior, .. } => {
                let untouched = |a: usize| lo[a] == 0 && hi[a] == 0 && interior[a] == 0;
                kept(first.filter(|s| untouched(s.batch) && untouched(s.inner))?)
            }
            Op::Sum(axes) if axes.contains(&first?.batch) && axes.contains(&first?.inner) => Some((node.op.clone(), None)),
            Op::Sum(axes) | Op::Max(axes) => {
                let s = first.filter(|s| !axes.iter().any(|&a| s.has(a)))?;
                kept(s.moved(|axis| Some(axis - axes.iter().filter(|&&a| a < axis).count()))?)
            }
            Op::Gather => match splits {
                [None, Some(s)] => kept(*s),
                _ => None,
            },
            Op::ScatterAdd { .. } => match splits {
                [Some(a), Some(b)] if a == b && a.batch.max(a.inner) < of(0).len() => Some((node.op.clone(), None)),
                _ => None,
            },
            Op::Dot(d) => Some((node.op.clone(), dot(d, splits, of(0).len(), of(1).len())?)),
            Op::Conv(c) => Some((node.op.clone(), conv(c, splits, of(0), of(1))?)),
            _ => None,
        }
    }

    /// A value that is the same for all rows, for split operands beside it.
    fn repeated(&mut self, id: Id, s: Split) -> Option<Id> {
        let node = self.g.node(id);
        let shape = self.shape(&node.ty.shape, s)?;
        let ty = node.ty.with_shape(shape.clone());
        match &node.op {
            Op::Full { value, .. } => self.push(Op::Full { value: *value, ty }, &[]),
            Op::Iota { axis, .. } if !s.has(*axis) => self.push(Op::Iota { axis: *axis, ty }, &[]),
            // Random numbers follow the place in memory, which stays.
            Op::Uniform { stream, .. } if s == (Split { batch: 0, inner: 1 }) => {
                let key = self.map[node.args[0].index()];
                self.push(Op::Uniform { stream: *stream, ty }, &[key])
            }
            Op::Broadcast { dims, .. } if !dims.iter().any(|&d| s.has(d)) => {
                let inner = self.map[node.args[0].index()];
                self.push(Op::Broadcast { dims: dims.clone(), shape }, &[inner])
            }
            _ => None,
        }
    }
}

/// How a product is split: `Some(None)` if it sums over the rows.
fn dot(d: &Dot, splits: &[Option<Split>], left: usize, right: usize) -> Option<Option<Split>> {
    let (lf, rf) = d.free(left, right);
    let nb = d.lhs_batch.len();
    match *splits {
        [Some(l), Some(r)] => {
            let paired = |a: usize, b: usize| d.lhs_contract.iter().zip(&d.rhs_contract).any(|(&x, &y)| (x, y) == (a, b));
            (paired(l.batch, r.batch) && paired(l.inner, r.inner)).then_some(None)
        }
        [Some(l), None] => Some(Some(l.moved(|axis| Some(nb + lf.iter().position(|&f| f == axis)?))?)),
        [None, Some(r)] => Some(Some(r.moved(|axis| Some(nb + lf.len() + rf.iter().position(|&f| f == axis)?))?)),
        _ => None,
    }
}

/// How a convolution is split: pixel by pixel with a 1×1 kernel, or summed over all pixels and rows for that kernel's
/// gradient.
fn conv(c: &Conv, splits: &[Option<Split>], image: &[usize], kernel: &[usize]) -> Option<Option<Split>> {
    let plain = c.padding == [(0, 0); 2] && c.lhs_dilation == [1, 1] && c.rhs_dilation == [1, 1] && c.stride == [1, 1];
    match *splits {
        _ if !plain => None,
        [Some(s @ Split { batch: 0, inner: 1 }), None] if kernel[..2] == [1, 1] => Some(Some(s)),
        [Some(Split { batch: 3, inner: 1 }), Some(Split { batch: 2, inner: 0 })] if image[1] == kernel[0] => Some(None),
        _ => None,
    }
}
