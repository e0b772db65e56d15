//! Numbers for people.

/// `x` with at most six significant digits and no zeros at the end: `70`, `-0.915137`, `1.5e-9`.
///
/// ```
/// use studio::number::short;
/// assert_eq!([70.0, -24.0, 1.0 / 3.0, 1.5e-9, f64::NAN].map(short), ["70", "-24", "0.333333", "1.5e-9", "NaN"]);
/// ```
pub fn short(x: f64) -> String {
    if x == 0.0 || !x.is_finite() {
        return if x == 0.0 { "0".into() } else { x.to_string() };
    }
    let scientific = format!("{x:.5e}");
    let Some((digits, exponent)) = scientific.split_once('e') else { return scientific };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let trim = |s: &str| if s.contains('.') { s.trim_end_matches('0').trim_end_matches('.').to_string() } else { s.to_string() };
    if x.fract() == 0.0 && x.abs() < 1e9 {
        return format!("{x}");
    }
    if (-4..6).contains(&exponent) {
        return trim(&format!("{x:.*}", (5 - exponent).max(0) as usize));
    }
    format!("{}e{exponent}", trim(digits))
}

/// A time span: `0.4 s`, `12 s`, `3 min 20 s`, `2 h 05 min`.
pub fn duration(seconds: f64) -> String {
    let whole = seconds.round() as u64;
    match whole {
        0..10 => format!("{seconds:.1} s"),
        10..60 => format!("{whole} s"),
        60..3600 => format!("{} min {:02} s", whole / 60, whole % 60),
        _ => format!("{} h {:02} min", whole / 3600, whole % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_right() {
        let cases = [
            (0.0, "0"),
            (-0.0, "0"),
            (0.1 + 0.2, "0.3"),
            (999_999.5, "1e6"),
            (123_456.7, "123457"),
            (0.000_123_456_78, "0.000123457"),
            (0.000_012_345_678, "1.23457e-5"),
            (-1e300, "-1e300"),
            (123_456_789.0, "123456789"),
            (f64::NEG_INFINITY, "-inf"),
        ];
        cases.iter().for_each(|&(x, want)| assert_eq!(short(x), want));
    }

    #[test]
    fn durations_are_readable() {
        let cases = [(0.42, "0.4 s"), (9.96, "10 s"), (59.4, "59 s"), (200.0, "3 min 20 s"), (7500.0, "2 h 05 min")];
        cases.iter().for_each(|&(x, want)| assert_eq!(duration(x), want));
    }
}
