//! The genuine files of Quick, Draw!: all readers, the rasteriser, the simplification. Skipped where they are not there.

use doodle::read::Format;
use doodle::strokes::is_simplified;
use doodle::{Art, Reader, Sample, Stroke, bitmap, simplify};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

fn data() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/quickdraw");
    let there = path.is_dir();
    if !there {
        eprintln!("skipped: {} is not there", path.display());
    }
    there.then_some(path)
}

fn all(path: &Path) -> Vec<Sample> {
    Reader::open(path).unwrap().map(Result::unwrap).collect()
}

fn strokes(sample: &Sample) -> &[Stroke] {
    match &sample.art {
        Art::Strokes(strokes) => strokes,
        Art::Bitmap(_) => panic!("a bitmap"),
    }
}

#[test]
fn every_format_is_read_to_its_end() {
    let Some(data) = data() else { return };
    let mut count = HashMap::new();
    for folder in ["binary", "numpy_bitmap", "pixels_bin", "raw", "simplified"] {
        for file in std::fs::read_dir(data.join(folder)).unwrap() {
            let reader = Reader::open(&file.unwrap().path()).unwrap();
            let (format, rows) = (reader.format(), reader.rows());
            let read = reader.map(Result::unwrap).count();
            assert!(rows.is_none_or(|r| r == read as u64));
            *count.entry((folder, format.name())).or_insert(0) += read;
        }
    }
    let want = [("binary", "binary", 1000), ("numpy_bitmap", "npy", 30_000), ("pixels_bin", "pixels", 2000)];
    want.iter().for_each(|(folder, format, n)| assert_eq!(count[&(*folder, *format)], *n, "{folder}"));
    assert_eq!(count.len(), 5, "every file of a folder is of one format: {count:?}");
    assert!(count[&("raw", "ndjson")] > 700 && count[&("simplified", "ndjson")] > 7000, "{count:?}");
}

/// The binary file has the drawings of the first thousand lines of the ndjson file.
#[test]
fn binary_and_ndjson_say_the_same() {
    let Some(data) = data() else { return };
    let (lines, records) = (all(&data.join("simplified/monkey.ndjson")), all(&data.join("binary/monkey.derived.bin")));
    assert_eq!(lines.len(), records.len());
    for (line, record) in lines.iter().zip(&records) {
        assert_eq!(line.word.as_deref(), Some("monkey"));
        assert_eq!((line.key, line.recognized, &line.art), (record.key, record.recognized, &record.art));
    }
}

/// Line k of a category is row k of its bitmaps: what cairo drew for the data set is what we draw.
#[test]
fn the_rasteriser_draws_the_genuine_bitmaps() {
    let Some(data) = data() else { return };
    let mut lines: HashMap<String, Vec<Sample>> = HashMap::new();
    for sample in all(&data.join("simplified/first20_of_344_categories.ndjson")) {
        lines.entry(sample.word.clone().unwrap()).or_default().push(sample);
    }
    let (mut sum, mut pixels, mut worst, mut drawings, mut known) = (0u64, 0u64, 0u8, 0, 0);
    for file in std::fs::read_dir(data.join("numpy_bitmap")).unwrap() {
        let reader = Reader::open(&file.unwrap().path()).unwrap();
        assert_eq!(reader.format(), Format::Npy);
        let Some(lines) = lines.get(&reader.stem()).filter(|_| reader.stem() != "monkey") else { continue };
        for (line, row) in lines.iter().zip(reader) {
            known += usize::from(is_simplified(strokes(line)));
            let (ours, genuine) = (line.art.bitmap(), row.unwrap().art.bitmap());
            let differences = ours.iter().zip(&genuine).map(|(a, b)| a.abs_diff(*b));
            worst = differences.clone().max().unwrap().max(worst);
            sum += differences.map(u64::from).sum::<u64>();
            pixels += 784;
            drawings += 1;
        }
    }
    let mean = sum as f64 / pixels as f64;
    eprintln!("{drawings} drawings: mean absolute error {mean:.3} of 255, largest {worst}");
    assert!(known == drawings, "{known} of {drawings} are known to be simplified");
    assert!(drawings >= 14 * 25 && mean < 0.5 && worst <= 24, "{drawings} drawings, mean {mean}, worst {worst}");
}

/// Raw drawings simplified here, against those of the same key in the simplified files.
#[test]
fn raw_drawings_are_simplified_as_published() {
    let Some(data) = data() else { return };
    let simplified = ["monkey.ndjson", "first20_of_344_categories.ndjson"].map(|f| all(&data.join("simplified").join(f)));
    let simplified: HashMap<u64, Sample> = simplified.into_iter().flatten().map(|s| (s.key.unwrap(), s)).collect();
    let (mut pairs, mut equal, mut same, mut error) = (0, 0, 0, 0.0);
    for file in std::fs::read_dir(data.join("raw")).unwrap() {
        for raw in all(&file.unwrap().path()) {
            let Some(published) = simplified.get(&raw.key.unwrap()) else { continue };
            pairs += 1;
            equal += usize::from(simplify(strokes(&raw)) == strokes(published));
            let (a, b) = (bitmap(strokes(&raw)), published.art.bitmap());
            same += usize::from(a == b);
            error += a.iter().zip(&b).map(|(a, b)| f64::from(a.abs_diff(*b))).sum::<f64>() / 784.0;
        }
    }
    let share = |n: usize| n as f64 / pairs as f64;
    eprintln!("{pairs} pairs: {:.3} equal strokes, {:.3} equal bitmaps, error {:.4}", share(equal), share(same), error / pairs as f64);
    assert!(pairs >= 300 && share(equal) > 0.9 && share(same) > 0.9 && error / (pairs as f64) < 0.1, "{equal} and {same} of {pairs}");
}
