//! Perfect play: alpha-beta with a null window, and what P. Pons's tutorial (<http://blog.gamesolver.org>) adds to it.
//!
//! A score says who wins and when: 22 minus the stones the winner has played at the end, negative if the side to move
//! loses, 0 for a draw. So a win at once with n stones on the board is worth (43 - n) / 2.

use crate::board::{CELLS, CENTRE_FIRST, COLUMNS, Position, column_mask, completing};
use crate::transposition::{Bounds, Transpositions};
use std::sync::Arc;

/// Below this many stones a position and its mirror image share an entry; later they rarely both occur.
const MIRRORED: usize = 18;
/// Below this many stones the entries of all moves are looked up before the first is searched.
static LA: std::sync::LazyLock<usize> = std::sync::LazyLock::new(|| std::env::var("LA").map_or(34, |s| s.parse().unwrap()));

/// A perfect player. Clones share one table, for one solver per thread.
///
/// ```
/// use connect4::{Position, Solver};
/// let mut solver = Solver::new(16);
/// let p = Position::parse("2252576253462244111563365343671351441")?;
/// assert_eq!(solver.solve(&p), -1);
/// # Ok::<(), connect4::BadPosition>(())
/// ```
#[derive(Clone)]
pub struct Solver {
    table: Arc<Transpositions>,
    generation: u64,
    nodes: u64,
    la: usize,
    near: Arc<Transpositions>,
    nr: usize,
    w: [u32; 4],
}

impl Solver {
    /// A solver with a table of at most this many megabytes.
    pub fn new(megabytes: usize) -> Solver {
        let table = Arc::new(Transpositions::new(megabytes));
        Solver { generation: table.generation(), table, nodes: 0, la: *LA, near: Arc::new(Transpositions::new(env("NM",1))), nr: env("NR", 22), w: [env("W0",1) as u32, env("W1",0) as u32, env("W2",0) as u32, env("W3",0) as u32] }
    }

    /// Forgets what earlier searches found out. Other clones must not be searching.
    pub fn clear(&mut self) {
        self.table.clear();
        self.near.clear();
        self.generation = self.table.generation();
    }

    /// Positions searched since the solver was made: calls of the search, as P. Pons counts them.
    pub fn nodes(&self) -> u64 {
        self.nodes
    }

    /// The exact score of a position, for the side to move.
    pub fn solve(&mut self, p: &Position) -> i32 {
        let n = p.plies() as i32;
        if p.is_won() {
            return -(22 - (n + 1) / 2);
        }
        if p.winning() & p.playable() != 0 {
            return (43 - n) / 2;
        }
        if n == CELLS as i32 {
            return 0;
        }
        let (mut low, mut high) = (-(42 - n) / 2, (41 - n) / 2);
        while low < high {
            // Windows near zero first: who wins is cheaper to find out than when, and prunes more.
            let mut middle = low + (high - low) / 2;
            if middle <= 0 && low / 2 < middle {
                middle = low / 2;
            } else if middle >= 0 && high / 2 > middle {
                middle = high / 2;
            }
            let found = self.search(*p, n as usize, middle);
            if found <= middle { high = found } else { low = found }
        }
        low
    }

    /// The exact score of each column, `None` where it is full; all `None` when the game is over.
    pub fn scores(&mut self, p: &Position) -> [Option<i32>; COLUMNS] {
        let mut scores = [None; COLUMNS];
        p.moves().for_each(|c| scores[c] = Some(-self.solve(&p.play(c))));
        scores
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

    #[inline(always)]
    fn at(&self, n: usize) -> &Transpositions {
        if n < self.nr { &self.table } else { &self.near }
    }

    fn search_portable(&mut self, p: Position, n: usize, alpha: i32) -> i32 {
        self.node(p, n, alpha, |s, p, n, alpha| s.search_portable(p, n, alpha))
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "popcnt,bmi1")]
    fn search_popcnt(&mut self, p: Position, n: usize, alpha: i32) -> i32 {
        self.node(p, n, alpha, |s, p, n, alpha| s.search_popcnt(p, n, alpha))
    }

    /// One node: `p` has `n` stones, is not over, and the side to move cannot win at once. `again` searches a child.
    #[inline(always)]
    fn node(&mut self, p: Position, n: usize, mut alpha: i32, again: impl Fn(&mut Solver, Position, usize, i32) -> i32) -> i32 {
        self.nodes += 1;
        let stones = n as i32;
        let safe = p.safe_moves();
        if safe == 0 {
            return -(42 - stones) / 2; // the other side wins with its next stone
        }
        if n >= CELLS - 2 {
            return 0;
        }
        // No win for the other side with its next stone, none for this side before its next but one.
        let (mut low, mut high) = (-(40 - stones) / 2, (41 - stones) / 2);
        if n >= self.w[0] as usize {
            let free = crate::board::BOARD ^ p.all;
            if high > 0 && !crate::board::has_four(p.own | free) { high = 0 }
            if low < 0 && !crate::board::has_four((p.own ^ p.all) | free) { low = 0 }
        }
        if low > alpha {
            return low;
        }
        if high <= alpha {
            return high;
        }
        let key = if n < MIRRORED { p.canonical_key() } else { p.key() };
        if let Some(known) = self.at(n).get(key, self.generation) {
            (low, high) = (low.max(known.low), high.min(known.high));
            if low > alpha {
                return low;
            }
            if high <= alpha {
                return high;
            }
        }
        let before = self.nodes;
        let (moves, count) = ordered(&p, safe, n, &self.w);
        let mut best = low;
        let mut tried = [0i32; COLUMNS];
        if n < self.la {
            for i in 0..count {
                let child = p.put(moves[i].0);
                let key = if n + 1 < MIRRORED { child.canonical_key() } else { child.key() };
                if let Some(known) = self.at(n + 1).get(key, self.generation) {
                    if -known.high > alpha {
                        let bounds = Bounds { low: -known.high, high };
                        self.at(n).put(key_of(&p, n), self.generation, bounds, 1);
                        return -known.high;
                    }
                    if -known.low <= alpha {
                        tried[i] = 1;
                        best = best.max(-known.low);
                    }
                }
            }
        }
        for i in 0..count {
            if tried[i] != 0 {
                continue;
            }
            let score = -again(self, p.put(moves[i].0), n + 1, -alpha - 1);
            best = best.max(score);
            if score > alpha {
                self.at(n).put(key, self.generation, Bounds { low: score.max(low), high }, self.nodes - before);
                return score;
            }
        }
        alpha = best;
        self.at(n).put(key, self.generation, Bounds { low, high: alpha.min(high) }, self.nodes - before);
        alpha
    }
}

fn key_of(p: &Position, n: usize) -> u64 {
    if n < MIRRORED { p.canonical_key() } else { p.key() }
}

/// The safe moves, best first: those that leave the most squares to win on, then those near the centre.
#[inline(always)]
fn ordered(p: &Position, safe: u64, n: usize, w: &[u32; 4]) -> ([(u64, u32); COLUMNS], usize) {
    let mut moves = [(0, 0); COLUMNS];
    let mut count = 0;
    for column in CENTRE_FIRST {
        let stone = safe & column_mask(column);
        if stone == 0 {
            continue;
        }
        let threats = completing(p.own | stone) & (crate::board::BOARD ^ p.all ^ stone);
        let value = threats.count_ones();
        let mut at = count;
        while at > 0 && moves[at - 1].1 < value {
            moves[at] = moves[at - 1];
            at -= 1;
        }
        moves[at] = (stone, value);
        count += 1;
    }
    (moves, count)
}

fn env(n: &str, d: usize) -> usize { std::env::var(n).map_or(d, |s| s.parse().unwrap()) }

/// Rows 1, 3, 5 from below
const ODD: u64 = crate::board::BOTTOM * 0b010100;
#[inline(always)]
fn lines3(_s: u64) -> u64 { 0 }
