//! Files that are damaged, mislabelled or made to harm: an error that says where, or drawings; never a panic.

use doodle::{Art, Reader, Sample, Stroke, bitmap};
use neurona::Random;
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

const SVG: &str = r##"<?xml version="1.0"?><!-- a --><svg viewBox="0 0 90 90"><g transform="rotate(30 4 4) scale(2,.5)">
<path d="M1 2c3 4 5 6 7 8A9 9 0 0 1 3 4zm5-5h3v4H1V7q1 2 3 4t5 6s7 8 9 1l1e1-.5.5 3"/><polyline points="1,2 3,4 5 6"/>
<polygon points="1 2 3 4 5 9"/><line x1="1" y1="2" x2="3%" y2="4px"/><rect x="1" width="9" height="8" fill="none"/><circle r="4"/>
<ellipse cx="9" rx="4" ry="2"/></g></svg>"##;

/// What means something in the formats.
const SIGNS: &[u8] = b"0123456789-.eE[]{},:\"\n<>/=%MmAzZ ";

/// What decides the changes.
struct Dice(Random);

impl Dice {
    fn roll(&mut self, end: usize) -> usize {
        self.0.below(end.max(1))
    }

    /// Changes, removes, inserts and repeats a few bytes.
    fn change(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..1 + self.roll(8) {
            let (at, other) = (self.roll(bytes.len()), self.roll(bytes.len()));
            match self.roll(6) {
                0 if self.roll(3) == 0 => bytes.truncate(at),
                1 => bytes.insert(at.min(bytes.len()), self.roll(256) as u8),
                2 if at < bytes.len() => bytes[at] = self.roll(256) as u8,
                3 if at < bytes.len() => bytes[at] = SIGNS[self.roll(SIGNS.len())],
                4 if at < other => bytes.extend_from_within(at..other),
                _ if at < bytes.len() => _ = bytes.remove(at),
                _ => {}
            }
        }
    }

    /// A grey picture of up to 90 × 90 pixels: paper, lines and blots, noise.
    fn picture(&mut self) -> image::GrayImage {
        let (w, h, paper) = (1 + self.roll(90) as u32, 1 + self.roll(90) as u32, self.roll(256) as u8);
        let mut picture = image::GrayImage::from_pixel(w, h, image::Luma([paper]));
        for _ in 0..self.roll(40) {
            let (x, y, value) = (self.roll(w as usize) as u32, self.roll(h as usize) as u32, self.roll(256) as u8);
            let (right, down) = (1 + self.roll(30) as u32, 1 + self.roll(4) as u32);
            for (x, y) in (x..w.min(x + right)).flat_map(|x| (y..h.min(y + down)).map(move |y| (x, y))) {
                picture.put_pixel(x, y, image::Luma([value]));
            }
        }
        picture
    }
}

/// How long files are changed at random: a second, or as many as NEURONA_FUZZ_SECONDS says.
fn until_then(mut step: impl FnMut()) {
    let seconds = std::env::var("NEURONA_FUZZ_SECONDS").ok().and_then(|s| s.parse().ok()).unwrap_or(1);
    let (begin, mut files) = (Instant::now(), 0u64);
    while begin.elapsed() < Duration::from_secs(seconds) {
        step();
        files += 1;
    }
    eprintln!("{files} files");
    assert!(files > 20, "{files}");
}

#[test]
fn no_file_makes_a_reader_fail_in_another_way() {
    let whole = npy("{'descr': '|u1', 'fortran_order': False, 'shape': (2, 784), }", 2);
    let seeds =
        [LINE.repeat(2).replace("}{", "}\n{").into_bytes(), record(&[&[(1, 2), (3, 4)], &[(5, 6)]]).repeat(3), whole, vec![0; 1568]];
    let mut dice = Dice(Random::new(1, 0));
    until_then(|| {
        let mut bytes = seeds[dice.roll(seeds.len())].clone();
        dice.change(&mut bytes);
        if let Ok(samples) = read("fuzz", &bytes) {
            samples.iter().for_each(|s| assert_eq!(s.art.bitmap().len(), 784));
        }
    });
    let strokes: Vec<Stroke> = vec![vec![(f32::MAX, f32::MIN), (f32::MIN, f32::MAX)], vec![(f32::NAN, f32::INFINITY)], vec![]];
    assert_eq!(bitmap(&strokes).len(), 784);
}

#[test]
fn no_drawing_in_svg_makes_its_reader_fail_in_another_way() {
    assert!(doodle::svg::strokes(SVG).unwrap().len() > 7, "before it is changed, all of it is read");
    let mut dice = Dice(Random::new(2, 0));
    until_then(|| {
        let mut bytes = SVG.as_bytes().to_vec();
        dice.change(&mut bytes);
        if let Ok(strokes) = doodle::svg::strokes(&String::from_utf8_lossy(&bytes)) {
            assert_eq!(bitmap(&strokes).len(), 784);
        }
    });
}

/// Changed PNG and JPEG files mostly fail at their checksums and tables; pictures of anything go through all that follows.
#[test]
fn no_picture_makes_its_reader_fail_in_another_way() {
    let mut dice = Dice(Random::new(3, 0));
    let encoded = |picture: &image::GrayImage, format| {
        let mut bytes = std::io::Cursor::new(vec![]);
        picture.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    };
    let mut drawn = [0, 0];
    until_then(|| {
        let picture = dice.picture();
        let kind = dice.roll(4);
        let result = match kind {
            0 | 1 => {
                let mut bytes = encoded(&picture, [image::ImageFormat::Png, image::ImageFormat::Jpeg][kind]);
                dice.change(&mut bytes);
                doodle::picture::bitmap(&file("fuzz-picture", &bytes)).map_err(|e| e.to_string())
            }
            _ => doodle::picture::from_grey(&picture),
        };
        drawn[usize::from(kind > 1)] += usize::from(result.as_ref().is_ok_and(|pixels| pixels.len() == 784));
        assert!(result.map_or(true, |pixels| pixels.len() == 784));
    });
    assert!(drawn.iter().all(|&n| n > 0), "some are drawings: {drawn:?}");
}
