//! Colour maps from numbers in [0, 1].

/// A map from numbers to colours.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ColorMap {
    /// Dark violet through green to yellow, perceptually uniform and readable without colour vision:
    /// viridis (S. van der Walt and N. Smith, matplotlib, CC0).
    #[default]
    Viridis,
    /// Blue (low) through white to red (high), for signed values: ColorBrewer's RdBu, reversed
    /// (C. Brewer, <https://colorbrewer2.org>, Apache 2.0). Its middle is 0.
    BlueRed,
}

/// Viridis as a polynomial of degree 6 in each of red, green, blue: Matt Zucker's least-squares fit,
/// <https://www.shadertoy.com/view/WlfXRN>, public domain. Within 4/255 of matplotlib's table.
const VIRIDIS: [[f64; 3]; 7] = [
    [0.2777273272234177, 0.005407344544966578, 0.3340998053353061],
    [0.1050930431085774, 1.404613529898575, 1.384590162594685],
    [-0.3308618287255563, 0.214847559468213, 0.09509516302823659],
    [-4.634230498983486, -5.799100973351585, -19.33244095627987],
    [6.228269936347081, 14.17993336680509, 56.69055260068105],
    [4.776384997670288, -13.74514537774601, -65.35303263337234],
    [-5.435455855934631, 4.645852612178535, 26.3124352495832],
];

/// RdBu with 11 classes, from blue to red.
const BLUE_RED: [[u8; 3]; 11] = [
    [0x05, 0x30, 0x61],
    [0x21, 0x66, 0xac],
    [0x43, 0x93, 0xc3],
    [0x92, 0xc5, 0xde],
    [0xd1, 0xe5, 0xf0],
    [0xf7, 0xf7, 0xf7],
    [0xfd, 0xdb, 0xc7],
    [0xf4, 0xa5, 0x82],
    [0xd6, 0x60, 0x4d],
    [0xb2, 0x18, 0x2b],
    [0x67, 0x00, 0x1f],
];

impl ColorMap {
    /// Red, green, blue at `x`; numbers outside [0, 1] take the colour of the nearer end, NaN of 0.
    pub fn at(self, x: f64) -> [u8; 3] {
        let x = if x.is_nan() { 0.0 } else { x.clamp(0.0, 1.0) };
        match self {
            ColorMap::Viridis => std::array::from_fn(|k| {
                let y = VIRIDIS.iter().rev().fold(0.0, |sum, c| sum * x + c[k]);
                (255.0 * y).round() as u8
            }),
            ColorMap::BlueRed => {
                let place = x * (BLUE_RED.len() - 1) as f64;
                let i = (place as usize).min(BLUE_RED.len() - 2);
                let (a, b, share) = (BLUE_RED[i], BLUE_RED[i + 1], place - i as f64);
                std::array::from_fn(|k| (f64::from(a[k]) * (1.0 - share) + f64::from(b[k]) * share).round() as u8)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn viridis_is_that_of_matplotlib() {
        // matplotlib.colormaps["viridis"] at 0, 64, 128, 191 and 255 of 255.
        let table = [(0.0, [68, 1, 84]), (64.0, [59, 82, 139]), (128.0, [33, 145, 140]), (191.0, [92, 200, 99]), (255.0, [253, 231, 37])];
        for (i, want) in table {
            let got = ColorMap::Viridis.at(i / 255.0);
            let far = got.iter().zip(want).map(|(&g, w): (&u8, i32)| (i32::from(g) - w).abs()).max().unwrap();
            assert!(far <= 4, "{i}: {got:?}, not {want:?}");
        }
    }

    #[test]
    fn viridis_grows_lighter_all_the_way() {
        let luma = |x: f64| {
            let [r, g, b] = ColorMap::Viridis.at(x).map(f64::from);
            0.2126 * r + 0.7152 * g + 0.0722 * b
        };
        assert!((0..50).all(|i| luma(f64::from(i + 1) / 50.0) > luma(f64::from(i) / 50.0)));
    }

    #[test]
    fn the_signed_map_is_white_at_its_middle() {
        assert_eq!(ColorMap::BlueRed.at(0.5), [0xf7; 3]);
        assert_eq!([ColorMap::BlueRed.at(-1.0), ColorMap::BlueRed.at(f64::NAN)], [[0x05, 0x30, 0x61]; 2]);
        assert_eq!(ColorMap::BlueRed.at(7.0), [0x67, 0x00, 0x1f]);
    }
}
