//! A compiled graph: what users of this crate make once and run many times.

use crate::exec::{Arena, MAX_RANK};
use crate::plan::{Move, Plan, Section, compile};
use crate::pool::{Barrier, Pool};
use crate::profile::{Profile, explain};
use crate::section::Bases;
use graph::{DType, Graph, Id, Type};
use std::sync::Arc;

/// How to compile a graph.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Worker threads (0: as many as the machine has processors). The results do not depend on it.
    pub threads: usize,
    /// For each input of the graph, whether its axis 0 is the batch: what is computed row by row in it
    /// runs tile by tile. Missing entries mean no.
    pub batched: Vec<bool>,
    /// Pairs (input, output) that share one array: the result overwrites the operand.
    pub donated: Vec<(usize, usize)>,
}

/// An array handed to a program.
#[derive(Clone, Copy, Debug)]
pub enum Arg<'a> {
    /// Single precision.
    F32(&'a [f32]),
    /// Double precision.
    F64(&'a [f64]),
    /// Integers.
    I32(&'a [i32]),
    /// The array given for the output that this input is donated to.
    Donated,
}

/// An array that receives a result (and, if an input is donated to it, holds that input before).
#[derive(Debug)]
pub enum Out<'a> {
    /// Single precision.
    F32(&'a mut [f32]),
    /// Double precision.
    F64(&'a mut [f64]),
    /// Integers.
    I32(&'a mut [i32]),
}

/// Why a graph cannot be compiled or a program cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The graph is not legal.
    #[error(transparent)]
    Graph(#[from] graph::Error),
    /// An array that does not fit.
    #[error("{what} {index}: expected {expected}, got {got}")]
    Array {
        /// "input" or "output".
        what: &'static str,
        /// Its position.
        index: usize,
        /// What the program was compiled for.
        expected: String,
        /// What was given.
        got: String,
    },
    /// More axes than kernels can walk.
    #[error("{node} has {rank} axes; at most {MAX_RANK} are supported: reshape it to fewer")]
    Rank {
        /// The equation.
        node: String,
        /// Its axes.
        rank: usize,
    },
    /// Another number of arrays than the program has.
    #[error("{what}: expected {expected} arrays, got {got}")]
    Count {
        /// "inputs" or "outputs".
        what: &'static str,
        /// How many the program has.
        expected: usize,
        /// How many were given.
        got: usize,
    },
}

/// A compiled graph.
pub struct Program {
    inputs: Vec<Type>,
    outputs: Vec<Type>,
    /// Per input: the output that takes its array.
    donated: Vec<Option<usize>>,
    plan: Plan,
    pool: Option<Arc<Pool>>,
    global: Arena,
    groups: Arena,
    workers: Vec<(Arena, Arena)>,
    addresses: (Vec<*mut u8>, Vec<*mut u8>),
    profile: Option<Profile>,
}

// SAFETY: the addresses are set anew at the beginning of every run, which borrows the program mutably.
unsafe impl Send for Program {}

/// Below this estimate (nanoseconds) a run on one worker is faster than a fork and a join.
const FORK: f64 = 40_000.0;

impl Program {
    /// Compiles what `outputs` need.
    ///
    /// # Errors
    /// A graph that breaks its rules, or a donation between arrays of different types.
    pub fn compile(g: &Graph, outputs: &[Id], options: &Options) -> Result<Program, Error> {
        graph::verify::verify(g)?;
        if let Some(i) = g.nodes().iter().position(|n| n.ty.rank() > MAX_RANK) {
            return Err(Error::Rank { node: g.equation(Id(i as u32)), rank: g.nodes()[i].ty.rank() });
        }
        let inputs: Vec<Type> = g.inputs().iter().map(|&i| g.ty(i).clone()).collect();
        let types: Vec<Type> = outputs.iter().map(|&o| g.ty(o).clone()).collect();
        let mut donated = vec![None; inputs.len()];
        for &(i, j) in &options.donated {
            let expected = inputs.get(i).map_or("an input of the graph".into(), Type::to_string);
            if inputs.get(i) != types.get(j) || inputs.get(i).is_none() {
                return Err(Error::Array {
                    what: "donated output",
                    index: j,
                    expected,
                    got: types.get(j).map_or("none".into(), Type::to_string),
                });
            }
            donated[i] = Some(j);
        }
        let processors = || std::thread::available_parallelism().map_or(1, usize::from);
        let threads = if options.threads == 0 { processors() } else { options.threads };
        let mut plan = compile(g, outputs, &options.batched, &options.donated)?;
        let pool = if threads > 1 && plan.cost > FORK { Some(Pool::of(threads)) } else { None };
        let workers = pool.as_ref().map_or(1, |p| p.workers());
        plan.share(workers);
        let workers = (0..workers).map(|_| (Arena::new(plan.local), Arena::new(plan.registers))).collect();
        let addresses = (Vec::with_capacity(inputs.len()), Vec::with_capacity(types.len()));
        let (global, groups) = (Arena::new(plan.global), Arena::new(plan.groups));
        Ok(Program { inputs, outputs: types, donated, plan, pool, global, groups, workers, addresses, profile: None })
    }

    /// Runs the program once: one array per input of the graph, one per output.
    ///
    /// # Errors
    /// Arrays of other number, type or length than the program was compiled for.
    pub fn run(&mut self, inputs: &[Arg], outputs: &mut [Out]) -> Result<(), Error> {
        self.bind(inputs, outputs)?;
        let (global, groups) = (Address(self.global.base()), Address(self.groups.base()));
        let workers = self.workers.len();
        // Whole stages are shared by all workers, and so is the memory of the first.
        let shared = Address(self.workers[0].0.base());
        let memory = Address(self.workers.as_mut_ptr());
        let (plan, addresses) = (&self.plan, Shared(&self.addresses));
        let barrier = Barrier::new(workers);
        let work = |w: usize| {
            let (inputs, outputs) = addresses.get();
            // SAFETY: worker w alone uses entry w.
            let (local, registers) = unsafe { &mut *memory.get().add(w) };
            let bases =
                Bases { inputs, outputs, global: global.get(), groups: groups.get(), local: local.base(), registers: registers.base() };
            let meet = || barrier.wait();
            if w == 0 {
                plan.before.iter().for_each(|m| relocate(m, bases));
            }
            if !plan.before.is_empty() {
                meet();
            }
            for section in &plan.sections {
                match section {
                    Section::Whole(s) => s.run(Bases { local: shared.get(), ..bases }, w, &meet),
                    Section::Tiles(s) => s.run(bases, w, workers, &meet),
                }
            }
            if w == 0 {
                plan.after.iter().for_each(|m| relocate(m, bases));
            }
        };
        match (&mut self.profile, &self.pool) {
            (Some(profile), _) => {
                let (inputs, outputs) = addresses.get();
                // SAFETY: this run is the only user of the program's memory.
                let (local, registers) = unsafe { &mut *memory.get() };
                let (global, groups) = (global.get(), groups.get());
                let bases = Bases { inputs, outputs, global, groups, local: local.base(), registers: registers.base() };
                plan.before.iter().for_each(|m| relocate(m, bases));
                profile.run(plan, bases);
                plan.after.iter().for_each(|m| relocate(m, bases));
            }
            (None, Some(pool)) => pool.run(&work),
            (None, None) => work(0),
        }
        Ok(())
    }

    /// Checks the arrays and notes their addresses.
    fn bind(&mut self, inputs: &[Arg], outputs: &mut [Out]) -> Result<(), Error> {
        for (what, expected, got) in [("inputs", self.inputs.len(), inputs.len()), ("outputs", self.outputs.len(), outputs.len())] {
            if expected != got {
                return Err(Error::Count { what, expected, got });
            }
        }
        self.addresses.0.clear();
        self.addresses.1.clear();
        for (j, (ty, out)) in self.outputs.iter().zip(outputs).enumerate() {
            let (dtype, len, at) = match out {
                Out::F32(x) => (DType::F32, x.len(), x.as_mut_ptr().cast()),
                Out::F64(x) => (DType::F64, x.len(), x.as_mut_ptr().cast()),
                Out::I32(x) => (DType::I32, x.len(), x.as_mut_ptr().cast()),
            };
            check("output", j, ty, dtype, len)?;
            self.addresses.1.push(at);
        }
        for (i, (ty, input)) in self.inputs.iter().zip(inputs).enumerate() {
            let (dtype, len, at) = match input {
                Arg::F32(x) => (DType::F32, x.len(), x.as_ptr().cast::<u8>().cast_mut()),
                Arg::F64(x) => (DType::F64, x.len(), x.as_ptr().cast::<u8>().cast_mut()),
                Arg::I32(x) => (DType::I32, x.len(), x.as_ptr().cast::<u8>().cast_mut()),
                Arg::Donated => match self.donated[i].and_then(|j| self.addresses.1.get(j)) {
                    Some(&at) => (ty.dtype, ty.len(), at),
                    None => {
                        return Err(Error::Array {
                            what: "input",
                            index: i,
                            expected: format!("{ty}"),
                            got: "a donation it was not compiled for".into(),
                        });
                    }
                },
            };
            check("input", i, ty, dtype, len)?;
            self.addresses.0.push(at);
        }
        Ok(())
    }

    /// From now on every run is on one worker, with a clock around each kernel, for [`Program::explain`].
    ///
    /// Results stay the same, only slower by some 50 ns per kernel and tile.
    pub fn watch(&mut self) {
        self.profile = Some(Profile::new(&self.plan));
    }

    /// The program in words: stages, tiles, kernels, memory; after [`Program::watch`] and a run, also what each
    /// kernel took.
    pub fn explain(&self) -> String {
        let (workers, guess) = (self.workers.len(), self.plan.cost / 1e3);
        let head = format!("{workers} workers, estimated at {guess:.0} µs on one; {} bytes of memory\n", self.memory());
        head + &explain(&self.plan, self.profile.as_ref())
    }

    /// The graph as it was compiled, after rewriting.
    pub fn graph(&self) -> &Graph {
        &self.plan.graph
    }

    /// Bytes of memory the program keeps for itself, arrays of the caller not counted.
    pub fn memory(&self) -> usize {
        let workers: usize = self.workers.iter().map(|(l, r)| l.bytes() + r.bytes()).sum();
        self.global.bytes() + self.groups.bytes() + workers
    }
}

fn check(what: &'static str, index: usize, ty: &Type, dtype: DType, len: usize) -> Result<(), Error> {
    if ty.dtype == dtype && ty.len() == len {
        return Ok(());
    }
    Err(Error::Array { what, index, expected: format!("{ty} ({} elements)", ty.len()), got: format!("{len} elements of {dtype}") })
}

/// Copies an array.
fn relocate(m: &Move, bases: Bases) {
    // SAFETY: both places hold `bytes` bytes, and one of them is the program's own memory.
    unsafe { std::ptr::copy_nonoverlapping(bases.address(m.from), bases.address(m.to), m.bytes) };
}

/// An address that workers share; what they do with it is divided among them.
struct Address<T>(*mut T);

// SAFETY: see the uses in `Program::run`.
unsafe impl<T> Sync for Address<T> {}

impl<T> Address<T> {
    fn get(&self) -> *mut T {
        self.0
    }
}

/// The callers' arrays, shared with the workers for one run.
struct Shared<'a>(&'a (Vec<*mut u8>, Vec<*mut u8>));

// SAFETY: the table is only read; who may write where is fixed by the plan.
unsafe impl Sync for Shared<'_> {}

impl Shared<'_> {
    fn get(&self) -> (&[*mut u8], &[*mut u8]) {
        (&self.0.0, &self.0.1)
    }
}
