use super::{Confusion, class_scores};
use crate::finite::ratio;

/// Mean of the classes' F1 weighted by their rows, in [0, 1] (as scikit-learn's `f1_score(average="weighted")`): what a row
/// drawn at random meets, so that common classes decide. None without rows.
///
/// ```
/// use stats::classification::{weighted_f1, Confusion};
/// let c = Confusion::of_pairs(["a", "b"], [(0, Some(0)), (0, Some(0)), (0, Some(0)), (1, Some(0))])?;
/// assert!((weighted_f1(&c).unwrap() - 0.75 * 6.0 / 7.0).abs() < 1e-15);
/// # Ok::<(), stats::Error>(())
/// ```
pub fn weighted_f1(confusion: &Confusion) -> Option<f64> {
    let weighted = |k| {
        let scores = class_scores(confusion, k);
        scores.support as f64 * scores.f1.unwrap_or(0.0)
    };
    ratio((0..confusion.classes()).map(weighted).sum(), confusion.total() as f64)
}
