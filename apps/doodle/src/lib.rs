//! Doodles: the drawings of Quick, Draw! in all their formats, and the strokes of a canvas, as the pictures that networks
//! learn from; the networks, and what they say of a drawing.
//!
//! Points are (x to the right, y downwards) in any unit. [`bitmap`] is the one way from strokes to pixels, for training, files
//! and canvas alike: a network sees what it was trained on.

pub mod calibrate;
pub mod catalogue;
mod checksum;
pub mod doodler;
pub mod download;
pub mod gallery;
pub mod import;
pub mod judge;
pub mod lesson;
pub mod made;
pub mod picture;
pub mod raster;
pub mod read;
pub mod strokes;
pub mod svg;

pub use doodler::{Answer, Doodler, Guess};
pub use raster::{PIXELS, SIZE, bitmap};
pub use read::{Art, BadData, Reader, Sample};
pub use strokes::{Stroke, simplify};
