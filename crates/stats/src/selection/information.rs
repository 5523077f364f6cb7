use crate::Error;
use crate::distribution::{mean, std};
use crate::finite::{at_least, finite, ratio};
use std::cmp::Ordering;

/// How much of what followed a signal it told.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Information {
    /// Over how many periods the outcome was taken.
    pub horizon: usize,
    /// Rank correlation of signal and outcome, in [-1, 1]; none where either does not vary.
    pub coefficient: Option<f64>,
    /// Its t statistic, for as many pairs as do not overlap; none where it is not defined.
    pub t: Option<f64>,
    /// Pairs.
    pub pairs: usize,
}

/// Ranks from 1; equal values share their mean rank.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].partial_cmp(&values[*b]).unwrap_or(Ordering::Equal));
    let mut ranks = vec![0.0; values.len()];
    let mut place = 0;
    // -0.0 and 0.0 are equal values
    for group in order.chunk_by(|a, b| values[*a].partial_cmp(&values[*b]) == Some(Ordering::Equal)) {
        let shared = place as f64 + f64::midpoint(group.len() as f64, 1.0);
        for index in group {
            ranks[*index] = shared;
        }
        place += group.len();
    }
    ranks
}

/// Spearman's rank correlation: Pearson's of the ranks, equal values sharing their mean rank. None below 2 pairs, where
/// either does not vary, with a value that is not finite, or for series of different length.
///
/// ```
/// let rho = stats::selection::spearman(&[1.0, 2.0, 9.0], &[0.0, 0.1, 5.0]).unwrap();
/// assert!((rho - 1.0).abs() < 1e-12);
/// ```
#[must_use]
pub fn spearman(x: &[f64], y: &[f64]) -> Option<f64> {
    if x.len() != y.len() {
        return None;
    }
    let (x, y) = (ranks(at_least(2, x)?), ranks(at_least(2, y)?));
    let (mx, my) = (mean(&x)?, mean(&y)?);
    let both = x.iter().zip(&y).map(|(a, b)| (a - mx) * (b - my)).sum::<f64>() / x.len() as f64;
    Some(ratio(both, std(&x, 0)? * std(&y, 0)?)?.clamp(-1.0, 1.0))
}

/// Information coefficient: [`spearman`] of a signal and what followed it, with t = ρ·√((n − 2) / (1 − ρ²)).
///
/// # Errors
/// Series of different length.
///
/// ```
/// let found = stats::selection::information_coefficient(&[0.1, -0.2, 0.3, 0.0], &[0.01, -0.02, 0.0, 0.005])?;
/// assert!((found.coefficient.unwrap() - 0.4).abs() < 1e-12);
/// # Ok::<(), stats::Error>(())
/// ```
pub fn information_coefficient(signal: &[f64], outcome: &[f64]) -> Result<Information, Error> {
    if signal.len() != outcome.len() {
        return Err(Error::LengthMismatch { left: signal.len(), right: outcome.len() });
    }
    Ok(over(signal, outcome, 1))
}

fn over(signal: &[f64], outcome: &[f64], horizon: usize) -> Information {
    let coefficient = spearman(signal, outcome);
    let free = signal.len() as f64 / horizon as f64 - 2.0;
    let t = coefficient.filter(|_| free > 0.0).and_then(|c| finite(c * (free / (1.0 - c * c)).sqrt()));
    Information { horizon, coefficient, t, pairs: signal.len() }
}

/// The information coefficient over horizons. `signal[i]` is known before the period of `returns[i]` begins; the outcome
/// over h periods is the compound return of periods i to i + h − 1. Outcomes of h periods overlap, so t counts n/h pairs.
///
/// # Errors
/// Series of different length; a horizon of 0.
pub fn information_decay(signal: &[f64], returns: &[f64], horizons: &[usize]) -> Result<Vec<Information>, Error> {
    if signal.len() != returns.len() {
        return Err(Error::LengthMismatch { left: signal.len(), right: returns.len() });
    }
    let at = |horizon: usize| {
        if horizon == 0 {
            return Err(Error::OutOfRange { name: "a horizon", value: 0.0, range: "above 0" });
        }
        let outcome = |span: &[f64]| span.iter().map(|x| 1.0 + x).product::<f64>() - 1.0;
        let outcomes: Vec<f64> = returns.windows(horizon).map(outcome).collect();
        Ok(over(&signal[..outcomes.len()], &outcomes, horizon))
    };
    horizons.iter().map(|h| at(*h)).collect()
}
