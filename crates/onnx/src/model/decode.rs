//! From the bytes of a file to a model. Unknown fields are passed over, as the format demands.

use super::tensor::Parts;
use super::{Attribute, Dim, Element, Graph, Model, Node, Port, Tensor};
use crate::proto::{Fields, Malformed};

type Read<T> = Result<T, Malformed>;

/// Calls `f` with each field of a message.
fn each<'a>(bytes: &'a [u8], mut f: impl FnMut(u32, crate::proto::Value<'a>) -> Read<()>) -> Read<()> {
    Fields(bytes).try_for_each(|field| {
        let (number, value) = field?;
        f(number, value)
    })
}

impl Model {
    pub fn decode(bytes: &[u8]) -> Read<Model> {
        let mut m = Model::default();
        let mut graphs = 0;
        each(bytes, |field, v| {
            match field {
                2 => m.producer.0 = v.text()?,
                3 => m.producer.1 = v.text()?,
                7 => {
                    graphs += 1;
                    m.graph = Graph::decode(v.bytes()?)?;
                }
                8 => {
                    let (mut domain, mut version) = (String::new(), 0);
                    each(v.bytes()?, |field, v| {
                        match field {
                            1 => domain = v.text()?,
                            2 => version = v.int()?,
                            _ => {}
                        }
                        Ok(())
                    })?;
                    if is_default(&domain) {
                        m.opset = version;
                    }
                }
                14 => m.metadata.push(pair(v.bytes()?)?),
                25 => m.functions = true,
                _ => {}
            }
            Ok(())
        })?;
        if graphs == 1 { Ok(m) } else { Err(format!("it has {graphs} graphs instead of one")) }
    }
}

/// Whether the operators of this domain are ONNX's own.
pub(crate) fn is_default(domain: &str) -> bool {
    domain.is_empty() || domain == "ai.onnx"
}

fn pair(bytes: &[u8]) -> Read<(String, String)> {
    let mut pair = (String::new(), String::new());
    each(bytes, |field, v| {
        match field {
            1 => pair.0 = v.text()?,
            2 => pair.1 = v.text()?,
            _ => {}
        }
        Ok(())
    })?;
    Ok(pair)
}

impl Graph {
    fn decode(bytes: &[u8]) -> Read<Graph> {
        let mut g = Graph::default();
        each(bytes, |field, v| {
            match field {
                1 => g.nodes.push(Node::decode(v.bytes()?)?),
                2 => g.name = v.text()?,
                5 => g.initializers.push(Tensor::decode(v.bytes()?)?),
                11 => g.inputs.push(Port::decode(v.bytes()?)?),
                12 => g.outputs.push(Port::decode(v.bytes()?)?),
                15 => g.sparse = true,
                _ => {}
            }
            Ok(())
        })?;
        Ok(g)
    }
}

impl Node {
    fn decode(bytes: &[u8]) -> Read<Node> {
        let mut n = Node::default();
        each(bytes, |field, v| {
            match field {
                1 => n.inputs.push(v.text()?),
                2 => n.outputs.push(v.text()?),
                3 => n.name = v.text()?,
                4 => n.op = v.text()?,
                5 => n.attributes.push(attribute(v.bytes()?)?),
                7 => n.domain = v.text()?,
                _ => {}
            }
            Ok(())
        })?;
        Ok(n)
    }
}

fn attribute(bytes: &[u8]) -> Read<(String, Attribute)> {
    let (mut name, mut kind, mut text) = (String::new(), 0, String::new());
    let (mut float, mut int, mut tensor) = (0.0, 0, None);
    let (mut floats, mut ints) = (vec![], vec![]);
    each(bytes, |field, v| {
        match field {
            1 => name = v.text()?,
            2 => float = v.float()?,
            3 => int = v.int()?,
            4 => text = v.text().unwrap_or_default(), // may be any bytes
            5 => tensor = Some(v.bytes()?),
            7 => v.floats(&mut floats)?,
            8 => v.ints(&mut ints)?,
            20 => kind = v.int()?,
            _ => {}
        }
        Ok(())
    })?;
    let value = match kind {
        1 => Attribute::Float(float),
        2 => Attribute::Int(int),
        3 => Attribute::Text(text),
        4 => Attribute::Tensor(Tensor::decode(tensor.ok_or_else(|| format!("attribute {name} has no tensor"))?)?),
        6 => Attribute::Floats(floats),
        7 => Attribute::Ints(ints),
        _ => Attribute::Other,
    };
    Ok((name, value))
}

impl Tensor {
    pub fn decode(bytes: &[u8]) -> Read<Tensor> {
        let mut parts = Parts::default();
        each(bytes, |field, v| parts.field(field, v))?;
        parts.build()
    }
}

impl Port {
    fn decode(bytes: &[u8]) -> Read<Port> {
        let mut p = Port::default();
        each(bytes, |field, v| {
            match field {
                1 => p.name = v.text()?,
                2 => each(v.bytes()?, |field, v| if field == 1 { p.tensor(v.bytes()?) } else { Ok(()) })?,
                _ => {}
            }
            Ok(())
        })?;
        Ok(p)
    }

    fn tensor(&mut self, bytes: &[u8]) -> Read<()> {
        each(bytes, |field, v| {
            match field {
                1 => self.element = Element::of(v.int()?).ok(),
                2 => {
                    let mut shape = vec![];
                    each(v.bytes()?, |field, v| {
                        if field == 1 {
                            shape.push(dim(v.bytes()?)?);
                        }
                        Ok(())
                    })?;
                    self.shape = Some(shape);
                }
                _ => {}
            }
            Ok(())
        })
    }
}

fn dim(bytes: &[u8]) -> Read<Dim> {
    let mut d = Dim::Named(String::new());
    each(bytes, |field, v| {
        match field {
            1 => {
                let n = v.int()?;
                d = Dim::Known(usize::try_from(n).map_err(|_| format!("an extent is {n}"))?);
            }
            2 => d = Dim::Named(v.text()?),
            _ => {}
        }
        Ok(())
    })?;
    Ok(d)
}
