//! Training from a store that is read batch by batch: the same bits as from memory, and errors instead of panics.

use neurona::prelude::*;
use neurona::{Augment, Error, ErrorKind, Result, Store};
use std::sync::atomic::{AtomicUsize, Ordering};

const SHAPE: [usize; 3] = [4, 3, 1];
const WIDTH: usize = 12;

/// Rows that could be in a file, which fails after so many reads.
#[derive(Debug)]
struct Slow {
    values: Vec<f32>,
    width: usize,
    left: AtomicUsize,
}

impl Slow {
    fn new(values: &[f32], width: usize) -> Slow {
        Slow { values: values.to_vec(), width, left: AtomicUsize::new(usize::MAX) }
    }
}

impl Store for Slow {
    fn rows(&self) -> usize {
        self.values.len() / self.width
    }

    fn read(&self, rows: &[u32], to: &mut [f32]) -> Result<()> {
        assert_eq!(to.len(), rows.len() * self.width, "room for exactly these rows");
        if self.left.fetch_sub(1, Ordering::Relaxed) == 0 {
            let (place, why) = (format!("data.bin, row {}", rows[0]), "the disk is gone".into());
            return Err(Error::Data { place, why, fix: "plug it in".into() });
        }
        for (&row, to) in rows.iter().zip(to.chunks_exact_mut(self.width)) {
            to.copy_from_slice(&self.values[row as usize * self.width..][..self.width]);
        }
        Ok(())
    }
}

fn images(rows: usize) -> (Vec<f32>, Vec<i32>, Vec<f32>) {
    let x: Vec<f32> = (0..rows * WIDTH).map(|i| ((i * i) as f32 * 0.13).sin()).collect();
    let labels = x.chunks(WIDTH).map(|row| i32::from(row[3] > row[5])).collect();
    let numbers = x.chunks(WIDTH).flat_map(|row| [row[0] + row[7], row[1]]).collect();
    (x, labels, numbers)
}

fn trainer(units: usize, loss: Loss) -> Trainer<Sequential> {
    let model = Sequential::new(&SHAPE).layer(Flatten {}).layer(Dense::new(8).activation(Activation::Tanh)).layer(Dense::new(units));
    Trainer::compile(model, loss, Optimizer::adam(), &[])
}

fn bits(t: &Trainer<Sequential>) -> Vec<u32> {
    t.state().unwrap().params.iter().flatten().map(|w| w.to_bits()).collect()
}

#[test]
fn weights_scores_and_predictions_have_the_bits_of_memory() {
    let (x, labels, numbers) = images(53);
    let (slow_x, slow_y) = (Slow::new(&x, WIDTH), Slow::new(&numbers, 2));
    let stored_x = || Rows::stored(&slow_x, &SHAPE);
    let classes = (Loss::SparseCategoricalCrossEntropy { from_logits: true }, [Rows::labels(&labels), Rows::labels(&labels)]);
    let values = (Loss::Mse, [Rows::f32(&numbers, &[2]), Rows::stored(&slow_y, &[2])]);
    for (loss, [in_memory, stored]) in [classes, values] {
        for (shuffle, augment) in [(true, None), (false, None), (true, Some(Augment { flip_horizontal: true, ..Augment::default() }))] {
            let run = |x: Rows<'_>, y: &Rows<'_>| {
                let data = Batches::new(x.clone(), y.clone());
                let mut t = trainer(2, loss);
                let options =
                    FitOptions { epochs: 3, batch: 8, shuffle, augment, validation: Some(&data), threads: 1, ..Default::default() };
                let losses: Vec<u64> =
                    t.fit(&data, &options, &mut ()).unwrap().epochs.iter().map(|e| e.validation.as_ref().unwrap().loss.to_bits()).collect();
                let predicted: Vec<u32> = t.predict(&[x], 10).unwrap().data.iter().map(|p| p.to_bits()).collect();
                (bits(&t), losses, t.evaluate(&data, 7).unwrap().loss.to_bits(), predicted)
            };
            assert!(run(Rows::f32(&x, &SHAPE), &in_memory) == run(stored_x(), &stored), "{loss:?} {shuffle} {augment:?}");
        }
    }
}

#[test]
fn predictions_come_in_parts() {
    let (x, labels, _) = images(20);
    let mut t = trainer(2, Loss::SparseCategoricalCrossEntropy { from_logits: true });
    let options = FitOptions { epochs: 1, batch: 8, threads: 1, ..Default::default() };
    t.fit(&Batches::new(Rows::f32(&x, &SHAPE), Rows::labels(&labels)), &options, &mut ()).unwrap();
    let (slow, mut parts) = (Slow::new(&x, WIDTH), vec![]);
    t.predict_each(&[Rows::stored(&slow, &SHAPE)], 8, |part| parts.push(part)).unwrap();
    assert_eq!(parts.iter().map(|p| p.shape.clone()).collect::<Vec<_>>(), [[8, 2], [8, 2], [4, 2]]);
    let all = t.predict(&[Rows::f32(&x, &SHAPE)], 8).unwrap();
    assert_eq!((all.shape, all.data), (vec![20, 2], parts.into_iter().flat_map(|p| p.data).collect()));
}

#[test]
fn a_read_error_ends_the_training_with_the_weights_of_the_last_epoch() {
    let (x, labels, _) = images(24);
    let loss = Loss::SparseCategoricalCrossEntropy { from_logits: true };
    let options = |epochs| FitOptions { epochs, batch: 8, threads: 1, ..Default::default() };
    let mut whole = trainer(2, loss);
    whole.fit(&Batches::new(Rows::f32(&x, &SHAPE), Rows::labels(&labels)), &options(1), &mut ()).unwrap();
    // Three batches of the first epoch, one of the second.
    let slow = Slow { left: AtomicUsize::new(4), ..Slow::new(&x, WIDTH) };
    let mut cut = trainer(2, loss);
    let error = cut.fit(&Batches::new(Rows::stored(&slow, &SHAPE), Rows::labels(&labels)), &options(5), &mut ()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Data);
    assert!(error.to_string().contains("data.bin, row ") && error.to_string().ends_with("the disk is gone; plug it in"), "{error}");
    assert_eq!(bits(&cut), bits(&whole));
}

#[test]
fn what_does_not_fit_is_refused_before_the_first_read() {
    let (x, labels, _) = images(4);
    let slow = Slow { left: AtomicUsize::new(0), ..Slow::new(&x, WIDTH) };
    let fit = |x: Rows, y: &[i32]| {
        let data = Batches::new(x, Rows::labels(y));
        trainer(2, Loss::SparseCategoricalCrossEntropy { from_logits: true }).fit(&data, &FitOptions::default(), &mut ()).unwrap_err()
    };
    assert!(fit(Rows::stored(&slow, &SHAPE), &labels[1..]).to_string().contains("4 rows of input but 3 of targets"));
    assert!(fit(Rows::stored(&slow, &[12]), &labels).to_string().contains("rows of shape [12], but the model takes [4, 3, 1]"));
    assert!(fit(Rows::stored(&slow, &SHAPE), &[0, 1, 2, 0]).to_string().contains("label 2"));
    assert_eq!(slow.left.load(Ordering::Relaxed), 0);
}
