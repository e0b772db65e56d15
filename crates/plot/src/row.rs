//! Panels, and several of them side by side.

use crate::axis::{Fitted, Scale};
use crate::canvas::{Anchor, fitted};
use crate::{Area, Axis, Canvas};

/// Width of one panel, in pixels.
const WIDTH: f64 = 440.0;
/// Height of one panel, in pixels.
const HEIGHT: f64 = 330.0;

/// Something that can be drawn into an area.
pub trait Panel {
    /// Draws title, axes and data into `area`.
    fn draw(&self, canvas: &mut Canvas, area: Area);

    /// What a reader who cannot see it should know, in a sentence or two.
    fn describe(&self) -> String;
}

/// One panel as a document.
pub(crate) fn single(panel: &dyn Panel, title: &str) -> String {
    let mut canvas = Canvas::default();
    panel.draw(&mut canvas, Area { x: 0.0, y: 0.0, width: WIDTH, height: HEIGHT });
    canvas.finish(WIDTH, HEIGHT, title, &panel.describe())
}

/// Panels side by side in one document, under a common title.
///
/// ```
/// use plot::{Axis, Heat, Lines};
/// let line = Lines::new("Loss", Axis::linear("step"), Axis::log("loss")).series("loss", [(0.0, 1.0), (1.0, 0.1)]);
/// let heat = Heat::new("Solution", Axis::linear("x"), Axis::linear("t"), 2, vec![0.0, 1.0, 1.0, 0.0]);
/// let svg = plot::row("Training", &[&line, &heat]);
/// assert_eq!(svg.matches("<title>").count(), 1);
/// ```
pub fn row(title: &str, panels: &[&dyn Panel]) -> String {
    grid(title, panels.len(), panels)
}

/// Panels in rows of `columns`, in one document, under a common title.
pub fn grid(title: &str, columns: usize, panels: &[&dyn Panel]) -> String {
    let (head, columns) = (30.0, columns.max(1));
    let mut canvas = Canvas::default();
    let width = WIDTH * columns as f64;
    canvas.text((width / 2.0, 22.0), Anchor::Middle, "h", &fitted(title, 0.85 * width));
    for (i, panel) in panels.iter().enumerate() {
        let (x, y) = ((i % columns) as f64 * WIDTH, head + (i / columns) as f64 * HEIGHT);
        panel.draw(&mut canvas, Area { x, y, width: WIDTH, height: HEIGHT });
    }
    let description: Vec<String> = panels.iter().map(|p| p.describe()).collect();
    let height = head + HEIGHT * panels.len().div_ceil(columns).max(1) as f64;
    canvas.finish(width, height, title, &description.join(" "))
}

/// Draws the panel's title, axis labels, ticks and frame around `inner`.
pub(crate) fn decorate(canvas: &mut Canvas, outer: Area, inner: Area, title: &str, (x, y): (&Axis, &Axis), fits: Option<(Fitted, Fitted)>) {
    let (right, bottom) = (inner.x + inner.width, inner.y + inner.height);
    canvas.text((inner.x + inner.width / 2.0, outer.y + 20.0), Anchor::Middle, "h", &fitted(title, 0.85 * outer.width));
    if let Some((fx, fy)) = fits {
        for (v, label) in fx.ticks(tick_count(&x.scale, 5)) {
            let at = inner.x + fx.position(v) * inner.width;
            canvas.line((at, inner.y), (at, bottom), "g");
            canvas.text((at, bottom + 16.0), Anchor::Middle, "", &label);
        }
        for (v, label) in fy.ticks(tick_count(&y.scale, 5)) {
            let at = bottom - fy.position(v) * inner.height;
            canvas.line((inner.x, at), (right, at), "g");
            canvas.text((inner.x - 6.0, at + 4.0), Anchor::End, "", &label);
        }
    } else {
        canvas.text((inner.x + inner.width / 2.0, inner.y + inner.height / 2.0), Anchor::Middle, "", "no data");
    }
    canvas.text((inner.x + inner.width / 2.0, bottom + 34.0), Anchor::Middle, "", &fitted(&x.label, inner.width));
    canvas.upright_text((outer.x + 16.0, inner.y + inner.height / 2.0), &fitted(&y.label, inner.height));
}

fn tick_count(scale: &Scale, linear: usize) -> usize {
    if *scale == Scale::Log { linear + 2 } else { linear }
}
