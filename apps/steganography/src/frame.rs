//! From a message to the bits of a picture, and back from what was read of them.
//!
//! The bits of a picture are permuted. The first of them carry the header (flags, length, checksum), followed, if there is a
//! password, by a lock (the salt of its keys, and a check); both strongly coded and in several copies. All others carry the body:
//! the packed message and a checksum, or sealed, in blocks of a Reed–Solomon code, in the order of a second permutation, which
//! with a password only its owner knows. The code is the strongest for which there is room, and then copies follow, whose
//! logits are added before bits are decided. All bytes are whitened by a stream of random ones.

use crate::message::{LOCKED, Message};
use crate::reed_solomon as rs;
use crate::secret::{self, CHECK, Keys, SALT, TAG};
use crate::{Error, Result};
use chacha20::ChaCha20;
use chacha20::cipher::{KeyIvInit, StreamCipher};

/// Bytes of the header and of the parity after it.
const HEADER: (usize, usize) = (7, 9);
/// The same of the lock.
const LOCK: (usize, usize) = (SALT + CHECK, 20);
/// Of the checksum of an open message.
const SUM: usize = 4;
/// The format, in the upper half of the first byte.
const VERSION: u8 = 1;
/// The order of what is not secret.
const OPEN: &[u8; 32] = b"neurona: order of open messages.";
/// Shortest parity of a block.
const LEAST: usize = 8;

/// How bodies are coded; writer and reader must agree.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Coding {
    /// Most copies.
    pub copies: usize,
    /// Parity for each byte of the body; the first that fits is used.
    pub parity: &'static [f64],
}

/// A random permutation and random bytes, from a key.
struct Order(ChaCha20);

impl Order {
    fn new(key: &[u8; 32], purpose: u8) -> Order {
        Order(ChaCha20::new(key.into(), &[purpose; 12].into()))
    }

    fn shuffle(&mut self, places: &mut [u32]) {
        let mut block = [0u8; 4096];
        let mut left = 0;
        for i in (1..places.len()).rev() {
            if left == 0 {
                block.fill(0);
                self.0.apply_keystream(&mut block);
                left = block.len() / 4;
            }
            left -= 1;
            let word = std::array::from_fn(|k| block[4 * left + k]);
            let j = (u64::from(u32::from_le_bytes(word)) * (i as u64 + 1)) >> 32;
            places.swap(i, j as usize);
        }
    }

    fn whiten(mut self, bytes: &mut [u8]) {
        self.0.apply_keystream(bytes);
    }
}

/// Where everything is in a picture of so many bits.
struct Places {
    all: Vec<u32>,
    copies: usize,
}

impl Places {
    /// The header's copies take a sixteenth of a large picture's bits, or less.
    fn new(bits: usize) -> Places {
        let copies = Places::copies(bits);
        let mut all: Vec<u32> = (0..bits as u32).collect();
        Order::new(OPEN, 0).shuffle(&mut all);
        Places { all, copies }
    }

    fn copies(bits: usize) -> usize {
        (bits / 16 / (8 * (HEADER.0 + HEADER.1))).clamp(1, 9)
    }

    /// Bits that are left for the body.
    fn rest(bits: usize, locked: bool) -> Option<usize> {
        let taken = HEADER.0 + HEADER.1 + if locked { LOCK.0 + LOCK.1 } else { 0 };
        bits.checked_sub(8 * Places::copies(bits) * taken)
    }

    /// The places of the header and of the lock, and of the rest; nothing if there are not enough.
    fn split(&mut self, locked: bool) -> Option<[&mut [u32]; 3]> {
        let [header, lock] = [HEADER, LOCK].map(|s| 8 * (s.0 + s.1) * self.copies);
        let (first, rest) = self.all.split_at_mut_checked(header)?;
        let (second, rest) = rest.split_at_mut_checked(if locked { lock } else { 0 })?;
        Some([first, second, rest])
    }
}

/// The blocks of a body: (bytes, bytes of parity), and how often they are written.
#[derive(Clone, PartialEq, Debug)]
struct Plan {
    blocks: Vec<(usize, usize)>,
    copies: usize,
}

impl Plan {
    /// The strongest plan for a body of `length` bytes in `bits` bits.
    fn new(length: usize, bits: usize, coding: Coding) -> Option<Plan> {
        coding.parity.iter().find_map(|&share| {
            let longest = (rs::LONGEST as f64 / (1.0 + share)) as usize;
            let count = length.div_ceil(longest).max(1);
            let parity = |k: usize| ((k as f64 * share).ceil() as usize).max(LEAST).min(rs::LONGEST - k);
            let block = |i: usize| length / count + usize::from(i < length % count);
            let size: usize = (0..count).map(|i| block(i) + parity(block(i))).sum();
            let fits = length <= bits && 8 * size <= bits;
            fits.then(|| Plan {
                blocks: (0..count).map(|i| (block(i), parity(block(i)))).collect(),
                copies: (bits / 8 / size).min(coding.copies),
            })
        })
    }

    /// Coded bytes of one copy.
    fn size(&self) -> usize {
        self.blocks.iter().map(|b| b.0 + b.1).sum()
    }
}

/// Bytes of body that fit in so many bits.
fn room(bits: usize, coding: Coding) -> usize {
    let (mut low, mut high) = (0, bits / 8);
    while low < high {
        let middle = (low + high).div_ceil(2);
        if Plan::new(middle, bits, coding).is_some() { low = middle } else { high = middle - 1 }
    }
    low
}

/// Bytes of packed message that a picture of so many bits holds, without and with a password.
pub fn capacity(bits: usize, coding: Coding) -> [usize; 2] {
    [(false, SUM), (true, TAG)].map(|(locked, more)| {
        Places::rest(bits, locked).map_or(0, |rest| if rest < 8 * (LEAST + more) { 0 } else { room(rest, coding).saturating_sub(more) })
    })
}

/// How a message lies in a picture.
#[derive(Clone, Debug)]
pub struct Frame {
    /// For each bit of the picture 1, −1, or 0 where nothing is written.
    pub bits: Vec<i8>,
    /// Bytes of the packed message.
    pub bytes: usize,
    /// Copies of the body.
    pub copies: usize,
    sections: Vec<Section>,
}

/// Coded bytes and where they are written.
#[derive(Clone, Debug)]
struct Section {
    bytes: Vec<u8>,
    blocks: Vec<(usize, usize)>,
    places: Vec<u32>,
}

impl Section {
    /// Codes `bytes` in these blocks, whitens them, and writes them to `places`, over and over.
    fn new(frame: &mut [i8], bytes: &[u8], blocks: Vec<(usize, usize)>, places: &[u32], order: (&[u8; 32], u8)) -> Section {
        let (mut coded, mut left) = (vec![], bytes);
        for &(k, parity) in &blocks {
            let (block, after) = left.split_at(k);
            coded.extend_from_slice(block);
            coded.extend(rs::parity(block, parity));
            left = after;
        }
        let bytes = whitened(coded, order.0, order.1);
        for (i, &place) in places.iter().enumerate() {
            let j = i % (8 * bytes.len());
            frame[place as usize] = if bytes[j / 8] >> (j % 8) & 1 == 1 { 1 } else { -1 };
        }
        Section { bytes, blocks, places: places.to_vec() }
    }

    /// The largest share of a block's wrong bytes in those that can be restored.
    fn load(&self, logits: &[f32]) -> f64 {
        let sums = sums(logits, &self.places, self.bytes.len());
        let wrong: Vec<bool> = sums.chunks_exact(8).zip(&self.bytes).map(|(l, &b)| byte(l) != b).collect();
        let mut at = 0;
        let shares = self.blocks.iter().map(|&(k, parity)| {
            let count = wrong[at..at + k + parity].iter().filter(|&&w| w).count();
            at += k + parity;
            count as f64 / (parity / 2) as f64
        });
        shares.fold(0.0, f64::max)
    }
}

impl Frame {
    /// How far a picture with these logits is from losing the message: 0 if every byte arrives, 1 if one more wrong byte might
    /// be too much.
    pub fn load(&self, logits: &[f32]) -> f64 {
        self.sections.iter().map(|s| s.load(logits)).fold(0.0, f64::max)
    }

    /// How much each logit must move to its side, so that the sums over the copies of a bit reach `margin` times the root of
    /// their number (which is how the noise of the sum grows); negative where they are beyond. What one copy lacks, the others may
    /// make up for.
    pub fn lacks(&self, logits: &[f32], margin: f32) -> Vec<f32> {
        let mut lacks = vec![0.0; logits.len()];
        for section in &self.sections {
            let (limit, count) = (limit(logits, &section.places), 8 * section.bytes.len());
            let sums = sums(logits, &section.places, section.bytes.len());
            let copies = section.places.len() as f32 / count as f32;
            let right = |place: u32| f32::from(self.bits[place as usize]) * logits[place as usize];
            // Logits count no more than the limit: those that are there can add nothing, those far beyond it on the wrong side cost
            // too much.
            let can_move = |place: u32| right(place) < limit && right(place) > -REACH * limit;
            let mut movable = vec![0.0f32; count];
            section.places.iter().enumerate().for_each(|(i, &p)| movable[i % count] += f32::from(can_move(p)));
            for (i, &place) in section.places.iter().enumerate() {
                let j = i % count;
                let lack = margin * copies.sqrt() - f32::from(self.bits[place as usize]) * sums[j];
                let outside = (-right(place) - limit).max(0.0);
                lacks[place as usize] = match (movable[j], can_move(place)) {
                    (0.0, _) => lack.max(0.0) / copies + outside,
                    (some, true) if lack > 0.0 => lack / some + outside,
                    (some, true) => lack / some,
                    (_, false) => 0.0,
                };
            }
        }
        lacks
    }

    /// The share of the bits that these logits have wrong, copies added, before any correction.
    pub fn errors(&self, logits: &[f32]) -> f64 {
        let (mut wrong, mut all) = (0, 0);
        for section in &self.sections {
            let sums = sums(logits, &section.places, section.bytes.len());
            wrong += sums.chunks_exact(8).zip(&section.bytes).map(|(l, &b)| (byte(l) ^ b).count_ones()).sum::<u32>();
            all += sums.len();
        }
        f64::from(wrong) / all.max(1) as f64
    }
}

/// Lays out a message in a picture of `bits` bits, coded so.
///
/// # Errors
/// A message that is too long, a system without random numbers.
pub fn write(message: &Message, password: Option<&[u8]>, bits: usize, coding: Coding) -> Result<Frame> {
    let (flags, packed) = message.pack();
    let locked = password.is_some();
    let flags = flags | if locked { LOCKED } else { 0 };
    let long = || Error::TooLong { needed: packed.len(), room: capacity(bits, coding)[usize::from(locked)] };
    if packed.len() > capacity(bits, coding)[usize::from(locked)] || packed.len() > crate::message::LONGEST {
        return Err(long());
    }
    let length = packed.len() + if locked { TAG } else { SUM };
    let header = header(flags, length as u32);
    let (lock, keys) = match password {
        None => (vec![], None),
        Some(password) => {
            let salt = secret::salt()?;
            let keys = Keys::new(password, &salt)?;
            ([&salt[..], &keys.check].concat(), Some(keys))
        }
    };
    let body = match &keys {
        Some(keys) => keys.seal(&header, &packed)?,
        None => [&packed[..], &crc32fast::hash(&packed).to_le_bytes()].concat(),
    };
    let mut places = Places::new(bits);
    let [first, second, rest] = places.split(locked).ok_or_else(long)?;
    let plan = Plan::new(length, rest.len(), coding).ok_or_else(long)?;
    let order = keys.as_ref().map_or(OPEN, |k| &k.order);
    if locked {
        Order::new(order, 1).shuffle(rest);
    }
    let mut all = vec![0; bits];
    let mut sections = vec![Section::new(&mut all, &header, vec![HEADER], first, (OPEN, 2))];
    if locked {
        sections.push(Section::new(&mut all, &lock, vec![LOCK], second, (OPEN, 3)));
    }
    let used = 8 * plan.size() * plan.copies;
    sections.push(Section::new(&mut all, &body, plan.blocks, &rest[..used], (order, 4)));
    Ok(Frame { bits: all, bytes: packed.len(), copies: plan.copies, sections })
}

/// Reads the message from a picture's logits; `coding` is what it was written with.
///
/// # Errors
/// No message, one of a later version, a missing or wrong password, damage beyond repair.
pub fn read(logits: &[f32], password: Option<&[u8]>, coding: Coding) -> Result<Message> {
    let mut places = Places::new(logits.len());
    let [first, ..] = places.split(false).ok_or(Error::NoMessage)?;
    let header = decode(&sums(logits, first, HEADER.0 + HEADER.1), &[HEADER], OPEN, 2).ok_or(Error::NoMessage)?;
    let (flags, length) = parse(&header)?;
    let locked = flags & LOCKED != 0;
    let [_, second, rest] = places.split(locked).ok_or(Error::Spoilt)?;
    let keys = if locked {
        let lock = decode(&sums(logits, second, LOCK.0 + LOCK.1), &[LOCK], OPEN, 3).ok_or(Error::Spoilt)?;
        let (salt, check) = lock.split_at(SALT);
        let keys = Keys::new(password.ok_or(Error::Locked)?, &std::array::from_fn(|i| salt[i]))?;
        if keys.check != check {
            return Err(Error::WrongPassword);
        }
        Order::new(&keys.order, 1).shuffle(rest);
        Some(keys)
    } else {
        None
    };
    let plan = Plan::new(length, rest.len(), coding).ok_or(Error::Spoilt)?;
    let order = keys.as_ref().map_or(OPEN, |k| &k.order);
    let used = &rest[..8 * plan.size() * plan.copies];
    let body = decode(&sums(logits, used, plan.size()), &plan.blocks, order, 4).ok_or(Error::Spoilt)?;
    let packed = match &keys {
        Some(keys) => keys.open(&header, &body),
        None => checked(body),
    };
    Message::unpack(flags, packed.ok_or(Error::Spoilt)?)
}

/// An open body without its checksum, if this is right.
fn checked(mut body: Vec<u8>) -> Option<Vec<u8>> {
    let sum = body.split_off(body.len().checked_sub(SUM)?);
    (crc32fast::hash(&body).to_le_bytes() == sum[..]).then_some(body)
}

fn header(flags: u8, length: u32) -> [u8; HEADER.0] {
    let mut bytes = [0; HEADER.0];
    bytes[0] = VERSION << 4 | flags;
    bytes[1..5].copy_from_slice(&length.to_le_bytes());
    let sum = crc32fast::hash(&bytes[..5]).to_le_bytes();
    bytes[5..].copy_from_slice(&sum[..2]);
    bytes
}

/// Flags and length.
fn parse(header: &[u8]) -> Result<(u8, usize)> {
    let sum = crc32fast::hash(&header[..5]).to_le_bytes();
    if header[5..] != sum[..2] {
        return Err(Error::NoMessage);
    }
    if header[0] >> 4 != VERSION {
        return Err(Error::Version(header[0] >> 4));
    }
    let length = u32::from_le_bytes(std::array::from_fn(|i| header[1 + i])) as usize;
    if header[0] & 8 != 0 || length > crate::message::LONGEST + TAG {
        return Err(Error::NoMessage);
    }
    Ok((header[0] & 7, length))
}

fn whitened(mut bytes: Vec<u8>, key: &[u8; 32], purpose: u8) -> Vec<u8> {
    Order::new(key, purpose).whiten(&mut bytes);
    bytes
}

/// What a logit counts at most: twice their mean. Weights that are no numbers make logits that say nothing.
fn limit(logits: &[f32], places: &[u32]) -> f32 {
    let sizes = places.iter().map(|&p| logits[p as usize].abs()).filter(|l| l.is_finite());
    let limit = 2.0 * sizes.sum::<f32>() / places.len().max(1) as f32;
    if limit.is_finite() { limit } else { f32::MAX }
}

/// How far beyond the limit, as a share of it, a logit on the wrong side may be to be worth moving.
const REACH: f32 = 1.25;

/// The logits of the bits of `bytes` bytes, added over all copies.
fn sums(logits: &[f32], places: &[u32], bytes: usize) -> Vec<f32> {
    let limit = limit(logits, places);
    let mut sums = vec![0.0; 8 * bytes];
    for (i, &place) in places.iter().enumerate() {
        let logit = logits[place as usize];
        sums[i % (8 * bytes)] += if logit.is_nan() { 0.0 } else { logit.clamp(-limit, limit) };
    }
    sums
}

/// The byte of eight logits.
fn byte(logits: &[f32]) -> u8 {
    logits.iter().enumerate().fold(0, |x, (i, &l)| x | u8::from(l > 0.0) << i)
}

/// The bytes of these blocks, restored: as they are read, or with the least certain ones erased.
fn decode(logits: &[f32], blocks: &[(usize, usize)], key: &[u8; 32], purpose: u8) -> Option<Vec<u8>> {
    let bytes = whitened(logits.chunks_exact(8).map(byte).collect(), key, purpose);
    let certain: Vec<f32> = logits.chunks_exact(8).map(|b| b.iter().map(|l| l.abs()).fold(f32::INFINITY, f32::min)).collect();
    let (mut all, mut at) = (vec![], 0);
    for &(k, parity) in blocks {
        let (word, certain) = (&bytes[at..at + k + parity], &certain[at..at + k + parity]);
        all.extend_from_slice(&restored(word, parity, certain)?[..k]);
        at += k + parity;
    }
    Some(all)
}

/// A word, restored with no, then with ever more of the least certain bytes erased (G. Forney, "Generalized minimum distance
/// decoding", 1966). Some parity is kept to recognise a wrong word.
fn restored(word: &[u8], parity: usize, certain: &[f32]) -> Option<Vec<u8>> {
    let mut order: Vec<usize> = (0..word.len()).collect();
    order.sort_by(|&a, &b| certain[a].total_cmp(&certain[b]));
    (0..7).find_map(|i| {
        let mut fixed = word.to_vec();
        rs::restore(&mut fixed, parity, &order[..(parity * i / 8).min(word.len())]).map(|_| fixed)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use neurona::Random;

    fn coding(copies: usize) -> Coding {
        Coding { copies, parity: &[1.0, 1.0 / 3.0] }
    }

    fn logits(frame: &Frame, noise: f32, seed: u64) -> Vec<f32> {
        let mut random = Random::new(seed, 0);
        frame.bits.iter().map(|&b| 4.0 * f32::from(b) + noise * random.normal()).collect()
    }

    fn random_file(length: usize) -> Message {
        let mut random = Random::new(length as u64, 1);
        Message::File { name: String::new(), bytes: (0..length).map(|_| random.below(256) as u8).collect() }
    }

    #[test]
    fn messages_come_back_through_noise_with_and_without_password() {
        for bits in [1024, 7500, 98304] {
            for (i, password) in [None, Some(&b"secret"[..])].into_iter().enumerate() {
                let full = capacity(bits, coding(3))[i];
                for length in [0, 1, full / 9, full - 1] {
                    let message = random_file(length);
                    let frame = write(&message, password, bits, coding(3)).unwrap();
                    assert!((1..=3).contains(&frame.copies));
                    let got = read(&logits(&frame, 1.4, 3), password, coding(3));
                    assert_eq!(got.unwrap(), message, "{length} of {full} bytes in {bits} bits");
                }
                assert!(matches!(write(&random_file(full), password, bits, coding(3)), Err(Error::TooLong { room, .. }) if room == full));
            }
        }
    }

    #[test]
    fn copies_that_are_added_bear_more_noise() {
        let message = random_file(121);
        let frame = write(&message, None, 24_000, coding(9)).unwrap();
        assert!(frame.copies > 7);
        assert_eq!(read(&logits(&frame, 6.0, 5), None, coding(9)).unwrap(), message); // a quarter of the bits is wrong
    }

    #[test]
    fn failures_have_names() {
        let clean: Vec<f32> = logits(&Frame { bits: vec![0; 24_000], bytes: 0, copies: 0, sections: vec![] }, 3.0, 1);
        assert!(matches!(read(&clean, None, coding(3)), Err(Error::NoMessage)));
        assert!(matches!(read(&[1.0; 40], None, coding(3)), Err(Error::NoMessage)));
        let frame = write(&random_file(500), Some(b"one"), 24_000, coding(1)).unwrap();
        let mut read_back = logits(&frame, 1.0, 2);
        assert!(matches!(read(&read_back, None, coding(1)), Err(Error::Locked)));
        assert!(matches!(read(&read_back, Some(b"two"), coding(1)), Err(Error::WrongPassword)));
        let mut random = Random::new(9, 9);
        let open = write(&random_file(2000), None, 24_000, coding(1)).unwrap();
        read_back = logits(&open, 1.0, 2);
        // A third of the bits is turned, so that the copies of the header hold and the body does not.
        read_back.iter_mut().for_each(|l| *l *= if random.unit_f32() < 0.08 { -1.0 } else { 1.0 });
        assert!(matches!(read(&read_back, None, coding(1)), Err(Error::Spoilt)));
    }

    #[test]
    fn capacity_is_that_of_a_code_of_three_quarters() {
        assert_eq!(capacity(100, coding(1)), [0, 0]);
        let [open, locked] = capacity(98_304, coding(1));
        assert!(open as f64 * 8.0 / 98_304.0 > 0.735 && locked < open, "{open} {locked}");
    }
}
