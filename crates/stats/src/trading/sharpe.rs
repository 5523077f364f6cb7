use super::PeriodsPerYear;
use crate::distribution::{mean, std};
use crate::finite::ratio;

/// Sharpe ratio per year: √N · mean(x − rf) / sd(x − rf), sd with ddof 1 (Sharpe, Journal of Portfolio Management 21,
/// 1994). `risk_free` is a rate per year (0 for none), brought to rf = (1 + risk_free)^(1/N) − 1 per period.
/// Assumes returns without autocorrelation: √N overstates it for trending returns.
/// None below two returns or where they do not vary.
///
/// ```
/// use stats::trading::{sharpe, PeriodsPerYear};
/// let found = sharpe(&[0.01, 0.03], 0.0, PeriodsPerYear::TRADING_DAYS).unwrap();
/// assert!((found - 252_f64.sqrt() * 0.02 / 0.0002_f64.sqrt()).abs() < 1e-12);
/// ```
#[must_use]
pub fn sharpe(returns: &[f64], risk_free: f64, periods: PeriodsPerYear) -> Option<f64> {
    let rate = periods.rate_per_period(risk_free);
    let excess: Vec<f64> = returns.iter().map(|x| x - rate).collect();
    ratio(periods.get().sqrt() * mean(&excess)?, std(&excess, 1)?)
}
