//! What is wrong with a problem, in the user's language, with the place in the file.

use crate::Texts;
use crate::config::Source;
use crate::report::{Exit, Report};
use pinn::Error;
use pinn::solve::{Why, Wrongly};
use std::fmt::Display;

/// An entry of the file that cannot be used.
pub(super) fn report(texts: &Texts, source: &Source, e: &Wrongly) -> Report {
    let (code, values): (&str, Vec<(String, String)>) = match &e.why {
        Why::Formula(m) => (m.problem.code(), m.problem.details().into_iter().map(|(k, v)| (k.to_string(), texts.phrase(v))).collect()),
        Why::Other(code, values) => (code, values.iter().enumerate().map(|(i, v)| (i.to_string(), v.clone())).collect()),
    };
    let values: Vec<(&str, &dyn Display)> = values.iter().map(|(k, v)| (k.as_str(), v as &dyn Display)).collect();
    let kind = if matches!(e.why, Why::Formula(_)) { "solve.formula" } else { "solve.wrong" };
    let (what, fix) = (texts.fill(&format!("{kind}.{code}"), &values), texts.fill(&format!("{kind}.{code}.fix"), &values));
    let what = match &e.why {
        Why::Formula(m) => texts.fill("solve.in_formula", &[("what", &what), ("key", &e.key), ("character", &(m.position + 1))]),
        Why::Other(..) => format!("{}: {what}", e.key),
    };
    let report = source.report(texts, &e.key, &what, &fix);
    match &e.why {
        Why::Formula(m) => Report::new(report.exit, report.what, m.excerpt(), report.fix),
        Why::Other(..) => report,
    }
}

/// An error of solving.
pub(super) fn failed(texts: &Texts, e: &Error) -> Report {
    match e {
        Error::Unsolvable { stage, step, loss } => {
            let what = texts.fill("solve.diverged", &[("stage", stage), ("step", step), ("loss", loss)]);
            Report::new(Exit::Diverged, what, "", texts.get("solve.diverged.fix"))
        }
        Error::Neurona(e) => crate::failure::report(texts, e),
        other => crate::commands::pinn::failed(texts, other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Lang;
    use pinn::solve::{Formula, KINDS};

    #[test]
    fn every_mistake_says_the_same_as_the_library() {
        let texts = Texts::new(Lang::En);
        for (code, what, fix) in KINDS {
            assert_eq!(
                (texts.get(&format!("solve.wrong.{code}")), texts.get(&format!("solve.wrong.{code}.fix"))),
                (what.into(), fix.into())
            );
        }
        let deep = "(".repeat(200);
        let long = "u".repeat(3000);
        for source in ["", &long, &deep, "u$", "u+*2", "u+", "(u", "2u", "max(u)", "f(u)", "exp", "d(u,2)", "d(u,x,x,x,x,x,x,x)", "u=1=2"] {
            let problem = Formula::parse(source).unwrap_err().problem;
            let details = problem.details();
            let values: Vec<(&str, &dyn Display)> = details.iter().map(|(k, v)| (*k, v as &dyn Display)).collect();
            assert_eq!(texts.fill(&format!("solve.formula.{}", problem.code()), &values), problem.what());
            assert_eq!(texts.fill(&format!("solve.formula.{}.fix", problem.code()), &values), problem.fix());
        }
    }
}
