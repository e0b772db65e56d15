//! The playground: a page asks for some epochs more, and gets them with what the network answers everywhere.
//!
//! A question holds the whole training — points, settings, epochs so far — so that it can be answered by any server at any
//! time; networks in training are kept only to save doing it again.

use super::{Asked, Studio, trained};
use crate::Texts;
use crate::commands::activations;
use crate::report::{Exit, Report};
use crate::serve::answer::{Answer, Speak, body, compute};
use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use lessons::descend::optimizer;
use lessons::playground::{Feature, Playground, Points, Settings, explore};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// Networks that are kept.
const KEPT: usize = 32;
/// Most epochs that one question trains, most in all, and most points times epochs of a question.
const AT_ONCE: usize = 200;
const LONGEST: usize = 3000;
const WORK: usize = 3_000_000;
/// Cells along each side of the decision's map, and of each neuron's.
const CELLS: usize = 48;
const SMALL: usize = 20;

/// Networks in training, the last used last.
#[derive(Default)]
pub struct Trainings(Mutex<VecDeque<(String, Playground)>>);

pub fn routes() -> Router<Arc<Studio>> {
    Router::new().route("/train", post(train)).route("/rates", post(rates))
}

/// Points and network, as on the command line.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Network {
    /// A set that is drawn, or `own`.
    data: String,
    /// Lines `x,y,class`, for `own`.
    own: String,
    points: usize,
    noise: f64,
    test: f64,
    features: Vec<String>,
    hidden: Vec<usize>,
    activation: String,
    optimizer: String,
    learning_rate: f64,
    batch: usize,
    seed: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct More {
    network: Network,
    /// Epochs so far.
    epoch: usize,
    /// Epochs to train; 0 shows the network as it is.
    more: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Compared {
    network: Network,
    rates: Vec<f64>,
    batches: Vec<usize>,
    epochs: usize,
}

impl Network {
    fn points(&self, texts: &Texts) -> Result<Points, Report> {
        let points = match self.data.as_str() {
            "own" => Points::parse(&self.own),
            kind => Points::draw(kind, self.points.min(1000), self.noise, self.seed),
        };
        points.map_err(trained(texts))
    }

    fn settings(&self, texts: &Texts) -> Result<Settings, Report> {
        let bad = |value: &str, arg: &str| {
            let what = texts.fill("usage.bad_value", &[("value", &value), ("arg", &arg)]);
            Report::new(Exit::Usage, what, "", texts.get("usage.see_help"))
        };
        let features = self.features.iter().map(|n| Feature::of(n).ok_or_else(|| bad(n, "--features")));
        Ok(Settings {
            hidden: self.hidden.clone(),
            activation: activations::find(texts, &self.activation, "--activation")?.activation,
            features: features.collect::<Result<_, _>>()?,
            optimizer: optimizer(&self.optimizer, 0.9).ok_or_else(|| bad(&self.optimizer, "--optimizer"))?,
            learning_rate: self.learning_rate,
            batch: self.batch,
            test_share: self.test,
            seed: self.seed,
        })
    }
}

async fn train(State(studio): State<Arc<Studio>>, Speak(texts): Speak, asked: Asked<More>) -> Answer {
    let asked = body(&texts, asked)?;
    Ok(Json(compute(&studio, &texts, move |studio| studio.trainings.go_on(&texts, &asked)).await?))
}

async fn rates(State(studio): State<Arc<Studio>>, Speak(texts): Speak, asked: Asked<Compared>) -> Answer {
    let asked = body(&texts, asked)?;
    let value = compute(&studio, &texts, move |_| {
        let (points, settings) = (asked.network.points(&texts)?, asked.network.settings(&texts)?);
        let pairs = asked.rates.len() * asked.batches.len();
        limit(&texts, pairs.saturating_mul(points.at.len()).saturating_mul(asked.epochs))?;
        let runs = explore(&points, &settings, &asked.rates, &asked.batches, asked.epochs).map_err(trained(&texts))?;
        Ok(json!({ "runs": runs }))
    });
    Ok(Json(value.await?))
}

/// Refuses what would keep others waiting.
fn limit(texts: &Texts, work: usize) -> Result<(), Report> {
    match work > WORK {
        true => Err(Report::new(Exit::Usage, texts.get("playground.too_much"), "", texts.get("playground.too_much.fix"))),
        false => Ok(()),
    }
}

impl Trainings {
    fn go_on(&self, texts: &Texts, asked: &More) -> Result<Value, Report> {
        let (points, settings) = (asked.network.points(texts)?, asked.network.settings(texts)?);
        let (more, whole) = (asked.more.min(AT_ONCE), asked.epoch.saturating_add(asked.more));
        limit(texts, points.at.len() * more)?;
        if whole > LONGEST {
            return Err(Report::new(Exit::Usage, texts.get("playground.too_much"), "", texts.get("playground.too_much.fix")));
        }
        let key = serde_json::to_string(&asked.network).unwrap_or_default();
        let kept = self.take(&key, asked.epoch);
        let mut net = match kept {
            Some(net) => net,
            None => {
                let mut net = Playground::new(&points, &settings).map_err(trained(texts))?;
                if asked.epoch > 0 {
                    limit(texts, points.at.len() * asked.epoch)?;
                    net.train(asked.epoch).map_err(trained(texts))?;
                }
                net
            }
        };
        let epochs = if more > 0 { net.train(more).map_err(trained(texts))? } else { vec![] };
        let (maps, small) = (net.maps(CELLS).map_err(trained(texts))?, net.maps(SMALL).map_err(trained(texts))?);
        let confusion = net.confusion().map_err(trained(texts))?;
        let answer = json!({
            "points": points, "held_out": net.held_out(), "iterations": net.iterations(), "epoch": net.epochs(), "epochs": epochs,
            "view": maps.view, "cells": CELLS, "decision": rounded(&maps.decision), "small": SMALL,
            "layers": small.layers.iter().map(|l| rounded(l)).collect::<Vec<_>>(),
            "parameters": net.parameters(), "confusion": confusion.counts,
        });
        self.keep(key, net);
        Ok(answer)
    }

    /// The kept network of this training, if it has done exactly these epochs.
    fn take(&self, key: &str, epoch: usize) -> Option<Playground> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = all.iter().position(|(k, net)| k == key && net.epochs() == epoch)?;
        all.remove(place).map(|(_, net)| net)
    }

    fn keep(&self, key: String, net: Playground) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= KEPT {
            all.pop_front();
        }
        all.push_back((key, net));
    }
}

/// Three decimals: a picture has no more.
fn rounded(maps: &[Vec<f32>]) -> Vec<Vec<f64>> {
    maps.iter().map(|m| m.iter().map(|x| (f64::from(*x) * 1e3).round() / 1e3).collect()).collect()
}
