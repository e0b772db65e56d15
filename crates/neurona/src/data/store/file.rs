//! A file that is read by position, and must stay as it was when it was opened.

use std::fs::{File, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::data::raw::unreadable;
use crate::data::{DataError, Result};

/// An open file, with its length and the time of its last change.
#[derive(Debug)]
pub struct Watched {
    pub path: PathBuf,
    pub len: u64,
    changed: Option<SystemTime>,
    file: File,
}

impl Watched {
    pub fn open(path: &Path) -> Result<Watched> {
        let fail = |e| unreadable(path, &e);
        let file = File::open(path).map_err(fail)?;
        let meta = file.metadata().map_err(fail)?;
        Ok(Watched { path: path.into(), len: meta.len(), changed: meta.modified().ok(), file })
    }

    /// Fails if the file was changed since it was opened; `row` is what is about to be read.
    pub fn check(&self, row: usize) -> Result<()> {
        let meta = self.file.metadata().map_err(|e| self.fail(row, e.to_string()))?;
        changed(&meta, self.len, self.changed).map_or(Ok(()), |why| Err(self.fail(row, why)))
    }

    /// Reads the bytes of `row` that begin at `at`. A read by position needs no memory map, whose pages would count
    /// as memory of the process, and which would end it with a signal where a file shrinks.
    pub fn read(&self, row: usize, at: u64, to: &mut [u8]) -> Result<()> {
        read_exact_at(&self.file, to, at).map_err(|e| match (self.check(row), e.kind()) {
            // It was changed between the last check and this read: that says why.
            (Err(changed), _) => changed,
            (Ok(()), io::ErrorKind::UnexpectedEof) => self.fail(row, "the file ends before it".into()),
            (Ok(()), _) => self.fail(row, e.to_string()),
        })
    }

    /// That this row cannot be read.
    pub fn fail(&self, row: usize, why: String) -> DataError {
        DataError::Row { path: self.path.clone(), row, why }
    }
}

/// How a file differs from what it was.
pub fn changed(now: &Metadata, len: u64, time: Option<SystemTime>) -> Option<String> {
    if now.len() != len {
        Some(format!("the file had {len} bytes when it was opened and has {} now", now.len()))
    } else if now.modified().ok() != time {
        Some("the file was written to since it was opened".into())
    } else {
        None
    }
}

#[cfg(unix)]
fn read_exact_at(file: &File, to: &mut [u8], at: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, to, at)
}

#[cfg(windows)]
fn read_exact_at(file: &File, mut to: &mut [u8], mut at: u64) -> io::Result<()> {
    while !to.is_empty() {
        match std::os::windows::fs::FileExt::seek_read(file, to, at)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            n => (to, at) = (&mut to[n..], at + n as u64),
        }
    }
    Ok(())
}
