//! What can go wrong on the way to an ONNX file and back.

/// Why a model cannot be written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A model that cannot be traced: the message names the layer and the shapes.
    #[error(transparent)]
    Trace(#[from] graph::Error),
    /// A model that cannot be compiled or run.
    #[error(transparent)]
    Run(#[from] neurona::CpuError),
    /// A model whose graph depends on the batch size in a way that a file cannot say.
    #[error("{node}: {why}; make the model treat every row of the batch alike")]
    Batch {
        /// The equation.
        node: String,
        /// What depends on the batch size, and how.
        why: String,
    },
    /// Operations that cannot be expressed: all of them.
    #[error("unsupported: {}", .0.join("; "))]
    Unsupported(Vec<String>),
    /// Arrays that do not fit the model.
    #[error("{what}: expected {expected}, got {got}")]
    Array {
        /// Which array.
        what: String,
        /// What the model has.
        expected: String,
        /// What was given.
        got: String,
    },
    /// Bytes that are no ONNX model.
    #[error("no valid ONNX model: {place}: {why}; copy or export the file again")]
    Malformed {
        /// The part of the file.
        place: String,
        /// What is wrong with it.
        why: String,
    },
    /// A node whose operands or attributes it cannot have.
    #[error("node {node} ({op}): {why}")]
    Node {
        /// The node's name.
        node: String,
        /// Its operator.
        op: String,
        /// What does not fit, and the fix.
        why: String,
    },
    /// A model of 2 GiB or more, which the format cannot hold.
    #[error("the model has {0} bytes, but a protocol buffer holds at most 2147483647: make the network smaller")]
    TooLarge(usize),
}

/// What a fallible function of this crate returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;
