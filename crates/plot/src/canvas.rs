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

/// Names and colours on a light and on a dark page. Series 1–6: Okabe & Ito, "Color Universal Design"
/// (2008), darkened or lightened to at least 3:1 contrast with the paper.
const COLORS: [(&str, &str, &str); 9] = [
    ("paper", "#fff", "#14171b"),
    ("ink", "#1f2328", "#e6e9ed"),
    ("faint", "#d0d5db", "#3a4149"),
    ("1", "#0072b2", "#56b4e9"),
    ("2", "#c24e00", "#ff8f3f"),
    ("3", "#007a59", "#2fc79a"),
    ("4", "#a8487e", "#e092c0"),
    ("5", "#8a6d00", "#f0e442"),
    ("6", "#1f2328", "#e6e9ed"),
];

/// Dashes of series 1–6.
const DASHES: [&str; 6] = ["none", "7 4", "2 4", "9 4 2 4", "14 4", "4 2"];

/// The style sheet: variables for both pages, then the classes that use them.
fn style() -> String {
    let list = |pick: fn(&(&str, &str, &str)) -> String| COLORS.iter().map(pick).collect::<Vec<_>>().join(";");
    let (light, dark) = (list(|c| format!("--plot-{}:{}", c.0, c.1)), list(|c| format!("--plot-{}:{}", c.0, c.2)));
    // Programs that do not know variables (many viewers besides browsers) keep the first of two values.
    let paint = |property: &str, i: usize| format!("{property}:{};{property}:var(--plot-{})", COLORS[i].1, COLORS[i].0);
    let mut out = format!(".plot{{{light}}}@media (prefers-color-scheme:dark){{.plot{{{dark}}}}}");
    out += &format!(".plot text{{{};font:12px system-ui,sans-serif}}.plot .h{{font-size:14px;font-weight:600}}", paint("fill", 1));
    out += &format!(".plot .p{{{}}}.plot .g{{{}}}.plot .f{{fill:none;{}}}", paint("fill", 0), paint("stroke", 2), paint("stroke", 1));
    out += ".plot .l{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}";
    for (i, dash) in DASHES.iter().enumerate() {
        out += &format!(".plot .s{}{{{};stroke-dasharray:{dash}}}", i + 1, paint("stroke", i + 3));
    }
    out += &format!(".plot .m{{{};stroke-width:1.5;stroke-dasharray:none}}", paint("fill", 0));
    out += &format!(".plot .b{{{};{}}}", paint("fill", 0), paint("stroke", 1));
    out += ".plot .c{fill:none;stroke:#7d868f;stroke-width:1;stroke-opacity:.7}";
    out
}

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
            r#"<svg xmlns="http://www.w3.org/2000/svg" class="plot" viewBox="0 0 {w} {h}" width="{w}" height="{h}" role="img"><title>{}</title><desc>{}</desc><style>{}</style><rect width="{w}" height="{h}" class="p"/>{}</svg>"#,
            escape(title),
            escape(description),
            style(),
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

    /// WCAG 2.2 §1.4.11: lines need a contrast of 3:1 to the paper, on both pages.
    #[test]
    fn series_stand_out_from_the_paper() {
        let luminance = |hex: &str| {
            let digits: String = if hex.len() == 4 { hex[1..].chars().flat_map(|c| [c, c]).collect() } else { hex[1..].into() };
            let channel = |i: usize| {
                let c = f64::from(u8::from_str_radix(&digits[i..i + 2], 16).unwrap()) / 255.0;
                if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
            };
            0.2126 * channel(0) + 0.7152 * channel(2) + 0.0722 * channel(4)
        };
        let contrast = |a: &str, b: &str| {
            let (a, b) = (luminance(a), luminance(b));
            (a.max(b) + 0.05) / (a.min(b) + 0.05)
        };
        for (name, light, dark) in &COLORS[3..] {
            assert!(contrast(light, COLORS[0].1) >= 3.0 && contrast(dark, COLORS[0].2) >= 3.0, "{name}");
        }
        assert!(contrast(COLORS[1].1, COLORS[0].1) >= 7.0 && contrast(COLORS[1].2, COLORS[0].2) >= 7.0, "text");
    }

    #[test]
    fn long_texts_are_cut() {
        assert_eq!(fitted("abcdefgh", 28.0), "abc…");
        assert_eq!(fitted("abcd", 28.0), "abcd");
    }
}
