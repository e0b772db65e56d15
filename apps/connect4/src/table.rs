//! The training table: positions with the exact scores of all columns, as CSV.
//!
//! Columns: `a6` … `g6`, `a5` … `g1`, the squares row by row from the top as one sees the board (0 empty, 1 first player,
//! 2 second); `player`, who is to move; `best`, the best column from 1, of equally good ones the one nearest the centre
//! (then the left one); `score_1` … `score_7`, the exact scores for the side to move, empty where the column is full;
//! `split`, `train`, `validation` or `test`.

use crate::board::{CELLS, CENTRE_FIRST, COLUMNS, Position, ROWS};
use crate::notation::{BadPosition, square};
use crate::solver::Solver;
use crate::work;
use neurona::random::mix;
use std::collections::HashMap;
use std::fmt;
use thiserror::Error;

/// What a row is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Split {
    /// To learn from: nine of ten rows.
    Train,
    /// To decide when to stop: one of twenty.
    Validation,
    /// To judge by: one of twenty.
    Test,
}

impl Split {
    /// All of them.
    pub const ALL: [Split; 3] = [Split::Train, Split::Validation, Split::Test];

    /// Its name in the table.
    pub fn name(self) -> &'static str {
        ["train", "validation", "test"][self as usize]
    }
}

/// A row.
#[derive(Clone, PartialEq, Debug)]
pub struct Row {
    /// The position.
    pub position: Position,
    /// The exact score of each column, `None` where it is full.
    pub scores: [Option<i32>; COLUMNS],
    /// What it is for.
    pub split: Split,
}

impl Row {
    /// The best column from 0, of equally good ones the one nearest the centre, then the left one.
    pub fn best(&self) -> usize {
        let best = self.scores.iter().flatten().max();
        CENTRE_FIRST.into_iter().find(|&c| self.scores[c].as_ref() == best).unwrap_or(0)
    }

    /// Whether a column is one of the best.
    pub fn is_best(&self, column: usize) -> bool {
        self.scores[column].is_some() && self.scores[column] == self.scores.iter().flatten().max().copied()
    }
}

impl fmt::Display for Row {
    /// The row as a line of the table.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        self.position.cells().iter().try_for_each(|c| write!(f, "{c},"))?;
        write!(f, "{},{}", self.position.mover(), self.best() + 1)?;
        for score in self.scores {
            write!(f, ",{}", score.map_or(String::new(), |s| s.to_string()))?;
        }
        write!(f, ",{}", self.split.name())
    }
}

/// The first line of the table.
pub fn header() -> String {
    let squares = (0..CELLS).map(|i| square(i % COLUMNS, ROWS - 1 - i / COLUMNS));
    let scores = (1..=COLUMNS).map(|c| format!("score_{c}"));
    let names = squares.chain(["player".into(), "best".into()]).chain(scores).chain(["split".into()]);
    names.collect::<Vec<String>>().join(",")
}

/// Positions and what each is for. The split goes by a hash of the canonical key: the twentieth of them with the lowest hashes
/// is the test, the next twentieth validation.
pub fn split(positions: Vec<Position>) -> Vec<(Position, Split)> {
    let hash = |i: &usize| mix(positions[*i].canonical_key());
    let mut order: Vec<usize> = (0..positions.len()).collect();
    order.sort_unstable_by_key(hash);
    let mut splits = vec![Split::Train; positions.len()];
    let twentieth = positions.len() / 20;
    order.iter().take(twentieth).for_each(|&i| splits[i] = Split::Test);
    order.iter().skip(twentieth).take(twentieth).for_each(|&i| splits[i] = Split::Validation);
    positions.into_iter().zip(splits).collect()
}

/// Solves positions, one solver per thread, into rows in the same order.
pub fn solve(solvers: &mut [Solver], positions: &[(Position, Split)]) -> Vec<Row> {
    work::spread(solvers, positions, |solver, &(position, split)| Row { position, scores: solver.scores(&position), split })
}

/// Why a file is no table.
#[derive(Clone, PartialEq, Debug, Error)]
pub enum BadTable {
    /// Another first line.
    #[error("the first line names other columns: column {column} is `{found}`, expected `{expected}`")]
    Header {
        /// Which, from 1.
        column: usize,
        /// Its name.
        found: String,
        /// What it should be.
        expected: String,
    },
    /// A row with another number of values.
    #[error("row {row}: {found} values, expected {expected}")]
    Width {
        /// Which, from 1 below the header.
        row: usize,
        /// How many.
        found: usize,
        /// How many there should be.
        expected: usize,
    },
    /// A board that cannot be.
    #[error("row {row}: {why}")]
    Position {
        /// Which, from 1 below the header.
        row: usize,
        /// What is wrong.
        why: BadPosition,
    },
    /// A finished game.
    #[error("row {row}: the game is over, there is no move to learn")]
    Over {
        /// Which, from 1 below the header.
        row: usize,
    },
    /// A value that does not fit the board.
    #[error("row {row}, {column}: `{found}`; expected {expected}")]
    Value {
        /// Which, from 1 below the header.
        row: usize,
        /// The column.
        column: String,
        /// The value.
        found: String,
        /// What fits.
        expected: String,
    },
    /// The same position in two parts of the split, mirror images included.
    #[error("rows {first} and {second} are the same position (or mirror images) in different splits: what is tested has been learnt")]
    Leak {
        /// A row, from 1 below the header.
        first: usize,
        /// Another.
        second: usize,
    },
    /// A file without rows.
    #[error("there are no rows below the header")]
    Empty,
}

/// Reads a table. Every board must be possible, every value must fit it, and no position (nor its mirror image) may be in two
/// splits. Scores are taken as they are: whether they are exact, only a solver can tell.
///
/// # Errors
/// The first mistake, with its row.
pub fn read(text: &str) -> Result<Vec<Row>, BadTable> {
    let mut lines = text.lines();
    let (expected, found) = (header(), lines.next().unwrap_or(""));
    if expected != found.trim() {
        let (mut e, mut f) = (expected.split(','), found.trim().split(','));
        let mut pairs = (1..).map(|i| (i, f.next().unwrap_or(""), e.next().unwrap_or("")));
        let (column, found, expected) = pairs.find(|(_, f, e)| f != e).unwrap_or_default();
        return Err(BadTable::Header { column, found: found.chars().take(40).collect(), expected: expected.into() });
    }
    let mut rows = vec![];
    let mut seen: HashMap<u64, usize> = HashMap::new();
    for (i, line) in lines.enumerate().filter(|(_, l)| !l.trim().is_empty()) {
        let row = read_row(i + 1, line.trim())?;
        let first = *seen.entry(row.position.canonical_key()).or_insert(rows.len());
        if rows.get(first).is_some_and(|r: &Row| r.split != row.split) {
            return Err(BadTable::Leak { first: first + 1, second: i + 1 });
        }
        rows.push(row);
    }
    if rows.is_empty() { Err(BadTable::Empty) } else { Ok(rows) }
}

fn read_row(row: usize, line: &str) -> Result<Row, BadTable> {
    const WIDTH: usize = CELLS + 2 + COLUMNS + 1;
    let values: Vec<&str> = line.split(',').collect();
    if values.len() != WIDTH {
        return Err(BadTable::Width { row, found: values.len(), expected: WIDTH });
    }
    let value = |i: usize, expected: String| {
        let column = header().split(',').nth(i).unwrap_or("").to_string();
        BadTable::Value { row, column, found: values[i].chars().take(40).collect(), expected }
    };
    let mut cells = [0; CELLS];
    for (i, cell) in cells.iter_mut().enumerate() {
        *cell = values[i].parse().ok().filter(|c| *c <= 2).ok_or_else(|| value(i, "0, 1 or 2".into()))?;
    }
    let position = Position::from_cells(&cells).map_err(|why| BadTable::Position { row, why })?;
    if position.is_over() {
        return Err(BadTable::Over { row });
    }
    if values[CELLS] != position.mover().to_string() {
        return Err(value(CELLS, format!("{}: with {} stones it is that player's turn", position.mover(), position.plies())));
    }
    let mut scores = [None; COLUMNS];
    for (c, score) in scores.iter_mut().enumerate() {
        let i = CELLS + 2 + c;
        *score = match (position.can_play(c), values[i]) {
            (false, "") => None,
            (false, _) => return Err(value(i, "nothing: the column is full".into())),
            (true, text) => {
                Some(text.parse().ok().filter(|s: &i32| s.abs() <= 21).ok_or_else(|| value(i, "a score from -21 to 21".into()))?)
            }
        };
    }
    let split = Split::ALL.into_iter().find(|s| s.name() == values[WIDTH - 1]);
    let split = split.ok_or_else(|| value(WIDTH - 1, "train, validation or test".into()))?;
    let parsed = Row { position, scores, split };
    let best = values[CELLS + 1].parse().ok().and_then(|b: usize| b.checked_sub(1));
    if !best.is_some_and(|b| b < COLUMNS && parsed.is_best(b)) {
        return Err(value(CELLS + 1, format!("{}, a column of the highest score", parsed.best() + 1)));
    }
    Ok(parsed)
}
