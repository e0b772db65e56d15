//! How good the models are on photographs: what survives which harm, at which quality, and how visible it is; beside plain
//! least significant bits.

use crate::codec::Codec;
use crate::hide::{Hidden, capacity, hide, reveal};
use crate::message::Message;
use crate::picture::{Format, Picture, jpeg_round_trip, save};
use crate::quality::{psnr, ssim};
use crate::{Error, Result, detect, lsb};
use neurona::Random;
use std::path::Path;

/// What happens to a picture after hiding.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Harm {
    /// It is kept as PNG.
    Kept,
    /// It is saved as JPEG of this quality, 4:2:0.
    Jpeg(u8),
    /// Noise of this standard deviation, in tenths of a grey level.
    Noise(u8),
    /// So many grey levels brighter.
    Brighter(u8),
}

impl Harm {
    /// All that is tried.
    pub const ALL: [Harm; 8] =
        [Harm::Kept, Harm::Jpeg(95), Harm::Jpeg(90), Harm::Jpeg(75), Harm::Jpeg(50), Harm::Noise(10), Harm::Noise(30), Harm::Brighter(10)];

    /// A short name.
    pub fn name(self) -> String {
        match self {
            Harm::Kept => "PNG".into(),
            Harm::Jpeg(quality) => format!("JPEG {quality}"),
            Harm::Noise(tenths) => format!("σ {}", f32::from(tenths) / 10.0),
            Harm::Brighter(levels) => format!("+{levels}"),
        }
    }

    /// The picture after it; nothing for pictures that are too large for JPEG.
    pub fn done(self, picture: &Picture, seed: u64) -> Option<Picture> {
        let rgb = match self {
            Harm::Kept => picture.rgb.clone(),
            Harm::Jpeg(quality) => jpeg_round_trip(&picture.rgb, picture.width, picture.height, quality, true)?,
            Harm::Noise(tenths) => {
                let (mut random, sigma) = (Random::new(seed, 77), f32::from(tenths) / 10.0);
                picture.rgb.iter().map(|&p| (f32::from(p) + sigma * random.normal()).round().clamp(0.0, 255.0) as u8).collect()
            }
            Harm::Brighter(levels) => picture.rgb.iter().map(|p| p.saturating_add(levels)).collect(),
        };
        Some(Picture { rgb, ..picture.clone() })
    }
}

/// How much is hidden.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Load {
    /// All that fits.
    Full,
    /// So many bytes.
    Bytes(usize),
}

/// What one photograph gave.
#[derive(Clone, PartialEq, Debug)]
pub struct Case {
    /// Bits of the message for each pixel.
    pub rate: f64,
    /// Peak signal-to-noise ratio in decibels.
    pub psnr: f64,
    /// Structural similarity.
    pub ssim: f64,
    /// For each of [`Harm::ALL`], whether the message came back exactly, and the share of bits that were wrong before correction.
    pub harms: Vec<(bool, f64)>,
    /// How suspicious the photograph is before and after hiding ([`detect::Suspicion::share`]); none for the rival.
    pub suspicion: Option<[f64; 2]>,
}

/// Random bytes, so that nothing can be compressed.
fn random_bytes(count: usize, seed: u64) -> Message {
    let mut random = Random::new(seed, 5);
    Message::File { name: String::new(), bytes: (0..count).map(|_| random.bits() as u8).collect() }
}

/// Hides random bytes in a photograph, writes the file, reads it, and tries everything; nothing if hiding is refused.
///
/// # Errors
/// Errors of the engine and of the file.
pub fn judge(codec: &mut Codec, cover: &Picture, load: Load, seed: u64, file: &Path) -> Result<Option<Case>> {
    let room = capacity(codec, cover)[0].saturating_sub(1); // a byte for the empty name
    let count = match load {
        Load::Full => room,
        Load::Bytes(n) => n,
    };
    let message = random_bytes(count, seed);
    let hidden: Hidden = match hide(codec, cover, &message, None, Format::Png) {
        Err(Error::NotReadable | Error::TooLong { .. } | Error::TooSmall { .. }) => return Ok(None),
        result => result?,
    };
    save(file, &hidden.file)?;
    let kept = Picture::open(file)?;
    let mut harms = vec![];
    for harm in Harm::ALL {
        let Some(picture) = harm.done(&kept, seed) else { continue };
        let exact = matches!(reveal(codec, &picture, None), Ok(m) if m == message);
        harms.push((exact, hidden.errors_of(codec, &picture)?));
    }
    let suspicion = [detect::suspicion(codec, cover)?.share, detect::suspicion(codec, &kept)?.share];
    let rate = 8.0 * count as f64 / (cover.width * cover.height) as f64;
    Ok(Some(Case { rate, psnr: hidden.psnr, ssim: hidden.ssim, harms, suspicion: Some(suspicion) }))
}

/// The same of plain least significant bits, without error correction: exact means that every bit is right.
pub fn rival(cover: &Picture, count: usize, seed: u64) -> Case {
    let bits = 8 * count;
    let kept = lsb::write(cover, bits, seed);
    let errors = Harm::ALL.iter().filter_map(|h| Some(lsb::errors(&h.done(&kept, seed)?, bits, seed)));
    Case {
        rate: bits as f64 / (cover.width * cover.height) as f64,
        psnr: psnr(&cover.rgb, &kept.rgb),
        ssim: ssim(&cover.rgb, &kept.rgb, cover.width, cover.height),
        harms: errors.map(|e| (e == 0.0, e)).collect(),
        suspicion: None,
    }
}
