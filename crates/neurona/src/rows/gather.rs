//! Batches: rows in any order, or one after another, as arguments of a program.

use super::{Batches, Rows, Values};
use crate::Result;
use cpu::Arg;

/// Room for the rows of one array.
#[derive(Default)]
struct Buffer {
    floats: Vec<f32>,
    whole: Vec<i32>,
}

impl Buffer {
    /// Copies or reads the rows `order`.
    fn fill(&mut self, rows: &Rows, order: &[u32]) -> Result<()> {
        let width = rows.width();
        match rows.values {
            Values::F32(from) => copy_rows(&mut self.floats, from, order, width),
            Values::I32(from) => copy_rows(&mut self.whole, from, order, width),
            Values::Stored(store) => {
                self.floats.resize(order.len() * width, 0.0);
                store.read(order, &mut self.floats)?;
            }
        }
        Ok(())
    }

    fn arg(&self, rows: &Rows) -> Arg<'_> {
        if matches!(rows.values, Values::I32(_)) { Arg::I32(&self.whole) } else { Arg::F32(&self.floats) }
    }
}

/// Makes batches in buffers that are allocated once.
#[derive(Default)]
pub(crate) struct Gather {
    buffers: Vec<Buffer>,
    order: Vec<u32>,
}

impl Gather {
    /// The rows `order` of every array, targets last; `change` may change the first input if its rows
    /// are images of floats, whose extents it is told.
    pub(crate) fn take(&mut self, data: &Batches, order: &[u32], change: impl FnOnce(&mut [f32], [usize; 3])) -> Result<Vec<Arg<'_>>> {
        self.buffers.resize_with(data.inputs.len() + 1, Buffer::default);
        for (buffer, rows) in self.buffers.iter_mut().zip(data.arrays()) {
            buffer.fill(rows, order)?;
        }
        if let (Some(buffer), Some(x)) = (self.buffers.first_mut(), data.inputs.first())
            && let (Values::F32(_) | Values::Stored(_), &[h, w, c]) = (x.values, &x.shape[..])
        {
            change(&mut buffer.floats, [h, w, c]);
        }
        Ok(self.buffers.iter().zip(data.arrays()).map(|(buffer, rows)| buffer.arg(rows)).collect())
    }

    /// Rows `start .. start + n` of each array: without a copy where they are in memory.
    pub(crate) fn part<'b>(&'b mut self, arrays: &[&Rows<'b>], start: usize, n: usize) -> Result<Vec<Arg<'b>>> {
        let Gather { buffers, order } = self;
        buffers.resize_with(arrays.len(), Buffer::default);
        order.clear();
        order.extend(start as u32..(start + n) as u32);
        for (buffer, rows) in buffers.iter_mut().zip(arrays) {
            if let Values::Stored(_) = rows.values {
                buffer.fill(rows, order)?;
            }
        }
        let arg = |(buffer, rows): (&'b Buffer, &&Rows<'b>)| rows.part(start, n).unwrap_or(Arg::F32(&buffer.floats));
        Ok(buffers.iter().zip(arrays).map(arg).collect())
    }
}

fn copy_rows<T: Copy>(to: &mut Vec<T>, from: &[T], order: &[u32], width: usize) {
    to.clear();
    order.iter().for_each(|&r| to.extend_from_slice(&from[r as usize * width..][..width]));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::testing::Tens;

    #[test]
    fn stored_rows_are_read_and_others_borrowed() {
        let (labels, mut gather) = ([7, 8, 9], Gather::default());
        let data = Batches::new(Rows::stored(&Tens(3), &[2]), Rows::labels(&labels));
        let arrays: Vec<&Rows> = data.arrays().collect();
        let [Arg::F32(x), Arg::I32(y)] = gather.part(&arrays, 1, 2).unwrap()[..] else { panic!() };
        assert_eq!((x, y), (&[10.0, 11.0, 20.0, 21.0][..], &labels[1..]));
        assert_eq!(y.as_ptr(), labels[1..].as_ptr(), "no copy");
        let [Arg::F32(x), Arg::I32(y)] = gather.take(&data, &[2, 0], |_, _| panic!("rows of two are no images")).unwrap()[..] else {
            panic!()
        };
        assert_eq!((x, y), (&[20.0, 21.0, 0.0, 1.0][..], &[9, 7][..]));
        let images = Batches::new(Rows::stored(&Tens(3), &[1, 2, 1]), Rows::labels(&labels));
        let flip = |x: &mut [f32], shape| {
            assert_eq!(shape, [1, 2, 1]);
            x.swap(0, 1);
        };
        let [Arg::F32(x), _] = gather.take(&images, &[1], flip).unwrap()[..] else { panic!() };
        assert_eq!(x, [11.0, 10.0]);
        assert!(gather.take(&images, &[3], |_, _| ()).unwrap_err().to_string().contains("row 3"));
    }
}
