//! Weights in files: safetensors, the format most tools of the field read.
//!
//! A file is written beside its place and renamed, so that an interruption leaves the old file whole.
//! It is checked against the model from its header alone, before anything is allocated for its tensors.

pub mod pytorch;

use crate::files::replace;
use crate::{Error, Param, Result, State};
use safetensors::Dtype;
use safetensors::tensor::Metadata;
use serde_json::json;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, ErrorKind, Read, Write};
use std::path::Path;

/// Text that travels with the tensors: what they are, how they were made.
pub type Notes = BTreeMap<String, String>;

/// Largest header that is read, as in the format's reference implementation.
const LARGEST_HEADER: u64 = 100_000_000;

/// A tensor to be written or expected: name, shape, values.
type Item<'a> = (String, &'a [usize], &'a [f32]);

/// Writes the values of the parameters, under their names.
///
/// # Errors
/// A file that cannot be written.
///
/// ```
/// use neurona::{Init, Param, weights};
/// let params = [Param { name: "dense_1/weight".into(), shape: vec![2, 1], init: Init::Zeros, trained: true }];
/// let path = std::env::temp_dir().join(format!("neurona-doc-{}.safetensors", std::process::id()));
/// weights::save(&path, &params, &[vec![0.5, -1.0]], &weights::Notes::new())?;
/// assert_eq!(weights::load(&path, &params)?.0, [[0.5, -1.0]]);
/// # std::fs::remove_file(path).ok();
/// # Ok::<(), neurona::Error>(())
/// ```
pub fn save(path: &Path, params: &[Param], values: &[Vec<f32>], notes: &Notes) -> Result<()> {
    write(path, &params.iter().zip(values).map(|(p, v)| (p.name.clone(), &p.shape[..], &v[..])).collect::<Vec<_>>(), notes)
}

/// Reads the values of the parameters, and the notes.
///
/// # Errors
/// A file that cannot be read or is damaged; tensors that are missing, unknown or of another shape or
/// type (all of them).
pub fn load(path: &Path, params: &[Param]) -> Result<(Vec<Vec<f32>>, Notes)> {
    read(path, &params.iter().map(|p| (p.name.clone(), &p.shape[..])).collect::<Vec<_>>())
}

/// As [`load`], of a file that is in memory, such as one that is part of the program; `name` is for messages.
///
/// # Errors
/// As [`load`].
pub fn parse(name: &Path, bytes: &[u8], params: &[Param]) -> Result<(Vec<Vec<f32>>, Notes)> {
    let wanted: Vec<_> = params.iter().map(|p| (p.name.clone(), &p.shape[..])).collect();
    read_from(name, bytes, bytes.len() as u64, &wanted)
}

/// Writes all that training changes, so that it can go on with the same bits.
///
/// # Errors
/// A file that cannot be written.
pub fn save_state(path: &Path, params: &[Param], state: &State, notes: &Notes) -> Result<()> {
    let mut items: Vec<Item> = vec![];
    for ((p, v), slots) in params.iter().zip(&state.params).zip(&state.slots) {
        items.push((p.name.clone(), &p.shape, v));
        items.extend(slots.iter().enumerate().map(|(k, s)| (format!("{}:{k}", p.name), &p.shape[..], &s[..])));
    }
    let mut notes = notes.clone();
    notes.insert("step".into(), state.step.to_string());
    notes.insert("seed".into(), state.seed.to_string());
    write(path, &items, &notes)
}

/// Reads what [`save_state`] wrote, for an update rule with `slots` tensors per trained parameter.
///
/// # Errors
/// As [`load`]; a file without step and seed.
pub fn load_state(path: &Path, params: &[Param], slots: usize) -> Result<(State, Notes)> {
    let mut wanted: Vec<(String, &[usize])> = vec![];
    let slots = |p: &Param| if p.trained { slots } else { 0 };
    for p in params {
        wanted.push((p.name.clone(), &p.shape));
        wanted.extend((0..slots(p)).map(|k| (format!("{}:{k}", p.name), &p.shape[..])));
    }
    let (values, notes) = read(path, &wanted)?;
    let number = |key: &str| {
        let n = notes.get(key).and_then(|n| n.parse::<u64>().ok());
        n.ok_or_else(|| bad(path, format!("its metadata has no {key}, so it is no training state: load it as weights")))
    };
    let (step, seed) = (number("step")?, number("seed")? as u32);
    let mut values = values.into_iter();
    let mut state = State { params: vec![], slots: vec![], step, seed };
    for p in params {
        state.params.extend(values.next());
        state.slots.push(values.by_ref().take(slots(p)).collect());
    }
    Ok((state, notes))
}

fn bad(path: &Path, why: impl Into<String>) -> Error {
    Error::Io { verb: "read", path: path.into(), why: why.into() }
}

fn explain(e: &std::io::Error) -> String {
    let fix = match e.kind() {
        ErrorKind::NotFound => "check the name and that its folder exists",
        ErrorKind::PermissionDenied => "check the permissions",
        ErrorKind::StorageFull => "make room",
        _ => "check the disk",
    };
    format!("{e}; {fix}")
}

/// Writes beside `path`, then renames.
fn write(path: &Path, items: &[Item], notes: &Notes) -> Result<()> {
    let done = replace(path, |beside| write_to(beside, items, notes));
    done.map_err(|e| Error::Io { verb: "write", path: path.into(), why: explain(&e) })
}

/// The format: the header's length in 8 bytes, the header (JSON, keys sorted, so that equal weights are
/// equal files), the numbers.
fn write_to(path: &Path, items: &[Item], notes: &Notes) -> std::io::Result<()> {
    let mut header = serde_json::Map::new();
    if !notes.is_empty() {
        header.insert("__metadata__".into(), json!(notes));
    }
    let mut at = 0;
    for (name, shape, values) in items {
        let end = at + 4 * values.len();
        header.insert(name.clone(), json!({ "dtype": "F32", "shape": shape, "data_offsets": [at, end] }));
        at = end;
    }
    let mut header = serde_json::to_vec(&header)?;
    header.resize(header.len().next_multiple_of(8), b' ');
    let mut file = BufWriter::new(File::create(path)?);
    file.write_all(&(header.len() as u64).to_le_bytes())?;
    file.write_all(&header)?;
    for (_, _, values) in items {
        for x in *values {
            file.write_all(&x.to_le_bytes())?;
        }
    }
    file.into_inner().map_err(|e| e.into_error())?.sync_all()
}

/// Values of the tensors `wanted`, in their order.
fn read(path: &Path, wanted: &[(String, &[usize])]) -> Result<(Vec<Vec<f32>>, Notes)> {
    let io = |e: std::io::Error| bad(path, explain(&e));
    let file = File::open(path).map_err(io)?;
    let size = file.metadata().map_err(io)?.len();
    read_from(path, file, size, wanted)
}

/// The same of a file, open, of `size` bytes.
fn read_from(path: &Path, mut file: impl Read, size: u64, wanted: &[(String, &[usize])]) -> Result<(Vec<Vec<f32>>, Notes)> {
    let io = |e: std::io::Error| bad(path, explain(&e));
    let mut length = [0; 8];
    file.read_exact(&mut length).map_err(|_| bad(path, "it is too short for a safetensors file; write it again"))?;
    let length = u64::from_le_bytes(length);
    if length > LARGEST_HEADER.min(size.saturating_sub(8)) {
        return Err(bad(path, format!("its header claims {length} bytes, so it is damaged or of another format; write it again")));
    }
    let mut header = vec![0; length as usize];
    file.read_exact(&mut header).map_err(io)?;
    let header: Metadata =
        serde_json::from_slice(&header).map_err(|e| bad(path, format!("its header is damaged ({e}); write it again")))?;
    compare(path, &header, wanted)?;
    let expected = 8 + length + header.data_len() as u64;
    if expected != size {
        return Err(bad(path, format!("its header asks for {expected} bytes but it has {size}; copy or write it again")));
    }
    let mut bytes = vec![0; header.data_len()];
    file.read_exact(&mut bytes).map_err(io)?;
    let values = |(name, _): &(String, &[usize])| {
        let (from, to) = header.info(name).map_or((0, 0), |i| i.data_offsets);
        bytes[from..to].chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
    };
    let notes = header.metadata().clone().unwrap_or_default().into_iter().collect();
    Ok((wanted.iter().map(values).collect(), notes))
}

/// Fails with every tensor that is missing, unknown, or of another shape or type.
fn compare(path: &Path, header: &Metadata, wanted: &[(String, &[usize])]) -> Result<()> {
    let mut differences = vec![];
    for (name, shape) in wanted {
        match header.info(name) {
            None => differences.push(format!("{name} {shape:?} is missing")),
            Some(i) if i.dtype != Dtype::F32 => differences.push(format!("{name} is of type {}, not F32", i.dtype)),
            Some(i) if i.shape != *shape => differences.push(format!("{name} has shape {:?}, the model needs {shape:?}", i.shape)),
            Some(_) => {}
        }
    }
    let unknown = header.offset_keys().into_iter().filter(|n| wanted.iter().all(|(w, _)| w != n));
    differences.extend(unknown.map(|n| format!("{n} is not in the model")));
    if differences.is_empty() { Ok(()) } else { Err(Error::Mismatch { path: path.into(), differences }) }
}
