//! `neurona losses`: the line that each loss prefers, residual by residual; with `--logits`, the cross-entropy.

use super::formula;
use crate::number::short;
use crate::report::{Exit, Report};
use crate::table::{Align, Table};
use crate::{Shell, Texts, run};
use lessons::losses::{self, CrossEntropy, Line, Regression};
use plot::{Axis, Lines, Panel};
use serde_json::json;
use std::path::PathBuf;

/// Arguments of `neurona losses`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The points
    #[arg(long, value_name = "X,Y;X,Y;…", allow_hyphen_values = true)]
    points: Option<String>,
    /// A line to judge
    #[arg(long, value_name = "SLOPE,INTERCEPT", value_delimiter = ',', num_args = 1, allow_hyphen_values = true)]
    line: Vec<f64>,
    /// Where Huber's parabola becomes a line
    #[arg(long, value_name = "DELTA", default_value_t = 1.0, hide_default_value = true, allow_hyphen_values = true)]
    delta: f64,
    /// Numbers before softmax: the cross-entropy instead of a line
    #[arg(long, value_name = "Z,…", value_delimiter = ',', allow_hyphen_values = true, conflicts_with_all = ["points", "line"])]
    logits: Vec<f64>,
    /// The right class, from 0
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true, requires = "logits")]
    class: usize,
    /// The file for the picture
    #[arg(long, value_name = "FILE.svg")]
    svg: Option<PathBuf>,
}

/// Points near y = x/2 + 1, and one that is far off.
pub(crate) const EXAMPLE: &str = "0,1.1;1,1.4;2,2.1;3,2.4;4,3.2;5,3.4;6,9";

/// Prints what each loss says of a line and which line it prefers, or the cross-entropy of logits.
///
/// # Errors
/// Points, a line or numbers that cannot be used (2); a picture that cannot be written (1).
pub fn run(args: &Args, shell: &mut Shell) -> Result<(), Report> {
    let texts = shell.texts;
    if !args.logits.is_empty() {
        return classes(args, shell);
    }
    let points = points(&texts, args.points.as_deref().unwrap_or(EXAMPLE))?;
    let fail = |e| formula::failed(&texts, &e);
    let best = losses::best(&points, args.delta).map_err(fail)?;
    let own = match args.line[..] {
        [] => None,
        [slope, intercept] if slope.is_finite() && intercept.is_finite() => {
            Some(losses::regression(&points, Line { slope, intercept }, args.delta).map_err(fail)?)
        }
        _ => {
            let text: Vec<String> = args.line.iter().map(|x| short(*x)).collect();
            let what = texts.fill("usage.bad_value", &[("value", &text.join(",")), ("arg", &"--line")]);
            return Err(Report::new(Exit::Usage, what, "", texts.get("losses.line")));
        }
    };
    if let Some(path) = &args.svg {
        let picture = picture(&texts, &points, &best, own.as_ref(), args.delta)?;
        run::write_whole(path, picture.as_bytes()).map_err(|e| run::unwritable(&texts, path, &e))?;
    }
    if shell.json {
        return shell.print_json(&json!({ "points": points, "delta": args.delta, "best": best, "line": own }));
    }
    let judged = own.as_ref().map_or(String::new(), |own| format!("{}\n\n", residuals(&texts, &points, own)));
    shell.print(&format!("{judged}{}", preferred(&texts, &best, own.as_ref())))
}

/// Points from `x,y;x,y`.
///
/// # Errors
/// Exit code 2 and the item that is none.
pub(crate) fn points(texts: &Texts, text: &str) -> Result<Vec<[f64; 2]>, Report> {
    let one = |item: &str| {
        let pair = item.split_once(',').and_then(|(x, y)| Some([x.trim().parse().ok()?, y.trim().parse().ok()?]));
        pair.ok_or_else(|| {
            let what = texts.fill("usage.bad_value", &[("value", &item.trim()), ("arg", &"--points")]);
            Report::new(Exit::Usage, what, "", texts.get("losses.points"))
        })
    };
    text.split(';').filter(|item| !item.trim().is_empty()).take(losses::MAX_POINTS + 1).map(one).collect()
}

/// The name of a loss in tables.
pub(crate) fn name(texts: &Texts, loss: &str) -> String {
    texts.get(match loss {
        "mse" => "losses.mse",
        "mae" => "losses.mae",
        _ => "losses.huber",
    })
}

fn residuals(texts: &Texts, points: &[[f64; 2]], own: &Regression) -> String {
    let mut head = ["x", "y"].map(String::from).to_vec();
    head.extend(["losses.predicted", "losses.residual"].map(|k| texts.get(k)));
    head.extend(own.losses.iter().map(|l| texts.fill("losses.pull", &[("loss", &name(texts, l.loss))])));
    let mut table = Table::new(&head.iter().map(|h| (h.as_str(), Align::Right)).collect::<Vec<_>>());
    for (i, (p, e)) in points.iter().zip(&own.residuals).enumerate() {
        let pulls = own.losses.iter().map(|l| l.pulls[i]);
        table.row([p[0], p[1], own.line.at(p[0]), *e].into_iter().chain(pulls).map(short));
    }
    format!("y = {}\n\n{table}", equation(&own.line))
}

fn equation(line: &Line) -> String {
    let sign = if line.intercept < 0.0 { '-' } else { '+' };
    format!("{}·x {sign} {}", short(line.slope), short(line.intercept.abs()))
}

fn preferred(texts: &Texts, best: &[Regression; 3], own: Option<&Regression>) -> Table {
    let mut head = vec![texts.get("losses.best_of"), texts.get("losses.the_line")];
    head.extend(best[0].losses.iter().map(|l| name(texts, l.loss)));
    let align = |i: usize| if i < 2 { Align::Left } else { Align::Right };
    let mut table = Table::new(&head.iter().enumerate().map(|(i, h)| (h.as_str(), align(i))).collect::<Vec<_>>());
    let names = best.iter().zip(&best[0].losses).map(|(r, l)| (name(texts, l.loss), r));
    for (name, r) in names.chain(own.map(|r| (texts.get("losses.own"), r))) {
        table.row([name, equation(&r.line)].into_iter().chain(r.losses.iter().map(|l| short(l.value))));
    }
    table
}

/// Points with the lines, and each loss over the residual.
fn picture(texts: &Texts, points: &[[f64; 2]], best: &[Regression; 3], own: Option<&Regression>, delta: f64) -> Result<String, Report> {
    let ends = points.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(lo, hi), p| (lo.min(p[0]), hi.max(p[0])));
    let line = |l: &Line| [(ends.0, l.at(ends.0)), (ends.1, l.at(ends.1))];
    let room = 0.05 * (ends.1 - ends.0);
    let x = Axis::linear("x").range(ends.0 - room, ends.1 + room);
    let chart = Lines::new(&texts.get("losses.lines"), x, Axis::linear("y"));
    let chart = best.iter().zip(&best[0].losses).fold(chart, |c, (r, l)| c.series(&name(texts, l.loss), line(&r.line)));
    let chart = own.iter().fold(chart, |c, r| c.series(&texts.get("losses.own"), line(&r.line)));
    let judged = own.unwrap_or(&best[0]);
    let chart = points.iter().fold(chart, |c, p| c.ground([(p[0], p[1]), (p[0], judged.line.at(p[0]))]));
    let chart = chart.marks(&texts.get("losses.data"), points.iter().map(|p| (p[0], p[1])));
    let curves = losses::residual_curves(delta, 3.0 * delta.max(1.0), 201).map_err(|e| formula::failed(texts, &e))?;
    let by =
        Lines::new(&texts.get("losses.by_residual"), Axis::linear(&texts.get("losses.residual")), Axis::linear(&texts.get("losses.loss")));
    let by = curves.iter().fold(by, |c, curve| c.series(&name(texts, curve.loss), curve.points.iter().map(|p| (p[0], p[1]))));
    let panels: [&dyn Panel; 2] = [&chart, &by];
    Ok(plot::row(&texts.get("losses.title"), &panels))
}

/// The cross-entropy of logits.
fn classes(args: &Args, shell: &mut Shell) -> Result<(), Report> {
    let texts = shell.texts;
    let c: CrossEntropy = losses::cross_entropy(&args.logits, args.class).map_err(|e| formula::failed(&texts, &e))?;
    if let Some(path) = &args.svg {
        let curves = losses::logit_curves(6.0, 241).map_err(|e| formula::failed(&texts, &e))?;
        let chart = |title: &str, k: usize| {
            let lines = Lines::new(&texts.get(title), Axis::linear("z"), Axis::linear(&texts.get("losses.loss")));
            let named = |l: &str| {
                texts.get(if l.ends_with("_0") {
                    "losses.zero"
                } else if l.starts_with('s') {
                    "losses.square"
                } else {
                    "losses.one"
                })
            };
            curves.iter().fold(lines, |l, c| l.series(&named(c.loss), c.points.iter().map(|p| (p[0], p[k]))))
        };
        let (values, slopes) = (chart("losses.by_logit", 1), chart("losses.slope_by_logit", 2));
        let panels: [&dyn Panel; 2] = [&values, &slopes];
        let picture = plot::row(&texts.get("losses.title"), &panels);
        run::write_whole(path, picture.as_bytes()).map_err(|e| run::unwritable(&texts, path, &e))?;
    }
    if shell.json {
        return shell.print_json(&c);
    }
    let heads = ["losses.class", "losses.logit", "losses.probability", "losses.target", "losses.gradient"].map(|k| texts.get(k));
    let mut table = Table::new(&heads.iter().map(|h| (h.as_str(), Align::Right)).collect::<Vec<_>>());
    for (i, z) in c.logits.iter().enumerate() {
        let target = f64::from(u8::from(i == c.class));
        table.row([i.to_string()].into_iter().chain([*z, c.probabilities[i], target, c.gradient[i]].map(short)));
    }
    let values: [(&str, &dyn std::fmt::Display); 2] = [("p", &short(c.probabilities[c.class])), ("loss", &short(c.loss))];
    shell.print(&format!("{table}\n\n{}", texts.fill("losses.cross_entropy", &values)))
}
