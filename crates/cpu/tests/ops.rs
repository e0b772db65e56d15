//! Each operation on its own, on awkward extents and values, batched and not, against the reference.

mod common;

use common::case::Case;
use common::rng::Rng;
use graph::ops::contract::Dot;
use graph::ops::{Binary, Compare, Conv, Unary};
use graph::{DType, Op, Scalar, Tensor, Value};

const LENGTHS: [usize; 16] = [0, 1, 2, 3, 5, 7, 13, 16, 17, 31, 33, 64, 65, 127, 513, 1025];
const FLOATS: [DType; 2] = [DType::F32, DType::F64];
const INF: f64 = f64::INFINITY;

fn ok(case: Case) {
    let report = case.check().unwrap_or_else(|why| panic!("{why}"));
    assert!(report.wild * 20 <= report.elements, "{}: {report:?}", case.name);
}

/// Reproducible numbers in an interval.
fn filled(dtype: DType, shape: &[usize], (lo, hi): (f64, f64)) -> Value {
    let n: usize = shape.iter().product();
    let mut rng = Rng::new(n as u64 * 31 + shape.len() as u64);
    Value::new(dtype, shape, (0..n).map(|_| lo + (hi - lo) * (rng.next() >> 11) as f64 / (1u64 << 53) as f64).collect())
}

/// Like `filled`, with every special value here and there.
fn with_specials(dtype: DType, shape: &[usize], salt: usize) -> Value {
    let specials = [f64::NAN, INF, -INF, 0.0, -0.0, 1.0, -1.0, 0.5, 1e-30];
    let mut v = filled(dtype, shape, (-3.0, 3.0));
    v.data.iter_mut().enumerate().skip(salt).step_by(3).for_each(|(i, x)| *x = dtype.round(specials[(i / 3 + salt) % specials.len()]));
    v
}

fn integers(shape: &[usize], lo: i64, hi: i64) -> Value {
    let n: usize = shape.iter().product();
    let mut rng = Rng::new(n as u64 + 7);
    Value::new(DType::I32, shape, (0..n).map(|_| rng.between(lo, hi) as f64).collect())
}

/// The case with nothing batched, then with axis 0 of `inputs` batched.
fn both(name: &str, values: &[Value], inputs: &[usize], build: impl Fn(&[Tensor]) -> Vec<Tensor>) {
    ok(Case::build(name, values, &build));
    ok(Case::build(&format!("{name}, batched {inputs:?}"), values, &build).batched(inputs));
}

#[test]
fn functions_of_one_number() {
    for dtype in FLOATS {
        for n in LENGTHS {
            let x = with_specials(dtype, &[n], 0);
            both(&format!("every function, {n}"), &[x], &[0], |x| {
                Unary::ALL.iter().map(|u| x[0].tracer().push(Op::Unary(*u), &[&x[0]])).collect()
            });
        }
        let wide = filled(dtype, &[7, 65], (-90.0, 90.0));
        both("large arguments", &[wide], &[0], |x| {
            [Unary::Exp, Unary::Expm1, Unary::Tanh, Unary::Sigmoid, Unary::Sin, Unary::Cos, Unary::Erf, Unary::Floor, Unary::Round]
                .iter()
                .map(|u| x[0].tracer().push(Op::Unary(*u), &[&x[0]]))
                .collect()
        });
        let small = filled(dtype, &[3, 33], (-1e-4, 1e-4));
        both("small arguments, no cancellation", &[small], &[0], |x| vec![x[0].expm1(), x[0].log1p(), x[0].tanh(), x[0].sin(), x[0].erf()]);
    }
}

#[test]
fn functions_of_two_numbers() {
    for dtype in FLOATS {
        for n in LENGTHS {
            let (a, b) = (with_specials(dtype, &[n], 0), with_specials(dtype, &[n], 1));
            both(&format!("every function of two, {n}"), &[a, b], &[0, 1], |x| {
                let functions = Binary::ALL.iter().map(|f| x[0].binary(*f, &x[1]));
                let comparisons = Compare::ALL.iter().map(|c| x[0].compare(*c, &x[1]));
                let one_sided = [x[0].relu(), x[1].full_like(0.0).maximum(&x[1]), x[0].minimum(&x[0].full_like(1.0)), 1.0 / &x[0]];
                functions.chain(comparisons).chain(one_sided).chain([x[0].select(&x[1], &x[0])]).collect()
            });
        }
    }
}

#[test]
fn repeated_operands() {
    for dtype in FLOATS {
        let x = filled(dtype, &[5, 3, 17], (-2.0, 2.0));
        for shape in [&[17][..], &[3, 1], &[5, 1, 1], &[1, 3, 17], &[5, 3, 1], &[]] {
            let y = filled(dtype, shape, (0.5, 1.5));
            let rows: &[usize] = if shape.first() == Some(&5) { &[0, 1] } else { &[0] };
            both(&format!("{shape:?} repeated"), &[x.clone(), y], rows, |x| {
                vec![&x[0] + &x[1], &x[1] - &x[0], (&x[0] * &x[1]).tanh() / &x[1], x[0].maximum(&x[1]), &x[0] * &x[0] + &x[1] * &x[1]]
            });
        }
    }
}

#[test]
fn casts_and_integers() {
    let x = filled(DType::F32, &[7, 33], (-5.0, 5.0));
    both("casts", &[x], &[0], |x| {
        let (wide, whole) = (x[0].cast(DType::F64), x[0].cast(DType::I32));
        vec![wide.exp().cast(DType::F32), whole.cast(DType::F32), wide.clone(), whole.clone(), whole.cast(DType::F64).sin()]
    });
    let specials = Value::new(DType::F32, &[7], vec![f64::NAN, INF, -INF, 3e9, -3e9, -0.9, 0.9]);
    both("casts of what is no integer", &[specials], &[0], |x| vec![x[0].cast(DType::I32)]);
    for n in [1, 7, 17, 65] {
        let (a, b) = (integers(&[n, 3], -6, 6), integers(&[n, 3], -2, 2));
        both(&format!("integers, {n}"), &[a, b], &[0, 1], |x| {
            let comparisons = Compare::ALL.iter().map(|c| x[0].compare(*c, &x[1]));
            let sums =
                [&x[0] + &x[1], &x[0] - &x[1], &x[0] * &x[1], x[0].maximum(&x[1]), x[0].minimum(&x[1]), x[0].sum(&[0]), x[0].max(&[1])];
            let moves = [x[0].transpose(&[1, 0]), x[0].reverse(&[0]), -&x[0], x[0].abs(), x[0].sign(), x[1].select(&x[0], &x[1])];
            comparisons.chain(sums).chain(moves).collect()
        });
        // A one-hot code, as in losses and metrics.
        both(&format!("one-hot, {n}"), &[integers(&[n], -1, 9)], &[0], |x| {
            let (wide, count) = (x[0].broadcast(&[n, 9], &[0]), x[0].tracer().iota(DType::I32, &[n, 9], 1));
            let hot = wide.compare(Compare::Eq, &count).cast(DType::F32);
            vec![hot.sum(&[0]), hot.sum(&[1]), hot]
        });
    }
}

#[test]
fn sums_and_maxima() {
    for dtype in FLOATS {
        for n in LENGTHS {
            for values in [filled(dtype, &[n], (-1.0, 1.0)), with_specials(dtype, &[n], 2)] {
                both(&format!("of a vector of {n}"), &[values], &[0], |x| vec![x[0].sum(&[0]), x[0].max(&[0]), x[0].sum(&[])]);
            }
        }
        for shape in [[3, 5, 7], [1, 65, 2], [17, 1, 33], [2, 127, 16], [0, 3, 2], [3, 0, 2], [64, 3, 5]] {
            for values in [filled(dtype, &shape, (-1.0, 1.0)), with_specials(dtype, &shape, 40)] {
                both(&format!("of {shape:?}"), &[values], &[0], |x| {
                    let axes: [&[usize]; 7] = [&[0], &[1], &[2], &[0, 1], &[0, 2], &[1, 2], &[0, 1, 2]];
                    let turned = x[0].transpose(&[2, 0, 1]);
                    axes.iter().flat_map(|a| [x[0].sum(a), x[0].max(a), turned.sum(a), (&x[0] * 0.5).abs().sum(a)]).collect()
                });
            }
        }
    }
    // A long sum in f32 must not lose what its terms hold: naive addition in one register would.
    let long = filled(DType::F32, &[60_001], (0.0, 1.0));
    both("of many terms", &[long], &[0], |x| vec![x[0].sum_all(), x[0].mean_all(), x[0].square().sum_all(), x[0].max(&[0])]);
}

#[test]
fn softmax_and_normalization() {
    for dtype in FLOATS {
        for shape in [[1, 1], [3, 10], [7, 33], [65, 5], [2, 513], [127, 3]] {
            both(&format!("softmax of {shape:?}"), &[filled(dtype, &shape, (-30.0, 30.0))], &[0], |x| {
                let column = [shape[0], 1];
                let shifted = &x[0] - x[0].max(&[1]).reshape(&column);
                let total = shifted.exp().sum(&[1]).reshape(&column);
                let mean = x[0].mean(&[1]).reshape(&column);
                let centred = &x[0] - mean;
                let scale = (centred.square().mean(&[1]).reshape(&column) + 1e-5).rsqrt();
                let batch = (&x[0] - x[0].mean(&[0])) * (x[0].square().mean(&[0]) + 1.0).rsqrt();
                vec![shifted.exp() / &total, shifted - total.log(), centred * scale, batch]
            });
        }
    }
}

#[test]
fn matrix_products() {
    let sizes = [
        [1, 1, 1],
        [2, 3, 5],
        [7, 13, 1],
        [1, 64, 64],
        [16, 16, 16],
        [17, 31, 33],
        [65, 1, 65],
        [64, 0, 3],
        [0, 5, 3],
        [257, 3, 3],
        [3, 3, 257],
        [33, 127, 17],
        [5, 513, 2],
        [1025, 2, 1],
        [70, 300, 90],
        [128, 64, 10],
        [100, 65, 64],
    ];
    for dtype in FLOATS {
        for [m, k, n] in sizes {
            let (a, b, c) = (filled(dtype, &[m, k], (-1.0, 1.0)), filled(dtype, &[k, n], (-1.0, 1.0)), filled(dtype, &[n], (-1.0, 1.0)));
            both(&format!("{m}×{k}×{n}"), &[a, b, c], &[0], |x| vec![x[0].matmul(&x[1]), (x[0].matmul(&x[1]) + &x[2]).tanh()]);
            if m * k * n > 100_000 {
                continue;
            }
            let (at, bt) = (filled(dtype, &[k, m], (-1.0, 1.0)), filled(dtype, &[n, k], (-1.0, 1.0)));
            // Transposed operands: by axes, and by a node of their own; the first is a sum over the batch.
            both(&format!("{m}×{k}×{n} transposed"), &[at, bt], &[0], |x| {
                vec![
                    x[0].dot(&x[1], Dot::pair(0, 1)),
                    x[1].dot(&x[0], Dot::pair(1, 0)),
                    x[0].transpose(&[1, 0]).matmul(&x[1].transpose(&[1, 0])),
                ]
            });
        }
    }
}

#[test]
fn gradients_of_products_are_sums_over_the_batch() {
    for dtype in FLOATS {
        for rows in [1, 2, 16, 31, 65, 257, 1025] {
            let (x, d) = (filled(dtype, &[rows, 13], (-1.0, 1.0)), filled(dtype, &[rows, 5], (-1.0, 1.0)));
            both(&format!("{rows} rows"), &[x, d], &[0, 1], |x| {
                vec![x[0].dot(&x[1], Dot::pair(0, 0)), x[1].sum(&[0]), x[1].dot(&x[0], Dot::pair(0, 0)) * 0.5]
            });
        }
    }
}

#[test]
fn general_products() {
    let dot = |lc: &[usize], rc: &[usize], lb: &[usize], rb: &[usize]| Dot {
        lhs_contract: lc.to_vec(),
        rhs_contract: rc.to_vec(),
        lhs_batch: lb.to_vec(),
        rhs_batch: rb.to_vec(),
    };
    let cases: [(&[usize], &[usize], Dot); 12] = [
        (&[3, 5, 7], &[3, 7, 2], dot(&[2], &[1], &[0], &[0])),
        (&[17, 2, 3, 5], &[5, 17, 3, 2], dot(&[3, 1], &[0, 3], &[0, 2], &[1, 2])),
        (&[17, 2, 3, 5], &[5, 17, 3, 2], dot(&[1, 3], &[3, 0], &[2, 0], &[2, 1])),
        (&[5, 7], &[5, 7], dot(&[0, 1], &[0, 1], &[], &[])),
        (&[5, 7], &[5, 7], dot(&[], &[], &[1, 0], &[1, 0])),
        (&[5], &[7], dot(&[], &[], &[], &[])),
        (&[], &[7, 2], dot(&[], &[], &[], &[])),
        (&[13, 1, 2], &[2, 3, 13], dot(&[0], &[2], &[], &[])),
        (&[4, 65], &[4, 65], dot(&[1], &[1], &[0], &[0])),
        (&[2, 0, 3], &[2, 0, 5], dot(&[1], &[1], &[0], &[0])),
        (&[33, 3, 5], &[5, 3, 9], dot(&[1, 2], &[1, 0], &[], &[])),
        (&[6, 9, 16], &[6, 8, 16], dot(&[2], &[2], &[0], &[0])),
    ];
    for dtype in FLOATS {
        for (l, r, d) in &cases {
            let (a, b) = (filled(dtype, l, (-1.0, 1.0)), filled(dtype, r, (-1.0, 1.0)));
            for rows in [&[0][..], &[1], &[0, 1]] {
                both(&format!("{l:?} {r:?} {d:?}"), &[a.clone(), b.clone()], rows, |x| {
                    vec![x[0].dot(&x[1], d.clone()), x[0].dot(&x[1], d.clone()).exp()]
                });
            }
        }
        let (a, b) = (with_specials(dtype, &[6, 9], 50), filled(dtype, &[9, 4], (-1.0, 1.0)));
        both("NaN and infinities in a product", &[a, b], &[0], |x| vec![x[0].matmul(&x[1]), x[0].matmul(&x[0].transpose(&[1, 0]))]);
    }
}

fn same(k: usize) -> Conv {
    let around = ((k as i64 - 1) / 2, k as i64 / 2);
    Conv { padding: [around; 2], ..Conv::default() }
}

#[test]
fn convolutions() {
    let strided = Conv { stride: [2, 2], ..same(3) };
    let cropped = Conv { padding: [(-1, 2), (0, -2)], stride: [1, 3], ..Conv::default() };
    let dilated = Conv { rhs_dilation: [2, 3], padding: [(2, 2), (3, 3)], ..Conv::default() };
    let spread = Conv { lhs_dilation: [2, 2], padding: [(1, 2), (2, 1)], ..Conv::default() };
    // Image [H, W, C], kernel [KH, KW, O].
    let cases: [([usize; 3], [usize; 3], Conv); 14] = [
        ([5, 7, 3], [3, 3, 4], same(3)),
        ([8, 8, 1], [3, 3, 16], same(3)),
        ([6, 7, 16], [3, 3, 17], same(3)),
        ([6, 7, 33], [1, 1, 5], Conv::default()),
        ([9, 9, 2], [3, 3, 8], strided),
        ([9, 6, 2], [2, 2, 3], Conv { stride: [2, 2], ..Conv::default() }),
        ([1, 1, 4], [3, 3, 2], same(3)),
        ([4, 9, 2], [3, 3, 3], cropped),
        ([7, 9, 3], [3, 2, 2], dilated),
        ([3, 4, 2], [3, 3, 3], spread),
        ([5, 5, 3], [5, 5, 7], Conv::default()),
        ([2, 2, 3], [3, 3, 2], Conv::default()), // no room for a window
        ([12, 11, 5], [4, 1, 3], same(4)),
        ([6, 5, 0], [3, 3, 2], same(3)),
    ];
    for dtype in FLOATS {
        for ([h, w, c], [kh, kw, o], geometry) in cases {
            for n in [1, 3, 8] {
                let (x, k) = (filled(dtype, &[n, h, w, c], (-1.0, 1.0)), filled(dtype, &[kh, kw, c, o], (-1.0, 1.0)));
                let b = filled(dtype, &[o], (-0.5, 0.5));
                both(&format!("{n}×[{h},{w},{c}] by [{kh},{kw}]→{o} {geometry:?}"), &[x, k, b], &[0], |x| {
                    vec![x[0].conv(&x[1], geometry), (x[0].conv(&x[1], geometry) + &x[2]).relu()]
                });
            }
        }
    }
}

/// Enough channels and windows for Winograd's algorithm: images that end inside a window, pieces of several images and of
/// some rows of one, a strided look at the image, cropped images, and the gradients of both operands.
#[test]
fn convolutions_of_many_channels() {
    let around = |rows: (i64, i64), columns: (i64, i64)| Conv { padding: [rows, columns], ..Conv::default() };
    let cases: [([usize; 5], Conv); 6] = [
        ([3, 7, 9, 33, 34], same(3)),
        ([17, 8, 8, 32, 37], same(3)),
        ([9, 5, 8, 40, 32], around((0, 0), (2, 1))),
        ([5, 12, 11, 33, 32], around((-2, 1), (1, 1))),
        ([1, 34, 31, 48, 48], same(3)),
        ([70, 4, 4, 32, 32], around((0, 0), (0, 0))),
    ];
    for ([n, h, w, c, o], geometry) in cases {
        let (x, k) = (filled(DType::F32, &[n, h, w, c], (-1.0, 1.0)), filled(DType::F32, &[3, 3, c, o], (-1.0, 1.0)));
        both(&format!("{n}×[{h},{w},{c}]→{o} {geometry:?}"), &[x.clone(), k.clone()], &[0], |x| {
            let turned = x[0].transpose(&[0, 2, 1, 3]).conv(&x[1], geometry);
            let y = x[0].conv(&x[1], geometry);
            let gradients = graph::diff::grad(&y.square().mean_all(), &[&x[0], &x[1]]);
            [vec![y, turned], gradients].concat()
        });
    }
}

/// Errors of Winograd's algorithm against f64, beside those of a sum of the same terms in order.
#[test]
fn errors_of_many_channels() {
    let (h, w, c, o) = (18, 18, 64, 32);
    let single = |t: &Value| Value { data: t.data.iter().map(|&v| f64::from(v as f32)).collect(), ..t.clone() };
    let x = single(&filled(DType::F32, &[4, h, w, c], (-1.0, 1.0)));
    let k = single(&filled(DType::F32, &[3, 3, c, o], (-1.0, 1.0)));
    let case = Case::build("errors", &[x.clone(), k.clone()], |x| vec![x[0].conv(&x[1], Conv::default())]);
    let got = case.run(&mut case.compile(1, &[]).unwrap(), &[], 0).unwrap()[0].numbers();
    let (mut square, mut own, mut ordered) = (0.0, 0.0, 0.0);
    for (i, &got) in got.iter().enumerate() {
        let (n, y, u, m) = (i / (o * (w - 2) * (h - 2)), i / (o * (w - 2)) % (h - 2), i / o % (w - 2), i % o);
        let (mut exact, mut sum) = (0.0, 0.0f32);
        for (j, tap) in (0..9 * c).map(|term| (term % c, term / c)) {
            let left = x.data[((n * h + y + tap / 3) * w + u + tap % 3) * c + j];
            let right = k.data[(tap * c + j) * o + m];
            exact += left * right;
            sum = (left as f32).mul_add(right as f32, sum);
        }
        square += exact * exact;
        own += (got - exact).powi(2);
        ordered += (f64::from(sum) - exact).powi(2);
    }
    let (own, ordered) = ((own / square).sqrt(), (ordered / square).sqrt());
    println!("relative errors: {own:.1e}, sum in order {ordered:.1e}");
    assert!(own < 4e-7 && own < ordered, "{own:.2e}, sum in order {ordered:.2e}");
}

/// What is not finite spoils the results of its own windows and no other, and never looks finite.
#[test]
fn many_channels_of_numbers_that_are_not_finite() {
    let mut x = filled(DType::F32, &[2, 10, 10, 32], (-1.0, 1.0));
    let k = filled(DType::F32, &[3, 3, 32, 32], (-1.0, 1.0));
    let at = |n: usize, y: usize, x: usize| ((n * 10 + y) * 10 + x) * 32;
    x.data[at(0, 4, 4) + 5] = f64::NAN;
    x.data[at(1, 7, 2) + 31] = INF;
    let case = Case::build("not finite", &[x, k], |x| vec![x[0].conv(&x[1], same(3))]);
    let got = case.run(&mut case.compile(1, &[]).unwrap(), &[], 0).unwrap()[0].numbers();
    let want = &graph::eval::evaluate(&case.graph, &case.inputs, &case.outputs).unwrap()[0].data;
    let mut finite = 0;
    for (i, (&g, &w)) in got.iter().zip(want.iter()).enumerate() {
        assert!(w.is_finite() || !g.is_finite(), "element {i}: {g} where the sum is {w}");
        let (n, y, x) = (i / 3200, i / 320 % 10, i / 32 % 10);
        let near = [(0, 4, 4), (1, 7, 2)].iter().any(|&(m, v, u)| m == n && y.abs_diff(v) <= 2 && x.abs_diff(u) <= 2);
        assert!(near || (g - w).abs() < 1e-4, "element {i}: {g} instead of {w}");
        finite += usize::from(g.is_finite());
    }
    assert!(finite > 5000, "{finite} of 6400 results are finite");
}

#[test]
fn gradients_of_convolutions() {
    let geometries =
        [same(3), Conv { stride: [2, 1], ..same(3) }, Conv { padding: [(-1, 1), (0, 2)], rhs_dilation: [1, 2], ..Conv::default() }];
    for dtype in FLOATS {
        for geometry in geometries {
            for n in [1, 3, 8, 33] {
                let (x, k) = (filled(dtype, &[n, 6, 7, 3], (-1.0, 1.0)), filled(dtype, &[3, 3, 3, 5], (-1.0, 1.0)));
                both(&format!("{n} images, {geometry:?}"), &[x, k], &[0], |x| {
                    let loss = x[0].conv(&x[1], geometry).tanh().square().sum_all();
                    graph::diff::grad(&loss, &[&x[0], &x[1]])
                });
            }
        }
    }
}

#[test]
fn windows_and_pooling() {
    for dtype in FLOATS {
        for (shape, window, stride) in [
            ([3, 7, 9, 2], [2, 2], [2, 2]),
            ([8, 6, 6, 17], [2, 2], [2, 2]),
            ([1, 5, 5, 1], [3, 3], [1, 1]),
            ([2, 9, 7, 3], [3, 2], [2, 3]),
            ([5, 4, 4, 2], [2, 3], [3, 1]),
            ([2, 2, 2, 2], [3, 3], [1, 1]),
            ([33, 4, 5, 1], [2, 2], [1, 2]),
            ([0, 4, 4, 1], [2, 2], [2, 2]),
        ] {
            let x = filled(dtype, &shape, (-1.0, 1.0));
            both(&format!("{shape:?} window {window:?} step {stride:?}"), &[x], &[0], |x| {
                let all = x[0].unfold(window, stride);
                let back = (&all * 0.5).fold([shape[1], shape[2]], stride);
                let pooled = all.max(&[3, 4]);
                let gradient = graph::diff::grad(&pooled.square().sum_all(), &[&x[0]]).remove(0);
                vec![pooled, all.mean(&[3, 4]), back, gradient, all]
            });
        }
        // Ties share the gradient of a maximum; NaN spoils its window only.
        let mut x = Value::new(dtype, &[2, 4, 4, 1], (0..32).map(|i| f64::from(i / 3 % 4)).collect());
        x.data[5] = f64::NAN;
        both("ties and NaN", &[x], &[0], |x| {
            let pooled = x[0].unfold([2, 2], [2, 2]).max(&[3, 4]);
            vec![graph::diff::grad(&pooled.sum_all(), &[&x[0]]).remove(0), pooled]
        });
    }
}

#[test]
fn moves() {
    for dtype in FLOATS {
        for shape in [[3, 5, 7], [1, 16, 2], [17, 1, 3], [2, 0, 3], [65, 3, 2], [5, 33, 1]] {
            let x = filled(dtype, &shape, (-1.0, 1.0));
            both(&format!("moves of {shape:?}"), &[x], &[0], |x| {
                let (x, [a, b, c]) = (&x[0], shape);
                let push = |op: Op| x.tracer().push(op, &[x]);
                let perms = [[0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]].map(|p| x.transpose(&p));
                let reversed = [x.reverse(&[0]), x.reverse(&[1, 2]), x.reverse(&[0, 1, 2])];
                let strided = [
                    Op::Slice { start: vec![0, b / 3, 0], limit: vec![a, b, c], stride: vec![1, 2, 1] },
                    Op::Slice { start: vec![a / 2, 0, c / 2], limit: vec![a, b, c], stride: vec![3, 1, 2] },
                    Op::Slice { start: vec![a, 0, 0], limit: vec![a, b, c], stride: vec![1, 1, 1] },
                    Op::Pad { lo: vec![0, 1, 0], hi: vec![0, 2, 1], interior: vec![0, 0, 2], value: Scalar::new(-1.0) },
                    Op::Pad { lo: vec![2, 0, 0], hi: vec![1, 0, 0], interior: vec![1, 1, 0], value: Scalar::new(0.0) },
                    Op::Pad { lo: vec![0, 1, 1], hi: vec![0, 1, 1], interior: vec![0, 0, 0], value: Scalar::new(-INF) },
                    Op::Reshape(vec![a * b, c]),
                    Op::Reshape(vec![c, a, b]),
                    Op::Reshape(vec![1, a, b * c, 1]),
                    Op::Broadcast { shape: vec![a, 2, b, c, 3], dims: vec![0, 2, 3] },
                ]
                .map(push);
                let joined = [
                    Tensor::concat(&[x, x], 0),
                    Tensor::concat(&[x, &x.exp(), &x.reverse(&[1])], 1),
                    Tensor::concat(&[&x.slice(2, 0, c / 2), x], 2),
                ];
                let fused =
                    [(x.transpose(&[2, 1, 0]).exp() * 2.0).transpose(&[2, 1, 0]), x.reshape(&[a * b, c]).tanh().reshape(&[a, b * c])];
                perms.into_iter().chain(reversed).chain(strided).chain(joined).chain(fused).collect()
            });
        }
    }
}

#[test]
fn tables() {
    for dtype in FLOATS {
        for (rows, width, n) in [(1, 1, 1), (5, 3, 7), (50, 16, 33), (7, 17, 65), (13, 1, 257), (3, 5, 0)] {
            let (table, updates) = (filled(dtype, &[rows, width], (-1.0, 1.0)), filled(dtype, &[n, width], (-1.0, 1.0)));
            let index = integers(&[n], -1, rows as i64); // one below and one above are out of range
            both(&format!("{n} of {rows} rows of {width}"), &[table.clone(), updates, index], &[1, 2], |x| {
                let got = x[0].gather(&x[2]);
                vec![got.exp(), x[2].scatter_add(&x[1], rows), x[2].scatter_add(&(&x[1] * 2.0), rows) + &x[0], got]
            });
            let many = integers(&[n, 3], 0, rows as i64 - 1);
            both(&format!("{n}×3 of {rows} rows of {width}"), &[table, many], &[1], |x| {
                let bag = x[0].gather(&x[1]).sum(&[1]);
                vec![graph::diff::grad(&bag.square().sum_all(), &[&x[0]]).remove(0), bag]
            });
        }
        let (scalars, index) = (filled(dtype, &[6], (-1.0, 1.0)), integers(&[], 2, 2));
        both("a table of numbers, one index", &[scalars, index], &[0], |x| vec![x[0].gather(&x[1]), x[1].scatter_add(&x[0], 4)]);
    }
}

#[test]
fn sources() {
    for dtype in FLOATS {
        let key = Value::new(DType::I32, &[2], vec![-5.0, 12.0]);
        let x = filled(dtype, &[37, 5], (-1.0, 1.0));
        both("random numbers, counters, constants", &[key, x], &[1], |x| {
            let cx = x[0].tracer();
            let (u, v) = (x[0].uniform(0, dtype, &[37, 5]), x[0].uniform(3, dtype, &[1025]));
            let kept = u.compare(Compare::Lt, &u.full_like(0.8));
            let count = [0, 1].map(|axis| cx.iota(dtype, &[37, 5], axis));
            vec![
                &x[1] * kept,
                u,
                v,
                &count[0] + &x[1],
                count[1].clone(),
                cx.iota(DType::I32, &[3, 17], 1),
                cx.full(dtype, &[3, 2], 0.1),
                count[0].exp() * &x[1],
            ]
        });
    }
}

#[test]
fn outputs_of_every_kind() {
    for dtype in FLOATS {
        let (x, y) = (filled(dtype, &[7, 3], (-1.0, 1.0)), filled(dtype, &[7, 3], (-1.0, 1.0)));
        both("inputs, constants, views, twice the same", &[x, y], &[0, 1], |x| {
            let sum = &x[0] + &x[1];
            vec![
                x[1].clone(),
                x[0].clone(),
                sum.clone(),
                x[0].clone(),
                sum.clone(),
                x[0].transpose(&[1, 0]),
                sum.reshape(&[21]),
                sum.full_like(2.0),
                sum.sum(&[0]),
            ]
        });
        // Every donation in these is a hazard: the other output still needs what is overwritten.
        let (x, y) = (filled(dtype, &[65, 3], (-1.0, 1.0)), filled(dtype, &[65, 3], (-1.0, 1.0)));
        for salt in 0..12 {
            let mut case = Case::build("exchange", &[x.clone(), y.clone()], |x| vec![x[1].clone(), x[0].clone()]).batched(&[0, 1]);
            case.salt = salt;
            ok(case);
            let mut case = Case::build("each result needs both operands, some rows late", &[x.clone(), y.clone()], |x| {
                vec![&x[0] - &x[1].reverse(&[0]), &x[1] * x[0].sum(&[0]), x[0].reverse(&[0]) + x[1].max(&[0])]
            });
            case.salt = salt;
            ok(case);
        }
    }
}

#[test]
fn the_same_holds_with_other_instruction_sets() {
    common::isa::again();
}
