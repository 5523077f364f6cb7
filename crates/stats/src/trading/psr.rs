use crate::distribution::{excess_kurtosis, mean, skewness, std};
use crate::finite::{finite, ratio};
use crate::normal;

/// Probabilistic Sharpe ratio: the probability, in [0, 1], that the true Sharpe ratio *per period* is above
/// `benchmark` (also per period; usually 0), given the length, skew and fat tails of the sample (Bailey and López de
/// Prado, Journal of Risk 15, 2012):
///
/// Φ((SR − benchmark) / s), s² = (1 − skew·SR + (kurt − 1)/4·SR²) / (n − 1), kurt = excess kurtosis + 3.
///
/// Says nothing about how many strategies were tried before this one. None below 4 returns or where they do not vary.
///
/// ```
/// let p = stats::trading::probabilistic_sharpe(&[0.01, -0.01, 0.02, 0.0, 0.01], 0.0).unwrap();
/// assert!(p > 0.5 && p < 1.0);
/// ```
#[must_use]
pub fn probabilistic_sharpe(returns: &[f64], benchmark: f64) -> Option<f64> {
    let sr = ratio(mean(returns)?, std(returns, 1)?)?;
    let kurtosis = excess_kurtosis(returns)? + 3.0;
    let variance = (1.0 - skewness(returns)? * sr + (kurtosis - 1.0) / 4.0 * sr * sr) / (returns.len() - 1) as f64;
    if variance <= 0.0 {
        return None;
    }
    finite(normal::cdf((sr - benchmark) / variance.sqrt()))
}
