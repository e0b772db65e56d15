//! What is hidden: a text or a file, made as short as it goes.

use crate::{Error, Result};

/// A message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Message {
    /// A text.
    Text(String),
    /// A file: its name, without folders, and its bytes.
    File {
        /// At most 255 bytes.
        name: String,
        /// What is in it.
        bytes: Vec<u8>,
    },
}

/// Longest message in bytes, before and after compression: 64 MiB.
pub const LONGEST: usize = 64 << 20;

/// Bits of the header's first byte.
pub(crate) const COMPRESSED: u8 = 1;
pub(crate) const FILE: u8 = 2;
pub(crate) const LOCKED: u8 = 4;

impl Message {
    /// The bytes to hide and the flags that say how to read them.
    pub(crate) fn pack(&self) -> (u8, Vec<u8>) {
        let (kind, plain) = match self {
            Message::Text(text) => (0, text.as_bytes().to_vec()),
            Message::File { name, bytes } => {
                let name = &name.as_bytes()[..name.floor_char_boundary(255)];
                (FILE, [&[name.len() as u8], name, bytes].concat())
            }
        };
        let small = miniz_oxide::deflate::compress_to_vec(&plain, 9);
        if small.len() < plain.len() { (kind | COMPRESSED, small) } else { (kind, plain) }
    }

    /// The message of these bytes.
    ///
    /// # Errors
    /// Bytes that no message packs into: [`Error::Spoilt`].
    pub(crate) fn unpack(flags: u8, bytes: Vec<u8>) -> Result<Message> {
        let plain = match flags & COMPRESSED {
            0 => bytes,
            _ => miniz_oxide::inflate::decompress_to_vec_with_limit(&bytes, LONGEST + 256).map_err(|_| Error::Spoilt)?,
        };
        if flags & FILE == 0 {
            return String::from_utf8(plain).map(Message::Text).map_err(|_| Error::Spoilt);
        }
        let (&length, rest) = plain.split_first().ok_or(Error::Spoilt)?;
        let (name, bytes) = rest.split_at_checked(usize::from(length)).ok_or(Error::Spoilt)?;
        let name = std::str::from_utf8(name).map_err(|_| Error::Spoilt)?;
        Ok(Message::File { name: name.into(), bytes: bytes.to_vec() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_comes_back() {
        let file = |name: &str, bytes: &[u8]| Message::File { name: name.into(), bytes: bytes.to_vec() };
        let texts = ["", "a", "\0\0", "ñandú 🦤", &"again and again ".repeat(50)].map(|t| Message::Text(t.into()));
        for m in texts.into_iter().chain([file("", b""), file("x.bin", &[0, 255, 0]), file("ñ", &[7; 5000])]) {
            let (flags, bytes) = m.pack();
            assert_eq!(Message::unpack(flags, bytes).unwrap(), m);
        }
        let (flags, bytes) = Message::Text("again and again ".repeat(50)).pack();
        assert!(flags == COMPRESSED && bytes.len() < 40);
        let long = file(&"é".repeat(200), b"x");
        let (flags, bytes) = long.pack();
        assert_eq!(Message::unpack(flags, bytes).unwrap(), file(&"é".repeat(127), b"x"));
    }

    #[test]
    fn nonsense_is_refused() {
        for (flags, bytes) in [(0, vec![0xFF]), (FILE, vec![]), (FILE, vec![9, 1]), (FILE, vec![1, 0xFF]), (COMPRESSED, vec![0xFF; 9])] {
            assert!(matches!(Message::unpack(flags, bytes), Err(Error::Spoilt)));
        }
    }
}
