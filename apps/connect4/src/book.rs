//! The opening book: the exact scores of all positions with a certain number of stones.
//!
//! Only scores are kept, one byte each, in ascending order of the positions' canonical keys: the positions themselves are
//! listed again in milliseconds. Finished positions are left out.

use crate::board::{COLUMNS, Position};
use crate::solver::Solver;
use crate::work;
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};
use thiserror::Error;

/// What a file begins with; the number of stones follows.
const MAGIC: &[u8; 7] = b"c4book1";
/// Added to a score to make it a byte; 0 stands for a score that is not known yet.
const OFFSET: i32 = 64;
/// Most stones of a book: 1.8 million positions, and days of work.
pub const MOST: usize = 11;

/// Why a file is no book.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum BadBook {
    /// It begins otherwise.
    #[error("this is no opening book (they begin with `c4book1`)")]
    Magic,
    /// A number of stones out of range.
    #[error("a book of {plies} stones; 0 to {MOST} are possible")]
    Plies {
        /// The number.
        plies: usize,
    },
    /// It is cut short, or too long.
    #[error("{found} scores where {expected} positions of {plies} stones have one; the file is damaged")]
    Length {
        /// Stones.
        plies: usize,
        /// Positions.
        expected: usize,
        /// Scores.
        found: usize,
    },
    /// A byte that is no score.
    #[error("score {index} (from 0) is {byte}, out of range; the file is damaged")]
    Score {
        /// Which.
        index: usize,
        /// The byte.
        byte: u8,
    },
    /// Scores are missing.
    #[error("{missing} scores are still missing; run the command that makes the book again to complete it")]
    Unfinished {
        /// How many.
        missing: usize,
    },
}

/// All positions with `plies` stones that are not finished, one of each mirror pair, by ascending canonical key.
pub fn positions(plies: usize) -> Vec<Position> {
    let mut level = vec![Position::EMPTY];
    for _ in 0..plies {
        let children = |p: &Position| p.moves().map(|c| p.play(c)).filter(|p| !p.is_won()).collect::<Vec<_>>();
        level = level.iter().flat_map(children).map(|p| if p.key() > p.mirror().key() { p.mirror() } else { p }).collect();
        level.sort_unstable_by_key(Position::key);
        level.dedup();
    }
    level
}

/// A book in the making.
pub struct Draft {
    plies: usize,
    positions: Vec<Position>,
    scores: Vec<u8>,
}

impl Draft {
    /// A book of positions with `plies` stones, nothing in it yet.
    ///
    /// # Errors
    /// More than [`MOST`] stones.
    pub fn new(plies: usize) -> Result<Draft, BadBook> {
        if plies > MOST {
            return Err(BadBook::Plies { plies });
        }
        let positions = positions(plies);
        Ok(Draft { plies, scores: vec![0; positions.len()], positions })
    }

    /// What [`Draft::to_bytes`] wrote.
    ///
    /// # Errors
    /// Bytes that are none.
    pub fn from_bytes(bytes: &[u8]) -> Result<Draft, BadBook> {
        let Some((&plies, scores)) = bytes.strip_prefix(MAGIC).and_then(<[u8]>::split_first) else { return Err(BadBook::Magic) };
        let draft = Draft::new(plies.into())?;
        let (plies, expected, found) = (draft.plies, draft.positions.len(), scores.len());
        if expected != found {
            return Err(BadBook::Length { plies, expected, found });
        }
        let wrong = |b: u8| b != 0 && (i32::from(b) - OFFSET).abs() > 21;
        if let Some((index, &byte)) = scores.iter().enumerate().find(|(_, b)| wrong(**b)) {
            return Err(BadBook::Score { index, byte });
        }
        Ok(Draft { scores: scores.to_vec(), ..draft })
    }

    /// The file.
    pub fn to_bytes(&self) -> Vec<u8> {
        [&MAGIC[..], &[self.plies as u8], &self.scores].concat()
    }

    /// Stones of its positions.
    pub fn plies(&self) -> usize {
        self.plies
    }

    /// Positions in all.
    pub fn len(&self) -> usize {
        self.scores.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.scores.is_empty()
    }

    /// Positions whose score is known.
    pub fn done(&self) -> usize {
        self.scores.iter().filter(|s| **s != 0).count()
    }

    /// Solves the next `count` positions, one solver per thread; returns how many it were.
    pub fn advance(&mut self, solvers: &mut [Solver], count: usize) -> usize {
        let open: Vec<usize> = (0..self.scores.len()).filter(|&i| self.scores[i] == 0).take(count).collect();
        let solved = work::spread(solvers, &open, |solver, &i| solver.solve(&self.positions[i]));
        open.iter().zip(solved).for_each(|(&i, score)| self.scores[i] = (score + OFFSET) as u8);
        open.len()
    }

    /// The finished book.
    ///
    /// # Errors
    /// Scores that are missing.
    pub fn finish(&self) -> Result<Book, BadBook> {
        let missing = self.len() - self.done();
        if missing > 0 {
            return Err(BadBook::Unfinished { missing });
        }
        let keys = self.positions.iter().map(Position::key);
        let scores = keys.zip(self.scores.iter().map(|&b| (i32::from(b) - OFFSET) as i8)).collect();
        Ok(Book { plies: self.plies, scores })
    }
}

/// An opening book.
pub struct Book {
    plies: usize,
    scores: HashMap<u64, i8>,
}

impl Book {
    /// Reads a finished book.
    ///
    /// # Errors
    /// Bytes that are none, or one without all scores.
    pub fn from_bytes(bytes: &[u8]) -> Result<Book, BadBook> {
        Draft::from_bytes(bytes)?.finish()
    }

    /// Stones of its positions.
    pub fn plies(&self) -> usize {
        self.plies
    }

    /// The score of a position that is in it.
    pub fn score(&self, p: &Position) -> Option<i32> {
        self.scores.get(&p.canonical_key()).map(|&s| s.into())
    }

    /// Positions in it.
    pub fn len(&self) -> usize {
        self.scores.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.scores.is_empty()
    }
}

/// The book that comes with this crate: `neurona connect4 book --plies N --out data/opening.c4book`.
pub fn opening() -> Option<Arc<Book>> {
    static BOOK: OnceLock<Option<Arc<Book>>> = OnceLock::new();
    let bytes = include_bytes!("../data/opening.c4book");
    BOOK.get_or_init(|| Book::from_bytes(bytes).ok().map(Arc::new)).clone()
}

/// How many different positions games reach with each number of stones up to `plies`, mirror images counted apart and
/// finished ones included (<https://oeis.org/A212693>).
pub fn counts(plies: usize) -> Vec<usize> {
    let mut level = vec![Position::EMPTY];
    let mut counts = vec![1];
    for _ in 0..plies {
        let next = level.iter().flat_map(|p| p.moves().map(|c| p.play(c)).collect::<Vec<_>>());
        let mut next: Vec<Position> = next.collect();
        next.sort_unstable_by_key(Position::key);
        next.dedup();
        counts.push(next.len());
        level = next;
    }
    debug_assert!(level.len() <= COLUMNS.pow(plies as u32));
    counts
}
