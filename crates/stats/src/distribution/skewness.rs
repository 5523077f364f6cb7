use super::{mean, std};
use crate::finite::ratio;

/// Bias-corrected skewness G₁ = n / ((n−1)(n−2)) · Σ((x − mean)/s)³ with s of ddof 1 (Joanes and Gill, The
/// Statistician 47, 1998; as pandas). No unit; 0 for a symmetric distribution. None below 3 values or if all are equal.
///
/// ```
/// assert!(stats::distribution::skewness(&[1.0, 2.0, 3.0]).unwrap().abs() < 1e-15);
/// assert!((stats::distribution::skewness(&[0.0, 0.0, 1.0]).unwrap() - 3_f64.sqrt()).abs() < 1e-12);
/// ```
#[must_use]
pub fn skewness(values: &[f64]) -> Option<f64> {
    let n = values.len() as f64;
    let (mean, s) = (mean(values)?, std(values, 1)?);
    let cubes: f64 = values.iter().map(|x| (x - mean).powi(3)).sum();
    ratio(n * cubes, (n - 1.0) * (n - 2.0) * s.powi(3))
}
