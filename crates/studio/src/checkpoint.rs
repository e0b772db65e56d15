//! state.safetensors: all that a training needs to go on with the same bits, and what it is the state of.

use crate::config::differences;
use crate::report::{Exit, Report};
use crate::run::{CONFIG, RunFolder, STATE};
use crate::{Texts, failure};
use neurona::weights::{self, Notes};
use neurona::{Param, State};

/// Version of what the notes mean.
const FORMAT: &str = "1";

/// Settings that may change between an interruption and going on: they do not change the steps taken.
const FREE: [&str; 6] = ["threads", "epochs", "checkpoint_seconds", "name", "early_stopping", "tensorboard"];

/// Writes the state of a training of this `kind` (network, pinn) with the settings `config`, and more notes.
///
/// # Errors
/// A file that cannot be written; the one before stays whole.
pub fn save(
    texts: &Texts,
    folder: &RunFolder,
    (params, state): (&[Param], &State),
    (kind, config): (&str, &str),
    more: &[(&str, String)],
) -> Result<(), Report> {
    let own = [("format", FORMAT.to_string()), ("kind", kind.into()), ("config", config.into())];
    let version = [("version", env!("CARGO_PKG_VERSION").to_string())];
    let all = own.iter().chain(&version).chain(more);
    let notes: Notes = all.map(|(k, v)| ((*k).to_string(), v.clone())).collect();
    weights::save_state(&folder.file(STATE), params, state, &notes).map_err(|e| failure::report(texts, &e))
}

/// Reads a state for these parameters, of an optimizer with `slots` tensors for each, and its notes.
///
/// # Errors
/// A file that is missing, damaged, of another format, kind or network, or of other settings (4).
pub fn load(
    texts: &Texts,
    folder: &RunFolder,
    (params, slots): (&[Param], usize),
    (kind, config): (&str, &str),
) -> Result<(State, Notes), Report> {
    let path = folder.file(STATE);
    if !path.is_file() {
        let what = texts.fill("resume.no_state", &[("path", &path.display())]);
        return Err(Report::new(Exit::Data, what, "", anew(texts, folder)));
    }
    let (state, notes) = weights::load_state(&path, params, slots).map_err(|e| {
        let report = failure::report(texts, &e);
        Report::new(report.exit, report.what, report.why, anew(texts, folder))
    })?;
    let note = |key: &str| notes.get(key).map_or("", String::as_str);
    if note("format") != FORMAT || note("kind") != kind {
        let values: [(&str, &dyn std::fmt::Display); 5] = [
            ("path", &path.display()),
            ("format", &note("format")),
            ("version", &note("version")),
            ("kind", &note("kind")),
            ("known", &FORMAT),
        ];
        return Err(Report::new(Exit::Data, texts.fill("resume.format", &values), "", anew(texts, folder)));
    }
    unchanged(texts, folder, note("config"), config)?;
    Ok((state, notes))
}

/// Whether the settings of a state are those of now, as far as they decide its steps.
///
/// # Errors
/// They are not (3): which ones.
pub fn unchanged(texts: &Texts, folder: &RunFolder, before: &str, now: &str) -> Result<(), Report> {
    let changed = changes(before, now);
    if changed.is_empty() {
        return Ok(());
    }
    let path = folder.file(CONFIG);
    let (what, fix) =
        (texts.fill("resume.changed", &[("path", &path.display())]), texts.fill("resume.changed.fix", &[("path", &path.display())]));
    Err(Report::new(Exit::Config, what, changed.join("\n"), fix))
}

/// The advice to begin again.
fn anew(texts: &Texts, folder: &RunFolder) -> String {
    texts.fill("resume.anew", &[("path", &folder.file(CONFIG).display())])
}

/// The settings that are not those of the state: `learning_rate: 0.1 → 0.2`.
fn changes(before: &str, now: &str) -> Vec<String> {
    let (Ok(before), Ok(now)) = (before.parse(), now.parse()) else { return vec!["?".into()] };
    let free = |key: &str| FREE.iter().any(|f| key == *f || key.strip_prefix(f).is_some_and(|rest| rest.starts_with('.')));
    let shown = |v: &Option<String>| v.clone().unwrap_or_else(|| "–".into());
    let list = differences(&before, &now).into_iter().filter(|(key, _)| !free(key));
    list.map(|(key, [a, b])| format!("{key}: {} → {}", shown(&a), shown(&b))).collect()
}

/// A hint at the end of an interrupted training: how to go on.
pub fn resume_hint(texts: &Texts, folder: &RunFolder) -> String {
    let runs = std::path::Path::new("runs");
    let name = if folder.path().parent() == Some(runs) { folder.name() } else { folder.path().display().to_string() };
    texts.fill("resume.hint", &[("run", &name)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_settings_that_matter_are_compared() {
        let before = "epochs = 3\nthreads = 1\nlearning_rate = 0.1\n[data]\nkind = 'csv'\n[[layers]]\nunits = 3\n";
        assert!(changes(before, &before.replace("epochs = 3", "epochs = 9").replace("threads = 1", "threads = 2")).is_empty());
        let now = before.replace("0.1", "0.2").replace("units = 3", "units = 4\nbias = false");
        assert_eq!(changes(before, &now), ["layers.0.bias: – → false", "layers.0.units: 3 → 4", "learning_rate: 0.1 → 0.2"]);
    }
}
