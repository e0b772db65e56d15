//! Graphs: boxes of text joined by arrows.

use crate::Canvas;
use crate::canvas::{Anchor, fitted, px};

/// Extents of a box, and distances of columns and rows, in pixels.
const BOX: (f64, f64) = (132.0, 20.0);
const STEP: (f64, f64) = (190.0, 30.0);
const MARGIN: f64 = 24.0;

/// Boxes in columns from the left, joined by arrows.
///
/// ```
/// let svg = plot::Graph::new("f = x·y")
///     .node((0.0, 0.0), ["x", "2"])
///     .node((1.0, 0.5), ["x·y", "6"])
///     .edge([(0.0, 0.0), (1.0, 0.5)], "·3")
///     .svg();
/// assert_eq!((svg.matches("<rect").count(), svg.contains("·3")), (3, true));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Graph {
    title: String,
    nodes: Vec<((f64, f64), Vec<String>)>,
    edges: Vec<(Vec<(f64, f64)>, String)>,
}

impl Graph {
    /// A graph without boxes.
    pub fn new(title: &str) -> Graph {
        Graph { title: title.into(), ..Graph::default() }
    }

    /// Adds a box of these lines, in this column and at this height (counted in boxes, downwards).
    pub fn node<S: Into<String>>(mut self, at: (f64, f64), lines: impl IntoIterator<Item = S>) -> Graph {
        self.nodes.push((at, lines.into_iter().map(Into::into).collect()));
        self
    }

    /// Adds an arrow from box to box, through the places between them, with a label near its end.
    pub fn edge(mut self, path: impl IntoIterator<Item = (f64, f64)>, label: &str) -> Graph {
        self.edges.push((path.into_iter().collect(), label.into()));
        self
    }

    /// The graph as a document.
    pub fn svg(&self) -> String {
        let lines = self.nodes.iter().map(|n| n.1.len()).max().unwrap_or(1) as f64;
        let (tall, step) = (BOX.1 * lines, BOX.1 * lines + STEP.1);
        let places = || self.nodes.iter().map(|n| n.0).chain(self.edges.iter().flat_map(|e| e.0.iter().copied()));
        let (top, bottom) = places().fold((0.0f64, 0.0f64), |(lo, hi), p| (lo.min(p.1), hi.max(p.1)));
        let right = places().fold(0.0f64, |m, p| m.max(p.0));
        let head = 40.0;
        let at = |p: (f64, f64)| (MARGIN + BOX.0 / 2.0 + p.0 * STEP.0, head + tall / 2.0 + MARGIN + (p.1 - top) * step);
        let (width, height) = (2.0 * MARGIN + BOX.0 + right * STEP.0, head + tall + 2.0 * MARGIN + (bottom - top) * step);
        let mut canvas = Canvas::default();
        canvas.text((width / 2.0, 24.0), Anchor::Middle, "h", &fitted(&self.title, 0.95 * width));
        for (path, label) in &self.edges {
            arrow(&mut canvas, &path.iter().map(|p| at(*p)).collect::<Vec<_>>(), label);
        }
        for (place, lines) in &self.nodes {
            let (x, y) = at(*place);
            let (left, up) = (px(x - BOX.0 / 2.0), px(y - tall / 2.0));
            canvas.raw(format_args!(r#"<rect x="{left}" y="{up}" width="{}" height="{}" rx="4" class="b"/>"#, px(BOX.0), px(tall)));
            for (k, line) in lines.iter().enumerate() {
                let y = y - tall / 2.0 + BOX.1 * (k as f64 + 0.5) + 4.0;
                canvas.text((x, y), Anchor::Middle, if k == 0 { "h" } else { "" }, &fitted(line, BOX.0 - 4.0));
            }
        }
        let described: Vec<String> = self.nodes.iter().map(|n| n.1.join(", ")).collect();
        canvas.finish(width, height, &self.title, &format!("{}: {}.", self.title, described.join("; ")))
    }
}

/// A smooth line through the middles of the places between its ends, with a head.
fn arrow(canvas: &mut Canvas, path: &[(f64, f64)], label: &str) {
    let ([first, .., last], half) = (path, BOX.0 / 2.0) else { return };
    let mut points = vec![(first.0 + half, first.1)];
    points.extend(&path[1..path.len() - 1]);
    points.push((last.0 - half - 6.0, last.1));
    let mut d = format!("M{} {}", px(points[0].0), px(points[0].1));
    for pair in points.windows(2) {
        let middle = px((pair[0].0 + pair[1].0) / 2.0);
        d += &format!("C{middle} {} {middle} {} {} {}", px(pair[0].1), px(pair[1].1), px(pair[1].0), px(pair[1].1));
    }
    canvas.raw(format_args!(r#"<path d="{d}" class="l s1"/>"#));
    let (x, y) = (last.0 - half, last.1);
    canvas.raw(format_args!(
        r#"<path d="M{} {}L{} {}L{} {}Z" class="l s1"/>"#,
        px(x),
        px(y),
        px(x - 7.0),
        px(y - 4.0),
        px(x - 7.0),
        px(y + 4.0)
    ));
    if !label.is_empty() {
        let before = points[points.len() - 2];
        let (x, y) = ((x + before.0) / 2.0, (y + before.1) / 2.0);
        canvas.text((x, y - 4.0), Anchor::Middle, "", &fitted(label, 90.0));
    }
}
