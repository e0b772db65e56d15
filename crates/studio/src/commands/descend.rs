//! `neurona descend EXPR --from x=-4,y=2`: gradient descent on a formula, step by step, and why it ended.

use super::formula;
use crate::number::short;
use crate::report::{Exit, Report};
use crate::table::{Align, Table};
use crate::{Shell, Texts, run};
use lessons::descend::{Descent, Divergence, End, Settings, Stationary, Step, Surface, View, descend, optimizer, view};
use lessons::{Expression, descend as lesson};
use plot::{Axis, Lines, Panel};
use serde::Serialize;
use std::path::PathBuf;

/// Arguments of `neurona descend`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The formula
    #[arg(value_name = "EXPR", allow_hyphen_values = true)]
    expression: String,
    /// The start, for example x=-4,y=2
    #[arg(long, value_name = "x=-4,y=2", value_delimiter = ',', allow_hyphen_values = true)]
    from: Vec<String>,
    /// The optimizers
    #[arg(long, value_name = "NAME,…", value_delimiter = ',', default_value = "sgd", hide_default_value = true)]
    optimizer: Vec<String>,
    /// The learning rate, or one for each optimizer
    #[arg(
        long,
        value_name = "RATE,…",
        value_delimiter = ',',
        default_value = "0.1",
        hide_default_value = true,
        allow_hyphen_values = true
    )]
    learning_rate: Vec<f64>,
    /// Share of the velocity that stays
    #[arg(long, value_name = "SHARE", default_value_t = 0.9, hide_default_value = true)]
    momentum: f64,
    /// Most steps
    #[arg(long, value_name = "N", default_value_t = 100, hide_default_value = true)]
    steps: usize,
    /// What the picture shows, for example -5,5,-3,3
    #[arg(long, value_name = "LOW,HIGH,…", value_delimiter = ',', allow_hyphen_values = true)]
    view: Vec<f64>,
    /// The file for the picture
    #[arg(long, value_name = "FILE.svg")]
    svg: Option<PathBuf>,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Output<'a> {
    expression: &'a str,
    variables: &'a [String],
    descents: &'a [Descent],
}

/// Prints the steps of one optimizer, or how several ended.
///
/// # Errors
/// A mistake in the formula, the start or a setting (2); no path that stayed (1, after the table); a picture that cannot be
/// written (1).
pub fn run(args: &Args, shell: &mut Shell) -> Result<(), Report> {
    let texts = shell.texts;
    let f = formula::read(&texts, &args.expression)?;
    let start = formula::point(&texts, &f, "--from", &args.from)?;
    let descents = each(&texts, args, &f, &start)?;
    if let Some(path) = &args.svg {
        let picture = picture(&texts, &f, &descents, &shown(&texts, args, &f, &descents)?)?;
        run::write_whole(path, picture.as_bytes()).map_err(|e| run::unwritable(&texts, path, &e))?;
    }
    if shell.json {
        shell.print_json(&Output { expression: f.source(), variables: f.variables(), descents: &descents })?;
    } else {
        shell.print(&text(&texts, &f, &descents))?;
    }
    match &descents[..] {
        [Descent { end: End::Diverged { why }, optimizer, .. }] => {
            let why = reason(&texts, why);
            Err(Report::new(Exit::Failed, texts.fill("descend.diverged", &[("optimizer", &name(optimizer))]), why.0, why.1))
        }
        _ => Ok(()),
    }
}

/// One descent for each optimizer.
fn each(texts: &Texts, args: &Args, f: &Expression, start: &[f64]) -> Result<Vec<Descent>, Report> {
    let usage = |value: String, arg: &str, fix: String| {
        Report::new(Exit::Usage, texts.fill("usage.bad_value", &[("value", &value), ("arg", &arg)]), "", fix)
    };
    if !(0.0..1.0).contains(&args.momentum) {
        return Err(usage(args.momentum.to_string(), "--momentum", texts.get("descend.momentum")));
    }
    if args.learning_rate.len() != 1 && args.learning_rate.len() != args.optimizer.len() {
        let rates: Vec<String> = args.learning_rate.iter().map(|r| short(*r)).collect();
        return Err(usage(rates.join(","), "--learning-rate", texts.get("descend.rates")));
    }
    let one = |(i, name): (usize, &String)| {
        let names = lesson::OPTIMIZERS.join(", ");
        let unknown = || usage(name.clone(), "--optimizer", texts.fill("descend.optimizers", &[("names", &names)]));
        let optimizer = optimizer(name.trim(), args.momentum).ok_or_else(unknown)?;
        let learning_rate = args.learning_rate[i.min(args.learning_rate.len() - 1)];
        let settings = Settings { optimizer, learning_rate, steps: args.steps, start: start.to_vec() };
        descend(f, &settings).map_err(|e| formula::failed(texts, &e))
    };
    args.optimizer.iter().enumerate().map(one).collect()
}

/// The optimizer's name in settings.
pub(crate) fn name(optimizer: &neurona::Optimizer) -> &'static str {
    use neurona::Optimizer::*;
    match optimizer {
        Sgd => "sgd",
        Momentum { .. } => "momentum",
        Nesterov { .. } => "nesterov",
        RmsProp { .. } => "rmsprop",
        Adam { .. } => "adam",
        AdamW { .. } => "adamw",
    }
}

fn text(texts: &Texts, f: &Expression, descents: &[Descent]) -> String {
    let start: Vec<String> = f.variables().iter().zip(&descents[0].steps[0].at).map(|(v, x)| format!("{v} = {}", short(*x))).collect();
    let head = format!("f = {}    {}", f.source().trim(), texts.fill("descend.from", &[("point", &start.join(", "))]));
    let body = match descents {
        [one] => {
            let rate = [("optimizer", &name(&one.optimizer) as &dyn std::fmt::Display), ("rate", &short(one.learning_rate))];
            format!("{}\n{}\n\n{}", texts.fill("descend.rule", &rate), steps(texts, f, one), end(texts, f, one))
        }
        several => summary(texts, f, several).to_string(),
    };
    let curvature = descents.iter().filter_map(|d| curvature(texts, d)).collect::<Vec<_>>();
    let curvature = if curvature.is_empty() { String::new() } else { format!("\n{}", curvature.join("\n")) };
    format!("{head}\n\n{body}{curvature}")
}

/// Rows of a table of steps that are printed: all of a short path, the first ten and ten of the others of a long one.
pub(crate) fn sampled(count: usize) -> Vec<usize> {
    if count <= 24 {
        return (0..count).collect();
    }
    let spread = (1..=10).map(|k| 9 + k * (count - 10) / 10);
    (0..10).chain(spread).collect()
}

fn steps(texts: &Texts, f: &Expression, d: &Descent) -> Table {
    let variables = f.variables();
    let single = variables.len() == 1;
    let of = |name: &str, v: &String| if single { name.to_string() } else { format!("{name}({v})") };
    let mut head = vec![texts.get("descend.step")];
    head.extend(variables.iter().cloned());
    head.push("f".into());
    head.extend(variables.iter().map(|v| format!("df/d{v}")));
    let memory: Vec<&str> = d.steps[0].memory.iter().map(|m| m.name).collect();
    head.extend(memory.iter().flat_map(|m| variables.iter().map(|v| of(m, v)).collect::<Vec<_>>()));
    head.extend(variables.iter().map(|v| format!("Δ{v}")));
    let columns: Vec<(&str, Align)> = head.iter().map(|h| (h.as_str(), Align::Right)).collect();
    let mut table = Table::new(&columns);
    let numbers = |s: &Step| {
        let memory = s.memory.iter().flat_map(|m| &m.values);
        let all = s.at.iter().chain([&s.value]).chain(&s.gradient).chain(memory).chain(&s.change);
        std::iter::once(s.step.to_string()).chain(all.map(|x| short(*x))).collect::<Vec<_>>()
    };
    sampled(d.steps.len()).into_iter().for_each(|i| table.row(numbers(&d.steps[i])));
    table
}

fn summary(texts: &Texts, f: &Expression, descents: &[Descent]) -> Table {
    let titles = ["descend.optimizer", "descend.rate", "descend.steps", "descend.ended"].map(|k| texts.get(k));
    let mut columns = vec![(titles[0].as_str(), Align::Left), (&titles[1], Align::Right), (&titles[2], Align::Right)];
    columns.extend(f.variables().iter().map(|v| (v.as_str(), Align::Right)));
    columns.extend([("f", Align::Right), (&titles[3], Align::Left)]);
    let mut table = Table::new(&columns);
    for d in descents {
        let last = &d.steps[d.steps.len() - 1];
        let mut row = vec![name(&d.optimizer).to_string(), short(d.learning_rate), last.step.to_string()];
        row.extend(last.at.iter().chain([&last.value]).map(|x| short(*x)));
        row.push(kind(texts, &d.end));
        table.row(row);
    }
    table
}

/// How it ended, in a few words.
pub(crate) fn kind(texts: &Texts, end: &End) -> String {
    texts.get(match end {
        End::Converged { at: Stationary::Minimum } => "descend.minimum",
        End::Converged { at: Stationary::Saddle } => "descend.saddle",
        End::Converged { at: Stationary::Maximum } => "descend.maximum",
        End::Converged { at: Stationary::Flat } => "descend.flat",
        End::Steps => "descend.moving",
        End::Diverged { why: Divergence::TooLarge { .. } } => "descend.too_large",
        End::Diverged { why: Divergence::NoMinimum } => "descend.no_minimum",
        End::Diverged { why: Divergence::Outside } => "descend.outside",
        End::Diverged { why: Divergence::RanAway } => "descend.ran_away",
    })
}

/// How it ended, in a sentence.
pub(crate) fn end(texts: &Texts, f: &Expression, d: &Descent) -> String {
    let last = &d.steps[d.steps.len() - 1];
    let at: Vec<String> = f.variables().iter().zip(&last.at).map(|(v, x)| format!("{v} = {}", short(*x))).collect();
    let values: [(&str, &dyn std::fmt::Display); 4] =
        [("steps", &last.step), ("kind", &kind(texts, &d.end)), ("point", &at.join(", ")), ("value", &short(last.value))];
    texts.fill(if last.step == 1 { "descend.end_one" } else { "descend.end" }, &values)
}

/// Why a path diverged, and what to do.
pub(crate) fn reason(texts: &Texts, why: &Divergence) -> (String, String) {
    match *why {
        Divergence::TooLarge { curvature, product, limit, try_rate } => {
            let values: [(&str, &dyn std::fmt::Display); 3] =
                [("curvature", &short(curvature)), ("product", &short(product)), ("limit", &short(limit))];
            let rate = short(format!("{try_rate:.1e}").parse().unwrap_or(try_rate));
            (texts.fill("descend.too_large.why", &values), texts.fill("descend.too_large.fix", &[("rate", &rate)]))
        }
        Divergence::NoMinimum => (texts.get("descend.no_minimum.why"), texts.get("descend.no_minimum.fix")),
        Divergence::Outside => (texts.get("descend.outside.why"), texts.get("descend.outside.fix")),
        Divergence::RanAway => (texts.get("descend.ran_away.why"), texts.get("descend.ran_away.fix")),
    }
}

/// What the curvature at the start says of learning rates.
pub(crate) fn curvature(texts: &Texts, d: &Descent) -> Option<String> {
    let c = d.curvature.as_ref()?;
    let (largest, condition) = (c.largest_rate?, c.condition.map(short));
    let values: Vec<String> = c.eigenvalues.iter().map(|e| short(*e)).collect();
    let valley = condition.filter(|_| values.len() > 1).map_or(String::new(), |c| texts.fill("descend.valley", &[("condition", &c)]));
    let all: [(&str, &dyn std::fmt::Display); 4] =
        [("values", &values.join(", ")), ("valley", &valley), ("optimizer", &name(&d.optimizer)), ("rate", &short(largest))];
    Some(texts.fill("descend.curvature", &all))
}

/// The part of the plane that is drawn.
fn shown(texts: &Texts, args: &Args, f: &Expression, descents: &[Descent]) -> Result<View, Report> {
    let pairs: View = args.view.chunks(2).filter_map(|c| Some((*c.first()?, *c.get(1)?))).collect();
    let right = args.view.len() == 2 * f.variables().len() && pairs.iter().all(|(lo, hi)| lo < hi && lo.is_finite() && hi.is_finite());
    match (args.view.is_empty(), right) {
        (true, _) => Ok(view(descents)),
        (_, true) => Ok(pairs),
        _ => {
            let text: Vec<String> = args.view.iter().map(|x| short(*x)).collect();
            let what = texts.fill("usage.bad_value", &[("value", &text.join(",")), ("arg", &"--view")]);
            Err(Report::new(Exit::Usage, what, "", texts.get("descend.view")))
        }
    }
}

/// The paths on the curve or the contours of the formula, and the values over the steps.
fn picture(texts: &Texts, f: &Expression, descents: &[Descent], view: &View) -> Result<String, Report> {
    let fail = |e| formula::failed(texts, &e);
    let axis = |i: usize| Axis::linear(&f.variables()[i]).range(view[i].0, view[i].1);
    let label = |d: &Descent| format!("{} {}", name(&d.optimizer), short(d.learning_rate));
    let paths = if f.variables().len() == 1 {
        let curve = Surface::new(f, view, 301).map_err(fail)?;
        let step = (view[0].1 - view[0].0) / 300.0;
        let points = curve.values.iter().enumerate().map(|(i, &y)| (view[0].0 + step * i as f64, y));
        let shown = |v: &f64| v.is_finite();
        let (lo, hi) = curve.values.iter().filter(|v| shown(v)).fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), &v| (l.min(v), h.max(v)));
        let chart = Lines::new(f.source().trim(), axis(0), Axis::linear("f").range(lo - 0.05 * (hi - lo), hi)).ground(points);
        descents.iter().fold(chart, |c, d| c.path(&label(d), d.steps.iter().map(|s| (s.at[0], s.value))))
    } else {
        let surface = Surface::new(f, view, 81).map_err(fail)?;
        let chart = Lines::new(f.source().trim(), axis(0), axis(1));
        let chart = surface.levels.into_iter().flat_map(|l| l.lines).fold(chart, Lines::ground);
        descents.iter().fold(chart, |c, d| c.path(&label(d), d.steps.iter().map(|s| (s.at[0], s.at[1]))))
    };
    // Logarithms show how fast it gets near: where values may be negative there are none.
    let positive = descents.iter().flat_map(|d| &d.steps).all(|s| s.value > 0.0 || !s.value.is_finite());
    let y = if positive { Axis::log("f") } else { Axis::linear("f") };
    let curves = Lines::new(&texts.get("descend.over_steps"), Axis::linear(&texts.get("descend.step")), y);
    let curves = descents.iter().fold(curves, |c, d| c.series(&label(d), d.steps.iter().map(|s| (s.step as f64, s.value))));
    let panels: [&dyn Panel; 2] = [&paths, &curves];
    Ok(plot::row(&texts.get("descend.title"), &panels))
}
