//! Marks of points: each series has a shape of its own, so that they are told apart without colours.

use crate::Canvas;
use crate::canvas::px;

/// Half the extent of a mark, in pixels.
const R: f64 = 3.5;

/// Draws the mark of series `i` at a point.
pub(crate) fn marker(canvas: &mut Canvas, i: usize, (x, y): (f64, f64)) {
    let class = format!("m s{}", i % 6 + 1);
    let at = |dx: f64, dy: f64| format!("{} {}", px(x + dx * R), px(y + dy * R));
    let shape = match i % 6 {
        0 => return canvas.raw(format_args!(r#"<circle cx="{}" cy="{}" r="{R}" class="{class}"/>"#, px(x), px(y))),
        1 => format!("M{}H{}V{}H{}Z", at(-0.9, -0.9), px(x + 0.9 * R), px(y + 0.9 * R), px(x - 0.9 * R)),
        2 => format!("M{}L{}L{}Z", at(0.0, -1.1), at(1.0, 0.9), at(-1.0, 0.9)),
        3 => format!("M{}L{}L{}L{}Z", at(0.0, -1.2), at(1.2, 0.0), at(0.0, 1.2), at(-1.2, 0.0)),
        4 => format!("M{}L{}M{}L{}", at(-1.0, -1.0), at(1.0, 1.0), at(-1.0, 1.0), at(1.0, -1.0)),
        _ => format!("M{}L{}M{}L{}", at(-1.1, 0.0), at(1.1, 0.0), at(0.0, -1.1), at(0.0, 1.1)),
    };
    canvas.raw(format_args!(r#"<path d="{shape}" class="{class}"/>"#));
}
