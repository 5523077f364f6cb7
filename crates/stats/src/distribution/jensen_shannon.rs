use crate::Error;

/// Jensen–Shannon divergence of two distributions over the same categories, in bits: 0 if equal, 1 if they share no
/// category (Lin, IEEE Transactions on Information Theory 37, 1991). With m = (p + q)/2:
/// ½ Σ p log₂(p/m) + ½ Σ q log₂(q/m). Counts are brought to sum 1 first.
///
/// # Errors
/// Different lengths; a negative or not finite entry; a distribution without any mass.
///
/// ```
/// use stats::distribution::jensen_shannon_divergence;
/// assert_eq!(jensen_shannon_divergence(&[3.0, 0.0], &[0.0, 7.0])?, 1.0);
/// assert_eq!(jensen_shannon_divergence(&[1.0, 3.0], &[2.0, 6.0])?, 0.0);
/// # Ok::<(), stats::Error>(())
/// ```
pub fn jensen_shannon_divergence(p: &[f64], q: &[f64]) -> Result<f64, Error> {
    if p.len() != q.len() {
        return Err(Error::LengthMismatch { left: p.len(), right: q.len() });
    }
    let (p, q) = (normalised(p)?, normalised(q)?);
    let part = |x: f64, m: f64| if x > 0.0 { 0.5 * x * (x / m).log2() } else { 0.0 };
    let sum: f64 = p.iter().zip(&q).map(|(&a, &b)| part(a, 0.5 * (a + b)) + part(b, 0.5 * (a + b))).sum();
    Ok(sum.clamp(0.0, 1.0))
}

/// The square root of [`jensen_shannon_divergence`], a metric in [0, 1] (Endres and Schindelin, IEEE Transactions on
/// Information Theory 49, 2003).
///
/// # Errors
/// As [`jensen_shannon_divergence`].
///
/// ```
/// assert_eq!(stats::distribution::jensen_shannon_distance(&[1.0, 0.0], &[0.0, 1.0])?, 1.0);
/// # Ok::<(), stats::Error>(())
/// ```
pub fn jensen_shannon_distance(p: &[f64], q: &[f64]) -> Result<f64, Error> {
    jensen_shannon_divergence(p, q).map(f64::sqrt)
}

fn normalised(counts: &[f64]) -> Result<Vec<f64>, Error> {
    if let Some((index, &value)) = counts.iter().enumerate().find(|(_, v)| !v.is_finite() || **v < 0.0) {
        return Err(Error::NotACount { index, value });
    }
    let sum: f64 = counts.iter().sum();
    if sum > 0.0 && sum.is_finite() { Ok(counts.iter().map(|c| c / sum).collect()) } else { Err(Error::Empty) }
}
