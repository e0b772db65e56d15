//! The `d` of a path: lines, Bézier curves and arcs as points.

/// Points of a curve.
const PIECES: u32 = 16;

/// All numbers of a list separated by blanks, commas or signs.
pub fn numbers(text: &str) -> Result<Vec<f64>, String> {
    let mut scan = Scan(text);
    let mut all = vec![];
    while !scan.at_end() {
        all.push(scan.number()?);
    }
    Ok(all)
}

struct Scan<'a>(&'a str);

impl Scan<'_> {
    fn at_end(&mut self) -> bool {
        self.0 = self.0.trim_start_matches(|c: char| c.is_whitespace() || c == ',');
        self.0.is_empty()
    }

    /// A number may end where another one begins: `1-2`, `.5.5`.
    fn number(&mut self) -> Result<f64, String> {
        self.at_end();
        let bytes = self.0.as_bytes();
        let (mut i, mut dot, mut exponent) = (0, false, false);
        while let Some(&b) = bytes.get(i) {
            let after_e = i > 0 && matches!(bytes[i - 1], b'e' | b'E');
            match b {
                b'0'..=b'9' => {}
                b'+' | b'-' if i == 0 || after_e => {}
                b'.' if !dot && !exponent => dot = true,
                b'e' | b'E' if !exponent && i > 0 => exponent = true,
                _ => break,
            }
            i += 1;
        }
        let (number, rest) = self.0.split_at(i);
        let value = number.parse().ok().filter(|v: &f64| v.is_finite());
        self.0 = rest;
        value.ok_or_else(|| format!("a number is expected at {:?}", self.short(number)))
    }

    /// 0 or 1, which needs no blank after it.
    fn flag(&mut self) -> Result<bool, String> {
        self.at_end();
        let c = self
            .0
            .chars()
            .next()
            .filter(|c| matches!(c, '0' | '1'))
            .ok_or_else(|| format!("0 or 1 is expected at {:?}", self.short("")))?;
        self.0 = &self.0[1..];
        Ok(c == '1')
    }

    fn short(&self, before: &str) -> String {
        before.chars().chain(self.0.chars()).take(12).collect()
    }
}

/// The outlines of a path.
pub fn outlines(d: &str) -> Result<Vec<Vec<(f64, f64)>>, String> {
    let mut pen = Pen { scan: Scan(d), all: vec![], at: (0.0, 0.0), start: (0.0, 0.0), control: None, points: 0 };
    let mut command = None;
    while !pen.scan.at_end() {
        let next = pen.scan.0.chars().next().unwrap_or_default();
        if next.is_ascii_alphabetic() {
            pen.scan.0 = &pen.scan.0[1..];
            command = Some(next);
        } else if matches!(command, None | Some('Z' | 'z')) {
            return Err(format!("a command is expected at {:?}", pen.scan.short("")));
        }
        let c = command.unwrap_or('M');
        pen.draw(c)?;
        // Further pairs after a move are lines.
        command = Some(match c {
            'M' => 'L',
            'm' => 'l',
            c => c,
        });
        if pen.points > super::POINTS {
            return Err(format!("more than {} points", super::POINTS));
        }
    }
    Ok(pen.all)
}

struct Pen<'a> {
    scan: Scan<'a>,
    all: Vec<Vec<(f64, f64)>>,
    at: (f64, f64),
    start: (f64, f64),
    /// The last control point, and whether it is of a cubic curve.
    control: Option<((f64, f64), bool)>,
    points: usize,
}

impl Pen<'_> {
    fn draw(&mut self, c: char) -> Result<(), String> {
        let relative = c.is_ascii_lowercase();
        let origin = if relative { self.at } else { (0.0, 0.0) };
        let control = self.control.take();
        let reflected = |at: (f64, f64), cubic: bool| match control {
            Some((p, kind)) if kind == cubic => (2.0 * at.0 - p.0, 2.0 * at.1 - p.1),
            _ => at,
        };
        match c.to_ascii_uppercase() {
            'M' => {
                self.at = self.point(origin)?;
                self.start = self.at;
                self.all.push(vec![self.at]);
            }
            'L' => {
                let to = self.point(origin)?;
                self.line(to);
            }
            'H' => {
                let to = (origin.0 + self.scan.number()?, self.at.1);
                self.line(to);
            }
            'V' => {
                let to = (self.at.0, origin.1 + self.scan.number()?);
                self.line(to);
            }
            'C' => {
                let (p, q, to) = (self.point(origin)?, self.point(origin)?, self.point(origin)?);
                self.cubic(p, q, to);
            }
            'S' => {
                let (p, q, to) = (reflected(self.at, true), self.point(origin)?, self.point(origin)?);
                self.cubic(p, q, to);
            }
            'Q' => {
                let (p, to) = (self.point(origin)?, self.point(origin)?);
                self.quadratic(p, to);
            }
            'T' => {
                let (p, to) = (reflected(self.at, false), self.point(origin)?);
                self.quadratic(p, to);
            }
            'A' => {
                let (rx, ry, turn) = (self.scan.number()?, self.scan.number()?, self.scan.number()?);
                let (large, sweep) = (self.scan.flag()?, self.scan.flag()?);
                let to = self.point(origin)?;
                self.arc((rx, ry), turn, (large, sweep), to);
            }
            'Z' => {
                let start = self.start;
                self.line(start);
            }
            _ => return Err(format!("`{c}` is no command of a path")),
        }
        Ok(())
    }

    fn point(&mut self, origin: (f64, f64)) -> Result<(f64, f64), String> {
        Ok((origin.0 + self.scan.number()?, origin.1 + self.scan.number()?))
    }

    fn line(&mut self, to: (f64, f64)) {
        let begin = self.all.last().and_then(|s| s.last()) != Some(&self.at);
        if begin {
            self.all.push(vec![self.at]);
        }
        if let Some(stroke) = self.all.last_mut() {
            stroke.push(to);
        }
        self.points += 1;
        self.at = to;
    }

    fn cubic(&mut self, p: (f64, f64), q: (f64, f64), to: (f64, f64)) {
        let from = self.at;
        for k in 1..=PIECES {
            let t = f64::from(k) / f64::from(PIECES);
            let s = 1.0 - t;
            let mix = |a: f64, b: f64, c: f64, d: f64| s * s * s * a + 3.0 * s * s * t * b + 3.0 * s * t * t * c + t * t * t * d;
            self.line((mix(from.0, p.0, q.0, to.0), mix(from.1, p.1, q.1, to.1)));
        }
        self.control = Some((q, true));
    }

    fn quadratic(&mut self, p: (f64, f64), to: (f64, f64)) {
        let third = |a: f64, b: f64| a + 2.0 / 3.0 * (b - a);
        let from = self.at;
        self.cubic((third(from.0, p.0), third(from.1, p.1)), (third(to.0, p.0), third(to.1, p.1)), to);
        self.control = Some((p, false));
    }

    /// From the ends to the centre: SVG 2, appendix B.2.4.
    fn arc(&mut self, (rx, ry): (f64, f64), turn: f64, (large, sweep): (bool, bool), to: (f64, f64)) {
        let from = self.at;
        let (mut rx, mut ry) = (rx.abs(), ry.abs());
        if rx == 0.0 || ry == 0.0 || from == to {
            return self.line(to);
        }
        let (sin, cos) = turn.to_radians().sin_cos();
        let half = ((from.0 - to.0) / 2.0, (from.1 - to.1) / 2.0);
        let p = (cos * half.0 + sin * half.1, cos * half.1 - sin * half.0);
        let stretch = ((p.0 / rx).powi(2) + (p.1 / ry).powi(2)).sqrt();
        if stretch > 1.0 {
            (rx, ry) = (rx * stretch, ry * stretch);
        }
        let (a, b) = ((rx * p.1).powi(2) + (ry * p.0).powi(2), (rx * ry).powi(2));
        let root = ((b - a) / a).max(0.0).sqrt() * if large == sweep { -1.0 } else { 1.0 };
        let c = (root * rx * p.1 / ry, -root * ry * p.0 / rx);
        let centre = (cos * c.0 - sin * c.1 + (from.0 + to.0) / 2.0, sin * c.0 + cos * c.1 + (from.1 + to.1) / 2.0);
        let angle = |x: f64, y: f64| (y / ry).atan2(x / rx);
        let begin = angle(p.0 - c.0, p.1 - c.1);
        let mut span = angle(-p.0 - c.0, -p.1 - c.1) - begin;
        let round = std::f64::consts::TAU;
        if sweep && span < 0.0 {
            span += round;
        } else if !sweep && span > 0.0 {
            span -= round;
        }
        for k in 1..PIECES * 2 {
            let (s, k) = (begin + span * f64::from(k) / f64::from(PIECES * 2)).sin_cos();
            self.line((centre.0 + cos * rx * k - sin * ry * s, centre.1 + sin * rx * k + cos * ry * s));
        }
        self.line(to);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_goes_where_it_says() {
        let end = |d: &str| *outlines(d).unwrap().last().unwrap().last().unwrap();
        assert_eq!(end("M1,2l3-4"), (4.0, -2.0));
        assert_eq!(end("M1 2 3 4 5 6"), (5.0, 6.0));
        assert_eq!(end("m1 2h3V9"), (4.0, 9.0));
        assert_eq!(end("M0 0C0 1 1 1 1 0s1 -1 1 0"), (2.0, 0.0));
        assert_eq!(end("M0 0q.5.5 1 0t1 0"), (2.0, 0.0));
        assert_eq!(end("M0 0a5 5 0 0110 0"), (10.0, 0.0));
        assert_eq!(end("M1 1h1v1zl5 5"), (6.0, 6.0));
        assert_eq!(outlines("M0 0l1 1M5 5l1 1").unwrap().len(), 2);
        assert!(
            outlines("1 2").is_err() && outlines("M1").is_err() && outlines("M1e999 0").is_err() && outlines("M0 0a1 1 0 2 0 1 1").is_err()
        );
    }

    /// A half circle about (5, 0) through (5, -5): the sweep decides the side, the points are on it.
    #[test]
    fn arcs_are_on_their_ellipse() {
        let arc = &outlines("M0 0A5 5 0 0 1 10 0").unwrap()[0];
        arc.iter().for_each(|p| assert!(((p.0 - 5.0).hypot(p.1) - 5.0).abs() < 1e-9, "{p:?}"));
        assert!(arc.iter().any(|p| (p.1 + 5.0).abs() < 1e-9));
    }
}
