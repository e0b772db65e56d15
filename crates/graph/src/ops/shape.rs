//! Operations that move elements without computing: broadcast, reshape, transpose, reverse, slice,
//! pad, concatenate. All are linear, and each other's transposes.

use super::reduce::others;
use super::{Op, arity};
use crate::types::{for_each_index, offset, strides};
use crate::{Graph, Id, Result, Scalar, Type, Value};

pub(super) fn infer(op: &Op, args: &[Type]) -> Result<Type, String> {
    if let Op::Concat(axis) = op {
        return infer_concat(*axis, args);
    }
    arity(args, 1)?;
    let x = &args[0];
    let rank = x.rank();
    let shape = match op {
        Op::Broadcast { shape, dims } => {
            let ascending = dims.windows(2).all(|w| w[0] < w[1]) && dims.iter().all(|&d| d < shape.len());
            if dims.len() != rank || !ascending {
                return Err(format!("axes {dims:?} must be {rank} ascending axes of {shape:?}"));
            }
            if let Some(i) = (0..rank).find(|&i| x.shape[i] != shape[dims[i]]) {
                return Err(format!("axis {i} has {} elements but must fill axis {} of {shape:?}", x.shape[i], dims[i]));
            }
            shape.clone()
        }
        Op::Reshape(shape) => {
            let n: usize = shape.iter().product();
            if n != x.len() {
                return Err(format!("{} elements do not fill {shape:?} ({n})", x.len()));
            }
            shape.clone()
        }
        Op::Transpose(perm) => {
            let mut sorted = perm.clone();
            sorted.sort();
            if sorted != (0..rank).collect::<Vec<_>>() {
                return Err(format!("{perm:?} is not a permutation of {rank} axes"));
            }
            perm.iter().map(|&p| x.shape[p]).collect()
        }
        Op::Reverse(axes) => {
            if axes.iter().any(|&a| a >= rank) {
                return Err(format!("axes {axes:?} must be below {rank}"));
            }
            x.shape.clone()
        }
        Op::Slice { start, limit, stride } => infer_slice(x, start, limit, stride)?,
        Op::Pad { lo, hi, interior, .. } => {
            if [lo, hi, interior].iter().any(|v| v.len() != rank) {
                return Err(format!("padding must name {rank} axes"));
            }
            let gaps = |i: usize| x.shape[i].saturating_sub(1) * interior[i];
            (0..rank).map(|i| lo[i] + x.shape[i] + gaps(i) + hi[i]).collect()
        }
        _ => x.shape.clone(),
    };
    Ok(x.with_shape(shape))
}

fn infer_slice(x: &Type, start: &[usize], limit: &[usize], stride: &[usize]) -> Result<Vec<usize>, String> {
    let rank = x.rank();
    if [start, limit, stride].iter().any(|v| v.len() != rank) {
        return Err(format!("slice must name {rank} axes"));
    }
    (0..rank)
        .map(|i| match (start[i], limit[i], stride[i]) {
            (s, l, step) if s <= l && l <= x.shape[i] && step > 0 => Ok((l - s).div_ceil(step)),
            (s, l, step) => Err(format!("{s}..{l} step {step} is no part of axis {i} with {} elements", x.shape[i])),
        })
        .collect()
}

fn infer_concat(axis: usize, args: &[Type]) -> Result<Type, String> {
    let Some(first) = args.first() else { return Err("needs at least one operand".into()) };
    if axis >= first.rank() {
        return Err(format!("axis {axis} must be below {}", first.rank()));
    }
    let mut shape = first.shape.clone();
    for a in &args[1..] {
        let fits = a.dtype == first.dtype && a.rank() == first.rank() && (0..a.rank()).all(|i| i == axis || a.shape[i] == shape[i]);
        if !fits {
            return Err(format!("operands must agree in everything but axis {axis}"));
        }
        shape[axis] += a.shape[axis];
    }
    Ok(first.with_shape(shape))
}

/// Missing tangents among the parts of a concatenation become zeros.
pub(super) fn jvp_concat(op: &Op, g: &mut Graph, args: &[Id], ts: &[Option<Id>]) -> Result<Option<Id>> {
    let parts: Vec<Id> = args.iter().zip(ts).map(|(&a, t)| t.map_or_else(|| g.full_like(a, 0.0), Ok)).collect::<Result<_>>()?;
    g.push(op.clone(), &parts).map(Some)
}

pub(super) fn transpose(op: &Op, g: &mut Graph, ct: Id, args: &[Id], i: usize) -> Result<Id> {
    let x = g.shape(args[i]).to_vec();
    match op {
        Op::Broadcast { shape, dims } => {
            let axes = others(shape.len(), dims);
            g.push(Op::Sum(axes), &[ct])
        }
        Op::Reshape(_) => g.push(Op::Reshape(x), &[ct]),
        Op::Transpose(perm) => {
            let inverse = (0..perm.len()).map(|axis| perm.iter().position(|&p| p == axis).unwrap_or(axis)).collect();
            g.transpose(ct, inverse)
        }
        Op::Slice { start, limit: _, stride } => {
            let out = g.shape(ct).to_vec();
            let interior: Vec<usize> = stride.iter().map(|s| s - 1).collect();
            let used = |d: usize| start[d] + out[d] + out[d].saturating_sub(1) * interior[d];
            let hi = (0..x.len()).map(|d| x[d].saturating_sub(used(d))).collect();
            // An empty slice of a nonempty axis pads from nothing: start alone may not exceed the axis.
            g.push(Op::Pad { lo: start.clone(), hi, interior, value: Scalar::new(0.0) }, &[ct])
        }
        Op::Pad { lo, interior, .. } => {
            let stride: Vec<usize> = interior.iter().map(|n| n + 1).collect();
            let limit = (0..x.len()).map(|d| lo[d] + x[d] + x[d].saturating_sub(1) * interior[d]).collect();
            g.push(Op::Slice { start: lo.clone(), limit, stride }, &[ct])
        }
        Op::Concat(axis) => {
            let before: usize = args[..i].iter().map(|&a| g.shape(a)[*axis]).sum();
            let mut start = vec![0; x.len()];
            let mut limit = g.shape(ct).to_vec();
            (start[*axis], limit[*axis]) = (before, before + x[*axis]);
            g.push(Op::Slice { start, limit, stride: vec![1; x.len()] }, &[ct])
        }
        _ => g.push(op.clone(), &[ct]), // Reverse is its own transpose
    }
}

pub(super) fn eval(op: &Op, args: &[&Value], out: &Type) -> Vec<f64> {
    let x = args[0];
    let s = strides(&x.ty.shape);
    let gather = |f: &dyn Fn(&[usize]) -> usize| {
        let mut data = Vec::with_capacity(out.len());
        for_each_index(&out.shape, |i| data.push(x.data[f(i)]));
        data
    };
    match op {
        Op::Broadcast { dims, .. } => gather(&|i| dims.iter().zip(&s).map(|(&d, s)| i[d] * s).sum()),
        Op::Transpose(perm) => gather(&|i| perm.iter().zip(i).map(|(&p, i)| i * s[p]).sum()),
        Op::Reverse(axes) => gather(&|i| (0..i.len()).map(|d| s[d] * if axes.contains(&d) { out.shape[d] - 1 - i[d] } else { i[d] }).sum()),
        Op::Slice { start, stride, .. } => gather(&|i| (0..i.len()).map(|d| s[d] * (start[d] + i[d] * stride[d])).sum()),
        Op::Pad { lo, interior, value, .. } => {
            let mut data = vec![out.dtype.round(value.get()); out.len()];
            let to = strides(&out.shape);
            let mut next = x.data.iter();
            for_each_index(&x.ty.shape, |i| {
                let place: Vec<usize> = (0..i.len()).map(|d| lo[d] + i[d] * (interior[d] + 1)).collect();
                data[offset(&place, &to)] = *next.next().unwrap_or(&f64::NAN);
            });
            data
        }
        Op::Concat(axis) => eval_concat(*axis, args, out),
        _ => x.data.clone(), // Reshape
    }
}

fn eval_concat(axis: usize, args: &[&Value], out: &Type) -> Vec<f64> {
    let mut data = Vec::with_capacity(out.len());
    for_each_index(&out.shape, |i| {
        let (mut at, mut part) = (i.to_vec(), 0);
        while at[axis] >= args[part].ty.shape[axis] {
            at[axis] -= args[part].ty.shape[axis];
            part += 1;
        }
        data.push(args[part].data[offset(&at, &strides(&args[part].ty.shape))]);
    });
    data
}
