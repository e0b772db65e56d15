//! Errors raised while a graph is traced: they name the layer, the operation, the shapes and the fix.

use crate::Type;

/// What went wrong with a graph, and where.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// Operands that an operation cannot take.
    #[error("{}{op}{}: {why}", at(layer), operands(types))]
    Operands {
        /// Name of the operation.
        op: &'static str,
        /// Path of the layer that was being traced, empty outside layers.
        layer: String,
        /// Types of the operands.
        types: Vec<Type>,
        /// What does not fit, and the fix.
        why: String,
    },
    /// Several errors of one trace, in the order in which they occurred.
    #[error("{}", .0.iter().map(|e| e.to_string()).collect::<Vec<_>>().join("\n"))]
    Many(Vec<Error>),
    /// Values given to the evaluator that do not fit the graph's inputs.
    #[error("input {name}: expected {expected}, got {got}")]
    Input {
        /// Name of the input.
        name: String,
        /// What the graph declares.
        expected: String,
        /// What was given.
        got: String,
    },
    /// A node that breaks an invariant of the graph (a bug of the pass that made it).
    #[error("invalid graph at {node}: {why}")]
    Invalid {
        /// The printed equation.
        node: String,
        /// The broken invariant.
        why: String,
    },
}

fn at(layer: &str) -> String {
    if layer.is_empty() { String::new() } else { format!("layer {layer}: ") }
}

fn operands(types: &[Type]) -> String {
    let list: Vec<String> = types.iter().map(Type::to_string).collect();
    if list.is_empty() { String::new() } else { format!(" of {}", list.join(" and ")) }
}
