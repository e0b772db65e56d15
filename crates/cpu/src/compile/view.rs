//! Strided looks at a buffer: what broadcasts, transposes, slices, windows and most reshapes become
//! instead of copies.

use graph::Op;

/// How the elements of a tensor lie in the buffer of another: element `index` at
/// `offset + Σ index[d]·strides[d]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Look {
    /// The tensor's extents.
    pub shape: Vec<usize>,
    /// Where element (0, 0, …) lies.
    pub offset: isize,
    /// Elements to skip per step along each axis.
    pub strides: Vec<isize>,
}

/// Row-major strides.
pub fn row_major(shape: &[usize]) -> Vec<isize> {
    let mut strides = vec![1isize; shape.len()];
    for d in (1..shape.len()).rev() {
        strides[d - 1] = strides[d] * shape[d].max(1) as isize;
    }
    strides
}

impl Look {
    /// All elements in order.
    pub fn whole(shape: &[usize]) -> Look {
        Look { shape: shape.to_vec(), offset: 0, strides: row_major(shape) }
    }

    /// Number of elements.
    #[allow(clippy::len_without_is_empty)] // nobody asks
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether the elements are those of a row-major buffer, from `offset` on.
    pub fn is_dense(&self) -> bool {
        let mut expected = 1;
        self.shape.iter().zip(&self.strides).rev().all(|(&n, &s)| {
            let fits = n == 1 || s == expected;
            expected *= n as isize;
            fits
        })
    }

    /// The look after a movement operation, or `None` if elements must be copied.
    pub fn through(&self, op: &Op, shape: &[usize]) -> Option<Look> {
        let mut strides = self.strides.clone();
        let mut offset = self.offset;
        match op {
            Op::StopGradient => {}
            Op::Broadcast { dims, .. } => {
                strides = vec![0; shape.len()];
                dims.iter().zip(&self.strides).for_each(|(&d, &s)| strides[d] = s);
            }
            Op::Transpose(perm) => strides = perm.iter().map(|&p| self.strides[p]).collect(),
            Op::Reverse(axes) => {
                for &a in axes {
                    offset += (self.shape[a].max(1) - 1) as isize * strides[a];
                    strides[a] = -strides[a];
                }
            }
            Op::Slice { start, stride, .. } => {
                for d in 0..strides.len() {
                    offset += start[d] as isize * strides[d];
                    strides[d] *= stride[d] as isize;
                }
            }
            Op::Unfold { stride, .. } => {
                let [n, h, w, c] = [strides[0], strides[1], strides[2], strides[3]];
                strides = vec![n, h * stride[0] as isize, w * stride[1] as isize, h, w, c];
            }
            Op::Reshape(_) => strides = self.reshaped(shape)?,
            _ => return None,
        }
        Some(Look { shape: shape.to_vec(), offset, strides })
    }

    /// Strides under which the same elements in the same order have another shape, if there are any.
    fn reshaped(&self, shape: &[usize]) -> Option<Vec<isize>> {
        if self.len() == 0 {
            return Some(row_major(shape));
        }
        let old: Vec<(usize, isize)> = self.shape.iter().copied().zip(self.strides.iter().copied()).filter(|(n, _)| *n != 1).collect();
        let mut strides = vec![0; shape.len()];
        let (mut i, mut j) = (0, 0);
        while i < old.len() {
            // The smallest groups of axes, old and new, that hold equally many elements.
            let (first, mut have, mut want) = (i, old[i].0, 1);
            let start = j;
            i += 1;
            while have != want {
                if want < have {
                    want *= *shape.get(j)?;
                    j += 1;
                } else {
                    have *= old.get(i)?.0;
                    i += 1;
                }
            }
            let chained = (first + 1..i).all(|k| old[k - 1].1 == old[k].1 * old[k].0 as isize);
            if !chained {
                return None;
            }
            let mut s = old[i - 1].1;
            for d in (start..j).rev() {
                strides[d] = s;
                s *= shape[d] as isize;
            }
        }
        Some(strides)
    }

    /// Several axes as one: extent and stride, if there is a single one (0 axes: extent 1).
    pub fn merged(&self, axes: &[usize]) -> Option<(usize, isize)> {
        let mut result: (usize, isize) = (1, 0);
        for &a in axes {
            let (n, s) = (self.shape[a], self.strides[a]);
            if n == 1 {
                continue;
            }
            if result.0 != 1 && result.1 != s * n as isize {
                return None;
            }
            result = (result.0 * n, s);
        }
        Some(result)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reshapes_that_need_no_copy_are_found() {
        let x = Look::whole(&[2, 3, 4]);
        assert_eq!(x.through(&Op::Reshape(vec![6, 4]), &[6, 4]).map(|l| l.strides), Some(vec![4, 1]));
        let t = x.through(&Op::Transpose(vec![2, 0, 1]), &[4, 2, 3]);
        let t = t.as_ref();
        assert_eq!(t.and_then(|t| t.through(&Op::Reshape(vec![4, 6]), &[4, 6])).map(|l| l.strides), Some(vec![1, 4]));
        assert_eq!(t.and_then(|t| t.through(&Op::Reshape(vec![8, 3]), &[8, 3])), None);
        assert_eq!(x.through(&Op::Reshape(vec![2, 1, 12, 1]), &[2, 1, 12, 1]).map(|l| l.is_dense()), Some(true));
    }

    #[test]
    fn broadcast_axes_do_not_move() {
        let b = Look::whole(&[3]).through(&Op::Broadcast { shape: vec![2, 3], dims: vec![1] }, &[2, 3]);
        assert_eq!(b.as_ref().map(|b| b.strides.clone()), Some(vec![0, 1]));
        assert_eq!(b.as_ref().and_then(|b| b.merged(&[0, 1])), None);
        assert_eq!(b.and_then(|b| b.merged(&[0])), Some((2, 0)));
    }
}
