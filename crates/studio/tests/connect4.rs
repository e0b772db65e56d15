//! `train`, `eval` and `play` of Connect Four with the real binary.

mod common;

use common::{command, empty, json, run, stderr, stdout};
use connect4::table::{Row, Split, header};
use connect4::{Position, Solver};
use neurona::Random;
use std::io::Write;
use std::path::Path;
use std::process::{Output, Stdio};

/// A table of late positions, which are solved at once.
fn table(path: &Path, rows: usize) {
    let (mut solver, mut random, mut text) = (Solver::new(4), Random::new(3, 0), header() + "\n");
    let mut done = std::collections::HashSet::new();
    while done.len() < rows {
        let mut p = Position::EMPTY;
        while p.plies() < 30 && !p.is_over() {
            let moves: Vec<usize> = p.moves().collect();
            p = p.play(moves[random.below(moves.len())]);
        }
        if p.is_over() || !done.insert(p.canonical_key()) {
            continue;
        }
        let split = [Split::Train, Split::Train, Split::Train, Split::Validation, Split::Test][done.len() % 5];
        text += &format!("{}\n", Row { position: p, scores: solver.scores(&p), split });
    }
    std::fs::write(path, text).unwrap();
}

/// A folder with a set of two positions, `Test_L2_R1`.
fn sets(dir: &Path) {
    std::fs::write(dir.join("Test_L2_R1"), "2252576253462244111563365343671351441 -1\n7422341735647741166133573473242566 1\n").unwrap();
}

fn typed(dir: &Path, args: &[&str], lines: &str) -> Output {
    let mut child = command(dir, args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

/// Killed with its table half made, the same command goes on and makes the same table; so does one of other threads.
#[test]
fn a_table_that_was_killed_goes_on() {
    let dir = empty("connect4", "killed");
    let make = |out: &str, threads: &str| {
        let args = ["connect4", "table", "--rows", "600", "--seed", "5", "--memory", "16", "--threads", threads, "--out", out];
        command(&dir, &args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    };
    assert!(make("whole.csv", "2").wait().unwrap().success());
    let whole = std::fs::read_to_string(dir.join("whole.csv")).unwrap();
    assert_eq!(whole.lines().count(), 601);
    let mut child = make("killed.csv", "1");
    let begun = || std::fs::read_to_string(dir.join("killed.csv.partial")).map_or(0, |t| t.lines().count());
    let then = std::time::Instant::now();
    while begun() < 2 && child.try_wait().unwrap().is_none() {
        assert!(then.elapsed().as_secs() < 120, "it does not begin");
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let rows = begun();
    assert!((2..600).contains(&rows), "killed with {rows} lines");
    // A kill in the middle of a line.
    let partial = dir.join("killed.csv.partial");
    let text = std::fs::read_to_string(&partial).unwrap();
    std::fs::write(&partial, &text[..text.len() - 7]).unwrap();
    assert!(make("killed.csv", "2").wait().unwrap().success());
    assert!(!partial.exists());
    assert_eq!(std::fs::read_to_string(dir.join("killed.csv")).unwrap(), whole);
}

#[test]
fn both_presets_are_trained_and_judged_and_play() {
    let dir = empty("connect4", "train");
    table(&dir.join("table.csv"), 60);
    sets(&dir);
    for (preset, layer, rows) in [("best", "layers.0.filters=4", 72), ("deck", "layers.1.filters=8", 36)] {
        let o = run(&dir, &["train", "connect4", "--preset", preset, "--epochs", "2", "--set", layer, "--json"]);
        let result = json(&o);
        assert_eq!((&result["epochs"], result["run"].as_str()), (&2.into(), Some(&*format!("runs/connect4-{preset}-0001"))), "{result}");
        let name = format!("connect4-{preset}-0001");
        let shown = json(&run(&dir, &["runs", "show", &name, "--json"]));
        assert!(shown.to_string().contains(&format!("\"train\":{rows}")), "mirror images count: {shown}");
        let judged = json(&run(&dir, &["eval", "connect4", "--run", &name, "--sets", ".", "--against", "1", "--depth", "4", "--json"]));
        assert_eq!((&judged["sets"][0]["set"], &judged["sets"][0]["positions"]), (&"Middle-Easy".into(), &2.into()));
        assert_eq!(judged["sets"][0]["search"]["preserved"], 1.0, "these ends are solved: {judged}");
        for game in judged["games"].as_array().unwrap() {
            let sum: u64 = ["won", "drawn", "lost"].iter().map(|k| game["network"][k].as_u64().unwrap()).sum();
            assert_eq!(sum, 98);
        }
        let o = typed(&dir, &["play", "connect4", "--level", "network", "--run", &name, "--start", "computer", "--json"], "");
        assert_eq!(json(&o)["moves"].as_str().map(str::len), Some(1));
        let again = json(&run(&dir, &["resume", &name, "--epochs", "3", "--json"]));
        assert_eq!(again["epochs"], 3);
    }
    let o = run(&dir, &["train", "connect4", "--set", "learnig_rate=1"]);
    assert_eq!(o.status.code(), Some(3), "{}", stderr(&o));
    assert!(!dir.join("runs/connect4-best-0002").exists(), "nothing is left of it");
}

#[test]
fn mistakes_say_what_is_wrong() {
    let dir = empty("connect4", "mistakes");
    std::fs::write(dir.join("bad.csv"), "a,b\n1,2\n").unwrap();
    let cases: [(&[&str], i32, &str); 6] = [
        (&["train", "connect4"], 4, "there is no table table.csv"),
        (&["train", "connect4", "--table", "bad.csv"], 4, "column 1 is `a`"),
        (&["train", "connect4", "--preset", "other"], 2, "other"),
        (&["eval", "connect4", "--sets", "."], 4, "there are no sets"),
        (&["eval", "connect4", "--run", "none"], 4, "none"),
        (&["play", "connect4", "--moves", "49"], 2, "`9` is no column"),
    ];
    for (args, code, what) in cases {
        let o = run(&dir, args);
        assert_eq!(o.status.code(), Some(code), "{args:?}: {}", stderr(&o));
        assert!(stderr(&o).contains(what), "{args:?}: {}", stderr(&o));
    }
    let xor = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/xor.toml").display().to_string();
    assert!(run(&dir, &["train", &xor, "--epochs", "1", "--out", "xor"]).status.success());
    let o = run(&dir, &["play", "connect4", "--run", "xor"]);
    assert_eq!(o.status.code(), Some(4), "{}", stderr(&o));
    assert!(stderr(&o).contains("no network for Connect Four"), "{}", stderr(&o));
}

#[test]
fn a_game_is_played_over_a_pipe() {
    let dir = empty("connect4", "play");
    // The first player has three in a row on 1, 2, 3: the built-in network has to stop it on 4.
    let o = typed(&dir, &["play", "connect4", "--level", "network", "--moves", "1122"], "3\np\n");
    assert_eq!(o.status.code(), Some(0), "{}", stderr(&o));
    assert!(stdout(&o).contains("position: 112234\n") && !stdout(&o).contains('\x1b'), "{}", stdout(&o));
    let o = typed(&dir, &["play", "connect4", "--level", "human", "--lang", "es"], "9\nq\n");
    assert!(stdout(&o).contains("no es ni una columna"), "{}", stdout(&o));
}
