//! The parts of an ONNX file (<https://github.com/onnx/onnx/blob/main/onnx/onnx.proto>), written and read.

mod decode;
mod encode;
mod tensor;

pub(crate) use decode::is_default;
pub(crate) use tensor::{Data, Element, Tensor, volume};

/// Operator set that exported files use. Every runtime of the last years reads it.
pub(crate) const OPSET: i64 = 17;

/// Version of the file format that goes with [`OPSET`].
pub(crate) const IR: i64 = 8;

/// A file.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Model {
    pub producer: (String, String),
    /// Operator set of the default domain.
    pub opset: i64,
    pub metadata: Vec<(String, String)>,
    pub graph: Graph,
    /// Whether the file defines operators of its own, which is not supported.
    pub functions: bool,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Graph {
    pub name: String,
    pub nodes: Vec<Node>,
    pub initializers: Vec<Tensor>,
    pub inputs: Vec<Port>,
    pub outputs: Vec<Port>,
    /// Names of sparse initializers, which are not supported.
    pub sparse: bool,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Node {
    pub op: String,
    pub domain: String,
    pub name: String,
    pub inputs: Vec<String>,
    pub outputs: Vec<String>,
    pub attributes: Vec<(String, Attribute)>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Attribute {
    Int(i64),
    Float(f32),
    Text(String),
    Tensor(Tensor),
    Ints(Vec<i64>),
    Floats(Vec<f32>),
    /// Graphs, lists of texts and other things that no supported operator has.
    Other,
}

/// A graph's input or output.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Port {
    pub name: String,
    /// None: a sequence, a map or an optional value.
    pub element: Option<Element>,
    /// None: of unknown rank.
    pub shape: Option<Vec<Dim>>,
}

/// An extent of a port.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Dim {
    Known(usize),
    /// A name; empty if the file does not even name it.
    Named(String),
}
