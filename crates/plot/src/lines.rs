//! Line charts: several series over a common pair of axes, with a legend; also paths with their points, points alone, and
//! thin lines that belong to the ground, such as contours.

use crate::axis::{Fitted, number};
use crate::canvas::{fitted, px, text_width};
use crate::marker::marker;
use crate::row::{decorate, single};
use crate::{Area, Axis, Canvas, Panel};

/// How a series is drawn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Style {
    /// Points joined by lines.
    Line,
    /// Points joined by lines, each with a mark.
    Path,
    /// Points alone.
    Marks,
}

#[derive(Clone, PartialEq, Debug)]
struct Series {
    name: String,
    points: Vec<(f64, f64)>,
    style: Style,
}

/// A chart of series of points joined by lines.
///
/// ```
/// use plot::{Axis, Lines};
/// let chart = Lines::new("Error", Axis::linear("step"), Axis::log("relative L2"))
///     .series("seed 1", [(0.0, 1.0), (100.0, 0.2), (200.0, 0.03)])
///     .series("seed 2", [(0.0, 0.9), (100.0, f64::NAN), (200.0, 0.02)]);
/// assert_eq!(chart.svg().matches("<polyline").count(), 1); // seed 2 has no two neighbours: it is drawn as points
/// ```
#[derive(Clone, PartialEq, Debug)]
pub struct Lines {
    title: String,
    x: Axis,
    y: Axis,
    series: Vec<Series>,
    ground: Vec<Vec<(f64, f64)>>,
}

/// Most points of a path that get marks: more would hide the line.
const MARKED: usize = 200;

impl Lines {
    /// An empty chart.
    pub fn new(title: &str, x: Axis, y: Axis) -> Lines {
        Lines { title: title.into(), x, y, series: vec![], ground: vec![] }
    }

    /// Adds a series of points (x, y), joined in the order given. Its name appears in the legend.
    pub fn series(self, name: &str, points: impl IntoIterator<Item = (f64, f64)>) -> Lines {
        self.with(name, points, Style::Line)
    }

    /// Adds a series whose points are joined and marked.
    pub fn path(self, name: &str, points: impl IntoIterator<Item = (f64, f64)>) -> Lines {
        self.with(name, points, Style::Path)
    }

    /// Adds a series of marks that are not joined.
    pub fn marks(self, name: &str, points: impl IntoIterator<Item = (f64, f64)>) -> Lines {
        self.with(name, points, Style::Marks)
    }

    /// Adds a thin line below all series: it has no name, and axes do not make room for it.
    pub fn ground(mut self, points: impl IntoIterator<Item = (f64, f64)>) -> Lines {
        self.ground.push(points.into_iter().collect());
        self
    }

    fn with(mut self, name: &str, points: impl IntoIterator<Item = (f64, f64)>, style: Style) -> Lines {
        self.series.push(Series { name: name.into(), points: points.into_iter().collect(), style });
        self
    }

    /// The chart as a document of its own.
    pub fn svg(&self) -> String {
        single(self, &self.title)
    }

    fn shown(&self, p: (f64, f64)) -> bool {
        self.x.shows(p.0) && self.y.shows(p.1)
    }

    fn fits(&self) -> Option<(Fitted, Fitted)> {
        let points = || self.series.iter().flat_map(|s| &s.points).copied().filter(|&p| self.shown(p));
        let fy = self.y.fit(points().map(|p| p.1))?;
        Some((self.x.fit(points().map(|p| p.0))?, if self.y.range.is_some() { fy } else { fy.rounded(5) }))
    }

    /// Draws the legend in lines of at most `area.width` and returns its height.
    fn legend(&self, canvas: &mut Canvas, area: Area) -> f64 {
        let (mut x, mut y) = (area.x, area.y + 10.0);
        for (i, series) in self.series.iter().enumerate() {
            let name = fitted(&series.name, area.width - 40.0);
            let width = 40.0 + text_width(&name);
            if x > area.x && x + width > area.x + area.width {
                (x, y) = (area.x, y + 16.0);
            }
            if series.style != Style::Marks {
                canvas.line((x, y), (x + 24.0, y), &class(i));
            }
            if series.style != Style::Line {
                marker(canvas, i, (x + 12.0, y));
            }
            canvas.text((x + 30.0, y + 4.0), crate::canvas::Anchor::Start, "", &name);
            x += width + 16.0;
        }
        if self.series.is_empty() { 0.0 } else { y - area.y + 12.0 }
    }
}

impl Panel for Lines {
    fn draw(&self, canvas: &mut Canvas, area: Area) {
        let (left, right, top, bottom) = (78.0, 20.0, 32.0, 48.0);
        let head = Area { x: area.x + left, y: area.y + top, width: area.width - left - right, height: 0.0 };
        let legend = self.legend(canvas, head);
        let inner = Area { y: head.y + legend, height: (area.height - top - bottom - legend).max(40.0), ..head };
        let fits = self.fits();
        decorate(canvas, area, inner, &self.title, (&self.x, &self.y), fits);
        if let Some((fx, fy)) = fits {
            // A nested document cuts off what lies outside fixed ranges.
            let (x, y, w, h) = (px(inner.x), px(inner.y), px(inner.width), px(inner.height));
            canvas.raw(format_args!(r#"<svg x="{x}" y="{y}" width="{w}" height="{h}" overflow="hidden">"#));
            let place = |p: &(f64, f64)| {
                let (x, y) = (fx.position(p.0) * inner.width, (1.0 - fy.position(p.1)) * inner.height);
                (x.clamp(-1e5, 1e5), y.clamp(-1e5, 1e5))
            };
            for line in &self.ground {
                let at: Vec<(f64, f64)> = line.iter().filter(|&&p| self.shown(p)).map(place).collect();
                draw_run(canvas, &at, "c");
            }
            for (i, series) in self.series.iter().enumerate() {
                for run in series.points.split(|&p| !self.shown(p)) {
                    let at: Vec<(f64, f64)> = run.iter().map(place).collect();
                    match series.style {
                        Style::Line => draw_run(canvas, &thinned(&at), &class(i)),
                        Style::Path if series.points.len() > MARKED => draw_run(canvas, &thinned(&at), &class(i)),
                        Style::Path if at.len() > 1 => draw_run(canvas, &at, &class(i)),
                        Style::Path | Style::Marks => {}
                    }
                    if series.style == Style::Marks || series.style == Style::Path && series.points.len() <= MARKED {
                        at.iter().for_each(|&p| marker(canvas, i, p));
                    }
                }
            }
            canvas.raw("</svg>");
        }
        canvas.frame(inner);
    }

    fn describe(&self) -> String {
        let describe = |Series { name, points, style }: &Series| {
            let shown: Vec<(f64, f64)> = points.iter().copied().filter(|&p| self.shown(p)).collect();
            match (shown.first(), shown.last()) {
                (Some(_), Some(_)) if *style == Style::Marks => format!("{name}: {} points", shown.len()),
                (Some(a), Some(b)) => format!("{name}: from {} to {}", number(a.1), number(b.1)),
                _ => format!("{name}: no data"),
            }
        };
        let list: Vec<String> = self.series.iter().map(describe).collect();
        let list = if list.is_empty() { "no data".into() } else { list.join("; ") };
        format!("{}, {} over {}: {list}.", self.title, self.y.label, self.x.label)
    }
}

fn class(i: usize) -> String {
    format!("l s{}", i % 6 + 1)
}

fn draw_run(canvas: &mut Canvas, at: &[(f64, f64)], class: &str) {
    match at {
        [] => {}
        [(x, y)] => canvas.raw(format_args!(r#"<circle cx="{}" cy="{}" r="2" class="{class}"/>"#, px(*x), px(*y))),
        _ => {
            let list: Vec<String> = at.iter().map(|(x, y)| format!("{},{}", px(*x), px(*y))).collect();
            canvas.raw(format_args!(r#"<polyline points="{}" class="{class}"/>"#, list.join(" ")));
        }
    }
}

/// At most four points a pixel column (first, lowest, highest, last): what a screen can show of a long
/// series, without losing its peaks.
fn thinned(at: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let same_column = |a: &(f64, f64), b: &(f64, f64)| a.0.floor() == b.0.floor();
    let mut out = Vec::with_capacity(at.len().min(4096));
    for column in at.chunk_by(same_column) {
        if column.len() <= 4 {
            out.extend_from_slice(column);
            continue;
        }
        let by_y = |a: &usize, b: &usize| column[*a].1.total_cmp(&column[*b].1);
        let lowest = (0..column.len()).min_by(by_y).unwrap_or(0);
        let highest = (0..column.len()).max_by(by_y).unwrap_or(0);
        let mut keep = [0, lowest, highest, column.len() - 1];
        keep.sort_unstable();
        out.extend(keep.iter().enumerate().filter(|&(k, i)| k == 0 || keep[k - 1] != *i).map(|(_, &i)| column[i]));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(points: &[(f64, f64)]) -> String {
        Lines::new("T", Axis::linear("x"), Axis::log("y")).series("s", points.iter().copied()).svg()
    }

    /// Coordinates of all polylines, in drawing units.
    fn coordinates(svg: &str) -> Vec<Vec<(f64, f64)>> {
        let lists = svg.split("<polyline points=\"").skip(1).map(|rest| rest.split('"').next().unwrap());
        let pair = |p: &str| p.split_once(',').map(|(x, y)| (x.parse().unwrap(), y.parse().unwrap())).unwrap();
        lists.map(|list| list.split(' ').map(pair).collect()).collect()
    }

    #[test]
    fn points_lie_where_the_axes_say() {
        let svg = Lines::new("T", Axis::linear("x").range(0.0, 2.0), Axis::log("y").range(1e-4, 1.0))
            .series("s", [(0.0, 1.0), (1.0, 1e-2), (2.0, 1e-4)])
            .svg();
        let p = &coordinates(&svg)[0];
        let (width, height) = (p[2].0, p[2].1);
        assert_eq!(p[0], (0.0, 0.0));
        assert!((p[1].0 - width / 2.0).abs() < 0.01 && (p[1].1 - height / 2.0).abs() < 0.01, "{p:?}");
        assert!(width > 300.0 && height > 150.0);
    }

    #[test]
    fn values_without_a_place_interrupt_the_line() {
        let svg = chart(&[(0.0, 1.0), (1.0, 0.5), (2.0, f64::NAN), (3.0, 0.2), (4.0, 0.0), (5.0, f64::INFINITY), (6.0, 0.1), (7.0, 0.05)]);
        assert_eq!(coordinates(&svg).iter().map(Vec::len).collect::<Vec<_>>(), [2, 2]);
        assert_eq!(svg.matches("<circle").count(), 1);
        assert!(!svg.contains("NaN") && !svg.contains("inf"));
    }

    #[test]
    fn charts_without_values_say_so() {
        for points in [&[][..], &[(f64::NAN, 1.0)], &[(1.0, -1.0)]] {
            let svg = chart(points);
            assert!(svg.contains(">no data</text>") && svg.contains("s: no data"), "{points:?}");
        }
        assert!(Lines::new("T", Axis::linear("x"), Axis::linear("y")).svg().contains("no data"));
    }

    #[test]
    fn constant_data_lies_in_the_middle_of_a_labelled_axis() {
        let svg = Lines::new("T", Axis::linear("x"), Axis::linear("y")).series("s", [(0.0, 3.0), (1.0, 3.0)]).svg();
        let p = &coordinates(&svg)[0];
        assert_eq!(p[0].1, p[1].1);
        assert!(svg.contains(">3.0</text>"), "{svg}");
    }

    #[test]
    fn paths_have_marks_and_the_ground_has_no_name() {
        let chart = Lines::new("T", Axis::linear("x").range(0.0, 1.0), Axis::linear("y").range(0.0, 1.0))
            .path("p", [(0.0, 0.0), (0.5, 0.5), (1.0, 0.2)])
            .marks("m", [(0.2, 0.2), (f64::NAN, 0.0)])
            .ground([(0.0, 0.3), (1.0, 0.3)]);
        let svg = chart.svg();
        assert_eq!(svg.matches("<polyline").count(), 2);
        assert_eq!(svg.matches("class=\"m s1\"").count(), 3 + 1, "and one in the legend");
        assert_eq!(svg.matches("class=\"m s2\"").count(), 1 + 1);
        assert!(svg.contains("p: from 0 to 0.2; m: 1 points"), "{svg}");
    }

    #[test]
    fn markup_in_names_stays_text() {
        let evil = "<script>\"&'";
        let svg = Lines::new(evil, Axis::linear(evil), Axis::linear(evil)).series(evil, [(0.0, 1.0), (1.0, 2.0)]).svg();
        assert!(!svg.contains("<script>") && svg.matches("&lt;script&gt;&quot;&amp;&#39;").count() >= 5);
    }

    #[test]
    fn long_series_are_thinned_but_keep_their_peaks() {
        let mut points: Vec<(f64, f64)> = (0..100_000).map(|i| (f64::from(i), 1.0 + 0.1 * (f64::from(i) * 0.7).sin())).collect();
        points[43_210].1 = 1e3;
        let svg = chart(&points);
        let p = &coordinates(&svg)[0];
        assert!(p.len() < 2000 && svg.len() < 40_000, "{}", p.len());
        let top = p.iter().map(|p| p.1).fold(f64::MAX, f64::min);
        assert!(top.abs() < 1.0, "the peak at the upper end of the axis is lost: {top}");
    }
}
