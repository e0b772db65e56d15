//! Products and convolutions.

use super::emitter::{Emitter, View};
use super::moves::{self, Span};
use super::symbolic::Extent;
use crate::Result;
use crate::model::Attribute;
use graph::ops::Conv;
use graph::ops::contract::Dot;
use graph::ops::conv::dilated;
use graph::{Id, Op};

/// Whether `dot` multiplies two matrices (either may be transposed).
pub(super) fn is_matrix_product(e: &Emitter, dot: &Dot, args: &[Id]) -> bool {
    let two = |x: Id| e.sym.shape(x).len() == 2;
    two(args[0]) && two(args[1]) && dot.lhs_contract.len() == 1 && dot.lhs_batch.is_empty()
}

pub(super) fn dot(e: &mut Emitter, dot: &Dot, args: &[Id], bias: Option<Id>) -> Result<View> {
    if is_matrix_product(e, dot, args) {
        return matrices(e, dot, args, bias);
    }
    let (ranks, nb) = ([e.sym.shape(args[0]).len(), e.sym.shape(args[1]).len()], dot.lhs_batch.len());
    let (lf, rf) = dot.free(ranks[0], ranks[1]);
    let out = nb + lf.len() + rf.len();
    // MatMul wants matrices, stacked; without a stack the left operand may have any rank, the right one or two.
    let one = dot.lhs_contract.len() == 1;
    let stacked = nb > 0 && lf.len() == 1 && rf.len() == 1;
    let flat = nb == 0 && rf.len() <= 1;
    if one && (stacked || flat) {
        let left = whole(e, args[0], &[&dot.lhs_batch[..], &lf, &dot.lhs_contract].concat())?;
        let right = whole(e, args[1], &[&dot.rhs_batch[..], &dot.rhs_contract, &rf].concat())?;
        return Ok(View::plain(e.node("MatMul", &[&left, &right], vec![]), out));
    }
    let equation = equation(dot, ranks);
    let (left, right) = (e.in_order(args[0])?, e.in_order(args[1])?);
    Ok(View::plain(e.node("Einsum", &[&left, &right], vec![("equation", Attribute::Text(equation))]), out))
}

/// A value that holds all axes in this order.
fn whole(e: &mut Emitter, id: Id, order: &[usize]) -> Result<String> {
    let (view, shape) = (e.view(id), e.sym.shape(id).to_vec());
    e.whole(&view, order, &shape)
}

/// `bij,bjk->bik`: a letter for each axis, the same for paired ones.
fn equation(dot: &Dot, ranks: [usize; 2]) -> String {
    let mut letters = ('a'..='z').chain('A'..='Z');
    let mut next = || letters.next().unwrap_or('?');
    let left: Vec<char> = (0..ranks[0]).map(|_| next()).collect();
    let pairs = dot.lhs_contract.iter().zip(&dot.rhs_contract).chain(dot.lhs_batch.iter().zip(&dot.rhs_batch));
    let partner = |j: usize| pairs.clone().find(|(_, r)| **r == j).map(|(l, _)| left[*l]);
    let right: Vec<char> = (0..ranks[1]).map(|j| partner(j).unwrap_or_else(&mut next)).collect();
    let (lf, rf) = dot.free(ranks[0], ranks[1]);
    let out = dot.lhs_batch.iter().chain(&lf).map(|&i| left[i]).chain(rf.iter().map(|&j| right[j]));
    let text = |c: &[char]| c.iter().collect::<String>();
    format!("{},{}->{}", text(&left), text(&right), out.collect::<String>())
}

/// MatMul, or Gemm where there is a bias or an operand is stored transposed.
fn matrices(e: &mut Emitter, dot: &Dot, args: &[Id], bias: Option<Id>) -> Result<View> {
    let mut operand = |id: Id, natural: [usize; 2]| -> Result<(String, bool)> {
        let view = e.view(id);
        let turned = matches!(view.store, super::emitter::Store::Value(_)) && view.axes == [natural[1], natural[0]];
        let order = if turned { [natural[1], natural[0]] } else { natural };
        Ok((whole(e, id, &order)?, turned))
    };
    let (l, r) = (dot.lhs_contract[0], dot.rhs_contract[0]);
    let (left, turn_left) = operand(args[0], [1 - l, l])?;
    let (right, turn_right) = operand(args[1], [r, 1 - r])?;
    let bias = bias.map(|q| {
        let view = e.view(q);
        e.arrange(&view, &view.axes, false)
    });
    if bias.is_none() && !turn_left && !turn_right {
        return Ok(View::plain(e.node("MatMul", &[&left, &right], vec![]), 2));
    }
    let mut attributes = vec![];
    for (name, turned) in [("transA", turn_left), ("transB", turn_right)] {
        if turned {
            attributes.push((name, Attribute::Int(1)));
        }
    }
    let inputs: Vec<&str> = [&left, &right].into_iter().chain(&bias).map(String::as_str).collect();
    Ok(View::plain(e.node("Gemm", &inputs, attributes), 2))
}

/// Axes of an image or a result, channels first.
pub(super) const NCHW: [usize; 4] = [0, 3, 1, 2];

/// Axes of a kernel in the order of ONNX's Conv and ConvTranspose.
const OIHW: [usize; 4] = [3, 2, 0, 1];
const IOHW: [usize; 4] = [2, 3, 0, 1];

pub(super) fn conv(e: &mut Emitter, conv: &Conv, args: &[Id], bias: Option<Id>) -> Result<View> {
    let mut image = whole(e, args[0], &NCHW)?;
    let bias = bias.map(|q| {
        let view = e.view(q);
        e.arrange(&view, &view.axes, false)
    });
    let kernel = [0, 1].map(|d| e.sym.graph.shape(args[1])[d]);
    if let Some(view) = transposed(e, conv, args, &image, kernel, &bias)? {
        return Ok(view);
    }
    let mut extents: Vec<Extent> = NCHW.iter().map(|&a| e.sym.shape(args[0])[a]).collect();
    if conv.lhs_dilation != [1, 1] {
        let gaps = [0, 0, conv.lhs_dilation[0] - 1, conv.lhs_dilation[1] - 1];
        let dtype = e.sym.graph.ty(args[0]).dtype;
        let view = View::plain(image, 4);
        let spread = moves::pad(e, &view, &extents, [&[0; 4], &[0; 4], &gaps], 0.0, dtype)?;
        image = e.arrange(&spread, &[0, 1, 2, 3], false);
        for d in [0, 1] {
            let (n, by) = (extents[d + 2], conv.lhs_dilation[d] as i64);
            extents[d + 2] = Extent { scale: n.scale * by, offset: (n.offset - 1) * by + 1 };
        }
    }
    image = cropped(e, &image, &extents, conv)?;
    let weights = whole(e, args[1], &OIHW)?;
    let inputs: Vec<&str> = [&image, &weights].into_iter().chain(&bias).map(String::as_str).collect();
    let pads = conv.padding.map(|(lo, hi)| (lo.max(0), hi.max(0)));
    let attributes = vec![
        ("kernel_shape", pair(kernel)),
        ("strides", pair(conv.stride)),
        ("pads", Attribute::Ints(vec![pads[0].0, pads[1].0, pads[0].1, pads[1].1])),
        ("dilations", pair(conv.rhs_dilation)),
    ];
    Ok(View::value(e.node("Conv", &inputs, attributes), NCHW.to_vec()))
}

fn pair(x: [usize; 2]) -> Attribute {
    Attribute::Ints(x.map(|x| x as i64).to_vec())
}

/// Cuts off what negative padding takes away.
fn cropped(e: &mut Emitter, image: &str, extents: &[Extent], conv: &Conv) -> Result<String> {
    let mut spans = vec![];
    for (d, (lo, hi)) in conv.padding.into_iter().enumerate() {
        if lo < 0 || hi < 0 {
            let n = extents[d + 2];
            let limit = (hi < 0).then_some(Extent { offset: n.offset + hi, ..n });
            spans.push(Span { axis: d + 2, start: Extent { scale: 0, offset: (-lo).max(0) }, limit, step: 1 });
        }
    }
    moves::slice_value(e, image, &spans)
}

/// A convolution with gaps in the image as the transposed convolution that it is: of the kernel turned
/// around, with the padding that is left of a full one.
fn transposed(e: &mut Emitter, conv: &Conv, args: &[Id], image: &str, kernel: [usize; 2], bias: &Option<String>) -> Result<Option<View>> {
    let left = [0, 1].map(|d| {
        let full = dilated(kernel[d], conv.rhs_dilation[d]) - 1;
        (full - conv.padding[d].0, full - conv.padding[d].1)
    });
    // Extra rows at the end come from output_padding, which must be smaller than the step.
    let fits = |d: usize| left[d].0 >= 0 && -left[d].1 < conv.lhs_dilation[d] as i64;
    if conv.lhs_dilation == [1, 1] || conv.stride != [1, 1] || !fits(0) || !fits(1) {
        return Ok(None);
    }
    let weights = turned(e, args[1])?;
    let inputs: Vec<&str> = [image, &weights].into_iter().chain(bias.as_deref()).collect();
    let attributes = vec![
        ("kernel_shape", pair(kernel)),
        ("strides", pair(conv.lhs_dilation)),
        ("pads", Attribute::Ints(vec![left[0].0, left[1].0, left[0].1.max(0), left[1].1.max(0)])),
        ("output_padding", Attribute::Ints(left.map(|(_, hi)| (-hi).max(0)).to_vec())),
        ("dilations", pair(conv.rhs_dilation)),
    ];
    Ok(Some(View::value(e.node("ConvTranspose", &inputs, attributes), NCHW.to_vec())))
}

/// The kernel with both spatial axes turned around; turning twice is turning not at all.
fn turned(e: &mut Emitter, kernel: Id) -> Result<String> {
    let node = e.sym.graph.node(kernel);
    if node.op == Op::Reverse(vec![0, 1]) {
        return whole(e, node.args[0], &IOHW);
    }
    let name = whole(e, kernel, &IOHW)?;
    let (minus, end, axes) = (e.ints(&[-1, -1]), e.ints(&[i64::MIN; 2]), e.ints(&[2, 3]));
    Ok(e.node("Slice", &[&name, &minus, &end, &axes, &minus], vec![]))
}
