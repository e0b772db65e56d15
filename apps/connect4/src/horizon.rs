//! Exact search to a horizon: whether a side can force a win within some stones. What lies beyond, it does not guess.

use crate::board::{CELLS, COLUMNS, Position};
use crate::solver::ordered;

/// Entries of the table; odd, so that all bits of a key count.
const ENTRIES: u64 = (1 << 17) - 1;

/// A search that sees wins and losses up to a number of stones ahead.
///
/// ```
/// use connect4::{Position, horizon::Horizon};
/// let p = Position::parse("4455")?; // a stone on 3 or 6 makes three in a row with both ends open
/// assert_eq!(Horizon::new(3).scores(&p)[2], Some(18));
/// assert_eq!(Horizon::new(2).scores(&p)[2], Some(0));
/// # Ok::<(), connect4::BadPosition>(())
/// ```
pub struct Horizon {
    depth: usize,
    /// What is known: key (49 bits), stones ahead (6 bits), and in the highest bit whether the side that makes the last of these
    /// stones can force to win.
    table: Vec<u64>,
}

impl Horizon {
    /// A search that looks `depth` stones ahead.
    pub fn new(depth: usize) -> Horizon {
        Horizon { depth: depth.min(CELLS), table: vec![u64::MAX; ENTRIES as usize] }
    }

    /// Stones that it looks ahead.
    pub fn depth(&self) -> usize {
        self.depth
    }

    /// The score of each column as far as the horizon shows it, `None` where it is full: the exact score if a side can force to
    /// win within the depth, else 0. With no more empty squares than the depth, 0 is a draw.
    pub fn scores(&mut self, p: &Position) -> [Option<i32>; COLUMNS] {
        let mut scores = [None; COLUMNS];
        for c in p.moves() {
            scores[c] = Some(-self.score(&p.play(c)));
        }
        scores
    }

    /// The score of the position after the first stone.
    fn score(&mut self, p: &Position) -> i32 {
        let n = p.plies();
        let won = |stones: usize| 22 - (stones as i32 + 1) / 2; // by the side that put the last of so many
        if p.is_won() {
            return -won(n);
        }
        for ahead in 1..=self.depth.saturating_sub(1).min(CELLS - n) {
            let forced = match ahead {
                1 => p.winning() & p.playable() != 0,
                _ => self.forces(p, ahead),
            };
            if forced {
                return if ahead % 2 == 1 { won(n + ahead) } else { -won(n + ahead) };
            }
        }
        0
    }

    /// Whether the side that makes the `ahead`-th stone from here can force to win with it or before. The side to move, which
    /// cannot win at once, makes it if the number is odd.
    fn forces(&mut self, p: &Position, ahead: usize) -> bool {
        let mine = ahead % 2 == 1;
        if ahead < 2 || p.plies() == CELLS {
            return false;
        }
        let safe = p.safe_moves();
        if safe == 0 {
            return !mine; // the other side wins with its next stone
        }
        if ahead < 3 {
            return false;
        }
        let entry = p.key() | (ahead as u64) << 50;
        let place = (entry % ENTRIES) as usize;
        if self.table[place] << 1 == entry << 1 {
            return self.table[place] >> 63 == 1;
        }
        let moves = ordered(p, safe);
        let mut stones = moves.list[..moves.count].iter();
        // After a safe stone nobody wins at once.
        let mut good = |stone: &(u64, u32)| self.forces(&p.put(stone.0), ahead - 1);
        let result = if mine { stones.any(&mut good) } else { stones.all(&mut good) };
        self.table[place] = entry | u64::from(result) << 63;
        result
    }
}
