//! The transport equation: exact solution, the upwind scheme as the rival that one would otherwise use, and a trained network's.

use super::Studio;
use super::answer::{Answer, Speak, body, compute, fine};
use super::tasks::known;
use crate::Texts;
use crate::commands::pinn::Trained;
use crate::report::{Exit, Report};
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::routing::post;
use axum::{Json, Router};
use pinn::{Grid, Transport, difference, relative_l2, upwind};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// Points along each axis.
const SIDE: usize = 65;
/// Addresses below `/api/transport`.
pub fn routes() -> Router<Arc<Studio>> {
    Router::new().route("/", post(fields))
}

/// An equation, or a run that solved one.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    speed: f64,
    length: f64,
    run: Option<String>,
}

async fn fields(State(studio): State<Arc<Studio>>, Speak(texts): Speak, question: Result<Json<Question>, JsonRejection>) -> Answer {
    let question = body(&texts, question)?;
    Ok(Json(compute(&studio, &texts, move |_| answer(&texts, &question)).await?))
}

fn answer(texts: &Texts, q: &Question) -> Result<Value, Report> {
    let (problem, network) = match &q.run {
        None => (Transport { speed: q.speed, length: q.length }, None),
        Some(run) => {
            let folder = known(texts, run)?;
            let trained = Trained::open(texts, folder.path())?.ok_or_else(|| {
                let what = texts.fill("run.other_kind", &[("path", &folder.path().display()), ("kind", &"?")]);
                Report::new(Exit::Data, what, "", texts.get("run.other_kind.fix"))
            })?;
            let (problem, grid) = trained.grid(SIDE)?;
            (problem, Some(grid))
        }
    };
    if !(problem.speed.is_finite() && problem.length.is_finite() && problem.length > 0.0) {
        return Err(Report::new(
            Exit::Usage,
            texts.fill("pinn.setting", &[("name", &"length"), ("value", &problem.length)]),
            "",
            texts.get("allowed.positive"),
        ));
    }
    let exact = Grid::new(&problem, SIDE).exact;
    let upwind = upwind(&problem, SIDE);
    let fine = |v: &[f64]| v.iter().map(|x| fine(*x)).collect::<Vec<f64>>();
    let solution = network.as_ref().map(|g| {
        let difference = difference(&g.solution, &g.exact);
        json!({ "values": fine(&g.solution), "difference": fine(&difference), "relative_l2": g.relative_l2(), "max_error": g.max_error() })
    });
    let rival = upwind.map(|v| json!({ "relative_l2": relative_l2(&v, &exact), "values": fine(&v) }));
    Ok(json!({
        "side": SIDE, "speed": problem.speed, "length": problem.length, "exact": fine(&exact), "network": solution, "upwind": rival,
    }))
}
