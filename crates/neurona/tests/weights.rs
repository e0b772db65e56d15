//! Weights and states in files: round trips, and every way in which a file can be wrong.

use neurona::prelude::*;
use neurona::{Error, ErrorKind, weights};
use std::path::PathBuf;

/// A folder of its own for each test, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("neurona-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

fn trainer(hidden: usize, seed: u32) -> Trainer<Sequential> {
    let model = Sequential::new(&[2]).layer(Dense::new(hidden).activation(Activation::Tanh)).layer(Dense::new(1));
    let mut t = Trainer::compile(model, Loss::Mse, Optimizer::adam(), &[]);
    t.build(&[Type::new(DType::F32, [2])], seed).unwrap();
    t
}

#[test]
fn weights_come_back_with_their_notes() {
    let folder = Folder::new("round-trip");
    let path = folder.file("w.safetensors");
    let (from, mut to) = (trainer(3, 1), trainer(3, 2));
    let notes = weights::Notes::from([("task".to_string(), "test é ✓".to_string()), ("b".to_string(), "2".to_string())]);
    from.save_weights(&path, &notes).unwrap();
    assert_eq!(to.load_weights(&path).unwrap(), notes);
    assert_eq!(from.state().unwrap().params, to.state().unwrap().params);
    // Equal weights are equal files, and nothing else is left in the folder.
    let again = folder.file("again.safetensors");
    to.save_weights(&again, &notes).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), std::fs::read(&again).unwrap());
    assert_eq!(std::fs::read_dir(&folder.0).unwrap().count(), 2);
    // The format's own library reads them.
    let bytes = std::fs::read(&path).unwrap();
    let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    assert_eq!(tensors.tensor("dense_1/weight").unwrap().shape(), [2, 3]);
}

#[test]
fn a_state_comes_back_bit_by_bit() {
    let folder = Folder::new("state");
    let path = folder.file("state.safetensors");
    let mut t = trainer(3, 1);
    let data = Batches::new(Rows::f32(&[0.1, 0.2, 0.3, 0.4], &[2]), Rows::f32(&[1.0, 2.0], &[1]));
    t.fit(&data, &FitOptions { epochs: 3, batch: 1, threads: 1, ..FitOptions::default() }, &mut ()).unwrap();
    weights::save_state(&path, t.params(), t.state().unwrap(), &weights::Notes::new()).unwrap();
    let (state, _) = weights::load_state(&path, t.params(), 2).unwrap();
    assert_eq!(&state, t.state().unwrap());
    assert_eq!(state.step, 6);
    assert!(weights::load(&path, t.params()).unwrap_err().to_string().contains("dense_1/weight:0 is not in the model"));
    t.save_weights(&path, &weights::Notes::new()).unwrap();
    assert!(weights::load_state(&path, t.params(), 0).unwrap_err().to_string().contains("no step"));
}

#[test]
fn all_differences_are_listed() {
    let folder = Folder::new("mismatch");
    let path = folder.file("w.safetensors");
    trainer(3, 1).save_weights(&path, &weights::Notes::new()).unwrap();
    let before = trainer(4, 1);
    let mut t = trainer(4, 1);
    let e = t.load_weights(&path).unwrap_err();
    assert_eq!(e.kind(), ErrorKind::Data);
    let Error::Mismatch { differences, .. } = &e else { panic!("{e}") };
    assert_eq!(differences.len(), 3, "{e}");
    assert!(e.to_string().contains("dense_1/weight has shape [2, 3], the model needs [2, 4]"), "{e}");
    assert_eq!(t.state(), before.state());
}

#[test]
fn damaged_files_are_refused() {
    let folder = Folder::new("damaged");
    let path = folder.file("w.safetensors");
    let mut t = trainer(3, 1);
    assert_eq!(t.load_weights(&path).unwrap_err().kind(), ErrorKind::Io);
    t.save_weights(&path, &weights::Notes::new()).unwrap();
    let good = std::fs::read(&path).unwrap();
    let mut refuse = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        t.load_weights(&path).unwrap_err().to_string()
    };
    for cut in [0, 7, 8, 40, good.len() - 1] {
        refuse(&good[..cut]);
    }
    assert!(refuse(&[&good[..], &[0]].concat()).contains("bytes"));
    let mut huge = good.clone();
    huge[..8].copy_from_slice(&u64::MAX.to_le_bytes());
    assert!(refuse(&huge).contains("header claims"));
    // A header that asks for more than any memory holds.
    let header = br#"{"x":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}}"#;
    assert!(refuse(&[&(header.len() as u64).to_le_bytes()[..], header].concat()).contains("damaged"));
    assert!(refuse(b"\x80PK not a safetensors file at all, but long enough to be read").contains("header claims"));
}

#[test]
fn a_folder_that_does_not_exist_is_named() {
    let e = trainer(2, 1).save_weights("/nonexistent/folder/w.safetensors".as_ref(), &weights::Notes::new()).unwrap_err();
    assert_eq!(e.kind(), ErrorKind::Io);
    assert!(e.to_string().contains("/nonexistent/folder/w.safetensors") && e.to_string().contains("folder exists"), "{e}");
}
