//! Operators that move elements, and those that make tensors from shapes.

use super::call::{Call, Outcome, axes, axis, invalid, one, select, size};
use super::table::Rule;
use super::value::{Item, Kind, bounded, common, expand, full};
use crate::model::{Attribute, Element, volume};
use graph::ops::Compare;
use graph::{DType, Op, Tensor};

pub(super) fn find(op: &str) -> Option<Rule> {
    Some(match op {
        "Reshape" => reshape,
        "Flatten" => flatten,
        "Transpose" => transpose,
        "Squeeze" => squeeze,
        "Unsqueeze" => unsqueeze,
        "Concat" => concat,
        "Split" => split,
        "Slice" => slice,
        "Expand" => |c| {
            let to = sizes(&c.list(1)?.unwrap_or_default(), "an extent")?;
            let x = c.x(0)?;
            one(c.kind(0)?, expand(&x, &common(&[x.shape(), &to])?))
        },
        "Tile" => tile,
        "Shape" => shape,
        "Size" => |c| {
            let n = c.item(0)?.shape().iter().product::<usize>();
            Ok(vec![Item::known(Kind::Int, &[], vec![n as f64])])
        },
        "ConstantOfShape" => constant_of_shape,
        "Range" => range,
        "DepthToSpace" => depth_to_space,
        "SpaceToDepth" => space_to_depth,
        "Trilu" => triangle,
        "EyeLike" => eye,
        _ => return None,
    })
}

fn sizes(list: &[i64], what: &str) -> Outcome<Vec<usize>> {
    list.iter().map(|&x| size(x, what)).collect()
}

/// A tensor under another shape, which must hold as many elements.
pub(super) fn reshaped(x: &Tensor, shape: &[usize]) -> Outcome<Tensor> {
    if volume(shape) != volume(x.shape()) {
        return invalid(format!("the elements of {:?} do not fill {shape:?}", x.shape()));
    }
    Ok(x.reshape(shape))
}

/// 0 copies the operand's extent, −1 takes what is left.
fn reshape(c: &Call) -> Outcome<Vec<Item>> {
    let x = c.x(0)?;
    let Some(list) = c.ints_or_list("shape", 1)? else { return invalid("the shape is missing") };
    let copy = c.int("allowzero", 0)? == 0;
    let mut out = vec![];
    for (i, &d) in list.iter().enumerate() {
        out.push(match d {
            -1 => 1,
            0 if copy => match x.shape().get(i) {
                Some(&n) => n,
                None => return invalid(format!("extent {i} is to be copied from {:?}", x.shape())),
            },
            d => size(d, "an extent")?,
        });
    }
    if let Some(i) = list.iter().position(|&d| d == -1) {
        let (have, rest) = (volume(x.shape()).unwrap_or(0), volume(&out).unwrap_or(0));
        if rest == 0 || have % rest != 0 {
            return invalid(format!("the elements of {:?} do not fill {list:?}", x.shape()));
        }
        out[i] = have / rest;
    }
    one(c.kind(0)?, reshaped(&x, &out)?)
}

fn flatten(c: &Call) -> Outcome<Vec<Item>> {
    let x = c.x(0)?;
    let at = c.int("axis", 1)?;
    let at = if at == x.rank() as i64 { x.rank() } else { axis(at, x.rank())? };
    let (left, right) = x.shape().split_at(at);
    one(c.kind(0)?, x.reshape(&[left.iter().product(), right.iter().product()]))
}

fn transpose(c: &Call) -> Outcome<Vec<Item>> {
    let x = c.x(0)?;
    let perm = match c.ints("perm")? {
        Some(list) => list.iter().map(|&a| axis(a, x.rank())).collect::<Outcome<Vec<_>>>()?,
        None => (0..x.rank()).rev().collect(),
    };
    one(c.kind(0)?, x.transpose(&perm))
}

fn squeeze(c: &Call) -> Outcome<Vec<Item>> {
    let x = c.x(0)?;
    let gone = match c.ints_or_list("axes", 1)? {
        Some(list) => axes(&list, x.rank())?,
        None => (0..x.rank()).filter(|&i| x.shape()[i] == 1).collect(),
    };
    if let Some(a) = gone.iter().find(|&&a| x.shape()[a] != 1) {
        return invalid(format!("axis {a} of {:?} has not extent 1", x.shape()));
    }
    let shape: Vec<usize> = (0..x.rank()).filter(|i| !gone.contains(i)).map(|i| x.shape()[i]).collect();
    one(c.kind(0)?, x.reshape(&shape))
}

fn unsqueeze(c: &Call) -> Outcome<Vec<Item>> {
    let x = c.x(0)?;
    let Some(list) = c.ints_or_list("axes", 1)? else { return invalid("the axes are missing") };
    let new = axes(&list, x.rank() + list.len())?;
    let mut shape = x.shape().to_vec();
    new.iter().for_each(|&a| shape.insert(a.min(shape.len()), 1));
    one(c.kind(0)?, x.reshape(&shape))
}

fn concat(c: &Call) -> Outcome<Vec<Item>> {
    let parts: Vec<Tensor> = (0..c.inputs.len()).map(|i| c.x(i)).collect::<Outcome<_>>()?;
    let Some(first) = parts.first() else { return invalid("takes at least one operand") };
    let a = c.axis(1, first.rank())?;
    let total = parts.iter().try_fold(0usize, |n, t| n.checked_add(*t.shape().get(a)?));
    let mut shape = first.shape().to_vec();
    shape[a] = total.unwrap_or(usize::MAX);
    bounded(&shape)?;
    one(c.kind(0)?, Tensor::concat(&parts.iter().collect::<Vec<_>>(), a))
}

fn split(c: &Call) -> Outcome<Vec<Item>> {
    let x = c.x(0)?;
    let a = c.axis(0, x.rank())?;
    let n = x.shape()[a];
    let lengths = match c.ints_or_list("split", 1)? {
        Some(list) => sizes(&list, "a length")?,
        None => {
            // Equal parts; if they cannot be, the last one is smaller.
            let parts = size(c.int("num_outputs", c.node.outputs.len() as i64)?, "num_outputs")?.max(1);
            let each = n.div_ceil(parts);
            (0..parts).map(|k| each.min(n.saturating_sub(k * each))).collect()
        }
    };
    if lengths.iter().try_fold(0usize, |n, &l| n.checked_add(l)) != Some(n) || lengths.len() < c.node.outputs.len() {
        return invalid(format!("the lengths {lengths:?} are no division of axis {a} of {:?}", x.shape()));
    }
    let kind = c.kind(0)?;
    let mut start = 0;
    let part = |length: &usize| {
        start += length;
        Item::tensor(kind, x.slice(a, start - length, start))
    };
    Ok(lengths.iter().map(part).collect())
}

/// Bounds are attributes before operator set 10, operands since.
fn slice(c: &Call) -> Outcome<Vec<Item>> {
    let x = c.x(0)?;
    let bounds = c.ints_or_list("starts", 1)?.zip(c.ints_or_list("ends", 2)?);
    let Some((starts, ends)) = bounds else { return invalid("the bounds are missing") };
    let which = c.ints_or_list("axes", 3)?.unwrap_or_else(|| (0..starts.len() as i64).collect());
    let steps = c.list(4)?.unwrap_or_else(|| vec![1; starts.len()]);
    if [ends.len(), which.len(), steps.len()] != [starts.len(); 3] {
        return invalid("starts, ends, axes and steps must be of one length");
    }
    axes(&which, x.rank())?;
    let mut out = x;
    for (i, &a) in which.iter().enumerate() {
        out = cut(&out, axis(a, out.rank())?, starts[i], ends[i], steps[i])?;
    }
    one(c.kind(0)?, out)
}

/// Elements `start`, `start + step`, … before `end` of one axis, as Python counts them.
fn cut(x: &Tensor, a: usize, start: i64, end: i64, step: i64) -> Outcome<Tensor> {
    let n = x.shape()[a] as i64;
    if step == 0 {
        return invalid("a step is 0");
    }
    let from_front = |i: i64| if i < 0 { i.saturating_add(n) } else { i };
    // Going backwards is going forwards in the axis turned around.
    let (turned, start, end) = if step > 0 {
        (x.clone(), from_front(start).clamp(0, n), from_front(end).clamp(0, n))
    } else {
        let place = |i: i64| n - 1 - from_front(i).clamp(-1, n - 1);
        (x.reverse(&[a]), place(start), place(end))
    };
    let mut slice = (vec![0; x.rank()], x.shape().to_vec(), vec![1; x.rank()]);
    slice.0[a] = start.clamp(0, n) as usize;
    slice.1[a] = end.clamp(start, n).max(start.clamp(0, n)) as usize;
    slice.2[a] = usize::try_from(step.unsigned_abs()).unwrap_or(usize::MAX).min(super::value::LARGEST);
    Ok(x.tracer().push(Op::Slice { start: slice.0, limit: slice.1, stride: slice.2 }, &[&turned]))
}

fn tile(c: &Call) -> Outcome<Vec<Item>> {
    let x = c.x(0)?;
    let times = sizes(&c.list(1)?.unwrap_or_default(), "a number of repeats")?;
    if times.len() != x.rank() {
        return invalid(format!("{} numbers of repeats for {} axes", times.len(), x.rank()));
    }
    let shape: Vec<usize> = times.iter().zip(x.shape()).map(|(t, n)| t.saturating_mul(*n)).collect();
    bounded(&shape)?;
    let wide: Vec<usize> = times.iter().zip(x.shape()).flat_map(|(&t, &n)| [t, n]).collect();
    let dims: Vec<usize> = (0..x.rank()).map(|i| 2 * i + 1).collect();
    one(c.kind(0)?, x.broadcast(&wide, &dims).reshape(&shape))
}

fn shape(c: &Call) -> Outcome<Vec<Item>> {
    let shape = c.item(0)?.shape();
    let rank = shape.len() as i64;
    let place = |i: i64| (if i < 0 { i.saturating_add(rank) } else { i }).clamp(0, rank) as usize;
    let (start, end) = (place(c.int("start", 0)?), place(c.int("end", i64::MAX)?));
    let part: Vec<f64> = shape[start..end.max(start)].iter().map(|&n| n as f64).collect();
    Ok(vec![Item::known(Kind::Int, &[part.len()], part)])
}

fn constant_of_shape(c: &Call) -> Outcome<Vec<Item>> {
    let to = sizes(&c.list(0)?.unwrap_or_default(), "an extent")?;
    bounded(&to)?;
    let (kind, value) = match c.attribute("value") {
        None => (Kind::Float, 0.0),
        Some(Attribute::Tensor(t)) if t.data.len() == 1 => (Kind::of(t.element), t.data.get(0)),
        Some(_) => return invalid("attribute value must be a tensor of one number"),
    };
    one(kind, full(&c.target.tracer, c.target.dtype(kind), &to, value))
}

fn range(c: &Call) -> Outcome<Vec<Item>> {
    let (Some(start), Some(limit), Some(step)) = (c.number(0)?, c.number(1)?, c.number(2)?) else {
        return invalid("needs start, limit and step");
    };
    let n = ((limit - start) / step).ceil().max(0.0);
    if step == 0.0 || n.is_nan() || n > super::value::LARGEST as f64 {
        return invalid(format!("from {start} to {limit} by {step}"));
    }
    let kind = c.kind(0)?;
    let count = c.target.tracer.iota(c.target.dtype(kind), &[n as usize], 0);
    one(kind, &count * &count.full_like(step) + count.full_like(start))
}

fn image(x: &Tensor, block: usize) -> Outcome<[usize; 4]> {
    match *x.shape() {
        [n, c, h, w] if block > 0 => Ok([n, c, h, w]),
        _ => invalid(format!("needs images [N, C, H, W] and a block size, got {:?} and {block}", x.shape())),
    }
}

fn depth_to_space(c: &Call) -> Outcome<Vec<Item>> {
    let x = c.x(0)?;
    let b = size(c.int("blocksize", 0)?, "blocksize")?;
    let [n, ch, h, w] = image(&x, b)?;
    if b > ch || ch % (b * b) != 0 {
        return invalid(format!("{ch} channels are no blocks of {b}·{b}"));
    }
    let d = ch / (b * b);
    let out = match c.text("mode", "DCR")?.as_str() {
        "DCR" => x.reshape(&[n, b, b, d, h, w]).transpose(&[0, 3, 4, 1, 5, 2]),
        "CRD" => x.reshape(&[n, d, b, b, h, w]).transpose(&[0, 1, 4, 2, 5, 3]),
        other => return invalid(format!("mode {other} does not exist")),
    };
    one(c.kind(0)?, out.reshape(&[n, d, h * b, w * b]))
}

fn space_to_depth(c: &Call) -> Outcome<Vec<Item>> {
    let x = c.x(0)?;
    let b = size(c.int("blocksize", 0)?, "blocksize")?;
    let [n, ch, h, w] = image(&x, b)?;
    if h % b != 0 || w % b != 0 {
        return invalid(format!("an image of {h}·{w} is not made of blocks of {b}·{b}"));
    }
    let blocks = x.reshape(&[n, ch, h / b, b, w / b, b]);
    let out = match c.text("mode", "DCR")?.as_str() {
        "DCR" => blocks.transpose(&[0, 3, 5, 1, 2, 4]),
        "CRD" => blocks.transpose(&[0, 1, 3, 5, 2, 4]),
        other => return invalid(format!("mode {other} does not exist")),
    };
    one(c.kind(0)?, out.reshape(&[n, ch * b * b, h / b, w / b]))
}

/// The upper or lower triangle of matrices, moved by k; the rest becomes 0.
fn triangle(c: &Call) -> Outcome<Vec<Item>> {
    let x = c.x(0)?;
    if x.rank() < 2 {
        return invalid("needs matrices");
    }
    let k = c.number(1)?.unwrap_or(0.0);
    let [row, column] = [2, 1].map(|back| x.tracer().iota(DType::I32, x.shape(), x.rank() - back));
    let upper = c.int("upper", 1)? != 0;
    let moved = &row + &row.full_like(k);
    let inside = column.compare(if upper { Compare::Ge } else { Compare::Le }, &moved);
    one(c.kind(0)?, select(&inside, &x, &x.full_like(0.0)))
}

fn eye(c: &Call) -> Outcome<Vec<Item>> {
    let shape = c.item(0)?.shape().to_vec();
    if shape.len() != 2 {
        return invalid("needs a matrix");
    }
    let kind = match c.int("dtype", 0)? {
        0 => c.kind(0)?,
        code => Kind::of(Element::of(code).map_err(super::call::Fault::Unsupported)?),
    };
    let [row, column] = [0, 1].map(|a| c.target.tracer.iota(DType::I32, &shape, a));
    let k = row.full_like(c.int("k", 0)? as f64);
    let hit = column.compare(Compare::Eq, &(&row + &k));
    one(kind, if kind == Kind::Float { hit.cast(c.target.float) } else { hit })
}
