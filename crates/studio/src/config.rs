//! Reading TOML files, with changes from the command line (`--set key=value`), and with errors that show
//! the line, mark the place and suggest the key that was meant.

mod differences;
mod place;
pub mod schema;

pub use differences::{Difference, differences, values};

use crate::report::{Exit, Report};
use crate::{Texts, table};
use lessons::spelling::closest;
use schema::Node;
use serde::de::DeserializeOwned;
use std::ops::Range;
use toml::{Table, Value};

/// A TOML file and the changes that the command line makes to it.
#[derive(Clone, Debug)]
pub struct Source {
    /// The file's name, for messages.
    pub path: String,
    /// Its text.
    pub text: String,
    settings: Vec<Setting>,
}

/// A change: `--set optimizer.kind=sgd`.
#[derive(Clone, Debug)]
struct Setting {
    /// As it was written.
    shown: String,
    keys: Vec<String>,
    value: Value,
}

/// Reads the TOML text `source` of the file called `path`.
///
/// For unknown keys to be errors, `T` must have `#[serde(deny_unknown_fields)]`.
///
/// # Errors
/// A [`Report`] with exit code 3 that names file, line and column.
pub fn read<T: DeserializeOwned>(texts: &Texts, path: &str, source: &str) -> Result<T, Report> {
    Source::new(path, source).read(texts)
}

impl Source {
    /// The text of a file called `path`.
    pub fn new(path: &str, text: &str) -> Source {
        Source { path: path.into(), text: text.into(), settings: vec![] }
    }

    /// Reads a file.
    ///
    /// # Errors
    /// A file that cannot be read, with exit code 3.
    pub fn open(texts: &Texts, path: &std::path::Path) -> Result<Source, Report> {
        let shown = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|e| {
            let what = texts.fill("config.unreadable", &[("path", &shown)]);
            Report::new(Exit::Config, what, e.to_string(), texts.get("config.check_path"))
        })?;
        Ok(Source { path: shown, text, settings: vec![] })
    }

    /// Adds the change that an option of the command line makes.
    pub fn set(&mut self, option: &str, key: &str, value: impl Into<Value>) {
        let value = value.into();
        self.settings.push(Setting { shown: format!("{option} {value}"), keys: vec![key.into()], value });
    }

    /// Adds a change `key=value`. A value that is no TOML is a text: `optimizer.kind=sgd`; numbers in a key
    /// count the tables of a list from 0: `layers.0.units=64`.
    ///
    /// # Errors
    /// A change of another form, with exit code 2.
    pub fn set_pair(&mut self, texts: &Texts, pair: &str) -> Result<(), Report> {
        let split = pair.split_once('=').map(|(key, value)| (key.trim(), value.trim()));
        let Some((key, value)) = split.filter(|(key, _)| key.split('.').all(|k| !k.is_empty())) else {
            let what = texts.fill("usage.bad_value", &[("value", &pair), ("arg", &"--set")]);
            return Err(Report::new(Exit::Usage, what, "", texts.get("config.set_form")));
        };
        let parsed = toml::from_str::<Table>(&format!("value = {value}")).ok().filter(|t| t.len() == 1);
        let value = parsed.and_then(|mut t| t.remove("value")).unwrap_or_else(|| Value::String(value.into()));
        self.settings.push(Setting { shown: format!("--set {pair}"), keys: key.split('.').map(String::from).collect(), value });
        Ok(())
    }

    /// The file's contents with all changes.
    ///
    /// # Errors
    /// A [`Report`] with exit code 3 that names file, line and column, or the change.
    pub fn read<T: DeserializeOwned>(&self, texts: &Texts) -> Result<T, Report> {
        if self.settings.is_empty() {
            return toml::from_str(&self.text).map_err(|e| self.in_file(texts, &e));
        }
        T::deserialize(self.merged(texts)?).map_err(|e| match toml::from_str::<T>(&self.text) {
            Err(own) if own.message() == e.message() => self.in_file(texts, &own),
            _ => {
                let (what, fix) = explain(texts, e.message(), "");
                let word = quoted(e.message()).next().unwrap_or("");
                let guilty = |s: &&Setting| s.keys.iter().any(|k| k == word) || s.value.as_str() == Some(word);
                match self.settings.iter().find(guilty).or(self.settings.last()) {
                    Some(s) => self.in_setting(texts, what, fix, s),
                    None => Report::new(Exit::Config, what, "", fix),
                }
            }
        })
    }

    /// The table `key` alone, where the rest cannot be read; none if that cannot be read either.
    pub fn part<T: DeserializeOwned>(&self, texts: &Texts, key: &str) -> Option<T> {
        self.merged(texts).ok()?.get(key)?.clone().try_into().ok()
    }

    fn merged(&self, texts: &Texts) -> Result<Value, Report> {
        let mut merged = Value::Table(toml::from_str(&self.text).map_err(|e| self.in_file(texts, &e))?);
        for s in &self.settings {
            if !put(&mut merged, &s.keys, s.value.clone()) {
                let what = texts.fill("config.no_place", &[("key", &s.keys.join("."))]);
                return Err(self.in_setting(texts, what, texts.get("config.set_form"), s));
            }
        }
        Ok(merged)
    }

    /// Everything that is not as the schema says, in the order of the file; what the command line changed comes last.
    ///
    /// # Errors
    /// A text that is no TOML, a change that has no place.
    pub fn problems(&self, texts: &Texts, schema: &Node) -> Result<Vec<Report>, Report> {
        let mut found: Vec<(usize, Report)> = vec![];
        for p in schema::check(texts, schema, &self.merged(texts)?) {
            let keys: Vec<&str> = p.path.iter().map(String::as_str).collect();
            let gave = |s: &&Setting| s.keys.len() <= keys.len() && s.keys.iter().zip(&keys).all(|(a, b)| a == b);
            found.push(match self.settings.iter().rev().find(gave) {
                Some(s) => (usize::MAX, self.in_setting(texts, p.what, p.fix, s)),
                None => {
                    let place = if p.value { place::of_value(&self.text, &keys) } else { place::of_path(&self.text, &keys) };
                    let place = place.unwrap_or(0..0);
                    (place.start, self.at(texts, &p.what, &p.fix, place))
                }
            });
        }
        found.sort_by_key(|(start, _)| *start);
        Ok(found.into_iter().map(|(_, report)| report).collect())
    }

    /// What is wrong with the value of `key` (`schedule.cosine.end`, `layers.2.units`): in the file, or in the
    /// change that gave it.
    pub fn report(&self, texts: &Texts, key: &str, what: &str, fix: &str) -> Report {
        let keys: Vec<&str> = key.split('.').collect();
        let changes = |s: &&Setting| s.keys.iter().zip(&keys).all(|(a, b)| a == b);
        if let Some(s) = self.settings.iter().rev().find(changes) {
            return self.in_setting(texts, what.into(), fix.into(), s);
        }
        self.at(texts, what, fix, place::of_path(&self.text, &keys).unwrap_or(0..0))
    }

    fn in_setting(&self, texts: &Texts, what: String, fix: String, s: &Setting) -> Report {
        Report::new(Exit::Config, texts.fill("config.at", &[("what", &what), ("at", &s.shown)]), "", fix)
    }

    fn in_file(&self, texts: &Texts, e: &toml::de::Error) -> Report {
        let span = place::of_error(&self.text, e.message(), e.span().unwrap_or(0..0));
        let (what, fix) = explain(texts, e.message(), self.text.get(span.clone()).unwrap_or(""));
        self.at(texts, &what, &fix, span)
    }

    fn at(&self, texts: &Texts, what: &str, fix: &str, span: Range<usize>) -> Report {
        let (line, column, excerpt) = locate(&self.text, &span);
        // What is missing has no place: its span is empty, or the whole file.
        let nowhere = span.start == 0 && (span.is_empty() || span.end >= self.text.trim_end().len());
        let at = if nowhere { self.path.clone() } else { format!("{}:{line}:{column}", self.path) };
        let why = if nowhere { String::new() } else { excerpt };
        Report::new(Exit::Config, texts.fill("config.at", &[("what", &what), ("at", &at)]), why, fix)
    }
}

/// Puts a value at its place, making tables on the way; false if a list has no such place.
fn put(at: &mut Value, keys: &[String], value: Value) -> bool {
    let Some((first, rest)) = keys.split_first() else {
        *at = value;
        return true;
    };
    if let Value::Array(list) = at {
        return first.parse().ok().and_then(|i: usize| list.get_mut(i)).is_some_and(|v| put(v, rest, value));
    }
    if !at.is_table() {
        *at = Value::Table(Table::new()); // `optimizer = "adam"` gives way to `optimizer.kind=sgd`
    }
    at.as_table_mut().is_some_and(|t| put(t.entry(first.clone()).or_insert(Value::Table(Table::new())), rest, value))
}

/// The words of a message between backticks.
fn quoted(message: &str) -> impl Iterator<Item = &str> {
    message.split('`').skip(1).step_by(2)
}

/// What is wrong and the fix. Serde hands on its own errors as English text; those about keys and
/// choices are recognised and translated, the rest is shown as it is.
/// `marked` is the text at the place of the error.
pub(crate) fn explain(texts: &Texts, message: &str, marked: &str) -> (String, String) {
    if message == "duplicate key" {
        return (texts.fill("config.duplicate_key", &[("key", &marked)]), texts.get("config.remove_key"));
    }
    if let Some((key, why)) = message.strip_prefix("data setting ").and_then(|m| m.split_once(": ")) {
        let (why, fix) = why.rsplit_once("; ").unwrap_or((why, ""));
        return (format!("{key}: {}", texts.phrase(why)), texts.phrase(fix));
    }
    let words: Vec<&str> = quoted(message).collect();
    let Some((&word, known)) = words.split_first() else { return (message.to_string(), String::new()) };
    let suggest = || match closest(word, known.iter().copied()) {
        Some(best) => texts.fill("did_you_mean", &[("word", &best)]),
        None => texts.fill("config.known", &[("known", &known.join(", "))]),
    };
    if message.starts_with("unknown field") {
        (texts.fill("config.unknown_key", &[("key", &word)]), suggest())
    } else if message.starts_with("unknown variant") {
        (texts.fill("config.unknown_choice", &[("choice", &word)]), suggest())
    } else if message.starts_with("missing field") {
        (texts.fill("config.missing_key", &[("key", &word)]), texts.fill("config.add_key", &[("key", &word)]))
    } else {
        (message.to_string(), String::new())
    }
}

/// Line and column (from 1) where `span` begins, and the line with carets below the span.
fn locate(source: &str, span: &Range<usize>) -> (usize, usize, String) {
    let start = (0..=span.start.min(source.len())).rev().find(|&i| source.is_char_boundary(i)).unwrap_or(0);
    let line_start = source[..start].rfind('\n').map_or(0, |i| i + 1);
    let line = source[line_start..].lines().next().unwrap_or("").replace('\t', " ");
    let number = source[..start].matches('\n').count() + 1;
    let before = table::width(&source[line_start..start]);
    let end = (start..=span.end.min(source.len())).rev().find(|&i| source.is_char_boundary(i)).unwrap_or(start);
    let marked = table::width(source[start..end].lines().next().unwrap_or("")).max(1);
    let margin = number.to_string();
    let blank = " ".repeat(margin.len());
    let excerpt = format!("{margin} | {line}\n{blank} | {}{}", " ".repeat(before), "^".repeat(marked));
    (number, before + 1, excerpt)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Lang;
    use serde::Deserialize;

    #[derive(Deserialize, Debug, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct File {
        epochs: usize,
        #[serde(default)]
        optimizer: Option<Kind>,
        #[serde(default)]
        training: Option<Training>,
    }

    #[derive(Deserialize, Debug, PartialEq)]
    #[serde(rename_all = "lowercase")]
    enum Kind {
        Sgd,
        Adam,
    }

    #[derive(Deserialize, Debug, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Training {
        learning_rate: f64,
    }

    fn fail(lang: Lang, source: &str) -> Report {
        read::<File>(&Texts::new(lang), "net.toml", source).unwrap_err()
    }

    #[test]
    fn a_right_file_is_read() {
        let f: File = read(&Texts::new(Lang::En), "net.toml", "epochs = 3\noptimizer = \"sgd\"\n[training]\nlearning_rate = 0.5").unwrap();
        assert_eq!(f, File { epochs: 3, optimizer: Some(Kind::Sgd), training: Some(Training { learning_rate: 0.5 }) });
    }

    #[test]
    fn a_misspelled_key_is_marked_and_corrected() {
        let r = fail(Lang::En, "epochs = 3\n\n[training]\n  learnig_rate = 0.1\n");
        assert_eq!((r.exit, r.what.as_str()), (Exit::Config, "unknown key `learnig_rate` in net.toml:4:3"));
        assert_eq!(r.why, "4 |   learnig_rate = 0.1\n  |   ^^^^^^^^^^^^");
        assert_eq!(r.fix, "did you mean `learning_rate`?");
        let r = fail(Lang::Es, "epochs = 3\ncolour = 1");
        assert_eq!(r.what, "clave desconocida `colour` en net.toml:2:1");
        assert!(r.fix.contains("epochs, optimizer, training"), "{}", r.fix);
    }

    #[test]
    fn other_mistakes_are_located_too() {
        let cases = [
            ("epochs = 3\noptimizer = \"adm\"", "unknown choice `adm` in net.toml:2:13", "did you mean `adam`?"),
            ("epochs = 3\nepochs = 4", "the key `epochs` is given twice in net.toml:2:1", "remove one of them"),
            ("optimizer = \"sgd\"", "the key `epochs` is missing in net.toml", "add `epochs = …`"),
            ("ñ = 1 = 2", "in net.toml:1:", ""),
            ("epochs = \"ñ", "in net.toml:1:", ""),
            ("epochs = \"three\"", "in net.toml:1:10", ""),
        ];
        for (source, what, fix) in cases {
            let r = fail(Lang::En, source);
            assert!(r.what.contains(what) && r.fix == fix, "{source}: {r:?}");
            assert_eq!(r.why.is_empty(), r.what.ends_with("net.toml"), "{source}: {r:?}");
        }
    }
}
