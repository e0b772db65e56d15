//! Horizontal bars that begin at a common value, in groups: ratios around 1, amounts from 0.

use crate::axis::number;
use crate::canvas::{Anchor, fitted, px, text_width};
use crate::{Axis, Canvas, Scale};

/// Height of a bar and of the gap between two groups, in pixels.
const BAR: f64 = 14.0;
const GAP: f64 = 10.0;
/// Width of the chart, in pixels.
const WIDTH: f64 = 640.0;

/// A chart of bars in groups.
///
/// ```
/// use plot::{Axis, Bars};
/// let chart = Bars::new("Time, relative to ours", Axis::log("times as long"), 1.0, &["A", "B"])
///     .group("small", [2.0, 0.5])
///     .group("large", [4.0, f64::NAN]); // nothing was measured
/// assert_eq!(chart.svg().matches("stroke-width:10").count(), 3 + 2); // and two in the legend
/// ```
#[derive(Clone, PartialEq, Debug)]
pub struct Bars {
    title: String,
    axis: Axis,
    base: f64,
    series: Vec<String>,
    groups: Vec<(String, Vec<f64>)>,
}

impl Bars {
    /// A chart without groups: bars begin at `base`, and each group has one for each name in `series`.
    pub fn new(title: &str, axis: Axis, base: f64, series: &[&str]) -> Bars {
        Bars { title: title.into(), axis, base, series: series.iter().map(|s| (*s).into()).collect(), groups: vec![] }
    }

    /// Adds a group below the others, with its values in the order of the series. Values that are missing, not
    /// finite or, on a logarithmic axis, not positive are shown as a dash.
    pub fn group(mut self, name: &str, values: impl IntoIterator<Item = f64>) -> Bars {
        let missing = std::iter::repeat(f64::NAN);
        self.groups.push((name.into(), values.into_iter().chain(missing).take(self.series.len()).collect()));
        self
    }

    /// The chart as a document.
    pub fn svg(&self) -> String {
        let names = self.groups.iter().map(|g| text_width(&g.0)).fold(40.0, f64::max).min(160.0);
        let (left, right, top) = (names + 20.0, WIDTH - 60.0, 56.0);
        let mut canvas = Canvas::default();
        canvas.text((WIDTH / 2.0, 20.0), Anchor::Middle, "h", &fitted(&self.title, 0.85 * WIDTH));
        let shares: f64 = self.series.len() as f64 * BAR;
        let bottom = top + (shares + GAP) * self.groups.len() as f64 + GAP;
        self.legend(&mut canvas, left);
        let values = self.groups.iter().flat_map(|g| &g.1).copied().filter(|&v| self.axis.shows(v));
        match self.axis.fit(values.chain([self.base])).map(|fit| fit.rounded(5)) {
            Some(fit) if self.groups.iter().any(|g| g.1.iter().any(|&v| self.axis.shows(v))) => {
                let place = |v: f64| left + fit.position(v) * (right - left);
                for (v, label) in fit.ticks(if self.axis.scale == Scale::Log { 7 } else { 5 }) {
                    canvas.line((place(v), top), (place(v), bottom), "g");
                    canvas.text((place(v), bottom + 16.0), Anchor::Middle, "", &label);
                }
                for (i, group) in self.groups.iter().enumerate() {
                    self.draw(&mut canvas, group, (left, top + GAP + (shares + GAP) * i as f64), &place);
                }
                canvas.line((place(self.base), top), (place(self.base), bottom), "f");
            }
            _ => canvas.text(((left + right) / 2.0, (top + bottom) / 2.0), Anchor::Middle, "", "no data"),
        }
        canvas.text(((left + right) / 2.0, bottom + 34.0), Anchor::Middle, "", &fitted(&self.axis.label, right - left));
        canvas.finish(WIDTH, bottom + 48.0, &self.title, &self.describe())
    }

    fn legend(&self, canvas: &mut Canvas, left: f64) {
        let mut x = left;
        for (i, name) in self.series.iter().enumerate() {
            bar(canvas, (x, x + 24.0), 40.0, i);
            canvas.text((x + 30.0, 44.0), Anchor::Start, "", name);
            x += 46.0 + text_width(name);
        }
    }

    fn draw(&self, canvas: &mut Canvas, (name, values): &(String, Vec<f64>), (left, top): (f64, f64), place: &dyn Fn(f64) -> f64) {
        let middle = top + BAR * values.len() as f64 / 2.0;
        canvas.text((left - 8.0, middle + 4.0), Anchor::End, "", &fitted(name, left - 16.0));
        for (i, &v) in values.iter().enumerate() {
            let (y, shown) = (top + BAR * (i as f64 + 0.5), self.axis.shows(v));
            if shown {
                bar(canvas, (place(self.base), place(v)), y, i);
            }
            let text = if shown { number(v) } else { "—".into() };
            let end = if shown { place(v).max(place(self.base)) } else { place(self.base) };
            canvas.text((end + 6.0, y + 4.0), Anchor::Start, "", &text);
        }
    }

    fn describe(&self) -> String {
        let value = |(s, &v): (&String, &f64)| if self.axis.shows(v) { format!("{s} {}", number(v)) } else { format!("{s} none") };
        let group = |(name, values): &(String, Vec<f64>)| {
            let list: Vec<String> = self.series.iter().zip(values).map(value).collect();
            format!("{name}: {}", list.join(", "))
        };
        let list: Vec<String> = self.groups.iter().map(group).collect();
        let list = if list.is_empty() { "no data".into() } else { list.join("; ") };
        format!("{}, {}: {list}.", self.title, self.axis.label)
    }
}

/// A bar of series `i`: a thick line, so that it has the colour of the series in both papers.
fn bar(canvas: &mut Canvas, (from, to): (f64, f64), y: f64, i: usize) {
    let (a, b, y) = (px(from), px(to), px(y));
    let style = "stroke-width:10;stroke-dasharray:none;stroke-linecap:butt";
    canvas.raw(format_args!(r#"<line x1="{a}" y1="{y}" x2="{b}" y2="{y}" class="l s{}" style="{style}"/>"#, i % 6 + 1));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ends of all bars after the legend's, (from, to).
    fn ends(svg: &str, legend: usize) -> Vec<(f64, f64)> {
        let value = |line: &str, key: &str| -> f64 { line.split(key).nth(1).unwrap().split('"').next().unwrap().parse().unwrap() };
        let bars = svg.split("<line ").filter(|l| l.contains("stroke-width:10"));
        bars.skip(legend).map(|l| (value(l, "x1=\""), value(l, "x2=\""))).collect()
    }

    #[test]
    fn bars_begin_at_the_base_and_keep_ratios_on_a_logarithmic_axis() {
        let svg = Bars::new("T", Axis::log("x"), 1.0, &["s"]).group("a", [4.0]).group("b", [0.5]).group("c", [2.0]).svg();
        let [a, b, c] = ends(&svg, 1)[..] else { panic!("three bars") };
        assert!(a.0 == b.0 && b.0 == c.0 && a.1 > a.0 && b.1 < b.0);
        let (four, half, two) = (a.1 - a.0, b.0 - b.1, c.1 - c.0);
        assert!((four - 2.0 * two).abs() < 0.05 && (half - two).abs() < 0.05, "{four} {two} {half}");
    }

    #[test]
    fn what_was_not_measured_is_a_dash_and_is_said() {
        let svg = Bars::new("T", Axis::log("x"), 1.0, &["s", "t"]).group("a<b", [3.0]).group("c", [-1.0, f64::INFINITY]).svg();
        assert_eq!((ends(&svg, 2).len(), svg.matches(">—</text>").count()), (1, 3));
        assert!(svg.contains("a&lt;b: s 3, t none; c: s none, t none.") && !svg.contains("inf") && !svg.contains("NaN"));
        let empty = Bars::new("T", Axis::linear("x"), 0.0, &["s"]).svg();
        assert!(empty.contains(">no data</text>") && empty.contains("T, x: no data."));
    }
}
