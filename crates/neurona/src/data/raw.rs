//! What the binary formats share: opening files, and numbers of any width and byte order.

use std::fs::{self, File};
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::array::check_size;
use super::{DataError, Result};

/// An open file of known length.
#[derive(Debug)]
pub(super) struct Reader {
    pub path: PathBuf,
    pub len: u64,
    file: BufReader<File>,
}

pub(super) fn unreadable(path: &Path, error: &io::Error) -> DataError {
    DataError::Unreadable { path: path.into(), kind: error.kind(), why: error.to_string() }
}

/// Opens a regular file that is not compressed.
pub(super) fn open(path: &Path) -> Result<Reader> {
    let fail = |e: io::Error| unreadable(path, &e);
    let meta = fs::metadata(path).map_err(fail)?;
    // Pipes and devices have no length to check a header against, and some never end.
    if !meta.is_file() {
        let why = if meta.is_dir() { "it is a folder" } else { "it is not a regular file" };
        return Err(fail(io::Error::new(io::ErrorKind::InvalidInput, why)));
    }
    let mut reader = Reader { path: path.into(), len: meta.len(), file: BufReader::new(File::open(path).map_err(fail)?) };
    if reader.start::<2>()? == [0x1f, 0x8b] {
        return Err(DataError::Compressed { path: path.into() });
    }
    Ok(reader)
}

impl Reader {
    /// The first bytes, zeros where the file has fewer; leaves the position at the beginning.
    pub fn start<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        let n = N.min(self.len as usize);
        self.seek(0)?;
        self.fill(&mut bytes[..n])?;
        self.seek(0)?;
        Ok(bytes)
    }

    pub fn seek(&mut self, to: u64) -> Result<()> {
        self.file.seek(SeekFrom::Start(to)).map(|_| ()).map_err(|e| unreadable(&self.path, &e))
    }

    /// The next bytes; the caller has compared their number with the file's length.
    pub fn fill(&mut self, bytes: &mut [u8]) -> Result<()> {
        self.file.read_exact(bytes).map_err(|e| unreadable(&self.path, &e))
    }

    /// The file's bytes, from the beginning.
    pub fn into_stream(self) -> impl Read {
        self.file
    }

    /// Fails unless the file has this many bytes; bytes beyond them are let be, as NumPy does.
    pub fn expect_len(&self, expected: u64) -> Result<()> {
        if expected <= self.len { Ok(()) } else { Err(DataError::Truncated { path: self.path.clone(), expected, actual: self.len }) }
    }

    /// `count` numbers from byte `from` on.
    pub fn numbers(&mut self, from: u64, count: u64, element: Element) -> Result<Vec<f32>> {
        // Before any allocation: the header may claim any size.
        self.expect_len(count.saturating_mul(element.size as u64).saturating_add(from))?;
        check_size(&self.path.display().to_string(), count as usize, 1)?;
        self.seek(from)?;
        let mut values = vec![0.0; count as usize];
        // Bytes are converted piece by piece, so that the file and its values are not in memory together.
        const PIECE: usize = 1 << 16;
        let mut bytes = vec![0; PIECE.min(count as usize) * element.size];
        for part in values.chunks_mut(PIECE) {
            let n = part.len() * element.size;
            self.fill(&mut bytes[..n])?;
            element.decode_all(&bytes[..n], part);
        }
        Ok(values)
    }
}

/// The kinds of numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind {
    Bool,
    Unsigned,
    Signed,
    Float,
}

/// A type of numbers in a file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Element {
    pub kind: Kind,
    /// Bytes of a number: 1, 2, 4 or 8.
    pub size: usize,
    pub big_endian: bool,
}

impl Element {
    /// The numbers that these bytes are.
    pub fn decode_all(self, bytes: &[u8], to: &mut [f32]) {
        match self {
            // What most files hold, in loops that compilers turn into vector instructions.
            Element { kind: Kind::Float, size: 4, big_endian: false } => {
                bytes.as_chunks().0.iter().zip(to).for_each(|(b, x)| *x = f32::from_le_bytes(*b));
            }
            Element { kind: Kind::Float, size: 8, big_endian: false } => {
                bytes.as_chunks().0.iter().zip(to).for_each(|(b, x)| *x = f64::from_le_bytes(*b) as f32);
            }
            Element { kind: Kind::Unsigned, size: 1, .. } => bytes.iter().zip(to).for_each(|(&b, x)| *x = b.into()),
            _ => bytes.chunks_exact(self.size).zip(to).for_each(|(b, x)| *x = self.decode(b)),
        }
    }

    fn decode(self, bytes: &[u8]) -> f32 {
        let mut raw = [0; 8];
        if self.big_endian {
            raw.iter_mut().zip(bytes.iter().rev()).for_each(|(to, from)| *to = *from);
        } else {
            raw.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
        }
        let bits = u64::from_le_bytes(raw);
        match (self.kind, self.size) {
            (Kind::Bool, _) => f32::from(u8::from(bits != 0)),
            (Kind::Unsigned, _) => bits as f32,
            (Kind::Signed, size) => {
                let unused = 64 - 8 * size.clamp(1, 8);
                ((bits << unused) as i64 >> unused) as f32
            }
            (Kind::Float, 2) => half(bits as u16),
            (Kind::Float, 4) => f32::from_bits(bits as u32),
            (Kind::Float, _) => f64::from_bits(bits) as f32,
        }
    }
}

/// The value of an IEEE 754 binary16 number; every one is representable as `f32`.
fn half(bits: u16) -> f32 {
    let (exponent, fraction) = (u32::from(bits >> 10) & 31, u32::from(bits & 1023));
    let magnitude = match exponent {
        0 => fraction as f32 / (1 << 24) as f32,
        31 => f32::from_bits(0x7f80_0000 | fraction << 13),
        _ => f32::from_bits((exponent + 112) << 23 | fraction << 13),
    };
    if bits >> 15 == 1 { -magnitude } else { magnitude }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::testing::{TempDir, missing};

    #[test]
    fn halves() {
        let cases =
            [(0x3c00, 1.0), (0xc000, -2.0), (0x7bff, 65504.0), (0x0001, 5.960_464_5e-8), (0x3555, 0.333_251_95), (0x7c00, f32::INFINITY)];
        for (bits, value) in cases {
            assert_eq!(half(bits), value);
        }
        assert!(half(0x7e00).is_nan());
    }

    #[test]
    fn numbers_of_every_width_and_order() {
        let signed = Element { kind: Kind::Signed, size: 2, big_endian: true };
        assert_eq!(signed.decode(&[0xff, 0xfe]), -2.0);
        assert_eq!(Element { big_endian: false, ..signed }.decode(&[0xfe, 0xff]), -2.0);
        assert_eq!(Element { size: 8, ..signed }.decode(&(-5i64).to_be_bytes()), -5.0);
        assert_eq!(Element { kind: Kind::Float, size: 8, big_endian: true }.decode(&1.5f64.to_be_bytes()), 1.5);
        assert_eq!(Element { kind: Kind::Unsigned, size: 8, big_endian: false }.decode(&[255; 8]), 2f32.powi(64));
    }

    #[test]
    fn the_fast_ways_are_the_slow_one() {
        let bytes: Vec<u8> = (0..64u8).map(|i| i.wrapping_mul(37)).collect();
        for (kind, size) in [(Kind::Float, 4), (Kind::Float, 8), (Kind::Unsigned, 1), (Kind::Signed, 2), (Kind::Float, 2)] {
            for big_endian in [false, true] {
                let element = Element { kind, size, big_endian };
                let mut all = vec![0.0; 64 / size];
                element.decode_all(&bytes, &mut all);
                let one: Vec<u32> = bytes.chunks_exact(size).map(|b| element.decode(b).to_bits()).collect();
                assert_eq!(all.iter().map(|x| x.to_bits()).collect::<Vec<_>>(), one, "{element:?}");
            }
        }
    }

    #[test]
    fn unreadable_files() {
        let dir = TempDir::new();
        let error = open(&missing()).unwrap_err();
        assert!(matches!(error, DataError::Unreadable { kind: io::ErrorKind::NotFound, .. }), "{error}");
        assert!(error.to_string().contains("check the name"), "{error}");
        assert!(open(&dir.path).unwrap_err().to_string().contains("it is a folder"));
        let gz = dir.file("a.gz", [0x1f, 0x8b, 8, 0]);
        assert!(open(&gz).unwrap_err().to_string().contains("gunzip"));
    }
}
