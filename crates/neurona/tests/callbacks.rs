//! Observers that steer trainings, fed with reports by hand and in real trainings.

use neurona::callbacks::{Best, Callbacks, EarlyStopping, Monitor, ReduceOnPlateau};
use neurona::prelude::*;
use neurona::{Augment, RateRange, lr_find};
use std::ops::ControlFlow;

fn report(epoch: usize, validation: f64) -> EpochReport {
    let scores = |loss| Scores { loss, metrics: vec![(Metric::Accuracy, 1.0 - loss)] };
    EpochReport { epoch, epochs: 100, train: scores(0.0), validation: Some(scores(validation)), learning_rate: 0.1, seconds: 0.0 }
}

fn state(weight: f32) -> State {
    State { params: vec![vec![weight]], slots: vec![vec![]], step: 0, seed: 0 }
}

/// Feeds losses, with the epoch's number as the weight; the epoch after which it stopped.
fn feed(observer: &mut dyn Observer, from: usize, losses: &[f64]) -> Option<usize> {
    let at = |(i, loss): (usize, &f64)| {
        let epoch = from + i;
        observer.on_epoch(&report(epoch, *loss), &[], &state(epoch as f32)).is_break().then_some(epoch)
    };
    losses.iter().enumerate().find_map(at)
}

#[test]
fn early_stopping_counts_epochs_without_improvement() {
    let losses = [0.9, 0.5, 0.6, 0.49, 0.485, 0.5, 0.5, 0.1];
    let mut stop = EarlyStopping::new(Monitor::ValidationLoss, 3).restore_best();
    assert_eq!(feed(&mut stop, 1, &losses), None);
    let mut stop = EarlyStopping::new(Monitor::ValidationLoss, 3).min_delta(0.05).restore_best();
    assert_eq!(feed(&mut stop, 1, &losses), Some(5));
    let why = stop.stopped().unwrap();
    assert_eq!((why.best_epoch, why.best, why.waited, why.restored), (2, Some(0.5), 3, true));
    let text = "stopped after epoch 5: validation_loss has not improved by more than 0.05 since epoch 2 (0.500000), for 3 epochs; \
                the weights of epoch 2 were restored";
    assert_eq!(why.to_string(), text);
    assert_eq!(stop.final_weights(), Some(vec![vec![2.0]]));
    // Metrics improve upwards; NaN never does.
    let mut stop = EarlyStopping::new(Monitor::ValidationMetric(Metric::Accuracy), 2);
    assert_eq!(feed(&mut stop, 1, &[0.5, 0.4, f64::NAN, 0.3, 0.35, 0.3]), Some(6));
    assert_eq!(stop.final_weights(), None);
    let mut stop = EarlyStopping::new(Monitor::ValidationLoss, 2);
    assert_eq!(feed(&mut stop, 1, &[f64::NAN; 3]), Some(2));
    assert!(stop.stopped().unwrap().to_string().contains("never a number"));
}

#[test]
fn early_stopping_survives_a_resume() {
    let losses = [0.5, 0.4, 0.45, 0.41, 0.42];
    let mut whole = EarlyStopping::new(Monitor::ValidationLoss, 3).restore_best();
    assert_eq!(feed(&mut whole, 1, &losses), Some(5));
    let mut first = EarlyStopping::new(Monitor::ValidationLoss, 3).restore_best();
    assert_eq!(feed(&mut first, 1, &losses[..3]), None);
    assert_eq!(first.final_weights(), None); // interrupted: the last weights must stay
    let text = serde_json::to_string(&first).unwrap();
    let mut second: EarlyStopping = serde_json::from_str(&text).unwrap();
    second.set_weights(first.best().unwrap().weights().unwrap().to_vec());
    assert_eq!(feed(&mut second, 4, &losses[3..]), Some(5));
    assert_eq!(second.stopped(), whole.stopped());
    assert_eq!(second.final_weights(), whole.final_weights());
    let short: EarlyStopping = toml::from_str("patience = 4").unwrap();
    assert_eq!(short, EarlyStopping::new(Monitor::ValidationLoss, 4));
    assert!(toml::from_str::<EarlyStopping>("patience = 4\npatient = 1").is_err());
    let accuracy: EarlyStopping = toml::from_str("patience = 4\nmonitor = { validation_metric = \"accuracy\" }").unwrap();
    assert_eq!(accuracy.monitor, Monitor::ValidationMetric(Metric::Accuracy));
}

#[test]
fn plateaus_lower_the_rate() {
    let mut slow = ReduceOnPlateau::new(Monitor::ValidationLoss, 2).factor(0.5).cooldown(1).floor(0.2);
    let shares: Vec<f64> = [0.5, 0.4, 0.4, 0.4, 0.4, 0.39995, 0.4, 0.4, 0.4, 0.4, 0.4, 0.3]
        .iter()
        .enumerate()
        .map(|(i, &loss)| {
            // Through text after each epoch: nothing is lost on the way.
            slow = serde_json::from_str(&serde_json::to_string(&slow).unwrap()).unwrap();
            assert!(slow.on_epoch(&report(i + 1, loss), &[], &state(0.0)).is_continue());
            slow.share()
        })
        .collect();
    // Falls after 2 epochs without improvement; 1 epoch of cooling down; 2 more; never below 0.2.
    assert_eq!(shares, [1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.2, 0.2, 0.2]);
    let short: ReduceOnPlateau = toml::from_str("patience = 3").unwrap();
    assert_eq!(short, ReduceOnPlateau::new(Monitor::ValidationLoss, 3));
}

const LINE: [f32; 8] = [-1.0, -0.7, -0.4, -0.1, 0.2, 0.5, 0.8, 1.0];

fn line() -> (Sequential, Vec<f32>) {
    (Sequential::new(&[1]).layer(Dense::new(1)), LINE.iter().map(|x| 2.0 * x + 1.0).collect())
}

#[test]
fn observers_steer_a_training_together() {
    let (model, y) = line();
    let data = Batches::new(Rows::f32(&LINE, &[1]), Rows::f32(&y, &[1]));
    let mut t = Trainer::compile(model, Loss::Mse, Optimizer::Sgd, &[]);
    let options = FitOptions { epochs: 200, batch: 4, learning_rate: 0.3, validation: Some(&data), threads: 1, ..FitOptions::default() };
    let mut stop = EarlyStopping::new(Monitor::ValidationLoss, 4).min_delta(1e-3).restore_best();
    let mut slow = ReduceOnPlateau::new(Monitor::ValidationLoss, 1).min_delta(1e-3);
    let mut best = Best::new(Monitor::Loss);
    let mut rates = vec![];
    let mut watch = |e: &EpochReport| {
        rates.push(e.learning_rate);
        ControlFlow::Continue(())
    };
    let mut all = Callbacks::new().with(&mut watch).with(&mut stop).with(&mut slow).with(&mut best);
    let history = t.fit(&data, &options, &mut all).unwrap();
    let why = stop.stopped().unwrap();
    assert!(history.stopped && history.epochs.len() == why.epoch && why.best_epoch == why.epoch - 4);
    assert_eq!(t.evaluate(&data, 4).unwrap().loss, why.best.unwrap(), "the best weights were not restored");
    let n = rates.len();
    assert!((rates[n - 1] / 0.3e-3 - 1.0).abs() < 1e-9 && (rates[n - 4] - 0.3).abs() < 1e-9, "{rates:?}");
    assert_eq!(best.epoch, history.epochs.iter().min_by(|a, b| a.train.loss.total_cmp(&b.train.loss)).unwrap().epoch);
}

#[test]
fn what_cannot_be_monitored_is_refused() {
    let (model, y) = line();
    let data = Batches::new(Rows::f32(&LINE, &[1]), Rows::f32(&y, &[1]));
    let mut t = Trainer::compile(model, Loss::Mse, Optimizer::Sgd, &[Metric::Mae]);
    let options = FitOptions { threads: 1, ..FitOptions::default() };
    let mut says = |observer: &mut dyn Observer, what: &str| {
        let e = t.fit(&data, &options, &mut Callbacks::new().with(observer)).unwrap_err().to_string();
        assert!(e.contains(what), "{e}");
    };
    says(&mut EarlyStopping::new(Monitor::ValidationLoss, 1), "monitor validation_loss: there are no validation data");
    says(&mut Best::new(Monitor::Metric(Metric::Rmse)), "monitor rmse: rmse is not measured");
    says(&mut EarlyStopping::new(Monitor::Loss, 0), "early_stopping.patience: is 0");
    says(&mut ReduceOnPlateau::new(Monitor::Loss, 1).factor(1.0), "reduce_on_plateau.factor");
    assert_eq!(t.state().unwrap().step, 0);
    assert!(t.fit(&data, &options, &mut Best::new(Monitor::Metric(Metric::Mae))).is_ok());
}

#[test]
fn warm_up_rises_evenly_and_ends() {
    let (model, y) = line();
    let data = Batches::new(Rows::f32(&LINE, &[1]), Rows::f32(&y, &[1]));
    struct Rates(Vec<f64>);
    impl Observer for Rates {
        fn on_batch(&mut self, b: &BatchReport) -> ControlFlow<()> {
            self.0.push(b.learning_rate);
            ControlFlow::Continue(())
        }
    }
    let mut rates = Rates(vec![]);
    let options = FitOptions { epochs: 3, batch: 2, learning_rate: 0.08, warmup: 1.0, threads: 1, ..FitOptions::default() };
    Trainer::compile(model, Loss::Mse, Optimizer::Sgd, &[]).fit(&data, &options, &mut rates).unwrap();
    let want = [0.02, 0.04, 0.06].iter().chain(&[0.08; 9]);
    assert!(rates.0.len() == 12 && rates.0.iter().zip(want).all(|(r, w)| (r - w).abs() < 1e-12), "{:?}", rates.0);
}

/// Images whose sides tell the class: mirrored images teach the wrong thing, shifted ones nothing wrong.
#[test]
fn augmented_trainings_repeat_themselves() {
    let images: Vec<f32> = (0..40 * 36).map(|i| ((i as f32) * 0.7).sin() * 0.1 + f32::from(u8::from(i % 6 == (i / 36) % 2 * 5))).collect();
    let labels: Vec<i32> = (0..40).map(|i| i % 2).collect();
    let data = Batches::new(Rows::f32(&images, &[6, 6, 1]), Rows::labels(&labels));
    let run = |augment, threads, shuffle| {
        let model = Sequential::new(&[6, 6, 1]).layer(Flatten::new()).layer(Dense::new(2));
        let mut t =
            Trainer::compile(model, Loss::SparseCategoricalCrossEntropy { from_logits: true }, Optimizer::adam(), &[Metric::Accuracy]);
        let options = FitOptions { epochs: 30, batch: 8, learning_rate: 0.05, augment, threads, shuffle, ..FitOptions::default() };
        t.fit(&data, &options, &mut ()).unwrap();
        (t.evaluate(&data, 40).unwrap().get(Metric::Accuracy).unwrap(), t.state().unwrap().params.clone())
    };
    let vertical = Some(Augment { flip_vertical: true, noise: 0.05, ..Augment::default() });
    let horizontal = Some(Augment { flip_horizontal: true, ..Augment::default() });
    let (accuracy, weights) = run(vertical, 1, true);
    assert_eq!(accuracy, 1.0);
    assert_eq!(weights, run(vertical, 2, true).1);
    assert_ne!(weights, run(None, 1, true).1);
    assert!(run(horizontal, 1, true).0 < 0.9 && run(vertical, 1, false).0 == 1.0);
    let (model, y) = line();
    let flat = Batches::new(Rows::f32(&LINE, &[1]), Rows::f32(&y, &[1]));
    let e = Trainer::compile(model, Loss::Mse, Optimizer::Sgd, &[])
        .fit(&flat, &FitOptions { augment: vertical, ..FitOptions::default() }, &mut ())
        .unwrap_err();
    assert!(e.to_string().contains("rows of f32[1] cannot be augmented"), "{e}");
}

#[test]
fn the_range_test_leaves_the_weights_and_finds_a_good_rate() {
    let x: Vec<f32> = (0..300).map(|i| (i as f32 * 0.618).fract() * 2.0 - 1.0).collect();
    let y: Vec<f32> = x.iter().map(|x| (3.0 * x).sin()).collect();
    let data = Batches::new(Rows::f32(&x, &[1]), Rows::f32(&y, &[1]));
    let model = Sequential::new(&[1]).layer(Dense::new(16).activation(Activation::Tanh)).layer(Dense::new(1));
    let mut t = Trainer::compile(model, Loss::Mse, Optimizer::Sgd, &[]);
    t.build(&[Type::new(DType::F32, [1])], 3).unwrap();
    let before = t.state().unwrap().clone();
    let options = FitOptions { batch: 100, threads: 1, seed: 3, ..FitOptions::default() };
    let range = RateRange { low: 1e-5, high: 1e4, steps: 120 };
    let curve = lr_find(&mut t, &data, &options, &range).unwrap();
    assert_eq!(t.state().unwrap(), &before);
    assert!(curve.points.len() < 120 && curve.points.windows(2).all(|p| p[1].rate > p[0].rate));
    let rate = curve.suggestion.unwrap_or_else(|| panic!("{}", curve.reason));
    let mut train = |learning_rate| {
        t.set_state(before.clone()).unwrap();
        let options = FitOptions { epochs: 40, learning_rate, ..options.clone() };
        t.fit(&data, &options, &mut ()).map_or(f64::INFINITY, |h| h.epochs[39].train.loss)
    };
    let (good, slow, fast) = (train(rate), train(rate / 100.0), train(rate * 100.0));
    assert!(good < 0.8 * slow && good < fast, "{rate}: {good}, a hundredth {slow}, hundredfold {fast}");
}
