//! The method of lines: the unknowns at the points of a grid in space as functions of time, with differences of fourth order
//! in place of the derivatives along space.

use super::stencil::Line;
use super::{Problem, Unsuited};
use crate::solve::formula::{Formula, Term};
use crate::solve::grid::product;
use crate::solve::problem::Place;
use crate::solve::windows::TIME;

/// What a formula amounts to at points.
#[derive(Clone)]
enum Value {
    Number(f64),
    Column(Vec<f64>),
}

use Value::{Column, Number};

impl Value {
    fn map(self, f: impl Fn(f64) -> f64) -> Value {
        match self {
            Number(x) => Number(f(x)),
            Column(c) => Column(c.into_iter().map(f).collect()),
        }
    }

    fn zip(self, other: Value, f: impl Fn(f64, f64) -> f64) -> Value {
        match (self, other) {
            (a, Number(y)) => a.map(|x| f(x, y)),
            (Number(x), b) => b.map(|y| f(x, y)),
            (Column(a), Column(b)) => Column(a.iter().zip(&b).map(|(x, y)| f(*x, *y)).collect()),
        }
    }

    fn column(self, n: usize) -> Vec<f64> {
        match self {
            Number(x) => vec![x; n],
            Column(c) => c,
        }
    }
}

/// Points and weights of a derivative along an axis, for each of its points.
type Stencils = Vec<Vec<(usize, f64)>>;

/// A condition at some points that determines one unknown there.
struct Edge {
    unknown: usize,
    at: Vec<usize>,
    /// Residual; none where the form itself says the value.
    formula: Option<Formula>,
}

/// A problem on a grid.
pub struct Lines<'a> {
    problem: &'a Problem,
    pub axes: Vec<Line>,
    /// Points from one to the next along each axis.
    strides: Vec<usize>,
    /// The place of each point along each axis.
    places: Vec<Vec<f64>>,
    /// Per axis, derivatives of order 1 to 4.
    stencils: Vec<Vec<Stencils>>,
    /// Order in time of each unknown.
    orders: Vec<usize>,
    edges: Vec<Edge>,
}

/// The unknowns and their derivatives in time, at all points; the latter up to the order of the unknown.
pub struct Fields {
    pub values: Vec<Vec<Vec<f64>>>,
}

impl<'a> Lines<'a> {
    /// Lays the grid; time is the variable t, the last one.
    pub fn new(problem: &'a Problem, points: usize) -> Result<Lines<'a>, Unsuited> {
        let space = problem.axes.len().saturating_sub(1);
        if problem.axis(TIME) != Some(space) {
            return Err(Unsuited::Steady);
        }
        if !problem.closures.is_empty() {
            return Err(Unsuited::Time);
        }
        if !problem.shapes.is_empty() || !problem.file.fit.is_empty() {
            return Err(if problem.shapes.is_empty() { Unsuited::Fitted } else { Unsuited::Shapes });
        }
        let orders = orders(problem)?;
        let periodic = |a: usize| {
            let ends = problem.sets.iter().any(|s| matches!(s.place, Some(Place::Ends(axis, _)) if axis == a));
            ends || problem.file.network.periodic.contains(&problem.axes[a].name)
        };
        let line = |a: usize| Line::new(problem.axes[a].low, problem.axes[a].high, points, periodic(a));
        let axes: Vec<Line> = (0..space).map(line).collect();
        let along: Vec<Vec<f64>> = axes.iter().map(|l| (0..l.count).map(|i| l.place(i)).collect()).collect();
        let places = if space == 0 { vec![] } else { product(&along) };
        let stencils = |l: &Line| (1..=4).map(|order| (0..l.count).map(|i| l.derivative(i, order)).collect()).collect();
        let stencils = axes.iter().map(stencils).collect();
        let strides = (0..space).map(|a| axes[a + 1..].iter().map(|l| l.count).product()).collect();
        let mut lines = Lines { problem, axes, strides, places, stencils, orders, edges: vec![] };
        lines.edges = lines.find_edges();
        Ok(lines)
    }

    /// Points of the grid.
    pub fn points(&self) -> usize {
        self.places.first().map_or(1, Vec::len)
    }

    fn find_edges(&self) -> Vec<Edge> {
        let mut all = vec![];
        for (a, line) in self.axes.iter().enumerate().filter(|(_, l)| !l.periodic) {
            let axis = &self.problem.axes[a];
            for (end, value) in [(0, axis.low), (line.count - 1, axis.high)] {
                let at: Vec<usize> = (0..self.points()).filter(|i| i / self.strides[a] % line.count == end).collect();
                for unknown in 0..self.orders.len() {
                    let fixed = self.fixed_by_form(unknown, &at);
                    let formula = if fixed { None } else { self.condition(unknown, (a, value), 0) };
                    if fixed || formula.is_some() {
                        all.push(Edge { unknown, at: at.clone(), formula });
                    }
                }
            }
        }
        all
    }

    /// The first condition on a face that speaks of this unknown alone, with derivatives in time of at most this order.
    fn condition(&self, unknown: usize, face: (usize, f64), order: usize) -> Option<Formula> {
        let holds = |place: &Option<Place>| matches!(place, Some(Place::Faces(faces)) if faces.iter().any(|f| f[..] == [face]));
        let sets = self.problem.sets.iter().filter(|s| holds(&s.place));
        let name = &self.problem.file.unknowns[unknown];
        let suits = |f: &Formula| {
            let mut found = f.term.names(TIME);
            found.retain(|(n, _)| self.problem.file.unknowns.iter().any(|u| u == n));
            !found.is_empty() && found.iter().all(|(n, _)| n == name) && found.iter().map(|f| f.1).max() == Some(order)
        };
        sets.flat_map(|s| &s.terms).find_map(|t| t.1.clone().filter(|f| suits(f)))
    }

    /// Whether the unknown's form says its value at these points whatever the network says.
    fn fixed_by_form(&self, unknown: usize, at: &[usize]) -> bool {
        let time = &self.problem.axes[self.axes.len()];
        let differs = |t: f64| {
            let [a, b] = [0.0, 1.0].map(|n| self.form(unknown, at, t, n));
            a.iter().zip(&b).any(|(a, b)| a.is_nan() || (a - b).abs() > 1e-12 * (1.0 + a.abs()))
        };
        self.problem.form[unknown].is_some() && !differs(time.low) && !differs(time.at(0.37)) && !differs(time.high)
    }

    /// The form of an unknown with this output of the network.
    fn form(&self, unknown: usize, at: &[usize], t: f64, output: f64) -> Vec<f64> {
        let problem = self.problem;
        let value = |i: usize| {
            let name = |n: &str| match problem.axis(n) {
                Some(a) if a == self.axes.len() => Some(t),
                Some(a) => Some(self.places[a][i]),
                None if n == "N" => Some(output),
                None => problem.constants.get(n).copied(),
            };
            problem.form[unknown].as_ref().and_then(|f| f.value(&name).ok()).unwrap_or(f64::NAN)
        };
        at.iter().map(|&i| value(i)).collect()
    }

    /// The unknowns at the first time.
    pub fn start(&self) -> Result<Vec<f64>, Unsuited> {
        let (n, time) = (self.points(), self.axes.len());
        let (all, t): (Vec<usize>, f64) = ((0..n).collect(), self.problem.axes[time].low);
        let zero = |o: &usize| vec![vec![0.0; n]; o + 1];
        let mut fields = Fields { values: self.orders.iter().map(zero).collect() };
        for unknown in 0..self.orders.len() {
            for order in 0..self.orders[unknown] {
                let [a, b] = [0.0, 1.0].map(|output| self.form(unknown, &all, t, output));
                if order == 0 && a == b {
                    fields.values[unknown][0] = a;
                    continue;
                }
                let name = || self.problem.file.unknowns[unknown].clone();
                let formula = self.condition(unknown, (time, t), order).ok_or_else(|| Unsuited::Start(name()))?;
                let found = self.determined(&formula, &mut fields, (unknown, order), &all, t);
                fields.values[unknown][order] = found.ok_or_else(|| Unsuited::Start(name()))?;
            }
        }
        Ok(self.state(&fields))
    }

    /// Where a residual is zero, if it is linear in this field at these points.
    fn determined(&self, f: &Formula, fields: &mut Fields, slot: (usize, usize), at: &[usize], t: f64) -> Option<Vec<f64>> {
        let mut residual = |x: f64| {
            let field = &mut fields.values[slot.0][slot.1];
            at.iter().for_each(|&i| field[i] = x);
            self.value(&f.term, fields, t, Some(at)).column(at.len())
        };
        let [a, b] = [0.0, 1.0].map(&mut residual);
        let found: Vec<f64> = a.iter().zip(&b).map(|(a, b)| -a / (b - a)).collect();
        found.iter().all(|x| x.is_finite()).then_some(found)
    }

    fn state(&self, fields: &Fields) -> Vec<f64> {
        fields.values.iter().zip(&self.orders).flat_map(|(v, &o)| v[..o].concat()).collect()
    }

    /// The fields of a state, with what holds at the ends.
    pub fn fields(&self, state: &[f64], t: f64) -> Fields {
        let n = self.points();
        let mut columns = state.chunks_exact(n).map(<[f64]>::to_vec);
        let one = |&o: &usize| columns.by_ref().take(o).chain([vec![0.0; n]]).collect();
        let mut fields = Fields { values: self.orders.iter().map(one).collect() };
        for edge in &self.edges {
            let found = match &edge.formula {
                None => Some(self.form(edge.unknown, &edge.at, t, 0.0)),
                Some(f) => self.determined(f, &mut fields, (edge.unknown, 0), &edge.at, t),
            };
            let values = found.unwrap_or_else(|| vec![f64::NAN; edge.at.len()]);
            edge.at.iter().zip(values).for_each(|(&i, x)| fields.values[edge.unknown][0][i] = x);
        }
        fields
    }

    /// The change of a state: the highest derivatives in time are those with which all equations hold.
    pub fn slope(&self, t: f64, state: &[f64], out: &mut [f64]) {
        let (n, count) = (self.points(), self.orders.len());
        let mut fields = self.fields(state, t);
        let right = self.residuals(&fields, t);
        let mut columns = vec![];
        for j in 0..count {
            fields.values[j][self.orders[j]].fill(1.0);
            columns.push(self.residuals(&fields, t));
            fields.values[j][self.orders[j]].fill(0.0);
        }
        let mut rates = vec![vec![0.0; n]; count];
        for i in 0..n {
            let matrix = (0..count).map(|e| (0..count).map(|j| columns[j][e][i] - right[e][i]).collect()).collect();
            let solved = solve(matrix, (0..count).map(|e| -right[e][i]).collect());
            rates.iter_mut().zip(solved).for_each(|(r, x)| r[i] = x);
        }
        for edge in &self.edges {
            edge.at.iter().for_each(|&i| rates[edge.unknown][i] = 0.0);
        }
        let changes = (0..count).flat_map(|j| fields.values[j][1..self.orders[j]].iter().chain([&rates[j]]));
        out.chunks_exact_mut(n).zip(changes).for_each(|(o, c)| o.copy_from_slice(c));
    }

    /// Whether the equations are linear in the highest derivatives in time and determine them.
    pub fn is_explicit(&self, state: &[f64], t: f64) -> bool {
        let mut fields = self.fields(state, t);
        let mut with = |x: f64| {
            (0..self.orders.len()).for_each(|j| fields.values[j][self.orders[j]].fill(x));
            self.residuals(&fields, t).concat()
        };
        let [zero, one, two] = [0.0, 1.0, 2.0].map(&mut with);
        let straight = zero.iter().zip(&one).zip(&two).all(|((a, b), c)| (a - 2.0 * b + c).abs() <= 1e-6 * (1.0 + a.abs() + c.abs()));
        let mut out = vec![0.0; state.len()];
        self.slope(t, state, &mut out);
        straight && out.iter().all(|x| x.is_finite())
    }

    fn residuals(&self, fields: &Fields, t: f64) -> Vec<Vec<f64>> {
        let one = |f: &Option<Formula>| f.as_ref().map(|f| self.value(&f.term, fields, t, None).column(self.points()));
        self.problem.sets[0].terms.iter().filter_map(|term| one(&term.1)).collect()
    }

    /// A term at these points, or at all.
    fn value(&self, term: &Term, fields: &Fields, t: f64, at: Option<&[usize]>) -> Value {
        let part = |c: &[f64]| Column(at.map_or_else(|| c.to_vec(), |at| at.iter().map(|&i| c[i]).collect()));
        match term {
            Term::Number(x) => Number(*x),
            Term::Name(name, _) => match (self.problem.axis(name), self.problem.file.unknowns.iter().position(|u| u == name)) {
                (Some(a), _) if a == self.axes.len() => Number(t),
                (Some(a), _) => part(&self.places[a]),
                (None, Some(u)) => part(&fields.values[u][0]),
                _ => Number(term.value(&|n| self.problem.constants.get(n).copied()).unwrap_or(f64::NAN)),
            },
            Term::Negate(a) => self.value(a, fields, t, at).map(|x| -x),
            Term::Call(f, list) => {
                let mut values = list.iter().map(|a| self.value(a, fields, t, at));
                let first = values.next().unwrap_or(Number(f64::NAN));
                first.zip(values.next().unwrap_or(Number(0.0)), |x, y| f.apply(x, y))
            }
            Term::Infix(op, a, b) => self.value(a, fields, t, at).zip(self.value(b, fields, t, at), |x, y| op.apply(x, y)),
            Term::Derivative(inner, along) => self.derivative(inner, along, fields, t, at),
        }
    }

    fn derivative(&self, inner: &Term, along: &[(String, usize)], fields: &Fields, t: f64, at: Option<&[usize]>) -> Value {
        let time = along.iter().filter(|(n, _)| self.problem.axis(n) == Some(self.axes.len())).count();
        let mut full = match inner {
            Term::Name(name, _) if time > 0 => match self.problem.file.unknowns.iter().position(|u| u == name) {
                Some(u) => fields.values[u].get(time).cloned().unwrap_or_else(|| vec![f64::NAN; self.points()]),
                None => vec![f64::from(u8::from(time == 1 && self.problem.axis(name) == Some(self.axes.len()))); self.points()],
            },
            other => self.value(other, fields, t, None).column(self.points()),
        };
        let orders: Vec<usize> =
            (0..self.axes.len()).map(|a| along.iter().filter(|(n, _)| self.problem.axis(n) == Some(a)).count()).collect();
        let last = orders.iter().rposition(|&o| o > 0);
        for (a, &order) in orders.iter().enumerate().filter(|(_, o)| **o > 0) {
            if Some(a) == last && at.is_some() {
                return Column(at.unwrap_or(&[]).iter().map(|&i| self.along(&full, a, order, i)).collect());
            }
            full = (0..full.len()).map(|i| self.along(&full, a, order, i)).collect();
        }
        Column(at.map_or_else(|| full.clone(), |at| at.iter().map(|&i| full[i]).collect()))
    }

    /// The derivative of a field along an axis at one point.
    fn along(&self, field: &[f64], a: usize, order: usize, i: usize) -> f64 {
        let stride = self.strides[a];
        let k = i / stride % self.axes[a].count;
        let base = i - k * stride;
        self.stencils[a][order - 1][k].iter().map(|(j, w)| w * field[base + j * stride]).sum()
    }
}

/// The order in time of each unknown.
fn orders(problem: &Problem) -> Result<Vec<usize>, Unsuited> {
    let mut found = vec![];
    for f in problem.sets[0].terms.iter().filter_map(|t| t.1.as_ref()) {
        supported(&f.term)?;
        found.extend(f.term.names(TIME));
    }
    let order = |u: &String| found.iter().filter(|(n, _)| n == u).map(|(_, o)| *o).max().unwrap_or(0);
    let orders: Vec<usize> = problem.file.unknowns.iter().map(order).collect();
    if problem.sets[0].terms.len() != orders.len() || !orders.iter().all(|o| (1..=2).contains(o)) {
        return Err(Unsuited::Time);
    }
    Ok(orders)
}

/// Derivatives in time must be of an unknown itself, those along space of fourth order at most.
fn supported(term: &Term) -> Result<(), Unsuited> {
    match term {
        Term::Number(_) | Term::Name(..) => Ok(()),
        Term::Negate(a) => supported(a),
        Term::Call(_, list) => list.iter().try_for_each(supported),
        Term::Infix(_, a, b) => supported(a).and_then(|()| supported(b)),
        Term::Derivative(inner, along) => {
            let in_time = along.iter().any(|(n, _)| n == TIME);
            let most = along.iter().map(|(n, _)| along.iter().filter(|(m, _)| m == n).count()).max().unwrap_or(0);
            if (in_time && !matches!(**inner, Term::Name(..))) || most > 4 {
                return Err(Unsuited::Time);
            }
            supported(inner)
        }
    }
}

/// Solves a small system by elimination with pivots; not finite where it has no solution.
fn solve(mut a: Vec<Vec<f64>>, mut b: Vec<f64>) -> Vec<f64> {
    let n = b.len();
    for k in 0..n {
        let pivot = (k..n).max_by(|&i, &j| a[i][k].abs().total_cmp(&a[j][k].abs())).unwrap_or(k);
        a.swap(k, pivot);
        b.swap(k, pivot);
        for i in k + 1..n {
            let factor = a[i][k] / a[k][k];
            let (above, row) = (a[k].clone(), &mut a[i]);
            row.iter_mut().zip(&above).skip(k).for_each(|(x, y)| *x -= factor * y);
            b[i] -= factor * b[k];
        }
    }
    for k in (0..n).rev() {
        let rest: f64 = (k + 1..n).map(|j| a[k][j] * b[j]).sum();
        b[k] = (b[k] - rest) / a[k][k];
    }
    b
}
