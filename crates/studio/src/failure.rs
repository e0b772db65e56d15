//! The library's errors as reports.

use crate::Texts;
use crate::report::{Exit, Report};
use neurona::Error;
use neurona::data::DataError;

/// An error of the training layer.
pub fn report(texts: &Texts, e: &Error) -> Report {
    match e {
        Error::Config { what, why, fix } => Report::new(Exit::Config, format!("{what}: {why}"), "", fix),
        Error::Model(e) => Report::new(Exit::Config, texts.get("train.layers_wrong"), e.to_string(), ""),
        Error::Data { place, why, fix } => Report::new(Exit::Data, format!("{place}: {why}"), "", fix),
        Error::Mismatch { path, differences } => {
            let what = texts.fill("run.mismatch", &[("path", &path.display())]);
            Report::new(Exit::Data, what, differences.join("\n"), texts.get("run.unreadable.fix"))
        }
        Error::Diverged { epoch, batch, fix, .. } => {
            Report::new(Exit::Diverged, texts.fill("train.diverged", &[("epoch", epoch), ("batch", batch)]), "", fix)
        }
        Error::Io { verb: "read", path, why } => {
            Report::new(Exit::Data, texts.fill("run.unreadable", &[("path", &path.display())]), why, texts.get("run.unreadable.fix"))
        }
        Error::Io { path, why, .. } => {
            Report::new(Exit::Failed, texts.fill("run.unwritable", &[("path", &path.display())]), why, texts.get("run.unwritable.fix"))
        }
        other => Report::new(Exit::Failed, other.to_string(), "", ""),
    }
}

/// An error of reading data.
pub fn data(_texts: &Texts, e: &DataError) -> Report {
    let exit = match e {
        DataError::Setting { .. } => Exit::Config,
        DataError::Unwritable { .. } => Exit::Failed,
        _ => Exit::Data,
    };
    Report::new(exit, e.to_string(), "", "")
}
