//! What a search has found out about positions: a lower and an upper bound of the score, exact keys, any number of threads.
//!
//! An entry is one 64-bit word, so threads may share a table without locks: a word is either whole or not there.
//!
//! ```text
//! bits 0-5 lower bound + 31 · 6-11 upper bound + 31 · 12-17 log2 of the nodes it cost · 18-26 generation · 27-63 rest of the key
//! ```

use std::sync::atomic::{AtomicU64, Ordering};

/// Bits of a key.
const KEY: u32 = 49;
const KEY_MASK: u64 = (1 << KEY) - 1;
/// Bits of a key that an entry holds.
const REST: u32 = 37;
/// The bits of an entry that were found out, and those of them that say what it cost.
const FOUND: u64 = (1 << 18) - 1;
const WORK: u64 = 63 << 12;
const GENERATIONS: u64 = 1 << 9;
/// An odd factor: multiplying by it modulo 2^49 maps keys one to one and carries low bits into high ones
/// (2^49 divided by the golden ratio; D. Knuth, The Art of Computer Programming 3, 6.4).
const FACTOR: u64 = 0x0001_3C6E_F372_FE95;
/// Entries that share a cache line's half; a key may be in any of them.
const BUCKET: usize = 4;

/// Bounds of a score, both included.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bounds {
    /// The score is at least this.
    pub low: i32,
    /// The score is at most this.
    pub high: i32,
}

/// A table of bounds.
pub struct Transpositions {
    words: Box<[AtomicU64]>,
    shift: u32,
    generation: AtomicU64,
}

impl Transpositions {
    /// A table of at most `megabytes` (at least half of them are used).
    pub fn new(megabytes: usize) -> Transpositions {
        // At least 2^12 buckets, so that the rest of a key fits an entry.
        let buckets = (megabytes.max(1) << 20) / (8 * BUCKET);
        let log = buckets.ilog2().clamp(KEY - REST, 40);
        let words = (0..BUCKET << log).map(|_| AtomicU64::new(0)).collect();
        Transpositions { words, shift: KEY - log, generation: AtomicU64::new(1) }
    }

    /// Forgets everything.
    pub fn clear(&self) {
        let next = self.generation.load(Ordering::Relaxed) + 1;
        if next == GENERATIONS {
            self.words.iter().for_each(|w| w.store(0, Ordering::Relaxed));
        }
        self.generation.store(if next == GENERATIONS { 1 } else { next }, Ordering::Relaxed);
    }

    /// Where a key is kept, and what an entry of it ends with.
    #[inline(always)]
    fn place(&self, key: u64) -> (&[AtomicU64; BUCKET], u64) {
        let generation = self.generation.load(Ordering::Relaxed);
        let mixed = key.wrapping_mul(FACTOR) & KEY_MASK;
        let start = (mixed >> self.shift) as usize * BUCKET;
        let tag = (mixed & ((1 << self.shift) - 1)) << 27 | generation << 18;
        // SAFETY: `mixed >> shift` is below 2^log, and there are BUCKET << log words.
        (unsafe { &*self.words.as_ptr().add(start).cast() }, tag)
    }

    /// What is known of a key.
    #[inline(always)]
    pub(crate) fn get(&self, key: u64) -> Option<Bounds> {
        let (bucket, tag) = self.place(key);
        for word in bucket {
            let w = word.load(Ordering::Relaxed);
            if w & !FOUND == tag {
                return Some(Bounds { low: (w & 63) as i32 - 31, high: (w >> 6 & 63) as i32 - 31 });
            }
        }
        None
    }

    /// Notes bounds that cost `nodes`: in the place of the same key, else of what was cheapest to find out.
    #[inline(always)]
    pub(crate) fn put(&self, key: u64, bounds: Bounds, nodes: u64) {
        let (bucket, tag) = self.place(key);
        let work = u64::from(nodes.max(1).ilog2());
        let word = tag | work << 12 | ((bounds.high + 31) as u64) << 6 | (bounds.low + 31) as u64;
        let (mut worst, mut least) = (0, u64::MAX);
        for (i, entry) in bucket.iter().enumerate() {
            let w = entry.load(Ordering::Relaxed);
            if w & !FOUND == tag {
                // The search began with what was known, so the new bounds are the narrower ones; both costs count.
                return entry.store(word.max(word & !WORK | w & WORK), Ordering::Relaxed);
            }
            let cost = if (w ^ tag) >> 18 & (GENERATIONS - 1) == 0 { w >> 12 & 63 | 64 } else { 0 };
            if cost < least {
                (worst, least) = (i, cost);
            }
        }
        bucket[worst].store(word, Ordering::Relaxed);
    }
}
