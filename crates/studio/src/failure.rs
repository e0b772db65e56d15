//! The library's errors as reports.

use crate::Texts;
use crate::config::Source;
use crate::report::{Exit, Report};
use neurona::Error;
use neurona::data::DataError;
use std::fmt::Display;

/// An error of the training layer.
pub fn report(texts: &Texts, e: &Error) -> Report {
    match e {
        Error::Config { what, why, fix } => Report::new(Exit::Config, format!("{what}: {why}"), "", fix),
        Error::Model(e) => Report::new(Exit::Config, texts.get("train.layers_wrong"), e.to_string(), ""),
        Error::Data { place, why, fix } => Report::new(Exit::Data, format!("{place}: {why}"), "", fix),
        Error::File(e) => data(texts, e),
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

/// An error of reading data that the training file `source` names: a wrong setting is shown there.
pub fn data_of(texts: &Texts, source: &Source, e: &DataError) -> Report {
    match e {
        DataError::Setting { key, why } => {
            let (why, fix) = why.rsplit_once("; ").unwrap_or((why, ""));
            source.report(texts, &format!("data.{key}"), &format!("`{key}`: {why}"), fix)
        }
        other => data(texts, other),
    }
}

type Values<'a> = Vec<(&'static str, &'a dyn Display)>;

/// An error of reading data.
pub fn data(texts: &Texts, e: &DataError) -> Report {
    let exit = match e {
        DataError::Setting { .. } => Exit::Config,
        DataError::Unwritable { .. } => Exit::Failed,
        _ => Exit::Data,
    };
    let shown = Shown::new(e);
    match parts(e, &shown) {
        Some((key, why, values)) => Report::new(exit, texts.fill(key, &values), why, texts.fill(&format!("{key}.fix"), &values)),
        None => Report::new(exit, e.to_string(), "", ""),
    }
}

/// What messages show of a path, a text or two shapes.
struct Shown {
    path: String,
    text: String,
    shapes: [String; 2],
}

impl Shown {
    fn new(e: &DataError) -> Shown {
        use DataError as E;
        let path = match e {
            E::Unreadable { path, .. }
            | E::Unwritable { path, .. }
            | E::Compressed { path }
            | E::BadMagic { path, .. }
            | E::BadHeader { path, .. }
            | E::Dtype { path, .. }
            | E::Truncated { path, .. }
            | E::Ragged { path, .. }
            | E::UnclosedQuote { path, .. }
            | E::NotText { path, .. }
            | E::NonNumeric { path, .. }
            | E::UnknownCategory { path, .. }
            | E::MissingTarget { path, .. }
            | E::Row { path, .. }
            | E::Image { path, .. }
            | E::UnknownColumn { path, .. } => path.display().to_string(),
            _ => String::new(),
        };
        let text = match e {
            E::NonNumeric { text, .. } | E::UnknownCategory { text, .. } => text.chars().take(40).collect(),
            E::Label { classes, .. } => classes.saturating_sub(1).to_string(),
            _ => String::new(),
        };
        let shapes = match e {
            E::Shape { expected, found, .. } => [expected, found].map(|s| format!("{s:?}")),
            E::ArrayShape { shape, .. } => [format!("{shape:?}"), String::new()],
            _ => [String::new(), String::new()],
        };
        Shown { path, text, shapes }
    }
}

/// The key of the message, what the file or the system says of it, and the values.
fn parts<'a>(e: &'a DataError, shown: &'a Shown) -> Option<(&'static str, &'a str, Values<'a>)> {
    use DataError as E;
    let (path, text) = (("path", &shown.path as &dyn Display), ("text", &shown.text as &dyn Display));
    Some(match e {
        E::Unreadable { why, .. } => ("data.unreadable", why, vec![path]),
        E::Unwritable { why, .. } => ("data.unwritable", why, vec![path]),
        E::Compressed { .. } => ("data.compressed", "", vec![path]),
        E::BadMagic { found, expected, .. } => ("data.bad_magic", "", vec![path, ("found", found), ("expected", expected)]),
        E::BadHeader { byte, why, .. } => ("data.bad_header", why, vec![path, ("byte", byte)]),
        E::Dtype { dtype, supported, .. } => ("data.dtype", "", vec![path, ("dtype", dtype), ("supported", supported)]),
        E::Truncated { expected, actual, .. } => ("data.truncated", "", vec![path, ("expected", expected), ("actual", actual)]),
        E::TooLarge { place, what, size, limit, fix } => {
            ("data.too_large", fix, vec![("place", place), ("what", what), ("size", size), ("limit", limit)])
        }
        E::Ragged { line, expected, found, .. } => {
            ("data.ragged", "", vec![path, ("line", line), ("expected", expected), ("found", found)])
        }
        E::UnclosedQuote { line, .. } => ("data.unclosed_quote", "", vec![path, ("line", line)]),
        E::NotText { line, why, .. } => ("data.not_text", why, vec![path, ("line", line)]),
        E::NonNumeric { line, column, .. } => ("data.non_numeric", "", vec![path, ("line", line), ("column", column), text]),
        E::UnknownCategory { line, column, known, .. } => {
            ("data.unknown_category", known, vec![path, ("line", line), ("column", column), text])
        }
        E::MissingTarget { line, column, .. } => ("data.missing_target", "", vec![path, ("line", line), ("column", column)]),
        E::UnknownColumn { column, hint, .. } => ("data.unknown_column", hint, vec![path, ("column", column)]),
        E::NonFinite { place, row, column, value } => {
            ("data.non_finite", "", vec![("place", place), ("row", row), ("column", column), ("value", value)])
        }
        E::Label { place, row, label, .. } => ("data.label", "", vec![("place", place), ("row", row), ("label", label), ("last", text.1)]),
        E::ZeroRows { place } => ("data.zero_rows", "", vec![("place", place)]),
        E::Shape { place, .. } => ("data.shape", "", vec![("place", place), ("expected", &shown.shapes[0]), ("found", &shown.shapes[1])]),
        E::ArrayShape { place, values, .. } => {
            ("data.array_shape", "", vec![("place", place), ("shape", &shown.shapes[0]), ("values", values)])
        }
        E::Counts { place, rows, targets } => ("data.counts", "", vec![("place", place), ("rows", rows), ("targets", targets)]),
        E::TooFewRows { place, needed, available, .. } => {
            ("data.too_few_rows", "", vec![("place", place), ("needed", needed), ("available", available)])
        }
        E::Row { row, why, .. } => ("data.row", why, vec![path, ("row", row)]),
        E::Image { why, .. } => ("data.image", why, vec![path]),
        E::Setting { key, why } => ("data.setting", why, vec![("key", key)]),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Lang;

    #[test]
    fn every_error_of_data_has_a_message_and_a_fix() {
        use DataError as E;
        let (path, place, why) = (std::path::PathBuf::from("a.csv"), "a.npy".to_string(), "because".to_string());
        let (p, text, column) = (|| path.clone(), "abc".to_string(), "x1".to_string());
        let all = [
            E::Unreadable { path: p(), kind: std::io::ErrorKind::NotFound, why: why.clone() },
            E::Unwritable { path: p(), why: why.clone() },
            E::Compressed { path: p() },
            E::BadMagic { path: p(), found: text.clone(), expected: "xyz" },
            E::BadHeader { path: p(), byte: 3, why: why.clone() },
            E::Dtype { path: p(), dtype: text.clone(), supported: "f4" },
            E::Truncated { path: p(), expected: 9, actual: 3 },
            E::TooLarge { place: place.clone(), what: "values", size: 9, limit: 3, fix: "shrink it" },
            E::Ragged { path: p(), line: 3, expected: 9, found: 8 },
            E::UnclosedQuote { path: p(), line: 3 },
            E::NotText { path: p(), line: 3, why: why.clone() },
            E::NonNumeric { path: p(), line: 3, column: column.clone(), text: text.clone() },
            E::UnknownCategory { path: p(), line: 3, column: column.clone(), text: text.clone(), known: "known are b".into() },
            E::MissingTarget { path: p(), line: 3, column: column.clone() },
            E::UnknownColumn { path: p(), column: column.clone(), hint: "there is x2".into() },
            E::NonFinite { place: place.clone(), row: 1, column: 2, value: f32::NAN },
            E::Label { place: place.clone(), row: 1, label: 7.0, classes: 3 },
            E::ZeroRows { place: place.clone() },
            E::Shape { place: place.clone(), expected: vec![2, 3], found: vec![4] },
            E::ArrayShape { place: place.clone(), shape: vec![2, 3], values: 5 },
            E::Counts { place: place.clone(), rows: 3, targets: 4 },
            E::TooFewRows { place, needed: 9, available: 3, fix: "" },
            E::Row { path: p(), row: 7, why: why.clone() },
            E::Image { path: p(), why: why.clone() },
            E::Setting { key: "scale", why },
        ];
        for lang in Lang::ALL {
            let texts = Texts::new(lang);
            for e in &all {
                let report = data(&texts, e);
                let key = parts(e, &Shown::new(e)).unwrap().0;
                assert!(texts.has(key) && texts.has(&format!("{key}.fix")), "{key}");
                assert!(!report.what.contains(['{', '}']) && !report.fix.contains(['{', '}']) && report.what != key, "{report:?}");
            }
        }
        let label = data(&Texts::new(Lang::En), &all[16]);
        assert_eq!(
            (label.what.as_str(), label.exit),
            ("a.npy: label 7 in row 1 (counted from 0) is not a whole number from 0 to 2", Exit::Data)
        );
    }
}
