//! Hiding and revealing: messages in pictures.

use crate::codec::Codec;
use crate::embed::{Writing, only};
use crate::frame::{self, Frame};
use crate::message::Message;
use crate::picture::{Format, Picture};
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

/// Quality of JPEG files that are written.
pub const QUALITY: u8 = 90;

/// Hides a message; the file is decoded and read before it is given back.
///
/// # Errors
/// A picture that is too small, a message that is too long, or one that cannot be read back however strongly it is written.
pub fn hide(codec: &mut Codec, cover: &Picture, message: &Message, password: Option<&[u8]>, format: Format) -> Result<Hidden> {
    let usable = codec.usable(cover);
    let count = usable.as_ref().map_or(codec.bits(cover), Vec::len);
    if frame::capacity(count, codec.model.coding()) == [0, 0] {
        return Err(Error::TooSmall { width: cover.width, height: cover.height });
    }
    let frame = frame::write(message, password, count, codec.model.coding())?;
    let (picture, passes) = Writing::new(codec, cover, &frame, &usable).embed()?;
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
