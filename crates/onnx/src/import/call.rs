//! One node with its operands and attributes, as the rules of the operators see it.

use super::value::{Item, Kind, Known, Target, common, expand};
use crate::model::{Attribute, Node};
use graph::Tensor;
use graph::ops::Compare;

/// Why a node cannot be traced.
#[derive(Clone, Debug)]
pub(super) enum Fault {
    /// A use of the operator that the graph does not cover.
    Unsupported(String),
    /// Operands or attributes that the operator cannot have.
    Invalid(String),
}

pub(super) type Outcome<T> = Result<T, Fault>;

pub(super) fn invalid<T>(why: impl Into<String>) -> Outcome<T> {
    Err(Fault::Invalid(why.into()))
}

pub(super) fn unsupported<T>(why: impl Into<String>) -> Outcome<T> {
    Err(Fault::Unsupported(why.into()))
}

/// A node to be traced.
pub(super) struct Call<'a> {
    pub node: &'a Node,
    pub opset: i64,
    pub target: &'a Target<'a>,
    /// None: left out.
    pub inputs: Vec<Option<Item>>,
}

/// One result.
pub(super) fn one(kind: Kind, t: Tensor) -> Outcome<Vec<Item>> {
    Ok(vec![Item::tensor(kind, t)])
}

impl Call<'_> {
    pub fn has(&self, i: usize) -> bool {
        self.inputs.get(i).is_some_and(Option::is_some)
    }

    pub fn item(&self, i: usize) -> Outcome<&Item> {
        match self.inputs.get(i) {
            Some(Some(item)) => Ok(item),
            _ => invalid(format!("operand {i} is missing")),
        }
    }

    /// Operand `i` as a tensor.
    pub fn x(&self, i: usize) -> Outcome<Tensor> {
        self.target.tensor(self.item(i)?)
    }

    pub fn kind(&self, i: usize) -> Outcome<Kind> {
        Ok(self.item(i)?.kind)
    }

    /// Operand `i` as numbers, if it is there.
    pub fn known(&self, i: usize) -> Outcome<Option<&Known>> {
        if !self.has(i) {
            return Ok(None);
        }
        match &self.item(i)?.known {
            Some(known) => Ok(Some(known)),
            None => {
                let name = self.node.inputs.get(i).map_or("", String::as_str);
                unsupported(format!("operand {i} ({name}) must be a constant: if it is an input of the model, fix its value"))
            }
        }
    }

    /// Operand `i` as integers, if it is there.
    pub fn list(&self, i: usize) -> Outcome<Option<Vec<i64>>> {
        Ok(self.known(i)?.map(|k| k.data.iter().map(|&x| x as i64).collect()))
    }

    /// Operand `i` as one number, if it is there.
    pub fn number(&self, i: usize) -> Outcome<Option<f64>> {
        match self.known(i)? {
            None => Ok(None),
            Some(k) if k.data.len() == 1 => Ok(Some(k.data[0])),
            Some(k) => invalid(format!("operand {i} must be one number, but it has shape {:?}", k.shape)),
        }
    }

    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.node.attributes.iter().find(|(n, _)| n == name).map(|(_, a)| a)
    }

    pub fn int(&self, name: &str, default: i64) -> Outcome<i64> {
        match self.attribute(name) {
            None => Ok(default),
            Some(Attribute::Int(x)) => Ok(*x),
            Some(_) => invalid(format!("attribute {name} must be an integer")),
        }
    }

    pub fn float(&self, name: &str, default: f64) -> Outcome<f64> {
        match self.attribute(name) {
            None => Ok(default),
            Some(Attribute::Float(x)) => Ok(f64::from(*x)),
            Some(_) => invalid(format!("attribute {name} must be a float")),
        }
    }

    pub fn text(&self, name: &str, default: &str) -> Outcome<String> {
        match self.attribute(name) {
            None => Ok(default.into()),
            Some(Attribute::Text(x)) => Ok(x.clone()),
            Some(_) => invalid(format!("attribute {name} must be a text")),
        }
    }

    pub fn ints(&self, name: &str) -> Outcome<Option<Vec<i64>>> {
        match self.attribute(name) {
            None => Ok(None),
            Some(Attribute::Ints(x)) => Ok(Some(x.clone())),
            Some(_) => invalid(format!("attribute {name} must be a list of integers")),
        }
    }

    /// A list that was an attribute before it became operand `i`.
    pub fn ints_or_list(&self, name: &str, i: usize) -> Outcome<Option<Vec<i64>>> {
        match self.ints(name)? {
            Some(list) => Ok(Some(list)),
            None => self.list(i),
        }
    }

    /// The attribute `axis`, counted from the front.
    pub fn axis(&self, default: i64, rank: usize) -> Outcome<usize> {
        axis(self.int("axis", default)?, rank)
    }

    /// All operands (those left out are skipped), repeated to their common shape.
    pub fn common(&self) -> Outcome<Vec<Tensor>> {
        let mut all: Vec<Tensor> = self.inputs.iter().flatten().map(|item| self.target.tensor(item)).collect::<Outcome<_>>()?;
        if let (..7, Some(_), [a, b]) = (self.opset, self.attribute("axis"), &mut all[..]) {
            // Before operator set 7 an attribute said at which axis the second operand is aligned.
            let after = a.rank().saturating_sub(self.axis(0, a.rank())? + b.rank());
            *b = b.reshape(&[b.shape(), &vec![1; after]].concat());
        }
        repeated(&all)
    }

    /// Applies a function of one tensor.
    pub fn map(&self, f: impl Fn(&Tensor) -> Tensor) -> Outcome<Vec<Item>> {
        one(self.kind(0)?, f(&self.x(0)?))
    }

    /// Applies a function of two tensors of equal shape and type.
    pub fn zip(&self, f: impl Fn(&Tensor, &Tensor) -> Tensor) -> Outcome<Vec<Item>> {
        match &self.common()?[..] {
            [a, b] => one(self.kind(0)?, f(a, b)),
            other => invalid(format!("takes 2 operands, got {}", other.len())),
        }
    }
}

/// Tensors repeated to their common shape.
pub(super) fn repeated(all: &[Tensor]) -> Outcome<Vec<Tensor>> {
    let shapes: Vec<&[usize]> = all.iter().map(Tensor::shape).collect();
    let shape = common(&shapes)?;
    Ok(all.iter().map(|t| expand(t, &shape)).collect())
}

/// An axis counted from the front; negative ones count from the end.
pub(super) fn axis(a: i64, rank: usize) -> Outcome<usize> {
    let from_front = if a < 0 { a.saturating_add(rank as i64) } else { a };
    match usize::try_from(from_front) {
        Ok(i) if i < rank => Ok(i),
        _ => invalid(format!("axis {a} does not exist in a tensor of {rank} axes")),
    }
}

/// Axes counted from the front, ascending; an axis that is named twice is an error.
pub(super) fn axes(list: &[i64], rank: usize) -> Outcome<Vec<usize>> {
    let mut all: Vec<usize> = list.iter().map(|&a| axis(a, rank)).collect::<Outcome<_>>()?;
    all.sort();
    if all.windows(2).any(|w| w[0] == w[1]) { invalid(format!("axes {list:?} name an axis twice")) } else { Ok(all) }
}

/// A size or an index, which cannot be negative nor larger than any tensor.
pub(super) fn size(x: i64, what: &str) -> Outcome<usize> {
    match usize::try_from(x) {
        Ok(n) if n <= super::value::LARGEST => Ok(n),
        _ => invalid(format!("{what} is {x}")),
    }
}

/// Where `mask` (of any type) is not 0, `a`, else `b`; all of one shape.
pub(super) fn select(mask: &Tensor, a: &Tensor, b: &Tensor) -> Tensor {
    let mask = if mask.dtype() == a.dtype() { mask.clone() } else { mask.cast(a.dtype()) };
    mask.select(a, b)
}

/// A comparison as truth values.
pub(super) fn truth(c: Compare, a: &Tensor, b: &Tensor) -> Tensor {
    let out = a.compare(c, b);
    if out.dtype() == graph::DType::I32 { out } else { out.cast(graph::DType::I32) }
}
