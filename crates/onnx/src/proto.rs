//! Protocol buffers, as much as ONNX needs: a message is a sequence of fields, each a number, a kind of
//! encoding and a value (<https://protobuf.dev/programming-guides/encoding/>).

/// A message under construction.
#[derive(Default)]
pub(crate) struct Writer(pub Vec<u8>);

impl Writer {
    fn varint(&mut self, mut x: u64) {
        while x >= 0x80 {
            self.0.push(x as u8 | 0x80);
            x >>= 7;
        }
        self.0.push(x as u8);
    }

    fn key(&mut self, field: u32, wire: u32) {
        self.varint(u64::from(field << 3 | wire));
    }

    /// An integer; negative ones take ten bytes, as the format demands.
    pub fn int(&mut self, field: u32, x: i64) {
        self.key(field, 0);
        self.varint(x as u64);
    }

    pub fn float(&mut self, field: u32, x: f32) {
        self.key(field, 5);
        self.0.extend(x.to_le_bytes());
    }

    pub fn bytes(&mut self, field: u32, x: &[u8]) {
        self.key(field, 2);
        self.varint(x.len() as u64);
        self.0.extend(x);
    }

    /// A string; an absent string is an empty one.
    pub fn text(&mut self, field: u32, x: &str) {
        if !x.is_empty() {
            self.bytes(field, x.as_bytes());
        }
    }

    /// A message within this one.
    pub fn message(&mut self, field: u32, write: impl FnOnce(&mut Writer)) {
        let mut inner = Writer::default();
        write(&mut inner);
        self.bytes(field, &inner.0);
    }
}

/// Why bytes are no message.
pub(crate) type Malformed = String;

/// The value of a field.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Value<'a> {
    Int(u64),
    Fixed32([u8; 4]),
    Fixed64([u8; 8]),
    Bytes(&'a [u8]),
}

impl<'a> Value<'a> {
    pub fn int(self) -> Result<i64, Malformed> {
        if let Value::Int(x) = self { Ok(x as i64) } else { Err("a number is encoded as something else".into()) }
    }

    pub fn float(self) -> Result<f32, Malformed> {
        if let Value::Fixed32(x) = self { Ok(f32::from_le_bytes(x)) } else { Err("a float is encoded as something else".into()) }
    }

    pub fn bytes(self) -> Result<&'a [u8], Malformed> {
        if let Value::Bytes(x) = self { Ok(x) } else { Err("a text or a message is encoded as something else".into()) }
    }

    pub fn text(self) -> Result<String, Malformed> {
        String::from_utf8(self.bytes()?.to_vec()).map_err(|_| "a text is not UTF-8".into())
    }

    /// Appends one integer, or all of a packed list.
    pub fn ints(self, to: &mut Vec<i64>) -> Result<(), Malformed> {
        if let Value::Bytes(mut packed) = self {
            while !packed.is_empty() {
                to.push(varint(&mut packed)? as i64);
            }
            return Ok(());
        }
        to.push(self.int()?);
        Ok(())
    }

    /// Appends one float, or all of a packed list.
    pub fn floats(self, to: &mut Vec<f32>) -> Result<(), Malformed> {
        match self {
            Value::Bytes(packed) => to.extend(chunks::<4>(packed)?.map(f32::from_le_bytes)),
            one => to.push(one.float()?),
        }
        Ok(())
    }

    /// Appends one double, or all of a packed list.
    pub fn doubles(self, to: &mut Vec<f64>) -> Result<(), Malformed> {
        match self {
            Value::Bytes(packed) => to.extend(chunks::<8>(packed)?.map(f64::from_le_bytes)),
            Value::Fixed64(one) => to.push(f64::from_le_bytes(one)),
            _ => return Err("a double is encoded as something else".into()),
        }
        Ok(())
    }
}

/// Bytes in groups of N, all of them full.
pub(crate) fn chunks<const N: usize>(bytes: &[u8]) -> Result<impl Iterator<Item = [u8; N]>, Malformed> {
    let (groups, rest) = bytes.as_chunks::<N>();
    if rest.is_empty() { Ok(groups.iter().copied()) } else { Err(format!("{} bytes are no multiple of {N}", bytes.len())) }
}

fn varint(bytes: &mut &[u8]) -> Result<u64, Malformed> {
    let mut x = 0;
    for (i, &b) in bytes.iter().enumerate().take(10) {
        x |= u64::from(b & 0x7f) << (7 * i);
        if b < 0x80 {
            *bytes = &bytes[i + 1..];
            return Ok(x);
        }
    }
    Err("a number does not end".into())
}

/// The first `n` bytes, taken off; nothing is allocated for a length that the bytes do not have.
fn take<'a>(bytes: &mut &'a [u8], n: u64) -> Result<&'a [u8], Malformed> {
    let n = usize::try_from(n).ok().filter(|&n| n <= bytes.len());
    let n = n.ok_or("a field is longer than what is left of the file")?;
    let (head, rest) = bytes.split_at(n);
    *bytes = rest;
    Ok(head)
}

/// Fields of a message, in their order.
pub(crate) struct Fields<'a>(pub &'a [u8]);

impl<'a> Fields<'a> {
    fn field(&mut self) -> Result<(u32, Value<'a>), Malformed> {
        let bytes = &mut self.0;
        let key = varint(bytes)?;
        let field = u32::try_from(key >> 3).map_err(|_| "a field's number is too large")?;
        let value = match key & 7 {
            0 => Value::Int(varint(bytes)?),
            1 => Value::Fixed64(take(bytes, 8)?.try_into().unwrap_or_default()),
            2 => {
                let n = varint(bytes)?;
                Value::Bytes(take(bytes, n)?)
            }
            5 => Value::Fixed32(take(bytes, 4)?.try_into().unwrap_or_default()),
            kind => return Err(format!("encoding {kind} does not exist")),
        };
        Ok((field, value))
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u32, Value<'a>), Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_err() {
            self.0 = &[]; // nothing after a broken field has a meaning
        }
        Some(field)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of the encoding's documentation: 150 is 96 01, "testing" a length and seven bytes.
    #[test]
    fn the_documented_bytes() {
        let mut w = Writer::default();
        w.int(1, 150);
        w.bytes(2, b"testing");
        w.int(3, -2);
        assert_eq!(w.0[..12], [0x08, 0x96, 0x01, 0x12, 0x07, b't', b'e', b's', b't', b'i', b'n', b'g']);
        let fields: Vec<_> = Fields(&w.0).map(Result::unwrap).collect();
        assert_eq!(fields, [(1, Value::Int(150)), (2, Value::Bytes(b"testing")), (3, Value::Int(-2i64 as u64))]);
    }

    #[test]
    fn broken_bytes_are_errors() {
        for bytes in [
            &[0x08][..],
            &[0x12, 0x7f, 1],
            &[0x0d, 1, 2],
            &[0x0b],
            &[0xff; 11],
            &[0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
        ] {
            assert!(Fields(bytes).any(|f| f.is_err()), "{bytes:?}");
        }
    }
}
