//! Hiding and revealing: messages in pictures.

use crate::codec::Codec;
use crate::frame::{self, Frame};
use crate::message::Message;
use crate::model::Model;
use crate::picture::{Format, Picture, jpeg_round_trip};
use crate::quality::{psnr, ssim};
use crate::{Error, Result};
use std::path::Path;

/// A picture with a message in it, and what that cost.
#[derive(Clone, Debug)]
pub struct Hidden {
    /// The picture.
    pub picture: Picture,
    /// The file as it is to be written.
    pub file: Vec<u8>,
    /// Bytes of the packed message.
    pub bytes: usize,
    /// Copies of it.
    pub copies: usize,
    /// Passes of the writer.
    pub passes: usize,
    /// Share of wrong bits in the file, before correction.
    pub errors: f64,
    /// How far the file is from losing the message: see [`Frame::load`].
    pub load: f64,
    /// Peak signal-to-noise ratio in decibels.
    pub psnr: f64,
    /// Structural similarity.
    pub ssim: f64,
    frame: Frame,
    usable: Option<Vec<u32>>,
}

impl Hidden {
    /// The share of the bits, before any correction, that a picture made from this one has wrong.
    ///
    /// # Errors
    /// Errors of the engine.
    pub fn errors_of(&self, codec: &mut Codec, picture: &Picture) -> Result<f64> {
        Ok(self.frame.errors(&only(&self.usable, codec.logits(picture)?)))
    }
}

/// Most passes of the writer.
const PASSES: usize = 20;
/// A message is safe enough when less than this share of what can be corrected is used up.
const SAFE: f64 = 0.5;
/// The first margin of the model `robust`, as a share of that of training.
const START: f32 = 0.5;
/// What the margin is multiplied by after a pass that was not enough.
const GROWTH: f32 = 1.4;
/// Quality of JPEG files that are written.
pub const QUALITY: u8 = 90;
/// The quality that messages of the model `robust` must survive, and the one that they should.
pub const MUST: u8 = 75;
const SHOULD: u8 = 50;

/// Hides a message; the file is decoded and read before it is given back.
///
/// # Errors
/// A picture that is too small, a message that is too long, or one that cannot be read back however strongly it is written.
pub fn hide(codec: &mut Codec, cover: &Picture, message: &Message, password: Option<&[u8]>, format: Format) -> Result<Hidden> {
    let usable = codec.usable(cover);
    let all = codec.bits(cover);
    let count = usable.as_ref().map_or(all, Vec::len);
    if frame::capacity(count, codec.model.coding()) == [0, 0] {
        return Err(Error::TooSmall { width: cover.width, height: cover.height });
    }
    let frame = frame::write(message, password, count, codec.model.coding())?;
    let bits = match &usable {
        None => frame.bits.clone(),
        Some(places) => {
            let mut bits = vec![0; all];
            places.iter().zip(&frame.bits).for_each(|(&p, &b)| bits[p as usize] = b);
            bits
        }
    };
    let mut picture = cover.clone();
    let passes = embed(codec, &mut picture, &frame, &bits, &usable)?;
    let file = match format {
        Format::Png => picture.png(),
        Format::Jpeg => picture.jpeg(QUALITY),
    };
    let file = file.map_err(|_| Error::NotReadable)?;
    // The judge is the file itself.
    let back = Picture::parse(&file, Path::new(""))?;
    let logits = only(&usable, codec.logits(&back)?);
    match frame::read(&logits, password, codec.model.coding()) {
        Ok(read) if &read == message => {}
        _ => return Err(Error::NotReadable),
    }
    let (errors, load) = (frame.errors(&logits), frame.load(&logits));
    let (psnr, ssim) = (psnr(&cover.rgb, &back.rgb), ssim(&cover.rgb, &back.rgb, cover.width, cover.height));
    Ok(Hidden { picture: back, file, bytes: frame.bytes, copies: frame.copies, passes, errors, load, psnr, ssim, frame, usable })
}

/// Writes until the message can be read with something to spare, of what the model is for: the picture itself, or the picture saved
/// as JPEG. The margin that the sums over copies must reach grows with each pass. Returns the passes.
fn embed(codec: &mut Codec, picture: &mut Picture, frame: &Frame, bits: &[i8], usable: &Option<Vec<u32>>) -> Result<usize> {
    let robust = codec.model == Model::Robust;
    let mut margin = codec.settings.margin * if robust { START } else { 1.0 };
    for pass in 1..=PASSES {
        let logits = codec.logits(picture)?;
        let lacks = frame.lacks(&only(usable, logits.clone()), margin);
        // The writer moves each logit to its margin: to where it is, and what it lacks beyond.
        let mut wanted: Vec<f32> = logits.iter().zip(bits).map(|(l, &b)| l * f32::from(b)).collect();
        match usable {
            None => wanted.iter_mut().zip(&lacks).for_each(|(w, l)| *w += l),
            Some(places) => places.iter().zip(&lacks).for_each(|(&p, l)| wanted[p as usize] += l),
        }
        codec.write(picture, bits, &wanted)?;
        let safe = match codec.model {
            Model::Photo => pass >= codec.settings.passes && frame.load(&only(usable, codec.logits(picture)?)) <= SAFE,
            Model::Robust => {
                let mut load = |quality| Ok::<_, Error>(frame.load(&only(usable, saved(codec, picture, quality)?)));
                load(MUST)? <= SAFE && load(SHOULD)? <= SAFE
            }
        };
        if safe {
            return Ok(pass);
        }
        margin *= if robust || pass >= codec.settings.passes { GROWTH } else { 1.0 };
    }
    Ok(PASSES)
}

/// What is read of a picture after it is saved as JPEG.
fn saved(codec: &mut Codec, picture: &Picture, quality: u8) -> Result<Vec<f32>> {
    let rgb = jpeg_round_trip(&picture.rgb, picture.width, picture.height, quality, true).ok_or(Error::NotReadable)?;
    codec.logits(&Picture { rgb, ..picture.clone() })
}

/// The logits of the usable places.
fn only(usable: &Option<Vec<u32>>, logits: Vec<f32>) -> Vec<f32> {
    match usable {
        None => logits,
        Some(places) => places.iter().map(|&p| logits[p as usize]).collect(),
    }
}

/// Reads the message of a picture.
///
/// # Errors
/// See [`frame::read`].
pub fn reveal(codec: &mut Codec, picture: &Picture, password: Option<&[u8]>) -> Result<Message> {
    if codec.bits(picture) == 0 {
        return Err(Error::NoMessage);
    }
    let usable = codec.usable(picture);
    let logits = only(&usable, codec.logits(picture)?);
    frame::read(&logits, password, codec.model.coding())
}

/// Bytes of packed message that a picture holds, without and with a password.
pub fn capacity(codec: &Codec, picture: &Picture) -> [usize; 2] {
    let bits = codec.usable(picture).map_or(codec.bits(picture), |places| places.len());
    frame::capacity(bits, codec.model.coding())
}
