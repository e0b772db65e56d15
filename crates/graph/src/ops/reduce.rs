//! Sums and maxima over axes.

use super::{Op, arity};
use crate::types::{for_each_index, offset, strides};
use crate::{Graph, Id, Result, Type, Value};

/// The axes of a tensor of the given rank that are not in `axes`.
pub(crate) fn others(rank: usize, axes: &[usize]) -> Vec<usize> {
    (0..rank).filter(|i| !axes.contains(i)).collect()
}

pub(super) fn infer(axes: &[usize], args: &[Type]) -> Result<Type, String> {
    arity(args, 1)?;
    let x = &args[0];
    if axes.windows(2).any(|w| w[0] >= w[1]) || axes.iter().any(|&a| a >= x.rank()) {
        return Err(format!("axes {axes:?} must be ascending and below {}", x.rank()));
    }
    Ok(x.with_shape(others(x.rank(), axes).iter().map(|&i| x.shape[i]).collect::<Vec<_>>()))
}

/// The tangent of a maximum is the tangent at the largest element, shared equally among ties.
pub(super) fn jvp_max(axes: &[usize], g: &mut Graph, out: Id, x: Id, t: Option<Id>) -> Result<Option<Id>> {
    let Some(t) = t else { return Ok(None) };
    let wide = transpose_sum(axes, g, out, x)?;
    let mask = g.push(Op::Compare(super::Compare::Eq), &[x, wide])?;
    let hit = g.mul(t, mask)?;
    let total = g.push(Op::Sum(axes.to_vec()), &[hit])?;
    let ties = g.push(Op::Sum(axes.to_vec()), &[mask])?;
    g.div(total, ties).map(Some)
}

/// Repeats `ct` along the summed `axes`, to the shape of `x`.
pub(super) fn transpose_sum(axes: &[usize], g: &mut Graph, ct: Id, x: Id) -> Result<Id> {
    let shape = g.shape(x).to_vec();
    let dims = others(shape.len(), axes);
    g.push(Op::Broadcast { shape, dims }, &[ct])
}

pub(super) fn eval(axes: &[usize], x: &Value, out: &Type, start: f64, f: impl Fn(f64, f64) -> f64) -> Vec<f64> {
    let kept = others(x.ty.rank(), axes);
    let out_strides = strides(&out.shape);
    let mut data = vec![start; out.len()];
    let mut next = x.data.iter();
    for_each_index(&x.ty.shape, |i| {
        let key: Vec<usize> = kept.iter().map(|&a| i[a]).collect();
        let slot = &mut data[offset(&key, &out_strides)];
        *slot = f(*slot, *next.next().unwrap_or(&f64::NAN));
    });
    data
}
