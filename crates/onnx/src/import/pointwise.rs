//! Operators that treat every element alike.

use super::call::{Call, Fault, Outcome, invalid, one, repeated, select, truth, unsupported};
use super::table::Rule;
use super::value::{Item, Kind, full};
use crate::model::Element;
use graph::ops::{Binary, Compare};
use graph::{DType, Tensor};

pub(super) fn find(op: &str) -> Option<Rule> {
    Some(match op {
        "Abs" => |c| c.map(Tensor::abs),
        "Neg" => |c| c.map(|x| -x),
        "Exp" => |c| c.map(Tensor::exp),
        "Log" => |c| c.map(Tensor::log),
        "Sqrt" => |c| c.map(Tensor::sqrt),
        "Reciprocal" => |c| c.map(|x| 1.0 / x),
        "Tanh" => |c| c.map(Tensor::tanh),
        "Sigmoid" => |c| c.map(Tensor::sigmoid),
        "Sin" => |c| c.map(Tensor::sin),
        "Cos" => |c| c.map(Tensor::cos),
        "Tan" => |c| c.map(|x| x.sin() / x.cos()),
        "Sinh" => |c| c.map(|x| (x.expm1() - (-x).expm1()) * 0.5),
        "Cosh" => |c| c.map(|x| (x.exp() + (-x).exp()) * 0.5),
        "Asinh" => |c| c.map(asinh),
        "Acosh" => |c| c.map(|x| (x + (x * x - 1.0).sqrt()).log()),
        "Atanh" => |c| c.map(|x| (x.log1p() - (-x).log1p()) * 0.5),
        "Erf" => |c| c.map(Tensor::erf),
        "Sign" => |c| c.map(Tensor::sign),
        "Floor" => |c| c.map(Tensor::floor),
        "Ceil" => |c| c.map(|x| -(-x).floor()),
        "Round" => |c| c.map(Tensor::round),
        "Relu" => |c| c.map(Tensor::relu),
        "Softplus" => |c| c.map(softplus),
        "Softsign" => |c| c.map(|x| x / (x.abs() + 1.0)),
        "HardSwish" => |c| c.map(|x| x * hard_sigmoid(x, 1.0 / 6.0, 0.5)),
        "Mish" => |c| c.map(|x| x * softplus(x).tanh()),
        "Identity" => |c| Ok(vec![c.item(0)?.clone()]),
        "Dropout" => dropout,
        "LeakyRelu" => |c| {
            let slope = c.float("alpha", 0.01)?;
            c.map(|x| select(&x.compare(Compare::Ge, &x.full_like(0.0)), x, &(x * slope)))
        },
        "Elu" | "Celu" | "Selu" => elu,
        "ThresholdedRelu" => |c| {
            let alpha = c.float("alpha", 1.0)?;
            c.map(|x| select(&x.compare(Compare::Gt, &x.full_like(alpha)), x, &x.full_like(0.0)))
        },
        "HardSigmoid" => |c| {
            let (alpha, beta) = (c.float("alpha", 0.2)?, c.float("beta", 0.5)?);
            c.map(|x| hard_sigmoid(x, alpha, beta))
        },
        "Swish" => |c| {
            let alpha = c.float("alpha", 1.0)?;
            c.map(|x| x * (x * alpha).sigmoid())
        },
        "Gelu" => gelu,
        "Shrink" => shrink,
        "PRelu" => prelu,
        "Clip" => clip,
        "IsNaN" => |c| test(c, |x| truth(Compare::Ne, x, x)),
        "IsInf" => is_inf,
        "Add" => |c| c.zip(|a, b| a + b),
        "Sub" => |c| c.zip(|a, b| a - b),
        "Mul" => |c| c.zip(|a, b| a * b),
        "Div" => |c| c.zip(|a, b| a / b),
        "Pow" => pow,
        "Mod" => modulo,
        "Min" => |c| fold(c, |a, b| a.minimum(&b)),
        "Max" => |c| fold(c, |a, b| a.maximum(&b)),
        "Sum" => |c| fold(c, |a, b| a + b),
        "Mean" => |c| {
            let n = c.inputs.len() as f64;
            let sum = fold(c, |a, b| a + b)?;
            sum.iter().map(|s| Ok(Item::tensor(s.kind, c.target.tensor(s)? * (1.0 / n)))).collect()
        },
        "Equal" => |c| compare(c, Compare::Eq),
        "Greater" => |c| compare(c, Compare::Gt),
        "GreaterOrEqual" => |c| compare(c, Compare::Ge),
        "Less" => |c| compare(c, Compare::Lt),
        "LessOrEqual" => |c| compare(c, Compare::Le),
        "Not" => |c| test(c, |x| truth(Compare::Eq, x, &x.full_like(0.0))),
        "And" => |c| c.zip(|a, b| a.minimum(b)),
        "Or" => |c| c.zip(|a, b| a.maximum(b)),
        "Xor" => |c| compare(c, Compare::Ne),
        "Where" => choose,
        "Cast" => cast,
        "CastLike" => |c| Ok(vec![convert(c, c.item(0)?, c.kind(1)?)?]),
        _ => return None,
    })
}

/// log(1 + eˣ) without overflow.
pub(super) fn softplus(x: &Tensor) -> Tensor {
    x.relu() + (-x.abs()).exp().log1p()
}

/// sign(x)·log1p(|x| + x²/(1 + √(x² + 1))), which cancels nowhere.
fn asinh(x: &Tensor) -> Tensor {
    let square = x * x;
    x.sign() * (x.abs() + &square / ((&square + 1.0).sqrt() + 1.0)).log1p()
}

fn hard_sigmoid(x: &Tensor, alpha: f64, beta: f64) -> Tensor {
    let line = x * alpha + beta;
    line.relu().minimum(&line.full_like(1.0))
}

fn test(c: &Call, f: impl Fn(&Tensor) -> Tensor) -> Outcome<Vec<Item>> {
    one(Kind::Bool, f(&c.x(0)?))
}

fn dropout(c: &Call) -> Outcome<Vec<Item>> {
    if c.number(2)?.unwrap_or(0.0) != 0.0 && c.number(1)?.unwrap_or(0.5) != 0.0 {
        return unsupported("dropout while training: export the model for use");
    }
    let x = c.item(0)?;
    let mask = full(&c.target.tracer, DType::I32, x.shape(), 1.0);
    Ok(vec![x.clone(), Item::tensor(Kind::Bool, mask)])
}

/// x where x ≥ 0, else α·(e^(x/β) − 1), times γ.
fn elu(c: &Call) -> Outcome<Vec<Item>> {
    let (alpha, beta, gamma) = match c.node.op.as_str() {
        "Selu" => (c.float("alpha", 1.673_263_192_176_818_8)?, 1.0, c.float("gamma", 1.050_701_022_148_132_3)?),
        "Celu" => (c.float("alpha", 1.0)?, c.float("alpha", 1.0)?, 1.0),
        _ => (c.float("alpha", 1.0)?, 1.0, 1.0),
    };
    c.map(|x| {
        let zero = x.full_like(0.0);
        let low = (x.minimum(&zero) * (1.0 / beta)).expm1() * alpha;
        x.compare(Compare::Ge, &zero).select(x, &low) * gamma
    })
}

fn gelu(c: &Call) -> Outcome<Vec<Item>> {
    let root = (2.0 / std::f64::consts::PI).sqrt();
    match c.text("approximate", "none")?.as_str() {
        "none" => c.map(|x| x * 0.5 * ((x * std::f64::consts::FRAC_1_SQRT_2).erf() + 1.0)),
        "tanh" => c.map(|x| x * 0.5 * (((x + x * x * x * 0.044715) * root).tanh() + 1.0)),
        other => invalid(format!("approximation {other} does not exist")),
    }
}

fn prelu(c: &Call) -> Outcome<Vec<Item>> {
    let (x, slope) = (c.x(0)?, c.x(1)?);
    // Before operator set 7 there was one slope per channel, now shapes are aligned at their ends.
    let channels = c.opset < 7 && x.rank() > 1 && slope.shape() == [x.shape()[1]];
    let slope = if channels { slope.broadcast(x.shape(), &[1]) } else { slope };
    let pair = repeated(&[x, slope])?;
    let (x, slope) = (&pair[0], &pair[1]);
    one(c.kind(0)?, select(&x.compare(Compare::Ge, &x.full_like(0.0)), x, &(x * slope)))
}

fn shrink(c: &Call) -> Outcome<Vec<Item>> {
    let (lambda, bias) = (c.float("lambd", 0.5)?, c.float("bias", 0.0)?);
    if c.kind(0)? != Kind::Float {
        return unsupported("integers");
    }
    c.map(|x| {
        let low = x.compare(Compare::Lt, &x.full_like(-lambda)).select(&(x + bias), &x.full_like(0.0));
        x.compare(Compare::Gt, &x.full_like(lambda)).select(&(x - bias), &low)
    })
}

/// Bounds are attributes before operator set 11, operands since.
fn clip(c: &Call) -> Outcome<Vec<Item>> {
    let x = c.x(0)?;
    let mut out = x.clone();
    for (i, name, op) in [(1, "min", Binary::Max), (2, "max", Binary::Min)] {
        let bound = match (c.has(i), c.attribute(name)) {
            (true, _) => c.x(i)?,
            (false, Some(_)) => x.full_like(c.float(name, 0.0)?),
            (false, None) => continue,
        };
        let pair = repeated(&[out, bound])?;
        out = pair[0].binary(op, &pair[1]);
    }
    one(c.kind(0)?, out)
}

fn is_inf(c: &Call) -> Outcome<Vec<Item>> {
    let (negative, positive) = (c.int("detect_negative", 1)? != 0, c.int("detect_positive", 1)? != 0);
    test(c, |x| {
        let is = |wanted: bool, sign: f64| {
            let hit = truth(Compare::Eq, x, &x.full_like(sign * f64::INFINITY));
            if wanted { hit } else { hit.full_like(0.0) }
        };
        is(negative, -1.0).maximum(&is(positive, 1.0))
    })
}

fn pow(c: &Call) -> Outcome<Vec<Item>> {
    let kind = c.kind(0)?;
    let [a, b] = [c.x(0)?, c.x(1)?].map(|t| if t.dtype() == c.target.float { t } else { t.cast(c.target.float) });
    let pair = repeated(&[a, b])?;
    let out = pair[0].binary(Binary::Pow, &pair[1]);
    // The powers of integers are whole, but for rounding; those with fractional exponents are cut off.
    let whole = kind != Kind::Float;
    let exact = whole && c.kind(1)? != Kind::Float;
    let out = if exact { out.round() } else { out };
    one(kind, if whole { out.cast(DType::I32) } else { out })
}

/// The remainder, with the sign of the divisor, or with that of the dividend if `fmod`.
fn modulo(c: &Call) -> Outcome<Vec<Item>> {
    let (fmod, float) = (c.int("fmod", 0)? != 0, c.kind(0)? == Kind::Float);
    c.zip(|a, b| {
        let quotient = a / b; // of integers, cut off
        let toward_zero = if float { quotient.sign() * quotient.abs().floor() } else { quotient };
        let zero = a.full_like(0.0);
        // 0·∞ is no number, but what is smaller than ∞ is its own remainder.
        let rest = toward_zero.compare(Compare::Eq, &zero).select(a, &(a - &toward_zero * b));
        if fmod {
            return rest;
        }
        let opposite = rest.compare(Compare::Ne, &zero) * (rest.sign() * b.sign()).compare(Compare::Lt, &zero);
        opposite.select(&(&rest + b), &rest)
    })
}

fn fold(c: &Call, f: impl Fn(Tensor, Tensor) -> Tensor) -> Outcome<Vec<Item>> {
    match c.common()?.into_iter().reduce(f) {
        Some(out) => one(c.kind(0)?, out),
        None => invalid("takes at least one operand"),
    }
}

fn compare(c: &Call, op: Compare) -> Outcome<Vec<Item>> {
    let out = c.zip(|a, b| truth(op, a, b))?;
    Ok(out.into_iter().map(|item| Item { kind: Kind::Bool, ..item }).collect())
}

fn choose(c: &Call) -> Outcome<Vec<Item>> {
    match &c.common()?[..] {
        [mask, a, b] => one(c.kind(1)?, select(mask, a, b)),
        other => invalid(format!("takes 3 operands, got {}", other.len())),
    }
}

fn cast(c: &Call) -> Outcome<Vec<Item>> {
    let to = Element::of(c.int("to", 0)?).map_err(Fault::Unsupported)?;
    if !matches!(to, Element::Float | Element::Double | Element::Int32 | Element::Int64 | Element::Bool) {
        return unsupported(format!("conversion to {to:?}, whose overflow the graph cannot show"));
    }
    Ok(vec![convert(c, c.item(0)?, Kind::of(to))?])
}

fn convert(c: &Call, item: &Item, to: Kind) -> Outcome<Item> {
    if item.kind == to {
        return Ok(item.clone());
    }
    let x = c.target.tensor(item)?;
    let out = match to {
        Kind::Bool => truth(Compare::Ne, &x, &x.full_like(0.0)),
        _ if x.dtype() == c.target.dtype(to) => x,
        _ => x.cast(c.target.dtype(to)),
    };
    Ok(Item::tensor(to, out))
}
