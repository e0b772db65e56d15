//! `neurona bench` as a process: the table, and the lines that `bench/run` reads.

mod common;

use common::text;
use serde_json::Value;
use std::path::Path;
use std::process::Output;

fn run(args: &[&str]) -> Output {
    common::command(Path::new(env!("CARGO_TARGET_TMPDIR")), &["bench"]).args(args).output().unwrap()
}

#[test]
fn a_json_line_has_what_the_comparison_reads() {
    let o = run(&["--json", "--workload", "tiny", "--threads", "1", "--seconds", "0.05"]);
    assert_eq!((text(&o.stderr), o.status.code()), ("", Some(0)));
    assert_eq!(text(&o.stdout).lines().count(), 1);
    let line: Value = serde_json::from_slice(&o.stdout).unwrap();
    assert_eq!((&line["peer"], &line["workload"], &line["threads"]), (&"neurona".into(), &"tiny".into(), &1.into()));
    assert!(line["steps"].as_u64().unwrap() >= 5 && line["multiply_adds"] == 960);
    for key in ["step_ms", "min_ms", "max_ms", "compile_ms", "loss"] {
        assert!(line[key].as_f64().unwrap() > 0.0, "{key}");
    }
    assert!(line["min_ms"].as_f64() <= line["step_ms"].as_f64() && line.get("explain").is_none());
}

#[test]
fn several_workloads_are_a_table_in_their_order() {
    let o = run(&["--workload", "mlp,tiny", "--seconds", "0", "--threads", "2"]);
    assert_eq!((text(&o.stderr), o.status.code()), ("", Some(0)));
    let words: Vec<Vec<&str>> = text(&o.stdout).lines().map(|l| l.split_whitespace().collect()).collect();
    assert_eq!(words[0], ["workload", "ms/step", "min", "steps", "loss", "multiply-adds", "GFLOP/s"]);
    for (row, name, multiply_adds) in [(&words[1], "mlp", "3250000"), (&words[2], "tiny", "960")] {
        assert_eq!((row[0], row[5], row.len()), (name, multiply_adds, 7));
        let number = |i: usize| row[i].parse::<f64>().unwrap();
        assert!(number(2) <= number(1) * 1.01 && number(3) == 5.0, "{row:?}");
        // Three forward passes' worth of multiply-adds, two operations each, in ms.
        let rate = 6.0 * number(5) / number(1) / 1e6;
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
    assert!(text(&o.stdout).starts_with("tiny: ") && text(&o.stdout).contains("contract") && text(&o.stdout).contains("GFLOP/s"));
    let line: Value = serde_json::from_slice(&run(&[&args[..], &["--json"]].concat()).stdout).unwrap();
    assert!(line["explain"].as_str().unwrap().contains("contract") && line["step_ms"].as_f64().unwrap() > 0.0);
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
        (&["--threads", "two"], "`two` is not a value for --threads", ""),
    ] {
        let o = run(args);
        assert_eq!((text(&o.stdout), o.status.code()), ("", Some(2)), "{args:?}");
        assert!(text(&o.stderr).contains(what) && text(&o.stderr).contains(fix), "{args:?}: {}", text(&o.stderr));
    }
}
