//! `eval`, `plot` and `runs` of the real binary, and the page of a run.

mod common;

use common::{command, empty, json, run, stderr, stdout};
use serde_json::Value;
use std::fs;
use std::path::PathBuf;
use std::process::Stdio;

/// An empty folder with two training files: net.toml tells rings apart, line.toml fits a line.
fn folder(name: &str) -> PathBuf {
    let path = empty("runs", name);
    let row = |i: i32| {
        let (angle, radius) = (f64::from(i * 37 % 360).to_radians(), if i % 3 == 0 { 1.0 } else { 2.0 });
        format!("{:.4},{:.4},{}\n", radius * angle.cos(), radius * angle.sin(), if i % 3 == 0 { "<in>" } else { "out" })
    };
    fs::write(path.join("rings.csv"), format!("x,y,ring\n{}", (0..300).map(row).collect::<String>())).unwrap();
    let net = "epochs = 40\nlearning_rate = 0.01\n[data]\nkind = \"csv\"\nfile = \"rings.csv\"\ntarget = \"ring\"\nvalidation = 0.1\ntest = 0.2\n\
        [[layers]]\ntype = \"dense\"\nunits = 16\nactivation = \"relu\"\n[[layers]]\ntype = \"dense\"\nunits = 2\n";
    fs::write(path.join("net.toml"), net).unwrap();
    let line: String = (0..50).map(|i| format!("{i},{}\n", 2 * i + 1)).collect();
    fs::write(path.join("line.csv"), format!("x,y\n{line}")).unwrap();
    let net = "epochs = 3\n[data]\nkind = \"csv\"\nfile = \"line.csv\"\ntarget = \"y\"\ntask = \"regression\"\nstandardize = true\n[[layers]]\ntype = \"dense\"\nunits = 1\n";
    fs::write(path.join("line.toml"), net).unwrap();
    path
}

fn number(v: &Value) -> f64 {
    v.as_f64().unwrap_or_else(|| panic!("{v} is no number"))
}

#[test]
fn an_evaluation_agrees_with_the_training_and_with_predictions() {
    let dir = folder("eval");
    let trained = json(&run(&dir, &["train", "net.toml", "--epochs", "9", "--json"]));
    let v = json(&run(&dir, &["eval", "net-0001", "--json"]));
    assert_eq!(
        (&v["set"], &v["rows"], &v["loss"], &v["accuracy"]),
        (&"test".into(), &60.into(), &trained["test"]["loss"], &trained["test"]["accuracy"])
    );
    let confusion: Vec<Vec<f64>> = serde_json::from_value(v["confusion"].clone()).unwrap();
    let all: f64 = confusion.iter().flatten().sum();
    assert!((confusion[0][0] + confusion[1][1]) / all == number(&v["accuracy"]) && all == 60.0, "{v}");
    assert!(number(&v["accuracy"]) < 1.0, "a network without faults would prove little");
    for i in 0..2 {
        let (right, rows, said) = (confusion[i][i], confusion[i].iter().sum::<f64>(), confusion[0][i] + confusion[1][i]);
        let class = &v["per_class"][i];
        assert!(
            (number(&class["precision"]) - right / said.max(1.0)).abs() < 1e-12 && (number(&class["recall"]) - right / rows).abs() < 1e-12,
            "{v}"
        );
    }
    let errors: Vec<f64> = v["worst"].as_array().unwrap().iter().map(|w| number(&w["error"])).collect();
    assert!(errors.len() == 20 && errors.is_sorted_by(|a, b| a >= b), "{errors:?}");
    // All rows of the file: as predictions say.
    let v = json(&run(&dir, &["eval", "net-0001", "--json", "--on", "train", "--lang", "es"]));
    assert_eq!((&v["set"], &v["rows"]), (&"train".into(), &216.into()));
    let o = run(&dir, &["eval", "net-0001"]);
    let text = stdout(&o);
    assert!(text.contains("accuracy") && text.contains("precision") && text.contains("true ↓ predicted →  0"), "{text}");
    let wrong = run(&dir, &["eval", "net-0001", "--on", "tset"]);
    assert!(wrong.status.code() == Some(2) && stderr(&wrong).contains("`test`"), "{}", stderr(&wrong));
    // Other data are refused where they would become other inputs.
    let o = run(&dir, &["eval", "net-0001", "--set", "data.standardize=true"]);
    assert!(o.status.code() == Some(4) && stderr(&o).contains("other inputs"), "{}", stderr(&o));
    assert!(run(&dir, &["train", "line.toml"]).status.success());
    let v = json(&run(&dir, &["eval", "line-0001", "--json"]));
    assert!(v["set"] == "train" && number(&v["mae"]) > 0.0 && v.get("confusion").is_none(), "{v}");
    let o = run(&dir, &["eval", "line-0001", "--on", "test"]);
    assert!(o.status.code() == Some(4) && stderr(&o).contains("no rows for: test"), "{}", stderr(&o));
}

#[test]
fn the_page_needs_nothing_else_and_plot_makes_it_again() {
    let dir = folder("page");
    assert!(run(&dir, &["train", "net.toml"]).status.success());
    assert!(run(&dir, &["train", "line.toml", "--lang", "es"]).status.success());
    let small = ["--set", "network.widths=[8]", "--set", "points={ interior = 40, boundary = 10, initial = 10 }", "--steps", "60"];
    assert!(run(&dir, &[&["train", "pinn"], &small[..]].concat()).status.success());
    for (name, svgs, lang, confusion) in [("net-0001", 2, "en", true), ("line-0001", 1, "es", false), ("pinn-0001", 2, "en", false)] {
        let read = |file: &str| fs::read_to_string(dir.join("runs").join(name).join(file)).unwrap();
        let page = read("report.html");
        assert!(page.starts_with("<!doctype html>") && page.contains(&format!("lang=\"{lang}\"")), "{name}");
        assert_eq!(page.matches("<figure><svg").count(), svgs, "{name}");
        for outside in ["http:", "https:", "src=", "<link", "<script", "@import", "url("] {
            assert!(!page.contains(outside), "{name} refers to {outside}");
        }
        assert!(page.split("href=\"").skip(1).all(|rest| rest.starts_with("data:")), "{name}");
        assert_eq!(dir.join("runs").join(name).join("confusion.svg").exists(), confusion);
        assert!(!page.contains("<in>"), "names are escaped");
        for file in ["report.html", "curves.svg"].iter().filter(|f| name != "pinn-0001" || **f == "report.html") {
            let before = read(file);
            fs::remove_file(dir.join("runs").join(name).join(file)).unwrap();
            let v = json(&run(&dir, &["plot", name, "--json", "--lang", lang]));
            assert!(v["files"].as_array().unwrap().iter().all(|f| dir.join(f.as_str().unwrap()).is_file()), "{v}");
            assert!(before == read(file), "{name}: {file} differs");
        }
    }
    let page = fs::read_to_string(dir.join("runs/net-0001/report.html")).unwrap();
    assert!(page.contains("Worst rows") && page.contains("learning_rate = 0.01") && page.contains("F1") && page.contains("&lt;in&gt;"));
}

#[test]
fn runs_are_listed_shown_compared_and_removed() {
    let dir = folder("runs");
    assert!(stdout(&run(&dir, &["runs", "ls"])).contains("no runs"));
    assert!(run(&dir, &["train", "net.toml"]).status.success());
    assert!(run(&dir, &["train", "net.toml", "--epochs", "2", "--set", "layers.0.units=3"]).status.success());
    let v = json(&run(&dir, &["runs", "ls", "--json"]));
    let names: Vec<&str> = v.as_array().unwrap().iter().map(|r| r["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["net-0001", "net-0002"]);
    assert_eq!((&v[1]["kind"], &v[1]["status"], &v[1]["done"], &v[1]["of"]), (&"network".into(), &"done".into(), &2.into(), &2.into()));
    assert!(v[0]["best"]["name"] == "val_accuracy" && v[0]["changed"].as_str().unwrap().starts_with("20"), "{v}");
    let o = run(&dir, &["runs", "ls", "--lang", "es"]);
    assert!(stdout(&o).starts_with("ejecución") && stdout(&o).contains("terminada") && stdout(&o).contains("40/40"), "{}", stdout(&o));
    let v = json(&run(&dir, &["runs", "show", "net-0002", "--json"]));
    assert!(v["config"]["layers"][0]["units"] == 3 && v["meta"]["seed"] == 0 && number(&v["metrics"]["val_loss"]) > 0.0, "{v}");
    assert!(stdout(&run(&dir, &["runs", "show", "net-0002"])).contains("layers.0.units = 3"));
    let v = json(&run(&dir, &["runs", "compare", "net-0001", "net-0002", "--json"]));
    assert_eq!(v["settings"], serde_json::json!({ "epochs": ["40", "2"], "layers.0.units": ["16", "3"] }));
    assert!(number(&v["metrics"]["loss"][0]) < number(&v["metrics"]["loss"][1]), "{v}");
    let o = run(&dir, &["runs", "compare", "net-0001", "net-0002"]);
    let lines: Vec<&str> = stdout(&o).lines().collect();
    assert!(lines[1].starts_with("epochs") && lines[2].starts_with("layers.0.units") && stdout(&o).contains(" ★"), "{}", stdout(&o));
    assert_eq!(run(&dir, &["runs", "compare", "net-0001"]).status.code(), Some(2));
    // Nothing is removed unless all can be, and a folder with other things never is.
    fs::create_dir(dir.join("runs/net-0001/notes")).unwrap();
    let o = run(&dir, &["runs", "rm", "net-0002", "net-0001"]);
    assert!(o.status.code() == Some(1) && dir.join("runs/net-0002/config.toml").exists(), "{}", stderr(&o));
    fs::remove_dir(dir.join("runs/net-0001/notes")).unwrap();
    let v = json(&run(&dir, &["runs", "rm", "net-0002", "--json"]));
    assert_eq!(v["removed"], serde_json::json!(["runs/net-0002"]));
    assert!(!dir.join("runs/net-0002").exists() && dir.join("runs/net-0001").exists());
    assert_eq!(run(&dir, &["runs", "rm", "net-0002"]).status.code(), Some(4));
}

/// A run that is going on cannot be removed; one that was killed is listed as stopped.
#[cfg(unix)]
#[test]
fn running_and_stopped_are_told_apart() {
    let dir = folder("status");
    let mut child =
        command(&dir, &["train", "net.toml", "--epochs", "100000000"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    while !dir.join("runs/net-0001/last.safetensors").exists() {
        assert!(child.try_wait().unwrap().is_none());
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    assert_eq!(json(&run(&dir, &["runs", "ls", "--json"]))[0]["status"], "running");
    let o = run(&dir, &["runs", "rm", "net-0001"]);
    assert!(o.status.code() == Some(1) && stderr(&o).contains("in use"), "{}", stderr(&o));
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(json(&run(&dir, &["runs", "ls", "--json"]))[0]["status"], "stopped");
    assert!(run(&dir, &["runs", "rm", "net-0001"]).status.success());
}
