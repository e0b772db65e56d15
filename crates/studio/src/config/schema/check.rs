//! Whether a TOML table is what a schema asks for: everything that is wrong with it, at once.

use super::{Choice, Key, Node};
use crate::Texts;
use lessons::spelling::closest;
use toml::Value;

/// What is wrong with a value or a key.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    /// Its keys, from the top: `layers.2.units`.
    pub path: Vec<String>,
    /// Whether the value is marked, and not the key.
    pub value: bool,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub fix: String,
}

/// Everything that is wrong with `value`, in the order of the file's keys.
pub fn check(texts: &Texts, node: &Node, value: &Value) -> Vec<Problem> {
    let mut checker = Checker { texts, path: vec![], problems: vec![] };
    checker.node(node, value, None);
    checker.problems
}

/// The key that says a table's kind, and the keys of each kind.
type Kinds<'a> = (&'a str, &'a [(&'static str, Vec<Key>)]);

struct Checker<'a> {
    texts: &'a Texts,
    path: Vec<String>,
    problems: Vec<Problem>,
}

impl Checker<'_> {
    fn problem(&mut self, value: bool, what: String, fix: String) {
        self.problems.push(Problem { path: self.path.clone(), value, what, fix });
    }

    /// The value cannot be what it is.
    fn bad(&mut self, node: &Node, value: &Value, fix: Option<&str>) {
        let shown = if let Value::Float(x) = value { x.to_string() } else { value.to_string() };
        let what = self.texts.fill("train.bad_setting", &[("key", &self.path.join(".")), ("value", &shown)]);
        let usual = || self.texts.fill("config.use", &[("wanted", &node.wanted(self.texts))]);
        let fix = fix.map_or_else(usual, |key| self.texts.get(key));
        self.problem(false, what, fix);
    }

    /// The value is of another type.
    fn wrong_type(&mut self, node: &Node, value: &Value) {
        let found = match value {
            Value::String(_) => self.texts.get("found.text"),
            Value::Integer(_) | Value::Float(_) => self.texts.get("found.number"),
            Value::Boolean(_) => self.texts.get("found.flag"),
            Value::Datetime(_) => self.texts.get("found.date"),
            Value::Array(_) => self.texts.get("found.list"),
            Value::Table(_) => self.texts.get("found.table"),
        };
        let what = self.texts.fill("config.wrong_type", &[("key", &self.path.join(".")), ("found", &found)]);
        self.problem(true, what, self.texts.fill("config.use", &[("wanted", &node.wanted(self.texts))]));
    }

    /// A word that is none of those known.
    fn unknown_word(&mut self, word: &str, known: &[&str], value: bool) {
        let what = self.texts.fill("config.unknown_choice", &[("choice", &word)]);
        self.problem(value, what, self.suggestion(word, known));
    }

    fn suggestion(&self, word: &str, known: &[&str]) -> String {
        match closest(word, known.iter().copied()) {
            Some(best) => self.texts.fill("did_you_mean", &[("word", &best)]),
            None => self.texts.fill("config.known", &[("known", &known.join(", "))]),
        }
    }

    fn within(&mut self, key: impl Into<String>, see: impl FnOnce(&mut Self)) {
        self.path.push(key.into());
        see(self);
        self.path.pop();
    }

    fn node(&mut self, node: &Node, value: &Value, fix: Option<&'static str>) {
        match (node, value) {
            (Node::Flag, Value::Boolean(_)) | (Node::Text, Value::String(_)) => {}
            (Node::Whole(least, most), Value::Integer(n)) => {
                if !(least..=most).contains(&n) {
                    self.bad(node, value, fix);
                }
            }
            (Node::Number(range), Value::Float(_) | Value::Integer(_)) => {
                let x = value.as_float().or(value.as_integer().map(|n| n as f64)).unwrap_or(f64::NAN);
                if !range.contains(x) {
                    self.bad(node, value, fix);
                }
            }
            (Node::Letter, Value::String(s)) => {
                if s.chars().count() != 1 {
                    self.bad(node, value, fix);
                }
            }
            (Node::Name, Value::String(s)) => {
                if s.is_empty() || s.starts_with('.') || s.contains(['/', '\\', '\0']) {
                    self.bad(node, value, fix);
                }
            }
            (Node::Word(words), Value::String(s)) => {
                if !words.contains(&s.as_str()) {
                    self.unknown_word(s, words, true);
                }
            }
            (Node::List(of, least, most), Value::Array(items)) => {
                if !(least..=most).contains(&&items.len()) {
                    self.bad(node, value, fix);
                }
                items.iter().enumerate().for_each(|(i, item)| self.within(i.to_string(), |c| c.node(of, item, None)));
            }
            (Node::Layers(layer), Value::Array(items)) => {
                if items.is_empty() {
                    self.bad(node, value, Some("train.layers_fix"));
                }
                let layer = layer();
                items.iter().enumerate().for_each(|(i, item)| self.within(i.to_string(), |c| c.node(&layer, item, None)));
            }
            (Node::Table(keys), Value::Table(table)) => self.table(&keys.iter().collect::<Vec<_>>(), table, None),
            (Node::Kinds { tag, kinds, .. }, Value::Table(table)) => self.kinds(tag, kinds, table),
            (Node::Kinds { bare: true, kinds, .. }, Value::String(s)) => {
                let known: Vec<&str> = kinds.iter().map(|k| k.0).collect();
                if !known.contains(&s.as_str()) {
                    self.unknown_word(s, &known, true);
                }
            }
            (Node::Choice(all), Value::String(s)) => self.word(node, all, s, value),
            (Node::Choice(all), Value::Table(table)) if table.len() == 1 => self.choice(node, all, table, value),
            (Node::Either(all), _) => self.either(node, all, value, fix),
            _ => self.wrong_type(node, value),
        }
    }

    fn word(&mut self, node: &Node, all: &[Choice], word: &str, value: &Value) {
        match all.iter().find(|c| c.name == word) {
            Some(c) if c.bare => {}
            Some(_) => self.bad(node, value, Some("config.needs_table")),
            None => self.unknown_word(word, &all.iter().map(|c| c.name).collect::<Vec<_>>(), true),
        }
    }

    fn choice(&mut self, node: &Node, all: &[Choice], table: &toml::Table, value: &Value) {
        let Some((name, inner)) = table.iter().next() else { return };
        match all.iter().find(|c| c.name == name) {
            Some(Choice { node: Some(node), .. }) => self.within(name, |c| c.node(node, inner, None)),
            Some(_) => self.bad(node, value, Some("config.needs_word")),
            None => {
                let known: Vec<&str> = all.iter().map(|c| c.name).collect();
                self.within(name, |c| c.unknown_word(name, &known, false));
            }
        }
    }

    /// The alternative that comes closest says what is wrong.
    fn either(&mut self, node: &Node, all: &[Node], value: &Value, fix: Option<&'static str>) {
        let mut nearest: Option<Vec<Problem>> = None;
        for one in all {
            let mut inner = Checker { texts: self.texts, path: self.path.clone(), problems: vec![] };
            inner.node(one, value, fix);
            if inner.problems.is_empty() {
                return;
            }
            let mut other = Checker { texts: self.texts, path: self.path.clone(), problems: vec![] };
            other.wrong_type(one, value);
            if inner.problems != other.problems {
                nearest = Some(inner.problems);
            }
        }
        match nearest {
            Some(problems) => self.problems.extend(problems),
            None => self.wrong_type(node, value),
        }
    }

    fn kinds(&mut self, tag: &str, kinds: &[(&'static str, Vec<Key>)], table: &toml::Table) {
        let known: Vec<&str> = kinds.iter().map(|k| k.0).collect();
        match table.get(tag) {
            None => self.missing(tag),
            Some(Value::String(kind)) => match kinds.iter().find(|k| k.0 == kind) {
                Some((_, keys)) => self.table(&keys.iter().collect::<Vec<_>>(), table, Some((tag, kinds))),
                None => self.within(tag, |c| c.unknown_word(kind, &known, true)),
            },
            Some(other) => self.within(tag, |c| c.wrong_type(&Node::Text, other)),
        }
    }

    fn missing(&mut self, key: &str) {
        let what = self.texts.fill("config.missing_key", &[("key", &key)]);
        self.problem(false, what, self.texts.fill("config.add_key", &[("key", &key)]));
    }

    /// A table of these keys; `kinds` is what its tag chose among.
    fn table(&mut self, keys: &[&Key], table: &toml::Table, kinds: Option<Kinds>) {
        let tag = kinds.map(|(tag, _)| tag);
        for (name, value) in table.iter().filter(|(name, _)| Some(name.as_str()) != tag) {
            match keys.iter().find(|k| k.name == name) {
                Some(key) => self.within(name, |c| c.node(&key.node, value, key.fix)),
                None => self.within(name, |c| c.unknown_key(name, keys, kinds)),
            }
        }
        for key in keys.iter().filter(|k| k.required && !table.contains_key(k.name)) {
            self.missing(key.name);
        }
    }

    fn unknown_key(&mut self, name: &str, keys: &[&Key], kinds: Option<Kinds>) {
        let what = self.texts.fill("config.unknown_key", &[("key", &name)]);
        // A key of another kind is no typing error.
        let owners = |(tag, kinds): Kinds| {
            let own: Vec<&str> = kinds.iter().filter(|(_, keys)| keys.iter().any(|k| k.name == name)).map(|k| k.0).collect();
            (!own.is_empty()).then(|| self.texts.fill("config.of_kind", &[("tag", &tag), ("kinds", &super::quoted(&own))]))
        };
        let known: Vec<&str> = keys.iter().map(|k| k.name).chain(kinds.map(|k| k.0)).collect();
        let fix = kinds.and_then(owners).unwrap_or_else(|| self.suggestion(name, &known));
        self.problem(false, what, fix);
    }
}
