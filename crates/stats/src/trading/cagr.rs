use super::{PeriodsPerYear, total_return};
use crate::finite::finite;

/// Compound return per year: (Π(1 + x))^(N/n) − 1, a share; the time is n/N years of *periods*, not of the calendar.
/// Over much less than a year it extrapolates wildly. None without returns, if all was lost and more, or if the
/// result is beyond what a number can hold.
///
/// ```
/// use stats::trading::{cagr, PeriodsPerYear};
/// let n = PeriodsPerYear::new(4.0).unwrap();
/// assert!((cagr(&[0.1, 0.1], n).unwrap() - (1.21_f64.powi(2) - 1.0)).abs() < 1e-12);
/// ```
#[must_use]
pub fn cagr(returns: &[f64], periods: PeriodsPerYear) -> Option<f64> {
    let growth = 1.0 + total_return(returns)?;
    if growth < 0.0 {
        return None;
    }
    finite(growth.powf(periods.get() / returns.len() as f64) - 1.0)
}
