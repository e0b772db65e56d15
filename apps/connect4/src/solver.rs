//! Perfect play: alpha-beta with a null window and a table of bounds, after P. Pons's tutorial
//! (<http://blog.gamesolver.org>), with three additions: what is known of all children is looked up before the first is
//! searched; a rule of parity ends many lines early (see `parity.rs`); and the lowest levels of the tree, where most
//! nodes are, have a table of their own that fits the processor's cache.
//!
//! A score says who wins and when: 22 minus the stones the winner has played at the end, negative if the side to move
//! loses, 0 for a draw. So a win at once with n stones on the board is worth (43 - n) / 2.

use crate::board::{BOARD, CELLS, CENTRE_FIRST, COLUMNS, Position, column_mask, completing};
use crate::book::Book;
use crate::parity::second_holds;
use crate::transposition::{Bounds, Transpositions};
use std::sync::Arc;

/// Below this many stones a position and its mirror image share an entry; later they rarely both occur.
const MIRRORED: usize = 18;
/// Below this many stones the entries of all moves are looked up before the first is searched: later a node costs less
/// than looking.
const LOOK_AHEAD: usize = 34;
/// From this many stones on, entries go to the small table. Fewer stones: more nodes; more stones: more cache misses.
const NEAR: usize = 24;
/// Megabytes of the small table: half of a usual second-level cache.
const NEAR_MEGABYTES: usize = 1;

/// A perfect player. Clones share the large table, for one solver per thread.
///
/// ```
/// use connect4::{Position, Solver};
/// let mut solver = Solver::new(16);
/// let p = Position::parse("2252576253462244111563365343671351441")?;
/// assert_eq!(solver.solve(&p), -1);
/// # Ok::<(), connect4::BadPosition>(())
/// ```
pub struct Solver {
    table: Arc<Transpositions>,
    near: Transpositions,
    book: Option<Arc<Book>>,
    nodes: u64,
}

impl Clone for Solver {
    fn clone(&self) -> Solver {
        Solver { table: self.table.clone(), near: Transpositions::new(NEAR_MEGABYTES), book: self.book.clone(), nodes: 0 }
    }
}

impl Solver {
    /// A solver with a table of at most this many megabytes, and no opening book.
    pub fn new(megabytes: usize) -> Solver {
        Solver { table: Arc::new(Transpositions::new(megabytes)), near: Transpositions::new(NEAR_MEGABYTES), book: None, nodes: 0 }
    }

    /// The same with an opening book.
    pub fn with_book(self, book: Arc<Book>) -> Solver {
        Solver { book: Some(book), ..self }
    }

    /// Forgets what earlier searches found out, clones' too.
    pub fn clear(&mut self) {
        self.table.clear();
        self.near.clear();
    }

    /// Positions searched since the solver was made: calls of the search, as P. Pons counts them.
    pub fn nodes(&self) -> u64 {
        self.nodes
    }

    /// The exact score of a position, for the side to move.
    pub fn solve(&mut self, p: &Position) -> i32 {
        let n = p.plies() as i32;
        self.plain_score(p).unwrap_or_else(|| self.narrow(p, -(42 - n) / 2, (41 - n) / 2))
    }

    /// Who wins: 1 the side to move, 0 nobody, -1 the other side. Cheaper than the score.
    pub fn outcome(&mut self, p: &Position) -> i32 {
        self.plain_score(p).unwrap_or_else(|| self.narrow(p, -1, 1)).signum()
    }

    /// The exact score of each column, `None` where it is full; all `None` when the game is over.
    pub fn scores(&mut self, p: &Position) -> [Option<i32>; COLUMNS] {
        let mut scores = [None; COLUMNS];
        p.moves().for_each(|c| scores[c] = Some(-self.solve(&p.play(c))));
        scores
    }

    /// The score of a position that needs no search: finished, won by the next stone, or in the book.
    fn plain_score(&self, p: &Position) -> Option<i32> {
        let n = p.plies() as i32;
        if p.is_won() {
            Some(-(22 - (n + 1) / 2))
        } else if p.winning() & p.playable() != 0 {
            Some((43 - n) / 2)
        } else if n == CELLS as i32 {
            Some(0)
        } else {
            self.book_score(p, n as usize)
        }
    }

    fn book_score(&self, p: &Position, n: usize) -> Option<i32> {
        self.book.as_ref().filter(|b| b.plies() == n)?.score(p)
    }

    /// The score if it lies between the bounds, else the nearer one or a score beyond it.
    fn narrow(&mut self, p: &Position, mut low: i32, mut high: i32) -> i32 {
        while low < high {
            // Windows near zero first: who wins is cheaper to find out than when, and prunes more.
            let mut middle = low + (high - low) / 2;
            if middle <= 0 && low / 2 < middle {
                middle = low / 2;
            } else if middle >= 0 && high / 2 > middle {
                middle = high / 2;
            }
            let found = self.search(*p, p.plies(), middle);
            if found <= middle { high = found } else { low = found }
        }
        low.min(high)
    }

    /// A bound of the score: an upper one if it is at most `alpha`, else a lower one.
    fn search(&mut self, p: Position, n: usize, alpha: i32) -> i32 {
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("popcnt") && std::arch::is_x86_feature_detected!("bmi1") {
            // SAFETY: the processor has both.
            return unsafe { self.search_popcnt(p, n, alpha) };
        }
        self.search_portable(p, n, alpha)
    }

    fn search_portable(&mut self, p: Position, n: usize, alpha: i32) -> i32 {
        self.node(p, n, alpha, |s, p, n, alpha| s.search_portable(p, n, alpha))
    }

    /// The same, compiled for processors that count bits in one instruction: x86-64 alone does not promise it.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "popcnt,bmi1")]
    fn search_popcnt(&mut self, p: Position, n: usize, alpha: i32) -> i32 {
        self.node(p, n, alpha, |s, p, n, alpha| s.search_popcnt(p, n, alpha))
    }

    /// One node: `p` has `n` stones, is not over, and the side to move cannot win at once. `again` searches a child.
    #[inline(always)]
    fn node(&mut self, p: Position, n: usize, alpha: i32, again: impl Fn(&mut Solver, Position, usize, i32) -> i32) -> i32 {
        self.nodes += 1;
        let stones = n as i32;
        let safe = p.safe_moves();
        if safe == 0 {
            return -(42 - stones) / 2; // the other side wins with its next stone
        }
        if n >= CELLS - 2 {
            return 0;
        }
        // The other side cannot win with its next stone, this side not before its next but one.
        let (mut low, mut high) = (-(40 - stones) / 2, (41 - stones) / 2);
        if low > alpha {
            return low;
        }
        if high <= alpha {
            return high;
        }
        if second_holds(&p, n, alpha) {
            return 0;
        }
        if let Some(score) = self.book_score(&p, n) {
            return score;
        }
        let known = self.known(&p, n);
        if let Some(known) = known {
            (low, high) = (low.max(known.low), high.min(known.high));
            if low > alpha {
                return low;
            }
            if high <= alpha {
                return high;
            }
        }
        let before = self.nodes;
        let mut moves = ordered(&p, safe);
        let mut best = low;
        if n < LOOK_AHEAD
            && let Some(score) = self.look_ahead(&p, n, alpha, &mut moves, &mut best)
        {
            self.note(&p, n, Bounds { low: score.max(low), high }, 1);
            return score;
        }
        for &(stone, _) in moves.list[..moves.count].iter().filter(|(stone, _)| *stone != 0) {
            let score = -again(self, p.put(stone), n + 1, -alpha - 1);
            best = best.max(score);
            if score > alpha {
                self.note(&p, n, Bounds { low: best, high }, self.nodes - before);
                return score;
            }
        }
        self.note(&p, n, Bounds { low, high: best.min(high) }, self.nodes - before);
        best
    }

    /// Looks up all children: a score above `alpha` that is already known, if there is one. Moves known not to exceed
    /// `alpha` are taken from the list; `best` becomes at least what bounds them.
    #[inline(always)]
    fn look_ahead(&self, p: &Position, n: usize, alpha: i32, moves: &mut Moves, best: &mut i32) -> Option<i32> {
        for entry in &mut moves.list[..moves.count] {
            let Some(known) = self.known(&p.put(entry.0), n + 1) else { continue };
            if -known.high > alpha {
                return Some(-known.high);
            }
            if -known.low <= alpha {
                *best = (*best).max(-known.low);
                entry.0 = 0;
            }
        }
        None
    }

    #[inline(always)]
    fn known(&self, p: &Position, n: usize) -> Option<Bounds> {
        if n < NEAR { self.table.get(key(p, n)) } else { self.near.get(key(p, n)) }
    }

    #[inline(always)]
    fn note(&self, p: &Position, n: usize, bounds: Bounds, nodes: u64) {
        let table = if n < NEAR { &*self.table } else { &self.near };
        table.put(key(p, n), bounds, nodes);
    }
}

#[inline(always)]
fn key(p: &Position, n: usize) -> u64 {
    if n < MIRRORED { p.canonical_key() } else { p.key() }
}

/// Moves and the squares to win on that each leaves.
pub(crate) struct Moves {
    pub(crate) list: [(u64, u32); COLUMNS],
    pub(crate) count: usize,
}

/// The safe moves, best first: those that leave the most squares to win on, then those near the centre.
#[inline(always)]
pub(crate) fn ordered(p: &Position, safe: u64) -> Moves {
    let (mut list, mut count) = ([(0, 0); COLUMNS], 0);
    for column in CENTRE_FIRST {
        let stone = safe & column_mask(column);
        if stone == 0 {
            continue;
        }
        let threats = (completing(p.own | stone) & (BOARD ^ p.all ^ stone)).count_ones();
        let mut at = count;
        while at > 0 && list[at - 1].1 < threats {
            list[at] = list[at - 1];
            at -= 1;
        }
        list[at] = (stone, threats);
        count += 1;
    }
    Moves { list, count }
}
