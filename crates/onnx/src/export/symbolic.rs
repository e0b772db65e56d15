//! A graph whose extents are formulas in the batch size N.
//!
//! A trace has concrete shapes, so the model is traced at several batch sizes and the lists are walked
//! in step: whatever differs depends on N. Two traces determine the formulas, the third checks them.

use crate::{Error, Result};
use graph::{Graph, Id, Op, Scalar, Type};
use std::collections::HashMap;

/// Large primes: an extent of the model's own is hardly the same, so that nothing is mistaken for N.
pub(super) const BATCHES: [usize; 3] = [10_007, 10_009, 10_037];

/// `scale`·N + `offset`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Extent {
    pub scale: i64,
    pub offset: i64,
}

impl Extent {
    pub fn fixed(n: usize) -> Extent {
        Extent { scale: 0, offset: n as i64 }
    }

    /// The extent, if it does not depend on N.
    pub fn known(self) -> Option<usize> {
        (self.scale == 0).then_some(self.offset as usize)
    }

    pub fn is_one(self) -> bool {
        self.known() == Some(1)
    }

    /// The formula through three observations, if there is one.
    fn fit(seen: [usize; 3]) -> Option<Extent> {
        let [a, b, c] = seen.map(|x| x as i64);
        let [n, m, k] = BATCHES.map(|x| x as i64);
        let scale = (b - a) / (m - n);
        let fit = Extent { scale, offset: a - scale * n };
        ([a, b, c] == [n, m, k].map(|n| fit.scale * n + fit.offset)).then_some(fit)
    }

    /// How shape lists of a file show it.
    pub fn label(self) -> String {
        match (self.scale, self.offset) {
            (1, 0) => "N".into(),
            (s, 0) => format!("{s}N"),
            (s, o) => format!("{s}N{o:+}"),
        }
    }
}

/// The number that fills a tensor.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Fill {
    Number(f64),
    /// The number times N.
    PerBatch(f64),
    /// The number divided by N, as in a mean over the batch.
    OverBatch(f64),
}

impl Fill {
    fn fit(seen: [f64; 3]) -> Option<Fill> {
        let [a, b, c] = seen;
        if a.to_bits() == b.to_bits() && b.to_bits() == c.to_bits() {
            return Some(Fill::Number(a));
        }
        let n = BATCHES.map(|n| n as f64);
        let near = |f: f64, exact: &[f64; 3]| exact.iter().all(|&e| (e - f).abs() <= f.abs() * 1e-6);
        let whole = |x: f64| if (x - x.round()).abs() <= x.abs() * 1e-6 { x.round() } else { x };
        let (over, per) = ([a * n[0], b * n[1], c * n[2]], [a / n[0], b / n[1], c / n[2]]);
        if near(over[0], &over) {
            return Some(Fill::OverBatch(whole(over[0])));
        }
        near(per[0], &per).then(|| Fill::PerBatch(whole(per[0])))
    }
}

/// A graph with formulas for extents.
pub(super) struct Symbolic {
    /// The first trace, with nothing but what the outputs need.
    pub graph: Graph,
    pub outputs: Vec<Id>,
    /// How many nodes use each node (an output counts as one).
    pub users: Vec<usize>,
    shapes: Vec<Vec<Extent>>,
    slices: HashMap<Id, [Vec<Extent>; 2]>,
    fills: HashMap<Id, Fill>,
}

impl Symbolic {
    /// Puts the traces at [`BATCHES`] together.
    pub fn new(traces: [(Graph, Vec<Id>); 3]) -> Result<Symbolic> {
        let [first, second, third] = traces.map(|(g, outputs)| g.pruned(&outputs));
        let (a, b, c) = (&first.0, &second.0, &third.0);
        let same = |x: &Graph| x.nodes().len() == a.nodes().len();
        if !same(b) || !same(c) || second.1 != first.1 || third.1 != first.1 {
            let why = "the graph has other operations at another batch size".into();
            return Err(Error::Batch { node: "the model".into(), why });
        }
        let mut s = Symbolic { users: vec![0; a.nodes().len()], ..Symbolic::empty() };
        for i in 0..a.nodes().len() {
            let id = Id(i as u32);
            s.merge(id, [a, b, c]).map_err(|why| Error::Batch { node: a.equation(id), why })?;
            a.node(id).args.iter().for_each(|x| s.users[x.index()] += 1);
        }
        first.1.iter().for_each(|x| s.users[x.index()] += 1);
        (s.graph, s.outputs) = first;
        Ok(s)
    }

    fn empty() -> Symbolic {
        Symbolic { graph: Graph::new(), outputs: vec![], users: vec![], shapes: vec![], slices: HashMap::new(), fills: HashMap::new() }
    }

    fn merge(&mut self, id: Id, graphs: [&Graph; 3]) -> Result<(), String> {
        let nodes = graphs.map(|g| g.node(id));
        let [a, ..] = nodes;
        let alike = |n: &graph::Node| {
            skeleton(&n.op) == skeleton(&a.op) && n.args == a.args && n.ty.rank() == a.ty.rank() && n.ty.dtype == a.ty.dtype
        };
        if !nodes.iter().all(|n| alike(n)) {
            return Err("it is another operation at another batch size".into());
        }
        let shape = fit(nodes.map(|n| &n.ty.shape[..])).ok_or("an extent depends on the batch size, but not as a multiple of it")?;
        self.shapes.push(shape);
        if let [Op::Slice { start: a, limit: d, .. }, Op::Slice { start: b, limit: e, .. }, Op::Slice { start: c, limit: f, .. }] =
            nodes.map(|n| &n.op)
        {
            let bounds = fit([a, b, c]).zip(fit([d, e, f]));
            let (start, limit) = bounds.ok_or("a bound depends on the batch size, but not as a multiple of it")?;
            self.slices.insert(id, [start, limit]);
        }
        if let [Op::Full { value: a, .. }, Op::Full { value: b, .. }, Op::Full { value: c, .. }] = nodes.map(|n| &n.op) {
            let fill = Fill::fit([a.get(), b.get(), c.get()]);
            self.fills.insert(id, fill.ok_or("a number depends on the batch size, but is neither a multiple of it nor of its inverse")?);
        }
        Ok(())
    }

    pub fn shape(&self, id: Id) -> &[Extent] {
        &self.shapes[id.index()]
    }

    /// First and past-the-end indices of a slice.
    pub fn bounds(&self, id: Id) -> (&[Extent], &[Extent]) {
        self.slices.get(&id).map_or((&[], &[]), |[a, b]| (a, b))
    }

    pub fn fill(&self, id: Id) -> Fill {
        self.fills.get(&id).copied().unwrap_or(Fill::Number(f64::NAN))
    }
}

fn fit(seen: [&[usize]; 3]) -> Option<Vec<Extent>> {
    let [a, b, c] = seen;
    (0..a.len()).map(|i| Extent::fit([a[i], *b.get(i)?, *c.get(i)?])).collect()
}

/// The operation without what may depend on the batch size.
fn skeleton(op: &Op) -> Op {
    let scalar = |ty: &Type| Type::new(ty.dtype, []);
    match op {
        Op::Input { name, ty } => Op::Input { name: name.clone(), ty: scalar(ty) },
        Op::Full { ty, .. } => Op::Full { value: Scalar::new(0.0), ty: scalar(ty) },
        Op::Iota { axis, ty } => Op::Iota { axis: *axis, ty: scalar(ty) },
        Op::Uniform { stream, ty } => Op::Uniform { stream: *stream, ty: scalar(ty) },
        Op::Broadcast { dims, .. } => Op::Broadcast { shape: vec![], dims: dims.clone() },
        Op::Reshape(_) => Op::Reshape(vec![]),
        Op::Slice { stride, .. } => Op::Slice { start: vec![], limit: vec![], stride: stride.clone() },
        other => other.clone(),
    }
}
