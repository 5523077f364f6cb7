use super::PeriodsPerYear;
use crate::finite::{at_least, finite};

/// Downside deviation per year: √N · √(mean(min(x, 0)²)) over all returns, a share (as empyrical; the denominator of
/// the Sortino ratio). 0 without a loss; none without returns.
///
/// ```
/// use stats::trading::{downside_risk, PeriodsPerYear};
/// let n = PeriodsPerYear::new(1.0).unwrap();
/// assert!((downside_risk(&[0.5, -0.2], n).unwrap() - 0.02_f64.sqrt()).abs() < 1e-15);
/// ```
#[must_use]
pub fn downside_risk(returns: &[f64], periods: PeriodsPerYear) -> Option<f64> {
    finite(periods.get().sqrt() * downside_deviation(returns)?)
}

/// √(mean(min(x, 0)²)) per period.
pub(super) fn downside_deviation(returns: &[f64]) -> Option<f64> {
    let returns = at_least(1, returns)?;
    finite((returns.iter().map(|x| x.min(0.0).powi(2)).sum::<f64>() / returns.len() as f64).sqrt())
}
