//! Confusion matrices: how many rows of each class were taken for which.

use crate::canvas::{Anchor, fitted, px, text_width};
use crate::{Canvas, ColorMap};

/// With more classes than this, cells show colours only.
const NUMBERED: usize = 26;

/// A confusion matrix as a document: `counts[i][j]` rows of class `i` (a line) were taken for class `j` (a column).
/// Colours are shares of the line. `labels` name the lines and the columns.
///
/// ```
/// let names = ["cat".to_string(), "dog".to_string()];
/// let svg = plot::confusion("Confusion", ["true", "predicted"], &names, &[vec![9, 1], vec![2, 8]]);
/// assert!(svg.contains(">9</text>") && svg.contains("17 of 20"));
/// ```
pub fn confusion(title: &str, labels: [&str; 2], names: &[String], counts: &[Vec<usize>]) -> String {
    let n = names.len();
    let largest = counts.iter().flatten().max().map_or(1, |c| c.to_string().len());
    let cell = if n > NUMBERED { (600.0 / n as f64).max(3.0) } else { (7.0 * largest as f64 + 12.0).max(32.0) };
    let margin = names.iter().map(|name| text_width(name)).fold(40.0, f64::max).min(120.0) + 8.0;
    let (left, top, side) = (margin + 24.0, 36.0, cell * n as f64);
    let mut canvas = Canvas::default();
    let width = (left + side + 16.0).max(280.0);
    canvas.text((width / 2.0, 20.0), Anchor::Middle, "h", &fitted(title, 0.85 * width));
    for (i, line) in counts.iter().enumerate().take(n) {
        let total = line.iter().sum::<usize>().max(1) as f64;
        for (j, &count) in line.iter().enumerate().take(n) {
            let place = (left + j as f64 * cell, top + i as f64 * cell);
            square(&mut canvas, place, cell, count as f64 / total, (n <= NUMBERED).then_some(count));
        }
    }
    if cell >= 12.0 {
        for (i, name) in names.iter().enumerate() {
            let middle = (i as f64 + 0.5) * cell;
            canvas.text((left - 6.0, top + middle + 4.0), Anchor::End, "", &fitted(name, margin - 8.0));
            let (x, y) = (px(left + middle + 4.0), px(top + side + 8.0));
            let name = crate::canvas::escape(&fitted(name, margin - 8.0));
            canvas.raw(format_args!(r#"<text transform="translate({x} {y}) rotate(-90)" text-anchor="end">{name}</text>"#));
        }
    }
    canvas.upright_text((14.0, top + side / 2.0), labels[0]);
    canvas.text((left + side / 2.0, top + side + margin + 18.0), Anchor::Middle, "", labels[1]);
    let all: usize = counts.iter().flatten().sum();
    let right: usize = counts.iter().enumerate().filter_map(|(i, line)| line.get(i)).sum();
    canvas.finish(width, top + side + margin + 30.0, title, &format!("{title}: {right} of {all} on the diagonal, {n} × {n}."))
}

/// A cell: its colour is the share, its text the number.
fn square(canvas: &mut Canvas, (x, y): (f64, f64), side: f64, share: f64, count: Option<usize>) {
    let [r, g, b] = ColorMap::Viridis.at(share);
    let (left, top, size) = (px(x), px(y), px(side));
    canvas.raw(format_args!(r#"<rect x="{left}" y="{top}" width="{size}" height="{size}" fill="rgb({r},{g},{b})"/>"#));
    if let Some(count) = count {
        // Viridis is dark below and light above.
        let ink = if share < 0.55 { "#fff" } else { "#000" };
        let (x, y) = (px(x + side / 2.0), px(y + side / 2.0 + 4.0));
        canvas.raw(format_args!(r#"<text x="{x}" y="{y}" text-anchor="middle" style="fill:{ink}">{count}</text>"#));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_true_classes_and_names_are_escaped() {
        let names = ["<a>".to_string(), "b".to_string()];
        let svg = confusion("T", ["true", "predicted"], &names, &[vec![3, 1], vec![0, 0]]);
        assert!(svg.contains("&lt;a&gt;") && !svg.contains("<a>") && !svg.contains("NaN"));
        let at = |text: &str| svg.find(text).unwrap();
        assert!(at(">3</text>") < at(">1</text>") && at(">1</text>") < at(">0</text>") && svg.contains("3 of 4 on the diagonal"));
    }

    #[test]
    fn many_classes_and_none_can_be_drawn() {
        let names: Vec<String> = (0..300).map(|i| i.to_string()).collect();
        let svg = confusion("T", ["t", "p"], &names, &vec![vec![1; 300]; 300]);
        assert!(svg.matches("<rect").count() >= 90_000 && !svg.contains(">1</text>"));
        assert!(confusion("T", ["t", "p"], &[], &[]).contains("0 of 0"));
    }
}
