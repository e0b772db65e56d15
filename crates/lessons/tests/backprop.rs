//! The trace against the blackboard, against itself (chain rule row by row = one reverse pass over the
//! whole graph), against central differences and against derivatives known exactly.

use lessons::backprop::{Trace, trace};
use lessons::{Error, Expression, partials};
use proptest::prelude::*;

fn traced(source: &str, at: &[f64]) -> Trace {
    trace(&Expression::parse(source).unwrap(), at).unwrap()
}

fn operations(source: &str) -> Vec<String> {
    let f = Expression::parse(source).unwrap();
    let at = vec![0.5; f.variables().len()];
    trace(&f, &at).unwrap().rows.into_iter().map(|r| r.operation).collect()
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * (1.0 + a.abs().max(b.abs())) || (a.is_nan() && b.is_nan()) || a == b
}

#[test]
fn the_example_of_the_blackboard() {
    let t = traced("(x/y+5)^2+x", &[6.0, 2.0]);
    let rows: Vec<(&str, &str, f64, f64)> = t.rows.iter().map(|r| (r.name.as_str(), r.operation.as_str(), r.value, r.derivative)).collect();
    let want = [
        ("w0", "x", 6.0, 9.0),
        ("w1", "y", 2.0, -24.0),
        ("w2", "w0/w1 + 5", 8.0, 16.0),
        ("w3", "w2^2", 64.0, 1.0),
        ("w4", "w3 + w0", 70.0, 1.0),
    ];
    assert_eq!(rows, want);
    assert!(t.rows.iter().all(|r| r.check.agrees && r.seed == (r.name == "w4")));
    let of_x: Vec<(&str, &str, f64, f64)> =
        t.rows[0].contributions.iter().map(|c| (c.from.as_str(), c.rule.as_str(), c.upstream, c.amount)).collect();
    assert_eq!(of_x, [("w4", "1", 1.0, 1.0), ("w2", "1/w1", 16.0, 8.0)]);
    assert_eq!((t.value, &t.gradient), (70.0, &vec![("x".to_string(), 9.0), ("y".to_string(), -24.0)]));
}

#[test]
fn shifts_join_a_row_and_other_constants_do_not() {
    let cases: [(&str, &[&str]); 18] = [
        ("x + 5", &["x", "w0 + 5"]),
        ("x*y - 5 + 2*pi", &["x", "y", "w0*w1 - 5 + 2*pi"]),
        ("5 + x*y", &["x", "y", "5 + w0*w1"]),
        ("5 + (x - y)", &["x", "y", "5 + (w0 - w1)"]),
        ("5 - x*y", &["x", "y", "w0*w1", "5 - w2"]),
        ("2*(x*y)", &["x", "y", "w0*w1", "2*w2"]),
        ("exp(-x + 1)", &["x", "-w0 + 1", "exp(w1)"]),
        ("(x*y + 1)*(x*y)", &["x", "y", "w0*w1", "w2 + 1", "w3*w2"]),
        ("x*y + x*y", &["x", "y", "w0*w1", "w2 + w2"]),
        ("x^(1/2)", &["x", "w0^(1/2)"]),
        ("(-2)^x", &["x", "(-2)^w0"]),
        ("x*-3 + 1", &["x", "w0*(-3) + 1"]),
        ("x/(2*3)", &["x", "w0/(2*3)"]),
        ("2*3", &["2*3"]),
        ("x", &["x"]),
        ("1 + x", &["x", "1 + w0"]),
        ("x + 0", &["x", "w0 + 0"]),
        ("b + w*x", &["b", "w", "x", "w1*w2", "w0 + w3"]),
    ];
    for (source, want) in cases {
        assert_eq!(operations(source), want, "{source}");
    }
}

/// Rows that the graph would simplify away or share keep derivatives of their own.
#[test]
fn neutral_operations_keep_their_own_derivatives() {
    let derivatives = |source: &str, at: &[f64]| traced(source, at).rows.iter().map(|r| r.derivative).collect::<Vec<_>>();
    assert_eq!(derivatives("(x + 0)*x", &[3.0]), [6.0, 3.0, 1.0]);
    assert_eq!(derivatives("x^2 + x^4", &[2.0]), [36.0, 1.0, 1.0, 1.0]);
    assert_eq!(derivatives("x^0 + y^0", &[0.0, 0.0]), [0.0, 0.0, 1.0, 1.0, 1.0]);
    assert_eq!(derivatives("x*y - y*x", &[2.0, 5.0]), [0.0, 0.0, 1.0, -1.0, 1.0]);
    assert_eq!(derivatives("2*3", &[]), [1.0]);
    assert_eq!(derivatives("x - x", &[2.0]), [0.0, 1.0]);
    assert_eq!(traced("1/(-x)", &[0.0]).value, f64::NEG_INFINITY);
}

/// Every rule of the table, printed, read back as a formula of rows, and evaluated.
#[test]
fn printed_rules_are_the_local_derivatives() {
    let sources = [
        "x + y",
        "x - y",
        "3 - y",
        "x*y",
        "2*pi*y",
        "x/y",
        "3/y",
        "(-3)/y",
        "x/(1/3)",
        "x^y",
        "x^2",
        "x^3",
        "x^0.5",
        "x^(1/3)",
        "x^-1",
        "x^-2",
        "x^1",
        "3^y",
        "(1/3)^y",
        "-x",
        "exp(x)",
        "log(x)",
        "sqrt(x)",
        "sin(x)",
        "cos(x)",
        "tanh(x)",
        "sigmoid(x)",
        "erf(x)",
        "exp(x) + 5",
        "x/y - 2",
    ];
    for source in sources {
        let f = Expression::parse(source).unwrap();
        let t = trace(&f, &[1.25, 0.75][..f.variables().len()]).unwrap();
        let mut seen = 0;
        for contribution in t.rows.iter().flat_map(|r| &r.contributions) {
            let rule = Expression::parse(&contribution.rule).unwrap();
            let value_of = |w: &String| t.rows.iter().find(|r| r.name == *w).unwrap().value;
            let at: Vec<f64> = rule.variables().iter().map(value_of).collect();
            let value = trace(&rule, &at).unwrap().value;
            assert!(close(value, contribution.local), "{source}: {} = {value}, not {}", contribution.rule, contribution.local);
            seen += 1;
        }
        assert!(seen > 0, "{source}");
    }
    for (source, x, rule, local) in
        [("relu(x)", 2.0, "[w0 > 0]", 1.0), ("relu(x)", -2.0, "[w0 > 0]", 0.0), ("abs(x)", -2.0, "sign(w0)", -1.0)]
    {
        let c = &traced(source, &[x]).rows[0].contributions[0];
        assert_eq!((c.rule.as_str(), c.local), (rule, local));
    }
}

#[test]
fn a_kink_fails_the_check_and_a_smooth_point_passes() {
    assert!(!traced("relu(x)", &[0.0]).rows[0].check.agrees);
    assert!(traced("relu(x)", &[0.1]).rows[0].check.agrees);
    assert!(!traced("1/x", &[0.0]).rows[0].check.agrees);
    assert!(traced("1e6*sin(x)^3/exp(y)", &[30.0, 2.0]).rows.iter().all(|r| r.check.agrees));
    assert!(traced("log(x)*x", &[1e-5]).rows.iter().all(|r| r.check.agrees));
}

#[test]
fn values_must_match_the_variables() {
    let f = Expression::parse("x*y").unwrap();
    let error = Error::Values { variables: vec!["x".into(), "y".into()], given: 1 };
    assert_eq!(trace(&f, &[1.0]), Err(error.clone()));
    assert_eq!(partials::up_to(&f, &[1.0], 2), Err(error));
}

#[test]
fn checks_allow_for_the_rounding_of_large_parts_that_cancel() {
    let f = Expression::parse("((2 + sin((z)/(1 + (x)^2)))^1.5 - (2 + sin(z))^1.5) * x").unwrap();
    let t = trace(&f, &[0.0, -0.06906833800240313]).unwrap();
    assert!(t.rows.iter().all(|row| row.check.agrees), "{t:?}");
}

#[test]
fn higher_orders_have_their_known_values() {
    let list = |source: &str, at: &[f64], order| partials::up_to(&Expression::parse(source).unwrap(), at, order).unwrap();
    let get = |l: &[partials::Partial], name: &str| l.iter().find(|p| p.name == name).unwrap_or_else(|| panic!("{name}")).value;
    let t = list("x^4 + x^2*y^2", &[2.0, 3.0], 4);
    assert_eq!(t.len(), 2 + 3 + 4 + 5);
    let known = [
        ("df/dx", 68.0),
        ("df/dy", 24.0),
        ("d2f/dx2", 66.0),
        ("d2f/dxdy", 24.0),
        ("d2f/dy2", 8.0),
        ("d3f/dx3", 48.0),
        ("d3f/dx2dy", 12.0),
        ("d3f/dxdy2", 8.0),
        ("d3f/dy3", 0.0),
        ("d4f/dx4", 24.0),
        ("d4f/dx3dy", 0.0),
        ("d4f/dx2dy2", 4.0),
        ("d4f/dy4", 0.0),
    ];
    known.iter().for_each(|&(name, want)| assert_eq!(get(&t, name), want, "{name}"));
    // The blackboard's example: f = (x/y + 5)² + x.
    let t = list("(x/y+5)^2+x", &[6.0, 2.0], 2);
    assert_eq!([get(&t, "d2f/dx2"), get(&t, "d2f/dxdy"), get(&t, "d2f/dy2")], [0.5, -5.5, 28.5]);
    let t = list("exp(a)*sin(b)", &[0.3, 0.7], 4);
    let (e, s, c) = (0.3f64.exp(), 0.7f64.sin(), 0.7f64.cos());
    assert!(close(get(&t, "d3f/da2db"), e * c) && close(get(&t, "d4f/da2db2"), -e * s) && close(get(&t, "d4f/db4"), e * s));
    assert_eq!(list("x^2", &[0.0], 4).iter().map(|p| p.value).collect::<Vec<_>>(), [0.0, 2.0, 0.0, 0.0]);
    assert_eq!(get(&list("w1^2*w12", &[1.0, 5.0], 3), "d3f/dw1^2dw12"), 2.0);
    assert_eq!(list("2*3", &[], 3), []);
    assert_eq!(t.iter().find(|p| p.name == "d3f/da2db").unwrap().variables, ["a", "a", "b"]);
}

#[test]
fn too_many_derivatives_are_refused_before_they_are_computed() {
    let source = (0..20).map(|i| format!("x{i}^2")).collect::<Vec<_>>().join("*");
    let f = Expression::parse(&source).unwrap();
    assert!(matches!(partials::up_to(&f, &[1.0; 20], 4), Err(Error::TooMany { order: 4, count: 10625, .. })));
    assert_eq!(partials::up_to(&f, &[1.0; 20], 1).unwrap().len(), 20);
}

#[test]
fn json_has_english_keys_and_no_nan() {
    let json = serde_json::to_value(traced("log(x)", &[-1.0])).unwrap();
    assert_eq!(json["at"]["x"], -1.0);
    assert!(json["value"].is_null() && json["rows"][1]["value"].is_null());
    assert_eq!(json["rows"][0]["contributions"][0]["rule"], "1/w0");
    assert_eq!(json["rows"][1]["seed"], true);
}

/// Random formulas of smooth functions, everywhere defined.
fn formula() -> impl Strategy<Value = String> {
    let leaf = prop_oneof!["[xyz]", (1..9i32).prop_map(|n| format!("{}", f64::from(n) / 4.0))];
    leaf.prop_recursive(5, 24, 2, |inner| {
        prop_oneof![
            (inner.clone(), "[-+*]", inner.clone()).prop_map(|(a, op, b)| format!("({a} {op} {b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a})/(1 + ({b})^2)")),
            ("tanh|sigmoid|sin|cos|erf|-", inner.clone()).prop_map(|(f, a)| format!("{f}({a})")),
            inner.prop_map(|a| format!("(2 + sin({a}))^1.5")),
        ]
    })
}

proptest! {
    #[test]
    fn contributions_add_up_and_checks_agree(source in formula(), at in prop::array::uniform3(-1.5..1.5f64)) {
        let f = Expression::parse(&source).unwrap();
        let at = &at[..f.variables().len()];
        let t = trace(&f, at).unwrap();
        for row in &t.rows {
            let sum: f64 = row.contributions.iter().map(|c| c.amount).sum();
            let want = if row.seed { 1.0 } else { sum };
            prop_assert!(close(row.derivative, want), "{source}: {} {} {want}", row.name, row.derivative);
            prop_assert!(row.check.agrees, "{source} at {at:?}: {row:?}");
        }
        let list = partials::up_to(&f, at, 2).unwrap();
        for ((_, g), p) in t.gradient.iter().zip(&list) {
            prop_assert!(close(*g, p.value), "{source}");
        }
        // Second derivatives against central differences of the first ones.
        for p in list.iter().filter(|p| p.order == 2) {
            let index = |name: &String| f.variables().iter().position(|v| v == name).unwrap();
            let (i, j, h) = (index(&p.variables[0]), index(&p.variables[1]), 1e-5);
            let slope = |d: f64| {
                let mut moved = at.to_vec();
                moved[i] += d;
                trace(&f, &moved).unwrap().gradient[j].1
            };
            let measured = (slope(h) - slope(-h)) / (2.0 * h);
            prop_assert!((measured - p.value).abs() < 1e-5 * (1.0 + p.value.abs()), "{source}: {} {} {measured}", p.name, p.value);
        }
    }
}
