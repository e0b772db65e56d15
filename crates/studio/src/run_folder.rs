//! Where a run is saved. Every file is written beside its place and renamed, so that an interruption
//! leaves the old file whole.

use crate::report::{Exit, Report};
use crate::text::Texts;
use std::io::{Error, ErrorKind, Write};
use std::path::{Path, PathBuf};

/// The folder of one run.
#[derive(Clone, Debug)]
pub struct RunFolder {
    path: PathBuf,
    texts: Texts,
}

impl RunFolder {
    /// Makes the folder `out`; if none is given, `runs/KIND-0001` or the next number that is free.
    ///
    /// # Errors
    /// A folder that holds a run already (exit code 2); one that cannot be made.
    pub fn create(texts: Texts, kind: &str, out: Option<&Path>) -> Result<RunFolder, Report> {
        let Some(out) = out else { return RunFolder::numbered(texts, Path::new("runs"), kind) };
        if out.join("config.toml").exists() {
            let what = texts.fill("run.taken", &[("path", &out.display())]);
            return Err(Report::new(Exit::Usage, what, "", texts.get("run.taken_fix")));
        }
        RunFolder::shared(texts, out)
    }

    /// The folder `path`, made if it does not exist; files of an earlier run are replaced.
    ///
    /// # Errors
    /// A folder that cannot be made.
    pub fn shared(texts: Texts, path: &Path) -> Result<RunFolder, Report> {
        std::fs::create_dir_all(path).map_err(|e| failed(&texts, path, &e))?;
        Ok(RunFolder { path: path.into(), texts })
    }

    fn numbered(texts: Texts, parent: &Path, kind: &str) -> Result<RunFolder, Report> {
        std::fs::create_dir_all(parent).map_err(|e| failed(&texts, parent, &e))?;
        let entries = std::fs::read_dir(parent).map_err(|e| failed(&texts, parent, &e))?;
        let number = |name: &str| name.strip_prefix(kind)?.strip_prefix('-')?.parse::<u32>().ok();
        let taken = entries.flatten().filter_map(|e| number(&e.file_name().to_string_lossy())).max().unwrap_or(0);
        // Another process may take a number in between: making the folder decides.
        for n in taken.saturating_add(1).. {
            let path = parent.join(format!("{kind}-{n:04}"));
            match std::fs::create_dir(&path) {
                Ok(()) => return Ok(RunFolder { path, texts }),
                Err(e) if e.kind() == ErrorKind::AlreadyExists => {}
                Err(e) => return Err(failed(&texts, &path, &e)),
            }
        }
        Err(failed(&texts, parent, &Error::other("no number is left")))
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The place of a file in it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Writes a file, or replaces it, and returns its place.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<PathBuf, Report> {
        let (path, beside) = (self.file(name), self.file(&format!(".{name}.{}.partial", std::process::id())));
        let written = || {
            let mut file = std::fs::File::create(&beside)?;
            file.write_all(bytes)?;
            file.sync_all()?;
            std::fs::rename(&beside, &path)
        };
        written().map_err(|e: Error| {
            std::fs::remove_file(&beside).ok(); // it may not exist
            failed(&self.texts, &path, &e)
        })?;
        Ok(path)
    }
}

fn failed(texts: &Texts, path: &Path, e: &Error) -> Report {
    let fix = match e.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => texts.get("run.make_room"),
        _ => texts.get("run.other_folder"),
    };
    Report::new(Exit::Failed, texts.fill("run.cannot_write", &[("path", &path.display())]), e.to_string(), fix)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Lang;

    fn empty(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("neurona-run-folder-{name}-{}", std::process::id()));
        std::fs::remove_dir_all(&folder).ok();
        std::fs::create_dir(&folder).unwrap();
        folder
    }

    #[test]
    fn runs_get_the_next_free_number() {
        let parent = empty("numbers");
        let texts = Texts::new(Lang::En);
        let next = || RunFolder::numbered(texts, &parent, "pinn").unwrap().path.file_name().unwrap().to_string_lossy().into_owned();
        assert_eq!((next(), next()), ("pinn-0001".into(), "pinn-0002".into()));
        std::fs::create_dir(parent.join("pinn-0041")).unwrap();
        std::fs::create_dir(parent.join("pinn-wide-0099")).unwrap();
        assert_eq!((next(), next()), ("pinn-0042".into(), "pinn-0043".into()));
        std::fs::remove_dir_all(parent).unwrap();
    }

    #[test]
    fn files_are_replaced_whole_and_runs_are_not() {
        let (parent, texts) = (empty("files"), Texts::new(Lang::En));
        let folder = RunFolder::create(texts, "pinn", Some(&parent.join("a/b"))).unwrap();
        folder.write("config.toml", b"first, long").unwrap();
        let path = folder.write("config.toml", b"second").unwrap();
        assert_eq!(std::fs::read(path).unwrap(), b"second");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside");
        let taken = RunFolder::create(texts, "pinn", Some(folder.path())).unwrap_err();
        assert_eq!(taken.exit, Exit::Usage);
        let file = parent.join("a/b/config.toml/c");
        assert_eq!(RunFolder::create(texts, "pinn", Some(&file)).unwrap_err().exit, Exit::Failed);
        assert_eq!(folder.write("no/folder", b"").unwrap_err().exit, Exit::Failed);
        std::fs::remove_dir_all(parent).unwrap();
    }
}
