//! Random graphs over all operations, compiled, against the reference evaluator: every element within
//! a bound on its rounding errors, the same bits run after run, with any number of threads, donated or not.
//!
//! Each test is reproducible: its graphs follow from a fixed seed. `PROPTEST_RNG_SEED=n` draws others,
//! `PROPTEST_CASES=n` more of them. `GENES=header,gene,gene,…` runs one graph of each test, as reported by a failure.
//! With `TRACE=1` each graph is printed before it is run, for failures that leave no report.

mod common;

use common::bounds::{bounded, in_double};
use common::case::{Array, Case, Report};
use common::generate::{Kind, generate};
use graph::{DType, Id, Op, Value, eval};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestError, TestRunner};
use std::cell::RefCell;
use std::collections::BTreeMap;

fn from_env(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Checks `count` graphs of up to `longest` genes; at most `wild` percent of the elements may be
/// numerically undetermined, lest the test should show nothing.
fn check(kind: Kind, count: u32, longest: usize, seed: u64, wild: usize) {
    if let Ok(list) = std::env::var("GENES") {
        let number = |s: &str| s.trim().strip_prefix("0x").map_or_else(|| s.trim().parse(), |h| u64::from_str_radix(h, 16)).unwrap();
        let numbers: Vec<u64> = list.split(',').filter(|s| !s.trim().is_empty()).map(number).collect();
        let case = generate(kind, numbers[0], &numbers[1..]);
        return case.check().map(|_| ()).unwrap_or_else(|why| panic!("{why}"));
    }
    let config = Config {
        cases: from_env("PROPTEST_CASES").map_or(count, |n| n as u32),
        rng_seed: RngSeed::Fixed(from_env("PROPTEST_RNG_SEED").unwrap_or(seed)),
        failure_persistence: None,
        max_shrink_iters: 300,
        ..Config::default()
    };
    let genes = proptest::collection::vec(any::<u64>().no_shrink(), 1..longest);
    let (total, graphs) = (RefCell::new(Report::default()), RefCell::new(0));
    let result = TestRunner::new(config).run(&(any::<u64>().no_shrink(), genes), |(header, genes)| {
        let case = generate(kind, header, &genes);
        if from_env("TRACE").is_some() {
            eprintln!("{}", case.explain("about to run"));
        }
        let report = case.check().map_err(TestCaseError::fail)?;
        let (mut total, mut graphs) = (total.borrow_mut(), graphs.borrow_mut());
        *graphs += 1;
        total.elements += report.elements;
        total.wild += report.wild;
        Ok(())
    });
    match result {
        Err(TestError::Fail(why, _)) => panic!("{why}"),
        Err(TestError::Abort(why)) => panic!("{why}"),
        Ok(()) => {}
    }
    let Report { elements, wild: loose } = total.into_inner();
    eprintln!("{kind:?}: {} graphs, {elements} elements, {loose} undetermined", graphs.into_inner());
    assert!(elements > 0 && loose * 100 <= elements * wild, "{loose} of {elements} elements are undetermined: the graphs show too little");
}

const PLAIN: Kind = Kind { dtype: DType::F32, gradients: 0, special: false };

#[test]
fn single_precision() {
    check(PLAIN, 500, 30, 1, 2);
}

#[test]
fn double_precision() {
    check(Kind { dtype: DType::F64, ..PLAIN }, 300, 30, 2, 2);
}

#[test]
fn single_precision_gradients() {
    check(Kind { gradients: 1, ..PLAIN }, 400, 18, 3, 4);
}

#[test]
fn double_precision_gradients() {
    check(Kind { dtype: DType::F64, gradients: 1, ..PLAIN }, 200, 18, 4, 4);
}

#[test]
fn second_derivatives() {
    check(Kind { gradients: 2, ..PLAIN }, 150, 10, 5, 6);
    check(Kind { dtype: DType::F64, gradients: 2, ..PLAIN }, 100, 10, 6, 6);
}

#[test]
fn values_that_are_not_finite() {
    check(Kind { special: true, ..PLAIN }, 250, 16, 7, 40);
    check(Kind { special: true, gradients: 1, ..PLAIN }, 100, 10, 8, 60);
}

/// The graphs of the tests above, without running them.
fn sample(kind: Kind, count: u64, longest: u64) -> impl Iterator<Item = Case> {
    (0..count).map(move |i| {
        let mut rng = common::rng::Rng::new(i);
        let header = rng.next();
        let genes: Vec<u64> = (0..1 + rng.next() % longest).map(|_| rng.next()).collect();
        generate(kind, header, &genes)
    })
}

#[test]
fn every_operation_occurs() {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for case in sample(PLAIN, 400, 16) {
        let (g, _) = case.graph.pruned(&case.outputs);
        graph::verify::verify(&g).unwrap();
        let mut note = |what: String| *seen.entry(what).or_default() += 1;
        for node in g.nodes() {
            note(node.op.name().into());
            match &node.op {
                Op::Conv(c) if c.padding.iter().any(|p| p.0 < 0 || p.1 < 0) => note("cropping conv".into()),
                Op::Dot(d) if d.lhs_batch.len() > 1 => note("dot with two batch axes".into()),
                Op::Dot(d) if d.lhs_contract.len() > 1 => note("dot with two contracted axes".into()),
                Op::Slice { stride, .. } if stride.iter().any(|s| *s > 1) => note("strided slice".into()),
                Op::Pad { interior, .. } if interior.iter().any(|n| *n > 0) => note("spreading pad".into()),
                _ => {}
            }
            if node.ty.is_empty() {
                note("nothing".into());
            }
        }
        note(format!("{} batches", case.batched.iter().filter(|b| **b).count().min(3)));
        if !case.pairs().is_empty() {
            note("donation".into());
        }
    }
    eprintln!("{seen:?}");
    let table: Vec<String> = graph::ops::Unary::ALL.iter().map(|u| Op::Unary(*u).name().to_string()).collect();
    let more = [
        "add sub mul div pow max min eq ne lt le gt ge select cast stop_gradient dot_general conv sum max_over broadcast reshape",
        "transpose reverse slice pad concat gather scatter_add unfold fold iota uniform full",
    ]
    .join(" ");
    let features = [
        "cropping conv",
        "dot with two batch axes",
        "dot with two contracted axes",
        "strided slice",
        "spreading pad",
        "nothing",
        "0 batches",
        "1 batches",
        "2 batches",
        "3 batches",
        "donation",
    ];
    for name in table.iter().map(String::as_str).chain(more.split(' ')).chain(features) {
        assert!(seen.get(name).is_some_and(|n| *n >= 3), "{name} occurs {:?} times", seen.get(name));
    }
}

#[test]
fn the_same_genes_make_the_same_graph() {
    for (a, b) in sample(PLAIN, 50, 16).zip(sample(PLAIN, 50, 16)) {
        assert_eq!((a.graph.to_string(), a.outputs, a.batched), (b.graph.to_string(), b.outputs, b.batched));
        assert!(a.inputs.iter().zip(&b.inputs).all(|(x, y)| Array::of(x).bits() == Array::of(y).bits()));
    }
}

/// The bounds must be sound: what f32 should give is within them if it is computed in f64.
#[test]
fn other_roundings_stay_within_the_bounds() {
    let special = Kind { special: true, gradients: 1, ..PLAIN };
    for (kind, longest) in [(PLAIN, 30), (Kind { gradients: 1, ..PLAIN }, 18), (Kind { gradients: 2, ..PLAIN }, 10), (special, 10)] {
        for case in sample(kind, 200, longest) {
            let (g, outputs) = case.graph.pruned(&case.outputs);
            let (wide, map) = in_double(&g);
            let inputs: Vec<Value> =
                case.inputs.iter().zip(wide.inputs()).map(|(v, &i)| Value::new(wide.ty(i).dtype, &v.ty.shape, v.data.clone())).collect();
            let ids: Vec<Id> = outputs.iter().map(|o| map[o.index()]).collect();
            let exact = eval::evaluate(&wide, &inputs, &ids).unwrap();
            let got: Vec<Array> = exact.iter().map(|v| Array::F64(v.data.clone())).collect();
            case.close("in double precision", &got, &bounded(&g, &case.inputs, &outputs)).unwrap_or_else(|why| panic!("{why}"));
        }
    }
}

/// The bounds must be narrow: a thousandth of a result's scale in one element does not pass.
#[test]
fn a_wrong_element_is_noticed() {
    let (mut tried, mut noticed) = (0, 0);
    for case in sample(PLAIN, 150, 12) {
        let want = bounded(&case.graph, &case.inputs, &case.outputs);
        let right = eval::evaluate(&case.graph, &case.inputs, &case.outputs).unwrap();
        let mut got: Vec<Array> = right.iter().map(Array::of).collect();
        case.close("unchanged", &got, &want).unwrap();
        let Some(j) = got.iter().position(|a| matches!(a, Array::F32(x) if x.iter().any(|x| *x != 0.0 && x.is_finite()))) else { continue };
        let Array::F32(x) = &mut got[j] else { continue };
        let scale = x.iter().filter(|x| x.is_finite()).fold(0.0f32, |m, x| m.max(x.abs()));
        let i = x.iter().position(|x| x.is_finite()).unwrap();
        x[i] += 1e-3 * scale;
        tried += 1;
        noticed += usize::from(case.close("changed", &got, &want).is_err());
    }
    assert!(tried > 100 && noticed * 100 >= tried * 97, "{noticed} of {tried} changes were noticed");
}

#[test]
fn the_same_holds_with_other_instruction_sets() {
    common::isa::again();
}
