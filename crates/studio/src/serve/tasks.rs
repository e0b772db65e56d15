//! What can be trained from the page, as command lines. Nothing of a request becomes a word of the command line unchecked.

mod spirals;

use super::equations;
use crate::Texts;
use crate::report::{Exit, Report};
use crate::run::{CONFIG, META, RunFolder, SAMPLES, unwritable, write_whole};
use serde::Deserialize;
use spirals::spirals;
use std::path::{Path, PathBuf};

/// Largest training file that is listed, in bytes.
const FILE: u64 = 256 * 1024;
/// Megabytes of the solver's table for positions to learn from.
const MEMORY: &str = "256";
/// Training files that are listed.
const FILES: usize = 64;

/// A training.
#[derive(Deserialize, Debug)]
#[serde(tag = "task", rename_all = "lowercase")]
pub enum Task {
    /// Three spirals of points, made for this page.
    Spirals(Network),
    /// A training file of the current folder.
    File {
        /// One of [`files`].
        file: String,
        /// Changes.
        #[serde(flatten)]
        network: Network,
    },
    /// The transport equation.
    Transport {
        /// `deck` or `accurate`.
        preset: String,
        /// u in φ_t + u·φ_x = 0.
        speed: f64,
        /// Wave length of the start.
        length: f64,
        /// Training steps.
        steps: u32,
        /// Of points and weights.
        seed: u32,
    },
    /// A recogniser of doodles, with drawings that the program makes.
    Doodle {
        /// `small`, `deck` or `best`.
        preset: String,
        /// Drawings of each class.
        made: u32,
        /// Passes over them.
        epochs: u32,
        /// Of drawings, weights and order.
        seed: u32,
    },
    /// The networks that hide messages.
    Steganography {
        /// `photo`, `robust`, `deck` or `deck-full`.
        preset: String,
        /// Training steps.
        steps: u32,
        /// Of weights, pictures and bits.
        seed: u32,
    },
    /// A player of Connect Four, from a table of solved positions that is made first.
    Connect4 {
        /// `deck` or `best`.
        preset: String,
        /// Positions of the table.
        rows: u32,
        /// Passes over them.
        epochs: u32,
        /// Of weights and order.
        seed: u32,
    },
    /// A differential equation.
    Solve {
        /// What its gallery calls it.
        name: String,
        /// The file.
        text: String,
    },
    /// An interrupted run goes on.
    Resume {
        /// Its name.
        run: String,
    },
}

/// Settings of a network's training that the page offers.
#[derive(Deserialize, Debug)]
pub struct Network {
    /// Passes over the rows.
    epochs: Option<u32>,
    /// Step along the gradients.
    learning_rate: Option<f64>,
    /// Rows per step.
    batch: Option<u32>,
    /// Of weights and order.
    seed: Option<u32>,
}

impl Network {
    fn words(&self) -> Vec<String> {
        let whole = |key: &str, n: Option<u32>| n.map(|n| vec!["--set".to_string(), format!("{key}={n}")]);
        let rate = self.learning_rate.filter(|r| r.is_finite()).map(|r| vec!["--set".into(), format!("learning_rate={r:e}")]);
        let all = [whole("epochs", self.epochs), rate, whole("batch", self.batch), whole("seed", self.seed)];
        all.into_iter().flatten().flatten().collect()
    }
}

/// The command lines of a task.
pub struct Commands {
    /// A file that is needed first, and the words of the command that makes it where it is not there.
    pub before: Option<(PathBuf, Vec<String>)>,
    /// The words of the training.
    pub words: Vec<String>,
    /// The run's name.
    pub run: String,
}

/// Words of a command line.
fn words(list: &[&str]) -> Vec<String> {
    list.iter().map(|w| (*w).to_string()).collect()
}

/// One of the names that the command line knows; the first one for any other.
fn one_of(known: &'static [&'static str], name: &str) -> &'static str {
    known.iter().find(|k| **k == name).unwrap_or(&known[0])
}

impl Task {
    /// Its name in JSON.
    pub fn name(&self) -> &'static str {
        match self {
            Task::Spirals(_) => "spirals",
            Task::File { .. } => "file",
            Task::Transport { .. } => "transport",
            Task::Doodle { .. } => "doodle",
            Task::Steganography { .. } => "steganography",
            Task::Connect4 { .. } => "connect4",
            Task::Solve { .. } => "solve",
            Task::Resume { .. } => "resume",
        }
    }

    /// The words of the command lines, and the name of the run.
    ///
    /// # Errors
    /// A file or run that does not exist, settings out of range, a folder that cannot be made.
    pub fn commands(&self, texts: &Texts) -> Result<Commands, Report> {
        let mut before = None;
        let (mut command, name) = match self {
            Task::Spirals(network) => ([words(&["train", &spirals(texts)?]), network.words()].concat(), "spirals".to_string()),
            Task::File { file, network } => {
                if !files().contains(file) {
                    return Err(Report::new(Exit::Usage, texts.fill("web.ui.no_file", &[("name", file)]), files().join(", "), ""));
                }
                let stem = Path::new(file).file_stem().map_or("network".into(), |s| s.to_string_lossy().into_owned());
                ([words(&["train", file]), network.words()].concat(), stem)
            }
            Task::Transport { preset, speed, length, steps, seed } => {
                let preset = if preset == "deck" { "deck" } else { "accurate" };
                let set = |key: &str, x: f64| vec!["--set".to_string(), format!("problem.{key}={x:?}")];
                let numbers = words(&["--preset", preset, "--steps", &steps.to_string(), "--seed", &seed.to_string()]);
                ([words(&["train", "pinn"]), numbers, set("speed", *speed), set("length", *length)].concat(), "pinn".into())
            }
            Task::Doodle { preset, made, epochs, seed } => {
                let preset = one_of(&["small", "deck", "best"], preset);
                let [made, epochs, seed] = [made.clamp(&10, &2_000), epochs.clamp(&1, &10_000), seed].map(u32::to_string);
                let numbers = ["--made", &made, "--epochs", &epochs, "--seed", &seed];
                ([words(&["train", "doodle", "--preset", preset]), words(&numbers)].concat(), format!("doodle-{preset}"))
            }
            Task::Steganography { preset, steps, seed } => {
                let preset = one_of(&["photo", "robust", "deck", "deck-full"], preset);
                let [steps, seed] = [steps.clamp(&1, &10_000_000), seed].map(u32::to_string);
                let all = ["train", "steganography", "--preset", preset, "--steps", &steps, "--seed", &seed];
                (words(&all), "steganography".into())
            }
            Task::Connect4 { preset, rows, epochs, seed } => {
                let preset = one_of(&["deck", "best"], preset);
                let [rows, epochs, seed] = [rows.clamp(&200, &1_000_000), epochs.clamp(&1, &10_000), seed].map(u32::to_string);
                let table = samples(texts)?.join(format!("connect4-{rows}.csv"));
                let path = table.display().to_string();
                before = Some((table, words(&["connect4", "table", "--rows", &rows, "--memory", MEMORY, "--out", &path])));
                let all = ["train", "connect4", "--preset", preset, "--table", &path, "--epochs", &epochs, "--seed", &seed];
                (words(&all), format!("connect4-{preset}"))
            }
            Task::Solve { name, text } => {
                let name = equations::named(name);
                equations::problem(texts, name, text)?;
                let (folder, run) = reserve(texts, name)?;
                let file = sample(texts, &format!("{run}.toml"), text)?;
                return Ok(Commands { before, words: words(&["solve", &file, "--out", &folder]), run });
            }
            Task::Resume { run } => {
                let folder = known(texts, run)?;
                return Ok(Commands { before, words: words(&["resume", &folder.path().display().to_string()]), run: run.clone() });
            }
        };
        let (folder, run) = reserve(texts, &name)?;
        command.extend(["--out".into(), folder]);
        Ok(Commands { before, words: command, run })
    }
}

/// The run of that name in `runs`: one of the listed ones, so that no name leads elsewhere.
///
/// # Errors
/// No such run.
pub fn known(texts: &Texts, name: &str) -> Result<RunFolder, Report> {
    let found = RunFolder::all(texts).into_iter().find(|r| r.path().file_name().is_some_and(|n| n == name));
    found.ok_or_else(|| {
        let short: String = name.chars().take(80).collect();
        Report::new(Exit::Data, texts.fill("run.none", &[("path", &short)]), "", texts.fill("run.none.fix", &[("config", &CONFIG)]))
    })
}

/// Which training of a run this is: its name, and when it was last saved. What is made from a run is kept under it.
pub type Stamp = (String, Option<std::time::SystemTime>);

/// The run of that name with its stamp; none for the empty name, which stands for what comes with the program.
///
/// # Errors
/// No such run.
pub fn chosen(texts: &Texts, name: &str) -> Result<Option<(RunFolder, Stamp)>, Report> {
    if name.is_empty() {
        return Ok(None);
    }
    let run = known(texts, name)?;
    let saved = std::fs::metadata(run.file(META)).and_then(|m| m.modified()).ok();
    Ok(Some((run, (name.into(), saved))))
}

/// Names of the runs that are over and that `fits` takes, by what their meta.json says.
pub fn finished(texts: &Texts, fits: impl Fn(&RunFolder, &serde_json::Value) -> bool) -> Vec<String> {
    let meta = |r: &RunFolder| r.read(META).ok().and_then(|text| serde_json::from_str::<serde_json::Value>(&text).ok());
    let over = |r: &RunFolder| meta(r).is_some_and(|m| m["state"] == "done" && fits(r, &m));
    RunFolder::all(texts).into_iter().filter(over).map(|r| r.name()).collect()
}

/// The run of that name, or the folder of one that has not begun.
///
/// # Errors
/// Neither.
pub fn known_or_waiting(texts: &Texts, name: &str) -> Result<RunFolder, Report> {
    known(texts, name).or_else(|report| {
        let listed = std::fs::read_dir("runs").into_iter().flatten().flatten().find(|e| e.file_name() == name);
        match listed.filter(|e| e.file_type().is_ok_and(|t| t.is_dir())) {
            Some(entry) => RunFolder::shared(texts, &entry.path()),
            None => Err(report),
        }
    })
}

/// Training files of the current folder and of `examples`.
pub fn files() -> Vec<String> {
    let inside = |folder: &str| std::fs::read_dir(folder).into_iter().flatten().flatten().map(|e| e.path()).collect::<Vec<PathBuf>>();
    let toml = |p: &PathBuf| p.extension().is_some_and(|e| e == "toml") && p.metadata().is_ok_and(|m| m.is_file() && m.len() < FILE);
    let trains = |p: &PathBuf| std::fs::read_to_string(p).is_ok_and(|t| t.contains("[data]") && t.contains("[[layers]]"));
    let name = |p: PathBuf| p.strip_prefix(".").unwrap_or(&p).to_str().map(String::from);
    let mut all: Vec<String> = [".", "examples"].iter().flat_map(|f| inside(f)).filter(toml).filter(trains).filter_map(name).collect();
    all.retain(|f| !f.starts_with('-')); // the command line would take it for an option
    all.sort();
    all.truncate(FILES);
    all
}

/// Makes the next free folder `runs/NAME-0001`, and returns its path and its name: whoever makes it has it.
fn reserve(texts: &Texts, name: &str) -> Result<(String, String), Report> {
    let runs = Path::new("runs");
    std::fs::create_dir_all(runs).map_err(|e| unwritable(texts, runs, &e))?;
    let mut failed = std::io::Error::other("no number is left");
    for number in crate::run::last_number(runs, name).saturating_add(1)..10_000 {
        let run = format!("{name}-{number:04}");
        let path = runs.join(&run);
        match std::fs::create_dir(&path) {
            Ok(()) => return Ok((path.display().to_string(), run)),
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(e) => {
                failed = e;
                break;
            }
        }
    }
    Err(unwritable(texts, runs, &failed))
}

/// Takes back the folder of a training that was never begun.
pub fn unreserve(run: &str) {
    std::fs::remove_dir(Path::new("runs").join(run)).ok(); // it may have been removed, or have something in it
}

/// Makes the folder of samples.
///
/// # Errors
/// A folder that cannot be made (1).
pub fn samples(texts: &Texts) -> Result<&'static Path, Report> {
    let folder = Path::new(SAMPLES);
    std::fs::create_dir_all(folder).map_err(|e| unwritable(texts, folder, &e))?;
    Ok(folder)
}

/// Writes a file to the folder of samples, and returns its path.
fn sample(texts: &Texts, name: &str, text: &str) -> Result<String, Report> {
    let path = samples(texts)?.join(name);
    write_whole(&path, text.as_bytes()).map_err(|e| unwritable(texts, &path, &e))?;
    Ok(path.display().to_string())
}
