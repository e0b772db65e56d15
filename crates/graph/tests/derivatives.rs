//! Every operation at derivative orders 1, 2 and 3: against central differences in f64, and forward
//! mode against reverse mode.

use graph::ops::contract::Dot;
use graph::ops::{Binary, Compare, Conv, Unary};
use graph::{DType, Tensor, Tracer, Value, diff, eval};

type Build = Box<dyn Fn(&[Tensor]) -> Tensor>;

struct Case {
    name: String,
    shapes: Vec<Vec<usize>>,
    /// Inputs are drawn from this interval, kept away from kinks by the seed.
    range: (f64, f64),
    build: Build,
}

fn case(name: &str, shapes: &[&[usize]], range: (f64, f64), build: impl Fn(&[Tensor]) -> Tensor + 'static) -> Case {
    Case { name: name.into(), shapes: shapes.iter().map(|s| s.to_vec()).collect(), range, build: Box::new(build) }
}

/// Reproducible numbers in the interval: fractional parts of multiples of the golden ratio.
fn numbers(n: usize, salt: f64, (lo, hi): (f64, f64)) -> Vec<f64> {
    (0..n).map(|i| lo + (hi - lo) * ((i as f64 + salt) * 0.618_033_988_749_895).fract()).collect()
}

/// Checks the sum of `f` weighted by fixed numbers, along fixed directions, at each order.
fn check(c: &Case) {
    let cx = Tracer::new();
    let xs: Vec<Tensor> = c.shapes.iter().enumerate().map(|(i, s)| cx.input(&format!("x{i}"), DType::F64, s)).collect();
    let vs: Vec<Tensor> = c.shapes.iter().enumerate().map(|(i, s)| cx.input(&format!("v{i}"), DType::F64, s)).collect();
    let y = (c.build)(&xs);
    let weights = cx.input("weights", DType::F64, y.shape());
    let refs: Vec<&Tensor> = xs.iter().collect();
    let along: Vec<(&Tensor, &Tensor)> = xs.iter().zip(&vs).collect();

    let mut orders = vec![(&y * &weights).sum_all()];
    let mut forward = vec![];
    for k in 0..3 {
        let g = diff::grad(&orders[k], &refs);
        let reverse = g.iter().zip(&vs).map(|(g, v)| (g * v).sum_all()).reduce(|a, b| a + b).unwrap();
        forward.push(diff::jvp(&orders[k], &along));
        orders.push(reverse);
    }
    let g = cx.finish().unwrap_or_else(|e| panic!("{}: {e}", c.name));
    let ids: Vec<_> = orders.iter().chain(&forward).map(Tensor::id).collect();
    let (g, ids) = g.pruned(&ids);
    graph::verify::verify(&g).unwrap_or_else(|e| panic!("{}: {e}", c.name));

    let points: Vec<Vec<f64>> = c.shapes.iter().enumerate().map(|(i, s)| numbers(s.iter().product(), 0.37 + i as f64, c.range)).collect();
    let dirs: Vec<Vec<f64>> = c.shapes.iter().enumerate().map(|(i, s)| numbers(s.iter().product(), 5.1 + i as f64, (-1.0, 1.0))).collect();
    let w = Value::new(DType::F64, y.shape(), numbers(y.shape().iter().product(), 9.3, (-1.0, 1.0)));
    let at = |shift: f64| -> Vec<f64> {
        let mut values: Vec<Value> = vec![];
        for (s, (p, d)) in c.shapes.iter().zip(points.iter().zip(&dirs)) {
            values.push(Value::new(DType::F64, s, p.iter().zip(d).map(|(p, d)| p + shift * d).collect()));
        }
        values.extend(c.shapes.iter().zip(&dirs).map(|(s, d)| Value::new(DType::F64, s, d.clone())));
        values.push(w.clone());
        eval::evaluate(&g, &values, &ids).unwrap().iter().map(|v| v.data[0]).collect()
    };
    let h = 1e-4;
    let (here, up, down, up2, down2) = (at(0.0), at(h), at(-h), at(2.0 * h), at(-2.0 * h));
    for k in 0..3 {
        // Five-point central difference: error O(h⁴).
        let numeric = (8.0 * (up[k] - down[k]) - (up2[k] - down2[k])) / (12.0 * h);
        let scale = 1.0 + here[k + 1].abs() + here[k].abs();
        let name = &c.name;
        assert!((here[k + 1] - numeric).abs() < 1e-7 * scale, "{name}, order {}: {} but differences give {numeric}", k + 1, here[k + 1]);
        assert!(
            (here[k + 1] - here[4 + k]).abs() < 1e-10 * scale,
            "{name}, order {}: reverse {} forward {}",
            k + 1,
            here[k + 1],
            here[4 + k]
        );
    }
}

#[test]
fn functions_of_one_number() {
    for u in Unary::ALL {
        let range = match u {
            Unary::Log | Unary::Sqrt | Unary::Rsqrt | Unary::Log1p => (0.4, 2.0),
            Unary::Floor | Unary::Round => (0.1, 0.4),
            _ => (-1.9, 1.7),
        };
        check(&case(&format!("{u:?}"), &[&[7]], range, move |x| x[0].tracer().push(graph::Op::Unary(u), &[&x[0]]) + &x[0] * &x[0]));
    }
}

#[test]
fn functions_of_two_numbers() {
    for b in Binary::ALL {
        check(&case(&format!("{b:?}"), &[&[5], &[5]], (0.5, 1.9), move |x| x[0].binary(b, &x[1]) * &x[0]));
    }
    check(&case("pow by a constant", &[&[5]], (0.5, 1.9), |x| x[0].powf(2.7)));
    check(&case("fifth power", &[&[5]], (-1.5, 1.9), |x| x[0].powf(5.0)));
}

#[test]
fn comparison_selection_casts() {
    for c in Compare::ALL {
        check(&case(&format!("{c:?}"), &[&[6], &[6]], (-1.0, 1.0), move |x| x[0].compare(c, &x[1]).select(&(&x[0] * &x[1]), &x[1].sin())));
    }
    check(&case("stop_gradient of a part", &[&[4]], (-1.0, 1.0), |x| {
        let frozen = x[0].full_like(0.3).stop_gradient();
        x[0].exp() * frozen
    }));
    check(&case("cast to itself", &[&[4]], (-1.0, 1.0), |x| x[0].cast(DType::F64).tanh()));
}

#[test]
fn reductions_and_moves() {
    let range = (-1.5, 1.5);
    check(&case("sum", &[&[3, 4, 2]], range, |x| x[0].sum(&[0, 2]).square()));
    check(&case("max", &[&[3, 5]], range, |x| (&x[0] * &x[0] * &x[0]).max(&[1]).exp()));
    check(&case("broadcast", &[&[3]], range, |x| x[0].broadcast(&[2, 3, 4], &[1]).sin() * x[0].broadcast(&[2, 3, 4], &[1])));
    check(&case("reshape", &[&[6]], range, |x| x[0].reshape(&[2, 3]).tanh()));
    check(&case("transpose", &[&[2, 3, 4]], range, |x| x[0].transpose(&[2, 0, 1]).tanh()));
    check(&case("reverse", &[&[2, 5]], range, |x| x[0].reverse(&[1]).tanh() * &x[0]));
    check(&case("slice", &[&[5, 4]], range, |x| x[0].slice(0, 1, 4).slice(1, 2, 3).exp()));
    check(&case("strided slice", &[&[7, 6]], range, |x| {
        let op = graph::Op::Slice { start: vec![1, 0], limit: vec![7, 5], stride: vec![3, 2] };
        x[0].tracer().push(op, &[&x[0]]).exp()
    }));
    check(&case("pad", &[&[2, 3]], range, |x| x[0].pad(&[(1, 0), (0, 2)], 0.7).sin()));
    check(&case("pad between", &[&[3]], range, |x| {
        let op = graph::Op::Pad { lo: vec![1], hi: vec![2], interior: vec![2], value: graph::Scalar::new(0.0) };
        x[0].tracer().push(op, &[&x[0]]).cos()
    }));
    check(&case("concat", &[&[2, 3], &[2, 2]], range, |x| {
        let c = Tensor::concat(&[&x[0], &x[1], &x[0].sin()], 1);
        &c * &c * &c
    }));
}

#[test]
fn contractions() {
    let range = (-1.2, 1.2);
    check(&case("matrix product", &[&[3, 4], &[4, 2]], range, |x| x[0].matmul(&x[1]).tanh()));
    let batched = Dot { lhs_contract: vec![1, 3], rhs_contract: vec![2, 0], lhs_batch: vec![0], rhs_batch: vec![3] };
    check(&case("batched, two pairs", &[&[2, 3, 2, 4], &[4, 3, 3, 2]], range, move |x| x[0].dot(&x[1], batched.clone()).sin()));
    check(&case("outer product", &[&[3], &[2]], range, |x| x[0].dot(&x[1], Dot::default()).sin()));
    check(&case("a tensor with itself", &[&[3, 3]], range, |x| x[0].matmul(&x[0]).matmul(&x[0])));
}

#[test]
fn convolutions() {
    let range = (-1.0, 1.0);
    let geometries = [
        Conv::default(),
        Conv { stride: [2, 1], padding: [(1, 1), (0, 2)], ..Conv::default() },
        Conv { stride: [2, 3], padding: [(1, 0), (2, 2)], lhs_dilation: [1, 2], rhs_dilation: [2, 1] },
        Conv { stride: [1, 2], padding: [(-1, 1), (0, -1)], lhs_dilation: [2, 1], rhs_dilation: [1, 2] },
        Conv { stride: [3, 2], padding: [(4, 3), (0, 0)], lhs_dilation: [1, 1], rhs_dilation: [1, 1] },
    ];
    for geometry in geometries {
        let build = move |x: &[Tensor]| x[0].conv(&x[1], geometry).tanh();
        check(&case(&format!("{geometry:?}"), &[&[2, 5, 6, 2], &[2, 3, 2, 3]], range, build));
    }
}

#[test]
fn tables_and_windows() {
    let range = (-1.0, 1.0);
    let rows = |x: &Tensor| x.tracer().iota(DType::I32, &[2, 3], 1);
    check(&case("gather", &[&[4, 2]], range, move |x| x[0].gather(&rows(&x[0])).sin()));
    check(&case("scatter_add", &[&[2, 3, 2]], range, move |x| rows(&x[0]).scatter_add(&x[0].sin(), 5).exp()));
    for (window, stride) in [([2, 2], [2, 2]), ([3, 2], [1, 2]), ([2, 3], [3, 1])] {
        check(&case("unfold", &[&[2, 5, 6, 2]], range, move |x| x[0].unfold(window, stride).sin()));
        check(&case("fold", &[&[1, 2, 2, 2, 3, 2]], range, move |x| x[0].sin().fold([6, 7], stride)));
        check(&case("max pooling", &[&[1, 5, 6, 2]], range, move |x| (&x[0] * &x[0]).unfold(window, stride).max(&[3, 4]).exp()));
        check(&case("mean pooling", &[&[1, 5, 6, 2]], range, move |x| x[0].unfold(window, stride).mean(&[3, 4]).exp()));
    }
}

/// A convolution network with pooling and a dense layer, differentiated up to order 3 in image and weights.
#[test]
fn gradient_of_gradient_through_conv_pooling_and_dense() {
    let net = |x: &[Tensor]| {
        let h = x[0].conv(&x[1], Conv { padding: [(1, 1), (1, 1)], ..Conv::default() }).tanh();
        let p = h.unfold([2, 2], [2, 2]).max(&[3, 4]);
        p.reshape(&[1, 12]).matmul(&x[2]).sigmoid()
    };
    check(&case("conv → pool → dense", &[&[1, 4, 4, 2], &[3, 3, 2, 3], &[12, 2]], (-0.8, 0.8), net));
}

#[test]
fn hessian_and_laplacian() {
    let cx = Tracer::new();
    let x = cx.input("x", DType::F64, &[3]);
    let f = x.slice(0, 0, 1).square() * x.slice(0, 1, 2) + x.slice(0, 2, 3).sin();
    let h = diff::hessian(&f.sum_all(), &x);
    let p = cx.input("p", DType::F64, &[4, 2]);
    let (a, b) = (p.slice(1, 0, 1).reshape(&[4]), p.slice(1, 1, 2).reshape(&[4]));
    let lap = diff::laplacian(&(a.powf(3.0) * &b + b.exp()), &p);
    let g = cx.finish().unwrap();
    let points = vec![0.5, 1.0, -1.0, 2.0, 0.0, 0.3, 1.5, -0.5];
    let inputs = [Value::new(DType::F64, &[3], vec![2.0, 3.0, 0.5]), Value::new(DType::F64, &[4, 2], points.clone())];
    let out = eval::evaluate(&g, &inputs, &[h.id(), lap.id()]).unwrap();
    let want = [6.0, 4.0, 0.0, 4.0, 0.0, 0.0, 0.0, 0.0, -(0.5f64.sin())];
    out[0].data.iter().zip(want).for_each(|(a, b)| assert!((a - b).abs() < 1e-14));
    for (i, l) in out[1].data.iter().enumerate() {
        let (a, b) = (points[2 * i], points[2 * i + 1]);
        assert!((l - (6.0 * a * b + b.exp())).abs() < 1e-13, "row {i}");
    }
}

#[test]
fn shape_errors_name_layer_operation_and_both_shapes() {
    let cx = Tracer::new();
    let x = cx.input("x", DType::F32, &[32, 784]);
    let w = cx.input("w", DType::F32, &[128, 10]);
    let y = cx.layer("model", || cx.layer("dense_2", || x.matmul(&w).relu()));
    let z = cx.layer("loss", || &y + &cx.input("t", DType::F64, &[3]));
    assert!(z.is_poisoned());
    let text = cx.finish().unwrap_err().to_string();
    for part in ["model/dense_2", "dot_general", "f32[32, 784]", "f32[128, 10]", "784", "128"] {
        assert!(text.contains(part), "{part} is missing in: {text}");
    }
    assert_eq!(text.lines().count(), 1, "an error must not cause others: {text}");
}
