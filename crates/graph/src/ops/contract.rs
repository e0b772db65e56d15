//! `dot_general`: sums of products over paired axes; matrix products, batched or not, in any layout.

use super::reduce::others;
use super::{Op, arity};
use crate::types::{for_each_index, strides};
use crate::{Graph, Id, Result, Type, Value};

/// Which axes of the two operands are paired. The result's axes are the batch axes, then the free
/// axes of the left operand, then those of the right.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Dot {
    /// Axes summed over, of the left operand.
    pub lhs_contract: Vec<usize>,
    /// Axes summed over, of the right operand, in the same order.
    pub rhs_contract: Vec<usize>,
    /// Axes that are matched but kept, of the left operand.
    pub lhs_batch: Vec<usize>,
    /// Axes that are matched but kept, of the right operand, in the same order.
    pub rhs_batch: Vec<usize>,
}

impl Dot {
    /// Contraction of one pair of axes.
    pub fn pair(lhs: usize, rhs: usize) -> Dot {
        Dot { lhs_contract: vec![lhs], rhs_contract: vec![rhs], ..Dot::default() }
    }

    pub(super) fn params(&self) -> String {
        let batch = if self.lhs_batch.is_empty() { String::new() } else { format!(" batch {:?}·{:?}", self.lhs_batch, self.rhs_batch) };
        format!("contract {:?}·{:?}{batch}", self.lhs_contract, self.rhs_contract)
    }

    /// Free axes of the left and right operands.
    pub fn free(&self, lhs_rank: usize, rhs_rank: usize) -> (Vec<usize>, Vec<usize>) {
        let used = |a: &[usize], b: &[usize]| [a, b].concat();
        (others(lhs_rank, &used(&self.lhs_contract, &self.lhs_batch)), others(rhs_rank, &used(&self.rhs_contract, &self.rhs_batch)))
    }

    /// Number of products in each sum.
    pub fn contracted(&self, lhs: &Type) -> usize {
        self.lhs_contract.iter().map(|&a| lhs.shape[a]).product()
    }

    pub(super) fn infer(&self, args: &[Type]) -> Result<Type, String> {
        arity(args, 2)?;
        let (l, r) = (&args[0], &args[1]);
        if l.dtype != r.dtype || !l.dtype.is_float() {
            return Err("both operands must have the same float type".into());
        }
        check_axes("left", l.rank(), &self.lhs_contract, &self.lhs_batch)?;
        check_axes("right", r.rank(), &self.rhs_contract, &self.rhs_batch)?;
        for (what, a, b) in [("contracted", &self.lhs_contract, &self.rhs_contract), ("batch", &self.lhs_batch, &self.rhs_batch)] {
            if a.len() != b.len() {
                return Err(format!("{what} axes {a:?} and {b:?} must pair up"));
            }
            for (&i, &j) in a.iter().zip(b) {
                if l.shape[i] != r.shape[j] {
                    return Err(format!(
                        "{what} axis {i} of the left operand has {} elements, axis {j} of the right has {}; they must be equal",
                        l.shape[i], r.shape[j]
                    ));
                }
            }
        }
        let (lf, rf) = self.free(l.rank(), r.rank());
        let dims = self.lhs_batch.iter().chain(&lf).map(|&i| l.shape[i]).chain(rf.iter().map(|&j| r.shape[j]));
        Ok(l.with_shape(dims.collect::<Vec<_>>()))
    }

    /// Cotangent of operand `i`: the result's cotangent contracted with the other operand over the
    /// other operand's free axes.
    pub(super) fn transpose(&self, g: &mut Graph, ct: Id, args: &[Id], i: usize) -> Result<Id> {
        let (lr, rr) = (g.ty(args[0]).rank(), g.ty(args[1]).rank());
        let (lf, rf) = self.free(lr, rr);
        let nb = self.lhs_batch.len();
        let batch: Vec<usize> = (0..nb).collect();
        let ct_left: Vec<usize> = (nb..nb + lf.len()).collect();
        let ct_right: Vec<usize> = (nb + lf.len()..nb + lf.len() + rf.len()).collect();
        if i == 0 {
            // ct [batch, lf, rf] · rhs over rf → [batch, lf, contracted axes in the right operand's order]
            let dot = Dot { lhs_contract: ct_right, rhs_contract: rf, lhs_batch: batch, rhs_batch: self.rhs_batch.clone() };
            let out = g.push(Op::Dot(dot), &[ct, args[1]])?;
            let source = [self.lhs_batch.clone(), lf, by_partner(&self.rhs_contract, &self.lhs_contract)].concat();
            restore(g, out, &source)
        } else {
            // lhs · ct over lf → [batch, contracted axes in the left operand's order, rf]
            let dot = Dot { lhs_contract: lf, rhs_contract: ct_left, lhs_batch: self.lhs_batch.clone(), rhs_batch: batch };
            let out = g.push(Op::Dot(dot), &[args[0], ct])?;
            let source = [self.rhs_batch.clone(), by_partner(&self.lhs_contract, &self.rhs_contract), rf].concat();
            restore(g, out, &source)
        }
    }

    pub(super) fn eval(&self, args: &[&Value], out: &Type) -> Vec<f64> {
        let (l, r) = (args[0], args[1]);
        let (ls, rs) = (strides(&l.ty.shape), strides(&r.ty.shape));
        let (lf, rf) = self.free(l.ty.rank(), r.ty.rank());
        let (nb, nl) = (self.lhs_batch.len(), lf.len());
        let sums: Vec<usize> = self.lhs_contract.iter().map(|&a| l.ty.shape[a]).collect();
        let pick = |index: &[usize], axes: &[usize], s: &[usize]| -> usize { index.iter().zip(axes).map(|(i, &a)| i * s[a]).sum() };
        let mut data = Vec::with_capacity(out.len());
        for_each_index(&out.shape, |o| {
            let left = pick(&o[..nb], &self.lhs_batch, &ls) + pick(&o[nb..nb + nl], &lf, &ls);
            let right = pick(&o[..nb], &self.rhs_batch, &rs) + pick(&o[nb + nl..], &rf, &rs);
            let mut sum = 0.0;
            for_each_index(&sums, |k| {
                sum += l.data[left + pick(k, &self.lhs_contract, &ls)] * r.data[right + pick(k, &self.rhs_contract, &rs)];
            });
            data.push(sum);
        });
        data
    }
}

/// The axes `values`, ordered by their partners `keys`.
fn by_partner(keys: &[usize], values: &[usize]) -> Vec<usize> {
    let mut pairs: Vec<_> = keys.iter().zip(values).collect();
    pairs.sort();
    pairs.iter().map(|(_, v)| **v).collect()
}

/// Transposes `id`, whose axis i holds axis `source[i]` of the wanted tensor, into place.
fn restore(g: &mut Graph, id: Id, source: &[usize]) -> Result<Id> {
    let perm = (0..source.len()).map(|axis| source.iter().position(|&s| s == axis).unwrap_or(axis)).collect();
    g.transpose(id, perm)
}

fn check_axes(side: &str, rank: usize, contract: &[usize], batch: &[usize]) -> Result<(), String> {
    let all = [contract, batch].concat();
    let twice = (0..all.len()).any(|i| all[..i].contains(&all[i]));
    if twice || all.iter().any(|&a| a >= rank) {
        return Err(format!("axes {all:?} of the {side} operand must be distinct and below {rank}"));
    }
    Ok(())
}

/// d(a·b) = da·b + a·db, for every bilinear operation.
pub(super) fn jvp_bilinear(op: &Op, g: &mut Graph, args: &[Id], ts: &[Option<Id>]) -> Result<Option<Id>> {
    let left = ts[0].map(|t| g.push(op.clone(), &[t, args[1]])).transpose()?;
    let right = ts[1].map(|t| g.push(op.clone(), &[args[0], t])).transpose()?;
    match (left, right) {
        (Some(l), Some(r)) => g.add(l, r).map(Some),
        (one, None) | (None, one) => Ok(one),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DType;

    #[test]
    fn a_matrix_product_is_one() {
        let a: Vec<f64> = (0..6).map(f64::from).collect();
        let b: Vec<f64> = (0..12).map(|i| f64::from(i * i % 7)).collect();
        let (x, y) = (Value::new(DType::F64, &[2, 3], a.clone()), Value::new(DType::F64, &[3, 4], b.clone()));
        let out = Dot::pair(1, 0).eval(&[&x, &y], &Type::new(DType::F64, [2, 4]));
        let at = |i: usize, j: usize| (0..3).map(|p| a[i * 3 + p] * b[p * 4 + j]).sum::<f64>();
        assert_eq!(out, (0..8).map(|o| at(o / 4, o % 4)).collect::<Vec<_>>());
    }
}
