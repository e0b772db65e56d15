//! Minimax as a first course teaches it, without and with alpha-beta, to a depth: to see what each idea saves.

use crate::board::{CELLS, CENTRE_FIRST, COLUMNS, Position};

/// What a point of the exact score counts for; the evaluation at the horizon stays below.
pub const POINT: i32 = 100;

/// How the tree is searched.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Method {
    /// Every position up to the depth.
    Minimax,
    /// Not those that cannot change the result; centre columns first.
    AlphaBeta,
}

/// A search to a fixed depth.
///
/// ```
/// use connect4::{Position, plain::{Method, Plain, POINT}};
/// let p = Position::parse("445566")?; // a stone on 3 or 7 wins at once
/// let mut search = Plain::new(Method::Minimax, 2);
/// assert_eq!(search.value(&p), 18 * POINT);
/// let mut pruned = Plain::new(Method::AlphaBeta, 2);
/// assert_eq!(pruned.value(&p), 18 * POINT);
/// assert!(pruned.nodes() < search.nodes());
/// # Ok::<(), connect4::BadPosition>(())
/// ```
#[derive(Clone, Debug)]
pub struct Plain {
    method: Method,
    depth: usize,
    nodes: u64,
}

impl Plain {
    /// A search that looks `depth` stones ahead; 42 sees every end.
    pub fn new(method: Method, depth: usize) -> Plain {
        Plain { method, depth, nodes: 0 }
    }

    /// Positions visited since the search was made, ends and horizon included.
    pub fn nodes(&self) -> u64 {
        self.nodes
    }

    /// What a position is worth to the side to move: [`POINT`] times the exact score if an end decides it within the
    /// depth, else the [`evaluation`] at the horizon.
    pub fn value(&mut self, p: &Position) -> i32 {
        self.search(p, self.depth, -i32::MAX, i32::MAX)
    }

    /// The value of each column, `None` where it is full. Looks `depth` stones ahead, this one included.
    pub fn values(&mut self, p: &Position) -> [Option<i32>; COLUMNS] {
        let depth = self.depth.saturating_sub(1);
        let mut values = [None; COLUMNS];
        p.moves().for_each(|c| values[c] = Some(-self.search(&p.play(c), depth, -i32::MAX, i32::MAX)));
        values
    }

    fn search(&mut self, p: &Position, depth: usize, mut alpha: i32, beta: i32) -> i32 {
        self.nodes += 1;
        let stones = p.plies() as i32;
        if p.is_won() {
            return -POINT * (22 - (stones + 1) / 2);
        }
        if stones == CELLS as i32 {
            return 0;
        }
        if depth == 0 {
            return evaluation(p);
        }
        let mut best = -i32::MAX;
        for column in CENTRE_FIRST.into_iter().filter(|&c| p.can_play(c)) {
            let value = -self.search(&p.play(column), depth - 1, -beta, -alpha);
            best = best.max(value);
            alpha = if self.method == Method::AlphaBeta { alpha.max(best) } else { alpha };
            if alpha >= beta {
                break;
            }
        }
        best
    }
}

/// A guess for a position whose end is not in sight: winning squares of the side to move less those of the other, three
/// times, and the stones in the centre column. Below [`POINT`] in size.
pub fn evaluation(p: &Position) -> i32 {
    let other = p.own ^ p.all;
    let centre = crate::board::column_mask(COLUMNS / 2);
    let count = |squares: u64| squares.count_ones() as i32;
    let middle = count(p.own & centre) - count(other & centre);
    (3 * (count(p.winning()) - count(p.threatened())) + middle).clamp(1 - POINT, POINT - 1)
}
