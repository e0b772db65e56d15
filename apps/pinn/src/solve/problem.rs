//! A file, checked: names resolved, formulas read, numbers computed.

use super::closure::Closure;
use super::file::{self, Data, File, Quantity, Spread, Stage};
use super::formula::{Formula, Mistake, Problem as Wrong, Term};
use super::region::{Shape, Solid, points as draw};
use super::spread::{MAX_AXES, Random};
use std::collections::BTreeMap;
use std::fmt;

/// A variable and its range.
#[derive(Clone, PartialEq, Debug)]
pub struct Axis {
    /// Its name.
    pub name: String,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Axis {
    /// The place at the share `s` of the way from the lower to the upper end.
    pub fn at(&self, s: f64) -> f64 {
        self.low + s * (self.high - self.low)
    }
}

/// Where a condition holds.
#[derive(Clone, PartialEq, Debug)]
pub enum Place {
    /// Where variables have these values; several such parts share the points.
    Faces(Vec<Vec<(usize, f64)>>),
    /// On the surface of this shape.
    Surface(usize),
    /// At both ends of this variable, of which the unknowns and their derivatives up to this order agree.
    Ends(usize, usize),
    /// At these points, with these values.
    Points(Vec<Vec<f64>>, Vec<f64>),
}

/// A set of conditions at the same points.
#[derive(Clone, PartialEq, Debug)]
pub struct Set {
    /// Where; none for the equations, which hold inside.
    pub place: Option<Place>,
    /// How many points.
    pub points: usize,
    /// What is to be zero there: name of the loss, formula (none at periodic ends), factor.
    pub terms: Vec<(String, Option<Formula>, f64)>,
}

/// A problem that can be solved.
#[derive(Clone, PartialEq, Debug)]
pub struct Problem {
    /// As it was written.
    pub file: File,
    /// The variables.
    pub axes: Vec<Axis>,
    /// What bounds the domain besides the ranges of the variables.
    pub shapes: Vec<Shape>,
    /// Named numbers.
    pub constants: BTreeMap<String, f64>,
    /// How each unknown is made of the network's output.
    pub form: Vec<Option<Formula>>,
    /// The equations first, then the conditions, then the data.
    pub sets: Vec<Set>,
    /// Equations and conditions written in Rust; their losses have no formula.
    pub closures: Vec<Closure>,
    /// Exact solutions, one place per unknown.
    pub solution: Vec<Option<Formula>>,
    /// Points of the grid along each variable.
    pub grid: Vec<usize>,
}

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

type Checked<T> = Result<T, Wrongly>;

pub(super) fn wrongly<T>(key: impl Into<String>, code: &'static str, values: &[&str]) -> Checked<T> {
    let values = values.iter().map(|v| (*v).to_string()).collect();
    Err(Wrongly { key: key.into(), why: Why::Other(code, values) })
}

/// What a formula may mention.
#[derive(Clone, Copy, PartialEq)]
enum Scope {
    /// Numbers only.
    Constants,
    /// Variables too.
    Place,
    /// Variables, the network's output N and fitted numbers.
    Form,
    /// Variables, unknowns, fitted numbers and derivatives.
    Everything,
    /// Components of the normal of a shape too.
    Surface(usize),
}

impl Scope {
    fn has_unknowns(self) -> bool {
        matches!(self, Scope::Everything | Scope::Surface(_))
    }
}

/// What the component of a normal along a variable is called in formulas.
pub(super) fn normal(axis: &str) -> String {
    format!("n_{axis}")
}

struct Names<'a> {
    axes: &'a [Axis],
    constants: &'a BTreeMap<String, f64>,
    shapes: &'a [Shape],
    file: &'a File,
}

impl Names<'_> {
    fn formula(&self, key: &str, source: &str, scope: Scope) -> Checked<Formula> {
        let wrong = |m: Mistake| Wrongly { key: key.into(), why: Why::Formula(m) };
        let formula = Formula::parse(source).map_err(wrong)?;
        let equals = source.find('=').map_or(0, |at| source[..at].chars().count());
        if formula.is_equation && !scope.has_unknowns() {
            return Err(wrong(formula.mistake(equals, Wrong::Equals)));
        }
        self.check(&formula.term, scope).map_err(|(position, problem)| wrong(formula.mistake(position, problem)))?;
        Ok(formula)
    }

    fn equation(&self, key: &str, source: &str, scope: Scope) -> Checked<Formula> {
        let formula = self.formula(key, source, scope)?;
        if formula.is_equation {
            return Ok(formula);
        }
        let end = source.chars().count();
        Err(Wrongly { key: key.into(), why: Why::Formula(formula.mistake(end, Wrong::NoEquals)) })
    }

    fn known(&self, scope: Scope) -> Vec<String> {
        let mut known: Vec<String> = vec![];
        if let Scope::Surface(k) = scope {
            known.extend(self.shapes[k].axes().iter().map(|&a| normal(&self.axes[a].name)));
        }
        if scope.has_unknowns() {
            known.extend(self.file.unknowns.iter().cloned());
            known.extend(self.file.fit.keys().cloned());
        }
        if scope == Scope::Form {
            known.push("N".into());
            known.extend(self.file.fit.keys().cloned());
        }
        if scope != Scope::Constants {
            known.extend(self.axes.iter().map(|a| a.name.clone()));
        }
        known.extend(self.constants.keys().cloned());
        known.push("pi".into());
        known
    }

    fn check(&self, term: &Term, scope: Scope) -> Result<(), (usize, Wrong)> {
        match term {
            Term::Number(_) => Ok(()),
            Term::Name(name, at) => {
                let known = self.known(scope);
                if known.contains(name) { Ok(()) } else { Err((*at, Wrong::Unknown { name: name.clone(), known: known.join(", ") })) }
            }
            Term::Negate(a) => self.check(a, scope),
            Term::Call(_, list) => list.iter().try_for_each(|t| self.check(t, scope)),
            Term::Infix(_, a, b) => self.check(a, scope).and_then(|()| self.check(b, scope)),
            Term::Derivative(inner, along) => {
                for (name, at) in along {
                    if !self.axes.iter().any(|a| a.name == *name) {
                        let known: Vec<&str> = self.axes.iter().map(|a| a.name.as_str()).collect();
                        return Err((*at, Wrong::NotVariable { name: name.clone(), known: known.join(", ") }));
                    }
                    if !scope.has_unknowns() {
                        return Err((*at, Wrong::Depends { name: "d".into() }));
                    }
                }
                self.check(inner, scope)
            }
        }
    }

    fn number(&self, key: &str, q: &Quantity) -> Checked<f64> {
        let x = match q {
            Quantity::Number(x) => *x,
            Quantity::Whole(x) => *x as f64,
            Quantity::Formula(source) => self.constant(&self.formula(key, source, Scope::Constants)?),
        };
        if x.is_finite() { Ok(x) } else { wrongly(key, "positive", &[&x.to_string()]) }
    }

    /// The value of a formula of constants.
    fn constant(&self, formula: &Formula) -> f64 {
        formula.value(&|name| self.constants.get(name).copied()).unwrap_or(f64::NAN)
    }

    /// Points over the domain and values of the exact solution there, with normal noise (Box & Muller 1958).
    fn measured(&self, key: &str, d: &Data, f: &Formula, solution: &[Option<Formula>], set: u32) -> Checked<(Vec<Vec<f64>>, Vec<f64>)> {
        let random = Random { seed: self.file.seed, draw: 0, set };
        let columns = draw((self.axes, self.shapes), None, d.points, Spread::Sobol, random);
        let place = |n: &str, i: usize| self.axes.iter().position(|a| a.name == n).map(|a| columns[a][i]);
        let known = |n: &str, i: usize| place(n, i).or_else(|| self.constants.get(n).copied());
        let exact = |n: &str, i: usize| {
            let unknown = self.file.unknowns.iter().position(|u| u == n)?;
            solution[unknown].as_ref()?.value(&|n| known(n, i)).ok()
        };
        let mut values = Vec::with_capacity(d.points);
        for i in 0..columns.first().map_or(0, Vec::len) {
            let Ok(value) = f.value(&|n| known(n, i).or_else(|| exact(n, i))) else { return wrongly(key, "data", &[]) };
            let [a, b] = [4, 5].map(|stream| random.at(stream, i));
            values.push(value + d.noise * (-2.0 * (1.0 - a).ln()).sqrt() * (std::f64::consts::TAU * b).cos());
        }
        Ok((columns, values))
    }

    fn axis(&self, key: &str, name: &str) -> Checked<usize> {
        let known: Vec<&str> = self.axes.iter().map(|a| a.name.as_str()).collect();
        match known.iter().position(|a| *a == name.trim()) {
            Some(i) => Ok(i),
            None => wrongly(key, "variable", &[name.trim(), &known.join(", ")]),
        }
    }

    fn shape(&self, name: &str, s: &file::Shape) -> Checked<Shape> {
        let key = |part: &str| format!("shapes.{name}.{part}");
        let solid = match (&s.radius, s.centre.len(), s.range.len()) {
            (Some(radius), 1..=3, 0) => {
                let part = |(a, x): (&String, &Quantity)| Ok((self.axis(&key("centre"), a)?, self.number(&key("centre"), x)?));
                let radius = self.number(&key("radius"), radius)?;
                if radius <= 0.0 {
                    return wrongly(key("radius"), "positive", &[&radius.to_string()]);
                }
                Solid::Ball(s.centre.iter().map(part).collect::<Checked<_>>()?, radius)
            }
            (None, 0, 1..) => {
                let part = |(a, [low, high]): (&String, &[Quantity; 2])| {
                    let ends = [self.number(&key("range"), low)?, self.number(&key("range"), high)?];
                    if ends[0] < ends[1] { Ok((self.axis(&key("range"), a)?, ends)) } else { wrongly(key("range"), "range", &[a]) }
                };
                Solid::Box(s.range.iter().map(part).collect::<Checked<_>>()?)
            }
            _ => return wrongly(format!("shapes.{name}"), "shape", &[]),
        };
        Ok(Shape { name: name.into(), keep: s.keep, solid })
    }

    /// `"t = 0"`, `"x"`, `"x = 0, y = 1"`, the name of a shape.
    fn place(&self, key: &str, text: &str) -> Checked<Place> {
        if let Some(k) = self.shapes.iter().position(|s| s.name == text.trim()) {
            return Ok(Place::Surface(k));
        }
        let mut faces: Vec<Vec<(usize, f64)>> = vec![vec![]];
        for part in text.split(',') {
            let values = match part.split_once('=') {
                Some((name, value)) => {
                    let axis = self.axis(key, name)?;
                    let value = self.formula(key, value.trim(), Scope::Constants)?;
                    vec![(axis, self.constant(&value))]
                }
                None if part.trim().is_empty() => return wrongly(key, "place", &[text]),
                None => {
                    let axis = self.axis(key, part)?;
                    vec![(axis, self.axes[axis].low), (axis, self.axes[axis].high)]
                }
            };
            if values.iter().any(|(_, v)| !v.is_finite()) {
                return wrongly(key, "place", &[text]);
            }
            faces = faces.iter().flat_map(|f| values.iter().map(move |v| [&f[..], &[*v]].concat())).collect();
        }
        Ok(Place::Faces(faces))
    }
}

/// Most points of a set, and most points of the grid.
const MOST_POINTS: usize = 1_000_000;

impl Problem {
    /// Checks a file. Data files are read from `folder`.
    ///
    /// # Errors
    /// The first entry that cannot be used.
    pub fn new(file: &File, folder: &std::path::Path) -> Checked<Problem> {
        Problem::with(file, folder, vec![])
    }

    /// Checks a file to which these equations and conditions are added.
    ///
    /// # Errors
    /// The first entry that cannot be used; of a closure, `closures.NAME`.
    pub fn with(file: &File, folder: &std::path::Path, closures: Vec<Closure>) -> Checked<Problem> {
        let empty = BTreeMap::new();
        let mut axes = vec![];
        check_names(file)?;
        for (name, [low, high]) in &file.domain {
            let names = Names { axes: &[], constants: &empty, shapes: &[], file };
            let key = format!("domain.{name}");
            let (low, high) = (names.number(&key, low)?, names.number(&key, high)?);
            if low >= high {
                return wrongly(key, "range", &[name]);
            }
            axes.push(Axis { name: name.clone(), low, high });
        }
        axes.sort_by_key(|a| a.name == "t"); // stable: time is the last, the rest in the order of the alphabet
        let mut constants = BTreeMap::new();
        for (name, q) in &file.constants {
            let value = Names { axes: &[], constants: &constants, shapes: &[], file }.number(&format!("constants.{name}"), q)?;
            constants.insert(name.clone(), value);
        }
        let names = Names { axes: &axes, constants: &constants, shapes: &[], file };
        let shapes = file.shapes.iter().map(|(name, s)| names.shape(name, s)).collect::<Checked<Vec<_>>>()?;
        let names = Names { shapes: &shapes, ..names };
        let per_unknown = |table: &BTreeMap<String, String>, key: &str, scope| {
            if let Some(name) = table.keys().find(|k| !file.unknowns.contains(k)) {
                return wrongly(format!("{key}.{name}"), "unknown", &[name, &file.unknowns.join(", ")]);
            }
            let one = |u: &String| table.get(u).map(|f| names.formula(&format!("{key}.{u}"), f, scope)).transpose();
            file.unknowns.iter().map(one).collect::<Checked<Vec<_>>>()
        };
        let form = per_unknown(&file.form, "form", Scope::Form)?;
        let solution = per_unknown(&file.solution, "solution", Scope::Place)?;
        check_network(file, &names)?;
        check_stages(&file.stages)?;
        let grid = grid(file, &axes)?;
        let sets = sets(file, &names, &solution, folder, &closures)?;
        let problem = Problem { file: file.clone(), axes, shapes, constants, form, sets, closures, solution, grid };
        problem.check_shapes()?;
        problem.check_windows()?;
        Ok(problem)
    }

    /// Whether the shapes leave room for the points of every set.
    fn check_shapes(&self) -> Checked<()> {
        if self.shapes.is_empty() {
            return Ok(());
        }
        for (s, set) in self.sets.iter().enumerate() {
            let random = Random { seed: self.file.seed, draw: 0, set: s as u32 };
            let found = draw(self.region(), set.place.as_ref(), set.points, self.file.sampling.method, random);
            if !matches!(set.place, Some(Place::Points(..) | Place::Ends(..))) && found[0].len() < set.points.div_ceil(4) {
                return wrongly(if s == 0 { "shapes".into() } else { format!("conditions.{}.on", s - 1) }, "left", &[]);
            }
        }
        Ok(())
    }

    /// The factor of each loss.
    pub(super) fn weights(&self) -> Vec<f64> {
        self.sets.iter().flat_map(|s| s.terms.iter().map(|t| t.2)).collect()
    }

    /// The variables and what bounds the domain besides their ranges.
    pub(super) fn region(&self) -> (&[Axis], &[Shape]) {
        (&self.axes, &self.shapes)
    }

    /// The position of a variable.
    pub fn axis(&self, name: &str) -> Option<usize> {
        self.axes.iter().position(|a| a.name == name)
    }
}

fn check_names(file: &File) -> Checked<()> {
    if file.domain.is_empty() || file.domain.len() > MAX_AXES {
        return wrongly("domain", "axes", &[&file.domain.len().to_string()]);
    }
    if file.unknowns.is_empty() {
        return wrongly("unknowns", "no_unknowns", &[]);
    }
    let domain = file.domain.keys().map(|n| ("domain", n));
    let unknowns = file.unknowns.iter().map(|n| ("unknowns", n));
    let constants = file.constants.keys().map(|n| ("constants", n));
    let shapes = file.shapes.keys().map(|n| ("shapes", n));
    let all: Vec<(&str, &String)> =
        domain.chain(unknowns).chain(constants).chain(file.fit.keys().map(|n| ("fit", n))).chain(shapes).collect();
    for (i, (key, name)) in all.iter().enumerate() {
        let key = if *key == "unknowns" { (*key).to_string() } else { format!("{key}.{name}") };
        let word = name.starts_with(|c: char| c.is_alphabetic()) && name.chars().all(|c| c.is_alphanumeric() || c == '_');
        let taken = ["d", "e", "pi", "π", "N"].contains(&name.as_str()) || super::Function::ALL.iter().any(|f| f.name() == *name);
        if !word || taken {
            return wrongly(key, "name", &[name]);
        }
        if all[..i].iter().any(|(_, other)| other == name) {
            return wrongly(key, "twice", &[name]);
        }
    }
    Ok(())
}

fn check_network(file: &File, names: &Names) -> Checked<()> {
    let net = &file.network;
    if !(1..=8).contains(&net.widths.len()) || net.widths.iter().any(|w| !(1..=512).contains(w)) {
        return wrongly("network.widths", "units", &[]);
    }
    if !(1..=16).contains(&net.harmonics) {
        return wrongly("network.harmonics", "count", &[&net.harmonics.to_string(), "1 to 16"]);
    }
    if !(0.0..=100.0).contains(&net.spread) {
        return wrongly("network.spread", "positive", &[&net.spread.to_string()]);
    }
    if net.fourier > 512 {
        return wrongly("network.fourier", "count", &[&net.fourier.to_string(), "0 to 512"]);
    }
    if !(net.fourier_scale > 0.0 && net.fourier_scale <= 1000.0) {
        return wrongly("network.fourier_scale", "positive", &[&net.fourier_scale.to_string()]);
    }
    if !(1..=10_000_000).contains(&file.balance.every) {
        return wrongly("balance.every", "count", &[&file.balance.every.to_string(), "1 to 10000000"]);
    }
    net.periodic.iter().try_for_each(|name| names.axis("network.periodic", name).map(drop))
}

fn check_stages(stages: &[Stage]) -> Checked<()> {
    if stages.is_empty() {
        return wrongly("stages", "no_stages", &[]);
    }
    for (i, s) in stages.iter().enumerate() {
        if s.steps == 0 || s.steps > 10_000_000 {
            return wrongly(format!("stages.{i}.steps"), "count", &[&s.steps.to_string(), "1 to 10000000"]);
        }
        if !(s.learning_rate > 0.0 && s.learning_rate.is_finite()) {
            return wrongly(format!("stages.{i}.learning_rate"), "positive", &[&s.learning_rate.to_string()]);
        }
    }
    Ok(())
}

fn grid(file: &File, axes: &[Axis]) -> Checked<Vec<usize>> {
    if let Some(name) = file.grid.keys().find(|k| !axes.iter().any(|a| a.name == **k)) {
        let known: Vec<&str> = axes.iter().map(|a| a.name.as_str()).collect();
        return wrongly(format!("grid.{name}"), "variable", &[name, &known.join(", ")]);
    }
    let usual = [1001, 101, 31, 15][axes.len() - 1];
    let counts: Vec<usize> = axes.iter().map(|a| file.grid.get(&a.name).copied().unwrap_or(usual)).collect();
    match axes.iter().zip(&counts).find(|(_, n)| !(2..=MOST_POINTS).contains(*n)) {
        Some((a, n)) => wrongly(format!("grid.{}", a.name), "count", &[&n.to_string(), "2"]),
        None if counts.iter().try_fold(1usize, |p, &n| p.checked_mul(n)).is_none_or(|p| p > MOST_POINTS) => {
            wrongly("grid", "count", &[&format!("{counts:?}"), &format!("2, at most {MOST_POINTS} in all")])
        }
        None => Ok(counts),
    }
}

fn sets(file: &File, names: &Names, solution: &[Option<Formula>], folder: &std::path::Path, closures: &[Closure]) -> Checked<Vec<Set>> {
    if file.equations.is_empty() && closures.iter().all(|c| c.on.is_some()) {
        return wrongly("equations", "no_equations", &[]);
    }
    let points = |key: String, n: usize| {
        if (1..=MOST_POINTS).contains(&n) { Ok(n) } else { wrongly(key, "count", &[&n.to_string(), &format!("1 to {MOST_POINTS}")]) }
    };
    let weight = |key: String, w: f64| if w > 0.0 && w.is_finite() { Ok(w) } else { wrongly(key, "positive", &[&w.to_string()]) };
    let mut terms = vec![];
    for (i, e) in file.equations.iter().enumerate() {
        let formula = names.equation(&format!("equations.{i}.formula"), &e.formula, Scope::Everything)?;
        terms.push((e.name.clone(), Some(formula), weight(format!("equations.{i}.weight"), e.weight)?));
    }
    for c in closures.iter().filter(|c| c.on.is_none()) {
        terms.push((c.name.clone(), None, weight(format!("closures.{}.weight", c.name), c.weight)?));
    }
    let mut all = vec![Set { place: None, points: points("sampling.points".into(), file.sampling.points)?, terms }];
    // A place that is a point, or a point at each end, has no room for more.
    let counted = |place: &Place, points: usize| {
        let fixed = matches!(place, Place::Faces(faces) if faces[0].len() == names.axes.len()) || names.axes.len() == 1;
        match place {
            Place::Faces(faces) if fixed => faces.len(),
            Place::Surface(_) => points,
            _ if fixed => 1,
            _ => points,
        }
    };
    for (i, c) in file.conditions.iter().enumerate() {
        let key = |name: &str| format!("conditions.{i}.{name}");
        let weight = weight(key("weight"), c.weight)?;
        let (place, formula) = match (&c.on, &c.formula, &c.periodic) {
            (Some(on), Some(f), None) => {
                let place = names.place(&key("on"), on)?;
                let scope = if let Place::Surface(k) = place { Scope::Surface(k) } else { Scope::Everything };
                (place, Some(names.equation(&key("formula"), f, scope)?))
            }
            (None, None, Some(axis)) => {
                if c.derivatives > 4 {
                    return wrongly(key("derivatives"), "count", &[&c.derivatives.to_string(), "0 to 4"]);
                }
                (Place::Ends(names.axis(&key("periodic"), axis)?, c.derivatives), None)
            }
            _ => return wrongly(format!("conditions.{i}"), "condition", &[]),
        };
        let points = counted(&place, points(key("points"), c.points)?);
        all.push(Set { place: Some(place), points, terms: vec![(c.name.clone(), formula, weight)] });
    }
    for c in closures {
        let Some((on, n)) = &c.on else { continue };
        let key = |name: &str| format!("closures.{}.{name}", c.name);
        let place = names.place(&key("on"), on)?;
        let points = counted(&place, points(key("points"), *n)?);
        all.push(Set { place: Some(place), points, terms: vec![(c.name.clone(), None, weight(key("weight"), c.weight)?)] });
    }
    for (i, d) in file.data.iter().enumerate() {
        let key = |name: &str| format!("data.{i}.{name}");
        let formula = names.formula(&key("formula"), &d.formula, Scope::Everything)?;
        let (columns, values) = match &d.file {
            Some(path) => {
                let table = super::reference::table(&folder.join(path), names.axes.len() + 1);
                let rows = table.or_else(|why| wrongly(key("file"), "file", &[&why]))?;
                let column = |a: usize| rows.iter().map(|r| r[a]).collect();
                ((0..names.axes.len()).map(column).collect(), column(names.axes.len()))
            }
            None if d.noise >= 0.0 && d.noise.is_finite() => {
                points(key("points"), d.points)?;
                names.measured(&key("formula"), d, &formula, solution, all.len() as u32)?
            }
            None => return wrongly(key("noise"), "positive", &[&d.noise.to_string()]),
        };
        let terms = vec![(d.name.clone(), Some(formula), weight(key("weight"), d.weight)?)];
        let count = points(key("file"), values.len())?;
        all.push(Set { place: Some(Place::Points(columns, values)), points: count, terms });
    }
    let losses: Vec<&String> = all.iter().flat_map(|s| s.terms.iter().map(|t| &t.0)).collect();
    match (0..losses.len()).find(|&i| losses[..i].contains(&losses[i]) || losses[i].is_empty()) {
        Some(i) => wrongly("equations", "twice", &[losses[i]]),
        None => Ok(all),
    }
}
