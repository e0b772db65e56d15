//! Arithmetic, elementary functions, comparison, selection; and the compositions that ONNX has a name for.

use super::contract;
use super::emitter::{Emitter, View, element};
use super::symbolic::Fill;
use crate::Result;
use crate::model::{Attribute, Element};
use graph::ops::{Binary, Compare, Unary};
use graph::{DType, Id, Op};

pub(super) fn unary(e: &mut Emitter, u: Unary, x: Id) -> View {
    let (view, dtype) = (e.view(x), e.sym.graph.ty(x).dtype);
    let op = match u {
        Unary::Neg => "Neg",
        Unary::Exp => "Exp",
        Unary::Log => "Log",
        Unary::Tanh => "Tanh",
        Unary::Sigmoid => "Sigmoid",
        Unary::Sin => "Sin",
        Unary::Cos => "Cos",
        Unary::Sqrt => "Sqrt",
        Unary::Erf => "Erf",
        Unary::Abs => "Abs",
        Unary::Sign => "Sign",
        Unary::Floor => "Floor",
        Unary::Round => "Round",
        Unary::Rsqrt => {
            let root = e.elementwise("Sqrt", &[view]);
            return e.elementwise("Reciprocal", &[root]);
        }
        Unary::Expm1 => return expm1(e, view, dtype),
        Unary::Log1p => return log1p(e, view, dtype),
    };
    e.elementwise(op, &[view])
}

/// eˣ − 1 = tanh(x/2)·(eˣ + 1), which cancels nowhere.
fn expm1(e: &mut Emitter, x: View, dtype: DType) -> View {
    let (half, one) = (e.scalar(dtype, 0.5), e.scalar(dtype, 1.0));
    let half = e.elementwise("Mul", &[x.clone(), half]);
    let tanh = e.elementwise("Tanh", &[half]);
    let exp = e.elementwise("Exp", &[x]);
    let more = e.elementwise("Add", &[exp, one]);
    e.elementwise("Mul", &[tanh, more])
}

/// log(1 + x) = log(u)·x/(u − 1) with u = 1 + x rounded, and x where u = 1 (Kahan; see Goldberg 1991,
/// theorem 4). Bounds keep ∞/∞ from becoming a NaN.
fn log1p(e: &mut Emitter, x: View, dtype: DType) -> View {
    let (one, bound) = (e.scalar(dtype, 1.0), e.scalar(dtype, 1e30));
    let u = e.elementwise("Add", &[x.clone(), one.clone()]);
    let tiny = e.elementwise("Equal", &[u.clone(), one.clone()]);
    let rounded = e.elementwise("Sub", &[u.clone(), one.clone()]);
    let [above, below] = [x.clone(), rounded].map(|v| e.elementwise("Min", &[v, bound.clone()]));
    let below = e.elementwise("Where", &[tiny.clone(), one, below]);
    let ratio = e.elementwise("Div", &[above, below]);
    let log = e.elementwise("Log", &[u]);
    let product = e.elementwise("Mul", &[log, ratio]);
    e.elementwise("Where", &[tiny, x, product])
}

pub(super) fn binary(e: &mut Emitter, b: Binary, id: Id, args: &[Id]) -> Result<View> {
    if let Some(found) = named(e, b, id, args) {
        return found;
    }
    let op = match b {
        Binary::Add => "Add",
        Binary::Sub => "Sub",
        Binary::Mul => "Mul",
        Binary::Div => "Div",
        Binary::Pow => "Pow",
        Binary::Max => "Max",
        Binary::Min => "Min",
    };
    let views = [e.view(args[0]), e.view(args[1])];
    Ok(e.elementwise(op, &views))
}

/// Compositions that are one operator: relu, softmax and its logarithm, a product with bias.
fn named(e: &mut Emitter, b: Binary, id: Id, args: &[Id]) -> Option<Result<View>> {
    match b {
        Binary::Add => [[0, 1], [1, 0]].into_iter().find_map(|[p, q]| biased(e, args[p], args[q])),
        Binary::Max => {
            let zero = |x: Id| is_full(e, x, 0.0);
            let x = if zero(args[1]) { args[0] } else { zero(args[0]).then_some(args[1])? };
            let view = e.view(x);
            Some(Ok(e.elementwise("Relu", &[view])))
        }
        Binary::Div => {
            let axis = last(e, id)?;
            let z = arg_of(e, args[0], &Op::Unary(Unary::Exp))?;
            let sum = arg_of(e, args[1], &kept(e, id)?)?;
            (arg_of(e, sum, &Op::Sum(vec![axis]))? == args[0]).then_some(())?;
            softmax(e, "Softmax", z, axis)
        }
        Binary::Sub => {
            let axis = last(e, id)?;
            let log = arg_of(e, args[1], &kept(e, id)?)?;
            let sum = arg_of(e, log, &Op::Unary(Unary::Log))?;
            let exp = arg_of(e, sum, &Op::Sum(vec![axis]))?;
            (arg_of(e, exp, &Op::Unary(Unary::Exp))? == args[0]).then_some(())?;
            softmax(e, "LogSoftmax", args[0], axis)
        }
        Binary::Mul => super::window::scaled_average(e, args),
        _ => None,
    }
}

fn is_full(e: &Emitter, x: Id, value: f64) -> bool {
    matches!(e.sym.graph.node(x).op, Op::Full { .. }) && e.sym.fill(x) == Fill::Number(value)
}

fn last(e: &Emitter, id: Id) -> Option<usize> {
    e.sym.shape(id).len().checked_sub(1)
}

/// The broadcast that repeats along the last axis.
fn kept(e: &Emitter, id: Id) -> Option<Op> {
    Some(Op::Broadcast { shape: e.sym.graph.shape(id).to_vec(), dims: (0..last(e, id)?).collect() })
}

/// The operand of `id` if it is this operation.
fn arg_of(e: &Emitter, id: Id, op: &Op) -> Option<Id> {
    let node = e.sym.graph.node(id);
    (node.op == *op).then(|| node.args[0])
}

/// The operator for z = x − max x, applied to x.
fn softmax(e: &mut Emitter, op: &str, z: Id, axis: usize) -> Option<Result<View>> {
    let node = e.sym.graph.node(z);
    let Op::Binary(Binary::Sub) = node.op else { return None };
    let x = node.args[0];
    let max = arg_of(e, node.args[1], &kept(e, z)?)?;
    let max = arg_of(e, max, &Op::StopGradient).unwrap_or(max);
    (arg_of(e, max, &Op::Max(vec![axis]))? == x).then_some(())?;
    let view = e.view(x);
    let place = view.axes.iter().position(|&a| a == axis)?;
    Some(Ok(e.elementwise_with(op, &[view], vec![("axis", Attribute::Int(place as i64))])))
}

/// A product or convolution `p` whose only use is that `q`, one number per column or channel, is added.
fn biased(e: &mut Emitter, p: Id, q: Id) -> Option<Result<View>> {
    let node = e.sym.graph.node(p);
    let fits = e.sym.users[p.index()] == 1 && e.view(q).axes == [last(e, p)?];
    if !fits {
        return None;
    }
    match &node.op {
        Op::Dot(dot) if contract::is_matrix_product(e, dot, &node.args) => Some(contract::dot(e, dot, &node.args, Some(q))),
        Op::Conv(conv) => Some(contract::conv(e, conv, &node.args, Some(q))),
        _ => None,
    }
}

pub(super) fn compare(e: &mut Emitter, c: Compare, id: Id, args: &[Id]) -> View {
    let op = match c {
        Compare::Eq | Compare::Ne => "Equal",
        Compare::Lt => "Less",
        Compare::Le => "LessOrEqual",
        Compare::Gt => "Greater",
        Compare::Ge => "GreaterOrEqual",
    };
    let views = [e.view(args[0]), e.view(args[1])];
    let mut mask = e.elementwise(op, &views);
    if c == Compare::Ne {
        mask = e.elementwise("Not", &[mask]);
    }
    e.masks.insert(id, mask.clone());
    let to = element(e.sym.graph.ty(id).dtype);
    cast_to(e, mask, to)
}

fn cast_to(e: &mut Emitter, view: View, to: Element) -> View {
    e.elementwise_with("Cast", &[view], vec![("to", Attribute::Int(to as i64))])
}

pub(super) fn cast(e: &mut Emitter, to: DType, x: Id) -> View {
    let view = e.masks.get(&x).cloned().unwrap_or_else(|| e.view(x));
    cast_to(e, view, element(to))
}

pub(super) fn select(e: &mut Emitter, args: &[Id]) -> View {
    let mask = match e.masks.get(&args[0]) {
        Some(mask) => mask.clone(),
        None => {
            let view = e.view(args[0]);
            cast_to(e, view, Element::Bool)
        }
    };
    let views = [mask, e.view(args[1]), e.view(args[2])];
    e.elementwise("Where", &views)
}
