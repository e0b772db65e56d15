//! Windows of images: pooling where they are reduced at once, otherwise a cut for each place of a window.

use super::contract::NCHW;
use super::emitter::{Emitter, View};
use super::moves::{self, Span};
use super::symbolic::{Extent, Fill};
use crate::Result;
use crate::model::Attribute;
use graph::{Id, Op};

/// Image, window and step, if `id` is all windows of an image.
fn windows(e: &Emitter, id: Id) -> Option<(Id, [usize; 2], [usize; 2])> {
    let node = e.sym.graph.node(id);
    if let Op::Unfold { window, stride } = node.op { Some((node.args[0], window, stride)) } else { None }
}

fn pool(e: &mut Emitter, op: &str, image: Id, window: [usize; 2], stride: [usize; 2]) -> Result<View> {
    let (view, shape) = (e.view(image), e.sym.shape(image).to_vec());
    let image = e.whole(&view, &NCHW, &shape)?;
    let pair = |x: [usize; 2]| Attribute::Ints(x.map(|x| x as i64).to_vec());
    Ok(View::value(e.node(op, &[&image], vec![("kernel_shape", pair(window)), ("strides", pair(stride))]), NCHW.to_vec()))
}

/// The maximum of each window.
pub(super) fn max(e: &mut Emitter, x: Id, axes: &[usize]) -> Option<Result<View>> {
    let (image, window, stride) = windows(e, x).filter(|_| axes == [3, 4])?;
    Some(pool(e, "MaxPool", image, window, stride))
}

/// The sum `id` of each window, as its mean times its size.
pub(super) fn average(e: &mut Emitter, id: Id) -> Option<Result<View>> {
    let (image, window, stride) = summed(e, id)?;
    let size = e.scalar(e.sym.graph.ty(id).dtype, (window[0] * window[1]) as f64);
    Some(pool(e, "AveragePool", image, window, stride).map(|mean| e.elementwise("Mul", &[mean, size])))
}

fn summed(e: &Emitter, id: Id) -> Option<(Id, [usize; 2], [usize; 2])> {
    let node = e.sym.graph.node(id);
    let windows = windows(e, *node.args.first()?)?;
    (node.op == Op::Sum(vec![3, 4])).then_some(windows)
}

/// The sum of each window divided by its size.
pub(super) fn scaled_average(e: &mut Emitter, args: &[Id]) -> Option<Result<View>> {
    let (sum, factor) = if summed(e, args[0]).is_some() { (args[0], args[1]) } else { (args[1], args[0]) };
    let (image, window, stride) = summed(e, sum)?;
    let Op::Full { .. } = e.sym.graph.node(factor).op else { return None };
    let one = 1.0 / (window[0] * window[1]) as f64;
    let mean = matches!(e.sym.fill(factor), Fill::Number(x) if (x - one).abs() <= one * 1e-7);
    mean.then(|| pool(e, "AveragePool", image, window, stride))
}

/// All windows: for each place in a window the image of what is there, side by side in the channels.
pub(super) fn unfold(e: &mut Emitter, id: Id, x: Id, window: [usize; 2], stride: [usize; 2]) -> Result<View> {
    let image = e.in_order(x)?;
    let (shape, channels) = (e.sym.shape(id).to_vec(), e.sym.shape(x)[3]);
    let mut parts = vec![];
    for at in places(window) {
        let span = |d: usize| {
            let last = Extent { scale: shape[d + 1].scale, offset: shape[d + 1].offset - 1 };
            let reach = Extent { scale: last.scale * stride[d] as i64, offset: last.offset * stride[d] as i64 + at[d] as i64 + 1 };
            Span { axis: d + 1, start: Extent::fixed(at[d]), limit: Some(reach), step: stride[d] }
        };
        parts.push(moves::slice_value(e, &image, &[span(0), span(1)])?);
    }
    let refs: Vec<&str> = parts.iter().map(String::as_str).collect();
    let all = e.node("Concat", &refs, vec![("axis", Attribute::Int(3))]);
    let n = (window[0] * window[1]) as i64;
    let wide = Extent { scale: channels.scale * n, offset: channels.offset * n };
    let from = [shape[0], shape[1], shape[2], wide];
    Ok(View::plain(moves::reshape_value(e, &all, &from, &shape)?, 6))
}

/// Adds windows into an image: for each place in a window, what is there is spread by the step, moved to
/// its place and added.
pub(super) fn fold(e: &mut Emitter, id: Id, x: Id, stride: [usize; 2]) -> Result<View> {
    let shape = e.sym.graph.shape(x).to_vec();
    let dtype = e.sym.graph.ty(id).dtype;
    let size = [e.sym.graph.shape(id)[1], e.sym.graph.shape(id)[2]];
    let from = e.sym.shape(x).to_vec();
    let cut = [from[0], from[1], from[2], from[5]];
    if from[1..].iter().any(|n| n.known().is_none()) {
        return e.unsupported("images whose size depends on the batch cannot be put together: give them a fixed size");
    }
    let windows = e.in_order(x)?;
    let axes = e.ints(&[3, 4]);
    let mut parts = vec![];
    for at in places([shape[3], shape[4]]) {
        let span = |d: usize| Span { axis: d + 3, start: Extent::fixed(at[d]), limit: Some(Extent::fixed(at[d] + 1)), step: 1 };
        let here = moves::slice_value(e, &windows, &[span(0), span(1)])?;
        let here = View::plain(e.node("Squeeze", &[&here, &axes], vec![]), 4);
        let after = |d: usize| size[d] - at[d] - ((shape[d + 1].max(1) - 1) * stride[d] + 1).min(size[d] - at[d]);
        let (lo, hi) = ([0, at[0], at[1], 0], [0, after(0), after(1), 0]);
        let moved = moves::pad(e, &here, &cut, [&lo, &hi, &[0, stride[0] - 1, stride[1] - 1, 0]], 0.0, dtype)?;
        parts.push(e.arrange(&moved, &[0, 1, 2, 3], false));
    }
    let refs: Vec<&str> = parts.iter().map(String::as_str).collect();
    Ok(View::plain(e.node("Sum", &refs, vec![]), 4))
}

/// All places in a window, row by row.
fn places(window: [usize; 2]) -> impl Iterator<Item = [usize; 2]> {
    (0..window[0]).flat_map(move |y| (0..window[1]).map(move |x| [y, x]))
}
