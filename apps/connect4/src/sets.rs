//! Positions with known results: P. Pons's benchmark sets (<http://blog.gamesolver.org>) and the UCI data set Connect-4.

use crate::board::{COLUMNS, Position, STRIDE};
use crate::notation::BadPosition;
use crate::solver::Solver;
use serde::Deserialize;
use std::time::{Duration, Instant};
use thiserror::Error;

/// The file names of P. Pons's sets, and what they are called: how far the game is, and how hard the position.
pub const SETS: [(&str, &str); 6] = [
    ("Test_L3_R1", "End-Easy"),
    ("Test_L2_R1", "Middle-Easy"),
    ("Test_L2_R2", "Middle-Medium"),
    ("Test_L1_R1", "Begin-Easy"),
    ("Test_L1_R2", "Begin-Medium"),
    ("Test_L1_R3", "Begin-Hard"),
];

/// A position of a set.
#[derive(Clone, PartialEq, Debug)]
pub struct Case {
    /// The moves that lead to it.
    pub moves: String,
    /// The position.
    pub position: Position,
    /// Its exact score.
    pub score: i32,
}

/// What is wrong with a file of positions.
#[derive(Clone, PartialEq, Debug, Error)]
pub enum BadSet {
    /// A line that is not moves and a score.
    #[error("line {line}: `{text}` is not moves and a score, as in `4453 -2`")]
    Line {
        /// Which, from 1.
        line: usize,
        /// Its beginning.
        text: String,
    },
    /// Moves that are none.
    #[error("line {line}: {why}")]
    Moves {
        /// Which, from 1.
        line: usize,
        /// What is wrong.
        why: BadPosition,
    },
    /// A file that is not JSON of the expected form.
    #[error("not the JSON of a set with the scores of its columns: {why}")]
    Json {
        /// The parser's words.
        why: String,
    },
    /// Scores of columns that belong to other positions.
    #[error("entry {entry} of the columns' scores is for {found}, not for {expected}: the files do not belong together")]
    Other {
        /// Which, from 1.
        entry: usize,
        /// Its moves.
        found: String,
        /// The set's moves.
        expected: String,
    },
    /// A line of the UCI set that has another number of fields.
    #[error("line {line}: {found} fields, expected 42 squares of x, o or b and win, loss or draw")]
    Fields {
        /// Which, from 1.
        line: usize,
        /// How many.
        found: usize,
    },
    /// A field of the UCI set that is none of its words.
    #[error("line {line}: `{text}` is neither x, o, b nor, at the end, win, loss, draw")]
    Field {
        /// Which, from 1.
        line: usize,
        /// The field.
        text: String,
    },
}

/// Reads a set: lines of moves and a score.
///
/// # Errors
/// The first line that is none.
pub fn read(text: &str) -> Result<Vec<Case>, BadSet> {
    let case = |(i, l): (usize, &str)| {
        let wrong = || BadSet::Line { line: i + 1, text: l.chars().take(60).collect() };
        let (moves, score) = l.split_once(' ').ok_or_else(wrong)?;
        let score = score.trim().parse().ok().filter(|s: &i32| s.abs() <= 21).ok_or_else(wrong)?;
        let position = Position::parse(moves).map_err(|why| BadSet::Moves { line: i + 1, why })?;
        Ok(Case { moves: moves.into(), position, score })
    };
    text.lines().enumerate().filter(|(_, l)| !l.trim().is_empty()).map(case).collect()
}

/// Reads the scores of the columns of a set's positions, in the set's order; `None` stands for full columns.
///
/// # Errors
/// Another form, or scores of other positions.
pub fn read_columns(json: &str, cases: &[Case]) -> Result<Vec<[Option<i32>; COLUMNS]>, BadSet> {
    #[derive(Deserialize)]
    struct Entry {
        sequence: String,
        analysis: [Option<i32>; COLUMNS],
    }
    let entries: Vec<Entry> = serde_json::from_str(json).map_err(|e| BadSet::Json { why: e.to_string() })?;
    let pair = |(i, case): (usize, &Case)| match entries.get(i) {
        Some(e) if e.sequence == case.moves => Ok(e.analysis),
        other => {
            let found = other.map_or("nothing", |e| &e.sequence).into();
            Err(BadSet::Other { entry: i + 1, found, expected: case.moves.clone() })
        }
    };
    cases.iter().enumerate().map(pair).collect()
}

/// Reads the UCI data set (J. Tromp): squares a1 … a6, b1 … of x (first player, to move), o or b (blank), and who wins for
/// x: 1 win, 0 draw, -1 loss.
///
/// # Errors
/// The first line that is none.
pub fn read_uci(text: &str) -> Result<Vec<(Position, i32)>, BadSet> {
    text.lines().enumerate().filter(|(_, l)| !l.trim().is_empty()).map(|(i, l)| uci_line(i + 1, l)).collect()
}

fn uci_line(line: usize, text: &str) -> Result<(Position, i32), BadSet> {
    let fields: Vec<&str> = text.trim().split(',').collect();
    let [squares @ .., result] = &fields[..] else { return Err(BadSet::Fields { line, found: 0 }) };
    if squares.len() != 42 {
        return Err(BadSet::Fields { line, found: fields.len() });
    }
    let wrong = |text: &str| BadSet::Field { line, text: text.chars().take(20).collect() };
    let (mut own, mut all) = (0u64, 0u64);
    for (i, square) in squares.iter().enumerate() {
        let bit = 1 << (i / 6 * STRIDE + i % 6);
        match *square {
            "x" => (own, all) = (own | bit, all | bit),
            "o" => all |= bit,
            "b" => {}
            other => return Err(wrong(other)),
        }
    }
    let position = Position::from_cells(&Position { own, all }.cells()).map_err(|why| BadSet::Moves { line, why })?;
    let result = match *result {
        "win" => 1,
        "draw" => 0,
        "loss" => -1,
        other => return Err(wrong(other)),
    };
    Ok((position, result))
}

/// What a solver needed for a set.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Measured {
    /// Positions solved.
    pub positions: usize,
    /// Positions searched in all.
    pub nodes: u64,
    /// Time in all.
    pub time: Duration,
    /// Wrong scores.
    pub errors: usize,
}

impl Measured {
    /// Positions searched per position solved.
    pub fn mean_nodes(&self) -> f64 {
        self.nodes as f64 / self.positions.max(1) as f64
    }

    /// Seconds per position solved.
    pub fn mean_seconds(&self) -> f64 {
        self.time.as_secs_f64() / self.positions.max(1) as f64
    }

    /// Positions searched per second.
    pub fn rate(&self) -> f64 {
        self.nodes as f64 / self.time.as_secs_f64().max(1e-9)
    }
}

/// Solves each position with nothing known from the ones before, one thread. `tick` is told how many are done and may end it.
pub fn measure(solver: &mut Solver, cases: &[Case], mut tick: impl FnMut(usize) -> bool) -> Measured {
    let mut m = Measured { positions: 0, nodes: solver.nodes(), time: Duration::ZERO, errors: 0 };
    for case in cases {
        solver.clear();
        let begin = Instant::now();
        let score = solver.solve(&case.position);
        m.time += begin.elapsed();
        m.errors += usize::from(score != case.score);
        m.positions += 1;
        if !tick(m.positions) {
            break;
        }
    }
    Measured { nodes: solver.nodes() - m.nodes, ..m }
}
