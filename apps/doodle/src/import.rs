//! What is in files of drawings, and drawings of any files as bitmaps, a NumPy file for each class, as Quick, Draw! publishes them.

use crate::lesson::npy_header;
use crate::raster::PIXELS;
use crate::read::{BadData, Reader};
use serde::Serialize;
use std::collections::HashMap;
use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// What is in a file.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Counted {
    /// The file.
    pub file: PathBuf,
    /// Its format.
    pub format: &'static str,
    /// Its drawings, if they were counted or are told by the header.
    pub drawings: Option<u64>,
    /// Those that the game recognized, where the file says so and all were read.
    pub recognized: Option<u64>,
    /// The first few words; the file's name where it has none.
    pub words: Vec<String>,
}

/// Words of a file that are listed.
const WORDS: usize = 5;

/// Looks at the beginning of a file.
///
/// # Errors
/// A file that is none of drawings.
pub fn look(path: &Path) -> Result<Counted, BadData> {
    let mut reader = Reader::open(path)?;
    let (format, drawings, stem) = (reader.format().name(), reader.rows(), reader.stem());
    let first = reader.next().transpose()?.and_then(|s| s.word);
    Ok(Counted { file: path.into(), format, drawings, recognized: None, words: vec![first.unwrap_or(stem)] })
}

/// Reads a file to its end. `tick` is told the share that is read, and may end it.
///
/// # Errors
/// The first drawing that is damaged.
pub fn count(path: &Path, mut tick: impl FnMut(f64) -> bool) -> Result<Counted, BadData> {
    let mut reader = Reader::open(path)?;
    let (mut drawings, mut recognized, mut words) = (0, None, vec![]);
    while let Some(sample) = reader.next() {
        let sample = sample?;
        drawings += 1;
        if let Some(known) = sample.recognized {
            recognized = Some(recognized.unwrap_or(0) + u64::from(known));
        }
        if let Some(word) = sample.word.filter(|w| words.len() < WORDS && !words.contains(w)) {
            words.push(word);
        }
        if drawings % 256 == 0 && !tick(reader.progress()) {
            break;
        }
    }
    if words.is_empty() {
        words.push(reader.stem());
    }
    Ok(Counted { file: path.into(), format: reader.format().name(), drawings: Some(drawings), recognized, words })
}

/// Bitmaps under construction. What is not finished keeps the ending `.partial`.
pub struct Import {
    folder: PathBuf,
    each: usize,
    /// The place of each class in `written`.
    places: HashMap<String, usize>,
    written: Vec<(String, usize)>,
    /// Drawings that are not in their files yet: opening a file for each drawing would take longer than drawing it, and all files
    /// at once may be more than the system lets be open.
    waiting: Vec<Vec<u8>>,
}

/// Bytes of a class that wait to be written together.
const BLOCK: usize = 128 * PIXELS;

impl Import {
    /// Files in an existing folder, with at most `each` drawings of a class.
    pub fn new(folder: &Path, each: usize) -> Import {
        Import { folder: folder.into(), each, places: HashMap::new(), written: vec![], waiting: vec![] }
    }

    /// Adds the drawings of a file. `tick` is told the share that is read, and may end it.
    ///
    /// # Errors
    /// A file that is none of drawings or is damaged, files that cannot be written.
    pub fn add(&mut self, path: &Path, mut tick: impl FnMut(f64) -> bool) -> Result<(), BadData> {
        let mut reader = Reader::open(path)?;
        let stem = reader.stem();
        for i in 0u64.. {
            let Some(sample) = reader.next() else { break };
            let sample = sample?;
            if i % 256 == 0 && !tick(reader.progress()) {
                break;
            }
            let class = sample.word.as_ref().unwrap_or(&stem);
            let place = match self.places.get(class) {
                Some(&place) => place,
                None => self.begin(class)?,
            };
            if self.written[place].1 < self.each {
                self.written[place].1 += 1;
                self.waiting[place].extend(sample.art.bitmap());
                if self.waiting[place].len() >= BLOCK {
                    self.flush(place)?;
                }
            }
        }
        Ok(())
    }

    /// A class that has not come before. Its name becomes that of a file.
    fn begin(&mut self, class: &str) -> Result<usize, BadData> {
        let strange = class.is_empty() || class.starts_with('.') || class.len() > 100 || class.contains(['/', '\\', '\0', ':']);
        if strange {
            return Err(BadData::new(&self.folder, None, format!("{class:?} cannot be the name of a file")));
        }
        self.places.insert(class.into(), self.written.len());
        self.written.push((class.into(), 0));
        self.waiting.push(vec![]);
        let path = self.partial(class);
        std::fs::write(&path, npy_header("|u1", &[0, PIXELS])).map_err(|e| BadData::io(&path, &e))?;
        Ok(self.written.len() - 1)
    }

    fn partial(&self, class: &str) -> PathBuf {
        self.folder.join(format!("{class}.npy.partial"))
    }

    fn flush(&mut self, place: usize) -> Result<(), BadData> {
        let path = self.partial(&self.written[place].0);
        let file = File::options().append(true).open(&path);
        file.and_then(|mut f| f.write_all(&self.waiting[place])).map_err(|e| BadData::io(&path, &e))?;
        self.waiting[place].clear();
        Ok(())
    }

    /// Completes the files, and gives the classes with their numbers of drawings.
    ///
    /// # Errors
    /// Files that cannot be written.
    pub fn finish(mut self) -> Result<Vec<(String, usize)>, BadData> {
        for place in 0..self.written.len() {
            self.flush(place)?;
            let (class, rows) = &self.written[place];
            let path = self.partial(class);
            let done = File::options().write(true).open(&path).and_then(|mut f| {
                f.seek(SeekFrom::Start(0))?;
                f.write_all(&npy_header("|u1", &[*rows, PIXELS]))?;
                f.sync_all()?;
                std::fs::rename(&path, self.folder.join(format!("{class}.npy")))
            });
            done.map_err(|e| BadData::io(&path, &e))?;
        }
        self.written.sort();
        Ok(self.written)
    }
}
