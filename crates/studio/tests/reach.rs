//! `export`, `predict`, `eval` and `summary` of the real binary on networks, equations and ONNX files.

mod common;

use common::{empty, json, npy, run, stderr, stdout, text};
use std::fs;
use std::path::Path;

/// Three classes of rows, and a trained network.
fn network(dir: &Path) {
    let value = |i: usize| (i * 7919 % 1009) as f64 / 1009.0;
    npy(&dir.join("x.npy"), "(240, 3)", &(0..720).map(value).collect::<Vec<_>>(), false);
    let class = |row: usize| (0..3).max_by(|&a, &b| value(3 * row + a).total_cmp(&value(3 * row + b))).unwrap() as f64;
    npy(&dir.join("y.npy"), "(240,)", &(0..240).map(class).collect::<Vec<_>>(), true);
    let net = "epochs = 30\nlearning_rate = 0.02\n[data]\nkind = 'npy'\nx = 'x.npy'\ny = 'y.npy'\nclasses = ['a', 'b', 'c']\nvalidation = 0.2\n\
        test = 0.2\nstandardize = true\n[[layers]]\ntype = 'dense'\nunits = 16\nactivation = 'tanh'\n[[layers]]\ntype = 'dense'\nunits = 3\n";
    fs::write(dir.join("net.toml"), net).unwrap();
    let o = run(dir, &["train", "net.toml"]);
    assert!(o.status.success(), "{}", stderr(&o));
}

#[test]
fn a_network_as_every_format() {
    let dir = empty("reach", "export");
    network(&dir);
    for (to, file) in [("onnx", "model.onnx"), ("safetensors", "model.safetensors"), ("csv", "metrics.csv"), ("tensorboard", "tensorboard")]
    {
        let v = json(&run(&dir, &["export", "net-0001", "--to", to, "--json"]));
        assert_eq!(v["file"], format!("runs/net-0001/{file}"));
        assert!(v["bytes"].as_u64().unwrap() > 500, "{v}");
    }
    let run_folder = dir.join("runs/net-0001");
    let csv = fs::read_to_string(run_folder.join("metrics.csv")).unwrap();
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines.len(), 31);
    assert!(lines[0].starts_with("epoch,") && lines[0].contains("val_accuracy") && lines[30].starts_with("30,"), "{csv}");
    let weights = fs::read(run_folder.join("model.safetensors")).unwrap();
    let header = String::from_utf8_lossy(&weights[8..]).into_owned();
    assert!(header.contains("dense_2/weight") && header.contains("preprocessing") && header.contains("from_logits"));
    // As a training writes them.
    let o = run(&dir, &["train", "net.toml", "--set", "tensorboard=true", "--epochs", "2"]);
    assert!(o.status.success(), "{}", stderr(&o));
    let tags = |folder: &Path| {
        let file = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).find(|p| p.to_string_lossy().contains("tfevents")).unwrap();
        String::from_utf8_lossy(&fs::read(file).unwrap()).into_owned()
    };
    let (own, exported) = (tags(&dir.join("runs/net-0002")), tags(&run_folder.join("tensorboard")));
    for tag in ["loss/train", "loss/validation", "accuracy/validation", "learning_rate"] {
        assert!(own.contains(tag) && exported.contains(tag), "{tag}");
    }
    assert!(own.contains("dense_1/weight"), "histograms of the weights");
    let o = run(&dir, &["export", "net-0001", "--to", "tensorboard"]);
    assert!(o.status.code() == Some(2) && stderr(&o).contains("exists already"), "{}", stderr(&o));
    let o = run(&dir, &["export", "net-0001", "--to", "keras", "--lang", "es"]);
    assert!(o.status.code() == Some(2) && stderr(&o).contains("onnx, safetensors, csv, tensorboard"), "{}", stderr(&o));
    // The page lists the layers.
    let page = fs::read_to_string(run_folder.join("report.html")).unwrap();
    assert!(page.contains("<h2>Layers</h2>") && page.contains("<th scope=\"row\">dense_1</th><td>[16]</td><td>64</td>"), "{page}");
}

#[test]
fn an_onnx_file_predicts_and_is_evaluated_as_its_run() {
    let dir = empty("reach", "onnx");
    network(&dir);
    assert!(run(&dir, &["export", "net-0001", "--out", "m.onnx"]).status.success());
    let probabilities = |args: &[&str]| -> Vec<f64> {
        let v = json(&run(&dir, args));
        let rows = v["predictions"].as_array().unwrap().clone();
        rows.iter().flat_map(|p| p["probabilities"].as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect::<Vec<_>>()).collect()
    };
    // The file's preprocessing and class names come with it.
    let (own, foreign) =
        (probabilities(&["predict", "net-0001", "x.npy", "--json"]), probabilities(&["predict", "m.onnx", "--input", "x.npy", "--json"]));
    assert_eq!(own.len(), 720);
    assert!(own.iter().zip(&foreign).all(|(a, b)| (a - b).abs() < 1e-6));
    let [a, b] = [["eval", "net-0001", "--json"].to_vec(), ["eval", "m.onnx", "--config", "net.toml", "--json"].to_vec()]
        .map(|args| json(&run(&dir, &args)));
    assert_eq!((&a["confusion"], &a["accuracy"], &a["set"]), (&b["confusion"], &b["accuracy"], &b["set"]));
    assert!((a["loss"].as_f64().unwrap() - b["loss"].as_f64().unwrap()).abs() < 1e-5, "{a} {b}");
    let v = json(&run(&dir, &["summary", "m.onnx", "--json"]));
    assert_eq!((&v["parameters"], &v["inputs"][0]["shape"]), (&serde_json::json!(3 * 16 + 16 + 16 * 3 + 3), &serde_json::json!([null, 3])));
    assert!(stdout(&run(&dir, &["summary", "m.onnx"])).contains("[N, 3]"));
    let wrong = |args: &[&str], code: i32, what: &str| {
        let o = run(&dir, args);
        assert!(o.status.code() == Some(code) && stderr(&o).contains(what), "{args:?}: {:?} {}", o.status, stderr(&o));
    };
    wrong(&["eval", "m.onnx"], 2, "--config FILE.toml");
    wrong(&["eval", "net-0001", "--config", "net.toml"], 2, "--config");
    wrong(&["predict", "m.onnx"], 2, "missing");
    wrong(&["predict", "none.onnx", "x.npy"], 4, "cannot read none.onnx");
    npy(&dir.join("wide.npy"), "(2, 4)", &[0.0; 8], false);
    wrong(&["predict", "m.onnx", "wide.npy"], 4, "wide.npy");
    fs::write(dir.join("broken.onnx"), [1, 2, 3]).unwrap();
    wrong(&["summary", "broken.onnx"], 4, "no valid ONNX model");
    // Two operators that nobody has, said at once: their names in the file are changed.
    let mut bytes = fs::read(dir.join("m.onnx")).unwrap();
    let mut changed = 0;
    for op in ["Tanh", "MatMul", "Gemm", "Softmax", "Exp"] {
        for at in (0..bytes.len() - op.len()).filter(|&i| bytes[i..].starts_with(op.as_bytes()) && bytes[i - 2] == 0x22).collect::<Vec<_>>()
        {
            bytes[at] = b'Z';
            changed += 1;
        }
    }
    assert!(changed >= 2, "{changed}");
    fs::write(dir.join("odd.onnx"), bytes).unwrap();
    let o = run(&dir, &["predict", "odd.onnx", "x.npy"]);
    assert_eq!(o.status.code(), Some(3), "{}", stderr(&o));
    assert!(stderr(&o).contains(&format!("{changed} operators are not supported")) && stderr(&o).contains("Zanh"), "{}", stderr(&o));
}

#[test]
fn a_solved_equation_is_evaluated_shown_used_and_exported() {
    let dir = empty("reach", "equation");
    let small = [
        "--set",
        "network.widths=[8, 8]",
        "--set",
        "points={ interior = 40, boundary = 10, initial = 10 }",
        "--set",
        "report={ every = 50, side = 7 }",
    ];
    let o = run(&dir, &[&["train", "pinn", "--steps", "200", "--json"][..], &small].concat());
    let trained = json(&o);
    let v = json(&run(&dir, &["eval", "pinn-0001", "--json"]));
    let close = |a: &serde_json::Value, b: &serde_json::Value| (a.as_f64().unwrap() - b.as_f64().unwrap()).abs() < 1e-6;
    assert!(close(&v["relative_l2"], &trained["relative_l2"]) && close(&v["max_error"], &trained["max_error"]), "{v} {trained}");
    let v = json(&run(&dir, &["summary", "pinn-0001", "--json"]));
    assert_eq!(v["parameters"], 3 * 8 + 9 * 8 + 9);
    fs::write(dir.join("points.csv"), "t,name,x\n0,start,0.25\n0.5,middle,0.75\n").unwrap();
    let v = json(&run(&dir, &["predict", "pinn-0001", "points.csv", "--json"]));
    let phi: Vec<f64> = v["predictions"].as_array().unwrap().iter().map(|p| p["phi"].as_f64().unwrap()).collect();
    assert!((v["predictions"][0]["exact"].as_f64().unwrap() - 1.0).abs() < 1e-12);
    assert!(stdout(&run(&dir, &["predict", "pinn-0001", "points.csv", "--lang", "es"])).contains("exacta"));
    let o = run(&dir, &["predict", "pinn-0001", "points.csv", "--out", "phi.csv"]);
    assert!(o.status.success() && fs::read_to_string(dir.join("phi.csv")).unwrap().starts_with("t,x,phi,exact\n0,0.25,"), "{}", stderr(&o));
    for to in ["onnx", "safetensors", "csv", "tensorboard"] {
        assert!(run(&dir, &["export", "pinn-0001", "--to", to]).status.success(), "{to}");
    }
    npy(&dir.join("points.npy"), "(2, 2)", &[0.0, 0.25, 0.5, 0.75], false);
    let v = json(&run(&dir, &["predict", "runs/pinn-0001/model.onnx", "points.npy", "--json"]));
    for (i, phi) in phi.iter().enumerate() {
        assert!((v["predictions"][i]["values"][0].as_f64().unwrap() - phi).abs() < 1e-5, "{v}");
    }
    let csv = fs::read(dir.join("runs/pinn-0001/metrics.csv")).unwrap();
    assert!(text(&csv).starts_with("step,") && text(&csv).lines().count() == 5, "{}", text(&csv));
    assert!(fs::read_to_string(dir.join("runs/pinn-0001/report.html")).unwrap().contains("dense_3"));
    let o = run(&dir, &["predict", "pinn-0001", "phi.txt"]);
    assert_eq!(o.status.code(), Some(4), "{}", stderr(&o));
    fs::write(dir.join("wrong.csv"), "t,y\n0,0\n").unwrap();
    let o = run(&dir, &["predict", "pinn-0001", "wrong.csv"]);
    assert!(o.status.code() == Some(4) && stderr(&o).contains("has no column"), "{}", stderr(&o));
}

/// A safetensors file of f32 tensors.
fn safetensors(path: &Path, tensors: &[(&str, &[usize], Vec<f32>)]) {
    let (mut header, mut data) = (serde_json::Map::new(), vec![]);
    for (name, shape, values) in tensors {
        let start = data.len();
        data.extend(values.iter().flat_map(|x| x.to_le_bytes()));
        header.insert((*name).into(), serde_json::json!({ "dtype": "F32", "shape": shape, "data_offsets": [start, data.len()] }));
    }
    let header = serde_json::to_vec(&header).unwrap();
    fs::write(path, [&(header.len() as u64).to_le_bytes()[..], &header, &data].concat()).unwrap();
}

#[test]
fn weights_of_pytorch_become_a_run() {
    let dir = empty("reach", "import");
    network(&dir);
    let values = |n: usize| (0..n).map(|i| (i * 37 % 23) as f32 / 23.0 - 0.4).collect::<Vec<f32>>();
    let (w1, b1, w2, b2) = (values(48), values(16), values(51)[3..].to_vec(), values(3));
    let file = [
        ("fc1.weight", &[16, 3][..], w1.clone()),
        ("fc1.bias", &[16], b1.clone()),
        ("out.weight", &[3, 16], w2.clone()),
        ("out.bias", &[3], b2.clone()),
    ];
    safetensors(&dir.join("w.safetensors"), &file);
    let v = json(&run(
        &dir,
        &["import", "w.safetensors", "--config", "net.toml", "--name", "torch", "--json", "--set", "data.standardize=false"],
    ));
    assert_eq!((&v["run"], &v["weights"]["dense_2/weight"]), (&"runs/torch-0001".into(), &"out.weight".into()));
    let v = json(&run(&dir, &["predict", "torch-0001", "x.npy", "--json"]));
    let x = [0, 7919 % 1009, 2 * 7919 % 1009].map(|n| f64::from(n) / 1009.0);
    let hidden: Vec<f64> =
        (0..16).map(|o| ((0..3).map(|i| f64::from(w1[o * 3 + i]) * x[i]).sum::<f64>() + f64::from(b1[o])).tanh()).collect();
    let out: Vec<f64> =
        (0..3).map(|o| ((0..16).map(|i| f64::from(w2[o * 16 + i]) * hidden[i]).sum::<f64>() + f64::from(b2[o])).exp()).collect();
    for o in 0..3 {
        let p = v["predictions"][0]["probabilities"][o].as_f64().unwrap();
        assert!((p - out[o] / out.iter().sum::<f64>()).abs() < 1e-5, "{p} {out:?}");
    }
    for command in ["eval", "summary", "export"] {
        assert!(run(&dir, &[command, "torch-0001"]).status.success(), "{command}");
    }
    assert!(dir.join("runs/torch-0001/report.html").is_file());
    // Everything that does not fit is said at once, and nothing is left behind.
    let wrong = [("fc1.weight", &[15, 3][..], values(45)), ("fc1.bias", &[15], values(15)), file[2].clone(), file[3].clone()];
    safetensors(&dir.join("wrong.safetensors"), &wrong);
    let o = run(&dir, &["import", "wrong.safetensors", "--config", "net.toml", "--name", "wrong"]);
    assert_eq!(o.status.code(), Some(4), "{}", stderr(&o));
    for part in ["dense_1/weight [3, 16]", "weight [16, 3]", "fc1.weight [15, 3]", "fc1.bias [15]"] {
        assert!(stderr(&o).contains(part), "{part}: {}", stderr(&o));
    }
    assert!(!dir.join("runs/wrong-0001").exists());
    fs::write(dir.join("map.toml"), "dense_1 = \"fc1\"\ndense_2 = \"oud\"\n").unwrap();
    let o = run(&dir, &["import", "w.safetensors", "--config", "net.toml", "--map", "map.toml", "--lang", "es"]);
    assert!(
        o.status.code() == Some(4) && stderr(&o).contains("oud.weight") && stderr(&o).contains("no encajan con las capas"),
        "{}",
        stderr(&o)
    );
}
