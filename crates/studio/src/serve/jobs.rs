//! Trainings that the page starts: processes of their own, so that a closed page, and even an ended server, loses nothing. One at a
//! time; others wait in the order in which they were asked for.

use super::Studio;
use super::answer::{Answer, Refused, Speak, body, compute};
use super::tasks::{self, Commands, Task};
use crate::Texts;
use crate::report::{Exit, Report};
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Serialize;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Trainings that may wait.
const QUEUE: usize = 20;
/// Ended trainings that are remembered.
const KEPT: usize = 30;
/// Longest output of a training that is kept, in bytes.
const OUTPUT: u64 = 256 * 1024;
/// How long an ended server waits for its training to save.
const PATIENCE: Duration = Duration::from_secs(20);

/// How far a training got.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
enum Phase {
    Queued,
    Running,
    Stopping,
    Done,
    Stopped,
    Failed,
}

impl Phase {
    fn is_over(self) -> bool {
        matches!(self, Phase::Done | Phase::Stopped | Phase::Failed)
    }
}

/// A training.
#[derive(Clone, Serialize)]
struct Job {
    id: u64,
    phase: Phase,
    /// What is trained.
    task: &'static str,
    /// The run's name.
    run: String,
    /// The command line, for people.
    command: Vec<String>,
    /// A file that is needed first, and the command line that makes it.
    #[serde(skip)]
    before: Option<(PathBuf, Vec<String>)>,
    /// The last line of its progress.
    progress: String,
    /// Why it failed.
    error: Value,
}

/// All trainings of this server.
#[derive(Default)]
pub struct Jobs {
    list: Mutex<Vec<Job>>,
    changed: Condvar,
    /// Whether the server ends.
    ending: std::sync::atomic::AtomicBool,
}

/// Addresses below `/api/jobs`.
pub fn routes() -> Router<Arc<Studio>> {
    Router::new().route("/", get(list).post(start)).route("/{id}/stop", post(stop))
}

async fn list(State(studio): State<Arc<Studio>>, Speak(texts): Speak) -> Answer {
    Ok(Json(compute(&studio, &texts, |studio| Ok(json!({ "jobs": *studio.jobs.locked(), "files": tasks::files() }))).await?))
}

async fn start(State(studio): State<Arc<Studio>>, Speak(texts): Speak, task: Result<Json<Task>, JsonRejection>) -> Answer {
    let task = body(&texts, task)?;
    let job = compute(&studio, &texts, move |studio| studio.jobs.add(&texts, &task)).await?;
    Ok(Json(json!(job)))
}

async fn stop(State(studio): State<Arc<Studio>>, Speak(texts): Speak, Path(id): Path<u64>) -> Answer {
    match studio.jobs.stop(id) {
        true => Ok(Json(json!({ "stopping": id }))),
        false => Err(Refused::new(StatusCode::NOT_FOUND, texts.get("web.ui.no_job"), "")),
    }
}

impl Jobs {
    fn locked(&self) -> MutexGuard<'_, Vec<Job>> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a training at the end of the queue.
    fn add(&self, texts: &Texts, task: &Task) -> Result<Job, Report> {
        let mut list = self.locked();
        if list.iter().filter(|j| !j.phase.is_over()).count() > QUEUE {
            return Err(Report::new(
                Exit::Usage,
                texts.fill("web.ui.queue_full", &[("count", &QUEUE)]),
                "",
                texts.get("web.ui.refused.busy.fix"),
            ));
        }
        let Commands { mut before, words: mut command, run } = task.commands(texts)?;
        if list.iter().any(|j| j.run == run && !j.phase.is_over()) {
            return Err(Report::new(Exit::Usage, texts.fill("run.in_use", &[("path", &run)]), "", texts.get("run.in_use.fix")));
        }
        for words in before.iter_mut().map(|(_, words)| words).chain([&mut command]) {
            words.extend(["--lang".into(), texts.lang().code().into()]);
        }
        let id = list.iter().map(|j| j.id).max().unwrap_or(0) + 1;
        let job = Job { id, phase: Phase::Queued, task: task.name(), run, command, before, progress: String::new(), error: Value::Null };
        list.push(job.clone());
        let over: Vec<u64> = list.iter().filter(|j| j.phase.is_over()).map(|j| j.id).collect();
        list.retain(|j| !over.iter().rev().skip(KEPT).any(|id| *id == j.id));
        self.changed.notify_all();
        Ok(job)
    }

    /// Ends a training, which saves; false if there is none that could be ended.
    fn stop(&self, id: u64) -> bool {
        let mut list = self.locked();
        let Some(job) = list.iter_mut().find(|j| j.id == id && !j.phase.is_over()) else { return false };
        let queued = job.phase == Phase::Queued;
        job.phase = if queued { Phase::Stopped } else { Phase::Stopping };
        if queued {
            tasks::unreserve(&job.run);
        }
        true
    }

    fn set(&self, id: u64, change: impl FnOnce(&mut Job)) {
        if let Some(job) = self.locked().iter_mut().find(|j| j.id == id) {
            change(job);
        }
    }

    fn is_ending(&self) -> bool {
        self.ending.load(std::sync::atomic::Ordering::Relaxed)
    }

    /// Trains one after the other until the server ends: the work of a thread.
    pub fn work(&self) {
        while !self.is_ending() {
            let mut list = self.locked();
            match list.iter_mut().find(|j| j.phase == Phase::Queued) {
                Some(job) => {
                    job.phase = Phase::Running;
                    let job = job.clone();
                    drop(list);
                    self.run(&job);
                }
                None => drop(self.changed.wait_timeout(list, Duration::from_millis(200))), // the wait only spares time
            }
        }
    }

    /// Tells the thread to end, its training first.
    pub fn end(&self) {
        self.ending.store(true, std::sync::atomic::Ordering::Relaxed);
        self.changed.notify_all();
        let begin = Instant::now();
        while self.locked().iter().any(|j| matches!(j.phase, Phase::Running | Phase::Stopping)) && begin.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Runs a training to its end, after what it needs.
    fn run(&self, job: &Job) {
        let before = job.before.iter().filter(|(file, _)| !file.exists()).map(|(_, words)| words);
        let (mut phase, mut error) = (Phase::Done, Value::Null);
        for words in before.chain([&job.command]) {
            (phase, error) = self.command(job.id, words);
            if phase != Phase::Done {
                tasks::unreserve(&job.run);
                break;
            }
        }
        self.set(job.id, |j| (j.phase, j.error) = (phase, error));
    }

    /// Runs a command to its end, and says how it ended and why it failed.
    fn command(&self, id: u64, command: &[String]) -> (Phase, Value) {
        let fail = |e: std::io::Error| (Phase::Failed, json!({ "what": e.to_string(), "why": "", "fix": "" }));
        let mut child = match spawn(command) {
            Ok(child) => child,
            Err(e) => return fail(e),
        };
        let (out, err) = (child.stdout.take(), child.stderr.take());
        let (mut asked, mut last) = (false, String::new());
        let status = std::thread::scope(|scope| {
            scope.spawn(|| out.map(|o| std::io::copy(&mut BufReader::new(o), &mut std::io::sink()))); // results are in the run folder
            let lines = scope.spawn(|| err.map_or(String::new(), |e| self.follow(id, e)));
            let status = loop {
                match child.try_wait() {
                    Ok(Some(status)) => break Ok(status),
                    Ok(None) => {}
                    Err(e) => break Err(e),
                }
                let stopping = self.locked().iter().any(|j| j.id == id && j.phase == Phase::Stopping);
                if (stopping || self.is_ending()) && !asked {
                    asked = true;
                    ask_to_end(&mut child);
                }
                std::thread::sleep(Duration::from_millis(30));
            };
            last = lines.join().unwrap_or_default();
            status
        });
        match status.map(|s| s.code()) {
            Err(e) => fail(e),
            Ok(Some(0)) => (Phase::Done, Value::Null),
            Ok(code) if asked || code == Some(Exit::Interrupted as i32) => (Phase::Stopped, Value::Null),
            Ok(_) => {
                let parsed: Value = serde_json::from_str(&last).unwrap_or(Value::Null);
                let known = parsed["error"].is_object();
                (Phase::Failed, if known { parsed["error"].clone() } else { json!({ "what": last, "why": "", "fix": "" }) })
            }
        }
    }

    /// Keeps the last line of the progress; returns the last one of all.
    fn follow(&self, id: u64, err: impl Read) -> String {
        let mut last = String::new();
        for line in BufReader::new(err.take(OUTPUT * 64)).lines().map_while(Result::ok).filter(|l| !l.trim().is_empty()) {
            last = line.chars().take(OUTPUT as usize).collect();
            if !last.starts_with('{') {
                let short: String = last.chars().take(300).collect();
                self.set(id, |j| j.progress = short);
            }
        }
        last
    }
}

fn spawn(command: &[String]) -> std::io::Result<Child> {
    let mut child = Command::new(std::env::current_exe()?);
    child.args(command).arg("--json").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // Ctrl-C on the server's terminal is for the server, which then asks the training to end: twice would be at once.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut child, 0);
    child.spawn()
}

/// Asks a training to save and end.
fn ask_to_end(child: &mut Child) {
    #[cfg(unix)]
    {
        use nix::sys::signal::{Signal, kill};
        let pid = nix::unistd::Pid::from_raw(child.id() as i32);
        kill(pid, Signal::SIGTERM).ok(); // it may have just ended
    }
    #[cfg(not(unix))]
    child.kill().ok(); // the state saved last stays
}
