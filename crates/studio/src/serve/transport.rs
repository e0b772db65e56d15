//! The transport equation: exact solution, the upwind scheme as the rival that one would otherwise use, and a trained network's.

use super::Studio;
use super::answer::{Answer, Speak, body, compute};
use super::tasks::known;
use crate::Texts;
use crate::commands::pinn::Trained;
use crate::report::{Exit, Report};
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::routing::post;
use axum::{Json, Router};
use pinn::{Grid, Transport, relative_l2};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// Points along each axis.
const SIDE: usize = 65;
/// Share of a cell that the solution moves in a step of the upwind scheme.
const COURANT: f64 = 0.9;
/// Steps of the upwind scheme: faster equations are not shown with it.
const STEPS: f64 = 1e5;

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
    let fine = |v: &[f64]| v.iter().map(|x| (x * 1e5).round() / 1e5).collect::<Vec<f64>>();
    let solution =
        network.as_ref().map(|g| json!({ "values": fine(&g.solution), "relative_l2": g.relative_l2(), "max_error": g.max_error() }));
    let rival = upwind.map(|v| json!({ "relative_l2": relative_l2(&v, &exact), "values": fine(&v) }));
    Ok(json!({
        "side": SIDE, "speed": problem.speed, "length": problem.length, "exact": fine(&exact), "network": solution, "upwind": rival,
    }))
}

/// φ on the grid by the upwind scheme (Courant, Isaacson and Rees 1952) with as many cells as the grid has, row by row of one time each;
/// none for a speed that needs too many steps.
fn upwind(problem: &Transport, side: usize) -> Option<Vec<f64>> {
    let cells = side - 1;
    let h = problem.length / cells as f64;
    let between = (problem.speed.abs() / cells as f64 / (COURANT * h)).ceil().max(1.0); // steps from one row to the next
    if between * cells as f64 > STEPS {
        return None;
    }
    let courant = problem.speed / cells as f64 / between / h;
    let mut now: Vec<f64> = (0..cells).map(|i| problem.initial(i as f64 * h)).collect();
    let mut all = vec![];
    for row in 0..side {
        if row > 0 {
            for _ in 0..between as usize {
                let step = |i: usize| {
                    let (left, right) = (now[(i + cells - 1) % cells], now[(i + 1) % cells]);
                    now[i] - if courant > 0.0 { courant * (now[i] - left) } else { courant * (right - now[i]) }
                };
                now = (0..cells).map(step).collect();
            }
        }
        all.extend(now.iter().chain(&now[..1])); // periodic: the last point is the first
    }
    Some(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_upwind_scheme_converges_to_the_exact_solution_from_both_sides() {
        for speed in [1.0, -0.7] {
            let problem = Transport { speed, length: 1.5 };
            let error = |side: usize| relative_l2(&upwind(&problem, side).unwrap(), &Grid::new(&problem, side).exact);
            let ratio = error(65) / error(129);
            assert!((1.5..2.5).contains(&ratio), "first order: {ratio}");
        }
        assert!(upwind(&Transport { speed: 1e9, length: 1.0 }, 65).is_none());
    }
}
