//! Padding with a constant, or with the image itself.

use super::call::{Call, Outcome, axis, invalid, one, unsupported};
use super::table::Rule;
use super::value::{Item, LARGEST, bounded};
use graph::Tensor;

pub(super) fn find(op: &str) -> Option<Rule> {
    (op == "Pad").then_some(pad)
}

/// Elements before and after each axis; negative numbers crop.
pub(super) type Around = Vec<(i64, i64)>;

/// What an operand or an attribute says of padding, since operator set 18 of some axes only.
fn around(c: &Call, rank: usize) -> Outcome<Around> {
    let old = c.ints("paddings")?; // before operator set 2
    let Some(list) = old.map_or_else(|| c.ints_or_list("pads", 1), |p| Ok(Some(p)))? else { return invalid("the padding is missing") };
    let which = match c.list(3)? {
        Some(list) => list.iter().map(|&a| axis(a, rank)).collect::<Outcome<Vec<_>>>()?,
        None => (0..rank).collect(),
    };
    if list.len() != 2 * which.len() {
        return invalid(format!("{} numbers of padding for {} axes", list.len(), which.len()));
    }
    let mut out = vec![(0, 0); rank];
    for (i, &a) in which.iter().enumerate() {
        out[a] = (list[i], list[which.len() + i]);
    }
    Ok(out)
}

fn pad(c: &Call) -> Outcome<Vec<Item>> {
    let x = c.x(0)?;
    let around = around(c, x.rank())?;
    let out = match c.text("mode", "constant")?.as_str() {
        "constant" => {
            let value = match c.attribute("value") {
                Some(_) => c.float("value", 0.0)?,
                None => c.number(2)?.unwrap_or(0.0),
            };
            constant(&x, &around, value)?
        }
        mode @ ("reflect" | "edge" | "wrap") => {
            let mut out = x;
            for (a, &(before, after)) in around.iter().enumerate() {
                out = continued(&out, a, before, after, mode)?;
            }
            out
        }
        other => return unsupported(format!("padding of mode {other}")),
    };
    one(c.kind(0)?, out)
}

/// Surrounds with a number, or crops.
pub(super) fn constant(x: &Tensor, around: &[(i64, i64)], value: f64) -> Outcome<Tensor> {
    let mut shape = vec![];
    for (&n, &(lo, hi)) in x.shape().iter().zip(around) {
        let (lo, hi) = (lo.clamp(-(LARGEST as i64), LARGEST as i64), hi.clamp(-(LARGEST as i64), LARGEST as i64));
        match usize::try_from(n as i64 + lo.min(0) + hi.min(0)) {
            Ok(left) => shape.push(left.saturating_add(lo.max(0) as usize).saturating_add(hi.max(0) as usize)),
            Err(_) => return invalid(format!("cropping {around:?} takes more than {:?} has", x.shape())),
        }
    }
    bounded(&shape)?;
    let mut out = x.clone();
    for (a, &(lo, hi)) in around.iter().enumerate() {
        if lo < 0 || hi < 0 {
            let n = out.shape()[a];
            out = out.slice(a, (-lo).max(0) as usize, n.saturating_sub((-hi).max(0) as usize));
        }
    }
    let more: Vec<(usize, usize)> = around.iter().map(|&(lo, hi)| (lo.max(0) as usize, hi.max(0) as usize)).collect();
    Ok(out.pad(&more, value))
}

/// Continues one axis: mirrored at its ends, with its last elements, or from the other end.
fn continued(x: &Tensor, a: usize, before: i64, after: i64, mode: &str) -> Outcome<Tensor> {
    let x = &constant(x, &cropped(x.rank(), a, before, after), 0.0)?;
    let (lo, hi) = (before.max(0) as usize, after.max(0) as usize);
    let n = x.shape()[a];
    let available = match mode {
        "reflect" => n.saturating_sub(1),
        "wrap" => n,
        _ => LARGEST * n.min(1),
    };
    if lo.max(hi) > available {
        return invalid(format!("padding {lo} and {hi} reaches beyond axis {a} of {:?}", x.shape()));
    }
    let parts = match mode {
        "reflect" => [x.slice(a, 1.min(n), lo + 1.min(n)).reverse(&[a]), x.slice(a, (n - 1.min(n)) - hi, n - 1.min(n)).reverse(&[a])],
        "wrap" => [x.slice(a, n - lo, n), x.slice(a, 0, hi)],
        _ => [repeated(x, a, 0, lo)?, repeated(x, a, n.saturating_sub(1), hi)?],
    };
    Ok(Tensor::concat(&[&parts[0], x, &parts[1]], a))
}

fn cropped(rank: usize, a: usize, before: i64, after: i64) -> Around {
    (0..rank).map(|i| if i == a { (before.min(0), after.min(0)) } else { (0, 0) }).collect()
}

fn repeated(x: &Tensor, a: usize, index: usize, times: usize) -> Outcome<Tensor> {
    let mut shape = x.shape().to_vec();
    shape[a] = times;
    bounded(&shape)?;
    if times == 0 {
        return Ok(x.slice(a, 0, 0));
    }
    Ok(super::value::expand(&x.slice(a, index, index + 1), &shape))
}
