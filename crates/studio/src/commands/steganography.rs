//! Messages hidden in pictures: what its commands share.

pub mod capacity;
mod deck;
pub mod detect;
pub mod eval;
pub mod hide;
pub mod reveal;
mod saving;
pub mod train;

use crate::report::{Exit, Report};
use crate::run::{CONFIG, LAST, RunFolder};
use crate::{Texts, config, failure};
use std::fmt::Display;
use std::path::{Path, PathBuf};
use steganography::codec::Codec;
use steganography::{Error, Model, Picture, model};

pub(crate) use saving::KIND;
pub(super) use train::resume;

/// Where a password may come from.
#[derive(clap::Args, Debug)]
pub struct Password {
    /// A file with the password
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

/// The environment variable for it.
const VARIABLE: &str = "NEURONA_PASSWORD";

impl Password {
    /// The password: the file's content without line breaks at its end, else the environment's, if not empty.
    fn get(&self, texts: &Texts) -> Result<Option<Vec<u8>>, Report> {
        let Some(path) = &self.password_file else {
            return Ok(std::env::var_os(VARIABLE).map(|v| v.into_encoded_bytes()).filter(|v| !v.is_empty()));
        };
        let bytes = std::fs::read(path).map_err(|e| report(texts, &Error::Unreadable { path: path.clone(), why: e.to_string() }))?;
        let end = bytes.iter().rposition(|b| !b"\r\n".contains(b)).map_or(0, |i| i + 1);
        if end == 0 {
            let what = texts.fill("stego.empty_password", &[("path", &path.display())]);
            return Err(Report::new(Exit::Usage, what, "", texts.get("stego.empty_password.fix")));
        }
        Ok(Some(bytes[..end].to_vec()))
    }
}

/// The networks of a run, or those that come with the program.
pub(crate) fn codec(texts: &Texts, model: Model, run: Option<&Path>, threads: usize) -> Result<Codec, Report> {
    let Some(run) = run else { return Codec::built_in(model, threads).map_err(|e| report(texts, &e)) };
    let folder = RunFolder::open(texts, run)?;
    let name = folder.file(CONFIG).display().to_string();
    let settings: steganography::training::Settings = config::read(texts, &name, &folder.read(CONFIG)?)?;
    let params = model::params(&settings.layout);
    let (weights, _) = neurona::weights::load(&folder.file(LAST), &params).map_err(|e| failure::report(texts, &e))?;
    Codec::new(model, settings, weights, threads).map_err(|e| report(texts, &e))
}

fn open(texts: &Texts, path: &Path) -> Result<Picture, Report> {
    Picture::open(path).map_err(|e| report(texts, &e))
}

/// The model of this name; the parser lets no other through.
fn model(name: &str) -> Model {
    Model::of(name).unwrap_or(Model::Photo)
}

/// An error in the user's language.
pub(crate) fn report(texts: &Texts, e: &Error) -> Report {
    let (exit, key, fix, values): (Exit, &str, &str, Vec<(&str, &dyn Display)>) = parts(e);
    let path = match e {
        Error::Unreadable { path, .. }
        | Error::Unwritable { path, .. }
        | Error::NoPicture { path }
        | Error::Mislabelled { path, .. }
        | Error::Damaged { path, .. }
        | Error::SixteenBits { path }
        | Error::Animated { path }
        | Error::Cmyk { path }
        | Error::Turned { path, .. }
        | Error::TooLarge { path, .. }
        | Error::Lossy { path } => path.display().to_string(),
        Error::Engine(e) => return failure::report(texts, e),
        _ => String::new(),
    };
    let why = match e {
        Error::Unreadable { why, .. } | Error::Unwritable { why, .. } | Error::Damaged { why, .. } | Error::Random(why) => why,
        _ => "",
    };
    let values = [&[("path", &path as &dyn Display)][..], &values].concat();
    Report::new(exit, texts.fill(key, &values), why, texts.fill(fix, &values))
}

/// Exit code, keys of message and advice, and the values in them.
fn parts(e: &Error) -> (Exit, &'static str, &'static str, Vec<(&'static str, &dyn Display)>) {
    use Exit::{Data, Failed, Usage};
    match e {
        Error::Unreadable { .. } => (Data, "stego.unreadable", "stego.unreadable.fix", vec![]),
        Error::Unwritable { .. } => (Failed, "stego.unwritable", "stego.unwritable.fix", vec![]),
        Error::NoPicture { .. } => (Data, "stego.no_picture", "stego.no_picture.fix", vec![]),
        Error::Mislabelled { is, .. } => (Data, "stego.mislabelled", "stego.mislabelled.fix", vec![("is", is)]),
        Error::Damaged { .. } => (Data, "stego.damaged", "stego.damaged.fix", vec![]),
        Error::SixteenBits { .. } => (Data, "stego.sixteen", "stego.sixteen.fix", vec![]),
        Error::Animated { .. } => (Data, "stego.animated", "stego.animated.fix", vec![]),
        Error::Cmyk { .. } => (Data, "stego.cmyk", "stego.cmyk.fix", vec![]),
        Error::Turned { orientation, .. } => (Data, "stego.turned", "stego.turned.fix", vec![("orientation", orientation)]),
        Error::TooLarge { width, height, .. } => {
            (Data, "stego.too_large", "stego.too_large.fix", vec![("width", width), ("height", height), ("most", &MOST)])
        }
        Error::TooSmall { width, height } => (Usage, "stego.too_small", "stego.too_small.fix", vec![("width", width), ("height", height)]),
        Error::TooLong { needed, room } => (Usage, "stego.too_long", "stego.too_long.fix", vec![("needed", needed), ("room", room)]),
        Error::NotReadable => (Failed, "stego.not_readable", "stego.not_readable.fix", vec![]),
        Error::NoMessage => (Failed, "stego.no_message", "stego.no_message.fix", vec![]),
        Error::OtherModel(model) => (Usage, "stego.other_model", "stego.other_model.fix", vec![("model", model)]),
        Error::Locked => (Usage, "stego.locked", "stego.locked.fix", vec![]),
        Error::WrongPassword => (Usage, "stego.wrong_password", "stego.wrong_password.fix", vec![]),
        Error::Spoilt => (Data, "stego.spoilt", "stego.spoilt.fix", vec![]),
        Error::Version(version) => (Failed, "stego.version", "stego.version.fix", vec![("version", version)]),
        Error::Lossy { .. } => (Usage, "stego.lossy", "stego.lossy.fix", vec![]),
        Error::Random(_) | Error::Engine(_) => (Failed, "stego.random", "stego.random.fix", vec![]),
    }
}

/// Millions of pixels that are decoded at most.
const MOST: u64 = steganography::picture::MOST_PIXELS / 1_000_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Lang;

    #[test]
    fn every_error_has_a_message_of_its_own_in_every_language() {
        let (path, why) = (PathBuf::from("a.png"), "because".to_string());
        let p = || path.clone();
        let all = [
            Error::Unreadable { path: p(), why: why.clone() },
            Error::Unwritable { path: p(), why: why.clone() },
            Error::NoPicture { path: p() },
            Error::Mislabelled { path: p(), is: "JPEG" },
            Error::Damaged { path: p(), why: why.clone() },
            Error::SixteenBits { path: p() },
            Error::Animated { path: p() },
            Error::Cmyk { path: p() },
            Error::Turned { path: p(), orientation: 6 },
            Error::TooLarge { path: p(), width: 10_000, height: 10_000 },
            Error::TooSmall { width: 15, height: 4 },
            Error::TooLong { needed: 100, room: 50 },
            Error::NotReadable,
            Error::NoMessage,
            Error::OtherModel(Model::Photo),
            Error::Locked,
            Error::WrongPassword,
            Error::Spoilt,
            Error::Version(2),
            Error::Lossy { path: p() },
            Error::Random(why),
        ];
        for lang in Lang::ALL {
            let texts = Texts::new(lang);
            let reports: Vec<Report> = all.iter().map(|e| report(&texts, e)).collect();
            let mut whats: Vec<&str> = reports.iter().map(|r| r.what.as_str()).collect();
            whats.sort_unstable();
            whats.dedup();
            assert_eq!(whats.len(), all.len());
            for r in &reports {
                assert!(!r.what.contains(['{', '}']) && !r.fix.contains(['{', '}']) && !r.fix.is_empty(), "{r:?}");
                assert!(!r.what.starts_with("stego.") && !r.fix.starts_with("stego."), "{r:?}");
            }
        }
    }
}
