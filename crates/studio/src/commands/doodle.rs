//! `neurona doodle FILE…`: what drawings show.

pub mod eval;
pub mod train;

use super::connect4::unusable;
use crate::network::saved;
use crate::report::{Exit, Report};
use crate::run::{META, RunFolder};
use crate::table::{Align, Table};
use crate::{Shell, Texts, failure};
use doodle::read::BadData;
use doodle::{Answer, Art, Doodler, Reader, SIZE, Stroke, picture, svg};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Arguments of `neurona doodle`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The files
    #[arg(value_name = "FILE", required_unless_present = "ink")]
    files: Vec<PathBuf>,
    /// A drawing as text
    #[arg(long, value_name = "STROKES", conflicts_with = "files")]
    ink: Option<String>,
    /// The run
    #[arg(long, value_name = "RUN")]
    run: Option<PathBuf>,
    /// The network that comes with the program
    #[arg(long, conflicts_with = "run")]
    built_in: bool,
    /// Guesses of each drawing
    #[arg(long, value_name = "N", default_value_t = 5, hide_default_value = true)]
    top: usize,
    /// Drawings of each file
    #[arg(long, value_name = "N", default_value_t = 10, hide_default_value = true)]
    limit: usize,
    /// Whether the pixels are shown
    #[arg(long)]
    show: bool,
}

/// What a run of doodles knows besides its network.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Notes {
    /// See [`doodle::calibrate::temperature`]; none before the training is over.
    pub temperature: Option<f64>,
    /// Drawings that were read.
    pub drawings: usize,
    /// Seconds that it took to read them and make pixels of them.
    pub seconds: f64,
}

/// The file of [`Notes`] in a run folder.
pub(super) const NOTES: &str = "doodle.json";

impl Notes {
    /// Those of a run; none if it is one of another network.
    pub fn read(folder: &RunFolder) -> Option<Notes> {
        folder.read(NOTES).ok().and_then(|text| serde_json::from_str(&text).ok())
    }
}

/// A drawing of a file, its number from 1, and what it is said to be.
struct Drawing {
    row: usize,
    word: Option<String>,
    art: Art,
}

/// Prints what the drawings show.
///
/// # Errors
/// A run or files that cannot be used (4).
pub fn run(args: &Args, shell: &mut Shell) -> Result<(), Report> {
    let texts = shell.texts;
    let (mut doodler, network) = if args.built_in { built_in(&texts)? } else { recogniser(&texts, args.run.as_deref())? };
    let mut all = vec![];
    for path in &args.files {
        all.extend(drawings(path, args.limit).map_err(|e| bad(&texts, &e))?.into_iter().map(|d| (path.clone(), d)));
    }
    if let Some(text) = &args.ink {
        all.push((PathBuf::from("--ink"), Drawing { row: 1, word: None, art: Art::Strokes(ink(&texts, text)?) }));
    }
    let mut results = vec![];
    for (path, drawing) in all {
        let answer = match &drawing.art {
            Art::Strokes(strokes) => doodler.guess(strokes),
            Art::Bitmap(pixels) => doodler.guess_bitmap(pixels),
        };
        results.push((path, drawing, answer.map_err(|e| failure::report(&texts, &e))?));
    }
    if shell.json {
        let one = |(path, d, a): &(PathBuf, Drawing, Answer)| {
            let guesses: Vec<_> = a.guesses.iter().take(args.top).collect();
            json!({ "file": path, "row": d.row, "word": d.word, "sure": a.sure, "guesses": guesses })
        };
        return shell.print_json(&json!({ "network": network, "drawings": results.iter().map(one).collect::<Vec<_>>() }));
    }
    for (i, (path, drawing, answer)) in results.iter().enumerate() {
        let head = texts.fill("doodle.of", &[("path", &path.display()), ("row", &drawing.row)]);
        let word = drawing.word.as_ref().map(|w| format!(" ({w})")).unwrap_or_default();
        let pixels = if args.show { format!("{}\n", shown(&drawing.art.bitmap())) } else { String::new() };
        let gap = if i == 0 { "" } else { "\n" };
        shell.print(&format!("{gap}{head}{word}\n{pixels}{}", text(&texts, answer, args.top)))?;
    }
    shell.print(&format!("\n{network}"))
}

/// The guesses as a table, and whether they are to be trusted.
fn text(texts: &Texts, answer: &Answer, top: usize) -> String {
    if answer.guesses.is_empty() {
        return texts.get("doodle.nothing");
    }
    let mut table = Table::new(&[(&texts.get("doodle.class")[..], Align::Left), (&texts.get("doodle.probability")[..], Align::Right)]);
    answer.guesses.iter().take(top).for_each(|g| table.row([g.class.clone(), format!("{:.1} %", 100.0 * g.probability)]));
    if answer.sure { table.to_string() } else { format!("{table}\n{}", texts.get("doodle.unsure")) }
}

/// Strokes as the page of doodles writes them: points `x,y` with dots between them, strokes with semicolons.
fn ink(texts: &Texts, text: &str) -> Result<Vec<Stroke>, Report> {
    let point = |p: &str| p.split_once(',').and_then(|(x, y)| Some((x.parse::<u16>().ok()?.into(), y.parse::<u16>().ok()?.into())));
    let stroke = |s: &str| s.split('.').map(point).collect::<Option<Stroke>>();
    text.split(';').filter(|s| !s.is_empty()).map(stroke).collect::<Option<_>>().ok_or_else(|| {
        let short: String = text.chars().take(60).collect();
        let what = texts.fill("usage.bad_value", &[("value", &short), ("arg", &"--ink")]);
        Report::new(Exit::Usage, what, "", texts.get("doodle.ink"))
    })
}

/// Two rows of pixels as one line of characters.
fn shown(pixels: &[u8]) -> String {
    let on = |x: usize, y: usize| pixels[y * SIZE + x] > 100;
    let cell = |x: usize, y: usize| [[' ', '▄'], ['▀', '█']][usize::from(on(x, y))][usize::from(on(x, y + 1))];
    let line = |y: usize| (0..SIZE).map(|x| cell(x, 2 * y)).collect::<String>().trim_end().to_string();
    (0..SIZE / 2).map(line).collect::<Vec<_>>().join("\n")
}

/// The first drawings of a file: SVG, a picture, or one of the formats of Quick, Draw!.
fn drawings(path: &Path, limit: usize) -> Result<Vec<Drawing>, BadData> {
    let fail = |why: String| BadData { path: path.into(), place: None, why };
    let mut start = vec![];
    let opened = std::fs::File::open(path).and_then(|f| f.take(512).read_to_end(&mut start));
    opened.map_err(|e| fail(e.to_string()))?;
    let one = |art| Ok(vec![Drawing { row: 1, word: None, art }]);
    if start.starts_with(b"\x89PNG") || start.starts_with(b"\xff\xd8\xff") {
        return one(Art::Bitmap(picture::bitmap(path)?));
    }
    let text = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&start);
    if text.iter().find(|b| !b.is_ascii_whitespace()) == Some(&b'<') {
        let text = std::fs::read_to_string(path).map_err(|e| fail(e.to_string()))?;
        return one(Art::Strokes(svg::strokes(&text).map_err(fail)?));
    }
    let samples = Reader::open(path)?.take(limit).enumerate();
    samples.map(|(i, s)| s.map(|s| Drawing { row: i + 1, word: s.word, art: s.art })).collect()
}

/// The recogniser that is part of the program, and how it is called.
fn built_in(texts: &Texts) -> Result<(Doodler, String), Report> {
    let doodler = Doodler::built_in().map_err(|e| failure::report(texts, &e))?;
    Ok((doodler, texts.get("doodle.built_in")))
}

/// The recogniser of a run; else of the newest finished run of `train doodle` in `runs`; else the one that is part of the program.
/// And how it is called.
pub(crate) fn recogniser(texts: &Texts, run: Option<&Path>) -> Result<(Doodler, String), Report> {
    let Some(path) = run.map(Path::to_path_buf).or_else(|| newest(texts)) else { return built_in(texts) };
    let (folder, _, meta, trainer) = saved::load(texts, &path)?;
    // Before its end, outputs are taken as they are.
    let temperature = Notes::read(&folder).and_then(|n| n.temperature).unwrap_or(1.0);
    let classes = meta.preprocessing.classes.clone();
    let doodler = Doodler::new(trainer, classes, temperature).map_err(|e| {
        let what = texts.fill("doodle.other_network", &[("path", &folder.path().display())]);
        Report::new(Exit::Data, what, e.to_string(), texts.get("doodle.other_network.fix"))
    })?;
    Ok((doodler, texts.fill("doodle.run", &[("path", &folder.path().display())])))
}

/// Whether a run is a finished one of `train doodle`.
pub(crate) fn is_recogniser(run: &RunFolder) -> bool {
    Notes::read(run).is_some_and(|n| n.temperature.is_some())
}

/// The run of doodles that was finished last.
pub(super) fn newest(texts: &Texts) -> Option<PathBuf> {
    let finished = RunFolder::all(texts).into_iter().filter(|r| r.name().starts_with("doodle-") && is_recogniser(r));
    let time = |r: &RunFolder| std::fs::metadata(r.file(META)).and_then(|m| m.modified()).ok();
    finished.max_by_key(time).map(|r| r.path().to_path_buf())
}

/// The report of a file of drawings that cannot be used.
pub(super) fn bad(texts: &Texts, e: &BadData) -> Report {
    match &e.place {
        None => unusable(texts, &e.path, &e.why),
        Some(place) => unusable(texts, &e.path, &format!("{place}: {}", e.why)),
    }
}

/// All files of drawings that paths name: files, and what is in folders under the endings ndjson, npy and bin.
pub(super) fn files(texts: &Texts, paths: &[PathBuf]) -> Result<Vec<PathBuf>, Report> {
    let mut all = vec![];
    for path in paths {
        if !path.is_dir() {
            all.push(path.clone());
            continue;
        }
        let entries = std::fs::read_dir(path).map_err(|e| unusable(texts, path, &e))?;
        let drawn = |p: &PathBuf| p.extension().is_some_and(|e| ["ndjson", "npy", "bin"].iter().any(|k| e == *k));
        let mut found: Vec<PathBuf> = entries.flatten().map(|e| e.path()).filter(|p| drawn(p) && p.is_file()).collect();
        found.sort();
        if found.is_empty() {
            return Err(unusable(texts, path, &texts.get("doodle.no_files")));
        }
        all.extend(found);
    }
    Ok(all)
}
