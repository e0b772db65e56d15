//! The rival: plain least significant bits. Nothing of it is used to hide; it stands beside the models in their evaluation.

use crate::Picture;
use neurona::Random;

/// Writes `bits` random bits of `seed` to the lowest bits of channels at random places, one for each.
pub fn write(cover: &Picture, bits: usize, seed: u64) -> Picture {
    let mut picture = cover.clone();
    for (place, bit) in places(cover, bits, seed) {
        picture.rgb[place] = picture.rgb[place] & !1 | bit;
    }
    picture
}

/// The share of these bits that a picture has wrong.
pub fn errors(picture: &Picture, bits: usize, seed: u64) -> f64 {
    let wrong = places(picture, bits, seed).filter(|&(place, bit)| picture.rgb[place] & 1 != bit).count();
    wrong as f64 / bits.max(1) as f64
}

/// Each bit and where it is: the first places of a random permutation.
fn places(picture: &Picture, bits: usize, seed: u64) -> impl Iterator<Item = (usize, u8)> {
    let mut random = Random::new(seed, 0x15B);
    let mut all: Vec<u32> = (0..picture.rgb.len() as u32).collect();
    (0..bits.min(picture.rgb.len())).map(move |i| {
        let j = i + random.below(all.len() - i);
        all.swap(i, j);
        (all[i] as usize, random.bits() as u8 & 1)
    })
}
