//! Drawings of traces: every line runs forwards, nothing lies upon anything else.

use lessons::backprop::trace;
use lessons::layout::layout;
use lessons::{Expression, backprop::Trace};

fn traced(source: &str) -> Trace {
    let f = Expression::parse(source).unwrap();
    let at: Vec<f64> = (0..f.variables().len()).map(|i| 0.5 + i as f64).collect();
    trace(&f, &at).unwrap()
}

#[test]
fn rows_stand_behind_what_they_use_and_apart() {
    for source in ["(x/y+5)^2+x", "tanh(x*w+b)", "x*x*x + x", "sin(x)*cos(y) + exp(x*y)/(1 + z^2) - x", "x", "2"] {
        let trace = traced(source);
        let l = layout(&trace);
        assert_eq!(l.rows.len(), trace.rows.len());
        let used: usize =
            trace.rows.iter().map(|r| r.contributions.iter().map(|c| &c.from).collect::<std::collections::BTreeSet<_>>().len()).sum();
        assert_eq!(l.edges.len(), used, "{source}");
        for e in &l.edges {
            assert_eq!((e.path[0], e.path[e.path.len() - 1]), (l.rows[e.from], l.rows[e.to]));
            assert!(e.path.windows(2).all(|p| p[1].layer == p[0].layer + 1.0), "{source}");
        }
        let inner = l.edges.iter().flat_map(|e| &e.path[1..e.path.len() - 1]);
        let mut places: Vec<(i64, i64)> = l.rows.iter().chain(inner).map(|p| (p.layer as i64, (2.0 * p.height) as i64)).collect();
        let all = places.len();
        places.sort_unstable();
        places.dedup();
        assert_eq!(places.len(), all, "{source}: two things in one place");
    }
}

#[test]
fn a_chain_is_a_straight_line() {
    assert!(layout(&traced("sin(exp(tanh(x)))")).rows.iter().all(|p| p.height == 0.0));
}
