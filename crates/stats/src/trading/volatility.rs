use super::PeriodsPerYear;
use crate::distribution::std;
use crate::finite::finite;

/// Volatility per year: √N · sd(x), ddof 1, a share. Assumes returns without autocorrelation. None below two returns.
///
/// ```
/// use stats::trading::{volatility, PeriodsPerYear};
/// let n = PeriodsPerYear::new(4.0).unwrap();
/// assert!((volatility(&[0.01, 0.03], n).unwrap() - 2.0 * 0.0002_f64.sqrt()).abs() < 1e-15);
/// ```
#[must_use]
pub fn volatility(returns: &[f64], periods: PeriodsPerYear) -> Option<f64> {
    finite(periods.get().sqrt() * std(returns, 1)?)
}
