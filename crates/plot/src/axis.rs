//! Axes: ranges, round tick values, and their labels.

/// How values are spread along an axis.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Scale {
    /// Equal differences, equal distances.
    #[default]
    Linear,
    /// Equal ratios, equal distances; only positive values can be shown.
    Log,
}

/// An axis: its label, scale and, if fixed, its ends.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Axis {
    /// Text beside the axis.
    pub label: String,
    /// Linear or logarithmic.
    pub scale: Scale,
    /// The ends; `None`: those of the data, rounded outwards to ticks on a linear axis.
    pub range: Option<(f64, f64)>,
}

impl Axis {
    /// A linear axis over the data.
    pub fn linear(label: &str) -> Axis {
        Axis { label: label.into(), ..Axis::default() }
    }

    /// A logarithmic axis over the positive data.
    pub fn log(label: &str) -> Axis {
        Axis { label: label.into(), scale: Scale::Log, range: None }
    }

    /// The same axis from `lo` to `hi`. Ends that are not finite, equal, or not positive on a
    /// logarithmic axis are ignored.
    pub fn range(mut self, lo: f64, hi: f64) -> Axis {
        self.range = Some((lo, hi));
        self
    }

    /// Whether `v` has a place on this axis.
    pub(crate) fn shows(&self, v: f64) -> bool {
        v.is_finite() && (self.scale == Scale::Linear || v > 0.0)
    }

    /// The axis fitted to `values`; `None` if none of them can be shown and no range is fixed.
    pub(crate) fn fit(&self, values: impl Iterator<Item = f64>) -> Option<Fitted> {
        let fixed = self.range.filter(|&(lo, hi)| lo != hi && self.shows(lo) && self.shows(hi));
        let (lo, hi) = match fixed {
            Some((lo, hi)) => (lo.min(hi), lo.max(hi)),
            None => widened(extent(values.filter(|&v| self.shows(v)))?, self.scale),
        };
        let (lo, hi) = if self.scale == Scale::Log { (lo.log10(), hi.log10()) } else { (lo, hi) };
        Some(Fitted { lo, hi, scale: self.scale })
    }
}

/// Smallest and largest value; `None` without values.
pub(crate) fn extent(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    values.fold(None, |range, v| match range {
        None => Some((v, v)),
        Some((lo, hi)) => Some((v.min(lo), v.max(hi))),
    })
}

/// A range that is never empty and not too wide for arithmetic: equal ends move apart.
pub(crate) fn widened((lo, hi): (f64, f64), scale: Scale) -> (f64, f64) {
    let (lo, hi) = (lo.clamp(-1e300, 1e300), hi.clamp(-1e300, 1e300));
    match scale {
        Scale::Log if lo == hi => (lo / 2.0, hi * 2.0),
        Scale::Linear if lo == hi => {
            let half = if lo.abs() < 1e-300 { 1.0 } else { lo.abs() * 0.1 };
            (lo - half, hi + half)
        }
        _ => (lo, hi),
    }
}

/// An axis with its final ends, in exponents of ten if it is logarithmic.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Fitted {
    lo: f64,
    hi: f64,
    scale: Scale,
}

impl Fitted {
    /// Position of `v` from 0 (low end) to 1 (high end).
    pub(crate) fn position(&self, v: f64) -> f64 {
        let v = if self.scale == Scale::Log { v.log10() } else { v };
        (v - self.lo) / (self.hi - self.lo)
    }

    /// The same axis with its ends moved outwards to ticks, so that curves do not run along the frame.
    pub(crate) fn rounded(self, count: usize) -> Fitted {
        if self.scale == Scale::Log {
            return self;
        }
        let step = nice_step(self.hi - self.lo, count);
        let (lo, hi) = ((self.lo / step).floor() * step, (self.hi / step).ceil() * step);
        if lo.is_finite() && hi.is_finite() && lo < hi { Fitted { lo, hi, ..self } } else { self }
    }

    /// About `count` round values between the ends, with labels.
    pub(crate) fn ticks(&self, count: usize) -> Vec<(f64, String)> {
        match self.scale {
            Scale::Linear => linear_ticks(self.lo, self.hi, count),
            Scale::Log => log_ticks(self.lo, self.hi, count),
        }
    }
}

/// 1, 2 or 5 times a power of ten, so that about `count` steps make up `span`.
fn nice_step(span: f64, count: usize) -> f64 {
    let rough = span / count.max(1) as f64;
    let power = 10f64.powi(rough.log10().floor() as i32);
    match rough / power {
        r if r < 1.5 => power,
        r if r < 3.5 => 2.0 * power,
        r if r < 7.5 => 5.0 * power,
        _ => 10.0 * power,
    }
}

fn linear_ticks(lo: f64, hi: f64, count: usize) -> Vec<(f64, String)> {
    let step = nice_step(hi - lo, count);
    let slack = 1e-9 * step;
    let (first, last) = (((lo - slack) / step).ceil(), ((hi + slack) / step).floor());
    // Where neighbouring numbers are farther apart than the step, only the ends are left to name.
    if !(first.is_finite() && last.is_finite()) || last - first > 4.0 * count as f64 || first.abs() > 1e15 {
        return vec![(lo, number(lo)), (hi, number(hi))];
    }
    (0..=(last - first) as usize)
        .map(|k| {
            let v = (first + k as f64) * step;
            (v, label(v, step, lo.abs().max(hi.abs())))
        })
        .collect()
}

/// `v` with as many digits as ticks `step` apart need.
fn label(v: f64, step: f64, largest: f64) -> String {
    if !(1e-4..1e6).contains(&largest) {
        return number(v);
    }
    let decimals = (-step.log10().floor()).clamp(0.0, 12.0) as usize;
    let text = format!("{v:.decimals$}");
    minus(if text.trim_matches(['-', '0', '.']).is_empty() { "0".into() } else { text })
}

/// Powers of ten between the ends; if there are fewer than two, also 2 and 5 times them; if those are
/// fewer than three, values at equal distances.
fn log_ticks(lo: f64, hi: f64, count: usize) -> Vec<(f64, String)> {
    let (first, last) = ((lo - 1e-9).ceil() as i32, (hi + 1e-9).floor() as i32);
    if last - first >= 1 {
        let stride = ((last - first) as usize / count.max(1) + 1) as i32;
        let start = first.div_euclid(stride) * stride;
        let all = (start..=last).step_by(stride as usize).filter(|&e| e >= first);
        return all.map(|e| (10f64.powi(e), power(e))).collect();
    }
    let inside = |v: f64| (lo - 1e-9..=hi + 1e-9).contains(&v.log10());
    let decades = first - 1..=last + 1;
    let ticks: Vec<f64> = decades.flat_map(|e| [1.0, 2.0, 5.0].map(|m| m * 10f64.powi(e))).filter(|&v| inside(v)).collect();
    if ticks.len() < 3 {
        return linear_ticks(10f64.powf(lo), 10f64.powf(hi), count.min(5));
    }
    ticks.into_iter().map(|v| (v, number(v))).collect()
}

/// A number in few characters: `0.25`, `1200`, `2.5×10⁻⁷`.
pub(crate) fn number(v: f64) -> String {
    if v == 0.0 {
        return "0".into();
    }
    if !v.is_finite() {
        return "–".into();
    }
    let scientific = format!("{v:.2e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-3..6).contains(&exponent) {
        let decimals = (2 - exponent).max(0) as usize;
        return minus(trimmed(&format!("{v:.decimals$}")));
    }
    match minus(trimmed(mantissa)).as_str() {
        "1" => power(exponent),
        "−1" => format!("−{}", power(exponent)),
        m => format!("{m}×{}", power(exponent)),
    }
}

fn trimmed(text: &str) -> String {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').into() } else { text.into() }
}

/// A true minus sign, as wide as the digits.
fn minus(text: String) -> String {
    text.replace('-', "−")
}

fn power(exponent: i32) -> String {
    match exponent {
        0 => "1".into(),
        1 => "10".into(),
        2 => "100".into(),
        e => format!("10{}", e.to_string().chars().map(superscript).collect::<String>()),
    }
}

fn superscript(c: char) -> char {
    match c {
        '-' => '⁻',
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        d => char::from_u32('⁰' as u32 + d.to_digit(10).unwrap_or(0)).unwrap_or(d),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis, values: &[f64]) -> Vec<String> {
        axis.fit(values.iter().copied()).unwrap().ticks(5).into_iter().map(|t| t.1).collect()
    }

    #[test]
    fn ticks_are_round() {
        let linear = Axis::linear("");
        assert_eq!(labels(&linear, &[0.0, 1.0]), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"].map(|s| if s == "0.0" { "0" } else { s }));
        assert_eq!(labels(&linear, &[-30.0, 65.0]), ["−20", "0", "20", "40", "60"]);
        assert_eq!(labels(&linear, &[0.0, 2e-7]), ["0", "5×10⁻⁸", "10⁻⁷", "1.5×10⁻⁷", "2×10⁻⁷"]);
        assert_eq!(labels(&linear, &[0.0, 6000.0]), ["0", "1000", "2000", "3000", "4000", "5000", "6000"]);
    }

    #[test]
    fn logarithmic_ticks_are_powers_or_simple_multiples() {
        let log = Axis::log("");
        assert_eq!(labels(&log, &[3e-6, 0.2]), ["10⁻⁵", "10⁻⁴", "10⁻³", "10⁻²", "10⁻¹"].map(String::from));
        assert_eq!(labels(&log, &[1e-20, 1.0]), ["10⁻²⁰", "10⁻¹⁵", "10⁻¹⁰", "10⁻⁵", "1"]);
        assert_eq!(labels(&log, &[1.5, 11.0]), ["2", "5", "10"]);
        assert_eq!(labels(&log, &[3.0, 3.1]), ["3.00", "3.02", "3.04", "3.06", "3.08", "3.10"]);
    }

    #[test]
    fn ranges_are_never_empty() {
        for v in [0.0, 5.0, -3e-12, 1e308, f64::MAX, 5e-324] {
            let fitted = Axis::linear("").fit([v].into_iter()).unwrap();
            assert!(fitted.lo < fitted.hi, "{v}: {fitted:?}");
            assert!(!fitted.ticks(5).is_empty() && fitted.ticks(5).len() < 20, "{v}");
        }
        for v in [1e-300, 1.0, 1e300] {
            let fitted = Axis::log("").fit([v].into_iter()).unwrap();
            assert!((fitted.position(v) - 0.5).abs() < 1e-9 && fitted.ticks(5).len() >= 2, "{v}");
        }
        assert_eq!(Axis::log("").fit([0.0, -1.0, f64::NAN, f64::INFINITY].into_iter()), None);
    }

    #[test]
    fn positions_follow_the_scale() {
        let log = Axis::log("").range(1.0, 100.0).fit(std::iter::empty()).unwrap();
        assert_eq!([log.position(1.0), log.position(10.0), log.position(100.0)], [0.0, 0.5, 1.0]);
        let backwards = Axis::linear("").range(4.0, 0.0).fit(std::iter::empty()).unwrap();
        assert_eq!(backwards.position(1.0), 0.25);
        let useless = Axis::linear("").range(f64::NAN, 0.0).fit([2.0, 4.0].into_iter()).unwrap();
        assert_eq!(useless.position(3.0), 0.5);
    }

    #[test]
    fn rounding_reaches_the_next_ticks() {
        let r = Axis::linear("").fit([0.13, 0.97].into_iter()).unwrap().rounded(5);
        assert!((r.lo - 0.0).abs() < 1e-12 && (r.hi - 1.0).abs() < 1e-12, "{r:?}");
    }

    #[test]
    fn numbers_are_short() {
        let texts = [0.25, 1200.0, -2.5e-7, 1e-5, -1e9, 0.001234].map(number);
        assert_eq!(texts, ["0.25", "1200", "−2.5×10⁻⁷", "10⁻⁵", "−10⁹", "0.00123"]);
    }
}
