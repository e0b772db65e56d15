//! Turns the scheduled graph of a stage into kernels on a planned piece of memory.

use super::fuse::{Role, Schedule, arithmetic};
use super::memory::{Span, plan};
use super::view::{Look, row_major};
use crate::exec::{ALIGN, Buffer, Place, Space};
use crate::kernels::contract::At;
use crate::kernels::region::{Draft, Operand, Region, View};
use crate::kernels::{Kernel, Mode};
use graph::{DType, Graph, Id};
use std::collections::{HashMap, HashSet};

/// Memory that exists before the stage.
#[derive(Clone, Debug)]
pub struct Memory {
    /// Node of the stage's graph.
    pub id: Id,
    /// Where it begins.
    pub place: Place,
    /// Elements to skip per step along each axis.
    pub strides: Vec<isize>,
    /// For results: how it is written.
    pub mode: Mode,
}

/// Kernels that run one after another, independent of all other tasks of the same time.
#[derive(Clone, Debug)]
pub struct Task {
    /// When it runs, relative to other tasks.
    pub time: usize,
    /// What runs.
    pub kernels: Vec<Kernel>,
}

/// A lowered stage.
#[derive(Clone, Debug)]
pub struct Block {
    /// Buffer table of the kernels.
    pub buffers: Vec<Buffer>,
    /// Tasks, ordered by time.
    pub tasks: Vec<Task>,
    /// Bytes of worker memory.
    pub local: usize,
    /// Bytes of region registers.
    pub registers: usize,
}

impl Block {
    /// Makes machine code of the block's regions.
    pub fn compile(&mut self) {
        let regions =
            self.tasks.iter_mut().flat_map(|t| &mut t.kernels).filter_map(|k| if let Kernel::Region(r) = k { Some(r) } else { None });
        self.registers = regions
            .map(|r| {
                r.compile();
                r.scratch()
            })
            .max()
            .unwrap_or(0);
    }
}

/// Arrays that stages of many tiles need and no row changes: made once, before the first such stage.
#[derive(Default)]
pub struct Beforehand {
    /// What is not in a section yet: buffers and the tasks that fill them.
    block: (Vec<Buffer>, Vec<Task>),
    /// What they are made of, and where they are.
    known: Vec<((Place, Look), Place)>,
    /// Bytes of the program's memory so far.
    pub bytes: usize,
}

impl Beforehand {
    /// The place of an array of `len` numbers that is made of what lies at `from`, by a kernel from buffer to buffer.
    pub(super) fn place(&mut self, from: Buffer, look: &Look, len: usize, kernel: impl FnOnce(usize, usize) -> Kernel) -> Place {
        let key = (from.place, look.clone());
        if let Some((_, place)) = self.known.iter().find(|k| k.0 == key) {
            return *place;
        }
        let place = Place { space: Space::Global, offset: self.bytes.next_multiple_of(ALIGN), row: 0 };
        self.bytes = place.offset + len * from.dtype.size();
        self.known.push((key, place));
        let (buffers, tasks) = &mut self.block;
        tasks.push(Task { time: 0, kernels: vec![kernel(buffers.len(), buffers.len() + 1)] });
        buffers.extend([from, Buffer { dtype: from.dtype, len, place }]);
        place
    }

    /// What must run before the stages lowered since the last call.
    pub fn take(&mut self) -> Option<Block> {
        let (buffers, tasks) = std::mem::take(&mut self.block);
        let registers = tasks.iter().flat_map(|t| &t.kernels).map(scratch).max()?;
        Some(Block { buffers, tasks, local: 0, registers })
    }
}

/// Bytes of registers that a kernel needs.
fn scratch(kernel: &Kernel) -> usize {
    if let Kernel::Region(r) = kernel { r.scratch() } else { 0 }
}

/// Lowers what `results` need; `alone` if the block runs once, so that workers share its kernels. What all its runs have
/// in common may be made `before`.
pub fn lower(g: &Graph, sources: &[Memory], results: &[Memory], alone: bool, before: &mut Beforehand) -> Block {
    let look = |m: &Memory| (m.id, Look { shape: g.shape(m.id).to_vec(), offset: 0, strides: m.strides.clone() });
    let sources_looks: Vec<(Id, Look)> = sources.iter().map(look).collect();
    let ids: Vec<Id> = results.iter().map(|m| m.id).collect();
    let schedule = Schedule::new(g, &ids, &sources_looks);
    let mut l = Lowering {
        g,
        s: schedule,
        buffers: vec![],
        spans: vec![],
        homes: HashMap::new(),
        targets: HashMap::new(),
        copied: HashSet::new(),
        tasks: vec![],
        alone,
        before,
    };
    for m in sources {
        let home = l.buffer(g.ty(m.id).dtype, reach(g.shape(m.id), &m.strides), m.place, None);
        l.homes.insert(m.id, home);
    }
    let mut copies = vec![];
    for m in results {
        let computes = matches!(l.s.roles[m.id.index()], Role::Map | Role::Kernel | Role::Frame);
        let buffer = l.buffer(g.ty(m.id).dtype, reach(g.shape(m.id), &m.strides), m.place, None);
        let target = Target { buffer, strides: m.strides.clone(), mode: m.mode };
        if computes && !l.targets.contains_key(&m.id) { _ = l.targets.insert(m.id, target) } else { copies.push((m.id, target)) }
    }
    l.copied = copies.iter().map(|c| l.s.bases[c.0.index()]).collect();
    l.emit();
    for (id, t) in copies {
        let round = l.s.bases[id.index()];
        let round =
            if matches!(l.s.roles[round.index()], Role::Map | Role::Kernel | Role::Frame) { l.s.rounds[round.index()] + 1 } else { 0 };
        l.keep_until(id, 2 * round + 1);
        let kernel = l.copy(id, t.buffer, &Look { shape: g.shape(id).to_vec(), offset: 0, strides: t.strides }, t.mode);
        l.task(2 * round + 1, vec![kernel]);
    }
    l.finish()
}

/// Elements from the first to behind the last.
fn reach(shape: &[usize], strides: &[isize]) -> usize {
    if shape.contains(&0) { 0 } else { 1 + shape.iter().zip(strides).map(|(&n, &s)| (n - 1) * s.unsigned_abs()).sum::<usize>() }
}

/// A result's memory.
#[derive(Clone)]
pub(super) struct Target {
    pub(super) buffer: usize,
    pub(super) strides: Vec<isize>,
    pub(super) mode: Mode,
}

pub(super) struct Lowering<'a> {
    pub(super) g: &'a Graph,
    pub(super) s: Schedule,
    pub(super) buffers: Vec<Buffer>,
    /// Per buffer: first and last time, for worker memory.
    spans: Vec<Option<(usize, usize)>>,
    /// Memory of computed nodes and of sources.
    pub(super) homes: HashMap<Id, usize>,
    pub(super) targets: HashMap<Id, Target>,
    /// Nodes that are results more than once: all but the first are copies of what memory holds.
    copied: HashSet<Id>,
    tasks: Vec<Task>,
    pub(super) alone: bool,
    pub(super) before: &'a mut Beforehand,
}

impl Lowering<'_> {
    pub(super) fn buffer(&mut self, dtype: DType, len: usize, place: Place, span: Option<(usize, usize)>) -> usize {
        self.buffers.push(Buffer { dtype, len, place });
        self.spans.push(span);
        self.buffers.len() - 1
    }

    pub(super) fn local(&mut self, dtype: DType, len: usize, from: usize, to: usize) -> usize {
        self.buffer(dtype, len, Place { space: Space::Local, offset: 0, row: 0 }, Some((from, to)))
    }

    /// The memory that this stage reads the result of `id` from: that of its target if it is written
    /// there in order, else worker memory from `time` to its last reader.
    pub(super) fn home(&mut self, id: Id, time: usize) -> usize {
        if let Some(&home) = self.homes.get(&id) {
            return home;
        }
        let ty = self.g.ty(id).clone();
        let home = match self.targets.get(&id) {
            Some(t) if t.mode == Mode::Write && t.strides == row_major(&ty.shape) => t.buffer,
            _ => {
                let last = 2 * self.s.last_read(self.g, id) + 1;
                self.local(ty.dtype, ty.len(), time, last.max(time))
            }
        };
        self.homes.insert(id, home);
        home
    }

    /// Lengthens the life of the memory behind `id`.
    pub(super) fn keep_until(&mut self, id: Id, time: usize) {
        let home = self.homes.get(&self.s.bases[id.index()]).copied();
        if let Some(Some(span)) = home.and_then(|b| self.spans.get_mut(b)) {
            span.1 = span.1.max(time);
        }
    }

    /// The buffers from `first` on are needed from `time` on.
    pub(super) fn begin(&mut self, first: usize, time: usize) {
        self.spans[first..].iter_mut().flatten().for_each(|span| span.0 = span.0.min(time));
    }

    pub(super) fn task(&mut self, time: usize, kernels: Vec<Kernel>) {
        self.tasks.push(Task { time, kernels });
    }

    /// Whether a node of this stage reads `id` from memory.
    pub(super) fn is_read(&self, id: Id) -> bool {
        self.copied.contains(&id) || (!self.s.again[id.index()] && self.s.last_read(self.g, id) > self.s.rounds[id.index()])
    }

    fn emit(&mut self) {
        let frames: Vec<Id> = self.nodes(Role::Frame);
        frames.iter().for_each(|&f| self.frame(f));
        for nodes in self.s.regions(self.g) {
            self.region(&nodes);
        }
        for id in self.nodes(Role::Kernel) {
            self.kernel(id);
        }
        frames.iter().for_each(|&f| self.fill_frame(f));
    }

    fn nodes(&self, role: Role) -> Vec<Id> {
        (0..self.g.nodes().len()).filter(|&i| self.s.roles[i] == role).map(|i| Id(i as u32)).collect()
    }

    /// The memory behind a node, and where its elements lie in it.
    pub(super) fn seen(&mut self, id: Id) -> (usize, Look) {
        let (base, look) = (self.s.bases[id.index()], self.s.looks[id.index()].clone());
        let home = self.home(base, 2 * self.s.rounds[base.index()] + 1);
        (home, look)
    }

    /// An operand of a region.
    pub(super) fn operand(&mut self, draft: &mut Draft, id: Id) -> Operand {
        let role = self.s.roles[id.index()];
        if let Role::Constant(x) = role {
            return Operand::Imm(x);
        }
        let load = if role == Role::Counter {
            let look = self.s.looks[id.index()].clone();
            (View { buffer: usize::MAX, offset: look.offset, strides: look.strides }, true, DType::F32)
        } else {
            let (buffer, look) = self.seen(id);
            (View { buffer, offset: look.offset, strides: look.strides }, false, self.buffers[buffer].dtype)
        };
        let at = draft.loads.iter().position(|l| *l == load).unwrap_or_else(|| {
            draft.loads.push(load);
            draft.loads.len() - 1
        });
        Operand::Load(at)
    }

    /// Copies the elements of `id` to where `to` says.
    pub(super) fn copy(&mut self, id: Id, buffer: usize, to: &Look, mode: Mode) -> Kernel {
        let dtype = arithmetic(self.g.ty(id).dtype);
        let mut draft = Draft { shape: to.shape.clone(), ..Draft::default() };
        let from = self.operand(&mut draft, id);
        draft.stores.push((from, View { buffer, offset: to.offset, strides: to.strides.clone() }, self.buffers[buffer].dtype, mode));
        Kernel::Region(Region::build(draft, dtype))
    }

    /// Row-major copy of `id` in memory that lives at `time` only, if it is not row-major already.
    pub(super) fn dense(&mut self, id: Id, time: usize, kernels: &mut Vec<Kernel>) -> At {
        let constant = matches!(self.s.roles[id.index()], Role::Constant(_) | Role::Counter);
        if !constant {
            let (buffer, look) = self.seen(id);
            if look.is_dense() {
                return At { buffer, offset: look.offset };
            }
        }
        let ty = self.g.ty(id).clone();
        let buffer = self.local(ty.dtype, ty.len(), time, time);
        let kernel = self.copy(id, buffer, &Look::whole(&ty.shape), Mode::Write);
        kernels.push(kernel);
        At { buffer, offset: 0 }
    }

    /// The memory and look of an operand that may lie in any way.
    pub(super) fn anyhow(&mut self, id: Id, time: usize, kernels: &mut Vec<Kernel>) -> (At, Look) {
        if matches!(self.s.roles[id.index()], Role::Constant(_) | Role::Counter) {
            return (self.dense(id, time, kernels), Look::whole(self.g.shape(id)));
        }
        let (buffer, look) = self.seen(id);
        (At { buffer, offset: look.offset }, look)
    }

    /// Number `value` all over a buffer.
    pub(super) fn fill(&self, buffer: usize, look: &Look, value: f64, dtype: DType) -> Kernel {
        let store =
            (Operand::Imm(value), View { buffer, offset: 0, strides: look.strides.clone() }, self.buffers[buffer].dtype, Mode::Write);
        Kernel::Region(Region::build(Draft { shape: look.shape.clone(), stores: vec![store], ..Draft::default() }, arithmetic(dtype)))
    }

    fn finish(mut self) -> Block {
        self.tasks.sort_by_key(|t| t.time);
        let spans: Vec<Span> = self
            .spans
            .iter()
            .zip(&self.buffers)
            .map(|(s, b)| match s {
                Some((first, last)) => Span { bytes: b.len * b.dtype.size(), first: *first, last: *last },
                None => Span { bytes: 0, first: 0, last: 0 },
            })
            .collect();
        let (offsets, local) = plan(&spans);
        for ((b, s), at) in self.buffers.iter_mut().zip(&self.spans).zip(offsets) {
            if s.is_some() {
                b.place.offset = at;
            }
        }
        let registers = self.tasks.iter().flat_map(|t| &t.kernels).map(scratch).max().unwrap_or(0);
        Block { buffers: self.buffers, tasks: self.tasks, local, registers }
    }
}
