//! Weights of a PyTorch module, from a safetensors file of its `state_dict`.
//!
//! Names and layouts differ. PyTorch keeps a linear layer as `[out, in]` and a convolution as
//! `[out, in, height, width]` over images `[channels, height, width]`; here they are `[in, out]` and
//! `[height, width, in, out]` over `[height, width, channels]`, so that also the inputs of a dense layer
//! after a flatten come in another order. Batch normalization is `weight`, `bias`, `running_mean` and
//! `running_var` there; `num_batches_tracked` is not needed.

use super::{bad, explain};
use crate::layers::Layer;
use crate::{Context, Error, Param, Result, Sequential};
use graph::DType;
use safetensors::{Dtype, SafeTensors};
use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// Which module or tensor of the file belongs to a layer (`"dense_1" = "fc1"`) or to a parameter
/// (`"dense_1/weight" = "fc1.weight"`). What is not listed is found by order and shape.
pub type Map = BTreeMap<String, String>;

/// Weights that were found.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// Values of the parameters, in their order.
    pub values: Vec<Vec<f32>>,
    /// Each parameter's name, and the tensor that it came from.
    pub names: Vec<(String, String)>,
}

/// A tensor of the file.
struct Tensor {
    name: String,
    shape: Vec<usize>,
    data: Vec<f32>,
    used: bool,
}

impl Tensor {
    /// The module that it belongs to.
    fn module(&self) -> &str {
        self.name.rsplit_once('.').map_or("", |(module, _)| module)
    }

    fn shown(&self) -> String {
        format!("{} {:?}", self.name, self.shape)
    }
}

/// Reads the weights of `model`, whose parameters are `params`, from a file with a PyTorch `state_dict`.
///
/// Layers take the modules in the order of their names (numbers counted as numbers: `2` before `10`), each the
/// first unused one whose tensors have its shapes; `map` says what that would get wrong.
///
/// # Errors
/// A file that cannot be read or is damaged, tensors of a type that is no float; everything that is missing,
/// of another shape, or left over, at once.
pub fn load(path: &Path, model: &Sequential, params: &[Param], map: &Map) -> Result<Found> {
    let mut tensors = read(path)?;
    let orders = orders(model)?;
    let (mut found, mut problems): (HashMap<usize, usize>, Vec<String>) = (HashMap::new(), vec![]);
    let layers = layers(params);
    for (key, target) in map {
        mapped(key, target, params, &layers, &mut tensors, &mut found, &mut problems);
    }
    for (layer, own) in &layers {
        let open: Vec<usize> = own.iter().copied().filter(|i| !found.contains_key(i)).collect();
        if open.is_empty() || map.contains_key(layer) {
            continue;
        }
        match module(params, &open, &tensors) {
            Some(places) => open.iter().zip(places).for_each(|(&i, place)| {
                tensors[place].used = true;
                found.insert(i, place);
            }),
            None => problems.extend(
                open.iter().map(|&i| format!("{} {:?}: no unused module has {}", params[i].name, params[i].shape, wanted(&params[i]))),
            ),
        }
    }
    let unused = tensors.iter().filter(|t| !t.used && !t.name.ends_with("num_batches_tracked"));
    problems.extend(unused.map(|t| format!("{} of the file belongs to no layer", t.shown())));
    problems.extend(orders.iter().filter_map(|(_, order)| order.as_ref().err().cloned()));
    if !problems.is_empty() {
        return Err(Error::Mismatch { path: path.into(), differences: problems });
    }
    let order = |p: &Param| orders.iter().find(|(layer, _)| *layer == layer_of(&p.name)).and_then(|(_, o)| o.as_ref().ok());
    let value = |(i, p): (usize, &Param)| found.get(&i).map(|&place| convert(p, &tensors[place], order(p).copied()));
    let values: Vec<Vec<f32>> = params.iter().enumerate().filter_map(value).collect();
    let names = params.iter().enumerate().filter_map(|(i, p)| Some((p.name.clone(), tensors[*found.get(&i)?].name.clone()))).collect();
    Ok(Found { values, names })
}

/// What the map says of one layer or parameter.
fn mapped(
    key: &str,
    target: &str,
    params: &[Param],
    layers: &[(String, Vec<usize>)],
    tensors: &mut [Tensor],
    found: &mut HashMap<usize, usize>,
    problems: &mut Vec<String>,
) {
    let pairs: Vec<(usize, String)> = match layers.iter().find(|(layer, _)| layer == key) {
        Some((_, own)) => own.iter().map(|&i| (i, format!("{target}.{}", tensor_name(&params[i].name)))).collect(),
        None => params.iter().position(|p| p.name == key).map(|i| (i, target.to_string())).into_iter().collect(),
    };
    if pairs.is_empty() {
        let known: Vec<&str> = layers.iter().map(|(layer, _)| layer.as_str()).collect();
        problems.push(format!("the map names {key}, but the layers are {}", known.join(", ")));
    }
    for (i, name) in pairs {
        let p = &params[i];
        match tensors.iter().position(|t| t.name == name) {
            None => problems.push(format!("{} {:?}: the file has no tensor {name}", p.name, p.shape)),
            Some(place) if !fits(p, &tensors[place].shape) => {
                tensors[place].used = true;
                problems.push(format!("{} {:?}: {} does not fit, it needs {}", p.name, p.shape, tensors[place].shown(), wanted(p)));
            }
            Some(place) => {
                tensors[place].used = true;
                found.insert(i, place);
            }
        }
    }
}

/// The first unused module whose tensors fit these parameters of one layer: their places.
fn module(params: &[Param], own: &[usize], tensors: &[Tensor]) -> Option<Vec<usize>> {
    let mut modules: Vec<&str> = tensors.iter().map(Tensor::module).collect();
    modules.dedup();
    // A module that holds more than the layer has belongs to another layer: a bias here, none there.
    let held = |module: &str| tensors.iter().filter(|t| t.module() == module && !t.name.ends_with("num_batches_tracked")).count();
    let fit = |module: &str| -> Option<Vec<usize>> {
        let place = |&i: &usize| {
            let name = tensor_name(&params[i].name);
            let right =
                |t: &Tensor| !t.used && t.module() == module && t.name.rsplit('.').next() == Some(name) && fits(&params[i], &t.shape);
            tensors.iter().position(right)
        };
        own.iter().map(place).collect()
    };
    modules.into_iter().filter(|m| held(m) == own.len()).find_map(fit)
}

/// The layers in the order of their parameters, with the places of these.
fn layers(params: &[Param]) -> Vec<(String, Vec<usize>)> {
    let mut layers: Vec<(String, Vec<usize>)> = vec![];
    for (i, p) in params.iter().enumerate() {
        let layer = layer_of(&p.name);
        match layers.iter_mut().find(|(name, _)| name == layer) {
            Some((_, own)) => own.push(i),
            None => layers.push((layer.to_string(), vec![i])),
        }
    }
    layers
}

/// `residual_1/conv2d_2/weight` is of the layer `residual_1/conv2d_2`.
fn layer_of(name: &str) -> &str {
    name.rsplit_once('/').map_or(name, |(layer, _)| layer)
}

/// The kind of layer that a parameter belongs to: `conv2d`.
fn kind(p: &Param) -> &str {
    let layer = layer_of(&p.name);
    let last = layer.rsplit('/').next().unwrap_or(layer);
    last.rsplit_once('_').map_or(last, |(kind, _)| kind)
}

/// What PyTorch calls a parameter.
fn tensor_name(name: &str) -> &'static str {
    match name.rsplit('/').next() {
        Some("bias" | "offset") => "bias",
        Some("mean") => "running_mean",
        Some("variance") => "running_var",
        _ => "weight",
    }
}

/// The shapes that PyTorch may give a parameter.
fn shapes(p: &Param) -> Vec<Vec<usize>> {
    match (kind(p), &p.shape[..]) {
        ("conv2d", &[h, w, i, o]) => vec![vec![o, i, h, w]],
        ("conv2d_transpose", &[h, w, i, o]) => vec![vec![i, o, h, w]],
        ("dense", &[i, o]) => vec![vec![o, i]],
        // A projection of a residual block: a linear layer, or a convolution of 1 × 1.
        ("residual", &[i, o]) => vec![vec![o, i], vec![o, i, 1, 1]],
        _ => vec![p.shape.clone()],
    }
}

fn fits(p: &Param, shape: &[usize]) -> bool {
    shapes(p).iter().any(|s| s == shape)
}

fn wanted(p: &Param) -> String {
    let shapes: Vec<String> = shapes(p).iter().map(|s| format!("{s:?}")).collect();
    format!("{} {}", tensor_name(&p.name), shapes.join(" or "))
}

/// A tensor in the layout of the parameter. `order` is the image `[height, width, channels]` whose values are the
/// inputs of the layer, if a flatten came before.
fn convert(p: &Param, t: &Tensor, order: Option<[usize; 3]>) -> Vec<f32> {
    // Where input i of ours stands in PyTorch's: (h, w, c) in its order c, h, w.
    let place = |i: usize| match order {
        Some([h, w, c]) => (i % c) * h * w + i / c,
        None => i,
    };
    let d = &t.data;
    match (kind(p), &p.shape[..]) {
        ("conv2d" | "conv2d_transpose", &[h, w, i, o]) => {
            let transposed = kind(p) == "conv2d_transpose";
            let from = |y: usize, x: usize, a: usize, b: usize| ((if transposed { a * o + b } else { b * i + a }) * h + y) * w + x;
            let mut out = Vec::with_capacity(d.len());
            (0..h).for_each(|y| (0..w).for_each(|x| (0..i).for_each(|a| out.extend((0..o).map(|b| d[from(y, x, a, b)])))));
            out
        }
        ("dense" | "residual", &[i, o]) => (0..i).flat_map(|a| (0..o).map(move |b| d[b * i + place(a)])).collect(),
        ("batch_norm" | "layer_norm", &[n]) => (0..n).map(|a| d[place(a)]).collect(),
        _ => d.clone(),
    }
}

/// Layers, and for each the extents of the image whose values it takes, or why it cannot.
type Orders = Vec<(String, Result<[usize; 3], String>)>;

/// For each layer whose inputs are the values of an image: its extents; or why it cannot take them.
fn orders(model: &Sequential) -> Result<Orders> {
    let cx = Context::new(DType::F32, false);
    let x = cx.input("x", DType::F32, &[&[1], &model.input[..]].concat());
    let outputs = model.outputs(&cx, &x);
    cx.tracer().finish()?;
    let (mut image, mut all) = (None, vec![]);
    for (i, (layer, name)) in model.layers.iter().zip(model.names()).enumerate() {
        let input = if i == 0 { &model.input[..] } else { &outputs[i - 1].shape()[1..] };
        match (layer, input, image) {
            (Layer::Flatten(_), &[h, w, c], _) if c > 1 && h * w > 1 => image = Some([h, w, c]),
            (Layer::Flatten(_) | Layer::Dropout(_) | Layer::Activation(_) | Layer::Rescale(_), ..) | (_, _, None) => {}
            (Layer::BatchNorm(_) | Layer::LayerNorm(_), _, Some(order)) => all.push((name, Ok(order))),
            (Layer::Dense(_), _, Some(order)) => {
                all.push((name, Ok(order)));
                image = None;
            }
            (_, _, Some(_)) => {
                let why =
                    format!("{name} takes the values of an image in an order that PyTorch does not have: put a dense layer before it");
                all.push((name, Err(why)));
                image = None;
            }
        }
    }
    Ok(all)
}

/// All float tensors of a file, by module in natural order.
fn read(path: &Path) -> Result<Vec<Tensor>> {
    let bytes = std::fs::read(path).map_err(|e| bad(path, explain(&e)))?;
    let file = SafeTensors::deserialize(&bytes).map_err(|e| bad(path, format!("it is no valid safetensors file ({e}); write it again")))?;
    let (mut tensors, mut odd) = (vec![], vec![]);
    for (name, view) in file.iter() {
        match floats(view.dtype(), view.data()) {
            Some(data) => tensors.push(Tensor { name: name.into(), shape: view.shape().to_vec(), data, used: false }),
            None if name.ends_with("num_batches_tracked") => {}
            None => odd.push(format!("{name} is of type {}, which is no float", view.dtype())),
        }
    }
    if !odd.is_empty() {
        return Err(Error::Mismatch { path: path.into(), differences: odd });
    }
    tensors.sort_by(|a, b| natural(&a.name, &b.name));
    Ok(tensors)
}

fn floats(dtype: Dtype, bytes: &[u8]) -> Option<Vec<f32>> {
    Some(match dtype {
        Dtype::F32 => bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect(),
        Dtype::F64 => bytes.as_chunks::<8>().0.iter().map(|b| f64::from_le_bytes(*b) as f32).collect(),
        Dtype::BF16 => bytes.chunks_exact(2).map(|b| f32::from_le_bytes([0, 0, b[0], b[1]])).collect(),
        Dtype::F16 => bytes.chunks_exact(2).map(|b| half(u16::from_le_bytes([b[0], b[1]]))).collect(),
        _ => return None,
    })
}

/// A number of half precision (IEEE 754 binary16).
fn half(bits: u16) -> f32 {
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f32::from(bits & 1023));
    sign * match exponent {
        0 => fraction * 2f32.powi(-24),
        31 if fraction == 0.0 => f32::INFINITY,
        31 => f32::NAN,
        e => (1.0 + fraction / 1024.0) * 2f32.powi(e - 15),
    }
}

/// `layer.2` before `layer.10`, `conv2` before `conv10`.
fn natural(a: &str, b: &str) -> Ordering {
    let key = |s: &str| {
        let mut parts: Vec<(String, u64)> = vec![];
        let mut rest = s;
        while !rest.is_empty() {
            let text = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
            let digits = rest[text..].find(|c: char| !c.is_ascii_digit()).map_or(rest.len(), |n| text + n);
            parts.push((rest[..text].into(), rest[text..digits].parse().unwrap_or(0)));
            rest = &rest[digits..];
        }
        parts
    };
    key(a).cmp(&key(b)).then_with(|| a.cmp(b))
}

#[cfg(test)]
mod tests;
