//! `neurona playground`: a small network on points of the plane; with several learning rates or batch sizes, all of them
//! compared.

use super::activations;
use super::descend::sampled;
use crate::number::short;
use crate::report::{Exit, Report};
use crate::table::{Align, Table};
use crate::{Shell, Texts, failure, run};
use lessons::descend::optimizer;
use lessons::playground::{Epoch, Feature, Maps, Playground, Points, Run, Settings, explore};
use neurona::report::Confusion;
use plot::{Axis, ColorMap, Heat, Lines, Panel};
use serde_json::json;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Arguments of `neurona playground`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The points: a set that is drawn
    #[arg(long, value_name = "NAME", default_value = "circles", hide_default_value = true)]
    data: String,
    /// The points: a file
    #[arg(long, value_name = "FILE.csv", conflicts_with_all = ["data", "points", "noise"])]
    csv: Option<PathBuf>,
    /// How many points are drawn
    #[arg(long, value_name = "N", default_value_t = 300, hide_default_value = true)]
    points: usize,
    /// How far points are disturbed
    #[arg(long, value_name = "SIZE", default_value_t = 0.05, hide_default_value = true)]
    noise: f64,
    /// Share of the points kept for the test
    #[arg(long, value_name = "SHARE", default_value_t = 0.3, hide_default_value = true)]
    test: f64,
    /// What the network is given of a point
    #[arg(long, value_name = "NAME,…", value_delimiter = ',', default_value = "x,y", hide_default_value = true)]
    features: Vec<String>,
    /// Neurons of each hidden layer
    #[arg(long, value_name = "N,…", default_value = "8,8", hide_default_value = true)]
    hidden: String,
    /// Of the hidden neurons
    #[arg(long, value_name = "NAME", default_value = "tanh", hide_default_value = true)]
    activation: String,
    /// The optimizer
    #[arg(long, value_name = "NAME", default_value = "adam", hide_default_value = true)]
    optimizer: String,
    /// Size of a step; several to compare
    #[arg(
        long,
        value_name = "RATE,…",
        value_delimiter = ',',
        default_value = "0.01",
        hide_default_value = true,
        allow_hyphen_values = true
    )]
    learning_rate: Vec<f64>,
    /// Points a step; several to compare
    #[arg(long, value_name = "N,…", value_delimiter = ',', default_value = "16", hide_default_value = true)]
    batch: Vec<usize>,
    /// Passes over the points
    #[arg(long, value_name = "N", default_value_t = 200, hide_default_value = true)]
    epochs: usize,
    /// Decides points, split, first weights and order
    #[arg(long, value_name = "N", default_value_t = 1, hide_default_value = true)]
    seed: u32,
    /// The file for the picture
    #[arg(long, value_name = "FILE.svg")]
    svg: Option<PathBuf>,
}

/// Trains, and prints how it went.
///
/// # Errors
/// A set, a name or a number that cannot be used (2, 3), points that cannot be read (4), a training that diverges (5), a
/// picture that cannot be written (1).
pub fn run(args: &Args, shell: &mut Shell) -> Result<(), Report> {
    let texts = shell.texts;
    let settings = settings(&texts, args)?;
    let points = points(&texts, args)?;
    if args.learning_rate.len() > 1 || args.batch.len() > 1 {
        return compare(args, &points, &settings, shell);
    }
    let fail = |e: neurona::Error| failure::report(&texts, &e);
    let mut net = Playground::new(&points, &settings).map_err(fail)?;
    let epochs = net.train(args.epochs).map_err(fail)?;
    let (maps, confusion) = (net.maps(if args.svg.is_some() { 60 } else { 1 }).map_err(fail)?, net.confusion().map_err(fail)?);
    if let Some(path) = &args.svg {
        write(&texts, path, &picture(&texts, &points, &epochs, &maps))?;
    }
    if shell.json {
        let result = json!({
            "settings": settings, "iterations": net.iterations(), "epochs": epochs, "parameters": net.parameters(),
            "classes": points.classes, "confusion": confusion.counts,
        });
        return shell.print_json(&result);
    }
    shell.print(&text(&texts, &points, &net, &epochs, &confusion))
}

fn write(texts: &Texts, path: &Path, svg: &str) -> Result<(), Report> {
    run::write_whole(path, svg.as_bytes()).map(drop).map_err(|e| run::unwritable(texts, path, &e))
}

fn settings(texts: &Texts, args: &Args) -> Result<Settings, Report> {
    let bad = |value: &str, arg: &str, names: String| {
        let what = texts.fill("usage.bad_value", &[("value", &value), ("arg", &arg)]);
        Report::new(Exit::Usage, what, "", texts.fill("playground.names", &[("names", &names)]))
    };
    let feature = |name: &String| {
        let all = Feature::ALL.map(Feature::name).join(", ");
        Feature::of(name.trim()).ok_or_else(|| bad(name, "--features", all))
    };
    let units = |n: &str| n.trim().parse().map_err(|_| bad(n, "--hidden", "8 · 8,8 · 0".into()));
    let hidden = match args.hidden.trim() {
        "0" => vec![],
        list => list.split(',').map(units).collect::<Result<_, _>>()?,
    };
    let names = || lessons::descend::OPTIMIZERS.join(", ");
    Ok(Settings {
        hidden,
        activation: activations::find(texts, &args.activation, "--activation")?.activation,
        features: args.features.iter().map(feature).collect::<Result<_, _>>()?,
        optimizer: optimizer(&args.optimizer, 0.9).ok_or_else(|| bad(&args.optimizer, "--optimizer", names()))?,
        learning_rate: args.learning_rate[0],
        batch: args.batch[0],
        test_share: args.test,
        seed: args.seed,
    })
}

/// Longest file of points that is read.
const LONGEST: u64 = 1 << 20;

fn points(texts: &Texts, args: &Args) -> Result<Points, Report> {
    let fail = |e: neurona::Error| failure::report(texts, &e);
    let Some(path) = &args.csv else { return Points::draw(&args.data, args.points, args.noise, args.seed).map_err(fail) };
    let mut text = String::new();
    let read = std::fs::File::open(path).and_then(|f| f.take(LONGEST).read_to_string(&mut text));
    read.map_err(|e| {
        let what = texts.fill("data.unreadable", &[("path", &path.display())]);
        Report::new(Exit::Data, what, e.to_string(), texts.get("data.unreadable.fix"))
    })?;
    Points::parse(&text).map_err(fail)
}

fn percent(x: f64) -> String {
    format!("{:.1} %", 100.0 * x)
}

fn text(texts: &Texts, points: &Points, net: &Playground, epochs: &[Epoch], confusion: &Confusion) -> String {
    let heads = ["playground.epoch", "playground.loss", "playground.test_loss", "playground.accuracy", "playground.test_accuracy"];
    let heads = heads.map(|k| texts.get(k));
    let mut table = Table::new(&heads.iter().map(|h| (h.as_str(), Align::Right)).collect::<Vec<_>>());
    for e in sampled(epochs.len()).into_iter().map(|i| &epochs[i]) {
        table.row([e.epoch.to_string(), short(e.train.loss), short(e.test.loss), percent(e.train.accuracy), percent(e.test.accuracy)]);
    }
    let held = net.held_out().iter().filter(|h| **h).count();
    let values: [(&str, &dyn std::fmt::Display); 3] =
        [("train", &(points.at.len() - held)), ("test", &held), ("iterations", &net.iterations())];
    let mut counts = vec![(texts.get("playground.actual"), Align::Left)];
    counts.extend(points.classes.iter().map(|c| (texts.fill("playground.as", &[("class", c)]), Align::Right)));
    let mut matrix = Table::new(&counts.iter().map(|(t, a)| (t.as_str(), *a)).collect::<Vec<_>>());
    for (a, name) in points.classes.iter().enumerate() {
        matrix.row([name.clone()].into_iter().chain((0..points.classes.len()).map(|p| confusion.get(a, p).to_string())));
    }
    format!("{}\n\n{table}\n\n{matrix}", texts.fill("playground.set", &values))
}

/// The decision with the points, the losses, and every hidden neuron.
fn picture(texts: &Texts, points: &Points, epochs: &[Epoch], maps: &Maps) -> String {
    let axis = |k: usize| Axis::linear(["x", "y"][k]).range(maps.view[k].0, maps.view[k].1);
    let heat = |title: &str, values: Vec<f64>| Heat::new(title, axis(0), axis(1), maps.cells, values).map(ColorMap::BlueRed);
    let title = texts.get("playground.decision");
    let wide = |v: &[f32]| v.iter().map(|x| f64::from(*x)).collect::<Vec<f64>>();
    let decision = match &maps.decision[..] {
        [one] => heat(&title, wide(one)).range(0.0, 1.0),
        many => {
            let most = |i: usize| (0..many.len()).max_by(|a, b| many[*a][i].total_cmp(&many[*b][i])).unwrap_or(0) as f64;
            heat(&title, (0..many[0].len()).map(most).collect()).map(ColorMap::Viridis)
        }
    };
    let of = |class: usize| points.at.iter().zip(&points.class).filter(move |(_, c)| **c == class).map(|(p, _)| (p[0], p[1]));
    let decision = (0..points.classes.len()).fold(decision, |d, c| d.marks(of(c)));
    let losses =
        Lines::new(&texts.get("playground.losses"), Axis::linear(&texts.get("playground.epoch")), Axis::log(&texts.get("playground.loss")));
    let losses = losses.series(&texts.get("playground.training"), epochs.iter().map(|e| (e.epoch as f64, e.train.loss)));
    let losses = losses.series(&texts.get("playground.testing"), epochs.iter().map(|e| (e.epoch as f64, e.test.loss)));
    let neuron = |l: usize, n: usize| texts.fill("playground.neuron", &[("layer", &(l + 1)), ("neuron", &(n + 1))]);
    let each = maps.layers.iter().enumerate().flat_map(|(l, all)| all.iter().enumerate().map(move |(n, map)| (l, n, map)));
    let neurons: Vec<Heat> = each.map(|(l, n, map)| heat(&neuron(l, n), wide(map))).collect();
    let panels: Vec<&dyn Panel> = [&decision as &dyn Panel, &losses].into_iter().chain(neurons.iter().map(|h| h as &dyn Panel)).collect();
    plot::grid(&texts.get("playground.title"), 4.min(panels.len()), &panels)
}

/// Trains with each rate and batch size.
fn compare(args: &Args, points: &Points, settings: &Settings, shell: &mut Shell) -> Result<(), Report> {
    let texts = shell.texts;
    let runs = explore(points, settings, &args.learning_rate, &args.batch, args.epochs).map_err(|e| failure::report(&texts, &e))?;
    if let Some(path) = &args.svg {
        write(&texts, path, &multiples(&texts, &args.batch, &runs))?;
    }
    if shell.json {
        return shell.print_json(&json!({ "settings": settings, "runs": runs }));
    }
    let heads = ["playground.batch", "playground.rate", "playground.iterations", "playground.steps"];
    let heads: Vec<String> = heads.iter().chain(&["playground.test_loss", "playground.test_accuracy"]).map(|k| texts.get(k)).collect();
    let mut table = Table::new(&heads.iter().map(|h| (h.as_str(), Align::Right)).collect::<Vec<_>>());
    for r in &runs {
        let (loss, accuracy) = match r.epochs.last() {
            Some(e) if !r.diverged => (short(e.test.loss), percent(e.test.accuracy)),
            _ => (texts.get("playground.diverged"), String::new()),
        };
        let steps = (r.iterations * r.epochs.len()).to_string();
        table.row([r.batch.to_string(), short(r.learning_rate), r.iterations.to_string(), steps, loss, accuracy]);
    }
    shell.print(&table.to_string())
}

/// A panel for each batch size, a line for each learning rate, all on the same axes.
fn multiples(texts: &Texts, batches: &[usize], runs: &[Run]) -> String {
    let all = || runs.iter().flat_map(|r| &r.epochs).map(|e| e.train.loss).filter(|l| *l > 0.0 && l.is_finite());
    let (lo, hi) = all().fold((f64::INFINITY, 0.0f64), |(lo, hi), l| (lo.min(l), hi.max(l)));
    let panel = |&batch: &usize| {
        let iterations = runs.iter().find(|r| r.batch == batch).map_or(0, |r| r.iterations);
        let title = texts.fill("playground.panel", &[("batch", &batch), ("iterations", &iterations)]);
        let y = Axis::log(&texts.get("playground.loss"));
        let y = if lo < hi { y.range(lo.max(1e-8), hi.min(1e4)) } else { y };
        let lines = Lines::new(&title, Axis::linear(&texts.get("playground.epoch")), y);
        let of = runs.iter().filter(|r| r.batch == batch);
        of.fold(lines, |l, r| l.series(&short(r.learning_rate), r.epochs.iter().map(|e| (e.epoch as f64, e.train.loss))))
    };
    let panels: Vec<Lines> = batches.iter().map(panel).collect();
    plot::row(&texts.get("playground.rates"), &panels.iter().map(|p| p as &dyn Panel).collect::<Vec<_>>())
}
