//! Points with classes: drawn by rules, or read from text.

use super::{config, data};
use graph::ops::source::uniform;
use neurona::Error;
use serde::Serialize;
use std::f64::consts::{PI, TAU};

/// Most points.
pub const MAX_POINTS: usize = 5000;
/// Most classes.
pub const MAX_CLASSES: usize = 10;

/// The sets that are drawn by rules.
pub const KINDS: [&str; 5] = ["circles", "xor", "spiral", "moons", "clouds"];

/// Points of the plane, each with a class.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Points {
    /// (x, y).
    pub at: Vec<[f64; 2]>,
    /// Position of each point's class in `classes`.
    pub class: Vec<usize>,
    /// Names of the classes.
    pub classes: Vec<String>,
}

/// Random numbers that depend on a seed and a place alone.
struct Random {
    seed: u32,
    next: u64,
}

impl Random {
    /// Uniform in [0, 1).
    fn unit(&mut self) -> f64 {
        self.next += 1;
        f64::from(uniform([self.seed, 0], 0x706f_696e, self.next))
    }

    /// Standard normal (Box & Muller 1958).
    fn normal(&mut self) -> f64 {
        let (u, v) = (1.0 - self.unit(), self.unit());
        (-2.0 * u.ln()).sqrt() * (TAU * v).cos()
    }
}

impl Points {
    /// `count` points of the set `kind`, within about ±1, each moved by a normal disturbance of size `noise`.
    ///
    /// # Errors
    /// A kind, a number or a noise that cannot be used.
    pub fn draw(kind: &str, count: usize, noise: f64, seed: u32) -> Result<Points, Error> {
        if !KINDS.contains(&kind) {
            return Err(config("data", format!("there is no set `{kind}`"), format!("use {}", KINDS.join(", "))));
        }
        if !(4..=MAX_POINTS).contains(&count) {
            return Err(config("points", format!("{count} points"), format!("use 4 to {MAX_POINTS}")));
        }
        if !(0.0..=2.0).contains(&noise) {
            return Err(config("noise", format!("{noise} is no size of a disturbance"), "use 0 to 2, for example 0.1"));
        }
        let mut random = Random { seed, next: 0 };
        let classes = if kind == "clouds" { 3 } else { 2 };
        let mut points = Points { at: vec![], class: vec![], classes: (0..classes).map(|c| c.to_string()).collect() };
        for i in 0..count {
            let class = i % classes;
            let [x, y] = place(kind, class, &mut random);
            points.at.push([x + noise * random.normal(), y + noise * random.normal()]);
            points.class.push(class);
        }
        Ok(points)
    }

    /// Points written as lines `x,y,class` (also separated by `;`, tabs or spaces); a first line without numbers is a
    /// heading. Classes are numbered in alphabetical order.
    ///
    /// ```
    /// use lessons::playground::Points;
    /// let p = Points::parse("x,y,kind\n0,1,red\n2,-1.5,blue\n1,1,red\n0,0,blue\n")?;
    /// assert_eq!((&p.at[1], p.class, p.classes), (&[2.0, -1.5], vec![1, 0, 1, 0], vec!["blue".to_string(), "red".to_string()]));
    /// # Ok::<(), neurona::Error>(())
    /// ```
    ///
    /// # Errors
    /// The first line that is none, by its number; fewer than 4 points or 2 classes, or too many.
    pub fn parse(text: &str) -> Result<Points, Error> {
        let (mut at, mut names) = (vec![], vec![]);
        for (number, line) in text.lines().enumerate().filter(|(_, l)| !l.trim().is_empty()) {
            let cells: Vec<&str> =
                line.split([',', ';', '\t', ' ']).map(|c| c.trim_matches(['"', ' '])).filter(|c| !c.is_empty()).collect();
            let numbers: Vec<f64> =
                cells.iter().take(2).filter_map(|c| c.parse().ok()).filter(|v: &f64| v.is_finite() && v.abs() <= 1e9).collect();
            match (&cells[..], &numbers[..]) {
                ([_, _, name], &[x, y]) => {
                    at.push([x, y]);
                    names.push(name.to_string());
                }
                (_, []) if number == 0 => {}
                _ => return Err(wrong(number + 1, "is not x,y,class")),
            }
            if at.len() > MAX_POINTS {
                return Err(wrong(number + 1, "is one point too many"));
            }
        }
        let mut classes = names.clone();
        classes.sort();
        classes.dedup();
        match (at.len(), classes.len()) {
            (0..4, _) => Err(data("points", format!("{} points", at.len()), "give at least 4")),
            (_, 0..2) => Err(data("points", "a single class", "give points of at least 2 classes")),
            (_, n) if n > MAX_CLASSES => Err(data("points", format!("{n} classes"), format!("give at most {MAX_CLASSES}"))),
            _ => {
                let class = names.iter().filter_map(|n| classes.binary_search(n).ok()).collect();
                Ok(Points { at, class, classes })
            }
        }
    }

    /// The square around all points, with some room.
    pub fn view(&self) -> [(f64, f64); 2] {
        let ends = |k: usize| self.at.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(lo, hi), p| (lo.min(p[k]), hi.max(p[k])));
        let (x, y) = (ends(0), ends(1));
        let half = 0.55 * (x.1 - x.0).max(y.1 - y.0).max(1e-9);
        [x, y].map(|(lo, hi)| ((lo + hi) / 2.0 - half, (lo + hi) / 2.0 + half))
    }
}

fn wrong(line: usize, why: &str) -> Error {
    data(format!("points, line {line}"), why, format!("write x,y,class, for example 0.5,-1,red, and at most {MAX_POINTS} lines"))
}

fn place(kind: &str, class: usize, random: &mut Random) -> [f64; 2] {
    let sign = if class == 0 { 1.0 } else { -1.0 };
    match kind {
        "circles" => {
            let (radius, angle) = (if class == 0 { 0.4 * random.unit().sqrt() } else { 0.7 + 0.3 * random.unit() }, TAU * random.unit());
            [radius * angle.cos(), radius * angle.sin()]
        }
        // A gap of 0.05 beside each axis.
        "xor" => {
            let (x, y) = (0.05 + 0.95 * random.unit(), 0.05 + 0.95 * random.unit());
            if random.unit() < 0.5 { [x, sign * y] } else { [-x, -sign * y] }
        }
        "spiral" => {
            let r = 0.05 + 0.95 * random.unit();
            let angle = 1.75 * TAU * r + if class == 0 { 0.0 } else { PI };
            [r * angle.sin(), r * angle.cos()]
        }
        "moons" => {
            let angle = PI * random.unit();
            [
                (angle.cos() * sign + if class == 0 { -0.5 } else { 0.5 }) / 1.5,
                (angle.sin() * sign + if class == 0 { -0.25 } else { 0.25 }) / 1.5,
            ]
        }
        _ => {
            let angle = TAU * class as f64 / 3.0 + PI / 2.0;
            [0.6 * angle.cos() + 0.15 * random.normal(), 0.6 * angle.sin() + 0.15 * random.normal()]
        }
    }
}
