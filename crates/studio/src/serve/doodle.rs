//! Doodles: what the network sees of the strokes on a canvas, and what it takes them for.

use super::Studio;
use super::answer::{Answer, Speak, body, compute};
use super::tasks::{Stamp, chosen, finished};
use crate::commands::doodle::{is_recogniser, recogniser};
use crate::report::{Exit, Report};
use crate::{Texts, failure};
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::routing::{get, post};
use axum::{Json, Router};
use doodle::{Doodler, Stroke, bitmap};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex, PoisonError};

/// Guesses that are shown.
const TOP: usize = 5;

/// A network, and the run that it comes from, if not from the program.
type Kept = (Option<Stamp>, Box<Doodler>);

/// The network that was needed last.
#[derive(Default)]
pub struct Paper {
    doodler: Mutex<Option<Kept>>,
}

/// Addresses below `/api/doodle`.
pub fn routes() -> Router<Arc<Studio>> {
    Router::new().route("/", post(guess)).route("/runs", get(runs))
}

async fn runs(State(studio): State<Arc<Studio>>, Speak(texts): Speak) -> Answer {
    Ok(Json(compute(&studio, &texts, move |_| Ok(finished(&texts, |run, _| is_recogniser(run)).into())).await?))
}

/// Strokes in any scale; the limit of a body limits their points.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Drawing {
    strokes: Vec<Stroke>,
    /// The run whose network guesses; else the one that comes with the program.
    #[serde(default)]
    run: String,
}

async fn guess(State(studio): State<Arc<Studio>>, Speak(texts): Speak, drawing: Result<Json<Drawing>, JsonRejection>) -> Answer {
    let drawing = body(&texts, drawing)?;
    Ok(Json(compute(&studio, &texts, move |studio| studio.paper.guess(&texts, &drawing)).await?))
}

impl Paper {
    fn guess(&self, texts: &Texts, Drawing { strokes, run }: &Drawing) -> Result<Value, Report> {
        let failed = |e| failure::report(texts, &e);
        if strokes.iter().flatten().any(|p| !p.0.is_finite() || !p.1.is_finite()) {
            return Err(Report::new(Exit::Usage, texts.get("web.doodle.not_finite"), "", ""));
        }
        let (folder, stamp) = chosen(texts, run)?.unzip();
        let mut slot = self.doodler.lock().unwrap_or_else(PoisonError::into_inner);
        let doodler = match (slot.take(), folder) {
            (Some((kept, doodler)), _) if kept == stamp => doodler,
            (_, Some(folder)) => Box::new(recogniser(texts, Some(folder.path()))?.0),
            (_, None) => Box::new(Doodler::built_in().map_err(failed)?),
        };
        let (_, doodler) = slot.insert((stamp, doodler));
        let answer = doodler.guess(strokes).map_err(failed)?;
        let empty = answer.guesses.is_empty();
        let pixels = if empty { vec![0; doodle::PIXELS] } else { bitmap(strokes) };
        let name = |class: &str| named(texts, class);
        let guesses: Vec<Value> = answer
            .guesses
            .iter()
            .take(TOP)
            .map(|g| json!({ "class": g.class, "name": name(&g.class), "probability": g.probability }))
            .collect();
        let classes: Vec<String> = doodler.classes().iter().map(|c| name(c)).collect();
        Ok(json!({ "pixels": pixels, "guesses": guesses, "sure": answer.sure, "empty": empty, "classes": classes }))
    }
}

/// The classes of the network that comes with the program, and the keys of their names.
const NAMES: [(&str, &str); 20] = [
    ("apple", "web.doodle.class_apple"),
    ("bicycle", "web.doodle.class_bicycle"),
    ("car", "web.doodle.class_car"),
    ("cat", "web.doodle.class_cat"),
    ("cloud", "web.doodle.class_cloud"),
    ("cup", "web.doodle.class_cup"),
    ("envelope", "web.doodle.class_envelope"),
    ("fish", "web.doodle.class_fish"),
    ("flower", "web.doodle.class_flower"),
    ("house", "web.doodle.class_house"),
    ("ladder", "web.doodle.class_ladder"),
    ("moon", "web.doodle.class_moon"),
    ("mushroom", "web.doodle.class_mushroom"),
    ("sailboat", "web.doodle.class_sailboat"),
    ("smiley face", "web.doodle.class_smiley_face"),
    ("snowman", "web.doodle.class_snowman"),
    ("star", "web.doodle.class_star"),
    ("sun", "web.doodle.class_sun"),
    ("tree", "web.doodle.class_tree"),
    ("umbrella", "web.doodle.class_umbrella"),
];

/// The name of a class in the page's language.
fn named(texts: &Texts, class: &str) -> String {
    NAMES.iter().find(|(c, _)| *c == class).map_or_else(|| class.into(), |(_, key)| texts.get(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_has_a_name() {
        assert_eq!(NAMES.map(|(class, _)| class), doodle::made::CLASSES);
    }
}
