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
fn fitted_numbers_are_printed_with_their_bands() {
    let folder = empty("solve", "fitted");
    let text = r#"
domain = { t = [0, 1] }
fit = { rate = 0.5 }
form.u = "1 + t*N"
solution.u = "exp(-1.5*t)"
network = { widths = [6] }
sampling.points = 30
stages = [{ method = "levenberg_marquardt", steps = 30 }]
equations = [{ name = "decay", formula = "d(u,t) = -rate*u" }]
data = [{ name = "measured", formula = "u", points = 50, noise = 0.01 }]
"#;
    fs::write(folder.join("decay.toml"), text).unwrap();
    let o = run(&folder, &["solve", "decay.toml"]);
    assert!(stdout(&o).contains("rate, fitted (95 %)") && stdout(&o).contains(" ± "), "{}{}", stdout(&o), stderr(&o));
    let o = json(&run(&folder, &["solve", "decay.toml", "--json"]));
    let (rate, deviation) = (o["fitted"]["rate"].as_f64().unwrap(), o["deviation"]["rate"].as_f64().unwrap());
    assert!((rate - 1.5).abs() < 4.0 * deviation && deviation < 0.05, "{rate} {deviation}");
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

#[test]
fn the_gallery_is_solved_by_name_and_printed_and_a_reference_that_is_not_there_is_a_warning() {
    let folder = empty("solve", "gallery");
    let all = json(&run(&folder, &["solve", "--list", "--json"]));
    assert!(all.as_array().unwrap().iter().any(|e| e["name"] == "burgers"), "{all}");
    let text = run(&folder, &["solve", "heat", "--print"]);
    assert!(stdout(&text).contains("[[equations]]"), "{}", stdout(&text));
    let o = json(&run(&folder, &["solve", "poisson", "--set", "network.widths=[20]", "--json"]));
    assert!(o["relative_l2"].as_f64().unwrap() < 0.1 && o["ungraded"].is_null(), "{o}");
    assert!(folder.join("runs/poisson-0001/u.svg").is_file());
    let unknown = run(&folder, &["solve", "posson"]);
    assert!(unknown.status.code() == Some(3) && stderr(&unknown).contains("poisson, helmholtz"), "{}", stderr(&unknown));

    let reference = "\n[reference]\nunknown = \"u\"\naxes = [\"x\", \"t\"]\nfile = \"nowhere.npy\"\n";
    fs::write(folder.join("wave.toml"), format!("{}{reference}", FILE.replace("solution.u", "# solution.u"))).unwrap();
    let o = run(&folder, &["solve", "wave.toml"]);
    assert!(o.status.success() && stderr(&o).contains("Not graded") && stderr(&o).contains("nowhere.npy was not found"), "{}", stderr(&o));
    assert!(stdout(&o).contains("Not graded") && !stdout(&o).contains("relative L2"), "{}", stdout(&o));
    let o = run(&folder, &["solve", "wave.toml", "--set", "reference.axes=[\"x\"]"]);
    assert!(o.status.code() == Some(3), "what is wrong besides is still an error: {}", stderr(&o));
}

/// Finite differences beside the network, or why there are none.
#[test]
fn a_rival_is_computed_where_it_can_be() {
    let folder = empty("solve", "rival");
    fs::write(folder.join("wave.toml"), FILE).unwrap();
    let o = run(&folder, &["solve", "wave.toml", "--rival", "64"]);
    assert!(stdout(&o).contains("finite differences, 64 points") && stdout(&o).contains("the network's u differs"), "{}", stdout(&o));
    let o = json(&run(&folder, &["solve", "wave.toml", "--rival", "--json"]));
    assert_eq!(o["rival"]["points"].as_u64(), Some(401));
    let (error, difference) = (&o["rival"]["errors"]["u"]["relative_l2"], &o["rival"]["difference"]["u"]);
    assert!(error.as_f64().unwrap() < 1e-4, "{error}");
    let network = o["relative_l2"].as_f64().unwrap();
    assert!((difference.as_f64().unwrap() - network).abs() < 1e-3 * network, "{difference} {network}");
    fs::write(folder.join("wave.toml"), FILE.replace("d(u,t)", "u^2")).unwrap();
    let o = run(&folder, &["solve", "wave.toml", "--rival", "64", "--lang", "es"]);
    assert!(o.status.success() && stdout(&o).contains("Sin diferencias finitas: las ecuaciones"), "{}{}", stdout(&o), stderr(&o));
}
