//! The models: settings and weights.

use crate::frame::Coding;
use crate::network::Layout;
use crate::training::Settings;
use crate::{Error, Result};
use neurona::{Context, DType, Param, weights};
use std::fmt;
use std::path::Path;

/// The models that the program knows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Model {
    /// For pictures that are kept as they are: much room, hardly seen.
    Photo,
    /// For pictures that are saved as JPEG again: short messages.
    Robust,
}

impl Model {
    /// All models.
    pub const ALL: [Model; 2] = [Model::Photo, Model::Robust];

    /// What commands call it.
    pub fn name(self) -> &'static str {
        match self {
            Model::Photo => "photo",
            Model::Robust => "robust",
        }
    }

    /// The model of this name.
    pub fn of(name: &str) -> Option<Model> {
        Model::ALL.into_iter().find(|m| m.name() == name)
    }

    /// Its settings, as text.
    pub fn preset(self) -> &'static str {
        match self {
            Model::Photo => include_str!("../presets/photo.toml"),
            Model::Robust => include_str!("../presets/robust.toml"),
        }
    }

    /// Its settings.
    ///
    /// # Errors
    /// None, if the files of this crate are right.
    pub fn settings(self) -> Result<Settings, toml::de::Error> {
        toml::from_str(self.preset())
    }

    /// How its messages are coded. The writer of `robust` spends most on bits that the picture has the wrong way round, so that
    /// fewer coded bits in more copies change a picture less.
    pub fn coding(self) -> Coding {
        match self {
            Model::Photo => Coding { copies: 5, parity: &[1.0, 1.0 / 3.0] },
            Model::Robust => Coding { copies: 15, parity: &[1.0 / 3.0] },
        }
    }

    /// Weights that come with the program: `neurona train steganography --preset NAME`.
    ///
    /// # Errors
    /// None, if the files of this crate fit each other.
    pub fn weights(self) -> Result<Vec<Vec<f32>>> {
        let bytes: &[u8] = match self {
            Model::Photo => include_bytes!("../data/photo.safetensors"),
            Model::Robust => include_bytes!("../data/robust.safetensors"),
        };
        let settings = self.settings().map_err(|e| config(self.name(), e.to_string()))?;
        Ok(weights::parse(Path::new(self.name()), bytes, &params(&settings.layout))?.0)
    }
}

impl fmt::Display for Model {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(self.name())
    }
}

fn config(what: &str, why: String) -> Error {
    Error::Engine(neurona::Error::Config { what: what.into(), why, fix: "reinstall the program".into() })
}

/// Names and shapes of the weights of these networks.
pub fn params(layout: &Layout) -> Vec<Param> {
    let cx = Context::new(DType::F32, false);
    let bits = cx.input("bits", DType::F32, &[1, 1, 1, layout.bits]);
    layout.write(&cx, &cx.input("pictures", DType::F32, &[1, 3, 3, layout.numbers()]), &bits, &bits, 1.0);
    cx.params().into_iter().map(|(p, _)| p).collect()
}
