//! Operations that make values from nothing: filled tensors, counters, and counter-based random
//! numbers.

use super::{Op, arity};
use crate::types::for_each_index;
use crate::{DType, Result, Type, Value};

pub(super) fn infer(op: &Op, ty: &Type, args: &[Type]) -> Result<Type, String> {
    match op {
        Op::Uniform { .. } => {
            arity(args, 1)?;
            if args[0] != Type::new(DType::I32, [2]) {
                return Err("the key must be i32[2]: (seed, step)".into());
            }
            if !ty.dtype.is_float() {
                return Err("random numbers must be f32 or f64".into());
            }
        }
        _ => arity(args, 0)?,
    }
    if let Op::Iota { axis, .. } = op
        && *axis >= ty.rank()
    {
        return Err(format!("axis {axis} does not exist in {ty}"));
    }
    Ok(ty.clone())
}

pub(super) fn eval(op: &Op, args: &[&Value], out: &Type) -> Vec<f64> {
    match op {
        Op::Full { value, .. } => vec![out.dtype.round(value.get()); out.len()],
        Op::Iota { axis, .. } => {
            let mut data = Vec::with_capacity(out.len());
            for_each_index(&out.shape, |i| data.push(i[*axis] as f64));
            data
        }
        Op::Uniform { stream, .. } => {
            let key = [args[0].data[0] as i32 as u32, args[0].data[1] as i32 as u32];
            (0..out.len()).map(|i| f64::from(uniform(key, *stream, i as u64))).collect()
        }
        _ => vec![],
    }
}

/// The `index`-th uniform number in [0, 1) of `stream` under `key`: 24 random bits of Philox 4×32-10.
pub fn uniform(key: [u32; 2], stream: u32, index: u64) -> f32 {
    let block = index / 4;
    let words = philox([block as u32, (block >> 32) as u32, stream, 0], key);
    (words[(index % 4) as usize] >> 8) as f32 * (1.0 / (1 << 24) as f32)
}

/// Philox 4×32-10: ten rounds of two 32-bit multiplications turn a counter into four random words.
///
/// Constants and known answers: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
#[inline]
pub fn philox(mut counter: [u32; 4], mut key: [u32; 2]) -> [u32; 4] {
    for _ in 0..10 {
        let a = u64::from(counter[0]) * 0xD251_1F53;
        let b = u64::from(counter[2]) * 0xCD9E_8D57;
        counter = [(b >> 32) as u32 ^ counter[1] ^ key[0], b as u32, (a >> 32) as u32 ^ counter[3] ^ key[1], a as u32];
        key = [key[0].wrapping_add(0x9E37_79B9), key[1].wrapping_add(0xBB67_AE85)];
    }
    counter
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Known answers published with the reference implementation (Random123, `kat_vectors`).
    #[test]
    fn philox_gives_the_published_answers() {
        assert_eq!(philox([0; 4], [0; 2]), [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
        assert_eq!(philox([u32::MAX; 4], [u32::MAX; 2]), [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]);
    }

    #[test]
    fn uniform_has_the_right_mean_and_differs_by_key_and_stream() {
        let mean = |key, stream| (0..10_000).map(|i| f64::from(uniform(key, stream, i))).sum::<f64>() / 1e4;
        // The standard error of the mean of 10,000 uniforms is 0.0029.
        let m = [mean([1, 0], 0), mean([2, 0], 0), mean([1, 1], 0), mean([1, 0], 1)];
        m.iter().for_each(|m| assert!((m - 0.5).abs() < 0.012, "{m}"));
        assert!((0..4).all(|i| (0..i).all(|j| m[i] != m[j])));
    }
}
