//! Simplification as equations are appended: constants are computed, neutral operations vanish,
//! chains of moves merge. Together with hash-consing and pruning this is all the cleaning a graph needs.
//!
//! Nothing here changes a result that is not a number into one: `0·x` stays, because x may be NaN.

use crate::ops::{Binary, Unary};
use crate::{Graph, Id, Op, Result, Scalar, Type};

/// The node that `op(args)` is known to equal, if a rule applies.
pub(crate) fn simplify(g: &mut Graph, op: &Op, args: &[Id], ty: &Type) -> Result<Option<Id>> {
    if let Some(value) = fold(g, op, args, ty) {
        return g.push(Op::Full { value, ty: ty.clone() }, &[]).map(Some);
    }
    match op {
        Op::Binary(b) => neutral(g, *b, args[0], args[1]),
        Op::Select if args[1] == args[2] => Ok(Some(args[1])),
        Op::Unary(Unary::Neg) => Ok(inner(g, args[0], |o| matches!(o, Op::Unary(Unary::Neg)))),
        Op::Cast(_) if g.ty(args[0]) == ty => Ok(Some(args[0])),
        Op::Sum(axes) | Op::Max(axes) if axes.iter().all(|&a| g.shape(args[0])[a] == 1) => same_elements(g, args[0], ty),
        _ => moves(g, op, args, ty),
    }
}

/// The number a filled node holds.
pub(crate) fn full_value(g: &Graph, id: Id) -> Option<f64> {
    match g.node(id).op {
        Op::Full { value, .. } => Some(value.get()),
        _ => None,
    }
}

/// The single number that every element of the result equals, if the operands are filled tensors.
fn fold(g: &Graph, op: &Op, args: &[Id], ty: &Type) -> Option<Scalar> {
    let value = |i: usize| full_value(g, args[i]);
    let x = match op {
        _ if args.is_empty() => None,
        Op::Unary(u) => Some(u.apply(value(0)?)),
        Op::Binary(b) => Some(b.apply(value(0)?, value(1)?)),
        Op::Compare(c) => Some(f64::from(c.apply(value(0)?, value(1)?))),
        Op::Cast(_)
        | Op::StopGradient
        | Op::Broadcast { .. }
        | Op::Reshape(_)
        | Op::Transpose(_)
        | Op::Reverse(_)
        | Op::Slice { .. }
        | Op::Unfold { .. } => value(0),
        Op::Sum(_) => Some(value(0)? * (g.ty(args[0]).len() as f64 / ty.len().max(1) as f64)),
        Op::Max(_) if !g.ty(args[0]).is_empty() => value(0),
        _ => None,
    };
    x.map(|x| Scalar::new(ty.dtype.round(x)))
}

/// x+0, x−0, x·1, x/1, and powers that are products.
fn neutral(g: &mut Graph, b: Binary, x: Id, y: Id) -> Result<Option<Id>> {
    let (cx, cy) = (full_value(g, x), full_value(g, y));
    let one = g.full_like(x, 1.0);
    Ok(match (b, cx, cy) {
        (Binary::Add, Some(0.0), _) | (Binary::Mul, Some(1.0), _) => Some(y),
        (Binary::Add | Binary::Sub, _, Some(0.0)) | (Binary::Mul | Binary::Div | Binary::Pow, _, Some(1.0)) => Some(x),
        (Binary::Pow, _, Some(0.0)) => Some(one?),
        (Binary::Pow, _, Some(0.5)) => Some(g.unary(Unary::Sqrt, x)?),
        (Binary::Pow, _, Some(-1.0)) => Some(g.div(one?, x)?),
        (Binary::Pow, _, Some(p)) if p.fract() == 0.0 && (2.0..=8.0).contains(&p) => {
            let half = g.powi(x, p as u32 / 2)?;
            let square = g.mul(half, half)?;
            Some(if p as u32 % 2 == 1 { g.mul(square, x)? } else { square })
        }
        (Binary::Mul, Some(-1.0), _) => Some(g.neg(y)?),
        (Binary::Mul, _, Some(-1.0)) => Some(g.neg(x)?),
        _ => None,
    })
}

/// The operand of `id` if `id` is an operation that `undoes` accepts.
fn inner(g: &Graph, id: Id, undoes: impl Fn(&Op) -> bool) -> Option<Id> {
    let node = g.node(id);
    undoes(&node.op).then(|| node.args[0])
}

/// `id` seen under another shape.
fn same_elements(g: &mut Graph, id: Id, ty: &Type) -> Result<Option<Id>> {
    g.push(Op::Reshape(ty.shape.clone()), &[id]).map(Some)
}

/// Chains of reshapes, transposes and broadcasts become one; those that do nothing vanish.
fn moves(g: &mut Graph, op: &Op, args: &[Id], ty: &Type) -> Result<Option<Id>> {
    let Some(&x) = args.first() else { return Ok(None) };
    let unchanged = g.shape(x) == ty.shape;
    let node = g.node(x).clone();
    match op {
        Op::Reshape(_) | Op::Slice { .. } | Op::Pad { .. } | Op::Broadcast { .. } if unchanged => Ok(Some(x)),
        Op::Concat(_) if args.len() == 1 => Ok(Some(x)),
        Op::Reverse(axes) if axes.iter().all(|&a| ty.shape[a] <= 1) => Ok(Some(x)),
        Op::Transpose(perm) if perm.iter().enumerate().all(|(i, &p)| i == p) => Ok(Some(x)),
        Op::Reshape(_) if matches!(node.op, Op::Reshape(_)) => g.push(op.clone(), &node.args).map(Some),
        Op::Transpose(outer) => match &node.op {
            Op::Transpose(first) => {
                let perm = outer.iter().map(|&p| first[p]).collect();
                g.push(Op::Transpose(perm), &node.args).map(Some)
            }
            _ => Ok(None),
        },
        Op::Broadcast { shape, dims } => match &node.op {
            Op::Broadcast { dims: first, .. } => {
                let dims = first.iter().map(|&d| dims[d]).collect();
                g.push(Op::Broadcast { shape: shape.clone(), dims }, &node.args).map(Some)
            }
            _ => Ok(None),
        },
        _ => Ok(None),
    }
}
