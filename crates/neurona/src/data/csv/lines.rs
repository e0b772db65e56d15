//! Line numbers as editors count them.

use std::collections::VecDeque;
use std::io::{self, Read};

/// Passes bytes on and notes where lines begin.
///
/// The csv crate counts a record's line from the end of the record before it, which is off by one after
/// `\r\n`, and by more after blank lines.
pub struct Lines<R> {
    inner: R,
    at: u64,
    line: u64,
    /// Nothing of the line has been seen.
    fresh: bool,
    after_cr: bool,
    odd_quotes: bool,
    /// Offset and number of the lines that are not empty, from the last one asked for on.
    starts: VecDeque<(u64, u64)>,
}

impl<R> Lines<R> {
    pub fn new(inner: R) -> Lines<R> {
        Lines { inner, at: 0, line: 1, fresh: true, after_cr: false, odd_quotes: false, starts: VecDeque::new() }
    }

    /// Whether one quotation mark so far has no partner.
    pub fn odd_quotes(&self) -> bool {
        self.odd_quotes
    }

    /// The first line that begins at this offset or later and is not empty; offsets must not decrease.
    pub fn at(&mut self, offset: u64) -> u64 {
        while self.starts.front().is_some_and(|(start, _)| *start < offset) {
            self.starts.pop_front();
        }
        self.starts.front().map_or(self.line, |(_, line)| *line)
    }
}

impl<R: Read> Read for Lines<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        for (&byte, at) in buffer[..n].iter().zip(self.at..) {
            match byte {
                b'\n' if self.after_cr => {}
                b'\n' | b'\r' => {
                    self.line += 1;
                    self.fresh = true;
                }
                _ if self.fresh => {
                    self.starts.push_back((at, self.line));
                    self.fresh = false;
                }
                _ => {}
            }
            self.odd_quotes ^= byte == b'"';
            self.after_cr = byte == b'\r';
        }
        self.at += n as u64;
        Ok(n)
    }
}
