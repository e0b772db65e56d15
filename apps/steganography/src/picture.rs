//! Pictures from and to files: PNG and JPEG. What cannot be kept is refused by name, before anything large is decoded.

use crate::{Error, Result};
use image::ImageDecoder;
use image::codecs::jpeg::JpegDecoder;
use image::metadata::Orientation;
use std::io::Cursor;
use std::path::Path;

/// Most pixels that are decoded: at ten bytes a pixel in use, half a gigabyte.
pub const MOST_PIXELS: u64 = 50_000_000;
/// Longest file that is read.
const LONGEST_FILE: u64 = 512 << 20;

/// A file's format.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// Keeps every pixel.
    Png,
    /// Does not.
    Jpeg,
}

impl Format {
    /// The format of files with this name's ending.
    pub fn of(path: &Path) -> Option<Format> {
        let ending = path.extension()?.to_str()?.to_lowercase();
        match ending.as_str() {
            "png" => Some(Format::Png),
            "jpg" | "jpeg" => Some(Format::Jpeg),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        if self == Format::Png { "PNG" } else { "JPEG" }
    }
}

/// A picture of 8 bits for each channel.
#[derive(Clone, PartialEq, Debug)]
pub struct Picture {
    /// Pixels across.
    pub width: usize,
    /// Pixels down.
    pub height: usize,
    /// Red, green and blue, row by row. Grey pictures have three equal ones.
    pub rgb: Vec<u8>,
    /// Opacity of each pixel.
    pub alpha: Option<Vec<u8>>,
    /// The colour profile.
    pub icc: Option<Vec<u8>>,
}

impl Picture {
    /// Reads a PNG or JPEG file.
    ///
    /// # Errors
    /// A file that cannot be read, is something else, or has what cannot be kept: see [`Error`].
    pub fn open(path: &Path) -> Result<Picture> {
        let unreadable = |why: String| Error::Unreadable { path: path.into(), why };
        let size = std::fs::metadata(path).map_err(|e| unreadable(e.to_string()))?.len();
        if size > LONGEST_FILE {
            return Err(unreadable(format!("{size} bytes, at most {LONGEST_FILE} are read")));
        }
        let bytes = std::fs::read(path).map_err(|e| unreadable(e.to_string()))?;
        Picture::parse(&bytes, path)
    }

    /// Reads the bytes of a file; `path` is for messages, and its ending must be right.
    ///
    /// # Errors
    /// As [`Picture::open`].
    pub fn parse(bytes: &[u8], path: &Path) -> Result<Picture> {
        Picture::parse_within(bytes, path, MOST_PIXELS)
    }

    /// The same with another limit of the pixels than [`MOST_PIXELS`], checked before they are decoded.
    ///
    /// # Errors
    /// As [`Picture::open`].
    pub fn parse_within(bytes: &[u8], path: &Path, most: u64) -> Result<Picture> {
        let format = match bytes {
            [0x89, b'P', b'N', b'G', 0x0D, 0x0A, 0x1A, 0x0A, ..] => Format::Png,
            [0xFF, 0xD8, 0xFF, ..] => Format::Jpeg,
            _ => return Err(Error::NoPicture { path: path.into() }),
        };
        if Format::of(path).is_some_and(|f| f != format) {
            return Err(Error::Mislabelled { path: path.into(), is: format.name() });
        }
        match format {
            Format::Png => png(bytes, path, most),
            Format::Jpeg => jpeg(bytes, path, most),
        }
    }

    /// The picture as PNG, with opacity and colour profile.
    ///
    /// # Errors
    /// Sizes that PNG does not have.
    pub fn png(&self) -> Result<Vec<u8>, String> {
        let mut info = png::Info::with_size(self.width as u32, self.height as u32);
        info.color_type = if self.alpha.is_some() { png::ColorType::Rgba } else { png::ColorType::Rgb };
        info.icc_profile = self.icc.clone().map(Into::into);
        let mut out = vec![];
        let encoder = png::Encoder::with_info(&mut out, info).map_err(|e| e.to_string())?;
        let mut writer = encoder.write_header().map_err(|e| e.to_string())?;
        match &self.alpha {
            None => writer.write_image_data(&self.rgb),
            Some(alpha) => {
                let both: Vec<u8> = self.rgb.chunks_exact(3).zip(alpha).flat_map(|(p, &a)| [p[0], p[1], p[2], a]).collect();
                writer.write_image_data(&both)
            }
        }
        .and_then(|()| writer.finish())
        .map_err(|e| e.to_string())?;
        Ok(out)
    }

    /// The picture as JPEG of this quality with colours at half the resolution (4:2:0), with its colour profile.
    ///
    /// # Errors
    /// Sizes that JPEG does not have.
    pub fn jpeg(&self, quality: u8) -> Result<Vec<u8>, String> {
        encoded(&self.rgb, self.width, self.height, quality, true, self.icc.as_deref())
    }
}

fn check_size(path: &Path, width: u32, height: u32, most: u64) -> Result<()> {
    let pixels = u64::from(width) * u64::from(height);
    if pixels > most { Err(Error::TooLarge { path: path.into(), width, height }) } else { Ok(()) }
}

/// Refuses pictures that viewers show turned: written anew, without EXIF, they would lie on their side.
fn check_turn(path: &Path, exif: Option<&[u8]>) -> Result<()> {
    match exif.and_then(Orientation::from_exif_chunk) {
        None | Some(Orientation::NoTransforms) => Ok(()),
        Some(o) => Err(Error::Turned { path: path.into(), orientation: o.to_exif() }),
    }
}

fn png(bytes: &[u8], path: &Path, most: u64) -> Result<Picture> {
    let damaged = |e: png::DecodingError| Error::Damaged { path: path.into(), why: e.to_string() };
    let limits = png::Limits { bytes: 8 * most as usize };
    let mut decoder = png::Decoder::new_with_limits(Cursor::new(bytes), limits);
    decoder.set_transformations(png::Transformations::EXPAND);
    // The sizes stand in the first 24 bytes, before any chunk that may be large.
    let header = decoder.read_header_info().map_err(damaged)?;
    let (width, height) = (header.width, header.height);
    check_size(path, width, height, most)?;
    let mut reader = decoder.read_info().map_err(damaged)?;
    let info = reader.info();
    if info.bit_depth == png::BitDepth::Sixteen {
        return Err(Error::SixteenBits { path: path.into() });
    }
    if info.animation_control.is_some() {
        return Err(Error::Animated { path: path.into() });
    }
    // The decoder trusts that a palette is one of whole colours.
    if info.palette.as_ref().is_some_and(|p| p.is_empty() || p.len() % 3 != 0 || p.len() > 768) {
        return Err(Error::Damaged { path: path.into(), why: "a palette of no whole colours".into() });
    }
    check_turn(path, info.exif_metadata.as_deref())?;
    let icc = info.icc_profile.as_ref().map(|p| p.to_vec());
    let size = reader.output_buffer_size().ok_or(Error::TooLarge { path: path.into(), width, height })?;
    let mut data = vec![0; size];
    let frame = reader.next_frame(&mut data).map_err(damaged)?;
    data.truncate(frame.buffer_size());
    let channels = frame.color_type.samples();
    // A grey profile does not fit the three channels that are written.
    let icc = icc.filter(|_| channels > 2);
    let (rgb, alpha) = split(data, channels);
    Ok(Picture { width: width as usize, height: height as usize, rgb, alpha, icc })
}

/// Colours and opacity of pixels of one to four channels.
fn split(data: Vec<u8>, channels: usize) -> (Vec<u8>, Option<Vec<u8>>) {
    match channels {
        3 => (data, None),
        1 => (data.into_iter().flat_map(|g| [g; 3]).collect(), None),
        2 => (data.chunks_exact(2).flat_map(|p| [p[0]; 3]).collect(), Some(data.chunks_exact(2).map(|p| p[1]).collect())),
        _ => (data.chunks_exact(4).flat_map(|p| [p[0], p[1], p[2]]).collect(), Some(data.chunks_exact(4).map(|p| p[3]).collect())),
    }
}

fn jpeg(bytes: &[u8], path: &Path, most: u64) -> Result<Picture> {
    let damaged = |why: String| Error::Damaged { path: path.into(), why };
    let (width, height, components) = frame_header(bytes).ok_or_else(|| damaged("no frame header".into()))?;
    check_size(path, width.into(), height.into(), most)?;
    if components == 4 {
        return Err(Error::Cmyk { path: path.into() });
    }
    let mut decoder = JpegDecoder::new(Cursor::new(bytes)).map_err(|e| damaged(e.to_string()))?;
    let icc = decoder.icc_profile().ok().flatten();
    check_turn(path, decoder.exif_metadata().ok().flatten().as_deref())?;
    let (across, down) = decoder.dimensions();
    check_size(path, across, down, most)?;
    let channels = usize::from(decoder.color_type().channel_count());
    let mut data = vec![0; across as usize * down as usize * channels];
    if decoder.total_bytes() != data.len() as u64 {
        return Err(damaged("more than 8 bits for each channel".into()));
    }
    decoder.read_image(&mut data).map_err(|e| damaged(e.to_string()))?;
    let icc = icc.filter(|_| channels > 2);
    Ok(Picture { width: across as usize, height: down as usize, rgb: split(data, channels).0, alpha: None, icc })
}

/// Width, height and number of components, from a JPEG file's frame header (ITU-T T.81, B.2.2).
fn frame_header(bytes: &[u8]) -> Option<(u16, u16, u8)> {
    let mut at = 2;
    loop {
        while bytes.get(at)? == &0xFF && bytes.get(at + 1)? == &0xFF {
            at += 1;
        }
        let [0xFF, marker, high, low] = *bytes.get(at..at + 4)? else { return None };
        if matches!(marker, 0xC0..=0xCF) && !matches!(marker, 0xC4 | 0xC8 | 0xCC) {
            let [_, h1, h0, w1, w0, components] = *bytes.get(at + 4..at + 10)? else { return None };
            return Some((u16::from_be_bytes([w1, w0]), u16::from_be_bytes([h1, h0]), components));
        }
        at += 2 + usize::from(u16::from_be_bytes([high, low]));
    }
}

fn encoded(rgb: &[u8], width: usize, height: usize, quality: u8, halved: bool, icc: Option<&[u8]>) -> Result<Vec<u8>, String> {
    let [width, height] = [width, height].map(u16::try_from);
    let (Ok(width), Ok(height)) = (width, height) else { return Err("JPEG has at most 65535 pixels a side".into()) };
    let mut out = vec![];
    let mut encoder = jpeg_encoder::Encoder::new(&mut out, quality);
    encoder.set_sampling_factor(if halved { jpeg_encoder::SamplingFactor::F_2_2 } else { jpeg_encoder::SamplingFactor::F_1_1 });
    if let Some(icc) = icc {
        encoder.add_icc_profile(icc).map_err(|e| e.to_string())?;
    }
    encoder.encode(rgb, width, height, jpeg_encoder::ColorType::Rgb).map_err(|e| e.to_string())?;
    Ok(out)
}

/// RGB pixels after JPEG of this quality, colours at half the resolution (4:2:0) if `halved`.
pub fn jpeg_round_trip(rgb: &[u8], width: usize, height: usize, quality: u8, halved: bool) -> Option<Vec<u8>> {
    let file = encoded(rgb, width, height, quality, halved, None).ok()?;
    Some(jpeg(&file, Path::new(""), MOST_PIXELS).ok()?.rgb).filter(|back| back.len() == rgb.len())
}

/// Writes a file whole.
///
/// # Errors
/// A folder that cannot be written to.
pub fn save(path: &Path, bytes: &[u8]) -> Result<()> {
    neurona::write_whole(path, bytes).map_err(|e| Error::Unwritable { path: path.into(), why: e.to_string() })
}
