//! `neurona bench` as a process: the table, and the lines that `bench/run` reads.

mod common;

use common::text;
use serde_json::Value;
use std::path::Path;
use std::process::Output;

fn run(args: &[&str]) -> Output {
    common::command(Path::new(env!("CARGO_TARGET_TMPDIR")), &["bench"]).args(args).output().unwrap()
}

fn words(o: &Output) -> Vec<Vec<&str>> {
    text(&o.stdout).lines().map(|l| l.split_whitespace().collect()).collect()
}

/// The lines of a command with `--json`, which must succeed without a word on stderr.
fn lines(args: &[&str]) -> Vec<Value> {
    let o = run(&[args, &["--json"]].concat());
    assert_eq!((text(&o.stderr), o.status.code()), ("", Some(0)), "{args:?}");
    text(&o.stdout).lines().map(|l| serde_json::from_str(l).unwrap()).collect()
}

#[test]
fn a_json_line_has_what_the_comparison_reads() {
    let o = run(&["--json", "--workload", "tiny", "--threads", "1", "--seconds", "0.05"]);
    assert_eq!((text(&o.stderr), o.status.code()), ("", Some(0)));
    assert_eq!(text(&o.stdout).lines().count(), 1);
    let line: Value = serde_json::from_slice(&o.stdout).unwrap();
    assert_eq!((&line["peer"], &line["workload"], &line["threads"]), (&"neurona".into(), &"tiny".into(), &1.into()));
    assert!(line["steps"].as_u64().unwrap() >= 5 && line["multiply_adds"] == 960);
    for key in ["step_ms", "min_ms", "max_ms", "compile_ms", "first_ms", "gflops", "data_bytes", "state_bytes", "program_bytes", "loss"] {
        assert!(line[key].as_f64().unwrap() > 0.0, "{key}");
    }
    assert!(line["min_ms"].as_f64() <= line["step_ms"].as_f64() && line.get("explain").is_none());
}

#[test]
fn several_workloads_are_a_table_in_their_order() {
    let o = run(&["--workload", "mlp,tiny", "--seconds", "0", "--threads", "2"]);
    assert_eq!((text(&o.stderr), o.status.code()), ("", Some(0)));
    let words = words(&o);
    assert_eq!(words[0], ["workload", "ms/step", "min", "steps", "loss", "multiply-adds", "GFLOP/s", "compile", "ms"]);
    // Of the first layer, a step needs no derivative by the data.
    let mlp = 2.0 * 32.0 * f64::from(2 * 784 * 128 + 3 * 128 * 10);
    for (row, name, multiply_adds, operations) in [(&words[1], "mlp", "3250000", mlp), (&words[2], "tiny", "960", 4992.0)] {
        assert_eq!((row[0], row[5], row.len()), (name, multiply_adds, 8));
        let number = |i: usize| row[i].parse::<f64>().unwrap();
        assert!(number(2) <= number(1) * 1.01 && number(3) == 5.0, "{row:?}");
        let rate = operations / number(1) / 1e6;
        assert!((number(6) / rate - 1.0).abs() < 0.02, "{row:?}: {rate}");
    }
    assert!(text(&o.stdout).contains("Threads: 2."));
    let o = run(&["--workload", "tiny", "--workload", "mlp", "--seconds", "0", "--json"]);
    let names: Vec<String> = text(&o.stdout).lines().map(|l| serde_json::from_str::<Value>(l).unwrap()["workload"].to_string()).collect();
    assert_eq!(names, ["\"tiny\"", "\"mlp\""]);
}

#[test]
fn the_program_is_explained_if_asked() {
    let args = ["--workload", "tiny", "--seconds", "0", "--explain"];
    let o = run(&args);
    assert!(text(&o.stdout).starts_with("tiny: ") && text(&o.stdout).contains("contract  32×3·1×4") && text(&o.stdout).contains("GFLOP/s"));
    let line: Value = serde_json::from_slice(&run(&[&args[..], &["--json"]].concat()).stdout).unwrap();
    assert!(line["explain"].as_str().unwrap().contains("contract  32×3·1×4") && line["step_ms"].as_f64().unwrap() > 0.0);
}

#[test]
fn the_share_of_the_machines_rate_is_measured_if_asked() {
    let o = run(&["--workload", "mlp", "--seconds", "0", "--peak", "--threads", "1"]);
    assert!(words(&o)[1][7..].len() == 3 && words(&o)[1][8] == "%" && text(&o.stdout).contains("1024 × 1024"), "{}", text(&o.stdout));
    let line = &lines(&["--workload", "mlp", "--seconds", "0", "--peak", "--threads", "1"])[0];
    let number = |key: &str| line[key].as_f64().unwrap();
    assert!(number("peak_gflops") > 0.1 && (number("share_of_peak") * number("peak_gflops") / number("gflops") - 1.0).abs() < 1e-6);
}

#[test]
fn answers_are_timed_and_their_networks_written() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bench-onnx");
    let to = folder.to_str().unwrap();
    let answers = lines(&["--latency", "--workload", "mlp,connect4", "--batch", "1,2", "--seconds", "0", "--onnx", to]);
    let at: Vec<_> =
        answers.iter().map(|l| (l["workload"].as_str().unwrap(), l["batch"].as_u64().unwrap(), l["threads"].as_u64().unwrap())).collect();
    assert_eq!(at, [("mlp", 1, 1), ("mlp", 2, 1), ("connect4", 1, 1), ("connect4", 2, 1)]);
    assert!(answers.iter().all(|l| l["p99_ms"].as_f64() >= l["latency_ms"].as_f64() && l["latency_ms"].as_f64().unwrap() > 0.0));
    let weights = [784 * 128 + 128 + 128 * 10 + 10, 64 * 4 + 64];
    for (name, least) in ["mlp", "connect4"].into_iter().zip(weights) {
        assert!(std::fs::metadata(folder.join(format!("{name}.onnx"))).unwrap().len() > 4 * least, "{name}");
    }
    std::fs::remove_dir_all(&folder).unwrap();
    let o = run(&["--latency", "--workload", "mlp", "--batch", "3", "--seconds", "0"]);
    assert_eq!((words(&o)[1][..2].to_vec(), words(&o)[1].len()), (vec!["mlp", "3"], 6));
}

/// Sixteen-channel planes stay in the tiles; beside its data, a step of `stego` keeps about four planes of one channel,
/// 1.05 MB, for each picture.
#[cfg(target_os = "linux")]
#[test]
fn memory_over_the_batch_has_no_wide_activations_in_it() {
    let found = lines(&["--memory", "--threads", "2", "--batch", "4,16,32"]);
    let bytes = |l: &Value, key: &str| l[key].as_u64().unwrap();
    let rest: Vec<u64> = found.iter().map(|l| bytes(l, "peak_bytes") - bytes(l, "data_bytes")).collect();
    assert_eq!(found.iter().map(|l| bytes(l, "data_bytes")).collect::<Vec<_>>(), [4, 16, 32].map(|n| n * 4 * (256 * 256 * 3 + 128)));
    // 28 more pictures have 117 MB of sixteen-channel planes, forward alone.
    assert!(rest[2] < rest[0] + 45_000_000, "{rest:?} bytes beside the data");
    assert!(rest.iter().zip(&found).all(|(rest, l)| *rest > bytes(l, "state_bytes")), "{rest:?}");
    let o = run(&["--memory", "--workload", "tiny", "--batch", "32"]);
    assert_eq!((words(&o)[1][..2].to_vec(), words(&o)[1].len()), (vec!["tiny", "32"], 7));
}

#[test]
fn growth_is_measured_for_every_size() {
    let points = lines(&["--growth", "--width", "8,64", "--batch", "4,64", "--seconds", "0", "--threads", "1"]);
    let adds: Vec<u64> = points.iter().map(|l| l["multiply_adds"].as_u64().unwrap()).collect();
    assert_eq!(adds, [(8, 4), (8, 64), (64, 4), (64, 64)].map(|(w, b)| 3 * w * w * b));
    assert!(points[3]["step_ms"].as_f64() > points[0]["step_ms"].as_f64());
    let o = run(&["--growth", "--width", "8,16", "--batch", "4", "--seconds", "0", "--lang", "es"]);
    assert_eq!(words(&o)[0][..3], ["anchura", "lote", "ms/paso"]);
    assert_eq!((words(&o)[1].len(), words(&o)[2].len()), (5, 6), "only the wider has an exponent over the width");
}

#[test]
fn results_of_a_comparison_are_drawn() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bench-charts");
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("day.json");
    let contest = r#"{"torch": 4.0, "jax": null, "neurona": 2.0}"#;
    let results = format!(
        r#"{{"date": "day", "steps": {{"2": {{"median_ms": {{"tiny": {contest}}}}}}}, "latency": {{"median_ms": {{"mlp": {{"64": {contest}}}}}}},
        "memory": [{{"batch": 8, "data_bytes": 1e6, "peak_bytes": 3e6}}, {{"batch": 16, "data_bytes": 2e6, "peak_bytes": null}}],
        "growth": [{{"width": 8, "batch": 4, "step_ms": 1.0}}, {{"width": 16, "batch": 4, "step_ms": 3.0}}]}}"#
    );
    std::fs::write(&file, results).unwrap();
    let (file, to) = (file.to_str().unwrap(), folder.join("out"));
    let o = run(&["--chart", file, "--svg", to.to_str().unwrap()]);
    assert_eq!((text(&o.stderr), o.status.code()), ("", Some(0)));
    let read = |name: &str| std::fs::read_to_string(to.join(format!("day-{name}.svg"))).unwrap();
    assert!(read("steps-2").contains("tiny: JAX none, PyTorch 2.") && read("latency").contains("mlp × 64: JAX none, PyTorch 2."));
    assert!(read("memory").contains("process without data: from 2 to 2") && read("growth").contains("batch 4: from 1 to 3"));
    assert_eq!(text(&o.stdout).lines().count(), 4);
    for (content, what) in [("{}", "neither steps"), ("[", "EOF"), (r#"{"growth": [{}]}"#, "width")] {
        std::fs::write(file, content).unwrap();
        let o = run(&["--chart", file, "--svg", to.to_str().unwrap()]);
        assert_eq!((text(&o.stdout), o.status.code()), ("", Some(4)));
        assert!(text(&o.stderr).contains(what), "{}", text(&o.stderr));
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn mistakes_are_code_two() {
    for (args, what, fix) in [
        (
            &["--workload", "tinny"][..],
            "`tinny` is not a value for --workload <W>\n  possible values: tiny, mlp, pinn",
            "did you mean `tiny`?",
        ),
        (&["--workload", "tiny", "--seconds", "-1"], "-1", ""),
        (&["--workload", "tiny", "--seconds=-1"], "`-1` is not a value for --seconds", "from 0 to 24 h 00 min"),
        (&["--workload", "tiny", "--seconds", "nan"], "`NaN` is not a value for --seconds", "give a number of seconds"),
        (&["--workload", "tiny", "--batch", "0"], "`0` is not a value for --batch", "from 1"),
        (&["--memory", "--batch", "0"], "`0` is not a value for --batch", "from 1"),
        (&["--growth", "--width", "0"], "`0` is not a value for --width", "from 1"),
        (&["--latency", "--workload", "pinn"], "`pinn` is not a value for --workload", "mlp, connect4, doodle"),
        (&["--width", "8"], "missing: --growth", ""),
        (&["--chart", "a.json"], "missing: --svg", ""),
        (&["--threads", "two"], "`two` is not a value for --threads", ""),
    ] {
        let o = run(args);
        assert_eq!((text(&o.stdout), o.status.code()), ("", Some(2)), "{args:?}");
        assert!(text(&o.stderr).contains(what) && text(&o.stderr).contains(fix), "{args:?}: {}", text(&o.stderr));
    }
}
