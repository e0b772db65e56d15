//! The network that comes with the crate: what it says of made drawings, of drawings by people, and of what is none.

use doodle::{Art, Doodler, Reader, Stroke, judge, made};
use neurona::Random;
use std::path::Path;
use std::time::Instant;

/// Many made drawings that it has not seen (another seed).
#[test]
fn made_drawings_are_recognised() {
    let mut doodler = Doodler::built_in().unwrap();
    let (mut pixels, mut labels) = (vec![], vec![]);
    for class in 0..made::CLASSES.len() {
        (0..20).for_each(|n| pixels.extend(doodle::bitmap(&made::drawing(class, 99, n))));
        labels.extend([class; 20]);
    }
    let quality = judge::quality(&mut doodler, &pixels, &labels, |_| true).unwrap();
    assert!(quality.top[0] > 0.97, "{:?}", quality.top);
    assert_eq!(quality.confusion.iter().flatten().sum::<usize>(), 400);
}

/// What people drew: the network has never seen such a drawing. Chance is one in twenty.
#[test]
fn drawings_by_people_are_recognised_wherever_and_however_large_they_are() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/quickdraw/simplified/first20_of_344_categories.ndjson");
    let Ok(reader) = Reader::open(&path) else { return eprintln!("skipped: {} is not there", path.display()) };
    let mut doodler = Doodler::built_in().unwrap();
    let (mut right, mut moved_right, mut all) = (0, 0, 0);
    for (i, sample) in reader.map(Result::unwrap).enumerate() {
        let Art::Strokes(strokes) = sample.art else { panic!("strokes") };
        let Some(word) = sample.word.filter(|w| made::CLASSES.contains(&&**w)) else { continue };
        let moved = judge::on_canvas(&strokes, &mut Random::new(1, i as u64));
        right += usize::from(doodler.guess(&strokes).unwrap().guesses[0].class == word);
        moved_right += usize::from(doodler.guess(&moved).unwrap().guesses[0].class == word);
        all += 1;
    }
    eprintln!("{right} of {all} drawings by people are recognised, {moved_right} on the canvas");
    assert!(all > 400 && right * 100 > all * 74 && right.abs_diff(moved_right) * 100 <= all, "{right}, {moved_right} of {all}");
}

#[test]
fn what_is_no_drawing_gets_a_sensible_answer() {
    let mut doodler = Doodler::built_in().unwrap();
    let nothing: [&[Stroke]; 4] = [&[], &[vec![]], &[vec![(5.0, 5.0)]], &[vec![(f32::NAN, 1.0), (1.0, f32::INFINITY)]]];
    for strokes in nothing {
        let answer = doodler.guess(strokes).unwrap();
        assert!(answer.guesses.is_empty() && !answer.sure, "{answer:?}");
    }
    let huge = vec![vec![(f32::MIN, 0.0), (f32::MAX, f32::MAX)]];
    let many: Vec<Stroke> = (0..10_000).map(|i| vec![((i % 100) as f32, (i / 100) as f32), ((i % 97) as f32, (i / 90) as f32)]).collect();
    let nan = vec![vec![(0.0, 0.0), (f32::NAN, 3.0), (90.0, 9.0)]];
    for strokes in [huge, many, nan] {
        let answer = doodler.guess(&strokes).unwrap();
        let sum: f32 = answer.guesses.iter().map(|g| g.probability).sum();
        assert!(answer.guesses.len() == 20 && (sum - 1.0).abs() < 1e-4);
        assert!(answer.guesses.windows(2).all(|w| w[0].probability >= w[1].probability));
    }
    assert!(doodler.guess_bitmap(&[0; 784]).unwrap().guesses.is_empty());
    assert!(doodler.guess_bitmap(&[0; 783]).is_err());
}

/// The time of an answer, the fastest of many: other programs may be running.
#[test]
fn an_answer_takes_less_than_five_milliseconds() {
    let mut doodler = Doodler::built_in().unwrap();
    let drawing = made::drawing(1, 1, 1);
    let time = |doodler: &mut Doodler| {
        let begin = Instant::now();
        doodler.guess(&drawing).unwrap();
        begin.elapsed().as_secs_f64()
    };
    time(&mut doodler); // compiles
    let fastest = (0..50).map(|_| time(&mut doodler)).fold(f64::INFINITY, f64::min);
    eprintln!("an answer takes {:.2} ms", 1000.0 * fastest);
    assert!(fastest < 0.005, "{fastest} s");
}
