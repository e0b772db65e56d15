//! Where in a TOML text a key or value stands.

use std::ops::Range;
use toml::de::{DeTable, DeValue};

/// The key or value that an error is about. Serde loses the place inside tables whose `type` or `kind` says what
/// they are, and then gives the place of the table, or none.
pub fn of_error(text: &str, message: &str, span: Range<usize>) -> Range<usize> {
    let Some(word) = super::quoted(message).next() else { return span };
    let wants_key = message.starts_with("unknown field") || message.starts_with("data setting");
    let wants_value = message.starts_with("unknown variant");
    if text.get(span.clone()) == Some(word) || !(wants_key || wants_value) {
        return span;
    }
    let mut places = vec![];
    if let Ok(table) = DeTable::parse(text) {
        all_in_table(table.get_ref(), &mut |key, name, place| {
            if key == wants_key && name == word {
                places.push(place);
            }
        });
    }
    // The first one within the table, or after its header.
    places.sort_by_key(|p| p.start);
    places.into_iter().find(|p| p.start >= span.start).unwrap_or(span)
}

/// The value at the end of a path; if it is not there, the last key that is.
pub fn of_value(text: &str, keys: &[&str]) -> Option<Range<usize>> {
    let table = DeTable::parse(text).ok()?;
    let (first, rest) = keys.split_first()?;
    let (_, mut value) = table.get_ref().iter().find(|(k, _)| k.get_ref() == first)?;
    for key in rest {
        let next = match value.get_ref() {
            DeValue::Table(table) => table.iter().find(|(k, _)| k.get_ref() == key).map(|(_, v)| v),
            DeValue::Array(list) => key.parse::<usize>().ok().and_then(|i| list.get(i)),
            _ => None,
        };
        let Some(next) = next else { return of_path(text, keys) };
        value = next;
    }
    Some(value.span())
}

/// The key at the end of a path such as `layers`, `2`, `units`; if it is not there, the last one that is.
pub fn of_path(text: &str, keys: &[&str]) -> Option<Range<usize>> {
    let table = DeTable::parse(text).ok()?;
    let (first, rest) = keys.split_first()?;
    let (key, value) = table.get_ref().iter().find(|(k, _)| k.get_ref() == first)?;
    Some(inside(value.get_ref(), rest).unwrap_or(key.span()))
}

fn inside(value: &DeValue, keys: &[&str]) -> Option<Range<usize>> {
    let (first, rest) = keys.split_first()?;
    match value {
        DeValue::Table(table) => {
            let (key, value) = table.iter().find(|(k, _)| k.get_ref() == first)?;
            Some(inside(value.get_ref(), rest).unwrap_or(key.span()))
        }
        DeValue::Array(list) => {
            let value = list.get(first.parse::<usize>().ok()?)?;
            Some(inside(value.get_ref(), rest).unwrap_or(value.span()))
        }
        _ => None,
    }
}

/// Calls `see(is it a key, its text, its place)` for every key and every text of the table.
fn all_in_table(table: &DeTable, see: &mut impl FnMut(bool, &str, Range<usize>)) {
    for (key, value) in table {
        see(true, key.get_ref(), key.span());
        all_in_value(value.get_ref(), value.span(), see);
    }
}

fn all_in_value(value: &DeValue, span: Range<usize>, see: &mut impl FnMut(bool, &str, Range<usize>)) {
    match value {
        DeValue::Table(table) => all_in_table(table, see),
        DeValue::Array(list) => list.iter().for_each(|v| all_in_value(v.get_ref(), v.span(), see)),
        DeValue::String(text) => see(false, text, span),
        _ => {}
    }
}
