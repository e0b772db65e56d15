//! Answers to the page: JSON, errors in its language, and long computations beside the server's own work.

use super::Studio;
use crate::report::{Exit, Report};
use crate::{Lang, Texts};
use axum::Json;
use axum::extract::FromRequestParts;
use axum::extract::rejection::JsonRejection;
use axum::http::request::Parts;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use std::convert::Infallible;
use std::sync::Arc;

/// What a handler answers.
pub type Answer = Result<Json<Value>, Refused>;

/// The language of a request: `?lang=es`, else that of its path, else English.
#[derive(Clone, Copy, Debug)]
pub struct Speak(pub Texts);

impl Speak {
    /// The language of an address.
    pub fn of(uri: &Uri) -> Speak {
        let asked = uri.query().unwrap_or("").split('&').filter_map(|pair| pair.strip_prefix("lang=")).find_map(Lang::of);
        let path = || uri.path().split('/').nth(1).and_then(Lang::of);
        Speak(Texts::new(asked.or_else(path).unwrap_or(Lang::En)))
    }
}

impl<S: Sync> FromRequestParts<S> for Speak {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Speak, Infallible> {
        Ok(Speak::of(&parts.uri))
    }
}

/// An error: a status, and the report that the command line would print.
#[derive(Debug)]
pub struct Refused {
    status: StatusCode,
    report: Report,
}

impl Refused {
    /// An error of this status.
    pub fn new(status: StatusCode, what: impl Into<String>, fix: impl Into<String>) -> Refused {
        Refused { status, report: Report::new(Exit::Failed, what, "", fix) }
    }
}

impl From<Report> for Refused {
    fn from(report: Report) -> Refused {
        let status = match report.exit {
            Exit::Failed => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::UNPROCESSABLE_ENTITY,
        };
        Refused { status, report }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let Report { exit, what, why, fix, .. } = self.report;
        (self.status, Json(json!({ "error": { "kind": exit.name(), "what": what, "why": why, "fix": fix } }))).into_response()
    }
}

/// Five digits: more a picture does not show. What is small between numbers of a picture, as their difference, is taken before.
pub fn fine(x: f64) -> f64 {
    format!("{x:.4e}").parse().unwrap_or(x)
}

/// A sentence of the command line for the page, whose numbers are written as the language has it: with a decimal comma in Spanish.
/// Names, places, `code` and values of options stay as they are.
pub fn spoken(texts: &Texts, sentence: &str) -> String {
    if texts.lang() == Lang::En {
        return sentence.into();
    }
    let mut option = false;
    let mut word = |piece: &str| {
        // What is left of a piece between blanks without the signs around it.
        let inner = piece.trim_matches(|c: char| !c.is_alphanumeric());
        let number = inner.contains('.') && inner.parse::<f64>().is_ok() && !option;
        option = piece.starts_with("--");
        if number { piece.replacen(inner, &inner.replace('.', ","), 1) } else { piece.to_string() }
    };
    let mut said = |part: &str| part.split_inclusive(' ').map(&mut word).collect::<String>();
    sentence.split('`').enumerate().map(|(i, part)| if i % 2 == 1 { format!("`{part}`") } else { said(part) }).collect()
}

/// The body of a request, or what is wrong with it.
///
/// # Errors
/// No JSON, or other fields than the handler knows.
pub fn body<T>(texts: &Texts, body: Result<Json<T>, JsonRejection>) -> Result<T, Refused> {
    body.map(|Json(b)| b).map_err(|e| {
        let report = Report::new(Exit::Usage, texts.get("web.ui.refused.body"), e.body_text(), "");
        Refused { status: e.status(), report }
    })
}

/// Computes on a thread of its own: the server goes on answering. At most [`super::AT_ONCE`] run at once and as many as
/// [`super::WAITING`] wait; more are refused.
///
/// # Errors
/// Those of the computation; too many at once; a computation that panicked.
pub async fn compute<T: Send + 'static>(
    studio: &Arc<Studio>,
    texts: &Texts,
    work: impl FnOnce(&Studio) -> Result<T, Report> + Send + 'static,
) -> Result<T, Refused> {
    let busy = || Refused::new(StatusCode::SERVICE_UNAVAILABLE, texts.get("web.ui.refused.busy"), texts.get("web.ui.refused.busy.fix"));
    let _place = studio.waiting.try_acquire().map_err(|_| busy())?;
    let turn = studio.turns.clone().acquire_owned().await.map_err(|_| busy())?;
    let studio = studio.clone();
    let done = tokio::task::spawn_blocking(move || {
        let _turn = turn; // given back when the work ends, even if the client has gone
        work(&studio)
    });
    match done.await {
        Ok(result) => Ok(result?),
        Err(_) => Err(Refused::new(StatusCode::INTERNAL_SERVER_ERROR, texts.get("web.ui.refused.panic"), "")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_sentences_are_written_as_the_language_has_it() {
        let es = Texts::new(Lang::Es);
        let cases = [
            ("tras 12 pasos en x = -0.5, y = 1.25e-9: f = 3.", "tras 12 pasos en x = -0,5, y = 1,25e-9: f = 3."),
            ("pruebe 0.05; o use --learning-rate 0.1", "pruebe 0,05; o use --learning-rate 0.1"),
            ("127.0.0.1 y equations.0.formula en a.toml:3:1", "127.0.0.1 y equations.0.formula en a.toml:3:1"),
            ("con `tanh(0.5*x)` (2.5 %)", "con `tanh(0.5*x)` (2,5 %)"),
        ];
        for (sentence, want) in cases {
            assert_eq!(spoken(&es, sentence), want);
            assert_eq!(spoken(&Texts::new(Lang::En), sentence), sentence);
        }
    }
}
