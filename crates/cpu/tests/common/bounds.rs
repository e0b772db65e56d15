//! How far a correct program may be from the reference: a forward error analysis, element by element.
//!
//! Every node carries its reference value and a bound on |computed − reference| that holds for any
//! order of summation, fused multiply-adds and functions good to a few units in the last place.
//! Discontinuities are part of it: where an error may flip a comparison, the bound is the jump. So
//! loose values are accepted exactly where they are unavoidable, and nowhere else.

use graph::ops::contract::Dot;
use graph::ops::{Binary, Compare, Unary};
use graph::{DType, Graph, Id, Op, Scalar, Type, Value, eval};

/// A bound that accepts anything, NaN included.
pub const WILD: f64 = 1e300;
/// Bounds above this count as wild.
const HUGE: f64 = 1e200;
/// A value that is not finite is certain only below this bound: what stands for an infinite factor
/// is 10³⁰, so any uncertain factor of it exceeds this.
const SURE: f64 = 1e15;

/// A node's reference values and how far a correct result may be from each.
pub struct Bounded {
    pub value: Value,
    pub error: Vec<f64>,
}

impl Bounded {
    /// Whether `got` is an acceptable result for element `i`.
    pub fn accepts(&self, i: usize, got: f64) -> bool {
        let (want, error) = (self.value.data[i], self.error[i]);
        match () {
            () if error > HUGE => true,
            () if want.is_finite() => (got - want).abs() <= 4.0 * error || got == want,
            () if error > SURE => !got.is_finite(),
            () => (got.is_nan() && want.is_nan()) || got == want,
        }
    }

    pub fn is_wild(&self, i: usize) -> bool {
        self.error[i] > HUGE
    }
}

/// Relative error of one rounding, and the smallest magnitude that must be told from zero.
fn unit(d: DType) -> (f64, f64) {
    match d {
        DType::F32 => (6e-8, 1e-37),
        DType::F64 => (1.2e-16, 1e-290),
        DType::I32 => (0.0, 0.0),
    }
}

/// Largest magnitude at which no intermediate result overflows.
fn large(d: DType) -> f64 {
    match d {
        DType::F32 => 1e37,
        DType::F64 => 1e290,
        DType::I32 => 1e9,
    }
}

/// Reference values and bounds of `outputs`.
pub fn bounded(g: &Graph, inputs: &[Value], outputs: &[Id]) -> Vec<Bounded> {
    let live = g.live(outputs);
    let ids: Vec<Id> = (0..g.nodes().len()).filter(|&i| live[i]).map(|i| Id(i as u32)).collect();
    let values = eval::evaluate(g, inputs, &ids).unwrap();
    let mut known: Vec<Option<Bounded>> = g.nodes().iter().map(|_| None).collect();
    for (&id, value) in ids.iter().zip(values) {
        let mut error = propagate(g, id, &value, &known);
        error.iter_mut().for_each(|e| *e = if e.is_nan() { WILD } else { e.min(WILD) });
        known[id.index()] = Some(Bounded { value, error });
    }
    let copy = |o: &Id| known[o.index()].as_ref().map(|b| Bounded { value: b.value.clone(), error: b.error.clone() });
    outputs.iter().filter_map(copy).collect()
}

/// `g` with every f32 replaced by f64: other roundings of the same formulas; and where its nodes went.
pub fn in_double(g: &Graph) -> (Graph, Vec<Id>) {
    let wide = |ty: &Type| Type::new(if ty.dtype == DType::F32 { DType::F64 } else { ty.dtype }, ty.shape.clone());
    let mut out = Graph::verbatim();
    let mut map: Vec<Id> = vec![];
    for node in g.nodes() {
        let op = match &node.op {
            Op::Input { name, .. } => {
                map.push(out.input(name, wide(&node.ty)));
                continue;
            }
            Op::Full { value, ty } => Op::Full { value: *value, ty: wide(ty) },
            Op::Iota { axis, ty } => Op::Iota { axis: *axis, ty: wide(ty) },
            Op::Uniform { stream, ty } => Op::Uniform { stream: *stream, ty: wide(ty) },
            Op::Cast(DType::F32) => Op::Cast(DType::F64),
            op => op.clone(),
        };
        let args: Vec<Id> = node.args.iter().map(|a| map[a.index()]).collect();
        map.push(out.push(op, &args).unwrap());
    }
    (out, map)
}

/// `op` applied in f64 to numbers other than its operands (indices stay what they are).
fn apply(op: &Op, args: &[Value]) -> Vec<f64> {
    let mut g = Graph::verbatim();
    let ids: Vec<Id> = args.iter().map(|a| g.input("", a.ty.clone())).collect();
    let out = g.push(op.clone(), &ids).unwrap();
    eval::evaluate(&g, args, &[out]).unwrap().remove(0).data
}

fn double(shape: &[usize], data: impl Iterator<Item = f64>) -> Value {
    Value::new(DType::F64, shape, data.collect())
}

/// A magnitude to multiply errors with: never zero, so that a wild factor stays wild, and never infinite.
fn magnitude(x: f64) -> f64 {
    if x.is_nan() { 1e30 } else { (x.abs() + 1e-30).min(1e30) }
}

fn propagate(g: &Graph, id: Id, out: &Value, known: &[Option<Bounded>]) -> Vec<f64> {
    let node = g.node(id);
    let args: Vec<&Bounded> = node.args.iter().filter_map(|a| known[a.index()].as_ref()).collect();
    let (u, tiny) = unit(out.ty.dtype);
    let errors = |k: usize| double(&args[k].value.ty.shape, args[k].error.iter().copied());
    // A sum of zeros is zero, whatever the order.
    let rounding = |e: &f64, y: f64| if !y.is_finite() || y == 0.0 && *e == 0.0 { 0.0 } else { u * y.abs() + tiny };
    let finish = |e: Vec<f64>| overflow(out, e.iter().zip(&out.data).map(|(e, y)| e + rounding(e, *y)).collect());
    match &node.op {
        Op::Input { .. } | Op::Full { .. } | Op::Iota { .. } | Op::Uniform { .. } => vec![0.0; out.data.len()],
        Op::Compare(Compare::Eq) if largest_of_itself(g, id) => equals_largest(g, id, known),
        op if op.is_elementwise() => {
            (0..out.data.len()).map(|i| element(op, node.args.len() > 1 && node.args[0] == node.args[1], &args, i, out)).collect()
        }
        Op::Pad { lo, hi, interior, .. } => {
            let pad = Op::Pad { lo: lo.clone(), hi: hi.clone(), interior: interior.clone(), value: Scalar::new(0.0) };
            apply(&pad, &[errors(0)])
        }
        Op::Gather if args[1].error.iter().any(|&e| e > 0.0) => vec![WILD; out.data.len()],
        // An index out of range reads NaN, for certain.
        Op::Gather => apply(&node.op, &[errors(0), args[1].value.clone()]).iter().map(|e| if e.is_nan() { 0.0 } else { *e }).collect(),
        Op::Max(_) => apply(&node.op, &[errors(0)]).iter().map(|e| e.max(0.0)).collect(),
        Op::ScatterAdd { .. } if args[0].error.iter().any(|&e| e > 0.0) => vec![WILD; out.data.len()],
        Op::ScatterAdd { .. } => {
            let x = sloppy(args[1], sum_error(u, args[0].value.data.len()));
            finish(apply(&node.op, &[args[0].value.clone(), x]))
        }
        Op::Sum(_) => finish(apply(&node.op, &[sloppy(args[0], sum_error(u, args[0].value.data.len() / out.data.len().max(1)))])),
        Op::Fold { .. } => {
            let s = &args[0].value.ty.shape;
            finish(apply(&node.op, &[sloppy(args[0], sum_error(u, s[3] * s[4]))]))
        }
        Op::Dot(d) => finish(bilinear(&node.op, &args, sum_error(u, products(d, args[0])))),
        // Four times the error of a direct sum: room for transformed (Winograd) algorithms.
        Op::Conv(_) => finish(bilinear(&node.op, &args, 4.0 * sum_error(u, args[1].value.ty.shape[..3].iter().product()))),
        Op::Concat(_) => apply(&node.op, &(0..args.len()).map(errors).collect::<Vec<_>>()),
        op => apply(op, &[errors(0)]), // moves: the error moves along
    }
}

fn products(d: &Dot, left: &Bounded) -> usize {
    d.contracted(&left.value.ty)
}

/// Error of a sum of n terms relative to the sum of their magnitudes: roundings add up like a random walk.
fn sum_error(u: f64, n: usize) -> f64 {
    u * (2.0 + 2.0 * (n as f64).sqrt())
}

/// Each term's error, including its share in the rounding errors of its sum.
fn sloppy(x: &Bounded, gamma: f64) -> Value {
    let term = |(v, e): (&f64, &f64)| e + if v.is_finite() { gamma * v.abs() } else { 0.0 };
    double(&x.value.ty.shape, x.value.data.iter().zip(&x.error).map(term))
}

/// |δ(a·b)| ≤ (δa + γ|a|)·(|b| + δb) + |a|·δb
fn bilinear(op: &Op, args: &[&Bounded], gamma: f64) -> Vec<f64> {
    let size = |k: usize| args[k].value.data.iter().map(|&v| magnitude(v));
    let (ls, rs) = (&args[0].value.ty.shape, &args[1].value.ty.shape);
    let left = sloppy(args[0], gamma);
    let mut e = apply(op, &[left, double(rs, size(1).zip(&args[1].error).map(|(v, e)| v + e))]);
    if args[1].error.iter().any(|&e| e > 0.0) {
        let more = apply(op, &[double(ls, size(0)), double(rs, args[1].error.iter().copied())]);
        e.iter_mut().zip(more).for_each(|(e, m)| *e += m);
    }
    e
}

/// Near the largest number of a type, whether a result overflows depends on the order of operations.
fn overflow(out: &Value, mut error: Vec<f64>) -> Vec<f64> {
    let limit = large(out.ty.dtype);
    out.data.iter().zip(&mut error).filter(|(y, _)| y.is_finite() && y.abs() > limit).for_each(|(_, e)| *e = WILD);
    error
}

/// Whether `id` asks which elements of a tensor equal their own maximum: where the derivative of a maximum goes.
fn largest_of_itself(g: &Graph, id: Id) -> bool {
    let [x, wide] = g.node(id).args[..] else { return false };
    let is_max = |m: Id| matches!(g.node(m).op, Op::Max(_)) && g.node(m).args[0] == x;
    matches!(g.node(wide).op, Op::Broadcast { .. }) && is_max(g.node(wide).args[0])
}

/// The largest element equals the maximum whatever its error, as long as no other comes near.
fn equals_largest(g: &Graph, id: Id, known: &[Option<Bounded>]) -> Vec<f64> {
    let [x, wide] = [0, 1].map(|k| known[g.node(id).args[k].index()].as_ref().unwrap());
    let max = g.node(g.node(id).args[1]).args[0];
    let Op::Max(axes) = &g.node(max).op else { unreachable!() };
    let near = |i: usize| {
        let (v, e, m) = (x.value.data[i], x.error[i], wide.value.data[i]);
        let room = e + wide.error[i];
        f64::from(room > 0.0 && (m - v <= room || (m - v).is_nan())) // the largest itself counts as one
    };
    let shape = &x.value.ty.shape;
    let close = double(shape, (0..x.error.len()).map(near));
    let groups = double(g.shape(max), apply(&Op::Sum(axes.clone()), std::slice::from_ref(&close)).into_iter());
    let group = apply(&g.node(g.node(id).args[1]).op, &[groups]);
    group.iter().zip(&close.data).map(|(n, c)| if *n > 1.0 { *c } else { 0.0 }).collect()
}

/// Bound of element `i` of an elementwise operation.
fn element(op: &Op, same: bool, args: &[&Bounded], i: usize, out: &Value) -> f64 {
    let at = |k: usize| (args[k].value.data[i], args[k].error[i]);
    let (d, y) = (out.ty.dtype, out.data[i]);
    match op {
        Op::Unary(u) => unary(*u, at(0), y, d),
        Op::Binary(b) => binary(*b, at(0), at(1), y, d),
        Op::Compare(_) => {
            let ((a, ea), (b, eb)) = (at(0), at(1));
            let sure = if a.is_finite() && b.is_finite() { (a - b).abs() > ea + eb } else { ea.max(eb) < SURE };
            f64::from(!(sure || same && ea < SURE || ea + eb == 0.0))
        }
        Op::Select => {
            let ((m, em), (a, ea), (b, eb)) = (at(0), at(1), at(2));
            let sure = em == 0.0 || if m.is_finite() { m.abs() > em } else { em < SURE };
            match (sure, a == b || (a - b).is_finite()) {
                (true, _) => {
                    if m != 0.0 {
                        ea
                    } else {
                        eb
                    }
                }
                (false, true) => (if a == b { 0.0 } else { (a - b).abs() }) + ea + eb,
                (false, false) => WILD,
            }
        }
        Op::Cast(DType::I32) => ends(|x| DType::I32.round(x), at(0), y),
        Op::Cast(_) => at(0).1 + if y.is_finite() { unit(d).0 * y.abs() } else { 0.0 },
        _ => at(0).1,
    }
}

/// How far `f` moves when its argument moves by its error, for a function that is monotone there.
fn ends(f: impl Fn(f64) -> f64, (x, e): (f64, f64), y: f64) -> f64 {
    if e == 0.0 {
        return 0.0;
    }
    if !x.is_finite() || e > SURE {
        return if e < SURE { 0.0 } else { WILD };
    }
    let far = |z: f64| if z == y || (z.is_nan() && y.is_nan()) { 0.0 } else { (z - y).abs() };
    let d = far(f(x + e)).max(far(f(x - e)));
    // `far` is NaN or infinite where the function leaves its domain within the error.
    if d.is_finite() && !(f(x + e).is_nan() ^ y.is_nan()) && !(f(x - e).is_nan() ^ y.is_nan()) { d } else { WILD }
}

fn unary(f: Unary, (x, e): (f64, f64), y: f64, d: DType) -> f64 {
    let (u, tiny) = unit(d);
    if !x.is_finite() {
        return if e < SURE { 0.0 } else { WILD };
    }
    let exact = f.apply(x).abs();
    if exact > large(d) && exact < 100.0 * large(d) {
        return WILD; // about to overflow
    }
    let moved = match f {
        Unary::Neg | Unary::Abs => return e,
        Unary::Sin | Unary::Cos if e < SURE => e.min(2.0),
        _ => ends(|z| d.round(f.apply(z)), (x, e), y),
    };
    let ulps = match f {
        Unary::Sign | Unary::Floor | Unary::Round => 0.0,
        Unary::Sqrt | Unary::Rsqrt => 4.0,
        _ => 16.0,
    };
    moved + if y.is_finite() && ulps > 0.0 { ulps * u * y.abs() + tiny } else { 0.0 }
}

fn binary(f: Binary, (x, ex): (f64, f64), (y, ey): (f64, f64), z: f64, d: DType) -> f64 {
    let (u, tiny) = unit(d);
    let sign_is_sure = |v: f64, e: f64| e == 0.0 || v.abs() > e;
    if ex.max(ey) > SURE {
        return WILD;
    }
    if matches!(f, Binary::Max | Binary::Min) && z.is_finite() && x.is_finite() != y.is_finite() {
        return if x.is_finite() { ex } else { ey }; // an infinite operand lets the other through
    }
    if !x.is_finite() || !y.is_finite() {
        let sure = |v: f64, e: f64| !v.is_finite() || sign_is_sure(v, e);
        return if matches!(f, Binary::Pow) && ex + ey > 0.0 || !sure(x, ex) || !sure(y, ey) { WILD } else { 0.0 };
    }
    if !z.is_finite() && ex + ey > 0.0 || z.is_finite() && z.abs() > large(d) {
        return WILD; // overflow, division by zero, a power outside its domain
    }
    let nothing = f == Binary::Mul && (x == 0.0 || y == 0.0);
    let rounding = if z.is_finite() && !nothing { u * z.abs() + tiny } else { 0.0 };
    match f {
        Binary::Add | Binary::Sub => ex + ey + rounding,
        Binary::Mul => ex * y.abs() + ey * x.abs() + ex * ey + rounding,
        Binary::Div if y == 0.0 || d == DType::I32 => {
            if ex + ey == 0.0 {
                0.0
            } else {
                WILD
            }
        }
        Binary::Div if y.abs() <= ey => WILD,
        Binary::Div => (ex + (x / y).abs() * ey) / (y.abs() - ey) + 2.0 * rounding,
        Binary::Pow => power((x, ex), (y, ey), z) + rounding * 16.0 * (1.0 + if x == 0.0 { 0.0 } else { (y * x.abs().ln()).abs() }),
        // Only an operand that may be the larger one passes its error on.
        Binary::Max => {
            if x - ex > y + ey {
                ex
            } else if y - ey > x + ex {
                ey
            } else {
                ex.max(ey)
            }
        }
        Binary::Min => {
            if x + ex < y - ey {
                ex
            } else if y + ey < x - ex {
                ey
            } else {
                ex.max(ey)
            }
        }
    }
}

fn power((x, ex): (f64, f64), (y, ey): (f64, f64), z: f64) -> f64 {
    if ex + ey == 0.0 {
        return 0.0;
    }
    if x <= ex && (ey > 0.0 || y < 0.0 || y.fract() != 0.0) && (x >= -ex || ey > 0.0) {
        return WILD;
    }
    let far = |dx: f64, dy: f64| ((x + dx).powf(y + dy) - z).abs();
    let e = [(ex, ey), (-ex, ey), (ex, -ey), (-ex, -ey)].map(|(a, b)| far(a, b)).into_iter().fold(0.0, f64::max);
    if e.is_finite() && z.is_finite() { e } else { WILD }
}
