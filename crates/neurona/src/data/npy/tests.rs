use super::*;
use crate::data::testing::{TempDir, shared};

/// An `.npy` file of version 1.0 with this header, however wrong.
fn file(descr: &str, fortran: &str, shape: &str, data: &[u8]) -> Vec<u8> {
    let text = format!("{{'descr': {descr}, 'fortran_order': {fortran}, 'shape': {shape}, }}\n");
    [b"\x93NUMPY\x01\x00", &(text.len() as u16).to_le_bytes()[..], text.as_bytes(), data].concat()
}

#[test]
fn every_type() {
    let dir = TempDir::new();
    let cases: [(&str, Vec<u8>); 12] = [
        ("'|b1'", vec![0, 1]),
        ("'|u1'", vec![0, 1]),
        ("'|i1'", vec![0, 1]),
        ("'<u2'", vec![0, 0, 1, 0]),
        ("'>i2'", vec![0, 0, 0, 1]),
        ("'<i4'", [0i32.to_le_bytes(), 1i32.to_le_bytes()].concat()),
        ("'>u4'", [0u32.to_be_bytes(), 1u32.to_be_bytes()].concat()),
        ("'<i8'", [0i64.to_le_bytes(), 1i64.to_le_bytes()].concat()),
        ("'>u8'", [0u64.to_be_bytes(), 1u64.to_be_bytes()].concat()),
        ("'<f2'", vec![0, 0, 0, 0x3c]),
        ("'>f4'", [0f32.to_be_bytes(), 1f32.to_be_bytes()].concat()),
        ("\"<f8\"", [0f64.to_le_bytes(), 1f64.to_le_bytes()].concat()),
    ];
    for (descr, data) in cases {
        let path = dir.file("a.npy", file(descr, "False", "(2,)", &data));
        assert_eq!(read(&path).unwrap(), Array::new(vec![2], vec![0.0, 1.0]).unwrap(), "{descr}");
        assert_eq!(is_integer(&path).unwrap(), !descr.contains('f'));
    }
}

#[test]
fn written_and_read_back() {
    let dir = TempDir::new();
    let path = dir.path.join("a.npy");
    let array = Array::new(vec![3, 1, 2], vec![1.5, -2.0, f32::MIN_POSITIVE, 4.0, f32::MAX, 0.1]).unwrap();
    write(&path, &array).unwrap();
    assert_eq!(read(&path).unwrap(), array);
    assert_eq!(read_rows(&path, 1, 2).unwrap(), array.take(&[1, 2]).unwrap());
    assert_eq!(rows(&path).unwrap(), 3);
    assert_eq!(fs::read_dir(&dir.path).unwrap().count(), 1, "the part file is gone");
    assert_eq!(fs::metadata(&path).unwrap().len() % 64, 24, "numbers at a multiple of 64");
    let error = write(&dir.path.join("none/a.npy"), &array).unwrap_err();
    assert!(matches!(error, DataError::Unwritable { .. }), "{error}");
    assert!(write(&path, &Array { shape: vec![7], data: vec![] }).is_err());
}

#[test]
fn fortran_order_is_transposed() {
    let dir = TempDir::new();
    // [[[0, 1, 2], [3, 4, 5]], [[6, 7, 8], [9, 10, 11]]] in Fortran order.
    let path = dir.file("f.npy", file("'|u1'", "True", "(2, 2, 3)", &[0, 6, 3, 9, 1, 7, 4, 10, 2, 8, 5, 11]));
    let expected = Array::new(vec![2, 2, 3], (0..12u8).map(f32::from).collect()).unwrap();
    assert_eq!(read(&path).unwrap(), expected);
    assert_eq!(read_rows(&path, 1, 1).unwrap(), expected.take(&[1]).unwrap());
}

#[test]
fn scalars_and_empty_arrays() {
    let dir = TempDir::new();
    let scalar = dir.file("s.npy", file("'|u1'", "False", "()", &[7]));
    assert_eq!(read(&scalar).unwrap(), Array::new(vec![1], vec![7.0]).unwrap());
    let empty = dir.file("e.npy", file("'|u1'", "False", "(0, 5)", &[]));
    assert_eq!(read(&empty).unwrap().rows(), 0);
    let huge = dir.file("h.npy", file("'|u1'", "True", "(0, 18446744073709551615, 9)", &[]));
    assert_eq!(read(&huge).unwrap().rows(), 0);
    assert_eq!(read_rows(&huge, 0, 0).unwrap().rows(), 0);
    let hollow = dir.file("o.npy", file("'|u1'", "False", "(18446744073709551615, 0)", &[]));
    assert!(matches!(read(&hollow), Err(DataError::ArrayShape { .. })));
    assert!(matches!(read_rows(&hollow, 5, usize::MAX - 5), Err(DataError::ArrayShape { .. })));
}

#[test]
fn truncated() {
    let dir = TempDir::new();
    let bytes = file("'<f4'", "False", "(2, 3)", &[0; 20]);
    let path = dir.file("t.npy", &bytes);
    let expected = bytes.len() as u64 + 4;
    assert_eq!(read(&path).unwrap_err(), DataError::Truncated { path: path.clone(), expected, actual: expected - 4 });
    assert!(read_rows(&path, 0, 1).is_err(), "a truncated file is not trusted in part");
    for claim in ["(1000000000000, 784)", "(18446744073709551615, 18446744073709551615)"] {
        let path = dir.file("t.npy", file("'<f8'", "False", claim, &[0; 8]));
        assert!(matches!(read(&path), Err(DataError::Truncated { .. })));
    }
}

/// A sparse file of more than 4 GiB, which occupies no space: its values are never asked memory for.
#[test]
fn too_large() {
    let dir = TempDir::new();
    let path = dir.file("l.npy", file("'|u1'", "False", "(4294967297,)", &[]));
    File::options().append(true).open(&path).unwrap().set_len((1 << 32) + 200).unwrap();
    let error = read(&path).unwrap_err();
    assert!(matches!(error, DataError::TooLarge { size: 4_294_967_297, limit: 4_294_967_296, .. }), "{error}");
    assert_eq!(read_rows(&path, 4_294_967_290, 2).unwrap().data, [0.0; 2], "a part is not too large");
}

#[test]
fn every_prefix_is_an_error() {
    let dir = TempDir::new();
    let bytes = file("'<f4'", "False", "(2,)", &[0; 8]);
    for n in 0..bytes.len() {
        let path = dir.file("p.npy", &bytes[..n]);
        let error = read(&path).unwrap_err();
        assert!(matches!(error, DataError::BadMagic { .. } | DataError::Truncated { .. }), "{n}: {error}");
    }
    // Any byte of the header may be damaged in any way: no panic.
    for at in 0..bytes.len() {
        for value in [0, 1, b'9', b'(', b')', b'\'', 0x80, 255] {
            let mut damaged = bytes.clone();
            damaged[at] = value;
            let _ = read(&dir.file("d.npy", damaged));
        }
    }
}

#[test]
fn bad_headers() {
    let dir = TempDir::new();
    let error = read(&dir.file("x.npy", b"not numpy at all")).unwrap_err();
    assert!(error.to_string().contains("begins with 6e 6f 74 20 6e 75"), "{error}");
    for dtype in ["'<c8'", "'<U3'", "'|O'", "'<f16'", "'<i3'", "[('a', '<i4')]", "''", "'é'"] {
        let error = read(&dir.file("x.npy", file(dtype, "False", "(1,)", &[0; 16]))).unwrap_err();
        assert!(matches!(error, DataError::Dtype { .. }) && error.to_string().contains("astype"), "{dtype}: {error}");
    }
    for (fortran, shape) in [("Maybe", "(1,)"), ("False", "(-1,)"), ("False", "(1.5,)"), ("False", "7"), ("False", "(1")] {
        let error = read(&dir.file("x.npy", file("'|u1'", fortran, shape, &[0]))).unwrap_err();
        assert!(matches!(error, DataError::BadHeader { .. }), "{shape}: {error}");
    }
    let mut version = file("'|u1'", "False", "(1,)", &[0]);
    version[6] = 9;
    assert!(read(&dir.file("x.npy", version)).unwrap_err().to_string().contains("version 9"));
}

#[test]
fn rows_beyond_the_end() {
    let dir = TempDir::new();
    let path = dir.file("a.npy", file("'|u1'", "False", "(3, 2)", &[1, 2, 3, 4, 5, 6]));
    assert!(matches!(read_rows(&path, 2, 2), Err(DataError::TooFewRows { needed: 4, available: 3, .. })));
    assert!(read_rows(&path, usize::MAX, usize::MAX).is_err());
}

#[test]
fn genuine_drawings() {
    let Some(shared) = shared() else { return };
    let folder = shared.join("quickdraw/numpy_bitmap");
    let diamond = read(&folder.join("diamond.npy")).unwrap();
    assert_eq!(diamond.shape, [3000, 1, 784]);
    assert_eq!(read_rows(&folder.join("diamond.npy"), 2990, 10).unwrap(), diamond.take(&(2990..3000).collect::<Vec<_>>()).unwrap());
    let cat = read(&folder.join("cat.npy")).unwrap();
    assert_eq!(cat.shape, [2000, 784]);
    assert!(cat.data.iter().all(|v| (0.0..=255.0).contains(v) && v.fract() == 0.0) && cat.data.contains(&255.0));
    // 80-byte header of Google's originals.
    assert_eq!(read(&folder.join("fish.npy")).unwrap().shape, [2000, 784]);
}
