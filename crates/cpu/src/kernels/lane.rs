//! The arithmetic that elementary functions are written in, once for numbers and once for the compiler of fused regions.

/// A number of single precision whose bits can be looked at: what one lane of a vector register holds.
pub trait Lane: Copy {
    /// A constant.
    fn lit(self, x: f32) -> Self;
    /// a + b
    fn add(self, b: Self) -> Self;
    /// a − b
    fn sub(self, b: Self) -> Self;
    /// a·b
    fn mul(self, b: Self) -> Self;
    /// a/b
    fn div(self, b: Self) -> Self;
    /// a·b + c, in one rounding where the processor has it.
    fn fma(self, b: Self, c: Self) -> Self;
    /// The smaller; b if either is NaN.
    fn min(self, b: Self) -> Self;
    /// The larger; b if either is NaN.
    fn max(self, b: Self) -> Self;
    /// Square root.
    fn sqrt(self) -> Self;
    /// Rounded to the nearest integer, ties to even.
    fn round(self) -> Self;
    /// Rounded down.
    fn floor(self) -> Self;
    /// a ∘ b ? x : y
    fn select(self, test: Test, b: Self, x: Self, y: Self) -> Self;
    /// Bitwise and.
    fn and(self, b: Self) -> Self;
    /// Bitwise or.
    fn or(self, b: Self) -> Self;
    /// Bitwise exclusive or.
    fn xor(self, b: Self) -> Self;
    /// Sum of the bits as integers, modulo 2³².
    fn int_add(self, b: Self) -> Self;
    /// Difference of the bits as integers, modulo 2³².
    fn int_sub(self, b: Self) -> Self;
    /// The bits as an integer, shifted left.
    fn shl(self, n: u8) -> Self;
    /// The bits as a signed integer, shifted right.
    fn sar(self, n: u8) -> Self;
    /// The number that the bits are as a signed integer.
    fn int_to_float(self) -> Self;

    /// The constant of these bits.
    #[inline(always)]
    fn bits(self, x: u32) -> Self {
        self.lit(f32::from_bits(x))
    }
    /// −a
    #[inline(always)]
    fn neg(self) -> Self {
        self.xor(self.bits(SIGN))
    }
    /// |a|
    #[inline(always)]
    fn abs(self) -> Self {
        self.and(self.bits(!SIGN))
    }
    /// |a| with the sign of b.
    #[inline(always)]
    fn copysign(self, b: Self) -> Self {
        self.abs().or(b.and(b.bits(SIGN)))
    }
    /// The larger, or NaN.
    #[inline(always)]
    fn maximum(self, b: Self) -> Self {
        self.select(Test::Nan, self, self, self.max(b))
    }
    /// The smaller, or NaN.
    #[inline(always)]
    fn minimum(self, b: Self) -> Self {
        self.select(Test::Nan, self, self, self.min(b))
    }
}

const SIGN: u32 = 1 << 31;

/// A comparison.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Test {
    /// =
    Eq,
    /// ≠
    Ne,
    /// <
    Lt,
    /// ≤
    Le,
    /// >
    Gt,
    /// ≥
    Ge,
    /// Either is NaN.
    Nan,
}

/// A number, with or without a fused multiply-add.
#[derive(Clone, Copy, Debug)]
pub struct Number<const FMA: bool>(pub f32);

impl<const FMA: bool> Number<FMA> {
    #[inline(always)]
    fn bitwise(self, b: Self, f: impl Fn(u32, u32) -> u32) -> Self {
        Number(f32::from_bits(f(self.0.to_bits(), b.0.to_bits())))
    }
}

impl<const FMA: bool> Lane for Number<FMA> {
    #[inline(always)]
    fn lit(self, x: f32) -> Self {
        Number(x)
    }
    #[inline(always)]
    fn add(self, b: Self) -> Self {
        Number(self.0 + b.0)
    }
    #[inline(always)]
    fn sub(self, b: Self) -> Self {
        Number(self.0 - b.0)
    }
    #[inline(always)]
    fn mul(self, b: Self) -> Self {
        Number(self.0 * b.0)
    }
    #[inline(always)]
    fn div(self, b: Self) -> Self {
        Number(self.0 / b.0)
    }
    #[inline(always)]
    fn fma(self, b: Self, c: Self) -> Self {
        Number(if FMA { self.0.mul_add(b.0, c.0) } else { self.0 * b.0 + c.0 })
    }
    #[inline(always)]
    fn min(self, b: Self) -> Self {
        Number(if self.0 < b.0 { self.0 } else { b.0 })
    }
    #[inline(always)]
    fn max(self, b: Self) -> Self {
        Number(if self.0 > b.0 { self.0 } else { b.0 })
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        Number(self.0.sqrt())
    }
    #[inline(always)]
    fn round(self) -> Self {
        Number(self.0.round_ties_even())
    }
    #[inline(always)]
    fn floor(self) -> Self {
        Number(self.0.floor())
    }
    #[inline(always)]
    fn select(self, test: Test, b: Self, x: Self, y: Self) -> Self {
        let (a, b) = (self.0, b.0);
        let holds = match test {
            Test::Eq => a == b,
            Test::Ne => a != b,
            Test::Lt => a < b,
            Test::Le => a <= b,
            Test::Gt => a > b,
            Test::Ge => a >= b,
            Test::Nan => a.is_nan() || b.is_nan(),
        };
        if holds { x } else { y }
    }
    #[inline(always)]
    fn and(self, b: Self) -> Self {
        self.bitwise(b, |x, y| x & y)
    }
    #[inline(always)]
    fn or(self, b: Self) -> Self {
        self.bitwise(b, |x, y| x | y)
    }
    #[inline(always)]
    fn xor(self, b: Self) -> Self {
        self.bitwise(b, |x, y| x ^ y)
    }
    #[inline(always)]
    fn int_add(self, b: Self) -> Self {
        self.bitwise(b, u32::wrapping_add)
    }
    #[inline(always)]
    fn int_sub(self, b: Self) -> Self {
        self.bitwise(b, u32::wrapping_sub)
    }
    #[inline(always)]
    fn shl(self, n: u8) -> Self {
        Number(f32::from_bits(self.0.to_bits() << n))
    }
    #[inline(always)]
    fn sar(self, n: u8) -> Self {
        Number(f32::from_bits((self.0.to_bits() as i32 >> n) as u32))
    }
    #[inline(always)]
    fn int_to_float(self) -> Self {
        Number(self.0.to_bits() as i32 as f32)
    }
}
