use super::PeriodsPerYear;

/// Sharpe ratio per year ([`super::sharpe`] without a risk-free rate) of each run of `window` returns, one value for each
/// return: none before the first whole window, and where the returns of a window do not vary. One pass; sums are taken
/// about the overall mean and begun anew every few thousand returns, so that rounding does not add up.
///
/// ```
/// use stats::trading::{rolling_sharpe, sharpe, PeriodsPerYear};
/// let (x, n) = ([0.01, -0.01, 0.02, 0.03], PeriodsPerYear::CALENDAR_DAYS);
/// let found = rolling_sharpe(&x, 3, n);
/// assert_eq!(found[1], None);
/// assert!((found[3].unwrap() - sharpe(&x[1..], 0.0, n).unwrap()).abs() < 1e-9);
/// ```
#[must_use]
pub fn rolling_sharpe(returns: &[f64], window: usize, periods: PeriodsPerYear) -> Vec<Option<f64>> {
    const ANEW: usize = 4096;
    if window < 2 || returns.iter().any(|x| !x.is_finite()) {
        return vec![None; returns.len()];
    }
    let n = window as f64;
    let centre = returns.iter().sum::<f64>() / returns.len().max(1) as f64;
    let sums = |span: &[f64]| span.iter().fold((0.0, 0.0), |(s, q), x| (s + (x - centre), q + (x - centre).powi(2)));
    let (mut sum, mut squares) = (0.0, 0.0);
    let mut found = vec![None; returns.len()];
    // the last return that is not the one before it: what is left of equal returns in the sums is rounding
    let mut changed = 0;
    for (at, slot) in found.iter_mut().enumerate() {
        if at > 0 && (returns[at] - returns[at - 1]).abs() > 0.0 {
            changed = at;
        }
        if at + 1 < window {
            continue;
        }
        let span = &returns[at + 1 - window..=at];
        if at == window - 1 || at.is_multiple_of(ANEW) {
            (sum, squares) = sums(span);
        } else {
            let (new, old) = (returns[at] - centre, returns[at - window] - centre);
            sum += new - old;
            squares += new * new - old * old;
        }
        let mean = sum / n;
        let variance = (squares - n * mean * mean) / (n - 1.0);
        *slot = (changed + window > at + 1 && variance > 0.0)
            .then(|| periods.get().sqrt() * (centre + mean) / variance.sqrt())
            .filter(|v| v.is_finite());
    }
    found
}
