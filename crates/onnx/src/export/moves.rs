//! Sums, maxima, and operations that move elements.

use super::emitter::{Emitter, Store, View, element};
use super::symbolic::Extent;
use crate::Result;
use crate::model::{Attribute, Data, Tensor};
use graph::{DType, Id};

/// 0, 1, 2, … along one axis; the others are repeated.
pub(super) fn iota(e: &mut Emitter, id: Id, axis: usize, dtype: DType) -> Result<View> {
    let extent = e.sym.shape(id)[axis];
    if let Some(n) = extent.known() {
        let count = (0..n).map(|i| i as f64);
        let data = if dtype == DType::F32 { Data::Single(count.map(|x| x as f32).collect()) } else { Data::Wide(count.collect()) };
        let t = Tensor { name: format!("const/iota/{n}/{dtype}"), element: element(dtype), shape: vec![n], data };
        return Ok(View { axes: vec![axis], ..View::constant(t) });
    }
    let limit = e.count(&[extent], dtype)?;
    let [zero, one] = [0.0, 1.0].map(|x| e.scalar(dtype, x));
    let [zero, limit, one] = [zero, limit, one].map(|v| e.arrange(&v, &[], true));
    Ok(View::value(e.node("Range", &[&zero, &limit, &one], vec![]), vec![axis]))
}

/// Places of the reduced axes in the stored value, and the axes that are left, renumbered.
fn reduced(view: &View, axes: &[usize]) -> (Vec<i64>, Vec<usize>) {
    let places = (0..view.axes.len()).filter(|&i| axes.contains(&view.axes[i])).map(|i| i as i64).collect();
    let left = view.axes.iter().filter(|a| !axes.contains(a)).map(|&a| a - axes.iter().filter(|&&r| r < a).count()).collect();
    (places, left)
}

pub(super) fn sum(e: &mut Emitter, x: Id, axes: &[usize]) -> Result<View> {
    let (view, dtype) = (e.view(x), e.sym.graph.ty(x).dtype);
    let (places, left) = reduced(&view, axes);
    let repeated: Vec<Extent> = axes.iter().filter(|a| !view.axes.contains(a)).map(|&a| e.sym.shape(x)[a]).collect();
    let mut out = View { store: view.store.clone(), axes: left };
    if !places.is_empty() {
        let name = e.arrange(&view, &view.axes, false);
        let places = e.ints(&places);
        out.store = Store::Value(e.node("ReduceSum", &[&name, &places], vec![("keepdims", Attribute::Int(0))]));
    }
    // Each element is there once for each place along the axes that are repeated.
    if repeated.iter().all(|r| r.is_one()) {
        return Ok(out);
    }
    let times = e.count(&repeated, dtype)?;
    Ok(e.elementwise("Mul", &[out, times]))
}

pub(super) fn max(e: &mut Emitter, x: Id, axes: &[usize]) -> View {
    let view = e.view(x);
    let (places, left) = reduced(&view, axes);
    if places.is_empty() {
        return View { store: view.store, axes: left };
    }
    let name = e.arrange(&view, &view.axes, false);
    View::value(e.node("ReduceMax", &[&name], vec![("axes", Attribute::Ints(places)), ("keepdims", Attribute::Int(0))]), left)
}

pub(super) fn reshape(e: &mut Emitter, id: Id, x: Id) -> Result<View> {
    let (from, to) = (e.sym.shape(x).to_vec(), e.sym.shape(id).to_vec());
    if let Some(view) = renumbered(e, &e.view(x), &from, &to) {
        return Ok(view);
    }
    let name = e.in_order(x)?;
    Ok(View::plain(reshape_value(e, &name, &from, &to)?, to.len()))
}

/// A reshape that only adds or removes axes of extent 1, as other names of the same axes.
fn renumbered(e: &mut Emitter, view: &View, from: &[Extent], to: &[Extent]) -> Option<View> {
    let long = |shape: &[Extent]| (0..shape.len()).filter(|&i| !shape[i].is_one()).collect::<Vec<usize>>();
    let (old, new) = (long(from), long(to));
    if old.len() != new.len() || old.iter().zip(&new).any(|(&a, &b)| from[a] != to[b]) {
        return None;
    }
    let ones: Vec<usize> = (0..view.axes.len()).filter(|&i| from[view.axes[i]].is_one()).collect();
    let axes: Vec<usize> = view.axes.iter().filter_map(|a| old.iter().position(|b| a == b)).map(|k| new[k]).collect();
    if ones.is_empty() {
        return Some(View { store: view.store.clone(), axes });
    }
    let store = match &view.store {
        Store::Constant(t) => {
            let shape = (0..t.shape.len()).filter(|i| !ones.contains(i)).map(|i| t.shape[i]).collect();
            return Some(View { axes, ..View::constant(Tensor { shape, name: format!("{}/squeezed", t.name), ..Tensor::clone(t) }) });
        }
        Store::Value(name) => {
            let places = e.ints(&ones.iter().map(|&i| i as i64).collect::<Vec<_>>());
            e.cached(format!("squeeze {name} {places}"), |e| e.node("Squeeze", &[name, &places], vec![]))
        }
    };
    Some(View::value(store, axes))
}

/// Reshapes a value. An extent that the operand has at the same place is copied (0), one other that depends
/// on the batch is deduced (−1); only where there are more is the shape computed.
pub(super) fn reshape_value(e: &mut Emitter, name: &str, from: &[Extent], to: &[Extent]) -> Result<String> {
    let copied = |i: usize| from.get(i) == Some(&to[i]);
    let open = (0..to.len()).filter(|&i| to[i].scale != 0 && !copied(i)).count();
    let empty = to.iter().any(|d| d.known() == Some(0));
    let (target, attributes) = if empty {
        (e.extents(to)?, vec![("allowzero", Attribute::Int(1))])
    } else if open > 1 {
        (e.extents(to)?, vec![])
    } else {
        let dim = |i: usize| match to[i].known() {
            Some(n) => n as i64,
            None if copied(i) => 0,
            None => -1,
        };
        (e.ints(&(0..to.len()).map(dim).collect::<Vec<_>>()), vec![])
    };
    Ok(e.node("Reshape", &[name, &target], attributes))
}

pub(super) fn reverse(e: &mut Emitter, x: Id, axes: &[usize]) -> View {
    let view = e.view(x);
    let places: Vec<i64> = (0..view.axes.len()).filter(|&i| axes.contains(&view.axes[i])).map(|i| i as i64).collect();
    if places.is_empty() {
        return view;
    }
    let name = e.arrange(&view, &view.axes, false);
    let minus = e.ints(&vec![-1; places.len()]);
    let end = e.ints(&vec![i64::MIN; places.len()]);
    let places = e.ints(&places);
    View::value(e.node("Slice", &[&name, &minus, &end, &places, &minus], vec![]), view.axes)
}

/// First index, past-the-end index and step along one axis of a stored value.
pub(super) struct Span {
    pub axis: usize,
    pub start: Extent,
    /// None: to the end.
    pub limit: Option<Extent>,
    pub step: usize,
}

/// Cuts spans out of a value.
pub(super) fn slice_value(e: &mut Emitter, name: &str, spans: &[Span]) -> Result<String> {
    if spans.is_empty() {
        return Ok(name.into());
    }
    let start = e.extents(&spans.iter().map(|s| s.start).collect::<Vec<_>>())?;
    let end = Extent { scale: 0, offset: i64::MAX };
    let limit = e.extents(&spans.iter().map(|s| s.limit.unwrap_or(end)).collect::<Vec<_>>())?;
    let axes = e.ints(&spans.iter().map(|s| s.axis as i64).collect::<Vec<_>>());
    let steps = e.ints(&spans.iter().map(|s| s.step as i64).collect::<Vec<_>>());
    Ok(e.node("Slice", &[name, &start, &limit, &axes, &steps], vec![]))
}

pub(super) fn slice(e: &mut Emitter, id: Id, x: Id, stride: &[usize]) -> Result<View> {
    let (view, shape) = (e.view(x), e.sym.shape(x).to_vec());
    let (start, limit) = e.sym.bounds(id);
    let mut spans = vec![];
    for (axis, &a) in view.axes.iter().enumerate() {
        let to_end = limit[a] == shape[a];
        if start[a] != Extent::fixed(0) || !to_end || stride[a] != 1 {
            spans.push(Span { axis, start: start[a], limit: (!to_end).then_some(limit[a]), step: stride[a] });
        }
    }
    if spans.is_empty() {
        return Ok(view);
    }
    let name = e.arrange(&view, &view.axes, false);
    Ok(View::value(slice_value(e, &name, &spans)?, view.axes))
}

/// Surrounds (and, by `interior`, separates) the elements of a view that holds all axes; `around` is
/// before, after and between, by the tensor's axes.
pub(super) fn pad(e: &mut Emitter, view: &View, shape: &[Extent], around: [&[usize]; 3], value: f64, dtype: DType) -> Result<View> {
    let [lo, hi, interior] = around;
    let mut name = e.arrange(view, &view.axes, false);
    let fill = e.scalar(dtype, value);
    let fill = e.arrange(&fill, &[], true);
    let mut stored: Vec<Extent> = view.axes.iter().map(|&a| shape[a]).collect();
    for (place, &a) in view.axes.iter().enumerate() {
        if interior[a] > 0 && !stored[place].is_one() && stored[place].known() != Some(0) {
            name = spread(e, &name, &mut stored, place, interior[a], &fill)?;
        }
    }
    let pads: Vec<i64> = [lo, hi].iter().flat_map(|p| view.axes.iter().map(|&a| p[a] as i64)).collect();
    if pads.iter().any(|&p| p > 0) {
        let pads = e.ints(&pads);
        name = e.node("Pad", &[&name, &pads, &fill], vec![]);
    }
    Ok(View::value(name, view.axes.clone()))
}

/// Puts `gap` fillers between neighbours of one axis: each element gets an axis of its own, which is
/// padded and merged; the fillers after the last element are cut off.
fn spread(e: &mut Emitter, name: &str, stored: &mut [Extent], place: usize, gap: usize, fill: &str) -> Result<String> {
    let axis = e.ints(&[place as i64 + 1]);
    let own = e.node("Unsqueeze", &[name, &axis], vec![]);
    let mut pads = vec![0; 2 * (stored.len() + 1)];
    pads[stored.len() + 1 + place + 1] = gap as i64;
    let pads = e.ints(&pads);
    let padded = e.node("Pad", &[&own, &pads, fill], vec![]);
    let mut before = stored.to_vec();
    before.insert(place + 1, Extent::fixed(gap + 1));
    let times = gap as i64 + 1;
    stored[place] = Extent { scale: stored[place].scale * times, offset: stored[place].offset * times };
    let merged = reshape_value(e, &padded, &before, stored)?;
    stored[place].offset -= gap as i64;
    slice_value(e, &merged, &[Span { axis: place, start: Extent::fixed(0), limit: Some(stored[place]), step: 1 }])
}

pub(super) fn concat(e: &mut Emitter, args: &[Id], axis: usize) -> Result<View> {
    let order = e.all_axes(args[0])?.axes;
    let mut names = vec![];
    for &a in args {
        let (view, shape) = (e.view(a), e.sym.shape(a).to_vec());
        names.push(e.whole(&view, &order, &shape)?);
    }
    let refs: Vec<&str> = names.iter().map(String::as_str).collect();
    let place = order.iter().position(|&a| a == axis).unwrap_or(axis);
    Ok(View::value(e.node("Concat", &refs, vec![("axis", Attribute::Int(place as i64))]), order))
}

/// Rows of a table. (An index out of range is an error in ONNX; here it reads NaN.)
pub(super) fn gather(e: &mut Emitter, args: &[Id]) -> Result<View> {
    let (table, rows) = (e.in_order(args[0])?, e.in_order(args[1])?);
    let rank = e.sym.shape(args[0]).len() - 1 + e.sym.shape(args[1]).len();
    Ok(View::plain(e.node("Gather", &[&table, &rows], vec![("axis", Attribute::Int(0))]), rank))
}

/// Adds rows into a table of zeros. (An index out of range is an error in ONNX; here it is dropped.)
pub(super) fn scatter_add(e: &mut Emitter, id: Id, args: &[Id]) -> Result<View> {
    let (shape, dtype) = (e.sym.shape(id).to_vec(), e.sym.graph.ty(id).dtype);
    let zero = e.scalar(dtype, 0.0);
    let table = e.whole(&zero, &(0..shape.len()).collect::<Vec<_>>(), &shape)?;
    let (rows, updates) = (e.in_order(args[0])?, e.in_order(args[1])?);
    let axis = e.ints(&[-1]);
    let rows = e.node("Unsqueeze", &[&rows, &axis], vec![]);
    let rows = e.node("Cast", &[&rows], vec![("to", Attribute::Int(crate::model::Element::Int64 as i64))]);
    let add = vec![("reduction", Attribute::Text("add".into()))];
    Ok(View::plain(e.node("ScatterND", &[&table, &rows, &updates], add), shape.len()))
}
