use super::*;
use crate::data::Array;
use crate::data::testing::{TempDir, shared};
use crate::data::{DataError, Task, npy};

fn config(text: &str) -> DataConfig {
    toml::from_str(text).unwrap()
}

fn array(shape: &[usize], data: &[f32]) -> Array {
    Array::new(shape.to_vec(), data.to_vec()).unwrap()
}

fn labels(set: &Dataset) -> (Vec<i32>, Vec<&str>) {
    match &set.targets {
        Targets::Classes { labels, names } => (labels.clone(), names.iter().map(String::as_str).collect()),
        Targets::Values(_) => panic!("no classes"),
    }
}

fn values(set: &Dataset) -> &Array {
    match &set.targets {
        Targets::Values(values) => values.memory().unwrap(),
        Targets::Classes { .. } => panic!("no numbers"),
    }
}

/// The inputs of a set in memory.
fn x(set: &Dataset) -> Array {
    set.x.memory().unwrap().clone()
}

/// Loads a CSV file of this text with these settings.
fn csv(dir: &TempDir, text: &str, settings: &str) -> Result<Loaded> {
    dir.file("t.csv", text);
    load(&config(&format!("kind = 'csv'\nfile = 't.csv'\n{settings}")), &dir.path)
}

#[test]
fn classes_of_a_file_each() {
    let dir = TempDir::new();
    npy::write(&dir.path.join("a.npy"), &array(&[3, 2], &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0])).unwrap();
    npy::write(&dir.path.join("b.npy"), &array(&[4, 1, 2], &[10.0, 11.0, 12.0, 13.0, 14.0, 15.0, 16.0, 17.0])).unwrap();
    let text = "kind = 'npy-classes'\nfolder = '.'\nclasses = ['b', 'a']\n";
    let data = load(&config(&format!("{text}train_rows = 2\ntest_rows = 1\nscale = 0.5")), &dir.path).unwrap();
    assert_eq!(x(&data.train), array(&[4, 2], &[5.0, 5.5, 6.0, 6.5, 0.0, 0.5, 1.0, 1.5]));
    assert_eq!(labels(&data.train), (vec![0, 0, 1, 1], vec!["b", "a"]));
    let test = data.test.unwrap();
    assert_eq!((x(&test).clone(), labels(&test).0), (array(&[2, 2], &[7.0, 7.5, 2.0, 2.5]), vec![0, 1]));
    assert_eq!(data.preprocessing.classes, ["b", "a"]);
    assert!(data.validation.is_none());
    // All rows but the test's, in a shape of their own.
    let data = load(&config(&format!("{text}test_rows = 1\nshape = [1, 2, 1]")), &dir.path).unwrap();
    assert_eq!((x(&data.train).shape, x(&data.test.unwrap()).shape), (vec![5, 1, 2, 1], vec![2, 1, 2, 1]));

    let error = load(&config(&format!("{text}train_rows = 3\ntest_rows = 1")), &dir.path).unwrap_err();
    assert!(matches!(error, DataError::TooFewRows { needed: 4, available: 3, .. }), "{error}");
    assert!(matches!(load(&config(&format!("{text}test_rows = 3")), &dir.path), Err(DataError::TooFewRows { needed: 4, .. })));
    let error = load(&config(&format!("{text}shape = [3]")), &dir.path).unwrap_err();
    assert!(matches!(&error, DataError::Shape { expected, .. } if *expected == [3]), "{error}");
    npy::write(&dir.path.join("a.npy"), &array(&[1, 3], &[0.0; 3])).unwrap();
    let error = load(&config(text), &dir.path).unwrap_err();
    assert!(matches!(&error, DataError::Shape { place, .. } if place.ends_with("a.npy")), "{error}");
    npy::write(&dir.path.join("a.npy"), &array(&[2, 2], &[0.0, 0.0, f32::NAN, 0.0])).unwrap();
    let error = load(&config(text), &dir.path).unwrap_err();
    assert!(matches!(&error, DataError::NonFinite { place, row: 1, column: 0, .. } if place.ends_with("a.npy")), "{error}");
}

#[test]
fn pairs_of_npy() {
    let dir = TempDir::new();
    let text = "kind = 'npy'\nx = 'x.npy'\ny = 'y.npy'\n";
    let write = |name: &str, a: Array| npy::write(&dir.path.join(name), &a).unwrap();
    let read = |settings: &str| load(&config(&format!("{text}{settings}")), &dir.path);
    write("x.npy", array(&[3], &[1.0, 2.0, 3.0]));
    write("y.npy", array(&[3], &[0.0, 2.0, 1.0]));
    // Floating-point targets are numbers unless the task says otherwise.
    let data = read("").unwrap();
    assert_eq!((&x(&data.train).shape[..], values(&data.train)), (&[3, 1][..], &array(&[3, 1], &[0.0, 2.0, 1.0])));
    assert_eq!(labels(&read("task = 'classification'").unwrap().train), (vec![0, 2, 1], vec!["0", "1", "2"]));
    assert_eq!(labels(&read("classes = ['p', 'q', 'r']").unwrap().train).1, ["p", "q", "r"]);
    let error = read("classes = ['p', 'q']").unwrap_err();
    assert!(matches!(error, DataError::Label { row: 1, label: 2.0, classes: 2, .. }), "{error}");
    // Whole numbers by type are labels.
    let integers = |shape: &str, data: &[u8]| {
        let text = format!("{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}\n");
        dir.file("y.npy", [b"\x93NUMPY\x01\x00", &(text.len() as u16).to_le_bytes()[..], text.as_bytes(), data].concat());
    };
    integers("(3,)", &[1, 0, 1]);
    assert_eq!(labels(&read("").unwrap().train), (vec![1, 0, 1], vec!["0", "1"]));
    integers("(3, 2)", &[1, 0, 1, 0, 0, 1]);
    let error = read("").unwrap_err();
    assert!(matches!(error, DataError::Setting { key: "task", .. }), "{error}");
    assert_eq!(values(&read("task = 'regression'").unwrap().train).shape, [3, 2]);
    for bad in [-1.0, 0.5, 10_000.0] {
        write("y.npy", array(&[3], &[0.0, 0.0, bad]));
        let error = read("task = 'classification'").unwrap_err();
        assert!(matches!(error, DataError::Label { row: 2, .. }), "{error}");
    }
    write("y.npy", array(&[2], &[0.0, 1.0]));
    assert!(matches!(read(""), Err(DataError::Counts { rows: 3, targets: 2, .. })));
    write("y.npy", array(&[3], &[0.0, f32::INFINITY, 0.0]));
    assert!(matches!(read(""), Err(DataError::NonFinite { row: 1, .. })));
    write("y.npy", array(&[0], &[]));
    write("x.npy", array(&[0, 2], &[]));
    assert!(matches!(read(""), Err(DataError::ZeroRows { .. })));
}

#[test]
fn a_test_set_of_its_own() {
    let dir = TempDir::new();
    let text = "kind = 'npy'\nx = 'x.npy'\ny = 'y.npy'\ntest_x = 'tx.npy'\ntest_y = 'ty.npy'\ntask = 'classification'\n";
    let write = |name: &str, a: Array| npy::write(&dir.path.join(name), &a).unwrap();
    write("x.npy", array(&[4, 2], &[0.0, 1.0, 2.0, 1.0, 4.0, 1.0, 6.0, 1.0]));
    write("y.npy", array(&[4], &[0.0, 1.0, 0.0, 1.0]));
    write("tx.npy", array(&[1, 1, 2], &[3.0, 5.0]));
    write("ty.npy", array(&[1], &[1.0]));
    let data = load(&config(&format!("{text}standardize = true")), &dir.path).unwrap();
    // Mean 3 and variance 5 are those of the training rows; the second value never varies.
    assert_eq!(x(&data.train).data[..2], [-3.0 / 5f32.sqrt(), 0.0]);
    assert_eq!(x(&data.test.unwrap()), array(&[1, 2], &[0.0, 4.0]));
    write("ty.npy", array(&[1], &[2.0]));
    let error = load(&config(text), &dir.path).unwrap_err();
    assert!(matches!(&error, DataError::Label { place, classes: 2, .. } if place.ends_with("ty.npy")), "{error}");
    write("tx.npy", array(&[1, 3], &[0.0; 3]));
    write("ty.npy", array(&[1], &[0.0]));
    let error = load(&config(text), &dir.path).unwrap_err();
    assert!(matches!(&error, DataError::Shape { place, .. } if place.ends_with("tx.npy")), "{error}");
}

#[test]
fn pairs_of_idx() {
    let dir = TempDir::new();
    dir.file("images", [&[0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2][..], &[0, 51, 102, 255]].concat());
    dir.file("labels", [0, 0, 8, 1, 0, 0, 0, 2, 1, 0]);
    let text = "kind = 'idx'\nimages = 'images'\nlabels = 'labels'\nscale = 0.00392156862745098\nshape = [1, 2, 1]";
    let data = load(&config(text), &dir.path).unwrap();
    assert_eq!(x(&data.train).shape, [2, 1, 2, 1]);
    assert!(x(&data.train).data.iter().zip([0.0, 0.2, 0.4, 1.0]).all(|(a, b)| (a - b).abs() < 1e-6));
    assert_eq!(labels(&data.train), (vec![1, 0], vec!["0", "1"]));
    let again = data.preprocessing.read(&dir.path.join("images")).unwrap();
    assert_eq!(again, x(&data.train));
    dir.file("labels", [0, 0, 8, 1, 0, 0, 0, 3, 1, 0, 0]);
    assert!(matches!(load(&config(text), &dir.path), Err(DataError::Counts { rows: 2, targets: 3, .. })));
}

const MIXED: &str = "id,size,colour,grade,price\n1,1.0,red,10,3.5\n2,3.0,blue,2,4.5\n3,5.0,red,10,5.0\n4,7.0,green,9,1.0\n";

#[test]
fn tables_with_numbers_categories_and_ignored_columns() {
    let dir = TempDir::new();
    let settings = "target = 'price'\nignore = ['id']\ncategorical = ['grade']\nstandardize = true\nscale = 2.0";
    let data = csv(&dir, MIXED, settings).unwrap();
    // size, colour = blue | green | red, grade = 2 | 9 | 10 (by value); the size's mean is 8 and its deviation √20.
    let size = |s: f32| (2.0 * s - 8.0) / 20f32.sqrt();
    #[rustfmt::skip]
    let expected = [
        size(1.0), 0.0, 0.0, 1.0, 0.0, 0.0, 1.0,
        size(3.0), 1.0, 0.0, 0.0, 1.0, 0.0, 0.0,
        size(5.0), 0.0, 0.0, 1.0, 0.0, 0.0, 1.0,
        size(7.0), 0.0, 1.0, 0.0, 0.0, 1.0, 0.0,
    ];
    assert_eq!(x(&data.train).shape, [4, 7]);
    assert!(x(&data.train).data.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6), "{:?}", x(&data.train));
    assert_eq!(values(&data.train), &array(&[4, 1], &[3.5, 4.5, 5.0, 1.0]));
    // Several targets, and columns by number.
    let data = csv(&dir, MIXED, "target = [-1, 1]\nignore = [0, 'colour']").unwrap();
    assert_eq!(values(&data.train).data[..4], [3.5, 1.0, 4.5, 3.0]);
    assert_eq!(x(&data.train), array(&[4, 1], &[10.0, 2.0, 10.0, 9.0]));
    // Classes, of text and of numbers.
    let data = csv(&dir, MIXED, "target = 'colour'").unwrap();
    assert_eq!(labels(&data.train), (vec![2, 0, 2, 1], vec!["blue", "green", "red"]));
    let data = csv(&dir, MIXED, "target = 'grade'\ntask = 'classification'").unwrap();
    assert_eq!(labels(&data.train), (vec![2, 0, 2, 1], vec!["2", "9", "10"]));
    assert_eq!(csv(&dir, MIXED, "target = 'grade'\ncategorical = ['grade']").unwrap().train.targets, data.train.targets);
}

#[test]
fn prediction_reads_what_training_read() {
    let dir = TempDir::new();
    let data = csv(&dir, MIXED, "target = 'price'\nignore = ['id']\nstandardize = true").unwrap();
    let json = serde_json::to_string(&data.preprocessing).unwrap();
    let preprocessing: Preprocessing = serde_json::from_str(&json).unwrap();
    assert_eq!(preprocessing.read(&dir.path.join("t.csv")).unwrap(), x(&data.train));
    // Other order, without targets and ignored columns, with columns that training never saw.
    let new = dir.file("new.csv", "grade,note,colour,size\n10,x,red,1.0\n");
    assert_eq!(preprocessing.read(&new).unwrap(), x(&data.train).take(&[0]).unwrap());
    let error = preprocessing.read(&dir.file("new.csv", "grade,color,size\n10,red,1.0\n")).unwrap_err().to_string();
    assert!(error.ends_with("there is no column \"colour\"; did you mean \"color\"?"), "{error}");
    let error = preprocessing.read(&dir.file("new.csv", "grade,colour,size\n10,gren,1.0\n")).unwrap_err().to_string();
    assert!(error.contains("line 2, column colour: unknown category \"gren\"; did you mean \"green\"?"), "{error}");
    let error = preprocessing.read(&dir.file("new.csv", "grade,colour,size\n10,red,big\n")).unwrap_err();
    assert!(matches!(error, DataError::NonNumeric { line: 2, .. }), "{error}");
}

#[test]
fn prediction_without_header_goes_by_position() {
    let dir = TempDir::new();
    // Columns: ignored, target, number, category.
    let data = csv(&dir, "7,win,1,x\n8,loss,2,o\n", "header = false\ntarget = 1\nignore = [0]").unwrap();
    assert_eq!(x(&data.train), array(&[2, 3], &[1.0, 0.0, 1.0, 2.0, 1.0, 0.0]));
    let read = |text: &str| data.preprocessing.read(&dir.file("new.csv", text));
    for text in ["7,win,1,x\n8,loss,2,o\n", "7,1,x\n8,2,o\n", "1,x\n2,o\n"] {
        assert_eq!(read(text).unwrap(), x(&data.train), "{text:?}");
    }
    assert!(matches!(read("1\n"), Err(DataError::Ragged { line: 1, expected: 3, found: 1, .. })));
    assert!(matches!(read("1,2,3,4,5\n"), Err(DataError::Ragged { found: 5, .. })));
    // A file of settings that was edited by hand is no reason to panic.
    let mut edited = data.preprocessing.clone();
    edited.encoding.as_mut().unwrap().features[1].index = 9;
    assert!(matches!(edited.read(&dir.file("new.csv", "7,win,1,x\n")), Err(DataError::UnknownColumn { .. })));
}

#[test]
fn categories_are_learnt_from_training_rows() {
    let dir = TempDir::new();
    let text = "c,y\n".to_string() + &"a,p\nb,q\n".repeat(10) + "rare,q\n";
    // Some seed holds the rare row out, some does not.
    let settings = |seed: u32, unknown: &str| format!("target = 'y'\ntest = 0.5\nseed = {seed}\nunknown_category = '{unknown}'");
    let held_out = |seed: u32| csv(&dir, &text, &settings(seed, "zeros")).unwrap().train.x.row_shape() == [2];
    let out = (0..100).find(|&s| held_out(s)).unwrap();
    let kept = (0..100).find(|&s| !held_out(s)).unwrap();
    assert_eq!(csv(&dir, &text, &settings(kept, "error")).unwrap().train.x.row_shape(), [3]);
    let error = csv(&dir, &text, &settings(out, "error")).unwrap_err();
    assert!(matches!(&error, DataError::UnknownCategory { line: 22, text, .. } if text == "rare"), "{error}");
    assert!(error.to_string().contains("unknown_category = \"zeros\""), "{error}");
    let test = csv(&dir, &text, &settings(out, "zeros")).unwrap().test.unwrap();
    assert_eq!(x(&test).data.chunks(2).filter(|row| **row == [0.0, 0.0]).count(), 1);
    assert_eq!(test.len(), 11);
}

#[test]
fn a_test_file() {
    let dir = TempDir::new();
    dir.file("test.csv", "y,c\nq,b\n");
    let text = "c,y\na,p\nb,q\n";
    let data = csv(&dir, &text.replace("a,", "b,"), "target = 'y'\ntest_file = 'test.csv'\nvalidation = 0.5").unwrap();
    assert_eq!((data.train.len(), data.validation.unwrap().len(), data.test.unwrap().len()), (1, 1, 1));
    let data = csv(&dir, text, "target = 'y'\ntest_file = 'test.csv'").unwrap();
    assert_eq!(data.test.unwrap(), data.train.take(&[1]).unwrap());
    dir.file("test.csv", "y,c\nr,b\n");
    let error = csv(&dir, text, "target = 'y'\ntest_file = 'test.csv'").unwrap_err();
    assert!(matches!(&error, DataError::UnknownCategory { column, .. } if column == "y"), "{error}");
    dir.file("test.csv", "c\nb\n");
    assert!(matches!(csv(&dir, text, "target = 'y'\ntest_file = 'test.csv'"), Err(DataError::UnknownColumn { .. })));
}

#[test]
fn tables_that_make_no_sense() {
    let dir = TempDir::new();
    let setting = |text: &str, settings: &str, expected: &str| match csv(&dir, text, settings).unwrap_err() {
        DataError::Setting { key, .. } => assert_eq!(key, expected, "{settings}"),
        other => panic!("{settings}: {other}"),
    };
    setting(MIXED, "target = 'grade'", "task");
    setting(MIXED, "target = 'price'\nignore = ['price']", "ignore");
    setting(MIXED, "target = 'price'\nignore = ['grade']\ncategorical = ['grade']", "ignore");
    setting(MIXED, "target = ['price', 4]", "target");
    setting(MIXED, "target = ['price', 'size']\ntask = 'classification'", "target");
    setting(MIXED, "target = 'grade'\ncategorical = ['grade']\ntask = 'regression'", "categorical");
    setting("a;b\n1;2\n", "target = 0", "file");
    setting("a,b\n1,x\n2,x\n", "target = 'b'", "target");
    assert!(matches!(csv(&dir, MIXED, "target = 'colour'\ntask = 'regression'"), Err(DataError::NonNumeric { line: 2, .. })));
    assert!(matches!(csv(&dir, "a,b\n1,x\n2,\n3,y\n", "target = 'b'"), Err(DataError::MissingTarget { line: 3, .. })));
    let error = csv(&dir, MIXED, "target = 'pirce'").unwrap_err().to_string();
    assert!(error.ends_with("there is no column \"pirce\"; did you mean \"price\"?"), "{error}");
    let error = csv(&dir, MIXED, "target = 'price'\nignore = ['id']\nshape = [2, 2]").unwrap_err();
    assert!(matches!(&error, DataError::Shape { found, .. } if *found == [5]), "{error}");
}

#[test]
fn genuine_drawings() {
    let Some(shared) = shared() else { return };
    let text = "kind = 'npy-classes'\nfolder = 'quickdraw/numpy_bitmap'\nclasses = ['cat', 'diamond']\ntrain_rows = 1500\ntest_rows = 500
        shape = [28, 28, 1]\nscale = 0.00392156862745098\nvalidation = 0.1\n";
    let data = load(&config(text), &shared).unwrap();
    let validation = data.validation.as_ref().unwrap();
    let test = data.test.as_ref().unwrap();
    assert_eq!(x(&data.train).shape, [2700, 28, 28, 1]);
    assert_eq!((x(validation).shape[0], x(test).shape[0]), (300, 1000));
    assert!(x(&data.train).data.iter().all(|v| (0.0..=1.0).contains(v)) && x(&data.train).data.contains(&1.0));
    assert_eq!(labels(test).0.iter().sum::<i32>(), 500);
    // The 1500th cat is the first of the test.
    let cat = npy::read_rows(&shared.join("quickdraw/numpy_bitmap/cat.npy"), 1500, 1).unwrap();
    assert_eq!(data.preprocessing.apply(cat, "cat").unwrap(), x(&test.take(&[0]).unwrap()));
    // A file as a whole, in its own shape (3000, 1, 784), for prediction.
    let drawn = data.preprocessing.read(&shared.join("quickdraw/numpy_bitmap/diamond.npy")).unwrap();
    assert_eq!(drawn.take(&[1500]).unwrap(), x(&test.take(&[500]).unwrap()));
    assert_eq!(load(&config(text), &shared).unwrap(), data, "the same every time");
}

#[test]
fn genuine_connect_four() {
    let Some(shared) = shared() else { return };
    let text = "kind = 'csv'\nfile = 'connect4/connect-4.half-a.data'\nheader = false\ntarget = -1\n";
    let data = load(&config(text), &shared).unwrap();
    assert_eq!(x(&data.train).shape, [33_779, 126]);
    let (all, names) = labels(&data.train);
    assert_eq!(names, ["draw", "loss", "win"]);
    let wins = all.iter().filter(|&&l| l == 2).count();
    assert_eq!((wins, all.iter().filter(|&&l| l == 0).count()), (22_229, 3261));
    assert_eq!((1000.0 * wins as f64 / all.len() as f64).round(), 658.0, "65.8 % for the majority");
    // Each of the 42 cells is exactly one of b, o and x, and x and o have four stones each.
    for row in x(&data.train).data.chunks(126) {
        assert!(row.chunks(3).all(|cell| cell.iter().sum::<f32>() == 1.0));
        assert_eq!([1, 2].map(|c| row.iter().skip(c).step_by(3).sum::<f32>()), [4.0, 4.0]);
    }
    let split = load(&config(&format!("{text}test = 0.2\nvalidation = 0.1\nseed = 1")), &shared).unwrap();
    let rows = [split.train.len(), split.validation.unwrap().len(), split.test.unwrap().len()];
    assert_eq!((rows, x(&split.train).row_len()), ([24_321, 2702, 6756], 126));
    let read = split.preprocessing.read(&shared.join("connect4/connect-4.half-a.data")).unwrap();
    assert_eq!(read, x(&data.train));
    assert_eq!(config(&format!("{text}task = 'classification'")).task, Some(Task::Classification));
}
