//! Positions as two 64-bit words. A column takes seven bits, its lowest square first; the seventh stays empty, so that
//! no line runs from one column into the next (J. Tromp's layout, <https://tromp.github.io/c4/Connect4.java>):
//!
//! ```text
//! 5 12 19 26 33 40 47    top row
//! …
//! 0  7 14 21 28 35 42    bottom row
//! ```

use std::fmt;

/// Columns of the board.
pub const COLUMNS: usize = 7;
/// Rows of the board.
pub const ROWS: usize = 6;
/// Squares of the board.
pub const CELLS: usize = COLUMNS * ROWS;
/// Columns from the centre outwards: good moves tend to be near the centre.
pub const CENTRE_FIRST: [usize; COLUMNS] = [3, 2, 4, 1, 5, 0, 6];

pub(crate) const STRIDE: usize = ROWS + 1;
/// The lowest square of every column.
pub(crate) const BOTTOM: u64 = 0x0408_1020_4081;
/// Every square.
pub(crate) const BOARD: u64 = BOTTOM * ((1 << ROWS) - 1);

/// The squares of a column, from 0.
pub(crate) const fn column_mask(column: usize) -> u64 {
    ((1 << ROWS) - 1) << (column * STRIDE)
}

/// A position, seen by the side to move.
///
/// ```
/// use connect4::Position;
/// let p = Position::parse("4455")?;
/// assert_eq!((p.plies(), p.can_play(3), p.wins_with(2)), (4, true, false));
/// assert_eq!(p.play(2).play(0).wins_with(5), true);
/// # Ok::<(), connect4::BadPosition>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub struct Position {
    /// Stones of the side to move.
    pub(crate) own: u64,
    /// All stones.
    pub(crate) all: u64,
}

impl Position {
    /// The empty board.
    pub const EMPTY: Position = Position { own: 0, all: 0 };

    /// Stones on the board.
    pub fn plies(&self) -> usize {
        self.all.count_ones() as usize
    }

    /// Whether the first player is to move.
    pub fn first_to_move(&self) -> bool {
        self.plies().is_multiple_of(2)
    }

    /// Whether `column` (from 0) has room. The game may be over all the same: see [`Position::is_over`].
    pub fn can_play(&self, column: usize) -> bool {
        column < COLUMNS && self.all & (1 << (column * STRIDE + ROWS - 1)) == 0
    }

    /// Columns with room, from the left; none when the game is over.
    pub fn moves(&self) -> impl Iterator<Item = usize> + use<> {
        let (p, over) = (*self, self.is_over());
        (0..COLUMNS).filter(move |&c| !over && p.can_play(c))
    }

    /// The position after a stone in `column`, which must have room.
    pub fn play(&self, column: usize) -> Position {
        debug_assert!(self.can_play(column), "column {column} is full");
        let stone = (self.all + (1 << (column * STRIDE))) & column_mask(column);
        self.put(stone)
    }

    /// The position after `stone`, a playable square.
    #[inline(always)]
    pub(crate) fn put(&self, stone: u64) -> Position {
        Position { own: self.own ^ self.all, all: self.all | stone }
    }

    /// Whether a stone in `column` (from 0) wins at once.
    pub fn wins_with(&self, column: usize) -> bool {
        column < COLUMNS && self.winning() & self.playable() & column_mask(column) != 0
    }

    /// Whether a stone of the other side in `column` (from 0), were it its turn, would win at once.
    pub fn is_threatened(&self, column: usize) -> bool {
        column < COLUMNS && self.threatened() & self.playable() & column_mask(column) != 0
    }

    /// Whether the side that has just moved has four in a row.
    pub fn is_won(&self) -> bool {
        has_four(self.own ^ self.all)
    }

    /// Whether nobody can move: somebody has won, or the board is full.
    pub fn is_over(&self) -> bool {
        self.all == BOARD || self.is_won()
    }

    /// The position in the mirror.
    pub fn mirror(&self) -> Position {
        Position { own: mirror(self.own), all: mirror(self.all) }
    }

    /// The same number for this position and its mirror image, and for no other: 49 bits.
    pub fn canonical_key(&self) -> u64 {
        self.key().min(self.mirror().key())
    }

    /// A number of 49 bits for this position alone: stones of the side to move, plus all stones shifted by one; the sum
    /// marks in each column the lowest free square.
    #[inline(always)]
    pub(crate) fn key(&self) -> u64 {
        self.own + self.all
    }

    /// Squares that a stone can fall into.
    #[inline(always)]
    pub(crate) fn playable(&self) -> u64 {
        (self.all + BOTTOM) & BOARD
    }

    /// Empty squares that would complete a four of the side to move.
    #[inline(always)]
    pub(crate) fn winning(&self) -> u64 {
        completing(self.own) & (BOARD ^ self.all)
    }

    /// Empty squares that would complete a four of the other side.
    #[inline(always)]
    pub(crate) fn threatened(&self) -> u64 {
        completing(self.own ^ self.all) & (BOARD ^ self.all)
    }

    /// Playable squares after which the other side cannot win at once. If the side to move could win itself, which the
    /// caller has ruled out, this would not matter.
    #[inline(always)]
    pub(crate) fn safe_moves(&self) -> u64 {
        let (playable, threats) = (self.playable(), self.threatened());
        let forced = playable & threats;
        let playable = match forced {
            0 => playable,
            _ if forced & (forced - 1) != 0 => return 0, // two threats cannot both be parried
            _ => forced,
        };
        playable & !(threats >> 1) // a stone below a threat opens it
    }

    /// What stands in column `column` and row `row` (from 0, lowest first): the first player (1), the second (2), none (0).
    pub fn cell(&self, column: usize, row: usize) -> u8 {
        let bit = 1 << (column * STRIDE + row);
        let mover = if self.first_to_move() { 1 } else { 2 };
        match (self.all & bit != 0, self.own & bit != 0) {
            (false, _) => 0,
            (true, true) => mover,
            (true, false) => 3 - mover,
        }
    }

    /// The 42 squares as one reads them: rows from the top, each from the left; 0 empty, 1 first player, 2 second.
    pub fn cells(&self) -> [u8; CELLS] {
        std::array::from_fn(|i| self.cell(i % COLUMNS, ROWS - 1 - i / COLUMNS))
    }
}

impl fmt::Display for Position {
    /// Six lines of `.`, `X` (first player) and `O`.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        for (i, cell) in self.cells().into_iter().enumerate() {
            let end = if i % COLUMNS < COLUMNS - 1 { " " } else { "\n" };
            write!(f, "{}{}", [".", "X", "O"][cell as usize], if i + 1 < CELLS { end } else { "" })?;
        }
        Ok(())
    }
}

/// Whether `stones` hold a line of four.
pub(crate) fn has_four(stones: u64) -> bool {
    [1, STRIDE - 1, STRIDE, STRIDE + 1].into_iter().any(|step| {
        let pairs = stones & (stones >> step);
        pairs & (pairs >> (2 * step)) != 0
    })
}

/// Squares (free or not, and some beyond the board) that complete a line of four with three of `stones`.
#[inline(always)]
pub(crate) fn completing(stones: u64) -> u64 {
    let mut squares = (stones << 1) & (stones << 2) & (stones << 3); // a column is filled from below only
    for step in [STRIDE - 1, STRIDE, STRIDE + 1] {
        let up = (stones << step) & (stones << (2 * step));
        squares |= up & (stones << (3 * step)); // XXX_
        squares |= up & (stones >> step); // XX_X
        let down = (stones >> step) & (stones >> (2 * step));
        squares |= down & (stones >> (3 * step)); // _XXX
        squares |= down & (stones << step); // X_XX
    }
    squares
}

/// The columns in reverse order.
#[inline(always)]
fn mirror(stones: u64) -> u64 {
    const COLUMN: u64 = (1 << STRIDE) - 1;
    let outer = (stones & COLUMN) << 42 | (stones >> 42) & COLUMN;
    let second = (stones & (COLUMN << 7)) << 28 | (stones >> 28) & (COLUMN << 7);
    let third = (stones & (COLUMN << 14)) << 14 | (stones >> 14) & (COLUMN << 14);
    outer | second | third | stones & (COLUMN << 21)
}
