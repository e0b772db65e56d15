//! Transforms: `matrix`, `translate`, `scale`, `rotate`, `skewX`, `skewY`.

use super::path::numbers;

/// (x, y) ↦ (a x + c y + e, b x + d y + f).
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Transform([f64; 6]);

impl Default for Transform {
    fn default() -> Transform {
        Transform([1.0, 0.0, 0.0, 1.0, 0.0, 0.0])
    }
}

impl Transform {
    /// Reads a list of transforms: the last is applied first.
    pub fn parse(text: &str) -> Result<Transform, String> {
        let mut all = Transform::default();
        let mut rest = text.trim_matches(|c: char| c.is_whitespace() || c == ',');
        while !rest.is_empty() {
            let (name, after) = rest.split_once('(').ok_or_else(|| format!("{rest:?} is no transform"))?;
            let (values, after) = after.split_once(')').ok_or_else(|| format!("{rest:?} is no transform"))?;
            all = all.then(&Transform::one(name.trim(), &numbers(values)?).ok_or_else(|| format!("{name}({values}) is no transform"))?);
            rest = after.trim_start_matches(|c: char| c.is_whitespace() || c == ',');
        }
        Ok(all)
    }

    fn one(name: &str, values: &[f64]) -> Option<Transform> {
        Some(Transform(match (name, values) {
            ("matrix", &[a, b, c, d, e, f]) => [a, b, c, d, e, f],
            ("translate", &[x]) => [1.0, 0.0, 0.0, 1.0, x, 0.0],
            ("translate", &[x, y]) => [1.0, 0.0, 0.0, 1.0, x, y],
            ("scale", &[s]) => [s, 0.0, 0.0, s, 0.0, 0.0],
            ("scale", &[x, y]) => [x, 0.0, 0.0, y, 0.0, 0.0],
            ("skewX", &[a]) => [1.0, 0.0, a.to_radians().tan(), 1.0, 0.0, 0.0],
            ("skewY", &[a]) => [1.0, a.to_radians().tan(), 0.0, 1.0, 0.0, 0.0],
            ("rotate", &[a]) => Transform::turn(a),
            ("rotate", &[a, x, y]) => {
                let there = Transform([1.0, 0.0, 0.0, 1.0, x, y]).then(&Transform(Transform::turn(a)));
                there.then(&Transform([1.0, 0.0, 0.0, 1.0, -x, -y])).0
            }
            _ => return None,
        }))
    }

    fn turn(degrees: f64) -> [f64; 6] {
        let (sin, cos) = degrees.to_radians().sin_cos();
        [cos, sin, -sin, cos, 0.0, 0.0]
    }

    /// First `inner`, then this one.
    pub fn then(&self, inner: &Transform) -> Transform {
        let ([a, b, c, d, e, f], [g, h, i, j, k, l]) = (self.0, inner.0);
        Transform([a * g + c * h, b * g + d * h, a * i + c * j, b * i + d * j, a * k + c * l + e, b * k + d * l + f])
    }

    /// Where a point goes.
    pub fn apply(&self, p: (f64, f64)) -> (f64, f64) {
        let [a, b, c, d, e, f] = self.0;
        (a * p.0 + c * p.1 + e, b * p.0 + d * p.1 + f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_transform_is_applied_first() {
        let at = |text: &str, p| Transform::parse(text).unwrap().apply(p);
        assert_eq!(at("translate(1 2), scale(3)", (1.0, 1.0)), (4.0, 5.0));
        assert_eq!(at("matrix(1 2 3 4 5 6)", (1.0, 1.0)), (9.0, 12.0));
        let (x, y) = at("rotate(90 10 10)", (11.0, 10.0));
        assert!((x - 10.0).abs() < 1e-12 && (y - 11.0).abs() < 1e-12);
        assert!(Transform::parse("spin(3)").is_err() && Transform::parse("scale(1").is_err() && Transform::parse("scale(1 2 3)").is_err());
    }
}
