//! What a TOML file may say, as data: one description from which files are checked, the JSON schema is written and
//! commented files are made, so that the three cannot disagree.

mod check;
mod json;

pub use check::{Problem, check};
pub use json::json;

use crate::Texts;

/// What a value may be.
#[derive(Clone, Debug)]
pub enum Node {
    /// true or false.
    Flag,
    /// A whole number from the one to the other.
    Whole(i64, i64),
    /// A number.
    Number(Range),
    /// Any text.
    Text,
    /// A single character.
    Letter,
    /// A text that can name a folder.
    Name,
    /// One of these texts.
    Word(&'static [&'static str]),
    /// A list with at least and at most so many items.
    List(Box<Node>, usize, usize),
    /// A table.
    Table(Vec<Key>),
    /// A table whose key `tag` says which other keys it has; the word alone will do if `bare`.
    Kinds {
        /// The key that says the kind.
        tag: &'static str,
        /// Whether the kind alone, without a table, is enough.
        bare: bool,
        /// The kinds.
        kinds: Vec<(&'static str, Vec<Key>)>,
    },
    /// A word, or a table whose only key is such a word.
    Choice(Vec<Choice>),
    /// One of these.
    Either(Vec<Node>),
    /// A list of layers, which may contain layers.
    Layers(fn() -> Node),
}

/// An alternative of [`Node::Choice`].
#[derive(Clone, Debug)]
pub struct Choice {
    /// Its word.
    pub name: &'static str,
    /// Whether the word alone is enough.
    pub bare: bool,
    /// What `{ name = … }` holds; none if there is only the word.
    pub node: Option<Node>,
}

/// Numbers that are allowed; all are finite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Range {
    /// All.
    Finite,
    /// All but 0.
    NotZero,
    /// Above 0.
    Positive,
    /// From 0.
    NotNegative,
    /// From 0 to below 1.
    Share,
    /// Between 0 and 1.
    Inside,
    /// From 0 to 1.
    Whole,
    /// Above 0, to 1.
    Some,
    /// From 0 to 180.
    Degrees,
}

/// A key of a table.
#[derive(Clone, Debug)]
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// What its value may be.
    pub node: Node,
    /// Whether it must be given.
    pub required: bool,
    /// What is used if it is not given, as TOML; none if that depends on other things.
    pub default: Option<&'static str>,
    /// A value that can be used, as TOML.
    pub sample: &'static str,
    /// The message that explains it.
    pub help: String,
    /// The message that says what to do about a wrong value, if not what the node says.
    pub fix: Option<&'static str>,
}

/// A key with this default.
pub fn usual(name: &'static str, node: Node, default: &'static str) -> Key {
    Key { name, node, required: false, default: Some(default), sample: default, help: String::new(), fix: None }
}

/// A key that may be left out.
pub fn optional(name: &'static str, node: Node, sample: &'static str) -> Key {
    Key { name, node, required: false, default: None, sample, help: String::new(), fix: None }
}

/// A key that must be given.
pub fn required(name: &'static str, node: Node, sample: &'static str) -> Key {
    Key { required: true, ..optional(name, node, sample) }
}

/// Keys whose explanations are the messages `schema.GROUP.NAME`.
pub fn group(group: &str, keys: Vec<Key>) -> Vec<Key> {
    keys.into_iter().map(|k| Key { help: format!("schema.{group}.{}", k.name), ..k }).collect()
}

/// A word that is enough.
pub fn word(name: &'static str) -> Choice {
    Choice { name, bare: true, node: None }
}

/// A word with settings, which may be left out if `bare`.
pub fn with(name: &'static str, bare: bool, node: Node) -> Choice {
    Choice { name, bare, node: Some(node) }
}

/// Any number of items.
pub const MANY: usize = usize::MAX;

/// A list of at least `least` items.
pub fn list(of: Node, least: usize) -> Node {
    Node::List(Box::new(of), least, MANY)
}

impl Key {
    /// With this message for wrong values.
    pub fn fix(self, fix: &'static str) -> Key {
        Key { fix: Some(fix), ..self }
    }
}

impl Range {
    /// Whether `x` is allowed.
    pub fn contains(self, x: f64) -> bool {
        x.is_finite()
            && match self {
                Range::Finite => true,
                Range::NotZero => x != 0.0,
                Range::Positive => x > 0.0,
                Range::NotNegative => x >= 0.0,
                Range::Share => (0.0..1.0).contains(&x),
                Range::Inside => x > 0.0 && x < 1.0,
                Range::Whole => (0.0..=1.0).contains(&x),
                Range::Some => x > 0.0 && x <= 1.0,
                Range::Degrees => (0.0..=180.0).contains(&x),
            }
    }

    fn text(self, texts: &Texts) -> String {
        match self {
            Range::Finite => texts.get("wanted.number"),
            Range::NotZero => texts.get("wanted.not_zero"),
            Range::Positive => texts.get("wanted.positive"),
            Range::NotNegative => texts.get("wanted.not_negative"),
            Range::Share => texts.get("wanted.share"),
            Range::Inside => texts.get("wanted.inside"),
            Range::Whole => texts.get("wanted.part"),
            Range::Some => texts.get("wanted.some"),
            Range::Degrees => texts.get("wanted.degrees"),
        }
    }
}

impl Node {
    /// What is wanted, in words.
    pub fn wanted(&self, texts: &Texts) -> String {
        match self {
            Node::Flag => texts.get("wanted.flag"),
            Node::Whole(i64::MIN, _) => texts.get("wanted.whole"),
            Node::Whole(least, i64::MAX) => texts.fill("wanted.whole_from", &[("least", least)]),
            Node::Whole(least, most) => texts.fill("wanted.whole_to", &[("least", least), ("most", most)]),
            Node::Number(range) => range.text(texts),
            Node::Text => texts.get("wanted.text"),
            Node::Letter => texts.get("wanted.letter"),
            Node::Name => texts.get("wanted.name"),
            Node::Word(words) => texts.fill("wanted.word", &[("words", &quoted(words))]),
            Node::List(of, 2, 2) => texts.fill("wanted.pair", &[("item", &of.wanted(texts))]),
            Node::List(of, ..) => texts.fill("wanted.list", &[("item", &of.wanted(texts))]),
            Node::Table(_) => texts.get("wanted.table"),
            Node::Kinds { tag, bare: false, kinds } => {
                texts.fill("wanted.kinds", &[("tag", tag), ("words", &quoted(&kinds.iter().map(|k| k.0).collect::<Vec<_>>()))])
            }
            Node::Kinds { kinds, .. } => texts.fill("wanted.word", &[("words", &quoted(&kinds.iter().map(|k| k.0).collect::<Vec<_>>()))]),
            Node::Choice(all) => texts.fill("wanted.word", &[("words", &quoted(&all.iter().map(|c| c.name).collect::<Vec<_>>()))]),
            Node::Either(all) => {
                let all: Vec<String> = all.iter().map(|n| n.wanted(texts)).collect();
                all.join(&format!(" {} ", texts.get("wanted.or")))
            }
            Node::Layers(_) => texts.get("wanted.layers"),
        }
    }
}

fn quoted(words: &[&str]) -> String {
    words.iter().map(|w| format!("\"{w}\"")).collect::<Vec<_>>().join(", ")
}
