//! From a draft to a region: dimensions merged, every operand's access chosen, registers given out.

use super::{Access, BLOCK, Load, Region, Slot, Step, StepCode, Store, View, in_order};
use crate::kernels::Mode;
use graph::DType;

/// A region before addresses are chosen: values are numbered instructions.
#[derive(Clone, Debug, Default)]
pub struct Draft {
    /// Extents of the region's elements.
    pub shape: Vec<usize>,
    /// Operands (view, is it an iota, element type in memory).
    pub loads: Vec<(View, bool, DType)>,
    /// Instructions in order; operands refer to earlier ones.
    pub values: Vec<(StepCode, [Operand; 3])>,
    /// Results.
    pub stores: Vec<DraftStore>,
}

impl Draft {
    /// All operands, of which there are at least two, one after another combined by `code`.
    pub fn fold(&mut self, code: StepCode) -> Operand {
        for i in 1..self.loads.len() {
            let so_far = if i == 1 { Operand::Load(0) } else { Operand::Value(i - 2) };
            self.values.push((code, [so_far, Operand::Load(i), Operand::Imm(0.0)]));
        }
        Operand::Value(self.values.len() - 1)
    }
}

/// A result in a [`Draft`]: value, where to, element type in memory, whether it is added.
pub type DraftStore = (Operand, View, DType, Mode);

/// An operand in a [`Draft`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Operand {
    /// Result of the i-th instruction.
    Value(usize),
    /// The i-th load.
    Load(usize),
    /// A constant.
    Imm(f64),
}

/// Merges dimensions that every view walks through as if they were one; drops those of extent 1.
fn collapse(shape: &[usize], views: &mut [&mut View]) -> Vec<usize> {
    let mut dims: Vec<usize> = vec![];
    let mut kept: Vec<Vec<isize>> = vec![vec![]; views.len()];
    for (d, &n) in shape.iter().enumerate() {
        if n == 1 {
            continue;
        }
        let merges = !dims.is_empty() && views.iter().zip(&kept).all(|(v, k)| k.last() == Some(&(v.strides[d] * n as isize)));
        if merges {
            *dims.last_mut().unwrap_or(&mut 0) *= n;
            views.iter().zip(&mut kept).for_each(|(v, k)| *k.last_mut().unwrap_or(&mut 0) = v.strides[d]);
        } else {
            dims.push(n);
            views.iter().zip(&mut kept).for_each(|(v, k)| k.push(v.strides[d]));
        }
    }
    views.iter_mut().zip(kept).for_each(|(v, k)| v.strides = k);
    dims
}

/// Length of the shortest suffix of `dims` outside which the view does not move.
fn period(dims: &[usize], strides: &[isize]) -> usize {
    let first = strides.iter().position(|&s| s != 0).unwrap_or(dims.len());
    dims[first..].iter().product()
}

impl Region {
    /// Chooses registers and access modes.
    pub fn build(draft: Draft, dtype: DType) -> Region {
        let Draft { shape, mut loads, values, mut stores } = draft;
        let len: usize = shape.iter().product();
        let mut views: Vec<&mut View> = loads.iter_mut().map(|l| &mut l.0).chain(stores.iter_mut().map(|s| &mut s.1)).collect();
        let dims = collapse(&shape, &mut views);
        let mut block = BLOCK;
        let periods = loads.iter().map(|l| period(&dims, &l.0.strides)).filter(|&p| p > 1 && p <= BLOCK && p < len);
        if let Some(p) = periods.max() {
            block = BLOCK / p * p;
        }
        let mut registers = Registers::default();
        let loads: Vec<Load> = loads
            .into_iter()
            .map(|(view, iota, memory)| {
                let p = period(&dims, &view.strides);
                let access = if p <= 1 && !iota {
                    Access::Splat
                } else if in_order(&dims, &view.strides) && memory == dtype && !iota {
                    Access::Contiguous
                } else if p < len && p <= BLOCK && block.is_multiple_of(p.max(1)) {
                    Access::Periodic
                } else {
                    Access::Strided
                };
                let reg = if matches!(access, Access::Periodic | Access::Strided) { registers.fresh() } else { 0 };
                Load { view, iota, dtype: memory, access, reg, period: p }
            })
            .collect();
        let (steps, stores) = assign(&values, stores, &dims, dtype, &mut registers);
        Region { dtype, dims, len, block, loads, steps, stores, registers: registers.count as usize, compiled: None }
    }
}

#[derive(Default)]
struct Registers {
    free: Vec<u16>,
    count: u16,
}

impl Registers {
    fn fresh(&mut self) -> u16 {
        self.free.pop().unwrap_or_else(|| {
            self.count += 1;
            self.count - 1
        })
    }
}

/// Gives each value a place: its result's memory if that is contiguous, else a register that is
/// reused after the value's last use.
fn assign(
    values: &[(StepCode, [Operand; 3])],
    stores: Vec<DraftStore>,
    dims: &[usize],
    dtype: DType,
    registers: &mut Registers,
) -> (Vec<Step>, Vec<Store>) {
    let mut last_use: Vec<usize> = (0..values.len()).collect();
    for (i, (_, args)) in values.iter().enumerate() {
        for a in args {
            if let Operand::Value(v) = a {
                last_use[*v] = i;
            }
        }
    }
    let mut home: Vec<Option<Slot>> = vec![None; values.len()];
    let mut direct = vec![false; stores.len()];
    for (k, (value, view, memory, mode)) in stores.iter().enumerate() {
        if let Operand::Value(v) = value {
            if home[*v].is_none() && in_order(dims, &view.strides) && *memory == dtype && *mode == Mode::Write {
                home[*v] = Some(Slot::Store(k as u16));
                direct[k] = true;
            } else {
                last_use[*v] = usize::MAX; // written out after the block's instructions
            }
        }
    }
    let slot = |home: &[Option<Slot>], o: Operand| match o {
        Operand::Value(v) => home[v].unwrap_or(Slot::Imm(f64::NAN)),
        Operand::Load(i) => Slot::Load(i as u16),
        Operand::Imm(x) => Slot::Imm(x),
    };
    let mut steps = Vec::with_capacity(values.len());
    for (i, (code, args)) in values.iter().enumerate() {
        let dst = home[i].unwrap_or_else(|| Slot::Reg(registers.fresh()));
        home[i] = Some(dst);
        steps.push(Step { code: *code, dst, args: args.map(|a| slot(&home, a)) });
        let mut ended: Vec<usize> = args.iter().filter_map(|a| if let Operand::Value(v) = a { Some(*v) } else { None }).collect();
        ended.push(i);
        ended.sort();
        ended.dedup();
        for v in ended {
            if let (true, Some(Slot::Reg(r))) = (last_use[v] == i, home[v]) {
                registers.free.push(r);
            }
        }
    }
    let stores = stores
        .into_iter()
        .zip(direct)
        .map(|((value, view, dtype, mode), direct)| Store { view, dtype, mode, from: slot(&home, value), direct })
        .collect();
    (steps, stores)
}
