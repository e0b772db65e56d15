//! `neurona eval connect4`: how often a network chooses the best column, and how it plays.

use super::{perfect, read, solvers, threads, unusable};
use crate::network::{Target, saved};
use crate::progress::{Progress, Tick};
use crate::report::{Exit, Report};
use crate::table::{Align, Table};
use crate::{Shell, Texts, failure, interrupt};
use connect4::judge::{self, Games, Quality};
use connect4::network::Network;
use connect4::player::{Level, Player, Search};
use connect4::sets::{self, SETS};
use connect4::{Position, work};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Arguments of `neurona eval connect4`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The run
    #[arg(long, value_name = "RUN")]
    run: Option<PathBuf>,
    /// Folder of the sets
    #[arg(long, value_name = "DIR", default_value = "../shared/data/connect4", hide_default_value = true)]
    sets: PathBuf,
    /// Positions of each set
    #[arg(long, value_name = "N", default_value_t = usize::MAX, hide_default_value = true)]
    limit: usize,
    /// Stones that the search looks ahead
    #[arg(long, value_name = "N", default_value_t = DEPTH, hide_default_value = true)]
    depth: usize,
    /// Empty squares from which on it looks to the end
    #[arg(long, value_name = "N", default_value_t = ENDING, hide_default_value = true)]
    ending: usize,
    /// Depths of the opponents
    #[arg(long, value_name = "N", value_delimiter = ',', default_values_t = [2, 4, 6], hide_default_value = true)]
    against: Vec<usize>,
}

/// Stones that the network's search looks ahead, if nothing else is said.
pub(crate) const DEPTH: usize = 14;

/// Empty squares from which on it looks to the end: a hundredth of a second's work.
pub(crate) const ENDING: usize = 24;

/// A set, whether its columns' scores had to be solved, and the quality of the network alone and with search.
struct Line {
    name: &'static str,
    solved: bool,
    quality: [Quality; 2],
}

/// Judges, and prints two tables.
///
/// # Errors
/// A run or sets that cannot be used (4), an interruption (130).
pub fn run(args: &Args, shell: &mut Shell) -> Result<(), Report> {
    let texts = shell.texts;
    interrupt::watch();
    let mut players = [
        Player::new(Level::Network(Box::new(network(&texts, args.run.as_deref())?)), 0),
        Player::new(Level::Search(Box::new(network(&texts, args.run.as_deref())?), Box::new(Search::new(args.depth, args.ending))), 0),
    ];
    let lines = judged(&texts, args, &mut players)?;
    let games = played(&texts, args, &mut players)?;
    if shell.json {
        return shell.print_json(&json!({
            "depth": args.depth,
            "ending": args.ending,
            "sets": lines.iter().map(Line::json).collect::<Vec<_>>(),
            "mean": mean(&lines).map(|[optimal, preserved, lost]| json!({ "optimal": optimal, "preserved": preserved, "mean_lost": lost })),
            "games": games.iter().map(|(depth, two)| json!({ "alpha_beta": depth, "network": pairs(&two[0]), "search": pairs(&two[1]) })).collect::<Vec<_>>(),
        }));
    }
    let note = if lines.iter().any(|l| l.solved) { format!("\n{}", texts.get("connect4.eval.solved")) } else { String::new() };
    let about = texts.fill("connect4.eval.about", &[("depth", &args.depth), ("ending", &args.ending)]);
    shell.print(&format!("{}{note}\n\n{}\n\n{about}", table(&texts, &lines), table_of_games(&texts, &games)))
}

/// The network of a run, or the one that is part of the program.
pub(crate) fn network(texts: &Texts, run: Option<&Path>) -> Result<Network, Report> {
    let failed = |e: neurona::Error| failure::report(texts, &e);
    let Some(run) = run else { return Network::built_in().map_err(failed) };
    let (folder, _, meta, trainer) = saved::load(texts, run)?;
    let outputs = match &meta.target {
        Target::Classes(n) => *n,
        Target::Values(shape) => shape.iter().product(),
    };
    Network::new(trainer, outputs).map_err(|e| {
        let what = texts.fill("connect4.other_network", &[("path", &folder.path().display())]);
        Report::new(Exit::Data, what, e.to_string(), texts.get("connect4.other_network.fix"))
    })
}

fn judged(texts: &Texts, args: &Args, players: &mut [Player; 2]) -> Result<Vec<Line>, Report> {
    let there: Vec<_> = SETS.into_iter().filter(|(file, _)| args.sets.join(file).is_file()).collect();
    if there.is_empty() {
        let what = texts.fill("connect4.no_sets", &[("path", &args.sets.display())]);
        return Err(Report::new(Exit::Data, what, "", texts.get("connect4.no_sets.fix")));
    }
    let mut progress = Progress::stderr(*texts);
    let mut lines = vec![];
    for (i, (file, name)) in there.iter().enumerate() {
        let path = args.sets.join(file);
        let cases = sets::read(&read(texts, &path)?).map_err(|e| unusable(texts, &path, &e))?;
        let count = cases.len().min(args.limit);
        let positions: Vec<Position> = cases[..count].iter().map(|c| c.position).collect();
        let known = args.sets.join("per_column").join(format!("{file}.json"));
        let solved = !known.is_file();
        let scores = if solved {
            let mut workers = solvers(perfect(64), threads(0));
            work::spread(&mut workers, &positions, |solver, p| solver.scores(p))
        } else {
            sets::read_columns(&read(texts, &known)?, &cases[..count]).map_err(|e| unusable(texts, &known, &e))?
        };
        let mut quality = [Quality::default(); 2];
        for (quality, player) in quality.iter_mut().zip(players.iter_mut()) {
            // Some at a time, so that Ctrl-C is heard.
            for (positions, scores) in positions.chunks(CHUNK).zip(scores.chunks(CHUNK)) {
                interrupt::check(texts)?;
                quality.add(&judge::quality(player, positions, scores).map_err(|e| failure::report(texts, &e))?);
            }
        }
        progress.tick(&Tick { epoch: 1, epochs: 1, done: i + 1, total: there.len(), fields: &[] });
        lines.push(Line { name, solved, quality });
    }
    Ok(lines)
}

const CHUNK: usize = 64;

/// Results against each opponent: the depth of its search, none for random moves; of the network alone and with search.
type Played = Vec<(Option<usize>, [Games; 2])>;

fn played(texts: &Texts, args: &Args, players: &mut [Player; 2]) -> Result<Played, Report> {
    let mut all = vec![];
    for depth in [None].into_iter().chain(args.against.iter().map(|&d| Some(d))) {
        let mut results = [Games::default(); 2];
        for (result, player) in results.iter_mut().zip(players.iter_mut()) {
            interrupt::check(texts)?;
            let mut other = Player::new(depth.map_or(Level::Random, Level::AlphaBeta), 1);
            *result = judge::games(player, &mut other).map_err(|e| failure::report(texts, &e))?;
        }
        all.push((depth, results));
    }
    Ok(all)
}

/// Means over the sets, of the network alone and with search: optimal, preserved, score lost.
fn mean(lines: &[Line]) -> [[f64; 3]; 2] {
    let of = |i: usize, get: fn(&Quality) -> f64| lines.iter().map(|l| get(&l.quality[i])).sum::<f64>() / lines.len().max(1) as f64;
    [0, 1].map(|i| [of(i, Quality::optimal_share), of(i, Quality::preserved_share), of(i, Quality::mean_lost)])
}

impl Line {
    fn json(&self) -> Value {
        let [network, search] =
            self.quality.map(|q| json!({ "optimal": q.optimal_share(), "preserved": q.preserved_share(), "mean_lost": q.mean_lost() }));
        json!({ "set": self.name, "positions": self.quality[0].positions, "network": network, "search": search })
    }
}

fn pairs(g: &Games) -> Value {
    json!({ "won": g.won, "drawn": g.drawn, "lost": g.lost })
}

fn table(texts: &Texts, lines: &[Line]) -> String {
    let head = ["connect4.head.set", "connect4.head.positions", "connect4.head.player", "connect4.head.optimal"];
    let head = head.into_iter().chain(["connect4.head.preserved", "connect4.head.lost"]);
    let head: Vec<String> = head.map(|key| texts.get(key)).collect();
    let side = |i: usize| if i == 0 || i == 2 { Align::Left } else { Align::Right };
    let mut table = Table::new(&head.iter().enumerate().map(|(i, h)| (&h[..], side(i))).collect::<Vec<_>>());
    let players = [texts.get("connect4.network"), texts.get("connect4.search")];
    let shares = |[optimal, preserved, lost]: [f64; 3]| {
        [format!("{:.1} %", 100.0 * optimal), format!("{:.1} %", 100.0 * preserved), format!("{lost:.2}")]
    };
    for l in lines {
        for (i, (q, player)) in l.quality.iter().zip(&players).enumerate() {
            let first = if i == 0 { [l.name.to_string(), q.positions.to_string()] } else { [String::new(), String::new()] };
            let numbers = shares([q.optimal_share(), q.preserved_share(), q.mean_lost()]);
            table.row(first.into_iter().chain([player.clone()]).chain(numbers));
        }
    }
    for (numbers, player) in mean(lines).into_iter().zip(&players) {
        table.row([texts.get("connect4.mean"), String::new(), player.clone()].into_iter().chain(shares(numbers)));
    }
    table.to_string()
}

fn table_of_games(texts: &Texts, games: &Played) -> String {
    let head = ["connect4.head.opponent", "connect4.head.player", "connect4.head.won", "connect4.head.drawn", "connect4.head.games_lost"];
    let head = head.map(|key| texts.get(key));
    let side = |i: usize| if i < 2 { Align::Left } else { Align::Right };
    let mut table = Table::new(&head.iter().enumerate().map(|(i, h)| (&h[..], side(i))).collect::<Vec<_>>());
    let players = [texts.get("connect4.network"), texts.get("connect4.search")];
    for (depth, results) in games {
        let other = match depth {
            None => texts.get("connect4.random"),
            Some(depth) => texts.fill("connect4.alpha_beta", &[("depth", depth)]),
        };
        for (g, player) in results.iter().zip(&players) {
            table.row([other.clone(), player.clone(), g.won.to_string(), g.drawn.to_string(), g.lost.to_string()]);
        }
    }
    table.to_string()
}
