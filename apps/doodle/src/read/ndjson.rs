//! Lines of JSON: `{"word":"cat","key_id":"5201136883597312","recognized":true,"drawing":[[[x…],[y…],[t…]],…]}`.

use super::{Art, BadData, Reader, Sample};
use crate::strokes::Stroke;
use serde::Deserialize;
use std::io::{BufRead, Read};

/// Bytes of a line, at most: a drawing of a million points.
const LINE: u64 = 32 << 20;

/// What is used of a line. Times are read and let go.
#[derive(Deserialize)]
struct Line {
    word: Option<String>,
    key_id: Option<Key>,
    recognized: Option<bool>,
    drawing: Vec<Vec<Vec<f32>>>,
}

/// A number, mostly written as text.
#[derive(Deserialize)]
#[serde(untagged)]
enum Key {
    Number(u64),
    Text(String),
}

impl Reader {
    /// The drawing of the next line that is not blank.
    pub(super) fn next_line(&mut self) -> Option<Result<Sample, BadData>> {
        loop {
            self.line.clear();
            self.count += 1;
            match self.file.by_ref().take(LINE + 1).read_until(b'\n', &mut self.line) {
                Ok(0) => return None,
                Ok(n) => self.at += n as u64,
                Err(e) => return Some(Err(self.bad(e.to_string()))),
            }
            if self.line.len() as u64 > LINE {
                return Some(Err(self.bad(format!("it is longer than {LINE} bytes"))));
            }
            if !self.line.iter().all(u8::is_ascii_whitespace) {
                return Some(parse(self.line.trim_ascii_end()).map_err(|why| self.bad(why)));
            }
        }
    }
}

fn parse(line: &[u8]) -> Result<Sample, String> {
    let line: Line = serde_json::from_slice(line).map_err(|e| {
        // The parser counts lines of its own.
        let text = e.to_string();
        let why = text.split(" at line 1").next().unwrap_or(&text);
        format!("{why} at character {} (an object with \"drawing\": [[[x, …], [y, …]], …] is expected)", e.column())
    })?;
    let key = match line.key_id {
        None => None,
        Some(Key::Number(n)) => Some(n),
        Some(Key::Text(t)) => Some(t.parse().map_err(|_| format!("key_id {t:?} is no whole number"))?),
    };
    let strokes = line.drawing.iter().enumerate().map(|(i, s)| stroke(s).map_err(|why| format!("stroke {}: {why}", i + 1)));
    let art = Art::Strokes(strokes.collect::<Result<_, _>>()?);
    Ok(Sample { word: line.word, key, recognized: line.recognized, art })
}

fn stroke(lists: &[Vec<f32>]) -> Result<Stroke, String> {
    let ([x, y] | [x, y, _]) = lists else {
        return Err(format!("{} lists instead of two (x, y) or three (x, y, t)", lists.len()));
    };
    if x.len() != y.len() {
        return Err(format!("{} values of x but {} of y", x.len(), y.len()));
    }
    Ok(x.iter().copied().zip(y.iter().copied()).collect())
}
