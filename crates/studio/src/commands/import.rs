//! `neurona import WEIGHTS.safetensors --config FILE.toml`: weights of a PyTorch module as a run.

use crate::network::Job;
use crate::report::{Exit, Report};
use crate::run::RunFolder;
use crate::table::{Align, Table};
use crate::{Shell, config::Source};
use neurona::weights::pytorch::Map;
use serde_json::json;
use std::path::PathBuf;

/// Arguments of `neurona import`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The weights
    #[arg(value_name = "WEIGHTS.safetensors")]
    weights: PathBuf,
    /// The training file with the layers and the data
    #[arg(long, value_name = "FILE.toml")]
    config: PathBuf,
    /// Which tensor belongs to which layer
    #[arg(long, value_name = "MAP.toml")]
    map: Option<PathBuf>,
    /// What the run is called
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// The run folder
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Changes to the file's settings
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
}

/// Makes a run with these weights, evaluates it, and prints what came from where.
///
/// # Errors
/// Weights that do not fit, all differences at once (4); as `train`.
pub fn run(args: &Args, shell: &mut Shell) -> Result<(), Report> {
    let texts = shell.texts;
    let mut source = Source::open(&texts, &args.config)?;
    for pair in &args.set {
        source.set_pair(&texts, pair)?;
    }
    if let Some(name) = &args.name {
        source.set("--name", "name", name.as_str());
    }
    let map: Map = match &args.map {
        Some(path) => Source::open(&texts, path)?.read(&texts)?,
        None => Map::new(),
    };
    let job = Job::open(&texts, &source, &args.config)?;
    let (mut trainer, names) = job.import(&args.weights, &map)?;
    let folder = RunFolder::create(&texts, &job.name(), args.out.as_deref())?;
    let evaluation = job.keep(&folder, &mut trainer)?;
    if shell.json {
        let names: serde_json::Map<String, serde_json::Value> = names.iter().map(|(a, b)| (a.clone(), json!(b))).collect();
        return shell.print_json(&json!({ "run": folder.path(), "weights": names, "evaluation": super::eval::json(&evaluation) }));
    }
    let head = ["import.parameter", "import.tensor"].map(|key| texts.get(key));
    let mut table = Table::new(&[(&head[0], Align::Left), (&head[1], Align::Left)]);
    names.into_iter().for_each(|(own, theirs)| table.row([own, theirs]));
    let scores = super::eval::scores(&texts, &evaluation);
    shell.print(&format!("{table}\n\n{scores}\n\n{}", texts.fill("import.done", &[("folder", &folder.path().display())])))
}

/// The report of weights that do not fit.
pub(crate) fn mismatch(texts: &crate::Texts, path: &std::path::Path, differences: &[String]) -> Report {
    let what = texts.fill("import.mismatch", &[("path", &path.display())]);
    Report::new(Exit::Data, what, crate::failure::phrases(texts, differences), texts.get("import.mismatch.fix"))
}
