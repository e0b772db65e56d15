//! Tensors and their element types.

use crate::proto::{Malformed, Value, chunks};

/// Element types, by their number in the format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i32)]
pub(crate) enum Element {
    Float = 1,
    Uint8 = 2,
    Int8 = 3,
    Uint16 = 4,
    Int16 = 5,
    Int32 = 6,
    Int64 = 7,
    Bool = 9,
    Double = 11,
    Uint32 = 12,
    Uint64 = 13,
}

impl Element {
    const ALL: [Element; 11] = {
        use Element::*;
        [Float, Uint8, Int8, Uint16, Int16, Int32, Int64, Bool, Double, Uint32, Uint64]
    };

    /// The supported type of this number.
    pub fn of(code: i64) -> Result<Element, Malformed> {
        let name = match code {
            8 => "string",
            10 => "float16",
            14 | 15 => "complex",
            16 => "bfloat16",
            17..=20 | 24 => "float8",
            21 | 22 | 25 | 26 => "an integer of 2 or 4 bits",
            23 => "float4",
            _ => "unknown",
        };
        Element::ALL
            .into_iter()
            .find(|&e| e as i64 == code)
            .ok_or_else(|| format!("element type {code} ({name}) is not supported: convert the model to float"))
    }

    pub fn is_float(self) -> bool {
        matches!(self, Element::Float | Element::Double)
    }

    fn size(self) -> usize {
        match self {
            Element::Uint8 | Element::Int8 | Element::Bool => 1,
            Element::Uint16 | Element::Int16 => 2,
            Element::Float | Element::Int32 | Element::Uint32 => 4,
            Element::Int64 | Element::Double | Element::Uint64 => 8,
        }
    }
}

/// The numbers of a tensor. Singles stay as they are, since weights are; all else is held in `f64`,
/// which loses nothing but the last bits of integers beyond 2⁵³.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Data {
    Single(Vec<f32>),
    Wide(Vec<f64>),
}

impl Data {
    pub fn len(&self) -> usize {
        match self {
            Data::Single(x) => x.len(),
            Data::Wide(x) => x.len(),
        }
    }

    pub fn get(&self, i: usize) -> f64 {
        match self {
            Data::Single(x) => f64::from(x[i]),
            Data::Wide(x) => x[i],
        }
    }

    pub fn wide(&self) -> Vec<f64> {
        (0..self.len()).map(|i| self.get(i)).collect()
    }

    /// The elements at these places.
    pub fn pick(&self, places: &[usize]) -> Data {
        match self {
            Data::Single(x) => Data::Single(places.iter().map(|&p| x[p]).collect()),
            Data::Wide(x) => Data::Wide(places.iter().map(|&p| x[p]).collect()),
        }
    }
}

/// A constant of a file.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tensor {
    pub name: String,
    pub element: Element,
    pub shape: Vec<usize>,
    pub data: Data,
}

/// Number of elements of a shape, if it can be counted, for every choice of its axes: a zero hides no
/// extents whose product overflows.
pub(crate) fn volume(shape: &[usize]) -> Option<usize> {
    let n = shape.iter().try_fold(1usize, |n, &d| n.checked_mul(d.max(1)))?;
    Some(if shape.contains(&0) { 0 } else { n })
}

impl Tensor {
    /// Integers as a vector.
    pub fn ints(name: &str, values: &[i64]) -> Tensor {
        let data = Data::Wide(values.iter().map(|&x| x as f64).collect());
        Tensor { name: name.into(), element: Element::Int64, shape: vec![values.len()], data }
    }

    /// The elements as the format stores them: little-endian, one after another.
    pub fn raw(&self) -> Vec<u8> {
        let wide = |f: &dyn Fn(f64, &mut Vec<u8>)| {
            let mut out = vec![];
            (0..self.data.len()).for_each(|i| f(self.data.get(i), &mut out));
            out
        };
        match self.element {
            Element::Float => wide(&|x, out| out.extend((x as f32).to_le_bytes())),
            Element::Double => wide(&|x, out| out.extend(x.to_le_bytes())),
            e if e.size() == 1 => wide(&|x, out| out.push(x as i64 as u8)),
            e if e.size() == 2 => wide(&|x, out| out.extend((x as i64 as i16).to_le_bytes())),
            e if e.size() == 4 => wide(&|x, out| out.extend((x as i64 as i32).to_le_bytes())),
            _ => wide(&|x, out| out.extend((x as i64).to_le_bytes())),
        }
    }
}

/// The fields of a tensor as they come, before they are put together.
#[derive(Default)]
pub(super) struct Parts<'a> {
    pub name: String,
    pub dims: Vec<i64>,
    pub code: i64,
    pub floats: Vec<f32>,
    pub doubles: Vec<f64>,
    pub ints: Vec<i64>,
    pub raw: Option<&'a [u8]>,
    pub external: bool,
}

impl<'a> Parts<'a> {
    pub fn field(&mut self, field: u32, value: Value<'a>) -> Result<(), Malformed> {
        match field {
            1 => value.ints(&mut self.dims)?,
            2 => self.code = value.int()?,
            4 => value.floats(&mut self.floats)?,
            5 | 7 | 11 => value.ints(&mut self.ints)?,
            8 => self.name = value.text()?,
            9 => self.raw = Some(value.bytes()?),
            10 => value.doubles(&mut self.doubles)?,
            13 => self.external = true,
            14 => self.external |= value.int()? == 1,
            _ => {}
        }
        Ok(())
    }

    pub fn build(self) -> Result<Tensor, Malformed> {
        let fail = |why: String| Err(format!("tensor {}: {why}", self.name));
        if self.external {
            return fail("its numbers are in another file: save the model with its data inside".into());
        }
        let shape: Option<Vec<usize>> = self.dims.iter().map(|&d| usize::try_from(d).ok()).collect();
        let Some((shape, n)) = shape.and_then(|s| volume(&s).map(|n| (s, n))) else {
            return fail(format!("the extents {:?} are impossible", self.dims));
        };
        let element = Element::of(self.code).map_err(|why| format!("tensor {}: {why}", self.name))?;
        let data = match self.raw {
            Some(raw) => decode(element, raw)?,
            None if element == Element::Float => Data::Single(self.floats),
            None if element == Element::Double => Data::Wide(self.doubles),
            None => Data::Wide(self.ints.iter().map(|&x| x as f64).collect()),
        };
        if data.len() != n {
            return fail(format!("{} numbers do not fill {shape:?}", data.len()));
        }
        Ok(Tensor { name: self.name, element, shape, data })
    }
}

fn decode(element: Element, raw: &[u8]) -> Result<Data, Malformed> {
    fn wide<const N: usize>(raw: &[u8], f: impl Fn([u8; N]) -> f64) -> Result<Data, Malformed> {
        Ok(Data::Wide(chunks::<N>(raw)?.map(f).collect()))
    }
    match element {
        Element::Float => Ok(Data::Single(chunks::<4>(raw)?.map(f32::from_le_bytes).collect())),
        Element::Double => wide(raw, f64::from_le_bytes),
        Element::Uint8 | Element::Bool => wide(raw, |[b]| f64::from(b)),
        Element::Int8 => wide(raw, |[b]| f64::from(b as i8)),
        Element::Uint16 => wide(raw, |b| f64::from(u16::from_le_bytes(b))),
        Element::Int16 => wide(raw, |b| f64::from(i16::from_le_bytes(b))),
        Element::Uint32 => wide(raw, |b| f64::from(u32::from_le_bytes(b))),
        Element::Int32 => wide(raw, |b| f64::from(i32::from_le_bytes(b))),
        Element::Int64 => wide(raw, |b| i64::from_le_bytes(b) as f64),
        Element::Uint64 => wide(raw, |b| u64::from_le_bytes(b) as f64),
    }
}
