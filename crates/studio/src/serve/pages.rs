//! The pages: which there are, and how a template becomes a page in one of the languages. What stands between double braces
//! is replaced; see `web/README.md`.

use super::assets::Assets;
use crate::{Lang, Texts};

/// Where a page stands in the navigation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Group {
    /// The first page.
    Home,
    /// Lessons.
    Lessons,
    /// Applications.
    Applications,
    /// What has been trained.
    Work,
}

impl Group {
    /// The groups that the navigation shows, with the key of their name.
    const SHOWN: [(Group, &'static str); 3] =
        [(Group::Lessons, "web.ui.lessons"), (Group::Applications, "web.ui.applications"), (Group::Work, "web.ui.work")];
}

/// A page: `web/pages/SLUG.html`, with a module `SLUG.js` and a style `SLUG.css` if it has them.
pub struct Page {
    /// Its name in addresses; the key of its texts is `web.SLUG.…`.
    pub slug: &'static str,
    /// Its place in the navigation.
    pub group: Group,
}

const fn page(slug: &'static str, group: Group) -> Page {
    Page { slug, group }
}

/// All pages, in the order of the navigation.
pub const PAGES: &[Page] = &[
    page("home", Group::Home),
    page("neuron", Group::Lessons),
    page("losses", Group::Lessons),
    page("descent", Group::Lessons),
    page("backprop", Group::Lessons),
    page("train", Group::Lessons),
    page("connect4", Group::Applications),
    page("hide", Group::Applications),
    page("doodle", Group::Applications),
    page("transport", Group::Applications),
    page("equations", Group::Applications),
    page("runs", Group::Work),
    page("model", Group::Work),
    page("glossary", Group::Work),
];

impl Page {
    /// The page of that name.
    pub fn of(slug: &str) -> Option<&'static Page> {
        PAGES.iter().find(|p| p.slug == slug)
    }
}

/// Stands in a page for the word that allows its own style and script, another one in every answer ([`super::guard::allowing`]).
pub const NONCE: &str = "nonce-of-the-answer";

/// What a template cannot be filled with.
pub type Problem = String;

/// Fills templates.
pub struct Renderer {
    /// The files.
    pub assets: Assets,
    /// The version in the address of files.
    pub version: String,
}

impl Renderer {
    /// A page in a language.
    ///
    /// # Errors
    /// A template that asks for something that is not there.
    pub fn render(&self, page: &Page, lang: Lang) -> Result<String, Problem> {
        let file = |name: &str| self.assets.text(name).ok_or_else(|| format!("no file {name}"));
        let fill = Fill { renderer: self, page, texts: Texts::new(lang) };
        let body = fill.fill(&file(&format!("pages/{}.html", page.slug))?, "")?;
        fill.fill(&file("layout.html")?, &body)
    }

    /// The address of a page.
    pub fn link(&self, slug: &str, lang: Lang) -> String {
        format!("/{}/{}", lang.code(), if slug == "home" { "" } else { slug })
    }

    /// The address of a file.
    pub fn asset(&self, path: &str) -> String {
        format!("/assets/{}/{path}", self.version)
    }
}

struct Fill<'a> {
    renderer: &'a Renderer,
    page: &'a Page,
    texts: Texts,
}

impl Fill<'_> {
    fn fill(&self, template: &str, body: &str) -> Result<String, Problem> {
        let (mut out, mut rest) = (String::with_capacity(template.len() + body.len()), template);
        while let Some((before, after)) = rest.split_once("{{") {
            let (inside, tail) = after.split_once("}}").ok_or_else(|| format!("{}: braces without an end", self.page.slug))?;
            out.push_str(before);
            out.push_str(&self.value(inside.trim(), body).map_err(|e| format!("{}: {e}", self.page.slug))?);
            rest = tail;
        }
        Ok(out + rest)
    }

    /// What stands for the words between braces.
    fn value(&self, inside: &str, body: &str) -> Result<String, Problem> {
        let (kind, rest) = inside.split_once(':').unwrap_or((inside, ""));
        let words: Vec<&str> = rest.split_whitespace().collect();
        match (kind, words.as_slice()) {
            (key, []) if key.starts_with("web.") => self.text(key),
            ("page", [slug]) => match Page::of(slug) {
                Some(page) => Ok(self.renderer.link(page.slug, self.texts.lang())),
                None => Err(format!("there is no page {slug}")),
            },
            ("asset", [path]) => match self.renderer.assets.file(path) {
                Some(_) => Ok(self.renderer.asset(path)),
                None => Err(format!("there is no file {path}")),
            },
            ("other", [key]) => self.other(key),
            ("figure", [id, caption]) => Ok(self.figure(id, &self.text(caption)?)),
            ("slider", [name, label, min, max, step, value]) => Ok(slider(name, &self.text(label)?, [min, max, step, value])),
            ("whole", [name, label, min, max, value]) => Ok(whole(name, &self.text(label)?, [min, max, value])),
            ("training", [start]) => Ok(self.training(&self.text(start)?)),
            ("lang", []) => Ok(self.texts.lang().code().into()),
            ("title", []) => self.text(&format!("web.{}.name", self.page.slug)),
            ("lead", []) => self.text(&format!("web.{}.lead", self.page.slug)),
            // What must be there before anything is shown comes with the page: a page is painted once, after one answer.
            ("inline", [path]) => self.renderer.assets.text(path).ok_or_else(|| format!("there is no file {path}")),
            ("style", []) => Ok(self.renderer.assets.text(&self.own("css")).unwrap_or_default()),
            ("script", []) => Ok(self.module()),
            ("nonce", []) => Ok(NONCE.into()),
            ("navigation", []) => self.navigation(),
            ("languages", []) => Ok(self.languages()),
            ("texts", []) => Ok(self.dictionary()),
            ("body", []) => Ok(body.into()),
            _ => Err(format!("{{{{{inside}}}}} is not known")),
        }
    }

    /// A message, its `code` marked.
    fn text(&self, key: &str) -> Result<String, Problem> {
        if !self.texts.has(key) {
            return Err(format!("no message {key}"));
        }
        let escaped = escape(&self.texts.get(key));
        let parts = escaped.split('`').enumerate();
        Ok(parts.map(|(i, part)| if i % 2 == 1 { format!("<code>{part}</code>") } else { part.into() }).collect())
    }

    /// A message in the other languages.
    fn other(&self, key: &str) -> Result<String, Problem> {
        let others = Lang::ALL.into_iter().filter(|l| *l != self.texts.lang());
        let all = others.map(|l| format!("<span class=\"small\" lang=\"{}\">{}</span>", l.code(), escape(&Texts::new(l).get(key))));
        self.text(key).map(|_| all.collect())
    }

    /// The path of a file of this page alone; not every page has it.
    fn own(&self, extension: &str) -> String {
        format!("pages/{}.{extension}", self.page.slug)
    }

    fn module(&self) -> String {
        let (assets, path) = (&self.renderer.assets, self.own("js"));
        assets.file(&path).map_or(String::new(), |_| format!("<script type=\"module\" src=\"{}\"></script>", self.renderer.asset(&path)))
    }

    /// A picture with its summary and its table, which a page's module fills.
    fn figure(&self, id: &str, caption: &str) -> String {
        format!(
            "<figure id=\"{id}\"><figcaption id=\"{id}-caption\">{caption}</figcaption>\
             <div class=\"picture\" role=\"img\" aria-labelledby=\"{id}-caption\" aria-describedby=\"{id}-summary\"></div>\
             <p class=\"summary\" id=\"{id}-summary\" aria-live=\"polite\"></p>\
             <details class=\"data\"><summary>{}</summary><div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-labelledby=\"{id}-caption\"><table></table></div></details></figure>",
            escape(&self.texts.get("web.ui.table"))
        )
    }

    /// The buttons of a training that the page starts, and what becomes of it.
    fn training(&self, start: &str) -> String {
        let text = |key: &str| escape(&self.texts.get(key));
        format!(
            "<div class=\"row\"><button type=\"button\" id=\"train-start\" class=\"main\">{start}</button>\
             <button type=\"button\" id=\"train-stop\" hidden>{}</button><button type=\"button\" id=\"train-resume\" hidden>{}</button>\
             <a class=\"button quiet\" id=\"train-link\" href=\"{}\" hidden>{}</a></div>\
             <p id=\"train-status\" role=\"status\" class=\"small\"></p><div id=\"train-error\"></div>",
            text("web.ui.train_stop"),
            text("web.ui.train_resume"),
            self.renderer.link("runs", self.texts.lang()),
            text("web.ui.train_run")
        )
    }

    fn navigation(&self) -> Result<String, Problem> {
        let mut out = String::new();
        for (group, name) in Group::SHOWN {
            let pages: Vec<&Page> = PAGES.iter().filter(|p| p.group == group).collect();
            if pages.is_empty() {
                continue;
            }
            out.push_str(&format!("<h2>{}</h2><ul>", self.text(name)?));
            for p in pages {
                let current = if p.slug == self.page.slug { " aria-current=\"page\"" } else { "" };
                let link = self.renderer.link(p.slug, self.texts.lang());
                out.push_str(&format!("<li><a href=\"{link}\"{current}>{}</a></li>", self.text(&format!("web.{}.name", p.slug))?));
            }
            out.push_str("</ul>");
        }
        Ok(out)
    }

    /// Links to this page in the other languages.
    fn languages(&self) -> String {
        let others = Lang::ALL.into_iter().filter(|l| *l != self.texts.lang());
        let link = |l: Lang| {
            let (code, name) = (l.code(), Texts::new(l).get("web.ui.language"));
            format!(
                "<a class=\"language\" lang=\"{code}\" hreflang=\"{code}\" href=\"{}\">{}</a>",
                self.renderer.link(self.page.slug, l),
                escape(&name)
            )
        };
        others.map(link).collect()
    }

    /// The messages that the page's modules show: all of this page, and those of every page.
    fn dictionary(&self) -> String {
        let own = format!("web.{}.", self.page.slug);
        let keys = self.texts.keys().filter(|k| k.starts_with("web.ui.") || k.starts_with(&own));
        let all: std::collections::BTreeMap<&str, String> = keys.map(|k| (k, self.texts.get(k))).collect();
        serde_json::to_string(&all).unwrap_or_default().replace('<', "\\u003c")
    }
}

/// A number that can be drawn or typed.
fn slider(name: &str, label: &str, [min, max, step, value]: [&str; 4]) -> String {
    format!(
        "<div class=\"slider\"><label for=\"{name}\">{label}</label>\
         <input type=\"range\" id=\"{name}-range\" data-for=\"{name}\" aria-label=\"{label}\" min=\"{min}\" max=\"{max}\" step=\"{step}\" value=\"{value}\">\
         <input type=\"text\" inputmode=\"decimal\" id=\"{name}\" name=\"{name}\" data-type=\"number\" data-min=\"{min}\" data-max=\"{max}\" value=\"{value}\" autocomplete=\"off\"></div>"
    )
}

/// A whole number that is typed.
fn whole(name: &str, label: &str, [min, max, value]: [&str; 3]) -> String {
    format!(
        "<label class=\"field\">{label} <input type=\"text\" inputmode=\"numeric\" name=\"{name}\" data-type=\"number\" data-min=\"{min}\" data-max=\"{max}\" value=\"{value}\"></label>"
    )
}

/// Text safe inside elements and attributes.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests;
