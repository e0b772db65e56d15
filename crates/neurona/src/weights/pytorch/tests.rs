use super::*;
use crate::layers::{BatchNorm, Conv2d, Conv2dTranspose, Dense, Flatten, MaxPool2d};
use crate::{Activation, Loss, Optimizer, Rows, State, Trainer};
use safetensors::tensor::TensorView;

fn numbers(n: usize, seed: usize) -> Vec<f32> {
    (0..n).map(|i| ((i * 7919 + seed * 104_729) % 1009) as f32 / 1009.0 - 0.5).collect()
}

/// Writes tensors of f32, with what the real library adds.
fn write(name: &str, tensors: &[(&str, Vec<usize>, Vec<f32>)]) -> std::path::PathBuf {
    let path = std::env::temp_dir().join(format!("neurona-pytorch-{name}-{}.safetensors", std::process::id()));
    let bytes: Vec<Vec<u8>> = tensors.iter().map(|(_, _, v)| v.iter().flat_map(|x| x.to_le_bytes()).collect()).collect();
    let count = 7i64.to_le_bytes();
    let mut views: Vec<(String, TensorView)> = tensors
        .iter()
        .zip(&bytes)
        .map(|((n, shape, _), b)| ((*n).to_string(), TensorView::new(Dtype::F32, shape.clone(), b).unwrap()))
        .collect();
    views.push(("body.1.num_batches_tracked".into(), TensorView::new(Dtype::I64, vec![], &count).unwrap()));
    std::fs::write(&path, safetensors::serialize(views, None).unwrap()).unwrap();
    path
}

fn trainer(model: &Sequential) -> Trainer<Sequential> {
    let mut trainer = Trainer::compile(model.clone(), Loss::Mse, Optimizer::Sgd, &[]);
    trainer.build(&crate::Model::inputs(model).unwrap(), 1).unwrap();
    trainer
}

/// A transposed convolution, batch normalization, a convolution, pooling, and a dense layer after a flatten,
/// computed in PyTorch's layout, [channels, height, width], by its definitions.
#[test]
fn an_image_network_computes_what_pytorch_would() {
    let model = Sequential::new(&[4, 5, 2])
        .layer(Conv2dTranspose::new(3, 2).stride(2))
        .layer(BatchNorm::new())
        .layer(Conv2d::new(4, [3, 2]).activation(Activation::Relu))
        .layer(MaxPool2d::new(2))
        .layer(Flatten::new())
        .layer(Dense::new(3));
    let (up, upb) = (numbers(2 * 3 * 4, 1), numbers(3, 2));
    let (scale, offset, mean, var) = (numbers(3, 3), numbers(3, 4), numbers(3, 5), vec![0.5, 1.5, 2.5]);
    let (kernel, bias) = (numbers(4 * 3 * 3 * 2, 6), numbers(4, 7));
    let (dense, denseb) = (numbers(3 * 4 * 3 * 4, 8), numbers(3, 9));
    let path = write(
        "image",
        &[
            ("body.10.weight", vec![3, 48], dense.clone()),
            ("body.10.bias", vec![3], denseb.clone()),
            ("body.0.weight", vec![2, 3, 2, 2], up.clone()),
            ("body.0.bias", vec![3], upb.clone()),
            ("body.1.weight", vec![3], scale.clone()),
            ("body.1.bias", vec![3], offset.clone()),
            ("body.1.running_mean", vec![3], mean.clone()),
            ("body.1.running_var", vec![3], var.clone()),
            ("body.2.weight", vec![4, 3, 3, 2], kernel.clone()),
            ("body.2.bias", vec![4], bias.clone()),
        ],
    );
    let mut trainer = trainer(&model);
    let found = load(&path, &model, trainer.params(), &Map::new()).unwrap();
    std::fs::remove_file(&path).unwrap();
    assert!(found.names.contains(&("batch_norm_1/mean".into(), "body.1.running_mean".into())), "{:?}", found.names);
    let state = trainer.state().cloned().unwrap();
    trainer.set_state(State { params: found.values, ..state }).unwrap();

    let x = numbers(4 * 5 * 2, 10); // [h, w, c]
    let at = |c: usize, y: usize, x_: usize| f64::from(x[(y * 5 + x_) * 2 + c]);
    let w = |v: &[f32], i: usize| f64::from(v[i]);
    // 4 × 5 → 8 × 10, stride 2: every output has one tap of each input channel.
    let grown = |o: usize, y: usize, x_: usize| {
        (0..2).map(|i| at(i, y / 2, x_ / 2) * w(&up, ((i * 3 + o) * 2 + y % 2) * 2 + x_ % 2)).sum::<f64>() + w(&upb, o)
    };
    let normal =
        |o: usize, y: usize, x_: usize| (grown(o, y, x_) - w(&mean, o)) / (w(&var, o) + 1e-5).sqrt() * w(&scale, o) + w(&offset, o);
    let conv = |o: usize, y: usize, x_: usize| {
        let mut sum = w(&bias, o);
        for i in 0..3 {
            for (ky, kx) in (0..3).flat_map(|a| (0..2).map(move |b| (a, b))) {
                sum += normal(i, y + ky, x_ + kx) * w(&kernel, ((o * 3 + i) * 3 + ky) * 2 + kx);
            }
        }
        sum.max(0.0)
    };
    // 6 × 9 → 3 × 4
    let pooled = |o: usize, y: usize, x_: usize| (0..4).map(|k| conv(o, 2 * y + k / 2, 2 * x_ + k % 2)).fold(f64::NEG_INFINITY, f64::max);
    let flat: Vec<f64> = (0..4).flat_map(|o| (0..12).map(move |p| (o, p / 4, p % 4))).map(|(o, y, x_)| pooled(o, y, x_)).collect();
    let want: Vec<f64> = (0..3).map(|o| (0..48).map(|i| flat[i] * w(&dense, o * 48 + i)).sum::<f64>() + w(&denseb, o)).collect();
    let got = trainer.predict(&[Rows::f32(&x, &[4, 5, 2])], 1).unwrap();
    for (a, b) in got.data.iter().zip(&want) {
        assert!((f64::from(*a) - b).abs() < 1e-5, "{:?} {want:?}", got.data);
    }
}

#[test]
fn a_map_says_what_order_would_get_wrong_and_all_mismatches_are_told() {
    let model = Sequential::new(&[2]).layer(Dense::new(2)).layer(Dense::new(2).without_bias()).layer(Dense::new(3));
    let trainer = trainer(&model);
    let square = [numbers(4, 1), numbers(4, 2)];
    let file = [
        ("b_first.weight", vec![2, 2], square[0].clone()),
        ("b_first.bias", vec![2], numbers(2, 3)),
        ("a_second.weight", vec![2, 2], square[1].clone()),
        ("z.weight", vec![3, 2], numbers(6, 4)),
        ("z.bias", vec![3], numbers(3, 5)),
    ];
    let path = write("map", &file);
    let plain = load(&path, &model, trainer.params(), &Map::new()).unwrap();
    // The bias tells the two apart, whatever their order.
    assert_eq!(plain.names[0], ("dense_1/weight".into(), "b_first.weight".into()));
    assert_eq!(plain.values[0], [square[0][0], square[0][2], square[0][1], square[0][3]]);
    let map: Map = [("dense_1/weight", "a_second.weight"), ("dense_2", "b_first"), ("dense_1/bias", "b_first.bias")]
        .map(|(a, b)| (a.to_string(), b.to_string()))
        .into();
    let swapped = load(&path, &model, trainer.params(), &map).unwrap();
    assert_eq!(swapped.values[0], [square[1][0], square[1][2], square[1][1], square[1][3]]);
    let wrong: Map = [("dense_3", "b_first"), ("dense_9", "z")].map(|(a, b)| (a.to_string(), b.to_string())).into();
    let e = load(&path, &model, trainer.params(), &wrong).unwrap_err().to_string();
    for part in [
        "dense_3/weight [2, 3]: b_first.weight [2, 2] does not fit, it needs weight [3, 2]",
        "dense_3/bias [3]: b_first.bias [2] does not fit",
        "the map names dense_9, but the layers are dense_1, dense_2, dense_3",
        "dense_1/weight [2, 2]: no unused module has weight [2, 2]",
        "z.weight [3, 2] of the file belongs to no layer",
    ] {
        assert!(e.contains(part), "{part}\n{e}");
    }
    std::fs::remove_file(path).unwrap();
}

#[test]
fn names_are_ordered_as_people_count() {
    let mut names = ["10.weight", "2.bias", "2.weight", "conv10.w", "conv9.w", "a.1.b.2", "a.1.b.10"];
    names.sort_by(|a, b| natural(a, b));
    assert_eq!(names, ["2.bias", "2.weight", "10.weight", "a.1.b.2", "a.1.b.10", "conv9.w", "conv10.w"]);
}

#[test]
fn floats_of_other_widths_are_read() {
    for (x, bits) in [(1.0, 0x3c00u16), (-2.5, 0xc100), (65504.0, 0x7bff), (2f32.powi(-24), 1), (0.0, 0)] {
        assert_eq!(half(bits), x);
    }
    assert!(half(0x7c00).is_infinite() && half(0x7e00).is_nan());
    assert_eq!(floats(Dtype::BF16, &[0x80, 0x3f]), Some(vec![1.0]));
    assert_eq!(floats(Dtype::F64, &1.5f64.to_le_bytes()), Some(vec![1.5]));
    assert_eq!(floats(Dtype::I64, &[0; 8]), None);
}
