//! Probabilities that mean what they say: of the answers given with 80 %, 80 % should be right. One number, the temperature,
//! divides all logits (C. Guo and others, "On calibration of modern neural networks", 2017).

/// exp(l / temperature) / Σ exp(l / temperature).
pub fn softmax(logits: &[f32], temperature: f64) -> Vec<f64> {
    let scaled: Vec<f64> = logits.iter().map(|&l| f64::from(l) / temperature).collect();
    let most = scaled.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let powers: Vec<f64> = scaled.iter().map(|l| (l - most).exp()).collect();
    let sum: f64 = powers.iter().sum();
    powers.into_iter().map(|p| p / sum).collect()
}

/// The temperature from 1/8 to 8 of the smallest mean of −log p(label), by golden section: that mean has one minimum. `logits`
/// are those of one row after another, as many rows as labels. Without rows, 1.
///
/// ```
/// // Three of four are right, but every answer is given with p = 0.98.
/// let logits = [4.0, 0.0, 4.0, 0.0, 4.0, 0.0, 4.0, 0.0];
/// let t = doodle::calibrate::temperature(&logits, &[0, 0, 0, 1]);
/// assert!((doodle::calibrate::softmax(&logits[..2], t)[0] - 0.75).abs() < 1e-3);
/// ```
pub fn temperature(logits: &[f32], labels: &[usize]) -> f64 {
    if labels.is_empty() || logits.is_empty() {
        return 1.0;
    }
    let width = logits.len() / labels.len();
    let loss = |log_t: f64| {
        let row = |(l, &label): (&[f32], &usize)| -softmax(l, log_t.exp()).get(label).copied().unwrap_or(1.0).max(1e-300).ln();
        logits.chunks_exact(width.max(1)).zip(labels).map(row).sum::<f64>()
    };
    let golden = (5f64.sqrt() - 1.0) / 2.0;
    let (mut low, mut high) = (-(8f64.ln()), 8f64.ln());
    for _ in 0..40 {
        let (a, b) = (high - golden * (high - low), low + golden * (high - low));
        if loss(a) < loss(b) { high = b } else { low = a }
    }
    ((low + high) / 2.0).exp()
}

/// The mean distance between how sure answers were and how often they were right, over fifteen ranges of probability, weighted by
/// their numbers. `answers` are the probability of the answer and whether it was right.
pub fn calibration_error(answers: &[(f32, bool)]) -> f64 {
    const RANGES: usize = 15;
    let range = |p: f32| ((f64::from(p) * RANGES as f64) as usize).min(RANGES - 1);
    let gap = |r: usize| {
        let of = answers.iter().filter(|a| range(a.0) == r);
        of.map(|a| f64::from(a.0) - f64::from(u8::from(a.1))).sum::<f64>().abs()
    };
    (0..RANGES).map(gap).sum::<f64>() / answers.len().max(1) as f64
}
