//! Positions as text: games as columns (`4453`), boards as 42 squares. What cannot have happened in a game is refused.

use crate::board::{CELLS, COLUMNS, Position, ROWS, STRIDE, column_mask, has_four};
use thiserror::Error;

/// Why a text is no position.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum BadPosition {
    /// Something else than a column.
    #[error("move {at}: `{found}` is no column; columns are 1 to 7, as in 4453")]
    Move {
        /// Which move, from 1.
        at: usize,
        /// What stands there.
        found: char,
    },
    /// A column without room.
    #[error("move {at}: column {column} is full; each holds six stones")]
    Full {
        /// Which move, from 1.
        at: usize,
        /// The column, from 1.
        column: usize,
    },
    /// A move after the end.
    #[error("move {at} comes after the end: move {end} has won; drop the moves behind it")]
    Over {
        /// Which move, from 1.
        at: usize,
        /// The winning move, from 1.
        end: usize,
    },
    /// Not 42 squares.
    #[error("{found} squares; a board has 42, row by row from the top")]
    Squares {
        /// How many there are.
        found: usize,
    },
    /// A square that is neither empty nor a player's.
    #[error("square {square}: `{found}` is neither 0 (empty) nor 1 or 2 (the players)")]
    Square {
        /// Its name: column a to g, row 1 to 6 from below.
        square: String,
        /// What stands there.
        found: String,
    },
    /// A stone above an empty square.
    #[error("the stone on {square} has nothing below it; stones fall to the lowest free square")]
    Floating {
        /// Its name.
        square: String,
    },
    /// Numbers of stones that do not fit turns.
    #[error("{first} stones of player 1 and {second} of player 2; player 1 begins, so 1 must have as many as 2, or one more")]
    Count {
        /// Stones of the first player.
        first: usize,
        /// Stones of the second player.
        second: usize,
    },
    /// Both sides have four, or the side to move has: the game was over before.
    #[error("player {player} has four in a row, yet the game went on; it ends with the first four")]
    Ended {
        /// Who has four.
        player: u8,
    },
    /// A board that no order of moves leads to.
    #[error("no order of moves leads to this board: the colours of its columns do not fit taking turns")]
    Unreachable,
}

/// The name of a square, `a1` at the lower left: column and row from 0.
pub fn square(column: usize, row: usize) -> String {
    format!("{}{}", char::from(b'a' + column as u8), row + 1)
}

impl Position {
    /// The position after `moves`: columns 1 to 7, the first player's first. The last move may win.
    ///
    /// # Errors
    /// What is no column, a full column, a move after the end.
    pub fn parse(moves: &str) -> Result<Position, BadPosition> {
        let mut p = Position::EMPTY;
        for (i, found) in moves.trim().chars().enumerate() {
            let at = i + 1;
            let column = match found {
                '1'..='7' => found as usize - '1' as usize,
                _ => return Err(BadPosition::Move { at, found }),
            };
            if p.is_won() {
                return Err(BadPosition::Over { at, end: i });
            }
            if !p.can_play(column) {
                return Err(BadPosition::Full { at, column: column + 1 });
            }
            p = p.play(column);
        }
        Ok(p)
    }

    /// The position of 42 squares, rows from the top and each from the left: 0 empty, 1 first player, 2 second. Whose turn
    /// it is follows from the number of stones.
    ///
    /// # Errors
    /// A board that no game leads to.
    ///
    /// ```
    /// use connect4::{BadPosition, Position};
    /// let p = Position::parse("4453")?;
    /// assert_eq!(Position::from_cells(&p.cells()), Ok(p));
    /// let mut cells = [0; 42];
    /// cells[0] = 1;
    /// assert_eq!(Position::from_cells(&cells), Err(BadPosition::Floating { square: "a6".into() }));
    /// # Ok::<(), BadPosition>(())
    /// ```
    pub fn from_cells(cells: &[u8]) -> Result<Position, BadPosition> {
        if cells.len() != CELLS {
            return Err(BadPosition::Squares { found: cells.len() });
        }
        let mut stones = [0u64; 3];
        for (i, &cell) in cells.iter().enumerate() {
            let (column, row) = (i % COLUMNS, ROWS - 1 - i / COLUMNS);
            if cell > 2 {
                return Err(BadPosition::Square { square: square(column, row), found: cell.to_string() });
            }
            stones[cell as usize] |= 1 << (column * STRIDE + row);
            if cell != 0 && row > 0 && cells[i + COLUMNS] == 0 {
                return Err(BadPosition::Floating { square: square(column, row) });
            }
        }
        let [first, second] = [stones[1].count_ones() as usize, stones[2].count_ones() as usize];
        if first != second && first != second + 1 {
            return Err(BadPosition::Count { first, second });
        }
        let own = stones[if first == second { 1 } else { 2 }];
        let p = Position { own, all: stones[1] | stones[2] };
        if has_four(own) {
            return Err(BadPosition::Ended { player: if first == second { 1 } else { 2 } });
        }
        if !p.is_reachable() {
            return Err(if p.is_won() { BadPosition::Ended { player: 3 - p.mover() } } else { BadPosition::Unreachable });
        }
        Ok(p)
    }

    /// The side to move: 1 or 2.
    pub fn mover(&self) -> u8 {
        if self.first_to_move() { 1 } else { 2 }
    }

    /// Whether some order of moves leads here: stones are taken off again, last move first.
    fn is_reachable(&self) -> bool {
        let mut seen = std::collections::HashSet::new();
        let mut stack = vec![*self];
        while let Some(p) = stack.pop() {
            if p.all == 0 {
                return true;
            }
            let other = p.own ^ p.all;
            for column in 0..COLUMNS {
                let filled = p.all & column_mask(column);
                let top = (filled + (1 << (column * STRIDE))) >> 1; // the highest stone, as a column fills from below
                let before = Position { own: other ^ top, all: p.all ^ top };
                // Nobody may have had four before the last stone.
                if filled != 0 && other & top != 0 && !has_four(before.own) && seen.insert(before.all) {
                    stack.push(before);
                }
            }
        }
        false
    }
}
