//! Training from end to end: it learns, repeats itself bit by bit, weighs partial batches rightly, and
//! refuses what cannot work before it starts.

use neurona::prelude::*;
use neurona::{Error, ErrorKind, layers, shuffled};
use std::ops::ControlFlow;

const X: [f32; 8] = [0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0];
const XOR: [i32; 4] = [0, 1, 1, 0];
const SPARSE: Loss = Loss::SparseCategoricalCrossEntropy { from_logits: true };

fn small() -> Sequential {
    Sequential::new(&[2]).layer(Dense::new(6).activation(Activation::Tanh)).layer(Dense::new(2))
}

fn options<'a>(epochs: usize, batch: usize) -> FitOptions<'a> {
    FitOptions { epochs, batch, learning_rate: 0.05, threads: 1, seed: 3, ..FitOptions::default() }
}

#[test]
fn exclusive_or_is_learned() {
    let data = Batches::new(Rows::f32(&X, &[2]), Rows::labels(&XOR));
    let mut t = Trainer::compile(small(), SPARSE, Optimizer::adam(), &[Metric::Accuracy]);
    let history = t.fit(&data, &options(200, 4), &mut ()).unwrap();
    let last = &history.epochs[199].train;
    assert!(last.loss < 0.02 && last.get(Metric::Accuracy) == Some(1.0), "{last:?}");
    let p = t.predict(&[Rows::f32(&X, &[2])], 3).unwrap();
    assert_eq!(p.shape, [4, 2]);
    let best: Vec<i32> = p.data.chunks(2).map(|r| i32::from(r[1] > r[0])).collect();
    assert_eq!(best, XOR);
}

#[test]
fn a_plane_is_fitted() {
    let x: Vec<f32> = (0..40).map(|i| (i as f32 * 0.618).fract()).collect();
    let y: Vec<f32> = x.chunks(2).map(|r| 2.0 * r[0] - 3.0 * r[1] + 0.5).collect();
    let data = Batches::new(Rows::f32(&x, &[2]), Rows::f32(&y, &[1]));
    let model = Sequential::new(&[2]).layer(Dense::new(1));
    let mut t = Trainer::compile(model, Loss::Mse, Optimizer::adam(), &[Metric::Rmse]);
    t.fit(&data, &FitOptions { schedule: Schedule::Cosine { end: 0.01 }, learning_rate: 0.2, ..options(60, 5) }, &mut ()).unwrap();
    let scores = t.evaluate(&data, 7).unwrap();
    assert!(scores.loss < 1e-3, "{scores:?}");
    assert!((scores.get(Metric::Rmse).unwrap() - scores.loss.sqrt()).abs() < 1e-12);
    let w = &t.state().unwrap().params;
    assert!((w[0][0] - 2.0).abs() < 0.1 && (w[0][1] + 3.0).abs() < 0.1 && (w[1][0] - 0.5).abs() < 0.1, "{w:?}");
}

fn run(threads: usize, seed: u32) -> State {
    let x: Vec<f32> = (0..22).map(|i| (i as f32 * 0.37).sin()).collect();
    let y: Vec<i32> = x.chunks(2).map(|r| i32::from(r[0] * r[1] > 0.0)).collect();
    let data = Batches::new(Rows::f32(&x, &[2]), Rows::labels(&y));
    let model = Sequential::new(&[2]).layer(Dense::new(5).activation(Activation::Relu)).layer(Dropout::new(0.3)).layer(Dense::new(2));
    let mut t = Trainer::compile(model, SPARSE, Optimizer::adam(), &[]);
    t.fit(&data, &FitOptions { threads, seed, ..options(4, 4) }, &mut ()).unwrap();
    t.state().unwrap().clone()
}

#[test]
fn equal_seeds_give_equal_bits() {
    assert_eq!(run(1, 5), run(1, 5));
    assert_eq!(run(1, 5), run(2, 5));
    assert_ne!(run(1, 5).params, run(1, 6).params);
}

#[test]
fn a_resumed_training_is_the_uninterrupted_one() {
    let data = Batches::new(Rows::f32(&X, &[2]), Rows::labels(&XOR));
    let new = || Trainer::compile(small(), SPARSE, Optimizer::adam(), &[]);
    let options = |epoch, epochs| FitOptions {
        start: Position { epoch, ..Position::default() },
        schedule: Schedule::Exponential { decay: 0.9 },
        ..options(epochs, 3)
    };
    let (mut whole, mut first, mut second) = (new(), new(), new());
    whole.fit(&data, &options(0, 6), &mut ()).unwrap();
    first.fit(&data, &options(0, 2), &mut ()).unwrap();
    second.build(&[Type::new(DType::F32, [2])], 99).unwrap();
    second.set_state(first.state().unwrap().clone()).unwrap();
    second.fit(&data, &options(2, 6), &mut ()).unwrap();
    assert_eq!(whole.state(), second.state());
}

/// Stopped after any batch and gone on with from what was saved there: the same weights and the same
/// epoch means, to the bit, whatever the number of threads.
#[test]
fn a_training_resumes_within_an_epoch() {
    struct Stop(usize, Option<(Position, State)>);
    impl Observer for Stop {
        fn on_step(&mut self, s: &Snapshot) -> ControlFlow<()> {
            if s.state.step as usize != self.0 {
                return ControlFlow::Continue(());
            }
            self.1 = Some((s.position(), s.state.clone()));
            ControlFlow::Break(())
        }
    }
    let x: Vec<f32> = (0..46).map(|i| (i as f32 * 0.7).sin()).collect();
    let y: Vec<f32> = x.chunks(2).map(|r| r[0] * r[1]).collect();
    let data = Batches::new(Rows::f32(&x, &[2]), Rows::f32(&y, &[1]));
    let model = || Sequential::new(&[2]).layer(Dense::new(5).activation(Activation::Tanh)).layer(Dropout::new(0.2)).layer(Dense::new(1));
    let new = || Trainer::compile(model(), Loss::Mse, Optimizer::adam(), &[Metric::Mae]);
    let options = |start, threads| FitOptions { start, threads, ..options(3, 4) };
    let mut whole = new();
    let history = whole.fit(&data, &options(Position::default(), 1), &mut ()).unwrap();
    for step in [1, 5, 7, 14, 17] {
        let (mut first, mut stop) = (new(), Stop(step, None));
        assert!(first.fit(&data, &options(Position::default(), 2), &mut stop).unwrap().stopped);
        let (position, state) = stop.1.unwrap();
        assert_eq!((position.epoch, position.batch), (step / 6, step % 6));
        let mut second = new();
        second.build(&[Type::new(DType::F32, [2])], 99).unwrap();
        second.set_state(state).unwrap();
        let rest = second.fit(&data, &options(position, 2), &mut ()).unwrap();
        assert_eq!(whole.state(), second.state(), "after step {step}");
        assert_eq!(rest.epochs.last().map(|e| &e.train), history.epochs.last().map(|e| &e.train));
    }
    let wrong = Position { epoch: 0, batch: 2, totals: vec![0.0; 2], rows: 6 };
    let e = new().fit(&data, &options(wrong, 1), &mut ()).unwrap_err().to_string();
    assert!(e.contains("no place of this training"), "{e}");
}

/// With a learning rate too small to change an f32 weight, the epoch's means are plain means over all
/// rows, however these are cut into batches.
#[test]
fn partial_batches_count_by_their_rows() {
    let x: Vec<f32> = (0..7).map(|i| i as f32).collect();
    let y = vec![0.0f32; 7];
    let data = Batches::new(Rows::f32(&x, &[1]), Rows::f32(&y, &[1]));
    for batch in [7, 3, 2, 100] {
        let mut t = Trainer::compile(Sequential::new(&[1]).layer(Dense::new(1)), Loss::Mse, Optimizer::Sgd, &[Metric::Mae, Metric::Rmse]);
        t.build(&[Type::new(DType::F32, [1])], 0).unwrap();
        let ones = State { params: vec![vec![1.0], vec![0.0]], ..t.state().unwrap().clone() };
        t.set_state(ones).unwrap();
        let options = FitOptions { learning_rate: 1e-30, validation: Some(&data), ..options(1, batch) };
        let mut sizes = vec![];
        struct Count<'a>(&'a mut Vec<usize>);
        impl Observer for Count<'_> {
            fn on_batch(&mut self, b: &BatchReport) -> ControlFlow<()> {
                self.0.push(b.rows);
                assert_eq!((b.batch, b.epoch, b.epochs), (self.0.len(), 1, 1));
                ControlFlow::Continue(())
            }
        }
        let epoch = t.fit(&data, &options, &mut Count(&mut sizes)).unwrap().epochs.remove(0);
        assert_eq!(sizes.iter().sum::<usize>(), 7);
        // Σ i² = 91, Σ i = 21.
        for s in [&epoch.train, epoch.validation.as_ref().unwrap(), &t.evaluate(&data, batch).unwrap()] {
            assert!((s.loss - 13.0).abs() < 1e-12 && s.get(Metric::Mae) == Some(3.0), "batch {batch}: {s:?}");
            assert!((s.get(Metric::Rmse).unwrap() - 13f64.sqrt()).abs() < 1e-12);
        }
    }
}

#[test]
fn every_row_is_used_once_an_epoch() {
    let mut order = shuffled(100, 1, 7);
    assert_ne!(order, (0..100).collect::<Vec<_>>());
    order.sort();
    assert_eq!(order, (0..100).collect::<Vec<_>>());
}

#[test]
fn divergence_is_reported_and_the_epoch_taken_back() {
    let data = Batches::new(Rows::f32(&[1e3, -1e3, 1e3], &[1]), Rows::f32(&[1.0, 2.0, 3.0], &[1]));
    let new = || Trainer::compile(Sequential::new(&[1]).layer(Dense::new(1)), Loss::Mse, Optimizer::Sgd, &[]);
    let options = |epochs| FitOptions { learning_rate: 0.1, ..options(epochs, 1) };
    let mut t = new();
    let e = t.fit(&data, &options(50), &mut ()).unwrap_err();
    assert_eq!(e.kind(), ErrorKind::Diverged);
    assert!(e.to_string().contains("lower the learning rate"), "{e}");
    let Error::Diverged { epoch, batch, .. } = e else { panic!("{e}") };
    assert!(epoch >= 2 && batch >= 2, "epoch {epoch}, batch {batch}: nothing would have to be taken back");
    let mut before = new();
    before.fit(&data, &options(epoch - 1), &mut ()).unwrap();
    assert_eq!(t.state(), before.state());
    assert!(t.state().unwrap().params.iter().flatten().all(|w| w.is_finite()));
}

#[test]
fn observers_stop_a_training() {
    let data = Batches::new(Rows::f32(&X, &[2]), Rows::labels(&XOR));
    let mut t = Trainer::compile(small(), SPARSE, Optimizer::adam(), &[]);
    let mut after_two = |e: &EpochReport| if e.epoch == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
    let history = t.fit(&data, &options(9, 4), &mut after_two).unwrap();
    assert!(history.stopped && history.epochs.len() == 2);
    struct Now;
    impl Observer for Now {
        fn on_batch(&mut self, _: &BatchReport) -> ControlFlow<()> {
            ControlFlow::Break(())
        }
    }
    let steps = t.state().unwrap().step;
    let history = t.fit(&data, &options(9, 2), &mut Now).unwrap();
    assert!(history.stopped && history.epochs.is_empty());
    assert_eq!(t.state().unwrap().step, steps + 1);
}

#[test]
fn functions_are_models_with_several_inputs() {
    let model = |cx: &Context, x: &[Tensor]| -> Tensor {
        let word = cx.layer("word", || Embedding::new(3, 4).forward(cx, &x[0]));
        let number = cx.layer("number", || Dense::new(4).forward(cx, &x[1]));
        cx.layer("out", || Dense::new(1).forward(cx, &(word + number).tanh()))
    };
    let inputs = || vec![Rows::i32(&[0, 1, 2, 0], &[]), Rows::f32(&[0.1, 0.2, 0.3, 0.4], &[1])];
    let data = Batches::with_inputs(inputs(), Rows::f32(&[1.0, -1.0, 0.5, 0.9], &[]));
    let mut t = Trainer::compile(model, Loss::Mse, Optimizer::adam(), &[]);
    let history = t.fit(&data, &options(60, 4), &mut ()).unwrap();
    assert!(history.epochs[59].train.loss < 0.05 * history.epochs[0].train.loss);
    assert_eq!(t.predict(&inputs(), 3).unwrap().shape, [4, 1]);
}

/// The error that fitting gives, which must come before any step.
fn refused(model: Sequential, loss: Loss, data: &Batches, options: FitOptions) -> (ErrorKind, String) {
    struct Never;
    impl Observer for Never {
        fn on_batch(&mut self, _: &BatchReport) -> ControlFlow<()> {
            panic!("a step was taken");
        }
    }
    let e = Trainer::compile(model, loss, Optimizer::adam(), &[Metric::Accuracy]).fit(data, &options, &mut Never).unwrap_err();
    (e.kind(), e.to_string())
}

#[test]
fn mistakes_are_refused_before_training() {
    let data = Batches::new(Rows::f32(&X, &[2]), Rows::labels(&XOR));
    let says = |got: (ErrorKind, String), kind: ErrorKind, what: &str| assert!(got.0 == kind && got.1.contains(what), "{got:?}");
    for learning_rate in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        says(refused(small(), SPARSE, &data, FitOptions { learning_rate, ..options(1, 4) }), ErrorKind::Config, "learning_rate");
    }
    says(refused(small(), SPARSE, &data, options(0, 4)), ErrorKind::Config, "epochs: is 0");
    says(refused(small(), SPARSE, &data, options(1, 0)), ErrorKind::Config, "batch: is 0");
    let labels = Batches::new(Rows::f32(&X, &[2]), Rows::labels(&[0, 1, 2, 0]));
    says(refused(small(), SPARSE, &labels, options(1, 4)), ErrorKind::Data, "row 2: label 2, but the model has 2 outputs");
    let empty = Batches::new(Rows::f32(&[], &[2]), Rows::labels(&[]));
    says(refused(small(), SPARSE, &empty, options(1, 4)), ErrorKind::Data, "no rows");
    let wide = Batches::new(Rows::f32(&X, &[4]), Rows::labels(&[0, 1]));
    says(refused(small(), SPARSE, &wide, options(1, 4)), ErrorKind::Data, "rows of shape [4], but the model takes [2]");
    says(refused(small(), Loss::Mse, &data, options(1, 4)), ErrorKind::Config, "the model predicts [4, 2] but the targets are [4]");
    let none = Sequential::new(&[2]).layer(Activation::Relu);
    says(refused(none, SPARSE, &data, options(1, 4)), ErrorKind::Config, "no parameters");
    let validation = FitOptions { validation: Some(&labels), ..options(1, 4) };
    says(refused(small(), SPARSE, &data, validation), ErrorKind::Data, "validation targets, row 2");
    let huber = Loss::Huber { delta: 0.0 };
    says(refused(small(), huber, &data, options(1, 4)), ErrorKind::Config, "loss.huber.delta");
    let words = Batches::new(Rows::i32(&[0, 7], &[1]), Rows::labels(&[0, 1]));
    let model = Sequential::new(&[1]).layer(Embedding::new(5, 2)).layer(Flatten::new()).layer(Dense::new(2));
    says(refused(model, SPARSE, &words, options(1, 2)), ErrorKind::Data, "row 1: 7 is outside the vocabulary of 5");
    let halves = Batches::new(Rows::f32(&[0.0, 1.5], &[1]), Rows::labels(&[0, 1]));
    let model = Sequential::new(&[1]).layer(Embedding::new(5, 2)).layer(Flatten::new()).layer(Dense::new(2));
    says(refused(model, SPARSE, &halves, options(1, 2)), ErrorKind::Data, "row 1: 1.5 is no whole number");
    let mut t = Trainer::compile(small(), SPARSE, Optimizer::Sgd, &[]);
    assert!(t.evaluate(&data, 4).unwrap_err().to_string().contains("no weights yet"));
    assert!(t.predict(&[Rows::f32(&X, &[2])], 4).is_err());
}

#[test]
fn layers_explain_wrong_shapes() {
    let says = |input: &[usize], layer: layers::Layer, what: &str| {
        let e = Summary::new(&Sequential::new(input).layer(layer)).unwrap_err().to_string();
        assert!(e.contains(what), "{e}");
    };
    says(
        &[8, 8, 3],
        Dense::new(2).into(),
        "layer dense_1: dense of f32[1, 8, 8, 3]: needs [batch, features], but the input has 4 axes: add a flatten layer",
    );
    says(&[], Dense::new(2).into(), "reshape layer with shape = [1]");
    says(&[4], Dense::new(0).into(), "units is 0");
    says(&[4], Dense::new(usize::MAX).into(), "more than 4294967296 weights");
    says(&[64], Conv2d::new(2, 3).into(), "needs images [batch, height, width, channels]");
    says(&[4, 4, 1], Conv2d::new(2, 5).into(), "padding = \"same\"");
    says(&[4, 4, 1], Conv2d::new(2, 0).into(), "kernel is [0, 0]");
    says(&[4, 4, 1], Conv2d::new(2, 3).dilation(usize::MAX).into(), "dilation is");
    says(&[4, 4, 1], MaxPool2d::new(5).into(), "do not fit images of [4, 4]");
    says(&[4], Reshape::new(&[3]).into(), "do not fill [3]");
    says(&[4], Dropout::new(1.0).into(), "rate is 1");
    says(&[4], Rescale::new(f64::NAN, 0.0).into(), "must be finite");
    says(&[4], Embedding::new(0, 2).into(), "must be from 1");
    says(&[0], Flatten::new().into(), "hold no numbers");
}

#[test]
fn dropout_acts_in_training_only_and_keeps_the_mean() {
    let outputs = |training: bool| {
        let cx = Context::new(DType::F32, training);
        let y = Dropout::new(0.25).forward(&cx, &cx.input("x", DType::F32, &[100, 100]));
        let mut values = vec![graph::Value::new(DType::F32, &[100, 100], vec![1.0; 10_000])];
        values.extend(cx.key().map(|_| graph::Value::new(DType::I32, &[2], vec![1.0, 2.0])));
        graph::eval::evaluate(&cx.tracer().finish().unwrap(), &values, &[y.id()]).unwrap().remove(0).data
    };
    assert!(outputs(false).iter().all(|&y| y == 1.0));
    let y = outputs(true);
    let kept = y.iter().filter(|&&y| y != 0.0).count();
    assert!(y.iter().all(|&y| y == 0.0 || (y - 4.0 / 3.0).abs() < 1e-6));
    assert!(kept.abs_diff(7500) < 200, "{kept}"); // standard deviation 43
}

#[test]
fn same_padding_keeps_extents_as_stated() {
    for (n, k, s, d, out) in [(5, 3, 1, 1, 5), (5, 2, 1, 1, 5), (6, 3, 2, 1, 3), (5, 3, 2, 1, 3), (7, 3, 1, 3, 7), (2, 5, 3, 1, 1)] {
        let model = Sequential::new(&[n, n, 1]).layer(Conv2d::new(1, k).stride(s).dilation(d).same());
        assert_eq!(Summary::new(&model).unwrap().rows[0].output, [out, out, 1], "{n} {k} {s} {d}");
    }
}

#[test]
fn configurations_are_strict() {
    let parse = |text: &str| toml::from_str::<Sequential>(text);
    let text = "input = [28, 28, 1]\n\
        [[layers]]\ntype = \"conv2d\"\nfilters = 4\nkernel = [3, 5]\npadding = \"same\"\nactivation = { leaky_relu = { slope = 0.1 } }\n\
        [[layers]]\ntype = \"max_pool2d\"\nsize = 2\n[[layers]]\ntype = \"flatten\"\n\
        [[layers]]\ntype = \"dense\"\nunits = 10\ninit = { normal = { std = 0.1 } }\n";
    let model = parse(text).unwrap();
    let conv = Conv2d::new(4, [3, 5]).same().activation(Activation::LeakyRelu { slope: 0.1 });
    let want = Sequential::new(&[28, 28, 1]).layer(conv).layer(MaxPool2d::new(2)).layer(Flatten::new());
    assert_eq!(model, want.layer(Dense::new(10).init(Init::Normal { std: 0.1 })));
    for (bad, what) in [("unit = 3", "unit"), ("units = 3\nactivation = \"rleu\"", "rleu"), ("units = -1", "-1")] {
        let e = parse(&format!("input = [2]\n[[layers]]\ntype = \"dense\"\n{bad}")).unwrap_err().to_string();
        assert!(e.contains(what), "{e}");
    }
    assert!(parse("input = [2]\n[[layers]]\ntype = \"flatten\"\nsize = 2").is_err());
    assert!(parse("input = [2]\n[[layers]]\ntype = \"dence\"\nunits = 2").unwrap_err().to_string().contains("dense"));
}

#[test]
fn layers_of_layers_are_written_in_files() {
    let text = "input = [8, 8, 1]\n\
        [[layers]]\ntype = \"residual\"\n\
        layers = [{ type = \"batch_norm\", momentum = 0.8 }, { type = \"conv2d\", filters = 4, kernel = 3, padding = \"same\" }]\n\
        [[layers]]\ntype = \"concat\"\nbranches = [[{ type = \"conv2d\", filters = 2, kernel = 1 }], []]\n\
        [[layers]]\ntype = \"conv2d_transpose\"\nfilters = 3\nkernel = 4\nstride = 2\npadding = \"same\"\n\
        [[layers]]\ntype = \"global_average_pool2d\"\n[[layers]]\ntype = \"layer_norm\"\n";
    let model = toml::from_str::<Sequential>(text).unwrap();
    let want = Sequential::new(&[8, 8, 1])
        .layer(Residual::new().layer(BatchNorm::new().momentum(0.8)).layer(Conv2d::new(4, 3).same()))
        .layer(Concat::new().branch([Conv2d::new(2, 1).into()]).branch([]))
        .layer(Conv2dTranspose::new(3, 4).stride(2).same())
        .layer(GlobalAveragePool2d::new())
        .layer(LayerNorm::new());
    assert_eq!(model, want);
    assert_eq!(toml::from_str::<Sequential>(&toml::to_string(&model).unwrap()).unwrap(), model);
    let rows = Summary::new(&model).unwrap().rows;
    assert_eq!(
        rows.iter().map(|r| r.output.clone()).collect::<Vec<_>>(),
        [vec![8, 8, 4], vec![8, 8, 6], vec![16, 16, 3], vec![3], vec![3]]
    );
    // Normalization 4·1, convolution 9·4 + 4, projection 1·4; convolution 4·2 + 2; 16·6·3 + 3; 2·3.
    assert_eq!(rows.iter().map(|r| r.parameters).collect::<Vec<_>>(), [4 + 40 + 4, 10, 291, 0, 6]);
    for bad in
        ["type = \"batch_norm\"\nmomentun = 0.8", "type = \"residual\"\nlayers = [{ type = \"dence\" }]", "type = \"concat\"\nbranch = []"]
    {
        assert!(toml::from_str::<Sequential>(&format!("input = [8]\n[[layers]]\n{bad}")).is_err(), "{bad}");
    }
}

#[test]
fn new_layers_explain_wrong_shapes() {
    let says = |input: &[usize], layer: layers::Layer, what: &str| {
        let e = Summary::new(&Sequential::new(input).layer(layer)).unwrap_err().to_string();
        assert!(e.contains(what), "{e}");
    };
    says(&[4], BatchNorm::new().momentum(1.0).into(), "momentum is 1");
    says(&[4], LayerNorm::new().epsilon(0.0).into(), "epsilon is 0");
    says(&[], BatchNorm::new().into(), "needs [batch, …, features]");
    says(&[4], GlobalMaxPool2d::new().into(), "needs images");
    says(&[4, 4, 1], Conv2dTranspose::new(1, 2).stride(60_000).into(), "use a smaller stride");
    says(&[4, 4, 1], Conv2dTranspose::new(0, 2).into(), "filters is 0");
    says(&[4], Residual::new().into(), "has no layers");
    says(&[4, 4, 1], Residual::new().layer(Flatten::new()).into(), "no projection");
    says(&[5, 5, 1], Residual::new().layer(Conv2d::new(1, 2)).into(), "padding = \"same\"");
    says(&[4], Concat::new().into(), "has no branches");
    says(&[4, 4, 1], Concat::new().branch([MaxPool2d::new(2).into()]).branch([]).into(), "only the last axis may differ");
    says(&[4], Concat::new().branch([Dense::new(0).into()]).into(), "layer concat_1/branch_1/dense_1: dense");
}
