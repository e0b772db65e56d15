//! Settings around the optimizer and the loss: class weights, a falling learning rate, averaged weights.

use super::{Network, Target};
use crate::config::Source;
use crate::{Report, Texts};
use neurona::callbacks::{Monitor, ReduceOnPlateau};
use neurona::data::{Loaded, Targets};
use neurona::{EpochReport, Metric, Objective, Observer, Optimizer, State, Update};
use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// `class_weights`: how much each class counts.
#[derive(Clone, Debug, PartialEq)]
pub enum ClassWeights {
    /// `"balanced"`: every class the same in total.
    Balanced,
    /// A number for each class.
    Each(Vec<f64>),
}

impl Serialize for ClassWeights {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            ClassWeights::Balanced => to.serialize_str("balanced"),
            ClassWeights::Each(weights) => weights.serialize(to),
        }
    }
}

impl<'de> Deserialize<'de> for ClassWeights {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<ClassWeights, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = ClassWeights;
            fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
                f.write_str("\"balanced\" or a list of numbers")
            }
            fn visit_str<E: Error>(self, word: &str) -> Result<ClassWeights, E> {
                if word == "balanced" { Ok(ClassWeights::Balanced) } else { Err(E::unknown_variant(word, &["balanced"])) }
            }
            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<ClassWeights, A::Error> {
                Deserialize::deserialize(serde::de::value::SeqAccessDeserializer::new(seq)).map(ClassWeights::Each)
            }
        }
        from.deserialize_any(Either)
    }
}

/// `[reduce_on_plateau]`: a lower learning rate when nothing improves any more.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plateau {
    /// Epochs without an improvement after which the rate falls.
    #[serde(default = "patience")]
    pub patience: usize,
    /// What the rate is multiplied by.
    #[serde(default = "factor")]
    pub factor: f64,
    /// An improvement has to be larger than this.
    #[serde(default = "min_delta")]
    pub min_delta: f64,
    /// Epochs after a change in which nothing is counted.
    #[serde(default)]
    pub cooldown: usize,
    /// Share of the scheduled rate below which it does not fall.
    #[serde(default)]
    pub floor: f64,
    /// The number that is watched, as for early stopping.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub monitor: Option<String>,
}

fn patience() -> usize {
    10
}

fn factor() -> f64 {
    0.1
}

fn min_delta() -> f64 {
    1e-4
}

impl Plateau {
    /// The observer that lowers the rate, after the epochs of `history`.
    pub(super) fn observer(&self, metrics: &[Metric], validation: bool, history: &[EpochReport]) -> ReduceOnPlateau {
        let usual = if validation { Monitor::ValidationLoss } else { Monitor::Loss };
        let monitor = self.monitor.as_deref().and_then(|name| monitor(name, metrics)).unwrap_or(usual);
        let new = ReduceOnPlateau::new(monitor, self.patience).factor(self.factor).min_delta(self.min_delta);
        let mut observer = new.cooldown(self.cooldown).floor(self.floor);
        // What it knows follows from the epochs alone.
        let nothing = State { params: vec![], slots: vec![], step: 0, seed: 0 };
        history.iter().for_each(|report| _ = observer.on_epoch(report, &[], &nothing));
        observer
    }
}

/// The number of this name in the report of an epoch.
fn monitor(name: &str, metrics: &[Metric]) -> Option<Monitor> {
    let find = |name: &str| metrics.iter().copied().find(|m| m.name() == name);
    match name.strip_prefix("val_") {
        Some("loss") => Some(Monitor::ValidationLoss),
        Some(rest) => find(rest).map(Monitor::ValidationMetric),
        None if name == "loss" => Some(Monitor::Loss),
        None => find(name).map(Monitor::Metric),
    }
}

/// The names of the numbers of an epoch that can be watched, and whether larger ones are better.
pub(super) fn monitors(metrics: &[Metric], validation: bool) -> Vec<(String, bool)> {
    let mut names = vec![("loss".to_string(), false)];
    names.extend(metrics.iter().map(|m| (m.name().to_string(), m.is_better_larger())));
    if validation {
        names.extend(names.clone().into_iter().map(|(n, larger)| (format!("val_{n}"), larger)));
    }
    names
}

/// The report of a number that a training does not have.
pub(super) fn unknown_monitor(texts: &Texts, source: &Source, key: &str, name: &str, known: &[(String, bool)]) -> Report {
    let known: Vec<&str> = known.iter().map(|(n, _)| &n[..]).collect();
    let what = texts.fill("train.bad_setting", &[("key", &key), ("value", &format!("{name:?}"))]);
    let fix = match lessons::spelling::closest(name, known.iter().copied()) {
        Some(best) => texts.fill("did_you_mean", &[("word", &best)]),
        None => texts.fill("config.known", &[("known", &known.join(", "))]),
    };
    source.report(texts, key, &what, &fix)
}

impl Network {
    /// What a step does to the weights.
    pub fn rule(&self) -> Update {
        Update { optimizer: self.optimizer, clip: self.clip, weight_decay: self.weight_decay, average: self.average }
    }

    /// Tensors that a training keeps for each trained parameter.
    pub fn slots(&self) -> usize {
        self.optimizer.slots() + usize::from(self.average.is_some())
    }

    /// What training makes small. Balanced weights are those that [`Network::balance`] put in their place.
    pub fn objective(&self, target: &Target) -> Objective {
        let objective = Objective::from(self.loss(target)).label_smoothing(self.label_smoothing);
        match &self.class_weights {
            Some(ClassWeights::Each(weights)) => objective.class_weights(weights),
            _ => objective,
        }
    }

    /// Puts the weights of the classes of these data in the place of `"balanced"`.
    ///
    /// # Errors
    /// Weights or smoothing without classes; another number of weights than of classes; a class without rows.
    pub(super) fn balance(&mut self, texts: &Texts, source: &Source, data: &Loaded) -> Result<(), Report> {
        let wrong = |key: &str, what: String, fix: &str| Err(source.report(texts, key, &what, &texts.get(fix)));
        let Targets::Classes { labels, names } = &data.train.targets else {
            let set = [("label_smoothing", self.label_smoothing > 0.0), ("class_weights", self.class_weights.is_some())];
            return match set.into_iter().find(|(_, set)| *set) {
                Some((key, _)) => wrong(key, texts.fill("train.no_classes", &[("key", &key)]), "train.no_classes.fix"),
                None => Ok(()),
            };
        };
        match &self.class_weights {
            Some(ClassWeights::Each(weights)) if weights.len() != names.len() => {
                let what = texts.fill("train.weights_count", &[("weights", &weights.len()), ("classes", &names.len())]);
                wrong("class_weights", what, "train.weights_count.fix")
            }
            Some(ClassWeights::Balanced) => match Objective::balanced_weights(labels, names.len()) {
                Ok(weights) => {
                    self.class_weights = Some(ClassWeights::Each(weights));
                    Ok(())
                }
                Err(_) => {
                    let empty = (0..names.len()).find(|&c| labels.iter().all(|&l| l as usize != c));
                    let what = texts.fill("train.empty_class", &[("class", &empty.map_or("", |c| &names[c]))]);
                    wrong("class_weights", what, "train.empty_class.fix")
                }
            },
            _ => Ok(()),
        }
    }

    /// Checks what needs the data but not the layers: watched numbers, images.
    pub(super) fn check_data(&self, texts: &Texts, source: &Source, data: &Loaded) -> Result<(), Report> {
        let known = monitors(&self.metrics(&Target::of(data)), data.validation.is_some());
        let watched = self.reduce_on_plateau.as_ref().and_then(|p| p.monitor.as_deref());
        if let Some(name) = watched.filter(|name| known.iter().all(|(n, _)| n != name)) {
            return Err(unknown_monitor(texts, source, "reduce_on_plateau.monitor", name, &known));
        }
        if self.augment.is_some() && data.preprocessing.shape.len() != 3 {
            let what = texts.fill("train.no_images", &[("shape", &format!("{:?}", data.preprocessing.shape))]);
            return Err(source.report(texts, "augment", &what, &texts.get("train.no_images.fix")));
        }
        Ok(())
    }

    /// Whether the optimizer scales its steps itself, so that small rates suit it.
    pub(super) fn is_adaptive(&self) -> bool {
        matches!(self.optimizer, Optimizer::Adam { .. } | Optimizer::AdamW { .. } | Optimizer::RmsProp { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn class_weights_are_a_word_or_a_list() {
        #[derive(Serialize, Deserialize, PartialEq, Debug)]
        struct File {
            class_weights: ClassWeights,
        }
        for (text, want) in [
            ("class_weights = \"balanced\"\n", ClassWeights::Balanced),
            ("class_weights = [1.0, 2.5]\n", ClassWeights::Each(vec![1.0, 2.5])),
        ] {
            let file: File = toml::from_str(text).unwrap();
            assert_eq!(file.class_weights, want);
            assert_eq!(toml::to_string(&file).unwrap(), text);
        }
        let e = toml::from_str::<File>("class_weights = \"balance\"").unwrap_err();
        assert_eq!(e.message(), "unknown variant `balance`, expected `balanced`");
    }

    #[test]
    fn monitors_have_the_names_of_the_metrics_file() {
        let metrics = [Metric::Accuracy];
        for (name, want) in [
            ("loss", Some(Monitor::Loss)),
            ("val_loss", Some(Monitor::ValidationLoss)),
            ("accuracy", Some(Monitor::Metric(Metric::Accuracy))),
            ("val_accuracy", Some(Monitor::ValidationMetric(Metric::Accuracy))),
            ("mae", None),
            ("val_", None),
        ] {
            assert_eq!(monitor(name, &metrics), want, "{name}");
        }
        let names: Vec<String> = monitors(&metrics, true).into_iter().map(|(n, _)| n).collect();
        assert_eq!(names, ["loss", "accuracy", "val_loss", "val_accuracy"]);
    }
}
