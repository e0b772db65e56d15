//! Products of matrices, and Einstein sums.

use super::call::{Call, Outcome, invalid, one, repeated, unsupported};
use super::table::Rule;
use super::value::{Item, Kind, bounded, common, expand};
use graph::Tensor;
use graph::ops::contract::Dot;

pub(super) fn find(op: &str) -> Option<Rule> {
    Some(match op {
        "MatMul" => |c| one(c.kind(0)?, matmul(&c.x(0)?, &c.x(1)?)?),
        "Gemm" => gemm,
        "Einsum" => einsum,
        _ => return None,
    })
}

/// The product of the last axis of `a` with the last but one of `b`, the axes before in pairs; a vector is a
/// row on the left and a column on the right.
pub(super) fn matmul(a: &Tensor, b: &Tensor) -> Outcome<Tensor> {
    if a.rank() == 0 || b.rank() == 0 {
        return invalid("a number is no matrix");
    }
    if !a.dtype().is_float() {
        return unsupported("a product of integers");
    }
    let (last, first) = (a.rank() - 1, b.rank().max(2) - 2);
    if a.shape()[last] != b.shape()[first] {
        return invalid(format!(
            "{:?} and {:?} do not fit: the last axis of the left is summed with the last but one of the right",
            a.shape(),
            b.shape()
        ));
    }
    let lead = |t: &Tensor| t.shape()[..t.rank().max(2) - 2].to_vec();
    if b.rank() <= 2 {
        bounded(&[&a.shape()[..last], &b.shape()[b.rank().min(1)..]].concat())?;
        return Ok(a.dot(b, Dot::pair(last, first)));
    }
    let stack = common(&[&lead(a), &lead(b)])?;
    let row = a.rank() == 1;
    let a = if row { a.reshape(&[1, a.shape()[0]]) } else { a.clone() };
    let all = |t: &Tensor| [&stack[..], &t.shape()[t.rank() - 2..]].concat();
    let (left, right) = (all(&a), all(b));
    bounded(&left)?;
    bounded(&right)?;
    let n = stack.len();
    let shape = [&left[..n + 1], &right[n + 1..]].concat();
    bounded(&shape)?;
    let batch: Vec<usize> = (0..n).collect();
    let dot = Dot { lhs_contract: vec![n + 1], rhs_contract: vec![n], lhs_batch: batch.clone(), rhs_batch: batch };
    let out = expand(&a, &left).dot(&expand(b, &right), dot);
    Ok(if row { out.reshape(&[&stack[..], &shape[n + 1..]].concat()) } else { out })
}

fn gemm(c: &Call) -> Outcome<Vec<Item>> {
    let (a, b) = (c.x(0)?, c.x(1)?);
    if a.rank() != 2 || b.rank() != 2 {
        return invalid(format!("needs two matrices, got {:?} and {:?}", a.shape(), b.shape()));
    }
    if c.kind(0)? != Kind::Float {
        return unsupported("a product of integers");
    }
    let (turn_a, turn_b) = (c.int("transA", 0)? != 0, c.int("transB", 0)? != 0);
    bounded(&[a.shape()[usize::from(turn_a)], b.shape()[usize::from(!turn_b)]])?;
    let product = a.dot(&b, Dot::pair(usize::from(!turn_a), usize::from(turn_b))) * c.float("alpha", 1.0)?;
    if !c.has(2) {
        return one(Kind::Float, product);
    }
    let pair = repeated(&[product, c.x(2)? * c.float("beta", 1.0)?])?;
    one(Kind::Float, &pair[0] + &pair[1])
}

/// A tensor with a letter for each axis.
struct Named {
    tensor: Tensor,
    letters: Vec<char>,
}

impl Named {
    fn extents(&self) -> impl Iterator<Item = (char, usize)> {
        self.letters.iter().copied().zip(self.tensor.shape().iter().copied())
    }

    /// Sums over the axes whose letters are not wanted.
    fn kept(self, wanted: impl Fn(char) -> bool) -> Named {
        let gone: Vec<usize> = (0..self.letters.len()).filter(|&i| !wanted(self.letters[i])).collect();
        let letters = self.letters.iter().copied().filter(|&l| wanted(l)).collect();
        Named { tensor: if gone.is_empty() { self.tensor } else { self.tensor.sum(&gone) }, letters }
    }

    fn product(self, other: Named, wanted: impl Fn(char) -> bool) -> Outcome<Named> {
        // A letter that one of them has alone, and that nobody wants, is summed first.
        let (l, r) = (self.letters.clone(), other.letters.clone());
        let left = self.kept(|c| wanted(c) || r.contains(&c));
        let right = other.kept(|c| wanted(c) || l.contains(&c));
        let mut dot = Dot::default();
        let mut letters = vec![];
        for (i, &c) in left.letters.iter().enumerate() {
            if let Some(j) = right.letters.iter().position(|&d| d == c) {
                if wanted(c) {
                    letters.push(c);
                    dot.lhs_batch.push(i);
                    dot.rhs_batch.push(j);
                } else {
                    dot.lhs_contract.push(i);
                    dot.rhs_contract.push(j);
                }
            }
        }
        let (lf, rf) = dot.free(left.letters.len(), right.letters.len());
        letters.extend(lf.iter().map(|&i| left.letters[i]).chain(rf.iter().map(|&j| right.letters[j])));
        let extent = |c: char| left.extents().chain(right.extents()).find(|e| e.0 == c).map_or(1, |e| e.1);
        bounded(&letters.iter().map(|&c| extent(c)).collect::<Vec<_>>())?;
        Ok(Named { tensor: left.tensor.dot(&right.tensor, dot), letters })
    }
}

fn einsum(c: &Call) -> Outcome<Vec<Item>> {
    let equation: String = c.text("equation", "")?.chars().filter(|c| !c.is_whitespace()).collect();
    if equation.contains('.') {
        return unsupported("an equation with an ellipsis");
    }
    let (from, to) = equation.split_once("->").unwrap_or((&equation, ""));
    let implicit = !equation.contains("->");
    let names: Vec<Vec<char>> = from.split(',').map(|s| s.chars().collect()).collect();
    let all: Vec<char> = names.concat();
    let times = |c: char| all.iter().filter(|&&d| d == c).count();
    let mut out: Vec<char> = if implicit { all.iter().copied().filter(|&c| times(c) == 1).collect() } else { to.chars().collect() };
    if implicit {
        out.sort();
    }
    if names.iter().chain([&out]).any(|n| (0..n.len()).any(|i| n[..i].contains(&n[i]))) {
        return unsupported(format!("the equation {equation}, in which an operand has a letter twice"));
    }
    if names.len() != c.inputs.len() || out.iter().any(|c| !all.contains(c)) {
        return invalid(format!("the equation {equation} does not fit {} operands", c.inputs.len()));
    }
    let mut terms = vec![];
    for (i, letters) in names.iter().enumerate() {
        let tensor = c.x(i)?;
        if tensor.rank() != letters.len() || !tensor.dtype().is_float() {
            return invalid(format!("the equation {equation} does not fit operand {i} of shape {:?}", tensor.shape()));
        }
        terms.push(Named { tensor, letters: letters.clone() });
    }
    let conflict = terms.iter().flat_map(Named::extents).find(|a| terms.iter().flat_map(Named::extents).any(|b| a.0 == b.0 && a.1 != b.1));
    if let Some((letter, _)) = conflict {
        return invalid(format!("{letter} has different extents"));
    }
    let mut terms = terms.into_iter();
    let Some(mut sum) = terms.next() else { return invalid("takes at least one operand") };
    for (i, term) in terms.enumerate() {
        sum = sum.product(term, |c| out.contains(&c) || names[i + 2..].iter().any(|n| n.contains(&c)))?;
    }
    let sum = sum.kept(|c| out.contains(&c));
    let perm: Vec<usize> = out.iter().filter_map(|c| sum.letters.iter().position(|d| c == d)).collect();
    one(Kind::Float, sum.tensor.transpose(&perm))
}
