//! Settings of a run from the command line, and what the application says about wrong ones, in the user's language.

use super::{Args, preset};
use crate::number::short;
use crate::report::{Exit, Report};
use crate::{Texts, config};
use pinn::{Allowed, Error, Settings};

/// The preset, each `--set` in order, then the options of their own.
///
/// # Errors
/// Exit code 2 for an item that is not `key=value`, 3 for what cannot be set.
pub(super) fn read(texts: &Texts, args: &Args) -> Result<Settings, Report> {
    let mut settings = preset(texts, &args.preset)?.settings();
    for item in &args.set {
        settings = settings.with(change(texts, item)?).map_err(|e| match &e {
            Error::Toml(e) => misread(texts, item, e),
            _ => failed(texts, &e),
        })?;
    }
    settings.seed = args.seed.unwrap_or(settings.seed);
    settings.steps = args.steps.unwrap_or(settings.steps);
    settings.threads = args.threads.unwrap_or(settings.threads);
    settings.validate().map_err(|e| failed(texts, &e))?;
    Ok(settings)
}

/// `key=value` as TOML; a bare word is text: `network.activation=sin`.
fn change(texts: &Texts, item: &str) -> Result<toml::Table, Report> {
    let Some((key, value)) = item.split_once('=') else {
        let what = texts.fill("set.no_value", &[("item", &item)]);
        return Err(Report::new(Exit::Usage, what, "", texts.get("set.form")));
    };
    let word = value.trim();
    let bare = word.starts_with(|c: char| c.is_ascii_alphabetic()) && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let literal = ["true", "false", "nan", "inf"].contains(&word);
    let source = if bare && !literal { format!("{key} = \"{word}\"") } else { format!("{key} = {value}") };
    toml::from_str(&source).map_err(|e| misread(texts, item, &e))
}

fn misread(texts: &Texts, item: &str, e: &toml::de::Error) -> Report {
    let (what, fix) = config::explain(texts, e.message(), item);
    let fix = if fix.is_empty() { texts.get("set.form") } else { fix };
    Report::new(Exit::Config, texts.fill("config.at", &[("what", &what), ("at", &format!("--set {item}"))]), "", fix)
}

/// An error of the application as a report.
pub(in crate::commands) fn failed(texts: &Texts, e: &Error) -> Report {
    match e {
        Error::Setting { name, value, allowed } => {
            Report::new(Exit::Config, texts.fill("pinn.setting", &[("name", name), ("value", value)]), "", range(texts, *allowed))
        }
        Error::Diverged { step, learning_rate, losses, last } => {
            let what = texts.fill("pinn.diverged", &[("step", step), ("loss", &losses.total)]);
            let why = texts.fill("pinn.losses_before", &[("losses", last)]);
            let lower = short(learning_rate / 10.0);
            Report::new(Exit::Diverged, what, why, texts.fill("pinn.lower", &[("now", &short(*learning_rate)), ("lower", &lower)]))
        }
        Error::Engine(_) | Error::Weights { .. } => Report::new(Exit::Failed, e.to_string(), "", ""),
        _ => Report::new(Exit::Config, e.to_string(), "", ""),
    }
}

fn range(texts: &Texts, allowed: Allowed) -> String {
    let (lowest, largest) = if let Allowed::Whole { lowest, largest } = allowed { (lowest, largest) } else { (0, 0) };
    let key = match allowed {
        Allowed::Whole { .. } => "allowed.whole",
        Allowed::Positive => "allowed.positive",
        Allowed::NotNegative => "allowed.not_negative",
        Allowed::Finite => "allowed.finite",
        Allowed::Share => "allowed.share",
        Allowed::OnePositive => "allowed.one_positive",
    };
    texts.fill(key, &[("lowest", &lowest), ("largest", &largest)])
}
