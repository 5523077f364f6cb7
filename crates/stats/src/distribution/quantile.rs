use crate::finite::{at_least, finite};

/// The `q` quantile (0 smallest, 1 largest) with linear interpolation between the two nearest values (type 7 of
/// Hyndman and Fan, The American Statistician 50, 1996; numpy's default), in the unit of the values.
/// None without values, with one that is not finite, or for q outside [0, 1].
///
/// ```
/// assert_eq!(stats::distribution::quantile(&[4.0, 1.0, 2.0, 3.0], 0.5), Some(2.5));
/// ```
#[must_use]
pub fn quantile(values: &[f64], q: f64) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    quantile_sorted(&sorted, q)
}

/// [`quantile`] of values that are already in ascending order.
#[must_use]
pub fn quantile_sorted(sorted: &[f64], q: f64) -> Option<f64> {
    let sorted = at_least(1, sorted)?;
    if !(0.0..=1.0).contains(&q) {
        return None;
    }
    let place = q * (sorted.len() - 1) as f64;
    let below = *sorted.get(place.floor() as usize)?;
    let above = *sorted.get(place.ceil() as usize)?;
    finite(below + (above - below) * place.fract())
}

/// The 0.5 [`quantile`].
///
/// ```
/// assert_eq!(stats::distribution::median(&[9.0, 1.0, 2.0]), Some(2.0));
/// ```
#[must_use]
pub fn median(values: &[f64]) -> Option<f64> {
    quantile(values, 0.5)
}
