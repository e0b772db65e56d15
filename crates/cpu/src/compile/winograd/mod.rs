//! Convolutions with 3×3 windows by Winograd's algorithm F(2×2, 3×3): four neighbouring results take 16 products instead
//! of 36 (A. Lavin and S. Gray, Fast Algorithms for Convolutional Neural Networks, CVPR 2016, section 4.1).
//!
//! Windows of 4×4 inputs overlap by two; each is transformed by sums and differences, all windows together are 16
//! matrix products with the transformed kernel, and sums and differences of these are 2×2 results. Everything is made
//! of regions and one product, in pieces whose intermediates stay in the second-level cache. Where an image ends in
//! the middle of a window, what is missing counts as zero and is not written.
//!
//! The gradient of the kernel sums over windows and their 2×2 results' gradients in the same way: F(3×3, 2×2).
//!
//! Roundings differ from the direct sum's: sums have C terms instead of 9·C, but of transformed numbers. For C = 64 the
//! root mean square of the errors is 2.6e-7 of the results' own, 4.3e-7 for the direct sum in order (the test
//! `errors_of_many_channels` measures and bounds it). A number that is not finite makes all results of its windows NaN,
//! where the direct sum may leave an infinity or spare a neighbour.

mod pieces;
mod transforms;

pub(super) use pieces::Place;

use super::lower::Lowering;
use super::view::Look;
use crate::exec::Space;
use crate::kernels::contract::{At, Contract};
use crate::kernels::{Kernel, Mode};
use graph::DType;
use graph::ops::Conv;
use pieces::{Matrices, POINTS, Piece, Sizes};
use transforms::{results, sums, transformed_gradients, transformed_kernel, transformed_windows};

/// Windows below which the transform of the kernel costs more than it saves: where it is made each time …
const ALONE: usize = 64;
/// … and where it is made once for all tiles.
const SHARED: usize = 8;
/// Windows below which the transform of a kernel's gradient, which is larger than the kernel, costs more.
const SUMMED: usize = 64;
/// Workers that share the pieces of a block that runs once.
const SHARES: usize = 8;
/// Elements between the 16 matrices, so that their rows do not compete for the same lines of the first-level cache.
const GAP: usize = 16;

impl Lowering<'_> {
    /// A convolution without padding and dilation, if this is the way to compute it. `divides`: workers share what this
    /// adds at `time`; else it goes to `kernels`.
    pub(super) fn winograd(
        &mut self,
        conv: (&Conv, &[usize]),
        (x, w, out): (&(At, Look), &(At, Look), &Place),
        (mode, divides): (Mode, bool),
        time: usize,
        kernels: &mut Vec<Kernel>,
    ) -> bool {
        let (c, shape) = conv;
        let plain = c.stride == [1, 1] && c.rhs_dilation == [1, 1] && w.1.shape[..2] == [3, 3] && mode == Mode::Write;
        let single = [x.0, w.0, out.at].iter().all(|at| self.buffers[at.buffer].dtype == DType::F32);
        let side_by_side = x.1.strides[3] == 1 && w.1.strides[3] == 1 && out.strides[3] == 1;
        let s = Sizes { images: shape[0], height: shape[1], width: shape[2], inputs: w.1.shape[2], outputs: shape[3] };
        if !plain || !single || !side_by_side || !s.pays(if self.alone { ALONE } else { SHARED }) {
            return false;
        }
        let (u, transform) = self.transformed(w, &s, time);
        let x = Place { at: At { buffer: x.0.buffer, offset: x.0.offset }, strides: x.1.strides.clone() };
        let pieces = s.pieces(POINTS);
        let shares = if divides { SHARES.min(pieces.len()) } else { 1 };
        let mut made: Vec<Vec<Kernel>> = vec![];
        for share in 0..shares {
            let own = &pieces[pieces.len() * share / shares..pieces.len() * (share + 1) / shares];
            made.push(self.pieces(&s, own, (&x, u, out), time));
        }
        let copies = std::mem::take(kernels);
        let first: Vec<Kernel> = copies.into_iter().chain(transform).collect();
        if !first.is_empty() {
            self.task(time - 1, first);
        }
        *kernels = made.pop().unwrap_or_default();
        made.into_iter().for_each(|k| self.task(time, k));
        true
    }

    /// The buffer of the transformed kernel, and what fills it; nothing, if that happens before all tiles.
    fn transformed(&mut self, w: &(At, Look), s: &Sizes, time: usize) -> (usize, Option<Kernel>) {
        let (len, from) = (POINTS * s.inputs * s.outputs, self.buffers[w.0.buffer]);
        let lasting = !matches!(from.place.space, Space::Local | Space::Group) && from.place.row == 0;
        if self.alone || !lasting {
            let u = self.local(DType::F32, len, time - 1, time);
            return (u, Some(transformed_kernel(w, u, s)));
        }
        let look = Look { offset: w.0.offset, ..w.1.clone() };
        let kernel = |from, to| transformed_kernel(&(At { buffer: from, offset: w.0.offset }, w.1.clone()), to, s);
        let place = self.before.place(from, &look, len, kernel);
        (self.buffer(DType::F32, len, place, None), None)
    }

    /// Some pieces, one after another in the same memory.
    fn pieces(&mut self, s: &Sizes, pieces: &[Piece], (x, u, out): (&Place, usize, &Place), time: usize) -> Vec<Kernel> {
        let (v, m) = (self.matrices(s, pieces, s.inputs, POINTS, time), self.matrices(s, pieces, s.outputs, POINTS, time));
        let mut kernels = vec![];
        for piece in pieces {
            let parts = piece.parts(s);
            kernels.extend(parts.iter().map(|part| transformed_windows(s, piece, part, x, &v, 0..4)));
            let place = |p: usize| ((p * v.step) as isize, (p * s.inputs * s.outputs) as isize, (p * m.step) as isize);
            let [i, o] = [s.inputs, s.outputs].map(|n| n as isize);
            kernels.push(Kernel::Contract(Contract {
                dtype: DType::F32,
                lhs: At { buffer: v.buffer, offset: 0 },
                rhs: At { buffer: u, offset: 0 },
                out: At { buffer: m.buffer, offset: 0 },
                extent: [piece.windows(s), s.outputs, s.inputs],
                step: [i, 1, o, 1, o],
                segments: vec![(0, 0)],
                places: (0..POINTS).map(place).collect(),
                mode: Mode::Write,
            }));
            kernels.extend(parts.iter().map(|part| results(s, piece, part, &m, out)));
        }
        kernels
    }

    /// Memory for `points` matrices with a row for every window of a piece.
    fn matrices(&mut self, s: &Sizes, pieces: &[Piece], n: usize, points: usize, time: usize) -> Matrices {
        let step = pieces.iter().map(|p| p.windows(s)).max().unwrap_or(0) * n + GAP;
        Matrices { buffer: self.local(DType::F32, points * step, time, time), n, step }
    }

    /// The gradient of a 3×3 kernel: a convolution whose windows are as large as the images, over all of them. Four points
    /// at a time, so that whole sums fit the cache.
    pub(super) fn winograd_gradient(
        &mut self,
        conv: (&Conv, &[usize]),
        (x, y, out): (&(At, Look), &(At, Look), &Place),
        mode: Mode,
        time: usize,
        kernels: &mut Vec<Kernel>,
    ) -> bool {
        let (c, shape) = conv;
        let plain = c.stride == [1, 1] && c.rhs_dilation == [1, 1] && shape[1..3] == [3, 3] && mode != Mode::Late;
        let single = [x.0, y.0, out.at].iter().all(|at| self.buffers[at.buffer].dtype == DType::F32);
        let side_by_side = x.1.strides[0] == 1 && y.1.strides[3] == 1 && out.strides[3] == 1;
        let (inputs, outputs) = (shape[0], shape[3]);
        let s = Sizes { images: y.1.shape[2], height: y.1.shape[0], width: y.1.shape[1], inputs, outputs };
        if !plain || !single || !side_by_side || self.alone || !s.pays(SUMMED) {
            return false;
        }
        let place = |(at, look): &(At, Look), axes: [usize; 4]| Place {
            at: At { buffer: at.buffer, offset: at.offset },
            strides: axes.map(|a| look.strides[a]).to_vec(),
        };
        let (x, y) = (place(x, [3, 1, 2, 0]), place(y, [2, 0, 1, 3]));
        let pieces = s.pieces(4);
        let (v, d) = (self.matrices(&s, &pieces, inputs, 4, time), self.matrices(&s, &pieces, outputs, 4, time));
        let total = self.local(DType::F32, POINTS * inputs * outputs, time, time);
        for (n, piece) in pieces.iter().enumerate() {
            let parts = piece.parts(&s);
            for i in 0..4 {
                kernels.extend(parts.iter().map(|part| transformed_windows(&s, piece, part, &x, &v, i..i + 1)));
                kernels.extend(parts.iter().map(|part| transformed_gradients(&s, piece, part, &y, &d, i)));
                let place = |p: usize| ((p * v.step) as isize, (p * d.step) as isize, ((4 * i + p) * inputs * outputs) as isize);
                kernels.push(Kernel::Contract(Contract {
                    dtype: DType::F32,
                    lhs: At { buffer: v.buffer, offset: 0 },
                    rhs: At { buffer: d.buffer, offset: 0 },
                    out: At { buffer: total, offset: 0 },
                    extent: [inputs, outputs, piece.windows(&s)],
                    step: [1, inputs as isize, outputs as isize, 1, outputs as isize],
                    segments: vec![(0, 0)],
                    places: (0..4).map(place).collect(),
                    mode: if n == 0 { Mode::Write } else { Mode::Add },
                }));
            }
        }
        kernels.push(sums(&s, total, out, mode));
        true
    }
}
