//! Operations that treat every element alike: arithmetic, elementary functions, comparison, selection.

use super::{Op, arity};
use crate::{DType, Graph, Id, Result, Type, Value};
use std::f64::consts::PI;

/// A function of one number.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[allow(missing_docs)] // the names say it; `apply` below is the definition
pub enum Unary {
    Neg,
    Exp,
    Log,
    Expm1,
    Log1p,
    Tanh,
    Sigmoid,
    Sin,
    Cos,
    Sqrt,
    Rsqrt,
    Erf,
    Abs,
    Sign,
    Floor,
    Round,
}

/// A function of two numbers.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[allow(missing_docs)]
pub enum Binary {
    Add,
    Sub,
    Mul,
    Div,
    Pow,
    Max,
    Min,
}

/// A comparison of two numbers; false whenever one of them is NaN, except `Ne`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[allow(missing_docs)]
pub enum Compare {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

impl Unary {
    /// Every function, for tests and tables.
    pub const ALL: [Unary; 16] = {
        use Unary::*;
        [Neg, Exp, Log, Expm1, Log1p, Tanh, Sigmoid, Sin, Cos, Sqrt, Rsqrt, Erf, Abs, Sign, Floor, Round]
    };

    pub(super) fn name(self) -> &'static str {
        ["neg", "exp", "log", "expm1", "log1p", "tanh", "sigmoid", "sin", "cos", "sqrt", "rsqrt", "erf", "abs", "sign", "floor", "round"]
            [self as usize]
    }

    /// The function in double precision.
    pub fn apply(self, x: f64) -> f64 {
        match self {
            Unary::Neg => -x,
            Unary::Exp => x.exp(),
            Unary::Log => x.ln(),
            Unary::Expm1 => x.exp_m1(),
            Unary::Log1p => x.ln_1p(),
            Unary::Tanh => x.tanh(),
            Unary::Sigmoid => 1.0 / (1.0 + (-x).exp()),
            Unary::Sin => x.sin(),
            Unary::Cos => x.cos(),
            Unary::Sqrt => x.sqrt(),
            Unary::Rsqrt => 1.0 / x.sqrt(),
            Unary::Erf => erf(x),
            Unary::Abs => x.abs(),
            Unary::Sign if x == 0.0 || x.is_nan() => x,
            Unary::Sign => x.signum(),
            Unary::Floor => x.floor(),
            Unary::Round => x.round_ties_even(),
        }
    }
}

impl Binary {
    /// Every function, for tests and tables.
    pub const ALL: [Binary; 7] = [Binary::Add, Binary::Sub, Binary::Mul, Binary::Div, Binary::Pow, Binary::Max, Binary::Min];

    pub(super) fn name(self) -> &'static str {
        ["add", "sub", "mul", "div", "pow", "max", "min"][self as usize]
    }

    /// The function in double precision. `Max` and `Min` hand on a NaN.
    pub fn apply(self, x: f64, y: f64) -> f64 {
        match self {
            Binary::Add => x + y,
            Binary::Sub => x - y,
            Binary::Mul => x * y,
            Binary::Div => x / y,
            Binary::Pow => x.powf(y),
            Binary::Max => max(x, y),
            Binary::Min => -max(-x, -y),
        }
    }
}

impl Compare {
    /// Every comparison, for tests and tables.
    pub const ALL: [Compare; 6] = [Compare::Eq, Compare::Ne, Compare::Lt, Compare::Le, Compare::Gt, Compare::Ge];

    pub(super) fn name(self) -> &'static str {
        ["eq", "ne", "lt", "le", "gt", "ge"][self as usize]
    }

    /// Whether the comparison holds.
    pub fn apply(self, x: f64, y: f64) -> bool {
        match self {
            Compare::Eq => x == y,
            Compare::Ne => x != y,
            Compare::Lt => x < y,
            Compare::Le => x <= y,
            Compare::Gt => x > y,
            Compare::Ge => x >= y,
        }
    }
}

/// The larger number, or NaN if one is NaN (IEEE 754-2019 `maximum`).
pub(super) fn max(x: f64, y: f64) -> f64 {
    if x.is_nan() || x > y { x } else { y }
}

/// Error function in double precision: Maclaurin series below 2.5, a continued fraction of erfc above
/// (Abramowitz & Stegun 7.1.6 and 7.1.14); both are summed until they no longer change.
fn erf(x: f64) -> f64 {
    let a = x.abs();
    if x.is_nan() {
        return x;
    }
    if a > 6.0 {
        return x.signum();
    }
    if a < 2.5 {
        let (mut term, mut sum, mut n) = (a, a, 0.0);
        while term > sum * 1e-17 {
            n += 1.0;
            term *= 2.0 * a * a / (2.0 * n + 1.0);
            sum += term;
        }
        return (2.0 / PI.sqrt() * (-a * a).exp() * sum).copysign(x);
    }
    let fraction = (1..=60).rev().fold(0.0, |f, k| f64::from(k) / 2.0 / (a + f));
    (1.0 - (-a * a).exp() / PI.sqrt() / (a + fraction)).copysign(x)
}

pub(super) fn infer(op: &Op, args: &[Type]) -> Result<Type, String> {
    let n = match op {
        Op::Select => 3,
        Op::Binary(_) | Op::Compare(_) => 2,
        _ => 1,
    };
    arity(args, n)?;
    if args.windows(2).any(|w| w[0] != w[1]) {
        return Err("element types and shapes must be equal (broadcast or cast one of them first)".into());
    }
    match op {
        Op::Cast(d) => Ok(Type::new(*d, args[0].shape.clone())),
        Op::Unary(u) if args[0].dtype == DType::I32 && !matches!(u, Unary::Neg | Unary::Abs | Unary::Sign) => {
            Err("needs f32 or f64 (cast first)".into())
        }
        _ => Ok(args[0].clone()),
    }
}

pub(super) fn jvp(op: &Op, g: &mut Graph, out: Id, args: &[Id], ts: &[Option<Id>]) -> Result<Option<Id>> {
    match op {
        Op::Unary(u) => match ts[0] {
            Some(t) => jvp_unary(*u, g, out, args[0], t),
            None => Ok(None),
        },
        Op::Binary(b) => jvp_binary(*b, g, out, args, ts),
        Op::Select => {
            let zero = g.full_like(out, 0.0)?;
            if ts[1].is_none() && ts[2].is_none() {
                return Ok(None);
            }
            g.push(Op::Select, &[args[0], ts[1].unwrap_or(zero), ts[2].unwrap_or(zero)]).map(Some)
        }
        Op::Cast(d) if d.is_float() && g.ty(args[0]).dtype.is_float() => ts[0].map(|t| g.push(op.clone(), &[t])).transpose(),
        _ => Ok(None), // comparisons, casts to integers and stop_gradient are flat
    }
}

/// Derivative table of the functions of one number; `y` is the result, reused where it helps.
fn jvp_unary(u: Unary, g: &mut Graph, y: Id, x: Id, t: Id) -> Result<Option<Id>> {
    let slope = match u {
        Unary::Neg => return g.neg(t).map(Some),
        Unary::Exp => y,
        Unary::Log => return g.div(t, x).map(Some),
        Unary::Expm1 => g.add_scalar(y, 1.0)?,
        Unary::Log1p => {
            let d = g.add_scalar(x, 1.0)?;
            return g.div(t, d).map(Some);
        }
        Unary::Tanh => {
            let yy = g.mul(y, y)?;
            g.rsub_scalar(1.0, yy)?
        }
        Unary::Sigmoid => {
            let other = g.rsub_scalar(1.0, y)?;
            g.mul(y, other)?
        }
        Unary::Sin => g.unary(Unary::Cos, x)?,
        Unary::Cos => {
            let s = g.unary(Unary::Sin, x)?;
            g.neg(s)?
        }
        Unary::Sqrt => {
            let half = g.full_like(y, 0.5)?;
            g.div(half, y)?
        }
        Unary::Rsqrt => {
            let y2 = g.mul(y, y)?;
            let y3 = g.mul(y2, y)?;
            g.mul_scalar(y3, -0.5)?
        }
        Unary::Erf => {
            let xx = g.mul(x, x)?;
            let minus = g.neg(xx)?;
            let e = g.unary(Unary::Exp, minus)?;
            g.mul_scalar(e, 2.0 / PI.sqrt())?
        }
        Unary::Abs => g.unary(Unary::Sign, x)?,
        Unary::Sign | Unary::Floor | Unary::Round => return Ok(None),
    };
    g.mul(t, slope).map(Some)
}

fn jvp_binary(b: Binary, g: &mut Graph, out: Id, args: &[Id], ts: &[Option<Id>]) -> Result<Option<Id>> {
    let (x, y) = (args[0], args[1]);
    if let Binary::Max | Binary::Min = b {
        // A tie goes to the second operand, so that relu(x) = max(x, 0) has slope 0 at 0.
        let c = if b == Binary::Max { Compare::Gt } else { Compare::Lt };
        let mask = g.push(Op::Compare(c), &[x, y])?;
        let zero = g.full_like(out, 0.0)?;
        return g.push(Op::Select, &[mask, ts[0].unwrap_or(zero), ts[1].unwrap_or(zero)]).map(Some);
    }
    let left = ts[0].map(|t| partial(b, g, out, x, y, t, true)).transpose()?;
    let right = ts[1].map(|t| partial(b, g, out, x, y, t, false)).transpose()?;
    match (left, right) {
        (Some(l), Some(r)) => g.add(l, r).map(Some),
        (one, None) | (None, one) => Ok(one),
    }
}

/// Derivative table of the functions of two numbers: the share of the operand `x` or `y` that moves by `t`.
fn partial(b: Binary, g: &mut Graph, out: Id, x: Id, y: Id, t: Id, first: bool) -> Result<Id> {
    match (b, first) {
        (Binary::Add, _) | (Binary::Sub, true) => Ok(t),
        (Binary::Sub, false) => g.neg(t),
        (Binary::Mul, true) => g.mul(t, y),
        (Binary::Mul, false) => g.mul(t, x),
        (Binary::Div, true) => g.div(t, y),
        (Binary::Div, false) => {
            let slope = g.div(out, y)?;
            let slope = g.neg(slope)?;
            g.mul(t, slope)
        }
        (Binary::Pow, true) => {
            let less = g.add_scalar(y, -1.0)?;
            let p = g.push(Op::Binary(Binary::Pow), &[x, less])?;
            let slope = g.mul(y, p)?;
            g.mul(t, slope)
        }
        (Binary::Pow, false) => {
            // 0^y stays 0 as y moves, although log 0 is infinite.
            let log = g.unary(Unary::Log, x)?;
            let zero = g.full_like(x, 0.0)?;
            let is_zero = g.push(Op::Compare(Compare::Eq), &[x, zero])?;
            let log = g.push(Op::Select, &[is_zero, zero, log])?;
            let slope = g.mul(out, log)?;
            g.mul(t, slope)
        }
        (Binary::Max | Binary::Min, _) => Ok(t), // handled by the caller
    }
}

pub(super) fn transpose(op: &Op, g: &mut Graph, ct: Id, args: &[Id], i: usize) -> Result<Id> {
    match op {
        Op::Unary(Unary::Neg) => g.neg(ct),
        Op::Binary(Binary::Add) => Ok(ct),
        Op::Binary(Binary::Sub) => {
            if i == 0 {
                Ok(ct)
            } else {
                g.neg(ct)
            }
        }
        Op::Binary(Binary::Mul) => g.mul(ct, args[1 - i]),
        Op::Binary(Binary::Div) if i == 0 => g.div(ct, args[1]),
        Op::Select => {
            let zero = g.full_like(ct, 0.0)?;
            let pair = if i == 1 { [ct, zero] } else { [zero, ct] };
            g.push(Op::Select, &[args[0], pair[0], pair[1]])
        }
        Op::Cast(_) => {
            let back = g.ty(args[0]).dtype;
            g.push(Op::Cast(back), &[ct])
        }
        _ => Err(crate::Error::Invalid { node: op.name().into(), why: format!("is not linear in operand {i}") }),
    }
}

pub(super) fn eval(op: &Op, args: &[&Value]) -> Vec<f64> {
    let x = &args[0].data;
    let wide = |f: &dyn Fn(f64, f64) -> f64| x.iter().zip(&args[1].data).map(|(a, b)| f(*a, *b)).collect();
    match op {
        Op::Unary(u) => x.iter().map(|&a| u.apply(a)).collect(),
        Op::Binary(b) => wide(&|p, q| b.apply(p, q)),
        Op::Compare(c) => wide(&|p, q| f64::from(c.apply(p, q))),
        Op::Select => (0..x.len()).map(|i| if x[i] != 0.0 { args[1].data[i] } else { args[2].data[i] }).collect(),
        _ => x.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Abramowitz & Stegun, table 7.1, and erfc(3) = 2.209049699858544e-5.
    #[test]
    fn erf_matches_the_tables() {
        for (x, want) in [(0.0, 0.0), (0.5, 0.520_499_877_813_046_5), (1.0, 0.842_700_792_949_714_9), (2.0, 0.995_322_265_018_952_7)] {
            assert!((erf(x) - want).abs() < 1e-15, "{x}: {}", erf(x));
            assert_eq!(erf(-x), -erf(x));
        }
        assert!((1.0 - erf(3.0) - 2.209_049_699_858_544e-5).abs() < 1e-16);
        assert!((erf(2.5 - 1e-12) - erf(2.5 + 1e-12)).abs() < 1e-14);
    }
}
