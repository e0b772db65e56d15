//! The last steps of an export: outputs get their names, and what no output needs is dropped.

use super::Info;
use super::emitter::{Emitter, element};
use super::symbolic::Extent;
use crate::Result;
use crate::model::{Dim, Graph, Port};
use graph::DType;
use std::collections::HashSet;

/// An input or output with formulas for extents.
pub(super) fn port(name: &str, dtype: DType, shape: &[Extent]) -> Port {
    let dim = |e: &Extent| e.known().map_or_else(|| Dim::Named(e.label()), Dim::Known);
    Port { name: name.into(), element: Some(element(dtype)), shape: Some(shape.iter().map(dim).collect()) }
}

pub(super) fn finish(mut e: Emitter, info: &Info, inputs: Vec<Port>, outputs: Vec<String>) -> Result<Graph> {
    let sym = e.sym;
    let mut ports = vec![];
    for (&id, name) in sym.outputs.iter().zip(outputs) {
        e.begin(id);
        let value = e.in_order(id)?;
        let made = e.nodes.iter_mut().find(|n| n.outputs[0] == value);
        match made {
            // A value that is already an output cannot be renamed again.
            Some(node) if !ports.iter().any(|p: &Port| p.name == value) => {
                node.outputs[0] = name.clone();
                let uses = e.nodes.iter_mut().flat_map(|n| &mut n.inputs).filter(|x| **x == value);
                uses.for_each(|x| *x = name.clone());
                e.renamed(&value, &name);
            }
            _ => {
                let copy = e.node("Identity", &[&value], vec![]);
                if let Some(last) = e.nodes.last_mut() {
                    last.outputs[0] = name.clone();
                }
                e.renamed(&copy, &name);
            }
        }
        ports.push(port(&name, sym.graph.ty(id).dtype, sym.shape(id)));
    }
    let mut needed: HashSet<String> = ports.iter().map(|p| p.name.clone()).collect();
    let mut nodes = vec![];
    for node in e.nodes.into_iter().rev() {
        if node.outputs.iter().any(|o| needed.contains(o)) {
            needed.extend(node.inputs.iter().cloned());
            nodes.push(node);
        }
    }
    nodes.reverse();
    let initializers = e.initializers.into_iter().filter(|t| needed.contains(&t.name)).collect();
    let name = if info.name.is_empty() { "model".to_string() } else { info.name.clone() };
    Ok(Graph { name, nodes, initializers, inputs, outputs: ports, sparse: false })
}
