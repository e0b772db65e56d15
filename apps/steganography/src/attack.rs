//! What happens to a picture between writing and reading.

use crate::picture::jpeg_round_trip;
use neurona::Random;
use serde::{Deserialize, Serialize};

/// What a model is trained to survive.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Attack {
    /// Slight noise: changes by a grey level or two.
    Noise,
    /// Saving as JPEG, noise, other brightness and contrast.
    Saving,
}

impl Attack {
    /// The differences that it makes to a square picture of `side` pixels whose numbers are in the order of cells.
    pub(crate) fn harm(self, random: &mut Random, picture: &[f32], cell: usize, side: usize, harm: &mut [f32]) {
        let kind = random.unit_f32();
        match self {
            Attack::Noise => {
                let sigma = [0.0, 0.5, 1.0, 1.0][random.below(4)];
                harm.iter_mut().for_each(|h| *h = sigma * random.normal());
            }
            Attack::Saving if kind < 0.15 => {}
            Attack::Saving if kind < 0.3 => {
                let sigma = random.within_f32(0.0, 3.0);
                harm.iter_mut().for_each(|h| *h = sigma * random.normal());
            }
            Attack::Saving if kind < 0.4 => {
                let (gain, offset) = (random.within_f32(0.93, 1.07), random.within_f32(-12.0, 12.0));
                harm.iter_mut().zip(picture).for_each(|(h, p)| *h = (p * gain + offset).round().clamp(0.0, 255.0) - p);
            }
            Attack::Saving => {
                let quality = 40 + random.below(56) as u8;
                let places = || (0..picture.len()).map(|i| place(i, cell, side));
                let mut rgb = vec![0u8; picture.len()];
                places().zip(picture).for_each(|(at, p)| rgb[at] = *p as u8);
                if let Some(back) = jpeg_round_trip(&rgb, side, side, quality, random.unit_f32() < 0.85) {
                    places().zip(picture).zip(harm).for_each(|((at, p), h)| *h = f32::from(back[at]) - p);
                }
            }
        }
    }
}

/// Where number `i` of a picture in the order of cells is in the order of rows.
pub(crate) fn place(i: usize, cell: usize, side: usize) -> usize {
    let (across, size) = (side / cell, cell * cell * 3);
    let (cell_at, inside) = (i / size, i % size);
    let (x, y) = (cell_at % across * cell + inside / 3 % cell, cell_at / across * cell + inside / 3 / cell);
    (y * side + x) * 3 + inside % 3
}
