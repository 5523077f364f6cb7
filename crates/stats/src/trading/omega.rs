use super::PeriodsPerYear;
use crate::finite::{at_least, ratio};

/// Omega ratio: Σ max(x − t, 0) / Σ max(t − x, 0), gains over losses around a threshold (Keating and Shadwick, Journal
/// of Performance Measurement 6, 2002). `required` is a return per year, t = (1 + required)^(1/N) − 1 per period.
/// None without returns or without a loss.
///
/// ```
/// use stats::trading::{omega, PeriodsPerYear};
/// assert!((omega(&[0.03, -0.01], 0.0, PeriodsPerYear::TRADING_DAYS).unwrap() - 3.0).abs() < 1e-12);
/// ```
#[must_use]
pub fn omega(returns: &[f64], required: f64, periods: PeriodsPerYear) -> Option<f64> {
    let threshold = periods.rate_per_period(required);
    let (mut gains, mut losses) = (0.0, 0.0);
    for x in at_least(1, returns)? {
        gains += (x - threshold).max(0.0);
        losses += (threshold - x).max(0.0);
    }
    ratio(gains, losses)
}
