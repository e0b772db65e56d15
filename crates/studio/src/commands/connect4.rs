//! `neurona connect4`: perfect play, its measurement, and tables to learn from.

mod bench;
mod book;
pub mod eval;
pub mod play;
mod solve;
pub(crate) use solve::wrong_moves;
mod table;
pub mod train;

use crate::report::{Exit, Report};
use crate::{Shell, Texts};
use connect4::Solver;
use std::fmt::Display;
use std::path::Path;
use std::thread::available_parallelism;

/// Arguments of `neurona connect4`.
#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(subcommand)]
    task: Task,
}

#[derive(clap::Subcommand, Debug)]
enum Task {
    /// Speed and correctness of the solver
    Bench(bench::Args),
    /// Makes an opening book
    Book(book::Args),
    /// The exact score of every column
    Solve(solve::Args),
    /// Makes a table of solved positions
    Table(table::Args),
}

/// Runs a task.
///
/// # Errors
/// Positions or files that cannot be used (2, 4), an interruption (130), files that cannot be written (1).
pub fn run(args: &Args, shell: &mut Shell) -> Result<(), Report> {
    match &args.task {
        Task::Bench(args) => bench::run(args, shell),
        Task::Book(args) => book::run(args, shell),
        Task::Solve(args) => solve::run(args, shell),
        Task::Table(args) => table::run(args, shell),
    }
}

/// A solver with the opening book.
pub(crate) fn perfect(megabytes: usize) -> Solver {
    match connect4::book::opening() {
        Some(book) => Solver::new(megabytes).with_book(book),
        None => Solver::new(megabytes),
    }
}

/// Threads to work with: those asked for, else one per processor.
fn threads(asked: usize) -> usize {
    if asked > 0 { asked } else { available_parallelism().map_or(1, usize::from) }
}

/// One solver per thread, all with one table.
fn solvers(first: Solver, threads: usize) -> Vec<Solver> {
    let mut all = vec![first];
    (1..threads).for_each(|_| all.push(all[0].clone()));
    all
}

/// The text of a file.
pub(super) fn read(texts: &Texts, path: &Path) -> Result<String, Report> {
    std::fs::read_to_string(path).map_err(|e| unusable(texts, path, &e))
}

/// The report of a file that is not what it should be.
pub(super) fn unusable(texts: &Texts, path: &Path, why: &dyn Display) -> Report {
    let what = texts.fill("connect4.unusable", &[("path", &path.display())]);
    Report::new(Exit::Data, what, why.to_string(), texts.get("connect4.unusable.fix"))
}
