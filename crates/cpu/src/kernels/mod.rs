//! Kernels: what a compiled program executes. Each finds its data at run time only through
//! [`crate::exec::Context`]; sizes were fixed when the program was compiled.

pub mod contract;
pub mod index;
pub mod lane;
pub mod map;
pub mod math;
pub mod micro;
pub mod reduce;
pub mod region;

use crate::exec::Context;
use contract::Contract;
use index::{Gather, Scatter};
use reduce::Reduce;
use region::Region;

/// How a kernel treats what its result's memory holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// Overwrites it.
    Write,
    /// Adds to it.
    Add,
    /// Adds to it, except in the first tile of a gradient group, which overwrites.
    Accumulate,
    /// Overwrites it when everything else of a block is done: it may be an operand as well.
    Late,
}

impl Mode {
    /// Whether to add, here and now.
    pub fn adds(self, cx: &Context) -> bool {
        match self {
            Mode::Write | Mode::Late => false,
            Mode::Add => true,
            Mode::Accumulate => !cx.first,
        }
    }
}

/// One step of a program.
#[derive(Clone, Debug)]
pub enum Kernel {
    /// Element-by-element operations.
    Region(Region),
    /// Matrix products and convolutions.
    Contract(Contract),
    /// Sums and maxima over axes.
    Reduce(Reduce),
    /// Rows of a table.
    Gather(Gather),
    /// Rows added into a table.
    Scatter(Scatter),
}

impl Kernel {
    /// Runs the kernel.
    pub fn run(&self, cx: &Context) {
        match self {
            Kernel::Contract(c) => c.run(cx, 0, usize::MAX),
            _ => self.run_part(cx, 0, self.parts()),
        }
    }

    /// In how many parts the kernel can be divided among workers; its results do not depend on how.
    pub fn parts(&self) -> usize {
        match self {
            Kernel::Region(r) => r.blocks(),
            Kernel::Contract(c) => c.parts(),
            Kernel::Reduce(_) | Kernel::Gather(_) | Kernel::Scatter(_) => 1,
        }
    }

    /// Runs parts `from..to`.
    pub fn run_part(&self, cx: &Context, from: usize, to: usize) {
        match self {
            Kernel::Region(r) => r.run(cx, from, to),
            Kernel::Contract(c) => c.run(cx, from, to),
            Kernel::Reduce(r) => r.run(cx),
            Kernel::Gather(g) => g.run(cx),
            Kernel::Scatter(s) => s.run(cx),
        }
    }

    /// Buffers the kernel reads, and whether it reads each element only where it writes that element.
    pub fn reads(&self) -> Vec<(usize, bool)> {
        match self {
            Kernel::Region(r) => r.reads(),
            Kernel::Contract(c) => vec![(c.lhs.buffer, false), (c.rhs.buffer, false)],
            Kernel::Reduce(r) => vec![(r.from.buffer, false)],
            Kernel::Gather(g) => vec![(g.buffers[0], false), (g.buffers[1], false)],
            Kernel::Scatter(s) => vec![(s.buffers[0], false), (s.buffers[1], false)],
        }
    }

    /// Buffers the kernel writes, and whether it does so only after it has read them.
    pub fn writes(&self) -> Vec<(usize, bool)> {
        match self {
            Kernel::Region(r) => r.writes(),
            Kernel::Contract(c) => vec![(c.out.buffer, false)],
            Kernel::Reduce(r) => vec![(r.out.buffer, false)],
            Kernel::Gather(g) => vec![(g.buffers[2], false)],
            Kernel::Scatter(s) => vec![(s.buffers[2], false)],
        }
    }

    /// Rough number of element operations, to share work fairly.
    pub fn cost(&self) -> usize {
        match self {
            Kernel::Region(r) => r.cost(),
            Kernel::Contract(c) => c.cost() / 16,
            Kernel::Reduce(r) => r.cost(),
            Kernel::Gather(g) => g.rows * g.width,
            Kernel::Scatter(s) => s.rows * s.width + s.table * s.width,
        }
    }

    /// Floating-point operations (a transcendental function counts as one).
    pub fn flops(&self) -> usize {
        match self {
            Kernel::Region(r) => r.flops(),
            Kernel::Contract(c) => 2 * c.cost(),
            Kernel::Reduce(r) => r.cost(),
            Kernel::Gather(_) => 0,
            Kernel::Scatter(s) => s.rows * s.width,
        }
    }

    /// Bytes of operands and results, each counted once per use.
    pub fn bytes(&self) -> usize {
        match self {
            Kernel::Region(r) => r.bytes(),
            Kernel::Contract(c) => c.bytes(),
            Kernel::Reduce(r) => r.cost() * r.dtype.size(),
            Kernel::Gather(g) => 2 * g.rows * g.width * g.dtype.size(),
            Kernel::Scatter(s) => (2 * s.rows + s.table) * s.width * s.dtype.size(),
        }
    }

    /// What the kernel does, for explanations.
    pub fn summary(&self) -> String {
        match self {
            Kernel::Region(r) => format!("region    {}", r.summary()),
            Kernel::Contract(c) => format!("contract  {}", c.summary()),
            Kernel::Reduce(r) => format!("reduce    {}", r.summary()),
            Kernel::Gather(g) => format!("gather    {} rows of {}", g.rows, g.width),
            Kernel::Scatter(s) => format!("scatter   {} rows of {}", s.rows, s.width),
        }
    }
}
