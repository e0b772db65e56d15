//! Drawings from SVG: the outlines of `path`, `polyline`, `polygon`, `line`, `rect`, `circle` and `ellipse`, with `transform`s of
//! groups and shapes. Styles, texts, clips and `use` are let be; text that is no markup is let be too.

mod path;
mod transform;

use crate::strokes::Stroke;
use transform::Transform;

/// Elements within each other, at most.
const DEPTH: usize = 256;

/// Points of a drawing, at most.
pub(crate) const POINTS: usize = 1 << 20;

/// The strokes of a drawing as SVG, in its units.
///
/// ```
/// let svg = r#"<svg><g transform="translate(10, 0)"><path d="M0 0 h10 v10 z"/></g><line x1="1" y1="2" x2="3" y2="4"/></svg>"#;
/// let strokes = doodle::svg::strokes(svg)?;
/// assert_eq!(strokes, [vec![(10.0, 0.0), (20.0, 0.0), (20.0, 10.0), (10.0, 0.0)], vec![(1.0, 2.0), (3.0, 4.0)]]);
/// # Ok::<(), String>(())
/// ```
///
/// # Errors
/// What is wrong, with its line.
pub fn strokes(svg: &str) -> Result<Vec<Stroke>, String> {
    let (mut rest, mut all, mut open, mut points) = (svg, vec![], vec![(String::new(), Transform::default())], 0);
    // What is only defined is not drawn.
    let hidden =
        |open: &[(String, Transform)]| open.iter().any(|(name, _)| ["defs", "clipPath", "mask", "symbol", "pattern"].contains(&&**name));
    while let Some(at) = rest.find('<') {
        let line = 1 + svg[..svg.len() - rest.len() + at].matches('\n').count();
        let wrong = |why: String| format!("line {line}: {why}");
        let tag = &rest[at + 1..];
        let skip = [("!--", "-->"), ("![CDATA[", "]]>"), ("!", ">"), ("?", ">")].into_iter().find(|(begin, _)| tag.starts_with(begin));
        if let Some((_, end)) = skip {
            let to = tag.find(end).ok_or_else(|| wrong("what begins here does not end".into()))?;
            rest = &tag[to + end.len()..];
            continue;
        }
        let end = tag_end(tag).ok_or_else(|| wrong("this element does not end with >".into()))?;
        rest = &tag[end + 1..];
        let tag = &tag[..end];
        if tag.starts_with('/') {
            if open.len() > 1 {
                open.pop();
            }
            continue;
        }
        let (body, closed) = tag.strip_suffix('/').map_or((tag, false), |t| (t, true));
        let (name, attributes) = body.split_once(|c: char| c.is_whitespace()).unwrap_or((body, ""));
        let name = name.rsplit(':').next().unwrap_or(name);
        let outer = open.last().map_or(Transform::default(), |(_, t)| *t);
        let own = attribute(attributes, "transform").map_or(Ok(Transform::default()), Transform::parse).map_err(wrong)?;
        let place = outer.then(&own);
        if !hidden(&open) {
            for stroke in shape(name, attributes).map_err(wrong)? {
                points += stroke.len();
                if points > POINTS {
                    return Err(wrong(format!("more than {POINTS} points")));
                }
                all.push(stroke.into_iter().map(|p| place.apply(p)).map(|p| (p.0 as f32, p.1 as f32)).collect());
            }
        }
        if !closed {
            if open.len() >= DEPTH {
                return Err(wrong(format!("more than {DEPTH} elements within each other")));
            }
            open.push((name.into(), place));
        }
    }
    Ok(all)
}

/// Where the tag ends: the first > outside quotes.
fn tag_end(tag: &str) -> Option<usize> {
    let mut quote = None;
    for (i, c) in tag.char_indices() {
        match (quote, c) {
            (None, '"' | '\'') => quote = Some(c),
            (Some(q), c) if q == c => quote = None,
            (None, '>') => return Some(i),
            _ => {}
        }
    }
    None
}

/// The value of an attribute.
fn attribute<'a>(attributes: &'a str, name: &str) -> Option<&'a str> {
    let mut rest = attributes;
    loop {
        let (key, after) = rest.split_once('=')?;
        let after = after.trim_start();
        let quote = after.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let (value, after) = after[1..].split_once(quote)?;
        if key.trim() == name {
            return Some(value);
        }
        rest = after;
    }
}

/// The outlines of an element; none if it is no shape.
fn shape(name: &str, attributes: &str) -> Result<Vec<Vec<(f64, f64)>>, String> {
    let number = |key: &str| -> Result<f64, String> {
        let Some(text) = attribute(attributes, key) else { return Ok(0.0) };
        let digits = text.trim().trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == '%');
        digits.parse().ok().filter(|v: &f64| v.is_finite()).ok_or_else(|| format!("{key}=\"{text}\" is no number"))
    };
    let points = || -> Result<Vec<(f64, f64)>, String> {
        let numbers = path::numbers(attribute(attributes, "points").unwrap_or_default())?;
        if !numbers.len().is_multiple_of(2) {
            return Err(format!("{} numbers are no points", numbers.len()));
        }
        Ok(numbers.chunks_exact(2).map(|p| (p[0], p[1])).collect())
    };
    let ellipse = |rx: f64, ry: f64| -> Result<Vec<Vec<(f64, f64)>>, String> {
        let (cx, cy) = (number("cx")?, number("cy")?);
        let at = |i: i32| (std::f64::consts::TAU * f64::from(i) / 48.0).sin_cos();
        Ok(vec![(0..=48).map(at).map(|(sin, cos)| (cx + rx * cos, cy + ry * sin)).collect()])
    };
    let closed = |mut points: Vec<(f64, f64)>| {
        points.extend(points.first().copied());
        vec![points]
    };
    Ok(match name {
        "path" => path::outlines(attribute(attributes, "d").unwrap_or_default())?,
        "polyline" => vec![points()?],
        "polygon" => closed(points()?),
        "line" => vec![vec![(number("x1")?, number("y1")?), (number("x2")?, number("y2")?)]],
        "rect" => {
            let (x, y, w, h) = (number("x")?, number("y")?, number("width")?, number("height")?);
            // A rectangle without an outline is a background.
            let drawn = attribute(attributes, "stroke").is_some_and(|s| s != "none") || attribute(attributes, "fill") == Some("none");
            if drawn { closed(vec![(x, y), (x + w, y), (x + w, y + h), (x, y + h)]) } else { vec![] }
        }
        "circle" => ellipse(number("r")?, number("r")?)?,
        "ellipse" => ellipse(number("rx")?, number("ry")?)?,
        _ => vec![],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_are_read_where_they_are_drawn() {
        let svg = "<?xml version='1.0'?><!-- <line x2='9'/> -->\n<svg:svg><defs><circle r='5'/></defs><rect width='9' height='9'/>\
            <g transform='scale(2) translate(1,1)'><polygon points='0,0 1,0 1,1'/></g><circle cx='3' r='2px'/></svg:svg>";
        let strokes = strokes(svg).unwrap();
        assert_eq!(strokes[0], [(2.0, 2.0), (4.0, 2.0), (4.0, 4.0), (2.0, 2.0)]);
        assert_eq!((strokes.len(), strokes[1].len(), strokes[1][0]), (2, 49, (5.0, 0.0)));
    }

    #[test]
    fn mistakes_have_their_line() {
        let e = |svg: &str| strokes(svg).unwrap_err();
        assert_eq!(e("<svg>\n<line x1='a'/></svg>"), "line 2: x1=\"a\" is no number");
        assert_eq!(e("<svg>\n\n<polyline points='1 2 3'/>"), "line 3: 3 numbers are no points");
        assert_eq!(e("<svg>\n<path d='M 1 1 X'/>"), "line 2: `X` is no command of a path");
        assert!(e("<svg").contains("does not end") && e("<!-- ").contains("does not end"));
        assert!(e(&"<g>".repeat(300)).contains("within each other"));
        assert_eq!(strokes("no markup"), Ok(vec![]));
    }
}
