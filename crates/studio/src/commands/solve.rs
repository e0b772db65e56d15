//! `neurona solve FILE.toml`: a differential equation, given by its formulas, and the run folder of its solution.

mod given;
mod saving;
mod solution;
mod wrong;

use crate::number::short;
use crate::progress::{Progress, Tick};
use crate::report::{Exit, Report};
use crate::run::RunFolder;
use crate::table::{Align, Table};
use crate::{Shell, Texts, checkpoint, interrupt};
use given::Given;
use pinn::solve::{Solved, Solver};
use saving::Saving;
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};

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
    for (option, key, value) in [("--seed", "seed", args.seed), ("--threads", "threads", args.threads)] {
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
    show(shell, &solver, &solved, ungraded.as_deref(), saving.folder.path(), &files)?;
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

fn show(
    shell: &mut Shell,
    solver: &Solver,
    solved: &Solved,
    ungraded: Option<&str>,
    folder: &Path,
    files: &[PathBuf],
) -> Result<(), Report> {
    let (problem, progress) = (solver.problem(), solver.progress());
    let last = solver.records().last();
    let names = solver.names();
    let terms: Vec<(&String, f64)> = names.iter().zip(last.map_or(&[][..], |r| &r.terms)).map(|(n, &x)| (n, x)).collect();
    let ends: Vec<&str> = progress.ends.iter().map(|r| r.code()).collect();
    if shell.json {
        let map = |pairs: Vec<(&String, f64)>| pairs.into_iter().map(|(k, v)| (k.clone(), json!(v))).collect::<Map<String, Value>>();
        let unknown = |i: usize| problem.file.unknowns[i].clone();
        let errors = solved.distances.iter().map(|d| (unknown(d.unknown), json!({ "relative_l2": d.relative_l2, "max": d.max_error })));
        return shell.print_json(&json!({
            "folder": folder, "seed": problem.file.seed, "parameters": solver.parameters(), "steps": progress.total,
            "complete": solver.is_done(), "relative_l2": solved.relative_l2(), "errors": errors.collect::<Map<String, Value>>(),
            "fitted": map(solved.fitted.iter().map(|f| (&f.name, f.value)).collect()),
            "deviation": map(solved.fitted.iter().filter_map(|f| Some((&f.name, f.deviation?))).collect()),
            "loss": last.map(|r| r.loss), "losses": map(terms), "residual": solved.residuals[0], "residual_elsewhere": solved.residuals[1],
            "doubtful": solved.is_doubtful(), "ungraded": ungraded, "ends": ends, "seconds": progress.seconds, "files": files,
        }));
    }
    let texts = shell.texts;
    let after = texts.fill("pinn.after", &[("steps", &progress.total)]);
    let mut table = Table::new(&[(&texts.get("solve.title"), Align::Left), (&after, Align::Right)]);
    let number = |x: f64| short(rounded(x));
    for d in &solved.distances {
        let name = &problem.file.unknowns[d.unknown];
        table.row([texts.fill("solve.relative_l2", &[("name", name)]), number(d.relative_l2)]);
        table.row([texts.fill("solve.max_error", &[("name", name)]), number(d.max_error)]);
    }
    for f in &solved.fitted {
        let band = f.deviation.map_or(String::new(), |d| format!(" ± {}", number(1.96 * d)));
        table.row([
            texts.fill(if f.deviation.is_some() { "solve.fitted_band" } else { "solve.fitted" }, &[("name", &f.name)]),
            short(f.value) + &band,
        ]);
    }
    for (name, x) in &terms {
        table.row([texts.fill("solve.loss", &[("name", name)]), number(*x)]);
    }
    table.row([texts.get("solve.residual"), number(solved.residuals[0])]);
    table.row([texts.get("solve.residual_elsewhere"), number(solved.residuals[1])]);
    table.row([texts.get("page.parameters"), solver.parameters().to_string()]);
    table.row([texts.get("pinn.seconds"), format!("{:.1}", progress.seconds)]);
    let mut text = table.to_string();
    for (i, code) in ends.iter().enumerate() {
        text += &format!("{}{}", if i == 0 { "\n\n" } else { "\n" }, ended(&texts, solver, i, code));
    }
    if let Some(warning) = ungraded {
        text += &format!("\n\n{warning}");
    }
    if solved.is_doubtful() {
        text += &format!("\n\n{}", texts.get("solve.doubtful"));
    }
    let list: Vec<String> = files.iter().map(|f| format!("  {}", f.display())).collect();
    shell.print(&format!("{text}\n\n{}\n{}", texts.get("pinn.files"), list.join("\n")))
}

fn interrupted(texts: &Texts, solver: &Solver, folder: &RunFolder) -> Report {
    let total = planned(solver);
    let what = texts.fill("pinn.interrupted", &[("step", &solver.progress().total), ("steps", &total)]);
    let why = texts.fill("pinn.saved", &[("path", &folder.path().display())]);
    Report::new(Exit::Interrupted, what, why, checkpoint::resume_hint(texts, folder))
}
