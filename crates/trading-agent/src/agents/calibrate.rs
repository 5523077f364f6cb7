//! What a confidence has been worth: a probability of being right, from past outcomes that are known by now.

use super::config::{CalibrationConfig, CalibrationMethod};
use serde::{Deserialize, Serialize};

/// One past decision with a direction: how sure the agents were, and whether the price went their way.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// The confidence given.
    pub confidence: f64,
    /// Whether the price went the decision's way.
    pub right: bool,
}

/// The probability of being right at this confidence; none while too few outcomes are known or where it is switched off.
pub fn calibrated(config: &CalibrationConfig, samples: &[Sample], confidence: f64) -> Option<f64> {
    if samples.len() < config.min_samples.max(2) {
        return None;
    }
    match config.method {
        CalibrationMethod::Off => None,
        CalibrationMethod::Isotonic => Some(isotonic(samples, confidence)),
        CalibrationMethod::Platt => Some(platt(samples, confidence)),
    }
}

/// The least-squares non-decreasing fit by pooling adjacent violators (Ayer et al. 1955; Zadrozny and Elkan 2002), read as a
/// step function.
///
/// ```
/// use trading_agent::agents::calibrate::{isotonic, Sample};
/// let samples = [(0.1, false), (0.2, true), (0.3, false), (0.9, true)].map(|(confidence, right)| Sample { confidence, right });
/// assert_eq!(isotonic(&samples, 0.25), 0.5);
/// assert_eq!(isotonic(&samples, 0.95), 1.0);
/// ```
pub fn isotonic(samples: &[Sample], confidence: f64) -> f64 {
    let mut sorted: Vec<Sample> = samples.to_vec();
    sorted.sort_by(|a, b| a.confidence.total_cmp(&b.confidence));
    // Each block: its lowest confidence, the sum of outcomes, how many.
    let mut blocks: Vec<(f64, f64, f64)> = Vec::new();
    for sample in sorted {
        let right = f64::from(u8::from(sample.right));
        match blocks.last_mut() {
            // Equal confidences are one point, whatever their order.
            Some(last) if last.0.total_cmp(&sample.confidence).is_eq() => {
                last.1 += right;
                last.2 += 1.0;
            }
            _ => blocks.push((sample.confidence, right, 1.0)),
        }
    }
    let mut pooled: Vec<(f64, f64, f64)> = Vec::new();
    for block in blocks {
        pooled.push(block);
        while let [.., a, b] = pooled.as_slice()
            && a.1 / a.2 >= b.1 / b.2
        {
            let merged = (a.0, a.1 + b.1, a.2 + b.2);
            pooled.truncate(pooled.len() - 2);
            pooled.push(merged);
        }
    }
    let block = pooled.iter().rev().find(|b| b.0 <= confidence).or(pooled.first());
    block.map_or(0.5, |b| b.1 / b.2)
}

/// p = 1 / (1 + exp(-(a + b c))) with Platt's smoothed targets (Platt 1999), fitted by Newton's method.
pub fn platt(samples: &[Sample], confidence: f64) -> f64 {
    let right = samples.iter().filter(|s| s.right).count() as f64;
    let wrong = samples.len() as f64 - right;
    let (high, low) = ((right + 1.0) / (right + 2.0), 1.0 / (wrong + 2.0));
    let (mut a, mut b) = (((right + 1.0) / (wrong + 1.0)).ln(), 0.0);
    for _ in 0..50 {
        // Gradient and Hessian of the log loss, with a ridge of 1e-6 against a flat direction (all confidences equal).
        let (mut ga, mut gb, mut haa, mut hab, mut hbb) = (1e-6 * a, 1e-6 * b, 1e-6, 0.0, 1e-6);
        for s in samples {
            let p = 1.0 / (1.0 + (-(a + b * s.confidence)).exp());
            let error = p - if s.right { high } else { low };
            let weight = p * (1.0 - p);
            ga += error;
            gb += error * s.confidence;
            haa += weight;
            hab += weight * s.confidence;
            hbb += weight * s.confidence * s.confidence;
        }
        let determinant = haa * hbb - hab * hab;
        let (da, db) = ((hbb * ga - hab * gb) / determinant, (haa * gb - hab * ga) / determinant);
        if !da.is_finite() || !db.is_finite() {
            break;
        }
        a -= da.clamp(-2.0, 2.0);
        b -= db.clamp(-2.0, 2.0);
        if da.abs() + db.abs() < 1e-10 {
            break;
        }
    }
    1.0 / (1.0 + (-(a + b * confidence)).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(n: usize, p: impl Fn(f64) -> f64) -> Vec<Sample> {
        // Even spacing in confidence; right exactly as often as p says, in ten sub-steps.
        let share = |i: usize| (i % 10) as f64 / 10.0 + 0.05;
        (0..n)
            .map(|i| {
                let confidence = (i / 10) as f64 / (n / 10) as f64;
                Sample { confidence, right: share(i) < p(confidence) }
            })
            .collect()
    }

    #[test]
    fn both_methods_find_that_high_confidence_is_worth_more() {
        let samples = drawn(1000, |c| 0.3 + 0.4 * c);
        for fitted in [isotonic, platt] {
            let (low, high) = (fitted(&samples, 0.1), fitted(&samples, 0.9));
            assert!((low - 0.34).abs() < 0.08, "{low}");
            assert!((high - 0.66).abs() < 0.08, "{high}");
        }
    }

    #[test]
    fn isotonic_never_falls_even_where_the_data_do() {
        let samples = drawn(500, |c| 0.8 - 0.6 * c);
        let fit: Vec<f64> = (0..=20).map(|i| isotonic(&samples, f64::from(i) / 20.0)).collect();
        assert!(fit.windows(2).all(|w| w[1] >= w[0]), "{fit:?}");
        assert!((fit[10] - 0.5).abs() < 0.05);
    }

    #[test]
    fn equal_confidences_or_one_outcome_still_give_a_probability() {
        let same = vec![Sample { confidence: 0.5, right: true }; 60];
        for fitted in [isotonic, platt] {
            assert!((0.9..=1.0).contains(&fitted(&same, 0.5)));
        }
        let config = CalibrationConfig { method: CalibrationMethod::Platt, ..CalibrationConfig::default() };
        assert!(calibrated(&config, &same[..10], 0.5).is_none(), "too few");
    }
}
