//! The transforms, as regions: sums and differences of strided looks at images, kernels and matrices.

use super::pieces::{Matrices, Part, Piece, Place, Sizes};
use crate::compile::view::Look;
use crate::kernels::contract::At;
use crate::kernels::map::Code;
use crate::kernels::region::{Draft, Operand, Region, StepCode, View};
use crate::kernels::{Kernel, Mode};
use graph::DType;
use graph::ops::Binary;
use std::ops::Range;

const NOTHING: Operand = Operand::Imm(0.0);

/// What transforms make of four inputs in a row: first operand, operation, second operand.
const INPUT: [(usize, Binary, usize); 4] = [(0, Binary::Sub, 2), (1, Binary::Add, 2), (2, Binary::Sub, 1), (1, Binary::Sub, 3)];

/// A region in the making: sums and differences of operands.
struct Terms {
    draft: Draft,
}

impl Terms {
    fn new(shape: Vec<usize>) -> Terms {
        Terms { draft: Draft { shape, ..Draft::default() } }
    }

    fn load(&mut self, view: View) -> Operand {
        self.draft.loads.push((view, false, DType::F32));
        Operand::Load(self.draft.loads.len() - 1)
    }

    fn store(&mut self, value: Operand, view: View, mode: Mode) {
        self.draft.stores.push((value, view, DType::F32, mode));
    }

    fn binary(&mut self, op: Binary, a: Operand, b: Operand) -> Operand {
        if b == NOTHING && op != Binary::Mul {
            return a;
        }
        if a == NOTHING && op == Binary::Add {
            return b;
        }
        self.draft.values.push((StepCode::Map(Code::Bin(op)), [a, b, NOTHING]));
        Operand::Value(self.draft.values.len() - 1)
    }

    fn add(&mut self, a: Operand, b: Operand) -> Operand {
        self.binary(Binary::Add, a, b)
    }

    fn sub(&mut self, a: Operand, b: Operand) -> Operand {
        self.binary(Binary::Sub, a, b)
    }

    fn half(&mut self, a: Operand) -> Operand {
        self.binary(Binary::Mul, a, Operand::Imm(0.5))
    }

    /// Three weights in a row.
    fn kernel(&mut self, g: [Operand; 3]) -> [Operand; 4] {
        let outer = self.add(g[0], g[2]);
        let (outer, inner) = (self.half(outer), self.half(g[1]));
        [g[0], self.add(outer, inner), self.sub(outer, inner), g[2]]
    }

    /// Two results of four products.
    fn two(&mut self, m: [Operand; 4]) -> [Operand; 2] {
        let (plus, minus) = (self.add(m[1], m[2]), self.sub(m[1], m[2]));
        [self.add(m[0], plus), self.sub(minus, m[3])]
    }

    /// Three results of four products.
    fn three(&mut self, m: [Operand; 4]) -> [Operand; 3] {
        let (plus, minus) = (self.add(m[1], m[2]), self.sub(m[1], m[2]));
        [self.add(m[0], plus), minus, self.sub(plus, m[3])]
    }

    /// The `i`-th of the four numbers that stand for the gradients of two results.
    fn gradient(&mut self, i: usize, g: [Operand; 2]) -> Operand {
        let mixed = match i {
            0 => return g[0],
            1 => self.add(g[0], g[1]),
            2 => self.sub(g[0], g[1]),
            _ => return g[1],
        };
        self.half(mixed)
    }

    /// A transform along columns, then along rows.
    fn twice<const A: usize, const B: usize>(
        &mut self,
        from: [[Operand; A]; A],
        along: impl Fn(&mut Terms, [Operand; A]) -> [Operand; B],
    ) -> [[Operand; B]; B] {
        let columns: [[Operand; B]; A] = std::array::from_fn(|x| along(self, std::array::from_fn(|y| from[y][x])));
        std::array::from_fn(|y| along(self, std::array::from_fn(|x| columns[x][y])))
    }

    fn region(self) -> Kernel {
        Kernel::Region(Region::build(self.draft, DType::F32))
    }
}

pub fn transformed_kernel((at, look): &(At, Look), u: usize, s: &Sizes) -> Kernel {
    let mut t = Terms::new(vec![s.inputs, s.outputs]);
    let g = std::array::from_fn(|y| {
        std::array::from_fn(|x| {
            let offset = at.offset + y as isize * look.strides[0] + x as isize * look.strides[1];
            t.load(View { buffer: at.buffer, offset, strides: look.strides[2..].to_vec() })
        })
    });
    let points: [[Operand; 4]; 4] = t.twice(g, Terms::kernel);
    for (p, &value) in points.as_flattened().iter().enumerate() {
        t.store(value, s.matrix(u, p), Mode::Write);
    }
    t.region()
}

/// Rows `points` of the 4×4 points of all windows of a part.
pub fn transformed_windows(s: &Sizes, piece: &Piece, part: &Part, x: &Place, v: &Matrices, points: Range<usize>) -> Kernel {
    let mut t = Terms::new(vec![piece.images.len(), part.rows.len(), part.columns.len(), s.inputs]);
    let [high, wide] = part.inside.map(|n| n + 2);
    let mut known = [[None; 4]; 4];
    let mut get = |t: &mut Terms, i: usize, j: usize| match (i < high && j < wide, known[i][j]) {
        (false, _) => NOTHING,
        (true, Some(d)) => d,
        (true, None) => *known[i][j].insert(t.load(x.view(piece, part, [i, j]))),
    };
    for (row, &(a, op, b)) in INPUT[points].iter().enumerate() {
        let column = [0, 1, 2, 3].map(|j| {
            let (a, b) = (get(&mut t, a, j), get(&mut t, b, j));
            t.binary(op, a, b)
        });
        for (j, (a, op, b)) in INPUT.into_iter().enumerate() {
            let value = t.binary(op, column[a], column[b]);
            t.store(value, v.view(piece, part, s.windows().1, 4 * row + j), Mode::Write);
        }
    }
    t.region()
}

pub fn results(s: &Sizes, piece: &Piece, part: &Part, m: &Matrices, out: &Place) -> Kernel {
    let mut t = Terms::new(vec![piece.images.len(), part.rows.len(), part.columns.len(), s.outputs]);
    let points = std::array::from_fn(|i| std::array::from_fn(|j| t.load(m.view(piece, part, s.windows().1, 4 * i + j))));
    let values: [[Operand; 2]; 2] = t.twice(points, Terms::two);
    for (y, x) in (0..part.inside[0]).flat_map(|y| (0..part.inside[1]).map(move |x| (y, x))) {
        t.store(values[y][x], out.view(piece, part, [y, x]), Mode::Write);
    }
    t.region()
}

/// Row `i` of the 4×4 points that stand for the gradients of a window's results.
pub fn transformed_gradients(s: &Sizes, piece: &Piece, part: &Part, y: &Place, d: &Matrices, i: usize) -> Kernel {
    let mut t = Terms::new(vec![piece.images.len(), part.rows.len(), part.columns.len(), s.outputs]);
    let [high, wide] = part.inside;
    let column: [Operand; 2] = std::array::from_fn(|k| {
        let g = std::array::from_fn(|r| {
            let needed = matches!((i, r), (0, 0) | (1 | 2, _) | (3, 1));
            if needed && r < high && k < wide { t.load(y.view(piece, part, [r, k])) } else { NOTHING }
        });
        t.gradient(i, g)
    });
    for j in 0..4 {
        let value = t.gradient(j, column);
        t.store(value, d.view(piece, part, s.windows().1, j), Mode::Write);
    }
    t.region()
}

/// The 3×3 sums of a kernel's gradient from their 16 points.
pub fn sums(s: &Sizes, points: usize, out: &Place, mode: Mode) -> Kernel {
    let mut t = Terms::new(vec![s.inputs, s.outputs]);
    let m = std::array::from_fn(|i| std::array::from_fn(|j| t.load(s.matrix(points, 4 * i + j))));
    let values: [[Operand; 3]; 3] = t.twice(m, Terms::three);
    for (y, x) in (0..3).flat_map(|y| (0..3).map(move |x| (y, x))) {
        let offset = out.at.offset + y as isize * out.strides[1] + x as isize * out.strides[2];
        t.store(values[y][x], View { buffer: out.at.buffer, offset, strides: vec![out.strides[0], out.strides[3]] }, mode);
    }
    t.region()
}
