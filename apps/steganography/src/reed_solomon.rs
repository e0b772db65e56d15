//! Reed–Solomon codes over the field of 256 elements (polynomial x⁸+x⁴+x³+x²+1, roots α⁰, α¹, …): errors and erasures.
//!
//! Decoding: syndromes, Berlekamp–Massey begun with the erasures' locator, Chien's search, Forney's values
//! (R. Blahut, "Algebraic codes for data transmission", 2003, chapters 6 and 7). A word of `n` bytes with `p` bytes of parity
//! is restored if 2·errors + erasures ≤ p.

/// Longest word.
pub const LONGEST: usize = 255;

/// Powers of α (twice over, so that sums of two logarithms need no reduction) and logarithms.
struct Tables {
    exp: [u8; 512],
    log: [u8; 256],
}

static TABLES: Tables = tables();

const fn tables() -> Tables {
    let (mut exp, mut log) = ([0u8; 512], [0u8; 256]);
    let (mut x, mut i) = (1u16, 0);
    while i < 255 {
        exp[i] = x as u8;
        exp[i + 255] = x as u8;
        log[x as usize] = i as u8;
        x <<= 1;
        if x & 0x100 != 0 {
            x ^= 0x11D;
        }
        i += 1;
    }
    Tables { exp, log }
}

/// αⁿ.
fn power(n: usize) -> u8 {
    TABLES.exp[n % 255]
}

fn mul(a: u8, b: u8) -> u8 {
    if a == 0 || b == 0 { 0 } else { TABLES.exp[TABLES.log[a as usize] as usize + TABLES.log[b as usize] as usize] }
}

/// a/b; b is not 0.
fn div(a: u8, b: u8) -> u8 {
    if a == 0 { 0 } else { TABLES.exp[TABLES.log[a as usize] as usize + 255 - TABLES.log[b as usize] as usize] }
}

/// The polynomial (lowest power first) at x.
fn at(p: &[u8], x: u8) -> u8 {
    p.iter().rev().fold(0, |sum, &c| mul(sum, x) ^ c)
}

/// The product of two polynomials.
fn product(a: &[u8], b: &[u8]) -> Vec<u8> {
    let mut c = vec![0; a.len() + b.len() - 1];
    for (i, &x) in a.iter().enumerate() {
        b.iter().enumerate().for_each(|(j, &y)| c[i + j] ^= mul(x, y));
    }
    c
}

/// The `parity` bytes that follow `data`; together they are at most [`LONGEST`].
pub fn parity(data: &[u8], parity: usize) -> Vec<u8> {
    if parity == 0 {
        return vec![];
    }
    // Highest power first, without its leading 1.
    let generator = (0..parity).fold(vec![1], |g, i| product(&g, &[power(i), 1]));
    let mut rest = vec![0; parity];
    for &byte in data {
        let factor = byte ^ rest.first().copied().unwrap_or(0);
        rest.rotate_left(1);
        if let Some(last) = rest.last_mut() {
            *last = 0;
        }
        rest.iter_mut().enumerate().for_each(|(i, r)| *r ^= mul(factor, generator[parity - 1 - i]));
    }
    rest
}

/// Restores a word, data and then `parity` bytes; `erased` are places not to be trusted. Returns how many bytes were wrong, or
/// `None` if there are too many (the word is then as it was).
pub fn restore(word: &mut [u8], parity: usize, erased: &[usize]) -> Option<usize> {
    let n = word.len();
    if n > LONGEST || parity > n || erased.len() > parity || erased.iter().any(|&e| e >= n) {
        return None;
    }
    let syndromes = |word: &[u8]| -> Vec<u8> { (0..parity).map(|j| word.iter().fold(0, |s, &c| mul(s, power(j)) ^ c)).collect() };
    let s = syndromes(word);
    if s.iter().all(|&x| x == 0) {
        return Some(0);
    }
    let locator = locator(&s, erased.iter().map(|&e| power(n - 1 - e)))?;
    let values = product(&s, &locator);
    let values = &values[..parity.min(values.len())];
    // The derivative keeps the odd powers: twice anything is 0.
    let slope: Vec<u8> = locator.iter().enumerate().skip(1).map(|(i, &c)| if i % 2 == 1 { c } else { 0 }).collect();
    let mut fixed = word.to_vec();
    let mut found = 0;
    for (i, byte) in fixed.iter_mut().enumerate() {
        let (x, inverse) = (power(n - 1 - i), power(255 - (n - 1 - i) % 255));
        if at(&locator, inverse) == 0 {
            let below = at(&slope, inverse);
            if below == 0 {
                return None;
            }
            *byte ^= mul(x, div(at(values, inverse), below));
            found += 1;
        }
    }
    if found != locator.len() - 1 || syndromes(&fixed).iter().any(|&x| x != 0) {
        return None;
    }
    let wrong = word.iter().zip(&fixed).filter(|(a, b)| a != b).count();
    word.copy_from_slice(&fixed);
    Some(wrong)
}

/// The polynomial whose roots are the inverses of the places of errors and erasures.
fn locator(s: &[u8], erased: impl Iterator<Item = u8>) -> Option<Vec<u8>> {
    let mut lambda = erased.fold(vec![1], |l, x| product(&l, &[1, x]));
    let erasures = lambda.len() - 1;
    let (mut before, mut length) = (lambda.clone(), erasures);
    for r in erasures + 1..=s.len() {
        let gap = lambda.iter().take(r).enumerate().fold(0, |d, (i, &c)| d ^ mul(c, s[r - 1 - i]));
        before.insert(0, 0);
        if gap == 0 {
            continue;
        }
        let mut next = lambda.clone();
        next.resize(next.len().max(before.len()), 0);
        next.iter_mut().zip(&before).for_each(|(n, &b)| *n ^= mul(gap, b));
        if 2 * length < r + erasures {
            length = r + erasures - length;
            before = lambda.iter().map(|&c| div(c, gap)).collect();
        }
        lambda = next;
    }
    while lambda.last() == Some(&0) {
        lambda.pop();
    }
    (lambda.len() == length + 1).then_some(lambda)
}

#[cfg(test)]
mod tests {
    use super::*;
    use neurona::Random;

    /// ISO/IEC 18004 (QR codes), annex I: ten bytes of parity of the message 01234567 in version 1-M.
    #[test]
    fn parity_is_that_of_a_published_code() {
        let data = [0x10, 0x20, 0x0C, 0x56, 0x61, 0x80, 0xEC, 0x11, 0xEC, 0x11, 0xEC, 0x11, 0xEC, 0x11, 0xEC, 0x11];
        assert_eq!(parity(&data, 10), [0xA5, 0x24, 0xD4, 0xC1, 0xED, 0x36, 0xC7, 0x87, 0x2C, 0x55]);
    }

    #[test]
    fn all_that_theory_allows_is_restored_and_nothing_else_accepted() {
        let mut random = Random::new(1, 0);
        for round in 0..2000 {
            let parity_bytes = random.below(65);
            let data: Vec<u8> = (0..1 + random.below(LONGEST - parity_bytes)).map(|_| random.below(256) as u8).collect();
            let mut word = [data.clone(), parity(&data, parity_bytes)].concat();
            let right = word.clone();
            let erasures = random.below(parity_bytes + 1).min(word.len());
            let errors = (random.below((parity_bytes - erasures) / 2 + 1)).min(word.len() - erasures);
            let mut places: Vec<usize> = (0..word.len()).collect();
            (0..erasures + errors).for_each(|i| places.swap(i, i + random.below(right.len() - i)));
            places[..erasures].iter().for_each(|&p| word[p] = random.below(256) as u8);
            places[erasures..erasures + errors].iter().for_each(|&p| word[p] ^= 1 + random.below(255) as u8);
            let wrong = word.iter().zip(&right).filter(|(a, b)| a != b).count();
            assert_eq!(restore(&mut word, parity_bytes, &places[..erasures]), Some(wrong), "round {round}");
            assert_eq!(word, right);
        }
    }

    #[test]
    fn too_many_errors_are_seen() {
        let mut random = Random::new(2, 0);
        let accepted = (0..2000).filter(|_| {
            let mut word: Vec<u8> = (0..60).map(|_| random.below(256) as u8).collect();
            let before = word.clone();
            let result = restore(&mut word, 20, &[]);
            assert!(result.is_some() || word == before);
            result.is_some()
        });
        assert_eq!(accepted.count(), 0); // by chance about 1 in 10¹⁰
        assert_eq!(restore(&mut [0; 300], 10, &[]), None);
        assert_eq!(restore(&mut [1; 10], 4, &[10]), None);
    }
}
