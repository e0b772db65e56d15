//! Cuts a graph into stages and makes the graph of each: what is computed once, and what is computed
//! tile by tile, with every shape cut to the rows of a tile.

use super::analysis::{Analysis, Kind, operand_axis};
use graph::{Graph, Id, Op, Result, Type};
use std::collections::HashMap;

/// A part of a program that runs between two barriers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stage {
    /// Everything that needs no rows (any more), at a level.
    Whole(usize),
    /// Everything computed row by row in a batch, at a level.
    Tiles(usize, usize),
}

/// A value a stage reads: input `id` of the stage's graph is node `node` of the program's graph, cut
/// to the tile along `axis` if there is one.
#[derive(Clone, Copy, Debug)]
pub struct External {
    /// Node of the stage's graph.
    pub id: Id,
    /// Node of the whole graph.
    pub node: Id,
    /// The axis that is cut.
    pub axis: Option<usize>,
}

/// The graph of one stage.
pub struct StageGraph {
    /// The equations.
    pub graph: Graph,
    /// What it reads, in the order of the graph's inputs.
    pub externals: Vec<External>,
    /// What it computes for others: (node of the stage's graph, node of the whole graph).
    pub results: Vec<(Id, Id)>,
}

/// The stages in running order.
pub fn stages(an: &Analysis) -> Vec<Stage> {
    let levels = an.classes.iter().map(|c| c.level).max().unwrap_or(0);
    (0..=levels).flat_map(|l| std::iter::once(Stage::Whole(l)).chain((0..an.domains.len()).map(move |d| Stage::Tiles(l, d)))).collect()
}

/// The stage that computes a node.
pub fn stage_of(an: &Analysis, id: Id) -> Stage {
    let c = an.classes[id.index()];
    match c.kind {
        Kind::Whole => Stage::Whole(c.level),
        Kind::Rows { domain, .. } | Kind::Partial { domain } => Stage::Tiles(c.level, domain),
    }
}

/// The graph that computes `wanted` in `stage`, for tiles of `rows` rows.
///
/// # Errors
/// None for a legal graph and a right analysis.
pub fn build(g: &Graph, an: &Analysis, stage: Stage, wanted: &[Id], rows: usize) -> Result<StageGraph> {
    let all = if let Stage::Tiles(_, d) = stage { an.domains[d] } else { 1 };
    let mut b = Builder { g, an, stage, all, rows, out: Graph::new(), externals: vec![], known: HashMap::new() };
    let mut results = vec![];
    for &id in wanted {
        let axis = if let Kind::Rows { axis, .. } = an.classes[id.index()].kind { Some(axis) } else { None };
        results.push((b.import(id, axis)?, id));
    }
    Ok(StageGraph { graph: b.out, externals: b.externals, results })
}

struct Builder<'a> {
    g: &'a Graph,
    an: &'a Analysis,
    stage: Stage,
    /// Rows of the batch.
    all: usize,
    /// Rows of a tile.
    rows: usize,
    out: Graph,
    externals: Vec<External>,
    known: HashMap<(Id, Option<usize>), Id>,
}

impl Builder<'_> {
    /// The stage's node for node `id`, cut along `axis`.
    fn import(&mut self, id: Id, axis: Option<usize>) -> Result<Id> {
        if let Some(&known) = self.known.get(&(id, axis)) {
            return Ok(known);
        }
        let input = matches!(self.g.node(id).op, Op::Input { .. });
        let made = if !input && (stage_of(self.an, id) == self.stage || self.makes_again(id)) {
            Some(self.own(id)?)
        } else if !input && self.an.classes[id.index()].kind == Kind::Whole {
            self.local(id, axis)?
        } else {
            None
        };
        let made = match made {
            Some(id) => id,
            None => self.external(id, axis),
        };
        self.known.insert((id, axis), made);
        Ok(made)
    }

    /// Whether an earlier stage's rows are rather computed again than kept: in stages of small tiles, if they are cheap;
    /// and always, if they are but another look at what is kept.
    fn makes_again(&self, id: Id) -> bool {
        let looks = matches!(self.g.node(id).op, Op::Transpose(_) | Op::StopGradient);
        match (self.stage, stage_of(self.an, id)) {
            (Stage::Tiles(level, domain), Stage::Tiles(_, d)) => d == domain && (looks || (level % 2 == 0 && self.an.again[id.index()])),
            _ => false,
        }
    }

    fn external(&mut self, node: Id, axis: Option<usize>) -> Id {
        let ty = self.g.ty(node);
        let ty = match axis {
            Some(axis) => self.cut(ty, axis),
            None => ty.clone(),
        };
        let id = self.out.input(&node.to_string(), ty);
        self.externals.push(External { id, node, axis });
        id
    }

    fn cut(&self, ty: &Type, axis: usize) -> Type {
        let mut shape = ty.shape.clone();
        shape[axis] = shape[axis] / self.all * self.rows;
        ty.with_shape(shape)
    }

    /// A node that this stage computes.
    fn own(&mut self, id: Id) -> Result<Id> {
        let node = self.g.node(id);
        let mut args = Vec::with_capacity(node.args.len());
        for (i, &a) in node.args.iter().enumerate() {
            let axis = match (self.stage, self.an.classes[a.index()].kind) {
                (Stage::Whole(_), _) => None,
                (_, Kind::Rows { axis, .. }) => Some(axis),
                _ => operand_axis(self.g, id, i, &self.an.classes),
            };
            args.push(self.import(a, axis)?);
        }
        let op = match (self.stage, self.an.classes[id.index()].kind) {
            (Stage::Tiles(..), Kind::Rows { axis, .. }) => self.cut_op(id, axis),
            _ => node.op.clone(),
        };
        self.push(id, op, &args)
    }

    fn push(&mut self, id: Id, op: Op, args: &[Id]) -> Result<Id> {
        self.out.set_layer(self.g.layer(id));
        self.out.push(op, args)
    }

    fn cut_op(&self, id: Id, axis: usize) -> Op {
        let node = self.g.node(id);
        let ty = self.cut(&node.ty, axis);
        let mut op = node.op.clone();
        match &mut op {
            Op::Full { ty: t, .. } | Op::Iota { ty: t, .. } | Op::Uniform { ty: t, .. } => *t = ty,
            Op::Broadcast { shape, .. } | Op::Reshape(shape) => *shape = ty.shape,
            Op::Slice { limit, .. } => limit[axis] = ty.shape[axis],
            _ => {}
        }
        op
    }

    /// A value that needs no rows but is cheaper to make again here than to read: constants, counters,
    /// random numbers, repetitions, and other looks at what lies in memory anyway.
    fn local(&mut self, id: Id, axis: Option<usize>) -> Result<Option<Id>> {
        let node = self.g.node(id).clone();
        let op = match axis {
            Some(axis) => self.cut_op(id, axis),
            None => node.op.clone(),
        };
        let args = match &node.op {
            Op::Full { .. } => vec![],
            Op::Iota { axis: along, .. } if axis != Some(*along) => vec![],
            Op::Uniform { .. } if axis == Some(0) => vec![self.import(node.args[0], None)?],
            Op::Broadcast { dims, .. } => {
                let inner = axis.and_then(|a| dims.iter().position(|&d| d == a));
                vec![self.import(node.args[0], inner)?]
            }
            // Without rows it is made once, for all tiles.
            Op::Transpose(perm) if axis.is_some() => vec![self.import(node.args[0], axis.map(|a| perm[a]))?],
            Op::Reshape(_) | Op::StopGradient if axis.is_none() => vec![self.import(node.args[0], None)?],
            _ => return Ok(None),
        };
        self.push(id, op, &args).map(Some)
    }
}
