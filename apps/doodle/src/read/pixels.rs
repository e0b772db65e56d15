//! Bitmaps of 28 × 28 bytes, one after another: in a NumPy file, or without any header.

use super::{BadData, Format, Reader, Sample};
use crate::PIXELS;

/// Longest header of an .npy file.
const HEADER: u64 = 1 << 16;

impl Reader {
    /// The next bitmap.
    pub(super) fn next_pixels(&mut self) -> Option<Result<Sample, BadData>> {
        if self.count >= self.rows.unwrap_or(0) {
            return None;
        }
        self.count += 1;
        let mut pixels = vec![0; PIXELS];
        Some(self.fill(&mut pixels).map(|()| Sample::bitmap(pixels)))
    }

    /// Reads the header of an .npy file: versions 1 to 3, bytes in C order, 784 a row in any shape.
    pub(super) fn npy_header(&mut self) -> Result<(), BadData> {
        let path = self.path.clone();
        let bad = |why: String| BadData::new(&path, Some("header".into()), why);
        let mut start = [0u8; 12];
        let short = || bad("the file ends within it; copy or download it again".into());
        let version = if self.len < 12 { return Err(short()) } else { self.peek(&mut start)? };
        let (begin, length) = match version {
            1 => (10, u64::from(u16::from_le_bytes([start[8], start[9]]))),
            2 | 3 => (12, u64::from(u32::from_le_bytes([start[8], start[9], start[10], start[11]]))),
            v => return Err(bad(format!("version {v} of the format is unknown (known are 1 to 3)"))),
        };
        let end = begin + length;
        if length > HEADER {
            return Err(bad(format!("{length} bytes of header are not sensible (the limit is {HEADER})")));
        }
        if end > self.len {
            return Err(short());
        }
        let mut text = vec![0; end as usize];
        self.fill(&mut text)?;
        let text = String::from_utf8_lossy(&text[begin as usize..]).into_owned();
        let rows = rows(&text).map_err(bad)?;
        let bytes = rows.checked_mul(PIXELS as u64).and_then(|n| n.checked_add(end));
        if bytes.is_none_or(|n| n > self.len) {
            let why = format!(
                "truncated: the header promises {rows} drawings, but {} whole ones follow; copy or download it again",
                (self.len - end) / PIXELS as u64
            );
            return Err(BadData::new(&self.path, None, why));
        }
        self.rows = Some(rows);
        Ok(())
    }

    /// The first bytes, without reading on; gives the version.
    fn peek(&mut self, start: &mut [u8; 12]) -> Result<u8, BadData> {
        use std::io::{Read, Seek, SeekFrom};
        let read = self.file.read_exact(start).and_then(|()| self.file.seek(SeekFrom::Start(0)));
        read.map_err(|e| BadData::io(&self.path, &e))?;
        debug_assert!(self.format == Format::Npy);
        Ok(start[6])
    }
}

/// The number of drawings from the dictionary of a header.
fn rows(text: &str) -> Result<u64, String> {
    let value = |key: &str| {
        let at = [format!("'{key}'"), format!("\"{key}\"")].iter().find_map(|k| Some(text.find(k)? + k.len()));
        let rest = at.and_then(|at| text[at..].trim_start().strip_prefix(':'));
        rest.map(str::trim_start).ok_or_else(|| format!("the key '{key}' is missing"))
    };
    let kind = value("descr")?;
    let kind = kind.trim_start_matches(['\'', '"', '|', '<', '>', '=']);
    if !["u1", "B", "uint8"].iter().any(|k| kind.strip_prefix(k).is_some_and(|rest| rest.starts_with(['\'', '"']))) {
        let kind: String = value("descr")?.chars().take(12).collect();
        return Err(format!("its numbers are {kind}…, not bytes ('|u1'); `neurona train` reads other types"));
    }
    if !value("fortran_order")?.starts_with("False") {
        return Err("it is in Fortran order; write it with numpy.ascontiguousarray".into());
    }
    let shape = value("shape")?.strip_prefix('(').and_then(|s| s.split_once(')')).ok_or("'shape' is no tuple")?.0;
    let extents = shape.split(',').map(|d| d.trim().trim_end_matches('L')).filter(|d| !d.is_empty());
    let extents: Vec<u64> = extents.map(|d| d.parse().map_err(|_| format!("{d:?} in its shape is no number"))).collect::<Result<_, _>>()?;
    match extents.split_first() {
        Some((&rows, row)) if row.iter().try_fold(1u64, |n, &d| n.checked_mul(d)) == Some(PIXELS as u64) => Ok(rows),
        _ => Err(format!("its shape is ({shape}); rows of {PIXELS} values are expected")),
    }
}
