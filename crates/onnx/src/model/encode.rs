//! From a model to the bytes of a file. The numbers are those of the fields in `onnx.proto`.

use super::{Attribute, Dim, Graph, IR, Model, Node, Port, Tensor};
use crate::proto::Writer;

impl Model {
    pub fn encode(&self) -> Vec<u8> {
        let mut w = Writer::default();
        w.int(1, IR);
        w.text(2, &self.producer.0);
        w.text(3, &self.producer.1);
        w.message(7, |w| self.graph.encode(w));
        w.message(8, |w| w.int(2, self.opset));
        for (key, value) in &self.metadata {
            w.message(14, |w| {
                w.text(1, key);
                w.text(2, value);
            });
        }
        w.0
    }
}

impl Graph {
    fn encode(&self, w: &mut Writer) {
        self.nodes.iter().for_each(|n| w.message(1, |w| n.encode(w)));
        w.text(2, &self.name);
        self.initializers.iter().for_each(|t| w.message(5, |w| t.encode(w)));
        self.inputs.iter().for_each(|p| w.message(11, |w| p.encode(w)));
        self.outputs.iter().for_each(|p| w.message(12, |w| p.encode(w)));
    }
}

impl Node {
    fn encode(&self, w: &mut Writer) {
        self.inputs.iter().for_each(|x| w.bytes(1, x.as_bytes())); // an empty name is an operand left out
        self.outputs.iter().for_each(|x| w.bytes(2, x.as_bytes()));
        w.text(3, &self.name);
        w.text(4, &self.op);
        for (name, value) in &self.attributes {
            w.message(5, |w| {
                w.text(1, name);
                value.encode(w);
            });
        }
        w.text(7, &self.domain);
    }
}

impl Attribute {
    fn encode(&self, w: &mut Writer) {
        let kind = match self {
            Attribute::Float(x) => {
                w.float(2, *x);
                1
            }
            Attribute::Int(x) => {
                w.int(3, *x);
                2
            }
            Attribute::Text(x) => {
                w.bytes(4, x.as_bytes());
                3
            }
            Attribute::Tensor(t) => {
                w.message(5, |w| t.encode(w));
                4
            }
            Attribute::Floats(x) => {
                x.iter().for_each(|&x| w.float(7, x));
                6
            }
            Attribute::Ints(x) => {
                x.iter().for_each(|&x| w.int(8, x));
                7
            }
            Attribute::Other => 0,
        };
        w.int(20, kind);
    }
}

impl Tensor {
    fn encode(&self, w: &mut Writer) {
        self.shape.iter().for_each(|&d| w.int(1, d as i64));
        w.int(2, self.element as i64);
        w.text(8, &self.name);
        w.bytes(9, &self.raw());
    }
}

impl Port {
    fn encode(&self, w: &mut Writer) {
        w.text(1, &self.name);
        let Some(element) = self.element else { return };
        w.message(2, |w| {
            w.message(1, |w| {
                w.int(1, element as i64);
                let Some(shape) = &self.shape else { return };
                w.message(2, |w| shape.iter().for_each(|d| w.message(1, |w| d.encode(w))));
            });
        });
    }
}

impl Dim {
    fn encode(&self, w: &mut Writer) {
        match self {
            Dim::Known(n) => w.int(1, *n as i64),
            Dim::Named(name) => w.text(2, name),
        }
    }
}
