//! Two-dimensional convolution (cross-correlation, as in every neural-network library):
//! image `[N,H,W,C]` × kernel `[KH,KW,C,O]` → `[N,OH,OW,O]`.
//!
//! With padding that may be negative and dilation of either operand, the family is closed under its
//! own derivatives: both transposes below are convolutions again.

use super::{Op, arity};
use crate::types::for_each_index;
use crate::{Graph, Id, Result, Type, Value};

/// Geometry of a convolution, for height and width.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Conv {
    /// Step between output positions.
    pub stride: [usize; 2],
    /// Zeros before and after the (dilated) image; negative values crop.
    pub padding: [(i64, i64); 2],
    /// Distance of neighbouring image elements; the gaps hold zeros.
    pub lhs_dilation: [usize; 2],
    /// Distance of neighbouring kernel elements.
    pub rhs_dilation: [usize; 2],
}

impl Default for Conv {
    fn default() -> Conv {
        Conv { stride: [1; 2], padding: [(0, 0); 2], lhs_dilation: [1; 2], rhs_dilation: [1; 2] }
    }
}

/// Extent of `n` elements with `dilation − 1` gaps between neighbours.
pub fn dilated(n: usize, dilation: usize) -> i64 {
    if n == 0 { 0 } else { ((n - 1) * dilation + 1) as i64 }
}

impl Conv {
    pub(super) fn params(&self) -> String {
        let mut s = format!("stride {:?} pad {:?}", self.stride, self.padding);
        if self.lhs_dilation != [1, 1] || self.rhs_dilation != [1, 1] {
            s += &format!(" dilation {:?}·{:?}", self.lhs_dilation, self.rhs_dilation);
        }
        s
    }

    /// Output extent along axis `d` (0 height, 1 width) for an image and a kernel extent.
    pub fn out_extent(&self, d: usize, image: usize, kernel: usize) -> usize {
        let room = dilated(image, self.lhs_dilation[d]) + self.padding[d].0 + self.padding[d].1 - dilated(kernel, self.rhs_dilation[d]);
        if room < 0 { 0 } else { room as usize / self.stride[d] + 1 }
    }

    /// Image row (or column) read by output `o` and kernel element `k` along axis `d`, if it exists.
    pub fn source(&self, d: usize, o: usize, k: usize, extent: usize) -> Option<usize> {
        let at = (o * self.stride[d] + k * self.rhs_dilation[d]) as i64 - self.padding[d].0;
        let step = self.lhs_dilation[d] as i64;
        let inside = at >= 0 && at % step == 0 && at / step < extent as i64;
        inside.then_some((at / step) as usize)
    }

    pub(super) fn infer(&self, args: &[Type]) -> Result<Type, String> {
        arity(args, 2)?;
        let (x, w) = (&args[0], &args[1]);
        if x.dtype != w.dtype || !x.dtype.is_float() {
            return Err("image and kernel must have the same float type".into());
        }
        if x.rank() != 4 || w.rank() != 4 {
            return Err("needs an image [N,H,W,C] and a kernel [KH,KW,C,O]".into());
        }
        if x.shape[3] != w.shape[2] {
            return Err(format!("the image has {} channels, the kernel expects {}", x.shape[3], w.shape[2]));
        }
        if self.stride.contains(&0) || self.lhs_dilation.contains(&0) || self.rhs_dilation.contains(&0) {
            return Err("strides and dilations must be at least 1".into());
        }
        let extent = |d: usize| self.out_extent(d, x.shape[d + 1], w.shape[d]);
        Ok(x.with_shape([x.shape[0], extent(0), extent(1), w.shape[3]]))
    }

    pub(super) fn transpose(&self, g: &mut Graph, ct: Id, args: &[Id], i: usize) -> Result<Id> {
        if i == 0 { self.transpose_image(g, ct, args) } else { self.transpose_kernel(g, ct, args) }
    }

    /// The image's cotangent: the cotangent, spread by the stride, convolved with the kernel turned around.
    fn transpose_image(&self, g: &mut Graph, ct: Id, args: &[Id]) -> Result<Id> {
        let (x, w, o) = (g.shape(args[0]).to_vec(), g.shape(args[1]).to_vec(), g.shape(ct).to_vec());
        let turned = g.push(Op::Reverse(vec![0, 1]), &[args[1]])?;
        let turned = g.transpose(turned, vec![0, 1, 3, 2])?;
        let padding = [0, 1].map(|d| {
            let lo = dilated(w[d], self.rhs_dilation[d]) - 1 - self.padding[d].0;
            let full = dilated(o[d + 1], self.stride[d]) + lo - dilated(w[d], self.rhs_dilation[d]) + 1;
            (lo, dilated(x[d + 1], self.lhs_dilation[d]) - full)
        });
        let conv = Conv { stride: self.lhs_dilation, padding, lhs_dilation: self.stride, rhs_dilation: self.rhs_dilation };
        g.push(Op::Conv(conv), &[ct, turned])
    }

    /// The kernel's cotangent: the image convolved with the cotangent, batch and channels exchanged.
    fn transpose_kernel(&self, g: &mut Graph, ct: Id, args: &[Id]) -> Result<Id> {
        let (x, w, o) = (g.shape(args[0]).to_vec(), g.shape(args[1]).to_vec(), g.shape(ct).to_vec());
        let image = g.transpose(args[0], vec![3, 1, 2, 0])?;
        let kernel = g.transpose(ct, vec![1, 2, 0, 3])?;
        let padding = [0, 1].map(|d| {
            let lo = self.padding[d].0;
            let wanted = dilated(w[d], self.rhs_dilation[d]) + dilated(o[d + 1], self.stride[d]) - 1;
            (lo, wanted - dilated(x[d + 1], self.lhs_dilation[d]) - lo)
        });
        let conv = Conv { stride: self.rhs_dilation, padding, lhs_dilation: self.lhs_dilation, rhs_dilation: self.stride };
        let out = g.push(Op::Conv(conv), &[image, kernel])?; // [C, KH, KW, O]
        g.transpose(out, vec![1, 2, 0, 3])
    }

    pub(super) fn eval(&self, args: &[&Value], out: &Type) -> Vec<f64> {
        let (x, w) = (&args[0], &args[1]);
        let ([_, h, wd, c], [kh, kw, _, oc]) = (four(&x.ty.shape), four(&w.ty.shape));
        let mut data = Vec::with_capacity(out.len());
        for_each_index(&out.shape, |o| {
            let mut sum = 0.0;
            for ky in 0..kh {
                let y = self.source(0, o[1], ky, h);
                for kx in 0..kw {
                    let at = y.zip(self.source(1, o[2], kx, wd)).map(|(y, x)| ((o[0] * h + y) * wd + x) * c);
                    for ch in 0..c {
                        // Padding and gaps are zeros like any others: times NaN or ∞ they are NaN.
                        let pixel = at.map_or(0.0, |at| x.data[at + ch]);
                        sum += pixel * w.data[((ky * kw + kx) * c + ch) * oc + o[3]];
                    }
                }
            }
            data.push(sum);
        });
        data
    }
}

/// The four extents of a rank-4 shape (checked by `infer`).
pub(crate) fn four(s: &[usize]) -> [usize; 4] {
    [s[0], s[1], s[2], s[3]]
}
