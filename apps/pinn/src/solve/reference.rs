//! Solutions from elsewhere and measured values: .npy arrays in double precision, and text of numbers.

use super::Wrongly;
use super::problem::Problem;
use super::wrong::wrongly;
use std::path::{Path, PathBuf};

/// Largest file that is read, in bytes.
const LARGEST: u64 = 1 << 28;

/// An unknown where its solution is known: values to compare with.
#[derive(Clone, PartialEq, Debug)]
pub struct Reference {
    /// Which unknown.
    pub unknown: usize,
    /// The points, a column for each variable.
    pub points: Vec<Vec<f64>>,
    /// The values there.
    pub values: Vec<f64>,
    /// The places along each variable, if the points are a grid (the last variable fastest).
    pub places: Option<Vec<Vec<f64>>>,
}

fn text(path: &Path) -> Result<Vec<u8>, String> {
    let shown = path.display();
    let size = std::fs::metadata(path).map_err(|e| format!("cannot read {shown}: {e}"))?.len();
    if size > LARGEST {
        return Err(format!("{shown} has {size} bytes, more than {LARGEST}"));
    }
    std::fs::read(path).map_err(|e| format!("cannot read {shown}: {e}"))
}

/// An .npy array of floats, in double precision: shape and values, the last axis fastest.
///
/// # Errors
/// A file that is no such array.
pub(super) fn npy(path: &Path) -> Result<(Vec<usize>, Vec<f64>), String> {
    let bytes = text(path)?;
    let bad = |why: &str| format!("{}: {why}", path.display());
    if bytes.get(..6) != Some(b"\x93NUMPY".as_slice()) {
        return Err(bad("is no .npy file"));
    }
    let wide = bytes.get(6) != Some(&1);
    let length = match (wide, bytes.get(8..12)) {
        (false, Some(b)) => u16::from_le_bytes([b[0], b[1]]) as usize,
        (true, Some(b)) => u32::from_le_bytes([b[0], b[1], b[2], b[3]]) as usize,
        _ => return Err(bad("is cut short")),
    };
    let begin: usize = if wide { 12 } else { 10 };
    let header = bytes.get(begin..begin.saturating_add(length)).ok_or_else(|| bad("is cut short"))?;
    let header = String::from_utf8_lossy(header);
    let after = |key: &str| header.split_once(key).map(|(_, rest)| rest.trim_start_matches([':', ' ', '\'', '"']));
    let size = match after("descr") {
        Some(d) if d.starts_with("<f8") => 8,
        Some(d) if d.starts_with("<f4") => 4,
        _ => return Err(bad("holds no little-endian floats (<f8 or <f4)")),
    };
    let shape = after("shape").and_then(|s| s.split_once(')')).map(|(s, _)| s.trim_start_matches('(').to_string());
    let shape: Option<Vec<usize>> =
        shape.map(|s| s.split(',').map(str::trim).filter(|p| !p.is_empty()).map(|p| p.parse().ok()).collect()).unwrap_or(None);
    let shape = shape.ok_or_else(|| bad("has a header without shape"))?;
    let count = shape.iter().try_fold(1usize, |p, &n| p.checked_mul(n)).unwrap_or(usize::MAX);
    let data = bytes.get(begin + length..).unwrap_or(&[]);
    if count.checked_mul(size) != Some(data.len()) {
        return Err(bad("is not as long as its header says"));
    }
    if header.contains("'fortran_order': True") && shape.len() > 1 {
        return Err(bad("is in Fortran order: save it with numpy.ascontiguousarray"));
    }
    let mut eight = [0; 8];
    let value = |c: &[u8]| {
        if let [a, b, c, d] = *c {
            return f64::from(f32::from_le_bytes([a, b, c, d]));
        }
        eight.copy_from_slice(c);
        f64::from_le_bytes(eight)
    };
    Ok((shape, data.chunks_exact(size).map(value).collect()))
}

/// An array in double precision as the bytes of an .npy file.
pub fn npy_bytes(shape: &[usize], values: &[f64]) -> Vec<u8> {
    let shape: String = shape.iter().map(|n| format!("{n}, ")).collect();
    let mut header = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': ({shape}), }}");
    let full = (10 + header.len() + 1).next_multiple_of(64);
    header.push_str(&" ".repeat(full - 10 - header.len() - 1));
    header.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    values.iter().for_each(|v| bytes.extend(v.to_le_bytes()));
    bytes
}

/// Rows of `columns` numbers: an .npy array, or text in which blanks, commas or semicolons separate them and lines that
/// begin with # or % are remarks.
///
/// # Errors
/// A file that cannot be read as such, with the line.
pub(super) fn table(path: &Path, columns: usize) -> Result<Vec<Vec<f64>>, String> {
    if path.extension().is_some_and(|e| e == "npy") {
        let (shape, values) = npy(path)?;
        if shape.last() != Some(&columns) || shape.len() != 2 {
            return Err(format!("{}: shape {shape:?}, not rows of {columns} numbers", path.display()));
        }
        return Ok(values.chunks_exact(columns).map(<[f64]>::to_vec).collect());
    }
    let text = String::from_utf8(text(path)?).map_err(|_| format!("{}: is no text", path.display()))?;
    let mut rows = vec![];
    for (i, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', '%']) {
            continue;
        }
        let words = line.split(|c: char| c.is_whitespace() || c == ',' || c == ';').filter(|w| !w.is_empty());
        let row: Option<Vec<f64>> = words.map(|w| w.parse().ok().filter(|x: &f64| x.is_finite())).collect();
        match row.filter(|r| r.len() == columns) {
            Some(row) => rows.push(row),
            None => return Err(format!("{}, line {}: not {columns} numbers", path.display(), i + 1)),
        }
    }
    if rows.is_empty() { Err(format!("{}: holds no numbers", path.display())) } else { Ok(rows) }
}

fn bad<T>(key: &str, why: &str) -> Result<T, Wrongly> {
    wrongly(key, "file", &[why])
}

impl Reference {
    /// The first file of a problem's reference that is not in `folder`: then there is nothing to compare with.
    pub fn absent(problem: &Problem, folder: &Path) -> Option<PathBuf> {
        let r = problem.file.reference.as_ref()?;
        [&r.file].into_iter().chain(r.places.values()).map(|f| folder.join(f)).find(|p| !p.exists())
    }

    /// Reads the reference of a problem, if it names one and its files are there ([`Reference::absent`]). Files are looked for
    /// in `folder`.
    ///
    /// # Errors
    /// Files that cannot be used.
    pub fn read(problem: &Problem, folder: &Path) -> Result<Option<Reference>, Wrongly> {
        let Some(r) = &problem.file.reference else { return Ok(None) };
        let Some(unknown) = problem.file.unknowns.iter().position(|u| *u == r.unknown) else {
            return wrongly("reference.unknown", "unknown", &[&r.unknown, &problem.file.unknowns.join(", ")]);
        };
        let known: Vec<&str> = problem.axes.iter().map(|a| a.name.as_str()).collect();
        let all = known.iter().all(|a| r.axes.iter().any(|b| a == b)) && r.axes.len() == known.len();
        if !all {
            return wrongly("reference.axes", "variable", &[&r.axes.join(", "), &format!("each of {}", known.join(", "))]);
        }
        if Reference::absent(problem, folder).is_some() {
            return Ok(None);
        }
        let order: Vec<usize> = r.axes.iter().map(|a| problem.axis(a).unwrap_or(0)).collect();
        let path = folder.join(&r.file);
        if path.extension().is_none_or(|e| e != "npy") {
            let rows = table(&path, order.len() + 1).or_else(|why| bad("reference.file", &why))?;
            let column = |a: usize| order.iter().position(|&o| o == a).unwrap_or(0);
            let points = (0..order.len()).map(|a| rows.iter().map(|r| r[column(a)]).collect()).collect();
            let values = rows.iter().map(|r| r[order.len()]).collect();
            return Ok(Some(Reference { unknown, points, values, places: None }));
        }
        let (shape, values) = npy(&path).or_else(|why| bad("reference.file", &why))?;
        if shape.len() != order.len() {
            return bad("reference.file", &format!("{}: {} axes, not {}", path.display(), shape.len(), order.len()));
        }
        let mut places = vec![vec![]; order.len()];
        for (k, &axis) in order.iter().enumerate() {
            let a = &problem.axes[axis];
            let equal = || (0..shape[k]).map(|i| a.at(i as f64 / (shape[k].max(2) - 1) as f64)).collect();
            places[axis] = match r.places.get(&a.name) {
                None => equal(),
                Some(file) => npy(&folder.join(file)).or_else(|why| bad(&format!("reference.places.{}", a.name), &why))?.1,
            };
            if places[axis].len() != shape[k] {
                let why = format!("{} places of {} for {} values", places[axis].len(), a.name, shape[k]);
                return bad(&format!("reference.places.{}", a.name), &why);
            }
        }
        let points = super::grid::product(&places);
        // From the order of the file to that of the variables.
        let stride = |axis: usize| shape[order.iter().position(|&o| o == axis).unwrap_or(0) + 1..].iter().product::<usize>();
        let strides: Vec<usize> = (0..order.len()).map(stride).collect();
        let count = points[0].len();
        let mut sorted = Vec::with_capacity(count);
        for i in 0..count {
            let (mut rest, mut at) = (i, 0);
            for axis in (0..order.len()).rev() {
                at += rest % places[axis].len() * strides[axis];
                rest /= places[axis].len();
            }
            sorted.push(values[at]);
        }
        Ok(Some(Reference { unknown, points, values: sorted, places: Some(places) }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_come_back_as_they_were_written() {
        let folder = std::env::temp_dir().join(format!("pinn-reference-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("a.npy");
        let values = [1.0, -2.5, 1e-300, 3.0, f64::MAX, 0.1];
        std::fs::write(&path, npy_bytes(&[2, 3], &values)).unwrap();
        assert_eq!(npy(&path).unwrap(), (vec![2, 3], values.to_vec()));
        assert!(table(&path, 4).unwrap_err().contains("[2, 3]"));
        std::fs::write(&path, &npy_bytes(&[2, 3], &values)[..150]).unwrap();
        assert!(npy(&path).unwrap_err().contains("not as long"));
        let text = folder.join("a.dat");
        std::fs::write(&text, "# x u\n1 2\n3,4\n\n5;6\n").unwrap();
        assert_eq!(table(&text, 2).unwrap(), [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]);
        std::fs::write(&text, "1 2\n3 nan\n").unwrap();
        assert!(table(&text, 2).unwrap_err().contains("line 2"));
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
