//! `neurona connect4 bench`: the solver on positions with known results.

use super::{read, solvers, threads, unusable};
use crate::number::short;
use crate::progress::{Progress, Tick};
use crate::report::{Exit, Report};
use crate::table::{Align, Table};
use crate::{Shell, Texts, interrupt};
use connect4::sets::{self, Case, Measured, SETS};
use connect4::{Solver, work};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Arguments of `neurona connect4 bench`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Folder of the sets
    #[arg(long, value_name = "DIR", default_value = "../shared/data/connect4", hide_default_value = true)]
    sets: PathBuf,
    /// Which sets
    #[arg(long, value_name = "SET", value_delimiter = ',')]
    only: Vec<String>,
    /// Positions of each
    #[arg(long, value_name = "N", default_value_t = usize::MAX, hide_default_value = true)]
    limit: usize,
    /// The scores of all columns too
    #[arg(long)]
    columns: bool,
    /// Classify the UCI data set
    #[arg(long, value_name = "FILE")]
    uci: Option<PathBuf>,
    /// Size of the table
    #[arg(long, value_name = "MB", default_value_t = 64, hide_default_value = true)]
    memory: usize,
    /// Threads for columns and the UCI data set
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    threads: usize,
}

/// A set, what was measured, and how many scores of columns were checked and wrong.
struct Line {
    name: String,
    measured: Measured,
    columns: Option<(usize, usize)>,
}

/// Solves the sets and prints a table.
///
/// # Errors
/// Files that are missing or wrong (4), wrong scores (1), an interruption (130).
pub fn run(args: &Args, shell: &mut Shell) -> Result<(), Report> {
    let texts = shell.texts;
    interrupt::watch();
    let mut lines = vec![];
    if let Some(path) = &args.uci {
        lines.push(uci(&texts, args, path)?);
    } else {
        for (name, cases, columns) in open(&texts, args)? {
            lines.push(set(&texts, args, name, &cases, columns.as_deref())?);
        }
    }
    if shell.json {
        shell.print_json(&lines.iter().map(Line::json).collect::<Vec<_>>())?
    } else {
        shell.print(&table(&texts, &lines))?
    }
    let errors: usize = lines.iter().map(|l| l.measured.errors + l.columns.map_or(0, |c| c.1)).sum();
    match errors {
        0 => Ok(()),
        _ => Err(Report::new(Exit::Failed, texts.fill("connect4.wrong", &[("count", &errors)]), "", texts.get("connect4.wrong.fix"))),
    }
}

/// A set: its name, its positions, and the scores of their columns if they were asked for.
type Opened = (String, Vec<Case>, Option<Vec<[Option<i32>; 7]>>);

/// The sets that were asked for and are there.
fn open(texts: &Texts, args: &Args) -> Result<Vec<Opened>, Report> {
    if let Some(unknown) = args.only.iter().find(|o| !SETS.iter().any(|(file, name)| o == file || o == name)) {
        let what = texts.fill("usage.bad_value", &[("value", unknown), ("arg", &"--only")]);
        let names = SETS.map(|(_, name)| name).join(", ");
        return Err(Report::new(Exit::Usage, what, texts.fill("usage.valid", &[("values", &names)]), texts.get("usage.see_help")));
    }
    let mut all = vec![];
    for (file, name) in SETS {
        let path = args.sets.join(file);
        let wanted = args.only.iter().any(|o| o == file || o == name);
        if !wanted && (!args.only.is_empty() || !path.is_file()) {
            continue;
        }
        let mut cases = sets::read(&read(texts, &path)?).map_err(|e| unusable(texts, &path, &e))?;
        cases.truncate(args.limit);
        let columns = args.sets.join("per_column").join(format!("{file}.json"));
        let columns = match args.columns {
            true => Some(sets::read_columns(&read(texts, &columns)?, &cases).map_err(|e| unusable(texts, &columns, &e))?),
            false => None,
        };
        all.push((name.to_string(), cases, columns));
    }
    if all.is_empty() {
        let what = texts.fill("connect4.no_sets", &[("path", &args.sets.display())]);
        return Err(Report::new(Exit::Data, what, SETS.map(|(file, _)| file).join(", "), texts.get("connect4.no_sets.fix")));
    }
    Ok(all)
}

fn set(texts: &Texts, args: &Args, name: String, cases: &[Case], columns: Option<&[[Option<i32>; 7]]>) -> Result<Line, Report> {
    let mut progress = Progress::stderr(*texts);
    progress.keep(&texts.fill("connect4.set", &[("name", &name), ("count", &cases.len())]));
    let mut solver = Solver::new(args.memory);
    let measured = sets::measure(&mut solver, cases, |done| show(&mut progress, done, cases.len()));
    let mut all = solvers(solver, threads(args.threads));
    let columns = match columns {
        None => None,
        Some(columns) => {
            let pairs: Vec<_> = cases.iter().zip(columns).collect();
            let wrong = chunks(&mut progress, &mut all, &pairs, |s, (case, want)| s.scores(&case.position) != **want);
            Some((pairs.len(), wrong))
        }
    };
    interrupt::check(texts)?;
    Ok(Line { name, measured, columns })
}

/// Who wins each position of the UCI data set, by all threads with one table.
fn uci(texts: &Texts, args: &Args, path: &Path) -> Result<Line, Report> {
    let mut cases = sets::read_uci(&read(texts, path)?).map_err(|e| unusable(texts, path, &e))?;
    cases.truncate(args.limit);
    let mut progress = Progress::stderr(*texts);
    let mut all = solvers(Solver::new(args.memory), threads(args.threads));
    let begin = Instant::now();
    let errors = chunks(&mut progress, &mut all, &cases, |s, (p, want)| s.outcome(p) != *want);
    let time: Duration = begin.elapsed();
    let nodes = all.iter().map(Solver::nodes).sum();
    let measured = Measured { positions: cases.len(), nodes, time, errors };
    interrupt::check(texts)?;
    Ok(Line { name: "UCI".into(), measured, columns: None })
}

/// How many of the items are wrong, worked on by all threads, with progress.
fn chunks<T: Sync>(progress: &mut Progress, solvers: &mut [Solver], items: &[T], wrong: impl Fn(&mut Solver, &T) -> bool + Sync) -> usize {
    let (mut done, mut count) = (0, 0);
    for chunk in items.chunks(100 * solvers.len()) {
        if !show(progress, done, items.len()) {
            break;
        }
        count += work::spread(solvers, chunk, |s, item| wrong(s, item)).into_iter().filter(|w| *w).count();
        done += chunk.len();
    }
    count
}

/// Shows progress; whether to go on.
fn show(progress: &mut Progress, done: usize, total: usize) -> bool {
    progress.tick(&Tick { epoch: 1, epochs: 1, done, total, fields: &[] });
    !interrupt::requested()
}

impl Line {
    fn json(&self) -> Value {
        let m = &self.measured;
        let columns = self.columns.map(|(checked, errors)| json!({ "positions": checked, "errors": errors }));
        json!({
            "set": self.name, "positions": m.positions, "mean_nodes": m.mean_nodes(), "mean_seconds": m.mean_seconds(),
            "positions_per_second": m.rate(), "errors": m.errors, "columns": columns,
        })
    }
}

fn table(texts: &Texts, lines: &[Line]) -> String {
    let head = [
        texts.get("connect4.head.set"),
        texts.get("connect4.head.positions"),
        texts.get("connect4.head.nodes"),
        texts.get("connect4.head.time"),
        texts.get("connect4.head.rate"),
        texts.get("connect4.head.errors"),
        texts.get("connect4.head.columns"),
    ];
    let columns: Vec<(&str, Align)> =
        head.iter().enumerate().map(|(i, h)| (&h[..], if i == 0 { Align::Left } else { Align::Right })).collect();
    let mut table = Table::new(&columns);
    let digits = |x: f64, n: usize| short(format!("{x:.n$e}").parse().unwrap_or(x));
    for l in lines {
        let m = &l.measured;
        let columns = l.columns.map_or("–".to_string(), |(checked, errors)| format!("{errors} / {checked}"));
        table.row([
            l.name.clone(),
            m.positions.to_string(),
            digits(m.mean_nodes(), 3),
            digits(m.mean_seconds() * 1e3, 3),
            digits(m.rate() / 1e6, 2),
            m.errors.to_string(),
            columns,
        ]);
    }
    table.to_string()
}
