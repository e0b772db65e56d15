//! The lessons on formulas and networks, as the real binary prints and draws them.

mod common;

use common::{empty, json, run, stderr, stdout};
use std::path::Path;

fn here() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR"))
}

/// Every line of `shown` is in the README.
fn in_readme(shown: &str) {
    let readme = include_str!("../../../README.md");
    shown.lines().for_each(|line| assert!(readme.contains(line.trim_end()), "the README shows another output than {line}"));
}

const RAVINE: [&str; 4] = ["descend", "x^2+10*y^2", "--from", "x=-4,y=2"];

#[test]
fn descend_prints_every_step_of_one_optimizer_and_the_end_of_several() {
    let o = run(here(), &[&RAVINE[..], &["--optimizer", "momentum", "--learning-rate", "0.05", "--steps", "2"]].concat());
    let want = "\
f = x^2+10*y^2    from x = -4, y = 2

momentum, learning rate 0.05
step      x     y        f  df/dx  df/dy   v(x)  v(y)    Δx    Δy
   0     -4     2       56     -8     40     -8    40   0.4    -2
   1   -3.6     0    12.96   -7.2      0  -14.4    36  0.72  -1.8
   2  -2.88  -1.8  40.6944  -5.76    -36

after 2 steps: still moving, at x = -2.88, y = -1.8, f = 40.6944
";
    assert!(stdout(&o).starts_with(want), "{}", stdout(&o));
    let o =
        run(here(), &[&RAVINE[..], &["--optimizer", "sgd,momentum,adam", "--learning-rate", "0.09,0.09,0.5", "--steps", "400"]].concat());
    assert_eq!((stderr(&o), o.status.code()), ("", Some(0)));
    in_readme(stdout(&o));
}

#[test]
fn a_descent_that_diverges_says_why_and_what_to_do() {
    let o = run(here(), &["descend", "x^2+10*y^2", "--from", "x=-4,y=2", "--learning-rate", "0.11"]);
    assert_eq!(o.status.code(), Some(1));
    let text = stderr(&o);
    assert!(text.contains("learning rate · curvature = 2.2, and above 2 (curvature 20)"), "{text}");
    assert!(text.contains("use --learning-rate 0.05") && stdout(&o).contains("diverged: steps too large"), "{text}");
    let o = run(here(), &["descend", "log(x)", "--from", "x=0.5", "--learning-rate", "0.3"]);
    assert!(stderr(&o).contains("no finite value at the last point"), "{}", stderr(&o));
    let es = run(here(), &["descend", "-x^2", "--from", "x=1", "--lang", "es"]);
    assert!(stderr(&es).contains("los valores bajan sin fin"), "{}", stderr(&es));
}

#[test]
fn descend_as_json_and_as_a_picture() {
    let folder = empty("lessons", "descend");
    let args = ["--optimizer", "sgd,adam", "--svg", "path.svg", "--json", "--lang", "es"];
    let out = json(&run(&folder, &[&RAVINE[..], &args].concat()));
    assert_eq!(out["descents"][1]["optimizer"]["kind"], "adam");
    assert_eq!(out["descents"][0]["steps"][1]["at"], serde_json::json!([-3.2, -2.0]));
    assert_eq!(out["descents"][0]["curvature"]["eigenvalues"], serde_json::json!([2.0, 20.0]));
    let svg = std::fs::read_to_string(folder.join("path.svg")).unwrap();
    assert!(svg.contains("Descenso de gradiente") && svg.contains("adam 0.1") && svg.matches("<polyline").count() > 10);
    let line = run(&folder, &["descend", "x^4-3*x^2+x", "--from", "x=2", "--learning-rate", "0.01", "--svg", "curve.svg"]);
    assert!(line.status.success() && std::fs::read_to_string(folder.join("curve.svg")).unwrap().contains("sgd 0.01"));
}

#[test]
fn wrong_descents_are_usage_errors() {
    let cases: [(&[&str], &str); 8] = [
        (&["descend", "x^2"], "no value for x"),
        (&["descend", "x*y*z", "--from", "x=1,y=1,z=1"], "3 variables (x, y, z), not one or two"),
        (&["descend", "x^2", "--from", "x=1", "--learning-rate", "0"], "`0` is not a value for --learning-rate"),
        (&["descend", "x^2", "--from", "x=1", "--steps", "0"], "`0` is not a value for --steps"),
        (&["descend", "x^2", "--from", "x=1", "--optimizer", "sdg"], "use sgd, momentum"),
        (&["descend", "x^2", "--from", "x=1", "--momentum", "1"], "--momentum"),
        (&["descend", "x^2", "--from", "x=1", "--learning-rate", "1,2"], "one for each optimizer"),
        (&["descend", "x^2", "--from", "x=1", "--svg", "/nowhere/x.svg", "--view=3,1"], "--view"),
    ];
    for (args, text) in cases {
        let o = run(here(), args);
        assert_eq!(o.status.code(), Some(2), "{args:?}");
        assert!(stderr(&o).contains(text), "{args:?}: {}", stderr(&o));
    }
}

#[test]
fn backprop_draws_its_graph() {
    let folder = empty("lessons", "backprop");
    let o = run(&folder, &["backprop", "(x/y+5)^2+x", "--at", "x=6,y=2", "--svg", "graph.svg"]);
    assert!(o.status.success(), "{}", stderr(&o));
    let svg = std::fs::read_to_string(folder.join("graph.svg")).unwrap();
    for text in [">w2 = w0/w1 + 5<", ">df/dw2 = 16<", ">·16<", ">f = (x/y+5)^2+x = 70<"] {
        assert!(svg.contains(text), "{text}");
    }
}

#[test]
fn activations_in_a_table_and_one_by_one() {
    let folder = empty("lessons", "activations");
    let o = run(&folder, &["activations", "tanh", "--at=-3,0,1", "--svg", "tanh.svg"]);
    let want = "\
tanh: f(x) = (exp(x) - exp(-x))/(exp(x) + exp(-x))    f'(x) = 1 - f²

 x          f          f'
-3  -0.995055  0.00986604
 0          0           1
 1   0.761594    0.419974

slope below 0.05 for x in -5 … -2.2 and 2.2 … 5: hardly any gradient passes there
";
    assert_eq!((stdout(&o), stderr(&o)), (want, ""));
    in_readme(want);
    assert!(std::fs::read_to_string(folder.join("tanh.svg")).unwrap().contains("tanh"));
    let all = run(&folder, &["activations", "--lang", "es"]);
    assert!(stdout(&all).lines().count() == 11 && stdout(&all).contains("activación"), "{}", stdout(&all));
    let soft = json(&run(&folder, &["activations", "softmax", "--at", "0,0", "--json"]));
    assert_eq!(soft["jacobian"], serde_json::json!([[0.25, -0.25], [-0.25, 0.25]]));
    for (args, text) in [
        (&["activations", "tahn"][..], "did you mean `tanh`?"),
        (&["activations", "softmax"], "2 to 1000 numbers"),
        (&["activations", "--range=3,1"], "the lower first"),
    ] {
        let o = run(&folder, args);
        assert!(o.status.code() == Some(2) && stderr(&o).contains(text), "{}", stderr(&o));
    }
}

#[test]
fn a_neuron_is_explained() {
    let folder = empty("lessons", "neuron");
    let args = ["neuron", "--inputs", "1,2", "--weights=0.5,-1", "--bias", "0.1", "--activation", "tanh"];
    let o = run(&folder, &[&args[..], &["--svg", "n.svg"]].concat());
    assert!(stdout(&o).contains("z = 0.5 + -2 + 0.1 = -1.4\na = tanh(z) = -0.885352    da/dz = da/db = 0.216152\n"), "{}", stdout(&o));
    in_readme(stdout(&o));
    assert!(std::fs::read_to_string(folder.join("n.svg")).unwrap().contains("data:image/png"));
    let o = run(&folder, &["neuron", "--inputs", "9", "--weights", "2", "--svg", "n1.svg"]);
    assert!(stdout(&o).contains("saturated"), "{}", stdout(&o));
    for (args, text) in [
        (&["neuron", "--inputs", "1,2", "--weights", "1"][..], "2 inputs but 1 weights"),
        (&["neuron", "--inputs", "NaN", "--weights", "1"], "--inputs"),
        (&["neuron", "--inputs", "1,2,3", "--weights", "1,2,3", "--svg", "x.svg"], "one or two inputs"),
    ] {
        let o = run(&folder, args);
        assert!(o.status.code() == Some(2) && stderr(&o).contains(text), "{}", stderr(&o));
    }
}

#[test]
fn losses_prefer_different_lines() {
    let folder = empty("lessons", "losses");
    let o = run(&folder, &["losses", "--line", "1,0", "--svg", "lines.svg"]);
    assert_eq!(stderr(&o), "");
    in_readme(stdout(&o));
    assert!(std::fs::read_to_string(folder.join("lines.svg")).unwrap().contains("Huber"));
    let out = json(&run(&folder, &["losses", "--points", "0,1;1,3;2,5", "--json"]));
    assert!((out["best"][0]["line"]["slope"].as_f64().unwrap() - 2.0).abs() < 1e-12);
    let o = run(&folder, &["losses", "--logits", "2,1,0.1", "--class", "1", "--svg", "ce.svg"]);
    assert!(stdout(&o).contains("loss = -log p of the right class = -log 0.242433 = 1.41703"), "{}", stdout(&o));
    let cases: [(&[&str], &str); 5] = [
        (&["losses", "--points", "1,2"], "--points"),
        (&["losses", "--points", "1,2;1,3"], "above one another"),
        (&["losses", "--points", "1;2"], "write x,y;x,y"),
        (&["losses", "--delta", "0"], "--delta"),
        (&["losses", "--logits", "1,2", "--class", "2"], "--class"),
    ];
    for (args, text) in cases {
        let o = run(&folder, args);
        assert!(o.status.code() == Some(2) && stderr(&o).contains(text), "{args:?}: {}", stderr(&o));
    }
}

#[test]
fn playgrounds_train_draw_and_compare() {
    let folder = empty("lessons", "playground");
    let o = run(&folder, &["playground", "--data", "spiral", "--hidden", "16,16", "--epochs", "30", "--svg", "spiral.svg"]);
    assert!(o.status.success(), "{}", stderr(&o));
    assert!(stdout(&o).starts_with("210 points to train on, 90 to test with; an epoch is 14 steps\n"), "{}", stdout(&o));
    let svg = std::fs::read_to_string(folder.join("spiral.svg")).unwrap();
    assert!(svg.contains("Layer 2, neuron 16") && svg.contains("Decision"));
    let grid = ["playground", "--learning-rate", "0.001,0.01,0.1", "--batch", "4,32,210", "--epochs", "20", "--svg", "rates.svg"];
    let o = run(&folder, &grid);
    assert!(stdout(&o).lines().count() == 10 && o.status.success(), "{}", stdout(&o));
    assert!(std::fs::read_to_string(folder.join("rates.svg")).unwrap().contains("Batch 210: 1 steps an epoch"));
    std::fs::write(folder.join("own.csv"), "x,y,kind\n0,0,no\n1,1,no\n0,1,yes\n1,0,yes\n").unwrap();
    let own = ["playground", "--csv", "own.csv", "--test", "0", "--epochs", "150", "--batch", "4", "--learning-rate", "0.05", "--json"];
    let out = json(&run(&folder, &own));
    assert_eq!((&out["confusion"], &out["classes"][1]), (&serde_json::json!([2, 0, 0, 2]), &serde_json::json!("yes")));
    std::fs::write(folder.join("bad.csv"), "0,0,no\n1,zero,no\n").unwrap();
    let cases: [(&[&str], i32, &str); 6] = [
        (&["playground", "--csv", "bad.csv"], 4, "points, line 2"),
        (&["playground", "--csv", "missing.csv"], 4, "missing.csv"),
        (&["playground", "--data", "blobs"], 3, "circles, xor"),
        (&["playground", "--hidden", "8,x"], 2, "--hidden"),
        (&["playground", "--optimizer", "adm"], 2, "rmsprop"),
        (&["playground", "--optimizer", "sgd", "--activation", "linear", "--learning-rate", "1e6"], 5, "diverged"),
    ];
    for (args, code, text) in cases {
        let o = run(&folder, args);
        assert!(o.status.code() == Some(code) && stderr(&o).contains(text), "{args:?}: {}", stderr(&o));
    }
}
