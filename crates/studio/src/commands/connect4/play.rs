//! `neurona play connect4`: a game on the terminal, a line for each move.

use super::eval::{DEPTH, ENDING, network};
use super::perfect;
use super::wrong_moves;
use crate::report::Report;
use crate::{Shell, Texts, failure};
use connect4::player::{Level, Player, Search};
use connect4::{Position, Solver};
use serde_json::json;
use std::io::{BufRead, IsTerminal};
use std::path::PathBuf;

/// Arguments of `neurona play connect4`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The other side
    #[arg(long, value_name = "LEVEL", value_parser = ["random", "alpha-beta", "network", "search", "perfect", "human"], default_value = "search", hide_default_value = true, hide_possible_values = true)]
    level: String,
    /// Stones that alpha-beta and search look ahead
    #[arg(long, value_name = "N")]
    depth: Option<u8>,
    /// Who starts
    #[arg(long, value_name = "me|computer", value_parser = ["me", "computer"], default_value = "me", hide_default_value = true, hide_possible_values = true)]
    start: String,
    /// The game so far
    #[arg(long, value_name = "MOVES", default_value = "", hide_default_value = true)]
    moves: String,
    /// The network
    #[arg(long, value_name = "RUN")]
    run: Option<PathBuf>,
    /// Decides between equally good columns
    #[arg(long, value_name = "N", default_value_t = 1, hide_default_value = true)]
    seed: u64,
}

/// Plays until the game or the input ends.
///
/// # Errors
/// Moves that are none (2), a run that cannot be used (4).
pub fn run(args: &Args, shell: &mut Shell) -> Result<(), Report> {
    let texts = shell.texts;
    Position::parse(&args.moves).map_err(|e| wrong_moves(&texts, &args.moves, &e))?;
    let net = || network(&texts, args.run.as_deref()).map(Box::new);
    let level = match args.level.as_str() {
        "random" => Some(Level::Random),
        "alpha-beta" => Some(Level::AlphaBeta(args.depth.unwrap_or(6).into())),
        "network" => Some(Level::Network(net()?)),
        "search" => Some(Level::Search(net()?, Box::new(Search::new(args.depth.map_or(DEPTH, usize::from), ENDING)))),
        "perfect" => Some(Level::Perfect(Box::new(perfect(MEGABYTES)))),
        _ => None,
    };
    let computer = level.map(|level| Player::new(level, args.seed));
    let out = std::io::stdout().is_terminal() && !shell.json;
    let colour = out && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
    let mut game = Game {
        texts,
        moves: args.moves.trim().into(),
        computer,
        perfect: args.level == "perfect",
        computer_starts: args.start == "computer",
        solver: None,
        colour,
        prompt: out,
    };
    game.play(&mut std::io::stdin().lock(), shell)
}

/// Size of the solver's table.
const MEGABYTES: usize = 64;

/// With fewer stones the solver needs more than a few seconds.
const SLOW: usize = 9;

struct Game {
    texts: Texts,
    /// The columns played, 1 to 7: the text of the position.
    moves: String,
    /// None when two people play.
    computer: Option<Player>,
    /// Whether it uses the solver from the first stone on.
    perfect: bool,
    computer_starts: bool,
    /// Made for the first hint.
    solver: Option<Box<Solver>>,
    colour: bool,
    /// Whether to ask for each line: a person is there to read it.
    prompt: bool,
}

/// Whether to go on.
#[derive(PartialEq)]
enum Next {
    Show,
    Ask,
    End,
}

impl Game {
    fn position(&self) -> Position {
        Position::parse(&self.moves).unwrap_or_default() // only moves that can be played are added
    }

    fn is_computers_turn(&self, p: &Position) -> bool {
        self.computer.is_some() && p.first_to_move() == self.computer_starts && !p.is_over()
    }

    fn play(&mut self, input: &mut dyn BufRead, shell: &mut Shell) -> Result<(), Report> {
        self.say(shell, &self.texts.get("connect4.play.keys"))?;
        let mut next = Next::Show;
        loop {
            let p = self.position();
            if self.is_computers_turn(&p) {
                self.answer(&p, shell)?;
                continue;
            }
            if next == Next::Show {
                self.say(shell, &format!("\n{}\n", board(&p, self.colour)))?;
            }
            if p.is_over() {
                break;
            }
            if self.prompt {
                let mover = self.texts.fill("connect4.play.prompt", &[("stone", &stone(p.mover(), self.colour))]);
                shell.write(format!("{mover} ").as_bytes())?;
                shell.flush()?;
            }
            let mut line = String::new();
            if input.read_line(&mut line)? == 0 {
                break;
            }
            next = self.take(line.trim(), &p, shell)?;
            if next == Next::End {
                break;
            }
        }
        self.end(shell)
    }

    /// Says that the solver will take its time, where few stones are on the board.
    fn announce(&self, p: &Position, shell: &mut Shell) -> Result<(), Report> {
        if p.plies() >= SLOW {
            return Ok(());
        }
        self.say(shell, &self.texts.get("connect4.play.thinking"))?;
        shell.flush()
    }

    /// The computer's move.
    fn answer(&mut self, p: &Position, shell: &mut Shell) -> Result<(), Report> {
        if self.perfect {
            self.announce(p, shell)?;
        }
        let Some(computer) = &mut self.computer else { return Ok(()) };
        if let Some(c) = computer.choose(p).map_err(|e| failure::report(&self.texts, &e))? {
            self.moves.push_str(&(c + 1).to_string());
            self.say(shell, &self.texts.fill("connect4.play.answer", &[("stone", &stone(p.mover(), self.colour)), ("column", &(c + 1))]))?;
        }
        Ok(())
    }

    /// Does what a line asks for.
    fn take(&mut self, line: &str, p: &Position, shell: &mut Shell) -> Result<Next, Report> {
        let texts = self.texts;
        match line {
            "" => Ok(Next::Ask),
            "q" => Ok(Next::End),
            "h" => {
                self.announce(p, shell)?;
                let text = hint(self.solver.get_or_insert_with(|| Box::new(perfect(MEGABYTES))), p, &texts);
                self.say(shell, &text)?;
                Ok(Next::Ask)
            }
            "p" => {
                self.say(shell, &texts.fill("connect4.play.position", &[("moves", &self.moves)]))?;
                Ok(Next::Ask)
            }
            "u" => {
                let mut fewer = self.moves.clone();
                fewer.pop();
                // Back to one's own turn; not to a place where the computer would only move again.
                let is_computers = |moves: &str| self.computer.is_some() && moves.len().is_multiple_of(2) == self.computer_starts;
                while is_computers(&fewer) && fewer.pop().is_some() {}
                if self.moves.is_empty() || is_computers(&fewer) {
                    self.say(shell, &texts.get("connect4.play.nothing"))?;
                    return Ok(Next::Ask);
                }
                self.moves = fewer;
                Ok(Next::Show)
            }
            _ => match line.parse::<usize>() {
                Ok(c @ 1..=7) if p.can_play(c - 1) => {
                    self.moves.push_str(line.trim_start_matches(['+', '0']));
                    Ok(Next::Show)
                }
                Ok(c @ 1..=7) => {
                    self.say(shell, &texts.fill("connect4.play.full", &[("column", &c)]))?;
                    Ok(Next::Ask)
                }
                _ => {
                    let line: String = line.chars().take(40).collect();
                    self.say(shell, &texts.fill("connect4.play.unknown", &[("line", &line)]))?;
                    self.say(shell, &texts.get("connect4.play.keys"))?;
                    Ok(Next::Ask)
                }
            },
        }
    }

    /// How it ended, and the text of the game.
    fn end(&self, shell: &mut Shell) -> Result<(), Report> {
        let p = self.position();
        let winner = p.is_won().then(|| 3 - p.mover());
        if shell.json {
            return shell.print_json(&json!({ "moves": self.moves, "over": p.is_over(), "winner": winner }));
        }
        let result = match winner {
            Some(w) if self.computer.is_none() => self.texts.fill("connect4.play.won", &[("stone", &stone(w, self.colour))]),
            Some(w) if (w == 1) == self.computer_starts => self.texts.get("connect4.play.computer_won"),
            Some(_) => self.texts.get("connect4.play.you_won"),
            None if p.is_over() => self.texts.get("connect4.play.draw"),
            None => self.texts.get("connect4.play.open"),
        };
        shell.print(&format!("{result}\n{}", self.texts.fill("connect4.play.position", &[("moves", &self.moves)])))
    }

    /// Prints, unless only JSON is wanted.
    fn say(&self, shell: &mut Shell, text: &str) -> Result<(), Report> {
        if shell.json { Ok(()) } else { shell.print(text) }
    }
}

/// The stone of a player, 0 for an empty square.
fn stone(player: u8, colour: bool) -> String {
    let sign = ["·", "●", "○"][usize::from(player.min(2))];
    match (player, colour) {
        (1, true) => format!("\x1b[31m{sign}\x1b[0m"),
        (2, true) => "\x1b[33m●\x1b[0m".into(),
        _ => sign.into(),
    }
}

fn board(p: &Position, colour: bool) -> String {
    let rows =
        p.cells().chunks(7).map(|row| row.iter().map(|&c| format!(" {}", stone(c, colour))).collect::<String>() + "\n").collect::<String>();
    format!("{rows} 1 2 3 4 5 6 7")
}

/// The exact score of each column, in the order of the columns, and the best ones.
fn hint(solver: &mut Solver, p: &Position, texts: &Texts) -> String {
    let scores = solver.scores(p);
    let best = scores.iter().flatten().max();
    let numbers = (1..).zip(&scores).map(|(c, s)| format!("{c}: {}", s.map_or("–".into(), |s| s.to_string()))).collect::<Vec<_>>();
    let columns = (1..).zip(&scores).filter(|(_, s)| s.as_ref() == best).map(|(c, _): (u8, _)| c.to_string()).collect::<Vec<_>>();
    texts.fill("connect4.play.hint", &[("scores", &numbers.join("  ")), ("best", &columns.join(", "))])
}

#[cfg(test)]
mod tests;
