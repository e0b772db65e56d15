//! `neurona reveal`: the message of a picture.

use super::{Password, codec, model, open, report};
use crate::Shell;
use crate::report::{Exit, Report};
use crate::run::{unwritable, write_whole};
use serde_json::json;
use std::path::PathBuf;
use steganography::hide::reveal;
use steganography::{Error, Message, Model};

/// Arguments of `neurona reveal`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The picture
    #[arg(value_name = "PICTURE")]
    pub(super) picture: PathBuf,
    /// Where to write the message
    #[arg(long, value_name = "FILE")]
    pub(super) out: Option<PathBuf>,
    /// The model
    #[arg(long, value_name = "photo|robust|deck", value_parser = ["photo", "robust", "deck"], hide_possible_values = true)]
    model: Option<String>,
    /// A run instead of the weights that come with the program
    #[arg(long, value_name = "RUN")]
    pub(super) run: Option<PathBuf>,
    #[command(flatten)]
    password: Password,
    /// Worker threads
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    pub(super) threads: usize,
}

/// Prints the text, or writes the file.
///
/// # Errors
/// A picture that cannot be used (4), no message (1), a missing or wrong password or model (2), a message damaged beyond repair (4).
pub fn run(args: &Args, shell: &mut Shell) -> Result<(), Report> {
    let texts = shell.texts;
    if args.model.as_deref() == Some("deck") {
        return super::deck::reveal(shell, args);
    }
    let picture = open(&texts, &args.picture)?;
    let password = args.password.get(&texts)?;
    let read = |model: Model, run| -> Result<_, Report> {
        let mut codec = codec(&texts, model, run, args.threads)?;
        Ok(reveal(&mut codec, &picture, password.as_deref()))
    };
    let asked = args.model.as_deref().map(model);
    let first = asked.unwrap_or(Model::Photo);
    let mut found = (first, read(first, args.run.as_deref())?);
    for other in Model::ALL.into_iter().filter(|m| *m != first || args.run.is_some()) {
        if !matches!(found.1, Err(Error::NoMessage)) {
            break;
        }
        found = match read(other, None)? {
            Err(Error::NoMessage) => continue,
            _ if asked.is_some() || args.run.is_some() => (other, Err(Error::OtherModel(other))),
            result => (other, result),
        };
    }
    let (model, message) = (found.0, found.1.map_err(|e| report(&texts, &e))?);
    let (name, bytes) = match &message {
        Message::Text(text) => (None, text.as_bytes()),
        Message::File { name, bytes } => (Some(name), &bytes[..]),
    };
    if let Some(out) = &args.out {
        write_whole(out, bytes).map_err(|e| unwritable(&texts, out, &e))?;
    }
    if shell.json {
        let text = if let Message::Text(text) = &message { Some(text) } else { None };
        return shell.print_json(&json!({ "model": model.name(), "text": text, "name": name, "bytes": bytes.len(), "file": args.out }));
    }
    match (&args.out, &message) {
        (Some(out), _) => shell.print(&texts.fill("stego.revealed", &[("path", &out.display()), ("bytes", &bytes.len())])),
        (None, Message::Text(text)) => shell.print(text),
        (None, Message::File { name, bytes }) => {
            let what = texts.fill("stego.is_file", &[("name", &format!("{name:?}")), ("bytes", &bytes.len())]);
            Err(Report::new(Exit::Usage, what, "", texts.get("stego.is_file.fix")))
        }
    }
}
