//! Whether layers, loss and data fit each other: before anything is trained.

use super::{Network, Target};
use crate::config::Source;
use crate::failure;
use crate::{Exit, Report, Texts};
use neurona::layers::Layer;
use neurona::{Activation, Loss, Summary};

/// Layers, loss and target.
pub fn model(texts: &Texts, source: &Source, net: &Network, input: &[usize], target: &Target) -> Result<Summary, Report> {
    let summary = Summary::new(&net.model(input)).map_err(|e| match e {
        neurona::Error::Model(e) => Report::new(Exit::Config, texts.get("train.layers_wrong"), e.to_string(), ""),
        e => failure::report(texts, &e),
    })?;
    let output = summary.rows.last().map_or(input, |row| &row.output[..]);
    loss(texts, source, net, target)?;
    let units = match (target, net.loss(target)) {
        (Target::Classes(2), Loss::BinaryCrossEntropy { .. }) => vec![1],
        (Target::Classes(n), _) => vec![*n],
        (Target::Values(shape), _) => shape.clone(),
    };
    // A number per row may be written with or without an axis of its own.
    let bare = |shape: &[usize]| match shape {
        [rest @ .., 1] => rest.to_vec(),
        all => all.to_vec(),
    };
    if bare(output) == bare(&units) {
        return Ok(summary);
    }
    let (what, fix) = match target {
        Target::Classes(n) => ("train.units_classes", texts.fill("train.units_fix", &[("units", n)])),
        Target::Values(shape) => match shape[..] {
            [n] => ("train.units_values", texts.fill("train.units_fix", &[("units", &n)])),
            _ => ("train.units_values", texts.fill("train.shape_fix", &[("shape", &format!("{shape:?}"))])),
        },
    };
    let wanted: &dyn std::fmt::Display = match target {
        Target::Classes(n) => n,
        Target::Values(shape) => &format!("{shape:?}"),
    };
    let what = texts.fill(what, &[("output", &format!("{output:?}")), ("wanted", wanted)]);
    let last = net.layers.iter().rposition(|l| matches!(l, Layer::Dense(_))).unwrap_or(net.layers.len() - 1);
    Err(source.report(texts, &format!("layers.{last}.units"), &what, &fix))
}

/// Whether the loss is made for such a target, and for what the last layer gives.
fn loss(texts: &Texts, source: &Source, net: &Network, target: &Target) -> Result<(), Report> {
    let loss = net.loss(target);
    let wrong = |what: &str, fix: &str| {
        let what = texts.fill(what, &[("loss", &loss.name())]);
        Err(source.report(texts, "loss", &what, &texts.fill(fix, &[("loss", &loss.name())])))
    };
    match (target, loss) {
        (Target::Values(_), Loss::SparseCategoricalCrossEntropy { .. }) => return wrong("train.loss_for_classes", "train.loss_values_fix"),
        (Target::Classes(_), Loss::Mse | Loss::Mae | Loss::Huber { .. }) => {
            return wrong("train.loss_for_values", "train.loss_classes_fix");
        }
        (Target::Classes(_), Loss::CategoricalCrossEntropy { .. }) => return wrong("train.loss_for_shares", "train.loss_classes_fix"),
        (Target::Classes(n), Loss::BinaryCrossEntropy { .. }) if *n != 2 => return wrong("train.loss_for_two", "train.loss_classes_fix"),
        (_, Loss::Mse | Loss::Mae | Loss::Huber { .. }) => return Ok(()),
        _ => {}
    }
    let probabilities = matches!(last_activation(&net.layers), Some(Activation::Softmax | Activation::Sigmoid));
    match (loss.from_logits(), probabilities) {
        (true, true) => wrong("train.loss_of_logits", "train.logits_fix"),
        (false, false) => wrong("train.loss_of_probabilities", "train.probabilities_fix"),
        _ => Ok(()),
    }
}

/// The activation that the predictions come out of.
fn last_activation(layers: &[Layer]) -> Option<Activation> {
    layers.iter().rev().find_map(|layer| match layer {
        Layer::Dense(l) => Some(l.activation),
        Layer::Conv2d(l) => Some(l.activation),
        Layer::Activation(l) => Some(l.function),
        Layer::Rescale(_) => Some(Activation::Linear),
        _ => None,
    })
}
