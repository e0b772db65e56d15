//! Positions to learn from: out of games between players of mixed strength.

use crate::board::Position;
use crate::plain::{Method, Plain};
use neurona::Random;
use std::collections::HashSet;

/// How many of 1024 positions have how many stones: (from, to, of 1024), equally many of each number in between. Early
/// positions are few, and the first seven stones are left out, because they take longest to solve: with 7 stones 2 s on
/// one core, with 8 stones 400 ms, with 12 stones 50 ms, with 20 stones 1 ms.
pub const STONES: [(usize, usize, usize); 5] = [(8, 11, 10), (12, 15, 80), (16, 19, 170), (20, 33, 684), (34, 39, 80)];

/// Distinct positions, none finished, none twice and none the mirror image of another.
pub struct Games {
    seed: u64,
    game: u64,
    seen: HashSet<u64>,
}

impl Games {
    /// The positions of `seed`: the same sequence each time.
    pub fn new(seed: u64) -> Games {
        Games { seed, game: 0, seen: HashSet::new() }
    }
}

impl Iterator for Games {
    type Item = Position;

    fn next(&mut self) -> Option<Position> {
        let mut random = Random::new(self.seed, self.game);
        self.game += 1;
        // Another game, not another number of stones, if one ends too early: else long games would be rarer than stated.
        let stones = draw(&mut random);
        loop {
            if let Some(p) = play(&mut random, stones).filter(|p| self.seen.insert(p.canonical_key())) {
                return Some(p);
            }
        }
    }
}

/// A number of stones with the frequencies of [`STONES`].
fn draw(random: &mut Random) -> usize {
    let mut place = random.below(1024);
    for (from, to, share) in STONES {
        if place < share {
            return from + random.below(to + 1 - from);
        }
        place -= share;
    }
    STONES[0].0 // not reached: the shares add up to 64
}

/// A position with that many stones, if the game lasts so long. The first stones fall at random; then each side has a
/// strength of its own, a share of random moves and a depth of search for the others.
fn play(random: &mut Random, stones: usize) -> Option<Position> {
    let opening = random.below(13);
    let sides: [(f64, usize); 2] = std::array::from_fn(|_| (random.unit() * random.unit(), 1 + random.below(4)));
    let mut p = Position::EMPTY;
    while p.plies() < stones {
        let (blunders, depth) = sides[p.plies() % 2];
        let at_random = p.plies() < opening || random.unit() < blunders;
        p = p.play(if at_random { any(&p, random)? } else { good(&p, depth, random)? });
    }
    (!p.is_over()).then_some(p)
}

/// Any move; `None` when the game is over.
fn any(p: &Position, random: &mut Random) -> Option<usize> {
    let moves: Vec<usize> = p.moves().collect();
    (!moves.is_empty()).then(|| moves[random.below(moves.len())])
}

/// One of the best moves of a shallow search.
fn good(p: &Position, depth: usize, random: &mut Random) -> Option<usize> {
    let values = Plain::new(Method::AlphaBeta, depth).values(p);
    let best = values.iter().flatten().max()?;
    let moves: Vec<usize> = (0..values.len()).filter(|&c| values[c] == Some(*best)).collect();
    Some(moves[random.below(moves.len())])
}
