//! A trained network in its run folder: what meta.json says, and the network ready for use.

use super::{Network, Target};
use crate::config::Source;
use crate::report::{Exit, Report};
use crate::run::{BEST, CONFIG, LAST, META, RunFolder};
use crate::{Texts, failure};
use neurona::data::{Loaded, Preprocessing};
use neurona::{Sequential, Trainer};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// How far a training got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It runs, or was ended without notice.
    Training,
    /// It is over.
    Done,
    /// It was interrupted and saved.
    Interrupted,
    /// Loss or weights ran away.
    Diverged,
}

fn kind() -> String {
    super::KIND.into()
}

/// Numbers of rows.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rows {
    /// Rows that weights were learnt from.
    pub train: usize,
    /// Rows that chose the best epoch.
    pub validation: usize,
    /// Rows that judge the result.
    pub test: usize,
}

/// What meta.json holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Meta {
    /// Version of the program that trained.
    pub version: String,
    /// What was trained: a network of a training file.
    #[serde(default = "kind")]
    pub kind: String,
    /// How far the training got.
    pub state: State,
    /// Seed of the training.
    pub seed: u32,
    /// Sizes of the data.
    pub rows: Rows,
    /// Shape of an input row of the network.
    pub input: Vec<usize>,
    /// What it predicts.
    pub target: Target,
    /// Number of its parameters.
    pub parameters: usize,
    /// Finished epochs.
    pub epochs: usize,
    /// The epoch of the best weights, from 1; 0 before the first.
    pub best_epoch: usize,
    /// From a file's rows to the network's input, and the names of the classes.
    pub preprocessing: Preprocessing,
}

impl Meta {
    /// At the beginning of a training.
    pub fn new(net: &Network, data: &Loaded, parameters: usize) -> Meta {
        let len = |set: &Option<neurona::data::Dataset>| set.as_ref().map_or(0, |s| s.len());
        Meta {
            version: env!("CARGO_PKG_VERSION").into(),
            kind: kind(),
            state: State::Training,
            seed: net.seed,
            rows: Rows { train: data.train.len(), validation: len(&data.validation), test: len(&data.test) },
            input: data.preprocessing.shape.clone(),
            target: Target::of(data),
            parameters,
            epochs: 0,
            best_epoch: 0,
            preprocessing: data.preprocessing.clone(),
        }
    }
}

/// The settings of a run and what is known of its data.
///
/// # Errors
/// Files that cannot be read.
pub fn describe(texts: &Texts, folder: &RunFolder) -> Result<(Network, Meta), Report> {
    let text = folder.read(META)?;
    let kind = serde_json::from_str(&text).map_or(kind(), |meta: serde_json::Value| meta["kind"].as_str().map_or(kind(), String::from));
    if kind != super::KIND {
        let what = texts.fill("run.other_kind", &[("path", &folder.path().display()), ("kind", &kind)]);
        return Err(Report::new(Exit::Data, what, "", texts.get("run.other_kind.fix")));
    }
    let net: Network = Source::open(texts, &folder.file(CONFIG))?.read(texts)?;
    let meta = serde_json::from_str(&text).map_err(|e| folder.unreadable(META, &e.to_string()))?;
    Ok((net, meta))
}

/// The network with its best weights, or the last ones if it has no best.
///
/// # Errors
/// Files that cannot be read or do not fit each other.
pub fn load(texts: &Texts, given: &Path) -> Result<(RunFolder, Network, Meta, Trainer<Sequential>), Report> {
    let folder = RunFolder::open(texts, given)?;
    let (net, meta) = describe(texts, &folder)?;
    let mut trainer = net.trainer(&meta.input, &meta.target);
    let weights = [BEST, LAST].map(|name| folder.file(name)).into_iter().find(|p| p.is_file());
    let Some(weights) = weights else {
        let what = texts.fill("run.no_weights", &[("path", &folder.path().display())]);
        return Err(Report::new(Exit::Data, what, "", texts.get("run.no_weights.fix")));
    };
    trainer.load_weights(&weights).map_err(|e| failure::report(texts, &e))?;
    Ok((folder, net, meta, trainer))
}
