//! Equations: the gallery, a text that is being written, and what a run has found.

use super::Studio;
use super::answer::{Answer, Speak, body, compute, fine};
use super::tasks::{Stamp, known, samples};
use crate::Texts;
use crate::commands::solve::{self, KIND, Solution};
use crate::equations::{Example, GALLERY};
use crate::report::{Exit, Report};
use crate::run::{CONFIG, RunFolder, SAMPLES, STATE};
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use pinn::difference;
use pinn::solve::{File, Problem, Reference, Solved};
use serde::Deserialize;
use serde_json::{Value, json};
use std::path::Component;
use std::sync::{Arc, Mutex, PoisonError};

/// Places along each variable that a page gets at most, of problems in one, two, three and four variables.
const PLACES: [usize; 4] = [2_001, 129, 41, 17];
/// Scattered points that a page gets at most.
const POINTS: usize = 4_000;
/// Solutions that are kept.
const KEPT: usize = 4;

/// Solutions as pages get them, the newest last: they take a while to compute.
#[derive(Default)]
pub struct Solutions(Mutex<Vec<(Stamp, Value)>>);

/// Addresses below `/api/equations`.
pub fn routes() -> Router<Arc<Studio>> {
    Router::new().route("/", get(gallery)).route("/check", post(check)).route("/runs/{name}", get(run))
}

async fn gallery(Speak(texts): Speak) -> Json<Value> {
    let one = |e: &Example| json!({ "name": e.name, "title": e.title(&texts), "text": e.text });
    Json(GALLERY.iter().map(one).collect())
}

/// A text that is to be an equation.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    name: String,
    text: String,
}

async fn check(State(studio): State<Arc<Studio>>, Speak(texts): Speak, question: Result<Json<Question>, JsonRejection>) -> Answer {
    let Question { name, text } = body(&texts, question)?;
    let value = compute(&studio, &texts, move |_| {
        // A mistake is what is asked for here: an answer like any other.
        let problem = match problem(&texts, named(&name), &text) {
            Err(r) if r.exit == Exit::Config => return Ok(json!({ "mistake": { "what": r.what, "why": r.why, "fix": r.fix } })),
            other => other?,
        };
        let axes: Vec<Value> = problem.axes.iter().map(|a| json!({ "name": a.name, "low": a.low, "high": a.high })).collect();
        let graded = problem.solution.iter().any(Option::is_some) || problem.file.reference.is_some();
        let steps = problem.file.windows as u64 * problem.file.stages.iter().map(|s| s.steps).sum::<u64>();
        let samples = std::path::Path::new(SAMPLES);
        let absent = Reference::absent(&problem, samples).map(|p| p.strip_prefix(samples).map(Into::into).unwrap_or(p));
        Ok(json!({
            "axes": axes, "unknowns": problem.file.unknowns, "steps": steps, "graded": graded,
            "absent": absent,
        }))
    });
    Ok(Json(value.await?))
}

/// What runs of an equation are called: as in the gallery, or simply an equation.
pub fn named(name: &str) -> &'static str {
    Example::of(name).map_or("equation", |e| e.name)
}

/// The problem of a text that a page has sent.
///
/// # Errors
/// An entry that cannot be used (3).
pub fn problem(texts: &Texts, name: &str, text: &str) -> Result<Problem, Report> {
    samples(texts)?;
    solve::check(texts, (&format!("{name}.toml"), text), std::path::Path::new(SAMPLES), |file| harmless(texts, file))
}

/// A page may name files of the server's folder, and those that the gallery names: nothing else is read for it.
fn harmless(texts: &Texts, file: &File) -> Result<(), Report> {
    let reference = file.reference.iter().flat_map(|r| [&r.file].into_iter().chain(r.places.values()));
    let named = reference.chain(file.data.iter().filter_map(|d| d.file.as_ref()));
    let outside = named.into_iter().find(|f| !stays(f) && !GALLERY.iter().any(|e| e.text.contains(&format!("\"{f}\""))));
    outside.map_or(Ok(()), |f| {
        let what = texts.fill("web.equations.outside", &[("path", f)]);
        Err(Report::new(Exit::Config, what, "", texts.get("web.equations.outside.fix")))
    })
}

/// Whether a path that counts from the folder of samples stays in the server's.
fn stays(path: &str) -> bool {
    let mut depth = SAMPLES.split('/').count();
    std::path::Path::new(path).components().all(|part| match part {
        Component::Normal(_) => {
            depth += 1;
            true
        }
        Component::CurDir => true,
        Component::ParentDir if depth > 0 => {
            depth -= 1;
            true
        }
        _ => false,
    })
}

/// The solution of a run, as of its last save.
async fn run(State(studio): State<Arc<Studio>>, Speak(texts): Speak, Path(name): Path<String>) -> Answer {
    let value = compute(&studio, &texts, move |studio| {
        let folder = known(&texts, &name)?;
        let saved = std::fs::metadata(folder.file(STATE)).and_then(|m| m.modified()).ok();
        studio.solutions.of((name, saved), || answer(&texts, &folder))
    });
    Ok(Json(value.await?))
}

impl Solutions {
    fn of(&self, key: Stamp, make: impl FnOnce() -> Result<Value, Report>) -> Result<Value, Report> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, value)) = all.iter().find(|(k, _)| *k == key) {
            return Ok(value.clone());
        }
        let value = make()?;
        all.retain(|(k, _)| k.0 != key.0);
        if all.len() >= KEPT {
            all.remove(0);
        }
        all.push((key, value.clone()));
        Ok(value)
    }
}

fn answer(texts: &Texts, folder: &RunFolder) -> Result<Value, Report> {
    let kind = crate::commands::resume::kind(folder)?;
    if kind != KIND {
        let what = texts.fill("run.other_kind", &[("path", &folder.path().display()), ("kind", &kind)]);
        return Err(Report::new(Exit::Data, what, "", texts.get("run.other_kind.fix")));
    }
    let Solution { problem, solved, losses, step } = Solution::open(texts, folder)?;
    let unknowns: Vec<Value> = (0..problem.file.unknowns.len()).map(|i| unknown(&problem, &solved, i)).collect();
    let fitted: Vec<Value> = solved.fitted.iter().map(|f| json!({ "name": f.name, "value": f.value, "deviation": f.deviation })).collect();
    let name = folder.name();
    let written = std::fs::read_to_string(std::path::Path::new(SAMPLES).join(format!("{name}.toml"))); // with its remarks
    Ok(json!({
        "run": name, "step": step, "text": written.or_else(|_| folder.read(CONFIG))?, "losses": losses, "unknowns": unknowns,
        "axes": problem.axes.iter().map(|a| &a.name).collect::<Vec<_>>(), "fitted": fitted, "residuals": solved.residuals,
        "doubtful": solved.is_doubtful(),
    }))
}

/// An unknown on a grid, what is known of it there or at scattered points, and how far apart they are.
fn unknown(problem: &Problem, solved: &Solved, i: usize) -> Value {
    let known = || solved.known.iter().filter(|(k, _)| k.unknown == i);
    let grid = known().find(|(k, _)| k.places.is_some());
    let all = grid.and_then(|(k, _)| k.places.as_ref()).unwrap_or(&solved.places);
    let values = grid.map_or(&solved.values[i], |(_, v)| v);
    let (places, kept) = thinned(all);
    let pick = |v: &[f64]| kept.iter().map(|&j| fine(v[j])).collect::<Vec<f64>>();
    let scattered = known().find(|(k, _)| k.places.is_none()).map(|(k, v)| {
        let some: Vec<usize> = (0..v.len()).step_by(v.len().div_ceil(POINTS).max(1)).collect();
        let of = |v: &[f64]| some.iter().map(|&j| fine(v[j])).collect::<Vec<f64>>();
        json!({ "points": k.points.iter().map(|c| of(c)).collect::<Vec<_>>(), "exact": of(&k.values), "difference": of(&difference(v, &k.values)) })
    });
    let distance = solved.distances.iter().find(|d| d.unknown == i);
    json!({
        "name": problem.file.unknowns[i], "places": places, "values": pick(values), "exact": grid.map(|(k, _)| pick(&k.values)),
        "difference": grid.map(|(k, v)| pick(&difference(v, &k.values))), "scattered": scattered, "relative_l2": distance.map(|d| d.relative_l2), "max_error": distance.map(|d| d.max_error),
    })
}

/// Some of the places along each variable, ends included, and where the values there stand among all (the last variable fastest).
fn thinned(all: &[Vec<f64>]) -> (Vec<Vec<f64>>, Vec<usize>) {
    let most = PLACES[all.len().clamp(1, PLACES.len()) - 1];
    let chosen = |n: usize| {
        let m = n.min(most);
        (0..m).map(|i| if m < 2 { 0 } else { i * (n - 1) / (m - 1) }).collect::<Vec<usize>>()
    };
    let kept: Vec<Vec<usize>> = all.iter().map(|p| chosen(p.len())).collect();
    let grow = |at: Vec<usize>, (k, p): (&Vec<usize>, &Vec<f64>)| at.iter().flat_map(|a| k.iter().map(move |j| a * p.len() + j)).collect();
    let at = kept.iter().zip(all).fold(vec![0], grow);
    (kept.iter().zip(all).map(|(k, p)| k.iter().map(|&j| p[j]).collect()).collect(), at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grids_are_thinned_with_their_ends() {
        let axis = |n: usize| (0..n).map(|i| i as f64).collect::<Vec<f64>>();
        let (places, at) = thinned(&[axis(257), axis(3)]);
        assert_eq!((places[0].len(), places[0][128], places[1].len(), at.len()), (129, 256.0, 3, 387));
        assert_eq!((at[0], at[1], at[3], at[386]), (0, 1, 6, 256 * 3 + 2));
    }

    #[test]
    fn pages_name_no_file_outside_the_folder() {
        for inside in ["a.csv", "../../a.csv", "../spirals.csv", "./x/../a.npy"] {
            assert!(stays(inside), "{inside}");
        }
        for outside in ["/etc/passwd", "../../../a.csv", "../../x/../../a"] {
            assert!(!stays(outside), "{outside}");
        }
    }
}
