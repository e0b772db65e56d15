//! The whole of compilation: which value lives where, how large tiles are, how many groups share them,
//! and which results may overwrite their operands.

use crate::compile::analysis::{Analysis, Kind, analyse};
use crate::compile::lower::{Beforehand, Block, Memory, lower};
use crate::compile::memory::{Span, plan};
use crate::compile::orient::orient;
use crate::compile::prepare::prepare;
use crate::compile::refine::refine;
use crate::compile::stage::{Stage, StageGraph, build, stage_of, stages};
use crate::compile::view::row_major;
use crate::exec::{ALIGN, Context, Place, Space};
use crate::kernels::{Kernel, Mode};
use crate::section::{Bases, Tiles, Total, Whole};
use graph::{Graph, Id, Op, Result};
use std::collections::{BTreeMap, BTreeSet};

/// Worker memory a tile may need: what leaves half of a 1 MB second-level cache to the weights.
const TILE_BYTES: usize = 448 << 10;
/// … or this many times the bytes of the sums it is added into, whichever is more: every tile reads and
/// writes all sums and reads all weights, which costs more than a tile that leaves the cache.
const TILE_SUMS: usize = 4;
/// Groups at most: the largest number of workers that share the tiles of a stage.
const GROUPS: usize = 8;
/// Nanoseconds per unit of [`Kernel::cost`], measured on AVX-512; only ratios matter.
const NS: f64 = 0.25;

/// A stage, ready to run.
pub enum Section {
    /// Once.
    Whole(Whole),
    /// Tile by tile.
    Tiles(Tiles),
}

impl Section {
    /// The lowered stage, for full tiles.
    pub fn block(&self) -> &Block {
        match self {
            Section::Whole(w) => &w.block,
            Section::Tiles(t) => &t.full,
        }
    }

    /// Hands out every kernel with its context and its place in the block, in the order in which one worker runs
    /// them; `None` after what is done between them.
    pub fn each(&self, bases: Bases, f: &mut impl FnMut(Option<(&Kernel, &Context)>, usize)) {
        match self {
            Section::Whole(w) => w.each(bases, f),
            Section::Tiles(t) => t.each(bases, f),
        }
    }

    fn blocks(&self) -> Vec<&Block> {
        match self {
            Section::Whole(w) => vec![&w.block],
            Section::Tiles(t) => std::iter::once(&t.full).chain(&t.tail).collect(),
        }
    }
}

/// A copy of an array from place to place, before or after the program.
#[derive(Clone, Copy, Debug)]
pub struct Move {
    /// From.
    pub from: Place,
    /// To.
    pub to: Place,
    /// Bytes.
    pub bytes: usize,
}

/// Everything a program consists of.
pub struct Plan {
    /// Stages in running order.
    pub sections: Vec<Section>,
    /// Copies before the first stage.
    pub before: Vec<Move>,
    /// Copies after the last.
    pub after: Vec<Move>,
    /// Bytes of the program's memory.
    pub global: usize,
    /// Bytes of all groups' memory.
    pub groups: usize,
    /// Bytes of a worker's memory.
    pub local: usize,
    /// Bytes of a worker's registers.
    pub registers: usize,
    /// Estimated nanoseconds of a run on one worker.
    pub cost: f64,
    /// The rewritten graph.
    pub graph: Graph,
}

impl Plan {
    /// Makes machine code of all regions.
    fn compile(&mut self) {
        for section in &mut self.sections {
            match section {
                Section::Whole(w) => w.block.compile(),
                Section::Tiles(t) => std::iter::once(&mut t.full).chain(&mut t.tail).for_each(Block::compile),
            }
        }
        self.registers = self.sections.iter().flat_map(|s| s.blocks()).map(|b| b.registers).max().unwrap_or(0);
    }

    /// Divides whole stages among workers. Tiles are divided as they run; the results do not depend on it.
    pub fn share(&mut self, workers: usize) {
        for section in &mut self.sections {
            if let Section::Whole(w) = section {
                w.share(workers);
            }
        }
    }
}

/// Compiles `outputs` of `g`, for one worker until [`Plan::share`] is called.
///
/// # Errors
/// None for a legal graph.
pub fn compile(g: &Graph, outputs: &[Id], batched: &[bool], donated: &[(usize, usize)]) -> Result<Plan> {
    let (g, outputs) = prepare(g, outputs)?;
    let (g, outputs) = orient(&g, &outputs, batched)?.unwrap_or((g, outputs));
    let mut plan = planned(&g, &outputs, batched, donated, false)?;
    let leaves_cache = |s: &Section| matches!(s, Section::Tiles(t) if t.tile == 1 && t.full.local > TILE_BYTES);
    if plan.sections.iter().any(leaves_cache)
        && let Some((finer, outputs)) = refine(&g, &outputs, batched)
    {
        plan = planned(&finer, &outputs, batched, donated, true)?;
    }
    plan.compile();
    Ok(plan)
}

/// A plan in which donated results overwrite their operands wherever that is safe.
fn planned(g: &Graph, outputs: &[Id], batched: &[bool], donated: &[(usize, usize)], fine: bool) -> Result<Plan> {
    let an = analyse(g, batched, fine);
    let mut late: BTreeMap<usize, usize> = donated.iter().map(|&(i, j)| (j, i)).collect();
    loop {
        let plan = Planner::new(g, &an, outputs, &late)?.plan()?;
        // A donated result that is written while its operand is still needed is computed elsewhere.
        match late.iter().find(|&(&j, &i)| conflict(&plan.sections, i, j)) {
            Some((&j, _)) => _ = late.insert(j, usize::MAX),
            None => return Ok(plan),
        }
    }
}

/// Whether something reads input `i` when output `j`, in the same memory, may already be written.
fn conflict(sections: &[Section], i: usize, j: usize) -> bool {
    if i == usize::MAX {
        return false;
    }
    let (input, output) = (Space::Input(i as u32), Space::Output(j as u32));
    // Per use: when (section, time), which kernel, and whether it goes element by element.
    let (mut reads, mut writes, mut kernels) = (vec![], vec![], 0);
    for (n, section) in sections.iter().enumerate() {
        for block in section.blocks() {
            let is = |buffer: usize, space: Space| block.buffers.get(buffer).is_some_and(|b| b.place.space == space);
            for (time, kernel) in block.tasks.iter().flat_map(|t| t.kernels.iter().map(|k| (t.time, k))) {
                kernels += 1;
                let whole = matches!(section, Section::Whole(_));
                reads.extend(kernel.reads().iter().filter(|r| is(r.0, input)).map(|r| ((n, time), kernels, r.1)));
                writes.extend(kernel.writes().iter().filter(|w| is(w.0, output)).map(|w| ((n, time), kernels, w.1 && whole)));
            }
        }
    }
    let clash = |w: &((usize, usize), usize, bool), r: &((usize, usize), usize, bool)| if w.1 == r.1 { !(w.2 && r.2) } else { r.0 >= w.0 };
    writes.iter().any(|w| reads.iter().any(|r| clash(w, r)))
}

/// A stage as kernels.
struct Lowered {
    block: Block,
    /// Its sums over rows.
    sums: Vec<Total>,
    /// Bytes that every tile reads.
    shared: usize,
}

struct Planner<'a> {
    g: &'a Graph,
    an: &'a Analysis,
    /// Stages that compute something, with what they compute for others.
    wanted: Vec<(Stage, Vec<Id>)>,
    /// Where each value lies that a stage computes for others, and with which strides.
    places: BTreeMap<Id, (Place, Vec<isize>)>,
    /// Values that overwrite a donated input.
    late: BTreeSet<Id>,
    before: Vec<Move>,
    after: Vec<Move>,
    /// The program's memory, and what it gets besides the values between stages.
    beforehand: Beforehand,
}

impl<'a> Planner<'a> {
    /// Walks the stages backwards for what each must compute, then assigns memory.
    fn new(g: &'a Graph, an: &'a Analysis, outputs: &[Id], donated: &BTreeMap<usize, usize>) -> Result<Planner<'a>> {
        let is_input = |id: Id| matches!(g.node(id).op, Op::Input { .. });
        let mut demand: BTreeSet<Id> = outputs.iter().copied().filter(|&o| !is_input(o)).collect();
        let mut wanted = vec![];
        let mut last_use: BTreeMap<Id, usize> = demand.iter().map(|&d| (d, usize::MAX)).collect();
        let all = stages(an);
        for (n, &stage) in all.iter().enumerate().rev() {
            let here: Vec<Id> = demand.iter().copied().filter(|&d| stage_of(an, d) == stage).collect();
            if here.is_empty() {
                continue;
            }
            let rows = if let Stage::Tiles(_, d) = stage { an.domains[d] } else { 1 };
            for e in build(g, an, stage, &here, rows)?.externals {
                if !is_input(e.node) {
                    demand.insert(e.node);
                    last_use.entry(e.node).or_insert(n);
                }
            }
            wanted.push((stage, here));
        }
        wanted.reverse();
        let mut p = Planner {
            g,
            an,
            wanted,
            places: BTreeMap::new(),
            late: BTreeSet::new(),
            before: vec![],
            after: vec![],
            beforehand: Beforehand::default(),
        };
        p.assign(outputs, donated, &last_use, &all);
        Ok(p)
    }

    /// Gives every value of `demand` a place: an output's array, or the program's memory.
    fn assign(&mut self, outputs: &[Id], donated: &BTreeMap<usize, usize>, last_use: &BTreeMap<Id, usize>, all: &[Stage]) {
        let mut in_memory: Vec<(Id, Span)> = vec![];
        let mut to_output = vec![];
        for (&id, &last) in last_use {
            let direct = outputs.iter().enumerate().find(|&(j, &o)| o == id && donated.get(&j) != Some(&usize::MAX));
            let strides = self.layout(id, last == usize::MAX);
            if let Some((j, _)) = direct {
                let place = Place { space: Space::Output(j as u32), offset: 0, row: 0 };
                self.places.insert(id, (place, strides));
                if donated.contains_key(&j) {
                    self.late.insert(id);
                }
                to_output.push(j);
            } else {
                let first = all.iter().position(|&s| s == stage_of(self.an, id)).unwrap_or(0);
                in_memory.push((id, Span { bytes: self.bytes(id), first, last: last.min(all.len()) }));
                self.places.insert(id, (Place { space: Space::Global, offset: 0, row: 0 }, strides));
            }
        }
        // Inputs that are outputs pass through the program's memory: their own may be overwritten.
        let mut passing = vec![];
        for (j, &o) in outputs.iter().enumerate() {
            if matches!(self.g.node(o).op, Op::Input { .. }) {
                in_memory.push((o, Span { bytes: self.bytes(o), first: 0, last: all.len() }));
                passing.push((in_memory.len() - 1, j));
            }
        }
        let spans: Vec<Span> = in_memory.iter().map(|m| m.1).collect();
        let (offsets, total) = plan(&spans);
        self.beforehand.bytes = total;
        let global = |k: usize| Place { space: Space::Global, offset: offsets[k], row: 0 };
        let output = |j: usize| Place { space: Space::Output(j as u32), offset: 0, row: 0 };
        for (k, (id, _)) in in_memory.iter().enumerate() {
            if let Some(p) = self.places.get_mut(id) {
                p.0.offset = offsets[k];
            }
        }
        for (k, j) in passing {
            let (id, bytes) = (outputs[j], self.bytes(outputs[j]));
            let input = self.g.inputs().iter().position(|&x| x == id).unwrap_or(0);
            self.before.push(Move { from: Place { space: Space::Input(input as u32), offset: 0, row: 0 }, to: global(k), bytes });
            self.after.push(Move { from: global(k), to: output(j), bytes });
        }
        for (j, &o) in outputs.iter().enumerate() {
            if let (false, Some((from, _))) = (to_output.contains(&j), self.places.get(&o)) {
                self.after.push(Move { from: *from, to: output(j), bytes: self.bytes(o) });
            }
        }
    }

    fn bytes(&self, id: Id) -> usize {
        let ty = self.g.ty(id);
        ty.len() * ty.dtype.size()
    }

    /// Strides of a value between stages: row-major, but a sum whose only use is to be transposed is
    /// stored the way it will be read.
    fn layout(&self, id: Id, output: bool) -> Vec<isize> {
        let shape = self.g.shape(id);
        let dense = row_major(shape);
        let node = self.g.node(id);
        if output || !matches!(node.op, Op::Conv(_)) || !matches!(self.an.classes[id.index()].kind, Kind::Partial { .. }) {
            return dense;
        }
        let mut users = self.g.nodes().iter().filter(|n| n.args.contains(&id));
        let perm = match (users.next().map(|n| &n.op), users.next()) {
            (Some(Op::Transpose(perm)), None) if perm.last() == Some(&(shape.len() - 1)) => perm,
            _ => return dense,
        };
        let moved = row_major(&perm.iter().map(|&p| shape[p]).collect::<Vec<_>>());
        let mut strides = dense;
        perm.iter().zip(moved).for_each(|(&p, s)| strides[p] = s);
        strides
    }

    fn plan(mut self) -> Result<Plan> {
        let wanted = std::mem::take(&mut self.wanted);
        let mut sections = vec![];
        let (mut groups, mut local, mut registers, mut cost) = (0, 0, 0, 0.0);
        for (stage, ids) in &wanted {
            let section = match *stage {
                Stage::Whole(_) => {
                    let block = self.block(*stage, ids, 1, 1)?.block;
                    cost += NS * work(&block);
                    Section::Whole(Whole::new(block))
                }
                Stage::Tiles(_, domain) => {
                    let tiles = self.tiles(*stage, ids, self.an.domains[domain])?;
                    cost += NS * work(&tiles.full) * tiles.tiles() as f64;
                    groups = groups.max(tiles.groups * tiles.group_bytes);
                    // All rows in one tile: its kernels are what the workers can share.
                    if tiles.tiles() == 1 { Section::Whole(Whole::new(tiles.full)) } else { Section::Tiles(tiles) }
                }
            };
            sections.extend(self.beforehand.take().map(|block| Section::Whole(Whole::new(block))));
            for block in section.blocks() {
                local = local.max(block.local);
                registers = registers.max(block.registers);
            }
            sections.push(section);
        }
        Ok(Plan {
            sections,
            before: self.before,
            after: self.after,
            global: self.beforehand.bytes,
            groups,
            local,
            registers,
            cost,
            graph: self.g.clone(),
        })
    }

    /// Chooses tile and groups, and lowers.
    fn tiles(&mut self, stage: Stage, ids: &[Id], rows: usize) -> Result<Tiles> {
        let guess = rows.min(32);
        let Lowered { block, sums, shared } = self.block(stage, ids, guess, 2)?;
        let total = NS * work(&block) * rows as f64 / guess as f64;
        let groups = self.groups(rows, total, sums.iter().map(|s| s.len).sum());
        // A table's rows are added where the tile has them; all else is read and written by every tile. What is added
        // to weights is as large as the weights; where nothing is, these count themselves.
        let added: usize = sums.iter().filter(|s| !s.table).map(|s| s.len * s.dtype.size()).sum();
        let added = if sums.is_empty() { shared } else { added };
        let fitting = (guess * TILE_BYTES.max(TILE_SUMS * added) / block.local.max(1)).clamp(1, rows);
        // Tiles of almost equal size, equally many in each group.
        let per_group = rows.div_ceil(groups).div_ceil(fitting);
        let tile = whole_vectors(rows, groups, rows.div_ceil(groups * per_group));
        let groups = groups.min(rows.div_ceil(tile));
        let Lowered { block: full, sums, .. } = self.block(stage, ids, tile, groups)?;
        let rest = rows % tile;
        let tail = if rest == 0 { None } else { Some(self.block(stage, ids, rest, groups)?.block) };
        let group_bytes = sums.iter().map(|s| s.offset + s.len * s.dtype.size()).max().unwrap_or(0).next_multiple_of(ALIGN);
        let totals = if groups == 1 { vec![] } else { sums };
        Ok(Tiles { rows, tile, groups, full, tail, group_bytes: if groups == 1 { 0 } else { group_bytes }, totals })
    }

    /// As many groups as pay: each adds a reading of all sums.
    fn groups(&self, rows: usize, ns: f64, sums: usize) -> usize {
        let pays = |g: usize| 0.2 * (sums * g) as f64 <= 0.25 * ns;
        let most = if ns < 15_000.0 { 1 } else { GROUPS.min(rows) };
        [8, 4, 2].into_iter().find(|&g| g <= most && pays(g)).unwrap_or(1)
    }

    /// Lowers a stage for tiles of `rows` rows.
    fn block(&mut self, stage: Stage, ids: &[Id], rows: usize, groups: usize) -> Result<Lowered> {
        let StageGraph { graph, externals, results } = build(self.g, self.an, stage, ids, rows)?;
        let all = if let Stage::Tiles(_, d) = stage { self.an.domains[d] } else { 1 };
        let cut = |node: Id, strides: &[isize], axis: Option<usize>, place: Place| {
            let row = axis.map_or(0, |a| strides[a] as usize * (self.g.shape(node)[a] / all) * self.g.ty(node).dtype.size());
            Place { row, ..place }
        };
        let sources: Vec<Memory> = externals
            .iter()
            .map(|e| {
                let (place, strides) = self.source(e.node);
                Memory { id: e.id, place: cut(e.node, &strides, e.axis, place), strides, mode: Mode::Write }
            })
            .collect();
        let (mut targets, mut totals, mut offset) = (vec![], vec![], 0);
        for &(id, node) in &results {
            let (place, strides) = self.source(node);
            let ty = self.g.ty(node);
            let memory = match self.an.classes[node.index()].kind {
                Kind::Partial { .. } => {
                    let table = matches!(self.g.node(node).op, Op::ScatterAdd { .. });
                    totals.push(Total { dtype: ty.dtype, len: ty.len(), offset, to: place, table });
                    let own = Place { space: Space::Group, offset, row: 0 };
                    offset = (offset + self.bytes(node)).next_multiple_of(ALIGN);
                    Memory { id, place: if groups == 1 { place } else { own }, strides, mode: Mode::Accumulate }
                }
                Kind::Rows { axis, .. } => Memory { id, place: cut(node, &strides, Some(axis), place), strides, mode: Mode::Write },
                Kind::Whole => Memory { id, place, strides, mode: if self.late.contains(&node) { Mode::Late } else { Mode::Write } },
            };
            targets.push(memory);
        }
        let looked_up = |id: Id| graph.nodes().iter().all(|n| !n.args.contains(&id) || (n.op == Op::Gather && n.args[1] != id));
        let whole = externals.iter().filter(|e| e.axis.is_none() && !looked_up(e.id));
        let shared = whole.map(|e| self.bytes(e.node)).sum();
        Ok(Lowered { block: lower(&graph, &sources, &targets, rows == all, &mut self.beforehand), sums: totals, shared })
    }

    /// Where a value lies, and its strides.
    fn source(&self, node: Id) -> (Place, Vec<isize>) {
        if let Some(known) = self.places.get(&node) {
            return known.clone();
        }
        let input = self.g.inputs().iter().position(|&x| x == node).unwrap_or(0);
        (Place { space: Space::Input(input as u32), offset: 0, row: 0 }, row_major(self.g.shape(node)))
    }
}

/// A tile of so many rows, or a few more or less, so that rows side by side are whole vectors; if the group that has most
/// to do then has hardly more.
fn whole_vectors(rows: usize, groups: usize, tile: usize) -> usize {
    const LANES: usize = 16;
    let most = |tile: usize| {
        let tiles = rows.div_ceil(tile);
        (0..groups).map(|g| (tile * (tiles * (g + 1) / groups)).min(rows) - (tile * (tiles * g / groups)).min(rows)).max()
    };
    let nearest = [tile / LANES * LANES, tile.next_multiple_of(LANES)];
    let best = nearest.into_iter().filter(|&t| t >= 2 * LANES && tile < rows && t <= rows).min_by_key(|&t| most(t));
    best.filter(|&t| most(t) <= most(tile).map(|n| n + n / 20)).unwrap_or(tile)
}

/// Cost of a block, in units of [`Kernel::cost`].
fn work(block: &Block) -> f64 {
    block.tasks.iter().flat_map(|t| &t.kernels).map(Kernel::cost).sum::<usize>() as f64
}
