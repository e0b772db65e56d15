//! What a network is given of a point.

use super::Points;
use serde::Serialize;

/// A number made of a point's coordinates. The network sees coordinates that are moved and scaled so that all points lie
/// within ±2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)] // the names say it
pub enum Feature {
    X,
    Y,
    XSquare,
    YSquare,
    Product,
    SinX,
    SinY,
}

impl Feature {
    /// Every feature.
    pub const ALL: [Feature; 7] =
        [Feature::X, Feature::Y, Feature::XSquare, Feature::YSquare, Feature::Product, Feature::SinX, Feature::SinY];

    /// As it is written: `x`, `y`, `x2`, `y2`, `xy`, `sinx`, `siny`.
    pub fn name(self) -> &'static str {
        ["x", "y", "x2", "y2", "xy", "sinx", "siny"][self as usize]
    }

    /// The feature of this name.
    pub fn of(name: &str) -> Option<Feature> {
        Feature::ALL.into_iter().find(|f| f.name() == name)
    }

    fn value(self, x: f64, y: f64) -> f64 {
        match self {
            Feature::X => x,
            Feature::Y => y,
            Feature::XSquare => x * x,
            Feature::YSquare => y * y,
            Feature::Product => x * y,
            // Half a wave from one side to the other, and half beyond each.
            Feature::SinX => (2.0 * x).sin(),
            Feature::SinY => (2.0 * y).sin(),
        }
    }
}

/// Where the points lie, and what is made of them.
pub(super) struct Frame {
    pub view: [(f64, f64); 2],
    features: Vec<Feature>,
}

impl Frame {
    pub fn new(points: &Points, features: &[Feature]) -> Frame {
        Frame { view: points.view(), features: features.to_vec() }
    }

    /// The features of a point.
    pub fn inputs(&self, at: [f64; 2]) -> Vec<f32> {
        // The view has 1/11 of room on either side of the points.
        let [x, y] = [0, 1].map(|k| {
            let (lo, hi) = self.view[k];
            2.2 * (2.0 * (at[k] - lo) / (hi - lo) - 1.0)
        });
        self.features.iter().map(|f| f.value(x, y) as f32).collect()
    }
}
