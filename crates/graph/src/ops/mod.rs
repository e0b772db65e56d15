//! The closed set of operations. Each family lives in one file: shape rule, tangent (`jvp`) rule,
//! transpose rule of linear operations, reference evaluation and cost.
//!
//! There is no "backward" operation: derivatives are written with these same operations, which is
//! why a derivative can be differentiated again.

pub mod contract;
pub mod conv;
pub mod elementwise;
pub mod index;
pub mod reduce;
pub mod shape;
pub mod source;
pub mod window;

pub use conv::Conv;
pub use elementwise::{Binary, Compare, Unary};

use crate::{DType, Graph, Id, Result, Scalar, Type};
use contract::Dot;

/// An operation: what one equation of a graph computes.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Op {
    /// A value given from outside.
    Input {
        /// Name shown to people.
        name: String,
        /// Element type and shape.
        ty: Type,
    },
    /// A tensor whose elements are all the same number.
    Full {
        /// The number.
        value: Scalar,
        /// Element type and shape.
        ty: Type,
    },
    /// 0, 1, 2, … along one axis.
    Iota {
        /// The axis that counts.
        axis: usize,
        /// Element type and shape.
        ty: Type,
    },
    /// Uniform random numbers in [0, 1), a pure function of (key, stream, element position).
    /// Operand: the key, `i32[2]` (seed, step).
    Uniform {
        /// Tells apart the uses of one key (one per dropout layer, say).
        stream: u32,
        /// Element type and shape.
        ty: Type,
    },
    /// A function of one number, applied to each element.
    Unary(Unary),
    /// A function of two numbers, applied to each pair of elements.
    Binary(Binary),
    /// 1 where the comparison of two elements holds, else 0, in the operands' own type.
    Compare(Compare),
    /// `select(mask, a, b)`: a where mask ≠ 0, else b.
    Select,
    /// Conversion to another element type.
    Cast(DType),
    /// The value, without a derivative.
    StopGradient,
    /// Sum of products over paired axes of two tensors.
    Dot(Dot),
    /// Two-dimensional convolution, NHWC × HWIO → NHWC.
    Conv(Conv),
    /// Sum over axes, which vanish.
    Sum(Vec<usize>),
    /// Largest element over axes, which vanish.
    Max(Vec<usize>),
    /// Repeats a tensor along new axes: operand axis i becomes axis `dims[i]` of `shape`.
    Broadcast {
        /// Shape of the result.
        shape: Vec<usize>,
        /// Ascending positions of the operand's axes.
        dims: Vec<usize>,
    },
    /// The same elements in the same order under another shape.
    Reshape(Vec<usize>),
    /// Axis i of the result is axis `perm[i]` of the operand.
    Transpose(Vec<usize>),
    /// Turns axes around.
    Reverse(Vec<usize>),
    /// Elements `start, start+stride, … < limit` of each axis.
    Slice {
        /// First index of each axis.
        start: Vec<usize>,
        /// Past-the-end index of each axis.
        limit: Vec<usize>,
        /// Step of each axis.
        stride: Vec<usize>,
    },
    /// Surrounds a tensor (and, with `interior`, separates its elements) with `value`.
    Pad {
        /// Elements added before each axis.
        lo: Vec<usize>,
        /// Elements added after each axis.
        hi: Vec<usize>,
        /// Elements added between neighbours of each axis.
        interior: Vec<usize>,
        /// What is added.
        value: Scalar,
    },
    /// Tensors one after another along an axis.
    Concat(usize),
    /// Rows of a table: `out[i…, :] = table[index[i…], :]`; an index out of range reads NaN.
    Gather,
    /// Adds rows into a zero table of `rows` rows: the transpose of [`Op::Gather`]. Operands: indices,
    /// updates. An index out of range is dropped.
    ScatterAdd {
        /// Rows of the result.
        rows: usize,
    },
    /// All windows of an image, `[N,H,W,C] → [N,OH,OW,KH,KW,C]`.
    Unfold {
        /// Height and width of a window.
        window: [usize; 2],
        /// Step between windows.
        stride: [usize; 2],
    },
    /// Adds windows back into an image of the given height and width: the transpose of [`Op::Unfold`].
    Fold {
        /// Height and width of the image.
        size: [usize; 2],
        /// Step between windows.
        stride: [usize; 2],
    },
}

impl Op {
    /// The operation's printed name.
    pub fn name(&self) -> &'static str {
        match self {
            Op::Input { .. } => "input",
            Op::Full { .. } => "full",
            Op::Iota { .. } => "iota",
            Op::Uniform { .. } => "uniform",
            Op::Unary(u) => u.name(),
            Op::Binary(b) => b.name(),
            Op::Compare(c) => c.name(),
            Op::Select => "select",
            Op::Cast(_) => "cast",
            Op::StopGradient => "stop_gradient",
            Op::Dot(_) => "dot_general",
            Op::Conv(_) => "conv",
            Op::Sum(_) => "sum",
            Op::Max(_) => "max_over",
            Op::Broadcast { .. } => "broadcast",
            Op::Reshape(_) => "reshape",
            Op::Transpose(_) => "transpose",
            Op::Reverse(_) => "reverse",
            Op::Slice { .. } => "slice",
            Op::Pad { .. } => "pad",
            Op::Concat(_) => "concat",
            Op::Gather => "gather",
            Op::ScatterAdd { .. } => "scatter_add",
            Op::Unfold { .. } => "unfold",
            Op::Fold { .. } => "fold",
        }
    }

    /// The printed parameters, empty where there are none.
    pub(crate) fn params(&self) -> String {
        match self {
            Op::Input { name, .. } => name.clone(),
            Op::Full { value, .. } => format!("{value:?}"),
            Op::Iota { axis, .. } => format!("axis {axis}"),
            Op::Uniform { stream, .. } => format!("stream {stream}"),
            Op::Cast(d) => d.to_string(),
            Op::Dot(d) => d.params(),
            Op::Conv(c) => c.params(),
            Op::Sum(axes) | Op::Max(axes) | Op::Reverse(axes) => format!("{axes:?}"),
            Op::Broadcast { dims, .. } => format!("{dims:?}"),
            Op::Transpose(perm) => format!("{perm:?}"),
            Op::Slice { start, limit, stride } => format!("{start:?}..{limit:?} step {stride:?}"),
            Op::Pad { lo, hi, interior, value } => format!("{lo:?} {hi:?} between {interior:?} with {value:?}"),
            Op::Concat(axis) => format!("axis {axis}"),
            Op::Unfold { window, stride } => format!("{window:?} step {stride:?}"),
            Op::Fold { stride, .. } => format!("step {stride:?}"),
            _ => String::new(),
        }
    }

    /// Whether the operands may be exchanged.
    pub(crate) fn commutes(&self) -> bool {
        matches!(self, Op::Binary(Binary::Add | Binary::Mul))
    }

    /// Whether each element of the result depends on the elements at the same place of the operands alone.
    pub fn is_elementwise(&self) -> bool {
        matches!(self, Op::Unary(_) | Op::Binary(_) | Op::Compare(_) | Op::Select | Op::Cast(_) | Op::StopGradient)
    }

    /// Type of the result for operands of the given types.
    ///
    /// # Errors
    /// Why the operands do not fit, in words.
    pub fn infer(&self, args: &[Type]) -> Result<Type, String> {
        match self {
            Op::Input { ty, .. } | Op::Full { ty, .. } | Op::Iota { ty, .. } | Op::Uniform { ty, .. } => source::infer(self, ty, args),
            Op::Unary(_) | Op::Binary(_) | Op::Compare(_) | Op::Select | Op::Cast(_) | Op::StopGradient => elementwise::infer(self, args),
            Op::Dot(d) => d.infer(args),
            Op::Conv(c) => c.infer(args),
            Op::Sum(axes) | Op::Max(axes) => reduce::infer(axes, args),
            Op::Gather | Op::ScatterAdd { .. } => index::infer(self, args),
            Op::Unfold { .. } | Op::Fold { .. } => window::infer(self, args),
            _ => shape::infer(self, args),
        }
    }

    /// Appends to `g` the tangent of the node `out = self(args)`, given its operands' tangents
    /// (`None` is zero).
    pub(crate) fn jvp(&self, g: &mut Graph, out: Id, args: &[Id], tangents: &[Option<Id>]) -> Result<Option<Id>> {
        if tangents.iter().all(Option::is_none) {
            return Ok(None);
        }
        match self {
            Op::Input { .. } | Op::Full { .. } | Op::Iota { .. } | Op::Uniform { .. } => Ok(None),
            Op::Unary(_) | Op::Binary(_) | Op::Compare(_) | Op::Select | Op::Cast(_) | Op::StopGradient => {
                elementwise::jvp(self, g, out, args, tangents)
            }
            Op::Dot(_) | Op::Conv(_) => contract::jvp_bilinear(self, g, args, tangents),
            Op::Max(axes) => reduce::jvp_max(axes, g, out, args[0], tangents[0]),
            Op::Concat(_) => shape::jvp_concat(self, g, args, tangents),
            Op::Pad { lo, hi, interior, .. } => {
                let zero_pad = Op::Pad { lo: lo.clone(), hi: hi.clone(), interior: interior.clone(), value: Scalar::new(0.0) };
                tangents[0].map(|t| g.push(zero_pad, &[t])).transpose()
            }
            Op::Gather => tangents[0].map(|t| g.push(self.clone(), &[t, args[1]])).transpose(),
            Op::ScatterAdd { .. } => tangents[1].map(|t| g.push(self.clone(), &[args[0], t])).transpose(),
            Op::Sum(_)
            | Op::Broadcast { .. }
            | Op::Reshape(_)
            | Op::Transpose(_)
            | Op::Reverse(_)
            | Op::Slice { .. }
            | Op::Unfold { .. }
            | Op::Fold { .. } => tangents[0].map(|t| g.push(self.clone(), &[t])).transpose(),
        }
    }

    /// For a node that is linear in operand `i`: appends the cotangent of that operand, given the
    /// cotangent `ct` of the result.
    pub(crate) fn transpose(&self, g: &mut Graph, ct: Id, args: &[Id], i: usize) -> Result<Id> {
        match self {
            Op::Unary(_) | Op::Binary(_) | Op::Select | Op::Cast(_) => elementwise::transpose(self, g, ct, args, i),
            Op::Dot(d) => d.transpose(g, ct, args, i),
            Op::Conv(c) => c.transpose(g, ct, args, i),
            Op::Sum(axes) => reduce::transpose_sum(axes, g, ct, args[0]),
            Op::Gather | Op::ScatterAdd { .. } => index::transpose(self, g, ct, args),
            Op::Unfold { .. } | Op::Fold { .. } => window::transpose(self, g, ct, args[0]),
            Op::Broadcast { .. }
            | Op::Reshape(_)
            | Op::Transpose(_)
            | Op::Reverse(_)
            | Op::Slice { .. }
            | Op::Pad { .. }
            | Op::Concat(_) => shape::transpose(self, g, ct, args, i),
            Op::Input { .. } | Op::Full { .. } | Op::Iota { .. } | Op::Uniform { .. } | Op::Compare(_) | Op::StopGradient | Op::Max(_) => {
                Err(crate::Error::Invalid { node: self.name().into(), why: "is not linear and has no transpose".into() })
            }
        }
    }

    /// Reference evaluation: slow and obvious, in `f64`, rounded to the result's type.
    pub(crate) fn eval(&self, args: &[&crate::Value], out: &Type) -> Vec<f64> {
        match self {
            Op::Input { .. } => vec![f64::NAN; out.len()], // inputs are bound by the evaluator
            Op::Full { .. } | Op::Iota { .. } | Op::Uniform { .. } => source::eval(self, args, out),
            Op::Unary(_) | Op::Binary(_) | Op::Compare(_) | Op::Select | Op::Cast(_) | Op::StopGradient => elementwise::eval(self, args),
            Op::Dot(d) => d.eval(args, out),
            Op::Conv(c) => c.eval(args, out),
            Op::Sum(axes) => reduce::eval(axes, args[0], out, 0.0, |a, b| a + b),
            Op::Max(axes) => reduce::eval(axes, args[0], out, f64::NEG_INFINITY, elementwise::max),
            Op::Gather | Op::ScatterAdd { .. } => index::eval(self, args, out),
            Op::Unfold { .. } | Op::Fold { .. } => window::eval(self, args[0], out),
            _ => shape::eval(self, args, out),
        }
    }

    /// Floating-point operations of one evaluation (a multiply-add counts two).
    pub(crate) fn flops(&self, args: &[&Type], out: &Type) -> u64 {
        match self {
            Op::Dot(d) => 2 * (out.len() * d.contracted(args[0])) as u64,
            Op::Conv(_) => 2 * (out.len() * args[1].shape[..3].iter().product::<usize>()) as u64,
            Op::Sum(_) | Op::Max(_) => args[0].len() as u64,
            Op::ScatterAdd { .. } | Op::Fold { .. } => args[args.len() - 1].len() as u64,
            op if op.is_elementwise() => out.len() as u64,
            _ => 0,
        }
    }
}

/// Fails unless exactly `n` operands are given.
pub(crate) fn arity(args: &[Type], n: usize) -> Result<(), String> {
    if args.len() == n { Ok(()) } else { Err(format!("takes {n} operands, got {}", args.len())) }
}
