//! What can be trained from the page, as command lines. Nothing of a request becomes a word of the command line unchecked.

use crate::report::{Exit, Report};
use crate::run::{CONFIG, RunFolder, unwritable, write_whole};
use crate::{Texts, number};
use serde::Deserialize;
use std::f64::consts::TAU;
use std::path::{Path, PathBuf};

/// Largest training file that is listed, in bytes.
const FILE: u64 = 256 * 1024;
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

impl Task {
    /// Its name in JSON.
    pub fn name(&self) -> &'static str {
        match self {
            Task::Spirals(_) => "spirals",
            Task::File { .. } => "file",
            Task::Transport { .. } => "transport",
            Task::Resume { .. } => "resume",
        }
    }

    /// The words of the command line, and the name of the run.
    ///
    /// # Errors
    /// A file or run that does not exist, settings out of range, a folder that cannot be made.
    pub fn command(&self, texts: &Texts) -> Result<(Vec<String>, String), Report> {
        let words = |list: &[&str]| list.iter().map(|w| (*w).to_string()).collect::<Vec<_>>();
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
            Task::Resume { run } => {
                let folder = known(texts, run)?;
                return Ok((words(&["resume", &folder.path().display().to_string()]), run.clone()));
            }
        };
        let folder = reserve(texts, &name)?;
        command.extend(["--out".into(), folder.display().to_string()]);
        let run = folder.file_name().map_or(name, |n| n.to_string_lossy().into_owned());
        Ok((command, run))
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

/// Makes the next free folder `runs/NAME-0001`: whoever makes it has it.
fn reserve(texts: &Texts, name: &str) -> Result<PathBuf, Report> {
    let runs = Path::new("runs");
    std::fs::create_dir_all(runs).map_err(|e| unwritable(texts, runs, &e))?;
    let mut failed = std::io::Error::other("no number is left");
    for number in crate::run::last_number(runs, name).saturating_add(1)..10_000 {
        let path = runs.join(format!("{name}-{number:04}"));
        match std::fs::create_dir(&path) {
            Ok(()) => return Ok(path),
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

/// Rows of each spiral.
const ROWS: usize = 4_000;

/// Writes the data and the training file of the spirals to `runs/samples`, and returns the file.
fn spirals(texts: &Texts) -> Result<String, Report> {
    let folder = Path::new("runs/samples");
    std::fs::create_dir_all(folder).map_err(|e| unwritable(texts, folder, &e))?;
    let mut table = String::from("x,y,arm\n");
    let mut random = 1u64;
    // Deviates of a triangle from a linear congruential generator (Knuth's MMIX constants): the same table everywhere.
    let mut next = || {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 11) as f64 / (1u64 << 53) as f64
    };
    for i in 0..3 * ROWS {
        let (arm, t) = (i % 3, next());
        let angle = TAU * (arm as f64 / 3.0 + 1.1 * t) + 1.4 * (next() + next() - 1.0);
        let radius = 0.08 + 0.92 * t;
        let short = |x: f64| number::short((x * 1e5).round() / 1e5);
        table.push_str(&format!("{},{},{}\n", short(radius * angle.cos()), short(radius * angle.sin()), ["a", "b", "c"][arm]));
    }
    for (name, text) in [("spirals.csv", table.as_str()), ("spirals.toml", SPIRALS)] {
        let path = folder.join(name);
        write_whole(&path, text.as_bytes()).map_err(|e| unwritable(texts, &path, &e))?;
    }
    Ok("runs/samples/spirals.toml".into())
}

const SPIRALS: &str = r#"# Three spirals of points, told apart by their arm.
epochs = 300
batch = 32
learning_rate = 0.01
schedule = "cosine"

[data]
kind = "csv"
file = "spirals.csv"
target = "arm"
validation = 0.2
test = 0.2

[[layers]]
type = "dense"
units = 32
activation = "tanh"

[[layers]]
type = "dense"
units = 32
activation = "tanh"

[[layers]]
type = "dense"
units = 3
"#;
