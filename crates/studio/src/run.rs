//! The run folder: everything that a training leaves behind, under names that every command knows.
//!
//! A file is written beside its place and renamed, so that an interruption leaves the old one whole; only
//! metrics.jsonl grows line by line.

use crate::report::{Exit, Report};
use crate::{Texts, report};
use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

/// The settings, as resolved.
pub const CONFIG: &str = "config.toml";
/// What the settings do not say: versions, data, preprocessing, outcome.
pub const META: &str = "meta.json";
/// A line per epoch.
pub const METRICS: &str = "metrics.jsonl";
/// The weights with the lowest validation loss, or the last if there is no validation.
pub const BEST: &str = "best.safetensors";
/// The last weights.
pub const LAST: &str = "last.safetensors";
/// The metrics as a picture.
pub const CURVES: &str = "curves.svg";

/// A run folder.
#[derive(Clone, Debug)]
pub struct RunFolder {
    path: PathBuf,
}

impl RunFolder {
    /// Makes the folder `out`, or the next free `runs/NAME-0001`.
    ///
    /// # Errors
    /// A folder that cannot be made, or has something in it already.
    pub fn create(texts: &Texts, name: &str, out: Option<&Path>) -> Result<RunFolder, Report> {
        let failed = |path: &Path, e: io::Error| {
            let what = texts.fill("run.cannot_make", &[("path", &path.display())]);
            Report::new(Exit::Failed, what, e.to_string(), texts.get("run.cannot_make.fix"))
        };
        if let Some(out) = out {
            fs::create_dir_all(out).map_err(|e| failed(out, e))?;
            if fs::read_dir(out).map_err(|e| failed(out, e))?.next().is_some() {
                let what = texts.fill("run.not_empty", &[("path", &out.display())]);
                return Err(Report::new(Exit::Usage, what, "", texts.get("run.not_empty.fix")));
            }
            return Ok(RunFolder { path: out.into() });
        }
        let runs = Path::new("runs");
        fs::create_dir_all(runs).map_err(|e| failed(runs, e))?;
        let mut number = last_number(runs, name);
        loop {
            number += 1;
            let path = runs.join(format!("{name}-{number:04}"));
            match fs::create_dir(&path) {
                Ok(()) => return Ok(RunFolder { path }),
                // Another process was faster.
                Err(e) if e.kind() == ErrorKind::AlreadyExists => {}
                Err(e) => return Err(failed(&path, e)),
            }
        }
    }

    /// The run at the path `given`, or of that name in `runs`.
    ///
    /// # Errors
    /// No such run, with exit code 4.
    pub fn open(texts: &Texts, given: &Path) -> Result<RunFolder, Report> {
        let places = [given.to_path_buf(), Path::new("runs").join(given)];
        if let Some(path) = places.into_iter().find(|p| p.join(CONFIG).is_file()) {
            return Ok(RunFolder { path });
        }
        let what = texts.fill("run.none", &[("path", &given.display())]);
        let mut known: Vec<String> = fs::read_dir("runs").into_iter().flatten().flatten().map(|e| e.path().display().to_string()).collect();
        known.sort();
        let why = if known.is_empty() { String::new() } else { texts.fill("run.known", &[("names", &known.join(", "))]) };
        Err(Report::new(Exit::Data, what, why, texts.fill("run.none.fix", &[("config", &CONFIG)])))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The path of one of its files.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Writes a file whole.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        write_whole(&self.file(name), bytes)
    }

    /// Appends a line and hands it to the system.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn append(&self, name: &str, line: &str) -> io::Result<()> {
        let mut file = fs::OpenOptions::new().create(true).append(true).open(self.file(name))?;
        file.write_all(format!("{line}\n").as_bytes())?;
        file.flush()
    }

    /// The text of one of its files.
    ///
    /// # Errors
    /// A file that cannot be read, with exit code 4.
    pub fn read(&self, texts: &Texts, name: &str) -> Result<String, Report> {
        fs::read_to_string(self.file(name)).map_err(|e| {
            let what = texts.fill("run.unreadable", &[("path", &self.file(name).display())]);
            Report::new(Exit::Data, what, e.to_string(), texts.get("run.unreadable.fix"))
        })
    }

    /// Removes a folder in which nothing has been trained yet.
    pub fn discard(self) {
        for name in [CONFIG, META] {
            fs::remove_file(self.file(name)).ok(); // it may not be there
        }
        fs::remove_dir(&self.path).ok();
    }
}

/// Writes a file beside its place, then renames it.
///
/// # Errors
/// Those of the file system.
pub fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let beside = path.with_file_name(format!(".{name}.{}.partial", std::process::id()));
    let written = fs::File::create(&beside).and_then(|mut f| f.write_all(bytes).and_then(|()| f.sync_all()));
    written.and_then(|()| fs::rename(&beside, path)).inspect_err(|_| {
        fs::remove_file(&beside).ok(); // it may not be there
    })
}

/// The report of a file that could not be written.
pub fn unwritable(texts: &Texts, path: &Path, e: &io::Error) -> Report {
    let what = texts.fill("run.unwritable", &[("path", &path.display())]);
    report::Report::new(Exit::Failed, what, e.to_string(), texts.get("run.unwritable.fix"))
}

/// The highest number of the runs of this name; 0 if there are none.
fn last_number(runs: &Path, name: &str) -> u32 {
    let number = |e: fs::DirEntry| e.file_name().to_str()?.strip_prefix(name)?.strip_prefix('-')?.parse().ok();
    fs::read_dir(runs).into_iter().flatten().flatten().filter_map(number).max().unwrap_or(0)
}
