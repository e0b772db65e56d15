//! Players of every strength.

use crate::board::{CELLS, COLUMNS, Position};
use crate::horizon::Horizon;
use crate::network::{Network, Opinion};
use crate::plain::{Method, Plain};
use crate::solver::Solver;
use neurona::Random;
use neurona::Result;

/// How a player chooses.
pub enum Level {
    /// Any column.
    Random,
    /// Minimax with alpha-beta, so many stones ahead.
    AlphaBeta(usize),
    /// The network's best column.
    Network(Box<Network>),
    /// A search; what it leaves open, the network decides, two stones ahead.
    Search(Box<Network>, Box<Search>),
    /// The solver.
    Perfect(Box<Solver>),
}

/// The search that helps a network: exact to a horizon, and to the end once few squares are empty.
pub struct Search {
    horizon: Horizon,
    solver: Solver,
    ending: usize,
}

impl Search {
    /// A search that looks `depth` stones ahead, and to the end from `ending` empty squares on.
    pub fn new(depth: usize, ending: usize) -> Search {
        Search { horizon: Horizon::new(depth), solver: Solver::new(4), ending }
    }

    /// The score of each column, `None` where it is full, and whether 0 is a draw for certain.
    fn scores(&mut self, p: &Position) -> ([Option<i32>; COLUMNS], bool) {
        let empty = CELLS - p.plies();
        if empty <= self.ending { (self.solver.scores(p), true) } else { (self.horizon.scores(p), empty <= self.horizon.depth()) }
    }
}

/// A player.
pub struct Player {
    level: Level,
    random: Random,
}

impl Player {
    /// A player; `seed` decides between equally good columns.
    pub fn new(level: Level, seed: u64) -> Player {
        Player { level, random: Random::new(seed, 0) }
    }

    /// Its column; none when the game is over. Above [`Level::Random`] it never misses a win with the next stone, nor to stop one.
    ///
    /// # Errors
    /// Those of the network's program.
    pub fn choose(&mut self, p: &Position) -> Result<Option<usize>> {
        Ok(self.choose_all(&[*p])?.pop().flatten())
    }

    /// As [`Player::choose`], for many positions.
    ///
    /// # Errors
    /// As [`Player::choose`].
    pub fn choose_all(&mut self, positions: &[Position]) -> Result<Vec<Option<usize>>> {
        let random = &mut self.random;
        let guarded = |p: &Position, worth: [Option<f64>; COLUMNS], random: &mut Random| pick(&guard(p, worth), random);
        Ok(match &mut self.level {
            Level::Random => positions.iter().map(|p| pick(&legal(p), random)).collect(),
            Level::AlphaBeta(depth) => {
                let values = |p: &Position| Plain::new(Method::AlphaBeta, *depth).values(p).map(|v| v.map(f64::from));
                positions.iter().map(|p| guarded(p, values(p), random)).collect()
            }
            Level::Network(network) => {
                let opinions = network.opinions(positions)?;
                positions.iter().zip(opinions).map(|(p, o)| guarded(p, o.columns.map(|c| c.map(f64::from)), random)).collect()
            }
            Level::Search(network, search) => {
                let opinions = network.opinions(positions)?;
                let both = positions.iter().zip(&opinions);
                let worths: Vec<_> = both.map(|(p, o)| searched(p, o, network, search)).collect::<Result<_>>()?;
                positions.iter().zip(worths).map(|(p, worth)| guarded(p, worth, random)).collect()
            }
            Level::Perfect(solver) => positions.iter().map(|p| guarded(p, solver.scores(p).map(|s| s.map(f64::from)), random)).collect(),
        })
    }
}

fn legal(p: &Position) -> [Option<f64>; COLUMNS] {
    let mut worth = [None; COLUMNS];
    p.moves().for_each(|c| worth[c] = Some(0.0));
    worth
}

/// One of the columns of the highest worth.
fn pick(worth: &[Option<f64>; COLUMNS], random: &mut Random) -> Option<usize> {
    let best = worth.iter().flatten().copied().fold(f64::NEG_INFINITY, f64::max);
    let all: Vec<usize> = (0..COLUMNS).filter(|&c| worth[c] == Some(best)).collect();
    (!all.is_empty()).then(|| all[random.below(all.len())])
}

/// Leaves only columns that win at once, else those after which the other side does not, as far as there are any.
fn guard(p: &Position, worth: [Option<f64>; COLUMNS]) -> [Option<f64>; COLUMNS] {
    let only = |keep: &dyn Fn(usize) -> bool| -> [Option<f64>; COLUMNS] { std::array::from_fn(|c| worth[c].filter(|_| keep(c))) };
    let wins = only(&|c| p.wins_with(c));
    let replies = |c: usize| {
        let next = p.play(c);
        (0..COLUMNS).any(|r| next.wins_with(r))
    };
    let safe = only(&|c| !replies(c));
    // All columns lose: one that makes the other side see how, by stopping what it can.
    let stops = only(&|c| p.is_threatened(c));
    [wins, safe, stops].into_iter().find(|w| w.iter().any(Option::is_some)).unwrap_or(worth)
}

/// How much more a column's exact score counts than anything the network says.
const EXACT: f64 = 100.0;

/// How much the network's opinion of the positions after two stones counts beside that of those after one (1, 2 and 4, with other
/// weights of its opinion of the position itself, were tried on Begin-Medium).
const FARTHER: f64 = 2.0;

/// What each column is worth: its score as far as the search sees, and where that is open, the network's opinion: of the position, of
/// those after one stone, and of those after two.
fn searched(p: &Position, opinion: &Opinion, network: &mut Network, search: &mut Search) -> Result<[Option<f64>; COLUMNS]> {
    let (exact, certain) = search.scores(p);
    let open: Vec<usize> = (0..COLUMNS).filter(|&c| exact[c] == Some(0)).collect();
    let won = exact.iter().flatten().any(|&s| s > 0);
    let mut worth: [Option<f64>; COLUMNS] = std::array::from_fn(|c| Some(EXACT * f64::from(exact[c]?) + f64::from(opinion.columns[c]?)));
    if won || open.len() < 2 || certain {
        return Ok(worth);
    }
    let mut positions: Vec<Position> = open.iter().map(|&c| p.play(c)).collect();
    let replies: Vec<Vec<Position>> = positions.iter().map(|q| q.moves().map(|r| q.play(r)).collect()).collect();
    positions.extend(replies.iter().flatten());
    let values: Vec<f64> = network.opinions(&positions)?.iter().map(|o| f64::from(o.value)).collect();
    let mut later = values[open.len()..].iter().zip(&positions[open.len()..]);
    for ((&c, first), replies) in open.iter().zip(&values).zip(&replies) {
        let second = later.by_ref().take(replies.len()).map(|(v, q)| if q.is_won() { 0.0 } else { *v });
        let second = second.fold(1.0, f64::min);
        worth[c] = worth[c].map(|w| w + (1.0 - first) + FARTHER * second);
    }
    Ok(worth)
}
