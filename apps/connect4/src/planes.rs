//! A position as the network sees it: planes of 6 × 7 squares, always from the side of the player who is to move.

use crate::board::{BOTTOM, CELLS, COLUMNS, Position, ROWS, STRIDE};

/// How a position is laid out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Planes {
    /// Two planes: own stones, the other's stones.
    Stones,
    /// Six planes: also the empty squares on which either side would have four, those that can be played now, and the rows that
    /// favour the side to move when the board fills up (the first player moves last on odd rows, the second on even ones).
    Threats,
}

impl Planes {
    /// Every layout.
    pub const ALL: [Planes; 2] = [Planes::Stones, Planes::Threats];

    /// Number of planes.
    pub fn count(self) -> usize {
        [2, 6][self as usize]
    }

    /// Shape of a position: rows from the top, columns, planes.
    pub fn shape(self) -> [usize; 3] {
        [ROWS, COLUMNS, self.count()]
    }

    /// Appends a position: 42 squares row by row from the top, the planes of a square side by side, each 0 or 1.
    ///
    /// ```
    /// use connect4::{Position, planes::Planes};
    /// let mut x = vec![];
    /// Planes::Stones.push(&Position::parse("4")?, &mut x);
    /// assert_eq!((x.len(), x.iter().sum::<u8>()), (84, 1));
    /// assert_eq!(x[2 * (5 * 7 + 3) + 1], 1); // lowest row, fourth column: the other's stone
    /// # Ok::<(), connect4::BadPosition>(())
    /// ```
    pub fn push(self, p: &Position, to: &mut Vec<u8>) {
        let odd = BOTTOM | BOTTOM << 2 | BOTTOM << 4;
        let rows = if p.first_to_move() { odd } else { odd << 1 };
        let planes = [p.own, p.own ^ p.all, p.winning(), p.threatened(), p.playable(), rows];
        for i in 0..CELLS {
            let bit = i % COLUMNS * STRIDE + ROWS - 1 - i / COLUMNS;
            to.extend(planes[..self.count()].iter().map(|plane| (plane >> bit & 1) as u8));
        }
    }
}
