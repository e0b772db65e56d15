//! Formulas and the network as tensors: derivatives are taken in the graph, forwards, along one variable at a time.

use super::formula::{Function, Infix, Term};
use super::{Problem, Set};
use crate::Activation;
use neurona::{Context, DType, Init, Tensor, diff, ops};
use std::f64::consts::TAU;

/// The "step" half of the random key of Fourier features.
const WAVES_STEP: u32 = u32::MAX - 3;

/// A number or a column of numbers, one a point.
#[derive(Clone)]
enum Value {
    Number(f64),
    Column(Tensor),
}

use Value::{Column, Number};

/// A set of points and the unknowns there, in one trace: what a [`Closure`](super::Closure) computes with. Everything is a
/// column `[n, 1]` in double precision; a name that does not exist is an error of the trace.
pub struct Scene<'a> {
    problem: &'a Problem,
    cx: &'a Context,
    /// The variables, `[n, 1]` each.
    pub(super) columns: Vec<Tensor>,
    /// The unknowns, `[n, 1]` each.
    pub(super) unknowns: Vec<Tensor>,
    /// The fitted numbers, repeated to `[n, 1]`.
    fitted: Vec<Tensor>,
    /// The components of the normal, on a shape.
    normal: Vec<(String, Tensor)>,
    /// The output of the network while a form is traced.
    output: Option<Tensor>,
}

impl<'a> Scene<'a> {
    /// Traces network and unknowns at these points.
    pub(super) fn new(problem: &'a Problem, cx: &'a Context, columns: Vec<Tensor>) -> Scene<'a> {
        let rows = columns[0].shape()[0];
        let fitted = problem.file.fit.iter().map(|(name, &start)| cx.param(name, &[1], Init::Constant(start)).broadcast(&[rows, 1], &[1]));
        let fitted = fitted.collect();
        let mut scene = Scene { problem, cx, columns, unknowns: vec![], fitted, normal: vec![], output: None };
        let outputs = scene.network();
        for (i, form) in problem.form.iter().enumerate() {
            let output = outputs.slice(1, i, i + 1);
            let unknown = match form {
                None => output,
                Some(formula) => {
                    scene.output = Some(output.clone());
                    scene.column(&formula.term, &output)
                }
            };
            scene.unknowns.push(unknown);
        }
        scene.output = None;
        scene
    }

    /// A variable.
    pub fn variable(&self, name: &str) -> Tensor {
        self.problem.axis(name).map_or_else(|| self.missing("variable", name), |a| self.columns[a].clone())
    }

    /// An unknown.
    pub fn unknown(&self, name: &str) -> Tensor {
        let place = self.problem.file.unknowns.iter().position(|u| u == name);
        place.map_or_else(|| self.missing("unknown", name), |i| self.unknowns[i].clone())
    }

    /// A fitted number, repeated.
    pub fn fitted(&self, name: &str) -> Tensor {
        let place = self.problem.file.fit.keys().position(|f| f == name);
        place.map_or_else(|| self.missing("fitted number", name), |i| self.fitted[i].clone())
    }

    /// The derivative of anything made of these along a variable.
    pub fn d(&self, of: &Tensor, variable: &str) -> Tensor {
        self.problem.axis(variable).map_or_else(|| self.missing("variable", variable), |a| self.along(of, a))
    }

    fn missing(&self, what: &str, name: &str) -> Tensor {
        self.cx.tracer().error("scene", &[], format!("there is no {what} `{name}`"))
    }

    /// The network: `[n, unknowns]`. Parameters are `dense_1/weight`, `dense_1/bias`, …
    fn network(&self) -> Tensor {
        let net = &self.problem.file.network;
        let mut features = vec![];
        for (axis, x) in self.problem.axes.iter().zip(&self.columns) {
            let length = axis.high - axis.low;
            if net.periodic.contains(&axis.name) {
                for k in 1..=net.harmonics {
                    let angle = (x - axis.low) * (TAU * k as f64 / length);
                    features.extend([angle.sin(), angle.cos()]);
                }
            } else {
                features.push((x - 0.5 * (axis.low + axis.high)) * (2.0 / length));
            }
        }
        let mut h = Tensor::concat(&features.iter().collect::<Vec<_>>(), 1);
        if net.fourier > 0 {
            h = self.waves(&h);
        }
        let outputs = [self.problem.file.unknowns.len()];
        for (i, &width) in net.widths.iter().chain(&outputs).enumerate() {
            h = self.cx.layer(&format!("dense_{}", i + 1), || {
                let fan_in = h.shape().last().copied().unwrap_or(1);
                let random = Init::Uniform { min: -net.spread, max: net.spread };
                let plain = net.spread == 0.0 || i == net.widths.len();
                let w = self.cx.param("weight", &[fan_in, width], if plain { Init::GlorotNormal } else { random });
                let b = self.cx.param("bias", &[width], if plain { Init::Zeros } else { random });
                let z = h.matmul(&w) + b;
                match net.activation {
                    _ if i == net.widths.len() => z,
                    Activation::Tanh => z.tanh(),
                    Activation::Sin => z.sin(),
                }
            });
        }
        h
    }

    /// sin and cos of random waves of the inputs, `[n, 2·fourier]`.
    fn waves(&self, h: &Tensor) -> Tensor {
        let (net, tracer) = (&self.problem.file.network, self.cx.tracer());
        let word = |x: u32| tracer.full(DType::I32, &[1], f64::from(x as i32));
        let key = Tensor::concat(&[&word(self.problem.file.seed), &word(WAVES_STEP)], 0);
        let shape = [h.shape()[1], net.fourier];
        let [a, b] = [0, 1].map(|stream| key.uniform(stream, h.dtype(), &shape));
        // Normal numbers (Box & Muller 1958), times 2π.
        let numbers = ((1.0 - a).log() * -2.0).sqrt() * (b * TAU).cos() * (TAU * net.fourier_scale);
        let angles = h.matmul(&numbers);
        Tensor::concat(&[&angles.sin(), &angles.cos()], 1)
    }

    /// A term as a column like `like`.
    pub(super) fn column(&self, term: &Term, like: &Tensor) -> Tensor {
        match self.value(term) {
            Number(x) => like.full_like(x),
            Column(t) => t,
        }
    }

    fn value(&self, term: &Term) -> Value {
        match term {
            Term::Number(x) => Number(*x),
            Term::Name(name, _) => self.name(name),
            Term::Negate(a) => match self.value(a) {
                Number(x) => Number(-x),
                Column(t) => Column(-t),
            },
            Term::Call(f, list) => self.call(*f, term, list),
            Term::Infix(op, a, b) => infix(*op, self.value(a), self.value(b)),
            Term::Derivative(inner, along) => match self.value(inner) {
                Number(_) => Number(0.0),
                Column(t) => Column(along.iter().fold(t, |t, (name, _)| self.along(&t, self.problem.axis(name).unwrap_or(0)))),
            },
        }
    }

    /// The derivative of a column along a variable.
    pub(super) fn along(&self, t: &Tensor, axis: usize) -> Tensor {
        let x = &self.columns[axis];
        diff::jvp(t, &[(x, &x.full_like(1.0))])
    }

    fn name(&self, name: &str) -> Value {
        let problem = self.problem;
        if let Some(x) = problem.constants.get(name) {
            return Number(*x);
        }
        if let (Some(output), "N") = (&self.output, name) {
            return Column(output.clone());
        }
        if let Some(i) = problem.axis(name) {
            return Column(self.columns[i].clone());
        }
        if let Some(i) = problem.file.unknowns.iter().position(|u| u == name) {
            return Column(self.unknowns[i].clone());
        }
        if let Some((_, component)) = self.normal.iter().find(|n| n.0 == name) {
            return Column(component.clone());
        }
        let fitted = problem.file.fit.keys().position(|f| f == name);
        fitted.map_or(Number(f64::NAN), |i| Column(self.fitted[i].clone())) // names were checked before
    }

    fn call(&self, f: Function, term: &Term, list: &[Term]) -> Value {
        let values: Vec<Value> = list.iter().map(|t| self.value(t)).collect();
        let Some(like) = values.iter().find_map(|v| if let Column(t) = v { Some(t.clone()) } else { None }) else {
            return Number(term.value(&|name| self.problem.constants.get(name).copied()).unwrap_or(f64::NAN));
        };
        let column = |v: &Value| match v {
            Number(x) => like.full_like(*x),
            Column(t) => t.clone(),
        };
        let x = column(&values[0]);
        Column(match f {
            Function::Exp => x.exp(),
            Function::Log => x.log(),
            Function::Sqrt => x.sqrt(),
            Function::Sin => x.sin(),
            Function::Cos => x.cos(),
            Function::Tan => x.sin() / x.cos(),
            Function::Sinh => (x.exp() - (-&x).exp()) * 0.5,
            Function::Cosh => (x.exp() + (-&x).exp()) * 0.5,
            Function::Tanh => x.tanh(),
            Function::Sech => 2.0 / (x.exp() + (-&x).exp()),
            Function::Erf => x.erf(),
            Function::Abs => x.abs(),
            Function::Min => x.minimum(&column(&values[1])),
            Function::Max => x.maximum(&column(&values[1])),
        })
    }
}

fn infix(op: Infix, a: Value, b: Value) -> Value {
    use ops::Binary;
    let apply = |t: Tensor, other: Tensor| match op {
        Infix::Add => t + other,
        Infix::Sub => t - other,
        Infix::Mul => t * other,
        Infix::Div => t / other,
        Infix::Pow => t.binary(Binary::Pow, &other),
    };
    match (a, b) {
        (Number(a), Number(b)) => Number(op.apply(a, b)),
        (Column(a), Number(b)) => Column(apply(a.clone(), a.full_like(b))),
        (Number(a), Column(b)) => Column(apply(b.full_like(a), b)),
        (Column(a), Column(b)) => Column(apply(a, b)),
    }
}

/// Declares the points of a set as data and traces what is to be zero there, each `[n, 1]`, not weighted. The inputs are
/// the variables; on a shape, then the normal; at periodic ends, then the other end; of data, then the values.
pub(super) fn residuals(problem: &Problem, cx: &Context, set: &Set, n: usize) -> Vec<Tensor> {
    use super::problem::Place;
    let input = |name: &str| cx.input(name, DType::F64, &[n, 1]);
    let columns: Vec<Tensor> = problem.axes.iter().map(|a| input(&a.name)).collect();
    match &set.place {
        Some(Place::Ends(axis, derivatives)) => {
            let mut other = columns.clone();
            other[*axis] = input("other end");
            let (low, high) = (Scene::new(problem, cx, columns), Scene::new(problem, cx, other));
            let mut all = vec![];
            for (a, b) in low.unknowns.iter().zip(&high.unknowns) {
                let (mut a, mut b) = (a.clone(), b.clone());
                for order in 0..=*derivatives {
                    all.push(&a - &b);
                    if order < *derivatives {
                        (a, b) = (low.along(&a, *axis), high.along(&b, *axis));
                    }
                }
            }
            all
        }
        place => {
            let values = matches!(place, Some(Place::Points(..))).then(|| input("values"));
            let mut scene = Scene::new(problem, cx, columns);
            if let Some(Place::Surface(k)) = place {
                let names = problem.shapes[*k].axes().into_iter().map(|a| super::names::normal(&problem.axes[a].name));
                scene.normal = names.map(|n| (n.clone(), input(&n))).collect();
            }
            let like = scene.columns[0].clone();
            let one = |(name, formula, _): &(String, Option<super::Formula>, f64)| {
                let closure = || problem.closures.iter().find(|c| c.name == *name);
                let r = match formula {
                    Some(f) => scene.column(&f.term, &like),
                    None => closure().map_or_else(|| like.full_like(0.0), |c| c.residual(&scene)),
                };
                match &values {
                    Some(v) => r - v,
                    None => r,
                }
            };
            set.terms.iter().map(one).collect()
        }
    }
}
