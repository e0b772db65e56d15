//! Windows of an image as an axis of their own, and their transpose. Pooling of any kind is a
//! reduction over these axes; non-overlapping windows cost nothing to make (they are a view).

use super::conv::four;
use super::{Op, arity};
use crate::types::for_each_index;
use crate::{Graph, Id, Result, Type, Value};

pub(super) fn infer(op: &Op, args: &[Type]) -> Result<Type, String> {
    arity(args, 1)?;
    let x = &args[0];
    match op {
        Op::Unfold { window, stride } => {
            if x.rank() != 4 {
                return Err("needs an image [N,H,W,C]".into());
            }
            if stride.contains(&0) || window.contains(&0) {
                return Err("window and step must be at least 1".into());
            }
            let count = |d: usize| if x.shape[d + 1] < window[d] { 0 } else { (x.shape[d + 1] - window[d]) / stride[d] + 1 };
            Ok(x.with_shape([x.shape[0], count(0), count(1), window[0], window[1], x.shape[3]]))
        }
        Op::Fold { size, stride } => {
            if x.rank() != 6 {
                return Err("needs windows [N,OH,OW,KH,KW,C]".into());
            }
            if stride.contains(&0) || x.shape[3..5].contains(&0) {
                return Err("window and step must be at least 1".into());
            }
            let fits = |d: usize| x.shape[d + 1] == 0 || (x.shape[d + 1] - 1) * stride[d] + x.shape[d + 3] <= size[d];
            if !fits(0) || !fits(1) {
                return Err(format!("the windows reach beyond an image of {size:?}"));
            }
            Ok(x.with_shape([x.shape[0], size[0], size[1], x.shape[5]]))
        }
        _ => Err("is no window operation".into()),
    }
}

pub(super) fn transpose(op: &Op, g: &mut Graph, ct: Id, x: Id) -> Result<Id> {
    match op {
        Op::Unfold { stride, .. } => {
            let s = g.shape(x);
            let (size, stride) = ([s[1], s[2]], *stride);
            g.push(Op::Fold { size, stride }, &[ct])
        }
        Op::Fold { stride, .. } => {
            let s = g.shape(x);
            let (window, stride) = ([s[3], s[4]], *stride);
            let all = g.push(Op::Unfold { window, stride }, &[ct])?;
            // The image may hold more windows than were folded into it.
            let (limit, have) = (g.shape(x).to_vec(), g.shape(all).to_vec());
            if limit == have {
                return Ok(all);
            }
            g.push(Op::Slice { start: vec![0; 6], limit, stride: vec![1; 6] }, &[all])
        }
        _ => Ok(ct),
    }
}

pub(super) fn eval(op: &Op, x: &Value, out: &Type) -> Vec<f64> {
    let mut data = vec![0.0; out.len()];
    match op {
        Op::Unfold { stride, .. } => {
            let [_, h, w, c] = four(&x.ty.shape);
            let mut slots = data.iter_mut();
            for_each_index(&out.shape, |i| {
                let at = ((i[0] * h + i[1] * stride[0] + i[3]) * w + i[2] * stride[1] + i[4]) * c + i[5];
                if let Some(slot) = slots.next() {
                    *slot = x.data[at];
                }
            });
        }
        Op::Fold { stride, .. } => {
            let [_, h, w, c] = four(&out.shape);
            let mut next = x.data.iter();
            for_each_index(&x.ty.shape, |i| {
                let at = ((i[0] * h + i[1] * stride[0] + i[3]) * w + i[2] * stride[1] + i[4]) * c + i[5];
                data[at] += next.next().unwrap_or(&f64::NAN);
            });
        }
        _ => {}
    }
    data
}
