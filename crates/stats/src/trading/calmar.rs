use super::{PeriodsPerYear, cagr, max_drawdown};
use crate::finite::ratio;

/// Calmar ratio: [`cagr`] / |[`max_drawdown`]| over the whole series (Young, Futures, 1991, uses 36 months).
/// None where either is not defined or there was no drawdown.
///
/// ```
/// use stats::trading::{calmar, PeriodsPerYear};
/// let n = PeriodsPerYear::new(2.0).unwrap();
/// assert!((calmar(&[-0.5, 2.0], n).unwrap() - 0.5 / 0.5).abs() < 1e-12);
/// ```
#[must_use]
pub fn calmar(returns: &[f64], periods: PeriodsPerYear) -> Option<f64> {
    ratio(cagr(returns, periods)?, max_drawdown(returns)?.abs())
}
