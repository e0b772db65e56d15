//! `neurona predict RUN INPUT…`: what a trained network says of new rows.

use crate::network::predict::Answers;
use crate::network::{percent, saved};
use crate::number::short;
use crate::report::{Exit, Report};
use crate::table::{Align, Table};
use crate::{Shell, Texts, failure, run};
use neurona::Metric;
use neurona::data::{Array, npy};
use serde_json::json;
use std::path::{Path, PathBuf};

/// Arguments of `neurona predict`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The run
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// Files with rows
    #[arg(value_name = "INPUT", required = true)]
    input: Vec<PathBuf>,
    /// The file for the results
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Rows at once: more would only cost memory.
const BATCH: usize = 256;

/// Prints or writes the predictions.
///
/// # Errors
/// A run or data that cannot be read (4), a file that cannot be written (1).
pub fn run(args: &Args, shell: &mut Shell) -> Result<(), Report> {
    let texts = shell.texts;
    let format = args.out.as_deref().map(|out| format(&texts, out)).transpose()?;
    let (_, net, meta, mut trainer) = saved::load(&texts, &args.run)?;
    let (mut raw, mut origin) = (vec![], vec![]);
    for path in &args.input {
        let x = meta.preprocessing.open(path).map_err(|e| failure::data(&texts, &e))?;
        let out = trainer.predict(&[x.as_rows()], BATCH).map_err(|e| failure::report(&texts, &e))?;
        raw.extend(out.data);
        origin.extend((0..x.rows()).map(|row| (path.as_path(), row)));
    }
    let answers = Answers::new(&meta, &net.loss(&meta.target), &raw);
    if let (Some(out), Some(format)) = (&args.out, format) {
        write(&texts, out, format, &answers)?;
        let text = texts.fill("predict.written", &[("rows", &origin.len()), ("path", &out.display())]);
        return if shell.json { shell.print_json(&json!({ "rows": origin.len(), "file": out })) } else { shell.print(&text) };
    }
    if shell.json {
        shell.print_json(&json(args, &answers, &origin))
    } else {
        shell.print(&table(&texts, args, &answers, &origin).to_string())
    }
}

#[derive(Clone, Copy)]
enum Format {
    Csv,
    Npy,
}

fn format(texts: &Texts, out: &Path) -> Result<Format, Report> {
    match out.extension().and_then(|e| e.to_str()) {
        Some("csv") => Ok(Format::Csv),
        Some("npy") => Ok(Format::Npy),
        _ => {
            let what = texts.fill("usage.bad_value", &[("value", &out.display()), ("arg", &"--out")]);
            Err(Report::new(Exit::Usage, what, "", texts.get("predict.out_fix")))
        }
    }
}

fn write(texts: &Texts, out: &Path, format: Format, answers: &Answers) -> Result<(), Report> {
    match format {
        Format::Csv => run::write_whole(out, csv(answers).as_bytes()).map_err(|e| run::unwritable(texts, out, &e)),
        Format::Npy => {
            let rows = answers.rows().count();
            let array = Array { shape: [&[rows], &answers.shape[..]].concat(), data: answers.values.clone() };
            npy::write(out, &array).map_err(|e| failure::data(texts, &e))
        }
    }
}

/// A line per row: the class and the probability of each, or the numbers.
fn csv(answers: &Answers) -> String {
    let field = |text: &str| if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.into() };
    let mut lines: Vec<String> = vec![];
    let mut head: Vec<String> = answers.columns.iter().map(|c| field(c)).collect();
    if answers.classes {
        head.insert(0, "class".into());
    }
    lines.push(head.join(","));
    for row in answers.rows() {
        let mut cells: Vec<String> = row.iter().map(f32::to_string).collect();
        if answers.classes {
            cells.insert(0, field(&answers.columns[Answers::best(row).0]));
        }
        lines.push(cells.join(","));
    }
    lines.join("\n") + "\n"
}

fn json(args: &Args, answers: &Answers, origin: &[(&Path, usize)]) -> serde_json::Value {
    let one = |(row, (path, number)): (&[f32], &(&Path, usize))| {
        if answers.classes {
            let (class, p) = Answers::best(row);
            json!({ "file": path, "row": number, "class": answers.columns[class], "probability": p, "probabilities": row })
        } else {
            json!({ "file": path, "row": number, "values": row })
        }
    };
    let predictions: Vec<_> = answers.rows().zip(origin).map(one).collect();
    json!({ "run": args.run, "columns": answers.columns, "predictions": predictions })
}

fn table(texts: &Texts, args: &Args, answers: &Answers, origin: &[(&Path, usize)]) -> Table {
    let [file, row, class, probability] = ["predict.file", "predict.row", "predict.class", "predict.probability"].map(|key| texts.get(key));
    let several = args.input.len() > 1;
    let mut head = vec![(&row[..], Align::Right)];
    if several {
        head.insert(0, (&file, Align::Left));
    }
    if answers.classes {
        head.extend([(&class[..], Align::Left), (&probability[..], Align::Right)]);
    } else {
        head.extend(answers.columns.iter().map(|c| (&c[..], Align::Right)));
    }
    let mut table = Table::new(&head);
    for (values, (path, number)) in answers.rows().zip(origin) {
        let mut cells = if several { vec![path.display().to_string()] } else { vec![] };
        cells.push(number.to_string());
        if answers.classes {
            let (class, p) = Answers::best(values);
            cells.extend([answers.columns[class].clone(), percent(Some(Metric::Accuracy), f64::from(p))]);
        } else {
            cells.extend(values.iter().map(|&v| short(f64::from(v))));
        }
        table.row(cells);
    }
    table
}
