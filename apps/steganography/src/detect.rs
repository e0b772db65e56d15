//! How visible a message is to an analyst who has the model: the logits of a picture that carries bits keep away from 0.

use crate::Result;
use crate::codec::Codec;
use crate::picture::Picture;

/// What the logits of a picture look like near 0.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Suspicion {
    /// Of the logits up to twice the margin of training, the share beyond the margin.
    pub share: f64,
    /// By how many standard deviations of chance this is above a half. In a clean picture logits are densest around 0, so that it
    /// is below; the writer moves them out to the margin, and leaves a gap.
    pub deviations: f64,
}

impl Suspicion {
    /// Whether chance hardly explains it.
    pub fn is_strong(&self) -> bool {
        self.deviations > 4.0
    }
}

/// How suspicious a picture is.
///
/// # Errors
/// Errors of the engine.
pub fn suspicion(codec: &mut Codec, picture: &Picture) -> Result<Suspicion> {
    if codec.bits(picture) == 0 {
        return Ok(Suspicion { share: 0.0, deviations: 0.0 });
    }
    let margin = codec.settings.margin;
    let distances: Vec<f32> = codec.logits(picture)?.into_iter().map(f32::abs).filter(|l| *l < 2.0 * margin).collect();
    let (all, beyond) = (distances.len().max(1) as f64, distances.iter().filter(|l| **l >= margin).count() as f64);
    Ok(Suspicion { share: beyond / all, deviations: (2.0 * beyond - all) / all.sqrt() })
}

/// The area under the receiver operating characteristic: how often a picture with a message is more suspicious than one without
/// (ties count half). 0.5 is guessing, 1 never fails.
pub fn area(clean: &[f64], with: &[f64]) -> f64 {
    let wins: f64 = with
        .iter()
        .flat_map(|w| {
            clean.iter().map(move |c| {
                if w > c {
                    1.0
                } else if w == c {
                    0.5
                } else {
                    0.0
                }
            })
        })
        .sum();
    wins / (clean.len() * with.len()).max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_area_is_a_share_of_pairs() {
        assert_eq!(area(&[1.0, 2.0], &[3.0, 4.0]), 1.0);
        assert_eq!(area(&[1.0, 2.0], &[1.0, 2.0]), 0.5);
        assert_eq!(area(&[5.0], &[1.0, 9.0]), 0.5);
    }
}
