use crate::distribution::quantile;
use crate::finite::ratio;

/// How large the best returns are against the worst: |95 % quantile / 5 % quantile|, linear interpolation (as
/// empyrical). Above 1: gains have the longer tail. None without returns or where the 5 % quantile is 0.
///
/// ```
/// assert!((stats::trading::tail_ratio(&[-0.01, 0.0, 0.01]).unwrap() - 1.0).abs() < 1e-12);
/// ```
#[must_use]
pub fn tail_ratio(returns: &[f64]) -> Option<f64> {
    ratio(quantile(returns, 0.95)?, quantile(returns, 0.05)?).map(f64::abs)
}
