//! A server, and questions to it.

use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::time::Duration;

/// A server in a folder of its own; ended when dropped.
pub struct Server {
    child: Child,
    pub address: String,
    pub query: String,
}

impl Server {
    pub fn start(name: &str, args: &[&str]) -> Server {
        let mut command = super::command(&super::empty("serve", name), &["serve", "--port", "0", "--json"]);
        command.args(args);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap();
        let mut text = String::new();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        while !text.trim_end().ends_with('}') {
            assert!(out.read_line(&mut text).unwrap() > 0, "it ended: {text}");
        }
        let answer: Value = serde_json::from_str(&text).unwrap();
        let url = answer["url"].as_str().unwrap().strip_prefix("http://").unwrap().to_string();
        let (address, query) = url.split_once('/').unwrap();
        Server { child, address: address.into(), query: query.into() }
    }

    /// Sends a request as it is, and reads all of the answer.
    pub fn raw(&self, request: &str) -> Answer {
        let port = self.address.rsplit(':').next().unwrap();
        let mut stream = TcpStream::connect(format!("127.0.0.1:{port}")).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut bytes = vec![];
        stream.read_to_end(&mut bytes).unwrap_or_default();
        Answer(String::from_utf8_lossy(&bytes).into_owned())
    }

    pub fn send(&self, method: &str, path: &str, headers: &str, body: &str) -> Answer {
        let host = if headers.to_lowercase().contains("host:") { String::new() } else { format!("Host: {}\r\n", self.address) };
        let length = body.len();
        self.raw(&format!("{method} {path} HTTP/1.1\r\n{host}{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"))
    }

    pub fn get(&self, path: &str) -> Answer {
        self.send("GET", path, "", "")
    }

    pub fn ask(&self, path: &str, body: &Value) -> Answer {
        self.send("POST", path, "Content-Type: application/json\r\n", &body.to_string())
    }

    /// Waits until a run is as wanted.
    pub fn until(&self, name: &str, status: &str) -> Value {
        for _ in 0..600 {
            let all = self.get("/api/runs").json();
            if let Some(run) = all.as_array().unwrap().iter().find(|r| r["name"] == name && r["status"] == status) {
                return run.clone();
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("{name} is never {status}: {}", self.get("/api/jobs").body());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// What a server has answered.
pub struct Answer(pub String);

impl Answer {
    pub fn status(&self) -> u16 {
        self.0.split(' ').nth(1).and_then(|s| s.parse().ok()).unwrap_or(0)
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let head = self.0.split("\r\n\r\n").next()?;
        head.lines().filter_map(|l| l.split_once(": ")).find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v)
    }

    pub fn body(&self) -> &str {
        self.0.split_once("\r\n\r\n").map_or("", |(_, b)| b)
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(self.body()).unwrap_or_else(|e| panic!("{e}: {}", self.0))
    }
}
