//! Every page in every language: no missing message, dead link, or picture without a table.

use super::*;
use crate::serve::assets::{FILES, version};
use std::collections::BTreeSet;

fn renderer() -> Renderer {
    Renderer { assets: Assets::default(), version: version() }
}

fn all() -> Vec<(&'static Page, Lang, String)> {
    let pages = PAGES.iter().flat_map(|p| Lang::ALL.map(|l| (p, l)));
    pages.map(|(p, l)| (p, l, renderer().render(p, l).unwrap())).collect()
}

/// The values of an attribute.
fn attribute<'a>(html: &'a str, name: &str) -> Vec<&'a str> {
    let open = format!(" {name}=\"");
    html.match_indices(&open).filter_map(|(at, _)| html[at + open.len()..].split('"').next()).collect()
}

#[test]
fn pages_are_complete_and_every_link_leads_somewhere() {
    let renderer = renderer();
    let mut known: BTreeSet<String> = PAGES.iter().flat_map(|p| Lang::ALL.map(|l| renderer.link(p.slug, l))).collect();
    known.extend(FILES.iter().map(|f| renderer.asset(f.path)));
    for (page, lang, html) in all() {
        assert!(!html.contains("{{") && !html.contains("}}"), "{}", page.slug);
        assert!(html.contains(&format!("<html lang=\"{}\"", lang.code())), "{}", page.slug);
        assert_eq!(html.matches("<h1").count(), 1, "{}", page.slug);
        let ids: Vec<&str> = attribute(&html, "id");
        assert_eq!(ids.len(), ids.iter().collect::<BTreeSet<_>>().len(), "{}: an id occurs twice", page.slug);
        for link in attribute(&html, "href").into_iter().chain(attribute(&html, "src")) {
            let place = link.split(['#', '?']).next().unwrap_or("");
            let inside = link.strip_prefix('#').is_some_and(|id| ids.contains(&id));
            assert!(inside || known.contains(place), "{}: {link} leads nowhere", page.slug);
        }
        for id in attribute(&html, "aria-labelledby").into_iter().chain(attribute(&html, "for")).chain(attribute(&html, "aria-describedby"))
        {
            assert!(ids.contains(&id), "{}: nothing has the id {id}", page.slug);
        }
    }
}

#[test]
fn every_picture_has_a_table() {
    for (page, _, html) in all() {
        for figure in html.split("<figure").skip(1) {
            let figure = figure.split("</figure>").next().unwrap();
            assert!(figure.contains("<table") && figure.contains("<figcaption"), "{}: {figure}", page.slug);
        }
        for picture in ["<canvas", "<svg", "<img"] {
            let outside = html.split("<figure").map(|part| part.split_once("</figure>").map_or(part, |(_, after)| after));
            assert!(
                outside.clone().all(|part| !part.contains(picture)) || page.slug == "home",
                "{}: {picture} outside a figure",
                page.slug
            );
        }
    }
    // Modules draw with the shared ones, which put pictures into figures.
    for file in FILES.iter().filter(|f| f.path.starts_with("pages/") && f.path.ends_with(".js")) {
        let text = std::str::from_utf8(file.bytes).unwrap();
        assert!(!text.contains("createElement"), "{}: use el() and figure()", file.path);
    }
}

/// The keys `web.…` in a text.
fn keys(text: &str) -> BTreeSet<String> {
    let ends = |c: char| !(c.is_ascii_alphanumeric() || c == '.' || c == '_');
    text.match_indices("web.").map(|(at, _)| text[at..].split(ends).next().unwrap_or("").trim_end_matches('.').to_string()).collect()
}

#[test]
fn messages_of_pages_exist_reach_their_page_and_are_used() {
    let texts = Texts::new(Lang::En);
    let mut used: BTreeSet<String> = PAGES.iter().flat_map(|p| ["name", "lead"].map(|k| format!("web.{}.{k}", p.slug))).collect();
    used.extend(Group::SHOWN.map(|(_, key)| key.to_string()));
    used.extend(["web.ui.table", "web.ui.language"].map(String::from));
    used.extend(rust_keys());
    for file in FILES {
        let found = keys(std::str::from_utf8(file.bytes).unwrap());
        let own = file.path.strip_prefix("pages/").and_then(|f| f.split('.').next());
        for key in &found {
            assert!(texts.has(key), "{}: no message {key}", file.path);
            let reaches = key.starts_with("web.ui.") || own.is_some_and(|slug| key.starts_with(&format!("web.{slug}.")));
            assert!(reaches || file.path.ends_with(".html"), "{}: {key} does not reach this module", file.path);
        }
        used.extend(found);
    }
    for key in texts.keys().filter(|k| k.starts_with("web.")) {
        assert!(used.contains(key.trim_end_matches(".fix")), "{key} is used nowhere");
    }
}

/// Keys in the sources of the server.
fn rust_keys() -> BTreeSet<String> {
    fn read(folder: &std::path::Path, all: &mut String) {
        for path in std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()) {
            match path.is_dir() {
                true => read(&path, all),
                false => all.push_str(&std::fs::read_to_string(&path).unwrap()),
            }
        }
    }
    let mut sources = String::new();
    let src = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    read(&src.join("serve"), &mut sources);
    keys(&sources)
}

#[test]
fn texts_become_no_markup() {
    let page = &PAGES[0];
    let renderer = renderer();
    let fill = Fill { renderer: &renderer, page, texts: Texts::new(Lang::En) };
    let refused = |template: &str| fill.fill(template, "").is_err();
    assert!(["{{web.no.such}}", "{{page:nowhere}}", "{{", "{{asset:../Cargo.toml}}", "{{nothing}}"].into_iter().all(refused));
    assert!(!fill.dictionary().contains('<'));
}
