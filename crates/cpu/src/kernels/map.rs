//! Element-by-element functions over short blocks: the instructions of fused regions.

use super::lane::Number;
use super::math;
use crate::isa::per_isa;
use graph::DType;
use graph::ops::{Binary, Compare, Unary};

/// An operand of a block instruction: consecutive elements, or one number for all.
#[derive(Clone, Copy)]
pub enum Arg<T> {
    /// Elements in memory.
    Ptr(*const T),
    /// The same number everywhere.
    Splat(T),
}

/// What one block instruction computes.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Code {
    /// A function of one number.
    Un(Unary),
    /// A function of two numbers.
    Bin(Binary),
    /// A comparison, 1 or 0.
    Cmp(Compare),
    /// a ≠ 0 ? b : c
    Select,
    /// a·b + c, in one rounding where the processor has it.
    MulAdd,
    /// The operand itself.
    Copy,
}

/// Element types regions compute in.
pub trait Real: Copy + PartialOrd + Send + Sync + 'static {
    /// The type's name in graphs.
    const DTYPE: DType;
    /// Conversion from double precision.
    fn of(x: f64) -> Self;
    /// Conversion to double precision.
    fn to_f64(self) -> f64;
    /// A function of one number.
    fn un<const FMA: bool>(u: Unary, x: Self) -> Self;
    /// A function of two numbers.
    fn bin(b: Binary, x: Self, y: Self) -> Self;
    /// a·b + c
    fn mul_add<const FMA: bool>(a: Self, b: Self, c: Self) -> Self;
}

macro_rules! arithmetic {
    ($t:ty) => {
        #[inline(always)]
        fn bin(b: Binary, x: $t, y: $t) -> $t {
            match b {
                Binary::Add => x + y,
                Binary::Sub => x - y,
                Binary::Mul => x * y,
                Binary::Div => x / y,
                Binary::Pow => x.powf(y),
                // NaN in either operand is handed on.
                Binary::Max => {
                    if x.is_nan() || x > y {
                        x
                    } else {
                        y
                    }
                }
                Binary::Min => {
                    if x.is_nan() || x < y {
                        x
                    } else {
                        y
                    }
                }
            }
        }

        #[inline(always)]
        fn mul_add<const FMA: bool>(a: $t, b: $t, c: $t) -> $t {
            if FMA { <$t>::mul_add(a, b, c) } else { a * b + c }
        }
    };
}

impl Real for f32 {
    const DTYPE: DType = DType::F32;
    #[inline(always)]
    fn of(x: f64) -> f32 {
        x as f32
    }
    #[inline(always)]
    fn to_f64(self) -> f64 {
        f64::from(self)
    }
    #[inline(always)]
    fn un<const FMA: bool>(u: Unary, x: f32) -> f32 {
        match u {
            Unary::Sin => math::sin::<FMA>(x),
            Unary::Cos => math::cos::<FMA>(x),
            u => math::unary(u, Number::<FMA>(x)).map_or(f32::NAN, |y| y.0),
        }
    }
    arithmetic!(f32);
}

impl Real for f64 {
    const DTYPE: DType = DType::F64;
    #[inline(always)]
    fn of(x: f64) -> f64 {
        x
    }
    #[inline(always)]
    fn to_f64(self) -> f64 {
        self
    }
    #[inline(always)]
    fn un<const FMA: bool>(u: Unary, x: f64) -> f64 {
        u.apply(x)
    }
    arithmetic!(f64);
}

// Plain loops over addresses: iterator adapters may stay calls of their own, which are then compiled
// without the instruction set of the caller.

/// `dst[i] = f(a[i])`
#[inline(always)]
fn each1<T: Real>(dst: &mut [T], a: Arg<T>, f: impl Fn(T) -> T) {
    match a {
        Arg::Ptr(p) => {
            for (i, d) in dst.iter_mut().enumerate() {
                // SAFETY: the region executor passes blocks of at least dst.len() elements that do not overlap dst.
                *d = f(unsafe { *p.add(i) });
            }
        }
        Arg::Splat(s) => dst.fill(f(s)),
    }
}

/// `dst[i] = f(a[i], b[i])`
#[inline(always)]
fn each2<T: Real>(dst: &mut [T], a: Arg<T>, b: Arg<T>, f: impl Fn(T, T) -> T) {
    match (a, b) {
        (Arg::Ptr(p), Arg::Ptr(q)) => {
            for (i, d) in dst.iter_mut().enumerate() {
                // SAFETY: as in `each1`.
                *d = unsafe { f(*p.add(i), *q.add(i)) };
            }
        }
        (Arg::Ptr(_), Arg::Splat(b)) => each1(dst, a, |a| f(a, b)),
        (Arg::Splat(a), b) => each1(dst, b, |b| f(a, b)),
    }
}

/// `dst[i] = f(a[i], b[i], c[i])`
#[inline(always)]
fn each3<T: Real>(dst: &mut [T], [a, b, c]: [Arg<T>; 3], f: impl Fn(T, T, T) -> T) {
    match (a, b, c) {
        (Arg::Ptr(p), Arg::Ptr(q), Arg::Ptr(r)) => {
            for (i, d) in dst.iter_mut().enumerate() {
                // SAFETY: as in `each1`.
                *d = unsafe { f(*p.add(i), *q.add(i), *r.add(i)) };
            }
        }
        (a, b, Arg::Splat(c)) => each2(dst, a, b, |a, b| f(a, b, c)),
        (a, Arg::Splat(b), c) => each2(dst, a, c, |a, c| f(a, b, c)),
        (Arg::Splat(a), b, c) => each2(dst, b, c, |b, c| f(a, b, c)),
    }
}

#[inline(always)]
fn step_body<const FMA: bool, T: Real>(code: Code, dst: &mut [T], args: [Arg<T>; 3]) {
    let [a, b, c] = args;
    let flag = |x: bool| T::of(f64::from(u8::from(x)));
    let zero = T::of(0.0);
    macro_rules! unary {
        ($($v:ident)*) => { match code { $(Code::Un(Unary::$v) => each1(dst, a, |x| T::un::<FMA>(Unary::$v, x)),)* _ => {} } };
    }
    macro_rules! binary {
        ($($v:ident)*) => { match code { $(Code::Bin(Binary::$v) => each2(dst, a, b, |x, y| T::bin(Binary::$v, x, y)),)* _ => {} } };
    }
    match code {
        Code::Un(_) => unary!(Neg Exp Log Expm1 Log1p Tanh Sigmoid Sin Cos Sqrt Rsqrt Erf Abs Sign Floor Round),
        Code::Bin(_) => binary!(Add Sub Mul Div Pow Max Min),
        Code::Cmp(Compare::Eq) => each2(dst, a, b, |x, y| flag(x == y)),
        Code::Cmp(Compare::Ne) => each2(dst, a, b, |x, y| flag(x != y)),
        Code::Cmp(Compare::Lt) => each2(dst, a, b, |x, y| flag(x < y)),
        Code::Cmp(Compare::Le) => each2(dst, a, b, |x, y| flag(x <= y)),
        Code::Cmp(Compare::Gt) => each2(dst, a, b, |x, y| flag(x > y)),
        Code::Cmp(Compare::Ge) => each2(dst, a, b, |x, y| flag(x >= y)),
        Code::Select => each3(dst, args, |m, x, y| if m != zero { x } else { y }),
        Code::MulAdd => each3(dst, [a, b, c], |x, y, z| T::mul_add::<FMA>(x, y, z)),
        Code::Copy => each1(dst, a, |x| x),
    }
}

per_isa! {
    /// One instruction over a block: `dst[i] = code(args[0][i], …)`. Operands must not overlap `dst`.
    pub fn step<T: Real>(code: Code, dst: &mut [T], args: [Arg<T>; 3]) = step_body
}

#[inline(always)]
fn add_body<const FMA: bool, T: Real>(dst: &mut [T], src: &[T]) {
    for (d, s) in dst.iter_mut().zip(src) {
        *d = T::bin(Binary::Add, *d, *s);
    }
}

per_isa! {
    /// `dst[i] += src[i]`
    pub fn add_assign<T: Real>(dst: &mut [T], src: &[T]) = add_body
}
