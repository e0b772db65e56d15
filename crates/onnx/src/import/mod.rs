//! From a file to a traced model.

mod call;
mod image;
mod index;
mod matrix;
mod normalize;
mod pad;
mod pointwise;
mod pool;
mod reduce;
mod resize;
mod shape;
mod table;
#[cfg(test)]
mod tests;
mod trace;
mod value;

use crate::model::{Attribute, Data, Dim, Element, Model as Proto, Port as Raw, Tensor};
use crate::{Error, Result};
use graph::{DType, Tensor as Handle};
use neurona::{Arg, Context, Function, Model, Param, Prediction};
use std::collections::{HashMap, HashSet};
pub(crate) use value::Kind;

/// An input or output of a model.
#[derive(Clone, Debug, PartialEq)]
pub struct Port {
    /// Its name.
    pub name: String,
    /// Element type in the graph: floats of any width have the type of the weights, integers and truth
    /// values are `I32`.
    pub dtype: DType,
    /// Extents, as far as the file gives them; None if it does not even give their number.
    pub shape: Option<Vec<Option<usize>>>,
}

/// A model that was read from a file. It can be traced for any batch size, run, and trained further.
///
/// ```
/// use neurona::prelude::*;
/// let model = Sequential::new(&[2]).layer(Dense::new(1));
/// let file = onnx::export_model(&model, &[], &[vec![2.0, 3.0], vec![1.0]], &onnx::Info::default())?;
/// let model = onnx::import(&file)?;
/// assert_eq!(model.inputs()[0].shape, Some(vec![None, Some(2)]));
/// let y = model.predict(&[2, 2], &[1.0, 1.0, 0.0, 5.0])?;
/// assert_eq!((y.shape, y.data), (vec![2, 1], vec![6.0, 16.0]));
/// # Ok::<(), onnx::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Imported {
    proto: Proto,
    /// Names and their places among the initializers.
    constants: HashMap<String, usize>,
}

/// Reads a model.
///
/// # Errors
/// Bytes that are no valid model; all operators that are not supported, with the names of their nodes.
pub fn import(bytes: &[u8]) -> Result<Imported> {
    let malformed = |place: &str, why: String| Error::Malformed { place: place.into(), why };
    let mut proto = Proto::decode(bytes).map_err(|why| malformed("the file", why))?;
    let mut missing = vec![];
    if proto.functions {
        missing.push("operators that the file defines itself (functions)".to_string());
    }
    if proto.graph.sparse {
        missing.push("sparse initializers".into());
    }
    for node in &proto.graph.nodes {
        if table::find(&node.op).is_none() || !crate::model::is_default(&node.domain) {
            let domain = if node.domain.is_empty() { String::new() } else { format!("{}.", node.domain) };
            missing.push(format!("{domain}{} (node {})", node.op, label(node)));
        }
    }
    if !missing.is_empty() {
        return Err(Error::Unsupported(missing));
    }
    settle_constants(&mut proto);
    let constants: HashMap<String, usize> = proto.graph.initializers.iter().enumerate().map(|(i, t)| (t.name.clone(), i)).collect();
    // Before version 4 of the format, initializers are listed among the inputs.
    proto.graph.inputs.retain(|p| !constants.contains_key(&p.name));
    check_names(&proto)?;
    Ok(Imported { proto, constants })
}

/// How people find a node: by its name, or by its result if it has none.
fn label(node: &crate::model::Node) -> &str {
    if node.name.is_empty() { node.outputs.first().map_or("without outputs", String::as_str) } else { &node.name }
}

/// Turns Constant nodes that hold a tensor into initializers.
fn settle_constants(proto: &mut Proto) {
    let nodes = std::mem::take(&mut proto.graph.nodes);
    for mut node in nodes {
        match (&mut node.attributes[..], &node.outputs[..]) {
            ([(name, Attribute::Tensor(t))], [output]) if node.op == "Constant" && name == "value" => {
                t.name = output.clone();
                proto.graph.initializers.push(t.clone());
            }
            _ => proto.graph.nodes.push(node),
        }
    }
}

/// Every value must be made before it is used, and only once.
fn check_names(proto: &Proto) -> Result<()> {
    let malformed = |place: &str, why: String| Err(Error::Malformed { place: place.into(), why });
    let g = &proto.graph;
    let mut made = HashSet::new();
    for name in g.initializers.iter().map(|t| &t.name).chain(g.inputs.iter().map(|p| &p.name)) {
        if !made.insert(name) {
            return malformed("the graph", format!("there are two values {name}"));
        }
    }
    for node in &g.nodes {
        if let Some(x) = node.inputs.iter().find(|x| !x.is_empty() && !made.contains(x)) {
            return malformed(label(node), format!("its operand {x} is not made before it"));
        }
        if node.outputs.is_empty() {
            return malformed(label(node), "it has no outputs".into());
        }
        for name in node.outputs.iter().filter(|o| !o.is_empty()) {
            if !made.insert(name) {
                return malformed(label(node), format!("there are two values {name}"));
            }
        }
    }
    match g.outputs.iter().find(|p| !made.contains(&p.name)) {
        Some(p) => malformed("the graph", format!("its output {} is not made", p.name)),
        None if g.outputs.is_empty() => malformed("the graph", "it has no outputs".into()),
        None => Ok(()),
    }
}

impl Imported {
    /// Name, type and shape of each input.
    pub fn inputs(&self) -> Vec<Port> {
        self.proto.graph.inputs.iter().map(public).collect()
    }

    /// Name, type and shape of each output.
    pub fn outputs(&self) -> Vec<Port> {
        self.proto.graph.outputs.iter().map(public).collect()
    }

    /// What the file says about its model: labels, preprocessing and other notes, by name.
    pub fn notes(&self) -> &[(String, String)] {
        &self.proto.metadata
    }

    /// Names and shapes of the weights.
    pub fn weights(&self) -> impl Iterator<Item = (&str, &[usize])> {
        self.proto.graph.initializers.iter().filter(|t| is_weight(t)).map(|t| (t.name.as_str(), &t.shape[..]))
    }

    /// Makes an input a constant, as the shapes of a graph must be.
    ///
    /// # Errors
    /// An input that the model does not have; numbers that do not fill the shape.
    pub fn fix(&mut self, input: &str, shape: &[usize], values: &[f64]) -> Result<()> {
        let inputs = &mut self.proto.graph.inputs;
        let Some(place) = inputs.iter().position(|p| p.name == input) else {
            let names: Vec<&str> = inputs.iter().map(|p| p.name.as_str()).collect();
            return Err(Error::Array { what: "input".into(), expected: names.join(" or "), got: input.into() });
        };
        if crate::model::volume(shape) != Some(values.len()) {
            let (expected, got) = (format!("the numbers of {shape:?}"), values.len().to_string());
            return Err(Error::Array { what: input.into(), expected, got });
        }
        let element = inputs.remove(place).element.unwrap_or(Element::Float);
        let t = Tensor { name: input.into(), element, shape: shape.to_vec(), data: Data::Wide(values.to_vec()) };
        self.constants.insert(input.into(), self.proto.graph.initializers.len());
        self.proto.graph.initializers.push(t);
        Ok(())
    }

    /// Adds the model to a trace, for inputs of these shapes. Weights become parameters of the context under
    /// their names; [`Imported::params`] gives their values.
    ///
    /// # Errors
    /// Inputs that do not fit; all uses of operators that are not supported; errors of the trace.
    pub fn trace(&self, cx: &Context, inputs: &[Handle]) -> Result<Vec<Handle>> {
        trace::trace(self, cx, inputs)
    }

    /// The values of parameters that [`Imported::trace`] made.
    ///
    /// # Errors
    /// A parameter that is none of this model's.
    pub fn params(&self, params: &[Param]) -> Result<Vec<Vec<f32>>> {
        let value = |p: &Param| {
            // Within a larger model the name comes after a path.
            let suffix = p.name.match_indices('/').map(|(i, _)| &p.name[i + 1..]);
            let place = std::iter::once(&p.name[..]).chain(suffix).find_map(|name| self.constants.get(name));
            let tensor = place.map(|&i| &self.proto.graph.initializers[i]).filter(|t| t.shape == p.shape);
            let Some(t) = tensor else {
                let expected = "a weight of the imported model".to_string();
                return Err(Error::Array { what: p.name.clone(), expected, got: format!("another parameter of shape {:?}", p.shape) });
            };
            Ok((0..t.data.len()).map(|i| t.data.get(i) as f32).collect())
        };
        params.iter().map(value).collect()
    }

    /// Compiles the model for inputs of these shapes, batch included.
    ///
    /// # Errors
    /// As [`Imported::trace`].
    pub fn compile(&self, shapes: &[&[usize]], threads: usize) -> Result<Predictor> {
        let cx = Context::new(DType::F32, false);
        let ports = self.inputs();
        if ports.len() != shapes.len() {
            let (expected, got) = (format!("{} shapes", ports.len()), shapes.len().to_string());
            return Err(Error::Array { what: "inputs".into(), expected, got });
        }
        let inputs: Vec<Handle> = ports.iter().zip(shapes).map(|(p, shape)| cx.input(&p.name, p.dtype, shape)).collect();
        let outputs = self.trace(&cx, &inputs)?;
        let function = Function::compile(&cx, &outputs.iter().collect::<Vec<_>>(), threads)?;
        let params = self.params(&cx.params().into_iter().map(|(p, _)| p).collect::<Vec<_>>())?;
        Ok(Predictor { function, params, shapes: outputs.iter().map(|t| t.shape().to_vec()).collect() })
    }

    /// The first output for one input of this shape.
    ///
    /// # Errors
    /// As [`Imported::compile`]; a model of several inputs; numbers that do not fill the shape.
    pub fn predict(&self, shape: &[usize], data: &[f32]) -> Result<Prediction> {
        let mut predictor = self.compile(&[shape], 0)?;
        let whole: Vec<i32>;
        let arg = match self.inputs()[0].dtype {
            DType::I32 => {
                whole = data.iter().map(|&x| x as i32).collect();
                Arg::I32(&whole)
            }
            _ => Arg::F32(data),
        };
        Ok(predictor.run(&[arg])?.swap_remove(0))
    }
}

/// Weights can be trained: floats with at least one axis. Single numbers are constants.
fn is_weight(t: &Tensor) -> bool {
    t.element.is_float() && !t.shape.is_empty()
}

fn public(p: &Raw) -> Port {
    let dtype = if p.element.is_none_or(|e| Kind::of(e) == Kind::Float) { DType::F32 } else { DType::I32 };
    let dim = |d: &Dim| if let Dim::Known(n) = d { Some(*n) } else { None };
    Port { name: p.name.clone(), dtype, shape: p.shape.as_ref().map(|s| s.iter().map(dim).collect()) }
}

/// An imported model, compiled.
pub struct Predictor {
    function: Function,
    params: Vec<Vec<f32>>,
    shapes: Vec<Vec<usize>>,
}

impl Predictor {
    /// All outputs for these inputs.
    ///
    /// # Errors
    /// Inputs of other number, type or length than compiled for.
    pub fn run(&mut self, inputs: &[Arg]) -> Result<Vec<Prediction>> {
        let data = self.function.run(&self.params, inputs)?;
        Ok(self.shapes.iter().zip(data).map(|(shape, data)| Prediction { shape: shape.clone(), data }).collect())
    }
}

/// The first output of an imported model, to be trained further: start from the weights that
/// [`Imported::params`] gives.
impl Model for Imported {
    fn forward(&self, cx: &Context, inputs: &[Handle]) -> Handle {
        match self.trace(cx, inputs) {
            Ok(outputs) => outputs[0].clone(),
            Err(Error::Trace(_)) => cx.tracer().error("onnx", &[], "the imported model cannot be traced".into()),
            Err(e) => cx.tracer().error("onnx", &inputs.iter().collect::<Vec<_>>(), e.to_string()),
        }
    }
}
