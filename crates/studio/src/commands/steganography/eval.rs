//! `neurona eval steganography`: what survives, at which quality, and how visible it is, over a folder of photographs.

use super::{codec, open, report};
use crate::page::Page;
use crate::progress::{Progress, Tick};
use crate::report::{Exit, Report};
use crate::run::{CONFIG, RunFolder};
use crate::table::{Align, Table};
use crate::{Shell, Texts, interrupt};
use plot::{Axis, Bars};
use serde_json::{Value, json};
use std::path::PathBuf;
use steganography::detect::area;
use steganography::eval::{Case, Harm, Load, judge, rival};
use steganography::picture::Format;
use steganography::{Model, Picture};

/// Arguments of `neurona eval steganography`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Folder of photographs
    #[arg(long, value_name = "DIR", default_value = "../shared/data/photos", hide_default_value = true)]
    photos: PathBuf,
    /// The report's folder
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// The first photographs
    #[arg(long, value_name = "N", default_value_t = usize::MAX, hide_default_value = true)]
    limit: usize,
    /// Bytes of the short message
    #[arg(long, value_name = "N", default_value_t = 121, hide_default_value = true)]
    bytes: usize,
    /// Seed of messages and noise
    #[arg(long, value_name = "N", default_value_t = 1, hide_default_value = true)]
    seed: u64,
    /// Worker threads
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    threads: usize,
}

/// A way to hide, and what each photograph gave; nothing where it was refused.
struct Row {
    name: String,
    cases: Vec<Option<Case>>,
}

/// Evaluates, writes the report and prints its table.
///
/// # Errors
/// A folder without photographs (4), an interruption (130), files that cannot be written (1).
pub fn run(args: &Args, shell: &mut Shell) -> Result<(), Report> {
    let texts = shell.texts;
    let photos = photos(&texts, args)?;
    interrupt::watch();
    let folder = RunFolder::shared(&texts, &args.out)?;
    let rows = rows(&texts, args, &photos, &folder)?;
    let value = json!({
        "photos": photos.iter().map(|p| p.file_name().map(|n| n.to_string_lossy())).collect::<Vec<_>>(),
        "bytes": args.bytes, "seed": args.seed, "rows": rows.iter().map(Row::json).collect::<Vec<_>>(),
    });
    folder.write("eval.json", format!("{value:#}\n").as_bytes())?;
    folder.write(CONFIG, format!("photos = {:?}\nbytes = {}\nseed = {}\n", args.photos.display(), args.bytes, args.seed).as_bytes())?;
    let charts = [("exact.svg", exact(&texts, &rows)), ("psnr.svg", qualities(&texts, &photos, &rows))];
    let (head, lines) = table(&texts, &rows);
    let mut page = Page::new(&texts, &texts.get("stego.eval.title"));
    page.table("", &head, &lines);
    for (name, svg) in &charts {
        folder.write(name, svg.as_bytes())?;
        page.picture(svg);
    }
    page.write(&folder)?;
    if shell.json {
        return shell.print_json(&value);
    }
    let aligned: Vec<(&str, Align)> =
        head.iter().enumerate().map(|(i, h)| (&h[..], if i == 0 { Align::Left } else { Align::Right })).collect();
    let mut text = Table::new(&aligned);
    lines.into_iter().for_each(|line| text.row(line));
    shell.print(&format!("{text}\n\n{}", texts.fill("stego.eval.about", &[("path", &folder.path().display())])))
}

fn photos(texts: &Texts, args: &Args) -> Result<Vec<PathBuf>, Report> {
    let none = |why: String| {
        let what = texts.fill("stego.eval.none", &[("path", &args.photos.display())]);
        Report::new(Exit::Data, what, why, texts.get("stego.eval.none.fix"))
    };
    let files = std::fs::read_dir(&args.photos).map_err(|e| none(e.to_string()))?;
    let mut paths: Vec<PathBuf> = files.flatten().map(|f| f.path()).filter(|p| Format::of(p).is_some()).collect();
    paths.sort();
    paths.truncate(args.limit);
    if paths.is_empty() { Err(none(String::new())) } else { Ok(paths) }
}

fn rows(texts: &Texts, args: &Args, photos: &[PathBuf], folder: &RunFolder) -> Result<Vec<Row>, Report> {
    let short = |name: &str| format!("{name}, {} B", args.bytes);
    let full = |name: &str| texts.fill("stego.eval.full", &[("name", &name)]);
    let ways = [
        (full("photo"), Model::Photo, Load::Full),
        (short("photo"), Model::Photo, Load::Bytes(args.bytes)),
        (short("robust"), Model::Robust, Load::Bytes(args.bytes)),
    ];
    let mut rows: Vec<Row> = ways.iter().map(|w| Row { name: w.0.clone(), cases: vec![] }).collect();
    rows.extend([full("LSB"), short("LSB")].map(|name| Row { name, cases: vec![] }));
    let mut codecs = vec![];
    for model in Model::ALL {
        codecs.push(codec(texts, model, None, args.threads)?);
    }
    let mut progress = Progress::stderr(*texts);
    let file = folder.file("hidden.png");
    for (i, path) in photos.iter().enumerate() {
        let cover = open(texts, path)?;
        for (k, (_, model, load)) in ways.iter().enumerate() {
            if interrupt::requested() {
                return Err(Report::new(Exit::Interrupted, texts.get("stego.eval.stopped"), "", ""));
            }
            let codec = &mut codecs[usize::from(*model == Model::Robust)];
            let case = judge(codec, &cover, *load, args.seed, &file).map_err(|e| report(texts, &e))?;
            rows[k].cases.push(case);
            progress.tick(&Tick { epoch: 1, epochs: 1, done: ways.len() * i + k + 1, total: ways.len() * photos.len(), fields: &[] });
        }
        for (k, load) in [(3, 0), (4, 1)] {
            let bytes =
                rows[load].cases.last().and_then(Option::as_ref).map_or(args.bytes, |c| (c.rate * pixels(&cover) / 8.0).round() as usize);
            rows[k].cases.push(Some(rival(&cover, bytes, args.seed)));
        }
    }
    std::fs::remove_file(&file).ok(); // the last picture; there is none if all were refused
    Ok(rows)
}

fn pixels(picture: &Picture) -> f64 {
    (picture.width * picture.height) as f64
}

impl Row {
    fn done(&self) -> impl Iterator<Item = &Case> {
        self.cases.iter().flatten()
    }

    fn mean(&self, get: impl Fn(&Case) -> f64) -> f64 {
        self.done().map(get).sum::<f64>() / self.done().count().max(1) as f64
    }

    /// How many messages came back after a harm, and the mean share of wrong bits before correction.
    fn after(&self, harm: usize) -> (usize, f64) {
        let exact = self.done().filter(|c| c.harms.get(harm).is_some_and(|h| h.0)).count();
        (exact, self.mean(|c| c.harms.get(harm).map_or(f64::NAN, |h| h.1)))
    }

    /// The area under the curve of the detector: photographs before and after hiding.
    fn area(&self) -> Option<f64> {
        let pairs: Option<Vec<[f64; 2]>> = self.done().map(|c| c.suspicion).collect();
        let pairs = pairs.filter(|p| !p.is_empty())?;
        Some(area(&pairs.iter().map(|p| p[0]).collect::<Vec<_>>(), &pairs.iter().map(|p| p[1]).collect::<Vec<_>>()))
    }

    fn json(&self) -> Value {
        let case = |c: &Option<Case>| {
            let c = c.as_ref()?;
            let harms =
                Harm::ALL.iter().zip(&c.harms).map(|(h, (exact, wrong))| json!({ "after": h.name(), "exact": exact, "wrong_bits": wrong }));
            Some(json!({
                "bits_per_pixel": c.rate, "psnr": c.psnr, "ssim": c.ssim, "harms": harms.collect::<Vec<_>>(), "suspicion": c.suspicion,
            }))
        };
        json!({ "name": self.name, "cases": self.cases.iter().map(case).collect::<Vec<_>>(), "area": self.area() })
    }
}

/// Headings and lines.
fn table(texts: &Texts, rows: &[Row]) -> (Vec<String>, Vec<Vec<String>>) {
    let mut head =
        vec![texts.get("stego.head.model"), texts.get("stego.rate"), "PSNR".into(), texts.get("stego.head.lowest"), "SSIM".into()];
    head.extend(Harm::ALL.iter().map(|h| h.name()));
    head.push(texts.get("stego.head.area"));
    let line = |r: &Row| {
        let lowest = r.done().map(|c| c.psnr).fold(f64::INFINITY, f64::min);
        let mut line =
            vec![r.name.clone(), format!("{:.4}", r.mean(|c| c.rate)), format!("{:.1}", r.mean(|c| c.psnr)), format!("{lowest:.1}")];
        line.push(format!("{:.4}", r.mean(|c| c.ssim)));
        line.extend((0..Harm::ALL.len()).map(|h| {
            let (exact, wrong) = r.after(h);
            format!("{exact}/{} {:.1}%", r.cases.len(), 100.0 * wrong)
        }));
        line.push(r.area().map_or("–".into(), |a| format!("{a:.2}")));
        line
    };
    (head, rows.iter().map(line).collect())
}

/// Messages that come back after each harm, in percent.
fn exact(texts: &Texts, rows: &[Row]) -> String {
    let names: Vec<&str> = rows.iter().map(|r| &r.name[..]).collect();
    let mut bars = Bars::new(&texts.get("stego.eval.exact"), Axis::linear("%"), 0.0, &names);
    for (h, harm) in Harm::ALL.iter().enumerate() {
        bars = bars.group(&harm.name(), rows.iter().map(|r| 100.0 * r.after(h).0 as f64 / r.cases.len().max(1) as f64));
    }
    bars.svg()
}

/// The quality of each photograph.
fn qualities(texts: &Texts, photos: &[PathBuf], rows: &[Row]) -> String {
    let names: Vec<&str> = rows.iter().map(|r| &r.name[..]).collect();
    let mut bars = Bars::new(&texts.get("stego.psnr"), Axis::linear("dB"), 0.0, &names);
    for (i, path) in photos.iter().enumerate() {
        let name = path.file_stem().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        bars = bars.group(&name, rows.iter().map(|r| r.cases[i].as_ref().map_or(f64::NAN, |c| c.psnr)));
    }
    bars.svg()
}
