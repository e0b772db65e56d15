//! Reading TOML files, with errors that show the line, mark the place and suggest the key that was meant.

use crate::report::{Exit, Report};
use crate::{Texts, table};
use lessons::spelling::closest;
use serde::de::DeserializeOwned;
use std::ops::Range;

/// Reads the TOML text `source` of the file called `path`.
///
/// For unknown keys to be errors, `T` must have `#[serde(deny_unknown_fields)]`.
///
/// # Errors
/// A [`Report`] with exit code 3 that names file, line and column.
pub fn read<T: DeserializeOwned>(texts: &Texts, path: &str, source: &str) -> Result<T, Report> {
    toml::from_str(source).map_err(|e| {
        let span = e.span().unwrap_or(0..0);
        let (what, fix) = explain(texts, e.message(), source.get(span.clone()).unwrap_or(""));
        let (line, column, excerpt) = locate(source, &span);
        // What is missing has no place: its span is empty, or the whole file.
        let nowhere = span.start == 0 && (span.is_empty() || span.end >= source.trim_end().len());
        let at = if nowhere { path.to_string() } else { format!("{path}:{line}:{column}") };
        let why = if nowhere { String::new() } else { excerpt };
        Report::new(Exit::Config, texts.fill("config.at", &[("what", &what), ("at", &at)]), why, fix)
    })
}

/// What is wrong and the fix. Serde hands on its own errors as English text; those about keys and
/// choices are recognised and translated, the rest is shown as it is.
/// `marked` is the text at the place of the error.
pub(crate) fn explain(texts: &Texts, message: &str, marked: &str) -> (String, String) {
    if message == "duplicate key" {
        return (texts.fill("config.duplicate_key", &[("key", &marked)]), texts.get("config.remove_key"));
    }
    let words: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
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
