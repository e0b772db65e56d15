//! What can be wrong with a file: where, what, and the fix.

use super::formula::Mistake;
use std::fmt;

/// Something in a file that cannot be used.
#[derive(Clone, PartialEq, Debug)]
pub struct Wrongly {
    /// Where: `equations.0.formula`.
    pub key: String,
    /// What is wrong.
    pub why: Why,
}

/// What is wrong with an entry.
#[derive(Clone, PartialEq, Debug)]
pub enum Why {
    /// A formula.
    Formula(Mistake),
    /// Anything else: a fixed name of the kind and the values its message mentions.
    Other(&'static str, Vec<String>),
}

/// Kinds of mistakes outside formulas: name, what, fix; `{0}` and `{1}` are what they mention.
pub const KINDS: [(&str, &str, &str); 19] = [
    ("axes", "the domain has {0} variables", "give 1 to 4 of them"),
    ("name", "`{0}` cannot be a name here", "choose another: letters, digits and _, none of d, e, pi, N and no function"),
    ("twice", "`{0}` has two meanings", "rename one of them"),
    ("range", "the range of `{0}` is empty", "give the lower end first: [0, 1]"),
    ("no_unknowns", "there is nothing to solve for", "name at least one unknown: unknowns = [\"u\"]"),
    ("no_equations", "there is no equation", "add [[equations]] with name and formula"),
    ("no_stages", "there is nothing to do", "add [[stages]] with method and steps"),
    ("count", "{0} is out of range", "give a whole number from {1}"),
    ("positive", "{0} is out of range", "give a positive number"),
    ("variable", "`{0}` is no variable of the domain", "use {1}"),
    ("unknown", "`{0}` is no unknown", "use {1}"),
    ("place", "`{0}` is no place", "write \"t = 0\", \"x\" for both ends of x, or \"x = 0, y = 1\""),
    ("condition", "a condition needs `on` and `formula`, or `periodic`", "write for example on = \"t = 0\" and formula = \"u = sin(x)\""),
    ("units", "a network needs 1 to 8 layers of 1 to 512 units", "for example widths = [20, 20, 20]"),
    (
        "windows",
        "`{0}` does not go with time windows",
        "set windows = 1; with windows the start is a condition: on = \"t = 0\", formula = \"u = …\"",
    ),
    ("shape", "a shape needs `centre` and `radius`, or `range`", "write for example centre = { x = 0, y = 0 } and radius = 0.5"),
    ("left", "the shapes leave too little of the domain here", "give smaller shapes, or fewer points"),
    ("data", "there is neither a file nor a solution to take the values from", "give file, or [solution] for each unknown of the formula"),
    ("file", "{0}", "check the path, which counts from this file's folder, and the file's contents"),
];

impl Why {
    /// The name of the kind, what is wrong and the fix, in English.
    pub fn english(&self) -> (&'static str, String, String) {
        match self {
            Why::Formula(m) => (m.problem.code(), m.problem.what(), m.problem.fix()),
            Why::Other(code, values) => {
                let (_, what, fix) = KINDS.iter().find(|k| k.0 == *code).copied().unwrap_or((code, code, ""));
                let fill = |text: &str| values.iter().enumerate().fold(text.to_string(), |t, (i, v)| t.replace(&format!("{{{i}}}"), v));
                (code, fill(what), fill(fix))
            }
        }
    }
}

impl fmt::Display for Wrongly {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match &self.why {
            Why::Formula(m) => write!(f, "{}: {m}", self.key),
            other => {
                let (_, what, fix) = other.english();
                write!(f, "{}: {what}; {fix}", self.key)
            }
        }
    }
}

impl std::error::Error for Wrongly {}

pub(super) type Checked<T> = Result<T, Wrongly>;

pub(super) fn wrongly<T>(key: impl Into<String>, code: &'static str, values: &[&str]) -> Checked<T> {
    let values = values.iter().map(|v| (*v).to_string()).collect();
    Err(Wrongly { key: key.into(), why: Why::Other(code, values) })
}
