//! Connect Four: positions, what the network and the solver say of their columns, and the other side's moves.

use super::Studio;
use super::answer::{Answer, Speak, body, compute};
use super::tasks::{Stamp, chosen, finished};
use crate::commands::connect4::eval::{DEPTH, ENDING, network};
use crate::commands::connect4::perfect;
use crate::commands::connect4::wrong_moves;
use crate::report::Report;
use crate::run::RunFolder;
use crate::{Texts, failure};
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::routing::{get, post};
use axum::{Json, Router};
use connect4::board::{CELLS, COLUMNS, ROWS};
use connect4::network::Network;
use connect4::planes::Planes;
use connect4::player::{Level, Player, Search};
use connect4::{Position, Solver};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex, PoisonError};

/// With fewer stones the solver takes longer than a page should wait.
const EXACT: usize = 10;
/// Size of the solvers' tables, in megabytes.
const MEMORY: usize = 64;

/// What is made when it is first needed, and then kept.
#[derive(Default)]
pub struct Table {
    scores: Mutex<Option<Solver>>,
    perfect: Mutex<Option<Player>>,
    /// Of the network that comes with the program.
    built_in: Arc<Players>,
    /// Of the run that was chosen last.
    of_run: Mutex<Option<(Stamp, Arc<Players>)>>,
}

/// What one network is used for.
#[derive(Default)]
struct Players {
    /// The run, if it is not the network that comes with the program.
    run: Option<std::path::PathBuf>,
    opinions: Mutex<Option<Network>>,
    network: Mutex<Option<Player>>,
    search: Mutex<Option<Player>>,
}

impl Players {
    fn make(&self, texts: &Texts) -> Result<Network, Report> {
        network(texts, self.run.as_deref())
    }
}

/// Addresses below `/api/connect4`.
pub fn routes() -> Router<Arc<Studio>> {
    Router::new().route("/position", post(position)).route("/reply", post(reply)).route("/runs", get(runs))
}

async fn runs(State(studio): State<Arc<Studio>>, Speak(texts): Speak) -> Answer {
    let fits = |run: &RunFolder, meta: &Value| {
        run.name().starts_with("connect4-") && Planes::ALL.iter().any(|p| meta["input"] == json!(p.shape()))
    };
    Ok(Json(compute(&studio, &texts, move |_| Ok(finished(&texts, fits).into())).await?))
}

/// A game, and what to say of its position.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    moves: String,
    /// `network`, `exact`, or nothing.
    #[serde(default)]
    hints: String,
    /// The run whose network it is; else the one that comes with the program.
    #[serde(default)]
    run: String,
}

/// A game, and who is to move in it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Turn {
    moves: String,
    level: String,
    #[serde(default)]
    hints: String,
    #[serde(default)]
    run: String,
    /// Decides between equally good columns.
    #[serde(default)]
    seed: u64,
}

async fn position(State(studio): State<Arc<Studio>>, Speak(texts): Speak, question: Result<Json<Question>, JsonRejection>) -> Answer {
    let Question { moves, hints, run } = body(&texts, question)?;
    let p = parse(&texts, &moves)?;
    let value = compute(&studio, &texts, move |studio| {
        let players = studio.connect4.players(&texts, &run)?;
        studio.connect4.describe(&texts, &players, &moves, &p, &hints)
    });
    Ok(Json(value.await?))
}

async fn reply(State(studio): State<Arc<Studio>>, Speak(texts): Speak, turn: Result<Json<Turn>, JsonRejection>) -> Answer {
    let turn = body(&texts, turn)?;
    let p = parse(&texts, &turn.moves)?;
    let value = compute(&studio, &texts, move |studio| {
        let players = studio.connect4.players(&texts, &turn.run)?;
        let Some(column) = studio.connect4.choose(&texts, &players, &p, (&turn.level, turn.seed))? else {
            return studio.connect4.describe(&texts, &players, &turn.moves, &p, &turn.hints);
        };
        let moves = format!("{}{}", turn.moves, column + 1);
        studio.connect4.describe(&texts, &players, &moves, &p.play(column), &turn.hints)
    });
    Ok(Json(value.await?))
}

fn parse(texts: &Texts, moves: &str) -> Result<Position, Report> {
    let short: String = moves.chars().take(CELLS + 1).collect();
    Position::parse(&short).map_err(|e| wrong_moves(texts, &short, &e))
}

/// What a mutex holds. A computation that panicked leaves nothing half-done here that would matter: the worst is a full cache.
fn made<T, R>(slot: &Mutex<Option<T>>, make: impl FnOnce() -> Result<T, Report>, with: impl FnOnce(&mut T) -> R) -> Result<R, Report> {
    let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
    let made = match slot.take() {
        Some(made) => made,
        None => make()?,
    };
    Ok(with(slot.insert(made)))
}

impl Table {
    /// What is kept of the network of a run, or of the one that comes with the program.
    fn players(&self, texts: &Texts, run: &str) -> Result<Arc<Players>, Report> {
        let Some((folder, stamp)) = chosen(texts, run)? else { return Ok(self.built_in.clone()) };
        let mut slot = self.of_run.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = slot.take().filter(|(s, _)| *s == stamp);
        let new = || (stamp, Arc::new(Players { run: Some(folder.path().into()), ..Players::default() }));
        Ok(slot.insert(kept.unwrap_or_else(new)).1.clone())
    }

    /// Everything that a page shows of a position.
    fn describe(&self, texts: &Texts, players: &Players, moves: &str, p: &Position, hints: &str) -> Result<Value, Report> {
        let (mut network, mut exact) = (Value::Null, Value::Null);
        if hints == "network" && !p.is_over() {
            let opinions =
                made(&players.opinions, || players.make(texts), |n| n.opinions(&[*p]))?.map_err(|e| failure::report(texts, &e))?;
            // A column's worth is a probability and an expected result: half of it lies between 0 and 1.
            network =
                opinions.first().map_or(Value::Null, |o| json!({ "columns": o.columns.map(|c| c.map(|c| c / 2.0)), "value": o.value }));
        }
        if hints == "exact" && p.plies() >= EXACT && !p.is_over() {
            let scores = made(&self.scores, || Ok(perfect(MEMORY)), |s| s.scores(p))?;
            exact = json!(scores);
        }
        Ok(json!({
            "moves": moves, "cells": p.cells().to_vec(), "mover": p.mover(), "over": p.is_over(),
            "winner": p.is_won().then(|| 3 - p.mover()), "four": four(p), "open": p.moves().map(|c| c + 1).collect::<Vec<_>>(),
            "network": network, "exact": exact, "exact_from": EXACT,
        }))
    }

    /// The column of a level.
    fn choose(&self, texts: &Texts, players: &Players, p: &Position, (level, seed): (&str, u64)) -> Result<Option<usize>, Report> {
        let failed = |e| failure::report(texts, &e);
        let network = || players.make(texts).map(Box::new);
        let kept = |slot, make: &dyn Fn() -> Result<Level, Report>| {
            made(slot, || Ok(Player::new(make()?, seed)), |player: &mut Player| player.choose(p))?.map_err(failed)
        };
        let once = |level| Player::new(level, seed.wrapping_add(p.plies() as u64)).choose(p).map_err(failed);
        let search = || Ok(Level::Search(network()?, Box::new(Search::new(DEPTH, ENDING))));
        match level {
            "random" => once(Level::Random),
            "depth2" => once(Level::AlphaBeta(2)),
            "depth6" => once(Level::AlphaBeta(6)),
            "network" => kept(&players.network, &|| Ok(Level::Network(network()?))),
            "perfect" if p.plies() >= EXACT => kept(&self.perfect, &|| Ok(Level::Perfect(Box::new(perfect(MEMORY))))),
            "search" | "perfect" => kept(&players.search, &search),
            other => {
                let what = texts.fill("usage.bad_value", &[("value", &other), ("arg", &"level")]);
                Err(Report::new(crate::Exit::Usage, what, "random, depth2, depth6, network, search, perfect", ""))
            }
        }
    }
}

/// The squares of a line of four, as indices of [`Position::cells`]; empty if there is none.
fn four(p: &Position) -> Vec<usize> {
    let cells = p.cells();
    let line = |start: usize, dx: isize, dy: isize| -> Option<Vec<usize>> {
        let (x, y) = ((start % COLUMNS) as isize, (start / COLUMNS) as isize);
        let at = |k: isize| {
            let (x, y) = (x + k * dx, y + k * dy);
            let inside = (0..COLUMNS as isize).contains(&x) && (0..ROWS as isize).contains(&y);
            inside.then(|| y as usize * COLUMNS + x as usize)
        };
        let places: Vec<usize> = (0..4).map(at).collect::<Option<_>>()?;
        (cells[start] != 0 && places.iter().all(|&i| cells[i] == cells[start])).then_some(places)
    };
    let starts = (0..CELLS).flat_map(|s| [(1, 0), (0, 1), (1, 1), (1, -1)].map(|(dx, dy)| (s, dx, dy)));
    starts.filter_map(|(s, dx, dy)| line(s, dx, dy)).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_four_are_found_in_every_direction() {
        let cases = [
            ("1122334", vec![35, 36, 37, 38]),
            ("1212121", vec![14, 21, 28, 35]),
            ("12233434474", vec![17, 23, 29, 35]),
            ("112233", vec![]),
        ];
        for (moves, want) in cases {
            let p = Position::parse(moves).unwrap();
            let mut found = four(&p);
            found.sort();
            assert_eq!((found, p.is_won()), (want.clone(), !want.is_empty()), "{moves}");
        }
    }
}
