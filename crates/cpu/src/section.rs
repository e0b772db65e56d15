//! Lowered stages as they run: once, or tile after tile in groups whose sums are added in a fixed tree.

use crate::compile::lower::Block;
use crate::exec::{Buffer, Context, Place};
use crate::kernels::Kernel;
use crate::kernels::map::add_assign;
use graph::DType;

/// Base addresses of one worker in one run.
#[derive(Clone, Copy)]
pub struct Bases<'a> {
    /// Arrays of the caller.
    pub inputs: &'a [*mut u8],
    /// Results of the caller.
    pub outputs: &'a [*mut u8],
    /// The program's memory.
    pub global: *mut u8,
    /// The groups' memory.
    pub groups: *mut u8,
    /// This worker's memory.
    pub local: *mut u8,
    /// This worker's registers.
    pub registers: *mut u8,
}

impl<'a> Bases<'a> {
    fn context(&self, buffers: &'a [Buffer], group: *mut u8, start: usize, first: bool) -> Context<'a> {
        Context {
            inputs: self.inputs,
            outputs: self.outputs,
            global: self.global,
            group,
            local: self.local,
            registers: self.registers,
            buffers,
            start,
            first,
        }
    }

    /// The address of a place for the tile that starts at row 0.
    pub fn address(&self, place: Place) -> *mut u8 {
        let buffer = Buffer { dtype: DType::F32, len: 0, place };
        self.context(&[buffer], self.groups, 0, true).address(0)
    }
}

/// A share of a task: a kernel's blocks, or all kernels.
#[derive(Clone, Copy, Debug)]
struct Piece {
    task: usize,
    blocks: Option<(usize, usize)>,
}

/// Tasks that run once per step.
pub struct Whole {
    /// The lowered stage.
    pub block: Block,
    /// Rounds of work: per worker, what it does before all meet.
    phases: Vec<Vec<Vec<Piece>>>,
}

/// Less work than this (in element operations) is not worth a meeting of the workers.
const SHARE: usize = 1 << 15;

impl Whole {
    /// Tasks not yet divided: all for the first worker.
    pub fn new(block: Block) -> Whole {
        let mut whole = Whole { block, phases: vec![] };
        whole.share(1);
        whole
    }

    /// Divides the block's tasks among workers.
    pub fn share(&mut self, workers: usize) {
        let block = &self.block;
        let mut phases: Vec<Vec<Vec<Piece>>> = vec![];
        let mut serial = vec![];
        let mut from = 0;
        while from < block.tasks.len() {
            let time = block.tasks[from].time;
            let to = from + block.tasks[from..].iter().take_while(|t| t.time == time).count();
            let cost = |k: usize| block.tasks[k].kernels.iter().map(Kernel::cost).sum::<usize>();
            if workers == 1 || (from..to).map(cost).sum::<usize>() < SHARE {
                serial.extend((from..to).map(|task| Piece { task, blocks: None }));
            } else {
                if !serial.is_empty() {
                    phases.push(vec![std::mem::take(&mut serial)]);
                }
                phases.push(divide(block, from..to, workers));
            }
            from = to;
        }
        if !serial.is_empty() {
            phases.push(vec![serial]);
        }
        self.phases = phases;
    }

    /// Runs this worker's share.
    pub fn run(&self, bases: Bases, worker: usize, meet: &dyn Fn()) {
        let cx = bases.context(&self.block.buffers, std::ptr::null_mut(), 0, true);
        for phase in &self.phases {
            for piece in phase.get(worker).into_iter().flatten() {
                match (piece.blocks, &self.block.tasks[piece.task].kernels[..]) {
                    (Some((from, to)), [kernel]) => kernel.run_part(&cx, from, to),
                    (_, kernels) => kernels.iter().for_each(|k| k.run(&cx)),
                }
            }
            meet();
        }
    }
}

impl Whole {
    /// See [`crate::plan::Section::each`].
    pub fn each(&self, bases: Bases, f: &mut impl FnMut(Option<(&Kernel, &Context)>, usize)) {
        let cx = bases.context(&self.block.buffers, std::ptr::null_mut(), 0, true);
        self.block.tasks.iter().flat_map(|t| &t.kernels).enumerate().for_each(|(k, kernel)| f(Some((kernel, &cx)), k));
    }
}

/// Shares independent tasks: large kernels are split, the rest goes to whoever has least to do.
fn divide(block: &Block, tasks: std::ops::Range<usize>, workers: usize) -> Vec<Vec<Piece>> {
    let mut shares = vec![vec![]; workers];
    let mut load = vec![0; workers];
    for task in tasks {
        let kernels = &block.tasks[task].kernels;
        if let [kernel] = &kernels[..]
            && kernel.parts() >= workers
            && kernel.cost() >= SHARE / 2
        {
            for (w, share) in shares.iter_mut().enumerate() {
                let part = |w: usize| kernel.parts() * w / workers;
                share.push(Piece { task, blocks: Some((part(w), part(w + 1))) });
            }
            continue;
        }
        let w = (0..workers).min_by_key(|&w| load[w]).unwrap_or(0);
        load[w] += kernels.iter().map(Kernel::cost).sum::<usize>();
        shares[w].push(Piece { task, blocks: None });
    }
    shares
}

/// A sum over rows: where each group keeps its share, and where the total goes.
#[derive(Clone, Copy, Debug)]
pub struct Total {
    /// Element type.
    pub dtype: DType,
    /// Number of elements.
    pub len: usize,
    /// Bytes from the start of a group's memory.
    pub offset: usize,
    /// The total.
    pub to: Place,
    /// Whether rows are added into a table, few of its many at a time.
    pub table: bool,
}

/// Work done tile by tile.
pub struct Tiles {
    /// Rows of the batch.
    pub rows: usize,
    /// Rows of a tile.
    pub tile: usize,
    /// Groups of tiles: what one worker does in one go. Fixed by the graph, never by the workers.
    pub groups: usize,
    /// The lowered stage for full tiles.
    pub full: Block,
    /// The lowered stage for the last tile, if it is shorter.
    pub tail: Option<Block>,
    /// Bytes of a group's memory.
    pub group_bytes: usize,
    /// Sums over rows (none if there is one group: it writes the totals itself).
    pub totals: Vec<Total>,
}

impl Tiles {
    /// Number of tiles.
    pub fn tiles(&self) -> usize {
        self.rows.div_ceil(self.tile)
    }

    /// Runs this worker's groups, then its share of the totals.
    pub fn run(&self, bases: Bases, worker: usize, workers: usize, meet: &dyn Fn()) {
        for group in self.groups * worker / workers..self.groups * (worker + 1) / workers {
            self.group(group, bases, &mut |kernel, cx, _| kernel.run(cx));
        }
        meet();
        if !self.totals.is_empty() {
            self.add(bases, worker, workers);
            meet();
        }
    }

    /// Calls `f` with every kernel of the group's tiles in turn, its context and its place in the block.
    fn group(&self, group: usize, bases: Bases, f: &mut impl FnMut(&Kernel, &Context, usize)) {
        // SAFETY: each group has `group_bytes` bytes.
        let memory = unsafe { bases.groups.add(group * self.group_bytes) };
        let (from, to) = (self.tiles() * group / self.groups, self.tiles() * (group + 1) / self.groups);
        for tile in from..to {
            let start = tile * self.tile;
            let block = match &self.tail {
                Some(tail) if start + self.tile > self.rows => tail,
                _ => &self.full,
            };
            let cx = bases.context(&block.buffers, memory, start, tile == from);
            block.tasks.iter().flat_map(|t| &t.kernels).enumerate().for_each(|(k, kernel)| f(kernel, &cx, k));
        }
    }

    /// See [`crate::plan::Section::each`].
    pub fn each(&self, bases: Bases, f: &mut impl FnMut(Option<(&Kernel, &Context)>, usize)) {
        (0..self.groups).for_each(|group| self.group(group, bases, &mut |kernel, cx, k| f(Some((kernel, cx)), k)));
        self.add(bases, 0, 1);
        f(None, usize::MAX);
    }

    /// This worker's share of the totals.
    fn add(&self, bases: Bases, worker: usize, workers: usize) {
        for total in &self.totals {
            if total.dtype == DType::F32 {
                self.sum::<f32>(total, bases, worker, workers)
            } else {
                self.sum::<f64>(total, bases, worker, workers)
            }
        }
    }

    /// Adds the groups' shares of this worker's part of a total: pairs, then pairs of pairs, ….
    fn sum<T: crate::kernels::map::Real>(&self, total: &Total, bases: Bases, worker: usize, workers: usize) {
        const CHUNK: usize = 256;
        let chunks = total.len.div_ceil(CHUNK);
        for chunk in chunks * worker / workers..chunks * (worker + 1) / workers {
            let (at, n) = (chunk * CHUNK, CHUNK.min(total.len - chunk * CHUNK));
            let share = |group: usize| -> &mut [T] {
                // SAFETY: this worker alone touches these elements, group by group, between two barriers.
                unsafe {
                    let first = bases.groups.add(group * self.group_bytes + total.offset).cast::<T>().add(at);
                    std::slice::from_raw_parts_mut(first, n)
                }
            };
            let mut step = 1;
            while step < self.groups {
                for g in (0..self.groups).step_by(2 * step).filter(|g| g + step < self.groups) {
                    add_assign(share(g), share(g + step));
                }
                step *= 2;
            }
            // SAFETY: the total's place holds `len` elements; this part of it is this worker's.
            let to = unsafe { std::slice::from_raw_parts_mut(bases.address(total.to).cast::<T>().add(at), n) };
            to.copy_from_slice(share(0));
        }
    }
}
