//! `neurona detect`: how visible a message is to an analyst who has the models.

use super::{codec, open, report};
use crate::Shell;
use crate::report::Report;
use crate::table::{Align, Table};
use serde_json::json;
use std::path::PathBuf;
use steganography::Model;
use steganography::detect::suspicion;

/// Arguments of `neurona detect`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The picture
    #[arg(value_name = "PICTURE")]
    picture: PathBuf,
    /// Worker threads
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    threads: usize,
}

/// Prints how suspicious the picture is, for each model.
///
/// # Errors
/// A picture that cannot be used (4).
pub fn run(args: &Args, shell: &mut Shell) -> Result<(), Report> {
    let texts = shell.texts;
    let picture = open(&texts, &args.picture)?;
    let mut rows = vec![];
    for model in Model::ALL {
        let mut codec = codec(&texts, model, None, args.threads)?;
        rows.push((model, suspicion(&mut codec, &picture).map_err(|e| report(&texts, &e))?));
    }
    if shell.json {
        let models = rows
            .iter()
            .map(|(m, s)| json!({ "model": m.name(), "share": s.share, "deviations": s.deviations, "suspicious": s.is_strong() }));
        return shell.print_json(&json!({ "models": models.collect::<Vec<_>>() }));
    }
    let heads = ["stego.head.model", "stego.head.suspicion", "stego.head.verdict"].map(|k| texts.get(k));
    let mut table = Table::new(&[(&heads[0], Align::Left), (&heads[1], Align::Right), (&heads[2], Align::Left)]);
    for (model, s) in rows {
        let verdict = texts.get(if s.is_strong() { "stego.suspicious" } else { "stego.not_suspicious" });
        table.row([model.name().to_string(), format!("{:.3}", s.share), verdict]);
    }
    shell.print(&format!("{table}\n\n{}", texts.get("stego.detect.about")))
}
