//! Whole training steps: three steps of Adam against the reference, and the same bits with any number
//! of threads.

mod common;

use common::case::Array;
use common::train::{Model, Step, classifier, cross_entropy};
use graph::ops::{Compare, Conv};
use graph::{Tensor, diff};

const ROWS: [usize; 5] = [1, 7, 64, 100, 257];

/// Where two results differ by more than rounding errors: a step moves a parameter by 0.01 at most.
fn differs(got: &[f64], want: &[f64]) -> Option<usize> {
    let scale = want.iter().fold(0.0f64, |m, x| m.max(x.abs()));
    (0..want.len()).find(|&i| got[i].is_nan() || (got[i] - want[i]).abs() > 2e-5 * (scale + 0.01))
}

fn check(model: impl Fn(usize) -> Model) {
    for rows in ROWS {
        let model = model(rows);
        let step = Step::trace(&model);
        let want = step.reference(3);
        let one = step.train(1, 3);
        assert_eq!(one.len(), want.len());
        assert!(want.iter().all(|v| v.data.iter().all(|x| x.is_finite())), "{}, {rows} rows: the reference diverges", model.name);
        // The tolerance leaves room for other roundings than the reference's.
        let exact = step.in_double().reference(3);
        assert!(want.iter().zip(&exact).all(|(w, e)| differs(&e.data, &w.data).is_none()), "{}: ill-conditioned", model.name);
        for (j, (got, want)) in one.iter().zip(&want).enumerate() {
            if let Some(i) = differs(&got.numbers(), &want.data) {
                let (x, y) = (got.numbers()[i], want.data[i]);
                panic!("{}, {rows} rows, output {j}, element {i}: {x} instead of {y}", model.name);
            }
        }
        let changed = step.donated.iter().any(|&(i, j)| Array::of(&step.start[i]).bits() != one[j].bits());
        assert!(changed, "{}, {rows} rows: nothing was learnt", model.name);
        for threads in 2..=4 {
            let many = step.train(threads, 3);
            for (j, (a, b)) in one.iter().zip(&many).enumerate() {
                assert_eq!(a.bits(), b.bits(), "{}, {rows} rows, output {j}: {threads} threads differ from one", model.name);
            }
        }
    }
}

#[test]
fn dense_layers_with_cross_entropy() {
    check(classifier);
}

/// Few rows and large weights: the first product is cut into seven parts of its sum, the second (a prime) into none.
#[test]
fn wide_layers() {
    check(|rows| Model {
        name: "wide",
        params: vec![vec![350, 233], vec![233], vec![233, 160], vec![160, 10], vec![10]],
        data: vec![(vec![rows, 350], 0), (vec![rows], 10)],
        loss: |w, x, _| {
            let h = (x[0].matmul(&w[0]) + &w[1]).tanh().matmul(&w[2]).tanh();
            cross_entropy(&(h.matmul(&w[3]) + &w[4]), &x[1])
        },
    });
}

#[test]
fn convolution_pooling_dense() {
    check(|rows| Model {
        name: "convolution",
        params: vec![vec![3, 3, 2, 5], vec![5], vec![80, 4], vec![4]],
        data: vec![(vec![rows, 9, 8, 2], 0), (vec![rows], 4)],
        loss: |w, x, _| {
            let same = Conv { padding: [(1, 1), (1, 1)], ..Conv::default() };
            let h = (x[0].conv(&w[0], same) + &w[1]).relu().unfold([2, 2], [2, 2]).max(&[3, 4]);
            cross_entropy(&(h.reshape(&[x[0].shape()[0], 80]).matmul(&w[2]) + &w[3]), &x[1])
        },
    });
}

/// The residual of u_t = u_xx: derivatives in the data forwards, then in the parameters backwards.
#[test]
fn differential_equation() {
    check(|rows| Model {
        name: "differential equation",
        params: vec![vec![2, 17], vec![17], vec![17, 16], vec![16], vec![16, 1], vec![1]],
        data: vec![(vec![rows, 2], 0)],
        loss: |w, x, _| {
            let h = (x[0].matmul(&w[0]) + &w[1]).tanh();
            let u = (h.matmul(&w[2]) + &w[3]).tanh().matmul(&w[4]) + &w[5];
            let column = x[0].tracer().iota(x[0].dtype(), x[0].shape(), 1);
            let [ex, et] = [0.0, 1.0].map(|k| column.compare(Compare::Eq, &column.full_like(k)));
            let along = |y: &Tensor, e: &Tensor| diff::jvp(y, &[(&x[0], e)]);
            let residual = along(&u, &et) - along(&along(&u, &ex), &ex);
            residual.square().mean_all() + u.square().mean_all()
        },
    });
}

#[test]
fn embedding() {
    check(|rows| Model {
        name: "embedding",
        params: vec![vec![50, 7], vec![7, 5]],
        data: vec![(vec![rows, 3], 50), (vec![rows], 5)],
        loss: |w, x, _| cross_entropy(&w[0].gather(&x[0]).mean(&[1]).tanh().matmul(&w[1]), &x[1]),
    });
}

#[test]
fn dropout() {
    check(|rows| Model {
        name: "dropout",
        params: vec![vec![13, 31], vec![31], vec![31, 3]],
        data: vec![(vec![rows, 13], 0), (vec![rows, 3], 0)],
        loss: |w, x, key| {
            let h = (x[0].matmul(&w[0]) + &w[1]).sigmoid();
            let u = key.uniform(0, h.dtype(), h.shape());
            let kept = h * u.compare(Compare::Lt, &u.full_like(0.75)) * (1.0 / 0.75);
            (kept.matmul(&w[2]) - &x[1]).square().mean_all()
        },
    });
}

/// Batch statistics need all rows at once, in the middle of the network.
#[test]
fn batch_normalization() {
    check(|rows| Model {
        name: "batch normalization",
        params: vec![vec![5, 17], vec![17], vec![17], vec![17, 2]],
        data: vec![(vec![rows, 5], 0), (vec![rows, 2], 0)],
        loss: |w, x, _| {
            let h = x[0].matmul(&w[0]);
            let centred = &h - h.mean(&[0]);
            let normal = &centred * (centred.square().mean(&[0]) + 0.1).rsqrt();
            ((normal * &w[1] + &w[2]).tanh().matmul(&w[3]) - &x[1]).square().mean_all()
        },
    });
}

#[test]
fn the_same_holds_with_other_instruction_sets() {
    common::isa::again();
}
