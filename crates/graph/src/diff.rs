//! Differentiation, graph to graph: tangents forwards ([`jvp`]), cotangents backwards ([`vjp`],
//! [`grad`]), and the second derivatives built from them.
//!
//! Reverse mode has no rules of its own: tangents of the nodes are appended for unknown input
//! tangents, which makes a linear program, and this program is transposed.
//!
//! ```
//! use graph::{DType, Tracer, Value, diff, eval};
//! // Any order: the third derivative of x⁴ is 24 x.
//! let cx = Tracer::new();
//! let x = cx.input("x", DType::F64, &[]);
//! let mut d = x.powf(4.0);
//! for _ in 0..3 {
//!     d = diff::grad(&d, &[&x]).remove(0);
//! }
//! let out = eval::evaluate(&cx.finish()?, &[Value::scalar(DType::F64, 2.0)], &[d.id()])?;
//! assert_eq!(out[0].data[0], 48.0);
//! # Ok::<(), graph::Error>(())
//! ```

use crate::{Graph, Id, Result, Tensor, Type};

/// Tangents of `outputs` when each `inputs[i]` moves by `tangents[i]`; `None` is zero.
///
/// # Errors
/// A tangent whose type is not that of its input.
pub fn jvp_ids(g: &mut Graph, outputs: &[Id], inputs: &[Id], tangents: &[Id]) -> Result<Vec<Option<Id>>> {
    for (&x, &t) in inputs.iter().zip(tangents) {
        g.sub(x, t)?; // reports differing types; the node itself is dead and is pruned
    }
    let count = g.nodes().len();
    let mut tangent: Vec<Option<Id>> = vec![None; count];
    for (x, &t) in inputs.iter().zip(tangents) {
        tangent[x.index()] = Some(t);
    }
    let (moves, live) = (g.depends_on(inputs), g.live(outputs));
    for i in 0..count {
        if !moves[i] || !live[i] || tangent[i].is_some() {
            continue;
        }
        let node = g.node(Id(i as u32)).clone();
        let ts: Vec<Option<Id>> = node.args.iter().map(|a| tangent[a.index()]).collect();
        tangent[i] = node.op.jvp(g, Id(i as u32), &node.args, &ts)?;
    }
    Ok(outputs.iter().map(|o| tangent[o.index()]).collect())
}

/// Cotangents of `inputs`, given a cotangent `cts[i]` of each of `outputs`; `None` is zero.
///
/// # Errors
/// A cotangent whose type is not that of its output.
pub fn vjp_ids(g: &mut Graph, outputs: &[Id], cts: &[Id], inputs: &[Id]) -> Result<Vec<Option<Id>>> {
    let seeds: Vec<Id> = inputs.iter().map(|&x| seed(g, x)).collect();
    let tangents = jvp_ids(g, outputs, inputs, &seeds)?;
    let linear = g.depends_on(&seeds);
    let mut cotangent: Vec<Option<Id>> = vec![None; g.nodes().len()];
    for ((&o, t), &ct) in outputs.iter().zip(tangents).zip(cts) {
        g.sub(o, ct)?;
        if let Some(t) = t {
            accumulate(g, &mut cotangent, t, ct)?;
        }
    }
    for i in (0..linear.len()).rev() {
        let (Some(ct), true) = (cotangent[i], linear[i]) else { continue };
        let node = g.node(Id(i as u32)).clone();
        for (k, a) in node.args.iter().enumerate() {
            if linear[a.index()] {
                let share = node.op.transpose(g, ct, &node.args, k)?;
                accumulate(g, &mut cotangent, *a, share)?;
            }
        }
    }
    Ok(seeds.iter().map(|s| cotangent[s.index()]).collect())
}

/// A stand-in for an unknown tangent of `x`: an input that transposition removes again.
fn seed(g: &mut Graph, x: Id) -> Id {
    let ty: Type = g.ty(x).clone();
    g.unlisted_input("tangent", ty)
}

fn accumulate(g: &mut Graph, cotangent: &mut [Option<Id>], at: Id, ct: Id) -> Result<()> {
    let slot = &mut cotangent[at.index()];
    *slot = Some(match *slot {
        Some(before) => g.add(before, ct)?,
        None => ct,
    });
    Ok(())
}

/// Tangent of `y` when each tensor of `along` moves by its partner.
pub fn jvp(y: &Tensor, along: &[(&Tensor, &Tensor)]) -> Tensor {
    let cx = y.tracer().clone();
    if y.is_poisoned() || along.iter().any(|(x, t)| x.is_poisoned() || t.is_poisoned()) {
        return y.clone();
    }
    let (xs, ts): (Vec<Id>, Vec<Id>) = along.iter().map(|(x, t)| (x.id(), t.id())).unzip();
    match cx.edit(|g| jvp_ids(g, &[y.id()], &xs, &ts)) {
        Some(out) => out[0].map_or_else(|| y.full_like(0.0), |id| cx.handle(id)),
        None => y.clone(),
    }
}

/// Cotangents of `xs` for the cotangent `ct` of `y`: the product of `ct` with the Jacobian.
pub fn vjp(y: &Tensor, ct: &Tensor, xs: &[&Tensor]) -> Vec<Tensor> {
    let cx = y.tracer().clone();
    let zeros = || xs.iter().map(|x| x.full_like(0.0)).collect();
    if y.is_poisoned() || ct.is_poisoned() || xs.iter().any(|x| x.is_poisoned()) {
        return zeros();
    }
    let ids: Vec<Id> = xs.iter().map(|x| x.id()).collect();
    match cx.edit(|g| vjp_ids(g, &[y.id()], &[ct.id()], &ids)) {
        Some(out) => out.iter().zip(xs).map(|(id, x)| id.map_or_else(|| x.full_like(0.0), |id| cx.handle(id))).collect(),
        None => zeros(),
    }
}

/// Gradients of the sum of all elements of `y` with respect to `xs` (for a scalar `y`, its gradients).
pub fn grad(y: &Tensor, xs: &[&Tensor]) -> Vec<Tensor> {
    vjp(y, &y.full_like(1.0), xs)
}

/// Hessian of a scalar `y` as a matrix `[n, n]` over the flattened elements of `x`: forward over reverse.
pub fn hessian(y: &Tensor, x: &Tensor) -> Tensor {
    let n: usize = x.shape().iter().product();
    let g = grad(y, &[x]).remove(0);
    let rows: Vec<Tensor> = (0..n).map(|i| jvp(&g, &[(x, &basis(x, i))]).reshape(&[1, n])).collect();
    match &rows[..] {
        [] => x.tracer().full(x.dtype(), &[0, 0], 0.0),
        rows => Tensor::concat(&rows.iter().collect::<Vec<_>>(), 0),
    }
}

/// The tensor like `x` that is 1 at flat position `i` and 0 elsewhere.
fn basis(x: &Tensor, i: usize) -> Tensor {
    let n: usize = x.shape().iter().product();
    let at = x.tracer().iota(x.dtype(), &[n], 0);
    at.compare(crate::ops::Compare::Eq, &at.full_like(i as f64)).reshape(x.shape())
}

/// Sum of the unmixed second derivatives of `y` (shape `[n]`, one value a row) along the columns of
/// `x` (shape `[n, d]`), where row i of `y` depends on row i of `x` alone: `[n]`.
pub fn laplacian(y: &Tensor, x: &Tensor) -> Tensor {
    let d = x.shape().last().copied().unwrap_or(0);
    let column = x.tracer().iota(x.dtype(), x.shape(), x.rank().saturating_sub(1));
    let second = |k: usize| {
        let e = column.compare(crate::ops::Compare::Eq, &column.full_like(k as f64));
        jvp(&jvp(y, &[(x, &e)]), &[(x, &e)])
    };
    (0..d).map(second).reduce(|a, b| a + b).unwrap_or_else(|| y.full_like(0.0))
}

impl Graph {
    /// A node without operands that is not part of the calling convention.
    fn unlisted_input(&mut self, name: &str, ty: Type) -> Id {
        let id = self.input(name, ty);
        self.forget_last_input();
        id
    }
}
