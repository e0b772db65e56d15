//! Layers against values computed by hand.

use graph::{DType, Value, eval};
use neurona::Context;
use neurona::layers::*;

/// Output of a layer whose parameters are all given, in the order in which it makes them.
fn run(layer: impl Into<Layer>, x: (DType, &[usize], &[f64]), params: &[&[f64]]) -> (Vec<usize>, Vec<f64>) {
    let cx = Context::new(DType::F32, false);
    let y = layer.into().forward(&cx, &cx.input("x", x.0, x.1));
    let mut values = vec![Value::new(x.0, x.1, x.2.to_vec())];
    assert_eq!(cx.params().len(), params.len());
    values.extend(cx.params().iter().zip(params).map(|((p, _), v)| Value::new(DType::F32, &p.shape, v.to_vec())));
    assert!(values.iter().all(|v| v.data.iter().all(|x| !x.is_nan())), "wrong number of values");
    let out = eval::evaluate(&cx.tracer().finish().unwrap(), &values, &[y.id()]).unwrap().remove(0);
    (out.ty.shape, out.data)
}

#[test]
fn dense_multiplies_rows_with_columns() {
    let x = (DType::F32, &[2, 2][..], &[1.0, 2.0, 3.0, 4.0][..]);
    let (shape, y) = run(Dense::new(3), x, &[&[1.0, 0.0, -1.0, 2.0, 1.0, 0.5], &[10.0, 20.0, 30.0]]);
    assert_eq!((shape, y), (vec![2, 3], vec![15.0, 22.0, 30.0, 21.0, 24.0, 29.0]));
    assert_eq!(run(Dense::new(1).without_bias(), x, &[&[1.0, -1.0]]).1, [-1.0, -1.0]);
}

#[test]
fn convolution_with_and_without_padding() {
    let image = (DType::F32, &[1, 3, 3, 1][..], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0][..]);
    let kernel: &[f64] = &[1.0, 10.0, 100.0, 1000.0];
    let valid = run(Conv2d::new(1, 2), image, &[kernel, &[0.5]]);
    assert_eq!(valid, (vec![1, 2, 2, 1], vec![5421.5, 6532.5, 8754.5, 9865.5]));
    // An even kernel has its extra zeros below and to the right.
    let same = run(Conv2d::new(1, 2).same().without_bias(), image, &[kernel]).1;
    assert_eq!(same, [5421.0, 6532.0, 603.0, 8754.0, 9865.0, 906.0, 87.0, 98.0, 9.0]);
    let strided = run(Conv2d::new(1, 3).same().stride(2).without_bias(), image, &[&[1.0; 9]]).1;
    assert_eq!(strided, [12.0, 16.0, 24.0, 28.0]);
    let dilated = run(Conv2d::new(1, 2).dilation(2).without_bias(), image, &[kernel]);
    assert_eq!(dilated, (vec![1, 1, 1, 1], vec![1.0 + 30.0 + 700.0 + 9000.0]));
}

#[test]
fn pooling_takes_windows_channel_by_channel() {
    let image =
        (DType::F32, &[1, 2, 4, 2][..], &[1.0, -1.0, 2.0, -2.0, 3.0, -3.0, 4.0, -4.0, 5.0, -5.0, 6.0, -6.0, 7.0, -7.0, 8.0, -8.0][..]);
    assert_eq!(run(MaxPool2d::new(2), image, &[]), (vec![1, 1, 2, 2], vec![6.0, -1.0, 8.0, -3.0]));
    assert_eq!(run(AveragePool2d::new(2), image, &[]).1, [3.5, -3.5, 5.5, -5.5]);
    assert_eq!(run(MaxPool2d::new(2).stride(1), image, &[]).0, [1, 1, 3, 2]);
    assert_eq!(run(AveragePool2d::new([1, 3]), image, &[]).1, [2.0, -2.0, 6.0, -6.0]); // the fourth column fills no window
}

#[test]
fn tables_and_scales() {
    let table: &[f64] = &[0.0, 1.0, 10.0, 11.0, 20.0, 21.0];
    for dtype in [DType::I32, DType::F32] {
        let (shape, y) = run(Embedding::new(3, 2), (dtype, &[2, 2], &[2.0, 0.0, 1.0, 1.0]), &[table]);
        assert_eq!((shape, y), (vec![2, 2, 2], vec![20.0, 21.0, 0.0, 1.0, 10.0, 11.0, 10.0, 11.0]));
    }
    assert_eq!(run(Rescale::new(0.5, -1.0), (DType::I32, &[2], &[4.0, -2.0]), &[]).1, [1.0, -2.0]);
    assert_eq!(run(Flatten::new(), (DType::F32, &[2, 1, 2], &[1.0, 2.0, 3.0, 4.0]), &[]), (vec![2, 2], vec![1.0, 2.0, 3.0, 4.0]));
    assert_eq!(run(Flatten::new(), (DType::F32, &[2], &[1.0, 2.0]), &[]).0, [2, 1]);
    assert_eq!(run(Reshape::new(&[2, 1]), (DType::F32, &[1, 2], &[1.0, 2.0]), &[]).0, [1, 2, 1]);
}
