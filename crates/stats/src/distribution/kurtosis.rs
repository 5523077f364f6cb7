use super::{mean, std};
use crate::finite::{finite, ratio};

/// Bias-corrected excess kurtosis G₂ = n(n+1)/((n−1)(n−2)(n−3)) · Σ((x − mean)/s)⁴ − 3(n−1)²/((n−2)(n−3)) with s of
/// ddof 1 (Joanes and Gill, The Statistician 47, 1998; as pandas). No unit; 0 for a normal distribution.
/// None below 4 values or if all are equal.
///
/// ```
/// // pandas.Series([1, 2, 3, 4]).kurt()
/// assert!((stats::distribution::excess_kurtosis(&[1.0, 2.0, 3.0, 4.0]).unwrap() + 1.2).abs() < 1e-12);
/// ```
#[must_use]
pub fn excess_kurtosis(values: &[f64]) -> Option<f64> {
    let n = values.len() as f64;
    let (mean, s) = (mean(values)?, std(values, 1)?);
    if n < 4.0 {
        return None;
    }
    let fourth: f64 = values.iter().map(|x| (x - mean).powi(4)).sum();
    let scaled = ratio(n * (n + 1.0) * fourth, (n - 1.0) * (n - 2.0) * (n - 3.0) * s.powi(4))?;
    finite(scaled - 3.0 * (n - 1.0).powi(2) / ((n - 2.0) * (n - 3.0)))
}
