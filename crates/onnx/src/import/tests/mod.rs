//! Operators that exports do not contain, against the examples of ONNX's documentation and values computed by
//! hand; and extreme numbers in every attribute and constant. ONNX's own thousand cases run in
//! `.ci/onnx_check.py`.

mod cases;

use super::*;
use crate::model::{Graph, Node};
use cases::{Attributes, Given, all, count, ints, list};
use neurona::Arg;

/// A file of one node.
fn file(op: &str, opset: i64, attributes: Attributes, given: &[Given], outputs: usize) -> Proto {
    let name = |i: usize| format!("x{i}");
    let mut graph = Graph {
        nodes: vec![Node {
            op: op.into(),
            inputs: (0..given.len()).map(name).collect(),
            outputs: (0..outputs).map(|i| format!("y{i}")).collect(),
            attributes: attributes.into_iter().map(|(k, v)| (k.to_string(), v)).collect(),
            ..Node::default()
        }],
        outputs: (0..outputs).map(|i| Raw { name: format!("y{i}"), ..Raw::default() }).collect(),
        ..Graph::default()
    };
    for (i, g) in given.iter().enumerate() {
        if g.constant {
            let data = Data::Wide(g.values.clone());
            graph.initializers.push(Tensor { name: name(i), element: g.element, shape: g.shape.clone(), data });
        } else {
            graph.inputs.push(Raw { name: name(i), element: Some(g.element), shape: None });
        }
    }
    Proto { opset, graph, ..Proto::default() }
}

fn run(op: &str, opset: i64, attributes: Attributes, given: &[Given], outputs: usize) -> Result<Vec<Prediction>> {
    let model = import(&file(op, opset, attributes, given, outputs).encode())?;
    let data: Vec<&Given> = given.iter().filter(|g| !g.constant).collect();
    let shapes: Vec<&[usize]> = data.iter().map(|g| &g.shape[..]).collect();
    let floats: Vec<Vec<f32>> = data.iter().map(|g| g.values.iter().map(|&x| x as f32).collect()).collect();
    model.compile(&shapes, 1)?.run(&floats.iter().map(|f| Arg::F32(f)).collect::<Vec<_>>())
}

#[test]
fn operators_give_the_documented_results() {
    let mut wrong = vec![];
    for (i, c) in all().into_iter().enumerate() {
        let outputs = if c.op == "Split" { 2 } else { 1 };
        match run(c.op, c.opset, c.attributes, &c.given, outputs) {
            Err(e) => wrong.push(format!("{i} {}: {e}", c.op)),
            Ok(got) => {
                let near = got[0].data.iter().zip(&c.want.1).all(|(&a, &b)| (f64::from(a) - b).abs() <= 1e-6 * b.abs().max(1.0));
                if got[0].shape != c.want.0 || got[0].data.len() != c.want.1.len() || !near {
                    wrong.push(format!("{i} {}: {:?} {:?}, expected {:?}", c.op, got[0].shape, got[0].data, c.want));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Numbers that files should not contain, in each place where one stands.
#[test]
fn extreme_numbers_never_panic() {
    let extremes = [-1, 0, 7, 1 << 24, 1 << 31, 1 << 40, i64::MAX, i64::MIN];
    let mut refused = 0;
    for c in all() {
        let base = file(c.op, c.opset, c.attributes, &c.given, 1);
        let shapes: Vec<&[usize]> = c.given.iter().filter(|g| !g.constant).map(|g| &g.shape[..]).collect();
        for x in extremes {
            for broken in variants(&base, x) {
                let Ok(model) = import(&broken.encode()) else { continue };
                let cx = Context::new(DType::F32, false);
                let inputs: Vec<Handle> = model.inputs().iter().zip(&shapes).map(|(p, s)| cx.input(&p.name, p.dtype, s)).collect();
                refused += usize::from(model.trace(&cx, &inputs).is_err());
            }
        }
    }
    assert!(refused > 300, "{refused}");
}

/// The file with one number of an attribute or of a constant replaced by `x`, for each of them.
fn variants(base: &Proto, x: i64) -> Vec<Proto> {
    let mut all = vec![];
    for (k, (_, attribute)) in base.graph.nodes[0].attributes.iter().enumerate() {
        let places = if let Attribute::Ints(list) = attribute { list.len() } else { 1 };
        for i in 0..places {
            let mut p = base.clone();
            match &mut p.graph.nodes[0].attributes[k].1 {
                Attribute::Int(n) => *n = x,
                Attribute::Ints(list) => list[i] = x,
                Attribute::Float(f) => *f = x as f32,
                _ => continue,
            }
            all.push(p);
        }
    }
    for (k, t) in base.graph.initializers.iter().enumerate() {
        for i in 0..t.data.len() {
            let mut p = base.clone();
            if let Data::Wide(data) = &mut p.graph.initializers[k].data {
                data[i] = x as f64;
            }
            all.push(p);
        }
    }
    all
}

#[test]
fn everything_that_is_missing_is_reported_at_once() {
    let mut proto = file("Relu", 13, vec![], &[count(&[2])], 1);
    for (op, name) in [("FancyOp", "first"), ("Sin", "fine"), ("Loop", "second")] {
        let node = Node { op: op.into(), name: name.into(), inputs: vec!["y0".into()], outputs: vec![name.into()], ..Node::default() };
        proto.graph.nodes.push(node);
    }
    let error = import(&proto.encode()).unwrap_err().to_string();
    assert!(error.contains("FancyOp (node first)") && error.contains("Loop (node second)") && !error.contains("Sin"), "{error}");

    // Uses of known operators that the graph does not cover are found when the model is traced.
    let mut proto = file("Relu", 13, vec![], &[count(&[1, 1, 4])], 1);
    for (op, name) in [("MaxPool", "pool"), ("Resize", "resize")] {
        let attributes = vec![("kernel_shape".to_string(), list(&[2])), ("mode".to_string(), Attribute::Text("cubic".into()))];
        let outputs = vec![name.to_string(), format!("{name}_places")];
        proto.graph.nodes.push(Node {
            op: op.into(),
            name: name.into(),
            inputs: vec!["y0".into()],
            outputs,
            attributes,
            ..Node::default()
        });
    }
    let error = import(&proto.encode()).unwrap().compile(&[&[1, 1, 4]], 1).err().unwrap().to_string();
    assert!(error.contains("node pool") && error.contains("node resize"), "{error}");
}

#[test]
fn an_input_that_must_be_a_constant_can_be_fixed() {
    let shape = Given { constant: false, ..ints(&[3, 2]) };
    let mut model = import(&file("Reshape", 14, vec![], &[count(&[2, 3]), shape], 1).encode()).unwrap();
    let error = model.compile(&[&[2, 3], &[2]], 1).err().unwrap().to_string();
    assert!(error.contains("x1") && error.contains("fix"), "{error}");
    model.fix("x1", &[2], &[3.0, 2.0]).unwrap();
    assert_eq!(model.predict(&[2, 3], &[0.0; 6]).unwrap().shape, [3, 2]);
}

#[test]
fn names_that_do_not_add_up_are_refused() {
    let base = || file("Relu", 13, vec![], &[count(&[2])], 1);
    let mut later = base();
    later.graph.nodes[0].inputs[0] = "y0".into();
    let mut twice = base();
    twice.graph.nodes.push(twice.graph.nodes[0].clone());
    let mut lost = base();
    lost.graph.outputs[0].name = "z".into();
    for proto in [later, twice, lost] {
        assert!(matches!(import(&proto.encode()), Err(Error::Malformed { .. })));
    }
    assert!(matches!(import(b""), Err(Error::Malformed { .. })));
}
