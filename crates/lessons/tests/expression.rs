//! Reading formulas: precedence, constants, mistakes, limits.

use lessons::expression::{MAX_DEPTH, MAX_LENGTH};
use lessons::{Expression, backprop};
use proptest::prelude::*;

fn value(source: &str, at: &[f64]) -> f64 {
    backprop::trace(&Expression::parse(source).unwrap(), at).unwrap().value
}

#[test]
fn operators_bind_as_in_mathematics() {
    let cases = [
        ("1 - 2 - 3", -4.0),
        ("8/4/2", 1.0),
        ("2^3^2", 512.0),
        ("-3^2", -9.0),
        ("(-3)^2", 9.0),
        ("2^-2", 0.25),
        ("2*-3", -6.0),
        ("--2", 2.0),
        ("+2 - +3", -1.0),
        ("1 + 2*3^2", 19.0),
        ("2e3 + .5", 2000.5),
        ("1.5E-1", 0.15),
        ("2−1·3×4÷6", 0.0),
        ("cos(pi)", -1.0),
        ("log(e)", 1.0),
        ("π - pi", 0.0),
        ("relu(-1) + relu(2) + abs(-3)", 5.0),
        ("tanh(0) + sigmoid(0)*2 + sqrt(16) + erf(0) + exp(0) + sin(0)", 6.0),
    ];
    for (source, want) in cases {
        assert_eq!(Expression::parse(source).unwrap().constant(), Some(want), "{source}");
        assert_eq!(value(source, &[]), want, "{source}");
    }
}

#[test]
fn variables_are_named_freely_and_kept_in_order_of_appearance() {
    let f = Expression::parse("rate*x_1 - θ/rate + epsilon").unwrap();
    assert_eq!(f.variables(), ["rate", "x_1", "θ", "epsilon"]);
    assert_eq!(value("rate*x_1 - θ/rate + epsilon", &[2.0, 3.0, 4.0, 5.0]), 9.0);
    assert_eq!(value("-x^2", &[3.0]), -9.0);
    assert_eq!(value("2^x^y", &[3.0, 2.0]), 512.0);
}

#[test]
fn mistakes_are_named_where_they_are() {
    let cases = [
        ("", 0, "empty"),
        ("   ", 0, "empty"),
        ("x + ", 4, "unexpected_end"),
        ("x + * y", 4, "missing_operand"),
        ("()", 1, "missing_operand"),
        ("(x + 1", 0, "unclosed"),
        ("x*(y + (1)", 2, "unclosed"),
        ("sin(x", 3, "unclosed"),
        ("x + 1)", 5, "unopened"),
        ("2x", 1, "missing_operator"),
        ("x y", 2, "missing_operator"),
        ("(x)(y)", 3, "missing_operator"),
        ("(x 2)", 3, "missing_operator"),
        ("pi(x)", 2, "missing_operator"),
        ("2e", 1, "missing_operator"),
        ("x**2", 1, "double_star"),
        ("0,5*x", 1, "decimal_comma"),
        ("x + $", 4, "unknown_character"),
        ("x + .", 4, "unknown_character"),
        ("1e999", 0, "huge_number"),
        ("exp + 1", 0, "uncalled"),
        ("1 + tahn(x)", 4, "misspelled"),
        ("ln(x)", 0, "misspelled"),
        ("x(2)", 0, "unknown_function"),
        ("θ + ñ°", 5, "unknown_character"),
    ];
    for (source, position, code) in cases {
        let mistake = Expression::parse(source).unwrap_err();
        assert_eq!((mistake.position, mistake.problem.code()), (position, code), "{source}");
        let text = mistake.to_string();
        assert!(text.contains("fix: ") && !text.contains('{'), "{text}");
        let caret = mistake.excerpt().lines().nth(1).unwrap().chars().count() - 1;
        assert_eq!(caret, position, "{source}");
    }
    assert!(Expression::parse("1 + tahn(x)").unwrap_err().to_string().contains("did you mean tanh?"));
    assert!(Expression::parse("ln(x)").unwrap_err().to_string().contains("did you mean log?"));
}

#[test]
fn a_long_formula_is_cut_around_the_mistake() {
    let source = format!("{}$ + {}", "x + ".repeat(50), "y + ".repeat(50));
    let excerpt = Expression::parse(&source).unwrap_err().excerpt();
    let (line, caret) = excerpt.split_once('\n').unwrap();
    assert!(line.starts_with('…') && line.ends_with('…') && line.chars().count() < 80);
    assert_eq!(line.chars().nth(caret.chars().count() - 1), Some('$'));
}

#[test]
fn nothing_exhausts_the_stack() {
    let nested = |n: usize| format!("{}x{}", "(".repeat(n), ")".repeat(n));
    assert_eq!(value(&nested(MAX_DEPTH - 1), &[2.0]), 2.0);
    let deep =
        [nested(MAX_DEPTH), "-".repeat(1500), "(".repeat(1500), format!("{}2", "2^".repeat(900)), "exp(".repeat(400), "-(".repeat(900)];
    for source in deep {
        assert_eq!(Expression::parse(&source).unwrap_err().problem.code(), "too_deep", "{source}");
    }
    assert_eq!(Expression::parse(&"x".repeat(MAX_LENGTH + 1)).unwrap_err().problem.code(), "too_long");
    // A chain as long as is allowed is 999 rows deep in the graph, in no recursion.
    let chain = format!("x{}", "*x".repeat(999));
    assert_eq!(value(&chain, &[1.0]), 1.0);
    assert_eq!(backprop::trace(&Expression::parse(&chain).unwrap(), &[1.0]).unwrap().gradient[0].1, 1000.0);
}

proptest! {
    /// Whatever is typed is read or refused with a place inside it, never a panic.
    #[test]
    fn any_text_is_read_or_refused(source in "[-x2.e()+*/^, a-zñ]{0,40}|.{0,40}") {
        match Expression::parse(&source) {
            Ok(f) => {
                let at = vec![0.5; f.variables().len()];
                prop_assert!(backprop::trace(&f, &at).is_ok());
            }
            Err(mistake) => prop_assert!(mistake.position <= source.chars().count() && !mistake.to_string().is_empty()),
        }
    }
}
