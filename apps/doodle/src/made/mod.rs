//! Drawings that the program makes itself: what a network can learn from where no others are. A recipe for each class says what
//! people draw; a hand that shakes, misses ends and leaves things out draws it.

mod pen;
mod recipes;

use crate::strokes::Stroke;
use neurona::Random;
use pen::Pen;

/// The classes, by name.
pub const CLASSES: [&str; 20] = [
    "apple",
    "bicycle",
    "car",
    "cat",
    "cloud",
    "cup",
    "envelope",
    "fish",
    "flower",
    "house",
    "ladder",
    "moon",
    "mushroom",
    "sailboat",
    "smiley face",
    "snowman",
    "star",
    "sun",
    "tree",
    "umbrella",
];

/// A drawing of a class of [`CLASSES`], about 100 units large: the same for the same seed and number.
///
/// ```
/// use doodle::made::{CLASSES, drawing};
/// let house = CLASSES.iter().position(|c| *c == "house").unwrap();
/// assert_eq!(drawing(house, 1, 7), drawing(house, 1, 7));
/// assert_ne!(drawing(house, 1, 7), drawing(house, 1, 8));
/// ```
pub fn drawing(class: usize, seed: u64, number: u64) -> Vec<Stroke> {
    let mut pen = Pen::new(Random::new(seed, number * CLASSES.len() as u64 + class as u64));
    recipes::draw(class, &mut pen);
    pen.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_is_drawn_with_sense() {
        for (class, name) in CLASSES.iter().enumerate() {
            for number in 0..50 {
                let strokes = drawing(class, 3, number);
                let points: usize = strokes.iter().map(Vec::len).sum();
                assert!((1..=40).contains(&strokes.len()) && (8..4000).contains(&points), "{name} {number}");
                assert!(strokes.iter().flatten().all(|p| p.0.abs() < 400.0 && p.1.abs() < 400.0), "{name}");
            }
        }
    }
}
