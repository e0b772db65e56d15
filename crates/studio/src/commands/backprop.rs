//! `neurona backprop EXPR --at x=6,y=2`: the list w0, w1, … of a formula with values, derivatives and where they come from.

use super::formula;
use crate::number::short;
use crate::report::{Exit, Report};
use crate::table::{Align, Table};
use crate::{Shell, Texts, run};
use lessons::backprop::{Contribution, Row, Trace, trace};
use lessons::layout::layout;
use lessons::partials::{self, MAX_ORDER, Partial};
use plot::Graph;
use serde::Serialize;
use std::path::PathBuf;

/// Arguments of `neurona backprop`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The formula
    #[arg(value_name = "EXPR", allow_hyphen_values = true)]
    expression: String,
    /// The point, for example x=6,y=2
    #[arg(long, value_name = "x=6,y=2", value_delimiter = ',')]
    at: Vec<String>,
    /// Highest order of derivatives, 1 to 4
    #[arg(long, value_name = "N", default_value_t = 1, hide_default_value = true)]
    order: usize,
    /// The file for the picture
    #[arg(long, value_name = "FILE.svg")]
    svg: Option<PathBuf>,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Output {
    #[serde(flatten)]
    trace: Trace,
    /// From order 2 on: rows and columns in the order of the variables.
    #[serde(skip_serializing_if = "Option::is_none")]
    hessian: Option<Vec<Vec<f64>>>,
    /// From order 2 on: every distinct partial derivative, lower orders first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    partials: Vec<Partial>,
}

/// Prints the trace.
///
/// # Errors
/// A mistake in the formula or the point (2); a value or derivative that is not finite (1, after the table); a picture that
/// cannot be written (1).
pub fn run(args: &Args, shell: &mut Shell) -> Result<(), Report> {
    let texts = shell.texts;
    if !(1..=MAX_ORDER).contains(&args.order) {
        let what = texts.fill("usage.bad_value", &[("value", &args.order), ("arg", &"--order")]);
        return Err(Report::new(Exit::Usage, what, "", texts.fill("backprop.orders", &[("largest", &MAX_ORDER)])));
    }
    let f = formula::read(&texts, &args.expression)?;
    let at = formula::point(&texts, &f, "--at", &args.at)?;
    let partials = match args.order {
        1 => vec![],
        order => partials::up_to(&f, &at, order).map_err(|e| formula::failed(&texts, &e))?,
    };
    let trace = trace(&f, &at).map_err(|e| formula::failed(&texts, &e))?;
    if let Some(path) = &args.svg {
        run::write_whole(path, picture(&trace).as_bytes()).map_err(|e| run::unwritable(&texts, path, &e))?;
    }
    let not_finite = not_finite(&texts, &trace);
    let hessian = (args.order > 1).then(|| hessian(f.variables(), &partials));
    if shell.json {
        shell.print_json(&Output { trace, hessian, partials })?;
    } else {
        shell.print(&table(&texts, &trace))?;
        if let Some(hessian) = hessian.filter(|h| !h.is_empty()) {
            shell.print(&format!("\n{}\n{}", texts.get("backprop.hessian"), matrix(f.variables(), &hessian)))?;
        }
        for order in 3..=args.order {
            let lines: Vec<String> =
                partials.iter().filter(|p| p.order == order).map(|p| format!("{} = {}", p.name, short(p.value))).collect();
            shell.print(&format!("\n{}\n{}", texts.fill("backprop.of_order", &[("order", &order)]), lines.join("\n")))?;
        }
    }
    not_finite.map_or(Ok(()), Err)
}

/// The second derivatives as a symmetric matrix.
fn hessian(variables: &[String], partials: &[Partial]) -> Vec<Vec<f64>> {
    let find = |a: &String, b: &String| {
        let pair = |p: &&Partial| p.order == 2 && (p.variables == [a.clone(), b.clone()] || p.variables == [b.clone(), a.clone()]);
        partials.iter().find(pair).map_or(f64::NAN, |p| p.value)
    };
    variables.iter().map(|a| variables.iter().map(|b| find(a, b)).collect()).collect()
}

fn matrix(variables: &[String], values: &[Vec<f64>]) -> Table {
    let head = [("", Align::Left)].into_iter().chain(variables.iter().map(|v| (v.as_str(), Align::Right)));
    let mut table = Table::new(&head.collect::<Vec<_>>());
    for (name, row) in variables.iter().zip(values) {
        table.row([name.clone()].into_iter().chain(row.iter().map(|&x| short(x))));
    }
    table
}

/// The list, the result and the gradient.
pub(super) fn table(texts: &Texts, trace: &Trace) -> String {
    let head =
        ["backprop.row", "backprop.value", "backprop.derivative", "backprop.contributions", "backprop.check"].map(|key| texts.get(key));
    let aligns = [Align::Left, Align::Right, Align::Right, Align::Left, Align::Right];
    let columns: Vec<(&str, Align)> = head.iter().map(String::as_str).zip(aligns).collect();
    let mut table = Table::new(&columns);
    for row in &trace.rows {
        let mut lines: Vec<String> = row.contributions.iter().map(contribution).collect();
        if row.seed {
            lines.push(texts.get("backprop.seed"));
        }
        let first = lines.first().cloned().unwrap_or_default();
        table.row([format!("{} = {}", row.name, row.operation), short(row.value), short(row.derivative), first, check(row)]);
        lines.into_iter().skip(1).for_each(|line| table.row([String::new(), String::new(), String::new(), line]));
    }
    let pairs = |list: &[(String, f64)], name: &dyn Fn(&str) -> String| {
        list.iter().map(|(v, x)| format!("{} = {}", name(v), short(*x))).collect::<Vec<_>>().join(", ")
    };
    let point = pairs(&trace.at, &|v| v.to_string());
    let mut text = format!("f = {}", trace.expression.trim());
    if !point.is_empty() {
        text.push_str(&format!("    {point}"));
    }
    text.push_str(&format!("\n\n{table}\n\nf = {}", short(trace.value)));
    if !trace.gradient.is_empty() {
        text.push_str(&format!("    {}", pairs(&trace.gradient, &|v| format!("df/d{v}"))));
    }
    if trace.rows.iter().any(|r| !r.check.agrees && r.check.difference.is_finite()) {
        text.push_str(&format!("\n\n{}", texts.get("backprop.kink")));
    }
    text
}

/// The rows as a graph: operation, value and derivative in each box, the local derivative on each arrow.
fn picture(trace: &Trace) -> String {
    let layout = layout(trace);
    let title = format!("f = {} = {}", trace.expression.trim(), short(trace.value));
    let boxes = trace.rows.iter().zip(&layout.rows).fold(Graph::new(&title), |g, (row, p)| {
        let lines =
            [format!("{} = {}", row.name, row.operation), short(row.value), format!("df/d{} = {}", row.name, short(row.derivative))];
        g.node((p.layer, p.height), lines)
    });
    let graph = layout.edges.iter().fold(boxes, |g, edge| {
        let name = &trace.rows[edge.to].name;
        let locals: Vec<String> =
            trace.rows[edge.from].contributions.iter().filter(|c| c.from == *name).map(|c| format!("·{}", short(c.local))).collect();
        g.edge(edge.path.iter().map(|p| (p.layer, p.height)), &locals.join(" "))
    });
    graph.svg()
}

/// `w2: += 16·(1/w1) = 8`: the later row's derivative times the local one.
fn contribution(c: &Contribution) -> String {
    format!("{}: += {}·{} = {}", c.from, short(c.upstream), c.factor, short(c.amount))
}

fn check(row: &Row) -> String {
    format!("{} {}", short(row.check.difference), if row.check.agrees { '✓' } else { '✗' })
}

/// The first row whose value, or else whose derivative, is no finite number.
fn not_finite(texts: &Texts, trace: &Trace) -> Option<Report> {
    let report = |key: &str, row: &Row| {
        let what = texts.fill(key, &[("row", &row.name), ("operation", &row.operation)]);
        Report::new(Exit::Failed, what, "", texts.get("backprop.other_point"))
    };
    let value = trace.rows.iter().find(|r| !r.value.is_finite()).map(|r| report("backprop.value_not_finite", r));
    // The reverse pass runs from the last row, so that is where the first infinity appears.
    value.or_else(|| trace.rows.iter().rev().find(|r| !r.derivative.is_finite()).map(|r| report("backprop.derivative_not_finite", r)))
}
