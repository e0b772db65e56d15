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

/// A transposed convolution stamps the kernel; what the shifts should be is written out.
#[test]
fn transposed_convolution_stamps_the_kernel() {
    let kernel: &[f64] = &[1.0, 10.0, 100.0];
    let row = (DType::F32, &[1, 1, 3, 1][..], &[1.0, 2.0, 3.0][..]);
    let layer = |stride| Conv2dTranspose::new(1, [1, 3]).stride([1, stride]);
    assert_eq!(run(layer(1), row, &[kernel, &[0.5]]), (vec![1, 1, 5, 1], vec![1.5, 12.5, 123.5, 230.5, 300.5]));
    assert_eq!(run(layer(2).without_bias(), row, &[kernel]).1, [1.0, 10.0, 102.0, 20.0, 203.0, 30.0, 300.0]);
    // The margin of kernel − stride is cut: half of it, rounded down, in front.
    assert_eq!(run(layer(1).same().without_bias(), row, &[kernel]).1, [12.0, 123.0, 230.0]);
    assert_eq!(run(layer(2).same().without_bias(), row, &[kernel]).1, [1.0, 10.0, 102.0, 20.0, 203.0, 30.0]);
    assert_eq!(
        run(layer(4).same().without_bias(), row, &[kernel]).1,
        [1.0, 10.0, 100.0, 0.0, 2.0, 20.0, 200.0, 0.0, 3.0, 30.0, 300.0, 0.0]
    );
    let square = (DType::F32, &[1, 1, 1, 1][..], &[2.0][..]);
    assert_eq!(
        run(Conv2dTranspose::new(1, 2).without_bias(), square, &[&[1.0, 2.0, 3.0, 4.0]]),
        (vec![1, 2, 2, 1], vec![2.0, 4.0, 6.0, 8.0])
    );
}

/// ⟨conv(x), y⟩ = ⟨x, transposed(y)⟩ for the same kernel, whatever stride and padding.
#[test]
fn transposed_convolution_is_the_transpose() {
    let numbers = |n: usize, salt: f64| (0..n).map(|i| ((i as f64 + salt) * 0.754_877).fract() - 0.5).collect::<Vec<f64>>();
    for (k, s, same) in [(3, 1, false), (3, 2, true), (2, 2, false), (4, 2, true), (2, 3, true), (5, 1, true)] {
        let small = 3;
        let large = if same { small * s } else { (small - 1) * s + k };
        let (conv, transposed) = (Conv2d::new(1, k).stride(s).without_bias(), Conv2dTranspose::new(1, k).stride(s).without_bias());
        let (conv, transposed) = if same { (conv.same(), transposed.same()) } else { (conv, transposed) };
        let (x, y, w) = (numbers(large * large, 0.2), numbers(small * small, 7.7), numbers(k * k, 3.1));
        let (shape, there) = run(conv, (DType::F32, &[1, large, large, 1], &x), &[&w]);
        assert_eq!(shape, [1, small, small, 1]);
        let (shape, back) = run(transposed, (DType::F32, &[1, small, small, 1], &y), &[&w]);
        assert_eq!(shape, [1, large, large, 1]);
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        assert!((dot(&there, &y) - dot(&x, &back)).abs() < 1e-5, "kernel {k}, stride {s}, same {same}");
    }
}

#[test]
fn normalizations_by_hand() {
    // Use: the running mean 1 and variance 4; (x − 1)/2, times 3, plus 10.
    let x = (DType::F32, &[2, 1][..], &[5.0, -3.0][..]);
    let close = |y: Vec<f64>, want: &[f64]| assert!(y.iter().zip(want).all(|(y, w)| (y - w).abs() < 1e-5), "{y:?}, expected {want:?}");
    close(run(BatchNorm::new().epsilon(1e-12), x, &[&[1.0], &[4.0], &[3.0], &[10.0]]).1, &[16.0, 4.0]);
    // Within a row: mean 2, variance 2/3.
    let x = (DType::F32, &[1, 3][..], &[1.0, 2.0, 3.0][..]);
    let root = 1.5f64.sqrt();
    close(run(LayerNorm::new().epsilon(1e-12), x, &[&[1.0, 1.0, 2.0], &[0.0, 5.0, 0.0]]).1, &[-root, 5.0, 2.0 * root]);
}

#[test]
fn global_pooling_and_branches_by_hand() {
    let image = (DType::F32, &[1, 2, 2, 2][..], &[1.0, -1.0, 2.0, -2.0, 3.0, -3.0, 6.0, -6.0][..]);
    assert_eq!(run(GlobalAveragePool2d::new(), image, &[]), (vec![1, 2], vec![3.0, -3.0]));
    assert_eq!(run(GlobalMaxPool2d::new(), image, &[]).1, [6.0, -1.0]);
    let x = (DType::F32, &[1, 2][..], &[1.0, 2.0][..]);
    let twice = Dense::new(2).without_bias();
    assert_eq!(run(Residual::new().layer(twice.clone()), x, &[&[2.0, 0.0, 0.0, 2.0]]).1, [3.0, 6.0]);
    // Another width: the input through the projection (1·1 + 2·10), plus the layer's 3.
    assert_eq!(run(Residual::new().layer(Dense::new(1).without_bias()), x, &[&[1.0, 1.0], &[1.0, 10.0]]).1, [24.0]);
    // Half the extents: the projection reads every second pixel of [1, 2, 2, 1].
    let image = (DType::F32, &[1, 2, 2, 1][..], &[1.0, 2.0, 3.0, 4.0][..]);
    let halved = Residual::new().layer(Conv2d::new(1, 2).stride(2).same().without_bias());
    assert_eq!(run(halved, image, &[&[1.0; 4], &[100.0]]), (vec![1, 1, 1, 1], vec![110.0]));
    let joined = Concat::new().branch([twice.into()]).branch([]);
    assert_eq!(run(joined, x, &[&[2.0, 0.0, 0.0, 3.0]]), (vec![1, 4], vec![2.0, 6.0, 1.0, 2.0]));
}
