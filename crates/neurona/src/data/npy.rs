//! NumPy's `.npy` files: arrays of bool, integers and floats of any width, as `f32`.
//!
//! 64-bit integers and floats are rounded to the nearest `f32`. Fortran order is transposed to C order.

mod header;

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::array::product;
use super::raw::{self, Kind, Reader};
use super::store::{Piece, Watched};
use super::{Array, DataError, Result};
use header::Header;
pub(super) use header::hex;

/// Reads the whole array; a single number becomes one row of one value.
pub fn read(path: &Path) -> Result<Array> {
    let (mut file, header) = open(path)?;
    whole(&mut file, &header)
}

/// Reads `count` rows from row `start` on, and nothing else of the file (unless it is in Fortran order).
pub fn read_rows(path: &Path, start: usize, count: usize) -> Result<Array> {
    let (mut file, header) = open(path)?;
    let rows = header.shape.first().copied().unwrap_or(0);
    let end = start.saturating_add(count);
    if end > rows {
        let place = path.display().to_string();
        return Err(DataError::TooFewRows { place, needed: end, available: rows, fix: "ask for fewer rows, or use a longer file" });
    }
    let row_shape = header.shape.get(1..).unwrap_or(&[]).to_vec();
    let row = product(&row_shape);
    let data = if header.fortran {
        whole(&mut file, &header)?.data[start * row..end * row].to_vec()
    } else {
        let bytes = (row as u64).saturating_mul(header.element.size as u64).saturating_mul(start as u64);
        file.numbers(header.end.saturating_add(bytes), (row as u64).saturating_mul(count as u64), header.element)?
    };
    checked(path, [&[count], &row_shape[..]].concat(), data)
}

/// The number of rows, from the header.
pub fn rows(path: &Path) -> Result<usize> {
    Ok(open(path)?.1.shape.first().copied().unwrap_or(0))
}

/// The number of values of a row, from the header.
pub fn row_len(path: &Path) -> Result<usize> {
    Ok(product(open(path)?.1.shape.get(1..).unwrap_or(&[])))
}

/// Whether the file holds integers or truth values, from the header.
pub fn is_integer(path: &Path) -> Result<bool> {
    Ok(open(path)?.1.element.kind != Kind::Float)
}

/// Rows `0 .. rows` (or all) of a file for reading by position, with their shape; none if the file is in Fortran order.
pub(super) fn piece(path: &Path, rows: Option<usize>) -> Result<Option<(Piece, Vec<usize>)>> {
    let (_, header) = open(path)?;
    let Header { shape, fortran, element, end } = header;
    let (&all, row) = shape.split_first().unwrap_or((&0, &[]));
    if fortran && row.iter().product::<usize>() > 1 {
        return Ok(None);
    }
    Ok(Some((Piece { file: Watched::open(path)?, begin: end, element, rows: rows.unwrap_or(all).min(all) }, row.to_vec())))
}

/// Writes the array as little-endian `f32`, format 1.0.
///
/// The file is written beside its place and renamed, so that a crash leaves no half-written one.
pub fn write(path: &Path, array: &Array) -> Result<()> {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    array.check_shape(&path.display().to_string())?;
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(format!(".{}-{}.part", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed)));
    let part = path.with_file_name(name);
    let written = write_to(&part, array).and_then(|()| fs::rename(&part, path));
    written.map_err(|e| {
        let _ = fs::remove_file(&part);
        DataError::Unwritable { path: path.into(), why: e.to_string() }
    })
}

fn write_to(path: &Path, array: &Array) -> io::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    file.write_all(&header::bytes(&array.shape))?;
    for value in &array.data {
        file.write_all(&value.to_le_bytes())?;
    }
    file.into_inner().map_err(|e| e.into_error())?.sync_all()
}

/// Opens the file and checks that it is as long as its header says.
fn open(path: &Path) -> Result<(Reader, Header)> {
    let mut file = raw::open(path)?;
    let header = header::read(&mut file)?;
    let bytes = (product(&header.shape) as u64).saturating_mul(header.element.size as u64);
    file.expect_len(bytes.saturating_add(header.end))?;
    Ok((file, header))
}

fn whole(file: &mut Reader, header: &Header) -> Result<Array> {
    let data = file.numbers(header.end, product(&header.shape) as u64, header.element)?;
    let data = if header.fortran { transpose(&header.shape, &data) } else { data };
    checked(&file.path, header.shape.clone(), data)
}

fn checked(path: &Path, shape: Vec<usize>, data: Vec<f32>) -> Result<Array> {
    let array = Array { shape, data };
    array.check_shape(&path.display().to_string())?;
    Ok(array)
}

/// The values, given with the first index fastest, in the order with the last index fastest.
fn transpose(shape: &[usize], data: &[f32]) -> Vec<f32> {
    let mut strides = Vec::with_capacity(shape.len());
    let mut stride = 1usize;
    for &n in shape {
        strides.push(stride);
        stride = stride.saturating_mul(n);
    }
    let (mut index, mut at) = (vec![0; shape.len()], 0);
    let mut out = Vec::with_capacity(data.len());
    while out.len() < data.len() {
        out.push(data[at]);
        for d in (0..shape.len()).rev() {
            index[d] += 1;
            at += strides[d];
            if index[d] < shape[d] {
                break;
            }
            at -= strides[d] * shape[d];
            index[d] = 0;
        }
    }
    out
}

#[cfg(test)]
mod tests;
