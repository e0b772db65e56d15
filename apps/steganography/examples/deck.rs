//! The autoencoder of the slides, trained by its short preset, and what it does on noise and on photographs:
//!
//!     cargo run --release -p neurona-steganography --example deck -- [FOLDER OF PHOTOGRAPHS]

use neurona::Random;
use std::path::PathBuf;
use steganography::Picture;
use steganography::deck::{Deck, DeckTraining, SIDE};
use steganography::picture::Format;
use steganography::quality::psnr;
use steganography::training::Course;

/// Pictures of noise.
const PICTURES: usize = 50;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut training = DeckTraining::new(&Deck::SHORT)?;
    while !training.is_done() {
        let r = training.advance()?;
        if r.step.is_multiple_of(50) {
            println!("step {:4}  characters wrong {:.2} %  {:.1} dB", r.step, 100.0 * r.errors, r.psnr);
        }
    }
    let mut network = training.autoencoder()?;
    let mut random = Random::new(99, 99);
    let poem: String = (0..121).map(|_| char::from(32 + random.below(95) as u8)).collect();
    let (mut right, mut quality) = (0, 0.0);
    for _ in 0..PICTURES {
        let rgb = (0..SIDE * SIDE * 3).map(|_| random.bits() as u8).collect();
        let noise = Picture { width: SIDE, height: SIDE, rgb, alpha: None, icc: None };
        let (_, after, _) = network.hide(&noise, &poem)?;
        right += usize::from(network.reveal(&after)? == poem);
        quality += psnr(&noise.rgb, &after.rgb) / PICTURES as f64;
    }
    println!("noise: {right} of {PICTURES} pictures exact, {quality:.1} dB");
    let folder = std::env::args().nth(1).map_or(PathBuf::from("../shared/data/photos"), PathBuf::from);
    for entry in std::fs::read_dir(&folder)?.flatten().filter(|e| Format::of(&e.path()).is_some()) {
        let (before, after, strength) = network.hide(&Picture::open(&entry.path())?, &poem)?;
        let back = Picture::parse(&after.png()?, &PathBuf::new())?;
        let exact = network.reveal(&back)? == poem;
        println!("{}: exact {exact}, {:.1} dB at strength {strength:.2}", entry.file_name().display(), psnr(&before.rgb, &back.rgb));
    }
    Ok(())
}
