//! `neurona lr-find FILE.toml`: which learning rate to begin with, by a short training whose rate grows.

use crate::config::Source;
use crate::network::Job;
use crate::number::short;
use crate::report::{Exit, Report};
use crate::{Shell, Texts, run};
use neurona::{RateCurve, RateFinding, RatePoint, RateRange};
use plot::{Axis, Lines};
use serde_json::json;
use std::fmt::Display;
use std::path::PathBuf;

/// Arguments of `neurona lr-find`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The training file
    #[arg(value_name = "FILE.toml")]
    file: PathBuf,
    /// Changes to the file's settings
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// The first rate
    #[arg(long, value_name = "RATE", default_value_t = RateRange::default().low, hide_default_value = true)]
    low: f64,
    /// The last rate
    #[arg(long, value_name = "RATE", default_value_t = RateRange::default().high, hide_default_value = true)]
    high: f64,
    /// Steps
    #[arg(long, value_name = "N", default_value_t = RateRange::default().steps, hide_default_value = true)]
    steps: usize,
    /// The file for the picture
    #[arg(long, value_name = "FILE.svg")]
    svg: Option<PathBuf>,
}

/// Prints the curve, the suggestion and why.
///
/// # Errors
/// A range that is none (2), a wrong setting (3), wrong data (4), no rate at which the loss falls, a picture that
/// cannot be written (1).
pub fn run(args: &Args, shell: &mut Shell) -> Result<(), Report> {
    let texts = shell.texts;
    let range = range(&texts, args)?;
    let mut source = Source::open(&texts, &args.file)?;
    for pair in &args.set {
        source.set_pair(&texts, pair)?;
    }
    let job = Job::open(&texts, &source, &args.file)?;
    let curve = job.find_rate(&range)?;
    if let Some(path) = &args.svg {
        run::write_whole(path, picture(&texts, &curve).as_bytes()).map_err(|e| run::unwritable(&texts, path, &e))?;
    }
    let Some(rate) = curve.suggestion else {
        return Err(Report::new(Exit::Failed, texts.get("lr_find.none"), reason(&texts, &curve.finding), texts.get("lr_find.none.fix")));
    };
    if shell.json {
        let now = job.learning_rate();
        let points = &curve.points;
        return shell.print_json(
            &json!({ "suggestion": rate, "now": now, "reason": curve.reason, "finding": curve.finding, "points": points, "svg": args.svg }),
        );
    }
    let values: [(&str, &dyn Display); 3] =
        [("rate", &rounded(rate)), ("now", &short(job.learning_rate())), ("file", &args.file.display())];
    let plot = sketch(&curve.points, rate);
    shell.print(&format!("{plot}\n\n{}\n{}", reason(&texts, &curve.finding), texts.fill("lr_find.use", &values)))
}

fn range(texts: &Texts, args: &Args) -> Result<RateRange, Report> {
    let wrong = |value: String, arg: &str, fix: &str| {
        let what = texts.fill("usage.bad_value", &[("value", &value), ("arg", &arg)]);
        Err(Report::new(Exit::Usage, what, "", texts.get(fix)))
    };
    if !(args.low > 0.0 && args.low.is_finite()) {
        return wrong(args.low.to_string(), "--low", "lr_find.range");
    }
    if !(args.high > args.low && args.high.is_finite()) {
        return wrong(args.high.to_string(), "--high", "lr_find.range");
    }
    if args.steps < 10 {
        return wrong(args.steps.to_string(), "--steps", "lr_find.steps");
    }
    Ok(RateRange { low: args.low, high: args.high, steps: args.steps })
}

/// Two digits: more would promise more than a short test can tell.
fn rounded(rate: f64) -> String {
    short(format!("{rate:.1e}").parse().unwrap_or(rate))
}

/// Why, in the user's language.
fn reason(texts: &Texts, finding: &RateFinding) -> String {
    match *finding {
        RateFinding::TooShort { steps } => texts.fill("lr_find.too_short", &[("steps", &steps)]),
        RateFinding::Flat { low, high } => texts.fill("lr_find.flat", &[("low", &short(low)), ("high", &rounded(high))]),
        RateFinding::Falls { rate, start, loss, lowest_rate, lowest, last_rate, last } => {
            let four = |x: f64| short(format!("{x:.3e}").parse().unwrap_or(x));
            let falls: [(&str, &dyn Display); 5] = [
                ("rate", &rounded(rate)),
                ("start", &four(start)),
                ("loss", &four(loss)),
                ("lowest_rate", &rounded(lowest_rate)),
                ("lowest", &four(lowest)),
            ];
            let end = match last_rate == lowest_rate {
                true => texts.get("lr_find.still"),
                false => texts.fill("lr_find.risen", &[("last", &four(last)), ("last_rate", &rounded(last_rate))]),
            };
            texts.fill("lr_find.falls", &falls) + &end
        }
    }
}

fn picture(texts: &Texts, curve: &RateCurve) -> String {
    let points = |of: &dyn Fn(&RatePoint) -> f64| curve.points.iter().map(|p| (p.rate, of(p))).collect::<Vec<_>>();
    // What exploded would press everything else to the ground.
    let smooth: Vec<f64> = curve.points.iter().map(|p| p.smoothed).filter(|x| x.is_finite()).collect();
    let low = smooth.iter().copied().fold(f64::INFINITY, f64::min);
    let high = smooth.iter().take(smooth.len() / 4 + 1).copied().fold(low, f64::max) * 1.5;
    let y = Axis::linear(&texts.get("train.loss")).range(low.min(0.9 * low), high);
    let title = texts.get("lr_find.title");
    let lines = Lines::new(&title, Axis::log(&texts.get("lr_find.axis")), y);
    let cut = |x: f64| x.min(high);
    let lines = lines.series(&texts.get("lr_find.batches"), points(&|p| cut(p.loss)));
    let lines = lines.series(&texts.get("lr_find.smoothed"), points(&|p| cut(p.smoothed)));
    match curve.suggestion {
        Some(rate) => lines.series(&texts.fill("lr_find.suggested", &[("rate", &rounded(rate))]), [(rate, low), (rate, high)]).svg(),
        None => lines.svg(),
    }
}

const WIDTH: usize = 64;
const HEIGHT: usize = 12;

/// The smoothed loss over the rate, on a grid of characters; `│` is the suggestion.
fn sketch(points: &[RatePoint], rate: f64) -> String {
    let ends = (points[0].rate.ln(), points[points.len() - 1].rate.ln());
    let place = |rate: f64| ((rate.ln() - ends.0) / (ends.1 - ends.0) * (WIDTH - 1) as f64).round() as usize;
    let low = points.iter().map(|p| p.smoothed).fold(f64::INFINITY, f64::min);
    let high = points.iter().take(points.len() / 4 + 1).map(|p| p.smoothed).fold(low, f64::max);
    let high = if high > low { high + 0.2 * (high - low) } else { low + 1.0 };
    let mut grid = vec![vec![' '; WIDTH]; HEIGHT];
    grid.iter_mut().for_each(|line| line[place(rate)] = '│');
    for p in points {
        let height = ((p.smoothed - low) / (high - low) * (HEIGHT - 1) as f64).round();
        let y = if height.is_finite() { (height as usize).min(HEIGHT - 1) } else { HEIGHT - 1 };
        grid[HEIGHT - 1 - y][place(p.rate)] = '•';
    }
    let label = |y: usize| format!("{:>9.3}", low + (high - low) * (HEIGHT - 1 - y) as f64 / (HEIGHT - 1) as f64);
    let lines: Vec<String> = grid
        .into_iter()
        .enumerate()
        .map(|(y, line)| {
            let side = if y == 0 || y == HEIGHT - 1 { label(y) } else { " ".repeat(9) };
            format!("{side} ┤{}", line.into_iter().collect::<String>()).trim_end().to_string()
        })
        .collect();
    let (from, to) = (rounded(points[0].rate), rounded(points[points.len() - 1].rate));
    let middle = rounded(rate);
    let at = place(rate).saturating_sub(middle.chars().count() / 2).max(from.len() + 1);
    let mut axis = format!("{}{from}", " ".repeat(11));
    axis.push_str(&" ".repeat((11 + at).saturating_sub(axis.chars().count())));
    axis.push_str(&middle);
    let rest = (11 + WIDTH).saturating_sub(axis.chars().count() + to.len()).max(1);
    format!("{}\n{axis}{}{to}", lines.join("\n"), " ".repeat(rest))
}
