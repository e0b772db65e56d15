use super::*;
use crate::config::schema::{Problem, check, json};
use crate::network::Network;
use crate::{Lang, Texts};
use std::collections::BTreeSet;
use toml::{Table, Value};

fn value(text: &str) -> Value {
    format!("x = {text}").parse::<Table>().unwrap()["x"].clone()
}

/// The least that a table of these keys holds.
fn least(keys: &[Key], kind: Option<(&str, &str)>) -> Table {
    let tag = kind.map(|(tag, kind)| (tag.to_string(), Value::from(kind)));
    tag.into_iter().chain(keys.iter().filter(|k| k.required).map(|k| (k.name.into(), value(k.sample)))).collect()
}

type See<'a> = &'a mut dyn FnMut(&[Key], Option<(&str, &str)>, &dyn Fn(Value) -> Value);

/// Calls `see` for every table that the node can be: its keys, its kind, and what makes a whole file of it.
fn tables(node: &Node, depth: usize, wrap: &dyn Fn(Value) -> Value, see: See) {
    let within = |keys: &[Key], kind: Option<(&str, &str)>, see: See| {
        see(keys, kind, wrap);
        for key in keys {
            let wrap = |v: Value| {
                let mut table = least(keys, kind);
                table.insert(key.name.into(), v);
                wrap(Value::Table(table))
            };
            tables(&key.node, depth, &wrap, see);
        }
    };
    match node {
        Node::Table(keys) => within(keys, None, see),
        Node::Kinds { tag, kinds, .. } => kinds.iter().for_each(|(kind, keys)| within(keys, Some((tag, kind)), see)),
        Node::Choice(all) => all.iter().for_each(|c| {
            let wrap = |v: Value| wrap(Value::Table([(c.name.to_string(), v)].into_iter().collect()));
            c.node.iter().for_each(|node| tables(node, depth, &wrap, see));
        }),
        Node::List(of, ..) => tables(of, depth, &|v| wrap(Value::Array(vec![v])), see),
        Node::Layers(layer) if depth < 2 => tables(&layer(), depth + 1, &|v| wrap(Value::Array(vec![v])), see),
        Node::Either(all) => all.iter().for_each(|node| tables(node, depth, wrap, see)),
        _ => {}
    }
}

fn each(see: See) {
    tables(&file(), 0, &|v| v, see);
}

fn problems(value: &Value) -> Vec<Problem> {
    check(&Texts::new(Lang::En), &file(), value)
}

fn parse(value: &Value) -> Result<Network, String> {
    value.clone().try_into::<Network>().map_err(|e| e.message().to_string())
}

/// The parser names the keys that it knows when it meets one that it does not.
#[test]
fn the_schema_has_the_keys_that_the_parser_accepts() {
    let (mut seen, mut data) = (0, BTreeSet::new());
    let (mut known_of_data, mut unit) = (BTreeSet::new(), BTreeSet::new());
    each(&mut |keys, kind, wrap| {
        let mut table = least(keys, kind);
        table.insert("zzz".into(), Value::from(1));
        let file = wrap(Value::Table(table));
        assert!(problems(&file).iter().any(|p| p.what == "unknown key `zzz`"), "{file}");
        let message = match parse(&file) {
            Err(message) => message,
            // A kind without keys: serde does not look at them.
            Ok(_) => return assert!(unit.insert(kind.unwrap().1.to_string()) && keys.is_empty(), "{file}"),
        };
        let known: BTreeSet<String> = message.split('`').skip(1).step_by(2).skip(1).map(String::from).collect();
        assert!(message.starts_with("unknown field `zzz`"), "{message}: {file}");
        let own: BTreeSet<String> = keys.iter().map(|k| k.name.to_string()).collect();
        if kind.is_some_and(|(_, kind)| ["csv", "npy", "idx", "npy-classes", "image-classes"].contains(&kind)) {
            // The parser knows the keys of all kinds of data, and then refuses those of another kind.
            data.extend(own);
            known_of_data = known;
        } else {
            assert_eq!(own, known, "{file}");
        }
        seen += 1;
    });
    data.insert("kind".into());
    assert_eq!(data, known_of_data);
    assert!(seen > 40, "{seen}");
    assert_eq!(unit.into_iter().collect::<Vec<_>>(), ["sgd"]);
}

#[test]
fn samples_and_defaults_are_those_of_the_parser() {
    each(&mut |keys, kind, wrap| {
        let without = wrap(Value::Table(least(keys, kind)));
        let plain = parse(&without).unwrap_or_else(|e| panic!("{e}: {without}"));
        for key in keys {
            let mut table = least(keys, kind);
            table.insert(key.name.into(), value(key.sample));
            // Inputs and targets of a set come together.
            for [x, y] in [["test_x", "test_y"], ["test_images", "test_labels"], ["validation_x", "validation_y"]] {
                if [x, y].contains(&key.name) {
                    [x, y].iter().for_each(|n| _ = table.insert((*n).into(), Value::from("set")));
                }
            }
            let file = wrap(Value::Table(table));
            assert_eq!(problems(&file), [], "{}: {file}", key.name);
            let net = parse(&file).unwrap_or_else(|e| panic!("{e}: {file}"));
            if key.default.is_some() {
                assert_eq!(net, plain, "the default of {} is another: {file}", key.name);
            }
        }
    });
}

#[test]
fn words_are_those_of_the_parser() {
    let words = |node: &Node| -> Vec<&'static str> {
        match node {
            Node::Word(words) => words.to_vec(),
            Node::Choice(all) => all.iter().filter(|c| c.bare).map(|c| c.name).collect(),
            Node::Kinds { kinds, bare: true, .. } => kinds.iter().map(|k| k.0).collect(),
            _ => vec![],
        }
    };
    each(&mut |keys, kind, wrap| {
        for key in keys {
            let put = |v: Value| {
                let mut table = least(keys, kind);
                table.insert(key.name.into(), v);
                wrap(Value::Table(table))
            };
            let (own, in_list) = match &key.node {
                Node::List(of, ..) => (words(of), true),
                node => (words(node), false),
            };
            let item = |word: &str| if in_list { Value::Array(vec![word.into()]) } else { word.into() };
            for word in &own {
                // Regression does not go with names of classes, which no word alone can tell.
                assert!(parse(&put(item(word))).is_ok() || *word == "regression", "{} = {word}", key.name);
                assert_eq!(problems(&put(item(word))), [], "{} = {word}", key.name);
            }
            if !own.is_empty() {
                let message = parse(&put(item("zzz"))).unwrap_err();
                let known: BTreeSet<&str> = message.split('`').skip(1).step_by(2).skip(1).collect();
                let all = |node: &Node| match node {
                    Node::Choice(all) => all.iter().map(|c| c.name).collect(),
                    other => words(other),
                };
                let all: Vec<&str> = if let Node::List(of, ..) = &key.node { all(of) } else { all(&key.node) };
                assert_eq!(all.into_iter().collect::<BTreeSet<_>>(), known, "{message}");
            }
        }
    });
}

#[test]
fn every_key_has_an_explanation_and_every_explanation_a_key() {
    for lang in Lang::ALL {
        let texts = Texts::new(lang);
        let mut used = BTreeSet::new();
        each(&mut |keys, _, _| keys.iter().for_each(|k| _ = used.insert(k.help.clone())));
        assert!(used.iter().all(|key| texts.has(key)), "{:?}", used.iter().find(|key| !texts.has(key)));
        let all: BTreeSet<String> = texts.keys().filter(|k| k.starts_with("schema.")).map(String::from).collect();
        assert_eq!(all.difference(&used).collect::<Vec<_>>(), Vec::<&String>::new());
    }
}

#[test]
fn the_examples_have_no_problems() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap().flatten().filter(|e| e.path().extension().is_some_and(|e| e == "toml")) {
        let text = std::fs::read_to_string(entry.path()).unwrap();
        assert_eq!(problems(&Value::Table(text.parse().unwrap())), [], "{:?}", entry.path());
        seen += 1;
    }
    assert!(seen >= 3);
}

#[test]
fn all_problems_are_found_with_their_path() {
    let text = "epochs = 0\nbatch = \"many\"\nmetrics = [\"acuracy\", { top_accuracy = 0 }]\nclip = \"norm\"\nschedule = { cosin = 1 }\n\
        class_weights = [1.0, -2.0]\n[data]\nkind = \"csv\"\nfile = 3\nimages = \"x\"\n[[layers]]\ntype = \"dense\"\nunts = 3\n\
        [[layers]]\ntype = \"conv2d\"\nfilters = 4\nkernel = [3]\n";
    let found = problems(&Value::Table(text.parse().unwrap()));
    let found: Vec<(String, &str, &str)> = found.iter().map(|p| (p.path.join("."), &p.what[..], &p.fix[..])).collect();
    let has = |path: &str, what: &str, fix: &str| {
        assert!(found.iter().any(|(p, w, f)| p == path && w.contains(what) && f.contains(fix)), "{path}: {what} {fix}\n{found:#?}");
    };
    has("epochs", "`epochs` cannot be 0", "from 1");
    has("batch", "`batch` cannot be a text", "use a whole number from 1");
    has("metrics.0", "unknown choice `acuracy`", "did you mean `accuracy`?");
    has("metrics.1.top_accuracy", "cannot be 0", "from 1");
    has("clip", "`clip` cannot be \"norm\"", "{ norm = 1.0 }");
    has("schedule.cosin", "unknown choice `cosin`", "did you mean `cosine`?");
    has("class_weights.1", "cannot be -2", "a number from 0");
    has("data.file", "cannot be a number", "a text in quotes");
    has("data.images", "unknown key `images`", "it belongs to kind = \"idx\"");
    has("data", "the key `target` is missing", "add `target = …`");
    has("layers.0.unts", "unknown key `unts`", "did you mean `units`?");
    has("layers.0", "the key `units` is missing", "");
    has("layers.1.kernel", "cannot be [3]", "two of these");
    assert_eq!(found.len(), 13, "{found:#?}");
}

/// A validator of the parts of JSON Schema that are used, independent of the checker.
fn valid(schema: &serde_json::Value, root: &serde_json::Value, x: &serde_json::Value) -> bool {
    let get = |key: &str| schema.get(key);
    if let Some(reference) = get("$ref") {
        return valid(root.pointer(reference.as_str().unwrap().trim_start_matches('#')).unwrap(), root, x);
    }
    let kind = match get("type").and_then(|t| t.as_str()) {
        Some("object") => x.is_object(),
        Some("array") => x.is_array(),
        Some("string") => x.is_string(),
        Some("boolean") => x.is_boolean(),
        Some("integer") => x.is_i64() || x.is_u64(),
        Some("number") => x.is_number(),
        _ => true,
    };
    let number = |key: &str, test: &dyn Fn(f64, f64) -> bool| match (get(key).and_then(|v| v.as_f64()), x.as_f64()) {
        (Some(limit), Some(x)) => test(x, limit),
        _ => true,
    };
    let (list, table) = (x.as_array(), x.as_object());
    let chars = x.as_str().map(|s| s.chars().count() as u64);
    let length = |key: &str| get(key).and_then(|v| v.as_u64());
    kind && get("enum").is_none_or(|all| all.as_array().unwrap().contains(x))
        && get("const").is_none_or(|c| c == x)
        && get("not").is_none_or(|inner| !valid(inner, root, x))
        && number("minimum", &|x, l| x >= l)
        && number("maximum", &|x, l| x <= l)
        && number("exclusiveMinimum", &|x, l| x > l)
        && number("exclusiveMaximum", &|x, l| x < l)
        && chars.is_none_or(|n| length("minLength").is_none_or(|l| n >= l) && length("maxLength").is_none_or(|l| n <= l))
        && list.is_none_or(|items| {
            length("minItems").is_none_or(|n| items.len() as u64 >= n)
                && length("maxItems").is_none_or(|n| items.len() as u64 <= n)
                && get("items").is_none_or(|of| items.iter().all(|item| valid(of, root, item)))
        })
        && get("oneOf").is_none_or(|all| all.as_array().unwrap().iter().filter(|s| valid(s, root, x)).count() == 1)
        && get("anyOf").is_none_or(|all| all.as_array().unwrap().iter().any(|s| valid(s, root, x)))
        && table.is_none_or(|table| {
            let known = get("properties").and_then(|p| p.as_object());
            let required = get("required").and_then(|r| r.as_array());
            required.is_none_or(|keys| keys.iter().all(|k| table.contains_key(k.as_str().unwrap())))
                && known.is_none_or(|known| table.iter().all(|(k, v)| known.get(k).is_some_and(|s| valid(s, root, v))))
        })
}

#[test]
fn the_json_schema_and_the_checker_agree() {
    let schema = json(&Texts::new(Lang::En), &file(), &layer());
    let agree = |file: &Value| {
        let json = serde_json::to_value(file).unwrap();
        assert_eq!(valid(&schema, &schema, &json), problems(file).is_empty(), "{file}\n{:?}", problems(file));
    };
    let wrong = ["0", "-1", "1.5", "\"zzz\"", "true", "[]", "[1, \"x\"]", "{}", "{ zzz = 1 }", "181"];
    each(&mut |keys, kind, wrap| {
        agree(&wrap(Value::Table(least(keys, kind))));
        for key in keys {
            for text in wrong.iter().copied().chain([key.sample]) {
                let mut table = least(keys, kind);
                table.insert(key.name.into(), value(text));
                agree(&wrap(Value::Table(table)));
            }
            let mut table = least(keys, kind);
            table.remove(key.name);
            agree(&wrap(Value::Table(table)));
        }
    });
}
