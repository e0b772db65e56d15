//! The studio under load: 200 clients of event streams and 1,000 requests a second of mixed pages while a training runs. A measurement
//! of its own, as it takes all processors for a while:
//!
//!     cargo test --release -p neurona-studio --test load -- --ignored --nocapture
//!
//! `SECONDS=60` sets its length.

mod common;

use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

const STREAMS: usize = 200;
const RATE: usize = 1_000;
const WORKERS: usize = 8;

/// Events that all streams got.
static EVENTS: AtomicUsize = AtomicUsize::new(0);

struct Server(Child, String);

impl Drop for Server {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

fn start() -> Server {
    let mut command = common::command(&common::empty("load", "all"), &["serve", "--port", "0", "--json"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap();
    let (mut text, mut out) = (String::new(), BufReader::new(child.stdout.take().unwrap()));
    while !text.trim_end().ends_with('}') {
        assert!(out.read_line(&mut text).unwrap() > 0, "it ended: {text}");
    }
    let answer: Value = serde_json::from_str(&text).unwrap();
    Server(child, answer["url"].as_str().unwrap().trim_start_matches("http://").trim_end_matches('/').into())
}

/// A connection that is kept.
struct Client {
    stream: BufReader<TcpStream>,
    host: String,
}

impl Client {
    fn new(address: &str) -> Client {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        Client { stream: BufReader::new(stream), host: address.into() }
    }

    /// Status and length of the body.
    fn ask(&mut self, method: &str, path: &str, body: &str) -> (u16, usize) {
        let kind = if body.is_empty() { "" } else { "Content-Type: application/json\r\n" };
        let head = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\n{kind}Content-Length: {}\r\n\r\n{body}", self.host, body.len());
        self.stream.get_mut().write_all(head.as_bytes()).unwrap();
        let (mut status, mut length) = (0, 0);
        loop {
            let mut line = String::new();
            self.stream.read_line(&mut line).unwrap();
            if let Some(rest) = line.strip_prefix("HTTP/1.1 ") {
                status = rest[..3].parse().unwrap();
            }
            if let Some(rest) = line.to_lowercase().strip_prefix("content-length: ") {
                length = rest.trim().parse().unwrap();
            }
            if line.trim().is_empty() {
                break;
            }
        }
        let mut bytes = vec![0; length];
        self.stream.read_exact(&mut bytes).unwrap();
        (status, length)
    }
}

/// Opens an event stream and counts its events for ever.
fn listen(address: &str, path: &str) {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n").unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    for line in BufReader::new(stream).lines().map_while(Result::ok) {
        EVENTS.fetch_add(usize::from(line.starts_with("id:")), Relaxed);
    }
}

#[test]
#[ignore = "a measurement"]
fn the_studio_under_load() {
    let seconds: u64 = std::env::var("SECONDS").ok().and_then(|s| s.parse().ok()).unwrap_or(60);
    let server = start();
    let address = server.1.clone();
    let (status, _) = Client::new(&address).ask("POST", "/api/jobs", r#"{"task":"spirals","epochs":1000000,"batch":8}"#);
    assert_eq!(status, 200);
    std::thread::sleep(Duration::from_secs(2));
    let wrong = AtomicUsize::new(0);
    let mixed: [(&str, &str, &str); 10] = [
        ("GET", "/en/", ""),
        ("GET", "/es/connect4", ""),
        ("GET", "/en/runs", ""),
        ("GET", "/es/transport", ""),
        ("GET", "/en/glossary", ""),
        ("GET", "/assets/x/app.css", ""),
        ("GET", "/assets/x/lib/ui.js", ""),
        ("GET", "/assets/x/pages/runs.js", ""),
        ("GET", "/api/runs", ""),
        ("POST", "/api/connect4/position", r#"{"moves":"4455","hints":""}"#),
    ];
    let begin = Instant::now();
    let mut times: Vec<Duration> = vec![];
    std::thread::scope(|scope| {
        for _ in 0..STREAMS {
            let address = address.clone();
            std::thread::spawn(move || listen(&address, "/api/runs/spirals-0001/events")); // they end with the server
        }
        let workers: Vec<_> = (0..WORKERS)
            .map(|w| {
                let (address, wrong, mixed) = (&address, &wrong, &mixed);
                scope.spawn(move || {
                    let mut client = Client::new(address);
                    let mut times = vec![];
                    for i in 0.. {
                        let due = begin + Duration::from_secs_f64((i * WORKERS + w) as f64 / RATE as f64);
                        if begin.elapsed() >= Duration::from_secs(seconds) {
                            break;
                        }
                        std::thread::sleep(due.saturating_duration_since(Instant::now()));
                        let (method, path, body) = mixed[(i * WORKERS + w) % mixed.len()];
                        let asked = Instant::now();
                        if client.ask(method, path, body).0 != 200 {
                            wrong.fetch_add(1, Relaxed);
                        }
                        times.push(asked.elapsed());
                    }
                    times
                })
            })
            .collect();
        times = workers.into_iter().flat_map(|w| w.join().unwrap()).collect();
    });
    let (requests, rate) = (times.len(), times.len() as f64 / begin.elapsed().as_secs_f64());
    times.sort();
    let at = |share: f64| times[((requests - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
    let (wrong, events) = (wrong.load(Relaxed), EVENTS.load(Relaxed));
    println!(
        "{requests} requests, {rate:.0} a second, {wrong} errors; median {:.2} ms, 99 % {:.1} ms, longest {:.0} ms",
        at(0.5),
        at(0.99),
        at(1.0)
    );
    println!("{STREAMS} event streams, {events} events, {:.1} a second each", events as f64 / STREAMS as f64 / seconds as f64);
    // The training is a process of its own: it ends before its server. The server has closed connections that were silent since.
    let mut last = Client::new(&address);
    assert_eq!(last.ask("POST", "/api/jobs/1/stop", "{}").0, 200);
    while last.ask("DELETE", "/api/runs/spirals-0001", "").0 != 200 {
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(wrong, 0);
    assert!(events >= STREAMS * seconds as usize && rate > 0.95 * RATE as f64);
    drop(server);
}
