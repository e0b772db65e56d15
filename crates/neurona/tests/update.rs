//! What surrounds an optimizer: clipping, decay and the average of the weights, by hand.

use neurona::prelude::*;
use neurona::{Arg, Clip, Step, Update};

/// Weights after each step of loss 3a + 4b + 0·c (gradient 3, 4, 0 times `scale`), from 1, 1, 1.
fn steps(rule: Update, scale: f32, rate: f64, count: usize) -> (Vec<Vec<f32>>, State) {
    let cx = Context::new(DType::F32, true);
    let x = cx.input("x", DType::F32, &[3]);
    let (ab, c) = (cx.param("ab", &[2], Init::Ones), cx.param("c", &[1], Init::Ones));
    let loss = (Tensor::concat(&[&ab, &c], 0) * x).sum_all();
    let mut step = Step::compile(&cx, &loss, &[], &rule, 1).unwrap();
    let mut state = State::new(step.params(), &rule, 0);
    let path = (0..count).map(|_| {
        step.run(&mut state, rate, &[Arg::F32(&[3.0 * scale, 4.0 * scale, 0.0])]).unwrap();
        state.params.concat()
    });
    (path.collect(), state)
}

fn close(got: &[f32], want: &[f64]) {
    assert!(got.len() == want.len() && got.iter().zip(want).all(|(g, w)| (f64::from(*g) - w).abs() < 1e-6), "{got:?}, expected {want:?}");
}

#[test]
fn clipping() {
    let sgd = Update::from(Optimizer::Sgd);
    close(&steps(sgd.clip(Clip::Value(3.5)), 1.0, 0.1, 1).0[0], &[0.7, 0.65, 1.0]);
    close(&steps(sgd.clip(Clip::Value(3.5)), -1.0, 0.1, 1).0[0], &[1.3, 1.35, 1.0]);
    // The whole gradient has length 5: it keeps its direction and gets length 2, over all parameters.
    close(&steps(sgd.clip(Clip::Norm(2.0)), 1.0, 0.1, 1).0[0], &[1.0 - 0.12, 1.0 - 0.16, 1.0]);
    close(&steps(sgd.clip(Clip::Norm(6.0)), 1.0, 0.1, 1).0[0], &[0.7, 0.6, 1.0]);
    // Gradients of length 0 stay what they are.
    close(&steps(sgd.clip(Clip::Norm(2.0)), 0.0, 0.1, 1).0[0], &[1.0, 1.0, 1.0]);
}

#[test]
fn decay_is_apart_from_the_gradient() {
    let rule = Update::from(Optimizer::Sgd).weight_decay(0.5);
    close(&steps(rule, 1.0, 0.1, 1).0[0], &[0.95 - 0.3, 0.95 - 0.4, 0.95]);
    let adam = |optimizer: Optimizer, decay| steps(Update::from(optimizer).weight_decay(decay), 1.0, 0.1, 5).1.params;
    let (beta1, beta2, epsilon) = (0.9, 0.999, 1e-8);
    let own = Optimizer::AdamW { beta1, beta2, epsilon, weight_decay: 0.2 };
    assert_eq!(adam(own, 0.0), adam(Optimizer::adam(), 0.2));
}

#[test]
fn the_average_weighs_later_steps_more() {
    let keep = 0.75f64;
    for optimizer in [Optimizer::Sgd, Optimizer::adam()] {
        let rule = Update::from(optimizer).average(keep);
        let (path, state) = steps(rule, 1.0, 0.1, 4);
        // Σ keep^(n−i)·wᵢ over Σ keep^(n−i).
        let shares: Vec<f64> = (0..4).rev().map(|i| keep.powi(i)).collect();
        let total: f64 = shares.iter().sum();
        let mean = |k: usize| path.iter().zip(&shares).map(|(w, s)| f64::from(w[k]) * s).sum::<f64>() / total;
        close(&state.averaged(&rule).concat(), &[mean(0), mean(1), mean(2)]);
        assert_eq!(path, steps(optimizer.into(), 1.0, 0.1, 4).0, "the average must not change the training");
    }
    let (_, state) = steps(Update::from(Optimizer::Sgd).average(0.999_99), 0.0, 0.1, 50);
    close(&state.averaged(&Update::from(Optimizer::Sgd).average(0.999_99)).concat(), &[1.0, 1.0, 1.0]);
    let (_, state) = steps(Optimizer::Sgd.into(), 1.0, 0.1, 2);
    assert_eq!(state.averaged(&Optimizer::Sgd), state.params);
}

#[test]
fn rules_are_checked_and_states_must_fit() {
    let rule = Update::from(Optimizer::Sgd);
    for bad in [rule.clip(Clip::Norm(0.0)), rule.clip(Clip::Value(f64::NAN)), rule.weight_decay(-1.0), rule.average(1.0), rule.average(0.0)]
    {
        assert!(bad.check().is_err(), "{bad:?}");
    }
    let data = Batches::new(Rows::f32(&[0.0, 1.0], &[1]), Rows::f32(&[1.0, 3.0], &[1]));
    let model = || Sequential::new(&[1]).layer(Dense::new(1));
    let options = FitOptions { threads: 1, ..FitOptions::default() };
    let e = Trainer::compile(model(), Loss::Mse, rule.average(2.0), &[]).fit(&data, &options, &mut ()).unwrap_err();
    assert!(e.to_string().contains("optimizer.average: 2"), "{e}");
    let mut plain = Trainer::compile(model(), Loss::Mse, rule, &[]);
    let mut averaged = Trainer::compile(model(), Loss::Mse, rule.average(0.9), &[]);
    plain.fit(&data, &options, &mut ()).unwrap();
    averaged.fit(&data, &options, &mut ()).unwrap();
    assert!(plain.set_state(averaged.state().unwrap().clone()).is_err());
}

#[test]
fn threads_do_not_change_a_bit() {
    let x: Vec<f32> = (0..4000).map(|i| (i as f32 * 0.37).sin()).collect();
    let y: Vec<f32> = x.chunks(20).map(|r| r.iter().sum()).collect();
    let run = |threads| {
        let model = Sequential::new(&[20]).layer(Dense::new(64).activation(Activation::Relu)).layer(LayerNorm::new()).layer(Dense::new(1));
        let rule = Update::from(Optimizer::adam()).clip(Clip::Norm(0.5)).weight_decay(0.01).average(0.9);
        let mut t = Trainer::compile(model, Loss::Mse, rule, &[]);
        let data = Batches::new(Rows::f32(&x, &[20]), Rows::f32(&y, &[1]));
        t.fit(&data, &FitOptions { epochs: 3, batch: 64, threads, ..FitOptions::default() }, &mut ()).unwrap();
        t.state().unwrap().clone()
    };
    assert_eq!(run(1), run(2));
}

#[test]
fn validation_can_measure_the_average() {
    use neurona::prelude::*;
    let (x, y) = ([0.0, 1.0, 2.0, 3.0], [1.0, 3.0, 5.0, 7.0]);
    let data = Batches::new(Rows::f32(&x, &[1]), Rows::f32(&y, &[1]));
    let rule = Update::from(Optimizer::Sgd).average(0.9);
    let mut measured = vec![];
    for averaged in [false, true] {
        let mut trainer = Trainer::compile(Sequential::new(&[1]).layer(Dense::new(1)), Loss::Mse, rule, &[]);
        let options = FitOptions { epochs: 5, batch: 2, learning_rate: 0.05, validation: Some(&data), averaged, ..FitOptions::default() };
        let history = trainer.fit(&data, &options, &mut ()).unwrap();
        measured.push(history.epochs[4].validation.clone().unwrap().loss);
        let last = trainer.state().unwrap().clone();
        let state = State { params: if averaged { last.averaged(&rule) } else { last.params.clone() }, ..last };
        trainer.set_state(state).unwrap();
        assert_eq!(trainer.evaluate(&data, 2).unwrap().loss, measured[usize::from(averaged)]);
    }
    assert!(measured[0] != measured[1]);
}

/// Averages of gradients that have become 0, as those of dead units: 0.9 to the power 900 is no normal number any more.
#[test]
fn what_decays_ends_at_zero() {
    let (beta1, beta2, epsilon) = (0.9, 0.9, 1e-8);
    for optimizer in [
        Optimizer::Momentum { momentum: 0.9 },
        Optimizer::Nesterov { momentum: 0.9 },
        Optimizer::RmsProp { rho: 0.9, epsilon },
        Optimizer::Adam { beta1, beta2, epsilon },
    ] {
        let cx = Context::new(DType::F32, true);
        let x = cx.input("x", DType::F32, &[3]);
        let loss = (cx.param("w", &[3], Init::Ones) * x).sum_all();
        let mut step = Step::compile(&cx, &loss, &[], &optimizer, 1).unwrap();
        let mut state = State::new(step.params(), &optimizer, 0);
        step.run(&mut state, 0.1, &[Arg::F32(&[3.0, -4.0, 1e-9])]).unwrap();
        for _ in 0..1200 {
            step.run(&mut state, 0.1, &[Arg::F32(&[0.0; 3])]).unwrap();
            assert!(state.slots.iter().flatten().flatten().all(|s| !s.is_subnormal()), "{optimizer:?}: {:?}", state.slots);
        }
        assert!(state.slots.iter().flatten().flatten().all(|&s| s == 0.0), "{optimizer:?}: {:?}", state.slots);
    }
}
