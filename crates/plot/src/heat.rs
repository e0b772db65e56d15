//! Heat maps: numbers on a grid as colours, with a colour bar.

use crate::axis::{extent, number, widened};
use crate::canvas::{Anchor, px};
use crate::marker::marker;
use crate::picture::data_address;
use crate::row::{decorate, single};
use crate::{Area, Axis, Canvas, ColorMap, Panel, Scale};

/// Colours of a map: palette entry 0 is left for cells without a value.
const COLORS: usize = 255;

/// Numbers on a grid, drawn as colours.
///
/// ```
/// use plot::{Axis, Heat};
/// let values = (0..6).map(f64::from).collect(); // rows from the bottom: 0 1 2, then 3 4 5
/// let svg = Heat::new("Ramp", Axis::linear("x").range(0.0, 1.0), Axis::linear("t").range(0.0, 1.0), 3, values).svg();
/// assert!(svg.contains("data:image/png;base64,"));
/// ```
#[derive(Clone, PartialEq, Debug)]
pub struct Heat {
    title: String,
    x: Axis,
    y: Axis,
    columns: usize,
    values: Vec<f64>,
    map: ColorMap,
    range: Option<(f64, f64)>,
    marks: Vec<Vec<(f64, f64)>>,
}

impl Heat {
    /// A map of `values` in rows of `columns`, the first row at the bottom. The axes' ranges are where
    /// the outermost cells end (without a range: cells are counted).
    pub fn new(title: &str, x: Axis, y: Axis, columns: usize, values: Vec<f64>) -> Heat {
        Heat { title: title.into(), x, y, columns, values, map: ColorMap::Viridis, range: None, marks: vec![] }
    }

    /// With this colour map; [`ColorMap::BlueRed`] makes the range symmetric about 0.
    pub fn map(mut self, map: ColorMap) -> Heat {
        self.map = map;
        self
    }

    /// With fixed ends of the colour bar, to compare maps.
    pub fn range(mut self, lo: f64, hi: f64) -> Heat {
        self.range = Some((lo, hi));
        self
    }

    /// With points on it, in places of the axes; those of each call have a mark of their own.
    pub fn marks(mut self, points: impl IntoIterator<Item = (f64, f64)>) -> Heat {
        self.marks.push(points.into_iter().collect());
        self
    }

    /// The map as a document of its own.
    pub fn svg(&self) -> String {
        single(self, &self.title)
    }

    fn finite(&self) -> impl Iterator<Item = f64> {
        self.values.iter().copied().filter(|v| v.is_finite())
    }

    /// Ends of the colour bar; `None` if there is nothing to show.
    fn ends(&self) -> Option<(f64, f64)> {
        let (lo, hi) = extent(self.finite())?;
        let fixed = self.range.filter(|(lo, hi)| lo.is_finite() && hi.is_finite() && lo < hi);
        let (lo, hi) = match (fixed, self.map) {
            (Some(ends), _) => ends,
            (None, ColorMap::BlueRed) => (-lo.abs().max(hi.abs()), lo.abs().max(hi.abs())),
            (None, ColorMap::Viridis) => (lo, hi),
        };
        Some(widened((lo, hi), Scale::Linear))
    }

    /// One palette index a cell, the uppermost row first; 0 for cells without a value.
    fn indices(&self, (lo, hi): (f64, f64)) -> Vec<u8> {
        let index =
            |&v: &f64| if v.is_finite() { 1 + (((v - lo) / (hi - lo)).clamp(0.0, 1.0) * (COLORS - 1) as f64).round() as u8 } else { 0 };
        self.values.chunks_exact(self.columns.max(1)).rev().flatten().map(index).collect()
    }

    fn axes(&self) -> (Axis, Axis) {
        let counted = |axis: &Axis, n: usize| if axis.range.is_some() { axis.clone() } else { axis.clone().range(0.0, n as f64) };
        (counted(&self.x, self.columns), counted(&self.y, self.values.len() / self.columns.max(1)))
    }
}

/// A picture stretched over an area, its pixels kept apart.
fn picture(canvas: &mut Canvas, a: Area, address: &str) {
    let (x, y, w, h) = (px(a.x), px(a.y), px(a.width), px(a.height));
    canvas.raw(format_args!(
        r#"<image x="{x}" y="{y}" width="{w}" height="{h}" preserveAspectRatio="none" style="image-rendering:pixelated" href="{address}"/>"#
    ));
}

impl Panel for Heat {
    fn draw(&self, canvas: &mut Canvas, area: Area) {
        let (left, right, top, bottom) = (62.0, 96.0, 32.0, 48.0);
        let inner = Area { x: area.x + left, y: area.y + top, width: area.width - left - right, height: area.height - top - bottom };
        let (x, y) = self.axes();
        let complete = self.values.len() >= self.columns && self.columns > 0;
        let shown = self.ends().filter(|_| complete);
        let fits = shown.and_then(|_| Some((x.fit(std::iter::empty())?, y.fit(std::iter::empty())?)));
        decorate(canvas, area, inner, &self.title, (&x, &y), fits);
        if let Some((lo, hi)) = shown {
            let colors: Vec<[u8; 3]> = (0..COLORS).map(|i| self.map.at(i as f64 / (COLORS - 1) as f64)).collect();
            let palette: Vec<[u8; 3]> = std::iter::once([0; 3]).chain(colors).collect();
            picture(canvas, inner, &data_address(self.columns, &self.indices((lo, hi)), &palette));
            let bar = Area { x: inner.x + inner.width + 12.0, width: 14.0, ..inner };
            let ramp: Vec<u8> = (1..=COLORS as u8).rev().collect();
            picture(canvas, bar, &data_address(1, &ramp, &palette));
            canvas.frame(bar);
            for (v, label) in Axis::linear("").range(lo, hi).fit(std::iter::empty()).map(|f| f.ticks(5)).unwrap_or_default() {
                let at = bar.y + bar.height * (hi - v) / (hi - lo);
                canvas.text((bar.x + bar.width + 5.0, at + 4.0), Anchor::Start, "", &label);
            }
        }
        if let Some((fx, fy)) = fits {
            for (i, points) in self.marks.iter().enumerate() {
                let place = |p: &(f64, f64)| (fx.position(p.0), fy.position(p.1));
                let inside = |p: &(f64, f64)| (0.0..=1.0).contains(&p.0) && (0.0..=1.0).contains(&p.1);
                for (x, y) in points.iter().map(place).filter(inside) {
                    marker(canvas, i, (inner.x + x * inner.width, inner.y + (1.0 - y) * inner.height));
                }
            }
        }
        canvas.frame(inner);
    }

    fn describe(&self) -> String {
        let place = format!("{}, over {} and {}", self.title, self.x.label, self.y.label);
        match extent(self.finite()) {
            Some((lo, hi)) => format!("{place}: values from {} to {}.", number(lo), number(hi)),
            None => format!("{place}: no data."),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(columns: usize, values: &[f64]) -> Heat {
        Heat::new("T", Axis::linear("x"), Axis::linear("y"), columns, values.to_vec())
    }

    #[test]
    fn cells_run_from_the_lower_left_and_span_the_palette() {
        let m = map(2, &[0.0, 1.0, 2.0, 4.0, f64::NAN, f64::INFINITY]);
        assert_eq!(m.ends(), Some((0.0, 4.0)));
        assert_eq!(m.indices((0.0, 4.0)), [0, 0, 128, 255, 1, 65]);
    }

    #[test]
    fn signed_maps_are_symmetric_and_fixed_ends_are_kept() {
        assert_eq!(map(1, &[-1.0, 3.0]).map(ColorMap::BlueRed).ends(), Some((-3.0, 3.0)));
        assert_eq!(map(1, &[-1.0, 3.0]).range(0.0, 1.0).ends(), Some((0.0, 1.0)));
        assert_eq!(map(1, &[-1.0, 3.0]).range(1.0, f64::NAN).ends(), Some((-1.0, 3.0)));
    }

    #[test]
    fn nothing_constant_and_incomplete_data_can_be_drawn() {
        for m in [map(0, &[]), map(3, &[]), map(2, &[f64::NAN; 4])] {
            let svg = m.svg();
            assert!(svg.contains(">no data</text>") && !svg.contains("NaN"), "{m:?}");
        }
        let svg = map(2, &[5.0; 4]).svg();
        assert!(svg.contains("<image") && svg.contains("values from 5 to 5."));
        assert!(map(3, &[1.0, 2.0, 3.0, 4.0]).svg().contains("<image"), "the surplus value is left out");
        let zero = map(2, &[0.0; 4]).map(ColorMap::BlueRed);
        assert_eq!(zero.ends(), Some((-1.0, 1.0)));
    }

    #[test]
    fn points_lie_on_the_map_and_those_outside_are_left_out() {
        let svg = Heat::new("T", Axis::linear("x").range(0.0, 2.0), Axis::linear("y").range(0.0, 2.0), 1, vec![1.0])
            .marks([(1.0, 1.0), (3.0, 1.0)])
            .marks([(0.5, 0.5)])
            .svg();
        assert_eq!((svg.matches("class=\"m s1\"").count(), svg.matches("class=\"m s2\"").count()), (1, 1));
    }

    #[test]
    fn the_bar_is_labelled_with_round_values() {
        let svg = map(2, &[-1.0, 0.0, 0.5, 1.0]).svg();
        for label in ["−1.0", "−0.5", ">0<", "0.5", "1.0"] {
            assert!(svg.contains(label), "{label}");
        }
        assert_eq!(svg.matches("<image").count(), 2);
    }
}
