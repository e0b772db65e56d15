//! Random numbers that depend only on a seed and a count: the same everywhere.

/// SplitMix64 (G. Steele, D. Lea, C. Flood, "Fast splittable pseudorandom number generators", 2014). Not for secrets.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The numbers of `stream` (the number of a step, say) under `seed`.
    pub fn new(seed: u64, stream: u64) -> Random {
        Random(mix(mix(seed).wrapping_add(stream)))
    }

    /// The next 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mix(self.0)
    }

    /// A number from 0 to `end` - 1.
    pub fn below(&mut self, end: usize) -> usize {
        ((u128::from(self.bits()) * end as u128) >> 64) as usize
    }

    /// A number from 0 to 1, 1 excluded.
    pub fn unit(&mut self) -> f32 {
        (self.bits() >> 40) as f32 / (1u64 << 24) as f32
    }

    /// A number from `low` to `high`.
    pub fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.unit()
    }

    /// A number of the normal distribution: the sum of twelve uniform ones, whose variance is 1 (it ends at ±6).
    pub fn normal(&mut self) -> f32 {
        (0..3)
            .map(|_| self.bits())
            .flat_map(|b| (0..4).map(move |k| (b >> (16 * k)) as u16))
            .map(|x| (f32::from(x) + 0.5) / 65536.0)
            .sum::<f32>()
            - 6.0
    }
}

/// SplitMix64's finalizer: every bit of the result depends on every bit of `z`.
fn mix(mut z: u64) -> u64 {
    z = (z ^ z >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ z >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ z >> 31
}
