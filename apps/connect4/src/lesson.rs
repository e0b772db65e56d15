//! What a network learns from: a table's rows as arrays, and the presets.

use crate::board::COLUMNS;
use crate::planes::Planes;
use crate::table::{Row, Split};

/// A tried training: its name, its settings as a training file, and how rows become numbers.
#[derive(Clone, Copy, Debug)]
pub struct Preset {
    /// Its name.
    pub name: &'static str,
    /// The training file. Its data are [`Lesson::files`] in the folder `data` beside it.
    pub file: &'static str,
    /// How positions are laid out.
    pub planes: Planes,
    /// Whether the mirror image of each training row is another one, and outputs are 14 values instead of one class.
    pub full: bool,
}

/// The presets: `deck`, one best column of each position, and `best`, all that the table knows.
pub const PRESETS: [Preset; 2] = [
    Preset { name: "deck", file: include_str!("../presets/deck.toml"), planes: Planes::Stones, full: false },
    Preset { name: "best", file: include_str!("../presets/best.toml"), planes: Planes::Threats, full: true },
];

impl Preset {
    /// The preset of this name.
    pub fn of(name: &str) -> Option<Preset> {
        PRESETS.into_iter().find(|p| p.name == name)
    }
}

/// The rows of one part of the split as arrays.
#[derive(Clone, Debug, PartialEq)]
pub struct Lesson {
    /// What it is for.
    pub split: Split,
    /// Shape of the inputs: rows, then [`Planes::shape`].
    pub shape: [usize; 4],
    /// The inputs.
    pub x: Vec<u8>,
    /// Values of a target row: 1 or 14.
    pub width: usize,
    /// The targets: the best column from 0, or the values of [`targets`].
    pub y: Vec<f32>,
}

impl Lesson {
    /// The part `split` of a table. Only rows to learn from are mirrored: others would count twice.
    pub fn new(preset: &Preset, rows: &[Row], split: Split) -> Lesson {
        let width = if preset.full { 2 * COLUMNS } else { 1 };
        let (mut x, mut y, mut count) = (vec![], vec![], 0);
        for row in rows.iter().filter(|r| r.split == split) {
            let mirrored = (preset.full && split == Split::Train).then(|| mirror(row));
            for row in [Some(row.clone()), mirrored].into_iter().flatten() {
                preset.planes.push(&row.position, &mut x);
                if preset.full {
                    y.extend(targets(&row))
                } else {
                    y.push(row.best() as f32)
                }
                count += 1;
            }
        }
        let [a, b, c] = preset.planes.shape();
        Lesson { split, shape: [count, a, b, c], x, width, y }
    }

    /// Its files: name and contents (npy).
    pub fn files(&self) -> [(String, Vec<u8>); 2] {
        let name = |what: &str| format!("{what}_{}.npy", self.split.name());
        let y = if self.width == 1 { vec![self.shape[0]] } else { vec![self.shape[0], self.width] };
        let bytes: Vec<u8> = self.y.iter().flat_map(|v| v.to_le_bytes()).collect();
        [(name("x"), npy("|u1", &self.shape, &self.x)), (name("y"), npy("<f4", &y, &bytes))]
    }
}

/// For each column whether it is one of the best (1 or 0), then for each its result (1 wins, 1/2 draws, 0 loses). A full
/// column is 0 twice.
pub fn targets(row: &Row) -> [f32; 2 * COLUMNS] {
    std::array::from_fn(|i| match i.checked_sub(COLUMNS) {
        None => f32::from(u8::from(row.is_best(i))),
        Some(c) => row.scores[c].map_or(0.0, |s| (s.signum() + 1) as f32 / 2.0),
    })
}

/// A row in the mirror.
pub fn mirror(row: &Row) -> Row {
    let mut scores = row.scores;
    scores.reverse();
    Row { position: row.position.mirror(), scores, split: row.split }
}

/// A file of NumPy's, version 1.0, in C order (<https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>).
fn npy(kind: &str, shape: &[usize], data: &[u8]) -> Vec<u8> {
    let shape: String = shape.iter().map(|n| format!("{n},")).collect();
    let header = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': ({shape}), }}");
    // Ten bytes come before the header; the numbers begin at a multiple of 64.
    let header = format!("{header:<width$}\n", width = (header.len() + 11).next_multiple_of(64) - 11);
    [b"\x93NUMPY\x01\x00", &(header.len() as u16).to_le_bytes()[..], header.as_bytes(), data].concat()
}
