//! A network that is declared in a TOML file: its settings, and whether they fit each other and the data.

mod check;
mod checked;
pub mod evaluation;
mod extras;
mod job;
pub mod metrics;
pub mod predict;
mod recorder;
pub mod results;
pub mod saved;
pub mod schema;
mod stopping;

pub use checked::Checked;
pub use extras::{ClassWeights, Plateau};
pub use job::{Job, Outcome};
pub use metrics::percent;
pub use stopping::EarlyStopping;

use crate::config::Source;
use crate::{Report, Texts};
use neurona::data::{DataConfig, Loaded, Source as Files, Targets};
use neurona::layers::Layer;
use neurona::{Augment, Clip, Loss, Metric, Optimizer, Schedule, Sequential, Trainer};
use serde::{Deserialize, Deserializer, Serialize};
use std::path::{Path, PathBuf};

/// What meta.json and state.safetensors call a run of this kind.
pub const KIND: &str = "network";

/// A training file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Network {
    /// What runs are called; the file's name if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Seed of the first weights, of the order of rows and of dropout.
    #[serde(default)]
    pub seed: u32,
    /// Times that every row is used.
    #[serde(default = "ten")]
    pub epochs: usize,
    /// Rows per step.
    #[serde(default = "thirty_two")]
    pub batch: usize,
    /// Worker threads; 0 is one per processor. Results do not depend on it.
    #[serde(default)]
    pub threads: usize,
    /// Size of a step; 0.001 for Adam and its relatives, else 0.01.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub learning_rate: Option<f64>,
    /// Seconds between two saved states within an epoch: what a power failure can cost.
    #[serde(default = "half_a_minute")]
    pub checkpoint_seconds: f64,
    /// The metrics; accuracy for classes, mae for numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metrics: Option<Vec<Metric>>,
    /// The loss; cross-entropy of logits for classes, mse for numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loss: Option<Loss>,
    /// The optimizer: a name, or a table with `kind`.
    #[serde(default = "Optimizer::adam", deserialize_with = "name_or_kind")]
    pub optimizer: Optimizer,
    /// How the learning rate changes.
    #[serde(default)]
    pub schedule: Schedule,
    /// Epochs in which the rate rises evenly from almost 0 to what the schedule says.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub warmup: f64,
    /// How gradients are kept from being too large.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clip: Option<Clip>,
    /// Share of every weight lost per unit of learning rate, apart from the gradient.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub weight_decay: f64,
    /// Share that an average of the weights keeps in each step; the average is what is evaluated and kept as the best.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub average: Option<f64>,
    /// How much each class counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class_weights: Option<ClassWeights>,
    /// Share of each target that is spread over all classes.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub label_smoothing: f64,
    /// Whether events for TensorBoard are written to the run folder.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub tensorboard: bool,
    /// Random changes of images.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub augment: Option<Augment>,
    /// Lowers the learning rate when nothing improves any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reduce_on_plateau: Option<Plateau>,
    /// Ends a training that no longer improves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub early_stopping: Option<EarlyStopping>,
    /// The data.
    pub data: DataConfig,
    /// The layers, first to last.
    pub layers: Vec<Layer>,
}

fn ten() -> usize {
    10
}

fn thirty_two() -> usize {
    32
}

fn half_a_minute() -> f64 {
    30.0
}

/// Files of versions that did not know a setting stay equal to those that do not use it.
fn is_zero(x: &f64) -> bool {
    *x == 0.0
}

/// `"adam"` for `{ kind = "adam" }`.
fn name_or_kind<'de, D: Deserializer<'de>>(from: D) -> Result<Optimizer, D::Error> {
    struct Visitor;
    impl<'de> serde::de::Visitor<'de> for Visitor {
        type Value = Optimizer;
        fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
            f.write_str("the name of an optimizer, such as \"adam\", or a table such as { kind = \"momentum\", momentum = 0.9 }")
        }
        fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Optimizer, E> {
            let pairs = serde::de::value::MapDeserializer::new([("kind", name)].into_iter());
            Optimizer::deserialize(pairs)
        }
        fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<Optimizer, A::Error> {
            Optimizer::deserialize(serde::de::value::MapAccessDeserializer::new(map))
        }
    }
    from.deserialize_any(Visitor)
}

/// What a network is to predict.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Target {
    /// Classes, so many.
    Classes(usize),
    /// Numbers, of this shape in each row.
    Values(Vec<usize>),
}

impl Target {
    /// The target of these data.
    pub fn of(data: &Loaded) -> Target {
        match &data.train.targets {
            Targets::Classes { names, .. } => Target::Classes(names.len()),
            Targets::Values(values) => Target::Values(values.row_shape().to_vec()),
        }
    }
}

impl Network {
    /// Reads a training file.
    ///
    /// # Errors
    /// The first setting that cannot be used, with its place.
    pub fn read(texts: &Texts, source: &Source) -> Result<Network, Report> {
        match source.problems(texts, &schema::file())?.into_iter().next() {
            Some(report) => Err(report),
            None => source.read(texts),
        }
    }

    /// The loss, or the usual one for such a target.
    pub fn loss(&self, target: &Target) -> Loss {
        self.loss.unwrap_or(match target {
            Target::Classes(_) => Loss::SparseCategoricalCrossEntropy { from_logits: true },
            Target::Values(_) => Loss::Mse,
        })
    }

    /// The metrics, or the usual one for such a target.
    pub fn metrics(&self, target: &Target) -> Vec<Metric> {
        self.metrics.clone().unwrap_or_else(|| match target {
            Target::Classes(_) => vec![Metric::Accuracy],
            Target::Values(_) => vec![Metric::Mae],
        })
    }

    /// The learning rate, or the usual one of the optimizer.
    pub fn learning_rate(&self) -> f64 {
        self.learning_rate.unwrap_or(if self.is_adaptive() { 1e-3 } else { 1e-2 })
    }

    /// The layers, for rows of this shape.
    pub fn model(&self, input: &[usize]) -> Sequential {
        Sequential { input: input.to_vec(), layers: self.layers.clone() }
    }

    /// The network before its first weights.
    pub fn trainer(&self, input: &[usize], target: &Target) -> Trainer<Sequential> {
        Trainer::compile(self.model(input), self.objective(target), self.rule(), &self.metrics(target))
    }

    /// The name: that of the settings, or of the file.
    pub fn name(&self, file: &Path) -> String {
        let stem = || file.file_stem().map(|s| s.to_string_lossy().into_owned());
        self.name.clone().or_else(stem).unwrap_or_else(|| "network".into())
    }

    /// Checks that layers, loss and target fit, and gives the table of the layers.
    ///
    /// # Errors
    /// What does not fit, and how it would.
    pub fn check_model(&self, texts: &Texts, source: &Source, input: &[usize], target: &Target) -> Result<neurona::Summary, Report> {
        check::model(texts, source, self, input, target)
    }

    /// The settings with nothing left to defaults, and files by their full paths, so that they can be used from
    /// any folder.
    pub fn resolved(&self, file: &Path, target: &Target) -> Network {
        let base = folder(file);
        let mut data = self.data.clone();
        paths(&mut data.source).into_iter().for_each(|p| {
            let joined = base.join(&*p);
            *p = joined.canonicalize().unwrap_or(joined);
        });
        Network {
            name: Some(self.name(file)),
            learning_rate: Some(self.learning_rate()),
            metrics: Some(self.metrics(target)),
            loss: Some(self.loss(target)),
            data,
            ..self.clone()
        }
    }
}

/// The folder of a file, from where its relative paths start.
pub fn folder(file: &Path) -> PathBuf {
    file.parent().map(Path::to_path_buf).unwrap_or_default()
}

/// All paths of a source.
fn paths(source: &mut Files) -> Vec<&mut PathBuf> {
    fn with<'a>(mut list: Vec<&'a mut PathBuf>, test: &'a mut Option<(PathBuf, PathBuf)>) -> Vec<&'a mut PathBuf> {
        if let Some((x, y)) = test {
            list.extend([x, y]);
        }
        list
    }
    match source {
        Files::NpyClasses { folder, .. } => vec![folder],
        Files::Npy { x, y, validation, test, .. } => with(with(vec![x, y], validation), test),
        Files::Idx { images, labels, test, .. } => with(vec![images, labels], test),
        Files::ImageClasses { folder, test_folder } => [folder].into_iter().chain(test_folder).collect(),
        Files::Csv { file, test_file, .. } => [file].into_iter().chain(test_file).collect(),
    }
}
