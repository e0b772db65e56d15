//! `neurona summary RUN|FILE.toml`: the layers of a network, with shapes, parameters and cost.

use crate::config::Source;
use crate::network::{Network, Target, folder, saved};
use crate::number::short;
use crate::report::Report;
use crate::run::{CONFIG, RunFolder};
use crate::table::{Align, Table};
use crate::{Shell, Texts, failure};
use neurona::Summary;
use neurona::data::load;
use serde_json::json;
use std::path::PathBuf;

/// Arguments of `neurona summary`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The run or training file
    #[arg(value_name = "RUN|FILE.toml")]
    network: PathBuf,
}

/// Prints the table.
///
/// # Errors
/// A file, run or data that cannot be read, layers that do not fit.
pub fn run(args: &Args, shell: &mut Shell) -> Result<(), Report> {
    let texts = shell.texts;
    let summary = if args.network.is_file() {
        let source = Source::open(&texts, &args.network)?;
        let net = Network::read(&texts, &source)?;
        let data = load(&net.data, &folder(&args.network)).map_err(|e| failure::data_of(&texts, &source, &e))?;
        net.check_model(&texts, &source, &data.preprocessing.shape, &Target::of(&data))?
    } else {
        let run = RunFolder::open(&texts, &args.network)?;
        let (net, meta) = saved::describe(&texts, &run)?;
        net.check_model(&texts, &Source::open(&texts, &run.file(CONFIG))?, &meta.input, &meta.target)?
    };
    if shell.json { shell.print_json(&json(&summary)) } else { shell.print(&table(&texts, &summary).to_string()) }
}

/// The table as JSON.
pub(super) fn json(s: &Summary) -> serde_json::Value {
    let row = |r: &neurona::SummaryRow| json!({ "layer": r.layer, "output": r.output, "parameters": r.parameters, "flops": r.flops });
    let layers: Vec<_> = s.rows.iter().map(row).collect();
    json!({ "input": s.input, "layers": layers, "parameters": s.parameters(), "flops": s.flops() })
}

/// The layers.
pub(super) fn table(texts: &Texts, s: &Summary) -> Table {
    let head = ["summary.layer", "summary.output", "summary.parameters", "summary.cost"].map(|key| texts.get(key));
    let aligns = [Align::Left, Align::Left, Align::Right, Align::Right];
    let mut table = Table::new(&head.iter().map(String::as_str).zip(aligns).collect::<Vec<_>>());
    let mega = |flops: u64| short(flops as f64 / 1e6);
    table.row([texts.get("summary.input"), format!("{:?}", s.input)]);
    for r in &s.rows {
        table.row([r.layer.clone(), format!("{:?}", r.output), r.parameters.to_string(), mega(r.flops)]);
    }
    table.row([texts.get("summary.total"), String::new(), s.parameters().to_string(), mega(s.flops())]);
    table
}
