//! Random numbers that depend only on a seed and a count, for data that programs make: the same everywhere, from any
//! point on. Not for secrets. (Weights, dropout and orders of rows come from the graph's counter-based generator.)

/// SplitMix64 (G. Steele, D. Lea, C. Flood, "Fast splittable pseudorandom number generators", 2014).
///
/// ```
/// let mut random = neurona::Random::new(1, 0);
/// let (dice, share) = (1 + random.below(6), random.unit());
/// assert!((1..=6).contains(&dice) && (0.0..1.0).contains(&share));
/// assert_eq!(neurona::Random::new(1, 0).below(6) + 1, dice);
/// ```
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The numbers of `stream` (the number of a game or of a step, say) under `seed`.
    pub fn new(seed: u64, stream: u64) -> Random {
        Random(mix(mix(seed).wrapping_add(stream)))
    }

    /// The next 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mix(self.0)
    }

    /// A whole number from 0 to `end` - 1.
    pub fn below(&mut self, end: usize) -> usize {
        ((u128::from(self.bits()) * end as u128) >> 64) as usize
    }

    /// A whole number from `low` to `high`, both included.
    pub fn whole(&mut self, low: usize, high: usize) -> usize {
        low + ((high - low + 1) as f64 * self.unit()) as usize
    }

    /// A number from 0 to 1, 1 excluded.
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// A number from `low` to `high`.
    pub fn within(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// Whether something of this probability happens.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// A number from 0 to 1, 1 excluded, in single precision.
    pub fn unit_f32(&mut self) -> f32 {
        (self.bits() >> 40) as f32 / (1u64 << 24) as f32
    }

    /// A number from `low` to `high`, in single precision.
    pub fn within_f32(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.unit_f32()
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
pub fn mix(mut z: u64) -> u64 {
    z = (z ^ z >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ z >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ z >> 31
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first numbers of SplitMix64 from state 1234567, as Rosetta Code and other implementations list them.
    #[test]
    fn the_published_sequence() {
        let mut random = Random(1_234_567);
        let first: Vec<u64> = (0..5).map(|_| random.bits()).collect();
        let published = [
            6_457_827_717_110_365_317,
            3_203_168_211_198_807_973,
            9_817_491_932_198_370_423,
            4_593_380_528_125_082_431,
            16_408_922_859_458_223_821,
        ];
        assert_eq!(first, published);
    }

    #[test]
    fn ranges_means_and_variances() {
        let mut random = Random::new(1, 2);
        let n = 40_000;
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let unit: Vec<f64> = (0..n).map(|_| random.unit()).collect();
        let single: Vec<f64> = (0..n).map(|_| f64::from(random.within_f32(-1.0, 3.0))).collect();
        let normal: Vec<f64> = (0..n).map(|_| f64::from(random.normal())).collect();
        let square: Vec<f64> = normal.iter().map(|x| x * x).collect();
        assert!((mean(&unit) - 0.5).abs() < 0.01 && unit.iter().all(|u| (0.0..1.0).contains(u)));
        assert!((mean(&single) - 1.0).abs() < 0.03 && single.iter().all(|u| (-1.0..3.0).contains(u)));
        assert!(mean(&normal).abs() < 0.03 && (mean(&square) - 1.0).abs() < 0.03);
        let whole: Vec<usize> = (0..n).map(|_| random.whole(2, 5)).collect();
        assert!(
            (2..=5).all(|k| whole.iter().filter(|&&w| w == k).count().abs_diff(n / 4) < 500) && whole.iter().all(|w| (2..=5).contains(w))
        );
        assert_eq!((0..9).map(|_| random.below(1)).max(), Some(0));
    }
}
