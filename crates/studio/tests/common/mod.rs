//! The real binary as a process, in a folder of the test's own.
#![allow(dead_code)] // each test file uses its share

pub mod server;

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// An empty folder for the test `name` of a file of tests.
pub fn empty(file: &str, name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(file).join(name);
    std::fs::remove_dir_all(&path).ok();
    std::fs::create_dir_all(&path).unwrap();
    path
}

/// `neurona` in this folder with these arguments, in English and without input.
pub fn command(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_neurona"));
    command.env_remove("LC_ALL").env_remove("LC_MESSAGES").env("LANG", "C.UTF-8").current_dir(folder).args(args);
    command.stdin(Stdio::null());
    command
}

pub fn run(folder: &Path, args: &[&str]) -> Output {
    command(folder, args).output().unwrap()
}

pub fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

pub fn stdout(o: &Output) -> &str {
    text(&o.stdout)
}

pub fn stderr(o: &Output) -> &str {
    text(&o.stderr)
}

/// What a command that succeeded printed.
pub fn json(o: &Output) -> Value {
    assert!(o.status.success(), "{}", stderr(o));
    serde_json::from_slice(&o.stdout).unwrap()
}

/// An npy file of `f32`, or of `i64` if `integers`, with this shape.
pub fn npy(path: &Path, shape: &str, values: &[f64], integers: bool) {
    let kind = if integers { "<i8" } else { "<f4" };
    let mut header = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}");
    header.push_str(&" ".repeat(117 - header.len()));
    header.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    for &v in values {
        if integers { bytes.extend((v as i64).to_le_bytes()) } else { bytes.extend((v as f32).to_le_bytes()) }
    }
    std::fs::write(path, bytes).unwrap();
}
