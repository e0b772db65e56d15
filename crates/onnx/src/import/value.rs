//! What stands for a value of the file while it is traced: a tensor of the graph, or numbers that are known.

use super::call::{Fault, Outcome};
use crate::model::{Element, volume};
use graph::{DType, Op, Scalar, Tensor, Tracer, Type, Value};
use neurona::{Context, Init};
use std::cell::RefCell;
use std::rc::Rc;

/// Tensors up to this size are kept as numbers, so that shapes can be computed from them.
pub(super) const FOLD: usize = 4096;

/// Constants become at most this many filled pieces, one after another.
const PIECES: usize = 256;

/// Largest tensor that a file may ask for.
pub(super) const LARGEST: usize = 1 << 31;

/// What the numbers of a value mean; the graph has one type of integers for all.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Float,
    Int,
    Bool,
}

impl Kind {
    pub fn of(element: Element) -> Kind {
        match element {
            e if e.is_float() => Kind::Float,
            Element::Bool => Kind::Bool,
            _ => Kind::Int,
        }
    }
}

/// Numbers that are known before the graph runs.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Known {
    pub shape: Vec<usize>,
    pub data: Vec<f64>,
}

/// A value of the file.
#[derive(Clone)]
pub(super) struct Item {
    pub kind: Kind,
    pub known: Option<Rc<Known>>,
    pub tensor: Option<Tensor>,
    /// Whether it is a weight, which must not be folded into constants.
    pub weight: bool,
    /// The initializer or constant whose numbers these are, if they are one's.
    pub source: Option<Rc<str>>,
}

impl Item {
    pub fn tensor(kind: Kind, tensor: Tensor) -> Item {
        Item { kind, known: None, tensor: Some(tensor), weight: false, source: None }
    }

    pub fn known(kind: Kind, shape: &[usize], data: Vec<f64>) -> Item {
        let known = Known { shape: shape.to_vec(), data };
        Item { kind, known: Some(Rc::new(known)), tensor: None, weight: false, source: None }
    }

    pub fn shape(&self) -> &[usize] {
        match (&self.tensor, &self.known) {
            (Some(t), _) => t.shape(),
            (None, Some(k)) => &k.shape,
            (None, None) => &[],
        }
    }
}

/// Where nodes are traced to: the model's graph, or a graph of its own for numbers that are all known.
pub(super) struct Target<'a> {
    pub tracer: Tracer,
    pub float: DType,
    weights: Option<&'a Context>,
    /// Values of the inputs of a graph of its own.
    pub bound: RefCell<Vec<Value>>,
}

impl<'a> Target<'a> {
    pub fn model(cx: &'a Context) -> Target<'a> {
        Target { tracer: cx.tracer().clone(), float: cx.dtype(), weights: Some(cx), bound: RefCell::default() }
    }

    pub fn scratch(float: DType) -> Target<'a> {
        Target { tracer: Tracer::new(), float, weights: None, bound: RefCell::default() }
    }

    pub fn dtype(&self, kind: Kind) -> DType {
        if kind == Kind::Float { self.float } else { DType::I32 }
    }

    /// The item as a tensor.
    pub fn tensor(&self, item: &Item) -> Outcome<Tensor> {
        match (&item.tensor, &item.known) {
            (Some(t), _) => Ok(t.clone()),
            (None, Some(known)) => self.constant(item, known),
            (None, None) => Err(Fault::Invalid("an operand has no value".into())),
        }
    }

    fn constant(&self, item: &Item, known: &Known) -> Outcome<Tensor> {
        let dtype = self.dtype(item.kind);
        let Some(cx) = self.weights else {
            self.bound.borrow_mut().push(Value::new(dtype, &known.shape, known.data.clone()));
            return Ok(self.tracer.input("known", dtype, &known.shape));
        };
        if let Some(t) = pattern(&self.tracer, dtype, known) {
            return Ok(t);
        }
        let Some(name) = &item.source else {
            return Err(Fault::Unsupported(format!("a computed constant of {} different numbers", known.data.len())));
        };
        weight(cx, name, item.kind, &known.shape, &known.data)
    }
}

/// A tensor whose numbers are given with the weights.
pub(super) fn weight(cx: &Context, name: &str, kind: Kind, shape: &[usize], data: &[f64]) -> Outcome<Tensor> {
    let t = cx.param(name, shape, Init::Zeros);
    if kind == Kind::Float {
        return Ok(t);
    }
    // Weights are singles, which hold integers up to 2²⁴ exactly.
    if data.iter().any(|x| x.abs() > f64::from(1 << 24)) {
        return Err(Fault::Unsupported(format!("the integers of {name} go beyond ±2^24")));
    }
    Ok(t.cast(DType::I32))
}

/// Whether [`pattern`] can make a constant of these numbers.
pub(super) fn is_pattern(known: &Known) -> bool {
    step(&known.data).is_some() || known.data.chunk_by(|a, b| a.to_bits() == b.to_bits()).count() <= PIECES
}

/// A constant as the graph can say it: one number, an arithmetic progression, or a few runs of equal numbers.
fn pattern(tracer: &Tracer, dtype: DType, known: &Known) -> Option<Tensor> {
    if !is_pattern(known) {
        return None;
    }
    let data = &known.data;
    let full = |n: usize, x: f64| tracer.full(dtype, &[n], x);
    let flat = match (step(data), data.first()) {
        (_, None) => return Some(tracer.full(dtype, &known.shape, 0.0)),
        (Some(0.0), Some(&x)) => return Some(tracer.full(dtype, &known.shape, x)),
        (Some(by), Some(&start)) => {
            let count = tracer.iota(dtype, &[data.len()], 0);
            &count * &count.full_like(by) + count.full_like(start)
        }
        (None, _) => {
            let runs: Vec<Tensor> = data.chunk_by(|a, b| a.to_bits() == b.to_bits()).map(|run| full(run.len(), run[0])).collect();
            Tensor::concat(&runs.iter().collect::<Vec<_>>(), 0)
        }
    };
    Some(flat.reshape(&known.shape))
}

/// The difference of neighbours, if it is the same whole number everywhere.
fn step(data: &[f64]) -> Option<f64> {
    let by = data.get(1).map_or(0.0, |b| b - data[0]);
    let same = data.windows(2).all(|w| w[1] - w[0] == by) && by.fract() == 0.0;
    (same || data.len() < 2).then_some(by)
}

/// Fails if a shape has more elements than any real model's.
pub(super) fn bounded(shape: &[usize]) -> Outcome<()> {
    let filled: Vec<usize> = shape.iter().map(|&n| n.max(1)).collect();
    match volume(&filled) {
        Some(n) if n <= LARGEST => Ok(()),
        _ => Err(Fault::Invalid(format!("a tensor of shape {shape:?} would have more than {LARGEST} elements"))),
    }
}

/// Extents of the common shape of tensors that are repeated along axes of extent 1, trailing axes aligned.
pub(super) fn common(shapes: &[&[usize]]) -> Outcome<Vec<usize>> {
    let rank = shapes.iter().map(|s| s.len()).max().unwrap_or(0);
    let mut out = vec![1; rank];
    for s in shapes {
        for (i, &n) in s.iter().enumerate() {
            let slot = &mut out[rank - s.len() + i];
            match (*slot, n) {
                (a, b) if a == b || b == 1 => {}
                (1, b) => *slot = b,
                _ => return Err(Fault::Invalid(format!("the shapes {shapes:?} do not fit each other: extents must be equal or 1"))),
            }
        }
    }
    bounded(&out)?;
    Ok(out)
}

/// Repeats `t` to `shape`, which it must fit.
pub(super) fn expand(t: &Tensor, shape: &[usize]) -> Tensor {
    let shift = shape.len() - t.rank().min(shape.len());
    let keep: Vec<usize> = (0..t.rank()).filter(|&i| shape.get(i + shift) == Some(&t.shape()[i])).collect();
    if keep.len() == shape.len() {
        return t.clone();
    }
    let kept: Vec<usize> = keep.iter().map(|&i| t.shape()[i]).collect();
    t.reshape(&kept).broadcast(shape, &keep.iter().map(|i| i + shift).collect::<Vec<_>>())
}

/// A tensor filled with a number.
pub(super) fn full(tracer: &Tracer, dtype: DType, shape: &[usize], x: f64) -> Tensor {
    tracer.push(Op::Full { value: Scalar::new(dtype.round(x)), ty: Type::new(dtype, shape) }, &[])
}
