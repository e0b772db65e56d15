//! Charts as SVG text: lines on linear or logarithmic axes, heat maps with a colour bar, rows of such panels, bars, graphs of
//! boxes and arrows, and confusion matrices. No dependency, no I/O.
//!
//! The text of a chart is readable in light and dark (`prefers-color-scheme`; a page may set the
//! variables `--plot-paper`, `--plot-ink`, `--plot-faint` and `--plot-1` … `--plot-6` itself), carries
//! `<title>` and `<desc>` as its text alternative, and tells series apart by dashes as well as colours.
//! Heat maps hold their cells as an embedded picture: a page that inlines the SVG under a content
//! security policy must allow `img-src data:` and inline styles; as a file in `<img>` nothing is needed.
//!
//! Data that cannot be shown never fails: a line is interrupted at values that are not finite (or not
//! positive, on a logarithmic axis), such cells of a heat map stay empty, and a chart without any
//! value says so.
//!
//! ```
//! use plot::{Axis, Lines};
//! let loss = [(1.0, 0.5), (10.0, 0.02), (100.0, 0.003)];
//! let svg = Lines::new("Loss", Axis::log("step"), Axis::log("mean square")).series("training", loss).svg();
//! assert!(svg.starts_with("<svg") && svg.contains("<title>Loss</title>") && svg.contains("10⁻²"));
//! ```

mod axis;
mod bars;
mod canvas;
mod color;
mod confusion;
mod graph;
mod heat;
mod lines;
mod marker;
mod picture;
mod row;

pub use axis::{Axis, Scale};
pub use bars::Bars;
pub use canvas::{Area, Canvas};
pub use color::ColorMap;
pub use confusion::confusion;
pub use graph::Graph;
pub use heat::Heat;
pub use lines::Lines;
pub use row::{Panel, grid, row};
