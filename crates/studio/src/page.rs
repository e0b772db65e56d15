//! report.html: a run on one page, which needs nothing else: no script, no other file, no network.

use crate::Report;
use crate::Texts;
use crate::run::{CONFIG, CONFUSION, CURVES, REPORT, RunFolder, SOLUTION};

/// A page under construction.
pub struct Page {
    texts: Texts,
    body: String,
}

impl Page {
    /// A page with this heading.
    pub fn new(texts: &Texts, title: &str) -> Page {
        Page { texts: *texts, body: format!("<h1>{}</h1>\n", escape(title)) }
    }

    /// The page after `add`.
    pub fn with(mut self, add: impl FnOnce(&mut Page)) -> Page {
        add(&mut self);
        self
    }

    /// A table with headings for its columns (none: the first cell of a row is its heading).
    pub fn table(&mut self, title: &str, head: &[String], rows: &[Vec<String>]) {
        if !title.is_empty() {
            self.body.push_str(&format!("<h2>{}</h2>\n", escape(title)));
        }
        self.body.push_str("<table>\n");
        if !head.is_empty() {
            let cells: String = head.iter().map(|h| format!("<th scope=\"col\">{}</th>", escape(h))).collect();
            self.body.push_str(&format!("<tr>{cells}</tr>\n"));
        }
        for row in rows {
            let cell = |(i, text): (usize, &String)| match i {
                0 => format!("<th scope=\"row\">{}</th>", escape(text)),
                _ => format!("<td>{}</td>", escape(text)),
            };
            self.body.push_str(&format!("<tr>{}</tr>\n", row.iter().enumerate().map(cell).collect::<String>()));
        }
        self.body.push_str("</table>\n");
    }

    /// The pictures of a run folder, those that it has.
    pub fn pictures(&mut self, folder: &RunFolder) {
        for name in [CURVES, SOLUTION, CONFUSION] {
            if let Ok(svg) = std::fs::read_to_string(folder.file(name)) {
                self.picture(&svg);
            }
        }
    }

    /// A picture, given as a document of its own.
    pub fn picture(&mut self, svg: &str) {
        let inline = svg.replacen(" xmlns=\"http://www.w3.org/2000/svg\"", "", 1); // HTML needs none
        self.body.push_str(&format!("<figure>{inline}</figure>\n"));
    }

    /// Adds the settings, and writes the page to its folder.
    ///
    /// # Errors
    /// Files that cannot be read or written.
    pub fn write(mut self, folder: &RunFolder) -> Result<(), Report> {
        let config = folder.read(CONFIG)?;
        self.body.push_str(&format!("<h2>{}</h2>\n<pre>{}</pre>\n", escape(&self.texts.get("page.settings")), escape(&config)));
        let (lang, name) = (self.texts.lang().code(), escape(&folder.name()));
        let head = format!("<meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>{name}</title>");
        let page = format!(
            "<!doctype html>\n<html lang=\"{lang}\"><head>{head}<style>{STYLE}</style></head>\n<body>\n{}</body></html>\n",
            self.body
        );
        folder.write(REPORT, page.as_bytes()).map(drop)
    }
}

const STYLE: &str = ":root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem}\
table{border-collapse:collapse}th,td{padding:.2rem .8rem;text-align:right;border-bottom:1px solid #8886}th[scope=row],th:first-child{text-align:left;\
font-weight:600}figure{margin:1rem 0;overflow-x:auto}pre{overflow-x:auto;padding:1rem;border:1px solid #8886}svg{max-width:100%;height:auto}";

/// Text safe inside elements.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_become_markup() {
        assert_eq!(escape("<img src=\"x\">&"), "&lt;img src=&quot;x&quot;&gt;&amp;");
    }
}
