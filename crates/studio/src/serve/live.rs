//! Runs as they happen: the lines of metrics.jsonl as server-sent events. Each run that somebody watches is read a few times a second,
//! once for all who watch. The number of an event is the count of lines sent so far, so a page that comes back gets the rest.

use super::Studio;
use super::answer::{Refused, Speak};
use super::tasks::known_or_waiting;
use crate::run::{META, METRICS, RunFolder};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event, KeepAlive, KeepAliveStream, Sse};
use futures_core::Stream;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::{mpsc, watch};

/// Time between two looks at a run.
const EVERY: Duration = Duration::from_millis(200);
/// Lines of an event; the rest comes with the next one.
const LINES: usize = 2_000;
/// Largest metrics.jsonl that is read, in bytes.
const LIMIT: u64 = 16 * 1024 * 1024;

/// What a browser that connects again says of what it has.
const LAST: &str = "last-event-id";

/// What is known of a run at a moment.
#[derive(Clone)]
struct Snapshot {
    /// Lines of metrics.jsonl, as they stand there.
    lines: Arc<Vec<String>>,
    /// What meta.json says, and whether somebody trains.
    meta: Value,
    running: bool,
}

/// The runs that are watched.
#[derive(Default)]
pub struct Live {
    runs: Mutex<HashMap<String, watch::Sender<Option<Snapshot>>>>,
}

impl Live {
    /// Watches a run; the first to do so starts a task that ends when nobody is left.
    fn watch(studio: &Arc<Studio>, folder: RunFolder) -> watch::Receiver<Option<Snapshot>> {
        let name = folder.name();
        let mut runs = studio.live.runs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = runs.get(&name) {
            return sender.subscribe();
        }
        let (sender, receiver) = watch::channel(None);
        runs.insert(name.clone(), sender);
        tokio::spawn(follow(studio.clone(), name, folder));
        receiver
    }
}

/// Reads a run again and again while somebody watches it.
async fn follow(studio: Arc<Studio>, name: String, folder: RunFolder) {
    let mut before = None;
    loop {
        let (look, last) = (folder.clone(), before.clone());
        let read = tokio::task::spawn_blocking(move || read(&look, last)).await;
        let Ok((stamp, snapshot)) = read else { break };
        {
            let mut runs = studio.live.runs.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(sender) = runs.get(&name) else { break };
            if sender.receiver_count() == 0 {
                runs.remove(&name);
                break;
            }
            if snapshot.is_some() {
                sender.send_replace(snapshot);
            }
        }
        before = Some(stamp);
        tokio::time::sleep(EVERY).await;
    }
}

/// Sizes and times of the files, and whether somebody trains: if they are the same, so is the rest.
type Stamp = (Vec<Option<(u64, std::time::SystemTime)>>, bool);

fn read(folder: &RunFolder, before: Option<Stamp>) -> (Stamp, Option<Snapshot>) {
    let of = |name: &str| std::fs::metadata(folder.file(name)).ok().and_then(|m| Some((m.len(), m.modified().ok()?)));
    let running = folder.in_use();
    let stamp: Stamp = ([METRICS, META].map(of).to_vec(), running);
    match before {
        Some(before) if before == stamp => return (stamp, None),
        // A run that is being removed has no more to say: who looked into it for that would find nothing.
        Some(before) if before.0.iter().zip(&stamp.0).any(|(b, now)| b.is_some() && now.is_none()) => return (before, None),
        _ => {}
    }
    let (lines, meta) = (Arc::new(lines(folder)), meta(folder));
    (stamp, Some(Snapshot { lines, meta, running }))
}

/// The whole lines of metrics.jsonl that are objects.
pub fn lines(folder: &RunFolder) -> Vec<String> {
    let path = folder.file(METRICS);
    let small = std::fs::metadata(&path).is_ok_and(|m| m.len() <= LIMIT);
    let text = if small { std::fs::read_to_string(path).unwrap_or_default() } else { String::new() };
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    whole.lines().filter(|l| serde_json::from_str::<serde_json::Map<String, Value>>(l).is_ok()).map(String::from).collect()
}

fn meta(folder: &RunFolder) -> Value {
    let text = std::fs::read_to_string(folder.file(META)).unwrap_or_default();
    let meta: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
    json!({ "state": meta["state"], "epochs": meta["epochs"], "step": meta["step"], "best_epoch": meta["best_epoch"] })
}

/// `GET /api/runs/NAME/events`.
pub async fn events(
    State(studio): State<Arc<Studio>>,
    Speak(texts): Speak,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<Sse<KeepAliveStream<Events>>, Refused> {
    let folder = tokio::task::spawn_blocking(move || known_or_waiting(&texts, &name)).await;
    let folder = folder.map_err(|_| Refused::new(StatusCode::INTERNAL_SERVER_ERROR, texts.get("web.ui.refused.panic"), ""))??;
    let seen = headers.get(LAST).and_then(|v| v.to_str().ok()).and_then(|v| v.parse().ok()).unwrap_or(0);
    let (send, receive) = mpsc::channel(2); // a client that does not read stops its own events only
    tokio::spawn(push(Live::watch(&studio, folder), seen, send));
    Ok(Sse::new(Events(receive)).keep_alive(KeepAlive::new().interval(Duration::from_secs(15))))
}

/// Sends what is new, until the client is gone.
async fn push(mut watched: watch::Receiver<Option<Snapshot>>, mut sent: usize, client: mpsc::Sender<Event>) {
    loop {
        let snapshot = watched.borrow_and_update().clone();
        if let Some(Snapshot { lines, meta, running }) = snapshot {
            if sent > lines.len() {
                sent = 0; // another training began in the same place
            }
            // One event at least: the state may be all that changed.
            loop {
                let end = lines.len().min(sent + LINES);
                let data = format!("{{\"from\":{sent},\"lines\":[{}],\"meta\":{meta},\"running\":{running}}}", lines[sent..end].join(","));
                sent = end;
                if client.send(Event::default().id(end.to_string()).data(data)).await.is_err() {
                    return;
                }
                if sent == lines.len() {
                    break;
                }
            }
        }
        tokio::select! {
            changed = watched.changed() => if changed.is_err() { return },
            () = client.closed() => return,
        }
    }
}

/// The events of one client.
pub struct Events(mpsc::Receiver<Event>);

impl Stream for Events {
    type Item = Result<Event, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(cx).map(|event| event.map(Ok))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Lang, Texts};

    #[test]
    fn a_run_that_is_removed_has_no_more_to_say() {
        let path = std::env::temp_dir().join(format!("neurona-live-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        let put = |name: &str, text: &str| std::fs::write(path.join(name), text).unwrap();
        let folder = RunFolder::shared(&Texts::new(Lang::En), &path).unwrap();
        let (waiting, first) = read(&folder, None);
        assert_eq!(first.unwrap().meta["state"], Value::Null);
        put(METRICS, "{\"epoch\":1}\n");
        put(META, "{\"state\":\"done\"}");
        let (done, second) = read(&folder, Some(waiting));
        assert_eq!(second.unwrap().meta["state"], "done");
        std::fs::remove_file(path.join(METRICS)).unwrap();
        let (still, third) = read(&folder, Some(done));
        assert!(third.is_none());
        std::fs::remove_file(path.join(META)).unwrap();
        let (still, fourth) = read(&folder, Some(still));
        assert!(fourth.is_none());
        put(METRICS, "{\"epoch\":1}\n{\"epoch\":2}\n");
        put(META, "{\"state\":\"training\"}");
        assert_eq!(read(&folder, Some(still)).1.unwrap().lines.len(), 2);
        std::fs::remove_dir_all(&path).unwrap();
    }
}
