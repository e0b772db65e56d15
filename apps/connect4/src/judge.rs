//! How good a player is: against exact scores, and in games.

use crate::board::{COLUMNS, Position};
use crate::player::Player;
use neurona::Result;

/// A player's choices on positions with known scores.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Quality {
    /// Positions.
    pub positions: usize,
    /// Choices of a column with the highest score.
    pub optimal: usize,
    /// Choices that keep the result: a win, or else a draw.
    pub preserved: usize,
    /// Sum of the scores lost.
    pub lost: i64,
}

impl Quality {
    /// Adds choices on other positions.
    pub fn add(&mut self, other: &Quality) {
        self.positions += other.positions;
        self.optimal += other.optimal;
        self.preserved += other.preserved;
        self.lost += other.lost;
    }

    /// Share of choices with the highest score.
    pub fn optimal_share(&self) -> f64 {
        self.optimal as f64 / self.positions.max(1) as f64
    }

    /// Share of choices that keep the result.
    pub fn preserved_share(&self) -> f64 {
        self.preserved as f64 / self.positions.max(1) as f64
    }

    /// Score lost per choice.
    pub fn mean_lost(&self) -> f64 {
        self.lost as f64 / self.positions.max(1) as f64
    }
}

/// Judges a player's choices by the exact scores of the columns.
///
/// # Errors
/// Those of the player.
pub fn quality(player: &mut Player, positions: &[Position], scores: &[[Option<i32>; COLUMNS]]) -> Result<Quality> {
    let mut q = Quality { positions: positions.len(), ..Quality::default() };
    for (choice, scores) in player.choose_all(positions)?.into_iter().zip(scores) {
        let best = scores.iter().flatten().copied().max().unwrap_or(0);
        let Some(score) = choice.and_then(|c| scores[c]) else { continue }; // a full column would keep nothing
        q.optimal += usize::from(score == best);
        q.preserved += usize::from(score.signum() == best.signum());
        q.lost += i64::from(best - score);
    }
    Ok(q)
}

/// Results of games, from the first player's view.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Games {
    /// Games won.
    pub won: usize,
    /// Games drawn.
    pub drawn: usize,
    /// Games lost.
    pub lost: usize,
}

impl Games {
    /// Games in all.
    pub fn count(&self) -> usize {
        self.won + self.drawn + self.lost
    }
}

/// Plays `player` against `other` from all 49 openings of two stones, with each side: 98 games, side by side.
///
/// # Errors
/// Those of the players.
pub fn games(player: &mut Player, other: &mut Player) -> Result<Games> {
    let opening = |i: usize| Position::EMPTY.play(i % COLUMNS).play(i / COLUMNS % COLUMNS);
    let mut result = Games::default();
    for begins in [true, false] {
        let mut running: Vec<Position> = (0..COLUMNS * COLUMNS).map(opening).collect();
        while let Some(first) = running.first() {
            // All have the same number of stones.
            let own_turn = first.first_to_move() == begins;
            let choices = if own_turn { player.choose_all(&running)? } else { other.choose_all(&running)? };
            let next = running.iter().zip(choices).filter_map(|(p, c)| Some(p.play(c?)));
            running = next.filter(|p| !ended(p, own_turn, &mut result)).collect();
        }
    }
    Ok(result)
}

/// Whether a game is over; if so, notes its result.
fn ended(p: &Position, own_stone: bool, result: &mut Games) -> bool {
    match (p.is_won(), own_stone) {
        (true, true) => result.won += 1,
        (true, false) => result.lost += 1,
        _ if p.is_over() => result.drawn += 1,
        _ => return false,
    }
    true
}
