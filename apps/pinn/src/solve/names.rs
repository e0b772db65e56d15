//! What the names in a file mean: formulas, numbers, places and shapes that mention them.

use super::file::{self, Data, File, Quantity, Spread};
use super::formula::{Formula, Mistake, Problem as Wrong, Term};
use super::problem::{Axis, Place};
use super::region::{Shape, Solid, points as draw};
use super::spread::Random;
use super::wrong::{Checked, Why, Wrongly, wrongly};
use std::collections::BTreeMap;

/// What a formula may mention.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Scope {
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

/// All names that formulas may mention.
#[derive(Clone, Copy)]
pub(super) struct Names<'a> {
    pub axes: &'a [Axis],
    pub constants: &'a BTreeMap<String, f64>,
    pub shapes: &'a [Shape],
    pub file: &'a File,
}

impl Names<'_> {
    pub(super) fn formula(&self, key: &str, source: &str, scope: Scope) -> Checked<Formula> {
        let wrong = |m: Mistake| Wrongly { key: key.into(), why: Why::Formula(m) };
        let formula = Formula::parse(source).map_err(wrong)?;
        let equals = source.find('=').map_or(0, |at| source[..at].chars().count());
        if formula.is_equation && !scope.has_unknowns() {
            return Err(wrong(formula.mistake(equals, Wrong::Equals)));
        }
        self.check(&formula.term, scope).map_err(|(position, problem)| wrong(formula.mistake(position, problem)))?;
        Ok(formula)
    }

    pub(super) fn equation(&self, key: &str, source: &str, scope: Scope) -> Checked<Formula> {
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

    pub(super) fn number(&self, key: &str, q: &Quantity) -> Checked<f64> {
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
    pub(super) fn measured(
        &self,
        key: &str,
        d: &Data,
        f: &Formula,
        solution: &[Option<Formula>],
        set: u32,
    ) -> Checked<(Vec<Vec<f64>>, Vec<f64>)> {
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

    pub(super) fn axis(&self, key: &str, name: &str) -> Checked<usize> {
        let known: Vec<&str> = self.axes.iter().map(|a| a.name.as_str()).collect();
        match known.iter().position(|a| *a == name.trim()) {
            Some(i) => Ok(i),
            None => wrongly(key, "variable", &[name.trim(), &known.join(", ")]),
        }
    }

    pub(super) fn shape(&self, name: &str, s: &file::Shape) -> Checked<Shape> {
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
    pub(super) fn place(&self, key: &str, text: &str) -> Checked<Place> {
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
