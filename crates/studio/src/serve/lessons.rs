//! The lessons: what the commands `backprop`, `descend`, `neuron`, `losses` and `playground` compute, for pages.

mod train;

use super::Studio;
use super::answer::{Answer, Speak, body, compute, spoken};
use crate::commands::{activations, descend as descent, formula, losses as fits};
use crate::report::{Exit, Report};
use crate::{Texts, failure};
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::routing::post;
use axum::{Json, Router};
use lessons::activations::{at, curve, neuron as one_neuron};
use lessons::descend::{Settings, Surface, descend, optimizer, view};
use lessons::layout::layout;
use lessons::losses::{self, Line};
use lessons::{Expression, backprop};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

pub use train::Trainings;

/// Addresses below `/api/lessons`.
pub fn routes() -> Router<Arc<Studio>> {
    Router::new()
        .route("/backprop", post(rows))
        .route("/descent", post(paths))
        .route("/neuron", post(neuron))
        .route("/losses", post(lines))
        .route("/entropy", post(entropy))
        .merge(train::routes())
}

type Asked<T> = Result<Json<T>, JsonRejection>;

/// A formula and a point, as on the command line: `x=6,y=2`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Formula {
    expression: String,
    at: String,
}

/// The items of a point that is written as one text.
fn items(text: &str) -> Vec<String> {
    text.split(',').filter(|t| !t.trim().is_empty()).map(str::to_string).collect()
}

async fn rows(State(studio): State<Arc<Studio>>, Speak(texts): Speak, asked: Asked<Formula>) -> Answer {
    let Formula { expression, at } = body(&texts, asked)?;
    let value = compute(&studio, &texts, move |_| {
        let f = formula::read(&texts, &expression)?;
        let at = formula::point(&texts, &f, "--at", &items(&at))?;
        let trace = backprop::trace(&f, &at).map_err(|e| formula::failed(&texts, &e))?;
        Ok(json!({ "layout": layout(&trace), "trace": trace }))
    });
    Ok(Json(value.await?))
}

/// A descent with one or several optimizers.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Descents {
    expression: String,
    from: String,
    optimizers: Vec<String>,
    learning_rate: f64,
    momentum: f64,
    steps: usize,
}

/// Most steps that a page shows.
const STEPS: usize = 300;

async fn paths(State(studio): State<Arc<Studio>>, Speak(texts): Speak, asked: Asked<Descents>) -> Answer {
    let asked = body(&texts, asked)?;
    Ok(Json(compute(&studio, &texts, move |_| descended(&texts, &asked)).await?))
}

fn descended(texts: &Texts, asked: &Descents) -> Result<Value, Report> {
    let fail = |e| formula::failed(texts, &e);
    let f = formula::read(texts, &asked.expression)?;
    let start = formula::point(texts, &f, "--from", &items(&asked.from))?;
    let mut found = vec![];
    for name in asked.optimizers.iter().take(lessons::descend::OPTIMIZERS.len()) {
        let bad = || {
            let what = texts.fill("usage.bad_value", &[("value", name), ("arg", &"--optimizer")]);
            let names = lessons::descend::OPTIMIZERS.join(", ");
            Report::new(Exit::Usage, what, "", texts.fill("descend.optimizers", &[("names", &names)]))
        };
        let optimizer = optimizer(name, asked.momentum.clamp(0.0, 0.999)).ok_or_else(bad)?;
        let settings = Settings { optimizer, learning_rate: asked.learning_rate, steps: asked.steps.min(STEPS), start: start.clone() };
        found.push((name, descend(&f, &settings).map_err(fail)?));
    }
    let descents: Vec<_> = found.iter().map(|(_, d)| d.clone()).collect();
    let view = if descents.is_empty() { start.iter().map(|x| (x - 3.0, x + 3.0)).collect() } else { view(&descents) };
    let surface = Surface::new(&f, &view, if view.len() == 1 { 301 } else { 61 }).map_err(fail)?;
    let each: Vec<Value> = found
        .iter()
        .map(|(name, d)| {
            let (why, fix) = match &d.end {
                lessons::descend::End::Diverged { why } => descent::reason(texts, why),
                _ => Default::default(),
            };
            json!({
                "name": name, "descent": d, "kind": descent::kind(texts, &d.end), "end": spoken(texts, &descent::end(texts, &f, d)),
                "why": spoken(texts, &why), "fix": spoken(texts, &fix), "curvature": descent::curvature(texts, d).map(|c| spoken(texts, &c)),
            })
        })
        .collect();
    Ok(json!({ "variables": f.variables(), "start": start, "surface": surface, "descents": each }))
}

/// A neuron of two inputs.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wired {
    activation: String,
    inputs: [f64; 2],
    weights: [f64; 2],
    bias: f64,
}

/// Where the curve of an activation ends, how many points it has, and the cells along each side of a neuron's map.
const REACH: f64 = 6.0;
const POINTS: usize = 241;
const CELLS: usize = 30;

async fn neuron(State(studio): State<Arc<Studio>>, Speak(texts): Speak, asked: Asked<Wired>) -> Answer {
    let w = body(&texts, asked)?;
    let value = compute(&studio, &texts, move |_| {
        let fail = |e| formula::failed(&texts, &e);
        let about = activations::find(&texts, &w.activation, "--activation")?;
        let n = one_neuron(about.activation, &w.inputs, &w.weights, w.bias).map_err(fail)?;
        let curve = curve(about, -REACH, REACH, POINTS).map_err(fail)?;
        let centre = |i: usize| 3.0 * ((2 * i + 1) as f64 / CELLS as f64 - 1.0);
        let sums: Vec<f64> =
            (0..CELLS * CELLS).map(|k| w.weights[0] * centre(k % CELLS) + w.weights[1] * centre(k / CELLS) + w.bias).collect();
        let map: Vec<f64> = at(about.activation, &sums).map_err(fail)?.iter().map(|p| p.value).collect();
        let saturation = spoken(&texts, &activations::saturation(&texts, &curve));
        Ok(json!({ "neuron": n, "curve": curve, "saturation": saturation, "map": { "cells": CELLS, "reach": 3.0, "values": map } }))
    });
    Ok(Json(value.await?))
}

/// Points, and a line to judge.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fitted {
    points: String,
    slope: f64,
    intercept: f64,
    delta: f64,
}

async fn lines(State(studio): State<Arc<Studio>>, Speak(texts): Speak, asked: Asked<Fitted>) -> Answer {
    let asked = body(&texts, asked)?;
    let value = compute(&studio, &texts, move |_| {
        let fail = |e| formula::failed(&texts, &e);
        let points = fits::points(&texts, &asked.points)?;
        let line = losses::regression(&points, Line { slope: asked.slope, intercept: asked.intercept }, asked.delta).map_err(fail)?;
        let best = losses::best(&points, asked.delta).map_err(fail)?;
        let reach = line.residuals.iter().fold(3.0, |r: f64, e| r.max(1.1 * e.abs()));
        let curves = losses::residual_curves(asked.delta, reach, 201).map_err(fail)?;
        Ok(json!({ "points": points, "line": line, "best": best, "curves": curves }))
    });
    Ok(Json(value.await?))
}

/// Logits, and which class is right.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Logits {
    logits: String,
    class: usize,
}

async fn entropy(State(studio): State<Arc<Studio>>, Speak(texts): Speak, asked: Asked<Logits>) -> Answer {
    let asked = body(&texts, asked)?;
    let value = compute(&studio, &texts, move |_| {
        let fail = |e| formula::failed(&texts, &e);
        let number = |item: &str| Expression::parse(item).ok().and_then(|f| f.constant());
        let logits: Vec<f64> = asked.logits.split(',').map(|i| number(i).unwrap_or(f64::NAN)).take(1001).collect();
        let entropy = losses::cross_entropy(&logits, asked.class).map_err(fail)?;
        Ok(json!({ "entropy": entropy, "curves": losses::logit_curves(6.0, 121).map_err(fail)? }))
    });
    Ok(Json(value.await?))
}

/// An error of a training as a report.
fn trained(texts: &Texts) -> impl Fn(neurona::Error) -> Report + '_ {
    |e| failure::report(texts, &e)
}
