//! Operators that take many elements together along axes.

use super::call::{Call, Outcome, axes, axis, invalid, one, unsupported};
use super::table::Rule;
use super::value::{Item, Kind, bounded};
use graph::ops::{Binary, Compare};
use graph::{DType, Tensor};

pub(super) fn find(op: &str) -> Option<Rule> {
    Some(match op {
        "ReduceSum" => |c| reduce(c, |x, a| x.sum(a)),
        "ReduceMean" => |c| {
            if c.kind(0)? != Kind::Float {
                return unsupported("the mean of integers");
            }
            reduce(c, |x, a| x.mean(a))
        },
        "ReduceMax" => |c| extreme(c, |x, a| x.max(a)),
        "ReduceMin" => |c| extreme(c, minimum),
        "ReduceProd" => |c| reduce(c, product),
        "ReduceL1" => |c| reduce(c, |x, a| x.abs().sum(a)),
        "ReduceL2" => |c| reduce(c, |x, a| x.square().sum(a).sqrt()),
        "ReduceSumSquare" => |c| reduce(c, |x, a| x.square().sum(a)),
        "ReduceLogSum" => |c| reduce(c, |x, a| x.sum(a).log()),
        "ReduceLogSumExp" => |c| reduce(c, log_sum_exp),
        "ArgMax" => |c| arg(c, |x| x.clone()),
        "ArgMin" => |c| arg(c, |x| -x),
        "CumSum" => cumulate,
        "GlobalAveragePool" => |c| global(c, |x, a| x.mean(a)),
        "GlobalMaxPool" => |c| global(c, |x, a| x.max(a)),
        _ => return None,
    })
}

/// Puts axes of extent 1 where axes vanished.
pub(super) fn keep(x: &Tensor, reduced: &Tensor, axes: &[usize]) -> Tensor {
    let shape: Vec<usize> = x.shape().iter().enumerate().map(|(i, &n)| if axes.contains(&i) { 1 } else { n }).collect();
    reduced.reshape(&shape)
}

fn reduce(c: &Call, f: impl Fn(&Tensor, &[usize]) -> Tensor) -> Outcome<Vec<Item>> {
    let x = c.x(0)?;
    let list = c.ints_or_list("axes", 1)?.unwrap_or_default();
    let all = list.is_empty() && c.int("noop_with_empty_axes", 0)? == 0;
    let axes = if all { (0..x.rank()).collect() } else { axes(&list, x.rank())? };
    let out = f(&x, &axes);
    one(c.kind(0)?, if c.int("keepdims", 1)? != 0 { keep(&x, &out, &axes) } else { out })
}

/// The largest or smallest element; of no truth values, still a truth value.
fn extreme(c: &Call, f: impl Fn(&Tensor, &[usize]) -> Tensor) -> Outcome<Vec<Item>> {
    let truth = c.kind(0)? == Kind::Bool;
    reduce(c, |x, axes| {
        let out = f(x, axes);
        if truth { out.relu().minimum(&out.full_like(1.0)) } else { out }
    })
}

fn minimum(x: &Tensor, axes: &[usize]) -> Tensor {
    -(-x).max(axes)
}

/// The product, by halves.
fn product(x: &Tensor, axes: &[usize]) -> Tensor {
    let kept: Vec<usize> = (0..x.rank()).filter(|i| !axes.contains(i)).collect();
    let count: usize = axes.iter().map(|&a| x.shape()[a]).product();
    let shape: Vec<usize> = kept.iter().map(|&i| x.shape()[i]).collect();
    let flat = x.transpose(&[&kept[..], axes].concat()).reshape(&[&shape[..], &[count]].concat());
    let last = shape.len();
    let mut rest = if count == 0 { x.tracer().full(x.dtype(), &[&shape[..], &[1]].concat(), 1.0) } else { flat };
    while let n @ 2.. = rest.shape()[last] {
        let half = n / 2;
        let pairs = rest.slice(last, 0, half) * rest.slice(last, half, 2 * half);
        rest = if n % 2 == 1 { Tensor::concat(&[&pairs, &rest.slice(last, n - 1, n)], last) } else { pairs };
        if rest.is_poisoned() {
            break;
        }
    }
    rest.reshape(&shape)
}

/// log Σ eˣ with the largest element taken out, so that nothing overflows; −∞ for nothing but −∞.
fn log_sum_exp(x: &Tensor, axes: &[usize]) -> Tensor {
    let max = x.max(axes);
    let finite = max.binary(Binary::Max, &max.full_like(f64::from(f32::MIN)));
    let shifted = x - super::value::expand(&keep(x, &finite, axes), x.shape());
    shifted.exp().sum(axes).log() + finite
}

/// The index of the largest f(x) along an axis: the first one, or the last.
fn arg(c: &Call, f: impl Fn(&Tensor) -> Tensor) -> Outcome<Vec<Item>> {
    let x = f(&c.x(0)?);
    let a = c.axis(0, x.rank())?;
    let index = first_max(&x, a, c.int("select_last_index", 0)? != 0);
    one(Kind::Int, if c.int("keepdims", 1)? != 0 { keep(&x, &index, &[a]) } else { index })
}

/// The first (or last) index of the largest element along an axis.
pub(super) fn first_max(x: &Tensor, a: usize, last: bool) -> Tensor {
    let hit = x.compare(Compare::Eq, &super::value::expand(&keep(x, &x.max(&[a]), &[a]), x.shape()));
    let hit = if hit.dtype() == DType::I32 { hit } else { hit.cast(DType::I32) };
    let count = x.tracer().iota(DType::I32, x.shape(), a);
    if last {
        hit.select(&count, &count.full_like(-1.0)).max(&[a])
    } else {
        minimum(&hit.select(&count, &count.full_like(f64::from(i32::MAX))), &[a])
    }
}

/// Running sums, as the product with a triangle of ones.
fn cumulate(c: &Call) -> Outcome<Vec<Item>> {
    let x = c.x(0)?;
    let Some(at) = c.number(1)? else { return invalid("operand 1, the axis, is missing") };
    let a = axis(at as i64, x.rank())?;
    let n = x.shape()[a];
    let (exclusive, reverse) = (c.int("exclusive", 0)? != 0, c.int("reverse", 0)? != 0);
    bounded(&[n, n])?;
    let float = c.target.float;
    let [from, to] = [0, 1].map(|axis| x.tracer().iota(float, &[n, n], axis));
    let (from, to) = if reverse { (to, from) } else { (from, to) };
    let triangle = from.compare(if exclusive { Compare::Lt } else { Compare::Le }, &to);
    let sums = if x.dtype() == float { x.clone() } else { x.cast(float) };
    let sums = sums.dot(&triangle, graph::ops::contract::Dot::pair(a, 0));
    // The product puts the new axis last.
    let back: Vec<usize> = (0..x.rank()).map(|i| if i == a { x.rank() - 1 } else { i - usize::from(i > a) }).collect();
    let out = sums.transpose(&back);
    one(c.kind(0)?, if x.dtype() == float { out } else { out.round().cast(x.dtype()) })
}

fn global(c: &Call, f: impl Fn(&Tensor, &[usize]) -> Tensor) -> Outcome<Vec<Item>> {
    let x = c.x(0)?;
    if x.rank() < 3 {
        return invalid("needs images [N, C, …]");
    }
    let axes: Vec<usize> = (2..x.rank()).collect();
    one(Kind::Float, keep(&x, &f(&x, &axes), &axes))
}
