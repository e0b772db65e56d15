//! Rewrites a graph, on itself, into the forms the lowering is best at:
//!
//! * convolutions lose padding and left dilation (the image is padded, before any transpose, so that
//!   forward pass and kernel gradient share the padded image);
//! * right operands of products get their columns last (a batch-invariant one is then turned once a
//!   step, not once a tile);
//! * a product of equal rows, as the derivative along a fixed direction begins with, is one row repeated;
//! * the mask of a ReLU's gradient is taken from its result, so that its operand need not be kept.

use graph::ops::contract::Dot;
use graph::ops::{Binary, Compare, Conv};
use graph::{Graph, Id, Op, Result, Scalar};

/// The rewritten graph, holding what `outputs` need, and the outputs in it.
///
/// # Errors
/// None for a legal graph.
pub fn prepare(g: &Graph, outputs: &[Id]) -> Result<(Graph, Vec<Id>)> {
    let live = g.live(outputs);
    let mut out = Graph::new();
    let mut map = vec![Id(u32::MAX); g.nodes().len()];
    for (i, node) in g.nodes().iter().enumerate() {
        let id = Id(i as u32);
        if let (Op::Input { name, ty }, true) = (&node.op, g.inputs().contains(&id)) {
            map[i] = out.input(name, ty.clone());
            continue;
        }
        if !live[i] {
            continue;
        }
        out.set_layer(g.layer(id));
        let args: Vec<Id> = node.args.iter().map(|a| map[a.index()]).collect();
        map[i] = match &node.op {
            Op::Conv(c) => conv(&mut out, c, args[0], args[1])?,
            Op::Dot(d) => dot(&mut out, d, args[0], args[1])?,
            Op::Compare(Compare::Gt) => positive(&mut out, args[0], args[1])?,
            op => out.push(op.clone(), &args)?,
        };
    }
    let outputs: Vec<Id> = outputs.iter().map(|o| map[o.index()]).collect();
    Ok(out.pruned(&outputs))
}

/// A convolution of the padded image.
fn conv(g: &mut Graph, c: &Conv, x: Id, w: Id) -> Result<Id> {
    let around = [(0, 0), c.padding[0], c.padding[1], (0, 0)];
    let between = [1, c.lhs_dilation[0], c.lhs_dilation[1], 1];
    let (base, perm) = match &g.node(x).op {
        Op::Transpose(perm) => (g.node(x).args[0], perm.clone()),
        _ => (x, vec![0, 1, 2, 3]),
    };
    // Axis i of the convolution's image is axis perm[i] of the base.
    let of = |axis: usize| perm.iter().position(|&p| p == axis).unwrap_or(axis);
    let amount = |f: &dyn Fn(usize) -> i64| (0..4).map(|axis| f(of(axis)).max(0) as usize).collect::<Vec<_>>();
    let (lo, hi) = (amount(&|i| around[i].0), amount(&|i| around[i].1));
    let interior = (0..4).map(|axis| between[of(axis)] - 1).collect();
    let padded = g.push(Op::Pad { lo, hi, interior, value: Scalar::new(0.0) }, &[base])?;
    let (start, cut) = (amount(&|i| -around[i].0), amount(&|i| -around[i].1));
    let plain = Conv { stride: c.stride, rhs_dilation: c.rhs_dilation, ..Conv::default() };
    let extent = g.shape(padded).to_vec();
    if (0..4).any(|d| start[d] + cut[d] > extent[d]) {
        // Nothing of the image is left: all sums are empty.
        let (image, kernel) = (g.ty(x).clone(), g.shape(w).to_vec());
        let size = |d: usize| c.out_extent(d, image.shape[d + 1], kernel[d]);
        let ty = image.with_shape([image.shape[0], size(0), size(1), kernel[3]]);
        return g.push(Op::Full { value: Scalar::new(0.0), ty }, &[]);
    }
    let limit = (0..4).map(|d| extent[d] - cut[d]).collect();
    let cropped = g.push(Op::Slice { start, limit, stride: vec![1; 4] }, &[padded])?;
    let image = g.push(Op::Transpose(perm), &[cropped])?;
    g.push(Op::Conv(plain), &[image, w])
}

/// A product whose right operand has the free axes last.
fn dot(g: &mut Graph, d: &Dot, x: Id, w: Id) -> Result<Id> {
    if let Some(rows) = equal_rows(g, d, x, w)? {
        return Ok(rows);
    }
    let rank = g.shape(w).len();
    let (_, free) = d.free(g.shape(x).len(), rank);
    let last = free.last() == Some(&(rank.wrapping_sub(1)));
    if free.is_empty() || last {
        return g.push(Op::Dot(d.clone()), &[x, w]);
    }
    let perm = [d.rhs_batch.clone(), d.rhs_contract.clone(), free].concat();
    let (nb, nc) = (d.rhs_batch.len(), d.rhs_contract.len());
    let turned = g.push(Op::Transpose(perm), &[w])?;
    let dot = Dot { rhs_batch: (0..nb).collect(), rhs_contract: (nb..nb + nc).collect(), ..d.clone() };
    g.push(Op::Dot(dot), &[x, turned])
}

/// The product of one of `x`'s rows, repeated, if they all are the same number.
fn equal_rows(g: &mut Graph, d: &Dot, x: Id, w: Id) -> Result<Option<Id>> {
    let Op::Full { value, ty } = &g.node(x).op else { return Ok(None) };
    let (value, mut row) = (*value, ty.clone());
    let (left, right) = d.free(row.rank(), g.shape(w).len());
    if !d.lhs_batch.is_empty() || left.iter().map(|&a| row.shape[a]).product::<usize>() <= 1 {
        return Ok(None);
    }
    let columns: Vec<usize> = right.iter().map(|&a| g.shape(w)[a]).collect();
    let shape: Vec<usize> = left.iter().map(|&a| row.shape[a]).chain(columns.iter().copied()).collect();
    left.iter().for_each(|&a| row.shape[a] = 1);
    let row = g.push(Op::Full { value, ty: row }, &[])?;
    let one = dot(g, d, row, w)?;
    let one = g.push(Op::Reshape(columns), &[one])?;
    g.push(Op::Broadcast { dims: (left.len()..shape.len()).collect(), shape }, &[one]).map(Some)
}

/// `x > 0`, as `max(x, 0) > 0` where that maximum exists already (both are false for NaN).
fn positive(g: &mut Graph, x: Id, y: Id) -> Result<Id> {
    let zero = matches!(&g.node(y).op, Op::Full { value, .. } if value.get() == 0.0);
    let relu = Op::Binary(Binary::Max);
    let known = zero.then(|| g.nodes().iter().position(|n| n.op == relu && n.args == [x, y])).flatten();
    let x = known.map_or(x, |i| Id(i as u32));
    g.push(Op::Compare(Compare::Gt), &[x, y])
}

#[cfg(test)]
mod tests {
    use super::*;
    use graph::eval::evaluate;
    use graph::{DType, Type, Value};

    #[test]
    fn a_product_of_equal_rows_is_one_row_repeated() {
        let mut g = Graph::new();
        let w = g.input("w", Type::new(DType::F32, [3, 2]));
        let full = |g: &mut Graph, rows: usize, axes: [usize; 2]| {
            let ty = Type::new(DType::F32, [[rows, 3][axes[0]], [rows, 3][axes[1]]]);
            g.push(Op::Full { value: Scalar::new(2.0), ty }, &[]).unwrap()
        };
        let (rows, columns, one) = (full(&mut g, 5, [0, 1]), full(&mut g, 5, [1, 0]), full(&mut g, 1, [0, 1]));
        let outputs = [(rows, 1), (columns, 0), (one, 1)].map(|(x, axis)| g.push(Op::Dot(Dot::pair(axis, 0)), &[x, w]).unwrap());
        let (p, prepared) = prepare(&g, &outputs).unwrap();
        let numbers = [Value::new(DType::F32, &[3, 2], vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0])];
        assert_eq!(evaluate(&p, &numbers, &prepared).unwrap(), evaluate(&g, &numbers, &outputs).unwrap());
        let repeated: Vec<bool> = prepared.iter().map(|&id| matches!(p.node(id).op, Op::Broadcast { .. })).collect();
        assert_eq!(repeated, [true, true, false]);
    }
}
