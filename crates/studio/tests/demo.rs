//! `neurona demo` as a process, in an empty folder.

mod common;

use common::{empty, text};
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::Output;

fn run(folder: &Path, args: &[&str]) -> Output {
    common::command(folder, &["demo", "--quick"]).args(args).output().unwrap()
}

#[test]
fn the_tour_shows_formula_network_and_equation() {
    let folder = empty("demo", "english");
    let o = run(&folder, &[]);
    assert_eq!((text(&o.stderr), o.status.code()), ("", Some(0)));
    let out = text(&o.stdout);
    let parts =
        ["1. A formula.", "w1 = y              2    -24", "2. A network.", "a xor b", "3. A differential equation.", "relative L2 error"];
    let parts = [&parts[..], &["runs/demo-transport-0001/solution.svg", "What next", "neurona train pinn --preset accurate"]].concat();
    let places: Vec<usize> = parts.iter().map(|p| out.find(p).unwrap_or_else(|| panic!("no {p} in {out}"))).collect();
    assert!(places.is_sorted(), "{places:?}");
    for file in ["xor-0001/curves.svg", "transport-0001/solution.svg", "transport-0001/curves.svg"] {
        assert!(fs::read_to_string(folder.join(format!("runs/demo-{file}"))).unwrap().starts_with("<svg"));
    }
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "nothing but runs");
    assert!(run(&folder, &[]).status.success());
    // What was trained is there for every other command.
    let all = common::json(&common::run(&folder, &["runs", "ls", "--json"]));
    let names: Vec<_> = all.as_array().unwrap().iter().map(|r| (r["name"].as_str().unwrap(), r["status"].as_str().unwrap())).collect();
    let done = ["demo-transport-0001", "demo-transport-0002", "demo-xor-0001", "demo-xor-0002"].map(|name| (name, "done"));
    assert_eq!(names, done);
    let again = common::json(&common::run(&folder, &["eval", "demo-xor-0001", "--json"]));
    assert_eq!(again["confusion"], serde_json::json!([[2, 0], [0, 2]]), "{again}");
}

#[test]
fn the_networks_learn() {
    let o = run(&empty("demo", "json"), &["--json"]);
    let json: Value = serde_json::from_slice(&o.stdout).unwrap();
    assert_eq!(json["backprop"]["gradient"], serde_json::json!({ "x": 9.0, "y": -24.0 }));
    let losses: Vec<f64> = json["xor"]["losses"].as_array().unwrap().iter().map(|l| l.as_f64().unwrap()).collect();
    assert!(losses.len() == 60 && losses[59] < 0.05 * losses[0], "{losses:?}");
    let right = json["xor"]["predictions"].as_array().unwrap().iter().map(|p| p.as_f64().unwrap().round()).collect::<Vec<_>>();
    assert_eq!(right, [0.0, 1.0, 1.0, 0.0]);
    assert_eq!(json["pinn"]["steps"], 60);
    // Sixty steps are too few to solve it; the error is printed as it is.
    let error = json["pinn"]["relative_l2"].as_f64().unwrap();
    assert!((0.1..1.0).contains(&error), "{error}");
    assert_eq!(json["files"].as_array().unwrap().len(), 3);
}

#[test]
fn it_is_told_in_spanish_too() {
    let out = run(&empty("demo", "spanish"), &["--lang", "es"]).stdout;
    assert!(
        ["1. Una fórmula.", "aportes", "2. Una red.", "3. Una ecuación diferencial.", "Y ahora"].iter().all(|p| text(&out).contains(p))
    );
    assert!(!text(&out).contains("What next") && !text(&out).contains("epoch"));
}
