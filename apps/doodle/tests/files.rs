//! Files that are damaged, mislabelled or made to harm: an error that says where, or drawings; never a panic.

use doodle::{Art, Reader, Sample, Stroke, bitmap};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const LINE: &str = r#"{"word":"cat","countrycode":"ES","timestamp":"2017-03-01 09:00:00 UTC","recognized":true,"key_id":"9007199254740993","drawing":[[[0,255,30],[0,9,80]],[[4],[5]]]}"#;

fn file(name: &str, bytes: &[u8]) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("doodle-files");
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

fn read(name: &str, bytes: &[u8]) -> Result<Vec<Sample>, String> {
    Reader::open(&file(name, bytes)).and_then(Iterator::collect).map_err(|e| e.to_string())
}

fn npy(dictionary: &str, rows: usize) -> Vec<u8> {
    let header = format!("{dictionary:<69}\n");
    [b"\x93NUMPY\x01\x00", &(header.len() as u16).to_le_bytes()[..], header.as_bytes(), &vec![7; 784 * rows]].concat()
}

fn record(strokes: &[&[(u8, u8)]]) -> Vec<u8> {
    let mut bytes = [&9u64.to_le_bytes()[..], b"ES\x01", &7u32.to_le_bytes(), &(strokes.len() as u16).to_le_bytes()].concat();
    for s in strokes {
        bytes.extend((s.len() as u16).to_le_bytes());
        bytes.extend(s.iter().map(|p| p.0).chain(s.iter().map(|p| p.1)));
    }
    bytes
}

#[test]
fn every_format_is_told_by_its_contents() {
    let strokes = vec![vec![(0.0, 0.0), (255.0, 9.0), (30.0, 80.0)], vec![(4.0, 5.0)]];
    let lines = read("wrong.npy", format!("\n{LINE}\n\n{LINE}").as_bytes()).unwrap();
    assert_eq!(lines.len(), 2, "blank lines and a missing line break at the end are nothing");
    let want =
        Sample { word: Some("cat".into()), key: Some(9_007_199_254_740_993), recognized: Some(true), art: Art::Strokes(strokes.clone()) };
    assert_eq!(lines, [want.clone(), want]);
    let records = read("wrong.ndjson", &record(&[&[(0, 0), (255, 9), (30, 80)], &[(4, 5)]]).repeat(3)).unwrap();
    assert_eq!((records.len(), &records[2].art, records[2].key), (3, &Art::Strokes(strokes), Some(9)));
    for shape in ["(2, 784)", "(2, 1, 784)", "(2, 28, 28)", "(2L, 28, 28, 1)"] {
        let rows = read("x.bin", &npy(&format!("{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}"), 2)).unwrap();
        assert_eq!((rows.len(), rows[1].art.bitmap()), (2, vec![7; 784]));
    }
    let mut pixels = vec![0u8; 3 * 784];
    pixels[800] = 255;
    assert_eq!(read("p.bin", &pixels).unwrap()[1].art.bitmap()[16], 255);
}

#[test]
fn mistakes_are_named_with_their_place() {
    let after = |text: &str| format!("{LINE}\n{text}\n").into_bytes();
    let one = record(&[&[(1, 2), (3, 4)]]);
    let dictionary =
        |kind: &str, order: &str, shape: &str| npy(&format!("{{'descr': '{kind}', 'fortran_order': {order}, 'shape': {shape}}}"), 1);
    let cases: Vec<(Vec<u8>, &str)> = vec![
        (vec![], "it is empty"),
        (b"\x89PNG\r\n".to_vec(), "it is a PNG picture"),
        (b"\x1f\x8b....".to_vec(), "compressed by gzip"),
        (b"<svg/>".to_vec(), "it is markup"),
        (b"hello".to_vec(), "no file of drawings"),
        (after(r#"{"word":"cat"}"#), "line 2: missing field `drawing`"),
        (after(r#"{"drawing":[[[1,2],[3]]]}"#), "line 2: stroke 1: 2 values of x but 1 of y"),
        (after(r#"{"drawing":[[[1,2]]]}"#), "line 2: stroke 1: 1 lists instead of two"),
        (after(r#"{"drawing":[],"key_id":"x"}"#), "line 2: key_id \"x\" is no whole number"),
        (after(&LINE[..130]), "line 2: EOF while parsing"),
        ([&one[..], &one[..20]].concat(), "drawing 2: the file ends within it"),
        ([&one[..], &[9; 40]].concat(), "drawing 2: 9 at byte 33 is neither 0 nor 1"),
        (dictionary("|u1", "False", "(9, 784)"), "promises 9 drawings, but 1 whole ones follow"),
        (dictionary("|u1", "False", "(18446744073709551615, 784)"), "truncated"),
        (dictionary("<f4", "False", "(1, 784)"), "not bytes"),
        (dictionary("|u1", "True", "(1, 784)"), "Fortran order"),
        (dictionary("|u1", "False", "(1, 783)"), "rows of 784 values are expected"),
        (npy("{}", 1), "the key 'descr' is missing"),
        (b"\x93NUMPY\x09\x00\x01\x00{}  ".to_vec(), "version 9"),
        (b"\x93NUMPY\x02\x00\xff\xff\xff\xff".to_vec(), "not sensible"),
        (b"\x93NUMPY\x01\x00".to_vec(), "the file ends within it"),
    ];
    for (i, (bytes, what)) in cases.iter().enumerate() {
        let e = read(&format!("bad-{i}"), bytes).unwrap_err();
        assert!(e.contains(what), "{i}: {e}");
    }
    assert!(Reader::open(Path::new("/nowhere/at all")).is_err() && Reader::open(Path::new("/")).is_err());
}

/// Files changed at random: for a second, or as many as NEURONA_FUZZ_SECONDS says.
#[test]
fn no_file_makes_a_reader_fail_in_another_way() {
    let seconds = std::env::var("NEURONA_FUZZ_SECONDS").ok().and_then(|s| s.parse().ok()).unwrap_or(1);
    let whole = npy("{'descr': '|u1', 'fortran_order': False, 'shape': (2, 784), }", 2);
    let seeds =
        [LINE.repeat(2).replace("}{", "}\n{").into_bytes(), record(&[&[(1, 2), (3, 4)], &[(5, 6)]]).repeat(3), whole, vec![0; 1568]];
    let (begin, mut state, mut files) = (Instant::now(), 1u64, 0);
    let mut random = move |end: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % end.max(1)
    };
    while begin.elapsed() < Duration::from_secs(seconds) {
        let mut bytes = seeds[random(seeds.len())].clone();
        for _ in 0..1 + random(8) {
            let (at, other) = (random(bytes.len()), random(bytes.len()));
            match random(6) {
                0 => bytes.truncate(at),
                1 => bytes.insert(at.min(bytes.len()), random(256) as u8),
                2 if at < bytes.len() => bytes[at] = random(256) as u8,
                3 if at < bytes.len() => bytes[at] = b"0123456789-.eE[]{},:\"\n"[random(22)],
                4 if at < other => bytes.extend_from_within(at..other),
                _ if at < bytes.len() => _ = bytes.remove(at),
                _ => {}
            }
        }
        if let Ok(samples) = read("fuzz", &bytes) {
            samples.iter().for_each(|s| assert_eq!(s.art.bitmap().len(), 784));
        }
        files += 1;
    }
    assert!(files > 20, "{files}");
    let strokes: Vec<Stroke> = vec![vec![(f32::MAX, f32::MIN), (f32::MIN, f32::MAX)], vec![(f32::NAN, f32::INFINITY)], vec![]];
    assert_eq!(bitmap(&strokes).len(), 784);
}
