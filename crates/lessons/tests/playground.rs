//! The playground: the sets that it draws and reads, training, maps against a forward pass written out here.

use lessons::playground::{Feature, KINDS, Playground, Points, Settings, explore};
use neurona::{Activation, Error, Optimizer};

fn settings() -> Settings {
    Settings { hidden: vec![8], learning_rate: 0.03, ..Settings::default() }
}

#[test]
fn drawn_sets_are_balanced_reproducible_and_near_the_unit_square() {
    for kind in KINDS {
        let p = Points::draw(kind, 300, 0.0, 7).unwrap();
        assert_eq!(p, Points::draw(kind, 300, 0.0, 7).unwrap());
        assert_ne!(p.at, Points::draw(kind, 300, 0.0, 8).unwrap().at);
        let share = p.class.iter().filter(|c| **c == 0).count();
        assert_eq!(share, 300 / p.classes.len());
        assert!(p.at.iter().flatten().all(|v| v.abs() < 1.3), "{kind}");
        let moved = Points::draw(kind, 300, 0.1, 7).unwrap();
        assert!(p.at.iter().zip(&moved.at).all(|(a, b)| a != b), "{kind}");
    }
    let sides = |p: &Points| p.at.iter().zip(&p.class).all(|(p, c)| (p[0] * p[1] > 0.0) == (*c == 0));
    assert!(sides(&Points::draw("xor", 500, 0.0, 3).unwrap()));
    for (kind, n, noise) in [("blobs", 100, 0.1), ("xor", 3, 0.1), ("xor", 1_000_000, 0.1), ("xor", 100, f64::NAN), ("xor", 100, -1.0)] {
        assert!(matches!(Points::draw(kind, n, noise, 1), Err(Error::Config { .. })), "{kind} {n} {noise}");
    }
}

#[test]
fn points_are_read_and_mistakes_have_line_numbers() {
    let p = Points::parse("0;0;a\n1 1 a\n\n-1,\"2.5\",b\n3\t4\tc").unwrap();
    assert_eq!((p.at.len(), p.class.clone(), p.classes.len()), (4, vec![0, 0, 1, 2], 3));
    let wrong = |text: &str| Points::parse(text).unwrap_err().to_string();
    assert!(wrong("x,y,c\n0,0,a\n1,oops,b\n").starts_with("points, line 3: is not x,y,class"), "{}", wrong("x,y,c\n0,0,a\n1,oops,b\n"));
    assert!(wrong("0,0,a\n1,1,b\n2,2\n").contains("line 3"));
    assert!(wrong("0,0,a\n1,inf,b\n").contains("line 2"));
    assert!(wrong("0,0,a\n1,1,b").contains("at least 4") && wrong("").contains("at least 4"));
    assert!(wrong("0,0,a\n1,1,a\n2,2,a\n3,3,a").contains("2 classes"));
    let many: String = (0..20).map(|i| format!("{i},0,c{i}\n")).collect();
    assert!(wrong(&many).contains("at most 10"));
    assert!(wrong(&"0,0,a\n".repeat(5001)).contains("line 5001"));
}

#[test]
fn networks_learn_every_set_and_go_on_where_they_stopped() {
    for (kind, hidden, epochs) in [("circles", vec![8], 60), ("xor", vec![8], 60), ("moons", vec![8], 80), ("clouds", vec![8], 60)] {
        let points = Points::draw(kind, 300, 0.02, 1).unwrap();
        let mut net = Playground::new(&points, &Settings { hidden, ..settings() }).unwrap();
        let history = net.train(epochs).unwrap();
        let last = history.last().unwrap();
        assert!(last.test.accuracy > 0.93 && last.train.loss < history[0].train.loss, "{kind}: {last:?}");
        let confusion = net.confusion().unwrap();
        assert!((confusion.accuracy() - last.test.accuracy).abs() < 1e-6 && confusion.total() == 90, "{kind}");
    }
    let points = Points::draw("xor", 100, 0.05, 1).unwrap();
    let [mut whole, mut parts] = [0, 1].map(|_| Playground::new(&points, &settings()).unwrap());
    let all = whole.train(7).unwrap();
    let some: Vec<_> = [2, 4, 1].into_iter().flat_map(|n| parts.train(n).unwrap()).collect();
    assert_eq!((all, whole.parameters()), (some, parts.parameters()), "stopping changes nothing");
    assert_eq!((whole.iterations(), whole.epochs(), whole.held_out().iter().filter(|h| **h).count()), (5, 7, 30));
}

/// Maps are what weights and biases say, layer by layer.
#[test]
fn maps_are_the_networks_answers() {
    let points = Points::parse("10,100,a\n20,100,b\n10,200,b\n20,200,a\n").unwrap();
    let features = Feature::ALL.to_vec();
    let own = Settings { hidden: vec![3, 2], test_share: 0.0, activation: Activation::Sigmoid, features, ..settings() };
    let mut net = Playground::new(&points, &own).unwrap();
    net.train(5).unwrap();
    let maps = net.maps(4).unwrap();
    assert_eq!((maps.decision.len(), maps.layers.len(), maps.layers[0].len(), maps.layers[1].len()), (1, 2, 3, 2));
    let layers = net.parameters();
    for cell in 0..16 {
        // The points' square of side 100 with a tenth of room, seen as ±2.2.
        let (cx, cy) = ((cell % 4) as f64, (cell / 4) as f64);
        let (x, y) = (2.2 * ((cx + 0.5) / 2.0 - 1.0), 2.2 * ((cy + 0.5) / 2.0 - 1.0));
        let mut v: Vec<f64> = vec![x, y, x * x, y * y, x * y, (2.0 * x).sin(), (2.0 * y).sin()];
        for (l, p) in layers.iter().enumerate() {
            let sums =
                p.weights.iter().zip(&p.biases).map(|(w, b)| w.iter().zip(&v).map(|(w, v)| f64::from(*w) * v).sum::<f64>() + f64::from(*b));
            v = sums.map(|z| 1.0 / (1.0 + (-z).exp())).collect();
            for (n, v) in v.iter().enumerate() {
                let got = if l < 2 { maps.layers[l][n][cell] } else { maps.decision[n][cell] };
                assert!((f64::from(got) - v).abs() < 1e-5, "layer {l}, neuron {n}, cell {cell}");
            }
        }
    }
    let three = Points::draw("clouds", 90, 0.0, 1).unwrap();
    let maps = Playground::new(&three, &settings()).unwrap().maps(5).unwrap();
    assert!((0..25).all(|i| (maps.decision.iter().map(|d| d[i]).sum::<f32>() - 1.0).abs() < 1e-5));
}

#[test]
fn explorations_count_steps_and_mark_what_diverges() {
    let points = Points::draw("circles", 100, 0.05, 1).unwrap();
    let base = Settings { optimizer: Optimizer::Sgd, activation: Activation::Relu, ..settings() };
    let runs = explore(&points, &base, &[0.05, 1e6], &[7, 70], 12).unwrap();
    assert_eq!(runs.iter().map(|r| (r.batch, r.iterations)).collect::<Vec<_>>(), [(7, 10), (7, 10), (70, 1), (70, 1)]);
    assert!(!runs[0].diverged && runs[0].epochs.len() == 12);
    assert!(runs[1].diverged && runs[1].epochs.len() < 12, "{:?}", runs[1]);
    let alone = Playground::new(&points, &Settings { learning_rate: 0.05, batch: 7, ..base.clone() }).unwrap().train(12).unwrap();
    assert_eq!(runs[0].epochs, alone);
    assert!(explore(&points, &base, &[0.1; 6], &[1; 5], 1).is_err());
}

#[test]
fn settings_that_cannot_be_used_are_refused() {
    let points = Points::draw("xor", 50, 0.0, 1).unwrap();
    let base = settings();
    for wrong in [
        Settings { hidden: vec![0], ..base.clone() },
        Settings { hidden: vec![33], ..base.clone() },
        Settings { hidden: vec![2; 7], ..base.clone() },
        Settings { features: vec![], ..base.clone() },
        Settings { activation: Activation::Softmax, ..base.clone() },
        Settings { test_share: 1.0, ..base.clone() },
    ] {
        assert!(matches!(Playground::new(&points, &wrong), Err(Error::Config { .. })), "{wrong:?}");
    }
    let train = |s: Settings, epochs| Playground::new(&points, &s).unwrap().train(epochs);
    assert!(
        train(Settings { batch: 0, ..base.clone() }, 1).is_err() && train(Settings { learning_rate: -1.0, ..base.clone() }, 1).is_err()
    );
    assert!(train(base.clone(), 0).is_err() && train(base.clone(), 1_000_000).is_err());
    assert!(Playground::new(&points, &base).unwrap().maps(0).is_err());
}
