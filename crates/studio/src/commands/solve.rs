//! `neurona solve FILE.toml`: a differential equation, given by its formulas, and the run folder of its solution.

mod given;
mod reached;
mod saving;
mod solution;
mod wrong;

use crate::progress::{Progress, Tick};
use crate::report::{Exit, Report};
use crate::run::RunFolder;
use crate::{Shell, Texts, checkpoint, interrupt};
use given::Given;
use pinn::solve::Solver;
use reached::Reached;
use saving::Saving;
use std::path::PathBuf;

pub(crate) use given::check;
pub(crate) use saving::KIND;
pub(crate) use solution::Solution;

/// Arguments of `neurona solve`.
#[derive(clap::Args, Debug)]
#[command(arg_required_else_help = true)]
pub struct Args {
    /// The problem
    #[arg(value_name = "FILE.toml|NAME", required_unless_present = "list")]
    file: Option<PathBuf>,
    /// The gallery
    #[arg(long)]
    list: bool,
    /// Prints the file
    #[arg(long)]
    print: bool,
    /// Decides points and first weights
    #[arg(long, value_name = "N")]
    seed: Option<u32>,
    /// Worker threads
    #[arg(long, value_name = "N")]
    threads: Option<u32>,
    /// Another value for any setting
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Finite differences beside it
    #[arg(long, value_name = "POINTS", num_args = 0..=1, default_missing_value = "401")]
    rival: Option<u32>,
    /// The run's folder
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Solves, saves and prints what was reached.
///
/// # Errors
/// A file that cannot be used (3), divergence (5), an interruption (130, after everything was saved), files that cannot be
/// written (1).
pub fn run(args: &Args, shell: &mut Shell) -> Result<(), Report> {
    let texts = shell.texts;
    let Some(file) = args.file.as_ref().filter(|_| !args.list) else { return given::list(shell) };
    let Given { mut source, name, folder: parent } = Given::open(&texts, file)?;
    if args.print {
        return shell.write(source.text.as_bytes());
    }
    args.set.iter().try_for_each(|pair| source.set_pair(&texts, pair))?;
    for (option, key, value) in [("--seed", "seed", args.seed), ("--threads", "threads", args.threads), ("--rival", "rival", args.rival)] {
        if let Some(value) = value {
            source.set(option, key, i64::from(value));
        }
    }
    let (problem, reference) = given::read(&texts, &source, &parent)?;
    let solver = Solver::new(&problem, reference.as_ref()).map_err(|e| wrong::failed(&texts, &e))?;
    let folder = RunFolder::create(&texts, &name, args.out.as_deref())?;
    interrupt::watch();
    let saving = Saving::begin(&texts, folder, &solver, &parent)?;
    go(solver, saving, shell)
}

/// Goes on with a run from its saved state.
///
/// # Errors
/// A run that is finished (2) or whose files cannot be used (3, 4); as [`run`].
pub(super) fn resume(folder: RunFolder, threads: Option<u32>, shell: &mut Shell) -> Result<(), Report> {
    let texts = shell.texts;
    saving::may_resume(&texts, &folder)?;
    let Given { mut source, folder: parent, .. } = Given::of_run(&texts, &folder)?;
    if let Some(threads) = threads {
        source.set("--threads", "threads", i64::from(threads));
    }
    interrupt::watch();
    let (problem, reference) = given::read(&texts, &source, &parent)?;
    let (saving, progress, records) = Saving::resume(&texts, folder, &problem)?;
    let solver = Solver::resume(&problem, reference.as_ref(), progress, records).map_err(|e| wrong::failed(&texts, &e))?;
    go(solver, saving, shell)
}

/// Takes all steps, saves and prints.
fn go(mut solver: Solver, mut saving: Saving, shell: &mut Shell) -> Result<(), Report> {
    let texts = shell.texts;
    let ungraded = saving.absent(solver.problem()).map(|path| texts.fill("solve.ungraded", &[("path", &path.display())]));
    if let Some(warning) = &ungraded {
        Progress::stderr(texts).keep(warning);
    }
    if let Err(e) = train(&texts, &mut solver, &mut saving) {
        saving.diverged(&solver)?;
        return Err(e);
    }
    let solved = solver.solved().map_err(|e| wrong::failed(&texts, &e))?;
    let files = saving.finish(&solver, &solved)?;
    let rival = solver.is_done().then(|| solver.rival()).flatten();
    let reached = Reached { solver: &solver, solved: &solved, rival: rival.as_ref(), ungraded: ungraded.as_deref() };
    reached.show(shell, saving.folder.path(), &files)?;
    if solver.is_done() { Ok(()) } else { Err(interrupted(&texts, &solver, &saving.folder)) }
}

fn train(texts: &Texts, solver: &mut Solver, saving: &mut Saving) -> Result<(), Report> {
    let mut bar = Progress::stderr(*texts);
    let names = solver.names();
    let all = planned(solver);
    while !solver.is_done() && !interrupt::requested() {
        let ends = solver.progress().ends.len();
        let record = solver.advance().map_err(|e| wrong::failed(texts, &e))?.cloned();
        if let Some(r) = record {
            let (loss, error) = (rounded(r.loss), rounded(r.relative_l2.unwrap_or(f64::NAN)));
            bar.tick(&Tick {
                epoch: 1,
                epochs: 1,
                done: r.step as usize,
                total: all as usize,
                fields: &[("loss", loss), ("rel_l2", error)],
            });
            let mut fields = if solver.problem().file.windows > 1 { vec![("window", r.window as f64 + 1.0)] } else { vec![] };
            fields.extend([("stage", r.stage as f64 + 1.0), ("step", r.step as f64), ("loss", loss)]);
            fields.extend(names.iter().zip(&r.terms).map(|(n, &x)| (n.as_str(), rounded(x))));
            fields.extend(r.relative_l2.map(|x| ("rel_l2", rounded(x))));
            fields.push(("seconds", rounded(r.seconds)));
            bar.record(&fields, solver.progress().ends.len() > ends);
        }
        if let Some(reason) = solver.progress().ends.get(ends) {
            bar.keep(&ended(texts, solver, ends, reason.code()));
        }
        saving.now_and_then(solver)?;
    }
    Ok(())
}

/// The steps of all stages of all windows.
fn planned(solver: &Solver) -> u64 {
    let file = &solver.problem().file;
    file.windows as u64 * file.stages.iter().map(|s| s.steps).sum::<u64>()
}

/// Why the `i`-th stage of all windows' ended, as a sentence.
fn ended(texts: &Texts, solver: &Solver, i: usize, code: &str) -> String {
    let why = texts.get(&format!("solve.end.{code}"));
    let file = &solver.problem().file;
    let (window, stage) = (i / file.stages.len() + 1, i % file.stages.len());
    let method = file.stages[stage].method.name();
    let key = if file.windows > 1 { "solve.ended_window" } else { "solve.ended" };
    texts.fill(key, &[("window", &window), ("stage", &(stage + 1)), ("method", &method), ("why", &why)])
}

/// Four digits: more would only flicker.
fn rounded(x: f64) -> f64 {
    format!("{x:.3e}").parse().unwrap_or(x)
}

fn interrupted(texts: &Texts, solver: &Solver, folder: &RunFolder) -> Report {
    let total = planned(solver);
    let what = texts.fill("pinn.interrupted", &[("step", &solver.progress().total), ("steps", &total)]);
    let why = texts.fill("pinn.saved", &[("path", &folder.path().display())]);
    Report::new(Exit::Interrupted, what, why, checkpoint::resume_hint(texts, folder))
}
