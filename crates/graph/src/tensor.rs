//! Building graphs comfortably: node-level helpers on [`Graph`], and [`Tensor`] handles that read
//! like formulas and collect errors until [`Tracer::finish`].

use crate::ops::contract::Dot;
use crate::ops::{Binary, Compare, Conv, Unary};
use crate::{DType, Error, Graph, Id, Op, Result, Scalar, Type};
use std::cell::RefCell;
use std::rc::Rc;

/// Short forms of [`Graph::push`], used by the derivative rules.
impl Graph {
    /// A tensor like `id`, filled with `x`.
    pub fn full_like(&mut self, id: Id, x: f64) -> Result<Id> {
        let ty = self.ty(id).clone();
        self.push(Op::Full { value: Scalar::new(ty.dtype.round(x)), ty }, &[])
    }

    /// `f(x)`, element by element.
    pub fn unary(&mut self, f: Unary, x: Id) -> Result<Id> {
        self.push(Op::Unary(f), &[x])
    }

    /// −x
    pub fn neg(&mut self, x: Id) -> Result<Id> {
        self.unary(Unary::Neg, x)
    }

    /// x + y
    pub fn add(&mut self, x: Id, y: Id) -> Result<Id> {
        self.push(Op::Binary(Binary::Add), &[x, y])
    }

    /// x − y
    pub fn sub(&mut self, x: Id, y: Id) -> Result<Id> {
        self.push(Op::Binary(Binary::Sub), &[x, y])
    }

    /// x · y, element by element
    pub fn mul(&mut self, x: Id, y: Id) -> Result<Id> {
        self.push(Op::Binary(Binary::Mul), &[x, y])
    }

    /// x / y, element by element
    pub fn div(&mut self, x: Id, y: Id) -> Result<Id> {
        self.push(Op::Binary(Binary::Div), &[x, y])
    }

    /// x + s
    pub fn add_scalar(&mut self, x: Id, s: f64) -> Result<Id> {
        let s = self.full_like(x, s)?;
        self.add(x, s)
    }

    /// s − x
    pub fn rsub_scalar(&mut self, s: f64, x: Id) -> Result<Id> {
        let s = self.full_like(x, s)?;
        self.sub(s, x)
    }

    /// x · s
    pub fn mul_scalar(&mut self, x: Id, s: f64) -> Result<Id> {
        let s = self.full_like(x, s)?;
        self.mul(x, s)
    }

    /// xⁿ by products.
    pub fn powi(&mut self, x: Id, n: u32) -> Result<Id> {
        let n = self.full_like(x, f64::from(n))?;
        self.push(Op::Binary(Binary::Pow), &[x, n])
    }

    /// The axes of `x` in the order `perm`.
    pub fn transpose(&mut self, x: Id, perm: Vec<usize>) -> Result<Id> {
        self.push(Op::Transpose(perm), &[x])
    }
}

struct Trace {
    graph: Graph,
    errors: Vec<Error>,
}

/// A graph under construction, shared by the [`Tensor`] handles that point into it.
#[derive(Clone)]
pub struct Tracer(Rc<RefCell<Trace>>);

impl Default for Tracer {
    fn default() -> Tracer {
        Tracer::new()
    }
}

impl Tracer {
    /// Starts an empty graph.
    pub fn new() -> Tracer {
        Tracer::with(Graph::new())
    }

    /// Goes on with an existing graph.
    pub fn with(graph: Graph) -> Tracer {
        Tracer(Rc::new(RefCell::new(Trace { graph, errors: vec![] })))
    }

    /// Declares an input.
    pub fn input(&self, name: &str, dtype: DType, shape: &[usize]) -> Tensor {
        let id = self.0.borrow_mut().graph.input(name, Type::new(dtype, shape));
        self.handle(id)
    }

    /// A tensor filled with `x`.
    pub fn full(&self, dtype: DType, shape: &[usize], x: f64) -> Tensor {
        let value = Scalar::new(dtype.round(x));
        self.push(Op::Full { value, ty: Type::new(dtype, shape) }, &[])
    }

    /// 0, 1, 2, … along `axis`.
    pub fn iota(&self, dtype: DType, shape: &[usize], axis: usize) -> Tensor {
        self.push(Op::Iota { axis, ty: Type::new(dtype, shape) }, &[])
    }

    /// The handle of node `id`.
    pub fn handle(&self, id: Id) -> Tensor {
        let ty = self.0.borrow().graph.ty(id).clone();
        Tensor { cx: self.clone(), id: Some(id), ty }
    }

    /// Runs `f` with `name` appended to the layer path that nodes and errors carry.
    pub fn layer<T>(&self, name: &str, f: impl FnOnce() -> T) -> T {
        let before = {
            let graph = &mut self.0.borrow_mut().graph;
            let before = graph.set_layer("");
            let path = if before.is_empty() { name.to_string() } else { format!("{before}/{name}") };
            graph.set_layer(&path);
            before
        };
        let out = f();
        self.0.borrow_mut().graph.set_layer(&before);
        out
    }

    /// Appends an operation; an error is kept for [`Tracer::finish`] and poisons the result.
    pub fn push(&self, op: Op, args: &[&Tensor]) -> Tensor {
        let ids: Option<Vec<Id>> = args.iter().map(|a| a.id).collect();
        let fallback = args.first().map_or(Type::new(DType::F32, []), |a| a.ty.clone());
        let Some(ids) = ids else { return self.poison(fallback) };
        let pushed = self.0.borrow_mut().graph.push(op, &ids);
        match pushed {
            Ok(id) => self.handle(id),
            Err(e) => self.fail(e, fallback),
        }
    }

    /// Records an error of the caller's own and returns a poisoned tensor.
    pub fn error(&self, op: &'static str, tensors: &[&Tensor], why: String) -> Tensor {
        let layer = {
            let graph = &mut self.0.borrow_mut().graph;
            let path = graph.set_layer("");
            graph.set_layer(&path);
            path
        };
        let types: Vec<Type> = tensors.iter().map(|t| t.ty.clone()).collect();
        let ty = types.first().cloned().unwrap_or(Type::new(DType::F32, []));
        if tensors.iter().any(|t| t.id.is_none()) {
            return self.poison(ty);
        }
        self.fail(Error::Operands { op, layer, types, why }, ty)
    }

    fn fail(&self, e: Error, ty: Type) -> Tensor {
        self.0.borrow_mut().errors.push(e);
        self.poison(ty)
    }

    fn poison(&self, ty: Type) -> Tensor {
        Tensor { cx: self.clone(), id: None, ty }
    }

    /// Lets `f` work on the graph itself; its error is kept like one of an operation.
    pub(crate) fn edit<T>(&self, f: impl FnOnce(&mut Graph) -> Result<T>) -> Option<T> {
        let mut trace = self.0.borrow_mut();
        match f(&mut trace.graph) {
            Ok(x) => Some(x),
            Err(e) => {
                trace.errors.push(e);
                None
            }
        }
    }

    /// The finished graph.
    ///
    /// # Errors
    /// Every error of the trace.
    pub fn finish(&self) -> Result<Graph> {
        let trace = self.0.borrow();
        match &trace.errors[..] {
            [] => Ok(trace.graph.clone()),
            [one] => Err(one.clone()),
            many => Err(Error::Many(many.to_vec())),
        }
    }
}

/// A handle to one node of a graph under construction.
///
/// Arithmetic works with tensors of equal shape, of shapes that broadcast (trailing axes are
/// aligned, an axis of extent 1 is repeated) and with numbers.
#[derive(Clone)]
pub struct Tensor {
    cx: Tracer,
    id: Option<Id>,
    ty: Type,
}

impl Tensor {
    /// The node; after an error, `Id(0)` (but then [`Tracer::finish`] fails).
    pub fn id(&self) -> Id {
        self.id.unwrap_or(Id(0))
    }

    /// Whether an error happened on the way to this tensor.
    pub fn is_poisoned(&self) -> bool {
        self.id.is_none()
    }

    /// The tracer this tensor belongs to.
    pub fn tracer(&self) -> &Tracer {
        &self.cx
    }

    /// Extent of each axis.
    pub fn shape(&self) -> &[usize] {
        &self.ty.shape
    }

    /// Number of axes.
    pub fn rank(&self) -> usize {
        self.ty.rank()
    }

    /// Element type.
    pub fn dtype(&self) -> DType {
        self.ty.dtype
    }

    fn un(&self, u: Unary) -> Tensor {
        self.cx.push(Op::Unary(u), &[self])
    }

    /// Applies a binary operation after broadcasting both operands.
    pub fn binary(&self, op: Binary, other: &Tensor) -> Tensor {
        let (a, b) = broadcast_pair(self, other);
        self.cx.push(Op::Binary(op), &[&a, &b])
    }

    /// 1 where the comparison holds, else 0.
    pub fn compare(&self, op: Compare, other: &Tensor) -> Tensor {
        let (a, b) = broadcast_pair(self, other);
        self.cx.push(Op::Compare(op), &[&a, &b])
    }

    /// A tensor of the same type filled with `x`.
    pub fn full_like(&self, x: f64) -> Tensor {
        self.cx.full(self.dtype(), self.shape(), x)
    }

    /// Where `self` is nonzero `a`, else `b`.
    pub fn select(&self, a: &Tensor, b: &Tensor) -> Tensor {
        let (a, b) = broadcast_pair(a, b);
        let (mask, a) = broadcast_pair(self, &a);
        let (_, b) = broadcast_pair(&a, &b);
        self.cx.push(Op::Select, &[&mask, &a, &b])
    }

    /// The larger of the two, element by element.
    pub fn maximum(&self, other: &Tensor) -> Tensor {
        self.binary(Binary::Max, other)
    }

    /// The smaller of the two, element by element.
    pub fn minimum(&self, other: &Tensor) -> Tensor {
        self.binary(Binary::Min, other)
    }

    /// max(x, 0); slope 0 at 0.
    pub fn relu(&self) -> Tensor {
        self.maximum(&self.full_like(0.0))
    }

    /// self to the power p.
    pub fn powf(&self, p: f64) -> Tensor {
        self.binary(Binary::Pow, &self.full_like(p))
    }

    /// self².
    pub fn square(&self) -> Tensor {
        self * self
    }

    /// Converts to another element type.
    pub fn cast(&self, dtype: DType) -> Tensor {
        self.cx.push(Op::Cast(dtype), &[self])
    }

    /// The value as a constant for differentiation.
    pub fn stop_gradient(&self) -> Tensor {
        self.cx.push(Op::StopGradient, &[self])
    }

    /// Sum over `axes`, which vanish.
    pub fn sum(&self, axes: &[usize]) -> Tensor {
        self.cx.push(Op::Sum(axes.to_vec()), &[self])
    }

    /// Sum of all elements.
    pub fn sum_all(&self) -> Tensor {
        self.sum(&(0..self.rank()).collect::<Vec<_>>())
    }

    /// Mean over `axes`, which vanish.
    pub fn mean(&self, axes: &[usize]) -> Tensor {
        let n: usize = axes.iter().filter_map(|&a| self.shape().get(a)).product();
        self.sum(axes) * (1.0 / n as f64)
    }

    /// Mean of all elements.
    pub fn mean_all(&self) -> Tensor {
        self.mean(&(0..self.rank()).collect::<Vec<_>>())
    }

    /// Maximum over `axes`, which vanish.
    pub fn max(&self, axes: &[usize]) -> Tensor {
        self.cx.push(Op::Max(axes.to_vec()), &[self])
    }

    /// The same elements under another shape.
    pub fn reshape(&self, shape: &[usize]) -> Tensor {
        self.cx.push(Op::Reshape(shape.to_vec()), &[self])
    }

    /// Axis i of the result is axis `perm[i]`.
    pub fn transpose(&self, perm: &[usize]) -> Tensor {
        self.cx.push(Op::Transpose(perm.to_vec()), &[self])
    }

    /// Turns `axes` around.
    pub fn reverse(&self, axes: &[usize]) -> Tensor {
        self.cx.push(Op::Reverse(axes.to_vec()), &[self])
    }

    /// Repeats along new axes: axis i becomes axis `dims[i]` of `shape`.
    pub fn broadcast(&self, shape: &[usize], dims: &[usize]) -> Tensor {
        self.cx.push(Op::Broadcast { shape: shape.to_vec(), dims: dims.to_vec() }, &[self])
    }

    /// Elements `start..limit` of `axis`.
    pub fn slice(&self, axis: usize, start: usize, limit: usize) -> Tensor {
        let mut lo = vec![0; self.rank()];
        let mut hi = self.shape().to_vec();
        if axis < self.rank() {
            (lo[axis], hi[axis]) = (start, limit);
        }
        self.cx.push(Op::Slice { start: lo, limit: hi, stride: vec![1; self.rank()] }, &[self])
    }

    /// Zeros (or `value`) around each axis: `(before, after)`.
    pub fn pad(&self, around: &[(usize, usize)], value: f64) -> Tensor {
        let (lo, hi): (Vec<usize>, Vec<usize>) = around.iter().copied().unzip();
        let interior = vec![0; lo.len()];
        self.cx.push(Op::Pad { lo, hi, interior, value: Scalar::new(value) }, &[self])
    }

    /// `parts` one after another along `axis`.
    pub fn concat(parts: &[&Tensor], axis: usize) -> Tensor {
        parts[0].cx.push(Op::Concat(axis), parts)
    }

    /// Sum of products over the last axis of `self` and the first of `other`.
    pub fn matmul(&self, other: &Tensor) -> Tensor {
        let last = self.rank().saturating_sub(1);
        self.cx.push(Op::Dot(Dot::pair(last, 0)), &[self, other])
    }

    /// Sum of products over any paired axes.
    pub fn dot(&self, other: &Tensor, dot: Dot) -> Tensor {
        self.cx.push(Op::Dot(dot), &[self, other])
    }

    /// Convolution of an image `[N,H,W,C]` with a kernel `[KH,KW,C,O]`.
    pub fn conv(&self, kernel: &Tensor, conv: Conv) -> Tensor {
        self.cx.push(Op::Conv(conv), &[self, kernel])
    }

    /// Rows of this table by `indices` (i32).
    pub fn gather(&self, indices: &Tensor) -> Tensor {
        self.cx.push(Op::Gather, &[self, indices])
    }

    /// Adds `updates` into `rows` zero rows at these indices.
    pub fn scatter_add(&self, updates: &Tensor, rows: usize) -> Tensor {
        self.cx.push(Op::ScatterAdd { rows }, &[self, updates])
    }

    /// All windows of an image: `[N,H,W,C] → [N,OH,OW,KH,KW,C]`.
    pub fn unfold(&self, window: [usize; 2], stride: [usize; 2]) -> Tensor {
        self.cx.push(Op::Unfold { window, stride }, &[self])
    }

    /// Windows added back into an image of `size`.
    pub fn fold(&self, size: [usize; 2], stride: [usize; 2]) -> Tensor {
        self.cx.push(Op::Fold { size, stride }, &[self])
    }

    /// Uniform random numbers in [0, 1) under this key (`i32[2]`: seed, step).
    pub fn uniform(&self, stream: u32, dtype: DType, shape: &[usize]) -> Tensor {
        self.cx.push(Op::Uniform { stream, ty: Type::new(dtype, shape) }, &[self])
    }
}

/// Repeats `x` to `shape`: trailing axes are aligned, axes of extent 1 are repeated.
fn broadcast_to(x: &Tensor, shape: &[usize]) -> Tensor {
    let shift = shape.len() - x.rank();
    let keep: Vec<usize> = (0..x.rank()).filter(|&i| x.shape()[i] == shape[i + shift]).collect();
    if keep.len() == shape.len() {
        return x.clone();
    }
    let kept: Vec<usize> = keep.iter().map(|&i| x.shape()[i]).collect();
    let dims: Vec<usize> = keep.iter().map(|i| i + shift).collect();
    x.reshape(&kept).broadcast(shape, &dims)
}

/// Both tensors repeated to their common shape; unchanged where they have none (the operation that
/// follows then reports both shapes).
fn broadcast_pair(a: &Tensor, b: &Tensor) -> (Tensor, Tensor) {
    let rank = a.rank().max(b.rank());
    let extent = |t: &Tensor, i: usize| if i + t.rank() >= rank { t.shape()[i + t.rank() - rank] } else { 1 };
    let shape: Option<Vec<usize>> = (0..rank)
        .map(|i| match (extent(a, i), extent(b, i)) {
            (p, q) if p == q || q == 1 => Some(p),
            (1, q) => Some(q),
            _ => None,
        })
        .collect();
    match shape {
        Some(shape) if !a.is_poisoned() && !b.is_poisoned() => (broadcast_to(a, &shape), broadcast_to(b, &shape)),
        _ => (a.clone(), b.clone()),
    }
}

macro_rules! unary_methods {
    ($($name:ident $variant:ident $doc:literal),*) => {
        impl Tensor { $(#[doc = $doc] pub fn $name(&self) -> Tensor { self.un(Unary::$variant) })* }
    };
}
unary_methods!(
    exp Exp "eˣ, element by element.", log Log "Natural logarithm.", expm1 Expm1 "eˣ − 1 without cancellation.",
    log1p Log1p "log(1 + x) without cancellation.", tanh Tanh "Hyperbolic tangent.", sigmoid Sigmoid "1 / (1 + e⁻ˣ).",
    sin Sin "Sine (radians).", cos Cos "Cosine (radians).", sqrt Sqrt "Square root.", rsqrt Rsqrt "1 / √x.",
    erf Erf "Error function.", abs Abs "Absolute value.", sign Sign "−1, 0 or 1.", floor Floor "Largest integer not above.",
    round Round "Nearest integer, ties to even."
);

macro_rules! operators {
    ($($op:ident $method:ident $variant:ident),*) => { $(
        impl std::ops::$op<&Tensor> for &Tensor { type Output = Tensor; fn $method(self, o: &Tensor) -> Tensor { self.binary(Binary::$variant, o) } }
        impl std::ops::$op<Tensor> for &Tensor { type Output = Tensor; fn $method(self, o: Tensor) -> Tensor { self.binary(Binary::$variant, &o) } }
        impl std::ops::$op<&Tensor> for Tensor { type Output = Tensor; fn $method(self, o: &Tensor) -> Tensor { self.binary(Binary::$variant, o) } }
        impl std::ops::$op<Tensor> for Tensor { type Output = Tensor; fn $method(self, o: Tensor) -> Tensor { self.binary(Binary::$variant, &o) } }
        impl std::ops::$op<f64> for &Tensor { type Output = Tensor; fn $method(self, x: f64) -> Tensor { self.binary(Binary::$variant, &self.full_like(x)) } }
        impl std::ops::$op<f64> for Tensor { type Output = Tensor; fn $method(self, x: f64) -> Tensor { self.binary(Binary::$variant, &self.full_like(x)) } }
        impl std::ops::$op<&Tensor> for f64 { type Output = Tensor; fn $method(self, t: &Tensor) -> Tensor { t.full_like(self).binary(Binary::$variant, t) } }
        impl std::ops::$op<Tensor> for f64 { type Output = Tensor; fn $method(self, t: Tensor) -> Tensor { t.full_like(self).binary(Binary::$variant, &t) } }
    )* };
}
operators!(Add add Add, Sub sub Sub, Mul mul Mul, Div div Div);

impl std::ops::Neg for &Tensor {
    type Output = Tensor;
    fn neg(self) -> Tensor {
        self.un(Unary::Neg)
    }
}

impl std::ops::Neg for Tensor {
    type Output = Tensor;
    fn neg(self) -> Tensor {
        self.un(Unary::Neg)
    }
}
