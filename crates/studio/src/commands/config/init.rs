//! A commented training file, from the description of what one may say.

use crate::config::schema::{Key, Node};
use crate::network::{Target, schema};
use crate::report::{Exit, Report};
use crate::{Texts, failure};
use neurona::data::{DataConfig, load};
use std::path::Path;
use toml::Value;

/// The data of the file: their keys and values, the shape of an image, and how many outputs they ask for.
struct Data {
    kind: &'static str,
    keys: Vec<(&'static str, String)>,
    outputs: Option<usize>,
}

/// The text of a file for data of this kind.
///
/// # Errors
/// Data that cannot be read (4), or are neither a table nor a folder of classes (2).
pub fn file(texts: &Texts, kind: Option<&str>, data: Option<&Path>) -> Result<String, Report> {
    let image = kind == Some("image") || kind.is_none() && data.is_some_and(Path::is_dir);
    let data = match (data, image) {
        (Some(path), true) => images(texts, path)?,
        (Some(path), false) => table(texts, path)?,
        (None, true) => {
            let classes = "[\"cat\", \"dog\"]".to_string();
            Data { kind: "npy-classes", keys: pictures("\"images\"".into(), classes), outputs: Some(2) }
        }
        (None, false) if kind == Some("npy") => {
            Data { kind: "npy", keys: vec![("x", "\"x.npy\"".into()), ("y", "\"y.npy\"".into())], outputs: None }
        }
        (None, false) => Data { kind: "csv", keys: columns("\"data.csv\"".into(), "-1".into()), outputs: None },
    };
    Ok(write(texts, &data))
}

fn columns(file: String, target: String) -> Vec<(&'static str, String)> {
    let parts = [("validation", "0.1".into()), ("test", "0.1".into())];
    [("file", file), ("target", target), ("standardize", "true".into())].into_iter().chain(parts).collect()
}

fn pictures(folder: String, classes: String) -> Vec<(&'static str, String)> {
    let shape = [("shape", "[28, 28, 1]".to_string()), ("scale", "0.00392156862745098".into())];
    let parts = [("validation", "0.1".into()), ("test", "0.1".into())];
    [("folder", folder), ("classes", classes)].into_iter().chain(shape).chain(parts).collect()
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// A CSV file, whose last column is predicted.
fn table(texts: &Texts, path: &Path) -> Result<Data, Report> {
    let shown = path.display().to_string();
    let config: DataConfig = toml::from_str(&format!("kind = \"csv\"\nfile = {}\ntarget = -1", quoted(&shown)))
        .map_err(|e| Report::new(Exit::Failed, e.message().to_string(), "", ""))?;
    let loaded = load(&config, Path::new("")).map_err(|e| failure::data(texts, &e))?;
    let name = loaded.preprocessing.encoding.as_ref().and_then(|e| e.targets.first()).map(|t| t.name.clone());
    let outputs = match Target::of(&loaded) {
        Target::Classes(n) => n,
        Target::Values(shape) => shape.iter().product::<usize>().max(1),
    };
    let mut keys = columns(quoted(&shown), name.map_or("-1".into(), |n| quoted(&n)));
    if loaded.train.len() < 20 {
        keys.retain(|(key, _)| *key != "validation" && *key != "test");
    }
    Ok(Data { kind: "csv", keys, outputs: Some(outputs) })
}

/// A folder of files CLASS.npy.
fn images(texts: &Texts, path: &Path) -> Result<Data, Report> {
    let files = std::fs::read_dir(path).into_iter().flatten().flatten().map(|e| e.path());
    let mut classes: Vec<String> = files
        .filter(|p| p.extension().is_some_and(|e| e == "npy"))
        .filter_map(|p| p.file_stem().map(|s| quoted(&s.to_string_lossy())))
        .collect();
    classes.sort();
    if classes.len() < 2 {
        let what = texts.fill("config.init.wrong", &[("path", &path.display())]);
        return Err(Report::new(Exit::Data, what, "", texts.get("config.init.wrong.fix")));
    }
    let keys = pictures(quoted(&path.display().to_string()), format!("[{}]", classes.join(", ")));
    Ok(Data { kind: "npy-classes", keys, outputs: Some(classes.len()) })
}

fn write(texts: &Texts, data: &Data) -> String {
    let Node::Table(keys) = schema::file() else { return String::new() };
    let (tables, plain): (Vec<&Key>, Vec<&Key>) = keys.iter().partition(|k| matches!(k.node, Node::Table(_)));
    let plain: Vec<&Key> = plain.into_iter().filter(|k| k.name != "data" && k.name != "layers").collect();
    let given = [("epochs", "20"), ("batch", "32"), ("learning_rate", "0.001"), ("optimizer", "\"adam\""), ("seed", "1")];
    let given = given.map(|(k, v)| (k, v.to_string()));
    let mut text = format!("# {}\n# {}\n\n", texts.get("config.init.head"), texts.get("config.init.how"));
    text.push_str(&lines(texts, &plain, &given, ""));
    let validation = data.keys.iter().any(|(k, _)| *k == "validation");
    for key in tables {
        let Node::Table(inner) = &key.node else { continue };
        let stops = key.name == "early_stopping" && validation;
        let mark = if stops { "" } else { "# " };
        text.push_str(&format!("\n{mark}{:<32}# {}\n", format!("[{}]", key.name), texts.get(&key.help)));
        let given = if stops { vec![("patience", "5".to_string())] } else { vec![] };
        text.push_str(&lines(texts, &inner.iter().collect::<Vec<_>>(), &given, ""));
    }
    let of_data = keys.iter().find(|k| k.name == "data");
    if let Some(Key { node: Node::Kinds { kinds, .. }, help, .. }) = of_data {
        text.push_str(&format!("\n{:<34}# {}\nkind = {}\n", "[data]", texts.get(help), quoted(data.kind)));
        let keys = kinds.iter().find(|k| k.0 == data.kind).map_or(&[][..], |k| &k.1);
        text.push_str(&lines(texts, &keys.iter().collect::<Vec<_>>(), &data.keys, ""));
    }
    text + &layers(texts, data)
}

/// A line for each key: as given, or commented out with a value that it may have.
fn lines(texts: &Texts, keys: &[&Key], given: &[(&str, String)], indent: &str) -> String {
    let line = |key: &&Key| {
        let given = given.iter().find(|(name, _)| *name == key.name).map(|(_, value)| value.as_str());
        let mark = if given.is_some() { "" } else { "# " };
        let pair = format!("{indent}{mark}{} = {}", key.name, given.unwrap_or(key.sample));
        format!("{pair:<34}# {}\n", texts.get(&key.help))
    };
    keys.iter().map(line).collect()
}

fn layers(texts: &Texts, data: &Data) -> String {
    let mut all: Vec<Vec<String>> = vec![];
    let mut add = |lines: &[&str]| all.push(lines.iter().map(|l| (*l).to_string()).collect());
    if data.kind == "npy-classes" {
        add(&["type = \"conv2d\"", "filters = 16", "kernel = 3", "activation = \"relu\""]);
        add(&["type = \"max_pool2d\"", "size = 2"]);
        add(&["type = \"flatten\""]);
    } else if data.kind == "npy" {
        add(&["type = \"flatten\""]);
    }
    add(&["type = \"dense\"", "units = 64", "activation = \"relu\""]);
    add(&["type = \"dropout\"", "rate = 0.2"]);
    let units = format!("units = {:<26}# {}", data.outputs.unwrap_or(2), texts.get("config.init.units"));
    add(&["type = \"dense\"", &units]);
    all.iter().map(|lines| format!("\n[[layers]]\n{}\n", lines.join("\n"))).collect()
}
