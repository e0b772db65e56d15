//! `doodle`, `train doodle`, `eval doodle` and `data` with the real binary.

mod common;

use common::{command, empty, json, run, stderr, stdout};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

/// A drawing of a class as SVG.
fn svg(class: &str) -> String {
    let class = doodle::made::CLASSES.iter().position(|c| *c == class).unwrap();
    let line = |s: &Vec<(f32, f32)>| s.iter().map(|p| format!("{},{} ", p.0, p.1)).collect::<String>();
    let lines = doodle::made::drawing(class, 77, 3).iter().map(|s| format!("<polyline points='{}'/>", line(s))).collect::<String>();
    format!("<svg xmlns='http://www.w3.org/2000/svg'>{lines}</svg>")
}

/// Lines of ndjson with so many drawings of each class.
fn ndjson(path: &Path, classes: &[&str], each: u64) {
    let mut text = String::new();
    for number in 0..each {
        for name in classes {
            let class = doodle::made::CLASSES.iter().position(|c| c == name).unwrap();
            let strokes = doodle::simplify(&doodle::made::drawing(class, 5, number));
            let lists: Vec<[Vec<f32>; 2]> =
                strokes.iter().map(|s| [s.iter().map(|p| p.0).collect(), s.iter().map(|p| p.1).collect()]).collect();
            text += &format!("{}\n", serde_json::json!({ "word": name, "recognized": number % 10 != 9, "drawing": lists }));
        }
    }
    std::fs::write(path, text).unwrap();
}

#[test]
fn drawings_in_files_are_named() {
    let dir = empty("doodle", "files");
    std::fs::write(dir.join("a.svg"), svg("ladder")).unwrap();
    let o = run(&dir, &["doodle", "a.svg", "--show"]);
    assert!(stdout(&o).starts_with("a.svg, drawing 1\n") && stdout(&o).contains("ladder") && stdout(&o).contains('█'), "{}", stdout(&o));
    assert!(stdout(&o).contains("drawings that the program made"));
    ndjson(&dir.join("b.ndjson"), &["star", "house"], 3);
    let answer = json(&run(&dir, &["doodle", "b.ndjson", "--limit", "2", "--top", "3", "--json"]));
    let drawings = answer["drawings"].as_array().unwrap();
    assert_eq!(
        (drawings.len(), drawings[1]["word"].as_str(), drawings[1]["guesses"][0]["class"].as_str()),
        (2, Some("house"), Some("house"))
    );
    // A drawing as the studio's page copies it.
    let house = "25,45.25,85.75,85.75,45.25,45;20,46.50,15.80,46";
    let answer = json(&run(&dir, &["doodle", "--ink", house, "--built-in", "--json"]));
    assert_eq!(answer["drawings"][0]["guesses"][0]["class"], "house");
    assert_eq!(run(&dir, &["doodle", "--ink", "25,45.x"]).status.code(), Some(2));
    std::fs::write(dir.join("empty.svg"), "<svg/>").unwrap();
    assert!(stdout(&run(&dir, &["doodle", "empty.svg", "--lang", "es"])).contains("no hay nada que ver"));
    std::fs::write(dir.join("bad.png"), "no picture").unwrap();
    std::fs::write(dir.join("bad.ndjson"), "{\"drawing\":[]}\n{\n").unwrap();
    for (file, what) in [("none.svg", "none.svg"), ("bad.png", "no file of drawings"), ("bad.ndjson", "line 2")] {
        let o = run(&dir, &["doodle", file]);
        assert_eq!(o.status.code(), Some(4), "{}", stderr(&o));
        assert!(stderr(&o).contains(what), "{}", stderr(&o));
    }
}

#[test]
fn a_network_is_trained_judged_and_used() {
    let dir = empty("doodle", "train");
    ndjson(&dir.join("all.ndjson"), &["star", "house", "ladder"], 40);
    let trained = run(&dir, &["train", "doodle", "all.ndjson", "--preset", "small", "--epochs", "12", "--set", "batch=8", "--json"]);
    let result = json(&trained);
    assert_eq!((result["run"].as_str(), &result["epochs"]), (Some("runs/doodle-small-0001"), &12.into()), "{result}");
    assert!(dir.join("runs/doodle-small-0001/doodle.json").is_file() && dir.join("runs/doodle-small-0001/confusion.svg").is_file());
    // The newest run takes the place of the built-in network, with its test rows: every fifth.
    let judged = json(&run(&dir, &["eval", "doodle", "--gallery", "g.svg", "--confusion", "c.svg", "--json"]));
    assert_eq!((judged["drawings"].as_u64(), judged["classes"].as_array().map(Vec::len)), (Some(24), Some(3)), "{judged}");
    assert!(judged["top1"].as_f64().unwrap() > 0.6 && judged["top3"].as_f64() == Some(1.0), "{judged}");
    assert!(std::fs::read_to_string(dir.join("g.svg")).unwrap().starts_with("<svg") && dir.join("c.svg").is_file());
    let o = run(&dir, &["doodle", "all.ndjson", "--limit", "1"]);
    assert!(stdout(&o).contains("network: runs/doodle-small-0001"), "{}", stdout(&o));
    let few = run(&dir, &["train", "doodle", "all.ndjson", "--each", "2"]);
    assert_eq!(few.status.code(), Some(4), "{}", stderr(&few));
    assert!(!dir.join("runs/doodle-best-0001").exists(), "nothing is left of it");
    assert_eq!(run(&dir, &["eval", "doodle", "--run", "none"]).status.code(), Some(4));
}

/// Both times are the same, whatever a canvas does to the drawings: few of them are lost by it.
#[test]
fn drawings_are_judged_as_if_drawn_on_a_canvas() {
    let dir = empty("doodle", "canvas");
    ndjson(&dir.join("all.ndjson"), &["star", "house", "ladder"], 40);
    let judged = json(&run(&dir, &["eval", "doodle", "all.ndjson", "--canvas", "--test", "--json"]));
    let [whole, canvas] = ["top1", "canvas_top1"].map(|k| judged[k].as_f64().unwrap());
    assert!(judged["drawings"] == 24 && whole > 0.9 && (whole - canvas).abs() < 0.1, "{judged}");
    let o = run(&dir, &["eval", "doodle", "all.ndjson", "--canvas"]);
    assert!(stdout(&o).contains("first guess right on a canvas"), "{}", stdout(&o));
    assert!(run(&dir, &["data", "import", "all.ndjson", "--out", "bitmaps"]).status.success());
    assert_eq!(run(&dir, &["eval", "doodle", "bitmaps", "--canvas"]).status.code(), Some(4), "bitmaps have no strokes");
    assert_eq!(run(&dir, &["eval", "doodle", "--canvas"]).status.code(), Some(2));
}

#[cfg(unix)]
#[test]
fn an_interrupted_training_is_completed_with_the_same_temperature() {
    let dir = empty("doodle", "resume");
    ndjson(&dir.join("all.ndjson"), &["star", "house", "ladder"], 40);
    let train = |out| {
        let small = ["train", "doodle", "all.ndjson", "--preset", "small", "--epochs", "9", "--set", "batch=8", "--threads", "1", "--out"];
        [&small[..], &[out]].concat()
    };
    let notes = |name: &str| -> serde_json::Value {
        serde_json::from_str(&std::fs::read_to_string(dir.join(name).join("doodle.json")).unwrap()).unwrap()
    };
    assert!(run(&dir, &train("whole")).status.success());
    let mut child = command(&dir, &train("part")).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let begun = Instant::now();
    while !dir.join("part/metrics.jsonl").is_file() {
        assert!(begun.elapsed() < Duration::from_secs(120), "it does not begin");
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(notes("part")["temperature"].is_null() && notes("part")["drawings"] == 120, "{}", notes("part"));
    let o = run(&dir, &["resume", "part"]);
    assert!(o.status.success(), "{}", stderr(&o));
    let (whole, part) = (notes("whole"), notes("part"));
    assert!(whole["temperature"].is_f64() && part["temperature"] == whole["temperature"], "{whole} {part}");
    assert_eq!(std::fs::read(dir.join("part/best.safetensors")).unwrap(), std::fs::read(dir.join("whole/best.safetensors")).unwrap());
    // Trained further, it gets a new one.
    assert!(run(&dir, &["resume", "part", "--epochs", "10"]).status.success());
    assert!(notes("part")["temperature"].is_f64());
}

#[test]
fn data_are_listed_checked_and_imported() {
    let dir = empty("doodle", "data");
    ndjson(&dir.join("all.ndjson"), &["star", "smiley face"], 20);
    let listed = json(&run(&dir, &["data", "ls", ".", "--json"]));
    assert_eq!((listed[0]["format"].as_str(), listed[0]["words"][0].as_str()), (Some("ndjson"), Some("star")));
    let checked = json(&run(&dir, &["data", "check", "all.ndjson", "--json"]));
    assert_eq!((checked[0]["drawings"].as_u64(), checked[0]["recognized"].as_u64()), (Some(40), Some(36)));
    let o = run(&dir, &["data", "import", "all.ndjson", "--out", "bitmaps", "--each", "15"]);
    assert_eq!(stdout(&o), "bitmaps: 30 drawings of 2 classes\n", "{}", stderr(&o));
    let checked = json(&run(&dir, &["data", "check", "bitmaps", "--json"]));
    assert_eq!((checked[0]["words"][0].as_str(), checked[0]["drawings"].as_u64()), (Some("smiley face"), Some(15)), "{checked}");
    let text = std::fs::read_to_string(dir.join("all.ndjson")).unwrap();
    std::fs::write(dir.join("cut.ndjson"), &text[..text.len() - 30]).unwrap();
    let o = run(&dir, &["data", "check", "cut.ndjson"]);
    assert_eq!(o.status.code(), Some(4));
    assert!(stderr(&o).contains("line 40"), "{}", stderr(&o));
}

/// A server of bitmaps of two classes, which breaks the first connection for a file after its first half.
fn server() -> (String, Vec<u8>) {
    let drawings: Vec<u8> = (0..40).flat_map(|n| doodle::bitmap(&doodle::made::drawing(1, 5, n))).collect();
    let bitmaps = [doodle::lesson::npy_header("|u1", &[40, doodle::PIXELS]), drawings].concat();
    let (listener, sent) = (TcpListener::bind("127.0.0.1:0").unwrap(), bitmaps.clone());
    let address = format!("http://{}/full/", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let lines: Vec<String> = BufReader::new(&stream).lines().map_while(Result::ok).take_while(|l| !l.is_empty()).collect();
            let from = lines.iter().find_map(|l| l.to_lowercase().strip_prefix("range: bytes=")?.trim_end_matches('-').parse().ok());
            let begin = from.unwrap_or(0);
            let known = ["/full/numpy_bitmap/cat.npy ", "/full/numpy_bitmap/hot%20air%20balloon.npy "].iter().any(|p| lines[0].contains(p));
            let (head, body) = match (lines[0].contains("/raw/"), known) {
                (true, _) => ("HTTP/1.1 200 OK\r\nContent-Length: 15\r\n".into(), &b"<html>no</html>"[..]),
                (_, false) => ("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n".into(), &[][..]),
                _ => {
                    let status = if from.is_some() { "206 Partial Content" } else { "200 OK" };
                    let range = format!("Content-Range: bytes {begin}-{}/{}\r\n", sent.len() - 1, sent.len());
                    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n{range}", sent.len() - begin);
                    (head, if from.is_some() { &sent[begin..] } else { &sent[..sent.len() / 2] })
                }
            };
            stream.write_all(&[head.as_bytes(), b"Connection: close\r\n\r\n", body].concat()).unwrap();
        }
    });
    (address, bitmaps)
}

#[test]
fn published_files_are_downloaded() {
    let dir = empty("doodle", "download");
    let (address, bitmaps) = server();
    let args = ["data", "download", "quickdraw", "--from", &address, "--classes", "Cat,hot_air balloon,cat"];
    let o = run(&dir, &args);
    assert!(o.status.success(), "{}", stderr(&o));
    assert!(stdout(&o).contains("hot air balloon.npy") && stdout(&o).contains("creativecommons.org/licenses/by/4.0"), "{}", stdout(&o));
    assert_eq!(stderr(&o).matches("again in").count(), 2, "{}", stderr(&o));
    let folder = dir.join("quickdraw/numpy_bitmap");
    assert_eq!(std::fs::read(folder.join("hot air balloon.npy")).unwrap(), bitmaps);
    assert!(std::fs::read_to_string(folder.join("CREDITS.txt")).unwrap().contains("Google"));
    let again = json(&run(&dir, &[&args[..], &["--json"]].concat()));
    assert_eq!((again["files"].as_array().unwrap().len(), &again["files"][0]["before"]), (2, &true.into()), "{again}");
    assert!(run(&dir, &["data", "check", "quickdraw/numpy_bitmap"]).status.success());
    let get = |more: &[&str]| run(&dir, &[&["data", "download", "quickdraw", "--from", &address, "--classes"][..], more].concat());
    for (more, code, what) in [
        (&["hause"][..], 2, "near it: house"),
        (&["ball"], 2, "soccer ball"),
        (&["cat", "--format", "raw"], 4, "markup"),
        (&["dog"], 4, "404"),
    ] {
        let o = get(more);
        assert!(o.status.code() == Some(code) && stderr(&o).contains(what), "{more:?}: {}", stderr(&o));
    }
    let nowhere = run(&dir, &["data", "download", "quickdraw", "--classes", "cat", "--from", "ftp://a"]);
    assert_eq!(nowhere.status.code(), Some(2));
    std::fs::write(folder.join("cat.npy"), "mine").unwrap();
    let o = run(&dir, &args);
    assert!(o.status.code() == Some(4) && stderr(&o).contains("--out"), "{}", stderr(&o));
}
