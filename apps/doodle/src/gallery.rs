//! Bitmaps side by side as SVG: what was drawn, and what it was taken for.

use crate::raster::SIZE;
use std::fmt::Write;

/// A bitmap and two lines below it.
#[derive(Clone, Debug)]
pub struct Tile<'a> {
    /// 28 × 28 values.
    pub pixels: &'a [u8],
    /// What stands below.
    pub lines: [String; 2],
}

/// Tiles in a row, and their extents.
const ACROSS: usize = 10;
const WIDTH: usize = 104;
const HEIGHT: usize = 126;

/// A document with these tiles. It follows light and dark, and its text can be selected.
///
/// ```
/// use doodle::gallery::{Tile, svg};
/// let pixels = [255; 784];
/// let svg = svg("Mistakes", &[Tile { pixels: &pixels, lines: ["cat".into(), "→ <fish>".into()] }]);
/// assert!(svg.contains("<title>Mistakes</title>") && svg.contains("→ &lt;fish&gt;"));
/// ```
pub fn svg(title: &str, tiles: &[Tile]) -> String {
    let (w, h) = (ACROSS * WIDTH, 40 + HEIGHT * tiles.len().div_ceil(ACROSS));
    let mut out = format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {w} {h}" font-family="sans-serif" font-size="12" role="img"><title>{}</title>
<style>svg{{background:#fff;fill:#111}}@media(prefers-color-scheme:dark){{svg{{background:#111;fill:#eee}}}}</style>
<text x="10" y="24" font-size="16">{}</text>
"#,
        escape(title),
        escape(title)
    );
    for (i, tile) in tiles.iter().enumerate() {
        let (x, y) = (i % ACROSS * WIDTH + 10, i / ACROSS * HEIGHT + 40);
        let _ = write!(out, r#"<g transform="translate({x},{y})"><g transform="scale(3)">{}</g>"#, runs(tile.pixels));
        for (line, text) in tile.lines.iter().enumerate() {
            let _ = write!(out, r#"<text y="{}">{}</text>"#, 98 + 14 * line, escape(text));
        }
        out.push_str("</g>\n");
    }
    out + "</svg>\n"
}

/// Runs of equal pixels as paths, one for each of four shades.
fn runs(pixels: &[u8]) -> String {
    let mut paths = [const { String::new() }; 5];
    for (y, row) in pixels.chunks(SIZE).enumerate() {
        let shade = |v: u8| (usize::from(v) + 32) / 64;
        let mut x = 0;
        while x < row.len() {
            let n = row[x..].iter().take_while(|&&v| shade(v) == shade(row[x])).count();
            if shade(row[x]) > 0 {
                let _ = write!(paths[shade(row[x])], "M{x} {y}h{n}v1h-{n}z");
            }
            x += n;
        }
    }
    let shades = paths.iter().enumerate().filter(|(_, d)| !d.is_empty());
    shades.map(|(i, d)| format!(r#"<path opacity="{}" d="{d}"/>"#, i as f64 / 4.0)).collect()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
