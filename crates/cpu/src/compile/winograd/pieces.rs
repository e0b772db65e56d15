//! What is computed at a time: sizes, pieces of the images, and where their windows lie in memory.

use crate::kernels::contract::At;
use crate::kernels::region::View;
use std::ops::Range;

/// Products that take the place of 36.
pub const POINTS: usize = 16;
/// Bytes of a piece's transformed windows and products: half of a usual second-level cache.
const PIECE: usize = 512 << 10;
/// Channels below which the transforms cost more than they save.
const CHANNELS: usize = 32;

/// Sizes of a convolution: images, rows and columns of the result, channels in and out.
#[derive(Clone, Copy)]
pub struct Sizes {
    pub images: usize,
    pub height: usize,
    pub width: usize,
    pub inputs: usize,
    pub outputs: usize,
}

impl Sizes {
    /// Rows and columns of windows.
    pub fn windows(&self) -> (usize, usize) {
        (self.height.div_ceil(2), self.width.div_ceil(2))
    }

    /// Whether the products saved are worth the transforms, if these need so many windows.
    pub fn pays(&self, least: usize) -> bool {
        let (rows, columns) = self.windows();
        let (direct, here) = (9 * self.height * self.width, POINTS * rows * columns);
        let windows = self.images * rows * columns;
        self.inputs.min(self.outputs) >= CHANNELS && windows >= least && 2 * direct >= 3 * here
    }

    /// Matrix `point` of sixteen with a row for each input and a column for each output.
    pub fn matrix(&self, buffer: usize, point: usize) -> View {
        View { buffer, offset: (point * self.inputs * self.outputs) as isize, strides: vec![self.outputs as isize, 1] }
    }

    /// The pieces, of which so many points are in memory at a time: some images, or some rows of windows of one image.
    pub fn pieces(&self, points: usize) -> Vec<Piece> {
        let (rows, columns) = self.windows();
        let most = (PIECE / (4 * points * (self.inputs + self.outputs))).max(columns);
        let (images, height) = if rows * columns <= most { (most / (rows * columns), rows) } else { (1, most / columns) };
        let ranges = |n: usize, by: usize| (0..n).step_by(by).map(move |i| i..(i + by).min(n));
        ranges(self.images, images).flat_map(|i| ranges(rows, height).map(move |r| Piece { images: i.clone(), rows: r })).collect()
    }
}

/// Images and rows of windows.
#[derive(Clone)]
pub struct Piece {
    pub images: Range<usize>,
    pub rows: Range<usize>,
}

/// Windows of a piece that lie in the images in the same way.
pub struct Part {
    pub rows: Range<usize>,
    pub columns: Range<usize>,
    /// Rows and columns of a window's 2×2 results that exist.
    pub inside: [usize; 2],
}

impl Piece {
    /// How many windows it has.
    pub fn windows(&self, s: &Sizes) -> usize {
        self.images.len() * self.rows.len() * s.windows().1
    }

    /// The windows inside, those at the lower and the right border that are cut, and the one at both.
    pub fn parts(&self, s: &Sizes) -> Vec<Part> {
        let (whole_rows, whole_columns) = (s.height / 2, s.width / 2);
        let (rows, columns) = s.windows();
        let along = |from: usize, whole: usize, to: usize| [(from..whole.max(from).min(to), 2), (whole.max(from).min(to)..to, 1)];
        let mut parts = vec![];
        for (r, high) in along(self.rows.start, whole_rows, self.rows.end.min(rows)) {
            for (c, wide) in along(0, whole_columns, columns) {
                if !r.is_empty() && !c.is_empty() {
                    parts.push(Part { rows: r.clone(), columns: c, inside: [high, wide] });
                }
            }
        }
        parts
    }
}

/// An array of the convolution: the buffer, and how images, rows, columns and channels lie in it.
#[derive(Clone)]
pub struct Place {
    pub at: At,
    pub strides: Vec<isize>,
}

impl Place {
    /// Element (y, x) of every window of a part, windows two apart.
    pub fn view(&self, piece: &Piece, part: &Part, [y, x]: [usize; 2]) -> View {
        let s = &self.strides;
        let first = [piece.images.start, 2 * part.rows.start + y, 2 * part.columns.start + x];
        let offset = self.at.offset + first.iter().zip(s).map(|(&i, s)| i as isize * s).sum::<isize>();
        View { buffer: self.at.buffer, offset, strides: vec![s[0], 2 * s[1], 2 * s[2], s[3]] }
    }
}

/// Sixteen matrices, a row for every window of a piece.
#[derive(Clone, Copy)]
pub struct Matrices {
    pub buffer: usize,
    /// Columns.
    pub n: usize,
    /// From matrix to matrix.
    pub step: usize,
}

impl Matrices {
    pub fn view(&self, piece: &Piece, part: &Part, columns: usize, point: usize) -> View {
        let (n, rows) = (self.n as isize, piece.rows.len() as isize);
        let first = (part.rows.start - piece.rows.start) * columns + part.columns.start;
        let strides = vec![rows * columns as isize * n, columns as isize * n, n, 1];
        View { buffer: self.buffer, offset: (point * self.step) as isize + first as isize * n, strides }
    }
}
