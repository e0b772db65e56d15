//! Tracing node by node, with numbers that are known computed at once.

use super::call::{Call, Fault, Outcome};
use super::value::{FOLD, Item, Kind, Known, Target, bounded, is_pattern, weight};
use super::{Imported, is_weight, label, table};
use crate::model::{Dim, Node, Port, Tensor as Constant, volume};
use crate::{Error, Result};
use graph::{Tensor, eval};
use neurona::Context;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

/// Values by name; None: could not be made.
type Values<'a> = HashMap<&'a str, Option<Item>>;

pub(super) fn trace(model: &Imported, cx: &Context, inputs: &[Tensor]) -> Result<Vec<Tensor>> {
    let g = &model.proto.graph;
    let target = Target::model(cx);
    let mut values = Values::new();
    check(&g.inputs, inputs)?;
    for (port, t) in g.inputs.iter().zip(inputs) {
        let kind = port.element.map_or(Kind::Float, Kind::of);
        let wanted = target.dtype(kind);
        let t = if t.dtype() == wanted { t.clone() } else { t.cast(wanted) };
        values.insert(&port.name, Some(Item::tensor(kind, t)));
    }
    let used: HashSet<&str> = g.nodes.iter().flat_map(|n| &n.inputs).chain(g.outputs.iter().map(|p| &p.name)).map(String::as_str).collect();
    let mut missing = vec![];
    for t in g.initializers.iter().filter(|t| used.contains(t.name.as_str())) {
        let made = initializer(cx, t);
        note(&mut missing, &t.name, "Initializer", made.as_ref().err())?;
        values.insert(&t.name, made.ok());
    }
    for node in &g.nodes {
        let made = step(node, model.proto.opset, &target, &values);
        note(&mut missing, label(node), &node.op, made.as_ref().err())?;
        let mut made = made.ok().flatten().map(Vec::into_iter);
        for name in node.outputs.iter().filter(|o| !o.is_empty()) {
            values.insert(name, made.as_mut().and_then(Iterator::next));
        }
    }
    if !missing.is_empty() {
        return Err(Error::Unsupported(missing));
    }
    cx.tracer().finish()?;
    let output = |p: &Port| match values.get(p.name.as_str()) {
        Some(Some(item)) => target.tensor(item).map_err(|fault| error(&p.name, "output", &fault)),
        _ => Err(error(&p.name, "output", &Fault::Invalid("it has no value".into()))),
    };
    g.outputs.iter().map(output).collect()
}

/// Keeps what is not supported for a common error, and fails at once for what is wrong.
fn note(missing: &mut Vec<String>, node: &str, op: &str, fault: Option<&Fault>) -> Result<()> {
    match fault {
        None => {}
        Some(Fault::Unsupported(why)) => missing.push(format!("{op} (node {node}): {why}")),
        Some(fault) => return Err(error(node, op, fault)),
    }
    Ok(())
}

fn error(node: &str, op: &str, fault: &Fault) -> Error {
    match fault {
        Fault::Unsupported(why) => Error::Unsupported(vec![format!("{op} (node {node}): {why}")]),
        Fault::Invalid(why) => Error::Node { node: node.into(), op: op.into(), why: why.clone() },
    }
}

/// Whether inputs have the shapes that the file declares; the same name stands for the same extent.
fn check(ports: &[Port], inputs: &[Tensor]) -> Result<()> {
    if ports.len() != inputs.len() {
        let (expected, got) = (format!("{} tensors", ports.len()), inputs.len().to_string());
        return Err(Error::Array { what: "inputs".into(), expected, got });
    }
    let mut named: HashMap<String, usize> = HashMap::new();
    for (port, t) in ports.iter().zip(inputs) {
        bounded(t.shape()).map_err(|fault| error(&port.name, "input", &fault))?;
        let Some(shape) = &port.shape else { continue };
        let mut fits = |(d, &n): (&Dim, &usize)| match d {
            Dim::Known(k) => *k == n,
            Dim::Named(name) => name.is_empty() || *named.entry(name.clone()).or_insert(n) == n,
        };
        if shape.len() != t.rank() || !shape.iter().zip(t.shape()).all(&mut fits) {
            let text = |d: &Dim| match d {
                Dim::Known(n) => n.to_string(),
                Dim::Named(name) if name.is_empty() => "?".into(),
                Dim::Named(name) => named.get(name.as_str()).map_or(name.clone(), |n| format!("{name} = {n}")),
            };
            let expected = format!("[{}]", shape.iter().map(text).collect::<Vec<_>>().join(", "));
            return Err(Error::Array { what: port.name.clone(), expected, got: format!("{:?}", t.shape()) });
        }
    }
    Ok(())
}

fn initializer(cx: &Context, t: &Constant) -> Outcome<Item> {
    let kind = Kind::of(t.element);
    let small = t.data.len() <= FOLD;
    let mut item = Item { kind, known: None, tensor: None, weight: is_weight(t), source: Some(t.name.as_str().into()) };
    if small {
        item.known = Some(Rc::new(Known { shape: t.shape.clone(), data: t.data.wide() }));
    }
    if item.weight || !small {
        let data = if kind == Kind::Float { vec![] } else { t.data.wide() };
        item.tensor = Some(weight(cx, &t.name, kind, &t.shape, &data)?);
    }
    Ok(item)
}

/// The results of a node; None if it depends on something that could not be made.
fn step(node: &Node, opset: i64, target: &Target, values: &Values) -> Outcome<Option<Vec<Item>>> {
    let mut inputs = vec![];
    for name in &node.inputs {
        match values.get(name.as_str()) {
            Some(Some(item)) => inputs.push(Some(item.clone())),
            _ if name.is_empty() => inputs.push(None),
            _ => return Ok(None),
        }
    }
    let Some(rule) = table::find(&node.op) else { return Err(Fault::Unsupported("no such operator".into())) };
    let computable = inputs.iter().flatten().all(|x| x.known.is_some() && !x.weight);
    let known = if computable { folded(node, opset, target, &inputs, rule)? } else { None };
    if let Some(items) = &known
        && items.iter().all(|x| x.known.as_deref().is_some_and(is_pattern))
    {
        return Ok(known);
    }
    let call = Call { node, opset, target, inputs };
    let mut items = target.tracer.layer(label(node), || rule(&call))?;
    if items.len() < node.outputs.len() {
        return Err(Fault::Unsupported(format!("{} results", node.outputs.len())));
    }
    if items.iter().any(|x| x.tensor.as_ref().is_some_and(Tensor::is_poisoned)) {
        return Ok(None); // the trace has the error
    }
    for (item, folded) in items.iter_mut().zip(known.into_iter().flatten()) {
        item.known = folded.known;
    }
    Ok(Some(items))
}

/// The results as numbers, if they are few: the node is traced to a graph of its own, which is evaluated.
fn folded(node: &Node, opset: i64, target: &Target, inputs: &[Option<Item>], rule: table::Rule) -> Outcome<Option<Vec<Item>>> {
    let scratch = Target::scratch(target.float);
    let strip = |item: &Item| Item { tensor: None, ..item.clone() };
    let inputs = inputs.iter().map(|x| x.as_ref().map(strip)).collect();
    let items = rule(&Call { node, opset, target: &scratch, inputs })?;
    let Ok(graph) = scratch.tracer.finish() else { return Ok(None) }; // traced again, the error is reported
    let work = graph.nodes().iter().try_fold(0usize, |n, node| n.checked_add(volume(&node.ty.shape)?));
    if work.is_none_or(|n| n > 64 * FOLD) || items.iter().any(|x| volume(x.shape()).is_none_or(|n| n > FOLD)) {
        return Ok(None);
    }
    let bound = scratch.bound.borrow();
    let mut out = vec![];
    for item in &items {
        let Some(t) = &item.tensor else {
            out.push(item.clone());
            continue;
        };
        let Ok(values) = eval::evaluate(&graph, &bound, &[t.id()]) else { return Ok(None) };
        let data = values.into_iter().next().map_or(vec![], |v| v.data);
        out.push(Item::known(item.kind, t.shape(), data));
    }
    Ok(Some(out))
}
