//! What the commands on formulas share: reading the formula and the point, and reporting mistakes in them.

use crate::report::{Exit, Report};
use crate::text::Texts;
use lessons::spelling::closest;
use lessons::{Expression, Mistake};
use std::fmt::Display;

/// Reads a formula.
///
/// # Errors
/// Exit code 2, with the formula and a caret under the mistake.
pub(crate) fn read(texts: &Texts, source: &str) -> Result<Expression, Report> {
    Expression::parse(source).map_err(|m| mistake(texts, &m))
}

fn mistake(texts: &Texts, m: &Mistake) -> Report {
    let details = m.problem.details();
    let values: Vec<(&str, &dyn Display)> = details.iter().map(|(name, value)| (*name, value as &dyn Display)).collect();
    let key = format!("expression.{}", m.problem.code());
    let what = texts.fill("formula.mistake", &[("what", &texts.fill(&key, &values)), ("position", &(m.position + 1))]);
    Report::new(Exit::Usage, what, m.excerpt(), texts.fill(&format!("{key}.fix"), &values))
}

/// Values of the formula's variables, in order, from `x=6`, `y=pi/2`, …, the items of the argument `arg`.
///
/// # Errors
/// Exit code 2: an item that is not `name=number`, a name given twice or not in the formula, a variable without a value.
pub(crate) fn point(texts: &Texts, f: &Expression, arg: &str, items: &[String]) -> Result<Vec<f64>, Report> {
    let variables = f.variables();
    let mut values: Vec<Option<f64>> = vec![None; variables.len()];
    for item in items {
        let usage = |key: &str, fix: String| Report::new(Exit::Usage, texts.fill(key, &[("item", &item.trim()), ("arg", &arg)]), "", fix);
        let Some((name, value)) = item.split_once('=') else { return Err(usage("at.no_value", texts.fill("at.form", &[("arg", &arg)]))) };
        let name = name.trim();
        let Some(i) = variables.iter().position(|v| v == name) else { return Err(unknown(texts, arg, name, variables)) };
        let number = read(texts, value)?.constant().ok_or_else(|| usage("at.not_a_number", texts.fill("at.form", &[("arg", &arg)])))?;
        if values[i].replace(number).is_some() {
            return Err(usage("at.twice", texts.get("at.keep_one")));
        }
    }
    let missing: Vec<&str> = variables.iter().zip(&values).filter(|(_, v)| v.is_none()).map(|(n, _)| n.as_str()).collect();
    if !missing.is_empty() {
        let what = texts.fill("at.missing", &[("names", &missing.join(", "))]);
        let all: Vec<String> = variables.iter().zip(&values).map(|(n, v)| format!("{n}={}", v.unwrap_or(1.0))).collect();
        return Err(Report::new(Exit::Usage, what, "", texts.fill("at.give", &[("arg", &arg), ("point", &all.join(","))])));
    }
    Ok(values.into_iter().flatten().collect())
}

fn unknown(texts: &Texts, arg: &str, name: &str, variables: &[String]) -> Report {
    let what = texts.fill("at.unknown", &[("name", &name)]);
    let fix = match closest(name, variables.iter().map(String::as_str)) {
        Some(best) => texts.fill("did_you_mean", &[("word", &best)]),
        None if variables.is_empty() => texts.fill("at.no_variables", &[("arg", &arg)]),
        None => texts.fill("at.variables", &[("names", &variables.join(", "))]),
    };
    Report::new(Exit::Usage, what, "", fix)
}

/// An error of the lessons as a report.
pub(crate) fn failed(texts: &Texts, e: &lessons::Error) -> Report {
    match e {
        lessons::Error::TooMany { order, count, rows } => {
            let what = texts.fill("formula.too_many", &[("count", count), ("rows", rows)]);
            Report::new(Exit::Usage, what, "", texts.fill("formula.lower_order", &[("order", &(order - 1))]))
        }
        lessons::Error::Dimensions { variables } => {
            let what = texts.fill("formula.dimensions", &[("count", &variables.len()), ("names", &variables.join(", "))]);
            Report::new(Exit::Usage, what, "", texts.get("formula.dimensions.fix"))
        }
        lessons::Error::Weights { inputs, weights } => {
            let what = texts.fill("formula.weights", &[("inputs", inputs), ("weights", weights)]);
            Report::new(Exit::Usage, what, "", texts.get("formula.weights.fix"))
        }
        lessons::Error::Vertical => Report::new(Exit::Usage, texts.get("formula.vertical"), "", texts.get("formula.vertical.fix")),
        lessons::Error::Setting { what, value } => {
            let arg = format!("--{}", what.replace(' ', "-"));
            let what = texts.fill("usage.bad_value", &[("value", value), ("arg", &arg)]);
            Report::new(Exit::Usage, what, "", texts.fill("formula.setting.fix", &[("arg", &arg)]))
        }
        _ => Report::new(Exit::Failed, e.to_string(), "", ""),
    }
}
