//! `neurona site DIR`: the lessons as pages that need no server and no script: text, pictures, and what the commands print.

use crate::report::Report;
use crate::run::{unwritable, write_whole};
use crate::serve::assets::Assets;
use crate::serve::command;
use crate::serve::pages::escape;
use crate::{Lang, Shell, Texts};
use serde_json::json;
use std::path::{Path, PathBuf};

/// Arguments of `neurona site`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The folder
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

/// A lesson: its name, and commands that show it.
struct Lesson {
    name: &'static str,
    title: &'static str,
    lead: &'static str,
    examples: &'static [&'static [&'static str]],
}

const LESSONS: [Lesson; 6] = [
    Lesson {
        name: "neuron",
        title: "site.neuron",
        lead: "site.neuron.lead",
        examples: &[
            &["neuron", "--inputs", "1,2", "--weights=0.5,-1", "--bias", "0.1", "--activation", "tanh"],
            &["neuron", "--inputs", "3,2", "--weights=4,5", "--bias", "1", "--activation", "sigmoid"],
        ],
    },
    Lesson {
        name: "activations",
        title: "site.activations",
        lead: "site.activations.lead",
        examples: &[&["activations", "tanh", "--at=-3,0,3"], &["activations", "relu"], &["activations", "sigmoid"]],
    },
    Lesson {
        name: "losses",
        title: "site.losses",
        lead: "site.losses.lead",
        examples: &[
            &["losses", "--points", "0,1;1,3;2,4.5;3,12", "--line", "2,1", "--delta", "0.5"],
            &["losses", "--logits", "2,1,0.1", "--class", "1"],
        ],
    },
    Lesson {
        name: "descent",
        title: "site.descent",
        lead: "site.descent.lead",
        examples: &[
            &["descend", "x^2+10*y^2", "--from", "x=-4,y=2", "--optimizer", "sgd,momentum,adam", "--learning-rate", "0.05"],
            &["descend", "x^4-3*x^2+x", "--from", "x=2", "--learning-rate", "0.02"],
        ],
    },
    Lesson {
        name: "backprop",
        title: "site.backprop",
        lead: "site.backprop.lead",
        examples: &[
            &["backprop", "(x/y+5)^2+x", "--at", "x=6,y=2"],
            &["backprop", "tanh(x*w+b)", "--at", "x=0.5,w=-1,b=0.2", "--order", "2"],
        ],
    },
    Lesson {
        name: "training",
        title: "site.training",
        lead: "site.training.lead",
        examples: &[
            &["playground", "--data", "circles"],
            &["playground", "--learning-rate", "0.001,0.01,0.1", "--batch", "4,32,210", "--epochs", "50"],
        ],
    },
];

/// Writes the pages of every language, and lists them.
///
/// # Errors
/// A folder that cannot be written to.
pub fn run(args: &Args, shell: &mut Shell) -> Result<(), Report> {
    let mut files = vec![];
    let assets = Assets::default();
    for (name, path) in [("app.css", "app.css"), ("icon.svg", "icon.svg")] {
        let text = assets.text(path).unwrap_or_default();
        files.push(write(&shell.texts, &args.folder.join(name), &text)?);
    }
    for lang in Lang::ALL {
        let (texts, folder) = (Texts::new(lang), args.folder.join(lang.code()));
        for lesson in &LESSONS {
            let body = body(&texts, &folder, lesson, &mut files)?;
            files.push(write(&texts, &folder.join(format!("{}.html", lesson.name)), &page(&texts, Some(lesson), &body))?);
        }
        files.push(write(&texts, &folder.join("index.html"), &page(&texts, None, &contents(&texts)))?);
    }
    let choice = Lang::ALL
        .map(|l| format!("<li lang=\"{0}\"><a href=\"{0}/index.html\">{1}</a></li>", l.code(), Texts::new(l).get("web.ui.language")));
    let first = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>Neurona</title><link rel=\"icon\" href=\"icon.svg\"><link rel=\"stylesheet\" href=\"app.css\"></head>\
         <body><main><h1>Neurona</h1><ul>{}</ul></main></body></html>\n",
        choice.concat()
    );
    files.push(write(&shell.texts, &args.folder.join("index.html"), &first)?);
    if shell.json {
        return shell.print_json(&json!({ "files": files }));
    }
    let values: [(&str, &dyn std::fmt::Display); 2] = [("count", &files.len()), ("path", &args.folder.display())];
    shell.print(&shell.texts.fill("site.done", &values))
}

fn write(texts: &Texts, path: &Path, text: &str) -> Result<PathBuf, Report> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let written = std::fs::create_dir_all(folder).and_then(|()| write_whole(path, text.as_bytes()));
    written.map(|()| path.to_path_buf()).map_err(|e| unwritable(texts, path, &e))
}

/// Each example: the command, its picture, and what it prints, which holds the picture's numbers.
fn body(texts: &Texts, folder: &Path, lesson: &Lesson, files: &mut Vec<PathBuf>) -> Result<String, Report> {
    let mut out = String::new();
    std::fs::create_dir_all(folder).map_err(|e| unwritable(texts, folder, &e))?;
    for (i, example) in lesson.examples.iter().enumerate() {
        let name = format!("{}-{}.svg", lesson.name, i + 1);
        let path = folder.join(&name);
        let shown = path.display().to_string();
        let words: Vec<&str> = example.iter().copied().chain(["--svg", &shown]).collect();
        let text = command::text(texts, &words)?;
        // Where the picture was written is of no interest to readers.
        let text: String = text.lines().filter(|l| !l.contains(&shown)).map(|l| format!("{l}\n")).collect();
        let command = example.iter().map(|w| if w.contains([' ', '(', '^', '*', ';']) { format!("'{w}'") } else { (*w).into() });
        let command = escape(&command.collect::<Vec<String>>().join(" "));
        out.push_str(&format!(
            "<figure><figcaption><code>neurona {command}</code></figcaption>\
             <div class=\"picture\"><img src=\"{name}\" alt=\"{command}\"></div><pre tabindex=\"0\">{}</pre></figure>\n",
            escape(text.trim_end())
        ));
        files.push(path);
    }
    Ok(out)
}

/// The list of lessons.
fn contents(texts: &Texts) -> String {
    let card = |l: &Lesson| {
        let (title, lead) = (escape(&texts.get(l.title)), escape(&texts.get(l.lead)));
        format!("<li><a class=\"card\" href=\"{}.html\"><h3>{title}</h3><p>{lead}</p></a></li>", l.name)
    };
    format!("<h2>{}</h2><ul class=\"cards\">{}</ul>\n", escape(&texts.get("web.ui.lessons")), LESSONS.iter().map(card).collect::<String>())
}

fn page(texts: &Texts, lesson: Option<&Lesson>, body: &str) -> String {
    let text = |key: &str| escape(&texts.get(key));
    let (title, lead) = lesson.map_or((text("web.home.name"), text("web.home.lead")), |l| (text(l.title), text(l.lead)));
    let name = lesson.map_or("index", |l| l.name);
    let link = |l: &Lesson| {
        let current = if l.name == name { " aria-current=\"page\"" } else { "" };
        format!("<li><a href=\"{}.html\"{current}>{}</a></li>", l.name, text(l.title))
    };
    let others = Lang::ALL.into_iter().filter(|l| *l != texts.lang());
    let language = |l: Lang| format!("<a lang=\"{0}\" href=\"../{0}/{name}.html\">{1}</a>", l.code(), Texts::new(l).get("web.ui.language"));
    format!(
        "<!doctype html>\n<html lang=\"{}\">\n<head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>{title} · Neurona</title><link rel=\"icon\" href=\"../icon.svg\"><link rel=\"stylesheet\" href=\"../app.css\"></head>\n<body>\n\
         <header class=\"bar\"><a class=\"brand\" href=\"index.html\">Neurona</a><span class=\"space\"></span>{}</header>\n\
         <nav aria-label=\"{}\"><h2>{}</h2><ul>{}</ul></nav>\n<main><h1>{title}</h1>\n<p class=\"lead\">{lead}</p>\n{body}</main>\n</body>\n</html>\n",
        texts.lang().code(),
        others.map(language).collect::<String>(),
        text("web.ui.menu"),
        text("web.ui.lessons"),
        LESSONS.iter().map(link).collect::<String>(),
    )
}
