//! What files say, and what happens to those that are damaged or ask for too much.

use crate::models;
use neurona::data::Preprocessing;
use neurona::prelude::*;
use onnx::{Error, Info};

fn small() -> Sequential {
    Sequential::new(&[6, 6, 1])
        .layer(Conv2d::new(2, 3).activation(Activation::Relu))
        .layer(MaxPool2d::new(2))
        .layer(Flatten::new())
        .layer(Dense::new(3).activation(Activation::Softmax))
}

fn weights(model: &Sequential) -> Vec<Vec<f32>> {
    let cx = Context::new(DType::F32, false);
    model.forward(&cx, &cx.input("x", DType::F32, &[&[1], &model.input[..]].concat()));
    cx.params().iter().enumerate().map(|(k, (p, _))| p.init.values(&p.shape, 1, k as u32)).collect()
}

#[test]
fn a_file_names_its_weights_and_says_what_goes_in_and_out() {
    let preprocessing: Preprocessing = serde_json::from_str(r#"{"shape": [6, 6, 1], "scale": 0.5, "classes": ["a", "b", "ñ"]}"#).unwrap();
    let info = Info {
        outputs: vec!["probabilities".into()],
        preprocessing: Some(preprocessing.clone()),
        notes: [("licence".to_string(), "MIT".to_string())].into(),
        ..Info::default()
    };
    let model = small();
    let file = onnx::import(&onnx::export_model(&model, &[], &weights(&model), &info).unwrap()).unwrap();
    assert_eq!(file.inputs()[0].name, "input");
    assert_eq!(file.inputs()[0].shape, Some(vec![None, Some(6), Some(6), Some(1)]));
    assert_eq!((file.outputs()[0].name.as_str(), &file.outputs()[0].shape), ("probabilities", &Some(vec![None, Some(3)])));
    // The kernel is stored as ONNX wants it: filters and channels first.
    let stored: Vec<(String, Vec<usize>)> = file.weights().map(|(n, s)| (n.to_string(), s.to_vec())).collect();
    let wanted =
        [("conv2d_1/weight", vec![2, 1, 3, 3]), ("conv2d_1/bias", vec![2]), ("dense_1/weight", vec![8, 3]), ("dense_1/bias", vec![3])];
    for (name, shape) in wanted {
        assert!(stored.contains(&(name.to_string(), shape)), "{name}: {stored:?}");
    }
    let note = |key: &str| file.notes().iter().find(|(k, _)| k == key).map(|(_, v)| v.clone()).unwrap();
    assert_eq!(serde_json::from_str::<Vec<String>>(&note("labels")).unwrap(), preprocessing.classes);
    assert_eq!(serde_json::from_str::<Preprocessing>(&note("preprocessing")).unwrap(), preprocessing);
    assert_eq!(note("licence"), "MIT");
}

#[test]
fn an_imported_model_can_be_trained_further() {
    let model = Sequential::new(&[1]).layer(Dense::new(1));
    let file = onnx::import(&onnx::export_model(&model, &[], &[vec![1.0], vec![0.0]], &Info::default()).unwrap()).unwrap();
    let values = file.clone();
    let data = Batches::new(Rows::f32(&[0.0, 1.0], &[1]), Rows::f32(&[1.0, 3.0], &[1]));
    let mut trainer = Trainer::compile(file, Loss::Mse, Optimizer::Momentum { momentum: 0.9 }, &[]);
    trainer.build(&[Type::new(DType::F32, [1])], 1).unwrap();
    let start = values.params(trainer.params()).unwrap();
    assert_eq!(start, [[1.0], [0.0]]);
    let state = State { params: start, ..trainer.state().unwrap().clone() };
    trainer.set_state(state).unwrap();
    trainer.fit(&data, &FitOptions { epochs: 200, batch: 2, learning_rate: 0.05, threads: 1, ..FitOptions::default() }, &mut ()).unwrap();
    let y = trainer.predict(&[Rows::f32(&[2.0], &[1])], 1).unwrap().data[0];
    assert!((y - 5.0).abs() < 0.1, "{y}");
}

#[test]
fn models_that_files_cannot_express_are_refused() {
    let random = |rows: usize| {
        let cx = Context::new(DType::F32, true);
        let x = cx.input("x", DType::F32, &[rows, 3]);
        let y = cx.layer("noise", || Dropout::new(0.5).forward(&cx, &x));
        (cx, vec![y])
    };
    let error = onnx::export(&random, &[], &Info::default()).unwrap_err();
    assert!(matches!(&error, Error::Unsupported(why) if why.len() == 1 && why[0].contains("noise")), "{error}");

    let halves = |rows: usize| {
        let cx = Context::new(DType::F32, false);
        let x = cx.input("x", DType::F32, &[rows, 3]);
        let y = x.slice(0, 0, rows / 2);
        (cx, vec![y])
    };
    assert!(matches!(onnx::export(&halves, &[], &Info::default()), Err(Error::Batch { .. })));

    let deeper = |rows: usize| {
        let cx = Context::new(DType::F32, false);
        let x = cx.input("x", DType::F32, &[rows, 3]);
        let y = if rows % 4 == 1 { x.exp() } else { x.exp().tanh() };
        (cx, vec![y])
    };
    assert!(matches!(onnx::export(&deeper, &[], &Info::default()), Err(Error::Batch { .. })));

    let model = Sequential::new(&[2]).layer(Dense::new(1));
    let error = onnx::export_model(&model, &[], &[vec![1.0], vec![0.0]], &Info::default()).unwrap_err();
    assert!(error.to_string().contains("dense_1/weight"), "{error}");
    let bad = Sequential::new(&[2]).layer(Conv2d::new(1, 3));
    assert!(matches!(onnx::export_model(&bad, &[], &[], &Info::default()), Err(Error::Trace(_))));
}

#[test]
fn inputs_that_do_not_fit_are_refused() {
    let model = small();
    let file = onnx::import(&onnx::export_model(&model, &[], &weights(&model), &Info::default()).unwrap()).unwrap();
    let error = file.compile(&[&[4, 6, 5, 1]], 1).err().unwrap().to_string();
    assert!(error.contains("[N = 4, 6, 6, 1]") && error.contains("[4, 6, 5, 1]"), "{error}");
    assert!(matches!(file.compile(&[], 1), Err(Error::Array { .. })));
    assert!(file.compile(&[&[usize::MAX, 6, 6, 1]], 1).is_err());
    assert!(file.predict(&[1, 6, 6, 1], &[0.0; 35]).is_err());
    let mut file = file;
    assert!(file.fix("inputt", &[1], &[0.0]).err().unwrap().to_string().contains("input"));
    assert!(file.fix("input", &[2], &[0.0]).is_err());
}

/// A simple generator of numbers (Knuth's MMIX).
fn next(state: &mut u64) -> usize {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*state >> 33) as usize
}

/// Whatever bytes are changed or cut off: an error, or a model that can be traced or refused.
#[test]
fn damaged_files_never_panic() {
    let mut state = 1;
    let (mut read, mut traced, mut tried) = (0, 0, 0);
    for case in models::all().iter().filter(|c| !c.name.starts_with("workload")) {
        let params = case.params();
        let bytes = onnx::export(&*case.trace, &params, &Info::default()).unwrap();
        let shapes: Vec<Vec<usize>> = (case.trace)(2).0.data().iter().map(|t| t.shape().to_vec()).collect();
        let shapes: Vec<&[usize]> = shapes.iter().map(|s| &s[..]).collect();
        for round in 0..120 {
            let mut broken = bytes.clone();
            if round % 3 == 0 {
                broken.truncate(next(&mut state) % bytes.len());
            } else {
                for _ in 0..=round % 5 {
                    let at = next(&mut state) % bytes.len();
                    broken[at] ^= 1 << (next(&mut state) % 8);
                }
            }
            tried += 1;
            let Ok(model) = onnx::import(&broken) else { continue };
            read += 1;
            let cx = Context::new(DType::F32, false);
            let ports = model.inputs();
            let inputs: Vec<Tensor> = ports.iter().zip(&shapes).map(|(p, s)| cx.input(&p.name, p.dtype, s)).collect();
            traced += usize::from(model.trace(&cx, &inputs).is_ok());
        }
    }
    // The test would be empty if nothing ever got that far.
    assert!(read > tried / 20 && traced > 0, "{read} of {tried} read, {traced} traced");
}
