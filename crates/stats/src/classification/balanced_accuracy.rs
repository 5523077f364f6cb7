use super::{Confusion, class_scores};
use crate::distribution::mean;

/// Mean of the classes' recalls, in [0, 1]: accuracy as if every class had as many rows (Brodersen et al., ICPR 2010; as
/// scikit-learn's `balanced_accuracy_score`). An unparseable answer is a miss of its class. A class without rows is left
/// out. None without rows.
///
/// ```
/// use stats::classification::{balanced_accuracy, Confusion};
/// let c = Confusion::of_pairs(["a", "b"], [(0, Some(0)), (0, Some(0)), (0, Some(0)), (1, Some(0))])?;
/// assert_eq!(balanced_accuracy(&c), Some(0.5));
/// # Ok::<(), stats::Error>(())
/// ```
pub fn balanced_accuracy(confusion: &Confusion) -> Option<f64> {
    let recalls: Vec<f64> = (0..confusion.classes()).filter_map(|k| class_scores(confusion, k).recall).collect();
    mean(&recalls)
}
