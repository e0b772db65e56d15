//! Rows of a table by index, and its transpose: adding rows into a table.

use super::{Op, arity};
use crate::{DType, Graph, Id, Result, Type, Value};

pub(super) fn infer(op: &Op, args: &[Type]) -> Result<Type, String> {
    arity(args, 2)?;
    let indices = if matches!(op, Op::Gather) { &args[1] } else { &args[0] };
    if indices.dtype != DType::I32 {
        return Err("indices must be i32".into());
    }
    if let Op::ScatterAdd { rows } = op {
        let (idx, updates) = (&args[0], &args[1]);
        if !updates.shape.starts_with(&idx.shape) {
            return Err("the updates' first axes must be those of the indices".into());
        }
        return Ok(updates.with_shape([&[*rows], &updates.shape[idx.rank()..]].concat()));
    }
    if args[0].rank() == 0 {
        return Err("the table needs at least one axis".into());
    }
    Ok(args[0].with_shape([&args[1].shape, &args[0].shape[1..]].concat()))
}

pub(super) fn transpose(op: &Op, g: &mut Graph, ct: Id, args: &[Id]) -> Result<Id> {
    match op {
        Op::Gather => {
            let rows = g.shape(args[0])[0];
            g.push(Op::ScatterAdd { rows }, &[args[1], ct])
        }
        _ => g.push(Op::Gather, &[ct, args[0]]),
    }
}

pub(super) fn eval(op: &Op, args: &[&Value], out: &Type) -> Vec<f64> {
    match op {
        Op::Gather => {
            let (table, rows) = (args[0], args[0].ty.shape[0]);
            let width: usize = table.ty.shape[1..].iter().product();
            let row = |&i: &f64| -> Vec<f64> {
                let inside = i >= 0.0 && (i as usize) < rows;
                if inside { table.data[i as usize * width..][..width].to_vec() } else { vec![f64::NAN; width] }
            };
            args[1].data.iter().flat_map(row).collect()
        }
        _ => {
            let width: usize = out.shape[1..].iter().product();
            let mut data = vec![0.0; out.len()];
            for (n, &i) in args[0].data.iter().enumerate() {
                if i >= 0.0 && (i as usize) < out.shape[0] {
                    (0..width).for_each(|j| data[i as usize * width + j] += args[1].data[n * width + j]);
                }
            }
            data
        }
    }
}
