use crate::distribution::{mean, quantile, std};
use crate::finite::finite;
use crate::normal;

/// Value at risk per period if returns were normal: mean + z·sd with z the normal quantile of `tail` (0.05), ddof 1.
/// A return, usually negative (as quantstats). Understates the risk of fat tails. None below two returns.
///
/// ```
/// let var = stats::trading::var_parametric(&[-0.01, 0.01], 0.05).unwrap();
/// assert!((var + 1.644_853_626_951 * 0.0002_f64.sqrt()).abs() < 1e-12);
/// ```
#[must_use]
pub fn var_parametric(returns: &[f64], tail: f64) -> Option<f64> {
    finite(mean(returns)? + normal::quantile(tail)? * std(returns, 1)?)
}

/// Value at risk per period as it was: the `tail` quantile (0.05) of the returns, linear interpolation. A return,
/// usually negative (as empyrical). None without returns.
///
/// ```
/// assert_eq!(stats::trading::var_historical(&[-0.03, 0.0, 0.01], 0.25), Some(-0.015));
/// ```
#[must_use]
pub fn var_historical(returns: &[f64], tail: f64) -> Option<f64> {
    quantile(returns, tail)
}
