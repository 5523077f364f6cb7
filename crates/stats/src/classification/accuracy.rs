use super::Confusion;
use crate::finite::ratio;

/// Share of rows answered rightly, in [0, 1]: Σ n_kk / n. An unparseable answer is wrong. None without rows.
///
/// ```
/// use stats::classification::{accuracy, Confusion};
/// let c = Confusion::of_pairs(["a", "b"], [(0, Some(0)), (1, Some(0)), (1, Some(1)), (1, None)])?;
/// assert_eq!(accuracy(&c), Some(0.5));
/// # Ok::<(), stats::Error>(())
/// ```
pub fn accuracy(confusion: &Confusion) -> Option<f64> {
    ratio(confusion.hits() as f64, confusion.total() as f64)
}
