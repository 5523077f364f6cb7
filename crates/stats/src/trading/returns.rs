use crate::finite::{at_least, finite};

/// Simple returns of a price (or equity) series: `p[t] / p[t−1] − 1`, one fewer than prices.
/// None with fewer than two prices, or with one that is not finite and above 0.
///
/// ```
/// assert_eq!(stats::trading::simple_returns(&[100.0, 110.0, 55.0]).unwrap()[1], -0.5);
/// assert_eq!(stats::trading::simple_returns(&[100.0, 0.0]), None);
/// ```
#[must_use]
pub fn simple_returns(prices: &[f64]) -> Option<Vec<f64>> {
    let prices = at_least(2, prices)?;
    if prices.iter().any(|p| *p <= 0.0) {
        return None;
    }
    let returns: Vec<f64> = prices.iter().zip(prices.iter().skip(1)).map(|(before, now)| now / before - 1.0).collect();
    returns.iter().all(|r| r.is_finite()).then_some(returns)
}

/// Return over the whole series: Π(1 + x) − 1, a share. None without returns.
///
/// ```
/// assert!((stats::trading::total_return(&[0.1, -0.5]).unwrap() + 0.45).abs() < 1e-15);
/// ```
#[must_use]
pub fn total_return(returns: &[f64]) -> Option<f64> {
    finite(at_least(1, returns)?.iter().map(|x| 1.0 + x).product::<f64>() - 1.0)
}
