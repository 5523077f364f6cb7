use crate::distribution::{excess_kurtosis, mean, skewness, std};
use crate::finite::{finite, ratio};
use crate::normal;

/// Minimum track record length: how many returns like these it takes until the probability that the true Sharpe ratio
/// per period is above `benchmark` reaches `confidence` (Bailey and López de Prado, Journal of Risk 15, 2012):
///
/// 1 + (1 − skew·SR + (kurt − 1)/4·SR²) · (z(confidence) / (SR − benchmark))², kurt = excess kurtosis + 3.
///
/// None where the Sharpe ratio is not above the benchmark (no record is long enough), below 4 returns, where they do not
/// vary, or for a confidence outside [0.5, 1).
///
/// ```
/// let x = [0.01, -0.01, 0.02, 0.0, 0.01];
/// let n = stats::selection::minimum_track_record(&x, 0.0, 0.95).unwrap();
/// assert!(n > 5.0);
/// assert_eq!(stats::selection::minimum_track_record(&x, 1.0, 0.95), None);
/// ```
#[must_use]
pub fn minimum_track_record(returns: &[f64], benchmark: f64, confidence: f64) -> Option<f64> {
    let sr = ratio(mean(returns)?, std(returns, 1)?)?;
    if !(0.5..1.0).contains(&confidence) || sr <= benchmark {
        return None;
    }
    let kurtosis = excess_kurtosis(returns)? + 3.0;
    let shape = 1.0 - skewness(returns)? * sr + (kurtosis - 1.0) / 4.0 * sr * sr;
    let z = normal::quantile(confidence)?;
    if shape <= 0.0 {
        return None;
    }
    finite(1.0 + shape * (z / (sr - benchmark)).powi(2))
}
