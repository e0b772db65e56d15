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

#[test]
fn tables_are_the_same_as_in_memory() {
    let dir = TempDir::new();
    let mut text = "id,size,colour,\"a, b\",class,amount\r\n".to_string();
    for i in 0..300 {
        let colour = ["red", "blue", "\"dark \"\"green\"\"\"", " grey ", "\"two\nlines\"", ""][i % 6];
        text += &format!("{i},{}, {colour},{},{},{}\r\n", (i as f32 * 0.7).sin(), i % 5, ["yes", "no"][i / 3 % 2], i as f64 / 7.0);
        text += ["", "\n", "\r\n\r\n"][i % 3];
    }
    dir.file("t.csv", text.replace(", \"", ",\""));
    let table = "kind = 'csv'\nfile = 't.csv'\n";
    for settings in [
        "target = 'class'",
        "target = 'class'\nignore = ['id']\ncategorical = ['a, b']\nstandardize = true\nscale = 0.5\nvalidation = 0.3\ntest = 0.2",
        "target = ['amount', 1]\nlimit = 70\ntest = 0.5\nshape = [7, 1]\nignore = ['class', 'a, b']",
        "target = 'class'\ntest_file = 't.csv'\nlimit = 10\nunknown_category = 'zeros'",
    ] {
        same(&format!("{table}{settings}"), &dir);
    }
    // A byte-order mark is no part of the first field, but of any other.
    dir.file("bom.csv", "\u{feff}7,x\n\u{feff}8,y\n9,x\n");
    let data = same("kind = 'csv'\nfile = 'bom.csv'\nheader = false\ntarget = 1\ncategorical = [0]", &dir);
    let names = data.preprocessing.encoding.as_ref().unwrap().features[0].categories.clone().unwrap();
    assert_eq!(names, ["7", "9", "\u{feff}8"]);
    // New rows of the same kind.
    let data = same(&format!("{table}target = 'class'\nstandardize = true"), &dir);
    let path = dir.path.join("t.csv");
    let streamed = data.preprocessing.stream(&path).unwrap();
    assert_eq!(streamed.read_rows(0, 300).unwrap(), data.preprocessing.read(&path).unwrap());
    assert!(matches!((streamed, data.preprocessing.open(&path).unwrap()), (Numbers::Stored(_), Numbers::Memory(_))));
    let new = dir.file("new.csv", "id,size,colour,\"a, b\",amount\n1,2,red,3,4\n1,2,mauve,3,4\n");
    let errors = [data.preprocessing.stream(&new).unwrap_err(), data.preprocessing.read(&new).unwrap_err()];
    assert!(
        matches!(&errors[0], DataError::UnknownCategory { line: 3, text, .. } if text == "mauve") && errors[0] == errors[1],
        "{errors:?}"
    );
}

/// Whatever is wrong with a table, the message is the one that reading it whole gives.
#[test]
fn tables_have_the_same_errors_as_in_memory() {
    let dir = TempDir::new();
    let rows = |n: usize, last: &str| "n,c,y\n".to_string() + &"1,a,p\n\n2,b,q\n".repeat(n) + last;
    let cases = [
        (rows(50, "x,a,p\n"), ""),
        (rows(50, "1,a\n"), ""),
        (rows(50, "1,a,\n1,a,p\n"), ""),
        (rows(50, "1,\"a,p\n1,a,p\n"), ""),
        ("n,c,y\n".into(), ""),
        ("n,c,y\n1,a,p\n".into(), ""),
        (rows(20, "1,rare,p\n1,odd,q\n"), "validation = 0.5\nseed = 1"),
        (rows(20, "1,rare,p\n1,odd,q\n"), "test = 0.5\nseed = 2"),
        (rows(20, "1,rare,p\n1,odd,q\n"), "test = 0.5\nvalidation = 0.5\nlimit = 12\nseed = 3"),
        (rows(20, ""), "shape = [2]"),
    ];
    let mut unknown = 0;
    for (text, settings) in cases {
        dir.file("t.csv", &text);
        let error = |stream: bool| {
            let text = format!("kind = 'csv'\nfile = 't.csv'\ntarget = 'y'\nstream = {stream}\n{settings}");
            load(&config(&text), &dir.path).map(|_| ())
        };
        assert_eq!(error(true), error(false), "{settings}");
        assert!(error(true).is_err() || settings.contains("seed"), "{settings}");
        unknown += usize::from(matches!(error(true), Err(DataError::UnknownCategory { .. })));
    }
    assert!(unknown > 0, "a rare row is held out by one of the seeds");
    // A table that changes after it was indexed.
    let path = dir.file("t.csv", rows(50, ""));
    let data = load(&config("kind = 'csv'\nfile = 't.csv'\ntarget = 'y'\nstream = true"), &dir.path).unwrap();
    std::fs::write(&path, rows(49, "")).unwrap();
    assert!(matches!(data.train.x.read_rows(3, 2), Err(DataError::Row { row: 3, .. })));
}

/// A PNG file of these grey pixels.
fn png(dir: &TempDir, name: &str, width: u32, pixels: &[u8]) -> PathBuf {
    let path = dir.path.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let height = pixels.len() as u32 / width;
    image::GrayImage::from_raw(width, height, pixels.to_vec()).unwrap().save_with_format(&path, image::ImageFormat::Png).unwrap();
    path
}

#[test]
fn folders_of_images() {
    let dir = TempDir::new();
    for i in 0..6 {
        png(&dir, &format!("set/b/{i}.png"), 2, &[i, 10 + i, 20 + i, 255]);
    }
    png(&dir, "set/a/wide.png", 4, &[0, 0, 100, 100, 0, 0, 100, 100]);
    let colour = image::RgbImage::from_fn(2, 2, |x, y| image::Rgb([x as u8 * 200, y as u8 * 100, 50]));
    colour.save_with_format(dir.path.join("set/a/colour.png"), image::ImageFormat::Png).unwrap();
    let photo = image::RgbImage::from_pixel(16, 16, image::Rgb([200, 100, 50]));
    photo.save_with_format(dir.path.join("set/a/photo.jpg"), image::ImageFormat::Jpeg).unwrap();
    dir.file("set/a/.hidden", "not an image");
    dir.file("set/README.txt", "beside the classes");
    let text = "kind = 'image-classes'\nfolder = 'set'\nshape = [2, 2, 1]";
    let data = same(text, &dir);
    let crate::data::Targets::Classes { labels, names } = &data.train.targets else { panic!() };
    assert_eq!((&names[..], &labels[..]), (&["a".to_string(), "b".into()][..], &[0, 0, 0, 1, 1, 1, 1, 1, 1][..]));
    assert_eq!(data.preprocessing.classes, ["a", "b"]);
    // Sorted by name: colour, photo, wide, then the greys of the other class.
    let x = array(&data.train);
    assert_eq!(x.data[4 * 3..4 * 5], [0.0, 10.0, 20.0, 255.0, 1.0, 11.0, 21.0, 255.0]);
    // A wide image is smoothed over the two columns each pixel covers (and, with a triangle, their neighbours).
    assert!(x.data[8] < 20.0 && x.data[9] > 80.0, "{:?}", &x.data[8..12]);
    let colours = array(&same("kind = 'image-classes'\nfolder = 'set'\nshape = [2, 2, 3]\nscale = 0.5", &dir).train);
    assert_eq!(colours.data[..6], [0.0, 0.0, 25.0, 100.0, 0.0, 25.0]);
    assert!(colours.data[12..15].iter().zip([100.0, 50.0, 25.0]).all(|(a, b)| (a - b).abs() < 2.0), "{:?}", &colours.data[12..15]);
    let split = same(&format!("{text}\nvalidation = 0.3\ntest = 0.3\nstandardize = true"), &dir);
    let one = split.preprocessing.read(&dir.path.join("set/b/0.png")).unwrap();
    assert_eq!(one.shape, [1, 2, 2, 1]);
    png(&dir, "test/b/0.png", 2, &[9, 9, 9, 9]);
    png(&dir, "test/a/0.png", 2, &[8, 8, 8, 8]);
    assert_eq!(same(&format!("{text}\ntest_folder = 'test'"), &dir).test.unwrap().len(), 2);
    png(&dir, "test/c/0.png", 2, &[8, 8, 8, 8]);
    let error = |folder: &str, more: &str| {
        let text = format!("kind = 'image-classes'\nfolder = '{folder}'\nshape = [2, 2, 1]\n{more}");
        load(&config(&text), &dir.path).unwrap_err()
    };
    assert!(matches!(error("set", "test_folder = 'test'"), DataError::Setting { key: "test_folder", .. }));
    assert!(matches!(error("set/a", ""), DataError::Setting { key: "folder", .. }));
    assert!(matches!(error("none", ""), DataError::Unreadable { .. }));
    for (name, bytes) in [("notes.txt", "plain text"), ("broken.png", "plain text"), ("empty.jpg", "")] {
        let path = dir.file(&format!("set/b/{name}"), bytes);
        let error = error("set", "");
        assert!(matches!(&error, DataError::Image { path: p, .. } if *p == path), "{name}: {error}");
        std::fs::remove_file(path).unwrap();
    }
    std::fs::create_dir(dir.path.join("set/b/more")).unwrap();
    assert!(error("set", "").to_string().contains("a folder is no image"));
}

/// Damage that the first bytes do not show is an error of the batch that needs the image.
#[test]
fn damaged_images_are_named() {
    let dir = TempDir::new();
    let noise: Vec<u8> = (0..1024u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    for name in ["set/a/0.png", "set/a/1.png", "set/b/0.png"] {
        png(&dir, name, 32, &noise);
    }
    let text = "kind = 'image-classes'\nfolder = 'set'\nshape = [32, 32, 1]\nstream = true";
    let data = load(&config(text), &dir.path).unwrap();
    let path = dir.path.join("set/a/1.png");
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    let error = data.train.x.read_rows(0, 3).unwrap_err();
    assert!(matches!(&error, DataError::Image { path: p, why } if *p == path && why.contains("when it was opened")), "{error}");
    let data = load(&config(text), &dir.path).unwrap();
    assert!(data.train.x.read_rows(0, 1).is_ok());
    assert!(matches!(data.train.x.read_rows(0, 3), Err(DataError::Image { path: p, .. }) if p == path));
}
