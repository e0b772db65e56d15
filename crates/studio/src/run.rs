//! The run folder: everything that a training leaves behind, under names that every command knows.
//!
//! A file is written beside its place and renamed, so that an interruption leaves the old one whole; only
//! metrics.jsonl grows line by line. Whoever trains holds the folder's lock, which the system releases when a
//! process ends, however it ends.

use crate::Texts;
use crate::report::{Exit, Report};
use serde::Serialize;
use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use neurona::write_whole;

/// The settings, as resolved.
pub const CONFIG: &str = "config.toml";
/// What the settings do not say: versions, data, preprocessing, outcome.
pub const META: &str = "meta.json";
/// A line per epoch.
pub const METRICS: &str = "metrics.jsonl";
/// The weights of the best epoch, or the last if there is no validation.
pub const BEST: &str = "best.safetensors";
/// The last weights.
pub const LAST: &str = "last.safetensors";
/// All that a training needs to go on.
pub const STATE: &str = "state.safetensors";
/// The metrics as a picture.
pub const CURVES: &str = "curves.svg";
/// Which classes were taken for which.
pub const CONFUSION: &str = "confusion.svg";
/// The solution of an equation.
pub const SOLUTION: &str = "solution.svg";
/// Everything on one page.
pub const REPORT: &str = "report.html";
/// The folder of files that are made for trainings.
pub const SAMPLES: &str = "runs/samples";
/// Locked while a process writes to the folder.
const LOCK: &str = ".lock";

/// A run folder.
#[derive(Clone, Debug)]
pub struct RunFolder {
    path: PathBuf,
    texts: Texts,
    /// The lock, as long as this or a clone lives; none in a folder that is only read.
    lock: Option<Arc<File>>,
}

impl RunFolder {
    /// Makes and locks the folder `out`, or the next free `runs/NAME-0001`.
    ///
    /// # Errors
    /// A folder that cannot be made (1), or has something in it already (2).
    pub fn create(texts: &Texts, name: &str, out: Option<&Path>) -> Result<RunFolder, Report> {
        let Some(out) = out else { return RunFolder::numbered(texts, Path::new("runs"), name) };
        fs::create_dir_all(out).map_err(|e| unwritable(texts, out, &e))?;
        if fs::read_dir(out).map_err(|e| unwritable(texts, out, &e))?.next().is_some() {
            let key = if out.join(CONFIG).exists() { "run.taken" } else { "run.not_empty" };
            let what = texts.fill(key, &[("path", &out.display())]);
            return Err(Report::new(Exit::Usage, what, "", texts.get("run.not_empty.fix")));
        }
        RunFolder { path: out.into(), texts: *texts, lock: None }.locked()
    }

    fn numbered(texts: &Texts, runs: &Path, name: &str) -> Result<RunFolder, Report> {
        fs::create_dir_all(runs).map_err(|e| unwritable(texts, runs, &e))?;
        // Another process may take a number in between: making the folder decides.
        for number in last_number(runs, name).saturating_add(1).. {
            let path = runs.join(format!("{name}-{number:04}"));
            match fs::create_dir(&path) {
                Ok(()) => return RunFolder { path, texts: *texts, lock: None }.locked(),
                Err(e) if e.kind() == ErrorKind::AlreadyExists => {}
                Err(e) => return Err(unwritable(texts, &path, &e)),
            }
        }
        Err(unwritable(texts, runs, &io::Error::other("no number is left")))
    }

    /// The folder `path`, made if it does not exist; files of an earlier run are replaced.
    ///
    /// # Errors
    /// A folder that cannot be made.
    pub fn shared(texts: &Texts, path: &Path) -> Result<RunFolder, Report> {
        fs::create_dir_all(path).map_err(|e| unwritable(texts, path, &e))?;
        Ok(RunFolder { path: path.into(), texts: *texts, lock: None })
    }

    /// The run at the path `given`, or of that name in `runs`, to be read.
    ///
    /// # Errors
    /// No such run, with exit code 4.
    pub fn open(texts: &Texts, given: &Path) -> Result<RunFolder, Report> {
        let places = [given.to_path_buf(), Path::new("runs").join(given)];
        if let Some(path) = places.into_iter().find(|p| p.join(CONFIG).is_file()) {
            return Ok(RunFolder { path, texts: *texts, lock: None });
        }
        let what = texts.fill("run.none", &[("path", &given.display())]);
        let known: Vec<String> = RunFolder::all(texts).iter().map(|r| r.path.display().to_string()).collect();
        let why = if known.is_empty() { String::new() } else { texts.fill("run.known", &[("names", &known.join(", "))]) };
        Err(Report::new(Exit::Data, what, why, texts.fill("run.none.fix", &[("config", &CONFIG)])))
    }

    /// Every run in `runs`, by name.
    pub fn all(texts: &Texts) -> Vec<RunFolder> {
        let paths = fs::read_dir("runs").into_iter().flatten().flatten().map(|e| e.path());
        let mut runs: Vec<PathBuf> = paths.filter(|p| p.join(CONFIG).is_file()).collect();
        runs.sort();
        runs.into_iter().map(|path| RunFolder { path, texts: *texts, lock: None }).collect()
    }

    /// Takes the folder's lock.
    ///
    /// # Errors
    /// Another process holds it, or a folder that cannot be written to (1).
    pub fn locked(mut self) -> Result<RunFolder, Report> {
        let path = self.file(LOCK);
        let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(|e| self.failed(LOCK, &e))?;
        match file.try_lock() {
            // Where a file system knows no locks, training goes on without.
            Ok(()) | Err(TryLockError::Error(_)) => self.lock = Some(Arc::new(file)),
            Err(TryLockError::WouldBlock) => {
                let what = self.texts.fill("run.in_use", &[("path", &self.path.display())]);
                return Err(Report::new(Exit::Failed, what, "", self.texts.get("run.in_use.fix")));
            }
        }
        self.sweep();
        Ok(self)
    }

    /// Removes half-written files of a process that was killed.
    fn sweep(&self) {
        let names = fs::read_dir(&self.path).into_iter().flatten().flatten().map(|e| e.path());
        let partial = |p: &PathBuf| {
            p.file_name().is_some_and(|n| n.to_string_lossy().starts_with('.')) && p.extension().is_some_and(|e| e == "partial")
        };
        names.filter(partial).for_each(|p| fs::remove_file(p).unwrap_or_default()); // they only take room
    }

    /// Whether another process is writing to it.
    pub fn in_use(&self) -> bool {
        let file = File::options().write(true).open(self.file(LOCK));
        self.lock.is_none() && file.is_ok_and(|f| matches!(f.try_lock(), Err(TryLockError::WouldBlock)))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it is called.
    pub fn name(&self) -> String {
        let path = self.path.canonicalize().unwrap_or_else(|_| self.path.clone());
        path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default()
    }

    /// The path of one of its files.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Writes a file whole, or replaces it, and returns its place.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<PathBuf, Report> {
        let path = self.file(name);
        write_whole(&path, bytes).map_err(|e| self.failed(name, &e))?;
        Ok(path)
    }

    /// Writes a value as JSON, for people to read.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn write_json(&self, name: &str, value: &impl Serialize) -> Result<PathBuf, Report> {
        self.write(name, &serde_json::to_vec_pretty(value).map_err(io::Error::from)?)
    }

    /// Writes values as JSON, a line for each.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn write_lines(&self, name: &str, values: impl IntoIterator<Item = impl Serialize>) -> Result<PathBuf, Report> {
        let mut text = vec![];
        for value in values {
            serde_json::to_writer(&mut text, &value).map_err(io::Error::from)?;
            text.push(b'\n');
        }
        self.write(name, &text)
    }

    /// Appends a line and hands it to the system.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn append(&self, name: &str, line: &str) -> Result<(), Report> {
        let opened = File::options().create(true).append(true).open(self.file(name));
        opened.and_then(|mut f| f.write_all(format!("{line}\n").as_bytes())).map_err(|e| self.failed(name, &e))
    }

    /// Has the system write what was appended to a file.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn sync(&self, name: &str) -> Result<(), Report> {
        match File::options().append(true).open(self.file(name)) {
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(()),
            // What is no file of a disk cannot be synchronised; writing to it says what is wrong.
            opened => opened
                .and_then(|f| f.sync_data().or_else(|e| if e.kind() == ErrorKind::InvalidInput { Ok(()) } else { Err(e) }))
                .map_err(|e| self.failed(name, &e)),
        }
    }

    /// The text of one of its files.
    ///
    /// # Errors
    /// A file that cannot be read, with exit code 4.
    pub fn read(&self, name: &str) -> Result<String, Report> {
        fs::read_to_string(self.file(name)).map_err(|e| self.unreadable(name, &e.to_string()))
    }

    /// The report of a file that cannot be used.
    pub fn unreadable(&self, name: &str, why: &str) -> Report {
        let what = self.texts.fill("run.unreadable", &[("path", &self.file(name).display())]);
        Report::new(Exit::Data, what, why, self.texts.get("run.unreadable.fix"))
    }

    fn failed(&self, name: &str, e: &io::Error) -> Report {
        unwritable(&self.texts, &self.file(name), e)
    }

    /// Removes a folder in which nothing has been trained yet.
    pub fn discard(self) {
        for name in [CONFIG, META, STATE, LOCK] {
            fs::remove_file(self.file(name)).ok(); // it may not be there
        }
        fs::remove_dir(&self.path).ok();
    }
}

/// The report of a file or folder that could not be written.
pub fn unwritable(texts: &Texts, path: &Path, e: &io::Error) -> Report {
    let full = matches!(e.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded);
    let fix = texts.get(if full { "run.make_room" } else { "run.unwritable.fix" });
    Report::new(Exit::Failed, texts.fill("run.unwritable", &[("path", &path.display())]), e.to_string(), fix)
}

/// The highest number of the runs of this name; 0 if there are none.
pub(crate) fn last_number(runs: &Path, name: &str) -> u32 {
    let number = |e: fs::DirEntry| e.file_name().to_str()?.strip_prefix(name)?.strip_prefix('-')?.parse().ok();
    fs::read_dir(runs).into_iter().flatten().flatten().filter_map(number).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Lang;

    fn empty(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("neurona-run-folder-{name}-{}", std::process::id()));
        fs::remove_dir_all(&folder).ok();
        fs::create_dir(&folder).unwrap();
        folder
    }

    #[test]
    fn runs_get_the_next_free_number() {
        let parent = empty("numbers");
        let texts = Texts::new(Lang::En);
        let next = || RunFolder::numbered(&texts, &parent, "pinn").unwrap().name();
        assert_eq!((next(), next()), ("pinn-0001".into(), "pinn-0002".into()));
        fs::create_dir(parent.join("pinn-0041")).unwrap();
        fs::create_dir(parent.join("pinn-wide-0099")).unwrap();
        assert_eq!((next(), next()), ("pinn-0042".into(), "pinn-0043".into()));
        fs::remove_dir_all(parent).unwrap();
    }

    #[test]
    fn files_are_replaced_whole_and_runs_are_not() {
        let (parent, texts) = (empty("files"), Texts::new(Lang::En));
        let folder = RunFolder::create(&texts, "pinn", Some(&parent.join("a/b"))).unwrap();
        folder.write("config.toml", b"first, long").unwrap();
        let path = folder.write("config.toml", b"second").unwrap();
        assert_eq!(fs::read(path).unwrap(), b"second");
        let mut names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, [".lock", "config.toml"], "nothing is left beside");
        let taken = RunFolder::create(&texts, "pinn", Some(folder.path())).unwrap_err();
        assert_eq!(taken.exit, Exit::Usage);
        let file = parent.join("a/b/config.toml/c");
        assert_eq!(RunFolder::create(&texts, "pinn", Some(&file)).unwrap_err().exit, Exit::Failed);
        assert_eq!(folder.write("no/folder", b"").unwrap_err().exit, Exit::Failed);
        fs::remove_dir_all(parent).unwrap();
    }

    #[test]
    fn one_at_a_time_holds_the_lock() {
        let (parent, texts) = (empty("lock"), Texts::new(Lang::En));
        let folder = RunFolder::create(&texts, "x", Some(&parent.join("a"))).unwrap();
        folder.write(CONFIG, b"").unwrap();
        let other = RunFolder::open(&texts, folder.path()).unwrap();
        assert!(other.in_use() && !folder.in_use());
        let report = other.clone().locked().unwrap_err();
        assert_eq!((report.exit, report.what.contains("in use")), (Exit::Failed, true), "{report:?}");
        drop(folder);
        assert!(!other.in_use());
        other.locked().unwrap();
        fs::remove_dir_all(parent).unwrap();
    }
}
