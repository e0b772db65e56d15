//! `neurona summary RUN|FILE.toml`: the layers of a network, with shapes, parameters and cost.

use crate::config::Source;
use crate::foreign::{Foreign, is_onnx};
use crate::network::results::{layer_head, layer_rows};
use crate::network::{Network, Target, folder, saved};
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
    #[arg(value_name = "RUN|FILE.toml|MODEL.onnx")]
    network: PathBuf,
}

/// Prints the table.
///
/// # Errors
/// A file, run or data that cannot be read, layers that do not fit.
pub fn run(args: &Args, shell: &mut Shell) -> Result<(), Report> {
    let texts = shell.texts;
    if is_onnx(&args.network) {
        return foreign(&Foreign::open(&texts, &args.network)?, shell);
    }
    let summary = if args.network.is_file() {
        let source = Source::open(&texts, &args.network)?;
        let net = Network::read(&texts, &source)?;
        let data = load(&net.data, &folder(&args.network)).map_err(|e| failure::data_of(&texts, &source, &e))?;
        net.check_model(&texts, &source, &data.preprocessing.shape, &Target::of(&data))?
    } else if let Some(equation) = super::pinn::Trained::open(&texts, &args.network)? {
        equation.summary()?
    } else {
        let run = RunFolder::open(&texts, &args.network)?;
        let (net, meta) = saved::describe(&texts, &run)?;
        net.check_model(&texts, &Source::open(&texts, &run.file(CONFIG))?, &meta.input, &meta.target)?
    };
    if shell.json { shell.print_json(&json(&summary)) } else { shell.print(&table(&texts, &summary).to_string()) }
}

/// What an ONNX file takes, gives, and holds.
fn foreign(file: &Foreign, shell: &mut Shell) -> Result<(), Report> {
    let texts = shell.texts;
    let (inputs, outputs) = (file.model.inputs(), file.model.outputs());
    let weights: Vec<(&str, &[usize])> = file.model.weights().collect();
    let count = |shape: &[usize]| shape.iter().product::<usize>();
    let parameters: usize = weights.iter().map(|(_, shape)| count(shape)).sum();
    let port = |p: &onnx::Port| p.shape.as_ref().map(|s| s.iter().map(|d| d.map_or("N".into(), |d| d.to_string())).collect::<Vec<_>>());
    if shell.json {
        let ports = |list: &[onnx::Port]| list.iter().map(|p| json!({ "name": p.name, "shape": p.shape })).collect::<Vec<_>>();
        let held: Vec<_> = weights.iter().map(|(name, shape)| json!({ "name": name, "shape": shape })).collect();
        return shell.print_json(&json!({
            "inputs": ports(&inputs), "outputs": ports(&outputs), "weights": held, "parameters": parameters, "classes": file.labels
        }));
    }
    let head = ["summary.value", "summary.shape", "summary.parameters"].map(|key| texts.get(key));
    let aligns = [Align::Left, Align::Left, Align::Right];
    let mut table = Table::new(&head.iter().map(String::as_str).zip(aligns).collect::<Vec<_>>());
    let shown = |p: &onnx::Port| port(p).map_or("?".into(), |dims| format!("[{}]", dims.join(", ")));
    inputs.iter().for_each(|p| table.row([format!("{}: {}", texts.get("summary.input"), p.name), shown(p)]));
    weights.iter().for_each(|(name, shape)| table.row([(*name).to_string(), format!("{shape:?}"), count(shape).to_string()]));
    outputs.iter().for_each(|p| table.row([format!("{}: {}", texts.get("summary.result"), p.name), shown(p)]));
    table.row([texts.get("summary.total"), String::new(), parameters.to_string()]);
    shell.print(&table.to_string())
}

/// The table as JSON.
pub(super) fn json(s: &Summary) -> serde_json::Value {
    let row = |r: &neurona::SummaryRow| json!({ "layer": r.layer, "output": r.output, "parameters": r.parameters, "flops": r.flops });
    let layers: Vec<_> = s.rows.iter().map(row).collect();
    json!({ "input": s.input, "layers": layers, "parameters": s.parameters(), "flops": s.flops() })
}

/// The layers.
pub(super) fn table(texts: &Texts, s: &Summary) -> Table {
    let head = layer_head(texts);
    let aligns = [Align::Left, Align::Left, Align::Right, Align::Right];
    let mut table = Table::new(&head.iter().map(String::as_str).zip(aligns).collect::<Vec<_>>());
    layer_rows(texts, s).into_iter().for_each(|row| table.row(row));
    table
}
