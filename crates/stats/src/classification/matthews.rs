use super::Confusion;
use crate::finite::ratio;

/// Matthews correlation of truth and answer for any number of classes, in [-1, 1]; 0 is no better than guessing
/// (R_K of Gorodkin, Computational Biology and Chemistry 28, 2004):
///
/// (c·n − Σ t_k p_k) / √((n² − Σ p_k²)(n² − Σ t_k²)), with c hits, n rows, t_k rows of class k, p_k answers of class k.
///
/// Unparseable answers are one more answer that is never true, so giving up is not rewarded. None where all rows or
/// all answers are of one kind.
///
/// ```
/// use stats::classification::{matthews, Confusion};
/// let right = Confusion::of_pairs(["a", "b"], [(0, Some(0)), (1, Some(1))])?;
/// assert_eq!(matthews(&right), Some(1.0));
/// let constant = Confusion::of_pairs(["a", "b"], [(0, Some(0)), (1, Some(0))])?;
/// assert_eq!(matthews(&constant), None);
/// # Ok::<(), stats::Error>(())
/// ```
pub fn matthews(confusion: &Confusion) -> Option<f64> {
    let n = confusion.total() as f64;
    let classes = 0..confusion.classes();
    let unread = confusion.unparseable_total() as f64;
    let (mut agreement, mut answers, mut truths) = (0.0, unread * unread, 0.0);
    for k in classes {
        let (t, p) = (confusion.support(k) as f64, confusion.answered(k) as f64);
        agreement += t * p;
        answers += p * p;
        truths += t * t;
    }
    ratio(confusion.hits() as f64 * n - agreement, ((n * n - answers) * (n * n - truths)).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_agrees_with_a_case_worked_by_hand() {
        // 2x2 with TP 6, TN 3, FP 1, FN 2: (6*3 - 1*2) / sqrt(7*8*4*5)
        let cells = [(0, 0, 6), (0, 1, 2), (1, 0, 1), (1, 1, 3)];
        let pairs = cells.iter().flat_map(|&(t, p, n)| std::iter::repeat_n((t, Some(p)), n));
        let c = Confusion::of_pairs(["a", "b"], pairs).unwrap();
        assert!((matthews(&c).unwrap() - 16.0 / 1120_f64.sqrt()).abs() < 1e-15);
    }

    #[test]
    fn an_answer_nobody_can_read_lowers_it() {
        let read = Confusion::of_pairs(["a", "b"], [(0, Some(0)), (1, Some(1)), (0, Some(0)), (1, Some(1))]).unwrap();
        let unread = Confusion::of_pairs(["a", "b"], [(0, Some(0)), (1, Some(1)), (0, Some(0)), (1, None)]).unwrap();
        assert!(matthews(&unread).unwrap() < matthews(&read).unwrap());
    }
}
