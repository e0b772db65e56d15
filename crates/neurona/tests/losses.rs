//! Losses against numbers computed apart, at extremes, and from logits against from probabilities.

use graph::{DType, Value, diff, eval};
use neurona::{Activation, Context, Loss, Objective};

/// Loss of each row and gradient of their sum, in the given type.
fn loss(loss: Loss, dtype: DType, p: &[f64], shape: &[usize], t: (DType, &[usize], &[f64])) -> (Vec<f64>, Vec<f64>) {
    let cx = Context::new(dtype, true);
    let (x, y) = (cx.input("x", dtype, shape), cx.input("y", t.0, t.1));
    let rows = loss.rows(&x, &y);
    let gradient = diff::grad(&rows, &[&x]).remove(0);
    let values = [Value::new(dtype, shape, p.to_vec()), Value::new(t.0, t.1, t.2.to_vec())];
    let out = eval::evaluate(&cx.tracer().finish().unwrap(), &values, &[rows.id(), gradient.id()]).unwrap();
    (out[0].data.clone(), out[1].data.clone())
}

fn close(got: &[f64], want: &[f64], tolerance: f64) {
    assert_eq!(got.len(), want.len());
    let near = got.iter().zip(want).all(|(g, w)| (g - w).abs() <= tolerance * (1.0 + w.abs()));
    assert!(near, "{got:?}, expected {want:?}");
}

const P: [f64; 6] = [0.7, 0.2, 0.1, 0.25, 0.5, 0.25];
const T: [f64; 6] = [1.0, 0.0, 0.0, 0.2, 0.3, 0.5];

fn both(l: Loss) -> Vec<f64> {
    loss(l, DType::F64, &P, &[2, 3], (DType::F64, &[2, 3], &T)).0
}

/// Expected values are written out from the definitions.
#[test]
fn values() {
    close(&both(Loss::Mse), &[(0.09 + 0.04 + 0.01) / 3.0, (0.0025 + 0.04 + 0.0625) / 3.0], 1e-14);
    close(&both(Loss::Mae), &[0.6 / 3.0, 0.5 / 3.0], 1e-14);
    let huber = [(0.1 * (0.3 - 0.05) + 0.1 * (0.2 - 0.05) + 0.005) / 3.0, (0.00125 + 0.1 * (0.2 - 0.05) + 0.1 * (0.25 - 0.05)) / 3.0];
    close(&both(Loss::Huber { delta: 0.1 }), &huber, 1e-14);
    // 0.7 → −ln 0.7 = 0.356674943938732; −ln 0.8 = 0.22314355131421; −ln 0.9 = 0.105360515657826.
    let first = (0.356_674_943_938_732 + 0.223_143_551_314_21 + 0.105_360_515_657_826) / 3.0;
    close(&both(Loss::BinaryCrossEntropy { from_logits: false })[..1], &[first], 1e-13);
    // −0.2·ln 0.25 − 0.3·ln 0.5 − 0.5·ln 0.25 = 1.7·ln 2.
    close(&both(Loss::CategoricalCrossEntropy { from_logits: false }), &[0.356_674_943_938_732, 1.7 * 2f64.ln()], 1e-13);
    let sparse = Loss::SparseCategoricalCrossEntropy { from_logits: false };
    let (rows, _) = loss(sparse, DType::F64, &P, &[2, 3], (DType::I32, &[2], &[0.0, 1.0]));
    close(&rows, &[0.356_674_943_938_732, 2f64.ln()], 1e-13);
}

/// Cross-entropies of logits are those of the probabilities that sigmoid or softmax make of them.
#[test]
fn from_logits_equals_from_probabilities() {
    let logits = [1.2, -0.7, 0.1, -2.0, 3.0, 0.5];
    let through = |a: Activation| {
        let cx = Context::new(DType::F64, true);
        let x = cx.input("x", DType::F64, &[2, 3]);
        let y = a.apply(&x);
        let values = [Value::new(DType::F64, &[2, 3], logits.to_vec())];
        eval::evaluate(&cx.tracer().finish().unwrap(), &values, &[y.id()]).unwrap().remove(0).data
    };
    let (shares, labels) = ((DType::F64, &[2, 3][..], &T[..]), (DType::I32, &[2][..], &[2.0, 0.0][..]));
    type Make = fn(bool) -> Loss;
    let cases: [(Make, Activation, _); 3] = [
        (|from_logits| Loss::BinaryCrossEntropy { from_logits }, Activation::Sigmoid, shares),
        (|from_logits| Loss::CategoricalCrossEntropy { from_logits }, Activation::Softmax, shares),
        (|from_logits| Loss::SparseCategoricalCrossEntropy { from_logits }, Activation::Softmax, labels),
    ];
    for (make, a, target) in cases {
        let direct = loss(make(true), DType::F64, &logits, &[2, 3], target).0;
        close(&loss(make(false), DType::F64, &through(a), &[2, 3], target).0, &direct, 1e-13);
    }
}

#[test]
fn labels_equal_their_one_hot_shares() {
    let logits = [1.2, -0.7, 0.1, -2.0, 3.0, 0.5];
    for from_logits in [true, false] {
        let x = if from_logits { logits } else { P };
        let dense = loss(
            Loss::CategoricalCrossEntropy { from_logits },
            DType::F64,
            &x,
            &[2, 3],
            (DType::F64, &[2, 3], &[0.0, 0.0, 1.0, 1.0, 0.0, 0.0]),
        );
        let sparse = loss(Loss::SparseCategoricalCrossEntropy { from_logits }, DType::F64, &x, &[2, 3], (DType::I32, &[2], &[2.0, 0.0]));
        close(&sparse.0, &dense.0, 1e-14);
        close(&sparse.1, &dense.1, 1e-14);
    }
}

#[test]
fn extremes_stay_finite_in_single_precision() {
    let wrong = [1e4, -1e4, 0.0];
    let label = (DType::I32, &[1][..], &[1.0][..]);
    let (rows, gradient) = loss(Loss::SparseCategoricalCrossEntropy { from_logits: true }, DType::F32, &wrong, &[1, 3], label);
    assert_eq!((rows, gradient), (vec![2e4], vec![1.0, -1.0, 0.0]));
    let share = (DType::F32, &[1, 3][..], &[0.0, 1.0, 0.0][..]);
    let (rows, gradient) = loss(Loss::CategoricalCrossEntropy { from_logits: true }, DType::F32, &wrong, &[1, 3], share);
    assert_eq!((rows, gradient), (vec![2e4], vec![1.0, -1.0, 0.0]));
    let (rows, gradient) =
        loss(Loss::BinaryCrossEntropy { from_logits: true }, DType::F32, &wrong, &[3, 1], (DType::F32, &[3, 1], &[0.0, 1.0, 1.0]));
    close(&rows, &[1e4, 1e4, 2f64.ln()], 1e-7);
    assert_eq!(gradient, [1.0, -1.0, -0.5]);
    // Probabilities of exactly 0 and 1 that are wrong cost −ln 1e-7 each.
    for (l, p, t) in [
        (Loss::BinaryCrossEntropy { from_logits: false }, &[0.0, 1.0][..], (DType::F32, &[2, 1][..], &[1.0, 0.0][..])),
        (Loss::SparseCategoricalCrossEntropy { from_logits: false }, &[1.0, 0.0, 0.0, 1.0], (DType::I32, &[2], &[1.0, 0.0])),
    ] {
        let (rows, gradient) = loss(l, DType::F32, p, &[2, p.len() / 2], t);
        close(&rows, &[1e7f64.ln(); 2], 0.02); // 1 − 1e-7 has an error of 19 % of 1e-7 in f32
        assert!(gradient.iter().all(|g| g.is_finite()), "{l:?}: {gradient:?}");
    }
}

/// Logits of exactly 0, where a network with zero weights starts, are where max and |x| have no slope.
#[test]
fn zero_logits_have_the_right_gradient() {
    let (_, g) = loss(Loss::BinaryCrossEntropy { from_logits: true }, DType::F32, &[0.0, 0.0], &[2, 1], (DType::F32, &[2, 1], &[1.0, 0.0]));
    assert_eq!(g, [-0.5, 0.5]);
}

#[test]
fn shapes_that_would_broadcast_are_refused() {
    let says = |l: Loss, p: &[usize], t: (DType, &[usize]), what: &str| {
        let cx = Context::new(DType::F32, true);
        let rows = l.rows(&cx.input("p", DType::F32, p), &cx.input("t", t.0, t.1));
        let e = cx.tracer().finish().unwrap_err().to_string();
        assert!(rows.is_poisoned() && e.contains(what), "{e}");
    };
    says(Loss::Mse, &[8, 10], (DType::F32, &[8]), "the model predicts [8, 10] but the targets are [8]");
    says(Loss::CategoricalCrossEntropy { from_logits: true }, &[8, 10], (DType::I32, &[8]), "use sparse_categorical_cross_entropy");
    says(Loss::SparseCategoricalCrossEntropy { from_logits: true }, &[8, 10], (DType::F32, &[8, 10]), "use categorical_cross_entropy");
    says(Loss::SparseCategoricalCrossEntropy { from_logits: true }, &[8], (DType::I32, &[8]), "one class number");
    says(Loss::CategoricalCrossEntropy { from_logits: true }, &[8], (DType::F32, &[8]), "use binary_cross_entropy");
    says(Loss::CategoricalCrossEntropy { from_logits: false }, &[8, 1], (DType::F32, &[8]), "use binary_cross_entropy");
    // A column against a plain list is one number a row, either way.
    for (p, t) in [(&[2, 1][..], &[2][..]), (&[2], &[2, 1])] {
        let (rows, _) = loss(Loss::Mse, DType::F64, &[1.0, 2.0], p, (DType::I32, t, &[0.0, 4.0]));
        assert_eq!(rows, [1.0, 4.0]);
    }
}

#[test]
fn names_round_trip() {
    for l in [Loss::Mse, Loss::Mae, Loss::Huber { delta: 2.0 }, Loss::BinaryCrossEntropy { from_logits: true }] {
        let text = serde_json::to_string(&l).unwrap();
        assert_eq!(serde_json::from_str::<Loss>(&text).unwrap(), l);
        assert!(text.contains(l.name()));
    }
    assert!(serde_json::from_str::<Loss>("\"msee\"").unwrap_err().to_string().contains("mse"));
}

/// Row losses of an objective, in f64.
fn objective(o: &Objective, p: &[f64], shape: &[usize], t: (DType, &[usize], &[f64])) -> Vec<f64> {
    let cx = Context::new(DType::F64, true);
    let rows = o.rows(&cx.input("x", DType::F64, shape), &cx.input("y", t.0, t.1));
    let values = [Value::new(DType::F64, shape, p.to_vec()), Value::new(t.0, t.1, t.2.to_vec())];
    eval::evaluate(&cx.tracer().finish().unwrap(), &values, &[rows.id()]).unwrap().remove(0).data
}

/// −Σ w·t′·log p with t′ = 0.7·t + 0.1 (ε = 0.3, three classes), written out.
#[test]
fn class_weights_and_smoothing() {
    let w = [1.0, 2.0, 4.0];
    let by_hand = |p: &[f64], t: &[f64]| -(0..3).map(|c| w[c] * (0.7 * t[c] + 0.1) * p[c].ln()).sum::<f64>();
    let (shares, labels) = ((DType::F64, &[2, 3][..], &T[..]), (DType::I32, &[2][..], &[2.0, 0.0][..]));
    let dense = Objective::from(Loss::CategoricalCrossEntropy { from_logits: false }).class_weights(&w).label_smoothing(0.3);
    close(&objective(&dense, &P, &[2, 3], shares), &[by_hand(&P[..3], &T[..3]), by_hand(&P[3..], &T[3..])], 1e-14);
    let sparse = |from_logits| Objective { loss: Loss::SparseCategoricalCrossEntropy { from_logits }, ..dense.clone() };
    let want = [by_hand(&P[..3], &[0.0, 0.0, 1.0]), by_hand(&P[3..], &[1.0, 0.0, 0.0])];
    close(&objective(&sparse(false), &P, &[2, 3], labels), &want, 1e-14);
    close(&objective(&sparse(true), &P.map(|p| p.ln() + 5.0), &[2, 3], labels), &want, 1e-13);
    let plain = Objective::from(Loss::SparseCategoricalCrossEntropy { from_logits: false }).class_weights(&[1.0, 1.0, 1.0]);
    close(&objective(&plain, &P, &[2, 3], labels), &[-(0.1f64.ln()), -(0.25f64.ln())], 1e-14);
}

#[test]
fn binary_class_weights_and_smoothing() {
    // t′ = 0.8·t + 0.1; class 0 counts 0.5, class 1 counts 3.
    let by_hand = |p: f64, t: f64| -(3.0 * (0.8 * t + 0.1) * p.ln() + 0.5 * (1.0 - 0.8 * t - 0.1) * (1.0 - p).ln());
    let target = (DType::F64, &[2, 1][..], &[1.0, 0.0][..]);
    for from_logits in [false, true] {
        let o = Objective::from(Loss::BinaryCrossEntropy { from_logits }).class_weights(&[0.5, 3.0]).label_smoothing(0.2);
        let p = [0.3, 0.6].map(|p: f64| if from_logits { (p / (1.0 - p)).ln() } else { p });
        close(&objective(&o, &p, &[2, 1], target), &[by_hand(0.3, 1.0), by_hand(0.6, 0.0)], 1e-13);
    }
}

#[test]
fn objectives_are_checked() {
    let sparse = Objective::from(Loss::SparseCategoricalCrossEntropy { from_logits: true });
    let says = |o: Objective, what: &str| {
        let e = o.check().unwrap_err().to_string();
        assert!(e.contains(what), "{e}");
    };
    says(sparse.clone().label_smoothing(1.0), "label_smoothing: 1 is not a share");
    says(sparse.clone().class_weights(&[1.0, -1.0]), "class_weights: -1");
    says(Objective::from(Loss::Mse).label_smoothing(0.1), "mse has no classes");
    says(Objective::from(Loss::BinaryCrossEntropy { from_logits: true }).class_weights(&[1.0]), "1 weights, but a binary");
    let cx = Context::new(DType::F32, true);
    sparse.class_weights(&[1.0, 2.0]).rows(&cx.input("x", DType::F32, &[4, 3]), &cx.input("y", DType::I32, &[4]));
    let e = cx.tracer().finish().unwrap_err().to_string();
    assert!(e.contains("2 class weights, but the model predicts 3 classes"), "{e}");
    assert!(Objective::balanced_weights(&[0, 2], 2).unwrap_err().to_string().contains("row 1: label 2"));
    assert!(Objective::balanced_weights(&[0, 2], 3).unwrap_err().to_string().contains("class 1 has no rows"));
}
