//! Operators that bring numbers to a common scale.

use super::call::{Call, Outcome, invalid, one, unsupported};
use super::reduce::{first_max, keep};
use super::table::Rule;
use super::value::{Item, Kind, expand};
use graph::ops::Compare;
use graph::{DType, Tensor};

pub(super) fn find(op: &str) -> Option<Rule> {
    Some(match op {
        "Softmax" => |c| {
            over(c, |x, a| {
                let e = shifted(x, a).exp();
                &e / along(&e, &e.sum(a), a)
            })
        },
        "LogSoftmax" => |c| {
            over(c, |x, a| {
                let z = shifted(x, a);
                &z - along(&z, &z.exp().sum(a).log(), a)
            })
        },
        "Hardmax" => hardmax,
        "LpNormalization" => lp,
        "BatchNormalization" => batch,
        "InstanceNormalization" => instance,
        "GroupNormalization" => group,
        "LayerNormalization" => layer,
        "RMSNormalization" => rms,
        "MeanVarianceNormalization" => mean_variance,
        "LRN" => local_response,
        _ => return None,
    })
}

/// What was reduced over `axes`, repeated to the shape of `x`.
fn along(x: &Tensor, reduced: &Tensor, axes: &[usize]) -> Tensor {
    expand(&keep(x, reduced, axes), x.shape())
}

fn shifted(x: &Tensor, axes: &[usize]) -> Tensor {
    x - along(x, &x.max(axes).stop_gradient(), axes)
}

/// The axes of a softmax: one since operator set 13, that one and all that follow before.
fn over(c: &Call, f: impl Fn(&Tensor, &[usize]) -> Tensor) -> Outcome<Vec<Item>> {
    let x = c.x(0)?;
    let axes = if c.opset >= 13 {
        vec![c.axis(-1, x.rank())?]
    } else if c.int("axis", 1)? == x.rank() as i64 {
        vec![]
    } else {
        (c.axis(1, x.rank())?..x.rank()).collect()
    };
    one(Kind::Float, f(&x, &axes))
}

/// 1 at the first largest element, else 0.
fn hardmax(c: &Call) -> Outcome<Vec<Item>> {
    let x = c.x(0)?;
    let a = c.axis(if c.opset >= 13 { -1 } else { 1 }, x.rank())?;
    if c.opset < 13 && a + 1 != x.rank() {
        return unsupported("several axes at once (operator sets before 13)");
    }
    let first = expand(&keep(&x, &first_max(&x, a, false), &[a]), x.shape());
    let count = x.tracer().iota(DType::I32, x.shape(), a);
    one(Kind::Float, count.compare(Compare::Eq, &first).cast(x.dtype()))
}

fn lp(c: &Call) -> Outcome<Vec<Item>> {
    let x = c.x(0)?;
    let a = [c.axis(-1, x.rank())?];
    let norm = match c.int("p", 2)? {
        1 => x.abs().sum(&a),
        2 => x.square().sum(&a).sqrt(),
        p => return invalid(format!("p is {p}: use 1 or 2")),
    };
    // Rows of zeros stay what they are.
    let safe = norm.compare(Compare::Eq, &norm.full_like(0.0)).select(&norm.full_like(1.0), &norm);
    one(Kind::Float, &x / along(&x, &safe, &a))
}

/// (x − mean)/√(variance + ε) over axes.
fn standardized(x: &Tensor, axes: &[usize], epsilon: f64) -> Tensor {
    let centred = x - along(x, &x.mean(axes), axes);
    let variance = centred.square().mean(axes);
    &centred * along(x, &(variance + epsilon).rsqrt(), axes)
}

/// One number per channel, repeated to the shape of `x` `[N, C, …]`.
fn channels(x: &Tensor, t: &Tensor) -> Outcome<Tensor> {
    if x.rank() < 2 || t.shape() != [x.shape()[1]] {
        return invalid(format!("needs one number per channel of {:?}, but has shape {:?}", x.shape(), t.shape()));
    }
    Ok(t.broadcast(x.shape(), &[1]))
}

fn scaled(x: &Tensor, scale: &Tensor, bias: &Tensor) -> Outcome<Tensor> {
    Ok(x * channels(x, scale)? + channels(x, bias)?)
}

fn batch(c: &Call) -> Outcome<Vec<Item>> {
    if c.int("training_mode", 0)? != 0 || c.node.outputs.len() > 1 {
        return unsupported("batch normalization while training: export the model for use");
    }
    let (x, epsilon) = (c.x(0)?, c.float("epsilon", 1e-5)?);
    let x = if x.rank() == 1 { x.reshape(&[x.shape()[0], 1]) } else { x };
    let factor = c.x(1)? * (c.x(4)? + epsilon).rsqrt();
    let offset = c.x(2)? - c.x(3)? * &factor;
    let out = scaled(&x, &factor, &offset)?;
    one(Kind::Float, out.reshape(c.item(0)?.shape()))
}

fn instance(c: &Call) -> Outcome<Vec<Item>> {
    let (x, epsilon) = (c.x(0)?, c.float("epsilon", 1e-5)?);
    let axes: Vec<usize> = (2..x.rank()).collect();
    one(Kind::Float, scaled(&standardized(&x, &axes, epsilon), &c.x(1)?, &c.x(2)?)?)
}

fn group(c: &Call) -> Outcome<Vec<Item>> {
    let (x, epsilon) = (c.x(0)?, c.float("epsilon", 1e-5)?);
    let groups = super::call::size(c.int("num_groups", 0)?, "num_groups")?;
    if x.rank() < 3 || groups == 0 || x.shape()[1] % groups != 0 {
        return invalid(format!("the channels of {:?} are no {groups} groups", x.shape()));
    }
    let apart = [&[x.shape()[0], groups, x.shape()[1] / groups], &x.shape()[2..]].concat();
    let axes: Vec<usize> = (2..apart.len()).collect();
    let out = standardized(&x.reshape(&apart), &axes, epsilon).reshape(x.shape());
    let (scale, bias) = (c.x(1)?, c.x(2)?);
    if scale.shape() == [x.shape()[1]] {
        return one(Kind::Float, scaled(&out, &scale, &bias)?);
    }
    // Before operator set 21 there is one number per group.
    if scale.shape() != [groups] || bias.shape() != [groups] {
        return invalid("scale and bias must have one number per channel");
    }
    let each = |t: &Tensor| t.broadcast(&[groups, x.shape()[1] / groups], &[0]).reshape(&[x.shape()[1]]);
    one(Kind::Float, scaled(&out, &each(&scale), &each(&bias))?)
}

fn layer(c: &Call) -> Outcome<Vec<Item>> {
    let (x, epsilon) = (c.x(0)?, c.float("epsilon", 1e-5)?);
    let axes: Vec<usize> = (c.axis(-1, x.rank())?..x.rank()).collect();
    let mean = x.mean(&axes);
    let centred = &x - along(&x, &mean, &axes);
    let factor = (centred.square().mean(&axes) + epsilon).rsqrt();
    let mut out = super::call::repeated(&[&centred * along(&x, &factor, &axes), c.x(1)?])?;
    let mut y = &out[0] * &out[1];
    if c.has(2) {
        out = super::call::repeated(&[y, c.x(2)?])?;
        y = &out[0] + &out[1];
    }
    let all = [y, keep(&x, &mean, &axes), keep(&x, &factor, &axes)];
    Ok(all.into_iter().take(c.node.outputs.len().max(1)).map(|t| Item::tensor(Kind::Float, t)).collect())
}

fn rms(c: &Call) -> Outcome<Vec<Item>> {
    let (x, epsilon) = (c.x(0)?, c.float("epsilon", 1e-5)?);
    let axes: Vec<usize> = (c.axis(-1, x.rank())?..x.rank()).collect();
    let factor = (x.square().mean(&axes) + epsilon).rsqrt();
    let pair = super::call::repeated(&[&x * along(&x, &factor, &axes), c.x(1)?])?;
    one(Kind::Float, &pair[0] * &pair[1])
}

fn mean_variance(c: &Call) -> Outcome<Vec<Item>> {
    let x = c.x(0)?;
    let axes = super::call::axes(&c.ints("axes")?.unwrap_or(vec![0, 2, 3]), x.rank())?;
    let centred = &x - along(&x, &x.mean(&axes), &axes);
    let deviation = centred.square().mean(&axes).sqrt();
    one(Kind::Float, &centred / along(&x, &(deviation + 1e-9), &axes))
}

/// x / (bias + α/size · Σ x² over neighbouring channels)^β.
fn local_response(c: &Call) -> Outcome<Vec<Item>> {
    let x = c.x(0)?;
    let size = super::call::size(c.int("size", 0)?, "size")?;
    if x.rank() < 2 || size == 0 || size > 1024 {
        return invalid("needs images [N, C, …] and a size from 1 to 1024");
    }
    let mut around = vec![(0, 0); x.rank()];
    around[1] = ((size - 1) / 2, size / 2);
    let (n, padded) = (x.shape()[1], x.square().pad(&around, 0.0));
    let sum = (1..size).fold(padded.slice(1, 0, n), |sum, k| sum + padded.slice(1, k, k + n));
    let base = sum * (c.float("alpha", 1e-4)? / size as f64) + c.float("bias", 1.0)?;
    one(Kind::Float, &x / base.powf(c.float("beta", 0.75)?))
}
