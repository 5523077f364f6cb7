use std::ops::Range;

/// Bars to choose on and bars to judge the choice by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// To choose on, in order of time.
    pub train: Vec<Range<usize>>,
    /// To judge by.
    pub test: Range<usize>,
}

/// Walk-forward windows over `bars` bars: choose on `train` of them, leave out `purge`, judge on the next `test`, move on by
/// `test`. `anchored` windows all begin at the first bar. The last window may be judged on fewer bars, never on one alone.
///
/// ```
/// let splits = backtester::walk_forward_splits(100, 50, 20, 5, false);
/// assert_eq!(splits[0].train, [0..50]);
/// assert_eq!(splits[1].test, 75..95);
/// assert_eq!(splits[2].test, 95..100);
/// ```
#[expect(clippy::single_range_in_vec_init, reason = "one stretch of bars")]
pub fn walk_forward_splits(bars: usize, train: usize, test: usize, purge: usize, anchored: bool) -> Vec<Split> {
    let mut splits = Vec::new();
    let mut begin = train + purge;
    while train > 1 && test > 0 && begin + 2 <= bars {
        let end = begin - purge;
        let from = if anchored { 0 } else { end - train };
        splits.push(Split { train: vec![from..end], test: begin..(begin + test).min(bars) });
        begin += test;
    }
    splits
}

/// `folds` folds of equal length, each judged once by a choice made on all others (López de Prado, Advances in Financial
/// Machine Learning, 2018, chapter 7). `purge` bars before a judged fold and `purge + embargo` after it are left out of the
/// choice: what is known on them overlaps with the fold.
///
/// ```
/// let folds = backtester::purged_folds(100, 5, 2, 3);
/// assert_eq!(folds[1].train, [0..18, 45..100]);
/// assert_eq!(folds[1].test, 20..40);
/// ```
pub fn purged_folds(bars: usize, folds: usize, purge: usize, embargo: usize) -> Vec<Split> {
    if folds < 2 || bars < 2 * folds {
        return Vec::new();
    }
    let fold = |k: usize| {
        let test = k * bars / folds..(k + 1) * bars / folds;
        let before = 0..test.start.saturating_sub(purge);
        let after = (test.end + purge + embargo).min(bars)..bars;
        Split { train: [before, after].into_iter().filter(|r| r.len() > 1).collect(), test }
    };
    (0..folds).map(fold).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_bar_is_both_chosen_on_and_judged_by_and_every_bar_is_judged_at_most_once() {
        for (train, test, purge) in [(30, 10, 0), (7, 25, 3), (100, 1, 9)] {
            for anchored in [true, false] {
                let splits = walk_forward_splits(157, train, test, purge, anchored);
                assert!(!splits.is_empty());
                assert!(splits.iter().all(|s| s.train[0].end + purge == s.test.start));
                assert!(splits.windows(2).all(|w| w[0].test.end == w[1].test.start));
                assert!(splits.iter().all(|s| (s.train[0].start == 0) || !anchored));
            }
        }
        for split in purged_folds(103, 4, 5, 6) {
            for train in &split.train {
                assert!(train.end + 5 <= split.test.start || train.start >= split.test.end + 11);
            }
        }
        assert!(walk_forward_splits(10, 10, 5, 0, true).is_empty() && purged_folds(5, 3, 0, 0).is_empty());
    }
}
