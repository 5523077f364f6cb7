use super::{Confusion, class_scores};
use crate::distribution::mean;

/// Mean of the classes' F1, in [0, 1]: each class weighs the same, however rare (as scikit-learn's
/// `f1_score(average="macro", zero_division=0)` with unparseable answers not among the labels). A class that occurs
/// neither as truth nor as answer is left out. None without rows.
///
/// ```
/// use stats::classification::{macro_f1, Confusion};
/// let c = Confusion::of_pairs(["a", "b", "unused"], [(0, Some(0)), (1, Some(0))])?;
/// assert!((macro_f1(&c).unwrap() - (2.0 / 3.0 + 0.0) / 2.0).abs() < 1e-15);
/// # Ok::<(), stats::Error>(())
/// ```
pub fn macro_f1(confusion: &Confusion) -> Option<f64> {
    let scores: Vec<f64> = (0..confusion.classes()).filter_map(|k| class_scores(confusion, k).f1).collect();
    mean(&scores)
}
