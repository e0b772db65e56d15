//! What is left of a domain when shapes are cut out of it, and points there, on its faces and on the shapes' surfaces.

use super::file::{Keep, Spread};
use super::problem::{Axis, Place};
use super::spread::Random;
use std::f64::consts::TAU;

/// A shape that bounds the domain.
#[derive(Clone, PartialEq, Debug)]
pub struct Shape {
    /// Its name.
    pub name: String,
    /// Which side belongs to the domain.
    pub keep: Keep,
    /// What it is.
    pub solid: Solid,
}

/// A body in some of the variables.
#[derive(Clone, PartialEq, Debug)]
pub enum Solid {
    /// The centre along one to three variables, and the radius.
    Ball(Vec<(usize, f64)>, f64),
    /// The ends along variables.
    Box(Vec<(usize, [f64; 2])>),
}

impl Shape {
    /// The variables that it bounds.
    pub fn axes(&self) -> Vec<usize> {
        match &self.solid {
            Solid::Ball(centre, _) => centre.iter().map(|c| c.0).collect(),
            Solid::Box(range) => range.iter().map(|r| r.0).collect(),
        }
    }

    /// How far inside the domain's side of the surface a point is, by a measure that is 0 on the surface.
    fn depth(&self, point: &[f64]) -> f64 {
        let inside = match &self.solid {
            Solid::Ball(centre, radius) => radius - centre.iter().map(|&(a, c)| (point[a] - c).powi(2)).sum::<f64>().sqrt(),
            Solid::Box(range) => range.iter().map(|&(a, [lo, hi])| (point[a] - lo).min(hi - point[a])).fold(f64::INFINITY, f64::min),
        };
        if self.keep == Keep::Inside { inside } else { -inside }
    }

    /// Moves a point of the domain's cube, of which `unit` is the place in the unit cube, to the surface (of a box to its face
    /// `face`) and returns the normal out of the domain, a number for each of the shape's variables.
    fn project(&self, unit: &[f64], face: usize, point: &mut [f64]) -> Vec<f64> {
        let sign = if self.keep == Keep::Inside { 1.0 } else { -1.0 };
        match &self.solid {
            Solid::Ball(centre, radius) => {
                let u: Vec<f64> = centre.iter().map(|c| unit[c.0]).collect();
                let out = match u[..] {
                    [a] => vec![if a < 0.5 { -1.0 } else { 1.0 }],
                    [a, _] => vec![(TAU * a).cos(), (TAU * a).sin()],
                    [a, b, ..] => {
                        let z = 2.0 * b - 1.0;
                        let r = (1.0 - z * z).max(0.0).sqrt();
                        vec![r * (TAU * a).cos(), r * (TAU * a).sin(), z]
                    }
                    [] => vec![],
                };
                centre.iter().zip(&out).for_each(|(&(a, c), n)| point[a] = c + radius * n);
                out.iter().map(|n| sign * n).collect()
            }
            Solid::Box(range) => {
                range.iter().for_each(|&(a, [lo, hi])| point[a] = lo + unit[a] * (hi - lo));
                let (a, ends) = range[face / 2];
                point[a] = ends[face % 2];
                let out = |k: usize| if k != face / 2 { 0.0 } else { [-sign, sign][face % 2] };
                (0..range.len()).map(out).collect()
            }
        }
    }

    /// Size of each face of a box, 0 if it lies outside the variables' ranges; 1 of a ball's surface.
    fn faces(&self, axes: &[Axis]) -> Vec<f64> {
        let Solid::Box(range) = &self.solid else { return vec![1.0] };
        let length = |k: usize| range[k].1[1] - range[k].1[0];
        let size = |f: usize| (0..range.len()).filter(|k| *k != f / 2).map(length).product();
        let reached = |f: usize| (axes[range[f / 2].0].low..=axes[range[f / 2].0].high).contains(&range[f / 2].1[f % 2]);
        (0..2 * range.len()).map(|f| if reached(f) { size(f) } else { 0.0 }).collect()
    }
}

/// Whether a point of the domain's cube lies in what the shapes leave; `but` that shape, whose surface it is on.
pub(super) fn contains(axes: &[Axis], shapes: &[Shape], but: Option<usize>, point: &[f64]) -> bool {
    let within = |(a, x): (&Axis, &f64)| *x >= a.low - 1e-12 && *x <= a.high + 1e-12;
    axes.iter().zip(point).all(within) && shapes.iter().enumerate().all(|(i, s)| Some(i) == but || s.depth(point) >= -1e-9)
}

/// How many of `n` points each of several parts gets, by size.
fn shares(n: usize, sizes: &[f64]) -> Vec<usize> {
    let total = sizes.iter().sum::<f64>().max(f64::MIN_POSITIVE);
    let mut sum = 0.0;
    let mut ends = vec![0];
    for s in sizes {
        sum += s;
        ends.push((sum / total * n as f64).round() as usize);
    }
    ends.windows(2).map(|e| e[1] - e[0]).collect()
}

/// The points of a place (none: inside), as columns, after which come the normals on a surface; fewer than `n` where the shapes
/// leave no more. Each part of a place gets a block of the sequence, of which points outside are left out.
pub(super) fn points(
    (axes, shapes): (&[Axis], &[Shape]),
    place: Option<&Place>,
    n: usize,
    spread: Spread,
    random: Random,
) -> Vec<Vec<f64>> {
    let (sizes, surface) = match place {
        Some(Place::Faces(faces)) => (vec![1.0; faces.len()], None),
        Some(Place::Surface(k)) => (shapes[*k].faces(axes), Some(*k)),
        _ => (vec![1.0], None),
    };
    let wanted = shares(n, &sizes);
    let mut best = vec![];
    for factor in [1, 4, 16, 64] {
        let unit = random.points(spread, n * factor, axes.len());
        let mut at = 0;
        let mut rows: Vec<Vec<f64>> = vec![];
        for (part, &count) in wanted.iter().enumerate() {
            let mut kept = 0;
            for i in at..at + count * factor {
                let u: Vec<f64> = unit.iter().map(|c| c[i]).collect();
                let mut point: Vec<f64> = axes.iter().zip(&u).map(|(a, &u)| a.at(u)).collect();
                let mut normal = vec![];
                match place {
                    Some(Place::Faces(faces)) => faces[part].iter().for_each(|&(axis, value)| point[axis] = value),
                    Some(Place::Surface(k)) => normal = shapes[*k].project(&u, part, &mut point),
                    _ => {}
                }
                if kept < count && contains(axes, shapes, surface, &point) {
                    kept += 1;
                    rows.push([point, normal].concat());
                }
            }
            at += count * factor;
        }
        if rows.len() > best.len() {
            best = rows;
        }
        if shapes.is_empty() || best.len() == n {
            break;
        }
    }
    let width = best.first().map_or(axes.len(), Vec::len);
    (0..width).map(|c| best.iter().map(|row| row[c]).collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::solve::{File, Problem, Spread};

    const FILE: &str = r#"
        domain = { x = [0, 2], y = [0, 2], t = [0, 1] }
        shapes.hole = { centre = { x = 0.5, y = 0.5 }, radius = 0.25 }
        shapes.corner = { range = { x = [1, 3], y = [1, "2 + 1"] } }
        stages = [{ method = "adam", steps = 1 }]
        equations = [{ name = "one", formula = "u = 0" }]
        conditions = [
            { name = "ring", on = "hole", formula = "n_x*d(u,x) + n_y*d(u,y) = 0" },
            { name = "step", on = "corner", formula = "u = n_x" },
            { name = "ends", on = "x", formula = "u = 0" },
        ]
    "#;

    #[test]
    fn points_fill_what_the_shapes_leave_and_normals_point_out_of_it() {
        let problem = Problem::new(&toml::from_str::<File>(FILE).unwrap(), std::path::Path::new(".")).unwrap();
        let random = Random { seed: 1, draw: 0, set: 0 };
        let of = |set: usize, n: usize| points(problem.region(), problem.sets[set].place.as_ref(), n, Spread::Sobol, random);
        let inside = of(0, 2000);
        assert_eq!((inside.len(), inside[0].len()), (3, 2000));
        let in_hole = |x: f64, y: f64| (x - 0.5).hypot(y - 0.5) < 0.25 - 1e-9;
        let in_corner = |x: f64, y: f64| x > 1.0 + 1e-9 && y > 1.0 + 1e-9;
        let left = inside[0].iter().filter(|x| **x < 1.0).count();
        assert!((1280..1340).contains(&left), "{left}"); // area 2 − π/16 of 3 − π/16
        assert!(inside[0].iter().zip(&inside[1]).all(|(&x, &y)| !in_hole(x, y) && !in_corner(x, y)));
        let ring = of(1, 100);
        let [x, y, _, nx, ny] = &ring[..] else { panic!("{} columns", ring.len()) };
        for (((x, y), nx), ny) in x.iter().zip(y).zip(nx).zip(ny) {
            assert!((x + 0.25 * nx - 0.5).abs() < 1e-12 && (y + 0.25 * ny - 0.5).abs() < 1e-12);
            assert!(in_hole(x + 1e-3 * nx, y + 1e-3 * ny));
        }
        let step = of(2, 90);
        assert_eq!(step[0].len(), 90, "the faces at x = 3 and y = 3 are not of this domain");
        assert!((0..90).all(|i| in_corner(step[0][i] + 1e-3 * step[3][i] + 1e-6, step[1][i] + 1e-3 * step[4][i] + 1e-6)));
        let ends = of(3, 100);
        assert!(ends[0].len() == 100 && ends[0].iter().zip(&ends[1]).all(|(&x, &y)| x == 0.0 || (x == 2.0 && y <= 1.0)));
        let none = FILE.replace("x = [0, 2], y = [0, 2]", "x = [0.4, 0.6], y = [0.4, 0.6]");
        let wrong = Problem::new(&toml::from_str::<File>(&none).unwrap(), std::path::Path::new(".")).unwrap_err();
        assert!(wrong.to_string().contains("shapes"), "{wrong}");
    }
}
