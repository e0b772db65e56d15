//! How strongly a message is written: so that it can be read with something to spare, of what the model is for, and no more.

use crate::codec::Codec;
use crate::frame::Frame;
use crate::model::Model;
use crate::picture::{Picture, jpeg_round_trip};
use crate::quality::psnr;
use crate::{Error, Result};

/// Most passes of the writer before the last margin is narrowed down.
const PASSES: usize = 20;
/// A message is safe enough when less than this share of what can be corrected is used up.
const SAFE: f64 = 0.5;
/// What the margin is multiplied by after a pass that was not enough.
const GROWTH: f32 = 1.4;
/// The JPEG quality that messages of the model `robust` must survive.
const MUST: u8 = 75;
/// The one that they should survive too, as long as the picture stays better than [`VISIBLE`].
const SHOULD: u8 = 50;
/// Peak signal-to-noise ratio in decibels below which a message is written no more strongly than it must be.
const VISIBLE: f64 = 38.5;
/// The first margin of the model `robust`, as a multiple of that of training.
const START: f32 = 2.0;
/// The share of what a logit lacks that the first pass of the model `robust` asks for: its writer moves logits of photographs 2.7
/// times as far as it is asked to, and in rough textures, where a wrong bit lacks much, this would be most of the change.
const FIRST: f32 = 0.37;
/// The same of later passes, which correct what the first one made of neighbours; with more, they swing.
const LATER: f32 = 0.25;
/// How often the step between a margin that is not enough and one that is gets halved.
const HALVINGS: usize = 2;

/// A message on its way into a picture.
pub(crate) struct Writing<'a> {
    codec: &'a mut Codec,
    cover: &'a Picture,
    frame: &'a Frame,
    /// The places of the picture's bits that the frame's bits go to, if not to all.
    usable: &'a Option<Vec<u32>>,
    /// The bits at these places, 0 elsewhere.
    bits: Vec<i8>,
    passes: usize,
}

/// A picture with what was asked of each logit since its base, and what is read of the result.
#[derive(Clone)]
struct Draft {
    picture: Picture,
    asked: Vec<f32>,
    logits: Vec<f32>,
}

impl<'a> Writing<'a> {
    pub fn new(codec: &'a mut Codec, cover: &'a Picture, frame: &'a Frame, usable: &'a Option<Vec<u32>>) -> Writing<'a> {
        let bits = spread(usable, frame.bits.clone(), codec.bits(cover));
        Writing { codec, cover, frame, usable, bits, passes: 0 }
    }

    /// The picture with the message, and the passes of the writer that it took.
    ///
    /// # Errors
    /// Errors of the engine, pictures that JPEG does not have.
    pub fn embed(mut self) -> Result<(Picture, usize)> {
        let picture = match self.codec.model {
            Model::Photo => self.kept()?,
            Model::Robust => self.saved_again()?,
        };
        Ok((picture, self.passes))
    }

    /// For pictures that are kept as they are: as in training, each pass goes on from the picture that the last one left.
    fn kept(&mut self) -> Result<Picture> {
        let mut picture = self.cover.clone();
        let mut margin = self.codec.settings.margin;
        while self.passes < PASSES {
            let logits = self.read(&picture)?;
            self.write(&mut picture, &logits, &self.frame.lacks(&logits, margin))?;
            if self.passes >= self.codec.settings.passes {
                if self.frame.load(&self.read(&picture)?) <= SAFE {
                    break;
                }
                margin *= GROWTH;
            }
        }
        Ok(picture)
    }

    /// For pictures that are saved as JPEG: the margin grows until it is enough, and is then narrowed down. The first pass is not
    /// examined, as neighbours have not settled.
    fn saved_again(&mut self) -> Result<Picture> {
        let mut margin = START * self.codec.settings.margin;
        let mut base = Draft { picture: self.cover.clone(), asked: vec![0.0; self.frame.bits.len()], logits: self.read(self.cover)? };
        let mut weak = (self.towards(&base, &base, margin, FIRST)?, margin / GROWTH);
        let mut strong = loop {
            let draft = self.towards(&base, &weak.0, margin, LATER)?;
            if self.passes >= PASSES || self.is_enough(&draft)? {
                break (draft, margin);
            }
            if self.is_visible(&draft) {
                // What cannot be reached from the cover in one go can be from here, step by step.
                base = Draft { asked: base.asked, ..draft.clone() };
                weak = (base.clone(), margin);
            } else {
                weak = (draft, margin);
            }
            margin *= GROWTH;
        };
        for _ in 0..HALVINGS {
            let middle = (weak.1 * strong.1).sqrt();
            let draft = self.towards(&base, &weak.0, middle, LATER)?;
            let side = if self.is_enough(&draft)? { &mut strong } else { &mut weak };
            *side = (draft, middle);
        }
        Ok(strong.0.picture)
    }

    /// The next draft: `share` of what this one lacks, or has too much, is asked in addition. It is written on the base, not on the
    /// draft, so that what is rounded does not add up and what was too much goes away.
    fn towards(&mut self, base: &Draft, draft: &Draft, margin: f32, share: f32) -> Result<Draft> {
        let lacks = self.frame.lacks(&draft.logits, margin);
        let asked: Vec<f32> = draft.asked.iter().zip(&lacks).map(|(a, l)| (a + share * l).max(0.0)).collect();
        let mut picture = base.picture.clone();
        self.write(&mut picture, &base.logits, &asked)?;
        let logits = self.read(&picture)?;
        Ok(Draft { picture, asked, logits })
    }

    fn is_enough(&mut self, draft: &Draft) -> Result<bool> {
        Ok(self.survives(&draft.picture, MUST)? && (self.is_visible(draft) || self.survives(&draft.picture, SHOULD)?))
    }

    fn is_visible(&self, draft: &Draft) -> bool {
        psnr(&self.cover.rgb, &draft.picture.rgb) <= VISIBLE
    }

    /// Whether the message is safe after saving as JPEG.
    fn survives(&mut self, picture: &Picture, quality: u8) -> Result<bool> {
        let rgb = jpeg_round_trip(&picture.rgb, picture.width, picture.height, quality, true).ok_or(Error::NotReadable)?;
        let logits = self.read(&Picture { rgb, ..picture.clone() })?;
        Ok(self.frame.load(&logits) <= SAFE)
    }

    /// One pass of the writer. It moves each logit to its margin: to where it is, and what it lacks beyond.
    fn write(&mut self, picture: &mut Picture, logits: &[f32], lacks: &[f32]) -> Result<()> {
        let wanted = self.frame.bits.iter().zip(logits).zip(lacks).map(|((&b, logit), lack)| logit * f32::from(b) + lack).collect();
        self.passes += 1;
        self.codec.write(picture, &self.bits, &spread(self.usable, wanted, self.bits.len()))
    }

    fn read(&mut self, picture: &Picture) -> Result<Vec<f32>> {
        Ok(only(self.usable, self.codec.logits(picture)?))
    }
}

/// The logits of the usable places.
pub(crate) fn only(usable: &Option<Vec<u32>>, logits: Vec<f32>) -> Vec<f32> {
    match usable {
        None => logits,
        Some(places) => places.iter().map(|&p| logits[p as usize]).collect(),
    }
}

/// Values for the usable places, at their places among `all`.
fn spread<T: Copy + Default>(usable: &Option<Vec<u32>>, values: Vec<T>, all: usize) -> Vec<T> {
    match usable {
        None => values,
        Some(places) => {
            let mut spread = vec![T::default(); all];
            places.iter().zip(values).for_each(|(&p, v)| spread[p as usize] = v);
            spread
        }
    }
}
