//! The real binary: what it prints where, in both languages, and how it exits.

mod common;

use common::{stderr, stdout};
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn run_in(locale: &str, args: &[&str]) -> Output {
    common::command(Path::new(env!("CARGO_TARGET_TMPDIR")), args).env("LANG", locale).output().unwrap()
}

fn run(args: &[&str]) -> Output {
    run_in("C.UTF-8", args)
}

const BLACKBOARD: [&str; 4] = ["backprop", "(x/y+5)^2+x", "--at", "x=6,y=2"];

#[test]
fn the_table_of_the_blackboard() {
    let o = run(&BLACKBOARD);
    let want = "\
f = (x/y+5)^2+x    x = 6, y = 2

row             value  df/dw  contributions of later rows  check
w0 = x              6      9  w4: += 1·1 = 1                 9 ✓
                              w2: += 16·(1/w1) = 8
w1 = y              2    -24  w2: += 16·(-w0/w1^2) = -24   -24 ✓
w2 = w0/w1 + 5      8     16  w3: += 1·(2*w2) = 16          16 ✓
w3 = w2^2          64      1  w4: += 1·1 = 1                 1 ✓
w4 = w3 + w0       70      1  seed: df/df = 1                1 ✓

f = 70    df/dx = 9, df/dy = -24
";
    assert_eq!((stdout(&o), stderr(&o), o.status.code()), (want, "", Some(0)));
    let readme = include_str!("../../../README.md");
    want.lines().for_each(|line| assert!(readme.contains(line), "the README shows another output than {line}"));
}

#[test]
fn order_two_prints_the_hessian_and_order_four_everything() {
    let args = |order| [&BLACKBOARD[..], &["--order", order]].concat();
    let o = run(&args("2"));
    assert!(stdout(&o).ends_with("\nHessian (second derivatives)\n      x     y\nx   0.5  -5.5\ny  -5.5  28.5\n"), "{}", stdout(&o));
    let o = run(&args("4"));
    assert!(stdout(&o).contains("\nPartial derivatives of order 3\nd3f/dx3 = 0\nd3f/dx2dy = -0.5\nd3f/dxdy2 = 7\nd3f/dy3 = -49.5\n"));
    assert!(stdout(&o).contains("\nPartial derivatives of order 4\nd4f/dx4 = 0\nd4f/dx3dy = 0\n"));
    for wrong in ["0", "5", "two"] {
        let o = run(&args(wrong));
        assert_eq!(o.status.code(), Some(2), "{wrong}");
        assert!(stderr(&o).contains(&format!("`{wrong}` is not a value for --order")), "{}", stderr(&o));
    }
}

#[test]
fn json_has_the_same_numbers_under_english_keys() {
    let o = run(&[&BLACKBOARD[..], &["--order", "2", "--json", "--lang", "es"]].concat());
    let json: Value = serde_json::from_slice(&o.stdout).unwrap();
    let column = |key: &str| json["rows"].as_array().unwrap().iter().map(|r| r[key].as_f64().unwrap()).collect::<Vec<_>>();
    assert_eq!(column("value"), [6.0, 2.0, 8.0, 64.0, 70.0]);
    assert_eq!(column("derivative"), [9.0, -24.0, 16.0, 1.0, 1.0]);
    assert_eq!(json["rows"][2]["operation"], "w0/w1 + 5");
    assert_eq!(json["rows"][0]["contributions"][1]["amount"], 8.0);
    assert_eq!((&json["at"]["y"], &json["gradient"]["y"]), (&Value::from(2.0), &Value::from(-24.0)));
    assert_eq!(json["hessian"], serde_json::json!([[0.5, -5.5], [-5.5, 28.5]]));
    assert_eq!(json["partials"][3]["name"], "d2f/dxdy");
    let plain: Value = serde_json::from_slice(&run(&[&BLACKBOARD[..], &["--json"]].concat()).stdout).unwrap();
    assert!(plain.get("hessian").is_none() && plain.get("partials").is_none());
}

#[test]
fn spanish_by_flag_or_by_locale() {
    let by_flag = run(&[&BLACKBOARD[..], &["--lang", "es"]].concat());
    assert!(stdout(&by_flag).contains("fila            valor  df/dw  aportes de filas posteriores"), "{}", stdout(&by_flag));
    assert_eq!(run_in("es_ES.UTF-8", &BLACKBOARD).stdout, by_flag.stdout);
    let english = run_in("es_ES.UTF-8", &[&BLACKBOARD[..], &["--lang=en"]].concat());
    assert_eq!(english.stdout, run(&BLACKBOARD).stdout);
    let o = run_in("es_ES.UTF-8", &["backprop", "2x", "--at", "x=1"]);
    let want = "error[usage]: falta un operador antes de `x` (carácter 2)\n  2x\n   ^\n  solución: los productos se escriben con *: 2*x, x*(y+1)\n";
    assert_eq!((stderr(&o), o.status.code()), (want, Some(2)));
    assert!(stdout(&run_in("es_ES.UTF-8", &["backprop", "--help"])).contains("Uso: neurona backprop"));
}

#[test]
fn mistakes_are_explained_on_stderr_with_exit_code_two() {
    let cases: [(&[&str], &str, &str); 15] = [
        (&["backprop", "(x+1"], "this parenthesis is never closed (character 1)\n  (x+1\n  ^\n", "fix: add the missing `)`"),
        (&["backprop", "tahn(x)"], "there is no function `tahn`", "did you mean tanh?"),
        (&["backprop", ""], "the formula is empty", "write one"),
        (&["backprop", "x*y", "--at", "x=3"], "no value for y", "--at x=3,y=1"),
        (&["backprop", "x", "--at", "x=3,x=4"], "second value", "keep one"),
        (&["backprop", "x", "--at", "3"], "`3` in --at has no value", "name=number"),
        (&["backprop", "x", "--at", "x=y"], "`x=y` in --at is not a number", "name=number"),
        (&["backprop", "rate*2", "--at", "raet=1"], "no variable `raet`", "did you mean `rate`?"),
        (&["backprop", "1+1", "--at", "x=1"], "no variable `x`", "leave --at out"),
        (&["backprop"], "missing: <EXPR>", "--help"),
        (&["backprop", "x", "--oder", "2"], "`--oder` is not expected here", "did you mean `--order`?"),
        (&["backprp"], "there is no command `backprp`", "did you mean `backprop`?"),
        (&["completions", "korn"], "`korn` is not a value for <SHELL>\n  possible values: bash", "--help"),
        (&["--lang", "fr", "doctor"], "`fr` is not a value for --lang", ""),
        (&[], "no command was given", "Usage: neurona"),
    ];
    for (args, what, fix) in cases {
        let o = run(args);
        assert_eq!((stdout(&o), o.status.code()), ("", Some(2)), "{args:?}");
        assert!(
            stderr(&o).starts_with("error[usage]: ") && stderr(&o).contains(what) && stderr(&o).contains(fix),
            "{args:?}: {}",
            stderr(&o)
        );
    }
    let o = run(&["backprop", "(x", "--json"]);
    let json: Value = serde_json::from_slice(&o.stderr).unwrap();
    assert_eq!((&json["error"]["kind"], o.status.code()), (&Value::from("usage"), Some(2)));
}

#[test]
fn an_infinite_value_is_shown_and_is_a_failure() {
    let o = run(&["backprop", "x*log(y)", "--at", "x=1,y=0"]);
    assert_eq!(o.status.code(), Some(1));
    assert!(stdout(&o).contains("w2 = log(w1)   -inf") && stderr(&o).contains("w2 = log(w1) has no finite value at this point"));
    let o = run(&["backprop", "sqrt(x)", "--at", "x=0"]);
    assert_eq!(o.status.code(), Some(1));
    assert!(stderr(&o).contains("the derivative with respect to w0 = x is not finite"), "{}", stderr(&o));
    let o = run(&["backprop", "relu(x)", "--at", "x=0"]);
    assert_eq!(o.status.code(), Some(0));
    assert!(stdout(&o).contains("0.5 ✗") && stdout(&o).contains("a kink"));
}

#[test]
fn points_and_formulas_may_be_written_freely() {
    for args in [
        &["backprop", "-x^2", "--at", "x = pi/2 - pi/2 + 3"][..],
        &["backprop", "--at", "x=3", "--", "-x^2"],
        &["--lang", "en", "backprop", "−x^2", "--at=x=3"],
    ] {
        assert!(stdout(&run(args)).ends_with("f = -9    df/dx = -6\n"), "{args:?} {}", stderr(&run(args)));
    }
    assert!(
        stdout(&run(&["backprop", "w*x + b", "--at", "w=-1", "--at", "x=2,b=.5"])).contains("f = -1.5    df/dw = 2, df/dx = -1, df/db = 1")
    );
    assert!(stdout(&run(&["backprop", "2^10"])).contains("w0 = 2^10   1024      1  seed"));
}

#[test]
fn help_version_completions_and_doctor() {
    let o = run(&["--version"]);
    assert_eq!((stdout(&o), o.status.code()), (concat!("neurona ", env!("CARGO_PKG_VERSION"), "\n"), Some(0)));
    for args in [&["--help"][..], &["backprop", "-h"], &["doctor", "--help"]] {
        let o = run(args);
        assert!(o.status.success() && stdout(&o).contains("Usage: neurona") && stdout(&o).contains("Options:"), "{args:?}");
    }
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let o = run(&["completions", shell]);
        assert!(o.status.success() && stdout(&o).contains("backprop"), "{shell}");
    }
    let o = run(&["doctor", "--json"]);
    let json: Value = serde_json::from_slice(&o.stdout).unwrap();
    assert_eq!(o.status.code(), Some(0), "{}", stdout(&o));
    assert!(json["threads"].as_u64().unwrap() >= 1 && json["checks"].as_array().unwrap().len() == 4);
    assert!(stdout(&run(&["doctor", "--lang", "es"])).contains("programa compilado = referencia"));
}

/// `neurona … | head -1` closes the pipe early: that is no error and prints none.
#[test]
fn a_closed_pipe_is_quiet() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_neurona"));
    let mut child = command.args(["completions", "bash"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let o = child.wait_with_output().unwrap();
    assert_eq!((stderr(&o), o.status.code()), ("", Some(0)));
}
