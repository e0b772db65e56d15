//! `neurona connect4 solve MOVES`: the score of every column, by perfect play or as far as a shallow search sees.

use crate::report::{Exit, Report};
use crate::table::{Align, Table};
use crate::{Shell, Texts};
use connect4::Position;
use connect4::plain::{Method, POINT, Plain};
use serde_json::json;
use std::time::Instant;

/// Arguments of `neurona connect4 solve`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The game so far
    #[arg(value_name = "MOVES")]
    moves: String,
    /// How to search
    #[arg(long, value_name = "solver|alphabeta|minimax", value_parser = ["solver", "alphabeta", "minimax"], default_value = "solver", hide_default_value = true, hide_possible_values = true)]
    method: String,
    /// Stones to look ahead
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=42))]
    depth: Option<u8>,
    /// Size of the table
    #[arg(long, value_name = "MB", default_value_t = 256, hide_default_value = true)]
    memory: usize,
}

/// Searches and prints board, scores and the positions visited.
///
/// # Errors
/// Moves that are none, a depth for the solver (2).
pub fn run(args: &Args, shell: &mut Shell) -> Result<(), Report> {
    let texts = shell.texts;
    let p = Position::parse(&args.moves).map_err(|e| wrong_moves(&texts, &args.moves, &e))?;
    if args.method == "solver" && args.depth.is_some() {
        let what = texts.get("connect4.depth_of_solver");
        return Err(Report::new(Exit::Usage, what, "", texts.get("connect4.depth_of_solver.fix")));
    }
    let begin = Instant::now();
    let (scores, nodes) = match args.method.as_str() {
        "solver" => {
            let mut solver = super::perfect(args.memory);
            let scores = solver.scores(&p).map(|s| s.map(f64::from));
            (scores, solver.nodes())
        }
        method => {
            let method = if method == "minimax" { Method::Minimax } else { Method::AlphaBeta };
            let mut search = Plain::new(method, args.depth.unwrap_or(6).into());
            let scores = search.values(&p).map(|s| s.map(|s| f64::from(s) / f64::from(POINT)));
            (scores, search.nodes())
        }
    };
    let seconds = begin.elapsed().as_secs_f64();
    let best = scores.iter().flatten().copied().reduce(f64::max);
    let columns: Vec<usize> = (0..7).filter(|&c| scores[c].is_some() && scores[c] == best).map(|c| c + 1).collect();
    if shell.json {
        return shell.print_json(&json!({
            "moves": args.moves, "player": p.mover(), "method": args.method, "depth": args.depth, "scores": scores,
            "score": best, "best": columns, "nodes": nodes, "seconds": seconds,
        }));
    }
    shell.print(&text(&texts, &p, &scores, (nodes, seconds)))
}

fn text(texts: &Texts, p: &Position, scores: &[Option<f64>; 7], (nodes, seconds): (u64, f64)) -> String {
    let best = scores.iter().flatten().copied().reduce(f64::max);
    let Some(best) = best else { return format!("{p}\n\n{}", texts.get("connect4.over")) };
    let mut table = Table::new(&[(&texts.get("connect4.column"), Align::Right), (&texts.get("connect4.score"), Align::Right)]);
    for (c, score) in scores.iter().enumerate() {
        let number = |s: f64| format!("{}{}", crate::number::short(s), if s == best { " *" } else { "  " });
        table.row([(c + 1).to_string(), score.map_or("–  ".into(), number)]);
    }
    let mover = texts.fill("connect4.to_move", &[("player", &p.mover()), ("stone", &if p.first_to_move() { "X" } else { "O" })]);
    let visited = texts.fill("connect4.visited", &[("nodes", &nodes), ("ms", &crate::number::short((seconds * 1e4).round() / 10.0))]);
    format!("{p}\n1 2 3 4 5 6 7\n\n{mover}\n\n{table}\n\n{visited}")
}

/// The report of moves that are none.
pub(crate) fn wrong_moves(texts: &Texts, moves: &str, e: &connect4::BadPosition) -> Report {
    let what = texts.fill("connect4.moves", &[("moves", &moves.chars().take(60).collect::<String>())]);
    Report::new(Exit::Usage, what, e.to_string(), texts.get("connect4.moves.fix"))
}
