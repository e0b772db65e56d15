//! `neurona export RUN`: a trained network for other programs.

use crate::network::saved;
use crate::report::{Exit, Report};
use crate::{Shell, run};
use neurona::{Activation, Context, DType, Loss, Tensor, Type};
use serde_json::json;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Arguments of `neurona export`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The run
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// The file
    #[arg(long, value_name = "FILE.onnx")]
    out: Option<PathBuf>,
}

/// Writes the network with its best weights as ONNX, with class names and preprocessing in its metadata.
///
/// # Errors
/// A run that cannot be read (4), a file that cannot be written (1).
pub fn run(args: &Args, shell: &mut Shell) -> Result<(), Report> {
    let texts = shell.texts;
    let (folder, net, meta, trainer) = saved::load(&texts, &args.run)?;
    let loss = net.loss(&meta.target);
    let network = trainer.model();
    let model = |cx: &Context, x: &[Tensor]| probabilities(&loss, network.forward(cx, &x[0]));
    let weights = trainer.state().map(|s| s.params.clone()).unwrap_or_default();
    let info = onnx::Info {
        name: net.name.clone().unwrap_or_else(|| "neurona".into()),
        preprocessing: Some(meta.preprocessing.clone()),
        notes: BTreeMap::from([("neurona.version".into(), meta.version.clone())]),
        ..onnx::Info::default()
    };
    let rows = [Type::new(DType::F32, meta.input.clone())];
    let bytes = onnx::export_model(&model, &rows, &weights, &info)
        .map_err(|e| Report::new(Exit::Failed, texts.get("export.failed"), e.to_string(), texts.get("export.fix")))?;
    let out = args.out.clone().unwrap_or_else(|| folder.file("model.onnx"));
    run::write_whole(&out, &bytes).map_err(|e| run::unwritable(&texts, &out, &e))?;
    if shell.json {
        shell.print_json(&json!({ "file": out, "format": "onnx", "bytes": bytes.len() }))
    } else {
        shell.print(&texts.fill("export.written", &[("path", &out.display()), ("bytes", &bytes.len())]))
    }
}

/// What the network's numbers mean: probabilities, where it was trained on the numbers before them.
fn probabilities(loss: &Loss, raw: Tensor) -> Tensor {
    match loss {
        Loss::BinaryCrossEntropy { from_logits: true } => raw.sigmoid(),
        Loss::CategoricalCrossEntropy { from_logits: true } | Loss::SparseCategoricalCrossEntropy { from_logits: true } => {
            Activation::Softmax.apply(&raw)
        }
        _ => raw,
    }
}
