//! Writing nodes, with layouts kept lazy.
//!
//! What the graph calls a tensor is kept as a [`View`]: a value of the file and, for each of its axes,
//! the axis of the tensor that it holds. Axes that are not held are repeated. So transposes and
//! broadcasts cost nothing until an operator needs another layout, and a chain of convolutions, which ONNX
//! wants with channels first, has no transposes in between.

use super::symbolic::{Extent, Symbolic};
use crate::model::{Attribute, Data, Element, Node, Tensor};
use crate::{Error, Result};
use graph::{DType, Id};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

/// Where the numbers of a view are.
#[derive(Clone, Debug)]
pub(super) enum Store {
    /// A value that is computed or given.
    Value(String),
    /// A constant; it is written in the layouts in which it is used.
    Constant(Rc<Tensor>),
}

/// A tensor in some layout.
#[derive(Clone, Debug)]
pub(super) struct View {
    pub store: Store,
    /// Axis i of the stored value is axis `axes[i]` of the tensor.
    pub axes: Vec<usize>,
}

impl View {
    pub fn value(name: String, axes: Vec<usize>) -> View {
        View { store: Store::Value(name), axes }
    }

    /// With all axes in order.
    pub fn plain(name: String, rank: usize) -> View {
        View::value(name, (0..rank).collect())
    }

    pub fn constant(t: Tensor) -> View {
        let axes = (0..t.shape.len()).collect();
        View { store: Store::Constant(Rc::new(t)), axes }
    }

    /// The same stored value, its axes renamed.
    pub fn renamed(&self, to: impl Fn(usize) -> usize) -> View {
        View { store: self.store.clone(), axes: self.axes.iter().map(|&a| to(a)).collect() }
    }

    fn key(&self) -> &str {
        match &self.store {
            Store::Value(name) => name,
            Store::Constant(t) => &t.name,
        }
    }
}

pub(super) struct Emitter<'a> {
    pub sym: &'a Symbolic,
    pub nodes: Vec<Node>,
    pub initializers: Vec<Tensor>,
    /// The view of each node of the graph so far.
    pub views: Vec<View>,
    /// Results of comparisons as truth values.
    pub masks: HashMap<Id, View>,
    /// Values already made: by operator and operands, or by view and layout.
    cache: HashMap<String, String>,
    names: HashSet<String>,
    /// Input and axis whose extent is N.
    batch: Option<(String, usize)>,
    current: Id,
    parts: usize,
}

impl<'a> Emitter<'a> {
    pub fn new(sym: &'a Symbolic) -> Emitter<'a> {
        Emitter {
            sym,
            nodes: vec![],
            initializers: vec![],
            views: vec![],
            masks: HashMap::new(),
            cache: HashMap::new(),
            names: HashSet::new(),
            batch: None,
            current: Id(0),
            parts: 0,
        }
    }

    /// `name`, or the first of `name.1`, `name.2`, … that is free.
    pub fn fresh(&mut self, name: &str) -> String {
        let numbered = (1..).map(|k| format!("{name}.{k}"));
        let free = std::iter::once(name.to_string()).chain(numbered).find(|n| !self.names.contains(n));
        let free = free.unwrap_or_default();
        self.names.insert(free.clone());
        free
    }

    /// Notes that an axis of an input counts the rows of the batch.
    pub fn batch_axis(&mut self, input: &str, shape: &[Extent]) {
        let n = Extent { scale: 1, offset: 0 };
        if let (None, Some(axis)) = (&self.batch, shape.iter().position(|&e| e == n)) {
            self.batch = Some((input.into(), axis));
        }
    }

    pub fn begin(&mut self, id: Id) {
        (self.current, self.parts) = (id, 0);
    }

    /// Ends the translation of the current node: the value that was computed last takes its name, so that
    /// the file shows the numbers of the printed graph.
    pub fn end(&mut self, mut view: View) {
        let wanted = self.current.to_string();
        if let (Store::Value(name), Some(last)) = (&mut view.store, self.nodes.last_mut())
            && last.outputs[0] == *name
            && name.starts_with(&format!("{wanted}."))
            && !self.names.contains(&wanted)
        {
            let old = std::mem::replace(name, wanted.clone());
            self.cache.values_mut().filter(|v| **v == old).for_each(|v| *v = wanted.clone());
            last.outputs[0] = wanted.clone();
            self.names.insert(wanted);
        }
        self.views.push(view);
    }

    /// An error of the current node.
    pub fn unsupported<T>(&self, why: &str) -> Result<T> {
        let layer = self.sym.graph.layer(self.current);
        let at = if layer.is_empty() { String::new() } else { format!(" in layer {layer}") };
        Err(Error::Unsupported(vec![format!("{}{at}: {why}", self.sym.graph.equation(self.current))]))
    }

    /// Appends a node and returns the name of its result.
    pub fn node(&mut self, op: &str, inputs: &[&str], attributes: Vec<(&str, Attribute)>) -> String {
        self.parts += 1;
        let output = self.fresh(&format!("{}.{}", self.current, self.parts));
        let layer = self.sym.graph.layer(self.current);
        let path = if layer.is_empty() { op.to_string() } else { format!("{layer}/{op}") };
        let name = self.fresh(&format!("/{path}"));
        self.nodes.push(Node {
            op: op.into(),
            name,
            inputs: inputs.iter().map(|s| s.to_string()).collect(),
            outputs: vec![output.clone()],
            attributes: attributes.into_iter().map(|(k, v)| (k.to_string(), v)).collect(),
            ..Node::default()
        });
        output
    }

    /// Writes a constant, unless an equal one of that name is there, and returns its name.
    fn initializer(&mut self, key: String, mut t: Tensor) -> String {
        if let Some(name) = self.cache.get(&key) {
            return name.clone();
        }
        t.name = self.fresh(&t.name.clone());
        let name = t.name.clone();
        self.initializers.push(t);
        self.cache.insert(key, name.clone());
        name
    }

    /// A vector of integers.
    pub fn ints(&mut self, values: &[i64]) -> String {
        let text: Vec<String> = values.iter().map(i64::to_string).collect();
        self.initializer(format!("ints {values:?}"), Tensor::ints(&format!("const/{}", text.join("_")), values))
    }

    /// A number that any tensor of this type can be combined with.
    pub fn scalar(&mut self, dtype: DType, x: f64) -> View {
        let name = format!("const/{x}{}", if dtype == DType::F32 { "" } else { "/double" });
        let name = if dtype == DType::I32 { format!("const/{x}/int") } else { name };
        let data = if dtype == DType::F32 { Data::Single(vec![x as f32]) } else { Data::Wide(vec![x]) };
        View::constant(Tensor { name, element: element(dtype), shape: vec![], data })
    }

    /// The tensor's view.
    pub fn view(&self, id: Id) -> View {
        self.views[id.index()].clone()
    }

    /// A value whose axes are those of `order`; axes that are not held have extent 1, and the first ones of
    /// them are left out if `trailing`.
    pub fn arrange(&mut self, view: &View, order: &[usize], trailing: bool) -> String {
        let held: Vec<usize> = order.iter().copied().filter(|a| view.axes.contains(a)).collect();
        let skip = if trailing { order.iter().take_while(|a| !held.contains(a)).count() } else { 0 };
        let perm: Vec<usize> = held.iter().filter_map(|a| view.axes.iter().position(|b| a == b)).collect();
        let gaps: Vec<i64> = (skip..order.len()).filter(|&i| !held.contains(&order[i])).map(|i| (i - skip) as i64).collect();
        match &view.store {
            Store::Constant(t) => {
                let key = format!("layout {} {perm:?} {gaps:?}", t.name);
                let mut laid = permuted(t, &perm);
                gaps.iter().for_each(|&g| laid.shape.insert(g as usize, 1));
                self.initializer(key, laid)
            }
            Store::Value(name) => {
                let name = self.permute(name, &perm);
                self.with_gaps(&name, &gaps)
            }
        }
    }

    /// Transposes a stored value.
    pub fn permute(&mut self, name: &str, perm: &[usize]) -> String {
        if perm.iter().enumerate().all(|(i, &p)| i == p) {
            return name.into();
        }
        let perm: Vec<i64> = perm.iter().map(|&p| p as i64).collect();
        self.cached(format!("transpose {name} {perm:?}"), |e| e.node("Transpose", &[name], vec![("perm", Attribute::Ints(perm))]))
    }

    fn with_gaps(&mut self, name: &str, gaps: &[i64]) -> String {
        if gaps.is_empty() {
            return name.into();
        }
        let axes = self.ints(gaps);
        self.cached(format!("unsqueeze {name} {axes}"), |e| e.node("Unsqueeze", &[name, &axes], vec![]))
    }

    pub fn cached(&mut self, key: String, make: impl FnOnce(&mut Self) -> String) -> String {
        if let Some(known) = self.cache.get(&key) {
            return known.clone();
        }
        let made = make(self);
        self.cache.insert(key, made.clone());
        made
    }

    /// A value that holds all axes of the tensor, of these extents, in this order.
    pub fn whole(&mut self, view: &View, order: &[usize], shape: &[Extent]) -> Result<String> {
        let name = self.arrange(view, order, false);
        let repeated: Vec<Extent> = order.iter().map(|a| if view.axes.contains(a) { Extent::fixed(1) } else { shape[*a] }).collect();
        if repeated.iter().all(|e| e.is_one()) {
            return Ok(name);
        }
        let shape = self.extents(&repeated)?;
        Ok(self.cached(format!("expand {name} {shape} {}", view.key()), |e| e.node("Expand", &[&name, &shape], vec![])))
    }

    /// A tensor with all axes in their order.
    pub fn in_order(&mut self, id: Id) -> Result<String> {
        let shape = self.sym.shape(id).to_vec();
        self.whole(&self.view(id), &(0..shape.len()).collect::<Vec<_>>(), &shape)
    }

    /// A tensor with all axes, the order being that of its view if that holds all.
    pub fn all_axes(&mut self, id: Id) -> Result<View> {
        let view = self.view(id);
        let shape = self.sym.shape(id).to_vec();
        let order = if view.axes.len() == shape.len() { view.axes.clone() } else { (0..shape.len()).collect() };
        Ok(View::value(self.whole(&view, &order, &shape)?, order))
    }

    /// Extents as a vector of integers, computed from the batch where they depend on it.
    pub fn extents(&mut self, extents: &[Extent]) -> Result<String> {
        let known: Option<Vec<i64>> = extents.iter().map(|e| e.known().map(|n| n as i64)).collect();
        if let Some(known) = known {
            return Ok(self.ints(&known));
        }
        let mut parts: Vec<String> = vec![];
        for run in extents.chunk_by(|a, b| a.scale == 0 && b.scale == 0) {
            let fixed: Vec<i64> = run.iter().map(|e| e.offset).collect();
            parts.push(if run[0].scale == 0 { self.ints(&fixed) } else { self.extent(run[0])? });
        }
        if let [one] = &parts[..] {
            return Ok(one.clone());
        }
        let refs: Vec<&str> = parts.iter().map(String::as_str).collect();
        Ok(self.cached(format!("concat {refs:?}"), |e| e.node("Concat", &refs, vec![("axis", Attribute::Int(0))])))
    }

    /// An extent as a vector of one integer.
    pub fn extent(&mut self, e: Extent) -> Result<String> {
        let Some((input, axis)) = self.batch.clone() else {
            return self.unsupported("needs the batch size, but no input has it as an extent: declare the data as [batch, …]");
        };
        let axis = axis as i64;
        let span = vec![("start", Attribute::Int(axis)), ("end", Attribute::Int(axis + 1))];
        let mut value = self.cached("batch".into(), |e| e.node("Shape", &[&input], span));
        for (op, x, neutral) in [("Mul", e.scale, 1), ("Add", e.offset, 0)] {
            if x != neutral {
                let x = self.ints(&[x]);
                value = self.cached(format!("{op} {value} {x}"), |e| e.node(op, &[&value, &x], vec![]));
            }
        }
        Ok(value)
    }

    /// The product of extents as a number of this type.
    pub fn count(&mut self, extents: &[Extent], dtype: DType) -> Result<View> {
        let fixed: i64 = extents.iter().filter_map(|e| e.known()).map(|n| n as i64).product();
        let mut product: Option<String> = None;
        for &e in extents.iter().filter(|e| e.scale != 0) {
            let value = self.extent(e)?;
            product = Some(product.map_or(value.clone(), |p| self.node("Mul", &[&p, &value], vec![])));
        }
        let Some(product) = product else { return Ok(self.scalar(dtype, fixed as f64)) };
        let fixed = self.ints(&[fixed]);
        let product = self.node("Mul", &[&product, &fixed], vec![]);
        let scalar = self.ints(&[]);
        let product = self.node("Reshape", &[&product, &scalar], vec![]);
        Ok(View::value(self.node("Cast", &[&product], vec![("to", Attribute::Int(element(dtype) as i64))]), vec![]))
    }

    /// Applies an operator element by element to views that may hold different axes.
    pub fn elementwise(&mut self, op: &str, views: &[View]) -> View {
        self.elementwise_with(op, views, vec![])
    }

    pub fn elementwise_with(&mut self, op: &str, views: &[View], attributes: Vec<(&str, Attribute)>) -> View {
        let order = common_order(views);
        let names: Vec<String> = views.iter().map(|v| self.arrange(v, &order, true)).collect();
        let refs: Vec<&str> = names.iter().map(String::as_str).collect();
        View::value(self.node(op, &refs, attributes), order)
    }
}

/// The layout in which views are combined: that of the largest, if it holds all their axes.
pub(super) fn common_order(views: &[View]) -> Vec<usize> {
    let mut union: Vec<usize> = views.iter().flat_map(|v| v.axes.iter().copied()).collect();
    union.sort();
    union.dedup();
    let complete = |v: &&View| v.axes.len() == union.len();
    let computed = |v: &&View| matches!(v.store, Store::Value(_));
    let best = views.iter().filter(complete).find(computed).or_else(|| views.iter().find(complete));
    best.map_or(union.clone(), |v| v.axes.clone())
}

/// The element type of a file for one of the graph.
pub(super) fn element(dtype: DType) -> Element {
    match dtype {
        DType::F32 => Element::Float,
        DType::F64 => Element::Double,
        DType::I32 => Element::Int32,
    }
}

/// A constant with its axes in another order.
fn permuted(t: &Tensor, perm: &[usize]) -> Tensor {
    if perm.iter().enumerate().all(|(i, &p)| i == p) {
        return t.clone();
    }
    let mut strides = vec![1; t.shape.len()];
    for i in (1..t.shape.len()).rev() {
        strides[i - 1] = strides[i] * t.shape[i];
    }
    let shape: Vec<usize> = perm.iter().map(|&p| t.shape[p]).collect();
    // The places in the order of the result: each axis multiplies what the axes before it have.
    let places = perm.iter().zip(&shape).fold(vec![0], |places, (&p, &n)| {
        places.iter().flat_map(|&at| (0..n).map(move |i| (at, i))).map(|(at, i)| at + i * strides[p]).collect()
    });
    Tensor { name: t.name.clone(), element: t.element, shape, data: t.data.pick(&places) }
}

impl Emitter<'_> {
    /// Makes views and layouts point to the new name of a value.
    pub fn renamed(&mut self, old: &str, new: &str) {
        self.cache.values_mut().filter(|v| *v == old).for_each(|v| *v = new.into());
        for view in self.views.iter_mut().chain(self.masks.values_mut()) {
            if let Store::Value(name) = &mut view.store
                && name == old
            {
                *name = new.into();
            }
        }
    }
}
