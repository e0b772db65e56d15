//! What a run has reached, printed: errors, fitted numbers, losses, the rival, warnings.

use super::{ended, rounded};
use crate::number::short;
use crate::report::Report;
use crate::table::{Align, Table};
use crate::{Shell, Texts};
use pinn::solve::{Distance, Rival, Solved, Solver, Unsuited};
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};

/// A run with what came out.
pub(super) struct Reached<'a> {
    pub solver: &'a Solver,
    pub solved: &'a Solved,
    /// Finite differences, where they were asked for.
    pub rival: Option<&'a Result<Rival, Unsuited>>,
    /// Why there are no errors.
    pub ungraded: Option<&'a str>,
}

impl Reached<'_> {
    /// Prints it, as a table or as JSON.
    pub fn show(&self, shell: &mut Shell, folder: &Path, files: &[PathBuf]) -> Result<(), Report> {
        if shell.json {
            return shell.print_json(&self.json(folder, files));
        }
        let texts = shell.texts;
        let mut text = self.table(&texts).to_string();
        for (i, reason) in self.solver.progress().ends.iter().enumerate() {
            text += &format!("{}{}", if i == 0 { "\n\n" } else { "\n" }, ended(&texts, self.solver, i, reason.code()));
        }
        let unsuited = self.rival.and_then(|r| r.as_ref().err()).map(|u| refused(&texts, u));
        let doubtful = self.solved.is_doubtful().then(|| texts.get("solve.doubtful"));
        for warning in self.ungraded.map(str::to_string).into_iter().chain(unsuited).chain(doubtful) {
            text += &format!("\n\n{warning}");
        }
        let list: Vec<String> = files.iter().map(|f| format!("  {}", f.display())).collect();
        shell.print(&format!("{text}\n\n{}\n{}", texts.get("pinn.files"), list.join("\n")))
    }

    /// Names of the losses and their last values.
    fn losses(&self) -> Vec<(String, f64)> {
        let last = self.solver.records().last();
        self.solver.names().into_iter().zip(last.map_or(&[][..], |r| &r.terms)).map(|(n, &x)| (n, x)).collect()
    }

    fn errors(&self, distances: &[Distance]) -> Value {
        let one = |d: &Distance| (self.unknown(d.unknown).clone(), json!({ "relative_l2": d.relative_l2, "max": d.max_error }));
        Value::Object(distances.iter().map(one).collect())
    }

    fn unknown(&self, i: usize) -> &String {
        &self.solver.problem().file.unknowns[i]
    }

    fn json(&self, folder: &Path, files: &[PathBuf]) -> Value {
        let (solver, solved) = (self.solver, self.solved);
        let map = |pairs: Vec<(String, f64)>| pairs.into_iter().map(|(k, v)| (k, json!(v))).collect::<Map<String, Value>>();
        let ends: Vec<&str> = solver.progress().ends.iter().map(|r| r.code()).collect();
        let rival = self.rival.map(|rival| match rival {
            Err(unsuited) => json!({ "unsuited": unsuited.code() }),
            Ok(r) => {
                let differences = r.differences(&solved.values).into_iter().enumerate().map(|(i, d)| (self.unknown(i).clone(), d));
                json!({ "points": r.points, "steps": r.steps, "seconds": r.seconds, "errors": self.errors(&r.distances),
                        "difference": map(differences.collect()) })
            }
        });
        json!({
            "folder": folder, "seed": solver.problem().file.seed, "parameters": solver.parameters(), "steps": solver.progress().total,
            "complete": solver.is_done(), "relative_l2": solved.relative_l2(), "errors": self.errors(&solved.distances),
            "fitted": map(solved.fitted.iter().map(|f| (f.name.clone(), f.value)).collect()),
            "deviation": map(solved.fitted.iter().filter_map(|f| Some((f.name.clone(), f.deviation?))).collect()),
            "loss": solver.records().last().map(|r| r.loss), "losses": map(self.losses()), "residual": solved.residuals[0],
            "residual_elsewhere": solved.residuals[1], "doubtful": solved.is_doubtful(), "rival": rival, "ungraded": self.ungraded,
            "ends": ends, "seconds": solver.progress().seconds, "files": files,
        })
    }

    fn table(&self, texts: &Texts) -> Table {
        let (solver, solved) = (self.solver, self.solved);
        let after = texts.fill("pinn.after", &[("steps", &solver.progress().total)]);
        let mut table = Table::new(&[(&texts.get("solve.title"), Align::Left), (&after, Align::Right)]);
        let number = |x: f64| short(rounded(x));
        for d in &solved.distances {
            let name = self.unknown(d.unknown);
            table.row([texts.fill("solve.relative_l2", &[("name", name)]), number(d.relative_l2)]);
            table.row([texts.fill("solve.max_error", &[("name", name)]), number(d.max_error)]);
        }
        for f in &solved.fitted {
            let band = f.deviation.map_or(String::new(), |d| format!(" ± {}", number(1.96 * d)));
            let key = if f.deviation.is_some() { "solve.fitted_band" } else { "solve.fitted" };
            table.row([texts.fill(key, &[("name", &f.name)]), short(f.value) + &band]);
        }
        for (name, x) in &self.losses() {
            table.row([texts.fill("solve.loss", &[("name", name)]), number(*x)]);
        }
        table.row([texts.get("solve.residual"), number(solved.residuals[0])]);
        table.row([texts.get("solve.residual_elsewhere"), number(solved.residuals[1])]);
        table.row([texts.get("page.parameters"), solver.parameters().to_string()]);
        table.row([texts.get("pinn.seconds"), format!("{:.1}", solver.progress().seconds)]);
        if let Some(Ok(rival)) = self.rival {
            self.beside(texts, rival, &mut table);
        }
        table
    }

    /// The rows of the rival: its own errors where the solution is known, else how far the network is from it.
    fn beside(&self, texts: &Texts, rival: &Rival, table: &mut Table) {
        let number = |x: f64| short(rounded(x));
        table.row([texts.fill("solve.rival.points", &[("points", &rival.points)]), String::new()]);
        for d in &rival.distances {
            table.row([texts.fill("solve.rival.error", &[("name", self.unknown(d.unknown))]), number(d.relative_l2)]);
        }
        for (i, d) in rival.differences(&self.solved.values).into_iter().enumerate() {
            table.row([texts.fill("solve.rival.difference", &[("name", self.unknown(i))]), number(d)]);
        }
        table.row([texts.get("solve.rival.seconds"), format!("{:.2}", rival.seconds)]);
    }
}

/// Why there is no solution by finite differences, as a sentence.
fn refused(texts: &Texts, unsuited: &Unsuited) -> String {
    let why = match unsuited {
        Unsuited::Steady => texts.get("solve.rival.steady"),
        Unsuited::Shapes => texts.get("solve.rival.shapes"),
        Unsuited::Fitted => texts.get("solve.rival.fitted"),
        Unsuited::Time => texts.get("solve.rival.time"),
        Unsuited::Start(name) => texts.fill("solve.rival.start", &[("name", name)]),
        Unsuited::Points(n) => texts.fill("solve.rival.wrong_points", &[("points", n)]),
        Unsuited::Stiff => texts.get("solve.rival.stiff"),
    };
    texts.fill("solve.rival.none", &[("why", &why)])
}
