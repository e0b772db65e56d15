use super::*;
use crate::data::testing::TempDir;
use crate::data::{DataConfig, Dataset, Loaded, Numbers, load, npy};
use std::time::SystemTime;

fn config(text: &str) -> DataConfig {
    toml::from_str(text).unwrap()
}

/// An npy file of this type and shape.
fn write(dir: &TempDir, name: &str, descr: &str, shape: &str, data: &[u8]) -> PathBuf {
    let text = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n");
    dir.file(name, [b"\x93NUMPY\x01\x00", &(text.len() as u16).to_le_bytes()[..], text.as_bytes(), data].concat())
}

fn array(set: &Dataset) -> Array {
    set.x.read_rows(0, set.len()).unwrap()
}

/// Loads in both ways, compares all rows bit by bit, and gives what is stored.
pub fn same(text: &str, dir: &TempDir) -> Loaded {
    let memory = load(&config(&format!("{text}\nstream = false")), &dir.path).unwrap();
    let stored = load(&config(&format!("{text}\nstream = true")), &dir.path).unwrap();
    assert_eq!(stored.preprocessing, memory.preprocessing, "{text}");
    let sets = |l: &Loaded| [Some(l.train.clone()), l.validation.clone(), l.test.clone()];
    for (s, m) in sets(&stored).iter().zip(&sets(&memory)) {
        assert_eq!(s.is_some(), m.is_some());
        let (Some(s), Some(m)) = (s, m) else { continue };
        assert!(matches!(s.x, Numbers::Stored(_)) && m.x.memory().is_some(), "{text}");
        let bits = |a: Array| (a.shape, a.data.iter().map(|x| x.to_bits()).collect::<Vec<_>>());
        assert_eq!(bits(array(s)), bits(array(m)), "{text}");
        match (&s.targets, &m.targets) {
            (crate::data::Targets::Values(s), crate::data::Targets::Values(m)) => {
                assert_eq!(s.read_rows(0, s.rows()).unwrap(), m.read_rows(0, m.rows()).unwrap());
            }
            (s, m) => assert_eq!(s, m),
        }
    }
    stored
}

fn bytes<const N: usize>(n: usize, number: impl Fn(usize) -> [u8; N]) -> Vec<u8> {
    (0..n).flat_map(number).collect()
}

#[test]
fn npy_of_all_types_is_the_same_as_in_memory() {
    let dir = TempDir::new();
    let wave = |i: usize| ((i * i) as f64 * 0.37).sin() * 1e3;
    let files = [
        ("<f4", bytes(600, |i| (wave(i) as f32).to_le_bytes())),
        (">f4", bytes(600, |i| (wave(i) as f32).to_be_bytes())),
        ("<f8", bytes(600, |i| wave(i).to_le_bytes())),
        ("|u1", bytes(600, |i| [(i * 7) as u8])),
        ("<i2", bytes(600, |i| (wave(i) as i16).to_le_bytes())),
        ("<i8", bytes(600, |i| (wave(i) as i64 * 1_000_003).to_le_bytes())),
    ];
    write(&dir, "y.npy", "|u1", "(100,)", &bytes(100, |i| [(i % 3) as u8]));
    write(&dir, "v.npy", "<f8", "(100, 2)", &bytes(200, |i| wave(i + 1).to_le_bytes()));
    for (descr, data) in files {
        write(&dir, "x.npy", descr, "(100, 3, 2)", &data);
        same("kind = 'npy'\nx = 'x.npy'\ny = 'y.npy'", &dir);
        let settings = "scale = 0.3\nstandardize = true\nvalidation = 0.2\ntest = 0.3\nseed = 4\nshape = [2, 3, 1]\nlimit = 50";
        let data = same(&format!("kind = 'npy'\nx = 'x.npy'\ny = 'v.npy'\n{settings}"), &dir);
        assert_eq!((data.train.len(), data.validation.unwrap().len(), data.test.unwrap().len()), (40, 10, 30));
        same("kind = 'npy'\nx = 'x.npy'\ny = 'y.npy'\ntest_x = 'x.npy'\ntest_y = 'y.npy'\nstandardize = true\nlimit = 30", &dir);
    }
}

#[test]
fn idx_and_files_of_classes_are_the_same_as_in_memory() {
    let dir = TempDir::new();
    dir.file("images", [&[0, 0, 8, 3, 0, 0, 0, 9, 0, 0, 0, 1, 0, 0, 0, 2][..], &bytes(18, |i| [(i * 31) as u8])].concat());
    dir.file("labels", [&[0, 0, 8, 1, 0, 0, 0, 9][..], &[0, 1, 2, 0, 1, 2, 0, 1, 2]].concat());
    same("kind = 'idx'\nimages = 'images'\nlabels = 'labels'\nscale = 0.1\ntest = 0.5", &dir);
    write(&dir, "a.npy", "|u1", "(5, 2)", &bytes(10, |i| [i as u8]));
    write(&dir, "b.npy", "<f4", "(4, 1, 2)", &bytes(8, |i| (0.5 + i as f32).to_le_bytes()));
    let text = "kind = 'npy-classes'\nfolder = '.'\nclasses = ['b', 'a']";
    same(text, &dir);
    same(&format!("{text}\ntest_rows = 1\nvalidation = 0.4\nstandardize = true"), &dir);
    let stored = same(&format!("{text}\ntrain_rows = 2\ntest_rows = 2\nlimit = 3"), &dir);
    assert_eq!(stored, load(&config(&format!("{text}\ntrain_rows = 2\ntest_rows = 2\nlimit = 3\nstream = true")), &dir.path).unwrap());
    assert!(matches!(load(&config(&format!("{text}\nshape = [3]\nstream = true")), &dir.path), Err(DataError::Shape { .. })));
    write(&dir, "a.npy", "|u1", "(5, 3)", &[0; 15]);
    assert!(matches!(load(&config(&format!("{text}\nstream = true")), &dir.path), Err(DataError::Shape { .. })));
}

#[test]
fn rows_in_any_order() {
    let dir = TempDir::new();
    let path = write(&dir, "x.npy", "<f4", "(50, 3)", &bytes(150, |i| (i as f32).to_le_bytes()));
    let (piece, shape) = npy::piece(&path, None).unwrap().unwrap();
    let stored = Stored::packed(&path, &shape, vec![piece]).unwrap();
    let order: Vec<u32> = [7, 8, 9, 3, 49, 0, 1, 0, 48, 49].to_vec();
    let mut to = vec![0.0; 30];
    Store::read(&stored, &order, &mut to).unwrap();
    let expected: Vec<f32> = order.iter().flat_map(|&r| [0, 1, 2].map(|i| (3 * r + i) as f32)).collect();
    assert_eq!(to, expected);
    let some = stored.take(&[4, 2, 40]).unwrap();
    assert_eq!(some.read_rows(1, 2).unwrap().data, [6.0, 7.0, 8.0, 120.0, 121.0, 122.0]);
    assert_eq!(some.take(&[2]).unwrap().read_rows(0, 1).unwrap().data[0], 120.0);
    assert_eq!(some.take(&[3]).unwrap_err(), DataError::RowIndex { index: 3, rows: 3 });
    assert_eq!(some.read_rows(1, 3).unwrap_err(), DataError::RowIndex { index: 3, rows: 3 });
    assert_ne!(some.digest(), stored.digest());
}

#[test]
fn files_must_stay_as_they_are() {
    let dir = TempDir::new();
    let data = bytes(150, |i| (i as f32).to_le_bytes());
    let open = || {
        let path = write(&dir, "x.npy", "<f4", "(50, 3)", &data);
        let (piece, shape) = npy::piece(&path, None).unwrap().unwrap();
        (Stored::packed(&path, &shape, vec![piece]).unwrap(), path)
    };
    let read = |stored: &Stored| Store::read(stored, &[49], &mut [0.0; 3]).map_err(|e| e.to_string());
    let file = |path: &Path| std::fs::OpenOptions::new().append(true).open(path).unwrap();
    let (stored, path) = open();
    assert_eq!(read(&stored), Ok(()));
    let len = std::fs::metadata(&path).unwrap().len();
    file(&path).set_len(len - 1).unwrap();
    let error = read(&stored).unwrap_err();
    assert!(
        error.contains("x.npy, row 49") && error.contains(&format!("had {len} bytes when it was opened and has {} now", len - 1)),
        "{error}"
    );
    let (stored, path) = open();
    file(&path).set_len(len + 1).unwrap();
    assert!(read(&stored).is_err());
    let (stored, path) = open();
    file(&path).set_modified(SystemTime::now() + std::time::Duration::from_secs(5)).unwrap();
    assert!(read(&stored).unwrap_err().contains("written to"));
    // A file that is replaced stays readable to those who have opened it.
    let (stored, path) = open();
    std::fs::remove_file(&path).unwrap();
    assert_eq!(read(&stored), Ok(()));
}

#[test]
fn what_cannot_be_streamed_is_refused() {
    let dir = TempDir::new();
    write(&dir, "y.npy", "|u1", "(2,)", &[0, 1]);
    let text = "kind = 'npy'\nx = 'x.npy'\ny = 'y.npy'\nstream = true";
    let error = |settings: &str| load(&config(&format!("{text}\n{settings}")), &dir.path).unwrap_err();
    write(&dir, "x.npy", "<f4", "(2, 2)", &bytes(4, |i| [0.0, 1.0, f32::NAN, 0.0][i].to_le_bytes()));
    assert!(matches!(error(""), DataError::NonFinite { row: 1, column: 0, .. }));
    write(&dir, "x.npy", "<f4", "(3, 2)", &[0; 24]);
    assert!(matches!(error(""), DataError::Counts { rows: 3, targets: 2, .. }));
    write(&dir, "x.npy", "<f4", "(3, 2)", &[0; 23]);
    assert!(matches!(error(""), DataError::Truncated { .. }));
    write(&dir, "x.npy", "<f4", "(2, 0)", &[]);
    assert!(matches!(error(""), DataError::ArrayShape { .. }));
    write(&dir, "x.npy", "<f4", "(0, 2)", &[]);
    assert!(matches!(error(""), DataError::ZeroRows { .. }));
    let fortran = "{'descr': '|u1', 'fortran_order': True, 'shape': (2, 2), }\n";
    dir.file("x.npy", [b"\x93NUMPY\x01\x00", &(fortran.len() as u16).to_le_bytes()[..], fortran.as_bytes(), &[0, 1, 2, 3]].concat());
    assert!(error("").to_string().contains("ascontiguousarray"));
    // What becomes infinite by scaling is found when it is read.
    write(&dir, "x.npy", "<f4", "(2, 2)", &bytes(4, |i| [0.0, 1.0, 0.0, 1e30f32][i].to_le_bytes()));
    let data = load(&config(&format!("{text}\nscale = 1e30")), &dir.path).unwrap();
    let error = data.train.x.read_rows(0, 2).unwrap_err();
    assert!(error.to_string().contains("x.npy, scaled: the value in row 1, column 1"), "{error}");
}
