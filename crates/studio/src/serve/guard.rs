//! Who may ask: the host name of a request (against names that are made to lead to this machine), a token where the server is
//! open to others, no writing from other sites' pages; and what every answer tells the browser to forbid.

use super::Studio;
use super::answer::{Refused, Speak};
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::sync::Arc;
use std::time::Duration;

/// Longest time for a request, its body included. Streams begin within it and then go on.
const LIMIT: Duration = Duration::from_secs(60);

/// Nothing but this server's own files; pictures that the page makes itself.
pub const POLICY: &str =
    "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The same, and what stands inside of a page under the word `nonce`.
pub fn allowing(nonce: &str) -> String {
    format!("{POLICY}; style-src 'self' 'nonce-{nonce}'; script-src 'self' 'nonce-{nonce}'")
}

/// A word that nobody can guess: 128 random bits.
///
/// # Errors
/// A system without random numbers.
pub fn secret() -> Result<String, getrandom::Error> {
    let mut bytes = [0u8; 16];
    getrandom::fill(&mut bytes)?;
    Ok(bytes.iter().map(|b| format!("{b:02x}")).collect())
}

/// Name of the cookie that holds the token.
const COOKIE: &str = "neurona_token";

/// Lets a request pass, or refuses it.
pub async fn guard(State(studio): State<Arc<Studio>>, request: Request, next: Next) -> Response {
    let texts = Speak::of(request.uri()).0;
    let refuse = |status, key: &str| Refused::new(status, texts.get(key), texts.get(&format!("{key}.fix"))).into_response();
    let headers = request.headers();
    let answer = if !host_is_ours(headers, request.uri().host(), studio.token.is_some()) {
        refuse(StatusCode::MISDIRECTED_REQUEST, "web.ui.refused.host")
    } else if let Some(token) = studio.token.as_deref().filter(|t| !has_token(headers, t)) {
        match given_token(request.uri().query(), token) {
            true => welcome(request.uri().path(), token),
            false => refuse(StatusCode::UNAUTHORIZED, "web.ui.refused.token"),
        }
    } else if !matches!(*request.method(), Method::GET | Method::HEAD) && comes_from_elsewhere(headers) {
        refuse(StatusCode::FORBIDDEN, "web.ui.refused.origin")
    } else {
        match tokio::time::timeout(LIMIT, next.run(request)).await {
            Ok(answer) => answer,
            Err(_) => refuse(StatusCode::REQUEST_TIMEOUT, "web.ui.refused.slow"),
        }
    };
    with_headers(answer)
}

fn with_headers(mut answer: Response) -> Response {
    // No opener policy: browsers start another process for it, which costs a page a third of the time until it is painted,
    // and whoever opened a page can do nothing with it but lead it elsewhere.
    let all: [(HeaderName, &'static str); 4] = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    for (name, value) in all {
        answer.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    answer
}

/// Whether the request names this machine. With a token any name will do: who has the token was told the name.
fn host_is_ours(headers: &HeaderMap, target: Option<&str>, open: bool) -> bool {
    let host = headers.get(header::HOST).and_then(|h| h.to_str().ok()).unwrap_or("");
    let port = |p: &str| !p.is_empty() && p.bytes().all(|b| b.is_ascii_digit());
    let name = host.rsplit_once(':').filter(|(_, p)| port(p)).map_or(host, |(name, _)| name);
    let ours = |name: &str| ["127.0.0.1", "localhost", "[::1]"].contains(&name);
    open || ours(name) && target.is_none_or(ours)
}

fn has_token(headers: &HeaderMap, token: &str) -> bool {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|c| c.to_str().ok());
    let mut pairs = cookies.flat_map(|c| c.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.any(|(name, value)| name == COOKIE && same(value, token))
}

fn given_token(query: Option<&str>, token: &str) -> bool {
    query.unwrap_or("").split('&').filter_map(|pair| pair.strip_prefix("token=")).any(|given| same(given, token))
}

/// Compares all bytes whatever they are, so that the time tells nothing.
fn same(a: &str, b: &str) -> bool {
    a.len() == b.len() && a.bytes().zip(b.bytes()).fold(0, |d, (x, y)| d | (x ^ y)) == 0
}

/// Keeps the token in a cookie, and leads to the same page without it in the address.
fn welcome(path: &str, token: &str) -> Response {
    let cookie = format!("{COOKIE}={token}; HttpOnly; SameSite=Strict; Path=/");
    // A path of two slashes would lead to another host.
    let place = format!("/{}", path.trim_start_matches('/'));
    let headers = [(header::SET_COOKIE, cookie), (header::LOCATION, place)];
    (StatusCode::SEE_OTHER, headers, Body::empty()).into_response()
}

/// Whether a page of another site asks. Browsers say so; programs that say nothing are no pages.
fn comes_from_elsewhere(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
    let host = text("host").unwrap_or("");
    let origin = text("origin").is_some_and(|o| o.split_once("://").is_none_or(|(_, o)| o != host));
    origin || text("sec-fetch-site").is_some_and(|s| s != "same-origin" && s != "none")
}
