//! Messages in English and Spanish: two flat tables of the same keys and placeholders.

use std::collections::HashMap;
use std::sync::OnceLock;

/// A language of the messages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lang {
    /// English.
    En,
    /// Spanish.
    Es,
}

impl Lang {
    /// Every language.
    pub const ALL: [Lang; 2] = [Lang::En, Lang::Es];

    /// `en` or `es`.
    pub fn code(self) -> &'static str {
        if self == Lang::En { "en" } else { "es" }
    }

    /// The language of a tag or locale: `es`, `es_ES.UTF-8`, `es-MX`. Everything else but `en` is `None`.
    pub fn of(tag: &str) -> Option<Lang> {
        let primary = tag.split(['_', '-', '.', '@']).next().unwrap_or("").to_ascii_lowercase();
        Lang::ALL.into_iter().find(|l| l.code() == primary)
    }

    fn table(self) -> &'static HashMap<String, String> {
        static TABLES: [OnceLock<HashMap<String, String>>; 2] = [OnceLock::new(), OnceLock::new()];
        let source = [include_str!("i18n/en.json"), include_str!("i18n/es.json")][self as usize];
        // A test reads both files, so the empty table is never used.
        TABLES[self as usize].get_or_init(|| serde_json::from_str(source).unwrap_or_default())
    }
}

/// The messages of one language.
#[derive(Clone, Copy, Debug)]
pub struct Texts {
    lang: Lang,
}

impl Texts {
    /// The messages of `lang`.
    pub fn new(lang: Lang) -> Texts {
        Texts { lang }
    }

    /// Their language.
    pub fn lang(&self) -> Lang {
        self.lang
    }

    /// The message `key`; an unknown key is its own message.
    pub fn get(&self, key: &str) -> String {
        self.lang.table().get(key).cloned().unwrap_or_else(|| key.to_string())
    }

    /// Like [`Texts::get`], for keys written in the source.
    pub fn fixed(&self, key: &'static str) -> &'static str {
        self.lang.table().get(key).map_or(key, String::as_str)
    }

    /// The keys of all messages.
    pub fn keys(&self) -> impl Iterator<Item = &'static str> {
        self.lang.table().keys().map(String::as_str)
    }

    /// A sentence of the library, which speaks English, in the user's language: the messages `phrase.…` are the
    /// library's, with what varies between braces. A sentence that none of them is stays as it is.
    pub fn phrase(&self, english: &str) -> String {
        if self.lang == Lang::En {
            return english.into();
        }
        let known = Lang::En.table().iter().filter(|(key, _)| key.starts_with("phrase."));
        // The one with the most text of its own: "{a} is missing" is also the end of longer sentences.
        let own = |template: &str| literals(template).iter().map(|l| l.len()).sum::<usize>();
        let found = known.filter_map(|(key, t)| Some((own(t), key, values(t, english)?))).max_by_key(|(own, key, _)| (*own, *key));
        let Some((_, key, values)) = found else { return english.into() };
        let values: Vec<(&str, &dyn std::fmt::Display)> = values.iter().map(|(n, v)| (*n, v as &dyn std::fmt::Display)).collect();
        self.fill(key, &values)
    }

    /// Whether there is a message `key`.
    pub fn has(&self, key: &str) -> bool {
        self.lang.table().contains_key(key)
    }

    /// The message `key` with each `{name}` replaced by its value.
    ///
    /// ```
    /// use studio::{Lang, Texts};
    /// let text = Texts::new(Lang::Es).fill("did_you_mean", &[("word", &"epochs")]);
    /// assert_eq!(text, "¿quiso decir `epochs`?");
    /// ```
    pub fn fill(&self, key: &str, values: &[(&str, &dyn std::fmt::Display)]) -> String {
        // One pass over the template, so that a value that looks like a placeholder stays as it is.
        let (template, mut out) = (self.get(key), String::new());
        let mut rest = template.as_str();
        while let Some((before, after)) = rest.split_once('{') {
            out.push_str(before);
            let Some((name, tail)) = after.split_once('}') else {
                rest = &rest[before.len()..];
                break;
            };
            match values.iter().find(|(n, _)| *n == name) {
                Some((_, value)) => out.push_str(&value.to_string()),
                None => out.push_str(&format!("{{{name}}}")),
            }
            rest = tail;
        }
        out + rest
    }
}

/// The texts of a template between its placeholders.
fn literals(template: &str) -> Vec<&str> {
    template
        .split('{')
        .enumerate()
        .map(|(i, part)| if i == 0 { part } else { part.split_once('}').map_or(part, |(_, text)| text) })
        .collect()
}

/// What stands for each placeholder of `template` in `text`; none if the text is not of this form.
fn values<'a>(template: &'a str, text: &str) -> Option<Vec<(&'a str, String)>> {
    let names: Vec<&str> = template.split('{').skip(1).filter_map(|part| part.split_once('}').map(|(name, _)| name)).collect();
    let literals = literals(template);
    let (first, rest) = literals.split_first()?;
    let mut left = text.strip_prefix(first)?;
    let mut values = vec![];
    for (i, (name, literal)) in names.iter().zip(rest).enumerate() {
        let end = if i + 1 == names.len() { left.strip_suffix(literal)?.len() } else { left.find(literal)? };
        values.push((*name, left[..end].to_string()));
        left = &left[end + literal.len()..];
    }
    left.is_empty().then_some(values)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{BTreeMap, BTreeSet};
    use std::path::Path;

    fn table(source: &str) -> BTreeMap<String, String> {
        serde_json::from_str(source).unwrap()
    }

    fn tables() -> [BTreeMap<String, String>; 2] {
        [table(include_str!("i18n/en.json")), table(include_str!("i18n/es.json"))]
    }

    fn placeholders(text: &str) -> BTreeSet<&str> {
        text.split('{').skip(1).map(|t| t.split_once('}').unwrap().0).collect()
    }

    #[test]
    fn both_languages_have_the_same_keys_and_placeholders() {
        let [en, es] = tables();
        assert_eq!(en.keys().collect::<Vec<_>>(), es.keys().collect::<Vec<_>>());
        for (key, text) in &en {
            assert_eq!(placeholders(text), placeholders(&es[key]), "{key}");
            assert!(!text.is_empty() && !es[key].is_empty(), "{key}");
        }
    }

    /// Every key in the sources exists, and every key is in the sources (`help.`, `schema.`, `expression.`, `phrase.` and
    /// `data.….fix` keys are composed, `web.` keys are those of pages; tests of their own cover them).
    #[test]
    fn keys_are_used_and_used_keys_exist() {
        fn read(folder: &Path, all: &mut String) {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                match path.extension().and_then(|e| e.to_str()) {
                    Some("rs") => all.push_str(&std::fs::read_to_string(&path).unwrap()),
                    _ if path.is_dir() => read(&path, all),
                    _ => {}
                }
            }
        }
        let mut sources = String::new();
        read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut sources);
        let [en, _] = tables();
        let composed = |k: &str| {
            ["help.", "schema.", "expression.", "phrase.", "solve.formula.", "solve.wrong.", "solve.end.", "web."]
                .iter()
                .any(|p| k.starts_with(p))
                || k.starts_with("data.") && k.ends_with(".fix")
        };
        for key in en.keys().filter(|k| !composed(k)) {
            assert!(sources.contains(&format!("\"{key}\"")), "{key} is used nowhere");
        }
        let calls = [concat!(".get", "(\""), concat!(".fill", "(\""), concat!(".fixed", "(\"")];
        for call in calls {
            for key in sources.split(call).skip(1).filter_map(|s| s.split('"').next()) {
                assert!(en.contains_key(key) || key == "no such key {x", "no message {key}");
            }
        }
    }

    #[test]
    fn formula_mistakes_say_the_same_as_the_library() {
        use lessons::Expression;
        let sources = [
            "",
            "x+",
            "x+*y",
            "(x",
            "x)",
            "2x",
            "x**2",
            "0,5",
            "x$",
            "1e999",
            "exp",
            "tahn(x)",
            "f(x)",
            &"-".repeat(200),
            &"x".repeat(3000),
        ];
        let texts = Texts::new(Lang::En);
        let mut codes = BTreeSet::new();
        for source in sources {
            let problem = Expression::parse(source).unwrap_err().problem;
            let details = problem.details();
            let values: Vec<(&str, &dyn std::fmt::Display)> = details.iter().map(|(k, v)| (*k, v as &dyn std::fmt::Display)).collect();
            assert_eq!(texts.fill(&format!("expression.{}", problem.code()), &values), problem.what());
            assert_eq!(texts.fill(&format!("expression.{}.fix", problem.code()), &values), problem.fix());
            codes.insert(problem.code());
        }
        let [en, _] = tables();
        assert_eq!(en.keys().filter(|k| k.starts_with("expression.")).count(), 2 * codes.len(), "every kind of mistake is tried above");
    }

    /// A phrase that the library no longer says would never be translated.
    #[test]
    fn phrases_are_those_of_the_library() {
        fn read(folder: &Path, all: &mut String) {
            for path in std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()) {
                match path.extension().and_then(|e| e.to_str()) {
                    Some("rs") => all.push_str(&std::fs::read_to_string(&path).unwrap()),
                    _ if path.is_dir() => read(&path, all),
                    _ => {}
                }
            }
        }
        let mut sources = String::new();
        read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../neurona/src"), &mut sources);
        let sources = sources.replace("\\\"", "\"");
        let [en, _] = tables();
        for (key, text) in en.iter().filter(|(k, _)| k.starts_with("phrase.")) {
            for literal in literals(text) {
                assert!(sources.contains(literal), "{key}: nothing says {literal:?}");
            }
        }
    }

    #[test]
    fn phrases_are_recognised_by_their_form() {
        let es = Texts::new(Lang::Es);
        let own = "dense_1/weight has shape [2, 3], the model needs [4, 3]";
        assert_eq!(es.phrase(own), "dense_1/weight tiene la forma [2, 3], el modelo necesita [4, 3]");
        assert_eq!(es.phrase("dense_1/bias [3] is missing"), "falta dense_1/bias [3]");
        assert_eq!((es.phrase("something else"), Texts::new(Lang::En).phrase(own)), ("something else".into(), own.into()));
    }

    #[test]
    fn locales_are_recognised() {
        assert_eq!(Lang::of("es_MX.UTF-8"), Some(Lang::Es));
        assert_eq!(Lang::of("ES"), Some(Lang::Es));
        assert_eq!(Lang::of("en-GB"), Some(Lang::En));
        assert_eq!(Lang::of("C.UTF-8"), None);
        assert_eq!(Lang::of("est"), None);
    }

    #[test]
    fn values_are_not_templates() {
        let texts = Texts::new(Lang::En);
        assert_eq!(texts.fill("did_you_mean", &[("word", &"{word}")]), "did you mean `{word}`?");
        assert_eq!(texts.fill("no such key {x", &[]), "no such key {x");
    }
}
