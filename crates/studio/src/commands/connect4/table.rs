//! `neurona connect4 table`: positions of many games with their exact scores, to learn from.

use super::{perfect, read, solvers, threads, unusable};
use crate::progress::{Progress, Tick};
use crate::report::{Exit, Report};
use crate::run::unwritable;
use crate::{Shell, Texts, interrupt};
use connect4::games::Games;
use connect4::table::{header, solve, split};
use serde_json::json;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Rows solved between two looks at the clock and the keyboard; these may have to be solved again after a kill.
const CHUNK: usize = 100;

/// Arguments of `neurona connect4 table`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// How many rows
    #[arg(long, value_name = "N", default_value_t = 100_000, hide_default_value = true, value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    rows: u64,
    /// Decides the games
    #[arg(long, value_name = "N", default_value_t = 1, hide_default_value = true)]
    seed: u64,
    /// The file
    #[arg(long, value_name = "FILE.csv")]
    out: PathBuf,
    /// Worker threads
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    threads: usize,
    /// Size of the solver's table
    #[arg(long, value_name = "MB", default_value_t = 1024, hide_default_value = true)]
    memory: usize,
}

/// Makes the table, or goes on with one that was interrupted.
///
/// # Errors
/// A file that is there already (2) or has been begun with other settings (4), an interruption (130), a file that cannot
/// be written (1).
pub fn run(args: &Args, shell: &mut Shell) -> Result<(), Report> {
    let texts = shell.texts;
    if args.out.exists() {
        let what = texts.fill("connect4.exists", &[("path", &args.out.display())]);
        return Err(Report::new(Exit::Usage, what, "", texts.get("connect4.exists.fix")));
    }
    interrupt::watch();
    let partial = partial(&args.out);
    let mut progress = Progress::stderr(texts);
    progress.status(&texts.get("connect4.games"));
    let all: Vec<_> = Games::new(args.seed).take(args.rows as usize).take_while(|_| !interrupt::requested()).collect();
    interrupt::check(&texts)?;
    let all = split(all);
    let begun = begun(&texts, &partial, &all)?;
    let (mut file, mut done) = (begun.0, begun.1);
    let mut workers = solvers(perfect(args.memory), threads(args.threads));
    let begin = Instant::now();
    let failed = |e: std::io::Error| unwritable(&texts, &partial, &e);
    while done < all.len() && !interrupt::requested() {
        progress.tick(&Tick { epoch: 1, epochs: 1, done, total: all.len(), fields: &[] });
        let rows = solve(&mut workers, &all[done..all.len().min(done + CHUNK)]);
        let lines: String = rows.iter().map(|r| format!("{r}\n")).collect();
        file.write_all(lines.as_bytes()).map_err(failed)?;
        done += rows.len();
    }
    drop(progress);
    file.sync_all().map_err(failed)?;
    if done < all.len() {
        let what = texts.fill("connect4.table_stopped", &[("done", &done), ("rows", &all.len())]);
        return Err(Report::new(Exit::Interrupted, what, "", texts.get("connect4.again")));
    }
    fs::rename(&partial, &args.out).map_err(|e| unwritable(&texts, &args.out, &e))?;
    let seconds = begin.elapsed().as_secs_f64();
    if shell.json {
        return shell.print_json(&json!({ "file": args.out, "rows": done, "seed": args.seed, "seconds": seconds }));
    }
    let values: [(&str, &dyn std::fmt::Display); 3] =
        [("path", &args.out.display()), ("rows", &done), ("time", &crate::number::duration(seconds))];
    shell.print(&texts.fill("connect4.table_done", &values))
}

/// Where an unfinished table is.
fn partial(out: &Path) -> PathBuf {
    let mut name = out.as_os_str().to_os_string();
    name.push(".partial");
    name.into()
}

/// The unfinished table, open for what follows, and how many of its rows are there. Its rows must be those of `all`.
fn begun(texts: &Texts, path: &Path, all: &[(connect4::Position, connect4::table::Split)]) -> Result<(File, usize), Report> {
    let failed = |e: std::io::Error| unwritable(texts, path, &e);
    if !path.exists() {
        let mut file = File::create(path).map_err(failed)?;
        file.write_all(format!("{}\n", header()).as_bytes()).map_err(failed)?;
        return Ok((file, 0));
    }
    let text = read(texts, path)?;
    let whole = text.rfind('\n').map_or(0, |i| i + 1); // a kill may have cut the last line
    let other = || {
        let mut report = unusable(texts, path, &texts.get("connect4.other_table"));
        report.fix = texts.fill("connect4.other_table.fix", &[("path", &path.display())]);
        report
    };
    let mut lines = text[..whole].lines();
    if lines.next() != Some(&header()) {
        return Err(other());
    }
    let mut done = 0;
    for line in lines {
        let Some((position, split)) = all.get(done) else { return Err(other()) };
        let board: String = position.cells().iter().map(|c| format!("{c},")).collect();
        if !line.starts_with(&board) || !line.ends_with(split.name()) {
            return Err(other());
        }
        done += 1;
    }
    let file = File::options().append(true).open(path).map_err(failed)?;
    file.set_len(whole as u64).map_err(failed)?;
    Ok((file, done))
}
