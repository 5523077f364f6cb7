use crate::finite::{at_least, finite};

/// Arithmetic mean, in the unit of the values. None without values or with one that is not finite.
///
/// ```
/// assert_eq!(stats::distribution::mean(&[1.0, 2.0, 6.0]), Some(3.0));
/// assert_eq!(stats::distribution::mean(&[]), None);
/// ```
#[must_use]
pub fn mean(values: &[f64]) -> Option<f64> {
    let values = at_least(1, values)?;
    finite(values.iter().sum::<f64>() / values.len() as f64)
}
