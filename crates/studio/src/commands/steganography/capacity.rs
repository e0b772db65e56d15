//! `neurona capacity`: how much a picture holds.

use super::{codec, open};
use crate::Shell;
use crate::report::Report;
use crate::table::{Align, Table};
use serde_json::json;
use std::path::PathBuf;
use steganography::Model;
use steganography::hide::capacity;

/// Arguments of `neurona capacity`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The picture
    #[arg(value_name = "PICTURE")]
    picture: PathBuf,
}

/// Prints the bytes for each model.
///
/// # Errors
/// A picture that cannot be used (4).
pub fn run(args: &Args, shell: &mut Shell) -> Result<(), Report> {
    let texts = shell.texts;
    let picture = open(&texts, &args.picture)?;
    let pixels = (picture.width * picture.height) as f64;
    let mut rows = vec![];
    for model in Model::ALL {
        let codec = codec(&texts, model, None, 1)?;
        rows.push((model.name(), capacity(&codec, &picture)));
    }
    if shell.json {
        let models = rows.iter().map(|(name, [open, locked])| {
            json!({ "model": name, "bytes": open, "bytes_locked": locked, "bits_per_pixel": 8.0 * *open as f64 / pixels })
        });
        return shell.print_json(&json!({ "width": picture.width, "height": picture.height, "models": models.collect::<Vec<_>>() }));
    }
    let heads = ["stego.head.model", "stego.head.bytes", "stego.head.locked", "stego.head.rate"].map(|k| texts.get(k));
    let aligns = [Align::Left, Align::Right, Align::Right, Align::Right];
    let mut table = Table::new(&heads.iter().zip(aligns).map(|(h, a)| (h.as_str(), a)).collect::<Vec<_>>());
    for (name, [open, locked]) in rows {
        table.row([name.to_string(), open.to_string(), locked.to_string(), format!("{:.4}", 8.0 * open as f64 / pixels)]);
    }
    shell.print(&table.to_string())
}
