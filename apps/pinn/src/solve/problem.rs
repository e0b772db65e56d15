//! A file, checked: names resolved, formulas read, numbers computed.

use super::checks::{check_names, check_network, check_stages, grid, sets};
use super::closure::Closure;
use super::file::File;
use super::formula::Formula;
use super::names::{Names, Scope};
use super::region::{Shape, points as draw};
use super::spread::Random;
use super::wrong::{Checked, wrongly};
use std::collections::BTreeMap;

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
