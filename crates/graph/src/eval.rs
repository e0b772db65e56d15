//! The reference evaluator: the meaning of a graph, against which every compiled program is checked.
//!
//! Each operation is computed in `f64` and rounded once to its element type.

use crate::{Error, Graph, Id, Op, Result, Value};

/// Values of `outputs`, given one value per input of the graph, in declaration order.
///
/// # Errors
/// Inputs whose number, element type or shape differs from the declaration.
pub fn evaluate(g: &Graph, inputs: &[Value], outputs: &[Id]) -> Result<Vec<Value>> {
    if inputs.len() != g.inputs().len() {
        let (expected, got) = (format!("{} values", g.inputs().len()), format!("{}", inputs.len()));
        return Err(Error::Input { name: "list".into(), expected, got });
    }
    let mut values: Vec<Option<Value>> = vec![None; g.nodes().len()];
    for (&id, value) in g.inputs().iter().zip(inputs) {
        if *g.ty(id) != value.ty {
            let name = if let Op::Input { name, .. } = &g.node(id).op { name.clone() } else { id.to_string() };
            return Err(Error::Input { name, expected: g.ty(id).to_string(), got: value.ty.to_string() });
        }
        values[id.index()] = Some(value.clone());
    }
    let live = g.live(outputs);
    for (i, node) in g.nodes().iter().enumerate() {
        if !live[i] || values[i].is_some() {
            continue;
        }
        let args: Vec<&Value> = node.args.iter().filter_map(|a| values[a.index()].as_ref()).collect();
        let data = node.op.eval(&args, &node.ty);
        values[i] = Some(Value::new(node.ty.dtype, &node.ty.shape, data));
    }
    Ok(outputs.iter().filter_map(|o| values[o.index()].clone()).collect())
}
