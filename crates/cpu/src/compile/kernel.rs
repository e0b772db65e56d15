//! Lowering of what is a kernel of its own: products, convolutions, reductions, tables.

use super::contraction::{self, Layout};
use super::fuse::{Role, arithmetic};
use super::lower::{Lowering, Target};
use super::view::{Look, row_major};
use super::winograd::Place;
use crate::kernels::contract::{At, Contract};
use crate::kernels::index::{Gather, Scatter};
use crate::kernels::map::Code;
use crate::kernels::reduce::Reduce;
use crate::kernels::region::{Draft, Operand, Region, StepCode, View};
use crate::kernels::{Kernel, Mode};
use graph::ops::Binary;
use graph::{DType, Id, Op};

/// Elements of a window that are read as operands of their own.
const WINDOW: usize = 16;

impl Lowering<'_> {
    /// A kernel of its own.
    pub(super) fn kernel(&mut self, id: Id) {
        let node = self.g.node(id).clone();
        let time = 2 * self.s.rounds[id.index()] + 1;
        let integer = node.ty.dtype == DType::I32 && matches!(node.op, Op::Sum(_) | Op::Max(_) | Op::ScatterAdd { .. });
        let (mut buffer, mut strides, mut mode, after) = self.destination(id, time);
        let mut after: Vec<Target> = after.into_iter().collect();
        let mut kernels = vec![];
        if integer {
            // Integers are summed in f64, which holds them exactly, and converted on the way out.
            after.push(Target { buffer, strides: strides.clone(), mode });
            (buffer, strides, mode) = (self.local(DType::F64, node.ty.len(), time, time), row_major(&node.ty.shape), Mode::Write);
        }
        match &node.op {
            Op::Dot(_) | Op::Conv(_) => self.contract(id, (buffer, &strides, mode), (time, self.alone && after.is_empty()), &mut kernels),
            Op::Sum(axes) | Op::Max(axes) if !integer && self.is_window(node.args[0], axes) => {
                kernels.push(self.window(id, axes, buffer, &strides, mode));
            }
            Op::Sum(axes) | Op::Max(axes) => {
                let (mut from, mut look) = self.anyhow(node.args[0], time, &mut kernels);
                if integer {
                    from = self.widened(node.args[0], time, &mut kernels);
                    look = Look::whole(self.g.shape(node.args[0]));
                }
                kernels.push(Kernel::Reduce(reduction(&node.op, axes, &look, from, buffer, &strides, mode, arithmetic(node.ty.dtype))));
            }
            Op::Gather => {
                let (table, indices) = (self.dense(node.args[0], time, &mut kernels), self.dense(node.args[1], time, &mut kernels));
                let shape = self.g.shape(node.args[0]);
                kernels.push(Kernel::Gather(Gather {
                    dtype: node.ty.dtype,
                    buffers: [table.buffer, indices.buffer, buffer],
                    offsets: [table.offset as usize, indices.offset as usize],
                    table: shape[0],
                    rows: self.g.ty(node.args[1]).len(),
                    width: shape[1..].iter().product(),
                }));
            }
            Op::ScatterAdd { rows } => {
                let indices = self.dense(node.args[0], time, &mut kernels);
                let updates =
                    if integer { self.widened(node.args[1], time, &mut kernels) } else { self.dense(node.args[1], time, &mut kernels) };
                kernels.push(Kernel::Scatter(Scatter {
                    dtype: arithmetic(node.ty.dtype),
                    buffers: [indices.buffer, updates.buffer, buffer],
                    offsets: [indices.offset as usize, updates.offset as usize],
                    table: *rows,
                    rows: self.g.ty(node.args[0]).len(),
                    width: node.ty.shape[1..].iter().product(),
                    mode,
                }));
            }
            // A reshape of something that does not lie in order: copied in the operand's shape.
            _ => {
                let to = Look::whole(self.g.shape(node.args[0]));
                kernels.push(self.copy(node.args[0], buffer, &to, mode));
            }
        }
        for t in after {
            let from = View { buffer, offset: 0, strides: row_major(&node.ty.shape) };
            let to = View { buffer: t.buffer, offset: 0, strides: t.strides };
            let dtypes = (self.buffers[buffer].dtype, self.buffers[t.buffer].dtype);
            let draft = Draft {
                shape: node.ty.shape.clone(),
                loads: vec![(from, false, dtypes.0)],
                stores: vec![(Operand::Load(0), to, dtypes.1, t.mode)],
                ..Draft::default()
            };
            kernels.push(Kernel::Region(Region::build(draft, arithmetic(dtypes.0))));
        }
        self.task(time, kernels);
    }

    /// Whether a reduction takes few elements for each of many results that lie side by side: pooling.
    fn is_window(&self, from: Id, axes: &[usize]) -> bool {
        let (look, shape) = (&self.s.looks[from.index()], self.g.shape(from));
        let memory = !matches!(self.s.roles[from.index()], Role::Constant(_) | Role::Counter);
        let terms: usize = axes.iter().map(|&a| shape[a]).product();
        let last = shape.len().wrapping_sub(1);
        memory && (2..=WINDOW).contains(&terms) && !axes.contains(&last) && look.strides[last] == 1 && shape[last] >= 16
    }

    /// Such a reduction as a region with an operand for every element of the window.
    fn window(&mut self, id: Id, axes: &[usize], buffer: usize, strides: &[isize], mode: Mode) -> Kernel {
        let node = self.g.node(id).clone();
        let (home, look) = self.seen(node.args[0]);
        let dtype = self.buffers[home].dtype;
        let kept: Vec<usize> = (0..look.shape.len()).filter(|d| !axes.contains(d)).collect();
        let mut starts = vec![look.offset];
        for &a in axes {
            starts = starts
                .iter()
                .flat_map(|&s| (0..look.shape[a] as isize).map(move |i| (s, i)))
                .map(|(s, i)| s + i * look.strides[a])
                .collect();
        }
        let mut draft = Draft { shape: kept.iter().map(|&d| look.shape[d]).collect(), ..Draft::default() };
        let view = |offset| View { buffer: home, offset, strides: kept.iter().map(|&d| look.strides[d]).collect() };
        draft.loads = starts.into_iter().map(|s| (view(s), false, dtype)).collect();
        let code = StepCode::Map(Code::Bin(if matches!(node.op, Op::Sum(_)) { Binary::Add } else { Binary::Max }));
        let result = draft.fold(code);
        draft.stores.push((result, View { buffer, offset: 0, strides: strides.to_vec() }, node.ty.dtype, mode));
        Kernel::Region(Region::build(draft, arithmetic(node.ty.dtype)))
    }

    /// A row-major f64 copy.
    fn widened(&mut self, id: Id, time: usize, kernels: &mut Vec<Kernel>) -> At {
        let ty = self.g.ty(id).clone();
        let buffer = self.local(DType::F64, ty.len(), time, time);
        let kernel = self.copy(id, buffer, &Look::whole(&ty.shape), Mode::Write);
        kernels.push(kernel);
        At { buffer, offset: 0 }
    }

    /// A product or convolution; `divides` if workers share what is computed at this time.
    fn contract(
        &mut self,
        id: Id,
        (buffer, strides, mode): (usize, &[isize], Mode),
        (time, divides): (usize, bool),
        kernels: &mut Vec<Kernel>,
    ) {
        let node = self.g.node(id).clone();
        let first = self.buffers.len();
        let (l, ll) = self.anyhow(node.args[0], time, kernels);
        let (mut r, mut rl) = self.anyhow(node.args[1], time, kernels);
        if let Op::Conv(c) = &node.op {
            let out = Place { at: At { buffer, offset: 0 }, strides: strides.to_vec() };
            let operands = (&(l, ll.clone()), &(r, rl.clone()), &out);
            if self.winograd((c, &node.ty.shape), operands, (mode, divides), time, kernels) {
                return self.begin(first, time - 1);
            }
            if self.winograd_gradient((c, &node.ty.shape), operands, mode, time, kernels) {
                return;
            }
        }
        let mut copied = false;
        loop {
            let loops = match &node.op {
                Op::Conv(c) => contraction::conv(c, &ll, &rl, &node.ty.shape, strides),
                Op::Dot(d) => contraction::dot(d, &ll, &rl, strides),
                _ => return,
            };
            match loops.layout(node.ty.dtype, std::mem::replace(&mut copied, true)) {
                Layout::Ready { swap, mut kernel } => {
                    (kernel.lhs, kernel.rhs) = if swap { (r, l) } else { (l, r) };
                    (kernel.out, kernel.mode) = (At { buffer, offset: 0 }, mode);
                    match kernel.in_parts().filter(|_| self.alone) {
                        Some((product, parts)) => self.in_parts(kernel, (product, parts), first, time, kernels),
                        None => kernels.push(Kernel::Contract(kernel)),
                    }
                    return;
                }
                Layout::CopyRight => {
                    // A copy with the free axes last (a convolution's kernel has them last already).
                    let perm = match &node.op {
                        Op::Dot(d) => [d.rhs_batch.clone(), d.rhs_contract.clone(), d.free(ll.shape.len(), rl.shape.len()).1].concat(),
                        _ => (0..4).collect(),
                    };
                    let shape: Vec<usize> = perm.iter().map(|&p| rl.shape[p]).collect();
                    let moved = row_major(&shape);
                    let mut to = rl.clone();
                    perm.iter().zip(&moved).for_each(|(&p, &s)| to.strides[p] = s);
                    to.offset = 0;
                    let copy = self.local(node.ty.dtype, rl.len(), time, time);
                    let kernel = self.copy(node.args[1], copy, &to, Mode::Write);
                    kernels.push(kernel);
                    (r, rl) = (At { buffer: copy, offset: 0 }, to);
                }
            }
        }
    }

    /// A product as the sum of its parts: these just before `time`, for all workers to share. Copies of its operands have
    /// buffers from `first` on.
    fn in_parts(&mut self, whole: Contract, (mut product, parts): (Contract, usize), first: usize, time: usize, kernels: &mut Vec<Kernel>) {
        let [m, n, _] = whole.extent;
        self.begin(first, time - 1);
        product.out = At { buffer: self.local(whole.dtype, parts * m * n, time - 1, time), offset: 0 };
        let view = |i: usize| View { buffer: product.out.buffer, offset: (i * m * n) as isize, strides: vec![n as isize, 1] };
        let mut draft = Draft { shape: vec![m, n], ..Draft::default() };
        draft.loads = (0..parts).map(|i| (view(i), false, whole.dtype)).collect();
        let total = draft.fold(StepCode::Map(Code::Bin(Binary::Add)));
        let to = View { buffer: whole.out.buffer, offset: 0, strides: vec![whole.step[4], 1] };
        draft.stores.push((total, to, whole.dtype, whole.mode));
        let copies = std::mem::replace(kernels, vec![Kernel::Region(Region::build(draft, whole.dtype))]);
        self.task(time - 1, [copies, vec![Kernel::Contract(product)]].concat());
    }

    /// Where a kernel writes the result of `id`: buffer, strides, mode, and the copy that must follow.
    fn destination(&mut self, id: Id, time: usize) -> (usize, Vec<isize>, Mode, Option<Target>) {
        let dense = row_major(self.g.shape(id));
        let any_strides = matches!(self.g.node(id).op, Op::Dot(_) | Op::Conv(_) | Op::Sum(_) | Op::Max(_));
        let target = self.targets.get(&id).cloned();
        match target {
            Some(t) if !self.is_read(id) && (any_strides || t.strides == dense) => (t.buffer, t.strides, t.mode, None),
            t => {
                let home = self.home(id, time);
                (home, dense, Mode::Write, t.filter(|t| t.buffer != home))
            }
        }
    }
}

#[allow(clippy::too_many_arguments)] // one call
fn reduction(op: &Op, axes: &[usize], look: &Look, from: At, buffer: usize, strides: &[isize], mode: Mode, dtype: DType) -> Reduce {
    let mut kept = vec![];
    let mut next = strides.iter();
    for d in (0..look.shape.len()).filter(|d| !axes.contains(d)) {
        kept.push((look.shape[d], look.strides[d], next.next().copied().unwrap_or(0)));
    }
    let reduced = axes.iter().map(|&d| (look.shape[d], look.strides[d])).collect();
    let op = if matches!(op, Op::Sum(_)) { Binary::Add } else { Binary::Max };
    Reduce { dtype, op, from, out: At { buffer, offset: 0 }, kept, reduced, mode }.arrange()
}
