//! Mutated files and payloads: whatever comes, an answer or an error, never a crash. Two seconds in a usual run;
//! `FUZZ_SECONDS=600 cargo test -p neurona-steganography --test fuzz -- --nocapture` takes its time.

use neurona::Random;
use std::path::Path;
use std::time::{Duration, Instant};
use steganography::frame::{self, Coding};
use steganography::{Message, Picture, reed_solomon};

fn seconds() -> Duration {
    Duration::from_secs_f64(std::env::var("FUZZ_SECONDS").ok().and_then(|s| s.parse().ok()).unwrap_or(2.0))
}

/// PNG and JPEG files of several kinds.
fn files() -> Vec<Vec<u8>> {
    let picture = |alpha: bool, icc: bool| Picture {
        width: 24,
        height: 20,
        rgb: (0..24 * 20 * 3).map(|i| (i * 7 % 251) as u8).collect(),
        alpha: alpha.then(|| (0..24 * 20).map(|i| i as u8).collect()),
        icc: icc.then(|| vec![9; 60]),
    };
    let mut files: Vec<Vec<u8>> = [(false, false), (true, true)].iter().map(|&(a, i)| picture(a, i).png().unwrap()).collect();
    files.push(picture(false, true).jpeg(80).unwrap());
    files.push(picture(false, false).jpeg(30).unwrap());
    let mut indexed = vec![];
    let mut encoder = png::Encoder::new(&mut indexed, 24, 20);
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_depth(png::BitDepth::Four);
    encoder.set_palette(vec![5; 48]);
    encoder.set_trns(vec![1, 2, 3]);
    encoder.write_header().unwrap().write_image_data(&[0x12; 12 * 20]).unwrap();
    files.push(indexed);
    files
}

fn mutate(random: &mut Random, bytes: &mut Vec<u8>) {
    for _ in 0..1 + random.below(6) {
        let at = random.below(bytes.len().max(1));
        match random.below(6) {
            0 => bytes.truncate(at),
            1 if !bytes.is_empty() => bytes[at] ^= 1 << random.below(8),
            2 if !bytes.is_empty() => bytes[at] = [0, 1, 0x7F, 0x80, 0xFF][random.below(5)],
            3 => bytes.insert(at, random.below(256) as u8),
            4 if at + 4 <= bytes.len() => bytes[at..at + 4].copy_from_slice(&[0xFF, 0xFF, 0xFF, [0xFF, 0][random.below(2)]]),
            _ if at + 8 < bytes.len() => {
                let piece = bytes[at..at + random.below(bytes.len() - at)].to_vec();
                let to = random.below(bytes.len());
                bytes.splice(to..to, piece);
            }
            _ => {}
        }
    }
}

/// Gives the chunks of a mutated PNG file right checksums, so that what is in them is looked at.
fn repair(bytes: &mut [u8]) {
    let mut at = 8;
    while let Some(head) = bytes.get(at..at + 8) {
        let length = u32::from_be_bytes([head[0], head[1], head[2], head[3]]) as usize;
        let Some(end) = at.checked_add(8 + length).filter(|end| end + 4 <= bytes.len()) else { return };
        let sum = crc32fast::hash(&bytes[at + 4..end]);
        bytes[end..end + 4].copy_from_slice(&sum.to_be_bytes());
        at = end + 4;
    }
}

#[test]
fn picture_files() {
    let (files, begin) = (files(), Instant::now());
    let (mut round, mut read) = (0u64, 0u64);
    while begin.elapsed() < seconds() {
        let mut random = Random::new(round, 1);
        let mut bytes = files[random.below(files.len())].clone();
        mutate(&mut random, &mut bytes);
        if random.below(4) > 0 {
            repair(&mut bytes);
        }
        if let Ok(p) = Picture::parse(&bytes, Path::new("")) {
            assert_eq!(p.rgb.len(), 3 * p.width * p.height, "round {round}");
            assert!(p.alpha.is_none_or(|a| a.len() == p.width * p.height), "round {round}");
            read += 1;
        }
        round += 1;
    }
    println!("{round} files, {read} of them readable");
}

#[test]
fn payloads() {
    let coding = Coding { copies: 3, parity: &[1.0, 1.0 / 3.0] };
    let (begin, mut round, mut returned) = (Instant::now(), 0u64, 0u64);
    while begin.elapsed() < seconds() {
        let mut random = Random::new(round, 2);
        let text: String = (0..random.below(60)).map(|_| char::from(32 + random.below(90) as u8)).collect();
        let message = if random.below(2) == 0 { Message::Text(text) } else { Message::File { name: text.clone(), bytes: text.into() } };
        let bits = 300 + random.below(4000);
        if let Ok(frame) = frame::write(&message, None, bits, coding) {
            let noise = random.within_f32(0.0, 8.0);
            let mut logits: Vec<f32> = frame.bits.iter().map(|&b| 4.0 * f32::from(b) + noise * random.normal()).collect();
            match random.below(4) {
                0 => logits.truncate(random.below(bits)),
                1 => logits.iter_mut().for_each(|l| *l = [f32::NAN, f32::INFINITY, -0.0, *l][random.below(4)]),
                _ => {}
            }
            if let Ok(back) = frame::read(&logits, None, coding) {
                assert_eq!(back, message, "round {round}");
                returned += 1;
            }
        }
        let mut word: Vec<u8> = (0..random.below(300)).map(|_| random.below(256) as u8).collect();
        let erased: Vec<usize> = (0..random.below(9)).map(|_| random.below(300)).collect();
        reed_solomon::restore(&mut word, random.below(100), &erased);
        round += 1;
    }
    println!("{round} payloads, {returned} of them returned");
}
