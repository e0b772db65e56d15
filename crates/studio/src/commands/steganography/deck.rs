//! `hide` and `reveal` with the slides' autoencoder: short texts in pictures of 256×256 pixels.

use super::hide::{print, write};
use super::{open, report};
use crate::report::{Exit, Report};
use crate::run::{CONFIG, LAST, RunFolder, unwritable, write_whole};
use crate::{Shell, Texts, config, failure};
use serde_json::json;
use std::path::Path;
use steganography::deck::{self, Autoencoder, Deck};
use steganography::quality::{psnr, ssim};
use steganography::{Error, Message, Picture};

/// Whether these settings of a run are the autoencoder's.
pub(super) fn is(config: &str) -> bool {
    toml::from_str::<toml::Table>(config).is_ok_and(|settings| settings.contains_key("steps_per_epoch"))
}

/// The networks of a run.
fn networks(texts: &Texts, run: Option<&Path>, threads: usize) -> Result<Autoencoder, Report> {
    let Some(run) = run else {
        return Err(Report::new(Exit::Usage, texts.get("stego.deck_run"), "", texts.get("stego.deck_run.fix")));
    };
    let failed = |e: neurona::Error| failure::report(texts, &e);
    let folder = RunFolder::open(texts, run)?;
    let name = folder.file(CONFIG).display().to_string();
    config::read::<Deck>(texts, &name, &folder.read(CONFIG)?)?; // it is a run of this kind
    let (weights, _) = neurona::weights::load(&folder.file(LAST), &deck::params()).map_err(failed)?;
    Autoencoder::new(weights, threads).map_err(failed)
}

/// Hides a text, and gives the scaled picture before and after it.
pub(super) fn hide(shell: &mut Shell, args: &super::hide::Args, message: &Message, locked: bool) -> Result<[Picture; 2], Report> {
    let texts = shell.texts;
    let failed = |e: Error| report(&texts, &e);
    let Message::Text(text) = message else { return Err(only(&texts)) };
    if locked {
        return Err(only(&texts));
    }
    let cover = open(&texts, &args.picture)?;
    let mut networks = networks(&texts, args.run.as_deref(), args.threads)?;
    let (before, after, strength) = networks.hide(&cover, text).map_err(failed)?;
    write(&texts, &args.out, &after)?;
    let (psnr, ssim) = (psnr(&before.rgb, &after.rgb), ssim(&before.rgb, &after.rgb, before.width, before.height));
    if shell.json {
        shell.print_json(&json!({
            "file": args.out, "model": args.model, "bytes": text.len(), "strength": strength, "psnr": psnr, "ssim": ssim, "locked": false,
        }))?;
        return Ok([before, after]);
    }
    let rows = [
        ("stego.bytes", text.len().to_string()),
        ("stego.strength", format!("{strength:.2}")),
        ("stego.psnr", format!("{psnr:.1}")),
        ("stego.ssim", format!("{ssim:.4}")),
    ];
    print(shell, &args.out, &rows, false)?;
    Ok([before, after])
}

/// Prints or writes the text of a picture.
pub(super) fn reveal(shell: &mut Shell, args: &super::reveal::Args) -> Result<(), Report> {
    let texts = shell.texts;
    let picture = open(&texts, &args.picture)?;
    let mut networks = networks(&texts, args.run.as_deref(), args.threads)?;
    let text = networks.reveal(&picture).map_err(|e| report(&texts, &e))?;
    if let Some(out) = &args.out {
        write_whole(out, text.as_bytes()).map_err(|e| unwritable(&texts, out, &e))?;
    }
    match &args.out {
        _ if shell.json => shell.print_json(&json!({ "model": "deck", "text": text, "bytes": text.len(), "file": args.out })),
        Some(out) => shell.print(&texts.fill("stego.revealed", &[("path", &out.display()), ("bytes", &text.len())])),
        None => shell.print(&text),
    }
}

fn only(texts: &Texts) -> Report {
    Report::new(Exit::Usage, texts.get("stego.deck_only"), "", texts.get("stego.deck_only.fix"))
}
