//! `neurona hide`: a message in a picture.

use super::{Password, codec, model, open, report};
use crate::report::{Exit, Report};
use crate::table::{Align, Table};
use crate::{Shell, Texts};
use serde_json::json;
use std::io::{IsTerminal, Read};
use std::path::{Path, PathBuf};
use steganography::hide::{Hidden, hide};
use steganography::picture::{Format, save};
use steganography::{Error, Message, Picture};

/// Arguments of `neurona hide`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The picture
    #[arg(value_name = "PICTURE")]
    pub(super) picture: PathBuf,
    /// The picture with the message
    #[arg(long, value_name = "FILE.png")]
    pub(super) out: PathBuf,
    /// A text to hide
    #[arg(long, value_name = "TEXT", conflicts_with = "file")]
    text: Option<String>,
    /// A file to hide
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// The model
    #[arg(long, value_name = "photo|robust|deck", value_parser = ["photo", "robust", "deck"], default_value = "photo", hide_default_value = true, hide_possible_values = true)]
    pub(super) model: String,
    /// A run instead of the weights that come with the program
    #[arg(long, value_name = "RUN")]
    pub(super) run: Option<PathBuf>,
    #[command(flatten)]
    password: Password,
    /// A picture of the changes
    #[arg(long, value_name = "FILE.png")]
    difference: Option<PathBuf>,
    /// Worker threads
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    pub(super) threads: usize,
}

/// How much stronger than they are the picture of the changes shows them.
const AMPLIFIED: i32 = 20;

/// Hides, checks, writes, and says what it cost.
///
/// # Errors
/// A picture (4) or message (2) that cannot be used, a result that could not be read back or written (1).
pub fn run(args: &Args, shell: &mut Shell) -> Result<(), Report> {
    let texts = shell.texts;
    let failed = |e: Error| report(&texts, &e);
    let format = output(&texts, args)?;
    let message = message(&texts, args)?;
    let password = args.password.get(&texts)?;
    if args.model == "deck" {
        let [before, after] = super::deck::hide(shell, args, &message, password.is_some())?;
        return save_difference(&texts, args, &before, &after);
    }
    let cover = open(&texts, &args.picture)?;
    let mut codec = codec(&texts, model(&args.model), args.run.as_deref(), args.threads)?;
    let hidden = hide(&mut codec, &cover, &message, password.as_deref(), format).map_err(failed)?;
    save(&args.out, &hidden.file).map_err(failed)?;
    save_difference(&texts, args, &cover, &hidden.picture)?;
    show(shell, args, &cover, &hidden, password.is_some())
}

/// Writes the picture of the changes if it is asked for.
fn save_difference(texts: &Texts, args: &Args, before: &Picture, after: &Picture) -> Result<(), Report> {
    args.difference.as_ref().map_or(Ok(()), |path| write(texts, path, &difference(before, after)))
}

/// Writes a picture as PNG.
pub(super) fn write(texts: &Texts, path: &Path, picture: &Picture) -> Result<(), Report> {
    let file = picture.png().map_err(|why| Error::Unwritable { path: path.into(), why });
    file.and_then(|file| save(path, &file)).map_err(|e| report(texts, &e))
}

/// The output's format, if it keeps the message.
fn output(texts: &Texts, args: &Args) -> Result<Format, Report> {
    let failed = |e: Error| Err(report(texts, &e));
    match Format::of(&args.out) {
        Some(Format::Png) => Ok(Format::Png),
        Some(Format::Jpeg) if args.model == "robust" => Ok(Format::Jpeg),
        _ => failed(Error::Lossy { path: args.out.clone() }),
    }
}

/// The text, the file, or what is typed or piped.
fn message(texts: &Texts, args: &Args) -> Result<Message, Report> {
    let failed = |path: &Path, e: std::io::Error| report(texts, &Error::Unreadable { path: path.into(), why: e.to_string() });
    if let Some(text) = &args.text {
        return Ok(Message::Text(text.clone()));
    }
    let Some(path) = &args.file else {
        if std::io::stdin().is_terminal() {
            return Err(Report::new(Exit::Usage, texts.get("stego.no_text"), "", texts.get("stego.no_text.fix")));
        }
        let mut text = String::new();
        let limit = steganography::message::LONGEST as u64;
        std::io::stdin().take(limit).read_to_string(&mut text).map_err(|e| failed(Path::new("stdin"), e))?;
        return Ok(Message::Text(text));
    };
    let size = std::fs::metadata(path).map_err(|e| failed(path, e))?.len();
    let room = steganography::message::LONGEST;
    if size > room as u64 {
        return Err(report(texts, &Error::TooLong { needed: size as usize, room }));
    }
    let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    Ok(Message::File { name, bytes: std::fs::read(path).map_err(|e| failed(path, e))? })
}

/// Grey where nothing changed, and the changes, amplified.
fn difference(a: &Picture, b: &Picture) -> Picture {
    let one = |(&x, &y): (&u8, &u8)| (128 + AMPLIFIED * (i32::from(y) - i32::from(x))).clamp(0, 255) as u8;
    Picture { rgb: a.rgb.iter().zip(&b.rgb).map(one).collect(), alpha: None, icc: None, ..*a }
}

fn show(shell: &mut Shell, args: &Args, cover: &Picture, h: &Hidden, locked: bool) -> Result<(), Report> {
    let rate = 8.0 * h.bytes as f64 / (cover.width * cover.height) as f64;
    if shell.json {
        let psnr = h.psnr.is_finite().then_some(h.psnr);
        return shell.print_json(&json!({
            "file": args.out, "model": args.model, "bytes": h.bytes, "bits_per_pixel": rate, "copies": h.copies, "passes": h.passes,
            "wrong_bits": h.errors, "load": h.load, "psnr": psnr, "ssim": h.ssim, "locked": locked, "difference": args.difference,
        }));
    }
    let rows = [
        ("stego.bytes", h.bytes.to_string()),
        ("stego.rate", format!("{rate:.4}")),
        ("stego.copies", h.copies.to_string()),
        ("stego.wrong_bits", format!("{:.2} %", 100.0 * h.errors)),
        ("stego.psnr", format!("{:.1}", h.psnr)),
        ("stego.ssim", format!("{:.4}", h.ssim)),
    ];
    print(shell, &args.out, &rows, locked)
}

/// Prints what hiding cost, by keys of messages, and who can read the message.
pub(super) fn print(shell: &mut Shell, out: &Path, rows: &[(&str, String)], locked: bool) -> Result<(), Report> {
    let texts = shell.texts;
    let mut table = Table::new(&[(&out.display().to_string(), Align::Left), ("", Align::Right)]);
    rows.iter().for_each(|(key, value)| table.row([texts.get(key), value.clone()]));
    shell.print(&format!("{table}\n\n{}", texts.get(if locked { "stego.is_locked" } else { "stego.is_open" })))
}
