//! Element types, tensor types, and the plain values the reference evaluator works on.

use std::fmt;

/// Element type of a tensor.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum DType {
    /// IEEE single precision: the type of training.
    F32,
    /// IEEE double precision: the type of reference results and quasi-Newton methods.
    F64,
    /// Indices, labels and random keys.
    I32,
}

impl DType {
    /// Bytes of one element.
    pub fn size(self) -> usize {
        if self == DType::F64 { 8 } else { 4 }
    }

    /// Whether values of this type have derivatives.
    pub fn is_float(self) -> bool {
        self != DType::I32
    }

    /// Rounds `x` to the nearest value this type can hold (`I32` truncates and saturates).
    pub fn round(self, x: f64) -> f64 {
        match self {
            DType::F32 => f64::from(x as f32),
            DType::F64 => x,
            DType::I32 => f64::from(x as i32),
        }
    }
}

impl fmt::Display for DType {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            DType::F32 => "f32",
            DType::F64 => "f64",
            DType::I32 => "i32",
        })
    }
}

/// A number that is compared and hashed by its bits, so that operations can be hash-consed.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Scalar(u64);

impl Scalar {
    /// Wraps `x`.
    pub fn new(x: f64) -> Scalar {
        Scalar(x.to_bits())
    }

    /// The number.
    pub fn get(self) -> f64 {
        f64::from_bits(self.0)
    }
}

impl fmt::Debug for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}", self.get())
    }
}

/// Element type and shape of a node, `f32[64, 10]`. A scalar has shape `[]`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Type {
    /// Element type.
    pub dtype: DType,
    /// Extent of each axis, outermost first.
    pub shape: Vec<usize>,
}

impl Type {
    /// A type from its parts.
    pub fn new(dtype: DType, shape: impl Into<Vec<usize>>) -> Type {
        Type { dtype, shape: shape.into() }
    }

    /// Number of axes.
    pub fn rank(&self) -> usize {
        self.shape.len()
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether some axis has extent zero.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The same element type with another shape.
    pub fn with_shape(&self, shape: impl Into<Vec<usize>>) -> Type {
        Type::new(self.dtype, shape)
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}{:?}", self.dtype, self.shape)
    }
}

impl fmt::Debug for Type {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// A tensor of the reference evaluator: row-major, every element type held in `f64`
/// (exact for all three).
#[derive(Clone, PartialEq, Debug)]
pub struct Value {
    /// Element type and shape.
    pub ty: Type,
    /// Elements, last axis fastest.
    pub data: Vec<f64>,
}

impl Value {
    /// A tensor from its elements, each rounded to `dtype`. Missing elements are filled with NaN and
    /// surplus ones dropped, so a wrong length cannot go unnoticed in a result.
    pub fn new(dtype: DType, shape: &[usize], mut data: Vec<f64>) -> Value {
        let ty = Type::new(dtype, shape);
        data.resize(ty.len(), f64::NAN);
        data.iter_mut().for_each(|x| *x = dtype.round(*x));
        Value { ty, data }
    }

    /// A tensor without axes.
    pub fn scalar(dtype: DType, x: f64) -> Value {
        Value::new(dtype, &[], vec![x])
    }
}

/// Row-major strides (in elements) of `shape`.
pub(crate) fn strides(shape: &[usize]) -> Vec<usize> {
    let mut s = vec![1; shape.len()];
    for i in (1..shape.len()).rev() {
        s[i - 1] = s[i] * shape[i];
    }
    s
}

/// Calls `f` with every index of `shape`, in row-major order.
pub(crate) fn for_each_index(shape: &[usize], mut f: impl FnMut(&[usize])) {
    if shape.contains(&0) {
        return;
    }
    let mut index = vec![0; shape.len()];
    loop {
        f(&index);
        let mut axis = shape.len();
        loop {
            if axis == 0 {
                return;
            }
            axis -= 1;
            index[axis] += 1;
            if index[axis] < shape[axis] {
                break;
            }
            index[axis] = 0;
        }
    }
}

/// Row-major position of `index` under `strides`.
pub(crate) fn offset(index: &[usize], strides: &[usize]) -> usize {
    index.iter().zip(strides).map(|(i, s)| i * s).sum()
}
