use crate::finite::at_least;

/// How far below its highest point so far the account is after each return: equity / max(equity so far) − 1, 0 or
/// negative, one value per return. The starting capital (1) counts as the first point, so a loss from the first
/// period on is seen. None without returns.
///
/// ```
/// let under = stats::trading::underwater(&[-0.5, 1.0, 0.5]).unwrap();
/// assert_eq!(under, vec![-0.5, 0.0, 0.0]);
/// ```
#[must_use]
pub fn underwater(returns: &[f64]) -> Option<Vec<f64>> {
    let (mut equity, mut top) = (1.0_f64, 1.0_f64);
    let depths: Vec<f64> = at_least(1, returns)?
        .iter()
        .map(|x| {
            equity *= 1.0 + x;
            top = top.max(equity);
            equity / top - 1.0
        })
        .collect();
    depths.iter().all(|d| d.is_finite()).then_some(depths)
}

/// The deepest point of [`underwater`]: a share, 0 or negative. None without returns.
///
/// ```
/// assert_eq!(stats::trading::max_drawdown(&[0.25, -0.2, -0.5, 3.0]), Some(-0.6));
/// assert_eq!(stats::trading::max_drawdown(&[0.1]), Some(0.0));
/// ```
#[must_use]
pub fn max_drawdown(returns: &[f64]) -> Option<f64> {
    Some(underwater(returns)?.into_iter().fold(0.0, f64::min))
}
