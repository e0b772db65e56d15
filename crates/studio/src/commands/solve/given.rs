//! The problem that is to be solved: a file, an equation of the gallery, or that of a run.

use super::{saving, wrong};
use crate::config::Source;
use crate::equations::{self, Example, FOLDER, GALLERY};
use crate::report::Report;
use crate::run::{CONFIG, RunFolder};
use crate::table::{Align, Table};
use crate::{Shell, Texts};
use pinn::solve::{File, Problem, Reference};
use serde_json::json;
use std::path::{Path, PathBuf};

/// A problem as it is written.
pub(super) struct Given {
    /// The text.
    pub source: Source,
    /// What its runs are called.
    pub name: String,
    /// Where files that it names are looked for.
    pub folder: PathBuf,
}

impl Given {
    /// A file; where there is none of that name, the equation of the gallery.
    ///
    /// # Errors
    /// Neither (3).
    pub fn open(texts: &Texts, path: &Path) -> Result<Given, Report> {
        if let Some(example) = path.to_str().filter(|_| !path.exists()).and_then(Example::of) {
            let source = Source::new(&format!("{}.toml", example.name), example.text);
            return Ok(Given { source, name: example.name.into(), folder: FOLDER.into() });
        }
        let source = Source::open(texts, path).map_err(|mut report| {
            report.fix = texts.fill("solve.gallery", &[("names", &equations::names())]);
            report
        })?;
        let name = path.file_stem().and_then(|s| s.to_str()).unwrap_or(saving::KIND).into();
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new(".")).into();
        Ok(Given { source, name, folder })
    }

    /// The problem of a run.
    ///
    /// # Errors
    /// Files that cannot be read (3, 4).
    pub fn of_run(texts: &Texts, run: &RunFolder) -> Result<Given, Report> {
        let source = Source::open(texts, &run.file(CONFIG))?;
        Ok(Given { source, name: run.name(), folder: saving::parent(run)? })
    }
}

/// A problem and its reference; files that it names are looked for in `folder`.
///
/// # Errors
/// An entry that cannot be used (3).
pub(super) fn read(texts: &Texts, source: &Source, folder: &Path) -> Result<(Problem, Option<Reference>), Report> {
    let file: File = source.read(texts)?;
    let problem = Problem::new(&file, folder).map_err(|e| wrong::report(texts, source, &e))?;
    let reference = Reference::read(&problem, folder).map_err(|e| wrong::report(texts, source, &e))?;
    Ok((problem, reference))
}

/// The problem that a text called `name` describes, without its reference; `allowed` may refuse the file before any of those
/// that it names is read.
///
/// # Errors
/// An entry that cannot be used (3); what `allowed` says.
pub(crate) fn check(
    texts: &Texts,
    (name, text): (&str, &str),
    folder: &Path,
    allowed: impl FnOnce(&File) -> Result<(), Report>,
) -> Result<Problem, Report> {
    let source = Source::new(name, text);
    let file: File = source.read(texts)?;
    allowed(&file)?;
    Problem::new(&file, folder).map_err(|e| wrong::report(texts, &source, &e))
}

/// Prints the gallery.
///
/// # Errors
/// A closed output.
pub(super) fn list(shell: &mut Shell) -> Result<(), Report> {
    let texts = shell.texts;
    if shell.json {
        return shell.print_json(&GALLERY.iter().map(|e| json!({ "name": e.name, "title": e.title(&texts) })).collect::<Vec<_>>());
    }
    let mut table = Table::new(&[(&texts.get("solve.gallery_name"), Align::Left), ("", Align::Left)]);
    GALLERY.iter().for_each(|e| table.row([e.name.into(), e.title(&texts)]));
    shell.print(&table.to_string())
}
