//! The header of an `.npy` file: a magic string, a version, and a Python dictionary.

use crate::data::raw::{Element, Kind, Reader};
use crate::data::{DataError, Result};

const MAGIC: &[u8; 6] = b"\x93NUMPY";
/// NumPy itself refuses to parse headers beyond 10 000 characters unless told to trust the file.
const MAX_HEADER: u64 = 1 << 16;
const MAX_RANK: usize = 64;
const SUPPORTED: &str = "b1, u1, u2, u4, u8, i1, i2, i4, i8, f2, f4 and f8";

/// What the header says.
#[derive(Debug, PartialEq)]
pub struct Header {
    pub shape: Vec<usize>,
    pub fortran: bool,
    pub element: Element,
    /// Where the numbers begin.
    pub end: u64,
}

/// Reads the header.
pub fn read(file: &mut Reader) -> Result<Header> {
    let start: [u8; 12] = file.start()?;
    if !start.starts_with(MAGIC) {
        let found = if file.len == 0 { "nothing (it is empty)".into() } else { hex(&start[..6.min(file.len as usize)]) };
        return Err(DataError::BadMagic { path: file.path.clone(), found, expected: "93 4e 55 4d 50 59 (\\x93NUMPY)" });
    }
    file.expect_len(10)?;
    let (begin, len) = match start[6] {
        1 => (10, u64::from(u16::from_le_bytes([start[8], start[9]]))),
        2 | 3 => (12, u64::from(u32::from_le_bytes([start[8], start[9], start[10], start[11]]))),
        v => return Err(bad(file, 6, format!("version {v} of the format is unknown (known are 1 to 3)"))),
    };
    let end = begin + len;
    file.expect_len(end)?;
    if len > MAX_HEADER {
        return Err(bad(file, 8, format!("a header of {len} bytes is not sensible (the limit is {MAX_HEADER})")));
    }
    let mut bytes = vec![0; len as usize];
    file.seek(begin)?;
    file.fill(&mut bytes)?;
    parse(&String::from_utf8_lossy(&bytes), end).map_err(|e| match e {
        Bad::Dtype(dtype) => DataError::Dtype { path: file.path.clone(), dtype, supported: SUPPORTED },
        Bad::Syntax(why) => bad(file, begin, why.into()),
    })
}

fn bad(file: &Reader, byte: u64, why: String) -> DataError {
    DataError::BadHeader { path: file.path.clone(), byte, why }
}

pub(in crate::data) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect::<Vec<_>>().join(" ")
}

/// The bytes before the numbers of a C-ordered little-endian `f32` array.
pub fn bytes(shape: &[usize]) -> Vec<u8> {
    // Python writes a tuple of one with a trailing comma; every tuple may have it.
    let dims: String = shape.iter().map(|n| format!("{n}, ")).collect();
    let mut text = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}), }}", dims.trim_end());
    // The numbers begin at a multiple of 64, for memory maps; the header ends in a newline.
    let pad = (64 - (10 + text.len() + 1) % 64) % 64;
    text.push_str(&" ".repeat(pad));
    text.push('\n');
    // 16 bits hold the length of any header with fewer than 2000 dimensions; version 1.0 has no more.
    let len = u16::try_from(text.len()).unwrap_or(u16::MAX).to_le_bytes();
    [&MAGIC[..], &[1, 0], &len, text.as_bytes()].concat()
}

#[derive(Debug, PartialEq)]
enum Bad {
    Dtype(String),
    Syntax(&'static str),
}

fn parse(text: &str, end: u64) -> Result<Header, Bad> {
    let element = dtype(value(text, "descr").ok_or(Bad::Syntax("the key 'descr' is missing"))?)?;
    let order = value(text, "fortran_order").ok_or(Bad::Syntax("the key 'fortran_order' is missing"))?;
    let fortran = match (order.starts_with("True"), order.starts_with("False")) {
        (true, _) => true,
        (_, true) => false,
        _ => return Err(Bad::Syntax("'fortran_order' is neither True nor False")),
    };
    let shape = value(text, "shape").ok_or(Bad::Syntax("the key 'shape' is missing"))?;
    let dims = shape.strip_prefix('(').and_then(|s| s.split_once(')')).ok_or(Bad::Syntax("'shape' is not a tuple"))?.0;
    let dims = dims.split(',').map(|d| d.trim().trim_end_matches('L')).filter(|d| !d.is_empty());
    let mut shape = dims
        .map(|d| d.parse().map_err(|_| Bad::Syntax("'shape' has a dimension that is no whole number")))
        .collect::<Result<Vec<usize>, _>>()?;
    if shape.len() > MAX_RANK {
        return Err(Bad::Syntax("'shape' has more than 64 dimensions"));
    }
    if shape.is_empty() {
        shape.push(1);
    }
    Ok(Header { shape, fortran, element, end })
}

/// What follows `'key':`.
fn value<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let at = [format!("'{key}'"), format!("\"{key}\"")].iter().find_map(|k| Some(text.find(k)? + k.len()))?;
    Some(text[at..].trim_start().strip_prefix(':')?.trim_start())
}

fn dtype(text: &str) -> Result<Element, Bad> {
    let unsupported = || Bad::Dtype(text.split([',', '}']).next().unwrap_or_default().trim().chars().take(40).collect());
    let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"')).ok_or_else(unsupported)?;
    let name = text[1..].split(quote).next().unwrap_or_default();
    let (order, rest) = if name.starts_with(['<', '>', '|', '=']) { name.split_at(1) } else { ("=", name) };
    let big_endian = order == ">" || (order == "=" && cfg!(target_endian = "big"));
    let (kind, size) = match rest {
        "b1" | "?" => (Kind::Bool, 1),
        "u1" => (Kind::Unsigned, 1),
        "u2" => (Kind::Unsigned, 2),
        "u4" => (Kind::Unsigned, 4),
        "u8" => (Kind::Unsigned, 8),
        "i1" => (Kind::Signed, 1),
        "i2" => (Kind::Signed, 2),
        "i4" => (Kind::Signed, 4),
        "i8" => (Kind::Signed, 8),
        "f2" => (Kind::Float, 2),
        "f4" => (Kind::Float, 4),
        "f8" => (Kind::Float, 8),
        _ => return Err(unsupported()),
    };
    Ok(Element { kind, size, big_endian })
}
