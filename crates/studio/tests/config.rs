//! `config` and `lr-find` of the real binary.

mod common;

use common::{empty, json, npy, run, stderr, stdout};
use std::fs;

/// Rows whose class is told by the sum of two numbers.
fn table(rows: usize) -> String {
    let row = |i: usize| {
        let (a, b) = ((i * 37 % 101) as f64 / 101.0, (i * 53 % 97) as f64 / 97.0);
        format!("{a:.4},{b:.4},{}\n", ["low", "middle", "high"][((a + b) * 1.5) as usize])
    };
    format!("a,b,size\n{}", (0..rows).map(row).collect::<String>())
}

#[test]
fn a_file_made_for_data_trains_at_once() {
    let dir = empty("config", "init");
    fs::write(dir.join("sizes.csv"), table(300)).unwrap();
    for lang in ["en", "es"] {
        let out = format!("{lang}.toml");
        assert!(run(&dir, &["config", "init", "sizes.csv", "--out", &out, "--lang", lang]).status.success());
        let text = fs::read_to_string(dir.join(&out)).unwrap();
        assert!(text.contains("target = \"size\"") && text.contains("units = 3 "), "{text}");
        let v = json(&run(&dir, &["config", "check", &out, "--json"]));
        assert_eq!((&v["classes"], &v["rows"]["train"]), (&serde_json::json!(["high", "low", "middle"]), &243.into()));
        assert_eq!(v["network"]["parameters"], 2 * 64 + 64 + 64 * 3 + 3);
        let v = json(&run(&dir, &["train", &out, "--json", "--epochs", "2"]));
        assert_eq!(v["epochs"], 2);
        let o = run(&dir, &["config", "init", "sizes.csv", "--out", &out]);
        assert!(o.status.code() == Some(2) && stderr(&o).contains("exists already"), "{}", stderr(&o));
        assert!(text.lines().filter(|l| l.starts_with("# ") && l.contains(" = ")).count() > 35, "everything else is shown: {text}");
    }
    fs::create_dir(dir.join("shapes")).unwrap();
    for (name, x) in [("dark", 0.0), ("light", 255.0)] {
        npy(&dir.join(format!("shapes/{name}.npy")), "(40, 784)", &vec![x; 40 * 784], false);
    }
    let o = run(&dir, &["config", "init", "shapes", "--out", "shapes.toml"]);
    assert!(o.status.success(), "{}", stderr(&o));
    assert!(run(&dir, &["config", "check", "shapes.toml"]).status.success());
    let v = json(&run(&dir, &["train", "shapes.toml", "--json", "--epochs", "4", "--set", "augment.shift=0.1"]));
    assert_eq!(v["test"]["accuracy"], 1.0, "{v}");
    for kind in ["csv", "table", "image", "npy"] {
        let o = run(&dir, &["config", "init", "--kind", kind]);
        fs::write(dir.join("t.toml"), stdout(&o)).unwrap();
        // Nothing is wrong but that there are no such data.
        let o = run(&dir, &["config", "check", "t.toml"]);
        assert!(o.status.code() == Some(4) && stderr(&o).starts_with("error[data]: cannot read"), "{kind}: {}", stderr(&o));
    }
    let o = run(&dir, &["config", "init", "no-such-folder", "--kind", "image"]);
    assert_eq!(o.status.code(), Some(4), "{}", stderr(&o));
}

#[test]
fn everything_wrong_is_said_at_once() {
    let dir = empty("config", "check");
    let bad = "epochs = 0\nbatch = \"x\"\n[data]\nkind = \"csv\"\nfile = \"no.csv\"\ntarget = -1\n[[layers]]\ntype = \"dense\"\nunts = 3\n";
    fs::write(dir.join("bad.toml"), bad).unwrap();
    let o = run(&dir, &["config", "check", "bad.toml"]);
    assert_eq!(o.status.code(), Some(3));
    let want = [
        "bad.toml: 5 problems",
        "1. `epochs` cannot be 0 in bad.toml:1:1\n     1 | epochs = 0\n       | ^^^^^^\n     fix: use a whole number from 1",
        "2. `batch` cannot be a text in bad.toml:2:9",
        "3. the key `units` is missing in bad.toml:7:1",
        "4. unknown key `unts` in bad.toml:9:1",
        "did you mean `units`?",
        "5. cannot read no.csv",
    ];
    want.iter().for_each(|w| assert!(stderr(&o).contains(w), "{w}\n{}", stderr(&o)));
    let o = run(&dir, &["config", "check", "bad.toml", "--lang", "es"]);
    for english in ["cannot", "unknown", "missing", "use a", "did you", "No such", "problems"] {
        assert!(!stderr(&o).replace("(os error 2)", "").replace("No such file or directory", "").contains(english), "{}", stderr(&o));
    }
    // Several things that need the data.
    fs::write(dir.join("sizes.csv"), table(90)).unwrap();
    let wrong = "class_weights = [1.0, 2.0]\nearly_stopping = { monitor = \"acuracy\" }\n[augment]\nshift = 0.1\n[data]\nkind = \"csv\"\n\
        file = \"sizes.csv\"\ntarget = \"size\"\n[[layers]]\ntype = \"dense\"\nunits = 2\n";
    fs::write(dir.join("wrong.toml"), wrong).unwrap();
    let o = run(&dir, &["config", "check", "wrong.toml"]);
    let want = ["2 class weights for 3 classes", "are no images", "did you mean `accuracy`?", "the network gives [2] numbers a row"];
    want.iter().for_each(|w| assert!(o.status.code() == Some(3) && stderr(&o).contains(w), "{w}\n{}", stderr(&o)));
    assert!(stderr(&o).contains("wrong.toml: 4 problems"), "{}", stderr(&o));
}

#[test]
fn the_schema_is_json_in_both_languages() {
    let dir = empty("config", "schema");
    let [en, es] = ["en", "es"].map(|lang| json(&run(&dir, &["config", "schema", "--lang", lang])));
    let help = |v: &serde_json::Value| v["properties"]["epochs"]["description"].as_str().unwrap().to_string();
    assert_eq!((help(&en), help(&es)), ("Times that every row is used".into(), "Veces que se usa cada fila".into()));
    assert_eq!(en["required"], serde_json::json!(["data", "layers"]));
    assert_eq!(en["$schema"], "https://json-schema.org/draft/2020-12/schema");
}

#[test]
fn a_learning_rate_is_suggested_with_its_reason() {
    let dir = empty("config", "rates");
    fs::write(dir.join("sizes.csv"), table(600)).unwrap();
    assert!(run(&dir, &["config", "init", "sizes.csv", "--out", "net.toml"]).status.success());
    let v = json(&run(&dir, &["lr-find", "net.toml", "--json", "--svg", "rates.svg", "--low", "1e-6"]));
    let rate = v["suggestion"].as_f64().unwrap();
    assert!((1e-4..0.3).contains(&rate), "{rate}");
    assert_eq!(v["finding"]["falls"]["rate"], v["suggestion"]);
    assert_eq!(v["points"][0]["rate"].as_f64().unwrap(), 1e-6);
    assert!(fs::read_to_string(dir.join("rates.svg")).unwrap().contains("suggested"));
    let o = run(&dir, &["lr-find", "net.toml"]);
    assert!(
        stdout(&o).contains("the loss falls fastest at") && stdout(&o).contains("•") && stdout(&o).contains("(now 0.001)"),
        "{}",
        stdout(&o)
    );
    let o = run(&dir, &["lr-find", "net.toml", "--lang", "es"]);
    assert!(stdout(&o).contains("la pérdida baja más deprisa con"), "{}", stdout(&o));
    let o = run(&dir, &["lr-find", "net.toml", "--low", "1e30", "--high", "1e35", "--set", "optimizer=sgd"]);
    assert!(o.status.code() == Some(1) && stderr(&o).contains("no learning rate can be suggested"), "{}{}", stderr(&o), stdout(&o));
    assert!(stderr(&o).contains("start at a lower rate"), "{}", stderr(&o));
    for wrong in [["--low", "0"], ["--high", "1e-9"], ["--steps", "3"]] {
        let o = run(&dir, &[&["lr-find", "net.toml"][..], &wrong].concat());
        assert_eq!(o.status.code(), Some(2), "{}", stderr(&o));
    }
    assert!(!dir.join("runs").exists(), "nothing is saved");
}
