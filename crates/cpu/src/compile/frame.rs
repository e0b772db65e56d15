//! Lowering of frames — padding, concatenation, adding windows back: memory that the regions of its
//! parts write into, each in its place.

use super::fuse::{Role, arithmetic};
use super::lower::Lowering;
use super::view::{Look, row_major};
use crate::kernels::region::{Draft, Operand, Region, View};
use crate::kernels::{Kernel, Mode};
use graph::{DType, Id, Op};

impl Lowering<'_> {
    /// Memory of a frame: its padding is written before its parts.
    pub(super) fn frame(&mut self, id: Id) {
        let parts = self.g.node(id).args.clone();
        let own = self.s.rounds[id.index()];
        let first =
            parts.iter().map(|&a| if self.s.writes_into(self.g, a, id) { self.s.rounds[a.index()] } else { own }).min().unwrap_or(own);
        let ty = self.g.ty(id).clone();
        // Frames are written in pieces, so they are never accumulated in place.
        let buffer = self.home(id, 2 * first);
        if self.targets.get(&id).is_some_and(|t| t.buffer != buffer) {
            self.keep_until(id, 2 * own + 3);
        }
        let inside: usize = parts.iter().map(|&a| self.g.ty(a).len()).sum();
        let overlapping = matches!(self.g.node(id).op, Op::Fold { .. }) && !self.disjoint(id);
        if inside < ty.len() || overlapping {
            let value = if let Op::Pad { value, .. } = &self.g.node(id).op { value.get() } else { 0.0 };
            let kernel = self.fill(buffer, &Look::whole(&ty.shape), value, ty.dtype);
            self.task(2 * first, vec![kernel]);
        }
    }

    fn disjoint(&self, fold: Id) -> bool {
        let node = self.g.node(fold);
        let windows = self.g.shape(node.args[0]);
        !matches!(&node.op, Op::Fold { stride, .. } if stride[0] < windows[3] || stride[1] < windows[4])
    }

    /// Where part `k` of a frame lies in it.
    pub(super) fn part(&self, id: Id, k: usize) -> Look {
        let node = self.g.node(id);
        let frame = row_major(&node.ty.shape);
        let shape = self.g.shape(node.args[k]).to_vec();
        match &node.op {
            Op::Pad { lo, interior, .. } => Look {
                offset: lo.iter().zip(&frame).map(|(&l, &s)| l as isize * s).sum(),
                strides: interior.iter().zip(&frame).map(|(&n, &s)| (n + 1) as isize * s).collect(),
                shape,
            },
            Op::Concat(axis) => {
                let before: usize = node.args[..k].iter().map(|&a| self.g.shape(a)[*axis]).sum();
                Look { shape, offset: before as isize * frame[*axis], strides: frame }
            }
            Op::Fold { stride, .. } => {
                let strides = vec![frame[0], frame[1] * stride[0] as isize, frame[2] * stride[1] as isize, frame[1], frame[2], frame[3]];
                Look { shape, offset: 0, strides }
            }
            _ => Look::whole(&shape),
        }
    }

    /// Copies the parts of a frame that no region writes.
    pub(super) fn fill_frame(&mut self, id: Id) {
        let time = 2 * self.s.rounds[id.index()] + 1;
        let node = self.g.node(id).clone();
        let Some(&buffer) = self.homes.get(&id) else { return };
        let mut kernels = vec![];
        for (k, &a) in node.args.iter().enumerate() {
            if self.s.writes_into(self.g, a, id) {
                continue;
            }
            let to = self.part(id, k);
            if matches!(node.op, Op::Fold { .. }) && !self.disjoint(id) {
                // One window element at a time, so that no two elements of a region meet in one place.
                const KH: usize = 3;
                const KW: usize = 4;
                for at in 0..to.shape[KH] * to.shape[KW] {
                    let (y, x) = (at / to.shape[KW], at % to.shape[KW]);
                    let kernel = self.add_window(a, buffer, &to, [y, x]);
                    kernels.push(kernel);
                }
            } else {
                kernels.push(self.copy(a, buffer, &to, Mode::Write));
            }
        }
        if !kernels.is_empty() {
            self.task(time, kernels);
        }
        let target = self.targets.get(&id).cloned().filter(|t| t.buffer != buffer);
        if let Some(t) = target {
            let kernel = self.copy(id, t.buffer, &Look { shape: node.ty.shape.clone(), offset: 0, strides: t.strides }, t.mode);
            self.task(time + 2, vec![kernel]);
        }
    }

    /// Adds element `[y, x]` of every window of `windows` into the image at `to`.
    fn add_window(&mut self, windows: Id, buffer: usize, to: &Look, at: [usize; 2]) -> Kernel {
        let axes = [0, 1, 2, 5];
        let pick = |look: &Look| View {
            buffer: 0,
            offset: look.offset + at[0] as isize * look.strides[3] + at[1] as isize * look.strides[4],
            strides: axes.map(|d| look.strides[d]).to_vec(),
        };
        let mut draft = Draft { shape: axes.map(|d| to.shape[d]).to_vec(), ..Draft::default() };
        let dtype = self.g.ty(windows).dtype;
        let from = match self.s.roles[windows.index()] {
            Role::Constant(x) => Operand::Imm(x),
            Role::Counter => {
                let look = self.s.looks[windows.index()].clone();
                draft.loads.push((View { buffer: usize::MAX, ..pick(&look) }, true, DType::F32));
                Operand::Load(0)
            }
            _ => {
                let (home, look) = self.seen(windows);
                draft.loads.push((View { buffer: home, ..pick(&look) }, false, dtype));
                Operand::Load(0)
            }
        };
        draft.stores.push((from, View { buffer, ..pick(to) }, dtype, Mode::Add));
        Kernel::Region(Region::build(draft, arithmetic(dtype)))
    }
}
