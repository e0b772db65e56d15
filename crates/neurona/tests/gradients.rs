//! Every layer and every loss at derivative orders 1 and 2, against central differences in f64.

use graph::{DType, Tensor, Value, diff, eval};
use neurona::layers::*;
use neurona::{Activation, Context, Init, Loss, Objective};

/// Reproducible numbers in the interval: fractional parts of multiples of the golden ratio.
fn numbers(n: usize, salt: f64, (lo, hi): (f64, f64)) -> Vec<f64> {
    (0..n).map(|i| lo + (hi - lo) * ((i as f64 + salt) * 0.618_033_988_749_895).fract()).collect()
}

/// Values for an input of the graph that is no variable: labels count 0, 1, 2, 0, …
fn fixed(dtype: DType, shape: &[usize], salt: f64) -> Value {
    let n = shape.iter().product();
    match dtype {
        DType::I32 => Value::new(dtype, shape, (0..n).map(|i| (i % 3) as f64).collect()),
        _ => Value::new(dtype, shape, numbers(n, salt, (0.1, 0.9))),
    }
}

/// Differentiates `build` of `x` along fixed directions, with respect to `x` (if it is a float) and all
/// parameters, and compares with five-point differences.
fn check(name: &str, x: (DType, &[usize]), range: (f64, f64), build: impl Fn(&Context, &Tensor) -> Tensor) {
    let cx = Context::new(DType::F64, true);
    let input = cx.input("x", x.0, x.1);
    let y = build(&cx, &input);
    let graph = cx.tracer().finish().unwrap_or_else(|e| panic!("{name}: {e}"));
    let known = graph.inputs().to_vec();
    let params: Vec<Tensor> = cx.params().into_iter().map(|(_, t)| t).collect();
    let variables: Vec<Tensor> = [input].into_iter().filter(|t| t.dtype().is_float()).chain(params).collect();
    let along: Vec<Tensor> = variables.iter().map(|t| cx.tracer().input("direction", DType::F64, t.shape())).collect();
    let weights = cx.tracer().input("weights", DType::F64, y.shape());
    let refs: Vec<&Tensor> = variables.iter().collect();
    let mut orders = vec![(&y * &weights).sum_all()];
    for k in 0..2 {
        let g = diff::grad(&orders[k], &refs);
        orders.push(g.iter().zip(&along).map(|(g, v)| (g * v).sum_all()).reduce(|a, b| a + b).unwrap());
    }
    let graph = cx.tracer().finish().unwrap();
    let ids: Vec<_> = orders.iter().map(Tensor::id).collect();
    let at = |shift: f64| -> Vec<f64> {
        let value = |(i, &id): (usize, &graph::Id)| {
            let (ty, salt) = (graph.ty(id), i as f64 * 1.7 + 0.3);
            let place = variables.iter().position(|v| v.id() == id);
            let limits = if id == known[0] { range } else { (-0.9, 0.9) };
            match place {
                Some(v) => {
                    let d = numbers(ty.len(), 3.1 + v as f64, (-1.0, 1.0));
                    let p = numbers(ty.len(), salt, limits);
                    Value::new(DType::F64, &ty.shape, p.iter().zip(&d).map(|(p, d)| p + shift * d).collect())
                }
                None => match along.iter().position(|v| v.id() == id) {
                    Some(v) => Value::new(DType::F64, &ty.shape, numbers(ty.len(), 3.1 + v as f64, (-1.0, 1.0))),
                    None => fixed(ty.dtype, &ty.shape, salt),
                },
            }
        };
        let values: Vec<Value> = graph.inputs().iter().enumerate().map(value).collect();
        eval::evaluate(&graph, &values, &ids).unwrap().iter().map(|v| v.data[0]).collect()
    };
    let h = 1e-4;
    let (here, p, m, pp, mm) = (at(0.0), at(h), at(-h), at(2.0 * h), at(-2.0 * h));
    assert!(here[1].abs() > 1e-6, "{name}: the derivative vanishes, so this tests nothing");
    for k in 0..2 {
        let numeric = (8.0 * (p[k] - m[k]) - (pp[k] - mm[k])) / (12.0 * h);
        let scale = 1.0 + here[k + 1].abs();
        assert!((here[k + 1] - numeric).abs() < 1e-7 * scale, "{name}, order {}: {} but differences give {numeric}", k + 1, here[k + 1]);
    }
}

fn check_layer(layer: impl Into<Layer>, x: (DType, &[usize])) {
    let layer = layer.into();
    check(&format!("{layer:?}"), x, (-0.9, 0.9), |cx, x| cx.layer("layer", || layer.forward(cx, x).square()));
}

#[test]
fn dense() {
    check_layer(Dense::new(3), (DType::F64, &[4, 2]));
    check_layer(Dense::new(3).activation(Activation::Gelu).without_bias(), (DType::F64, &[4, 2]));
    check_layer(Dense::new(3).activation(Activation::Softmax), (DType::F64, &[2, 3, 2]));
    check_layer(Dense::new(1).init(Init::HeNormal), (DType::F64, &[1, 1]));
}

#[test]
fn convolutions() {
    let image = (DType::F64, &[2, 5, 6, 2][..]);
    check_layer(Conv2d::new(3, 3), image);
    check_layer(Conv2d::new(2, [2, 3]).same().activation(Activation::Tanh), image);
    check_layer(Conv2d::new(2, 3).stride(2).same().without_bias(), image);
    check_layer(Conv2d::new(2, 2).dilation([1, 2]).stride([2, 1]), image);
}

#[test]
fn pooling() {
    let image = (DType::F64, &[2, 5, 6, 2][..]);
    check_layer(MaxPool2d::new(2), image);
    check_layer(MaxPool2d::new(3).stride([2, 1]), image);
    check_layer(AveragePool2d::new([2, 3]), image);
    check_layer(AveragePool2d::new(3).stride(1), image);
}

#[test]
fn transposed_convolutions() {
    let image = (DType::F64, &[2, 3, 4, 2][..]);
    check_layer(Conv2dTranspose::new(3, 3).stride(2), image);
    check_layer(Conv2dTranspose::new(2, [3, 2]).stride([2, 1]).same().activation(Activation::Tanh), image);
    check_layer(Conv2dTranspose::new(1, 2).stride(3).same().without_bias(), image);
}

#[test]
fn normalizations() {
    check_layer(BatchNorm::new(), (DType::F64, &[5, 3]));
    check_layer(BatchNorm::new().epsilon(0.1), (DType::F64, &[2, 3, 2, 2]));
    check_layer(LayerNorm::new(), (DType::F64, &[3, 4]));
    check_layer(LayerNorm::new().epsilon(0.1), (DType::F64, &[2, 3, 3]));
}

#[test]
fn global_pooling() {
    let image = (DType::F64, &[2, 3, 2, 2][..]);
    check_layer(GlobalAveragePool2d::new(), image);
    check_layer(GlobalMaxPool2d::new(), image);
}

#[test]
fn layers_of_layers() {
    let dense = |units: usize| Dense::new(units).activation(Activation::Tanh);
    check_layer(Residual::new().layer(dense(4)).layer(Dense::new(3)), (DType::F64, &[4, 3]));
    check_layer(Residual::new().layer(dense(2)), (DType::F64, &[4, 3]));
    let image = (DType::F64, &[2, 5, 4, 2][..]);
    check_layer(Residual::new().layer(Conv2d::new(3, 3).stride(2).same()), image);
    check_layer(Residual::new().layer(Conv2d::new(2, 3).same()).layer(BatchNorm::new()), image);
    let branches = Concat::new().branch([dense(2).into()]).branch([]).branch([dense(3).into(), Dense::new(1).into()]);
    check_layer(branches, (DType::F64, &[3, 2]));
}

#[test]
fn shapes_dropout_embedding() {
    check_layer(Flatten::new(), (DType::F64, &[2, 3, 2]));
    check_layer(Reshape::new(&[3, 2]), (DType::F64, &[2, 6]));
    check_layer(Rescale::new(0.3, -2.0), (DType::F64, &[2, 3]));
    check_layer(Dropout::new(0.4), (DType::F64, &[4, 6]));
    check_layer(Activation::Silu, (DType::F64, &[2, 3]));
    check_layer(Embedding::new(3, 2), (DType::I32, &[4, 2]));
}

#[test]
fn losses() {
    let shares = (DType::F64, &[4, 3][..]);
    for loss in [Loss::Mse, Loss::Mae, Loss::Huber { delta: 0.4 }] {
        check(&format!("{loss:?}"), shares, (-0.9, 0.95), |cx, x| loss.rows(x, &cx.input("target", DType::F64, &[4, 3])));
    }
    for from_logits in [false, true] {
        let range = if from_logits { (-3.0, 3.0) } else { (0.05, 0.95) };
        let sparse = Loss::SparseCategoricalCrossEntropy { from_logits };
        for loss in [Loss::BinaryCrossEntropy { from_logits }, Loss::CategoricalCrossEntropy { from_logits }] {
            check(&format!("{loss:?}"), shares, range, |cx, x| loss.rows(x, &cx.input("target", DType::F64, &[4, 3])));
        }
        check(&format!("{sparse:?}"), shares, range, |cx, x| sparse.rows(x, &cx.input("target", DType::I32, &[4])));
        let deep = (DType::F64, &[2, 2, 3][..]);
        check(&format!("{sparse:?} of sequences"), deep, range, |cx, x| sparse.rows(x, &cx.input("target", DType::I32, &[2, 2])));
        let weighed = Objective::from(sparse).class_weights(&[0.5, 1.0, 2.0]).label_smoothing(0.1);
        check(&format!("{weighed:?}"), shares, range, |cx, x| weighed.rows(x, &cx.input("target", DType::I32, &[4])));
        let binary = Objective::from(Loss::BinaryCrossEntropy { from_logits }).class_weights(&[0.5, 2.0]).label_smoothing(0.1);
        check(&format!("{binary:?}"), shares, range, |cx, x| binary.rows(x, &cx.input("target", DType::F64, &[4, 3])));
    }
}
