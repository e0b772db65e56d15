//! Quick, Draw!'s binary: records without padding, little-endian, to the end of the file: u64 key, two letters of the country,
//! u8 recognized, u32 time, u16 number of strokes; for each stroke u16 n, n bytes of x, n bytes of y.

use super::{Art, BadData, Reader, Sample};

/// Bytes of a record before its strokes.
const HEAD: usize = 17;

/// Whether a file begins with a record: two capital letters, 0 or 1, at least one stroke.
pub(super) fn looks_like(start: &[u8]) -> bool {
    let Some(head) = start.get(..HEAD) else { return false };
    head[8..10].iter().all(u8::is_ascii_uppercase) && head[10] <= 1 && (head[15] > 0 || head[16] > 0)
}

impl Reader {
    /// The next record.
    pub(super) fn next_record(&mut self) -> Option<Result<Sample, BadData>> {
        if self.at >= self.len {
            return None;
        }
        self.count += 1;
        Some(self.record())
    }

    fn record(&mut self) -> Result<Sample, BadData> {
        let begin = self.at;
        let mut head = [0u8; HEAD];
        self.fill(&mut head)?;
        if head[10] > 1 {
            return Err(self.bad(format!("{} at byte {} is neither 0 nor 1: the records are out of step", head[10], begin + 10)));
        }
        let mut key = [0; 8];
        key.copy_from_slice(&head[..8]);
        let count = u16::from_le_bytes([head[15], head[16]]);
        let mut strokes = vec![];
        for _ in 0..count {
            let mut n = [0; 2];
            self.fill(&mut n)?;
            let n = usize::from(u16::from_le_bytes(n));
            let mut bytes = vec![0; 2 * n];
            self.fill(&mut bytes)?;
            let (x, y) = bytes.split_at(n);
            strokes.push(x.iter().zip(y).map(|(&x, &y)| (f32::from(x), f32::from(y))).collect());
        }
        let key = Some(u64::from_le_bytes(key));
        Ok(Sample { word: None, key, recognized: Some(head[10] == 1), art: Art::Strokes(strokes) })
    }
}
