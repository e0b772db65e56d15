//! `doodle`, `train doodle`, `eval doodle` and `data` with the real binary.

mod common;

use common::{empty, json, run, stderr, stdout};
use std::path::Path;

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
