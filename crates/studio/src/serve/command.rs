//! Commands of the command line for the page: the same code, its JSON caught. What the page says and what the terminal says is one.

use crate::cli::{self, Parsed};
use crate::report::{Exit, Report};
use crate::{Shell, Texts, commands};
use serde_json::Value;
use std::ffi::OsString;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

/// What a command prints, kept.
#[derive(Clone, Default)]
struct Caught(Arc<Mutex<Vec<u8>>>);

impl Write for Caught {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Runs `neurona ARGS` in this process and returns what it prints, as [`json`] does.
///
/// # Errors
/// Those of the command.
pub fn text(texts: &Texts, args: &[&str]) -> Result<String, Report> {
    caught(texts, args, false)
}

/// Runs `neurona ARGS --json` in this process and returns what it prints. For commands that only read, and end soon.
///
/// # Errors
/// Those of the command.
pub fn json(texts: &Texts, args: &[&str]) -> Result<Value, Report> {
    let text = caught(texts, args, true)?;
    serde_json::from_str(&text).map_err(|e| io::Error::from(e).into())
}

fn caught(texts: &Texts, args: &[&str], json: bool) -> Result<String, Report> {
    let words: Vec<OsString> = ["neurona"].iter().chain(args).map(OsString::from).collect();
    let Parsed::Command(command) = cli::parse(&words, texts)? else {
        return Err(Report::new(Exit::Usage, args.join(" "), "", ""));
    };
    let out = Caught::default();
    let mut shell = Shell::new(*texts, json, Box::new(out.clone()));
    commands::run(&command, &mut shell)?;
    let bytes = out.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
