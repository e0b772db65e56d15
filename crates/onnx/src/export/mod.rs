//! From a traced model to a file.

mod contract;
mod elementwise;
mod emitter;
mod finish;
mod moves;
mod symbolic;
mod window;

use crate::model::{Data, Graph as File, Model as Proto, OPSET, Tensor};
use crate::{Error, Result};
use emitter::{Emitter, View, element};
use graph::{DType, Id, Op, Type};
use neurona::data::Preprocessing;
use neurona::{Context, Model, Param, Tensor as Handle};
use std::collections::{BTreeMap, HashMap};
use symbolic::{BATCHES, Fill, Symbolic};

/// What a file says about its model.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Info {
    /// Name of the model.
    pub name: String,
    /// Names of the outputs; missing ones are called `output`, `output.1`, ….
    pub outputs: Vec<String>,
    /// Names of the classes; if there are none, those of the preprocessing.
    pub labels: Vec<String>,
    /// How raw data become inputs.
    pub preprocessing: Option<Preprocessing>,
    /// Anything else.
    pub notes: BTreeMap<String, String>,
}

impl Info {
    /// Entries of the file: `labels` is a JSON list, `preprocessing` a JSON object.
    fn metadata(&self) -> Vec<(String, String)> {
        let mut all = self.notes.clone();
        let classes = self.preprocessing.as_ref().map_or(&[][..], |p| &p.classes);
        let labels = if self.labels.is_empty() { classes } else { &self.labels };
        if !labels.is_empty() {
            all.insert("labels".into(), serde_json::json!(labels).to_string());
        }
        if let Some(p) = &self.preprocessing {
            all.insert("preprocessing".into(), serde_json::json!(p).to_string());
        }
        all.into_iter().collect()
    }
}

/// Writes a model as ONNX (operator set 17), with N for the batch size.
///
/// `model` traces a prediction for a given number of rows and returns the context and the outputs; it is
/// called several times, to see what depends on that number. `params` are the weights, in the order in
/// which the context made them.
///
/// ```
/// use neurona::{Context, DType, Init};
/// let line = |rows: usize| {
///     let cx = Context::new(DType::F32, false);
///     let x = cx.input("x", DType::F32, &[rows, 1]);
///     let y = x.matmul(&cx.param("slope", &[1, 1], Init::Zeros)) + cx.param("offset", &[1], Init::Zeros);
///     (cx, vec![y])
/// };
/// let file = onnx::export(&line, &[vec![2.0], vec![1.0]], &onnx::Info::default())?;
/// assert!(file.len() < 300);
/// # Ok::<(), onnx::Error>(())
/// ```
///
/// # Errors
/// Errors of the trace; weights that do not fit; operations that depend on the batch size in a way that
/// a file cannot say, or that ONNX does not have (random numbers: trace the model for use, not for
/// training).
pub fn export(model: &dyn Fn(usize) -> (Context, Vec<Handle>), params: &[Vec<f32>], info: &Info) -> Result<Vec<u8>> {
    let traces = BATCHES.map(model);
    let ids = |outputs: &[Handle]| outputs.iter().map(Handle::id).collect::<Vec<Id>>();
    let graph = |k: usize| -> Result<_> {
        let (cx, outputs) = &traces[k];
        Ok((cx.tracer().finish()?, ids(outputs)))
    };
    let graphs = [graph(0)?, graph(1)?, graph(2)?];
    let (cx, _) = &traces[0];
    let place = |t: &Handle| graphs[0].0.inputs().iter().position(|&x| x == t.id());
    let weights: HashMap<usize, usize> = cx.params().iter().enumerate().filter_map(|(k, (_, t))| Some((place(t)?, k))).collect();
    check(&cx.params().into_iter().map(|(p, _)| p).collect::<Vec<_>>(), params)?;
    let data: Vec<usize> = cx.data().iter().filter_map(place).collect();
    let sym = Symbolic::new(graphs)?;
    let file = translate(&sym, params, &weights, &data, info)?;
    let proto = Proto {
        producer: ("neurona".into(), env!("CARGO_PKG_VERSION").into()),
        opset: OPSET,
        metadata: info.metadata(),
        graph: file,
        functions: false,
    };
    let bytes = proto.encode();
    if bytes.len() > i32::MAX as usize { Err(Error::TooLarge(bytes.len())) } else { Ok(bytes) }
}

/// Writes a [`Model`], such as a [`Sequential`](neurona::Sequential), as ONNX.
///
/// `rows` are the types of one row of each input; none, if the model knows them itself.
///
/// ```
/// use neurona::prelude::*;
/// let model = Sequential::new(&[2]).layer(Dense::new(1).activation(Activation::Sigmoid));
/// let file = onnx::export_model(&model, &[], &[vec![1.0, -1.0], vec![0.5]], &onnx::Info::default())?;
/// let back = onnx::import(&file)?;
/// assert_eq!(back.predict(&[1, 2], &[0.25, 0.75])?.data, [0.5]);
/// # Ok::<(), onnx::Error>(())
/// ```
///
/// # Errors
/// As [`export`]; a model that does not know its inputs if `rows` is empty.
pub fn export_model(model: &impl Model, rows: &[Type], params: &[Vec<f32>], info: &Info) -> Result<Vec<u8>> {
    let rows = if rows.is_empty() { model.inputs().unwrap_or_default() } else { rows.to_vec() };
    if rows.is_empty() {
        return Err(Error::Array { what: "rows".into(), expected: "the type of one row of each input".into(), got: "none".into() });
    }
    let trace = |batch: usize| {
        let cx = Context::new(DType::F32, false);
        let name = |i: usize| if rows.len() == 1 { "input".to_string() } else { format!("input{i}") };
        let input = |(i, ty): (usize, &Type)| cx.input(&name(i), ty.dtype, &[&[batch], &ty.shape[..]].concat());
        let inputs: Vec<Handle> = rows.iter().enumerate().map(input).collect();
        let output = model.forward(&cx, &inputs);
        (cx, vec![output])
    };
    export(&trace, params, info)
}

/// Whether `values` can be those of `params`.
fn check(params: &[Param], values: &[Vec<f32>]) -> Result<()> {
    if params.len() != values.len() {
        let (expected, got) = (format!("{} arrays", params.len()), values.len().to_string());
        return Err(Error::Array { what: "weights".into(), expected, got });
    }
    match params.iter().zip(values).find(|(p, v)| p.len() != v.len()) {
        None => Ok(()),
        Some((p, v)) => {
            let (expected, got) = (format!("{:?}, {} numbers", p.shape, p.len()), v.len().to_string());
            Err(Error::Array { what: p.name.clone(), expected, got })
        }
    }
}

/// Translates node by node. `weights` maps inputs of the graph to arrays of `params`; `data` lists the
/// inputs that stay inputs.
fn translate(sym: &Symbolic, params: &[Vec<f32>], weights: &HashMap<usize, usize>, data: &[usize], info: &Info) -> Result<File> {
    let mut e = Emitter::new(sym);
    let mut inputs = vec![];
    let mut names = HashMap::new();
    for &k in data {
        let id = sym.graph.inputs()[k];
        if let Op::Input { name, .. } = &sym.graph.node(id).op {
            let name = e.fresh(name);
            e.batch_axis(&name, sym.shape(id));
            inputs.push(finish::port(&name, sym.graph.ty(id).dtype, sym.shape(id)));
            names.insert(id, name);
        }
    }
    let outputs: Vec<String> = (0..sym.outputs.len()).map(|k| e.fresh(info.outputs.get(k).map_or("output", String::as_str))).collect();
    let mut failed = vec![];
    for i in 0..sym.graph.nodes().len() {
        let id = Id(i as u32);
        e.begin(id);
        let place = sym.graph.inputs().iter().position(|&x| x == id);
        let weight = place.and_then(|k| weights.get(&k)).map(|&k| &params[k][..]);
        match lower(&mut e, id, names.get(&id), weight) {
            Ok(view) => e.end(view),
            Err(Error::Unsupported(why)) => {
                failed.extend(why);
                e.end(View::plain("failed".into(), sym.shape(id).len()));
            }
            Err(other) => return Err(other),
        }
    }
    if !failed.is_empty() {
        return Err(Error::Unsupported(failed));
    }
    finish::finish(e, info, inputs, outputs)
}

fn lower(e: &mut Emitter, id: Id, input: Option<&String>, weight: Option<&[f32]>) -> Result<View> {
    let sym = e.sym;
    let node = sym.graph.node(id);
    let args = &node.args;
    match &node.op {
        Op::Input { name, ty } => match (input, weight) {
            (Some(name), _) => Ok(View::plain(name.clone(), ty.rank())),
            (None, Some(values)) => {
                let data = match ty.dtype {
                    DType::F32 => Data::Single(values.to_vec()),
                    _ => Data::Wide(values.iter().map(|&x| f64::from(x)).collect()),
                };
                Ok(View::constant(Tensor { name: name.clone(), element: element(ty.dtype), shape: ty.shape.clone(), data }))
            }
            // The key of the random numbers; what uses it is refused.
            (None, None) => Ok(View::plain(name.clone(), ty.rank())),
        },
        Op::Full { ty, .. } => match sym.fill(id) {
            Fill::Number(x) => Ok(e.scalar(ty.dtype, x)),
            Fill::PerBatch(x) => {
                let (x, n) = (e.scalar(ty.dtype, x), e.count(&[symbolic::Extent { scale: 1, offset: 0 }], ty.dtype)?);
                Ok(e.elementwise("Mul", &[x, n]))
            }
            Fill::OverBatch(x) => {
                let (x, n) = (e.scalar(ty.dtype, x), e.count(&[symbolic::Extent { scale: 1, offset: 0 }], ty.dtype)?);
                Ok(e.elementwise("Div", &[x, n]))
            }
        },
        Op::Iota { axis, ty } => moves::iota(e, id, *axis, ty.dtype),
        Op::Uniform { .. } => e.unsupported("files have no random numbers: trace the model for use, not for training"),
        Op::Unary(u) => Ok(elementwise::unary(e, *u, args[0])),
        Op::Binary(b) => elementwise::binary(e, *b, id, args),
        Op::Compare(c) => Ok(elementwise::compare(e, *c, id, args)),
        Op::Select => Ok(elementwise::select(e, args)),
        Op::Cast(d) => Ok(elementwise::cast(e, *d, args[0])),
        Op::StopGradient => Ok(e.view(args[0])),
        Op::Dot(dot) => contract::dot(e, dot, args, None),
        Op::Conv(conv) => contract::conv(e, conv, args, None),
        Op::Sum(axes) => match window::average(e, id) {
            Some(pooled) => pooled,
            None => moves::sum(e, args[0], axes),
        },
        Op::Max(axes) => match window::max(e, args[0], axes) {
            Some(pooled) => pooled,
            None => Ok(moves::max(e, args[0], axes)),
        },
        Op::Broadcast { dims, .. } => Ok(e.view(args[0]).renamed(|a| dims[a])),
        Op::Transpose(perm) => Ok(e.view(args[0]).renamed(|a| perm.iter().position(|&p| p == a).unwrap_or(a))),
        Op::Reshape(_) => moves::reshape(e, id, args[0]),
        Op::Reverse(axes) => Ok(moves::reverse(e, args[0], axes)),
        Op::Slice { stride, .. } => moves::slice(e, id, args[0], stride),
        Op::Pad { lo, hi, interior, value } => {
            let view = e.all_axes(args[0])?;
            moves::pad(e, &view, sym.shape(args[0]), [lo, hi, interior], value.get(), node.ty.dtype)
        }
        Op::Concat(axis) => moves::concat(e, args, *axis),
        Op::Gather => moves::gather(e, args),
        Op::ScatterAdd { .. } => moves::scatter_add(e, id, args),
        Op::Unfold { window, stride } => window::unfold(e, id, args[0], *window, *stride),
        Op::Fold { stride, .. } => window::fold(e, id, args[0], *stride),
    }
}
