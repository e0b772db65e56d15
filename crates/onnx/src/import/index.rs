//! Operators that read and write elements at places which are data.

use super::call::{Call, Outcome, invalid, one, select, size, unsupported};
use super::shape::reshaped;
use super::table::Rule;
use super::value::{Item, Kind, bounded};
use graph::ops::Compare;
use graph::{DType, Tensor};

pub(super) fn find(op: &str) -> Option<Rule> {
    Some(match op {
        "Gather" => gather,
        "GatherElements" => gather_elements,
        "GatherND" => gather_nd,
        "Scatter" | "ScatterElements" => scatter_elements,
        "ScatterND" => scatter_nd,
        "OneHot" => one_hot,
        _ => return None,
    })
}

/// Indices into `n` elements: negative ones count from the end.
fn from_front(index: &Tensor, n: usize) -> Tensor {
    let index = if index.dtype() == DType::I32 { index.clone() } else { index.cast(DType::I32) };
    let negative = index.compare(Compare::Lt, &index.full_like(0.0));
    negative.select(&(&index + &index.full_like(n as f64)), &index)
}

/// Indices of operand `i`; those that are known are checked and counted from the front at once.
fn indices(c: &Call, i: usize, n: usize) -> Outcome<Tensor> {
    let item = c.item(i)?;
    let Some(known) = &item.known else { return Ok(from_front(&c.x(i)?, n)) };
    if let Some(bad) = known.data.iter().find(|&&x| x < -(n as f64) || x >= n as f64) {
        return invalid(format!("index {bad} does not exist among {n} elements"));
    }
    if known.data.iter().all(|&x| x >= 0.0) {
        return c.x(i);
    }
    let data = known.data.iter().map(|&x| if x < 0.0 { x + n as f64 } else { x }).collect();
    let moved = Item::known(Kind::Int, &known.shape, data);
    c.target.tensor(&moved).or_else(|_| Ok(from_front(&c.x(i)?, n)))
}

/// Gathers whole slices `x[…, index, …]` along axis `a`.
pub(super) fn take(x: &Tensor, a: usize, index: &Tensor) -> Outcome<Tensor> {
    let rest: Vec<usize> = (0..x.rank()).filter(|&i| i != a).collect();
    let shape: Vec<usize> = index.shape().iter().copied().chain(rest.iter().map(|&i| x.shape()[i])).collect();
    bounded(&shape)?;
    let rows = x.transpose(&[&[a], &rest[..]].concat()).gather(index);
    // [index…, before…, after…] → [before…, index…, after…]
    let k = index.rank();
    let perm: Vec<usize> = (k..k + a).chain(0..k).chain(k + a..k + rest.len()).collect();
    Ok(rows.transpose(&perm))
}

fn gather(c: &Call) -> Outcome<Vec<Item>> {
    let x = c.x(0)?;
    let a = c.axis(0, x.rank())?;
    let n = x.shape()[a];
    // One known index is a slice, which needs no table.
    if let Some(known) = &c.item(1)?.known
        && let [at] = known.data[..]
        && at >= -(n as f64)
        && at < n as f64
    {
        let at = if at < 0.0 { at + n as f64 } else { at } as usize;
        let mut shape = x.shape().to_vec();
        shape.splice(a..=a, known.shape.iter().copied());
        return one(c.kind(0)?, x.slice(a, at, at + 1).reshape(&shape));
    }
    one(c.kind(0)?, take(&x, a, &indices(c, 1, n)?)?)
}

/// Place of each element of a tensor of shape `index` in one of shape `x`, where axis `a` is given by `index`.
fn places(x: &[usize], a: usize, index: &Tensor) -> Outcome<Tensor> {
    let fits = index.rank() == x.len() && (0..x.len()).all(|i| i == a || index.shape()[i] <= x[i]);
    if !fits {
        return invalid(format!("indices of shape {:?} do not fit {x:?}", index.shape()));
    }
    let mut stride = 1usize;
    let mut out = index.full_like(0.0);
    for i in (0..x.len()).rev() {
        let along = if i == a { index.clone() } else { index.tracer().iota(DType::I32, index.shape(), i) };
        out = out + &along * &along.full_like(stride as f64);
        stride *= x[i];
    }
    Ok(out)
}

/// Places are integers of 32 bits.
fn addressable(x: &Tensor) -> Outcome<usize> {
    let n: usize = x.shape().iter().product();
    if n > i32::MAX as usize { unsupported(format!("indices into the {n} elements of {:?}", x.shape())) } else { Ok(n) }
}

fn gather_elements(c: &Call) -> Outcome<Vec<Item>> {
    let x = c.x(0)?;
    let a = c.axis(0, x.rank())?;
    let n = addressable(&x)?;
    let index = places(x.shape(), a, &from_front(&c.x(1)?, x.shape()[a]))?;
    one(c.kind(0)?, x.reshape(&[n]).gather(&index))
}

/// Place among the rows that the first `k` axes of `x` count, for indices `[…, k]`.
fn row_places(x: &[usize], index: &Tensor) -> Outcome<Tensor> {
    let last = index.rank() - 1;
    let k = index.shape()[last];
    if k > x.len() {
        return invalid(format!("indices of {k} numbers into a tensor of shape {x:?}"));
    }
    let lead = &index.shape()[..last];
    let mut out = index.tracer().full(DType::I32, lead, 0.0);
    for (i, &n) in x.iter().enumerate().take(k) {
        let here = from_front(&index.slice(last, i, i + 1).reshape(lead), n);
        out = &out * &out.full_like(n as f64) + here;
    }
    Ok(out)
}

fn gather_nd(c: &Call) -> Outcome<Vec<Item>> {
    let (x, index) = (c.x(0)?, c.x(1)?);
    let b = size(c.int("batch_dims", 0)?, "batch_dims")?;
    let fits = index.rank() > b && x.rank() > b && x.shape()[..b] == index.shape()[..b];
    if !fits {
        return invalid(format!("{:?} and {:?} do not share {b} batch axes", x.shape(), index.shape()));
    }
    addressable(&x)?;
    let k = index.shape()[index.rank() - 1];
    let mut rows = row_places(&x.shape()[b..], &index)?;
    // Batches lie one after another.
    let per_batch: usize = x.shape().iter().skip(b).take(k).product();
    let mut stride = per_batch;
    for i in (0..b).rev() {
        let count = x.tracer().iota(DType::I32, rows.shape(), i);
        rows = rows + &count * &count.full_like(stride as f64);
        stride *= x.shape()[i];
    }
    let rest = &x.shape()[b + k..];
    bounded(&[rows.shape(), rest].concat())?;
    one(c.kind(0)?, x.reshape(&[&[stride], rest].concat()).gather(&rows))
}

/// Writes updates into the rows of `x` that `rows` names.
fn scatter(c: &Call, x: &Tensor, rows: &Tensor, updates: &Tensor, reduction: &str) -> Outcome<Tensor> {
    let n = x.shape().first().copied().unwrap_or(1);
    if updates.shape().len() < rows.rank() || !updates.shape().starts_with(rows.shape()) || x.shape()[1..] != updates.shape()[rows.rank()..]
    {
        return invalid(format!("updates of shape {:?} do not fit the indices", updates.shape()));
    }
    let float = |t: &Tensor| if t.dtype() == c.target.float { t.clone() } else { t.cast(c.target.float) };
    let added = rows.scatter_add(&float(updates), n);
    let out = match reduction {
        "none" => {
            let touched = rows.scatter_add(&float(&updates.full_like(1.0)), n);
            let touched = touched.compare(Compare::Gt, &touched.full_like(0.0));
            touched.select(&added, &float(x))
        }
        "add" => float(x) + added,
        other => return unsupported(format!("reduction {other}")),
    };
    Ok(if x.dtype() == c.target.float { out } else { out.round().cast(x.dtype()) })
}

fn scatter_elements(c: &Call) -> Outcome<Vec<Item>> {
    let (x, updates) = (c.x(0)?, c.x(2)?);
    let a = c.axis(0, x.rank())?;
    let n = addressable(&x)?;
    let index = from_front(&c.x(1)?, x.shape()[a]);
    if index.shape() != updates.shape() {
        return invalid(format!("{:?} indices and {:?} updates must have one shape", index.shape(), updates.shape()));
    }
    let rows = places(x.shape(), a, &index)?;
    let out = scatter(c, &x.reshape(&[n]), &rows, &updates, &c.text("reduction", "none")?)?;
    one(c.kind(0)?, out.reshape(x.shape()))
}

fn scatter_nd(c: &Call) -> Outcome<Vec<Item>> {
    let (x, index, updates) = (c.x(0)?, c.x(1)?, c.x(2)?);
    if index.rank() == 0 {
        return invalid("the indices must have at least one axis");
    }
    addressable(&x)?;
    let rows = row_places(x.shape(), &index)?;
    let k = index.shape()[index.rank() - 1];
    let flat = [&[x.shape()[..k].iter().product()], &x.shape()[k..]].concat();
    let out = scatter(c, &x.reshape(&flat), &rows, &updates, &c.text("reduction", "none")?)?;
    one(c.kind(0)?, reshaped(&out, x.shape())?)
}

/// `on` where an axis counts to the index, else `off`; both are in operand 2.
fn one_hot(c: &Call) -> Outcome<Vec<Item>> {
    let Some(depth) = c.number(1)? else { return invalid("the depth is missing") };
    let depth = size(depth as i64, "the depth")?;
    let index = from_front(&c.x(0)?, depth);
    let values = c.x(2)?;
    if values.shape() != [2] {
        return invalid("the values must be two numbers: off and on");
    }
    let a = super::call::axis(c.int("axis", -1)?, index.rank() + 1)?;
    let mut shape = index.shape().to_vec();
    shape.insert(a, depth);
    bounded(&shape)?;
    let dims: Vec<usize> = (0..shape.len()).filter(|&i| i != a).collect();
    let count = index.tracer().iota(DType::I32, &shape, a);
    let hit = count.compare(Compare::Eq, &index.broadcast(&shape, &dims));
    let [off, on] = [0, 1].map(|i| values.slice(0, i, i + 1).reshape(&[]).broadcast(&shape, &[]));
    one(c.kind(2)?, select(&hit, &on, &off))
}
