//! Pictures, decoded when they are needed.

use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use image::imageops::{FilterType, resize};
use image::{DynamicImage, ImageFormat, ImageReader};

use super::file::changed;
use super::{Fnv, Raw};
use crate::data::array::product;
use crate::data::raw::unreadable;
use crate::data::{DataError, Result};

/// A picture and what its file was when it was opened.
#[derive(Debug)]
struct Picture {
    path: PathBuf,
    len: u64,
    changed: Option<SystemTime>,
}

/// PNG and JPEG files, each a row `[height, width, channels]` of numbers from 0 to 255.
#[derive(Debug)]
pub struct Images {
    folder: PathBuf,
    pictures: Vec<Picture>,
    shape: [usize; 3],
    digest: u64,
}

impl Images {
    /// Looks at the beginning of each file; `folder` is what messages about all of them name.
    pub fn open(folder: PathBuf, paths: Vec<PathBuf>, shape: [usize; 3]) -> Result<Images> {
        let (mut hash, mut pictures) = (Fnv::default(), Vec::with_capacity(paths.len()));
        for path in paths {
            let meta = fs::metadata(&path).map_err(|e| unreadable(&path, &e))?;
            if meta.is_dir() {
                return Err(wrong(&path, "a folder is no image"));
            }
            let (width, height) = reader(&path)?.into_dimensions().map_err(|e| wrong(&path, &e.to_string()))?;
            if width == 0 || height == 0 {
                return Err(wrong(&path, "the image has no pixels"));
            }
            hash.bytes(path.strip_prefix(&folder).unwrap_or(&path).as_os_str().as_encoded_bytes());
            hash.add(meta.len());
            pictures.push(Picture { len: meta.len(), changed: meta.modified().ok(), path });
        }
        Ok(Images { folder, pictures, shape, digest: hash.0 })
    }

    /// Number of pictures.
    pub fn len(&self) -> usize {
        self.pictures.len()
    }

    fn decode(&self, row: u32, to: &mut [f32]) -> Result<()> {
        let picture = self.pictures.get(row as usize).ok_or(DataError::RowIndex { index: row as usize, rows: self.len() })?;
        let meta = fs::metadata(&picture.path).map_err(|e| unreadable(&picture.path, &e))?;
        match changed(&meta, picture.len, picture.changed) {
            Some(why) => Err(wrong(&picture.path, &why)),
            None => decode(&picture.path, self.shape, to),
        }
    }
}

impl Raw for Images {
    fn path(&self) -> &PathBuf {
        &self.folder
    }

    fn rows(&self) -> usize {
        self.len()
    }

    fn width(&self) -> usize {
        product(&self.shape)
    }

    /// Decodes on all processors: it costs more than most training steps.
    fn read(&self, rows: &[u32], to: &mut [f32]) -> Result<()> {
        let workers = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let share = rows.len().div_ceil(workers).max(1);
        let decode = |(rows, to): (&[u32], &mut [f32])| {
            rows.iter().zip(to.chunks_exact_mut(self.width())).try_for_each(|(&row, to)| self.decode(row, to))
        };
        let mut shares = rows.chunks(share).zip(to.chunks_mut(share * self.width()));
        std::thread::scope(|scope| {
            let own = shares.next();
            let others: Vec<_> = shares.map(|part| scope.spawn(move || decode(part))).collect();
            let mut results = vec![own.map_or(Ok(()), decode)];
            for worker in others {
                let panicked = || Err(wrong(&self.folder, "decoding one of its images failed"));
                results.push(worker.join().unwrap_or_else(|_| panicked()));
            }
            results.into_iter().collect()
        })
    }

    fn digest(&self) -> u64 {
        self.digest
    }
}

/// Decodes a file into `[height, width, channels]` numbers from 0 to 255, with 1 channel (grey) or 3.
pub fn decode(path: &Path, [height, width, channels]: [usize; 3], to: &mut [f32]) -> Result<()> {
    let image = reader(path)?.decode().map_err(|e| wrong(path, &e.to_string()))?;
    let (w, h) = (width as u32, height as u32);
    let pixels = match channels {
        1 => scaled(image, w, h, DynamicImage::into_luma8),
        _ => scaled(image, w, h, DynamicImage::into_rgb8),
    };
    if pixels.len() != to.len() {
        return Err(wrong(path, &format!("it gives {} values where {} are needed", pixels.len(), to.len())));
    }
    to.iter_mut().zip(pixels).for_each(|(to, from)| *to = from.into());
    Ok(())
}

/// Pixels of this size: bilinear, over all pixels that a smaller one covers.
fn scaled<P: image::Pixel<Subpixel = u8> + 'static>(
    image: DynamicImage,
    width: u32,
    height: u32,
    channels: impl Fn(DynamicImage) -> image::ImageBuffer<P, Vec<u8>>,
) -> Vec<u8> {
    let image = channels(image);
    if image.dimensions() == (width, height) { image.into_raw() } else { resize(&image, width, height, FilterType::Triangle).into_raw() }
}

fn reader(path: &Path) -> Result<ImageReader<std::io::BufReader<fs::File>>> {
    let reader = ImageReader::open(path).and_then(ImageReader::with_guessed_format).map_err(|e| unreadable(path, &e))?;
    match reader.format() {
        Some(ImageFormat::Png | ImageFormat::Jpeg) => Ok(reader),
        _ => Err(wrong(path, "the file is neither a PNG nor a JPEG image")),
    }
}

fn wrong(path: &Path, why: &str) -> DataError {
    DataError::Image { path: path.into(), why: why.into() }
}
