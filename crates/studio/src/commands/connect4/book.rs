//! `neurona connect4 book`: the exact scores of all positions with a certain number of stones.

use super::{perfect, solvers, threads, unusable};
use crate::progress::{Progress, Tick};
use crate::report::{Exit, Report};
use crate::run::{unwritable, write_whole};
use crate::{Shell, interrupt};
use connect4::book::{Draft, MOST};
use serde_json::json;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Time between two saves.
const SAVE: Duration = Duration::from_secs(20);

/// Arguments of `neurona connect4 book`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Stones of its positions
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(0..=MOST as i64))]
    plies: u8,
    /// The file
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Worker threads
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    threads: usize,
    /// Size of the solver's table
    #[arg(long, value_name = "MB", default_value_t = 2048, hide_default_value = true)]
    memory: usize,
}

/// Makes the book, or goes on with an unfinished one.
///
/// # Errors
/// A file that is no book or one of another number of stones (4), an interruption (130), a file that cannot be written (1).
pub fn run(args: &Args, shell: &mut Shell) -> Result<(), Report> {
    let texts = shell.texts;
    let plies = usize::from(args.plies);
    let bad = |e: &dyn std::fmt::Display| unusable(&texts, &args.out, e);
    let mut draft = match args.out.exists() {
        true => Draft::from_bytes(&std::fs::read(&args.out).map_err(|e| bad(&e))?).map_err(|e| bad(&e))?,
        false => Draft::new(plies).map_err(|e| bad(&e))?,
    };
    if draft.plies() != plies {
        return Err(bad(&texts.fill("connect4.other_book", &[("plies", &draft.plies())])));
    }
    interrupt::watch();
    let mut workers = solvers(perfect(args.memory), threads(args.threads));
    let (mut progress, begin, mut saved) = (Progress::stderr(texts), Instant::now(), Instant::now());
    let save = |draft: &Draft| write_whole(&args.out, &draft.to_bytes()).map_err(|e| unwritable(&texts, &args.out, &e));
    progress.tick(&Tick { epoch: 1, epochs: 1, done: draft.done(), total: draft.len(), fields: &[] });
    let count = 8 * workers.len();
    while !interrupt::requested() && draft.advance(&mut workers, count) > 0 {
        progress.tick(&Tick { epoch: 1, epochs: 1, done: draft.done(), total: draft.len(), fields: &[] });
        if saved.elapsed() > SAVE {
            save(&draft)?;
            saved = Instant::now();
        }
    }
    drop(progress);
    save(&draft)?;
    let (done, all) = (draft.done(), draft.len());
    if done < all {
        let what = texts.fill("connect4.book_stopped", &[("done", &done), ("all", &all)]);
        return Err(Report::new(Exit::Interrupted, what, "", texts.get("connect4.again")));
    }
    let seconds = begin.elapsed().as_secs_f64();
    if shell.json {
        return shell.print_json(&json!({ "file": args.out, "positions": all, "seconds": seconds }));
    }
    let values: [(&str, &dyn std::fmt::Display); 3] =
        [("path", &args.out.display()), ("count", &all), ("time", &crate::number::duration(seconds))];
    shell.print(&texts.fill("connect4.book_done", &values))
}
