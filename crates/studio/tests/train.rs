//! `train`, `predict` and `summary` of the real binary: results, files, progress, and every kind of failure.

mod common;

use common::{command, empty, json, npy, run, stderr, stdout};
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

fn example(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(name).display().to_string()
}

#[test]
fn exclusive_or_is_learnt_saved_and_predicted() {
    let dir = empty("train", "xor");
    let o = run(&dir, &["train", &example("xor.toml")]);
    assert_eq!(o.status.code(), Some(0), "{}", stderr(&o));
    let progress: Vec<&str> = stderr(&o).lines().collect();
    assert_eq!(progress.len(), 300, "one line per epoch");
    for (i, line) in progress.iter().enumerate() {
        assert!(line.starts_with(&format!("epoch={} loss=", i + 1)) && line.contains(" accuracy=") && !line.contains('\x1b'), "{line}");
        assert!(line.split(' ').all(|pair| pair.split_once('=').is_some_and(|(_, v)| v.parse::<f64>().is_ok())), "{line}");
    }
    assert!(
        stdout(&o).contains("training     4") && stdout(&o).contains("100.00 %") && stdout(&o).contains("runs/xor-0001"),
        "{}",
        stdout(&o)
    );
    assert!(!stdout(&o).contains('\x1b'));

    let mut files: Vec<String> =
        std::fs::read_dir(dir.join("runs/xor-0001")).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    files.retain(|f| f != ".lock");
    files.sort();
    assert_eq!(
        files,
        [
            "best.safetensors",
            "config.toml",
            "confusion.svg",
            "curves.svg",
            "last.safetensors",
            "meta.json",
            "metrics.jsonl",
            "report.html",
            "state.safetensors"
        ]
    );
    let read = |name: &str| std::fs::read_to_string(dir.join("runs/xor-0001").join(name)).unwrap();
    let lines: Vec<Value> = read("metrics.jsonl").lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!((lines.len(), &lines[299]["epoch"], &lines[299]["accuracy"]), (300, &Value::from(300), &Value::from(1.0)));
    assert!(lines[0]["loss"].as_f64() > lines[299]["loss"].as_f64());
    let meta: Value = serde_json::from_str(&read("meta.json")).unwrap();
    assert_eq!((&meta["state"], &meta["epochs"], &meta["rows"]["train"]), (&Value::from("done"), &Value::from(300), &Value::from(4)));
    assert_eq!(meta["preprocessing"]["classes"], serde_json::json!(["different", "same"]));
    assert!(read("curves.svg").starts_with("<svg") && read("curves.svg").contains("<polyline"));

    // By name, by path, and from a table without the target.
    std::fs::write(dir.join("new.csv"), "x1,x2\n1,1\n0,1\n").unwrap();
    let o = run(&dir, &["predict", "xor-0001", "new.csv"]);
    let lines: Vec<&str> = stdout(&o).lines().collect();
    assert!(lines[0].starts_with("row  class") && lines[1].starts_with("  0  same") && lines[2].starts_with("  1  different"), "{lines:?}");
    let v = json(&run(&dir, &["predict", "runs/xor-0001", "new.csv", &example("xor.csv"), "--json"]));
    let classes: Vec<&str> = v["predictions"].as_array().unwrap().iter().map(|p| p["class"].as_str().unwrap()).collect();
    assert_eq!(classes, ["same", "different", "same", "different", "different", "same"]);
    for p in v["predictions"].as_array().unwrap() {
        let sum: f64 = p["probabilities"].as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).sum();
        assert!((sum - 1.0).abs() < 1e-6 && p["probability"].as_f64().unwrap() > 0.9, "{p}");
    }
    let o = run(&dir, &["predict", "xor-0001", "new.csv", "--out", "p.csv"]);
    assert_eq!(stdout(&o), "2 rows written to p.csv\n", "{}", stderr(&o));
    assert!(std::fs::read_to_string(dir.join("p.csv")).unwrap().starts_with("class,different,same\nsame,0.0"));
    assert!(run(&dir, &["predict", "xor-0001", "new.csv", "--out", "p.npy"]).status.success());
    let bytes = std::fs::read(dir.join("p.npy")).unwrap();
    assert!(bytes.starts_with(b"\x93NUMPY") && bytes.len() == 128 + 4 * 4);
    let o = run(&dir, &["predict", "xor-0001", "new.csv", "--out", "p.txt"]);
    assert_eq!(o.status.code(), Some(2), "{}", stderr(&o));

    // The resolved settings train the same network.
    let o = run(&dir, &["train", "runs/xor-0001/config.toml", "--json", "--lang", "es"]);
    let v = json(&o);
    assert_eq!((&v["run"], &v["epochs"]), (&Value::from("runs/xor-0002"), &Value::from(300)));
    let weights = |run: &str| std::fs::read(dir.join(run).join("last.safetensors")).unwrap();
    assert_eq!(weights("runs/xor-0001"), weights("runs/xor-0002"));
}

#[test]
fn the_seed_decides_the_bytes_and_threads_do_not() {
    let dir = empty("train", "seed");
    let net = "epochs = 3\nbatch = 16\n[data]\nkind = 'npy'\nx = 'x.npy'\ny = 'y.npy'\nvalidation = 0.2\ntest = 0.1\n\
        [[layers]]\ntype = 'dense'\nunits = 32\nactivation = 'relu'\n[[layers]]\ntype = 'dropout'\nrate = 0.2\n\
        [[layers]]\ntype = 'dense'\nunits = 2\n";
    std::fs::write(dir.join("net.toml"), net).unwrap();
    let x: Vec<f64> = (0..800).map(|i| f64::from(i * 7 % 13) / 13.0).collect();
    npy(&dir.join("x.npy"), "(200, 4)", &x, false);
    let y: Vec<f64> = x.chunks(4).map(|r| f64::from(u8::from(r[0] > r[1]))).collect();
    npy(&dir.join("y.npy"), "(200,)", &y, true);
    let train = |out: &str, more: &[&str]| {
        let o = run(&dir, &[&["train", "net.toml", "--out", out], more].concat());
        assert!(o.status.success(), "{}", stderr(&o));
        assert!(stdout(&o).contains("validation    36") && stdout(&o).contains("test          20"), "{}", stdout(&o));
        ["last.safetensors", "best.safetensors"].map(|f| std::fs::read(dir.join(out).join(f)).unwrap())
    };
    let first = train("a", &["--seed", "7", "--threads", "1"]);
    assert_eq!(first, train("b", &["--seed", "7", "--threads", "1"]));
    assert_eq!(first, train("c", &["--set", "seed=7", "--threads", "2"]));
    assert_ne!(first, train("d", &["--seed", "8"]));
    let again = run(&dir, &["train", "net.toml", "--out", "a"]);
    assert_eq!(again.status.code(), Some(2), "a run is not overwritten");
    assert!(stderr(&again).contains("a already holds a run"), "{}", stderr(&again));
}

#[test]
fn a_regression_learns_a_plane() {
    let dir = empty("train", "plane");
    let rows: String =
        (0..60).map(|i| (i % 7, i % 5)).map(|(a, b)| format!("{a},{b},{}\n", 2.0 * f64::from(a) - f64::from(b) + 0.5)).collect();
    std::fs::write(dir.join("plane.csv"), format!("a,b,z\n{rows}")).unwrap();
    let net = "epochs = 200\nlearning_rate = 0.05\noptimizer = 'adam'\n[data]\nkind = 'csv'\nfile = 'plane.csv'\ntarget = 'z'\n\
        standardize = true\ntest = 0.2\n[[layers]]\ntype = 'dense'\nunits = 1\n";
    std::fs::write(dir.join("plane.toml"), net).unwrap();
    let v = json(&run(&dir, &["train", "plane.toml", "--json"]));
    assert!(v["test"]["mae"].as_f64().unwrap() < 0.02, "{v}");
    std::fs::write(dir.join("new.csv"), "b,a\n1,3\n").unwrap();
    let v = json(&run(&dir, &["predict", "plane-0001", "new.csv", "--json"]));
    assert_eq!(v["columns"], serde_json::json!(["z"]));
    assert!((v["predictions"][0]["values"][0].as_f64().unwrap() - 5.5).abs() < 0.05, "{v}");
    let o = run(&dir, &["predict", "plane-0001", "new.csv"]);
    assert!(stdout(&o).starts_with("row    ") && stdout(&o).lines().next().unwrap().ends_with('z'), "{}", stdout(&o));
}

#[test]
fn summaries_of_a_file_and_of_a_run_agree() {
    let dir = empty("train", "summary");
    let o = run(&dir, &["summary", &example("xor.toml")]);
    let want = "layer    output  parameters  MFLOP per row\ninput    [2]\ndense_1  [8]             24         4.8e-5\n\
        dense_2  [2]             18         3.4e-5\ntotal                    42         8.2e-5\n";
    assert_eq!(stdout(&o), want);
    let readme = include_str!("../../../README.md");
    want.lines().for_each(|line| assert!(readme.contains(line), "the README shows another output than {line}"));
    assert!(run(&dir, &["train", &example("xor.toml"), "--epochs", "1"]).status.success());
    assert_eq!(stdout(&run(&dir, &["summary", "xor-0001"])), want);
    let v = json(&run(&dir, &["summary", "xor-0001", "--json", "--lang", "es"]));
    assert_eq!((&v["parameters"], &v["layers"][0]["layer"]), (&Value::from(42), &Value::from("dense_1")));
    assert!(stdout(&run(&dir, &["summary", "xor-0001", "--lang", "es"])).starts_with("capa     salida  parámetros"));
}

/// The two-feature network of the failures below; `top` are settings, `data` the rest of `[data]`.
fn net(top: &str, data: &str, units: usize) -> String {
    format!("{top}\n[data]\n{data}\n[[layers]]\ntype = \"dense\"\nunits = {units}\n")
}

#[test]
fn wrong_settings_are_shown_in_their_line() {
    let dir = empty("train", "settings");
    std::fs::write(dir.join("xor.csv"), "x1,x2,class\n0,0,same\n0,1,different\n1,0,different\n1,1,same\n").unwrap();
    let csv = "kind = \"csv\"\nfile = \"xor.csv\"\ntarget = \"class\"";
    let cases: [(String, &str, &str); 19] = [
        (
            net("learnig_rate = 0.1", csv, 2),
            "unknown key `learnig_rate` in net.toml:1:1\n  1 | learnig_rate = 0.1\n    | ^^^^^^^^^^^^\n",
            "did you mean `learning_rate`?",
        ),
        (net("", &format!("{csv}\nstandardise = true"), 2), "unknown key `standardise` in net.toml:6:1", "did you mean `standardize`?"),
        (net("", csv, 2) + "unts = 3\n", "unknown key `unts` in net.toml:9:1", "did you mean `units`?"),
        (net("", csv, 2) + "[[layers]]\ntype = \"dens\"\nunits = 2", "unknown choice `dens` in net.toml:10:8", "did you mean `dense`?"),
        (net("optimizer = { kind = \"adam\", beta3 = 0.9 }", csv, 2), "unknown key `beta3` in net.toml:1:30", "did you mean `beta1`?"),
        (net("optimizer = \"adm\"", csv, 2), "unknown choice `adm` in net.toml:1:13", "did you mean `adam`?"),
        (net("epochs = 2\nepochs = 3", csv, 2), "the key `epochs` is given twice in net.toml:2:1", "remove one"),
        (
            net("learning_rate = 0", csv, 2),
            "`learning_rate` cannot be 0 in net.toml:1:1\n  1 | learning_rate = 0\n",
            "use a positive number",
        ),
        (net("\nlearning_rate = nan", csv, 2), "`learning_rate` cannot be NaN in net.toml:2:1", "use a positive number"),
        (net("learning_rate = -0.1", csv, 2), "`learning_rate` cannot be -0.1", "use a positive number"),
        (net("epochs = 0", csv, 2), "`epochs` cannot be 0 in net.toml:1:1", "from 1"),
        (net("batch = 0", csv, 2), "`batch` cannot be 0", "from 1"),
        (net("name = \"../up\"", csv, 2), "`name` cannot be \"../up\"", "letters"),
        (net("schedule = { cosine = { end = 2.0 } }", csv, 2), "`schedule.cosine.end` cannot be 2 in net.toml:1:25", "from 0 to 1"),
        (
            net("", csv, 3),
            "the network gives [3] numbers a row, but the data have 2 classes in net.toml:8:1\n  8 | units = 3\n",
            "units = 2",
        ),
        (net("loss = \"mse\"", csv, 2), "the loss mse is for numbers, but the data ask for classes in net.toml:1:1", "remove `loss`"),
        (
            net("loss = \"sparse_categorical_cross_entropy\"", csv, 2),
            "takes probabilities, but the last layer gives numbers",
            "from_logits = true",
        ),
        (net("", &format!("{csv}\nvalidation = 1.5"), 2), "`data.validation` cannot be 1.5 in net.toml:6:1", "from 0 to below 1"),
        (net("", csv, 2).replace("dense", "conv2d").replace("units", "kernel = 3\nfilters"), "the layers do not fit", "reshape"),
    ];
    for (text, what, fix) in cases {
        std::fs::write(dir.join("net.toml"), &text).unwrap();
        let o = run(&dir, &["train", "net.toml"]);
        assert_eq!((stdout(&o), o.status.code()), ("", Some(3)), "{text}\n{}", stderr(&o));
        assert!(
            stderr(&o).starts_with("error[config]: ") && stderr(&o).contains(what) && stderr(&o).contains(fix),
            "{text}\n{}",
            stderr(&o)
        );
        assert!(!dir.join("runs").exists(), "nothing is left behind");
    }
}

#[test]
fn changes_on_the_command_line_are_checked_too() {
    let dir = empty("train", "changes");
    let xor = example("xor.toml");
    let cases: [(&[&str], i32, &str, &str); 9] = [
        (&["--set", "learnig_rate=0.1"], 3, "unknown key `learnig_rate` in --set learnig_rate=0.1", "did you mean `learning_rate`?"),
        (&["--set", "learning_rate=nan"], 3, "`learning_rate` cannot be NaN in --set learning_rate=nan", "positive"),
        (&["--set", "layers.1.units=5"], 3, "but the data have 2 classes in --set layers.1.units=5", "units = 2"),
        (&["--set", "layers.7.units=5"], 3, "no place for `layers.7.units`", ""),
        (&["--set", "optimizer.kind=adm"], 3, "unknown choice `adm` in --set optimizer.kind=adm", "did you mean `adam`?"),
        (&["--epochs", "0"], 3, "`epochs` cannot be 0 in --epochs 0", "from 1"),
        (&["--set", "epochs"], 2, "`epochs` is not a value for --set", "KEY=VALUE"),
        (&["--seed", "-1"], 2, "", ""),
        (&["--epoch", "3"], 2, "`--epoch` is not expected here", "did you mean `--epochs`?"),
    ];
    for (args, code, what, fix) in cases {
        let o = run(&dir, &[&["train", &xor], args].concat());
        assert_eq!((stdout(&o), o.status.code()), ("", Some(code)), "{args:?}: {}", stderr(&o));
        assert!(stderr(&o).contains(what) && stderr(&o).contains(fix), "{args:?}: {}", stderr(&o));
    }
    let good =
        ["--set", "optimizer.kind=sgd", "--set", "layers.0.units=3", "--set", "name=other", "--set", "schedule.step={every=2, factor=0.5}"];
    let o = run(&dir, &[&["train", &xor, "--epochs", "4"], &good[..]].concat());
    assert!(o.status.success(), "{}", stderr(&o));
    let config = std::fs::read_to_string(dir.join("runs/other-0001/config.toml")).unwrap();
    assert!(config.contains("kind = \"sgd\"") && config.contains("units = 3") && config.contains("factor = 0.5"), "{config}");
    let o = run(&dir, &["train", "no.toml"]);
    assert_eq!(o.status.code(), Some(3), "{}", stderr(&o));
    let o = run(&dir, &["train", "no.toml", "--lang", "es"]);
    assert!(stderr(&o).starts_with("error[config]: no se puede leer no.toml"), "{}", stderr(&o));
    let o = run(&dir, &["predict", "no-such-run", "x.csv"]);
    assert!(o.status.code() == Some(4) && stderr(&o).contains("runs here: runs/other-0001"), "{}", stderr(&o));
}

#[test]
fn damaged_data_are_refused_with_their_place() {
    let dir = empty("train", "data");
    let write = |name: &str, text: &str| std::fs::write(dir.join(name), text).unwrap();
    write("ragged.csv", "a,b,c\n1,2,yes\n3,no\n");
    write("empty.csv", "a,b,c\n");
    write("text.csv", "a,b\n1,2.5\nnan,3.5\n");
    let four = [0.0, 1.0, 2.0, 3.0];
    npy(&dir.join("x.npy"), "(2, 2)", &four, false);
    npy(&dir.join("nan.npy"), "(2, 2)", &[0.0, 1.0, 2.0, f64::NAN], false);
    npy(&dir.join("short.npy"), "(3, 2)", &four, false);
    npy(&dir.join("none.npy"), "(0, 2)", &[], false);
    npy(&dir.join("y.npy"), "(2,)", &[0.0, 1.0], true);
    npy(&dir.join("y0.npy"), "(0,)", &[], true);
    npy(&dir.join("y5.npy"), "(2,)", &[0.0, 5.0], true);
    npy(&dir.join("wide.npy"), "(2, 3)", &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0], false);
    let pair = |x: &str, y: &str, more: &str| format!("kind = \"npy\"\nx = \"{x}.npy\"\ny = \"{y}.npy\"\n{more}");
    let table = |file: &str, target: &str| format!("kind = \"csv\"\nfile = \"{file}.csv\"\ntarget = \"{target}\"");
    let cases = [
        (table("ragged", "c"), "ragged.csv, line 3: 2 fields where 3 are expected", "delimiters"),
        (table("empty", "c"), "empty.csv: there are no rows", "at least one"),
        (table("text", "b"), "text.csv, line 3, column a: `nan` is not a finite number", "remove the line"),
        (table("absent", "b"), "cannot read absent.csv", "check the name"),
        (table("ragged", "d"), "", ""),
        (pair("nan", "y", ""), "nan.npy: the value in row 1, column 1 (counted from 0) is NaN", "remove the row"),
        (pair("short", "y", ""), "short.npy is truncated: its header asks for 152 bytes, the file has 144", "again"),
        (pair("none", "y0", ""), "none.npy and y0.npy: there are no rows", "at least one"),
        (
            pair("x", "y5", "classes = [\"a\", \"b\"]"),
            "y5.npy: label 5 in row 1 (counted from 0) is not a whole number from 0 to 1",
            "correct it",
        ),
        (pair("x", "y0", ""), "x.npy and y0.npy: 2 rows but 0 labels", "belong together"),
        (pair("x", "y", "validation_x = \"nan.npy\"\nvalidation_y = \"y.npy\""), "nan.npy: the value in row 1", "remove the row"),
        (pair("x", "y", "validation_x = \"x.npy\"\nvalidation_y = \"y0.npy\""), "x.npy and y0.npy: 2 rows but 0 labels", "belong together"),
        (pair("x", "y", "validation_x = \"wide.npy\"\nvalidation_y = \"y.npy\""), "wide.npy", ""),
        (pair("x", "y", "validation_x = \"none.npy\"\nvalidation_y = \"y0.npy\""), "none.npy", ""),
        (pair("x", "y", "shape = [3, 3]"), "x.npy: rows of shape [2] do not fit the shape [3, 3]", "correct `shape`"),
    ];
    for (data, what, fix) in cases {
        write("net.toml", &net("", &data, 2));
        for name in ["train", "summary"] {
            let o = run(&dir, &[name, "net.toml"]);
            assert_eq!((stdout(&o), o.status.code()), ("", Some(4)), "{data}\n{}", stderr(&o));
            assert!(
                stderr(&o).starts_with("error[data]: ") && stderr(&o).contains(what) && stderr(&o).contains(fix),
                "{data}\n{}",
                stderr(&o)
            );
        }
        assert!(!dir.join("runs").exists(), "nothing is left behind");
    }
    // The same with new rows of a trained network.
    write("net.toml", &net("epochs = 1", &pair("x", "y", ""), 2));
    assert!(run(&dir, &["train", "net.toml"]).status.success());
    for (file, what) in
        [("nan.npy", "is NaN"), ("short.npy", "truncated"), ("none.npy", "no rows"), ("y.npy", ""), ("absent.npy", "cannot read")]
    {
        let o = run(&dir, &["predict", "net-0001", file]);
        if file == "y.npy" {
            // Two numbers are one row of two.
            assert_eq!(o.status.code(), Some(0), "{}", stderr(&o));
        } else {
            assert!(o.status.code() == Some(4) && stderr(&o).contains(what), "{file}: {}", stderr(&o));
        }
    }
    std::fs::remove_file(dir.join("runs/net-0001/best.safetensors")).unwrap();
    assert!(run(&dir, &["predict", "net-0001", "x.npy"]).status.success(), "the last weights are used then");
    std::fs::write(dir.join("runs/net-0001/last.safetensors"), "damaged").unwrap();
    let o = run(&dir, &["predict", "net-0001", "x.npy"]);
    assert!(o.status.code() == Some(4) && stderr(&o).contains("cannot use runs/net-0001/last.safetensors"), "{}", stderr(&o));
}

#[test]
fn divergence_is_explained() {
    let dir = empty("train", "diverged");
    let rows: String = (0..64).map(|i| format!("{i},{}\n", f64::from(i) * 3.5)).collect();
    std::fs::write(dir.join("line.csv"), format!("x,y\n{rows}")).unwrap();
    let data = "kind = \"csv\"\nfile = \"line.csv\"\ntarget = \"y\"";
    std::fs::write(dir.join("net.toml"), net("epochs = 50\nlearning_rate = 1e6\noptimizer = \"sgd\"\nbatch = 8", data, 1)).unwrap();
    let o = run(&dir, &["train", "net.toml"]);
    assert_eq!((stdout(&o), o.status.code()), ("", Some(5)), "{}", stderr(&o));
    assert!(stderr(&o).contains("error[diverged]: training diverged in epoch 1, batch "), "{}", stderr(&o));
    assert!(stderr(&o).contains("the last finite loss was") && stderr(&o).contains("--set learning_rate=100000"), "{}", stderr(&o));
    let meta: Value = serde_json::from_slice(&std::fs::read(dir.join("runs/net-0001/meta.json")).unwrap()).unwrap();
    assert_eq!(meta["state"], "diverged");
    let o = run(&dir, &["predict", "net-0001", "line.csv"]);
    assert!(o.status.code() == Some(4) && stderr(&o).contains("no weights yet"), "{}", stderr(&o));
    let o = run(&dir, &["train", "net.toml", "--json", "--lang", "es"]);
    let v: Value = serde_json::from_str(stderr(&o).lines().last().unwrap()).unwrap();
    assert!(v["error"]["kind"] == "diverged" && v["error"]["what"].as_str().unwrap().contains("divergió en la época 1"), "{v}");
    // Slow enough to finish an epoch first: its weights are kept.
    let o = run(&dir, &["train", "net.toml", "--set", "learning_rate=0.002", "--set", "batch=64", "--epochs", "1000"]);
    assert_eq!(o.status.code(), Some(5), "{}", stderr(&o));
    assert!(stderr(&o).contains("are in runs/net-0003/last.safetensors"), "{}", stderr(&o));
    assert!(run(&dir, &["predict", "net-0003", "line.csv"]).status.success());
}

/// Ctrl-C after the first epoch: the process ends by itself with 130, and the weights are there.
#[cfg(unix)]
#[test]
fn an_interruption_loses_nothing() {
    let dir = empty("train", "interrupted");
    let mut child = command(&dir, &["train", &example("xor.toml"), "--epochs", "100000000"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.next().unwrap().starts_with("epoch=1 "));
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let rest: Vec<String> = lines.filter(|l| !l.starts_with("epoch=")).collect();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{rest:?}");
    assert!(
        rest[0].starts_with("error[interrupted]: interrupted in epoch ") && rest[1].contains("runs/xor-0001/last.safetensors"),
        "{rest:?}"
    );
    let meta: Value = serde_json::from_slice(&std::fs::read(dir.join("runs/xor-0001/meta.json")).unwrap()).unwrap();
    assert_eq!(meta["state"], "interrupted");
    let lines = std::fs::read_to_string(dir.join("runs/xor-0001/metrics.jsonl")).unwrap();
    assert_eq!(lines.lines().count() as u64, meta["epochs"].as_u64().unwrap(), "every finished epoch has its line");
    assert!(run(&dir, &["predict", "xor-0001", &example("xor.csv")]).status.success());
}

/// The examples on genuine data, shortened; where the data are not there, nothing is tested.
#[test]
fn the_examples_learn_from_genuine_data() {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let dir = empty("train", "genuine");
    // Chance is 0.1 of ten doodles; the majority of the positions are won by the first player: 0.658.
    let cases: [(&str, &str, &[&str], f64); 2] = [
        ("quickdraw.toml", "quickdraw/numpy_bitmap", &["--epochs", "4", "--set", "data.limit=1500"], 0.7),
        ("connect4.toml", "connect4/connect-4.half-a.data", &["--epochs", "3", "--set", "data.limit=12000"], 0.69),
    ];
    for (file, data, args, at_least) in cases {
        if !shared.join(data).exists() {
            eprintln!("skipped: {} is not there, so {file} is not tested", shared.join(data).display());
            continue;
        }
        let v = json(&run(&dir, &[&["train", &example(file), "--json"], args].concat()));
        assert!(v["test"]["accuracy"].as_f64().unwrap() > at_least, "{file}: {v}");
    }
    let cat = shared.join("quickdraw/numpy_bitmap/cat.npy");
    if cat.exists() {
        let v = json(&run(&dir, &["predict", "quickdraw-0001", &cat.display().to_string(), "--json"]));
        let cats = v["predictions"].as_array().unwrap().iter().filter(|p| p["class"] == "cat").count();
        assert!(cats > 800, "{cats} of 2000 cats are recognised");
    }
}

#[test]
fn an_exported_network_gives_the_predicted_probabilities() {
    let dir = empty("train", "export");
    assert!(run(&dir, &["train", &example("xor.toml"), "--epochs", "20"]).status.success());
    let v = json(&run(&dir, &["export", "xor-0001", "--json", "--out", "xor.onnx"]));
    let bytes = std::fs::read(dir.join("xor.onnx")).unwrap();
    assert_eq!((&v["format"], v["bytes"].as_u64()), (&Value::from("onnx"), Some(bytes.len() as u64)));
    let x = [0.0f32, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0];
    let model = onnx::import(&bytes).unwrap();
    assert!(model.notes().contains(&("labels".into(), r#"["different","same"]"#.into())));
    let out = model.predict(&[4, 2], &x).unwrap();
    std::fs::write(dir.join("all.csv"), "x1,x2\n0,0\n0,1\n1,0\n1,1\n").unwrap();
    let v = json(&run(&dir, &["predict", "xor-0001", "all.csv", "--json"]));
    let want = v["predictions"].as_array().unwrap().iter().flat_map(|p| p["probabilities"].as_array().unwrap());
    assert_eq!(out.shape, [4, 2]);
    out.data.iter().zip(want).for_each(|(a, b)| assert!((f64::from(*a) - b.as_f64().unwrap()).abs() < 1e-6, "{a} {b}"));

    let o = run(&dir, &["export", "nothing"]);
    assert_eq!(o.status.code(), Some(4));
    let o = run(&dir, &["export", "xor-0001", "--out", "missing/x.onnx"]);
    assert_eq!(o.status.code(), Some(1));
}
