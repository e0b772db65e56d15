//! `neurona eval doodle`: how good a recogniser is, class by class, and a gallery of what it takes for something else.

use super::{bad, files, newest, recogniser, train};
use crate::config::Source;
use crate::network::{Network, saved};
use crate::report::{Exit, Report};
use crate::run::{CONFIG, unwritable, write_whole};
use crate::table::{Align, Table};
use crate::{Shell, Texts, failure, interrupt};
use doodle::gallery::{self, Tile};
use doodle::judge::{self, Quality};
use doodle::lesson::Split;
use doodle::{Art, Doodler, PIXELS, Reader, bitmap, made};
use neurona::Random;
use neurona::data::load;
use serde_json::json;
use std::path::{Path, PathBuf};

/// Arguments of `neurona eval doodle`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Files and folders of drawings
    #[arg(value_name = "PATH")]
    data: Vec<PathBuf>,
    /// The run
    #[arg(long, value_name = "RUN")]
    run: Option<PathBuf>,
    /// Drawings of each class
    #[arg(long, value_name = "N", default_value_t = usize::MAX, hide_default_value = true)]
    each: usize,
    /// Only test rows
    #[arg(long, requires = "data")]
    test: bool,
    /// As on a canvas
    #[arg(long, requires = "data")]
    canvas: bool,
    /// The confusion matrix as a picture
    #[arg(long, value_name = "FILE.svg")]
    confusion: Option<PathBuf>,
    /// A picture of the mistakes
    #[arg(long, value_name = "FILE.svg")]
    gallery: Option<PathBuf>,
}

/// Mistakes in a gallery.
const SHOWN: usize = 60;

/// Made drawings of each class where nothing else is to be judged by; no network has seen those of this seed.
const MADE: u64 = 50;
const SEED: u64 = 1_000_003;

/// Drawings as pixels one after another, their classes, and the pixels of the same drawings from a canvas, if they are asked for.
#[derive(Default)]
struct Shown {
    pixels: Vec<u8>,
    labels: Vec<usize>,
    canvas: Option<Vec<u8>>,
}

/// Judges, and prints the shares and a table of the classes.
///
/// # Errors
/// A run or drawings that cannot be used (4), an interruption (130), a picture that cannot be written (1).
pub fn run(args: &Args, shell: &mut Shell) -> Result<(), Report> {
    let texts = shell.texts;
    let run = args.run.clone().or_else(|| newest(&texts));
    let (mut doodler, network) = recogniser(&texts, run.as_deref())?;
    let Shown { pixels, labels, canvas } = match (&args.data[..], &run) {
        ([], None) => made_rows(&doodler),
        ([], Some(run)) => test_rows(&texts, run)?,
        (paths, _) => known_rows(&texts, &files(&texts, paths)?, args, &doodler)?,
    };
    if labels.is_empty() {
        return Err(Report::new(Exit::Data, texts.get("doodle.none_known"), "", texts.get("doodle.none_known.fix")));
    }
    interrupt::watch();
    let mut judged =
        |pixels: &[u8]| judge::quality(&mut doodler, pixels, &labels, |_| !interrupt::requested()).map_err(|e| failure::report(&texts, &e));
    let quality = judged(&pixels)?;
    let canvas = canvas.map(|pixels| judged(&pixels)).transpose()?;
    interrupt::check(&texts)?;
    let classes = doodler.classes();
    if let Some(path) = &args.confusion {
        let labels = [texts.get("doodle.truth"), texts.get("doodle.taken")];
        let svg = plot::confusion(&texts.get("doodle.confusion"), [&labels[0][..], &labels[1][..]], classes, &quality.confusion);
        write_whole(path, svg.as_bytes()).map_err(|e| unwritable(&texts, path, &e))?;
    }
    if let Some(path) = &args.gallery {
        write_whole(path, mistakes(&texts, &quality, &pixels, classes).as_bytes()).map_err(|e| unwritable(&texts, path, &e))?;
    }
    if shell.json {
        return shell.print_json(&json!({
            "network": network, "drawings": quality.drawings, "top1": quality.top[0], "top3": quality.top[1], "top5": quality.top[2],
            "sure": quality.sure[0], "right_when_sure": quality.sure[1], "calibration_error": quality.calibration_error,
            "canvas_top1": canvas.map(|c| c.top[0]), "classes": classes, "confusion": quality.confusion,
        }));
    }
    shell.print(&text(&texts, (&quality, canvas.as_ref()), classes, &network))
}

/// Made drawings of the classes that are known.
fn made_rows(doodler: &Doodler) -> Shown {
    let mut shown = Shown::default();
    for (class, name) in made::CLASSES.iter().enumerate() {
        let Some(label) = doodler.classes().iter().position(|c| c == name) else { continue };
        for number in 0..MADE {
            shown.pixels.extend(bitmap(&made::drawing(class, SEED, number)));
            shown.labels.push(label);
        }
    }
    shown
}

/// The rows of a run that were kept for its test.
fn test_rows(texts: &Texts, run: &Path) -> Result<Shown, Report> {
    let (folder, ..) = saved::load(texts, run)?;
    let source = Source::open(texts, &folder.file(CONFIG))?;
    let net = Network::read(texts, &source)?;
    let data = load(&net.data, folder.path()).map_err(|e| failure::data_of(texts, &source, &e))?;
    let rows = data.test.as_ref().map(|set| train::rows(texts, set)).transpose()?;
    Ok(rows.map_or_else(Shown::default, |(pixels, labels)| Shown { pixels, labels, canvas: None }))
}

/// The drawings of files whose class the network knows; those of strokes where they are to come from a canvas.
fn known_rows(texts: &Texts, paths: &[PathBuf], args: &Args, doodler: &Doodler) -> Result<Shown, Report> {
    let (mut shown, mut count) = (Shown { canvas: args.canvas.then(Vec::new), ..Shown::default() }, vec![0; doodler.classes().len()]);
    for path in paths {
        let reader = Reader::open(path).map_err(|e| bad(texts, &e))?;
        let stem = reader.stem();
        for sample in reader {
            let sample = sample.map_err(|e| bad(texts, &e))?;
            let class = sample.word.as_ref().unwrap_or(&stem);
            let Some(label) = doodler.classes().iter().position(|c| c == class).filter(|&l| count[l] < args.each) else { continue };
            count[label] += 1;
            if args.test && Split::of(count[label] - 1) != Split::Test {
                continue;
            }
            match (&mut shown.canvas, &sample.art) {
                (Some(canvas), Art::Strokes(strokes)) => {
                    let number = shown.labels.len() as u64;
                    canvas.extend(bitmap(&judge::on_canvas(strokes, &mut Random::new(SEED, number))));
                }
                (Some(_), Art::Bitmap(_)) => continue,
                (None, _) => {}
            }
            shown.pixels.extend(sample.art.bitmap());
            shown.labels.push(label);
        }
    }
    Ok(shown)
}

fn mistakes(texts: &Texts, quality: &Quality, pixels: &[u8], classes: &[String]) -> String {
    let tile = |m: &judge::Mistake| Tile {
        pixels: &pixels[m.row * PIXELS..][..PIXELS],
        lines: [classes[m.truth].clone(), format!("→ {} {:.0} %", classes[m.taken], 100.0 * m.probability)],
    };
    let tiles: Vec<Tile> = quality.mistakes.iter().take(SHOWN).map(tile).collect();
    let title = texts.fill("doodle.gallery", &[("shown", &tiles.len()), ("all", &quality.mistakes.len())]);
    gallery::svg(&title, &tiles)
}

fn text(texts: &Texts, (q, canvas): (&Quality, Option<&Quality>), classes: &[String], network: &str) -> String {
    let percent = |share: f64| format!("{:.2} %", 100.0 * share);
    let mut shares = Table::new(&[("", Align::Left), ("", Align::Right)]);
    shares.row([texts.get("doodle.drawings"), q.drawings.to_string()]);
    for (key, value) in ["doodle.top1", "doodle.top3", "doodle.top5", "doodle.sure", "doodle.right", "doodle.calibration"].iter().zip([
        q.top[0],
        q.top[1],
        q.top[2],
        q.sure[0],
        q.sure[1],
        q.calibration_error,
    ]) {
        shares.row([texts.get(key), percent(value)]);
    }
    if let Some(canvas) = canvas {
        shares.row([texts.get("doodle.canvas"), percent(canvas.top[0])]);
    }
    let head = ["doodle.class", "doodle.drawings", "doodle.recall", "doodle.precision", "doodle.mostly"].map(|k| texts.get(k));
    let side = |i: usize| if i == 0 || i == 4 { Align::Left } else { Align::Right };
    let mut table = Table::new(&head.iter().enumerate().map(|(i, h)| (&h[..], side(i))).collect::<Vec<_>>());
    for (i, (class, line)) in classes.iter().zip(&q.confusion).enumerate() {
        let (all, said): (usize, usize) = (line.iter().sum(), q.confusion.iter().map(|l| l[i]).sum());
        if all == 0 {
            continue;
        }
        let share = |part: usize, of: usize| if of == 0 { String::new() } else { format!("{:.1} %", 100.0 * part as f64 / of as f64) };
        let other = (0..line.len()).filter(|&j| j != i && line[j] > 0).max_by_key(|&j| line[j]);
        let other = other.map_or(String::new(), |j| format!("{} ({})", classes[j], line[j]));
        table.row([class.clone(), all.to_string(), share(line[i], all), share(line[i], said), other]);
    }
    format!("{}\n\n{table}\n\n{network}", shares.to_string().trim_start_matches('\n'))
}
