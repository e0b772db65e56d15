//! Which operators there are.

use super::call::{Call, Outcome, invalid};
use super::value::{Item, Kind};
use super::{image, index, matrix, normalize, pad, pointwise, pool, reduce, resize, shape};
use crate::model::Attribute;

/// What an operator makes of its operands: at least as many results as the node has outputs.
pub(super) type Rule = fn(&Call) -> Outcome<Vec<Item>>;

/// The rule of an operator, if it is supported.
pub(super) fn find(op: &str) -> Option<Rule> {
    let families = [
        constants,
        pointwise::find,
        reduce::find,
        normalize::find,
        shape::find,
        pad::find,
        index::find,
        matrix::find,
        image::find,
        pool::find,
        resize::find,
    ];
    families.iter().find_map(|family| family(op))
}

fn constants(op: &str) -> Option<Rule> {
    (op == "Constant").then_some(constant)
}

/// Constants of one tensor are initializers by the time a node is traced; these are the other forms.
fn constant(c: &Call) -> Outcome<Vec<Item>> {
    let list = |kind, data: Vec<f64>| Ok(vec![Item::known(kind, &[data.len()], data)]);
    match &c.node.attributes[..] {
        [(name, Attribute::Int(x))] if name == "value_int" => Ok(vec![Item::known(Kind::Int, &[], vec![*x as f64])]),
        [(name, Attribute::Float(x))] if name == "value_float" => Ok(vec![Item::known(Kind::Float, &[], vec![f64::from(*x)])]),
        [(name, Attribute::Ints(x))] if name == "value_ints" => list(Kind::Int, x.iter().map(|&x| x as f64).collect()),
        [(name, Attribute::Floats(x))] if name == "value_floats" => list(Kind::Float, x.iter().map(|&x| f64::from(x)).collect()),
        [(name, Attribute::Other)] if name == "sparse_value" || name.starts_with("value_string") => {
            super::call::unsupported("a sparse constant or one of texts")
        }
        _ => invalid("needs exactly one attribute with its value"),
    }
}
