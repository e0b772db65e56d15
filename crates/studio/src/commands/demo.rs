//! `neurona demo`: the tour for someone new, from a formula to a differential equation. It needs no data and no network.

use super::{backprop, pinn as equation};
use crate::config::Source;
use crate::network::{Job, saved};
use crate::number::{duration, short};
use crate::report::{Exit, Report};
use crate::run::{CURVES, RunFolder, SAMPLES, SOLUTION};
use crate::table::{Align, Table};
use crate::{Shell, Texts, failure};
use lessons::Expression;
use lessons::backprop::Trace;
use neurona::Rows;
use pinn::{Decay, LearningRate, Losses, Outcome, Points, Preset, Sampling, Settings};
use serde::Serialize;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

/// Arguments of `neurona demo`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Far fewer steps
    #[arg(long)]
    quick: bool,
    /// Ends without the studio
    #[arg(long)]
    no_serve: bool,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Output {
    backprop: Trace,
    xor: Xor,
    pinn: Equation,
    files: Vec<PathBuf>,
}

/// How exclusive or was learned.
#[derive(Serialize)]
struct Xor {
    /// The loss of each epoch.
    losses: Vec<f64>,
    /// For the inputs (0, 0), (0, 1), (1, 0), (1, 1).
    predictions: Vec<f32>,
}

/// How the equation was solved.
#[derive(Serialize)]
struct Equation {
    steps: u64,
    relative_l2: f64,
    max_error: f64,
    losses: Losses,
    seconds: f64,
}

const INPUTS: [f32; 8] = [0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0];
const TARGETS: [f32; 4] = [0.0, 1.0, 1.0, 0.0];

/// Exclusive or as a training file. One perceptron alone cannot learn it, since no line separates the classes.
const XOR: &str = r#"# Exclusive or: 8 tanh units and a sigmoid.
batch = 4
learning_rate = 0.1
loss = { binary_cross_entropy = { from_logits = false } }
seed = 1

[data]
kind = "csv"
file = "xor.csv"
target = "xor"
task = "classification"

[[layers]]
type = "dense"
units = 8
activation = "tanh"

[[layers]]
type = "dense"
units = 1
activation = "sigmoid"
"#;

/// Shows a formula, then a first network, then a differential equation, and where to go from there.
///
/// # Errors
/// Files that cannot be written.
pub fn run(args: &Args, shell: &mut Shell) -> Result<(), Report> {
    let texts = shell.texts;
    say(shell, &format!("{}\n\n{}\n", texts.get("demo.title"), texts.get("demo.formula")))?;
    let backprop = formula()?;
    say(shell, &backprop::table(&texts, &backprop))?;

    let epochs = if args.quick { 60 } else { 200 };
    say(shell, &format!("\n{}\n", texts.fill("demo.xor", &[("epochs", &epochs)])))?;
    let (xor, folder) = exclusive_or(&texts, epochs)?;
    say(shell, &course(&texts, &xor))?;
    let mut files = vec![folder.file(CURVES)];

    say(shell, &format!("\n{}\n", texts.get("demo.equation")))?;
    let (solved, folder) = equation::tour(&texts, &settings(args.quick), "demo-transport")?;
    say(shell, &result(&texts, &solved))?;
    files.extend([SOLUTION, CURVES].map(|name| folder.file(name)));
    if shell.json {
        let &Outcome { relative_l2, max_error, losses, seconds, .. } = &solved;
        let pinn = Equation { steps: solved.state.step, relative_l2, max_error, losses, seconds };
        return shell.print_json(&Output { backprop, xor, pinn, files });
    }
    let list: Vec<String> = files.iter().map(|f| format!("  {}", f.display())).collect();
    shell.print(&format!("\n{}\n{}\n\n{}", texts.get("demo.files"), list.join("\n"), next(&texts)))?;
    // A person is there to look at it.
    if args.no_serve || !std::io::stdout().is_terminal() {
        return Ok(());
    }
    shell.print(&format!("\n{}", texts.get("demo.studio")))?;
    super::serve::here(shell)
}

/// Prints at once what is for people to read.
fn say(shell: &mut Shell, text: &str) -> Result<(), Report> {
    if shell.json {
        return Ok(());
    }
    shell.print(text)?;
    shell.flush()
}

/// The example of the blackboard.
fn formula() -> Result<Trace, Report> {
    let failed = |e: String| Report::new(Exit::Failed, e, "", "");
    let f = Expression::parse("(x/y+5)^2+x").map_err(|e| failed(e.to_string()))?;
    lessons::backprop::trace(&f, &[6.0, 2.0]).map_err(|e| failed(e.to_string()))
}

/// Learns exclusive or, and gives its course and the run folder.
fn exclusive_or(texts: &Texts, epochs: usize) -> Result<(Xor, RunFolder), Report> {
    let samples = RunFolder::shared(texts, Path::new(SAMPLES))?;
    let rows: String = INPUTS.chunks(2).zip(TARGETS).map(|(i, t)| format!("{},{},{t}\n", i[0], i[1])).collect();
    samples.write("xor.csv", format!("a,b,xor\n{rows}").as_bytes())?;
    let file = samples.write("xor.toml", format!("epochs = {epochs}\n{XOR}").as_bytes())?;
    let job = Job::open(texts, &Source::open(texts, &file)?, &file)?.quiet();
    let outcome = job.train(RunFolder::create(texts, "demo-xor", None)?)?;
    let (folder, _, _, mut trainer) = saved::load(texts, outcome.folder.path())?;
    let predictions = trainer.predict(&[Rows::f32(&INPUTS, &[2])], 4).map_err(|e| failure::report(texts, &e))?.data;
    Ok((Xor { losses: outcome.epochs.iter().map(|e| e.train.loss).collect(), predictions }, folder))
}

/// The loss at a few epochs, and what the network answers.
fn course(texts: &Texts, xor: &Xor) -> String {
    let n = xor.losses.len();
    let mut losses = Table::new(&[(&texts.get("demo.epoch"), Align::Right), (&texts.get("demo.loss"), Align::Right)]);
    for i in (0..n).filter(|i| i % (n / 5).max(1) == 0 || i + 1 == n) {
        losses.row([(i + 1).to_string(), format!("{:.4}", xor.losses[i])]);
    }
    let columns = ["a", "b", "a xor b"].map(str::to_string).into_iter().chain([texts.get("demo.network")]);
    let columns: Vec<String> = columns.collect();
    let mut answers = Table::new(&columns.iter().map(|c| (c.as_str(), Align::Right)).collect::<Vec<_>>());
    for ((inputs, target), p) in INPUTS.chunks(2).zip(TARGETS).zip(&xor.predictions) {
        answers.row([inputs[0].to_string(), inputs[1].to_string(), target.to_string(), format!("{p:.3}")]);
    }
    format!("{losses}\n\n{answers}")
}

/// A smaller network and fewer points than the presets have, for a few seconds.
fn settings(quick: bool) -> Settings {
    let steps = if quick { 60 } else { 2_000 };
    let deck = Preset::Deck.settings();
    Settings {
        steps,
        network: pinn::Network { widths: vec![20; 4], ..deck.network },
        points: Points { interior: 500, boundary: 100, initial: 100, sampling: Sampling::LatinHypercube },
        learning_rate: LearningRate { initial: 1e-2, last: 1e-5, decay: Decay::Cosine },
        report: pinn::Report { every: steps / 20, side: 51 },
        ..deck
    }
}

fn result(texts: &Texts, o: &Outcome) -> String {
    let first = o.history.first().and_then(|r| r.relative_l2.map(|l2| (r.step, l2)));
    let (first_step, first_l2) = first.unwrap_or((o.state.step, o.relative_l2));
    let digits = |x: f64| short(format!("{x:.1e}").parse().unwrap_or(x));
    texts.fill(
        "demo.result",
        &[
            ("first_step", &first_step),
            ("first", &digits(first_l2)),
            ("step", &o.state.step),
            ("last", &digits(o.relative_l2)),
            ("percent", &digits(o.relative_l2 * 100.0)),
            ("largest", &digits(o.max_error)),
            ("time", &duration(o.seconds)),
        ],
    )
}

/// Commands to go on with.
fn next(texts: &Texts) -> String {
    let mut table = Table::new(&[(&texts.get("demo.next"), Align::Left), ("", Align::Left)]);
    for (command, key) in [
        ("neurona backprop 'sin(x)*exp(y)' --at x=1,y=2 --order 2", "demo.next_backprop"),
        ("neurona train pinn", "demo.next_deck"),
        ("neurona train pinn --preset accurate", "demo.next_accurate"),
        ("neurona bench", "demo.next_bench"),
        ("neurona --help", "demo.next_help"),
    ] {
        table.row([format!("  {command}"), texts.get(key)]);
    }
    table.to_string()
}
