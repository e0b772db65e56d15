//! Runs: the list, one run with its files, several side by side, what a network is made of, how good it is.

use super::answer::{Answer, Refused, Speak, compute};
use super::assets::media_type;
use super::tasks::known;
use super::{Studio, command, live};
use crate::Texts;
use crate::report::Report;
use crate::run::{BEST, LAST, RunFolder};
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use safetensors::{Dtype, SafeTensors};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// Runs that can be compared at once.
const SIDE_BY_SIDE: usize = 8;
/// Largest file that is read for the page, in bytes.
const LARGEST: u64 = 256 * 1024 * 1024;
/// Bars of a histogram.
const BARS: usize = 41;
/// Rows and columns of a matrix that are shown.
const SIDE: usize = 64;

/// Addresses below `/api/runs`.
pub fn routes() -> Router<Arc<Studio>> {
    Router::new()
        .route("/", get(list))
        .route("/compare", get(compare))
        .route("/{name}", get(one).delete(remove))
        .route("/{name}/events", get(live::events))
        .route("/{name}/evaluation", get(evaluation))
        .route("/{name}/summary", get(summary))
        .route("/{name}/weights", get(weights))
        .route("/{name}/files/{file}", get(file))
}

fn path(folder: &RunFolder) -> String {
    folder.path().display().to_string()
}

async fn list(State(studio): State<Arc<Studio>>, Speak(texts): Speak) -> Answer {
    Ok(Json(compute(&studio, &texts, move |_| command::json(&texts, &["runs", "ls"])).await?))
}

/// What the command says of one run, its metrics and its files.
async fn one(State(studio): State<Arc<Studio>>, Speak(texts): Speak, Path(name): Path<String>) -> Answer {
    let value = compute(&studio, &texts, move |_| {
        let folder = known(&texts, &name)?;
        let mut run = command::json(&texts, &["runs", "show", &path(&folder)])?;
        let metrics: Vec<Value> = live::lines(&folder).iter().filter_map(|l| serde_json::from_str(l).ok()).collect();
        run["files"] = json!(files(&folder).into_iter().map(|(name, bytes)| json!({ "name": name, "bytes": bytes })).collect::<Vec<_>>());
        run["history"] = json!(metrics);
        Ok(run)
    });
    Ok(Json(value.await?))
}

async fn remove(State(studio): State<Arc<Studio>>, Speak(texts): Speak, Path(name): Path<String>) -> Answer {
    let value = compute(&studio, &texts, move |_| command::json(&texts, &["runs", "rm", &path(&known(&texts, &name)?)]));
    Ok(Json(value.await?))
}

async fn evaluation(State(studio): State<Arc<Studio>>, Speak(texts): Speak, Path(name): Path<String>) -> Answer {
    let value = compute(&studio, &texts, move |_| command::json(&texts, &["eval", &path(&known(&texts, &name)?)]));
    Ok(Json(value.await?))
}

async fn summary(State(studio): State<Arc<Studio>>, Speak(texts): Speak, Path(name): Path<String>) -> Answer {
    let value = compute(&studio, &texts, move |_| command::json(&texts, &["summary", &path(&known(&texts, &name)?)]));
    Ok(Json(value.await?))
}

/// Names of runs, with commas between them.
#[derive(Deserialize)]
struct Names {
    runs: String,
}

async fn compare(State(studio): State<Arc<Studio>>, Speak(texts): Speak, Query(names): Query<Names>) -> Answer {
    let value = compute(&studio, &texts, move |_| {
        let folders = names.runs.split(',').take(SIDE_BY_SIDE).map(|n| known(&texts, n)).collect::<Result<Vec<_>, _>>()?;
        let paths: Vec<String> = folders.iter().map(path).collect();
        let words: Vec<&str> = ["runs", "compare"].into_iter().chain(paths.iter().map(String::as_str)).collect();
        command::json(&texts, &words)
    });
    Ok(Json(value.await?))
}

/// The files that a run shows, with their sizes: no hidden ones, no folders, no links.
fn files(folder: &RunFolder) -> Vec<(String, u64)> {
    let entries = std::fs::read_dir(folder.path()).into_iter().flatten().flatten();
    let plain = entries.filter(|e| e.file_type().is_ok_and(|t| t.is_file()));
    let named = plain.filter_map(|e| Some((e.file_name().into_string().ok()?, e.metadata().ok()?.len())));
    let mut all: Vec<(String, u64)> = named.filter(|(name, _)| !name.starts_with('.')).collect();
    all.sort();
    all
}

/// A file of a run. It may hold anything: the browser must not let it do anything in our name.
async fn file(
    State(studio): State<Arc<Studio>>,
    Speak(texts): Speak,
    Path((name, file)): Path<(String, String)>,
) -> Result<Response, Refused> {
    let found = compute(&studio, &texts, move |_| {
        let folder = known(&texts, &name)?;
        let listed = files(&folder).into_iter().find(|(name, bytes)| *name == file && *bytes <= LARGEST);
        Ok(listed.and_then(|(name, _)| Some((std::fs::read(folder.file(&name)).ok()?, name))))
    });
    let Some((bytes, name)) = found.await? else {
        return Err(Refused::new(StatusCode::NOT_FOUND, texts.get("web.ui.nowhere"), texts.get("web.ui.nowhere.fix")));
    };
    let headers = [
        (header::CONTENT_TYPE, media_type(&name)),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox"),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    Ok((headers, bytes).into_response())
}

/// The weights of a run: of each tensor its shape, the spread of its numbers, and what fits of it as a matrix.
async fn weights(State(studio): State<Arc<Studio>>, Speak(texts): Speak, Path(name): Path<String>) -> Answer {
    Ok(Json(compute(&studio, &texts, move |_| tensors(&texts, &known(&texts, &name)?)).await?))
}

fn tensors(texts: &Texts, folder: &RunFolder) -> Result<Value, Report> {
    let exists = |name: &&str| std::fs::metadata(folder.file(name)).is_ok_and(|m| m.len() <= LARGEST);
    let Some(file) = [BEST, LAST].into_iter().find(exists) else {
        let what = texts.fill("run.no_weights", &[("path", &folder.path().display())]);
        return Err(Report::new(crate::Exit::Data, what, "", texts.get("run.no_weights.fix")));
    };
    let bytes = std::fs::read(folder.file(file)).map_err(|e| folder.unreadable(file, &e.to_string()))?;
    let all = SafeTensors::deserialize(&bytes).map_err(|e| folder.unreadable(file, &e.to_string()))?;
    let mut named: Vec<_> = all.iter().filter(|(_, t)| t.dtype() == Dtype::F32).collect();
    named.sort_by_key(|(name, _)| natural(name));
    let list: Vec<Value> = named.into_iter().map(|(name, t)| describe(name, t.shape(), t.data())).collect();
    Ok(json!({ "file": file, "tensors": list }))
}

/// A name with its numbers filled up, so that layer 10 comes after layer 9.
fn natural(name: &str) -> String {
    let mut out = String::new();
    let mut digits = String::new();
    for c in name.chars().chain([' ']) {
        match c.is_ascii_digit() {
            true => digits.push(c),
            false => {
                out.push_str(&format!("{digits:0>8}"));
                digits.clear();
                out.push(c);
            }
        }
    }
    out
}

fn describe(name: &str, shape: &[usize], data: &[u8]) -> Value {
    let values: Vec<f32> = data.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
    let n = values.len().max(1) as f64;
    let mean = values.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
    let variance = values.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>() / n;
    let (low, high) = values.iter().fold((f32::INFINITY, f32::NEG_INFINITY), |(l, h), &v| (l.min(v), h.max(v)));
    let mut counts = vec![0usize; BARS];
    let width = f64::from(high - low).max(f64::MIN_POSITIVE);
    for &v in values.iter().filter(|v| v.is_finite()) {
        counts[((f64::from(v - low) / width * BARS as f64) as usize).min(BARS - 1)] += 1;
    }
    // As a matrix: the last axis across, all others down; what does not fit is left out.
    let across = shape.last().copied().unwrap_or(1).max(1);
    let rows: Vec<&[f32]> = values.chunks(across).take(SIDE).map(|r| &r[..r.len().min(SIDE)]).collect();
    json!({
        "name": name, "shape": shape, "count": values.len(), "mean": mean, "deviation": variance.sqrt(), "min": low, "max": high,
        "histogram": counts, "matrix": rows,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_are_in_their_order_and_tensors_are_described() {
        assert!(natural("dense_9/bias") < natural("dense_10/bias"));
        let data: Vec<u8> = [1.0f32, 2.0, 3.0, 6.0].iter().flat_map(|v| v.to_le_bytes()).collect();
        let t = describe("w", &[2, 2], &data);
        assert_eq!((t["mean"].as_f64(), t["count"].as_u64(), t["max"].as_f64()), (Some(3.0), Some(4), Some(6.0)));
        assert_eq!(t["matrix"], json!([[1.0, 2.0], [3.0, 6.0]]));
        let counts: Vec<u64> = t["histogram"].as_array().unwrap().iter().filter_map(Value::as_u64).collect();
        assert_eq!((counts.iter().sum::<u64>(), counts[0], counts[BARS - 1]), (4, 1, 1));
    }
}
