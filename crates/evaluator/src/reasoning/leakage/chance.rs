//! What chance alone would give.

use stats::SplitMix64;

/// How often shifting one series against the other (round, by every number of places from 1 on, at most `most` of them evenly
/// spread) gives a figure at least as large as `found`: (1 + such shifts) / (1 + shifts). Shifting keeps what each series has of its own
/// (trends, repeats), which drawing anew would not. None where there is nothing to shift.
pub(crate) fn at_least_by_shifting(rows: usize, most: usize, figure: impl Fn(usize) -> f64, found: f64) -> Option<f64> {
    let shifts = rows.checked_sub(1).filter(|n| *n > 0)?;
    let tried = shifts.min(most.max(1));
    let at = |n: usize| 1 + n * shifts / tried;
    let reached = (0..tried).filter(|n| figure(at(*n)) >= found - 1e-12).count();
    Some((1.0 + reached as f64) / (1.0 + tried as f64))
}

/// How often giving the answers to other questions, drawn `times` times, gives a figure at least as large as `found`.
pub(crate) fn at_least_by_dealing(
    rows: usize,
    times: usize,
    seed: u64,
    figure: impl Fn(&[usize]) -> f64,
    found: f64,
) -> Option<f64> {
    if rows < 2 {
        return None;
    }
    let mut random = SplitMix64::new(seed);
    let mut order: Vec<usize> = (0..rows).collect();
    let mut reached = 0;
    for _ in 0..times {
        for last in (1..rows).rev() {
            order.swap(last, random.below(last + 1));
        }
        reached += usize::from(figure(&order) >= found - 1e-12);
    }
    Some((1.0 + reached as f64) / (1.0 + times as f64))
}
