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

/// Date and time (UTC) of a number of seconds since 1970: `2026-03-01 17:05`. The date is that of H. Hinnant's
/// `civil_from_days`, <https://howardhinnant.github.io/date_algorithms.html>.
pub fn date(seconds: u64) -> String {
    let days = seconds / 86_400 + 719_468; // since 0000-03-01, so that a leap day ends a year
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153; // from March
    let day = day - (153 * month + 2) / 5 + 1;
    let (year, month) = (year + era * 400 + u64::from(month >= 10), if month < 10 { month + 3 } else { month - 9 });
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02}", seconds % 86_400 / 3_600, seconds % 3_600 / 60)
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

    #[test]
    fn dates_are_those_of_the_calendar() {
        let cases = [
            (0, "1970-01-01 00:00"),
            (951_825_599, "2000-02-29 11:59"),
            (951_868_800, "2000-03-01 00:00"),
            (4_107_542_399, "2100-02-28 23:59"),
        ];
        for (seconds, text) in cases {
            assert_eq!(date(seconds), text);
        }
    }
}
