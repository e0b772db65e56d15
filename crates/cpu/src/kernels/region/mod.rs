//! Fused regions: many element-by-element operations in one pass. A region runs over blocks of a few
//! hundred elements that stay in the first-level cache; its operands are strided views, so
//! broadcasts, transposes, slices and windows cost no copy.

mod build;
mod compiled;
mod interpreted;

pub use build::{Draft, DraftStore, Operand};
use compiled::Compiled;

use super::Mode;
use super::map::Code;
use crate::exec::Context;
use graph::DType;

/// Elements of a block at most; 16 live registers of f32 then fill 32 KB.
pub const BLOCK: usize = 512;

/// A strided look at a buffer, over the region's dimensions.
#[derive(Clone, Debug, PartialEq)]
pub struct View {
    /// Index into the block's buffer table.
    pub buffer: usize,
    /// Element that index (0, 0, …) reads.
    pub offset: isize,
    /// Elements to skip per step along each dimension.
    pub strides: Vec<isize>,
}

/// Where a block instruction finds an operand.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Slot {
    /// A scratch register.
    Reg(u16),
    /// The i-th load.
    Load(u16),
    /// The i-th store's memory (contiguous ones are computed in place).
    Store(u16),
    /// A constant.
    Imm(f64),
}

/// How a load is served.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Access {
    /// Straight from memory.
    Contiguous,
    /// One number, read when the region starts.
    Splat,
    /// The same block contents every time: copied when the region starts.
    Periodic,
    /// Copied into a register for every block.
    Strided,
}

/// An operand read by the region.
#[derive(Clone, Debug)]
pub struct Load {
    /// What is read; `None` for the element's own offset under `strides` (iota).
    pub view: View,
    /// Whether the value is the offset itself.
    pub iota: bool,
    /// Element type in memory.
    pub dtype: DType,
    /// How it is served.
    pub access: Access,
    /// Register that holds copied blocks.
    reg: u16,
    /// Elements after which the contents repeat.
    period: usize,
}

/// A result written by the region.
#[derive(Clone, Debug)]
pub struct Store {
    /// Where to.
    pub view: View,
    /// Element type in memory.
    pub dtype: DType,
    /// Whether the value is added to what is there.
    pub mode: Mode,
    /// What is written; ignored for in-place results.
    pub from: Slot,
    /// Whether instructions write their result straight to memory.
    pub direct: bool,
}

/// One instruction of the region.
#[derive(Clone, Debug)]
pub struct Step {
    /// What.
    pub code: StepCode,
    /// Where to.
    pub dst: Slot,
    /// From what.
    pub args: [Slot; 3],
}

/// What an instruction does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum StepCode {
    /// A function of the operands.
    Map(Code),
    /// Random numbers: key buffer, stream, elements per row of the batch axis.
    Uniform(usize, u32, usize),
}

/// A fused region, ready to run.
#[derive(Clone, Debug)]
pub struct Region {
    /// Element type of the computation.
    pub dtype: DType,
    dims: Vec<usize>,
    len: usize,
    block: usize,
    /// Operands.
    pub loads: Vec<Load>,
    /// Instructions.
    pub steps: Vec<Step>,
    /// Results.
    pub stores: Vec<Store>,
    registers: usize,
    /// The instructions as machine code, if they were compiled.
    compiled: Option<Compiled>,
}

/// Whether the view walks memory in order, however many dimensions it is described with.
fn in_order(dims: &[usize], strides: &[isize]) -> bool {
    let mut expected = 1;
    for (&n, &s) in dims.iter().zip(strides).rev() {
        if s != expected {
            return false;
        }
        expected *= n as isize;
    }
    true
}

impl Region {
    /// Bytes of scratch registers that `run` needs.
    pub fn scratch(&self) -> usize {
        self.registers * BLOCK * self.dtype.size()
    }

    /// Number of blocks, the unit in which a region can be divided among workers.
    pub fn blocks(&self) -> usize {
        self.len.div_ceil(self.block)
    }

    /// Elements the region produces.
    pub fn elements(&self) -> usize {
        self.len
    }

    /// Buffers read, and whether element by element in the region's own order.
    pub fn reads(&self) -> Vec<(usize, bool)> {
        let key = self.steps.iter().filter_map(|s| if let StepCode::Uniform(key, ..) = s.code { Some((key, false)) } else { None });
        let ordered = |l: &Load| l.access == Access::Contiguous && l.view.offset == 0;
        self.loads.iter().filter(|l| !l.iota).map(|l| (l.view.buffer, ordered(l))).chain(key).collect()
    }

    /// Buffers written, and whether in order and after a block's operands were read.
    pub fn writes(&self) -> Vec<(usize, bool)> {
        self.stores.iter().map(|s| (s.view.buffer, s.mode == Mode::Late && in_order(&self.dims, &s.view.strides))).collect()
    }

    /// Elements times instructions.
    pub fn cost(&self) -> usize {
        self.len * (self.steps.len() + self.loads.len() + self.stores.len())
    }

    /// Elements times arithmetic instructions.
    pub fn flops(&self) -> usize {
        self.len * self.steps.iter().filter(|s| !matches!(s.code, StepCode::Map(Code::Copy))).count()
    }

    /// Bytes read and written.
    pub fn bytes(&self) -> usize {
        let arrays = self.loads.iter().filter(|l| l.access != Access::Splat && !l.iota).count() + self.stores.len();
        self.len * arrays * self.dtype.size()
    }

    /// Instructions and operands, for explanations.
    pub fn summary(&self) -> String {
        let moved = self.loads.iter().filter(|l| l.access == Access::Strided).count();
        let how = match &self.compiled {
            Some(Compiled { blocks: None, .. }) => ", machine code by rows",
            Some(_) => ", machine code",
            None => "",
        };
        let (ops, loads, stores) = (self.steps.len(), self.loads.len(), self.stores.len());
        format!("{ops} ops over {:?}, {loads} loads ({moved} strided), {stores} stores{how}", self.dims)
    }

    /// Computes blocks `from..to`.
    pub fn run(&self, cx: &Context, from: usize, to: usize) {
        match self.dtype {
            DType::F32 if let Some(Compiled { code, blocks }) = &self.compiled => match blocks {
                None => self.run_rows(code, cx, from, to),
                Some(blocks) => self.run_blocks(code, blocks, cx, from, to),
            },
            DType::F32 => self.run_as::<f32>(cx, from, to),
            _ => self.run_as::<f64>(cx, from, to),
        }
    }
}
