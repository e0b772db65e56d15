//! Files of drawings, one drawing after another: ndjson (raw and simplified), Quick, Draw!'s binary, NumPy bitmaps, and images
//! of 784 bytes without a header. The format is told by the contents, not by the name; memory does not grow with the file.

mod binary;
mod ndjson;
mod pixels;

use crate::PIXELS;
use crate::strokes::Stroke;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// A drawing as its file has it.
#[derive(Clone, PartialEq, Debug)]
pub enum Art {
    /// Strokes, in the file's scale.
    Strokes(Vec<Stroke>),
    /// 28 × 28 pixels, 0 is paper.
    Bitmap(Vec<u8>),
}

impl Art {
    /// The drawing as 28 × 28 pixels.
    pub fn bitmap(&self) -> Vec<u8> {
        match self {
            Art::Strokes(strokes) => crate::bitmap(strokes),
            Art::Bitmap(pixels) => pixels.clone(),
        }
    }
}

/// A drawing and what its file says of it.
#[derive(Clone, PartialEq, Debug)]
pub struct Sample {
    /// What was to be drawn, where the file says so.
    pub word: Option<String>,
    /// Its number in the data set. Above 2^53: it is no number of JavaScript.
    pub key: Option<u64>,
    /// Whether the game recognized it.
    pub recognized: Option<bool>,
    /// The drawing.
    pub art: Art,
}

impl Sample {
    /// A bitmap of which nothing else is known.
    fn bitmap(pixels: Vec<u8>) -> Sample {
        Sample { word: None, key: None, recognized: None, art: Art::Bitmap(pixels) }
    }
}

/// What is wrong with a file of drawings, and where.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
#[error("{}{}: {why}", path.display(), place.as_ref().map(|p| format!(", {p}")).unwrap_or_default())]
pub struct BadData {
    /// The file.
    pub path: PathBuf,
    /// The line or the drawing, from 1.
    pub place: Option<String>,
    /// What is wrong.
    pub why: String,
}

impl BadData {
    pub(crate) fn new(path: &Path, place: Option<String>, why: impl Into<String>) -> BadData {
        BadData { path: path.into(), place, why: why.into() }
    }

    pub(crate) fn io(path: &Path, e: &io::Error) -> BadData {
        BadData::new(path, None, e.to_string())
    }
}

/// The formats.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// A JSON object a line.
    Ndjson,
    /// Quick, Draw!'s packed strokes.
    Binary,
    /// A NumPy array of bytes, 784 a row.
    Npy,
    /// 784 bytes a drawing, and nothing else.
    Pixels,
}

impl Format {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Format::Ndjson => "ndjson",
            Format::Binary => "binary",
            Format::Npy => "npy",
            Format::Pixels => "pixels",
        }
    }
}

/// An open file: an iterator of drawings or what is wrong with them. After an error there is nothing more.
///
/// ```no_run
/// for sample in doodle::Reader::open("cat.ndjson".as_ref())? {
///     let sample = sample?;
///     println!("{:?}: {} pixels", sample.word, sample.art.bitmap().len());
/// }
/// # Ok::<(), doodle::BadData>(())
/// ```
#[derive(Debug)]
pub struct Reader {
    path: PathBuf,
    format: Format,
    file: BufReader<File>,
    /// Bytes of the file, and of it read.
    len: u64,
    at: u64,
    /// Drawings or lines begun.
    count: u64,
    /// Drawings in all, where the header says so.
    rows: Option<u64>,
    line: Vec<u8>,
    failed: bool,
}

/// Bytes by which a format is told.
const START: u64 = 4096;

impl Reader {
    /// Opens a file and tells its format.
    ///
    /// # Errors
    /// A file that cannot be read or is none of drawings.
    pub fn open(path: &Path) -> Result<Reader, BadData> {
        let fail = |e: io::Error| BadData::io(path, &e);
        let meta = std::fs::metadata(path).map_err(fail)?;
        if !meta.is_file() {
            return Err(BadData::new(path, None, "it is not a regular file"));
        }
        let mut file = BufReader::new(File::open(path).map_err(fail)?);
        let mut start = vec![];
        file.by_ref().take(START).read_to_end(&mut start).map_err(fail)?;
        let format = tell(&start, meta.len()).map_err(|why| BadData::new(path, None, why))?;
        file.seek(SeekFrom::Start(0)).map_err(fail)?;
        let mut reader =
            Reader { path: path.into(), format, file, len: meta.len(), at: 0, count: 0, rows: None, line: vec![], failed: false };
        match format {
            Format::Npy => reader.npy_header()?,
            Format::Pixels => reader.rows = Some(reader.len / PIXELS as u64),
            Format::Ndjson | Format::Binary => {}
        }
        Ok(reader)
    }

    /// The file's format.
    pub fn format(&self) -> Format {
        self.format
    }

    /// The number of drawings, where the file says it at its beginning.
    pub fn rows(&self) -> Option<u64> {
        self.rows
    }

    /// The share of the file that has been read, from 0 to 1.
    pub fn progress(&self) -> f64 {
        self.at as f64 / self.len.max(1) as f64
    }

    /// What is in this file if it says nothing else: its name up to the first dot, `_` as blanks.
    pub fn stem(&self) -> String {
        let name = self.path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        name.split('.').next().unwrap_or_default().replace('_', " ")
    }

    fn bad(&self, why: impl Into<String>) -> BadData {
        let what = if self.format == Format::Ndjson { "line" } else { "drawing" };
        BadData::new(&self.path, Some(format!("{what} {}", self.count)), why)
    }

    /// Fills `bytes` with what follows.
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), BadData> {
        self.file.read_exact(bytes).map_err(|e| {
            let why = match e.kind() {
                io::ErrorKind::UnexpectedEof => format!("the file ends within it, after {} bytes; copy or download it again", self.len),
                _ => e.to_string(),
            };
            self.bad(why)
        })?;
        self.at += bytes.len() as u64;
        Ok(())
    }
}

impl Iterator for Reader {
    type Item = Result<Sample, BadData>;

    fn next(&mut self) -> Option<Result<Sample, BadData>> {
        if self.failed {
            return None;
        }
        let next = match self.format {
            Format::Ndjson => self.next_line(),
            Format::Binary => self.next_record(),
            Format::Npy | Format::Pixels => self.next_pixels(),
        };
        self.failed = matches!(next, Some(Err(_)));
        next
    }
}

/// The format of a file that begins like this and has `len` bytes.
fn tell(start: &[u8], len: u64) -> Result<Format, String> {
    let other = [
        (&b"\x89PNG"[..], "a PNG picture"),
        (b"\xff\xd8\xff", "a JPEG picture"),
        (b"GIF8", "a GIF picture"),
        (b"\x1f\x8b", "compressed by gzip: unpack it first"),
        (b"PK\x03\x04", "a zip archive (sketch-rnn's .npz are not read): unpack it first"),
        (b"<", "markup, not drawings"),
    ];
    let text = start.iter().position(|b| !b.is_ascii_whitespace()).map_or(&start[..0], |i| &start[i..]);
    if start.is_empty() {
        return Err("it is empty".into());
    }
    if let Some((_, what)) = other.iter().find(|(magic, _)| start.starts_with(magic) || text.starts_with(b"<") && *magic == b"<") {
        return Err(format!("it is {what}"));
    }
    if start.starts_with(b"\x93NUMPY") {
        return Ok(Format::Npy);
    }
    if text.starts_with(b"{") {
        return Ok(Format::Ndjson);
    }
    if binary::looks_like(start) {
        return Ok(Format::Binary);
    }
    if len.is_multiple_of(PIXELS as u64) && std::str::from_utf8(start).is_err() {
        return Ok(Format::Pixels);
    }
    // Pictures without ink at their beginning are text to UTF-8: all their bytes are 0.
    if len.is_multiple_of(PIXELS as u64) && start.contains(&0) {
        return Ok(Format::Pixels);
    }
    Err(format!("it is no file of drawings: neither ndjson, .npy, Quick, Draw!'s .bin, nor images of {PIXELS} bytes each ({len} bytes)"))
}
