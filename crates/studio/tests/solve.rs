//! `neurona solve` as a process: from the file to the run folder, and what it says of wrong files.

mod common;

use common::{empty, json, run, stderr, stdout};
use std::fs;

const FILE: &str = r#"
domain = { x = [0, 1], t = [0, 1] }
solution.u = "sin(2*pi*(x - t))"
form.u = "sin(2*pi*x) + t*N"
network = { widths = [6], periodic = ["x"] }
sampling.points = 50
grid = { x = 21, t = 11 }
stages = [{ method = "adam", steps = 5 }, { method = "levenberg_marquardt", steps = 10 }]

[[equations]]
name = "transport"
formula = "d(u,t) + d(u,x) = 0"
"#;

#[test]
fn a_file_becomes_a_folder_with_solution_and_pictures() {
    let folder = empty("solve", "files");
    fs::write(folder.join("wave.toml"), FILE).unwrap();
    let o = run(&folder, &["solve", "wave.toml", "--seed", "2", "--threads", "1"]);
    assert!(o.status.success(), "{}", stderr(&o));
    for part in ["relative L2 error of u", "loss: transport", "stage 2, levenberg_marquardt: all its steps were taken"] {
        assert!(stdout(&o).contains(part), "{part}: {}", stdout(&o));
    }
    let made = folder.join("runs/wave-0001");
    for name in ["config.toml", "metrics.jsonl", "meta.json", "u.npy", "u.svg", "slices.svg", "curves.svg", "state.safetensors"] {
        assert!(made.join(name).is_file(), "{name}");
    }
    assert_eq!(fs::metadata(made.join("u.npy")).unwrap().len() % 64, 21 * 11 * 8 % 64);
    assert!(fs::read_to_string(made.join("config.toml")).unwrap().contains("seed = 2"));

    let o = json(&run(&folder, &["solve", "wave.toml", "--seed", "2", "--json", "--out", "again"]));
    assert_eq!((o["steps"].as_u64(), o["complete"].as_bool()), (Some(15), Some(true)));
    assert_eq!(fs::read(made.join("u.npy")).unwrap(), fs::read(folder.join("again/u.npy")).unwrap());
    let done = run(&folder, &["resume", "again"]);
    assert_eq!(done.status.code(), Some(2), "{}", stderr(&done));
}

#[test]
fn wrong_files_are_shown_with_line_and_character() {
    let folder = empty("solve", "wrong");
    let cases = [
        ("d(u,t) + d", "d(u,t) + 2d", "equations.0.formula, character 11", "2d(u,x) = 0\n"),
        ("widths", "width", "unknown key `width`", "did you mean `widths`?"),
        ("\"adam\"", "\"adams\"", "unknown choice `adams`", "did you mean `adam`?"),
    ];
    for (before, after, what, more) in cases {
        fs::write(folder.join("a.toml"), FILE.replacen(before, after, 1)).unwrap();
        let o = run(&folder, &["solve", "a.toml"]);
        assert_eq!(o.status.code(), Some(3));
        assert!(stderr(&o).contains(what) && stderr(&o).contains(more) && stderr(&o).contains("a.toml:"), "{}", stderr(&o));
    }
    let o = run(&folder, &["solve", "a.toml", "--lang", "es", "--set", "equations.0.formula=u"]);
    assert!(stderr(&o).contains("u") && o.status.code() == Some(3));
    assert!(!folder.join("runs").exists());
}
