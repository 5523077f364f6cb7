/// McNemar's exact test of two classifiers on the same rows: the two-sided p-value, in (0, 1], that rows on which only
/// one of them is right fall this unevenly by chance (binomial with p = ½; McNemar, Psychometrika 12, 1947).
///
/// `only_first` and `only_second` count the rows that only the first, only the second classifier got right; rows on
/// which both are right or both wrong say nothing. p = min(1, 2·Σ_{i ≤ min} C(n, i) / 2ⁿ). 1 where they never differ.
///
/// ```
/// use stats::classification::mcnemar_exact;
/// assert!((mcnemar_exact(1, 9) - 22.0 / 1024.0).abs() < 1e-12);
/// assert_eq!(mcnemar_exact(5, 5), 1.0);
/// ```
#[must_use]
pub fn mcnemar_exact(only_first: u64, only_second: u64) -> f64 {
    let n = only_first + only_second;
    let fewer = only_first.min(only_second);
    if n == 0 || 2 * fewer == n {
        return 1.0;
    }
    // C(n, i) / 2^n in logarithms, each from the one before: nothing overflows for large n
    let mut log_term = -(n as f64) * std::f64::consts::LN_2;
    let mut sum = log_term.exp();
    for i in 1..=fewer {
        log_term += ((n - i + 1) as f64).ln() - (i as f64).ln();
        sum += log_term.exp();
    }
    (2.0 * sum).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_rows_do_not_underflow() {
        // scipy.stats.binomtest(4900, 10000).pvalue
        assert!((mcnemar_exact(4900, 5100) / 0.046_590_996_871_362_87 - 1.0).abs() < 1e-3);
        assert!(mcnemar_exact(0, 5000) >= 0.0);
    }
}
