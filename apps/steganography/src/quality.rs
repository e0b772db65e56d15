//! How much two pictures differ: PSNR and SSIM.

/// Peak signal-to-noise ratio of two pictures of equal size in decibels, over all channels; infinite if they are equal.
pub fn psnr(a: &[u8], b: &[u8]) -> f64 {
    let square: u64 = a.iter().zip(b).map(|(&x, &y)| u64::from(x.abs_diff(y)).pow(2)).sum();
    20.0 * 255f64.log10() - 10.0 * (square as f64 / a.len().max(1) as f64).log10()
}

/// Half of the window's width: 11 pixels across.
const REACH: usize = 5;
/// Standard deviation of the window.
const SIGMA: f64 = 1.5;

/// Structural similarity of two RGB pictures: the mean over red, green and blue of that of Z. Wang, A. Bovik, H. Sheikh, E.
/// Simoncelli, "Image quality assessment", 2004, with its Gaussian window of 11×11 pixels, where the window fits.
pub fn ssim(a: &[u8], b: &[u8], width: usize, height: usize) -> f64 {
    if width <= 2 * REACH || height <= 2 * REACH {
        return if a == b { 1.0 } else { f64::NAN };
    }
    (0..3).map(|c| channel(a, b, width, height, c)).sum::<f64>() / 3.0
}

fn channel(a: &[u8], b: &[u8], width: usize, height: usize, c: usize) -> f64 {
    let window: Vec<f64> = (0..=2 * REACH).map(|i| (-(i as f64 - REACH as f64).powi(2) / (2.0 * SIGMA * SIGMA)).exp()).collect();
    let total: f64 = window.iter().sum();
    let window: Vec<f64> = window.iter().map(|w| w / total).collect();
    let across = width - 2 * REACH;
    // Moments of each row, smoothed along it: x, y, x², y², xy.
    let smooth = |y: usize| -> Vec<[f64; 5]> {
        let moments = |x: usize| {
            let (p, q) = (f64::from(a[(y * width + x) * 3 + c]), f64::from(b[(y * width + x) * 3 + c]));
            [p, q, p * p, q * q, p * q]
        };
        let row: Vec<[f64; 5]> = (0..width).map(moments).collect();
        (0..across).map(|x| weighted(&window, |i| row[x + i])).collect()
    };
    let mut rows: std::collections::VecDeque<Vec<[f64; 5]>> = (0..2 * REACH).map(smooth).collect();
    let mut sum = 0.0;
    for y in 2 * REACH..height {
        rows.push_back(smooth(y));
        sum += (0..across).map(|x| similarity(weighted(&window, |i| rows[i][x]))).sum::<f64>();
        rows.pop_front();
    }
    sum / (across * (height - 2 * REACH)) as f64
}

fn weighted(window: &[f64], at: impl Fn(usize) -> [f64; 5]) -> [f64; 5] {
    let mut sum = [0.0; 5];
    for (i, w) in window.iter().enumerate() {
        sum.iter_mut().zip(at(i)).for_each(|(s, x)| *s += w * x);
    }
    sum
}

fn similarity([x, y, xx, yy, xy]: [f64; 5]) -> f64 {
    let (c1, c2) = ((0.01 * 255f64).powi(2), (0.03 * 255f64).powi(2));
    let (vx, vy, cov) = (xx - x * x, yy - y * y, xy - x * y);
    (2.0 * x * y + c1) * (2.0 * cov + c2) / ((x * x + y * y + c1) * (vx + vy + c2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn psnr_is_that_of_its_definition() {
        assert_eq!(psnr(&[1, 2, 3], &[1, 2, 3]), f64::INFINITY);
        assert!((psnr(&[10; 300], &[12; 300]) - 42.110).abs() < 1e-3); // 10 log10(255²/4)
    }

    /// Uniform pictures have no variance: only the first factor is left.
    #[test]
    fn ssim_is_that_of_its_definition() {
        let (a, b) = (vec![100; 3 * 20 * 15], vec![110; 3 * 20 * 15]);
        assert!((ssim(&a, &b, 20, 15) - (2.0 * 100.0 * 110.0 + 6.5025) / (100.0 * 100.0 + 110.0 * 110.0 + 6.5025)).abs() < 1e-9);
        assert!((ssim(&a, &a, 20, 15) - 1.0).abs() < 1e-12);
        // A checkerboard and its negative: variance 100² each, covariance its opposite.
        let board = |sign: i32| -> Vec<u8> {
            (0..3 * 41 * 41).map(|i| (128 + sign * if (i / 3 % 41 + i / 3 / 41) % 2 == 0 { 100 } else { -100 }) as u8).collect()
        };
        assert!((ssim(&board(1), &board(-1), 41, 41) + 0.994).abs() < 5e-3);
    }
}
