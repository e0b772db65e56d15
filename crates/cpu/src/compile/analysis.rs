//! Which part of a graph is separable in the batch: computed row by row, summed over rows, or neither.
//!
//! Rows of the batch are cut into tiles; whatever is computed row by row runs tile after tile in the
//! cache, and only sums over rows leave it. What needs all rows at once waits for the next level.

use graph::ops::Op;
use graph::{Graph, Id};

/// How a node depends on the batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Needs no rows, or all of them.
    Whole,
    /// Each row of axis `axis` (or block of equally many) belongs to one row of the batch.
    Rows {
        /// Which batch.
        domain: usize,
        /// The axis.
        axis: usize,
    },
    /// A sum over the rows of a batch.
    Partial {
        /// Which batch.
        domain: usize,
    },
}

/// How a node depends on the batch, and when it can be computed: stage 0 whole, stage 0 tiled,
/// stage 1 whole, ….
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Class {
    /// The stage.
    pub level: usize,
    /// The dependence.
    pub kind: Kind,
}

/// The classes of all nodes, and the extents of the batches.
pub struct Analysis {
    /// Per node.
    pub classes: Vec<Class>,
    /// Rows of each batch.
    pub domains: Vec<usize>,
    /// Per node: whether a later stage makes it again rather than reads it from memory.
    pub again: Vec<bool>,
}

/// Weights of a product (or of its gradient) up to this size are no burden to tiles of few rows.
const FINE: usize = 128 << 10;
/// Products with at most so many terms per result are computed again where they are needed in a later stage.
const CHEAP: usize = 64;

/// Classifies every node. `batched[i]` says whether axis 0 of input i is a batch axis; inputs of the
/// same extent share a batch.
///
/// With `fine` rows, parts of an image, products with few weights and those with many want tiles of different size:
/// the former run on even levels, the latter on odd ones.
pub fn analyse(g: &Graph, batched: &[bool], fine: bool) -> Analysis {
    let mut domains: Vec<usize> = vec![];
    let mut classes: Vec<Class> = Vec::with_capacity(g.nodes().len());
    for (i, node) in g.nodes().iter().enumerate() {
        let input = g.inputs().iter().position(|&x| x == Id(i as u32));
        let rows = input.filter(|&k| batched.get(k) == Some(&true)).and_then(|_| node.ty.shape.first().copied()).filter(|&n| n > 1);
        let class = match rows {
            Some(n) => {
                let domain = domains.iter().position(|&d| d == n).unwrap_or_else(|| {
                    domains.push(n);
                    domains.len() - 1
                });
                Class { level: 0, kind: Kind::Rows { domain, axis: 0 } }
            }
            None => classify(g, Id(i as u32), &classes, &domains),
        };
        classes.push(if fine { by_grain(g, Id(i as u32), class, &classes) } else { class });
    }
    defer(g, &mut classes);
    let again = if fine { cheap(g, &classes) } else { vec![false; classes.len()] };
    Analysis { classes, domains, again }
}

/// Moves a product to the next level of its kind: even for few weights, odd for many.
fn by_grain(g: &Graph, id: Id, class: Class, classes: &[Class]) -> Class {
    let node = g.node(id);
    if class.kind == Kind::Whole || !matches!(node.op, Op::Dot(_) | Op::Conv(_)) {
        return class;
    }
    let bytes = |id: Id| g.ty(id).len() * g.ty(id).dtype.size();
    let weights = node.args.iter().filter(|a| classes[a.index()].kind == Kind::Whole).map(|&a| bytes(a));
    let sums = if matches!(class.kind, Kind::Partial { .. }) { bytes(id) } else { 0 };
    let many = weights.chain([sums]).max().unwrap_or(0) > FINE;
    Class { level: class.level + usize::from((class.level % 2 == 1) != many), ..class }
}

/// What follows from the inputs by element-by-element operations, moves and short products.
fn cheap(g: &Graph, classes: &[Class]) -> Vec<bool> {
    let mut again: Vec<bool> = vec![];
    for (node, class) in g.nodes().iter().zip(classes) {
        let rows = |id: Id| matches!(classes[id.index()].kind, Kind::Rows { .. });
        let known = |a: &Id| !rows(*a) || matches!(g.node(*a).op, Op::Input { .. }) || again[a.index()];
        let terms = match &node.op {
            Op::Dot(d) => d.lhs_contract.iter().map(|&a| g.shape(node.args[0])[a]).product(),
            Op::Conv(_) => g.shape(node.args[1])[..3].iter().product(),
            Op::Sum(_) | Op::Max(_) | Op::ScatterAdd { .. } => usize::MAX,
            _ => 1,
        };
        again.push(matches!(class.kind, Kind::Rows { .. }) && class.level % 2 == 0 && terms <= CHEAP && node.args.iter().all(known));
    }
    again
}

/// Moves element-by-element work on the program's inputs to the level that needs it: an optimizer's `β·m` is then
/// computed where `m` is overwritten, not stored from before the rows until after them.
fn defer(g: &Graph, classes: &mut [Class]) {
    let mut needed = vec![usize::MAX; classes.len()];
    for (i, node) in g.nodes().iter().enumerate().rev() {
        let cheap = |a: &Id| matches!(g.node(*a).op, Op::Input { .. } | Op::Full { .. }) || g.ty(*a).len() == 1;
        let own = classes[i];
        let deferred = own.kind == Kind::Whole && node.op.is_elementwise() && !node.args.is_empty() && node.args.iter().all(cheap);
        if deferred && needed[i] != usize::MAX && needed[i] > own.level {
            classes[i].level = needed[i];
        }
        // A user with rows may need its operands at once; only whole users say how late is early enough.
        let level = if classes[i].kind == Kind::Whole { classes[i].level } else { 0 };
        node.args.iter().for_each(|a| needed[a.index()] = needed[a.index()].min(level));
    }
}

fn classify(g: &Graph, id: Id, classes: &[Class], domains: &[usize]) -> Class {
    let node = g.node(id);
    let seen: Vec<Class> = node.args.iter().map(|a| as_operand(classes[a.index()])).collect();
    let level = seen.iter().map(|c| c.level).max().unwrap_or(0);
    let mut domain = None;
    for c in &seen {
        if let Kind::Rows { domain: d, .. } = c.kind {
            match domain {
                Some(e) if e != d => return whole(&seen),
                _ => domain = Some(d),
            }
        }
    }
    let Some(domain) = domain else { return Class { level, kind: Kind::Whole } };
    let axes: Vec<Option<usize>> = seen.iter().map(|c| if let Kind::Rows { axis, .. } = c.kind { Some(axis) } else { None }).collect();
    match separate(g, id, &axes, domains[domain]) {
        Some(Separated::Rows(axis)) => Class { level, kind: Kind::Rows { domain, axis } },
        Some(Separated::Sum) => Class { level, kind: Kind::Partial { domain } },
        None => whole(&seen),
    }
}

/// Sums over rows are complete one level later.
fn as_operand(c: Class) -> Class {
    match c.kind {
        Kind::Partial { .. } => Class { level: c.level + 1, kind: Kind::Whole },
        _ => c,
    }
}

/// What needs all rows waits until they are there.
fn whole(seen: &[Class]) -> Class {
    let ready = |c: &Class| c.level + usize::from(c.kind != Kind::Whole);
    Class { level: seen.iter().map(ready).max().unwrap_or(0), kind: Kind::Whole }
}

enum Separated {
    Rows(usize),
    Sum,
}

/// What becomes of operands whose batch axes are `axes` (`None`: the operand needs no rows).
fn separate(g: &Graph, id: Id, axes: &[Option<usize>], n: usize) -> Option<Separated> {
    let node = g.node(id);
    let shape = |i: usize| g.shape(node.args[i]);
    let first = axes[0];
    let rows = |axis| Some(Separated::Rows(axis));
    match &node.op {
        op if op.is_elementwise() => {
            let axis = axes.iter().flatten().next().copied()?;
            axes.iter().flatten().all(|&a| a == axis).then_some(Separated::Rows(axis))
        }
        Op::Broadcast { dims, .. } => rows(dims[first?]),
        Op::Transpose(perm) => rows(perm.iter().position(|&p| Some(p) == first)?),
        Op::Reshape(to) => rows(reshaped(shape(0), to, first?, n)?),
        Op::Reverse(turned) => (!turned.contains(&first?)).then_some(Separated::Rows(first?)),
        Op::Slice { .. } | Op::Pad { .. } => (node.ty.shape[first?] == shape(0)[first?]).then_some(Separated::Rows(first?)),
        Op::Concat(along) => {
            let axis = axes.iter().flatten().next().copied()?;
            (axis != *along && axes.iter().flatten().all(|&a| a == axis)).then_some(Separated::Rows(axis))
        }
        Op::Sum(over) if over.contains(&first?) => Some(Separated::Sum),
        Op::Sum(over) | Op::Max(over) if !over.contains(&first?) => rows(first? - over.iter().filter(|&&a| Some(a) < first).count()),
        Op::Unfold { .. } | Op::Fold { .. } => (first? == 0).then_some(Separated::Rows(0)),
        Op::Gather => match axes {
            [None, Some(axis)] => rows(*axis),
            _ => None,
        },
        Op::ScatterAdd { .. } => match axes {
            [Some(a), Some(b)] if a == b && *a < shape(0).len() => Some(Separated::Sum),
            _ => None,
        },
        Op::Dot(d) => {
            let (lf, rf) = d.free(shape(0).len(), shape(1).len());
            let nb = d.lhs_batch.len();
            let pair = |l: &[usize], r: &[usize]| {
                let p = l.iter().zip(r).position(|(a, b)| Some(*a) == axes[0] || Some(*b) == axes[1])?;
                let fits = axes[0].is_none_or(|a| a == l[p]) && axes[1].is_none_or(|b| b == r[p]);
                fits.then_some(p)
            };
            if let Some(p) = pair(&d.lhs_batch, &d.rhs_batch) {
                return rows(p);
            }
            if pair(&d.lhs_contract, &d.rhs_contract).is_some() {
                return Some(Separated::Sum);
            }
            match axes {
                [Some(a), None] => rows(nb + lf.iter().position(|f| f == a)?),
                [None, Some(b)] => rows(nb + lf.len() + rf.iter().position(|f| f == b)?),
                _ => None,
            }
        }
        Op::Conv(_) => match axes {
            [Some(0), None] => rows(0),
            [None, Some(3)] => rows(3),
            // Image channels against kernel channels: a kernel's gradient, with the batch as channels.
            [Some(3) | None, Some(2) | None] => Some(Separated::Sum),
            _ => None,
        },
        _ => None,
    }
}

/// The axis of the new shape along which the rows of `axis` still follow each other.
fn reshaped(from: &[usize], to: &[usize], axis: usize, n: usize) -> Option<usize> {
    let before: usize = from[..axis].iter().product();
    let mut product = 1;
    for (d, &extent) in to.iter().enumerate() {
        if product == before && extent != 1 {
            return (extent % n == 0 && extent > 0).then_some(d);
        }
        if product == before && n == 1 {
            return Some(d);
        }
        product *= extent;
    }
    None
}

/// The batch axis that operand `i` of `node` must have for the result to have the batch axis `axis`
/// (`None` for sums): where an operand that needs no rows must nevertheless be cut into them.
pub fn operand_axis(g: &Graph, id: Id, i: usize, classes: &[Class]) -> Option<usize> {
    let node = g.node(id);
    let own = |k: usize| if let Kind::Rows { axis, .. } = classes[node.args[k].index()].kind { Some(axis) } else { None };
    if let Some(axis) = own(i) {
        return Some(axis);
    }
    match &node.op {
        op if op.is_elementwise() || matches!(op, Op::Concat(_)) => (0..node.args.len()).find_map(own),
        Op::Dot(d) => {
            let (mine, other) = if i == 0 {
                ((&d.lhs_batch, &d.lhs_contract), (&d.rhs_batch, &d.rhs_contract))
            } else {
                ((&d.rhs_batch, &d.rhs_contract), (&d.lhs_batch, &d.lhs_contract))
            };
            let theirs = own(1 - i)?;
            let find = |m: &[usize], o: &[usize]| o.iter().position(|&a| a == theirs).map(|p| m[p]);
            find(mine.0, other.0).or_else(|| find(mine.1, other.1))
        }
        Op::Conv(_) => match (i, own(1 - i)?) {
            (0, 2) => Some(3),
            (1, 3) => Some(2),
            _ => None,
        },
        _ => None,
    }
}
