use crate::finite::finite;
use crate::normal;
use crate::trading::probabilistic_sharpe;

/// Euler and Mascheroni's constant.
const EULER_GAMMA: f64 = 0.577_215_664_901_532_9;

/// The Sharpe ratio *per period* that the best of `trials` strategies without skill is expected to show, where the Sharpe
/// ratios of the trials have this `variance` (Bailey and López de Prado, Journal of Portfolio Management 40, 2014):
///
/// √variance · ((1 − γ)·z(1 − 1/N) + γ·z(1 − 1/(N·e))), z the normal quantile, γ Euler's constant.
///
/// 0 for a single trial. Assumes independent trials; where they resemble each other the true number is smaller and this
/// figure too strict ([`super::effective_trials`]). None without trials or for a variance below 0.
///
/// ```
/// let best = stats::selection::expected_maximum_sharpe(1000, 1.0).unwrap();
/// assert!((best - 3.26).abs() < 0.01);
/// ```
#[must_use]
pub fn expected_maximum_sharpe(trials: usize, variance: f64) -> Option<f64> {
    if trials == 0 || variance.is_nan() || variance < 0.0 {
        return None;
    }
    if trials == 1 {
        return Some(0.0);
    }
    let n = trials as f64;
    // the upper quantiles by symmetry: 1 − 1/N loses digits for a large N
    let best = -normal::quantile(1.0 / n)?;
    let beyond = -normal::quantile(1.0 / (n * std::f64::consts::E))?;
    finite(variance.sqrt() * ((1.0 - EULER_GAMMA) * best + EULER_GAMMA * beyond))
}

/// Deflated Sharpe ratio: the probability, in [0, 1], that the true Sharpe ratio is above what the best of `trials`
/// strategies without skill would show ([`probabilistic_sharpe`] against [`expected_maximum_sharpe`]; same source).
/// `variance` is that of the trials' Sharpe ratios per period. None where either of them is not defined.
///
/// ```
/// let x = [0.02, -0.01, 0.02, 0.0, 0.01, 0.015, -0.005, 0.02];
/// let alone = stats::selection::deflated_sharpe(&x, 1, 0.04).unwrap();
/// let chosen = stats::selection::deflated_sharpe(&x, 100, 0.04).unwrap();
/// assert!(alone > chosen);
/// ```
#[must_use]
pub fn deflated_sharpe(returns: &[f64], trials: usize, variance: f64) -> Option<f64> {
    probabilistic_sharpe(returns, expected_maximum_sharpe(trials, variance)?)
}
