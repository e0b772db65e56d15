//! What differs between two settings files.

use toml::{Table, Value};

/// A key, and its value on each side, as TOML writes it; none where the key is missing.
pub type Difference = (String, [Option<String>; 2]);

/// The keys whose values differ, by name. Lists of tables are compared table by table: `layers.0.units`.
///
/// ```
/// let table = |text: &str| text.parse::<toml::Table>().unwrap();
/// let list = studio::config::differences(&table("a = 1\n[b]\nc = 2"), &table("[b]\nc = 3"));
/// assert_eq!(list, [("a".into(), [Some("1".into()), None]), ("b.c".into(), [Some("2".into()), Some("3".into())])]);
/// ```
pub fn differences(a: &Table, b: &Table) -> Vec<Difference> {
    let (left, right) = (values(a), values(b));
    let find = |list: &[(String, String)], key: &str| list.iter().find(|(k, _)| k == key).map(|(_, v)| v.clone());
    let mut keys: Vec<&String> = left.iter().chain(&right).map(|(k, _)| k).collect();
    keys.sort();
    keys.dedup();
    let both = |k: &String| (k.clone(), [find(&left, k), find(&right, k)]);
    keys.into_iter().map(both).filter(|(_, [a, b])| a != b).collect()
}

/// Every value of a file with its whole key, as TOML writes it.
pub fn values(table: &Table) -> Vec<(String, String)> {
    let mut all = vec![];
    table.iter().for_each(|(k, v)| flatten(k, v, &mut all));
    all
}

/// Adds a value, or those within it.
fn flatten(key: &str, value: &Value, all: &mut Vec<(String, String)>) {
    match value {
        Value::Table(table) if !table.is_empty() => table.iter().for_each(|(k, v)| flatten(&format!("{key}.{k}"), v, all)),
        Value::Array(list) if list.iter().any(Value::is_table) => {
            list.iter().enumerate().for_each(|(i, v)| flatten(&format!("{key}.{i}"), v, all));
        }
        other => all.push((key.into(), other.to_string())),
    }
}
