//! Writing SVG: escaped text, short numbers, the frame all charts share, and their style.

use std::fmt::{Display, Write};

/// A rectangle on the page, in pixels.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Area {
    /// Left edge.
    pub x: f64,
    /// Upper edge.
    pub y: f64,
    /// Extent to the right.
    pub width: f64,
    /// Extent downwards.
    pub height: f64,
}

/// Where a text stands relative to its point.
#[derive(Clone, Copy)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

/// SVG under construction.
#[derive(Default)]
pub struct Canvas {
    body: String,
}

/// Colours of series 1–6: Okabe & Ito, "Color Universal Design" (2008), darkened (light page) or
/// lightened (dark page) to at least 3:1 contrast with the paper.
const STYLE: &str = "\
.plot{--plot-paper:#fff;--plot-ink:#1f2328;--plot-faint:#d0d5db;--plot-1:#0072b2;--plot-2:#c24e00;--plot-3:#007a59;--plot-4:#a8487e;--plot-5:#8a6d00;--plot-6:#1f2328;\
font-family:system-ui,sans-serif;font-size:12px}\
@media (prefers-color-scheme:dark){.plot{--plot-paper:#14171b;--plot-ink:#e6e9ed;--plot-faint:#3a4149;--plot-1:#56b4e9;--plot-2:#ff8f3f;--plot-3:#2fc79a;--plot-4:#e092c0;--plot-5:#f0e442;--plot-6:#e6e9ed}}\
.plot text{fill:var(--plot-ink)}.plot .h{font-size:14px;font-weight:600}.plot .g{stroke:var(--plot-faint);stroke-width:1}\
.plot .f{fill:none;stroke:var(--plot-ink);stroke-width:1}.plot .l{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}\
.plot .s1{stroke:var(--plot-1)}.plot .s2{stroke:var(--plot-2);stroke-dasharray:7 4}.plot .s3{stroke:var(--plot-3);stroke-dasharray:2 4}\
.plot .s4{stroke:var(--plot-4);stroke-dasharray:9 4 2 4}.plot .s5{stroke:var(--plot-5);stroke-dasharray:14 4}.plot .s6{stroke:var(--plot-6);stroke-dasharray:4 2}";

impl Canvas {
    /// Appends markup as it is.
    pub(crate) fn raw(&mut self, markup: impl Display) {
        // Writing to a String cannot fail.
        let _ = write!(self.body, "{markup}");
    }

    /// A text of one line.
    pub(crate) fn text(&mut self, (x, y): (f64, f64), anchor: Anchor, class: &str, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        self.raw(format_args!(r#"<text x="{}" y="{}" text-anchor="{anchor}" class="{class}">{}</text>"#, px(x), px(y), escape(text)));
    }

    /// A text turned to read upwards.
    pub(crate) fn upright_text(&mut self, (x, y): (f64, f64), text: &str) {
        let (x, y) = (px(x), px(y));
        self.raw(format_args!(r#"<text transform="translate({x} {y}) rotate(-90)" text-anchor="middle">{}</text>"#, escape(text)));
    }

    /// A straight line of a class.
    pub(crate) fn line(&mut self, (x1, y1): (f64, f64), (x2, y2): (f64, f64), class: &str) {
        self.raw(format_args!(r#"<line x1="{}" y1="{}" x2="{}" y2="{}" class="{class}"/>"#, px(x1), px(y1), px(x2), px(y2)));
    }

    /// The outline of an area.
    pub(crate) fn frame(&mut self, a: Area) {
        let (x, y, w, h) = (px(a.x), px(a.y), px(a.width), px(a.height));
        self.raw(format_args!(r#"<rect x="{x}" y="{y}" width="{w}" height="{h}" class="f"/>"#));
    }

    /// The finished document.
    pub(crate) fn finish(self, width: f64, height: f64, title: &str, description: &str) -> String {
        let (w, h) = (px(width), px(height));
        format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" class="plot" viewBox="0 0 {w} {h}" width="{w}" height="{h}" role="img"><title>{}</title><desc>{}</desc><style>{STYLE}</style><rect width="{w}" height="{h}" fill="var(--plot-paper)"/>{}</svg>"#,
            escape(title),
            escape(description),
            self.body
        )
    }
}

/// A length with at most two decimals.
pub(crate) fn px(v: f64) -> String {
    let text = format!("{v:.2}");
    let short = text.trim_end_matches('0').trim_end_matches('.');
    if short == "-0" { "0".into() } else { short.into() }
}

/// Text safe inside elements and attributes. Characters that XML forbids become U+FFFD.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\t' | '\n' | '\r' => out.push(' '),
            c if c < ' ' || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// Width of a text of 12 px, estimated: fonts differ, so legends leave room.
pub(crate) fn text_width(text: &str) -> f64 {
    7.0 * text.chars().count() as f64
}

/// `text` cut to about `width` pixels of 12 px type.
pub(crate) fn fitted(text: &str, width: f64) -> String {
    let room = (width / 7.0).max(1.0) as usize;
    if text.chars().count() <= room {
        return text.into();
    }
    text.chars().take(room.saturating_sub(1)).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped_and_forbidden_characters_are_replaced() {
        assert_eq!(escape("a<b & \"c\" 'd'\u{0}\n"), "a&lt;b &amp; &quot;c&quot; &#39;d&#39;\u{fffd} ");
    }

    #[test]
    fn lengths_are_short() {
        assert_eq!([px(1.0), px(0.125), px(-0.001), px(100.0)], ["1", "0.12", "0", "100"]);
    }

    #[test]
    fn long_texts_are_cut() {
        assert_eq!(fitted("abcdefgh", 28.0), "abc…");
        assert_eq!(fitted("abcd", 28.0), "abcd");
    }
}
