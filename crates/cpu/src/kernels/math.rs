//! Elementary functions of single precision, written without branches and for any [`Lane`]: the block interpreter
//! runs them over numbers, in loops that become SIMD, and the compiler of regions records them as instructions.
//!
//! Error bounds are in units in the last place (ulp), measured by the tests below against `f64`.

// Coefficients are written as published.
#![allow(clippy::excessive_precision)]

use super::lane::{Lane, Number, Test};
use graph::ops::Unary;

/// Adding and subtracting 1.5·2²³ rounds to an integer, which then sits in the low mantissa bits.
const ROUNDER: f32 = 12_582_912.0;
/// ln 2 in two parts: n·HI is exact for |n| < 2¹⁰ (Cody & Waite).
const LN2_HI: f32 = 0.693_359_4;
const LN2_LO: f32 = -2.121_944_4e-4;

/// Horner's rule from the highest coefficient down.
#[inline(always)]
fn polynomial<L: Lane, const N: usize>(x: L, highest: f32, rest: [f32; N]) -> L {
    let mut p = x.lit(highest);
    for c in rest {
        p = p.fma(x, x.lit(c));
    }
    p
}

/// x, if it is NaN; else y.
#[inline(always)]
fn unless_nan<L: Lane>(x: L, y: L) -> L {
    x.select(Test::Nan, x, x, y)
}

/// Splits x = n·ln 2 + r with |r| ≤ 0.347: returns (eʳ − 1, n + ROUNDER).
#[inline(always)]
fn exp_parts<L: Lane>(x: L) -> (L, L) {
    let t = x.fma(x.lit(std::f32::consts::LOG2_E), x.lit(ROUNDER));
    let n = t.sub(x.lit(ROUNDER));
    let r = n.fma(x.lit(-LN2_LO), n.fma(x.lit(-LN2_HI), x));
    // Taylor series of (eʳ − 1 − r)/r² to r⁵/7!: the first term left out is below 2⁻²⁶ of the sum.
    let p = polynomial(r, 1.0 / 5040.0, [1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5]);
    (p.fma(r.mul(r), r), t)
}

/// 2ⁿ from n + ROUNDER, for −126 ≤ n ≤ 127.
#[inline(always)]
fn power_of_two<L: Lane>(t: L) -> L {
    t.shl(23).int_add(t.bits(127 << 23))
}

/// eˣ, ≤ 2 ulp; results below 2⁻¹²⁶ become 0.
#[inline(always)]
pub fn exp<L: Lane>(x: L) -> L {
    // Two half powers reach the ends of the range without overflowing on the way.
    let (q, t) = exp_parts(x.max(x.lit(-87.4)).min(x.lit(88.8)));
    let n = t.int_sub(x.lit(ROUNDER));
    let half = n.sar(1);
    let scale = |n: L| n.int_add(n.bits(127)).shl(23);
    let y = q.fma(scale(half), scale(half)).mul(scale(n.int_sub(half)));
    let y = x.select(Test::Lt, x.lit(-87.336_55), x.lit(0.0), y);
    let y = x.select(Test::Gt, x.lit(88.722_84), x.lit(f32::INFINITY), y);
    unless_nan(x, y)
}

/// eˣ − 1 = (eʳ − 1)·2ⁿ + (2ⁿ − 1), ≤ 3 ulp.
#[inline(always)]
pub fn expm1<L: Lane>(x: L) -> L {
    let (q, t) = exp_parts(x.max(x.lit(-20.0)).min(x.lit(87.0)));
    let s = power_of_two(t);
    let y = q.fma(s, s.sub(x.lit(1.0)));
    let y = x.select(Test::Gt, x.lit(87.0), exp(x), y);
    unless_nan(x, y)
}

/// tanh x = m/(2 − m) with m = 1 − 2^y, y = −2|x|/ln 2, ≤ 4 ulp.
#[inline(always)]
pub fn tanh<L: Lane>(x: L) -> L {
    // The smaller of a constant and NaN is NaN. Unlike in `exp`, the rounding of y hardly matters: y·2^y is at most ½.
    let y = x.lit(-2.0 * std::f32::consts::LOG2_E).mul(x.lit(10.0).min(x.abs()));
    // The exponent's bias and a sign beside it: n moved up into the exponent is then −2ⁿ at once.
    let biased = x.lit(ROUNDER + 383.0);
    let t = y.add(biased);
    let r = y.sub(t.sub(biased));
    // (2^r − 1)/r for |r| ≤ ½ with the least relative error, 1.3·10⁻⁸, for ln 2 as the constant term.
    let p = polynomial(r, 1.539_839_7e-4, [1.338_776_7e-3, 9.618_247_9e-3, 5.550_366_64e-2, 0.240_226_492, std::f32::consts::LN_2]);
    let s = t.shl(23); // −2ⁿ
    let m = p.mul(r).fma(s, s.add(x.lit(1.0)));
    m.div(x.lit(2.0).sub(m)).or(x.and(x.bits(1 << 31)))
}

/// 1/(1 + e⁻ˣ), ≤ 4 ulp.
#[inline(always)]
pub fn sigmoid<L: Lane>(x: L) -> L {
    x.lit(1.0).div(x.lit(1.0).add(exp(x.neg())))
}

/// Natural logarithm, ≤ 2 ulp. Polynomial of Cephes `logf` (S. Moshier) on [√½, √2).
#[inline(always)]
pub fn log<L: Lane>(x: L) -> L {
    // Subnormal numbers are scaled into the normal range first.
    let least = x.lit(f32::MIN_POSITIVE);
    let v = x.select(Test::Lt, least, x.mul(x.lit(8_388_608.0)), x);
    let root = x.bits(0x3f35_04f3); // √½ becomes exponent 0
    let shifted = v.int_sub(root);
    let m = shifted.and(x.bits(0x007f_ffff)).int_add(root).sub(x.lit(1.0));
    let e = shifted.sar(23).int_to_float().sub(x.select(Test::Lt, least, x.lit(23.0), x.lit(0.0)));
    let p = polynomial(
        m,
        7.037_683_6e-2,
        [-0.115_146_1, 0.116_769_984, -0.124_201_41, 0.142_493_23, -0.166_680_57, 0.200_007_14, -0.249_999_94, 0.333_333_3],
    );
    let z = m.mul(m);
    let y = e.fma(x.lit(LN2_LO), z.fma(x.lit(-0.5), m.mul(z).mul(p)));
    let y = e.fma(x.lit(LN2_HI), m.add(y));
    let y = x.select(Test::Lt, x.lit(0.0), x.lit(f32::NAN), y);
    let y = x.select(Test::Eq, x.lit(0.0), x.lit(f32::NEG_INFINITY), y);
    let y = x.select(Test::Eq, x.lit(f32::INFINITY), x, y);
    unless_nan(x, y)
}

/// log(1 + x), ≤ 4 ulp: the rounding of 1 + x is undone by the factor x/(u − 1) (Kahan).
#[inline(always)]
pub fn log1p<L: Lane>(x: L) -> L {
    let u = x.add(x.lit(1.0));
    let y = log(u).mul(x.div(u.sub(x.lit(1.0))));
    let y = u.select(Test::Eq, x.lit(f32::INFINITY), u, y);
    u.select(Test::Eq, x.lit(1.0), x, y)
}

/// Error function, ≤ 8 ulp: Maclaurin series below 0.9, above it the Chebyshev fit of erfc with
/// relative error 1.2·10⁻⁷ (Numerical Recipes, §6.2).
#[inline(always)]
pub fn erf<L: Lane>(x: L) -> L {
    let a = x.abs();
    let z = a.mul(a);
    // (−1)ⁿ / (n! (2n+1)), n = 10 … 1
    let series = polynomial(
        z,
        1.0 / 76_204_800.0,
        [-1.0 / 6_894_720.0, 1.0 / 685_440.0, -1.0 / 75_600.0, 1.0 / 9360.0, -1.0 / 1320.0, 1.0 / 216.0, -1.0 / 42.0, 0.1, -1.0 / 3.0],
    );
    let small = x.lit(std::f32::consts::FRAC_2_SQRT_PI).mul(series.fma(z.mul(a), a));
    let t = x.lit(1.0).div(a.fma(x.lit(0.5), x.lit(1.0)));
    let p = polynomial(
        t,
        0.170_872_77,
        [-0.822_152_23, 1.488_515_9, -1.135_203_98, 0.278_868_07, -0.186_288_06, 0.096_784_18, 0.374_091_96, 1.000_023_7, -1.265_512_2],
    );
    let large = x.lit(1.0).sub(t.mul(exp(p.sub(z))));
    let y = a.select(Test::Lt, x.lit(0.9), small, large).copysign(x);
    unless_nan(x, y)
}

/// sin(x + quarter·π/2); the argument is reduced in f64, good to 2 ulp for |x| < 10⁶.
#[inline(always)]
fn sine<const FMA: bool>(x: f32, quarter: f64) -> f32 {
    const MAGIC: f64 = 6_755_399_441_055_744.0; // 1.5·2⁵²
    let v = f64::from(x);
    let t = v * std::f64::consts::FRAC_2_PI + MAGIC;
    let n = t - MAGIC;
    // π/2 in two parts of 33 and 53 bits (Cody & Waite).
    let r = ((v - n * 1.570_796_326_734_125_6) - n * 6.077_100_506_506_192e-11) as f32;
    let quadrant = t.to_bits() as u32;
    let quadrant = quadrant.wrapping_add(quarter as u32);
    let (r, z) = (Number::<FMA>(r), Number::<FMA>(r * r));
    // Taylor polynomials on |r| ≤ π/4.
    let s = polynomial(z, 2.755_731_9e-6, [-1.984_126_98e-4, 8.333_333_3e-3, -0.166_666_67]).fma(z.mul(r), r).0;
    let c = polynomial(z, 2.480_158_7e-5, [-1.388_888_9e-3, 4.166_666_8e-2, -0.5, 1.0]).0;
    let y = if quadrant & 1 == 0 { s } else { c };
    let y = if quadrant & 2 == 0 { y } else { -y };
    if x.is_finite() { y } else { f32::NAN }
}

/// Sine (radians).
#[inline(always)]
pub fn sin<const FMA: bool>(x: f32) -> f32 {
    sine::<FMA>(x, 0.0)
}

/// Cosine (radians).
#[inline(always)]
pub fn cos<const FMA: bool>(x: f32) -> f32 {
    sine::<FMA>(x, 1.0)
}

/// The function `u`, where lanes suffice to compute it (all but sine and cosine, which need double precision).
#[inline(always)]
pub fn unary<L: Lane>(u: Unary, x: L) -> Option<L> {
    Some(match u {
        Unary::Neg => x.neg(),
        Unary::Exp => exp(x),
        Unary::Log => log(x),
        Unary::Expm1 => expm1(x),
        Unary::Log1p => log1p(x),
        Unary::Tanh => tanh(x),
        Unary::Sigmoid => sigmoid(x),
        Unary::Sqrt => x.sqrt(),
        Unary::Rsqrt => x.lit(1.0).div(x.sqrt()),
        Unary::Erf => erf(x),
        Unary::Abs => x.abs(),
        Unary::Sign => {
            let below = x.select(Test::Lt, x.lit(0.0), x.lit(-1.0), x);
            x.select(Test::Gt, x.lit(0.0), x.lit(1.0), below)
        }
        Unary::Floor => x.floor(),
        Unary::Round => x.round(),
        Unary::Sin | Unary::Cos => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use graph::ops::Unary;

    /// Largest error in ulp over every 997th f32 (about four million of them) and the special values.
    fn worst(f: fn(f32) -> f32, exact: Unary, keep: fn(f32) -> bool) -> f64 {
        worst_of(997, f, exact, keep)
    }

    fn worst_of(step: usize, f: fn(f32) -> f32, exact: Unary, keep: fn(f32) -> bool) -> f64 {
        let specials = [0.0, -0.0, 1.0, -1.0, f32::INFINITY, f32::NEG_INFINITY, f32::NAN, f32::MIN_POSITIVE, f32::MAX];
        let all = (0..u32::MAX).step_by(step).map(f32::from_bits).chain(specials).filter(|&x| keep(x));
        all.map(|x| ulps(f(x), exact.apply(f64::from(x)), x)).fold(0.0, f64::max)
    }

    fn ulps(got: f32, want: f64, x: f32) -> f64 {
        let rounded = want as f32;
        if rounded.is_nan() || rounded.is_infinite() || got.is_nan() || got.is_infinite() {
            let near_overflow = want.abs() > 3.3e38 && got.is_infinite() == rounded.is_infinite();
            assert!((got.is_nan() && rounded.is_nan()) || got == rounded || near_overflow, "f({x}) = {got}, exactly {want}");
            return 0.0;
        }
        let unit = f64::from(f32::from_bits((rounded.abs().to_bits()).max(0x0080_0000) + 1))
            - f64::from(f32::from_bits(rounded.abs().to_bits().max(0x0080_0000)));
        (f64::from(got) - want).abs() / unit
    }

    #[test]
    fn errors_stay_within_the_stated_bounds() {
        let any = |_: f32| true;
        assert!(worst(|x| exp(Number::<true>(x)).0, Unary::Exp, |x| !(-104.0..-87.3).contains(&x)) <= 2.0);
        assert!(worst(|x| expm1(Number::<true>(x)).0, Unary::Expm1, any) <= 3.0);
        assert!(worst(|x| tanh(Number::<true>(x)).0, Unary::Tanh, any) <= 4.0);
        assert!(worst(|x| sigmoid(Number::<true>(x)).0, Unary::Sigmoid, |x| x > -87.0 || x.is_nan()) <= 4.0);
        assert!(worst(|x| log(Number::<true>(x)).0, Unary::Log, any) <= 2.0);
        assert!(worst(|x| log1p(Number::<true>(x)).0, Unary::Log1p, any) <= 4.0);
        assert!(worst(sin::<true>, Unary::Sin, |x| !(1e6..f32::INFINITY).contains(&x.abs())) <= 2.0);
        assert!(worst(cos::<true>, Unary::Cos, |x| !(1e6..f32::INFINITY).contains(&x.abs())) <= 2.0);
        assert!(worst(|x| erf(Number::<true>(x)).0, Unary::Erf, any) <= 8.0);
    }

    /// All 4,294,967,296 numbers: `cargo test --release -p neurona-cpu --lib every_number -- --ignored --nocapture`,
    /// some minutes for each function.
    mod every_number {
        use super::*;

        fn keeps(bound: f64, f: fn(f32) -> f32, exact: Unary, keep: fn(f32) -> bool) {
            let worst = worst_of(1, f, exact, keep);
            eprintln!("{exact:?}: at most {worst:.2} ulp, stated {bound}");
            assert!(worst <= bound, "{exact:?}: {worst}");
        }

        #[test]
        #[ignore = "takes minutes"]
        fn exp() {
            keeps(2.0, |x| super::exp(Number::<true>(x)).0, Unary::Exp, |x| !(-104.0..-87.3).contains(&x));
        }

        #[test]
        #[ignore = "takes minutes"]
        fn expm1() {
            keeps(3.0, |x| super::expm1(Number::<true>(x)).0, Unary::Expm1, |_| true);
        }

        #[test]
        #[ignore = "takes minutes"]
        fn tanh() {
            keeps(4.0, |x| super::tanh(Number::<true>(x)).0, Unary::Tanh, |_| true);
        }

        #[test]
        #[ignore = "takes minutes"]
        fn sigmoid() {
            keeps(4.0, |x| super::sigmoid(Number::<true>(x)).0, Unary::Sigmoid, |x| x > -87.0 || x.is_nan());
        }

        #[test]
        #[ignore = "takes minutes"]
        fn log() {
            keeps(2.0, |x| super::log(Number::<true>(x)).0, Unary::Log, |_| true);
        }

        #[test]
        #[ignore = "takes minutes"]
        fn log1p() {
            keeps(4.0, |x| super::log1p(Number::<true>(x)).0, Unary::Log1p, |_| true);
        }

        #[test]
        #[ignore = "takes minutes"]
        fn sin() {
            keeps(2.0, super::sin::<true>, Unary::Sin, |x| !(1e6..f32::INFINITY).contains(&x.abs()));
        }

        #[test]
        #[ignore = "takes minutes"]
        fn cos() {
            keeps(2.0, super::cos::<true>, Unary::Cos, |x| !(1e6..f32::INFINITY).contains(&x.abs()));
        }

        #[test]
        #[ignore = "takes minutes"]
        fn erf() {
            keeps(8.0, |x| super::erf(Number::<true>(x)).0, Unary::Erf, |_| true);
        }
    }

    #[test]
    fn without_fused_multiply_add_the_bounds_double_at_most() {
        assert!(worst(|x| exp(Number::<false>(x)).0, Unary::Exp, |x| !(-104.0..-87.3).contains(&x)) <= 4.0);
        assert!(worst(|x| tanh(Number::<false>(x)).0, Unary::Tanh, |_| true) <= 6.0);
        assert!(worst(|x| log(Number::<false>(x)).0, Unary::Log, |_| true) <= 4.0);
    }
}
