//! `neurona runs`: what has been trained here, side by side, and away with what is not wanted.

use crate::config::{differences, values};
use crate::network::percent;
use crate::number::date;
use crate::report::{Exit, Report};
use crate::run::{CONFIG, META, METRICS, RunFolder};
use crate::table::{Align, Table};
use crate::{Shell, Texts, network};
use neurona::Metric;
use serde_json::{Map, Value, json};
use std::path::PathBuf;
use std::time::UNIX_EPOCH;

/// Key of a line of metrics.jsonl.
const EPOCH: &str = "epoch";

/// Arguments of `neurona runs`.
#[derive(clap::Args, Debug)]
#[command(arg_required_else_help = true)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(clap::Subcommand, Debug)]
enum Action {
    /// A table of all
    Ls,
    /// Everything about one
    Show {
        /// The run
        #[arg(value_name = "RUN")]
        run: PathBuf,
    },
    /// Several side by side
    Compare {
        /// The runs
        #[arg(value_name = "RUN", required = true, num_args = 2..)]
        runs: Vec<PathBuf>,
    },
    /// Removes some
    Rm {
        /// The runs
        #[arg(value_name = "RUN", required = true)]
        runs: Vec<PathBuf>,
    },
}

/// Runs the action.
///
/// # Errors
/// Runs that do not exist (4), are in use or cannot be removed (1).
pub fn run(args: &Args, shell: &mut Shell) -> Result<(), Report> {
    let texts = shell.texts;
    let open = |path: &PathBuf| RunFolder::open(&texts, path).map(Known::new);
    match &args.action {
        Action::Ls => ls(shell, &RunFolder::all(&texts).into_iter().map(Known::new).collect::<Vec<_>>()),
        Action::Show { run } => show(shell, &open(run)?),
        Action::Compare { runs } => compare(shell, &runs.iter().map(open).collect::<Result<Vec<_>, _>>()?),
        Action::Rm { runs } => remove(shell, &runs.iter().map(open).collect::<Result<Vec<_>, _>>()?),
    }
}

/// What the files of a run say; a damaged one says less.
struct Known {
    folder: RunFolder,
    meta: Value,
    config: toml::Table,
    /// The line of the best epoch, or the last line.
    best: Map<String, Value>,
}

impl Known {
    fn new(folder: RunFolder) -> Known {
        let text = |name: &str| std::fs::read_to_string(folder.file(name)).unwrap_or_default();
        let meta: Value = serde_json::from_str(&text(META)).unwrap_or(Value::Null);
        let lines: Vec<Map<String, Value>> = text(METRICS).lines().map_while(|l| serde_json::from_str(l).ok()).collect();
        let best = lines.iter().find(|l| l.get(EPOCH).is_some_and(|e| *e == meta["best_epoch"])).or(lines.last());
        let best = best.cloned().unwrap_or_default();
        Known { meta, config: text(CONFIG).parse().unwrap_or_default(), best, folder }
    }

    fn kind(&self) -> &str {
        self.meta["kind"].as_str().unwrap_or(network::KIND)
    }

    /// done, running, stopped (killed), interrupted, diverged or unknown.
    fn status(&self) -> &str {
        match self.meta["state"].as_str() {
            Some("training") if self.folder.in_use() => "running",
            Some("training") => "stopped",
            Some(_) if self.folder.in_use() => "running",
            other => other.unwrap_or("unknown"),
        }
    }

    /// Epochs or steps done, and in all.
    fn progress(&self) -> [u64; 2] {
        let number = |key: &str| self.meta[key].as_u64();
        let all = |key: &str| self.config.get(key).and_then(toml::Value::as_integer).map_or(0, |n| n as u64);
        match number("epochs") {
            Some(done) => [done, all("epochs")],
            None => [number("step").unwrap_or(0), all("steps").max(self.stages())],
        }
    }

    /// The steps of all stages of all windows of an equation.
    fn stages(&self) -> u64 {
        let whole = |table: &toml::Table, key: &str| table.get(key).and_then(toml::Value::as_integer).map_or(0, |n| n.max(0) as u64);
        let list = |key: &str| self.config.get(key).and_then(toml::Value::as_array);
        let tables = list("stages").into_iter().flatten().filter_map(toml::Value::as_table);
        let steps: u64 = tables.map(|t| whole(t, "steps")).sum();
        steps.saturating_mul(whole(&self.config, "windows").max(1))
    }

    /// The number that says how good it is: the first metric, of validation if there is one.
    fn metric(&self) -> Option<(String, f64)> {
        let named = |name: &str| Some((name.to_string(), self.best.get(name)?.as_f64()?));
        let setting = |key: &str| self.config.get(key);
        let list = setting("metrics").and_then(toml::Value::as_array);
        let first = list.and_then(|l| l.first()).and_then(toml::Value::as_str).unwrap_or("loss");
        named(&format!("val_{first}")).or_else(|| named("relative_l2")).or_else(|| named(first))
    }

    /// Seconds since 1970 of the last change.
    fn changed(&self) -> Option<u64> {
        let time = std::fs::metadata(self.folder.file(META)).and_then(|m| m.modified()).ok()?;
        time.duration_since(UNIX_EPOCH).ok().map(|d| d.as_secs())
    }

    fn json(&self) -> Value {
        let ([done, all], metric) = (self.progress(), self.metric());
        let metric = metric.map(|(name, value)| json!({ "name": name, "value": value }));
        let when = self.changed().map(date);
        let (name, path) = (self.folder.name(), self.folder.path());
        json!({ "name": name, "path": path, "kind": self.kind(), "status": self.status(), "done": done, "of": all, "best": metric, "changed": when })
    }
}

/// A number as people read it: a share of accuracy as per cent.
fn shown(name: &str, value: f64) -> String {
    percent(name.ends_with("accuracy").then_some(Metric::Accuracy), value)
}

fn status(texts: &Texts, run: &Known) -> String {
    match run.status() {
        "done" => texts.get("runs.done"),
        "running" => texts.get("runs.running"),
        "stopped" => texts.get("runs.stopped"),
        "interrupted" => texts.get("runs.interrupted"),
        "diverged" => texts.get("runs.diverged"),
        _ => texts.get("runs.unknown"),
    }
}

fn ls(shell: &mut Shell, runs: &[Known]) -> Result<(), Report> {
    if shell.json {
        return shell.print_json(&runs.iter().map(Known::json).collect::<Vec<_>>());
    }
    let texts = shell.texts;
    if runs.is_empty() {
        return shell.print(&texts.get("runs.none"));
    }
    let head = ["runs.name", "runs.kind", "runs.status", "runs.progress", "runs.best", "runs.when"].map(|key| texts.get(key));
    let sides = [Align::Left, Align::Left, Align::Left, Align::Right, Align::Left, Align::Left];
    let mut table = Table::new(&head.iter().map(String::as_str).zip(sides).collect::<Vec<_>>());
    for run in runs {
        let [done, all] = run.progress();
        let best = run.metric().map(|(name, value)| format!("{name} {}", shown(&name, value))).unwrap_or_default();
        let when = run.changed().map(date).unwrap_or_default();
        table.row([run.folder.name(), run.kind().into(), status(&texts, run), format!("{done}/{all}"), best, when]);
    }
    shell.print(&table.to_string())
}

fn show(shell: &mut Shell, run: &Known) -> Result<(), Report> {
    if shell.json {
        let mut object = run.json();
        object["config"] = json!(run.config);
        object["meta"] = run.meta.clone();
        object["metrics"] = json!(run.best);
        return shell.print_json(&object);
    }
    let texts = shell.texts;
    let [done, all] = run.progress();
    let mut table = Table::new(&[(&texts.get("runs.name"), Align::Left), (&run.folder.name(), Align::Left)]);
    let when = run.changed().map(date).unwrap_or_default();
    let folder = run.folder.path().display().to_string();
    let rows = [("runs.folder", folder), ("runs.kind", run.kind().into()), ("runs.status", status(&texts, run))];
    rows.into_iter().for_each(|(key, value)| table.row([texts.get(key), value]));
    table.row([texts.get("runs.progress"), format!("{done}/{all}")]);
    table.row([texts.get("runs.when"), when]);
    for (name, value) in run.best.iter().filter_map(|(n, v)| Some((n, v.as_f64()?))) {
        table.row([name.clone(), shown(name, value)]);
    }
    let settings: Vec<String> = values(&run.config).into_iter().map(|(key, value)| format!("{key} = {value}")).collect();
    shell.print(&format!("{table}\n\n{}", settings.join("\n")))
}

/// Settings that differ first, then the numbers; the best of each is marked.
fn compare(shell: &mut Shell, runs: &[Known]) -> Result<(), Report> {
    let Some((first, rest)) = runs.split_first() else { return Ok(()) };
    let mut keys: Vec<String> = rest.iter().flat_map(|r| differences(&first.config, &r.config)).map(|(key, _)| key).collect();
    keys.sort();
    keys.dedup();
    let flat: Vec<Vec<(String, String)>> = runs.iter().map(|r| values(&r.config)).collect();
    let setting = |i: usize, key: &str| flat[i].iter().find(|(k, _)| k == key).map(|(_, v)| v.clone());
    let mut names: Vec<&String> = runs.iter().flat_map(|r| r.best.iter()).filter(|(_, v)| v.is_f64()).map(|(n, _)| n).collect();
    names.sort();
    names.dedup();
    names.retain(|n| !["seconds", "lr", "learning_rate"].contains(&n.as_str()));
    if shell.json {
        let settings: Map<String, Value> =
            keys.iter().map(|k| (k.clone(), json!((0..runs.len()).map(|i| setting(i, k)).collect::<Vec<_>>()))).collect();
        let metrics: Map<String, Value> =
            names.iter().map(|n| ((*n).clone(), json!(runs.iter().map(|r| r.best.get(*n)).collect::<Vec<_>>()))).collect();
        let list: Vec<Value> = runs.iter().map(Known::json).collect();
        return shell.print_json(&json!({ "runs": list, "settings": settings, "metrics": metrics }));
    }
    let texts = shell.texts;
    let titles: Vec<String> = runs.iter().map(|r| r.folder.name()).collect();
    let head = [("", Align::Left)].into_iter().chain(titles.iter().map(|t| (&t[..], Align::Right)));
    let mut table = Table::new(&head.collect::<Vec<_>>());
    for key in &keys {
        table.row([key.clone()].into_iter().chain((0..runs.len()).map(|i| setting(i, key).unwrap_or_else(|| "–".into()))));
    }
    let progress = runs.iter().map(|r| r.progress().map(|n| n.to_string()).join("/"));
    table.row([texts.get("runs.progress")].into_iter().chain(progress));
    for name in names {
        let numbers: Vec<Option<f64>> = runs.iter().map(|r| r.best.get(name).and_then(Value::as_f64)).collect();
        let larger = name.ends_with("accuracy");
        let better = |a: f64, b: f64| if larger { a.max(b) } else { a.min(b) };
        let best = numbers.iter().flatten().copied().reduce(better);
        let cell = |x: &Option<f64>| match x {
            Some(x) => format!("{}{}", shown(name, *x), if Some(*x) == best { " ★" } else { "  " }),
            None => "–  ".into(),
        };
        table.row([name.clone()].into_iter().chain(numbers.iter().map(cell)));
    }
    shell.print(&table.to_string())
}

fn remove(shell: &mut Shell, runs: &[Known]) -> Result<(), Report> {
    let texts = shell.texts;
    // All are looked at before the first is removed.
    let entries = runs.iter().map(|run| files(&texts, run)).collect::<Result<Vec<_>, _>>()?;
    let locked = runs.iter().map(|r| r.folder.clone().locked()).collect::<Result<Vec<_>, _>>()?;
    for (folder, files) in locked.iter().zip(entries) {
        let failed = |e: std::io::Error| crate::run::unwritable(&texts, folder.path(), &e);
        for file in files.iter().chain([&folder.file(".lock")]) {
            std::fs::remove_file(file)
                .or_else(|e| if e.kind() == std::io::ErrorKind::NotFound { Ok(()) } else { Err(e) })
                .map_err(failed)?;
        }
        std::fs::remove_dir(folder.path()).map_err(failed)?;
    }
    let names: Vec<String> = locked.iter().map(|f| f.path().display().to_string()).collect();
    if shell.json {
        shell.print_json(&json!({ "removed": names }))
    } else {
        shell.print(&texts.fill("runs.removed", &[("names", &names.join(", "))]))
    }
}

/// The files of a run; what has other things in it, or is no run, is not removed.
fn files(texts: &Texts, run: &Known) -> Result<Vec<PathBuf>, Report> {
    let path = run.folder.path();
    let entries: Vec<PathBuf> =
        std::fs::read_dir(path).map_err(|e| crate::run::unwritable(texts, path, &e))?.flatten().map(|e| e.path()).collect();
    if run.meta["state"].is_string() && entries.iter().all(|e| !e.is_dir()) {
        return Ok(entries);
    }
    let what = texts.fill("runs.no_run", &[("path", &path.display())]);
    Err(Report::new(Exit::Failed, what, "", texts.get("runs.no_run.fix")))
}
