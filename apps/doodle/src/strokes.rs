//! Drawings as strokes, and the simplification of Quick, Draw!: from any scale to whole numbers from 0 to 255.

/// A stroke: the points of a pen from its first touch until it is lifted, (x to the right, y downwards), in any unit.
pub type Stroke = Vec<(f32, f32)>;

/// The longest side of a simplified drawing.
pub const SIDE: f64 = 255.0;

/// Largest distance of a point left out from the line that stands for it.
const TOLERANCE: f64 = 2.0;

/// Points of a drawing after resampling, at most: what is longer is resampled more coarsely.
const RESAMPLED: f64 = 50_000.0;

/// Points of a stroke that are thinned out together: sixteen times across the drawing. Time grows with their square.
const TOGETHER: usize = 4096;

/// The bounding box of all finite points: (left, top, right, bottom); none if there are none.
pub fn bounds(strokes: &[Stroke]) -> Option<[f64; 4]> {
    let points = strokes.iter().flatten().filter(|p| p.0.is_finite() && p.1.is_finite());
    points.fold(None, |b: Option<[f64; 4]>, p| {
        let (x, y) = (f64::from(p.0), f64::from(p.1));
        Some(b.map_or([x, y, x, y], |b| [b[0].min(x), b[1].min(y), b[2].max(x), b[3].max(y)]))
    })
}

/// How far a simplified drawing may end from the edges that it touched before points were left out.
const SLACK: f64 = 16.0;

/// Whether strokes are as [`simplify`] leaves them: whole numbers from 0 to 255 that fill one extent, but for a few units that
/// thinning out may cost.
pub fn is_simplified(strokes: &[Stroke]) -> bool {
    let whole = |v: f32| v.fract() == 0.0; // false for NaN and infinities
    let fills = |b: [f64; 4]| b[0].min(b[1]) >= 0.0 && b[0].max(b[1]) <= SLACK && (SIDE - SLACK..=SIDE).contains(&b[2].max(b[3]));
    bounds(strokes).is_some_and(fills) && strokes.iter().all(|s| !s.is_empty() && s.iter().all(|p| whole(p.0) && whole(p.1)))
}

/// Strokes in any scale as Quick, Draw! simplifies them: moved to the origin, scaled evenly so that the longest side is 255,
/// resampled one unit apart, thinned out by Ramer, Douglas and Peucker's algorithm (tolerance 2), rounded. Points that are not
/// finite are left out, and strokes without any point. What is simplified already stays as it is.
///
/// ```
/// let canvas = vec![vec![(100.0, 40.0), (300.0, 40.5), (500.0, 40.0)], vec![(260.0, 140.0)]];
/// let drawing = doodle::simplify(&canvas);
/// assert_eq!(drawing, [vec![(0.0, 0.0), (255.0, 0.0)], vec![(102.0, 64.0), (102.0, 64.0)]]);
/// ```
pub fn simplify(strokes: &[Stroke]) -> Vec<Stroke> {
    if is_simplified(strokes) {
        return strokes.to_vec();
    }
    let Some(b) = bounds(strokes) else { return vec![] };
    let longest = (b[2] - b[0]).max(b[3] - b[1]);
    let scale = if longest > 0.0 { SIDE / longest } else { 1.0 };
    let moved = |s: &Stroke| -> Vec<(f64, f64)> {
        let finite = s.iter().filter(|p| p.0.is_finite() && p.1.is_finite());
        finite.map(|p| ((f64::from(p.0) - b[0]) * scale, (f64::from(p.1) - b[1]) * scale)).collect()
    };
    let moved: Vec<Vec<(f64, f64)>> = strokes.iter().map(moved).filter(|s| !s.is_empty()).collect();
    let length: f64 = moved.iter().map(|s| s.windows(2).map(|w| distance(w[0], w[1])).sum::<f64>()).sum();
    let step = (length / RESAMPLED).max(1.0);
    moved.iter().map(|s| rounded(&thinned(&resampled(s, step)))).collect()
}

fn distance(a: (f64, f64), b: (f64, f64)) -> f64 {
    (a.0 - b.0).hypot(a.1 - b.1)
}

/// Points `step` apart along the stroke from its first one on, and its last one. A stroke of no length is its point twice.
fn resampled(stroke: &[(f64, f64)], step: f64) -> Vec<(f64, f64)> {
    let (Some(&first), Some(&last)) = (stroke.first(), stroke.last()) else { return vec![] };
    let (mut points, mut walked, mut next) = (vec![first], 0.0, step);
    for w in stroke.windows(2) {
        let length = distance(w[0], w[1]);
        while next <= walked + length {
            let t = (next - walked) / length;
            points.push((w[0].0 + t * (w[1].0 - w[0].0), w[0].1 + t * (w[1].1 - w[0].1)));
            next += step;
        }
        walked += length;
    }
    if points.len() == 1 || points.last() != Some(&last) {
        points.push(last);
    }
    points
}

/// U. Ramer 1972, D. Douglas and T. Peucker 1973, with the distance to the line through both ends (not to the segment between
/// them): so were the published files made.
fn thinned(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let (mut keep, end) = (vec![false; points.len()], points.len().saturating_sub(1));
    let mut open: Vec<(usize, usize)> = (0..end.max(1)).step_by(TOGETHER).map(|i| (i, (i + TOGETHER).min(end))).collect();
    while let Some((first, last)) = open.pop() {
        (keep[first], keep[last]) = (true, true);
        let far = |i: usize| from_line(points[i], points[first], points[last]);
        let farthest = (first + 1..last).map(|i| (i, far(i))).reduce(|a, b| if b.1 > a.1 { b } else { a });
        if let Some((i, distance)) = farthest
            && distance > TOLERANCE
        {
            open.extend([(first, i), (i, last)]);
        }
    }
    points.iter().zip(keep).filter(|(_, keep)| *keep).map(|(p, _)| *p).collect()
}

/// Distance of `p` from the line through `a` and `b`, or from `a` if they are one point.
fn from_line(p: (f64, f64), a: (f64, f64), b: (f64, f64)) -> f64 {
    let (dx, dy) = (b.0 - a.0, b.1 - a.1);
    let length = dx.hypot(dy);
    if length == 0.0 { distance(p, a) } else { (dx * (p.1 - a.1) - dy * (p.0 - a.0)).abs() / length }
}

fn rounded(points: &[(f64, f64)]) -> Stroke {
    points.iter().map(|p| (p.0.round() as f32, p.1.round() as f32)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_drawing_gives_none() {
        assert_eq!(simplify(&[]), Vec::<Stroke>::new());
        assert_eq!(simplify(&[vec![], vec![(f32::NAN, 1.0)]]), Vec::<Stroke>::new());
        assert_eq!(simplify(&[vec![(7.0, f32::INFINITY), (3.0, 4.0)]]), [vec![(0.0, 0.0), (0.0, 0.0)]]);
    }

    #[test]
    fn drawings_of_any_size_become_the_same() {
        let drawing = [vec![(0.0, 0.0), (255.0, 100.0), (20.0, 90.0)], vec![(3.0, 3.0), (3.0, 3.0)]];
        assert!(is_simplified(&drawing));
        for (scale, dx, dy) in [(1e-20, 0.0, 0.0), (0.01, -3.0, 500.0), (2.0, 17.0, 1.0), (1e30, 0.0, 1e30)] {
            let moved: Vec<Stroke> = drawing.iter().map(|s| s.iter().map(|p| (p.0 * scale + dx, p.1 * scale + dy)).collect()).collect();
            assert_eq!(simplify(&moved), drawing, "× {scale} + ({dx}, {dy})");
        }
    }

    #[test]
    fn scribbles_without_end_stay_small() {
        let stroke: Stroke = (0..100_000).map(|i| (if i % 2 == 0 { 0.0 } else { 1000.0 }, i as f32 / 100.0)).collect();
        let simple = simplify(&[stroke]);
        assert!(simple[0].len() < 60_000, "{}", simple[0].len());
    }
}
