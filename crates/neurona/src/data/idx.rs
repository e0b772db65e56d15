//! The IDX files of MNIST and its kin: big-endian numbers behind a magic number and the dimensions.

use std::path::Path;

use super::array::product;
use super::npy::hex;
use super::raw::{self, Element, Kind, Reader};
use super::store::{Piece, Watched};
use super::{Array, DataError, Result};

/// Reads the whole array; gzip-compressed files must be unpacked first.
pub fn read(path: &Path) -> Result<Array> {
    let mut file = raw::open(path)?;
    let Header { shape, element, end } = header(&mut file)?;
    let data = file.numbers(end, product(&shape) as u64, element)?;
    let array = Array { shape, data };
    array.check_shape(&path.display().to_string())?;
    Ok(array)
}

/// All rows of a file for reading by position, with their shape.
pub(super) fn piece(path: &Path) -> Result<(Piece, Vec<usize>)> {
    let mut file = raw::open(path)?;
    let Header { shape, element, end } = header(&mut file)?;
    let bytes = (product(&shape) as u64).saturating_mul(element.size as u64);
    file.expect_len(bytes.saturating_add(end))?;
    let (&rows, row) = shape.split_first().unwrap_or((&0, &[]));
    Ok((Piece { file: Watched::open(path)?, begin: end, element, rows }, row.to_vec()))
}

/// What stands before the numbers.
struct Header {
    shape: Vec<usize>,
    element: Element,
    /// Where the numbers begin.
    end: u64,
}

fn header(file: &mut Reader) -> Result<Header> {
    let path = file.path.clone();
    let magic: [u8; 4] = file.start()?;
    let [0, 0, kind, rank] = magic else { return Err(bad_magic(&path, magic)) };
    let (kind, size) = match kind {
        0x08 => (Kind::Unsigned, 1),
        0x09 => (Kind::Signed, 1),
        0x0b => (Kind::Signed, 2),
        0x0c => (Kind::Signed, 4),
        0x0d => (Kind::Float, 4),
        0x0e => (Kind::Float, 8),
        // Four zeros (or a file shorter than four bytes) are rather no IDX file than one of an unknown type.
        0 => return Err(bad_magic(&path, magic)),
        other => {
            let supported = "08 (u8), 09 (i8), 0b (i16), 0c (i32), 0d (f32) and 0e (f64)";
            return Err(DataError::Dtype { path, dtype: format!("{other:02x}"), supported });
        }
    };
    if rank == 0 {
        return Err(DataError::BadHeader { path, byte: 3, why: "the number of dimensions is 0".into() });
    }
    let end = 4 + 4 * u64::from(rank);
    file.expect_len(end)?;
    let mut dims = vec![0; 4 * usize::from(rank)];
    file.seek(4)?;
    file.fill(&mut dims)?;
    let shape = dims.chunks_exact(4).map(|d| u32::from_be_bytes([d[0], d[1], d[2], d[3]]) as usize).collect();
    Ok(Header { shape, element: Element { kind, size, big_endian: true }, end })
}

/// Whether a file that begins with these bytes can be an IDX file.
pub(super) fn is_idx(start: [u8; 4]) -> bool {
    matches!(start, [0, 0, 0x08..=0x0e, rank] if rank > 0)
}

fn bad_magic(path: &Path, magic: [u8; 4]) -> DataError {
    DataError::BadMagic { path: path.into(), found: hex(&magic), expected: "00 00, a type from 08 to 0e and a number of dimensions" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::testing::TempDir;

    fn idx(kind: u8, dims: &[u32], data: &[u8]) -> Vec<u8> {
        let dims: Vec<u8> = dims.iter().flat_map(|d| d.to_be_bytes()).collect();
        [&[0, 0, kind, (dims.len() / 4) as u8], &dims[..], data].concat()
    }

    #[test]
    fn images_labels_and_other_types() {
        let dir = TempDir::new();
        let images = read(&dir.file("images", idx(8, &[2, 2, 2], &[0, 1, 2, 3, 4, 5, 6, 255]))).unwrap();
        assert_eq!((images.shape, images.data[7]), (vec![2, 2, 2], 255.0));
        assert_eq!(read(&dir.file("labels", idx(8, &[3], &[7, 8, 9]))).unwrap().data, [7.0, 8.0, 9.0]);
        assert_eq!(read(&dir.file("i8", idx(9, &[1], &[255]))).unwrap().data, [-1.0]);
        assert_eq!(read(&dir.file("i16", idx(0xb, &[1], &[255, 254]))).unwrap().data, [-2.0]);
        assert_eq!(read(&dir.file("i32", idx(0xc, &[1], &[0, 0, 1, 0]))).unwrap().data, [256.0]);
        assert_eq!(read(&dir.file("f32", idx(0xd, &[1], &1.5f32.to_be_bytes()))).unwrap().data, [1.5]);
        assert_eq!(read(&dir.file("f64", idx(0xe, &[1], &2.5f64.to_be_bytes()))).unwrap().data, [2.5]);
    }

    #[test]
    fn errors() {
        let dir = TempDir::new();
        let gz = read(&dir.file("train-images-idx3-ubyte.gz", [0x1f, 0x8b, 8])).unwrap_err();
        assert!(gz.to_string().contains("gunzip"), "{gz}");
        for bytes in [&b"P5 28 28"[..], b"", &[0, 0], &[0, 0, 0, 1]] {
            let error = read(&dir.file("m", bytes)).unwrap_err();
            assert!(matches!(error, DataError::BadMagic { .. }), "{error}");
        }
        assert!(matches!(read(&dir.file("t", idx(0x0a, &[1], &[0]))), Err(DataError::Dtype { .. })));
        assert!(matches!(read(&dir.file("r", idx(8, &[], &[]))), Err(DataError::BadHeader { byte: 3, .. })));
        let short = dir.file("s", idx(8, &[60000, 28, 28], &[0; 10]));
        assert_eq!(read(&short).unwrap_err(), DataError::Truncated { path: short, expected: 47_040_016, actual: 26 });
        let huge = idx(0xe, &[u32::MAX; 255], &[0; 9]);
        assert!(matches!(read(&dir.file("h", huge)), Err(DataError::Truncated { .. })));
        assert!(matches!(read(&dir.file("d", [0, 0, 8, 3, 0])), Err(DataError::Truncated { .. })));
    }
}
