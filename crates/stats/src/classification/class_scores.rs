use super::Confusion;
use crate::finite::ratio;

/// One class against all others.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct ClassScores {
    /// Rows of the class.
    pub support: u64,
    /// Of the rows answered with the class, the share that is of it; none where it was never answered.
    pub precision: Option<f64>,
    /// Of the rows of the class, the share answered with it; none where there are no such rows.
    pub recall: Option<f64>,
    /// 2·TP / (2·TP + FP + FN); none where the class occurs neither as truth nor as answer.
    pub f1: Option<f64>,
}

/// Precision TP/(TP+FP), recall TP/(TP+FN) and F1 of class `class` (van Rijsbergen, Information Retrieval, 1979).
/// An unparseable answer is a miss (FN) of its true class and no claim (FP) on any.
///
/// ```
/// use stats::classification::{class_scores, Confusion};
/// let c = Confusion::of_pairs(["a", "b"], [(0, Some(0)), (1, Some(0)), (0, None)])?;
/// let a = class_scores(&c, 0);
/// assert_eq!((a.precision, a.recall, a.f1), (Some(0.5), Some(0.5), Some(0.5)));
/// assert_eq!(class_scores(&c, 1).precision, None);
/// # Ok::<(), stats::Error>(())
/// ```
pub fn class_scores(confusion: &Confusion, class: usize) -> ClassScores {
    let hit = confusion.count(class, class) as f64;
    let (support, answered) = (confusion.support(class), confusion.answered(class));
    ClassScores {
        support,
        precision: ratio(hit, answered as f64),
        recall: ratio(hit, support as f64),
        // TP+FP = answered and TP+FN = support
        f1: ratio(2.0 * hit, (support + answered) as f64),
    }
}
