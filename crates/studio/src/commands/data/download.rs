//! `neurona data download quickdraw`: the published files of some classes.

use crate::progress::{Progress, Tick};
use crate::report::{Exit, Report};
use crate::run::{unwritable, write_whole};
use crate::table::{Align, Table};
use crate::{Shell, Texts, interrupt};
use doodle::catalogue::{self, CREDIT, Published, SOURCE};
use doodle::download::{Client, Event, Failure, part};
use doodle::import;
use lessons::spelling::closest;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Arguments of `neurona data download`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The data set
    #[arg(value_name = "quickdraw", value_parser = ["quickdraw"], hide_possible_values = true)]
    set: String,
    /// The classes
    #[arg(long, value_name = "NAME,…", value_delimiter = ',', required = true)]
    classes: Vec<String>,
    /// The format
    #[arg(long, value_name = "bitmap|simplified|raw|binary", value_parser = Published::ALL.map(Published::name), default_value = "bitmap", hide_default_value = true, hide_possible_values = true)]
    format: String,
    /// The folder
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Another server
    #[arg(long, value_name = "URL", default_value = SOURCE, hide_default_value = true)]
    from: String,
}

/// The file beside the data that says whose they are.
const CREDITS: &str = "CREDITS.txt";

/// The pause before a server is asked again, at first.
const PAUSE: Duration = Duration::from_secs(1);

/// Suggested classes, at most.
const NEAR: usize = 6;

/// Downloads what is not there, and prints what is.
///
/// # Errors
/// An unknown class or an address that is none (2), files that the server does not have or that are damaged (4), connections
/// that break and files that cannot be written (1), an interruption (130).
pub fn run(args: &Args, shell: &mut Shell) -> Result<(), Report> {
    let texts = shell.texts;
    let classes = classes(&texts, &args.classes)?;
    let published = Published::of(&args.format).unwrap_or(Published::Bitmap); // the parser lets no other name through
    let secure = args.from.starts_with("https://");
    if !secure && !args.from.starts_with("http://") {
        return Err(Report::new(Exit::Usage, texts.fill("download.address", &[("url", &args.from)]), "", texts.get("usage.see_help")));
    }
    let out = args.out.clone().unwrap_or_else(|| Path::new("quickdraw").join(published.folder()));
    std::fs::create_dir_all(&out).map_err(|e| unwritable(&texts, &out, &e))?;
    let credits = out.join(CREDITS);
    write_whole(&credits, format!("{CREDIT}\n").as_bytes()).map_err(|e| unwritable(&texts, &credits, &e))?;
    interrupt::watch();
    let (client, mut progress, mut files) = (Client::new(secure, PAUSE), Progress::stderr(texts), vec![]);
    for (i, class) in classes.iter().enumerate() {
        let (address, to) = (published.address(&args.from, class), out.join(published.file(class)));
        let check = |path: &Path| match import::look(path) {
            Ok(found) if found.format == published.format().name() => Ok(()),
            Ok(found) => Err(texts.fill("download.format", &[("format", &found.format), ("expected", &published.format().name())])),
            Err(e) => Err(e.why),
        };
        let mut watch = |event: Event| {
            match event {
                Event::At(bytes, of) => {
                    let done = (1000.0 * bytes as f64 / of.max(1) as f64) as usize;
                    let fields = [("MB", (bytes as f64 / 1e5).round() / 10.0)];
                    progress.tick(&Tick { epoch: i + 1, epochs: classes.len(), done, total: 1000, fields: &fields });
                }
                Event::Again(why, pause) => {
                    let values: [(&str, &dyn std::fmt::Display); 3] =
                        [("path", &to.display()), ("why", &why), ("time", &crate::number::duration(pause.as_secs_f64()))];
                    progress.keep(&texts.fill("download.again", &values));
                }
                Event::Waiting => {}
            }
            !interrupt::requested()
        };
        let fetched = client.fetch(&address, &to, check, &mut watch).map_err(|e| failed(&texts, &e, &address, &to))?;
        progress.keep(&texts.fill(if fetched.before { "download.there" } else { "download.whole" }, &[("path", &to.display())]));
        files.push((*class, to, fetched));
    }
    drop(progress);
    if shell.json {
        let one = |(class, path, f): &(&str, PathBuf, doodle::download::Fetched)| json!({ "class": class, "file": path, "bytes": f.bytes, "before": f.before });
        return shell.print_json(&json!({ "folder": out, "files": files.iter().map(one).collect::<Vec<_>>(), "credit": CREDIT }));
    }
    let head = ["data.file", "download.bytes"].map(|k| texts.get(k));
    let mut table = Table::new(&[(&head[0], Align::Left), (&head[1], Align::Right)]);
    files.iter().for_each(|(_, path, f)| table.row([path.display().to_string(), f.bytes.to_string()]));
    shell.print(&format!("{table}\n\n{CREDIT}"))
}

/// The classes that are meant, each once; all of them for `all`.
fn classes(texts: &Texts, names: &[String]) -> Result<Vec<&'static str>, Report> {
    let mut classes = vec![];
    for name in names {
        let found = catalogue::class(name);
        if found.is_none() && name.trim() != "all" {
            let why = texts.fill("download.classes", &[("count", &catalogue::classes().count())]);
            let near = near(name.trim());
            let fix = match near.is_empty() {
                true => texts.get("download.unknown.fix"),
                false => texts.fill("download.near", &[("names", &near.join(", "))]),
            };
            return Err(Report::new(Exit::Usage, texts.fill("download.unknown", &[("name", name)]), why, fix));
        }
        let meant: Vec<_> = found.map_or_else(|| catalogue::classes().collect(), |c| vec![c]);
        classes.extend(meant);
    }
    Ok(distinct(classes))
}

/// Each class once, where it came first.
fn distinct(mut classes: Vec<&'static str>) -> Vec<&'static str> {
    let mut seen = std::collections::HashSet::new();
    classes.retain(|c| seen.insert(*c));
    classes
}

/// What is spelt nearly so, then what contains the name or a word of which is part of it.
fn near(name: &str) -> Vec<&'static str> {
    let name = name.to_lowercase();
    let contains = |c: &&str| {
        let class = c.to_lowercase();
        name.len() > 2 && (class.contains(&name) || name.split([' ', '_', '-']).any(|w| w.len() > 2 && class.split(' ').any(|v| v == w)))
    };
    let mut near: Vec<_> = closest(&name, catalogue::classes()).into_iter().collect();
    near.extend(catalogue::classes().filter(contains));
    near = distinct(near);
    near.truncate(NEAR);
    near
}

/// Why a class is not there, and what to do.
fn failed(texts: &Texts, failure: &Failure, address: &str, to: &Path) -> Report {
    let report = |exit, fix: &str| {
        let what = texts.fill("download.failed", &[("url", &address)]);
        Report::new(exit, what, failure.to_string(), texts.fill(fix, &[("path", &part(to).display())]))
    };
    match failure {
        Failure::Interrupted => Report::new(Exit::Interrupted, texts.get("interrupted"), "", texts.get("download.interrupted.fix")),
        Failure::File(e) => unwritable(texts, to, e),
        Failure::Refused(_) => report(Exit::Data, "download.refused.fix"),
        Failure::Wrong(_) => report(Exit::Data, "download.wrong.fix"),
        Failure::Broken { .. } => report(Exit::Failed, "download.broken.fix"),
        Failure::InUse => report(Exit::Failed, "run.in_use.fix"),
        Failure::Taken { .. } => {
            let what = texts.fill("download.taken", &[("path", &to.display())]);
            Report::new(Exit::Data, what, failure.to_string(), texts.get("download.taken.fix"))
        }
    }
}
