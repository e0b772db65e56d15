//! A schema as JSON Schema (draft 2020-12), which editors read.

use super::{Key, Node, Range};
use crate::Texts;
use serde_json::{Map, Value, json};

/// The JSON Schema of files that `node` describes, with layers as `layer` does.
pub fn json(texts: &Texts, node: &Node, layer: &Node) -> Value {
    let mut file = schema(texts, node);
    file["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    file["title"] = json!(texts.get("schema"));
    file["$defs"] = json!({ "layer": schema(texts, layer) });
    file
}

fn schema(texts: &Texts, node: &Node) -> Value {
    match node {
        Node::Flag => json!({ "type": "boolean" }),
        Node::Whole(least, most) => {
            let mut whole = json!({ "type": "integer" });
            if *least > i64::MIN {
                whole["minimum"] = json!(least);
            }
            if *most < i64::MAX {
                whole["maximum"] = json!(most);
            }
            whole
        }
        Node::Number(range) => number(*range),
        Node::Text => json!({ "type": "string" }),
        Node::Letter => json!({ "type": "string", "minLength": 1, "maxLength": 1 }),
        Node::Name => json!({ "type": "string", "pattern": "^[^./\\\\][^/\\\\]*$" }),
        Node::Word(words) => json!({ "enum": words }),
        Node::List(of, least, most) => {
            let mut list = json!({ "type": "array", "items": schema(texts, of), "minItems": least });
            if *most < super::MANY {
                list["maxItems"] = json!(most);
            }
            list
        }
        Node::Layers(_) => json!({ "type": "array", "items": { "$ref": "#/$defs/layer" }, "minItems": 1 }),
        Node::Table(keys) => table(texts, keys, None),
        Node::Kinds { tag, bare, kinds } => {
            let words = bare.then(|| json!({ "enum": kinds.iter().map(|k| k.0).collect::<Vec<_>>() }));
            let tables = kinds.iter().map(|(kind, keys)| table(texts, keys, Some((tag, kind))));
            json!({ "oneOf": words.into_iter().chain(tables).collect::<Vec<_>>() })
        }
        Node::Choice(all) => {
            let bare: Vec<&str> = all.iter().filter(|c| c.bare).map(|c| c.name).collect();
            let words = (!bare.is_empty()).then(|| json!({ "enum": bare }));
            let tables = all.iter().filter_map(|c| {
                let mut properties = Map::new();
                properties.insert(c.name.into(), schema(texts, c.node.as_ref()?));
                Some(json!({ "type": "object", "properties": properties, "required": [c.name], "additionalProperties": false }))
            });
            json!({ "oneOf": words.into_iter().chain(tables).collect::<Vec<_>>() })
        }
        Node::Either(all) => json!({ "anyOf": all.iter().map(|n| schema(texts, n)).collect::<Vec<_>>() }),
    }
}

fn number(range: Range) -> Value {
    match range {
        Range::Finite => json!({ "type": "number" }),
        Range::NotZero => json!({ "type": "number", "not": { "const": 0 } }),
        Range::Positive => json!({ "type": "number", "exclusiveMinimum": 0 }),
        Range::NotNegative => json!({ "type": "number", "minimum": 0 }),
        Range::Share => json!({ "type": "number", "minimum": 0, "exclusiveMaximum": 1 }),
        Range::Inside => json!({ "type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1 }),
        Range::Whole => json!({ "type": "number", "minimum": 0, "maximum": 1 }),
        Range::Some => json!({ "type": "number", "exclusiveMinimum": 0, "maximum": 1 }),
        Range::Degrees => json!({ "type": "number", "minimum": 0, "maximum": 180 }),
    }
}

fn table(texts: &Texts, keys: &[Key], kind: Option<(&str, &str)>) -> Value {
    let mut properties = Map::new();
    if let Some((tag, kind)) = kind {
        properties.insert(tag.into(), json!({ "const": kind }));
    }
    for key in keys {
        let mut of = schema(texts, &key.node);
        of["description"] = json!(texts.get(&key.help));
        if let Some(default) = key.default.and_then(value) {
            of["default"] = default;
        }
        properties.insert(key.name.into(), of);
    }
    let required: Vec<&str> = kind.map(|k| k.0).into_iter().chain(keys.iter().filter(|k| k.required).map(|k| k.name)).collect();
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
}

/// A TOML value as JSON.
fn value(text: &str) -> Option<Value> {
    let table: toml::Table = format!("x = {text}").parse().ok()?;
    serde_json::to_value(table.into_iter().next()?.1).ok()
}
