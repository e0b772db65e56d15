//! Features before rows: where a batch has many rows of a few features, as the points of a physics-informed network
//! have, its matrices are kept the other way round, `f32[20, n]` for `f32[n, 20]`. The lanes of a vector are then rows of
//! the batch, of which there are always enough, and not features, of which the last vector would have four.
//!
//! A rewrite of the graph on itself: what element-by-element operations and products tie together is turned as a whole,
//! or not at all.

use super::analysis::{Analysis, Kind, analyse};
use graph::ops::contract::Dot;
use graph::{Graph, Id, Op, Result, Type};

/// Rows that a batch must have.
const ROWS: usize = 128;
/// Numbers side by side that vectors of the result are made of.
const LANES: usize = 16;
/// Vector operations that turning one number of an input or an output costs, about.
const TURN: f64 = 2.0;
/// The work before must be at least so many times that after.
const GAIN: f64 = 1.08;

/// The graph with the matrices turned for which that pays, and its outputs; `None` if there are none.
///
/// # Errors
/// None for a legal graph.
pub fn orient(g: &Graph, outputs: &[Id], batched: &[bool]) -> Result<Option<(Graph, Vec<Id>)>> {
    let an = analyse(g, batched, false);
    let turned = Choice::new(g, &an, outputs).turned();
    if !turned.contains(&true) {
        return Ok(None);
    }
    let nodes = g.nodes().len();
    let mut r = Rewriter { g, turned, out: Graph::new(), rows: vec![None; nodes], features: vec![None; nodes] };
    let live = g.live(outputs);
    (0..nodes).filter(|&i| live[i] || g.inputs().contains(&Id(i as u32))).try_for_each(|i| r.node(Id(i as u32)))?;
    let outputs = outputs.iter().map(|&o| r.rows(o)).collect::<Result<Vec<Id>>>()?;
    Ok(Some(r.out.pruned(&outputs)))
}

/// Which matrices belong together, and what the products of each such set cost.
struct Choice<'a> {
    g: &'a Graph,
    an: &'a Analysis,
    /// Per node: another of its set, nearer to the one that stands for it.
    parent: Vec<usize>,
    sets: Vec<Set>,
}

#[derive(Clone, Copy, Default)]
struct Set {
    /// Whether something in it cannot be turned.
    fixed: bool,
    /// Vector operations per row of the batch, as it is and turned.
    cost: (f64, f64),
}

impl<'a> Choice<'a> {
    fn new(g: &'a Graph, an: &'a Analysis, outputs: &[Id]) -> Choice<'a> {
        let n = g.nodes().len();
        let mut c = Choice { g, an, parent: (0..n).collect(), sets: vec![Set::default(); n] };
        let live = g.live(outputs);
        (0..n).filter(|&i| live[i]).for_each(|i| c.link(Id(i as u32)));
        outputs.iter().for_each(|&o| c.turn(o));
        c
    }

    /// Whether a node is a matrix of the batch's rows.
    fn is_matrix(&self, id: Id) -> bool {
        let Kind::Rows { domain, axis: 0 } = self.an.classes[id.index()].kind else { return false };
        let rows = self.an.domains[domain];
        matches!(*self.g.shape(id), [n, _] if n == rows && n >= ROWS)
    }

    fn turned(mut self) -> Vec<bool> {
        let chosen = |s: Set| !s.fixed && s.cost.0 > GAIN * s.cost.1;
        (0..self.parent.len()).map(|i| self.is_matrix(Id(i as u32)) && chosen(*self.set(Id(i as u32)))).collect()
    }

    fn root(&mut self, mut i: usize) -> usize {
        while self.parent[i] != i {
            self.parent[i] = self.parent[self.parent[i]];
            i = self.parent[i];
        }
        i
    }

    fn set(&mut self, id: Id) -> &mut Set {
        let root = self.root(id.index());
        &mut self.sets[root]
    }

    fn join(&mut self, a: Id, b: Id) {
        let (a, b) = (self.root(a.index()), self.root(b.index()));
        if a != b {
            self.parent[b] = a;
            let (x, y) = (self.sets[a], self.sets[b]);
            self.sets[a] = Set { fixed: x.fixed || y.fixed, cost: (x.cost.0 + y.cost.0, x.cost.1 + y.cost.1) };
        }
    }

    /// A matrix that must be turned one by one.
    fn turn(&mut self, id: Id) {
        if self.is_matrix(id) {
            let features = self.g.shape(id)[1] as f64;
            self.set(id).cost.1 += TURN * features;
        }
    }

    /// What the equation of `id` says about its matrices.
    fn link(&mut self, id: Id) {
        let g = self.g;
        let node = g.node(id);
        let args: Vec<Id> = node.args.iter().copied().filter(|&a| self.is_matrix(a)).collect();
        let own = self.is_matrix(id);
        let single = |x: Id| g.shape(x)[1] == 1;
        let fits = match &node.op {
            Op::Input { .. } => {
                self.turn(id);
                true
            }
            op if op.is_elementwise() || matches!(op, Op::StopGradient | Op::Slice { .. } | Op::Pad { .. } | Op::Concat(1)) => {
                args.iter().for_each(|&a| self.join(id, a));
                // Random numbers follow their place in memory.
                (own && !node.args.iter().any(|&a| matches!(g.node(a).op, Op::Uniform { .. }))) || args.is_empty()
            }
            Op::Dot(d) => match args[..] {
                [] => !own,
                [x] if own && x == node.args[0] && is_layer(d) && g.shape(node.args[1]).len() == 2 => {
                    self.join(id, x);
                    self.product(x, g.shape(x)[1], g.shape(id)[1]);
                    true
                }
                // A gradient; what it is the sum of may be the same in all rows.
                [x, ..] if *d == Dot::pair(0, 0) && node.args.iter().all(|&a| g.shape(a).len() == 2) => {
                    args.iter().for_each(|&y| self.join(x, y));
                    self.product(x, g.shape(node.args[0])[1], g.shape(node.args[1])[1]);
                    true
                }
                _ => false,
            },
            Op::Sum(_) | Op::Max(_) => true,
            Op::Broadcast { dims, .. } => args.is_empty() && dims.len() < 2,
            Op::Reshape(_) => args.iter().all(|&a| single(a)) && (!own || single(id)),
            Op::Transpose(_) => !own,
            _ => !own && args.is_empty(),
        };
        if !fits {
            args.into_iter().chain(own.then_some(id)).for_each(|m| self.set(m).fixed = true);
        }
    }

    /// A product with `terms` per row and result, or per row of a gradient, and so many columns.
    fn product(&mut self, x: Id, terms: usize, columns: usize) {
        let cost = &mut self.set(x).cost;
        cost.0 += (terms * columns.div_ceil(LANES)) as f64;
        cost.1 += (terms * columns) as f64 / LANES as f64;
    }
}

/// Whether a product is that of a layer: features of the left matrix summed over.
fn is_layer(d: &Dot) -> bool {
    d.lhs_contract == [1] && d.lhs_batch.is_empty()
}

struct Rewriter<'a> {
    g: &'a Graph,
    turned: Vec<bool>,
    out: Graph,
    /// Per node of the old graph, that of the new one with its axes as they were.
    rows: Vec<Option<Id>>,
    /// … and with its two axes exchanged.
    features: Vec<Option<Id>>,
}

impl Rewriter<'_> {
    fn node(&mut self, id: Id) -> Result<()> {
        let (g, i) = (self.g, id.index());
        let node = g.node(id);
        self.out.set_layer(g.layer(id));
        if let (Op::Input { name, ty }, true) = (&node.op, g.inputs().contains(&id)) {
            self.rows[i] = Some(self.out.input(name, ty.clone()));
        } else if self.turned[i] {
            self.features[i] = Some(self.matrix(id)?);
        } else {
            self.rows[i] = Some(self.other(id)?);
        }
        Ok(())
    }

    /// A node with its axes as they were.
    fn rows(&mut self, id: Id) -> Result<Id> {
        if let Some(known) = self.rows[id.index()] {
            return Ok(known);
        }
        let features = self.features(id)?;
        let made = self.out.push(Op::Transpose(vec![1, 0]), &[features])?;
        self.rows[id.index()] = Some(made);
        Ok(made)
    }

    /// A matrix with its axes exchanged; what is the same in all rows is rather made so.
    fn features(&mut self, id: Id) -> Result<Id> {
        if let Some(known) = self.features[id.index()] {
            return Ok(known);
        }
        let node = self.g.node(id);
        let made = match &node.op {
            Op::Full { value, ty } => self.out.push(Op::Full { value: *value, ty: across(ty) }, &[])?,
            Op::Iota { axis, ty } => self.out.push(Op::Iota { axis: 1 - axis, ty: across(ty) }, &[])?,
            Op::Broadcast { shape, dims } if dims.len() < 2 => {
                let inner = self.rows(node.args[0])?;
                let op = Op::Broadcast { shape: vec![shape[1], shape[0]], dims: dims.iter().map(|d| 1 - d).collect() };
                self.out.push(op, &[inner])?
            }
            _ => {
                let rows = self.rows(id)?;
                self.out.push(Op::Transpose(vec![1, 0]), &[rows])?
            }
        };
        self.features[id.index()] = Some(made);
        Ok(made)
    }

    /// A matrix that is turned.
    fn matrix(&mut self, id: Id) -> Result<Id> {
        let node = self.g.node(id);
        let swapped = |v: &[usize]| vec![v[1], v[0]];
        let op = match &node.op {
            Op::Dot(d) => {
                let (w, x) = (self.rows(node.args[1])?, self.features(node.args[0])?);
                return self.out.push(Op::Dot(Dot::pair(d.rhs_contract[0], 0)), &[w, x]);
            }
            Op::Broadcast { .. } => return self.features(id),
            Op::Reshape(to) => {
                let column = if self.turned[node.args[0].index()] { self.features(node.args[0])? } else { self.rows(node.args[0])? };
                return self.out.push(Op::Reshape(swapped(to)), &[column]);
            }
            Op::Slice { start, limit, stride } => Op::Slice { start: swapped(start), limit: swapped(limit), stride: swapped(stride) },
            Op::Pad { lo, hi, interior, value } => Op::Pad { lo: swapped(lo), hi: swapped(hi), interior: swapped(interior), value: *value },
            Op::Concat(_) => Op::Concat(0),
            op => op.clone(),
        };
        let args = node.args.iter().map(|&a| self.features(a)).collect::<Result<Vec<Id>>>()?;
        self.out.push(op, &args)
    }

    /// Anything else.
    fn other(&mut self, id: Id) -> Result<Id> {
        let node = self.g.node(id);
        let over = |axes: &[usize]| axes.iter().rev().map(|a| 1 - a).collect();
        let op = match &node.op {
            _ if !node.args.iter().any(|a| self.turned[a.index()]) => None,
            Op::Dot(_) => Some(Op::Dot(Dot::pair(1, 1))),
            Op::Sum(axes) => Some(Op::Sum(over(axes))),
            Op::Max(axes) => Some(Op::Max(over(axes))),
            Op::Reshape(to) => Some(Op::Reshape(to.clone())),
            Op::Transpose(perm) if perm[..] == [1, 0] => return self.features(node.args[0]),
            _ => None,
        };
        let mut args = Vec::with_capacity(node.args.len());
        for &a in &node.args {
            args.push(if op.is_some() { self.features(a)? } else { self.rows(a)? });
        }
        self.out.push(op.unwrap_or_else(|| node.op.clone()), &args)
    }
}

/// The type of the transposed matrix.
fn across(ty: &Type) -> Type {
    ty.with_shape([ty.shape[1], ty.shape[0]])
}

#[cfg(test)]
mod tests {
    use super::*;
    use graph::eval::evaluate;
    use graph::{DType, Tensor, Tracer, Value, diff};

    const N: usize = 130;

    fn numbers(shape: &[usize], seed: usize) -> Value {
        let n = shape.iter().product::<usize>();
        Value::new(DType::F64, shape, (0..n).map(|i| ((i * 7919 + seed * 104_729) % 1009) as f64 / 504.5 - 1.0).collect())
    }

    /// Traces `f` over points and weights of one hidden layer; the graph, its turned form and how many products of that
    /// one have the points last.
    fn check(f: impl Fn(&Tensor, &[Tensor; 3]) -> Vec<Tensor>) -> usize {
        let cx = Tracer::new();
        let shapes: [&[usize]; 4] = [&[N, 3], &[3, 20], &[20], &[20, 20]];
        let [x, w, b, v] = ["x", "w", "b", "v"].map(|name| cx.input(name, DType::F64, shapes["xwbv".find(name).unwrap()]));
        let outputs: Vec<Id> = f(&x, &[w, b, v]).iter().map(Tensor::id).collect();
        let g = cx.finish().unwrap();
        let values: Vec<Value> = shapes.iter().enumerate().map(|(i, s)| numbers(s, i)).collect();
        let Some((turned, ids)) = orient(&g, &outputs, &[true]).unwrap() else { return 0 };
        let (want, got) = (evaluate(&g, &values, &outputs).unwrap(), evaluate(&turned, &values, &ids).unwrap());
        for (a, b) in want.iter().zip(&got) {
            assert_eq!(a.ty, b.ty);
            assert!(a.data.iter().zip(&b.data).all(|(a, b)| (a - b).abs() <= 1e-12 * a.abs().max(1.0)), "{g}\n{turned}");
        }
        turned.nodes().iter().filter(|n| matches!(n.op, Op::Dot(_)) && n.ty.shape.last() == Some(&N)).count()
    }

    fn hidden(x: &Tensor, [w, b, v]: &[Tensor; 3]) -> Tensor {
        (x.matmul(w) + b).tanh().matmul(v)
    }

    #[test]
    fn layers_and_their_gradients_are_turned() {
        let products = check(|x, p| {
            let loss = hidden(x, p).sin().square().mean_all();
            let mut all = diff::grad(&loss, &p.iter().collect::<Vec<_>>());
            all.push(loss);
            all
        });
        assert_eq!(products, 3); // two layers, and the error that goes back through the second
    }

    #[test]
    fn whatever_stands_between_layers_keeps_its_meaning() {
        let products = check(|x, p| {
            let h = hidden(x, p);
            let (left, right) = (h.slice(1, 0, 7), h.slice(1, 4, 17));
            let joined = Tensor::concat(&[&left, &right.stop_gradient()], 1) * h.max(&[1]).broadcast(&[N, 20], &[0]);
            let mixed = joined.matmul(&p[2]).pad(&[(0, 0), (1, 2)], 0.5).slice(1, 2, 22) + x.tracer().iota(DType::F64, &[N, 20], 1);
            let single = mixed.slice(1, 3, 4);
            let column = single.reshape(&[N]).exp();
            let tall = column.reshape(&[N, 1]) * &single;
            let turned = mixed.transpose(&[1, 0]);
            vec![mixed.sum(&[0]), mixed.sum(&[0, 1]), mixed.sum(&[1]), mixed.max(&[0]), column, tall.sum(&[0]), turned.sum(&[1]), single]
        });
        assert_eq!(products, 3);
    }

    #[test]
    fn what_cannot_be_turned_stays() {
        let random = |x: &Tensor| x.slice(0, 0, 2).slice(1, 0, 1).reshape(&[2]).cast(DType::I32).uniform(0, DType::F64, &[N, 20]);
        assert_eq!(check(|x, p| vec![(hidden(x, p) * random(x)).sum(&[0])]), 0);
        assert_eq!(check(|x, p| vec![hidden(x, p).reverse(&[1]).sum(&[0])]), 0);
        assert_eq!(check(|x, p| vec![hidden(x, p).reshape(&[N, 4, 5]).sum(&[0])]), 0);
        // Results that must be turned back cost more than two layers gain.
        assert_eq!(check(|x, p| vec![hidden(x, p)]), 0);
    }
}
