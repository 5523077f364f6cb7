use super::PeriodsPerYear;
use super::downside_risk::downside_deviation;
use crate::distribution::mean;
use crate::finite::ratio;

/// Sortino ratio per year: √N · mean(x) / √(mean(min(x, 0)²)), the mean of squares over *all* returns (Sortino and van der
/// Meer, Journal of Portfolio Management 17, 1991), target 0. None without returns or without a loss.
///
/// ```
/// use stats::trading::{sortino, PeriodsPerYear};
/// let n = PeriodsPerYear::new(4.0).unwrap();
/// assert!((sortino(&[0.03, -0.01], n).unwrap() - 2.0 * 0.01 / (0.0001_f64 / 2.0).sqrt()).abs() < 1e-12);
/// assert_eq!(sortino(&[0.03, 0.01], n), None);
/// ```
#[must_use]
pub fn sortino(returns: &[f64], periods: PeriodsPerYear) -> Option<f64> {
    ratio(periods.get().sqrt() * mean(returns)?, downside_deviation(returns)?)
}
