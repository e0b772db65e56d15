//! The studio: a server on this machine whose pages show the lessons and the applications. Everything that pages show is
//! computed here, by the same functions as the command line's.

pub mod answer;
pub mod assets;
pub mod command;
mod connect4;
mod doodle;
mod equations;
mod guard;
mod hide;
mod jobs;
mod lessons;
mod listen;
mod live;
pub mod pages;
mod runs;
mod tasks;
mod transport;

use crate::report::{Exit, Report};
use crate::{Lang, Texts};
use assets::{Assets, media_type};
use axum::Router;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use pages::{NONCE, PAGES, Page, Renderer};
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::Semaphore;

pub use guard::secret;
pub use listen::{Listening, listen};

/// Computations at once.
pub const AT_ONCE: usize = 2;
/// Computations that run or wait; more are refused.
pub const WAITING: usize = 64;
/// Largest body of a request, in bytes, where no route says otherwise.
const BODY: usize = 256 * 1024;

/// What the server works with.
pub struct Studio {
    /// Demanded of every client, if there is one.
    token: Option<String>,
    renderer: Renderer,
    /// Every page in every language, unless they are read anew each time.
    rendered: HashMap<(&'static str, &'static str), String>,
    /// The language of visitors whose browser asks for none of ours.
    lang: Lang,
    waiting: Semaphore,
    turns: Arc<Semaphore>,
    connect4: connect4::Table,
    jobs: jobs::Jobs,
    paper: doodle::Paper,
    gallery: hide::Gallery,
    solutions: equations::Solutions,
    live: live::Live,
    trainings: lessons::Trainings,
}

impl Studio {
    /// A studio; `assets` says where the files come from.
    ///
    /// # Errors
    /// A page that cannot be made, which only changed files bring about.
    pub fn new(lang: Lang, assets: Assets, token: Option<String>) -> Result<Studio, Report> {
        let renderer = Renderer { assets, version: assets::version() };
        let mut rendered = HashMap::new();
        if renderer.assets.folder.is_none() {
            for (page, lang) in PAGES.iter().flat_map(|p| Lang::ALL.map(|l| (p, l))) {
                let html = renderer.render(page, lang).map_err(|e| Report::new(Exit::Failed, e, "", ""))?;
                rendered.insert((page.slug, lang.code()), html);
            }
        }
        let turns = Arc::new(Semaphore::new(AT_ONCE));
        let waiting = Semaphore::new(WAITING);
        let (connect4, jobs, live, paper, gallery, solutions, trainings) = Default::default();
        Ok(Studio { token, renderer, rendered, lang, waiting, turns, connect4, jobs, live, paper, gallery, solutions, trainings })
    }

    fn page(&self, page: &Page, lang: Lang) -> Result<String, String> {
        match self.rendered.get(&(page.slug, lang.code())) {
            Some(html) => Ok(html.clone()),
            None => self.renderer.render(page, lang),
        }
    }
}

/// All addresses.
pub fn router(studio: Arc<Studio>) -> Router {
    Router::new()
        .route("/", get(first))
        .route("/{lang}/", get(|state, Path(lang): Path<String>| show(state, lang, "home".into())))
        .route("/{lang}/{slug}", get(|state, Path((lang, slug)): Path<(String, String)>| show(state, lang, slug)))
        .route("/assets/{version}/{*path}", get(file))
        .nest("/api/connect4", connect4::routes())
        .nest("/api/doodle", doodle::routes())
        .nest("/api/equations", equations::routes())
        .nest("/api/hide", hide::routes())
        .nest("/api/jobs", jobs::routes())
        .nest("/api/lessons", lessons::routes())
        .nest("/api/runs", runs::routes())
        .nest("/api/transport", transport::routes())
        .fallback(nothing)
        .layer(DefaultBodyLimit::max(BODY))
        .layer(axum::middleware::from_fn_with_state(studio.clone(), guard::guard))
        .with_state(studio)
}

/// To the first page, in the language that the browser prefers.
async fn first(State(studio): State<Arc<Studio>>, headers: HeaderMap) -> Redirect {
    let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|h| h.to_str().ok()).unwrap_or("");
    let lang = accepted.split(',').find_map(|part| Lang::of(part.split(';').next().unwrap_or("").trim()));
    Redirect::to(&studio.renderer.link("home", lang.unwrap_or(studio.lang)))
}

async fn show(State(studio): State<Arc<Studio>>, lang: String, slug: String) -> Response {
    let found = Lang::ALL.into_iter().find(|l| l.code() == lang).zip(Page::of(&slug));
    let Some((lang, page)) = found else { return nothing(State(studio)).await };
    match studio.page(page, lang).and_then(|html| Ok((html, secret().map_err(|e| e.to_string())?))) {
        Ok((html, nonce)) => {
            let policy = [(header::CONTENT_SECURITY_POLICY, guard::allowing(&nonce))];
            let headers = [(header::CONTENT_TYPE, media_type("html")), (header::CACHE_CONTROL, "no-cache")];
            (headers, policy, html.replace(NONCE, &nonce)).into_response()
        }
        Err(why) => (StatusCode::INTERNAL_SERVER_ERROR, why).into_response(),
    }
}

/// A file. Its address changes with its content, so browsers may keep it, unless it is being worked on.
async fn file(State(studio): State<Arc<Studio>>, Path((_, path)): Path<(String, String)>) -> Response {
    let Some(bytes) = studio.renderer.assets.file(&path).filter(|_| !path.ends_with(".html")) else { return nothing(State(studio)).await };
    let keep = if studio.renderer.assets.folder.is_some() { "no-store" } else { "public, max-age=31536000, immutable" };
    ([(header::CONTENT_TYPE, media_type(&path)), (header::CACHE_CONTROL, keep)], bytes).into_response()
}

async fn nothing(State(studio): State<Arc<Studio>>) -> Response {
    let texts = Texts::new(studio.lang);
    answer::Refused::new(StatusCode::NOT_FOUND, texts.get("web.ui.nowhere"), texts.get("web.ui.nowhere.fix")).into_response()
}
