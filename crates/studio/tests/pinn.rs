//! `neurona train pinn` as a process: what it prints, what it leaves in its folder, how it ends.

mod common;

use common::{empty, text};
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// `neurona train pinn` with a small network and few points, and these arguments.
fn command(folder: &Path, args: &[&str]) -> Command {
    let mut command = common::command(folder, &["train", "pinn", "--threads", "1"]);
    for small in ["network.widths=[8, 8]", "points={ interior = 40, boundary = 10, initial = 10 }", "report={ every = 50, side = 7 }"] {
        command.args(["--set", small]);
    }
    command.args(args);
    command
}

fn run(folder: &Path, args: &[&str]) -> Output {
    command(folder, args).output().unwrap()
}

#[test]
fn a_run_lowers_the_losses_and_leaves_its_files() {
    let folder = empty("pinn", "files");
    let o = run(&folder, &["--steps", "800", "--seed", "3", "--set", "report.every=200", "--set", "learning_rate.initial=0.02"]);
    assert_eq!(o.status.code(), Some(0), "{}", text(&o.stderr));
    assert!(text(&o.stdout).contains("relative L2 error") && text(&o.stdout).contains("runs/pinn-0001/solution.svg"));
    let lines: Vec<&str> = text(&o.stderr).lines().collect();
    assert_eq!(lines.len(), 4);
    for (line, step) in lines.iter().zip([200, 400, 600, 800]) {
        let names: Vec<&str> = line.split(' ').filter_map(|p| p.split_once('=').map(|p| p.0)).filter(|n| *n != "eta_s").collect();
        assert_eq!(names, ["step", "total", "pde", "boundary", "initial", "rel_l2", "lr"], "{line}");
        assert!(line.starts_with(&format!("step={step} ")), "{line}");
    }

    let run = folder.join("runs/pinn-0001");
    let mut names: Vec<String> = fs::read_dir(&run).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|n| n != ".lock");
    names.sort();
    assert_eq!(
        names,
        ["config.toml", "curves.svg", "last.safetensors", "meta.json", "metrics.jsonl", "report.html", "solution.svg", "state.safetensors"]
    );
    let config: toml::Table = toml::from_str(&fs::read_to_string(run.join("config.toml")).unwrap()).unwrap();
    assert_eq!((config["seed"].as_integer(), config["steps"].as_integer()), (Some(3), Some(800)));
    assert_eq!(config["points"]["sampling"].as_str(), Some("uniform"), "what was not set comes from the preset");
    let metrics = fs::read_to_string(run.join("metrics.jsonl")).unwrap();
    let metrics: Vec<Value> = metrics.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    let column = |key: &str| metrics.iter().map(|m| m[key].as_f64().unwrap()).collect::<Vec<_>>();
    assert_eq!(column("step"), [200.0, 400.0, 600.0, 800.0]);
    assert!(column("total")[3] < 0.5 * column("total")[0], "{:?}", column("total"));
    assert!(column("relative_l2")[3] < 0.7 * column("relative_l2")[0], "{:?}", column("relative_l2"));
    for i in 0..4 {
        let sum = column("pde")[i] + column("boundary")[i] + column("initial")[i];
        assert!((column("total")[i] - sum).abs() < 1e-5 * sum);
    }
    assert!(column("relative_l2").iter().chain(&column("learning_rate")).all(|x| *x > 0.0));
    for svg in ["solution.svg", "curves.svg"] {
        assert!(fs::read_to_string(run.join(svg)).unwrap().starts_with("<svg"));
    }
}

#[test]
fn json_has_the_result_and_runs_are_numbered() {
    let folder = empty("pinn", "json");
    for (number, lang) in [(1, "en"), (2, "es")] {
        let o = run(&folder, &["--steps", "20", "--json", "--lang", lang]);
        let json: Value = serde_json::from_slice(&o.stdout).unwrap();
        assert_eq!(json["folder"], format!("runs/pinn-{number:04}"));
        assert_eq!(
            (&json["preset"], &json["seed"], &json["steps"], &json["complete"]),
            (&"deck".into(), &1.into(), &20.into(), &true.into())
        );
        for key in ["relative_l2", "max_error", "seconds"] {
            assert!(json[key].as_f64().unwrap() > 0.0, "{key}");
        }
        for key in ["total", "pde", "boundary", "initial"] {
            assert!(json["losses"][key].as_f64().unwrap() > 0.0, "{key}");
        }
        let files: Vec<&str> = json["files"].as_array().unwrap().iter().map(|f| f.as_str().unwrap()).collect();
        assert_eq!(files.len(), 5);
        assert!(files.iter().all(|f| folder.join(f).exists()), "{files:?}");
    }
    let svg = fs::read_to_string(folder.join("runs/pinn-0002/solution.svg")).unwrap();
    assert!(svg.contains("solución exacta"));
}

/// Enough points that the work is divided: the bytes must be the same however many divide it.
#[test]
fn one_seed_gives_the_same_bytes_on_any_number_of_threads() {
    let folder = empty("pinn", "threads");
    let files = |out: &str, threads: &str, seed: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_neurona"));
        command.args(["train", "pinn", "--out", out, "--threads", threads, "--seed", seed, "--steps", "12"]);
        command.args(["--set", "points.interior=3000", "--set", "report={ every = 4, side = 21 }"]);
        let o = command.current_dir(&folder).output().unwrap();
        assert!(o.status.success(), "{}", text(&o.stderr));
        ["last.safetensors", "solution.svg", "curves.svg"].map(|name| fs::read(folder.join(out).join(name)).unwrap())
    };
    let one = files("one", "1", "7");
    assert!(one == files("two", "2", "7"), "two threads give other bytes than one");
    assert!(one == files("four", "4", "7"));
    assert!(one[0] != files("other", "1", "8")[0], "the seed decides");
}

#[test]
fn wrong_settings_are_explained_and_leave_nothing_behind() {
    let folder = empty("pinn", "wrong");
    let cases: [(&[&str], i32, &str, &str); 13] = [
        (&["--set", "points.interor=5"], 3, "unknown key `interor` in --set points.interor=5", "did you mean `interior`?"),
        (&["--set", "learnin_rate.initial=1"], 3, "unknown key `learnin_rate`", "did you mean `learning_rate`?"),
        (&["--set", "network.activation=tahn"], 3, "unknown choice `tahn`", "did you mean `tanh`?"),
        (&["--set", "learning_rate.initial=0"], 3, "the setting learning_rate.initial is 0", "give a positive number"),
        (&["--set", "learning_rate.initial=nan"], 3, "the setting learning_rate.initial is NaN", "give a positive number"),
        (&["--set", "points.interior=0"], 3, "the setting points.interior is 0", "give a whole number from 1 to 10000000"),
        (&["--set", "optimizer.beta1=1"], 3, "the setting optimizer.beta1 is 1", "from 0 to below 1"),
        (&["--steps", "0"], 3, "the setting steps is 0", "from 1 to 16777216"),
        (&["--set", "steps=many"], 3, "in --set steps=many", "write key=value"),
        (&["--set", "steps"], 2, "`steps` in --set has no value", "write key=value"),
        (&["--preset", "dekc"], 2, "`dekc` is not a value for --preset", "did you mean `deck`?"),
        (&["--seed", "-1"], 2, "`-1`", ""),
        (&["--sede", "1"], 2, "`--sede` is not expected here", "did you mean `--seed`?"),
    ];
    for (args, code, what, fix) in cases {
        let o = run(&folder, args);
        assert_eq!((text(&o.stdout), o.status.code()), ("", Some(code)), "{args:?} {}", text(&o.stderr));
        assert!(text(&o.stderr).contains(what) && text(&o.stderr).contains(fix), "{args:?}: {}", text(&o.stderr));
    }
    let o = run(&folder, &["--set", "points.initial=0", "--lang", "es"]);
    assert!(text(&o.stderr).contains("el ajuste points.initial vale 0") && text(&o.stderr).contains("un número entero de 1 a"));
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0, "a run that cannot begin makes no folder");
}

#[test]
fn a_folder_that_holds_a_run_is_kept() {
    let folder = empty("pinn", "taken");
    assert!(run(&folder, &["--steps", "5", "--out", "a/b"]).status.success());
    let before = fs::read(folder.join("a/b/last.safetensors")).unwrap();
    let o = run(&folder, &["--steps", "6", "--out", "a/b"]);
    assert_eq!(o.status.code(), Some(2));
    assert!(text(&o.stderr).contains("a/b already holds a run") && text(&o.stderr).contains("--out"), "{}", text(&o.stderr));
    assert!(before == fs::read(folder.join("a/b/last.safetensors")).unwrap());
    let o = run(&folder, &["--steps", "5", "--out", "a/b/config.toml/c"]);
    assert_eq!(o.status.code(), Some(1));
    assert!(text(&o.stderr).contains("cannot write a/b/config.toml/c"), "{}", text(&o.stderr));
}

#[test]
fn divergence_is_code_five_and_its_course_is_saved() {
    let folder = empty("pinn", "diverged");
    let wild = ["optimizer.kind=sgd", "learning_rate={ initial = 1e3, decay = 'constant' }", "report.every=1"];
    let args: Vec<&str> = wild.iter().flat_map(|s| ["--set", s]).collect();
    let o = run(&folder, &args);
    assert_eq!((text(&o.stdout), o.status.code()), ("", Some(5)), "{}", text(&o.stderr));
    assert!(
        text(&o.stderr).contains("error[diverged]: training diverged at step")
            && text(&o.stderr).contains("lower the learning rate, now 1000")
    );
    let metrics = fs::read_to_string(folder.join("runs/pinn-0001/metrics.jsonl")).unwrap();
    assert!(metrics.lines().count() >= 1 && folder.join("runs/pinn-0001/curves.svg").exists());
}

/// Ctrl-C is a signal to the process, sent here with the program `kill`.
#[cfg(unix)]
#[test]
fn an_interruption_saves_and_is_code_130() {
    use std::io::{BufRead, BufReader};
    let folder = empty("pinn", "interrupted");
    let mut child = command(&folder, &["--steps", "10000000", "--json"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().starts_with("step=50 "), "it trains, and Ctrl-C is taken over");
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let rest: Vec<String> = lines.map(Result::unwrap).collect();
    let o = child.wait_with_output().unwrap();
    assert_eq!(o.status.code(), Some(130), "{rest:?}");
    let error: Value = serde_json::from_str(rest.last().unwrap()).unwrap();
    assert_eq!(error["error"]["kind"], "interrupted");
    assert!(error["error"]["why"].as_str().unwrap().contains("saved in runs/pinn-0001"));
    let json: Value = serde_json::from_slice(&o.stdout).unwrap();
    assert!(json["complete"] == false && json["steps"].as_u64().unwrap() >= 50 && json["relative_l2"].as_f64().unwrap() > 0.0);
    for file in ["config.toml", "metrics.jsonl", "last.safetensors", "solution.svg", "curves.svg"] {
        assert!(folder.join("runs/pinn-0001").join(file).exists(), "{file}");
    }
}
