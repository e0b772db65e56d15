//! The autoencoder of the slides, trained by its short preset, and what it does on noise and on photographs:
//!
//!     cargo run --release -p neurona-steganography --example deck -- [FOLDER OF PHOTOGRAPHS]

use neurona::Random;
use std::path::PathBuf;
use steganography::Picture;
use steganography::deck::{Deck, DeckTraining, SIDE};
use steganography::picture::Format;
use steganography::quality::psnr;

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
    let poem: Vec<u8> = (0..121).map(|_| 32 + random.below(95) as u8).collect();
    let (mut right, mut quality) = (0, 0.0);
    for _ in 0..50 {
        let noise: Vec<u8> = (0..SIDE * SIDE * 3).map(|_| random.bits() as u8).collect();
        if let Some((bytes, strength)) = network.hide(&noise, &poem)? {
            print!("{strength} ");
            right += usize::from(network.reveal(&bytes)?.as_deref() == Some(&poem[..]));
            quality += psnr(&noise, &bytes) / 50.0;
        }
    }
    println!("noise: {right} of 50 pictures exact, {quality:.1} dB");
    let folder = std::env::args().nth(1).map_or(PathBuf::from("../shared/data/photos"), PathBuf::from);
    for entry in std::fs::read_dir(&folder)?.flatten().filter(|e| Format::of(&e.path()).is_some()) {
        let photo = Picture::open(&entry.path())?;
        let rgb = scaled(&photo);
        match network.hide(&rgb, &poem)? {
            None => println!("{}: not readable", entry.file_name().display()),
            Some((bytes, strength)) => {
                let file = Picture { width: SIDE, height: SIDE, rgb: bytes, alpha: None, icc: None }.png()?;
                let back = Picture::parse(&file, &PathBuf::new())?;
                let exact = network.reveal(&back.rgb)?.as_deref() == Some(&poem[..]);
                println!("{}: exact {exact}, {:.1} dB at strength {strength}", entry.file_name().display(), psnr(&rgb, &back.rgb));
            }
        }
    }
    Ok(())
}

/// The photograph at 256×256 pixels, each the mean of those it covers.
fn scaled(photo: &Picture) -> Vec<u8> {
    let range = |k: usize, n: usize| (k * n / SIDE)..((k + 1) * n).div_ceil(SIDE);
    let mean = |i: usize| {
        let (x, y) = (range(i / 3 % SIDE, photo.width), range(i / 3 / SIDE, photo.height));
        let values = y.flat_map(|y| x.clone().map(move |x| (y * photo.width + x) * 3 + i % 3)).map(|at| f64::from(photo.rgb[at]));
        let (sum, count) = values.fold((0.0, 0.0), |(s, n), v| (s + v, n + 1.0));
        (sum / count).round() as u8
    };
    (0..SIDE * SIDE * 3).map(mean).collect()
}
