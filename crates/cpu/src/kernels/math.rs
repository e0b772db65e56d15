//! Elementary functions of one f32, written without branches so that loops over them become SIMD.
//!
//! Error bounds are in units in the last place (ulp), measured by the tests below against `f64`.

// Coefficients are written as published.
#![allow(clippy::excessive_precision)]

/// a·b + c, in one rounding where the instruction set has it.
#[inline(always)]
fn fma<const FMA: bool>(a: f32, b: f32, c: f32) -> f32 {
    if FMA { a.mul_add(b, c) } else { a * b + c }
}

/// Adding and subtracting 1.5·2²³ rounds to an integer, which then sits in the low mantissa bits.
const ROUNDER: f32 = 12_582_912.0;
/// ln 2 in two parts: n·HI is exact for |n| < 2¹⁰ (Cody & Waite).
const LN2_HI: f32 = 0.693_359_4;
const LN2_LO: f32 = -2.121_944_4e-4;

/// Splits x = n·ln 2 + r with |r| ≤ 0.347: returns (r, eʳ − 1, bits of the rounded n).
#[inline(always)]
fn exp_parts<const FMA: bool>(x: f32) -> (f32, u32) {
    let t = fma::<FMA>(x, std::f32::consts::LOG2_E, ROUNDER);
    let n = t - ROUNDER;
    let r = fma::<FMA>(n, -LN2_LO, fma::<FMA>(n, -LN2_HI, x));
    // Taylor series of (eʳ − 1 − r)/r² to r⁵/7!: the first term left out is below 2⁻²⁶ of the sum.
    let mut p = 1.0 / 5040.0;
    for c in [1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5] {
        p = fma::<FMA>(p, r, c);
    }
    (fma::<FMA>(p, r * r, r), t.to_bits())
}

/// 2ⁿ from the bits of n + ROUNDER, for −126 ≤ n ≤ 127.
#[inline(always)]
fn power_of_two(bits: u32) -> f32 {
    f32::from_bits((bits << 23).wrapping_add(127 << 23))
}

/// eˣ, ≤ 2 ulp; results below 2⁻¹²⁶ become 0.
#[inline(always)]
pub fn exp<const FMA: bool>(x: f32) -> f32 {
    // Two half powers reach the ends of the range without overflowing on the way.
    let clamped = x.clamp(-87.4, 88.8);
    let (q, bits) = exp_parts::<FMA>(clamped);
    let n = bits.wrapping_sub(ROUNDER.to_bits()) as i32;
    let half = n >> 1;
    let scale = |n: i32| f32::from_bits(((n + 127) as u32) << 23);
    let y = fma::<FMA>(q, scale(half), scale(half)) * scale(n - half);
    let y = if x > 88.722_84 {
        f32::INFINITY
    } else if x < -87.336_55 {
        0.0
    } else {
        y
    };
    if x.is_nan() { x } else { y }
}

/// eˣ − 1, ≤ 3 ulp.
#[inline(always)]
pub fn expm1<const FMA: bool>(x: f32) -> f32 {
    let clamped = x.clamp(-20.0, 87.0);
    let (q, bits) = exp_parts::<FMA>(clamped);
    let s = power_of_two(bits);
    let y = fma::<FMA>(q, s, s - 1.0);
    let y = if x > 87.0 { exp::<FMA>(x) } else { y };
    if x.is_nan() { x } else { y }
}

/// tanh x = −m/(2 + m) with m = e^(−2|x|) − 1, ≤ 4 ulp.
#[inline(always)]
pub fn tanh<const FMA: bool>(x: f32) -> f32 {
    let a = x.abs();
    let a = if a > 10.0 { 10.0 } else { a };
    let (q, bits) = exp_parts::<FMA>(-2.0 * a);
    let s = power_of_two(bits);
    let m = fma::<FMA>(q, s, s - 1.0);
    let y = (-m / (2.0 + m)).copysign(x);
    if x.is_nan() { x } else { y }
}

/// 1/(1 + e⁻ˣ), ≤ 4 ulp.
#[inline(always)]
pub fn sigmoid<const FMA: bool>(x: f32) -> f32 {
    1.0 / (1.0 + exp::<FMA>(-x))
}

/// Natural logarithm, ≤ 2 ulp. Polynomial of Cephes `logf` (S. Moshier) on [√½, √2).
#[inline(always)]
pub fn log<const FMA: bool>(x: f32) -> f32 {
    // Subnormal numbers are scaled into the normal range first.
    let tiny = x < f32::MIN_POSITIVE;
    let v = if tiny { x * 8_388_608.0 } else { x };
    let bits = v.to_bits();
    let shifted = bits.wrapping_sub(0x3f35_04f3); // √½ becomes exponent 0
    let exponent = (shifted as i32) >> 23;
    let m = f32::from_bits((shifted & 0x007f_ffff).wrapping_add(0x3f35_04f3)) - 1.0;
    let e = exponent as f32 - if tiny { 23.0 } else { 0.0 };
    let mut p = 7.037_683_6e-2;
    for c in [-0.115_146_1, 0.116_769_984, -0.124_201_41, 0.142_493_23, -0.166_680_57, 0.200_007_14, -0.249_999_94, 0.333_333_3] {
        p = fma::<FMA>(p, m, c);
    }
    let z = m * m;
    let y = fma::<FMA>(e, LN2_LO, fma::<FMA>(-0.5, z, m * z * p));
    let y = fma::<FMA>(e, LN2_HI, m + y);
    let y = if x == 0.0 {
        f32::NEG_INFINITY
    } else if x < 0.0 {
        f32::NAN
    } else {
        y
    };
    if x == f32::INFINITY || x.is_nan() { x } else { y }
}

/// log(1 + x), ≤ 4 ulp: the rounding of 1 + x is undone by the factor x/(u − 1) (Kahan).
#[inline(always)]
pub fn log1p<const FMA: bool>(x: f32) -> f32 {
    let u = 1.0 + x;
    let y = log::<FMA>(u) * (x / (u - 1.0));
    if u == 1.0 {
        x
    } else if u == f32::INFINITY {
        u
    } else {
        y
    }
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
    let z = r * r;
    // Taylor polynomials on |r| ≤ π/4.
    let s =
        fma::<FMA>(fma::<FMA>(fma::<FMA>(fma::<FMA>(2.755_731_9e-6, z, -1.984_126_98e-4), z, 8.333_333_3e-3), z, -0.166_666_67), z * r, r);
    let c = fma::<FMA>(fma::<FMA>(fma::<FMA>(fma::<FMA>(2.480_158_7e-5, z, -1.388_888_9e-3), z, 4.166_666_8e-2), z, -0.5), z, 1.0);
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

/// Error function, ≤ 8 ulp: Maclaurin series below 0.9, above it the Chebyshev fit of erfc with
/// relative error 1.2·10⁻⁷ (Numerical Recipes, §6.2).
#[inline(always)]
pub fn erf<const FMA: bool>(x: f32) -> f32 {
    let a = x.abs();
    let z = a * a;
    // (−1)ⁿ / (n! (2n+1)), n = 10 … 1
    let mut series = 1.0 / 76_204_800.0;
    for c in [-1.0 / 6_894_720.0, 1.0 / 685_440.0, -1.0 / 75_600.0, 1.0 / 9360.0, -1.0 / 1320.0, 1.0 / 216.0, -1.0 / 42.0, 0.1, -1.0 / 3.0]
    {
        series = fma::<FMA>(series, z, c);
    }
    let small = std::f32::consts::FRAC_2_SQRT_PI * fma::<FMA>(series, z * a, a);
    let t = 1.0 / fma::<FMA>(0.5, a, 1.0);
    let mut p = 0.170_872_77;
    for c in [-0.822_152_23, 1.488_515_9, -1.135_203_98, 0.278_868_07, -0.186_288_06, 0.096_784_18, 0.374_091_96, 1.000_023_7, -1.265_512_2]
    {
        p = fma::<FMA>(p, t, c);
    }
    let large = 1.0 - t * exp::<FMA>(p - z);
    let y = (if a < 0.9 { small } else { large }).copysign(x);
    if x.is_nan() { x } else { y }
}

#[cfg(test)]
mod tests {
    use super::*;
    use graph::ops::Unary;

    /// Largest error in ulp over every 997th f32 (about four million of them) and the special values.
    fn worst(f: fn(f32) -> f32, exact: Unary, keep: fn(f32) -> bool) -> f64 {
        let specials = [0.0, -0.0, 1.0, -1.0, f32::INFINITY, f32::NEG_INFINITY, f32::NAN, f32::MIN_POSITIVE, f32::MAX];
        let all = (0..u32::MAX).step_by(997).map(f32::from_bits).chain(specials).filter(|&x| keep(x));
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
        assert!(worst(exp::<true>, Unary::Exp, |x| !(-104.0..-87.3).contains(&x)) <= 2.0);
        assert!(worst(expm1::<true>, Unary::Expm1, any) <= 3.0);
        assert!(worst(tanh::<true>, Unary::Tanh, any) <= 4.0);
        assert!(worst(sigmoid::<true>, Unary::Sigmoid, |x| x > -87.0 || x.is_nan()) <= 4.0);
        assert!(worst(log::<true>, Unary::Log, any) <= 2.0);
        assert!(worst(log1p::<true>, Unary::Log1p, any) <= 4.0);
        assert!(worst(sin::<true>, Unary::Sin, |x| !(1e6..f32::INFINITY).contains(&x.abs())) <= 2.0);
        assert!(worst(cos::<true>, Unary::Cos, |x| !(1e6..f32::INFINITY).contains(&x.abs())) <= 2.0);
        assert!(worst(erf::<true>, Unary::Erf, any) <= 8.0);
    }

    #[test]
    fn without_fused_multiply_add_the_bounds_double_at_most() {
        assert!(worst(exp::<false>, Unary::Exp, |x| !(-104.0..-87.3).contains(&x)) <= 4.0);
        assert!(worst(tanh::<false>, Unary::Tanh, |_| true) <= 6.0);
        assert!(worst(log::<false>, Unary::Log, |_| true) <= 4.0);
    }
}
