//! `neurona activations [NAME]`: activation functions, their slopes, and where no gradient passes.

use super::formula;
use crate::number::short;
use crate::report::{Exit, Report};
use crate::table::{Align, Table};
use crate::{Shell, Texts, run};
use lessons::activations::{self, ALL, About, Curve, Softmax};
use plot::{Axis, Lines, Panel};
use serde_json::json;
use std::path::PathBuf;

/// Arguments of `neurona activations`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The function
    #[arg(value_name = "NAME")]
    name: Option<String>,
    /// Numbers to apply it to
    #[arg(long, value_name = "X,…", value_delimiter = ',', allow_hyphen_values = true)]
    at: Vec<f64>,
    /// The range of the picture
    #[arg(long, value_name = "LOW,HIGH", value_delimiter = ',', num_args = 1, allow_hyphen_values = true)]
    range: Vec<f64>,
    /// The file for the picture
    #[arg(long, value_name = "FILE.svg")]
    svg: Option<PathBuf>,
}

/// Points of a drawn curve.
const POINTS: usize = 401;

/// Prints one function at some numbers, or all of them in a table.
///
/// # Errors
/// A function that is not known, numbers that cannot be used (2); a picture that cannot be written (1).
pub fn run(args: &Args, shell: &mut Shell) -> Result<(), Report> {
    let texts = shell.texts;
    let (from, to) = match args.range[..] {
        [] => (-5.0, 5.0),
        [a, b] if a < b && a.is_finite() && b.is_finite() => (a, b),
        ref wrong => return Err(bad(&texts, wrong, "--range", "activations.range")),
    };
    if let Some(wrong) = args.at.iter().find(|x| !x.is_finite()) {
        return Err(bad(&texts, &[*wrong], "--at", "activations.at"));
    }
    if args.name.as_deref() == Some("softmax") {
        return softmax(args, shell);
    }
    let chosen = match &args.name {
        Some(name) => vec![find(&texts, name, "NAME")?],
        None => ALL.to_vec(),
    };
    let fail = |e| formula::failed(&texts, &e);
    let curves: Vec<Curve> = chosen.iter().map(|a| activations::curve(*a, from, to, POINTS)).collect::<Result<_, _>>().map_err(fail)?;
    if let Some(path) = &args.svg {
        run::write_whole(path, picture(&texts, &curves).as_bytes()).map_err(|e| run::unwritable(&texts, path, &e))?;
    }
    let at = if args.at.is_empty() { vec![-3.0, -1.0, 0.0, 1.0, 3.0] } else { args.at.clone() };
    let points: Vec<_> = chosen.iter().map(|a| activations::at(a.activation, &at)).collect::<Result<_, _>>().map_err(fail)?;
    if shell.json {
        let each = |(curve, points)| json!({ "curve": curve, "at": points });
        return shell.print_json(&curves.iter().zip(&points).map(each).collect::<Vec<_>>());
    }
    match (&curves[..], &points[..]) {
        ([curve], [points]) => {
            let about = curve.about;
            let mut table = Table::new(&["x", "f", "f'"].map(|t| (t, Align::Right)));
            points.iter().for_each(|p| table.row([p.x, p.value, p.slope].map(short)));
            let head = format!("{}: f(x) = {}    f'(x) = {}", about.name, about.formula, about.slope);
            shell.print(&format!("{head}\n\n{table}\n\n{}", saturation(&texts, curve)))
        }
        _ => shell.print(&overview(&texts, &at, &points).to_string()),
    }
}

/// The activation of this name, an item of the argument `arg`.
pub(crate) fn find(texts: &Texts, name: &str, arg: &str) -> Result<About, Report> {
    activations::about(name).ok_or_else(|| {
        let what = texts.fill("usage.bad_value", &[("value", &name), ("arg", &arg)]);
        let names = ALL.map(|a| a.name);
        let fix = match lessons::spelling::closest(name, names) {
            Some(word) => texts.fill("did_you_mean", &[("word", &word)]),
            None => texts.fill("activations.names", &[("names", &names.join(", "))]),
        };
        Report::new(Exit::Usage, what, "", fix)
    })
}

fn bad(texts: &Texts, values: &[f64], arg: &str, fix: &str) -> Report {
    let text: Vec<String> = values.iter().map(|x| short(*x)).collect();
    Report::new(Exit::Usage, texts.fill("usage.bad_value", &[("value", &text.join(",")), ("arg", &arg)]), "", texts.get(fix))
}

/// Where hardly any gradient passes.
pub(crate) fn saturation(texts: &Texts, curve: &Curve) -> String {
    let parts: Vec<String> = curve.saturated.iter().map(|(a, b)| format!("{} … {}", short(*a), short(*b))).collect();
    if parts.is_empty() {
        return texts.fill("activations.never", &[("limit", &activations::SATURATED)]);
    }
    let and = texts.get("activations.and");
    texts.fill("activations.saturated", &[("limit", &activations::SATURATED), ("parts", &parts.join(&and))])
}

fn overview(texts: &Texts, at: &[f64], points: &[Vec<activations::Point>]) -> Table {
    let mut head = vec![(texts.get("activations.name"), Align::Left), ("f(x)".into(), Align::Left), ("f'(x)".into(), Align::Left)];
    head.extend(at.iter().map(|x| (format!("f({})", short(*x)), Align::Right)));
    head.extend(at.iter().map(|x| (format!("f'({})", short(*x)), Align::Right)));
    let mut table = Table::new(&head.iter().map(|(t, a)| (t.as_str(), *a)).collect::<Vec<_>>());
    for (about, points) in ALL.iter().zip(points) {
        let mut row: Vec<String> = [about.name, about.formula, about.slope].map(str::to_string).to_vec();
        row.extend(points.iter().map(|p| rounded(p.value)));
        row.extend(points.iter().map(|p| rounded(p.slope)));
        table.row(row);
    }
    table
}

/// Four decimals: enough to compare functions.
fn rounded(x: f64) -> String {
    short((x * 1e4).round() / 1e4)
}

fn softmax(args: &Args, shell: &mut Shell) -> Result<(), Report> {
    let texts = shell.texts;
    if args.at.len() < 2 || args.at.len() > 1000 {
        return Err(bad(&texts, &args.at, "--at", "activations.softmax"));
    }
    let s: Softmax = activations::softmax(&args.at).map_err(|e| formula::failed(&texts, &e))?;
    if let Some(path) = &args.svg {
        let groups = plot::Bars::new("softmax", Axis::linear("p").range(0.0, 1.0), 0.0, &["p"]);
        let label = |i: usize| format!("z = {}", short(s.logits[i]));
        let bars = (0..s.logits.len()).fold(groups, |g, i| g.group(&label(i), [s.probabilities[i]]));
        run::write_whole(path, bars.svg().as_bytes()).map_err(|e| run::unwritable(&texts, path, &e))?;
    }
    if shell.json {
        return shell.print_json(&s);
    }
    let head: Vec<String> = ["i", "z", "p"].map(String::from).into_iter().chain((0..s.logits.len()).map(|j| format!("dp/dz{j}"))).collect();
    let mut table = Table::new(&head.iter().map(|h| (h.as_str(), Align::Right)).collect::<Vec<_>>());
    for (i, row) in s.jacobian.iter().enumerate() {
        let numbers = [s.logits[i], s.probabilities[i]].into_iter().chain(row.iter().copied());
        table.row([i.to_string()].into_iter().chain(numbers.map(short)));
    }
    shell.print(&format!("softmax: p_i = exp(z_i)/Σ exp(z_j)\n\n{table}"))
}

/// f and f′ of each function.
fn picture(texts: &Texts, curves: &[Curve]) -> String {
    let chart = |slope: bool| {
        let title = if slope { "f'(x)" } else { "f(x)" };
        let axis = |low: f64, high: f64| Axis::linear(title).range(low, high);
        // ReLU and its relatives would press the others flat.
        let y = match (curves.len(), slope) {
            (1, _) => Axis::linear(title),
            (_, true) => axis(-0.2, 1.2),
            (_, false) => axis(-1.5, 2.5),
        };
        let lines = Lines::new(title, Axis::linear("x"), y);
        curves.iter().fold(lines, |l, c| l.series(c.about.name, c.points.iter().map(|p| (p.x, if slope { p.slope } else { p.value }))))
    };
    let (values, slopes) = (chart(false), chart(true));
    let panels: [&dyn Panel; 2] = [&values, &slopes];
    plot::row(&texts.get("activations.title"), &panels)
}
