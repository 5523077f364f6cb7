use super::mean;
use crate::finite::finite;

/// Standard deviation √(Σ(x − mean)² / (n − ddof)), in the unit of the values; `ddof` 1 for a sample, 0 for a whole
/// population. 0 where the values differ by rounding only (less than 1e-14 of their mean), so that a constant series is
/// constant. None with `ddof` or fewer values, or with one that is not finite.
///
/// ```
/// assert_eq!(stats::distribution::std(&[1.0, 3.0], 0), Some(1.0));
/// assert_eq!(stats::distribution::std(&[1.0], 1), None);
/// assert_eq!(stats::distribution::std(&[0.1; 7], 1), Some(0.0));
/// ```
#[must_use]
pub fn std(values: &[f64], ddof: usize) -> Option<f64> {
    let mean = mean(values)?;
    let freedom = values.len().checked_sub(ddof).filter(|f| *f > 0)?;
    let squares: f64 = values.iter().map(|x| (x - mean).powi(2)).sum();
    let std = finite((squares / freedom as f64).sqrt())?;
    Some(if std <= 1e-14 * mean.abs() { 0.0 } else { std })
}
