//! What a terminal shows, what a pipe gets, and how every kind of end is told to scripts.
#![cfg(unix)]

mod common;

use common::{command, empty, run, stderr, stdout};
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// A folder with a network of numbers: small, or with enough rows that an epoch takes a while.
fn folder(name: &str, rows: usize) -> PathBuf {
    let dir = empty("terminal", name);
    let row = |i: usize| format!("{:.3},{:.3},{:.3}\n", (i % 17) as f64 / 17.0, (i % 23) as f64 / 23.0, (i % 5) as f64 / 5.0);
    fs::write(dir.join("t.csv"), format!("a,b,z\n{}", (0..rows).map(row).collect::<String>())).unwrap();
    let net = "epochs = 3\nbatch = 8\nseed = 1\n[data]\nkind = 'csv'\nfile = 't.csv'\ntarget = 'z'\nvalidation = 0.2\n\
        [[layers]]\ntype = 'dense'\nunits = 8\nactivation = 'relu'\n[[layers]]\ntype = 'dense'\nunits = 1\n";
    fs::write(dir.join("net.toml"), net).unwrap();
    dir
}

/// A process whose stderr is a terminal of 80 columns, and what it writes there, with the time.
struct Terminal {
    child: Child,
    written: Receiver<(Instant, Vec<u8>)>,
}

impl Terminal {
    fn new(dir: &Path, args: &[&str]) -> Terminal {
        let pty = nix::pty::openpty(None, None).unwrap();
        let mut command: Command = command(dir, args);
        command.env("TERM", "xterm").env("COLUMNS", "80").env_remove("NO_COLOR").stdout(Stdio::piped());
        let child = command.stderr(Stdio::from(pty.slave)).spawn().unwrap();
        drop(command); // it holds the terminal open
        let (sender, written) = channel();
        std::thread::spawn(move || {
            let mut master = File::from(pty.master);
            let mut buffer = [0; 4096];
            // A terminal whose other side is closed is an error to read from.
            while let Ok(n @ 1..) = master.read(&mut buffer) {
                sender.send((Instant::now(), buffer[..n].to_vec())).ok();
            }
        });
        Terminal { child, written }
    }

    /// Everything until the end.
    fn finish(mut self) -> (String, ExitStatus) {
        let status = self.child.wait().unwrap();
        let bytes: Vec<u8> = self.written.iter().flat_map(|(_, bytes)| bytes).collect();
        (String::from_utf8(bytes).unwrap().replace("\r\n", "\n"), status)
    }
}

/// Numbers become N, bars become B.
fn normal(text: &str) -> String {
    let (mut out, mut number) = (String::new(), false);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let exponent = number && c == 'e' && chars.peek().is_some_and(|c| c.is_ascii_digit() || *c == '-');
        let inside = number && (c == '.' && chars.peek().is_some_and(char::is_ascii_digit) || exponent || c == '-' && out.ends_with('N'));
        if c.is_ascii_digit() || inside {
            if !number {
                out.push('N');
            }
            number = true;
        } else {
            number = false;
            let c = if "━╌".contains(c) { 'B' } else { c };
            if !(c == 'B' && out.ends_with('B')) {
                out.push(c);
            }
        }
    }
    // Columns are as wide as their numbers.
    while out.contains("   ") {
        out = out.replace("   ", "  ");
    }
    out
}

#[test]
fn a_terminal_shows_the_time_left_within_a_second() {
    let dir = folder("eta", 4000);
    let terminal = Terminal::new(&dir, &["train", "net.toml", "--epochs", "100000000"]);
    let (mut shown, mut first) = (String::new(), None);
    let begun = Instant::now();
    while !shown.contains(" left") {
        assert!(begun.elapsed() < Duration::from_secs(60), "{shown}");
        let Ok((time, bytes)) = terminal.written.recv_timeout(Duration::from_secs(60)) else { panic!("it ended: {shown}") };
        let first = *first.get_or_insert(time);
        shown.push_str(&String::from_utf8_lossy(&bytes));
        assert!(time - first < Duration::from_secs(1), "no time left within a second: {shown}");
    }
    assert!(Command::new("kill").args(["-INT", &terminal.child.id().to_string()]).status().unwrap().success());
    let (rest, status) = terminal.finish();
    assert_eq!(status.code(), Some(130));
    // The live line is gone before the message, or the line of an epoch that has just ended stands there.
    let clean = ["\r\x1b[K", "\n"].iter().any(|before| rest.contains(&format!("{before}error[interrupted]: interrupted in epoch")));
    assert!(clean, "{rest:?}");
    assert!(rest.contains("go on with: neurona resume net-0001"), "{rest:?}");
}

#[test]
fn a_terminal_keeps_a_line_for_each_epoch_below_a_headline() {
    let dir = folder("kept", 250_000);
    let (text, status) =
        Terminal::new(&dir, &["train", "net.toml", "--out", "out", "--set", "batch=1", "--set", "learning_rate=1e-4"]).finish();
    assert!(status.success(), "{text}");
    // What was overwritten, and what stayed.
    let (mut live, mut kept) = (vec![], vec![]);
    for line in text.lines() {
        let frames: Vec<&str> = line.split("\r").collect();
        let (last, over) = frames.split_last().unwrap();
        live.extend(over.iter().map(|f| f.replace("\x1b[36m", "").replace("\x1b[0m", "").replace("\x1b[K", "")).filter(|f| !f.is_empty()));
        kept.push(last.trim_start_matches("\x1b[K").to_string());
    }
    let kept: Vec<String> = kept.iter().map(|l| normal(l)).collect();
    let epoch = "  N  loss N  mae N  val_loss N  val_mae N  lr N  N s";
    let stripped: Vec<&str> = kept.iter().map(|l| l.trim_end_matches("  ★")).collect();
    assert_eq!(stripped[..4], ["net: N parameters, rows N + N validation + N test, learning rate N, seed N, in out", epoch, epoch, epoch]);
    assert!(kept[1].ends_with("  ★"), "the first epoch is the best so far");
    assert_eq!(kept.len(), 4, "{kept:?}");
    let frames: Vec<String> = live.iter().map(|l| normal(l)).collect();
    assert!(frames.iter().any(|f| f == "  N  B  N/N  loss N  epoch N s left · all N s left"), "{frames:?}");
    assert!(live.iter().all(|f| f.chars().count() < 80), "{live:?}");
}

#[test]
fn a_pipe_gets_a_plain_line_for_each_epoch() {
    let dir = folder("pipe", 200);
    let o = run(&dir, &["train", "net.toml", "--out", "out"]);
    assert!(o.status.success() && !stderr(&o).contains(['\x1b', '\r']), "{}", stderr(&o));
    let lines: Vec<String> = stderr(&o).lines().map(|l| normal(l).replace(" eta_s=N", "")).collect();
    assert_eq!(lines, ["epoch=N loss=N mae=N val_loss=N val_mae=N lr=N"; 3]);
    assert_eq!(normal(stdout(&o)), "  rows  loss  mae\ntraining  N  N  N\nvalidation  N  N  N\n\nbest epoch N of N · N s · out\n");
    // No terminal, no colours, no live line, with a terminal's name all the same.
    let o = command(&dir, &["train", "net.toml", "--out", "b"]).env("TERM", "xterm").output().unwrap();
    assert!(!stderr(&o).contains('\x1b'));
}

/// The exit codes are part of the interface; with `--json` the kind is in the error.
#[test]
fn every_exit_code_has_its_case() {
    let dir = folder("codes", 60);
    fs::write(dir.join("bad.toml"), "epochs = 0\n").unwrap();
    fs::write(dir.join("no-data.toml"), fs::read_to_string(dir.join("net.toml")).unwrap().replace("t.csv", "none.csv")).unwrap();
    let ends: [(&[&str], i32, &str); 15] = [
        (&["summary", "net.toml"], 0, ""),
        (&["--help"], 0, ""),
        (&["config", "check", "net.toml"], 0, ""),
        (&["train", "net.toml", "--out", "net.toml/run"], 1, "failed"),
        (&["lr-find", "net.toml", "--svg", "net.toml/x.svg"], 1, "failed"),
        (&["train", "net.toml", "--no-such-option"], 2, "usage"),
        (&[], 2, "usage"),
        (&["resume"], 2, "usage"),
        (&["train", "bad.toml"], 3, "config"),
        (&["train", "none.toml"], 3, "config"),
        (&["train", "pinn", "--set", "network.widths=[]"], 3, "config"),
        (&["train", "no-data.toml"], 4, "data"),
        (&["eval", "no-such-run"], 4, "data"),
        (&["config", "check", "no-data.toml"], 4, "data"),
        (&["train", "net.toml", "--set", "optimizer=sgd", "--set", "learning_rate=1e30"], 5, "diverged"),
    ];
    for (args, code, kind) in ends {
        let o = run(&dir, args);
        assert_eq!(o.status.code(), Some(code), "{args:?}: {}", stderr(&o));
        assert_eq!(code == 0, !stderr(&o).contains("error["), "{args:?}: {}", stderr(&o));
        if code > 0 && !args.is_empty() {
            assert!(stderr(&o).contains(&format!("error[{kind}]: ")), "{args:?}: {}", stderr(&o));
            let o = run(&dir, &[args, &["--json"]].concat());
            let last = stderr(&o).lines().last().unwrap();
            let v: serde_json::Value = serde_json::from_str(last).unwrap_or_else(|_| panic!("{args:?}: {}", stderr(&o)));
            assert_eq!((o.status.code(), &v["error"]["kind"]), (Some(code), &kind.into()), "{args:?}");
        }
    }
    let mut child = command(&dir, &["train", "net.toml", "--epochs", "100000000", "--out", "endless"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    while !dir.join("endless/state.safetensors").exists() {
        assert!(begun.elapsed() < Duration::from_secs(60) && child.try_wait().unwrap().is_none());
        std::thread::sleep(Duration::from_millis(5));
    }
    std::thread::sleep(Duration::from_millis(100));
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
}
