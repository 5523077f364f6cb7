use crate::distribution::{mean, std};
use crate::finite::{at_least, finite};
use crate::normal;
use crate::trading::var_historical;

/// Mean return of the worst `tail` (0.05) of periods if returns were normal: mean − sd·φ(z)/tail with z the normal
/// quantile of `tail`, ddof 1 (as quantstats). None below two returns.
///
/// ```
/// let cvar = stats::trading::cvar_parametric(&[-0.01, 0.01], 0.05).unwrap();
/// assert!((cvar + 2.062_712_807_507 * 0.0002_f64.sqrt()).abs() < 1e-12);
/// ```
#[must_use]
pub fn cvar_parametric(returns: &[f64], tail: f64) -> Option<f64> {
    let z = normal::quantile(tail)?;
    finite(mean(returns)? - std(returns, 1)? * normal::density(z) / tail)
}

/// Mean of the returns at or below the `tail` quantile (0.05) of the returns (as quantstats). None without returns.
///
/// ```
/// assert_eq!(stats::trading::cvar_historical(&[-0.04, -0.02, 0.0, 0.01, 0.02], 0.25), Some(-0.03));
/// ```
#[must_use]
pub fn cvar_historical(returns: &[f64], tail: f64) -> Option<f64> {
    let threshold = var_historical(returns, tail)?;
    let worst: Vec<f64> = returns.iter().copied().filter(|x| *x <= threshold).collect();
    mean(&worst)
}

/// Mean of the ⌊(n − 1)·tail⌋ + 1 smallest returns (as empyrical); may differ slightly from [`cvar_historical`].
/// None without returns or for a tail outside [0, 1].
///
/// ```
/// assert_eq!(stats::trading::cvar_worst_count(&[0.01, -0.04, 0.0], 0.05), Some(-0.04));
/// ```
#[must_use]
pub fn cvar_worst_count(returns: &[f64], tail: f64) -> Option<f64> {
    let mut sorted = at_least(1, returns)?.to_vec();
    if !(0.0..=1.0).contains(&tail) {
        return None;
    }
    sorted.sort_by(f64::total_cmp);
    let count = ((sorted.len() - 1) as f64 * tail) as usize + 1;
    mean(sorted.get(..count)?)
}
